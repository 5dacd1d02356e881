//! TLS of the server's port: certificates that may change while it runs, and handshakes that hold nobody else up.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::config::TlsFiles;
use crate::reload::Watch;

/// How long a client may take for its handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes at a time. Past it the one that has taken longest is given up, so that clients who hang keep nobody out.
const HANDSHAKES_MAX: usize = 1024;
/// Connections that have shaken hands and wait to be served.
const CONNECTIONS_WAITING_MAX: usize = 64;
/// What accepting waits after an error such as too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// A connection that has shaken hands.
type Connection = io::Result<TlsStream<TcpStream>>;

/// Why certificates can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{path}: {error}", path = .path.display())]
    Pem { path: PathBuf, error: pem::Error },
    #[error("{path} holds no certificate", path = .0.display())]
    NoCertificate(PathBuf),
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
    #[error("the certificates of clients' authorities: {0}")]
    Verifier(#[from] VerifierBuilderError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The certificates in force.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
    failed: AtomicU64,
    /// Of the last that failed.
    why: Mutex<String>,
}

impl Tls {
    /// Reads the files, and has them read again whenever they change, until `stop`.
    pub(crate) async fn start(
        files: TlsFiles,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, TlsError> {
        let TlsFiles {
            certificate,
            key,
            client_ca,
        } = &files;
        let watched = [certificate, key].into_iter().chain(client_ca);
        // Before the first look, so that no change is missed.
        let watch = Watch::new(watched.cloned().collect()).await?;
        let config = read(&files).await?;
        tell(&files);
        let tls = Arc::new(Self {
            files,
            config: RwLock::new(config),
            failed: AtomicU64::new(0),
            why: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&tls).keep(watch, stop));
        Ok(tls)
    }

    /// Handshakes that failed so far.
    pub(crate) fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    async fn keep(self: Arc<Self>, mut watch: Watch, stop: CancellationToken) {
        let mut told = 0;
        let mut going_on = true;
        while going_on {
            let changed = tokio::select! {
                changed = watch.next() => changed,
                () = stop.cancelled() => {
                    going_on = false;
                    false
                }
            };
            if changed {
                self.reload().await;
            }
            let failed = self.failures();
            if failed > told {
                let last = self.why.lock().unwrap_or_else(PoisonError::into_inner);
                let (count, last) = (failed - told, last.as_str());
                tracing::info!(count, total = failed, last, "TLS handshakes have failed");
                told = failed;
            }
        }
    }

    /// New connections get what the files hold now; open ones go on as they are.
    async fn reload(&self) {
        match read(&self.files).await {
            Ok(config) => {
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
                tell(&self.files);
            }
            // Certificate and key may change one after the other: until both have, they don't belong together.
            Err(error) => tracing::warn!(
                %error,
                "the TLS files can't be used; those read before stay in force"
            ),
        }
    }

    fn failed(&self, why: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The connections of a listener, each with its handshake done, until `stop`.
    pub(crate) fn connections(
        self: &Arc<Self>,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> ReceiverStream<Connection> {
        let (connections, incoming) = mpsc::channel(CONNECTIONS_WAITING_MAX);
        tokio::spawn(Arc::clone(self).accept(listener, connections, stop));
        ReceiverStream::new(incoming)
    }

    async fn accept(
        self: Arc<Self>,
        listener: TcpListener,
        connections: mpsc::Sender<Connection>,
        stop: CancellationToken,
    ) {
        let mut handshakes = JoinSet::new();
        // In the order in which they began; some have ended.
        let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = handshakes.join_next() => continue,
                () = stop.cancelled() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "accepting a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            if handshakes.len() >= HANDSHAKES_MAX {
                self.give_up(&mut oldest);
            }
            if oldest.len() >= 2 * HANDSHAKES_MAX {
                oldest.retain(|handshake| !handshake.is_finished());
            }
            let handshake = Arc::clone(&self).shake_hands(stream, connections.clone());
            oldest.push_back(handshakes.spawn(handshake));
        }
    }

    /// Ends the handshake that has taken longest.
    fn give_up(&self, oldest: &mut VecDeque<AbortHandle>) {
        while let Some(handshake) = oldest.pop_front() {
            if !handshake.is_finished() {
                handshake.abort();
                self.failed(format!("more than {HANDSHAKES_MAX} at a time"));
                return;
            }
        }
    }

    async fn shake_hands(
        self: Arc<Self>,
        stream: TcpStream,
        connections: mpsc::Sender<Connection>,
    ) {
        // As on the port without TLS: a reply is not to wait for more. Where that can't be set the connection has gone.
        drop(stream.set_nodelay(true));
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        let shaking = TlsAcceptor::from(config).accept(stream);
        match tokio::time::timeout(HANDSHAKE_WITHIN, shaking).await {
            // When nobody takes it the server is ending.
            Ok(Ok(stream)) => drop(connections.send(Ok(stream)).await),
            Ok(Err(error)) => self.failed(error.to_string()),
            Err(_) => self.failed(format!("not done within {HANDSHAKE_WITHIN:?}")),
        }
    }
}

/// On a thread where it may block: a file system can be slow.
async fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let files = files.clone();
    let reading = tokio::task::spawn_blocking(move || load(&files));
    reading.await.map_err(io::Error::other)?.map(Arc::new)
}

/// Tells which files are now in force.
fn tell(files: &TlsFiles) {
    let client_ca = files
        .client_ca
        .as_ref()
        .map(|path| path.display().to_string());
    tracing::info!(certificate = %files.certificate.display(), client_ca, "TLS");
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error| TlsError::Pem {
        path: path.to_owned(),
        error,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect();
    let found = found.map_err(failed)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(found)
}

/// What the files say. HTTP/2 is spoken with who can, HTTP/1.1 with others.
pub(crate) fn load(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let TlsFiles {
        certificate,
        key,
        client_ca,
    } = files;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                roots.add(authority)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Pem {
        path: key.clone(),
        error,
    })?;
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
