//! Structured logs, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging. To be called once, by `main`.
///
/// # Errors
/// When the filter can't be read, or logging was started before.
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter: EnvFilter = filter.parse()?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would print to standard error, and panic, when that is what has gone.
        .log_internal_errors(false);
    let result = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    result.map_err(|error| anyhow::anyhow!("starting the log: {error}"))
}
