//! The root of a template at level `namespace`: what is [visible](super::visible), read-only, and nothing else.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::thread::UnshareFlags;

use super::cell::BRANCHES;
use super::plan::{CopyWay, Level, Plan};
use super::sys_walls;
use super::visible::Visible;

/// Where the root is put together: the first of these that is a directory. What is there stays as it is, in other processes' eyes.
const PLACES: &[&str] = &["/tmp", "/run", "/mnt", "/var", "/home"];
/// The root holds mount points and small files only.
const ROOT_OPTIONS: &std::ffi::CStr = c"size=4m,nr_inodes=16k,mode=755";
/// What preloads may write while a template starts: matplotlib does not start without a place for its caches. Cells cover it with their own.
const TEMPORARY: &str = "/tmp";
const TEMPORARY_OPTIONS: &std::ffi::CStr = c"size=16m,nr_inodes=1k,mode=700";
/// The host's name as episodes see it.
const HOST_NAME: &str = "episode";
/// Directories that cells mount over, or that are empty.
const EMPTY: &[&str] = &["/workspace", "/tmp", "/dev/shm", "/proc"];
/// Those of them that cells put files of their own over.
pub(super) const COVERED: &[&str] = &["/workspace", "/tmp", "/dev/shm", BRANCHES];

/// Files that are the same in every cell, so that none tells of the host. The episode's own uid is 1000 where it has a user namespace.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nepisode:x:1000:1000:episode:/workspace:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    ),
    (
        "/etc/group",
        "root:x:0:\nepisode:x:1000:\nnogroup:x:65534:\n",
    ),
    (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    ),
    ("/etc/hosts", "127.0.0.1 localhost episode\n::1 localhost\n"),
    ("/etc/hostname", "episode\n"),
];

/// Links in `/dev` that programs expect.
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// Says which call failed, and on what.
fn named<T, E: Into<io::Error>>(result: Result<T, E>, call: &str, path: &Path) -> io::Result<T> {
    result.map_err(|error| {
        let error = error.into();
        io::Error::new(error.kind(), format!("{call} {}: {error}", path.display()))
    })
}

/// Puts this process, which has one thread, into namespaces of its own (mounts, network, System V objects, host name) with a minimal
/// read-only root. Its current directory is that root afterwards. Needs CAP_SYS_ADMIN in its user namespace.
///
/// `/proc` is the host's, for the template to start with; cells mount their own over it. It stays as it was mounted, because the kernel
/// lets a user namespace mount a new one only beside one that shows as much (`mount_too_revealing` of fs/namespace.c).
pub(crate) fn enter(visible: &Visible, plan: &Plan) -> io::Result<()> {
    if plan.level != Level::Namespace {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only level namespace has a root of its own",
        ));
    }
    let root = Path::new("/");
    let flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    named(sys_walls::unshare(flags), "unshare for", root)?;
    named(
        rustix::system::sethostname(HOST_NAME.as_bytes()),
        "sethostname",
        Path::new(HOST_NAME),
    )?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    named(mount_change(root, private), "mount private", root)?;

    // Sources are opened before anything is mounted, so that a root over /tmp hides none of them.
    let open = |path: &PathBuf| -> io::Result<(PathBuf, OwnedFd)> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok((
            path.clone(),
            named(rustix::fs::open(path, flags, Mode::empty()), "open", path)?,
        ))
    };
    let sources = visible
        .paths
        .iter()
        .map(open)
        .collect::<io::Result<Vec<_>>>()?;
    let devices = visible
        .devices
        .iter()
        .map(open)
        .collect::<io::Result<Vec<_>>>()?;
    let proc = open(&PathBuf::from("/proc"))?;

    let place = PLACES.iter().map(Path::new).find(|place| place.is_dir());
    let place =
        place.ok_or_else(|| io::Error::other(format!("none of {PLACES:?} is a directory")))?;
    let place = &named(fs::canonicalize(place), "find", place)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    named(
        mount("episode", place, "tmpfs", flags, Some(ROOT_OPTIONS)),
        "mount tmpfs on",
        place,
    )?;
    fill(place, plan, visible, &sources, &devices)?;
    // Before /proc is there: its mounts stay as they are.
    make_read_only(place)?;
    let temporary = &within(place, Path::new(TEMPORARY));
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    named(
        mount(
            "template",
            temporary,
            "tmpfs",
            flags,
            Some(TEMPORARY_OPTIONS),
        ),
        "mount tmpfs on",
        temporary,
    )?;
    bind(place, &proc)?;
    drop((sources, devices, proc));

    named(std::env::set_current_dir(place), "chdir", place)?;
    // The old root is put over the new one, and is what "." is then.
    named(rustix::process::pivot_root(".", "."), "pivot_root", place)?;
    named(
        unmount(".", UnmountFlags::DETACH),
        "umount of the old root at",
        root,
    )?;
    named(std::env::set_current_dir(root), "chdir", root)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    named(mount_remount(root, flags, c""), "mount read-only", root)
}

