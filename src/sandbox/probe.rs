//! The probe: finds out what this machine lets a server use for isolation, by doing each thing in a child and looking at the effect.
//!
//! It is a process of its own, with one thread, so that it can fork, and so that nothing it tries touches the server. Its children run at the
//! same time; what one leaves open, its end closes. Version numbers are not asked: kernels, container engines and sandboxes change
//! what a version stands for.

use std::ffi::{CStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getegid,
    geteuid, getpid, getppid, getuid, kill_process_group, pidfd_open, set_child_subreaper,
    set_dumpable_behavior, setpgid, setrlimit, test_kill_process, waitpid,
};
use rustix::thread::{CapabilitySet, set_no_new_privs};

use super::cgroup;
use super::children;
use super::features::{Cgroups, Features, Found, Namespaces};
use super::plan::{self, Uids};
use super::role::PROBE;
use super::sys_broker::{self, Answer};
use super::sys_probe as sys;
use super::visible;
use crate::limits::CellLimits;

/// How long a child may take. Each takes about a millisecond, and seconds on a machine that has far too much to do, where no layer is to be
/// given up for that; one that hangs has found something that does not work.
const TEST_WITHIN: Duration = Duration::from_secs(20);
/// How long the probe's end may take once all children have been killed.
const END_WITHIN: Duration = Duration::from_secs(1);
/// How long a server waits for its probe.
const PROBE_WITHIN: Duration = Duration::from_secs(70);
/// How long the interpreters may take to tell what they import, and others to open that.
const OPEN_WITHIN: Duration = Duration::from_secs(40);
/// The most bytes that a probe may write: some 25 reasons.
const FEATURES_BYTES_MAX: u64 = 64 << 10;
/// Uids to become: where the plan takes them from ([`Uids`]).
const UIDS_TRIED: [u32; 2] = [0x7000_0000, 30_000];

/// What episodes are to open of the host's files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// Interpreters, each with what it imports.
    pub(crate) pythons: Vec<PathBuf>,
    /// What the operator shows them.
    pub(crate) readable: Vec<PathBuf>,
    /// Try it also where this process can make namespaces, and so a root directory of the episodes' own.
    pub(crate) always: bool,
}

/// How [`Shown::always`] is written.
const ALWAYS: &str = "always";

/// Starts the probe, by executing a program that calls [`enter_role`](crate::enter_role), and reads what it found.
///
/// # Errors
/// When it can't be started, does not end in time, or writes something else.
pub(crate) fn run(program: &Path, shown: &Shown) -> io::Result<Features> {
    let mut child = Command::new(program)
        .arg(PROBE)
        .arg(if shown.always { ALWAYS } else { "" })
        .arg(shown.pythons.len().to_string())
        .args(shown.pythons.iter().chain(&shown.readable))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let result = child.stdout.take().map_or_else(
        || Err(io::Error::other("no pipe")),
        |pipe| read_until(pipe.into(), Instant::now() + PROBE_WITHIN),
    );
    // Its end has closed the pipe, or it is to end.
    let killed = child.kill();
    child.wait()?;
    killed?;
    Features::decode(&result?).map_err(io::Error::other)
}

/// Reads all of a pipe, until a point in time.
fn read_until(pipe: OwnedFd, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pipe = File::from(pipe);
    let mut buffer = [0; 4096];
    loop {
        if !readable(&pipe, deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let count = pipe.read(&mut buffer)?;
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 || bytes.len() as u64 > FEATURES_BYTES_MAX {
            return Ok(bytes);
        }
    }
}

/// Waits until something can be read, and tells whether that was before a point in time.
fn readable(pipe: &File, deadline: Instant) -> io::Result<bool> {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => readable(pipe, deadline),
        Err(error) => Err(error.into()),
    }
}

/// The probe: tries everything, writes what it found to standard output. Returns the exit code. Its arguments are what [`run`] gives it.
pub(super) fn main(mut arguments: impl Iterator<Item = OsString>) -> i32 {
    let always = arguments.next().is_some_and(|told| told == ALWAYS);
    let count = arguments
        .next()
        .and_then(|count| count.to_str()?.parse().ok());
    let mut pythons: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let readable = pythons.split_off(count.unwrap_or(0).min(pythons.len()));
    // Orphans come here, and the end of this process is the end of all.
    let adopted = set_child_subreaper(Some(getpid()));
    let features = probe(&Shown {
        pythons,
        readable,
        always,
    });
    let gone = children::kill_all(END_WITHIN);
    let written = io::stdout().write_all(&features.encode());
    i32::from(adopted.is_err() || !gone || written.is_err())
}

