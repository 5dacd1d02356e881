//! TLS on the port: who is believed, who is asked for a certificate, and what becomes of those who speak otherwise.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use coding_env::client::pool::PoolOptions;
use coding_env::client::{CodingEnv, Error, Identity, Options, Pool, endpoint};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::{program, shown};
use crate::support::{PATIENCE, Server, wait_until};

/// An authority, made for a test.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// A certificate of it for a name or an address, and its key.
    pub(crate) fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// The files of a server.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new(authority: &Authority) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("roots", &authority.pem);
        files.certify(authority);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    fn certify(&self, authority: &Authority) {
        let (certificate, key) = authority.certify("127.0.0.1");
        self.write("cert", &certificate);
        self.write("key", &key);
    }

    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        let [cert, key] = ["cert", "key"].map(|name| self.path(name).display().to_string());
        let own = ["--tls-cert", &cert, "--tls-key", &key];
        Server::start_open(&[&own, flags].concat())
    }
}

pub(crate) fn options(roots: &Authority, identity: Option<(String, String)>) -> Options {
    let mut options = Options::default();
    options.tls.roots_pem = Some(roots.pem.clone().into_bytes());
    options.tls.identity = identity.map(|(certificate, key)| Identity::from_pem(certificate, key));
    options
}

pub(crate) fn url(server: &Server) -> String {
    format!("https://{}", server.address())
}

/// Whether a server answers a first call. One try: a client that goes on trying would wait for its deadline.
async fn answers(url: &str, options: &Options) -> Result<(), String> {
    let endpoint = endpoint(url, options).map_err(|error| error.to_string())?;
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| format!("{error:?}"))?;
    let service = "readiness".to_owned();
    let mut request = Request::new(HealthCheckRequest { service });
    request.set_timeout(PATIENCE);
    let answer = HealthClient::new(channel).check(request).await;
    answer.map(drop).map_err(|status| format!("{status:?}"))
}

#[tokio::test]
async fn openenv_is_spoken_over_tls_too() {
    use std::sync::Arc;

    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};
    use tokio_tungstenite::tungstenite::Message;

    let authority = Authority::new();
    let files = Files::new(&authority);
    let server = files.serve(&[]);
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    let address = format!("ws://{}/ws", server.address());
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream)
        .await
        .unwrap();
    let step = r#"{"type":"step","data":{"code":"6 * 7"}}"#;
    socket.send(Message::text(step)).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    let answer = answer.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains(r#""stdout":"42""#));
}

#[tokio::test]
async fn episodes_run_over_tls_and_who_is_not_believed_is_not_spoken_to() {
    let [authority, other] = [Authority::new(), Authority::new()];
    let files = Files::new(&authority);
    let server = files.serve(&[]);
    let mut env = CodingEnv::connect_with(&url(&server), options(&authority, None))
        .await
        .unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    env.close().await.unwrap();

    let error = answers(&url(&server), &options(&other, None))
        .await
        .unwrap_err();
    assert!(error.contains("InvalidCertificate"), "{error}");
    let mut named = options(&authority, None);
    named.tls.server_name = Some("elsewhere.example".to_owned());
    let error = answers(&url(&server), &named).await.unwrap_err();
    assert!(error.contains("NotValidForName"), "{error}");

    // The command, with the authority in a file.
    let roots = files.path("roots").display().to_string();
    let url = url(&server);
    for (arguments, well) in [
        (
            ["health", "--url", &url, "--tls-ca", &roots].as_slice(),
            "SERVING\n",
        ),
        (
            &["run", "--url", &url, "--tls-ca", &roots, "-c", "6 * 7"],
            "42\n",
        ),
    ] {
        let (out, told, code) = shown(&program(arguments).output().unwrap());
        assert_eq!((out.as_str(), code), (well, Some(0)), "{told}");
    }
}

