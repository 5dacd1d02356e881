//! `coding-env serve`.

use std::io::{self, Read as _};
use std::process::ExitCode;

use coding_env::config::{Config, ServeArgs};
use coding_env::server::{self, Shutdown};
use coding_env::shutdown::Signals;
use coding_env::telemetry;

pub(crate) async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(args.log_format, &args.log)?;
    let end_with_stdin = args.end_with_stdin;
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
    if end_with_stdin {
        watch_stdin(shutdown.clone())?;
    }
    let result = server::run(config, listener, shutdown).await;
    listening.abort();
    result?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for the end when standard input ends. A thread of its own waits for that: one of the runtime's would hold up the program's end.
fn watch_stdin(shutdown: Shutdown) -> io::Result<()> {
    let wait = move || {
        let mut ignored = [0; 4096];
        let mut stdin = io::stdin().lock();
        loop {
            match stdin.read(&mut ignored) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What can't be read tells nothing more.
                Err(_) => break,
            }
        }
        shutdown.kill();
        tracing::info!("standard input has ended: ending at once");
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(wait)?;
    Ok(())
}
