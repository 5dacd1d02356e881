//! Landlock rulesets: what a process may still reach once it has entered a domain.
//!
//! A cell has two nested domains, entered by native code between fork and user code. Each `landlock_restrict_self` makes a domain of its
//! own, also from a shared ruleset, so siblings never are in the same one.
//!
//! - D1, the reaper's: signals and abstract sockets stay within, and nothing else. `kill(-1)` by the reaper so reaches this cell alone.
//! - D2, the worker's: files too, and TCP. User code can't signal or trace the reaper, which is outside of it.
//!
//! Landlock does not govern chmod, chown, utime, stat, chdir, and connecting to sockets that have a path (before ABI 9).

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, fstat};

use super::sys_walls::{self, RulesetAttributes};

// === LANDLOCK_ACCESS_FS_* of linux/landlock.h ===

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK: u64 = 1 << 11;
const MAKE_SYM: u64 = 1 << 12;
/// From ABI 2.
const REFER: u64 = 1 << 13;
/// From ABI 3.
const TRUNCATE: u64 = 1 << 14;
/// From ABI 5.
const IOCTL_DEV: u64 = 1 << 15;

/// What can be allowed on something that is no directory.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

const READ: u64 = EXECUTE | READ_FILE | READ_DIR;
/// All of a directory but devices.
const WRITE: u64 = READ
    | WRITE_FILE
    | REMOVE_DIR
    | REMOVE_FILE
    | MAKE_DIR
    | MAKE_REG
    | MAKE_SOCK
    | MAKE_FIFO
    | MAKE_SYM
    | REFER
    | TRUNCATE;
const DEVICE: u64 = READ_FILE | WRITE_FILE;

/// LANDLOCK_ACCESS_NET_BIND_TCP and LANDLOCK_ACCESS_NET_CONNECT_TCP.
const TCP: u64 = 3;
/// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL.
const SCOPES: u64 = 3;

/// The first version with scopes.
pub(super) const ABI_SCOPES: u32 = 6;

/// The access to files that an ABI knows, all of which a domain denies but where a rule allows it.
const fn files(abi: u32) -> u64 {
    let first = EXECUTE
        | WRITE_FILE
        | READ_FILE
        | READ_DIR
        | REMOVE_DIR
        | REMOVE_FILE
        | MAKE_CHAR
        | MAKE_DIR
        | MAKE_REG
        | MAKE_SOCK
        | MAKE_FIFO
        | MAKE_BLOCK
        | MAKE_SYM;
    first
        | if abi >= 2 { REFER } else { 0 }
        | if abi >= 3 { TRUNCATE } else { 0 }
        | if abi >= 5 { IOCTL_DEV } else { 0 }
}

/// How much of `struct landlock_ruleset_attr` an ABI has, in bytes.
const fn attributes_bytes(abi: u32) -> usize {
    match abi {
        0..=3 => 8,
        4..=5 => 16,
        _ => 24,
    }
}

fn create(abi: u32, attributes: &RulesetAttributes) -> io::Result<OwnedFd> {
    sys_walls::create_ruleset(attributes, attributes_bytes(abi)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("landlock_create_ruleset for ABI {abi}: {error}"),
        )
    })
}

/// The ruleset of D1. An error of kind `Unsupported` below ABI 6, which has no scopes.
///
/// It lets files be moved and linked from one directory into another everywhere beneath `root`, the cell's root, opened with O_PATH: every
/// domain forbids that unless it says otherwise, also one that is about no files (LANDLOCK_ACCESS_FS_REFER, landlock(7)). The inner domain
/// decides.
pub(crate) fn scope_ruleset(abi: u32, root: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    if abi < ABI_SCOPES {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("Landlock ABI {abi} has no scopes, they came with ABI {ABI_SCOPES}"),
        ));
    }
    let attributes = RulesetAttributes {
        files: REFER,
        network: 0,
        scoped: SCOPES,
    };
    let ruleset = create(abi, &attributes)?;
    sys_walls::allow_beneath(ruleset.as_fd(), root, REFER)?;
    Ok(ruleset)
}

/// What user code may reach, beside its workspace: descriptors opened with O_PATH, of files or of directories with all beneath.
#[derive(Debug, Default)]
pub(crate) struct FilePaths {
    /// To read and to execute.
    pub(crate) read: Vec<OwnedFd>,
    /// To read, to execute, to change, as a workspace.
    pub(crate) write: Vec<OwnedFd>,
    /// Device nodes, to read and to write.
    pub(crate) devices: Vec<OwnedFd>,
}