fn probe(shown: &Shown) -> Features {
    let deadline = Instant::now() + TEST_WITHIN;
    let start = |test: fn() -> Found<u32>| Test::start(test);
    let ways = [Way::Privilege, Way::UserNamespace].map(|way| {
        let start = |test: fn(Way) -> Found<u32>| Test::start(move || test(way));
        [cell, root, proc, proc_subset, network, loopback].map(start)
    });
    let process_count = start(process_count);
    let landlock = start(landlock);
    let landlock_signals = start(landlock_signals);
    let seccomp = start(seccomp);
    let user_notification = start(user_notification);
    let set_uid = start(set_uid);
    let others_files = start(others_files);
    let no_new_privs = start(no_new_privs);
    let close_range = start(close_range);
    let clone_parent = start(clone_parent);
    let copies = start(copies);
    let copies_roots = start(copies_roots);
    let cgroup = start(cgroup);

    let value = |test: Test| test.end(deadline);
    let works = |test: Test| value(test).map(drop);
    let [privileged, unprivileged] = ways.map(|tests| {
        let [cell, root, proc, proc_subset, network, loopback] = tests.map(works);
        Namespaces {
            cell,
            root,
            proc,
            proc_subset,
            network,
            loopback,
        }
    });
    // It runs the interpreters, which takes longer than all else.
    let open_to_others = if shown.always || plan::complete(&privileged).is_err() {
        let deadline = Instant::now() + OPEN_WITHIN;
        let test = Test::start(|| open_to_others(shown));
        test.end(deadline).map(drop)
    } else {
        Ok(())
    };
    Features {
        euid: geteuid().as_raw(),
        privileged,
        unprivileged,
        process_count: works(process_count),
        landlock: value(landlock),
        landlock_signals: works(landlock_signals),
        seccomp: works(seccomp),
        user_notification: works(user_notification),
        set_uid: works(set_uid),
        others_files: works(others_files),
        open_to_others,
        mapped_uids: mapped_uids(),
        no_new_privs: works(no_new_privs),
        close_range: works(close_range),
        clone_parent: works(clone_parent),
        copies: works(copies),
        copies_roots: works(copies_roots),
        cgroup: value(cgroup).map(|found| Cgroups {
            version: if found & CGROUP_TWO == 0 { 1 } else { 2 },
            cpu: found & CGROUP_CPU != 0,
        }),
    }
}

// === Children ===

/// A child that tries something, and the pipe on which it tells.
struct Test(io::Result<(i32, OwnedFd)>);

impl Test {
    /// Starts a child, in a process group of its own with what it starts.
    fn start(test: impl FnOnce() -> Found<u32>) -> Self {
        Self(spawn(|| {
            told("setpgid", setpgid(None, None))?;
            test()
        }))
    }

    /// Waits for what it tells, and ends it.
    fn end(self, deadline: Instant) -> Found<u32> {
        let (child, pipe) = told("fork", self.0)?;
        let answer = read_until(pipe, deadline);
        if let Some(group) = Pid::from_raw(child) {
            // It has no group before it has made one.
            if kill_process_group(group, Signal::KILL).is_err() {
                children::signal(child, Signal::KILL);
            }
        }
        wait(child)?;
        match answer {
            Ok(answer) => decode(&answer),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err("trying it took too long".to_owned())
            }
            Err(error) => Err(format!("reading what came out: {error}")),
        }
    }
}

/// Starts a child that does something and writes what came out to a pipe.
fn spawn(work: impl FnOnce() -> Found<u32>) -> io::Result<(i32, OwnedFd)> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    if let Some(child) = sys::fork()? {
        return Ok((child, ours));
    }
    drop(ours);
    // It must never return into what its parent was doing.
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("panicked".into()));
    let bytes = match result {
        Ok(value) => value.to_le_bytes().to_vec(),
        Err(reason) => [b"!", reason.as_bytes()].concat(),
    };
    let written = File::from(theirs).write_all(&bytes);
    sys::exit(written.is_err().into());
}

