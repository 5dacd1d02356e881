//! `coding-env doctor`: what isolation this machine allows, and whether a server would start.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use coding_env::config::{Config, IsolationArgs, ServeArgs};
use coding_env::doctor::diagnose;

/// The arguments of `doctor`. All other settings are those of `serve`, from the environment.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    isolation: IsolationArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn doctor(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let DoctorArgs { isolation, json } = args;
    let mut serve = ServeArgs::from_environment()?;
    serve.isolation = isolation;
    let found = diagnose(&Config::try_from(serve)?)?;
    let mut out = std::io::stdout();
    if json {
        writeln!(out, "{:#}", found.json())?;
    } else {
        write!(out, "{found}")?;
    }
    Ok(match found.refusal() {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}
