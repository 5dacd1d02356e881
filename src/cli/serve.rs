//! `coding-env serve`.

use std::process::ExitCode;

use coding_env::config::{Config, ServeArgs};
use coding_env::server::{self, Shutdown};
use coding_env::shutdown::Signals;
use coding_env::telemetry;

pub(crate) async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(args.log_format, &args.log)?;
    let config = Config::try_from(args)?;
    let listener = server::listen(&config).await?;
    let shutdown = Shutdown::new();
    let mut signals = Signals::new()?;
    let asked = shutdown.clone();
    let listening = tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!(signal, "asked to end; once more ends at once");
        asked.drain();
        let signal = signals.next().await;
        tracing::warn!(signal, "asked again: ending at once");
        asked.kill();
    });
    let result = server::run(config, listener, shutdown).await;
    listening.abort();
    result?;
    Ok(ExitCode::SUCCESS)
}