/// What a child has written.
fn decode(answer: &[u8]) -> Found<u32> {
    match answer {
        [b'!', reason @ ..] if answer.len() != size_of::<u32>() => {
            Err(String::from_utf8_lossy(reason).into_owned())
        }
        _ => match answer.try_into() {
            Ok(bytes) => Ok(u32::from_le_bytes(bytes)),
            Err(_) => Err("the process that tried it was killed".to_owned()),
        },
    }
}

/// Does something in a child and waits for what comes out.
fn in_child(work: impl FnOnce() -> Found<u32>) -> Found<u32> {
    let (child, pipe) = told("fork", spawn(work))?;
    let answer = told("read", read_until(pipe, Instant::now() + TEST_WITHIN));
    wait(child)?;
    decode(&answer?)
}

/// Reaps a child.
fn wait(child: i32) -> Found<WaitStatus> {
    loop {
        match waitpid(Pid::from_raw(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(status),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("waitpid: {error}")),
        }
    }
}

/// An error, with what was tried, in words.
fn told<T, E: Into<io::Error>>(what: &str, result: Result<T, E>) -> Found<T> {
    result.map_err(|error| {
        let error: io::Error = error.into();
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        format!("{what}: {text}")
    })
}

/// The effect of what was tried: `reason` when it is not there.
fn seen(is: bool, reason: &str) -> Found<u32> {
    if is { Ok(0) } else { Err(reason.to_owned()) }
}

// === Namespaces ===

/// How namespaces are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With this process's privilege.
    Privilege,
    /// In a user namespace, in which this process's user is root.
    UserNamespace,
}

/// Enters a user namespace where there has to be one, with one uid in it.
fn enter_user_namespace(uid_inside: u32) -> Found {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    told("unshare(user namespace)", sys::unshare(libc::CLONE_NEWUSER))?;
    let write = |file: &str, text: String| {
        told(
            &format!("writing {file}"),
            fs::write(format!("/proc/self/{file}"), text),
        )
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{uid_inside} {uid} 1"))?;
    write("gid_map", format!("{uid_inside} {gid} 1"))
}

/// As a template is: in a mount namespace whose mounts stay in it.
fn enter(way: Way) -> Found {
    if way == Way::UserNamespace {
        enter_user_namespace(0)?;
    }
    told("unshare(mount namespace)", sys::unshare(libc::CLONE_NEWNS))?;
    told(
        "making mounts private",
        sys::mount(c"none", c"/", c"", libc::MS_REC | libc::MS_PRIVATE, c""),
    )
}

/// As a cell is, within [`enter`]: what is done in it is done by its first process, which has the pid 1.
fn in_cell(way: Way, work: impl FnOnce() -> Found<u32>) -> Found<u32> {
    enter(way)?;
    if way == Way::UserNamespace {
        enter_user_namespace(1000)?;
    }
    told(
        "unshare(pid, mount and ipc namespaces)",
        sys::unshare(
            libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS,
        ),
    )?;
    in_child(|| {
        seen(
            getpid().as_raw_nonzero().get() == 1,
            "a pid namespace whose first process is not 1",
        )?;
        work()
    })
}

/// A directory to mount on. Any does: the mount is seen in a namespace of the child's only.
fn mount_point() -> Found<&'static CStr> {
    [c"/tmp", c"/mnt", c"/usr"]
        .into_iter()
        .find(|path| path.to_str().is_ok_and(|path| Path::new(path).is_dir()))
        .ok_or_else(|| "no directory to mount on".to_owned())
}

/// A tmpfs of 64 KiB on a directory.
fn mount_tmpfs() -> Found<PathBuf> {
    let at = mount_point()?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    told(
        "mount(tmpfs)",
        sys::mount(
            c"tmpfs",
            at,
            c"tmpfs",
            flags,
            c"size=64k,nr_inodes=16,mode=700",
        ),
    )?;
    Ok(PathBuf::from(at.to_string_lossy().into_owned()))
}

