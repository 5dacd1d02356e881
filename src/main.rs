//! The `coding-env` program.

mod cli;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    coding_env::enter_role();
    cli::run(cli::Cli::parse())
}
