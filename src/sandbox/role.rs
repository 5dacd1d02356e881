//! How this program becomes one of its own internal processes.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{keeper, probe, warden};

/// The reserved first arguments of internal processes.
const WARDEN: &str = "coding-env-warden";
pub(super) const KEEPER: &str = "coding-env-keeper";
pub(super) const PROBE: &str = "coding-env-probe";

static ENTERED: AtomicBool = AtomicBool::new(false);

/// Becomes an internal process if this program was executed as one, and does not return then.
///
/// The server executes its own program (`/proc/self/exe`) to get small processes that can fork. So this has to be the first line of
/// `main` in every program that starts a [server](crate::server); otherwise starting one is refused.
///
/// ```no_run
/// fn main() {
///     coding_env::enter_role();
///     // the program's own work
/// }
/// ```
#[expect(
    clippy::needless_doctest_main,
    reason = "that it is the first line of main is the point"
)]
pub fn enter_role() {
    ENTERED.store(true, Ordering::Relaxed);
    let mut args = env::args_os().skip(1);
    let code = match args.next() {
        Some(role) if role == WARDEN => {
            let state_dir = args.next().map(PathBuf::from);
            warden::main(state_dir.as_deref())
        }
        Some(role) if role == KEEPER => keeper::main(),
        Some(role) if role == PROBE => probe::main(args),
        _ => return,
    };
    #[expect(
        clippy::disallowed_methods,
        clippy::exit,
        reason = "this process has its role and nothing else to do"
    )]
    std::process::exit(code);
}

/// The program that can become a warden: `configured`, or this one when it has called [`enter_role`].
pub(crate) fn program(configured: Option<&PathBuf>) -> Option<PathBuf> {
    match configured {
        Some(program) => Some(program.clone()),
        None if ENTERED.load(Ordering::Relaxed) => Some(PathBuf::from("/proc/self/exe")),
        None => None,
    }
}

/// The arguments with which that program becomes a warden.
pub(crate) fn warden_arguments(state_dir: &std::path::Path) -> [OsString; 2] {
    [OsString::from(WARDEN), state_dir.as_os_str().to_owned()]
}