fn cell(way: Way) -> Found<u32> {
    in_cell(way, || {
        let file = mount_tmpfs()?.join("file");
        told("writing to a tmpfs", fs::write(&file, [1; 4096]))?;
        let full = fs::write(&file, vec![1; 128 << 10]);
        seen(
            full.is_err_and(|error| error.kind() == io::ErrorKind::StorageFull),
            "a tmpfs does not keep to its size",
        )
    })
}

fn root(way: Way) -> Found<u32> {
    enter(way)?;
    let at = mount_tmpfs()?;
    let usr = at.join("usr");
    told("mkdir", fs::create_dir(&usr))?;
    told("mkdir", fs::create_dir(at.join("old")))?;
    let path = |path: &Path| {
        std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|error| error.to_string())
    };
    let from = if at == Path::new("/usr") {
        c"/etc"
    } else {
        c"/usr"
    };
    let target = path(&usr)?;
    told(
        "mount(bind)",
        sys::mount(from, &target, c"", libc::MS_BIND | libc::MS_REC, c""),
    )?;
    // What the mount had of these is locked in a user namespace: more of them is always allowed but for noexec, which stays as it was.
    let was = told("statvfs", rustix::fs::statvfs(&*target))?.f_flag;
    let mut flags =
        libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV;
    for (has, flag) in [
        (rustix::fs::StatVfsMountFlags::NOEXEC, libc::MS_NOEXEC),
        (rustix::fs::StatVfsMountFlags::NOATIME, libc::MS_NOATIME),
        (rustix::fs::StatVfsMountFlags::RELATIME, libc::MS_RELATIME),
    ] {
        if was.contains(has) {
            flags |= flag;
        }
    }
    told(
        "mount(read-only)",
        sys::mount(c"none", &target, c"", flags, c""),
    )?;
    told(
        "pivot_root",
        sys::pivot_root(&path(&at)?, &path(&at.join("old"))?),
    )?;
    told("chdir", std::env::set_current_dir("/"))?;
    told("umount(old root)", sys::detach(c"/old"))?;
    let bound = told("statvfs", rustix::fs::statvfs("/usr"))?.f_flag;
    seen(
        bound.contains(rustix::fs::StatVfsMountFlags::RDONLY) && !Path::new("/proc").exists(),
        "a new root that is not read-only, or still has the old one",
    )
}

/// Mounts a /proc in a cell, and looks whether it is the cell's.
fn mount_proc(way: Way, options: &'static CStr) -> Found<u32> {
    in_cell(way, || {
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        told(
            "mount(proc)",
            sys::mount(c"proc", c"/proc", c"proc", flags, options),
        )?;
        let this = fs::read_link("/proc/self").ok();
        seen(
            this.is_some_and(|this| this == Path::new("1")),
            "a /proc that is not the cell's own",
        )
    })
}

fn proc(way: Way) -> Found<u32> {
    mount_proc(way, c"")
}

fn proc_subset(way: Way) -> Found<u32> {
    // In one process with the mount, for its effect is seen there.
    in_cell(way, || {
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        told(
            "mount(proc, subset=pid)",
            sys::mount(c"proc", c"/proc", c"proc", flags, c"subset=pid"),
        )?;
        let this = fs::read_link("/proc/self").ok();
        seen(
            this.is_some_and(|this| this == Path::new("1")) && !Path::new("/proc/meminfo").exists(),
            "a /proc that shows more than the cell's processes",
        )
    })
}

fn enter_network(way: Way) -> Found {
    enter(way)?;
    told(
        "unshare(network namespace)",
        sys::unshare(libc::CLONE_NEWNET),
    )
}

fn network(way: Way) -> Found<u32> {
    enter_network(way)?;
    let socket = UdpSocket::bind("0.0.0.0:0");
    // 192.0.2.1 is nobody's (RFC 5737).
    let reached = socket.and_then(|socket| socket.connect("192.0.2.1:9"));
    seen(reached.is_err(), "a network namespace that is not empty")
}

fn loopback(way: Way) -> Found<u32> {
    enter_network(way)?;
    let socket = told("socket", UdpSocket::bind("0.0.0.0:0"))?;
    told("setting lo up", sys::loopback_up(socket.as_fd()))?;
    let listener = told("listening on loopback", TcpListener::bind("127.0.0.1:0"))?;
    let address = told("getsockname", listener.local_addr())?;
    told("connecting over loopback", TcpStream::connect(address)).map(|_| 0)
}

