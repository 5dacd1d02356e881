//! `coding-env bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use coding_env::bench::{self, Options, Report};
use coding_env::config::IsolationArgs;
use coding_env::shutdown::Signals;
use tokio_util::sync::CancellationToken;

/// 128 + SIGINT, as shells tell it.
const INTERRUPTED: u8 = 130;

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Print JSON instead of a table: {"rows": [{"name", "value", "unit", "ratio", "budget", "met"}, …]}. A row that was not
    /// measured has null in value, ratio and met.
    #[arg(long)]
    json: bool,
    /// Fewer and shorter rounds: a look in under 90 s, where the whole takes under 6 min.
    #[arg(long)]
    quick: bool,
    /// Only these rows, separated by commas: names as in the table, or what they begin with (`cpu` for cpu_silent and cpu_printing). The
    /// others are shown as not measured.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
    /// The Python to measure with: a path, or a name on PATH. CPython 3.9 or newer.
    #[arg(
        long,
        env = "CODING_ENV_PYTHON",
        default_value = "python3",
        value_name = "PROGRAM"
    )]
    python: PathBuf,
    /// What separates the measured server's episodes.
    #[command(flatten)]
    isolation: IsolationArgs,
    /// A server of the incumbent (http://HOST:PORT) that takes 32 sessions, to compare steps with, on its own wire. [default: none; those
    /// rows are not measured]
    #[arg(long, value_name = "URL")]
    openenv: Option<String>,
    /// Threads of the client. With one, as an asyncio client has, calls in flight share wake-ups; with more, client and server compete for
    /// the cores.
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    client_threads: u16,
}

#[expect(clippy::print_stdout, reason = "the table")]
pub(crate) async fn bench(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let BenchArgs {
        json,
        quick,
        only,
        python,
        isolation,
        openenv,
        client_threads,
    } = args;
    let options = Options {
        quick,
        only,
        python,
        isolation,
        openenv,
        client_threads: client_threads.into(),
    };
    let mut signals = Signals::new()?;
    let stop = CancellationToken::new();
    // The client has a runtime of its own.
    let client = tokio::task::spawn_blocking({
        let stop = stop.clone();
        move || measure(options, &stop)
    });
    let watch = tokio::spawn(async move {
        signals.next().await;
        stop.cancel();
    });
    let report = client.await;
    watch.abort();
    let Some(report) = report.context("measuring")?? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if json {
        report.notes.iter().for_each(|note| progress(note));
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the benchmark, and the client. None when it was stopped; what it started has ended then, too.
fn measure(options: Options, stop: &CancellationToken) -> anyhow::Result<Option<Report>> {
    use tokio::runtime::Builder;
    let mut builder = match options.client_threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    // Of a runtime with one thread this one is it.
    let runtime = builder
        .worker_threads(options.client_threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            report = bench::run(options, progress) => report.map(Some),
            () = stop.cancelled() => Ok(None),
        }
    })
}

#[expect(
    clippy::print_stderr,
    reason = "what goes on while the table is awaited"
)]
fn progress(what: &str) {
    eprintln!("bench: {what}");
}