/// The ruleset of D2. `workspace` is what the episode may change. With `loopback` TCP is left to the cell's own network.
///
/// A rule on a directory that is mounted over later doesn't count for what is mounted there; one above it does
/// (`is_access_to_paths_allowed` of security/landlock/fs.c).
pub(crate) fn domain_ruleset(
    abi: u32,
    paths: &FilePaths,
    workspace: &[BorrowedFd<'_>],
    loopback: bool,
) -> io::Result<OwnedFd> {
    let attributes = RulesetAttributes {
        files: files(abi),
        network: if abi >= 4 && !loopback { TCP } else { 0 },
        scoped: if abi >= ABI_SCOPES { SCOPES } else { 0 },
    };
    let ruleset = create(abi, &attributes)?;
    let read = paths.read.iter().map(|path| (path.as_fd(), READ));
    let write = paths.write.iter().map(|path| (path.as_fd(), WRITE));
    let devices = paths.devices.iter().map(|path| (path.as_fd(), DEVICE));
    let workspace = workspace.iter().map(|path| (*path, WRITE));
    for (path, access) in read.chain(write).chain(devices).chain(workspace) {
        let directory = FileType::from_raw_mode(fstat(path)?.st_mode) == FileType::Directory;
        let access = access & files(abi) & if directory { u64::MAX } else { OF_FILES };
        sys_walls::allow_beneath(ruleset.as_fd(), path, access).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("landlock_add_rule for {}: {error}", name_of(path)),
            )
        })?;
    }
    Ok(ruleset)
}