fn process_count() -> Found<u32> {
    const LIMIT: usize = 4;
    enter_user_namespace(0)?;
    enter_user_namespace(1000)?;
    let limit = Rlimit {
        current: Some(LIMIT as u64),
        maximum: Some(LIMIT as u64),
    };
    told("setrlimit", setrlimit(Resource::Nproc, limit))?;
    // Forks more than fit. They hold the pipe on which this process tells, so they end first.
    let mut forked = Vec::new();
    while forked.len() < 2 * LIMIT {
        match sys::fork() {
            Ok(Some(child)) => forked.push(child),
            Ok(None) => sys::sleep_for_ever(),
            Err(_) => break,
        }
    }
    for child in &forked {
        children::signal(*child, Signal::KILL);
        wait(*child)?;
    }
    match forked.len() {
        0 => Err("RLIMIT_NPROC of a user namespace counts processes outside it".to_owned()),
        1..=LIMIT => Ok(0),
        _ => Err("RLIMIT_NPROC does not bound the processes of a user namespace (never those of the host's root)".to_owned()),
    }
}

// === What needs no privilege ===

fn landlock() -> Found<u32> {
    /// All of LANDLOCK_ACCESS_FS_* of ABI 1.
    const FILES: u64 = (1 << 13) - 1;
    let abi = told("landlock_create_ruleset", sys::landlock_abi())?;
    told("no_new_privs", set_no_new_privs(true))?;
    told("landlock_restrict_self", sys::enter_domain(FILES, 0))?;
    seen(
        fs::read_dir("/").is_err(),
        "a Landlock domain does not keep files out",
    )?;
    Ok(abi)
}

fn landlock_signals() -> Found<u32> {
    /// LANDLOCK_SCOPE_SIGNAL.
    const SIGNALS: u64 = 1 << 1;
    told("no_new_privs", set_no_new_privs(true))?;
    told("landlock_restrict_self", sys::enter_domain(0, SIGNALS))?;
    let parent = getppid().ok_or("no parent")?;
    seen(
        test_kill_process(parent) == Err(rustix::io::Errno::PERM)
            && test_kill_process(getpid()).is_ok(),
        "a Landlock domain does not keep signals in",
    )
}

fn seccomp() -> Found<u32> {
    told("no_new_privs", set_no_new_privs(true))?;
    let verdict = libc::SECCOMP_RET_ERRNO | libc::EDOM.unsigned_abs();
    told("seccomp", sys::filter(libc::SYS_getppid, verdict, false))?;
    let refused = sys::getppid().is_err_and(|error| error.raw_os_error() == Some(libc::EDOM));
    seen(refused, "a system call filter has no effect")
}

fn user_notification() -> Found<u32> {
    const VALUE: i64 = 0x5eed;
    told("no_new_privs", set_no_new_privs(true))?;
    let listener = told(
        "seccomp(user notification)",
        sys::filter(libc::SYS_getppid, libc::SECCOMP_RET_USER_NOTIF, true),
    )?;
    let listener = listener.ok_or("seccomp(user notification): no listener")?;
    let this = i64::from(getpid().as_raw_nonzero().get());
    let (caller, pipe) = told(
        "fork",
        spawn(|| {
            let answers = [sys::getppid(), sys::getppid()].map(Result::ok);
            seen(
                answers == [Some(VALUE), Some(this)],
                "a call got another answer",
            )
        }),
    )?;
    for answer in [Answer::Value(VALUE), Answer::Run] {
        let call = told(
            "receiving a system call",
            sys_broker::receive(listener.as_fd()),
        )?;
        seen(
            call.thread == caller && sys_broker::still_waits(listener.as_fd(), call.id),
            "a call of another process",
        )?;
        told(
            "answering a system call",
            sys_broker::answer(listener.as_fd(), call.id, answer),
        )?;
    }
    let answer = told("read", read_until(pipe, Instant::now() + TEST_WITHIN))?;
    let process = Pid::from_raw(caller).ok_or("no process")?;
    let process = told("pidfd_open", pidfd_open(process, PidfdFlags::empty()))?;
    told(
        "pidfd_send_signal",
        sys_broker::signal_process(process.as_fd(), 0),
    )?;
    wait(caller)?;
    decode(&answer)
}

