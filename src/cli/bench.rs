//! `coding-env bench`.

use std::process::ExitCode;

use clap::Args;

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn bench(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let BenchArgs { json: _ } = args;
    Ok(ExitCode::SUCCESS)
}