/// Where a path of the new root is while it is put together.
fn within(place: &Path, path: &Path) -> PathBuf {
    place.join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes the new root's directories, files, links and mounts.
fn fill(
    place: &Path,
    plan: &Plan,
    visible: &Visible,
    sources: &[(PathBuf, OwnedFd)],
    devices: &[(PathBuf, OwnedFd)],
) -> io::Result<()> {
    let branches = (plan.copies == Ok(CopyWay::Descent)).then_some(&BRANCHES);
    for path in EMPTY.iter().chain(branches) {
        make_directory(&within(place, Path::new(path)))?;
    }
    for source in sources.iter().chain(devices) {
        bind(place, source)?;
    }
    let links = DEVICE_LINKS
        .iter()
        .map(|(link, target)| (Path::new(link), Path::new(target)));
    let shown = visible
        .links
        .iter()
        .map(|(link, target)| (link.as_path(), target.as_path()));
    for (link, target) in links.chain(shown) {
        let link = within(place, link);
        make_parent(&link)?;
        named(std::os::unix::fs::symlink(target, &link), "symlink", &link)?;
    }
    for (path, text) in FILES {
        let path = within(place, Path::new(path));
        make_parent(&path)?;
        named(fs::write(&path, text), "write", &path)?;
        named(
            rustix::fs::chmod(&path, Mode::from_raw_mode(0o644)),
            "chmod",
            &path,
        )?;
    }
    Ok(())
}

/// Makes a directory and those above it, for all to enter whatever the umask.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    make_parent(path)?;
    named(fs::create_dir(path), "mkdir", path)?;
    named(
        rustix::fs::chmod(path, Mode::from_raw_mode(0o755)),
        "chmod",
        path,
    )
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directory)
}

/// Binds what was opened at its path of the new root, with all that is mounted beneath: in a user namespace the kernel doesn't let one
/// look beneath another's mounts.
fn bind(place: &Path, (path, source): &(PathBuf, OwnedFd)) -> io::Result<()> {
    let target = within(place, path);
    let stat = named(fstat(source), "stat", path)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        make_directory(&target)?;
    } else {
        make_parent(&target)?;
        named(fs::write(&target, ""), "write", &target)?;
    }
    let source = format!("/proc/self/fd/{}", source.as_raw_fd());
    named(mount_bind_recursive(&source, &target), "bind", path)
}

/// Makes every mount beneath the new root read-only, without set-user-ID programs, and without devices but where it is a device. What a
/// mount already forbids stays so: in a user namespace those flags are locked, and remounting without them fails.
fn make_read_only(place: &Path) -> io::Result<()> {
    let path = Path::new("/proc/self/mountinfo");
    let mounts = named(fs::read(path), "read", path)?;
    // Mounts that were below the place before are hidden, not gone: only what hangs on the new root's own mount is meant.
    let mut ours: Vec<&[u8]> = Vec::new();
    for line in mounts.split(|byte| *byte == b'\n') {
        // proc_pid_mountinfo(5): the mount's id, its parent's, two others, the mount point, its flags. Parents come first.
        let mut fields = line.split(|byte| *byte == b' ');
        let (Some(id), Some(parent), Some(point), Some(options)) =
            (fields.next(), fields.next(), fields.nth(2), fields.next())
        else {
            continue;
        };
        let point = PathBuf::from(std::ffi::OsString::from_vec(unescape(point)));
        if point == place {
            // The last one there is the one that is seen.
            ours = vec![id];
            continue;
        }
        if !ours.contains(&parent) {
            continue;
        }
        ours.push(id);
        let device = point.starts_with(place.join("dev"));
        let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID;
        if device {
            flags |= MountFlags::NOEXEC;
        } else {
            flags |= MountFlags::NODEV;
        }
        for option in options.split(|byte| *byte == b',') {
            // The kernel keeps the flags about access times if none of them is given.
            flags |= match option {
                b"nodev" => MountFlags::NODEV,
                b"noexec" => MountFlags::NOEXEC,
                _ => MountFlags::empty(),
            };
        }
        named(mount_remount(&point, flags, c""), "mount read-only", &point)?;
    }
    Ok(())
}