/// Whether this process has these capabilities.
fn has_capabilities(wanted: &[(CapabilitySet, &str)]) -> Found {
    let has = told("capget", rustix::thread::capabilities(None))?.effective;
    match wanted.iter().find(|(one, _)| !has.contains(*one)) {
        Some((_, name)) => Err(format!("this process has no {name}")),
        None => Ok(()),
    }
}

/// What the warden does for a copy: it answers its call with a descriptor, and looks at it once it is another user.
fn copies() -> Found<u32> {
    has_capabilities(&[
        (CapabilitySet::SETGID, "CAP_SETGID"),
        (CapabilitySet::SETUID, "CAP_SETUID"),
    ])?;
    let uid = another()?;
    told("no_new_privs", set_no_new_privs(true))?;
    let asks = told(
        "seccomp(user notification)",
        sys::filter(libc::SYS_setfsuid, libc::SECCOMP_RET_USER_NOTIF, true),
    )?;
    let asks = asks.ok_or("seccomp(user notification): no listener")?;
    let (copy, pipe) = told(
        "fork",
        spawn(|| {
            let given = told("asking by a system call", sys::setfsuid())?;
            let has_it = Path::new(&format!("/proc/self/fd/{given}")).exists();
            told("becoming another user", sys::become_user(uid))?;
            told("asking by a system call", sys::setfsuid())?;
            told(
                "prctl(dumpable)",
                set_dumpable_behavior(DumpableBehavior::Dumpable),
            )?;
            told("asking by a system call", sys::setfsuid())?;
            seen(
                has_it,
                "a call's answer brings no descriptor that its caller has",
            )
        }),
    )?;
    // It can only ask, or end: then there is nobody to wait for.
    let proc = format!("/proc/{copy}");
    for time in 0..3 {
        let mut waits = [
            PollFd::new(&asks, PollFlags::IN),
            PollFd::new(&pipe, PollFlags::IN),
        ];
        told("poll", poll(&mut waits, None))?;
        if !waits
            .first()
            .is_some_and(|asks| asks.revents().contains(PollFlags::IN))
        {
            break;
        }
        let call = told("receiving a system call", sys_broker::receive(asks.as_fd()))?;
        let answer = match time {
            0 => {
                let brought =
                    sys_broker::add_descriptor(asks.as_fd(), call.id, pipe.as_fd(), None, true);
                told(
                    "bringing a descriptor by a call's answer (Linux 5.9)",
                    brought,
                )?
            }
            1 => {
                let owner = told("stat", fs::metadata(format!("{proc}/maps")))?.uid();
                seen(
                    owner != uid,
                    "a process that changes its user stays open to others of that user (fs.suid_dumpable is 1)",
                )?
            }
            _ => {
                // Not by setfsuid(2), of which the filter here asks, too.
                told("becoming another user", sys::become_user(uid))?;
                told(
                    "looking at another user's process",
                    fs::read(format!("{proc}/maps")),
                )?;
                told(
                    "looking at another user's process",
                    fs::read_dir(format!("{proc}/fd")),
                )?;
                0
            }
        };
        let answer = Answer::Value(answer.into());
        told(
            "answering a system call",
            sys_broker::answer(asks.as_fd(), call.id, answer),
        )?;
    }
    let answer = told("read", read_until(pipe, Instant::now() + TEST_WITHIN))?;
    wait(copy)?;
    decode(&answer)
}

/// What it takes to give a copy a root of its own.
fn copies_roots() -> Found<u32> {
    has_capabilities(&[
        (CapabilitySet::SYS_CHROOT, "CAP_SYS_CHROOT"),
        (CapabilitySet::SYS_PTRACE, "CAP_SYS_PTRACE"),
        (CapabilitySet::SYS_ADMIN, "CAP_SYS_ADMIN"),
    ])?;
    Ok(0)
}

fn no_new_privs() -> Found<u32> {
    told("prctl(no_new_privs)", set_no_new_privs(true))?;
    seen(
        rustix::thread::no_new_privs().is_ok_and(|is| is),
        "prctl(no_new_privs) has no effect",
    )
}

