//! What of the host's files a Python at level `namespace` gets to see: what the interpreter and ordinary programs need, and no more.
//!
//! Most of it is known (`/usr`, where libraries are, some files of `/etc`). Where the interpreter lives is asked of itself, once, in a bounded run.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What is shown, existing things only. All paths are absolute and without `..`; those of files and directories are without symbolic
/// links too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visible {
    /// The interpreter to execute: `sys.executable`, so no shim that looks for it in places that are not shown.
    pub(crate) program: PathBuf,
    /// Files, and directories with all beneath them, in order; none is beneath another.
    pub(crate) paths: Vec<PathBuf>,
    /// Symbolic links outside of those, and what they say.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
    /// Device nodes.
    pub(crate) devices: Vec<PathBuf>,
}

/// Where programs and libraries are, and the files of `/etc` that they read. `passwd`, `group`, `hosts` and `nsswitch.conf` are made, not
/// shown; of `ssl` not the private keys.
const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust/extracted",
    "/etc/crypto-policies",
    "/etc/ca-certificates",
    "/etc/alternatives",
    "/etc/mime.types",
    "/etc/matplotlibrc",
    "/etc/fonts",
    "/etc/protocols",
    "/etc/services",
];

const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Directories that are never shown as a whole, and neither are those right beneath `/home`.
const TOO_MUCH: &[&str] = &[
    "/", "/root", "/home", "/etc", "/proc", "/sys", "/dev", "/run", "/tmp", "/var", "/var/lib",
    "/var/run", "/var/tmp", "/opt", "/srv", "/mnt", "/media", "/boot",
];

/// Asks an interpreter for the paths that it needs, each after one letter and before a NUL: `x` itself, `p` what it imports from, `l` the
/// libraries that it and its own modules load.
const QUESTION: &str = r#"
import os, sys
def tell(kind, paths):
    for path in paths:
        if path and os.path.isabs(path) and os.path.exists(path):
            sys.stdout.buffer.write(kind + os.fsencode(path) + b"\0")
tell(b"x", [sys.executable, getattr(sys, "_base_executable", "")])
tell(b"p", sys.path + [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix])
for name in ("_bz2", "_ctypes", "_curses", "_decimal", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_uuid", "_zstd", "pyexpat", "readline", "zlib"):
    try:
        __import__(name)
    except ImportError:
        pass
try:
    with open("/proc/self/maps", "rb") as maps:
        found = {line.split(None, 5)[5].strip() for line in maps if b"/" in line}
except OSError:
    found = set()
tell(b"l", sorted(os.fsdecode(path) for path in found if path.startswith(b"/")))
"#;

/// How long the interpreter may take to answer, and how much it may say.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// As many symbolic links as the kernel follows: MAXSYMLINKS.
const LINKS_MAX: usize = 40;

/// What an interpreter that is started with this environment needs to see, and `extra`, what the operator wants shown.
///
/// Runs the interpreter once. Errors: it can't be run, or doesn't answer in time; something that would have to be shown is too much, as a
/// whole home directory.
pub(crate) fn visible(
    python: &Path,
    environment: &[(OsString, OsString)],
    extra: &[PathBuf],
) -> io::Result<Visible> {
    let (program, told) = needed(python, environment)?;
    let system = SYSTEM.iter().map(PathBuf::from);
    let mut shown = Shown::default();
    for path in system.chain(told).chain(extra.iter().cloned()) {
        shown.add(&path)?;
    }
    Ok(shown.finish(program))
}

/// What an interpreter that is started with this environment needs beside what every system has: its own path, and all paths that it tells, with that.
/// Runs it once.
pub(super) fn needed(
    python: &Path,
    environment: &[(OsString, OsString)],
) -> io::Result<(PathBuf, Vec<PathBuf>)> {
    let answer = ask(python, environment)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", python.display())))?;
    let mut program = None;
    let mut told = Vec::new();
    for entry in answer.split(|byte| *byte == 0) {
        let Some((kind, path)) = entry.split_first() else {
            continue;
        };
        let path = PathBuf::from(OsStr::from_bytes(path));
        if *kind == b'x' && program.is_none() {
            program = Some(path.clone());
        }
        told.push(path);
    }
    let program = program.ok_or_else(|| {
        io::Error::other(format!(
            "{}: it doesn't know its own path",
            python.display()
        ))
    })?;
    Ok((program, told))
}

/// Runs the interpreter with the question, and returns what it said.
fn ask(python: &Path, environment: &[(OsString, OsString)]) -> io::Result<Vec<u8>> {
    let errors = super::template::errors_file()?;
    let mut child = Command::new(python)
        .args(["-s", "-c", QUESTION])
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone()?)
        .spawn()?;
    let answer = child.stdout.take().map_or_else(
        || Err(io::Error::other("it has no output")),
        |mut output| hear(&mut output),
    );
    if answer.is_err() {
        // It may have ended by itself.
        drop(child.kill());
    }
    let status = child.wait()?;
    let answer = answer?;
    if status.success() {
        Ok(answer)
    } else {
        Err(io::Error::other(format!(
            "asked for its paths it ended with {status}, and wrote: {}",
            super::template::last_words(&errors)
        )))
    }
}

