//! The subcommands of `coding-env`.
//!
//! Exit codes: 0 done; 1 failed; 2 the arguments could not be read (clap's own); 64 the settings can't be. `run` ends with the code's
//! own exit code, `health` with 1 when the server is not ready, `doctor` with 1 when none would start.

mod bench;
mod connect;
mod doctor;
mod health;
mod run;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use coding_env::config::ServeArgs;

/// EX_USAGE of sysexits.h.
const USAGE: u8 = 64;

/// Python episodes for reinforcement learning and agents, over gRPC.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve episodes until SIGTERM or SIGINT.
    Serve(Box<ServeArgs>),
    /// Run one piece of code in a fresh episode and end with its exit code.
    Run(run::RunArgs),
    /// Exit with 0 when a server is ready.
    Health(health::HealthArgs),
    /// Tell what isolation this machine allows, and exit with 0 when a server would start.
    Doctor(doctor::DoctorArgs),
    /// Measure this machine, and print one table.
    Bench(bench::BenchArgs),
}

/// Runs a subcommand.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let runtime = match runtime(&cli.command) {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let result = match cli.command {
        Command::Serve(args) => runtime.block_on(serve::serve(*args)),
        Command::Run(args) => runtime.block_on(run::run(args)),
        Command::Health(args) => runtime.block_on(health::health(args)),
        Command::Doctor(args) => doctor::doctor(args),
        Command::Bench(args) => runtime.block_on(bench::bench(args)),
    };
    // Blocking work that is left (removing a large workspace) is the warden's to finish.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| fail(&error))
}

fn runtime(command: &Command) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Command::Serve(args) = command {
        builder.worker_threads(coding_env::config::threads(args)?);
    }
    Ok(builder.enable_all().build()?)
}

#[expect(clippy::print_stderr, reason = "the program's last word")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("coding-env: {error:#}");
    if error.is::<coding_env::config::ConfigError>() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::FAILURE
    }
}
