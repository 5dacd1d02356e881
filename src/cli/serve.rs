//! `coding-env serve`.

use std::process::ExitCode;

use coding_env::config::{Config, ServeArgs};
use coding_env::server::{self, Shutdown};
use coding_env::shutdown::Signals;
use coding_env::telemetry;

pub(crate) async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(args.log_format, &args.log)?;
    let mut config = Config::try_from(args)?;
    config.adopts_orphans = true;
    let listener = server::listen(&config).await?;
    let shutdown = Shutdown::new();
    let mut signals = Signals::new()?;
    let asked = shutdown.clone();
    let listening = tokio::spawn(async move {
        let signal = signals.next().await;
        // First do it, then tell: the log's reader may be what has gone.
        asked.drain();
        tracing::info!(signal, "asked to end; once more ends at once");
        let signal = signals.next().await;
        asked.kill();
        tracing::warn!(signal, "asked again: ending at once");
    });
    let result = server::run(config, listener, shutdown).await;
    listening.abort();
    result?;
    Ok(ExitCode::SUCCESS)
}