/// Reads all that is said, within the bounds.
fn hear(output: &mut std::process::ChildStdout) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(output, PollFlags::IN)], Some(&left)) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "it didn't tell its paths in time",
                ));
            }
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let count = output.read(&mut piece)?;
        if count == 0 {
            return Ok(answer);
        }
        answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("it told too many paths"));
        }
    }
}

/// What was gathered so far.
#[derive(Debug, Default)]
struct Shown {
    paths: BTreeSet<PathBuf>,
    links: BTreeSet<(PathBuf, PathBuf)>,
}

impl Shown {
    /// Shows a path, and every symbolic link on the way to it. One that doesn't exist is none.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        let mut real = PathBuf::from("/");
        let mut left: Vec<OsString> = Vec::new();
        let push = |left: &mut Vec<OsString>, path: &Path| {
            left.extend(
                path.components()
                    .rev()
                    .map(|part| part.as_os_str().to_owned()),
            );
        };
        push(&mut left, path);
        let (mut links, mut followed) = (Vec::new(), 0);
        while let Some(part) = left.pop() {
            match Path::new(&part).components().next() {
                Some(Component::RootDir) => real = PathBuf::from("/"),
                Some(Component::ParentDir) => {
                    real.pop();
                }
                Some(Component::Normal(name)) => {
                    real.push(name);
                    match std::fs::read_link(&real) {
                        Ok(target) => {
                            followed += 1;
                            if followed > LINKS_MAX {
                                return Ok(());
                            }
                            push(&mut left, &target);
                            links.push((real.clone(), target));
                            real.pop();
                        }
                        // No symbolic link.
                        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                        Err(error) => {
                            return Err(io::Error::new(
                                error.kind(),
                                format!("{}: {error}", real.display()),
                            ));
                        }
                    }
                }
                _ => {}
            }
        }
        if TOO_MUCH.iter().any(|much| real == Path::new(much))
            || real.parent() == Some(Path::new("/home"))
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{}: episodes would see all of {}; name what is needed of it",
                    path.display(),
                    real.display()
                ),
            ));
        }
        // The kernel's own files are not the host's: a cell has its own, or none.
        if !["/proc", "/sys", "/dev"]
            .iter()
            .any(|kernel| real.starts_with(kernel))
        {
            self.paths.insert(real);
            self.links.extend(links);
        }
        Ok(())
    }

    fn finish(self, program: PathBuf) -> Visible {
        let mut paths: Vec<PathBuf> = Vec::new();
        // In order, a directory comes before what is beneath it.
        for path in self.paths {
            if !paths.iter().any(|above| path.starts_with(above)) {
                paths.push(path);
            }
        }
        let links = self
            .links
            .into_iter()
            .filter(|(link, _)| !paths.iter().any(|above| link.starts_with(above)))
            .collect();
        let devices = DEVICES
            .iter()
            .map(PathBuf::from)
            .filter(|path| path.exists())
            .collect();
        Visible {
            program,
            paths,
            links,
            devices,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn environment() -> Vec<(OsString, OsString)> {
        std::env::vars_os()
            .filter(|(name, _)| name == "PATH" || name == "HOME")
            .collect()
    }

    #[test]
    fn an_interpreter_is_shown_with_what_it_imports_and_no_more() {
        let visible = visible(Path::new("python3"), &environment(), &[]).unwrap();
        assert!(visible.program.is_absolute());
        assert!(
            visible.paths.contains(&PathBuf::from("/usr")),
            "{visible:?}"
        );
        let real = std::fs::canonicalize(&visible.program).unwrap();
        assert!(
            visible.paths.iter().any(|path| real.starts_with(path)),
            "{visible:?}"
        );
        for secret in [
            "/etc/shadow",
            "/etc/passwd",
            "/etc/ssl/private",
            "/home/user",
            "/proc/1",
            "/srv/checkout",
        ] {
            assert!(
                !visible
                    .paths
                    .iter()
                    .any(|path| Path::new(secret).starts_with(path)),
                "{secret}"
            );
        }
        for (index, path) in visible.paths.iter().enumerate() {
            assert_eq!(&std::fs::canonicalize(path).unwrap(), path);
            assert!(
                !visible
                    .paths
                    .iter()
                    .skip(index + 1)
                    .any(|other| other.starts_with(path))
            );
        }
    }

    #[test]
    fn links_on_the_way_are_shown_and_whole_homes_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a", root.join("l")).unwrap();
        symlink("../l/b", root.join("a/m")).unwrap();
        let mut shown = Shown::default();
        shown.add(&root.join("l/m")).unwrap();
        shown.add(&root.join("absent")).unwrap();
        shown.add(Path::new("/dev/null")).unwrap();
        let visible = shown.finish(PathBuf::from("/p"));
        assert_eq!(visible.paths, [root.join("a/b")]);
        assert_eq!(
            visible.links,
            [
                (root.join("a/m"), PathBuf::from("../l/b")),
                (root.join("l"), PathBuf::from("a"))
            ]
        );
        for much in ["/", "/root", "/etc", "/usr/.."] {
            let error = Shown::default().add(Path::new(much)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        }
    }

    #[test]
    fn a_bad_interpreter_is_an_error_that_names_it() {
        for (python, words) in [
            ("/nonexistent/python", "/nonexistent/python"),
            ("/bin/false", "ended with"),
        ] {
            let error = visible(Path::new(python), &environment(), &[]).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
