//! `coding-env health`: for probes on machines without curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::connect::{ConnectArgs, connect};

/// The arguments of `health`.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The server. [default: this machine, at the port of CODING_ENV_ADMIN_LISTEN, else of CODING_ENV_LISTEN, or 8000]
    #[arg(long, env = "CODING_ENV_URL", value_name = "URL")]
    url: Option<String>,
    /// The name to ask for: `readiness`, `liveness`, `coding_env.v1.CodingEnv`, or empty for the server as a whole.
    #[arg(long, default_value = "readiness", value_name = "NAME")]
    service: String,
    /// How long to wait for an answer.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    timeout: Duration,
    #[command(flatten)]
    connecting: ConnectArgs,
}

/// Where a server on this machine is asked, as its own settings say: at its admin address, which needs neither TLS nor tokens, if it has one.
fn local_url() -> String {
    let port_of = |variable: &str| {
        let address = std::env::var(variable).ok()?;
        let address: std::net::SocketAddr = address.parse().ok()?;
        Some(address.port())
    };
    if let Some(port) = port_of("CODING_ENV_ADMIN_LISTEN") {
        return format!("http://127.0.0.1:{port}");
    }
    let port = port_of("CODING_ENV_LISTEN").unwrap_or(8000);
    let secure = std::env::var_os("CODING_ENV_TLS_CERT").is_some_and(|path| !path.is_empty());
    format!(
        "{}://127.0.0.1:{port}",
        if secure { "https" } else { "http" }
    )
}

#[expect(clippy::print_stdout, reason = "the answer")]
pub(crate) async fn health(args: HealthArgs) -> anyhow::Result<ExitCode> {
    let HealthArgs {
        url,
        service,
        timeout,
        connecting,
    } = args;
    let options = connecting.options()?;
    let url = url.unwrap_or_else(local_url);
    let check = async {
        let mut client = HealthClient::new(connect(&url, &options).await?);
        let mut request = Request::new(HealthCheckRequest { service });
        if let Some(token) = &options.token {
            token.authorize(&mut request);
        }
        match client.check(request).await {
            Ok(answer) => Ok(answer.into_inner().status()),
            Err(status) => bail!("{url} answers {:?}: {}", status.code(), status.message()),
        }
    };
    let status = match tokio::time::timeout(timeout, check).await {
        Ok(status) => status?,
        Err(_) => bail!("no server answers at {url} within {timeout:?}"),
    };
    println!("{}", status.as_str_name());
    Ok(if status == ServingStatus::Serving {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