#[tokio::test]
async fn who_shows_no_certificate_of_the_clients_authority_is_refused() {
    let [authority, clients, other] = [(); 3].map(|()| Authority::new());
    let files = Files::new(&authority);
    files.write("clients", &clients.pem);
    let client_ca = files.path("clients").display().to_string();
    let server = files.serve(&["--tls-client-ca", &client_ca]);
    let trusted = options(&authority, Some(clients.certify("trainer")));
    assert!(format!("{trusted:?}").contains("Identity(hidden)"));
    let mut env = CodingEnv::connect_with(&url(&server), trusted.clone())
        .await
        .unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));

    for identity in [None, Some(other.certify("trainer"))] {
        answers(&url(&server), &options(&authority, identity))
            .await
            .unwrap_err();
    }
    server.wait_for_log("TLS handshakes have failed");
    answers(&url(&server), &trusted).await.unwrap();
    let broken = Some(("no certificate".to_owned(), "no key".to_owned()));
    let error = endpoint(&url(&server), &options(&authority, broken)).unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn servers_that_a_pool_finds_by_name_have_to_bear_that_name() {
    let authority = Authority::new();
    let files = Files::new(&authority);
    let (certificate, key) = authority.certify("localhost");
    files.write("cert", &certificate);
    files.write("key", &key);
    let server = files.serve(&[]);
    let port = server.address().rsplit_once(':').unwrap().1;
    let mut secure = PoolOptions::default();
    secure.client = options(&authority, None);
    secure.secure = true;
    let pool = Pool::connect_with(format!("dns:///localhost:{port}"), secure.clone())
        .await
        .unwrap();
    let env = pool.env();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));

    secure.client.deadline = Duration::from_secs(1);
    let other = Pool::connect_with(format!("dns:///127.0.0.1:{port}"), secure.clone()).await;
    let error = other.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error}");
    secure.client.deadline = PATIENCE;
    secure.client.tls.server_name = Some("localhost".to_owned());
    Pool::connect_with(format!("dns:///127.0.0.1:{port}"), secure)
        .await
        .unwrap();
}

#[tokio::test]
async fn plain_text_and_hanging_handshakes_hold_nobody_up() {
    let authority = Authority::new();
    let files = Files::new(&authority);
    let server = files.serve(&[]);
    // They say nothing.
    let mut hanging: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(server.address()).unwrap())
        .collect();
    // They say what a plain client says, and get an alert and the end of the connection.
    for text in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut plain = TcpStream::connect(server.address()).unwrap();
        plain.set_read_timeout(Some(PATIENCE)).unwrap();
        plain.write_all(text.as_bytes()).unwrap();
        let mut said = Vec::new();
        plain.read_to_end(&mut said).unwrap();
        // ContentType alert(21): RFC 8446, section 5.1.
        assert_eq!(said.first(), Some(&21), "{said:?}");
    }
    let plain = format!("http://{}", server.address());
    answers(&plain, &Options::default()).await.unwrap_err();
    answers(&url(&server), &options(&authority, None))
        .await
        .unwrap();
    let told = server.wait_for_log("TLS handshakes have failed");
    assert!(told.contains("corrupt message"), "{told}");
    // In the end they are given up.
    let first = &mut hanging[0];
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    // Unlike a single read, it goes on after a signal, of which the other tests' children send some (signal(7), SO_RCVTIMEO).
    assert_eq!(first.read_to_end(&mut Vec::new()).unwrap(), 0);
    answers(&url(&server), &options(&authority, None))
        .await
        .unwrap();
}

#[tokio::test]
async fn certificates_change_while_connections_go_on() {
    let [before, after] = [Authority::new(), Authority::new()];
    let files = Files::new(&before);
    let mut server = files.serve(&[]);
    let mut env = CodingEnv::connect_with(&url(&server), options(&before, None))
        .await
        .unwrap();
    env.reset().await.unwrap();
    // Seen between the two, they don't belong together.
    server.expect_log("the TLS files can't be used");
    let read = |server: &Server| {
        let log = server.log();
        log.iter()
            .filter(|line| line.contains("\"message\":\"TLS\""))
            .count()
    };
    let was = read(&server);
    files.certify(&after);
    wait_until("the new files are read", || read(&server) > was);
    answers(&url(&server), &options(&after, None))
        .await
        .unwrap();
    answers(&url(&server), &options(&before, None))
        .await
        .unwrap_err();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));

    files.write("key", "no key");
    server.wait_for_log("the TLS files can't be used");
    answers(&url(&server), &options(&after, None))
        .await
        .unwrap();
}

#[test]
fn files_that_can_not_be_used_refuse_the_start() {
    let authority = Authority::new();
    let files = Files::new(&authority);
    let (_, key) = authority.certify("127.0.0.1");
    files.write("other", &key);
    files.write("empty", "");
    let path = |name: &str| files.path(name).display().to_string();
    for (cert, key, told) in [
        ("cert", "other", "--tls-cert"),
        ("empty", "key", "holds no certificate"),
        ("gone", "key", "gone"),
        ("cert", "empty", "empty"),
    ] {
        let flags = ["--tls-cert", &path(cert), "--tls-key", &path(key)];
        let log = Server::start_or_refuse(&flags).err().expect("it starts");
        assert!(
            log.contains(told) && log.contains("exit status: 64"),
            "{log}"
        );
    }
    let flags = ["--tls-cert", &path("cert")];
    let log = Server::start_or_refuse(&flags).err().expect("it starts");
    assert!(log.contains("--tls-key"), "{log}");
}
