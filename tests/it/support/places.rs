//! Where the walls are tested: each isolation level, as root and as a user without privilege, as far as the machine gives it.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Server, default_python, lacks};

/// The user without privilege: `nobody`, whom every system has.
pub(crate) const NOBODY: u32 = 65534;

/// One way to run a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// As people say it, and as `CODING_ENV_TEST_PLACES` names it.
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) as_root: bool,
    /// The kernel's Landlock has no scopes, or seems not to: signals go through the broker.
    pub(crate) before_scopes: bool,
}

/// What executes a server there.
const BEFORE_SCOPES: &str = include_str!("before_scopes.py");

/// The levels, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// No walls. Tried only when it is named: it shows which tests would notice that the walls are missing.
    None,
    Landlock,
    Namespace,
}

const PLACES: [Place; 7] = [
    place("namespace as root", Level::Namespace, true),
    place("namespace as a user", Level::Namespace, false),
    place("landlock as root", Level::Landlock, true),
    place("landlock as a user", Level::Landlock, false),
    Place {
        before_scopes: true,
        ..place("landlock without scopes", Level::Landlock, false)
    },
    place("none as root", Level::None, true),
    place("none as a user", Level::None, false),
];

const fn place(name: &'static str, level: Level, as_root: bool) -> Place {
    Place {
        name,
        level,
        as_root,
        before_scopes: false,
    }
}

impl Place {
    fn flags(self) -> &'static [&'static str] {
        match self.level {
            Level::None => &["--isolation", "none"],
            Level::Landlock => &["--isolation", "landlock"],
            Level::Namespace => &["--isolation", "namespace"],
        }
    }

    /// The interpreter that servers use here: one that the server's user can run.
    ///
    /// # Errors
    /// When that user finds none.
    pub(crate) fn python(self) -> Result<PathBuf, String> {
        // At level landlock root's episodes have uids of their own, and no other root directory.
        let by_root = self.as_root && self.level != Level::Landlock;
        if by_root || own_uid() != 0 {
            return Ok(default_python());
        }
        python_of_nobody().ok_or_else(|| "no python3 that every user can run".to_owned())
    }

    /// Where a level is tried as the user that the tests run as.
    pub(crate) fn of_level(name: &str) -> Self {
        Self::of(name, own_uid() == 0)
    }

    /// Where a level is tried as the user without privilege.
    pub(crate) fn as_a_user(name: &str) -> Self {
        Self::of(name, false)
    }

    fn of(name: &str, as_root: bool) -> Self {
        let is_it = |place: &&Self| {
            !place.before_scopes && place.as_root == as_root && place.flags().contains(&name)
        };
        *PLACES.iter().find(is_it).unwrap()
    }

    /// A command that the server's user runs.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if !self.as_root && own_uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Starts a server here.
    ///
    /// # Errors
    /// Why it can't be: what the server said when it refused to start.
    pub(crate) fn start(self, flags: &[&str]) -> Result<Server, String> {
        self.start_wrapped(&[], flags)
    }

    /// As [`start`](Self::start), by a program with arguments that executes the server.
    pub(crate) fn start_wrapped(self, outer: &[&str], flags: &[&str]) -> Result<Server, String> {
        if self.as_root && own_uid() != 0 {
            return Err("the tests do not run as root".to_owned());
        }
        let python = self.python()?;
        let python = python.to_str().unwrap();
        let mut all = flags.to_vec();
        all.extend(self.flags());
        if !flags.contains(&"--python") {
            all.extend(["--python", python]);
        }
        let wrap: &[&str] = if self.before_scopes {
            &[python, "-I", "-c", BEFORE_SCOPES]
        } else {
            &[]
        };
        let user = (!self.as_root && own_uid() == 0).then_some(NOBODY);
        Server::start_wrapped(&[outer, wrap].concat(), user, &all)
    }

    /// Says that this machine does not give this place.
    fn is_lacking(self, why: &str) {
        eprintln!("{}: {why}", self.name);
        match (self.level, self.as_root) {
            _ if self.before_scopes => lacks("level landlock without scopes"),
            (Level::Namespace, true) => lacks("level namespace as root"),
            (Level::Namespace, false) => lacks("level namespace as a user"),
            (Level::Landlock, true) => lacks("level landlock as root"),
            (Level::Landlock, false) => lacks("level landlock as a user"),
            (Level::None, _) => panic!("{why}"),
        }
    }
}

/// Whether a level as root is one of the places that this machine was said to give.
pub(crate) fn is_named(place: Place) -> bool {
    let (places, have_to_be_there) = places();
    have_to_be_there && places.contains(&place)
}

/// The uid of the tests.
pub(crate) fn own_uid() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// An interpreter outside of anyone's home.
fn python_of_nobody() -> Option<PathBuf> {
    let candidates = ["/usr/local/bin/python3", "/usr/bin/python3"].map(PathBuf::from);
    let mut candidates = candidates
        .into_iter()
        .chain([default_python()])
        .filter(|path| path.exists());
    candidates.find(|python| {
        Command::new(python)
            .args([
                "-I",
                "-c",
                "import ctypes, json, sys; sys.exit(sys.version_info < (3, 9))",
            ])
            .uid(NOBODY)
            .gid(NOBODY)
            .env_clear()
            .current_dir("/")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

/// The places to test in: those that `CODING_ENV_TEST_PLACES` names, with commas between, and which then have to be there; or all that
/// have walls.
fn places() -> (Vec<Place>, bool) {
    let Some(named) = std::env::var("CODING_ENV_TEST_PLACES")
        .ok()
        .filter(|named| !named.is_empty())
    else {
        let walled = PLACES.iter().filter(|place| place.level > Level::None);
        return (walled.copied().collect(), false);
    };
    let find = |name: &str| {
        let found = PLACES.iter().find(|place| place.name == name.trim());
        *found
            .unwrap_or_else(|| panic!("CODING_ENV_TEST_PLACES: {name:?} is not one of {PLACES:?}"))
    };
    (named.split(',').map(find).collect(), true)
}

/// Does the same with a server of each place. What it returns is what went wrong there; a place that the machine does not give is told
/// by name.
pub(crate) async fn each_place(
    flags: &[&str],
    part: impl AsyncFn(Place, &mut Server) -> Vec<String>,
) {
    let mut wrong = Vec::new();
    let (places, have_to_be_there) = places();
    for place in places {
        match place.start(flags) {
            Ok(mut server) => {
                eprintln!("{}:", place.name);
                let found = part(place, &mut server).await;
                // Told before the server ends, which may find more.
                for what in &found {
                    eprintln!("  wrong: {what}");
                }
                wrong.extend(found.iter().map(|what| format!("{}: {what}", place.name)));
            }
            Err(why) => {
                // Flags that are not understood are the test's mistake, and not what the machine lacks.
                assert!(
                    !have_to_be_there && !why.starts_with("exit status: 2:"),
                    "{}: {why}",
                    place.name
                );
                place.is_lacking(&why);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
