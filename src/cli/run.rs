//! `coding-env run`: one piece of code, one episode.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use coding_env::client::{CodingEnv, Options, StepOptions};
use coding_env::config::{Config, ServeArgs};
use coding_env::server::LocalServer;
use coding_env::telemetry;

use super::connect::{ConnectArgs, connect};

/// The arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The code to run.
    #[arg(
        short,
        long,
        value_name = "CODE",
        conflicts_with = "file",
        required_unless_present = "file"
    )]
    code: Option<String>,
    /// A file with the code, or `-` for standard input.
    file: Option<PathBuf>,
    /// A server to run it on. Without one, a server of its own is started and stopped, with the settings of `serve` taken
    /// from the environment.
    #[arg(long, env = "CODING_ENV_URL", value_name = "URL")]
    url: Option<String>,
    /// How long the code may run. [default: the server's]
    #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION")]
    timeout: Option<Duration>,
    #[command(flatten)]
    connecting: ConnectArgs,
}

pub(crate) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let RunArgs {
        code,
        file,
        url,
        timeout,
        connecting,
    } = args;
    let code = match (code, file) {
        (Some(code), _) => code,
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut code = String::new();
            std::io::stdin()
                .read_to_string(&mut code)
                .context("reading standard input")?;
            code
        }
        (None, Some(file)) => {
            std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?
        }
        (None, None) => anyhow::bail!("nothing to run: give --code or a file"),
    };
    match url {
        Some(url) => run_at(&url, connecting.options()?, code, timeout).await,
        None => {
            let mut args = ServeArgs::from_environment()?;
            telemetry::init(args.log_format, "error")?;
            args.warm_workers = 1;
            // Nobody else is to use it.
            args.tokens_file = None;
            (args.tls_cert, args.tls_key, args.tls_client_ca) = (None, None, None);
            let server = LocalServer::start(Config::try_from(args)?).await?;
            let result = run_at(&server.url(), Options::default(), code, timeout).await;
            server.stop().await?;
            result
        }
    }
}

async fn run_at(
    url: &str,
    options: Options,
    code: String,
    timeout: Option<Duration>,
) -> anyhow::Result<ExitCode> {
    let channel = connect(url, &options).await?;
    let mut env = CodingEnv::with_channel(channel, options);
    env.reset().await?;
    let mut options = StepOptions::default();
    options.timeout = timeout;
    let reply = env.step_with(code, options).await;
    let closed = env.close().await;
    let reply = reply?;
    std::io::stdout().write_all(reply.stdout().as_bytes())?;
    if let Some(result) = reply.result() {
        writeln!(std::io::stdout(), "{result}")?;
    }
    std::io::stderr().write_all(reply.stderr().as_bytes())?;
    if !reply.hint.is_empty() {
        writeln!(std::io::stderr(), "coding-env: {}", reply.hint)?;
    }
    closed?;
    Ok(ExitCode::from(
        u8::try_from(reply.exit_code() & 255).unwrap_or(1),
    ))
}