fn close_range() -> Found<u32> {
    let file = told("open", File::open("/proc/self/stat"))?;
    let above = told("dup", rustix::io::fcntl_dupfd_cloexec(&file, 500))?;
    let number = above.as_raw_fd();
    told("close_range", sys::close_from(above))?;
    let open = Path::new(&format!("/proc/self/fd/{number}")).exists();
    seen(!open, "close_range has no effect")
}

fn clone_parent() -> Found<u32> {
    let this = i64::from(getpid().as_raw_nonzero().get());
    let sibling = in_child(|| match told("clone(CLONE_PARENT)", sys::fork_sibling())? {
        Some(sibling) => u32::try_from(sibling).map_err(|error| error.to_string()),
        None => sys::exit(i32::from(
            !sys::getppid().is_ok_and(|parent| parent == this),
        )),
    })?;
    let status = wait(i32::try_from(sibling).map_err(|error| error.to_string())?)?;
    seen(
        status.exit_status() == Some(0),
        "CLONE_PARENT has no effect",
    )
}

// === Users ===

/// The ranges of a /proc/PID/uid_map or gid_map that exist here.
fn ranges(map: &str) -> Vec<Uids> {
    let parse = |line: &str| {
        let mut fields = line.split_whitespace();
        let first = fields.next()?.parse().ok()?;
        let count = fields.nth(1)?.parse().ok()?;
        Some(Uids { first, count })
    };
    map.lines().filter_map(parse).collect()
}

/// Numbers that are in both.
fn common(uids: &[Uids], gids: &[Uids]) -> Vec<Uids> {
    let end = |range: &Uids| u64::from(range.first) + u64::from(range.count);
    let mut common = Vec::new();
    for uids in uids {
        for gids in gids {
            let first = uids.first.max(gids.first);
            let count = end(uids).min(end(gids)).saturating_sub(first.into());
            if let Ok(count @ 1..) = u32::try_from(count) {
                common.push(Uids { first, count });
            }
        }
    }
    common
}

fn mapped_uids() -> Vec<Uids> {
    let read =
        |map: &str| ranges(&fs::read_to_string(format!("/proc/self/{map}")).unwrap_or_default());
    common(&read("uid_map"), &read("gid_map"))
}

/// What the warden and a reaper do for a cell with a uid of its own: become it, give it its directories, and signal its processes.
fn set_uid() -> Found<u32> {
    let uid = another()?;
    let (user, pipe) = told(
        "fork",
        spawn(|| {
            told("becoming another user", sys::become_user(uid))?;
            seen(
                getuid().as_raw() == uid && sys::become_user(0).is_err(),
                "becoming another user has no effect",
            )
        }),
    )?;
    let answer = told("read", read_until(pipe, Instant::now() + TEST_WITHIN));
    // It has ended by now and is still there, with its rights, until it is reaped.
    let process = Pid::from_raw(user).ok_or("no process")?;
    let signalled = told(
        "signalling another user's process",
        test_kill_process(process),
    );
    wait(user)?;
    decode(&answer?)?;
    signalled?;
    given_to(uid).map(|_| 0)
}

/// What the warden does to remove a directory of a user who has forbidden everything, with a file.
fn others_files() -> Found<u32> {
    let file = given_to(another()?)?;
    let mode = Permissions::from_mode(0o700);
    told(
        "changing the mode of another user's file",
        file.set_permissions(mode),
    )?;
    let mut options = File::options();
    let opened = options
        .read(true)
        .write(true)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()));
    told("opening another user's file", opened).map(|_| 0)
}

/// A file that belongs to another user, in memory.
fn given_to(uid: u32) -> Found<File> {
    let file = told("memfd_create", memfd_create("probe", MemfdFlags::CLOEXEC))?;
    told(
        "giving a file to another user",
        fchown(&file, Some(uid), Some(uid)),
    )?;
    Ok(file.into())
}

/// A user whom nobody else is.
fn another() -> Found<u32> {
    let mapped = mapped_uids();
    let is_mapped = |uid: &u32| {
        mapped.iter().any(|range| {
            uid.checked_sub(range.first)
                .is_some_and(|at| at < range.count)
        })
    };
    UIDS_TRIED
        .into_iter()
        .find(is_mapped)
        .or_else(|| mapped.last().map(|range| range.first + (range.count - 1)))
        .ok_or_else(|| "no uids are mapped".to_owned())
}