/// The path of a descriptor, for messages.
fn name_of(fd: BorrowedFd<'_>) -> String {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).map_or_else(
        |_| "a descriptor".to_owned(),
        |path| path.display().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use rustix::fs::{Mode, OFlags};

    use super::*;

    /// The kernel's ABI, or None with a printed reason.
    fn abi(least: u32) -> Option<u32> {
        match sys_walls::landlock_abi() {
            Ok(abi) if abi >= least => Some(abi),
            found => {
                eprintln!("skipped: Landlock ABI {least} is needed, this kernel has {found:?}");
                None
            }
        }
    }

    fn path(path: impl AsRef<Path>) -> OwnedFd {
        rustix::fs::open(path.as_ref(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
    }

    /// All of the host to read but what is named elsewhere; the usual devices.
    fn host() -> FilePaths {
        let shown = [
            "/usr",
            "/lib",
            "/lib64",
            "/bin",
            "/etc/ld.so.cache",
            "/root",
        ];
        FilePaths {
            read: shown
                .iter()
                .filter(|at| Path::new(at).exists())
                .map(path)
                .collect(),
            write: Vec::new(),
            devices: ["/dev/null", "/dev/urandom"].iter().map(path).collect(),
        }
    }

    /// Without capabilities, as a cell: CAP_PERFMON would let root read any process's memory map and environment in spite of every
    /// domain (`may_access_mm` of kernel/fork.c, Linux 6.15).
    fn enter(command: &mut Command, rulesets: Vec<OwnedFd>) {
        use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
        sys_walls::before_exec(command, move || {
            set_no_new_privs(true)?;
            for ruleset in &rulesets {
                sys_walls::restrict_self(ruleset.as_fd())?;
            }
            let none = CapabilitySet::empty();
            let none = CapabilitySets {
                effective: none,
                permitted: none,
                inheritable: none,
            };
            Ok(set_capabilities(None, none)?)
        });
    }

    fn said(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[test]
    fn access_is_what_the_abi_knows() {
        assert_eq!(files(1), (1 << 13) - 1);
        assert_eq!(files(2), (1 << 14) - 1);
        assert_eq!((files(3), files(4)), ((1 << 15) - 1, (1 << 15) - 1));
        assert_eq!((files(5), files(7)), ((1 << 16) - 1, (1 << 16) - 1));
        assert_eq!(WRITE & (MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV), 0);
        assert_eq!(
            scope_ruleset(5, path("/").as_fd()).unwrap_err().kind(),
            io::ErrorKind::Unsupported
        );
    }

    #[test]
    fn every_abi_up_to_the_kernels_takes_the_rules() {
        let Some(abi) = abi(1) else { return };
        let dir = tempfile::tempdir().unwrap();
        let workspace = path(dir.path());
        for abi in 1..=abi {
            for loopback in [false, true] {
                domain_ruleset(abi, &host(), &[workspace.as_fd()], loopback).unwrap();
            }
        }
    }

    #[test]
    fn a_domain_reaches_its_workspace_and_what_is_shown_and_nothing_else() {
        let Some(abi) = abi(3) else { return };
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("secret"), "s").unwrap();
        let workspace = path(dir.path());
        let domain = domain_ruleset(abi, &host(), &[workspace.as_fd()], false).unwrap();
        let script = r##"
import errno, os, socket, subprocess, sys
workspace, other = sys.argv[1:]
os.chdir(workspace)
os.mkdir("d")
with open("f", "w") as file: file.write("text")
os.truncate("f", 2)
os.rename("f", "d/g")
os.link("d/g", "h")
os.replace("h", "d/i")
os.mkfifo("p")
os.symlink("d/g", "l")
assert open("l").read() == "te"
with open("run.sh", "w") as file: file.write("#!/bin/sh\nexit 5")
os.chmod("run.sh", 0o755)
assert subprocess.call("./run.sh") == 5
os.unlink("d/g"); os.unlink("d/i"); os.rmdir("d")
open("/dev/null", "w").write("x"); open("/dev/urandom", "rb").read(1)

def refused(function, *arguments, expected=(errno.EACCES,)):
    try:
        function(*arguments)
    except OSError as error:
        assert error.errno in expected, (function, arguments, error)
    else:
        raise AssertionError((function, arguments))

refused(open, other + "/secret")
refused(open, other + "/new", "w")
refused(os.listdir, other)
refused(os.listdir, "/")
refused(os.truncate, other + "/secret", 0)
refused(os.unlink, other + "/secret")
refused(os.rename, other + "/secret", "mine", expected=(errno.EACCES, errno.EXDEV))
refused(os.link, other + "/secret", "mine", expected=(errno.EACCES, errno.EXDEV))
refused(open, "/etc/passwd")
refused(open, "/etc/shadow", expected=(errno.EACCES,))
refused(open, "/proc/1/environ")
refused(open, "/usr/new", "w")
refused(open, "/dev/zero")
refused(os.mknod, "null", 0o20644, os.makedev(1, 3), expected=(errno.EACCES, errno.EPERM))
server = socket.socket()
if int(os.environ["ABI"]) >= 4:
    refused(server.bind, ("127.0.0.1", 0))
    refused(server.connect, ("127.0.0.1", 1))
"##;
        let mut command = Command::new("python3");
        command
            .args(["-c", script])
            .arg(dir.path())
            .arg(other.path())
            .env("ABI", abi.to_string());
        command.stdout(Stdio::null());
        enter(&mut command, vec![domain]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    #[test]
    fn siblings_of_one_ruleset_and_the_reaper_are_out_of_reach_and_the_cell_is_within() {
        let Some(abi) = abi(ABI_SCOPES) else { return };
        let scope = scope_ruleset(abi, path("/").as_fd()).unwrap();
        let mut files = host();
        files.read.push(path("/"));
        let domain = domain_ruleset(abi, &files, &[], false).unwrap();
        let mut sibling = Command::new("sleep");
        sibling.arg("60");
        enter(
            &mut sibling,
            vec![scope.try_clone().unwrap(), domain.try_clone().unwrap()],
        );
        let mut sibling = sibling.spawn().unwrap();
        // A reaper in D1, whose child, in D2 by the helper of the test, tries to signal it, the sibling and this test.
        let script = r##"
import ctypes, errno, os, signal, socket, sys
sibling, server, ruleset = map(int, sys.argv[1:])
reaper = os.getpid()
libc = ctypes.CDLL(None, use_errno=True)
number = 446  # landlock_restrict_self, the same on every architecture

def refused(pid):
    for signal_ in (0, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, signal_)
        except PermissionError:
            continue
        raise AssertionError((pid, signal_))
    assert libc.ptrace(16, pid, 0, 0) == -1  # PTRACE_ATTACH
    try:
        open(f"/proc/{pid}/environ").read()
    except PermissionError:
        return
    raise AssertionError("environ")

refused(sibling)
refused(server)
if (pid := os.fork()) == 0:
    assert libc.syscall(ctypes.c_long(number), ctypes.c_long(ruleset), ctypes.c_long(0)) == 0, ctypes.get_errno()
    try:
        refused(reaper), refused(sibling), refused(server)
        if (child := os.fork()) == 0:
            signal.pause()
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                signal.pause()
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
libc.prctl(36, 1, 0, 0, 0)
os.kill(-1, signal.SIGKILL)
"##;
        use std::os::fd::AsRawFd as _;
        let inherited = domain.try_clone().unwrap();
        rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
        let mut reaper = Command::new("python3");
        reaper
            .args(["-c", script])
            .args([sibling.id(), std::process::id()].map(|pid| pid.to_string()))
            .arg(inherited.as_raw_fd().to_string());
        enter(&mut reaper, vec![scope]);
        let output = reaper.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            sibling.try_wait().unwrap().is_none(),
            "the sibling was killed"
        );
        sibling.kill().unwrap();
        sibling.wait().unwrap();
    }
}
