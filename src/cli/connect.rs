//! How the commands that speak to a server reach it.

use std::env::VarError;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use coding_env::client::{Identity, Options, Token, endpoint};
use tonic::transport::Channel;

/// TLS of `run` and `health`.
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// Certificates (PEM) of the authorities to trust at an https URL. [default: those of the system]
    #[arg(long, env = "CODING_ENV_TLS_CA", value_name = "PATH")]
    tls_ca: Option<PathBuf>,
    /// The name that the server's certificate has to bear. [default: the host of the URL]
    #[arg(long, env = "CODING_ENV_TLS_NAME", value_name = "NAME")]
    tls_name: Option<String>,
    /// A certificate (PEM) to show to a server that asks for one.
    #[arg(
        long,
        env = "CODING_ENV_TLS_CLIENT_CERT",
        requires = "tls_client_key",
        value_name = "PATH"
    )]
    tls_client_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(
        long,
        env = "CODING_ENV_TLS_CLIENT_KEY",
        requires = "tls_client_cert",
        value_name = "PATH"
    )]
    tls_client_key: Option<PathBuf>,
}

impl ConnectArgs {
    /// The client's options, with the token of `CODING_ENV_TOKEN`.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        let Self {
            tls_ca,
            tls_name,
            tls_client_cert,
            tls_client_key,
        } = self;
        let mut options = Options::default();
        options.token = token()?;
        options.tls.roots_pem = tls_ca.as_deref().map(read).transpose()?;
        options.tls.server_name.clone_from(tls_name);
        if let (Some(certificate), Some(key)) = (tls_client_cert, tls_client_key) {
            options.tls.identity = Some(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(options)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

/// The token to send, from `CODING_ENV_TOKEN`. It is no flag: every user of a machine sees those.
fn token() -> anyhow::Result<Option<Token>> {
    match std::env::var("CODING_ENV_TOKEN") {
        Ok(token) if !token.is_empty() => Ok(Some(
            Token::new(token.trim_end()).context("CODING_ENV_TOKEN")?,
        )),
        Ok(_) | Err(VarError::NotPresent) => Ok(None),
        // The error would repeat it.
        Err(VarError::NotUnicode(_)) => anyhow::bail!("CODING_ENV_TOKEN is no UTF-8"),
    }
}

/// Connects at the first try: who calls from a terminal or a probe wants to know at once that nobody is there.
pub(crate) async fn connect(url: &str, options: &Options) -> anyhow::Result<Channel> {
    let endpoint = endpoint(url, options)?;
    endpoint.connect().await.map_err(|error| {
        let error = anyhow::Error::from(error);
        anyhow::anyhow!(
            "no server answers at {}: {}",
            endpoint.uri(),
            error.root_cause()
        )
    })
}