/// Opens what episodes are to open as another user. Only root asks: nobody else can become one.
fn open_to_others(shown: &Shown) -> Found<u32> {
    if !geteuid().is_root() {
        return Ok(0);
    }
    let mut paths = shown.readable.clone();
    for python in &shown.pythons {
        // An interpreter that does not run is told when its template starts.
        if let Ok((program, told)) = visible::needed(python, &[]) {
            paths.push(program);
            paths.extend(told);
        }
    }
    let mut paths: Vec<PathBuf> = paths
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    told("becoming another user", sys::become_user(another()?))?;
    let closed = paths.iter().find(|path| File::open(path).is_err());
    closed.map_or(Ok(0), |path| Err(closed_by(path)))
}

/// What keeps this process from a path without links that it can't open, in words.
fn closed_by(path: &Path) -> String {
    let mut by = path;
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    for pair in above.windows(2) {
        if let [directory, next] = pair
            && fs::symlink_metadata(next).is_err()
        {
            by = directory;
            break;
        }
    }
    let mode = fs::symlink_metadata(by).map_or(0, |found| found.mode() & 0o7777);
    format!(
        "{} (mode {mode:04o}) keeps other users from {}, which episodes need",
        by.display(),
        path.display()
    )
}

// === Control groups ===

/// Bits of what [`cgroup`] gives.
const CGROUP_TWO: u32 = 1;
const CGROUP_CPU: u32 = 2;

/// Does what the warden does for a cell, in groups of its own. With v2 that can move the server into a group below its own, where it then stays.
fn cgroup() -> Found<u32> {
    let run = format!("coding-env-probe-{}", getpid().as_raw_nonzero());
    let mut groups = cgroup::Cgroups::find(&run, server())?;
    let found = holds(&mut groups);
    let version = match groups.version() {
        1 => 0,
        _ => CGROUP_TWO,
    };
    let cpu = if groups.bounds_cpu() { CGROUP_CPU } else { 0 };
    told("removing a control group", groups.close(END_WITHIN))?;
    found.map(|_| version | cpu)
}

/// Whether a process that enters a cell's groups, which allow it to be alone, can't fork.
fn holds(groups: &mut cgroup::Cgroups) -> Found<u32> {
    let limits = CellLimits {
        total_memory_bytes: 64 << 20,
        // Beside the reaper, as which the child counts.
        processes: 0,
        workspace_bytes: 0,
        workspace_inodes: 0,
        cpu_percent: if groups.bounds_cpu() { 100 } else { 0 },
    };
    let group = told("a control group", groups.create("0", &limits))?;
    let attach = told("a control group", group.attach_fds())?;
    in_child(|| {
        for file in attach {
            told("entering a control group", File::from(file).write_all(b"0"))?;
        }
        let forked = sys::fork();
        if matches!(forked, Ok(None)) {
            sys::exit(0);
        }
        seen(
            forked.is_err(),
            "a control group's limit of processes has no effect",
        )
    })
}

/// The server: the parent of the probe, whose child this is.
fn server() -> i32 {
    let probe = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    children::parent(probe).unwrap_or(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_exist_where_both_maps_have_them() {
        let whole = "         0          0 4294967295\n";
        assert_eq!(
            ranges(whole),
            [Uids {
                first: 0,
                count: u32::MAX
            }]
        );
        let uids = ranges("0 1000 1\n1 100000 65536\n");
        let gids = ranges("0 1000 1\n10 100000 100\n");
        let range = |first, count| Uids { first, count };
        assert_eq!(common(&uids, &gids), [range(0, 1), range(10, 100)]);
        assert_eq!(common(&uids, &[]), []);
    }

    #[test]
    fn what_a_child_says_is_a_number_or_a_reason_and_silence_is_a_reason() {
        assert_eq!(decode(&7_u32.to_le_bytes()), Ok(7));
        assert_eq!(decode(b"!mount: no"), Err("mount: no".to_owned()));
        decode(b"").unwrap_err();
    }
}