/// The inverse of how the kernel writes paths in /proc/self/mountinfo: `\040` for a space, and so on.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(field.len());
    let mut left = field;
    while let Some((byte, rest)) = left.split_first() {
        left = rest;
        let octal = match rest {
            [
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                after @ ..,
            ] if *byte == b'\\' => {
                left = after;
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        path.push(octal.unwrap_or(*byte));
    }
    path
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::process::{Command, Output};

    use rustix::process::{Gid, Uid};

    use super::super::visible::visible;
    use super::*;

    const SCRIPT: &str = include_str!("tests/jailed.py");

    fn plan() -> Plan {
        Plan {
            level: Level::Namespace,
            ..Plan::of_level(Level::None)
        }
    }

    /// What cells may be given beside root's mounts: nobody's own user namespace, uid 0 in it.
    fn become_nobody() -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(65534), Gid::from_raw(65534));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        // The files of a process that has changed its uid are root's until then.
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?;
        sys_walls::unshare(UnshareFlags::NEWUSER)?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", "0 65534 1")?;
        fs::write("/proc/self/gid_map", "0 65534 1")
    }

    fn run(python: &str, unprivileged: bool, mode: &str) -> Option<Output> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return None;
        }
        let environment: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| name == "PATH")
            .collect();
        let visible = visible(Path::new(python), &environment, &[]).unwrap();
        let mut command = Command::new(&visible.program);
        command
            .args(["-s", "-c", SCRIPT, mode])
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        sys_walls::before_exec(&mut command, move || {
            if unprivileged {
                become_nobody()?;
            }
            // The error of a setup comes back as its number only.
            enter(&visible, &plan()).inspect_err(|error| eprintln!("{error}"))
        });
        Some(
            command
                .output()
                .unwrap_or_else(|error| panic!("{python}: {error}")),
        )
    }

    fn said(output: &Output) -> String {
        format!(
            "{:?} {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    #[test]
    fn root_in_the_jail_runs_programs_and_sees_nothing_of_the_host() {
        for python in ["python3", "/usr/bin/python3"] {
            if let Some(output) = run(python, false, "root") {
                assert!(output.status.success(), "{python}: {}", said(&output));
            }
        }
    }

    #[test]
    fn an_unprivileged_user_in_the_jail_runs_programs_and_sees_nothing_of_the_host() {
        if let Some(output) = run("/usr/bin/python3", true, "user") {
            assert!(output.status.success(), "{}", said(&output));
        }
    }

    #[test]
    fn an_error_names_the_call_and_the_path() {
        let missing = Visible {
            program: PathBuf::from("/usr/bin/python3"),
            paths: vec![PathBuf::from("/nonexistent/lib")],
            links: Vec::new(),
            devices: Vec::new(),
        };
        let mut command = Command::new("/bin/true");
        sys_walls::before_exec(&mut command, move || {
            let error = enter(&missing, &plan()).expect_err("there is no such path");
            let expected = error.to_string().starts_with("open /nonexistent/lib: ");
            Err(io::Error::from_raw_os_error(if expected {
                libc::EXFULL
            } else {
                libc::EINVAL
            }))
        });
        if rustix::process::geteuid().is_root() {
            assert_eq!(
                command.status().unwrap_err().raw_os_error(),
                Some(libc::EXFULL)
            );
        }
        assert_eq!(
            enter(
                &Visible {
                    program: PathBuf::new(),
                    paths: vec![],
                    links: vec![],
                    devices: vec![]
                },
                &Plan::of_level(Level::None)
            )
            .unwrap_err()
            .kind(),
            io::ErrorKind::InvalidInput
        );
    }

    #[test]
    fn paths_of_mountinfo_are_read_as_the_kernel_writes_them() {
        assert_eq!(unescape(br"/a\040b\134c\x"), br"/a b\c\x");
        assert_eq!(unescape(br"\04"), br"\04");
    }
}
