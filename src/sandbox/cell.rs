//! A cell's setup, as data: which system calls the reaper and the worker make, in which order, before any code of the episode runs.
//!
//! Composed here, by the warden, from the plan and what the one cell needs; carried out by the template's forks
//! (`src/executor/harness/cells.rs`), which know nothing of what the calls are for. A call that fails is told by its place, and
//! [`Setup::name`] says which it was. Nothing is skipped.
//!
//! An order, little-endian: worker (u64), clone flags (u32), flags (u32; 1: walled, 2: hidden, 4: branches by uid), offset and size of the directories' text (u32 each),
//! the sizes of the three lists (u32 each), 4 bytes unused; then each call: number (u32), the kinds of its arguments (u32, 4 bits each),
//! six arguments (u64 each); then what the arguments point to.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::order::WorkerId;
use super::plan::{CopyWay, Level, Plan};
use super::seccomp;
use crate::limits::CellLimits;

/// The largest order: `ORDER_BYTES_MAX` of `cells.rs`.
/// The longest workspace path is told three times.
pub(crate) const ORDER_BYTES_MAX: usize = 24 * 1024;
/// Of an order's head, and of each call.
const HEADER_BYTES: usize = 40;
const CALL_BYTES: usize = 56;
/// In place of a call's number: write a file (path, text, size), set the loopback interface up (`struct ifreq`), or install a filter and
/// hand its listener to the warden (instructions, size).
const WRITE_FILE: u32 = u32::MAX;
const LOOPBACK_UP: u32 = u32::MAX - 1;
const LEND_LISTENER: u32 = u32::MAX - 2;
/// Where the worker's control socket is put while its list is carried out: `CONTROL_BEFORE` of `cells.rs`.
const CONTROL_BEFORE: u64 = 4;

/// What the warden asks a reaper for by a signal, beside SIGTERM, which is the cell's end: real-time signals, so that none is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// SIGINT to the worker.
    Interrupt = 40,
    /// Stop the cell's processes.
    Freeze = 41,
    /// Let them go on.
    Thaw = 42,
    /// A descriptor of the cell's workspace. 43 is `SIGNAL_BEGIN` of `calls.rs`.
    Lend = 44,
}

/// What else a reaper is asked for by the warden, of a cell with branches (`src/sandbox/branches.rs`). The numbers' order is the one in which signals that
/// wait are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchAsk {
    /// This child is a branch's root.
    Adopt = 45,
    /// End this branch.
    End = 46,
    /// Copies are being made: leave children alone that are no branches. Each is taken back by a [`GoOn`](Self::GoOn).
    Hold = 47,
    /// Copies were made, or not even begun (the value is 0): children that are no branches now are nobody's, unless others hold.
    GoOn = 48,
}

impl Ask {
    /// The inverse of `as u8`, and of `as i32`, which is the signal.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Interrupt, Self::Freeze, Self::Thaw, Self::Lend]
            .into_iter()
            .find(|ask| *ask as u8 == number)
    }
}

/// Where an episode's files are in a cell of level `namespace`.
const WORKSPACE: &str = "/workspace";
const TEMPORARY: &str = "/tmp";
/// Where the files of copies are that have no root of their own.
pub(super) const BRANCHES: &str = "/branches";
const SHARED_MEMORY: &str = "/dev/shm";
/// The uid of a worker inside its user namespace.
const INNER_UID: u32 = 1000;
/// The flags of an order: of `calls.rs`.
const WALLED: usize = 1;
const HIDDEN: usize = 2;
const BY_UID: usize = 4;
/// Inodes of a cell's file system that are not the episode's: its root and the three directories.
pub(super) const OWN_INODES: u32 = 4;

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Arg {
    Number(u64),
    /// The address of these bytes.
    Bytes(Vec<u8>),
    /// A descriptor that came with the order, by its place.
    Fd(usize),
    /// The setup key.
    Key,
}

/// A call of the list, and what an error calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    name: String,
    number: u32,
    args: [Arg; 6],
}

/// How many signals may wait, queued, for the processes of an episode's user: RLIMIT_SIGPENDING, setrlimit(2). The kernel counts them by user and compares with
/// the limit of whom the signal is for, so that a program which fills it leaves room for those that its reaper is asked by, which has the server's own limit.
pub(crate) const QUEUED_SIGNALS_MAX: u64 = 256;

/// What one cell needs beside the plan.
#[derive(Debug, Clone)]
pub(crate) struct CellNeeds<'a> {
    pub(crate) worker: WorkerId,
    /// Level `landlock` and `none`: the directory that was made for it.
    pub(crate) workspace: &'a OsStr,
    /// Its own uid, at layer `uid`.
    pub(crate) uid: Option<u32>,
    pub(crate) limits: CellLimits,
    /// How many signals may wait in all that its user has: at most [`QUEUED_SIGNALS_MAX`].
    pub(crate) queued_signals: u64,
    /// A network of its own with loopback.
    pub(crate) loopback: bool,
    /// How many descriptors of control groups follow the first three.
    pub(crate) cgroups: usize,
    /// Whether a ruleset for the reaper's Landlock domain follows those.
    pub(crate) reaper_domain: bool,
    /// Whether one for the worker's is the last.
    pub(crate) worker_domain: bool,
}

/// A cell's setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    worker: WorkerId,
    clone_flags: u32,
    walled: bool,
    /// Whether a branch of the cell is all that has its uid.
    by_uid: bool,
    /// Whether the reaper hides its memory from what shares its uid.
    hidden: bool,
    /// HOME and TMPDIR, for the harness, with a zero between them.
    directories: Vec<u8>,
    lists: [Vec<Call>; 3],
}

/// The names of the lists: by the reaper, by the worker, by the reaper once the worker is there.
const LISTS: [&str; 3] = ["reaper", "worker", "reaper, after the fork"];

/// The order of descriptors with an order: control, stdout, stderr, control groups, the two domains.
const CONTROL: usize = 0;
const STDOUT: usize = 1;
const STDERR: usize = 2;
const CGROUPS: usize = DESCRIPTORS;
/// How many come from the server.
pub(crate) const DESCRIPTORS: usize = 3;

impl Setup {
    /// Composes the setup of a cell.
    pub(crate) fn new(plan: &Plan, needs: &CellNeeds<'_>) -> Self {
        let inside = plan.level == Level::Namespace;
        let mut clone_flags = 0;
        if inside {
            clone_flags |= libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;
            if plan.user_namespace {
                clone_flags |= libc::CLONE_NEWUSER;
            }
            if needs.loopback {
                clone_flags |= libc::CLONE_NEWNET;
            }
        }
        let directories = if inside {
            [WORKSPACE.as_bytes(), b"\0", TEMPORARY.as_bytes()].concat()
        } else {
            let workspace = needs.workspace.as_bytes();
            [workspace, b"\0", workspace].concat()
        };
        Self {
            worker: needs.worker,
            clone_flags: u32::try_from(clone_flags).unwrap_or(0),
            walled: plan.is_walled(),
            by_uid: plan.copies == Ok(CopyWay::Uid),
            hidden: plan.level != Level::None,
            directories,
            lists: [before(plan, needs), worker(plan, needs), after(plan, needs)],
        }
    }

    /// Which call of which list it was, for an error's text.
    pub(crate) fn name(&self, list: u8, index: u32) -> String {
        let list = usize::from(list);
        let call = usize::try_from(index)
            .ok()
            .and_then(|index| self.lists.get(list)?.get(index));
        match (call, LISTS.get(list)) {
            (Some(call), Some(list)) => format!("{} ({list})", call.name),
            _ => "start of the worker or its reaper".to_owned(),
        }
    }

    /// The order's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let calls: usize = self.lists.iter().map(Vec::len).sum();
        let mut data = Vec::new();
        let data_at = HEADER_BYTES + calls * CALL_BYTES;
        let mut place = |bytes: &[u8]| {
            let at = data_at + data.len();
            data.extend_from_slice(bytes);
            at
        };
        let directories_at = place(&self.directories);
        let mut order = Vec::with_capacity(ORDER_BYTES_MAX);
        order.extend_from_slice(&self.worker.to_le_bytes());
        let put = |order: &mut Vec<u8>, value: usize| {
            order.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
        };
        order.extend_from_slice(&self.clone_flags.to_le_bytes());
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let flags =
            flag(self.walled, WALLED) | flag(self.hidden, HIDDEN) | flag(self.by_uid, BY_UID);
        put(&mut order, flags);
        put(&mut order, directories_at);
        put(&mut order, self.directories.len());
        for list in &self.lists {
            put(&mut order, list.len());
        }
        put(&mut order, 0);
        for call in self.lists.iter().flatten() {
            let mut kinds = 0_u32;
            let mut values = [0_u64; 6];
            for (index, (arg, value)) in call.args.iter().zip(&mut values).enumerate() {
                let (kind, number) = match arg {
                    Arg::Number(number) => (0, *number),
                    Arg::Bytes(bytes) => (1, place(bytes) as u64),
                    Arg::Fd(place) => (2, *place as u64),
                    Arg::Key => (3, 0),
                };
                kinds |= kind << (index * 4);
                *value = number;
            }
            order.extend_from_slice(&call.number.to_le_bytes());
            order.extend_from_slice(&kinds.to_le_bytes());
            for value in values {
                order.extend_from_slice(&value.to_le_bytes());
            }
        }
        order.extend_from_slice(&data);
        order
    }
}

/// A call with up to five arguments; the sixth is free for the key.
fn call<const N: usize>(name: impl Into<String>, number: libc::c_long, args: [Arg; N]) -> Call {
    let mut all = [const { Arg::Number(0) }; 6];
    for (slot, arg) in all.iter_mut().zip(args) {
        *slot = arg;
    }
    Call {
        name: name.into(),
        number: u32::try_from(number).unwrap_or(0),
        args: all,
    }
}

/// A call that the filter lets pass with the key only.
fn keyed<const N: usize>(name: impl Into<String>, number: libc::c_long, args: [Arg; N]) -> Call {
    let mut call = call(name, number, args);
    call.args[5] = Arg::Key;
    call
}

fn number(value: impl Into<i64>) -> Arg {
    Arg::Number(value.into().cast_unsigned())
}

/// A text with the zero that C wants at its end.
fn text(value: &str) -> Arg {
    Arg::Bytes([value.as_bytes(), b"\0"].concat())
}

fn write_file(path: &str, content: &str) -> Call {
    Call {
        name: format!("write {path}"),
        number: WRITE_FILE,
        args: [
            text(path),
            Arg::Bytes(content.as_bytes().to_vec()),
            Arg::Number(content.len() as u64),
            Arg::Number(0),
            Arg::Number(0),
            Arg::Number(0),
        ],
    }
}

fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong, data: &str) -> Call {
    let name = format!("mount {target}");
    let args = [
        text(source),
        text(target),
        text(kind),
        Arg::Number(flags),
        text(data),
    ];
    keyed(name, libc::SYS_mount, args)
}

/// prctl(2). The filter knows the option; those of the setup need the key.
fn prctl(name: &str, option: i32, value: i64) -> Call {
    let args = [
        number(option),
        number(value),
        number(0),
        number(0),
        number(0),
    ];
    keyed(format!("prctl {name}"), libc::SYS_prctl, args)
}

/// setrlimit(2), soft and hard.
fn rlimit(name: &str, resource: libc::__rlimit_resource_t, value: u64) -> Call {
    let pair = [value.to_ne_bytes(), value.to_ne_bytes()].concat();
    let args = [
        number(0),
        number(resource),
        Arg::Bytes(pair),
        Arg::Number(0),
    ];
    call(format!("setrlimit {name}"), libc::SYS_prlimit64, args)
}

/// capset(2): these capabilities, and no others, effective and permitted.
fn capset(capabilities: u64) -> Call {
    /// `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h.
    const VERSION: u32 = 0x2008_0522;
    let words = [
        capabilities & u64::from(u32::MAX),
        capabilities >> u32::BITS,
    ];
    let mut data = Vec::new();
    for word in words.map(|word| u32::try_from(word).unwrap_or(0)) {
        for set in [word, word, 0] {
            data.extend_from_slice(&set.to_ne_bytes());
        }
    }
    let head = [VERSION.to_ne_bytes(), 0_u32.to_ne_bytes()].concat();
    keyed(
        "capset",
        libc::SYS_capset,
        [Arg::Bytes(head), Arg::Bytes(data)],
    )
}

fn restrict(name: &str, fd: usize) -> Call {
    let args = [Arg::Fd(fd), number(0)];
    keyed(name, libc::SYS_landlock_restrict_self, args)
}

/// CAP_KILL of linux/capability.h.
const CAP_KILL: u64 = 1 << 5;

/// CAP_SETGID, CAP_SETUID and CAP_SYS_CHROOT, likewise.
const CAP_SETGID: u64 = 1 << 6;
const CAP_SETUID: u64 = 1 << 7;
const CAP_SYS_CHROOT: u64 = 1 << 18;

/// What workers keep, to become a copy of one another.
pub(super) fn kept_capabilities(plan: &Plan) -> u64 {
    match (&plan.copies, plan.level) {
        (Ok(CopyWay::Uid), Level::Namespace) => CAP_SETGID | CAP_SETUID | CAP_SYS_CHROOT,
        (Ok(CopyWay::Uid), _) => CAP_SETGID | CAP_SETUID,
        (Ok(CopyWay::Descent) | Err(_), _) => 0,
    }
}

/// By the reaper, before it forks the worker.
fn before(plan: &Plan, needs: &CellNeeds<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    for place in 0..needs.cgroups {
        let args = [
            Arg::Fd(CGROUPS + place),
            Arg::Bytes(b"0".to_vec()),
            number(1),
        ];
        calls.push(call("join the control group", libc::SYS_write, args));
    }
    if plan.user_namespace && plan.level == Level::Namespace {
        let map = format!("{INNER_UID} 0 1\n");
        calls.push(write_file("/proc/self/setgroups", "deny"));
        calls.push(write_file("/proc/self/uid_map", &map));
        calls.push(write_file("/proc/self/gid_map", &map));
    }
    // The warden's end: an orderly end, because a killed reaper would leave what only it can find.
    calls.push(prctl(
        "PR_SET_PDEATHSIG",
        libc::PR_SET_PDEATHSIG,
        libc::SIGTERM.into(),
    ));
    calls.push(prctl(
        "PR_SET_CHILD_SUBREAPER",
        libc::PR_SET_CHILD_SUBREAPER,
        1,
    ));
    if plan.level == Level::Namespace {
        calls.extend(files(plan, needs));
        let data = if plan.proc_subset { "subset=pid" } else { "" };
        calls.push(mount(
            "proc",
            "/proc",
            "proc",
            libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
            data,
        ));
    }
    if needs.loopback {
        calls.push(loopback_up());
    }
    if needs.reaper_domain {
        calls.push(restrict("landlock_restrict_self", CGROUPS + needs.cgroups));
    }
    calls
}

/// One file system for all that the episode writes, so that one size bounds it, seen at three places; and those of its copies at one more, where these have no root.
fn files(plan: &Plan, needs: &CellNeeds<'_>) -> Vec<Call> {
    let CellLimits {
        workspace_bytes,
        workspace_inodes,
        ..
    } = needs.limits;
    let with_branches = plan.copies == Ok(CopyWay::Descent);
    let inodes = workspace_inodes.saturating_add(OWN_INODES + u32::from(with_branches));
    let mut calls = vec![mount(
        "episode",
        WORKSPACE,
        "tmpfs",
        libc::MS_NOSUID | libc::MS_NODEV,
        &format!("size={workspace_bytes},nr_inodes={inodes},mode=755"),
    )];
    let mut places = vec![
        ("/workspace/tmp", TEMPORARY),
        ("/workspace/shm", SHARED_MEMORY),
    ];
    if with_branches {
        places.push(("/workspace/branches", BRANCHES));
    }
    // The last, because it covers the file system's root.
    places.push(("/workspace/workspace", WORKSPACE));
    for (source, _) in &places {
        let args = [number(libc::AT_FDCWD), text(source), number(0o700)];
        calls.push(call(format!("mkdir {source}"), libc::SYS_mkdirat, args));
        if let Some(uid) = needs.uid {
            let args = [
                number(libc::AT_FDCWD),
                text(source),
                number(uid),
                number(uid),
                number(0),
            ];
            calls.push(call(format!("chown {source}"), libc::SYS_fchownat, args));
        }
    }
    for (source, target) in places {
        calls.push(mount(source, target, "", libc::MS_BIND, ""));
    }
    calls
}

/// `struct ifreq` of linux/if.h: the name in 16 bytes, then the flags.
fn loopback_up() -> Call {
    let flags = i16::try_from(libc::IFF_UP).unwrap_or(1);
    let mut request = vec![0; 40];
    request.splice(..2, *b"lo");
    request.splice(16..18, flags.to_ne_bytes());
    Call {
        name: "set loopback up".to_owned(),
        number: LOOPBACK_UP,
        args: [
            Arg::Bytes(request),
            Arg::Number(0),
            Arg::Number(0),
            Arg::Number(0),
            Arg::Number(0),
            Arg::Key,
        ],
    }
}

/// By the worker, before Python.
fn worker(plan: &Plan, needs: &CellNeeds<'_>) -> Vec<Call> {
    let walls = plan.level != Level::None;
    // Not a subreaper: orphans come to the reaper, which waits for them; a program does not wait for processes that it doesn't know.
    let mut calls = vec![call("setsid", libc::SYS_setsid, [])];
    let dup = |name: &str, from: usize, to: u64, flags: i32| {
        let args = [Arg::Fd(from), Arg::Number(to), number(flags)];
        call(format!("dup3 {name}"), libc::SYS_dup3, args)
    };
    calls.push(dup("control", CONTROL, CONTROL_BEFORE, libc::O_CLOEXEC));
    calls.push(dup("stdout", STDOUT, 1, 0));
    calls.push(dup("stderr", STDERR, 2, 0));
    if plan.level == Level::Namespace {
        // The template's standard input is a file of the host, which /proc/self/fd/0 could not be opened by. The new one takes its
        // number, the lowest free one.
        calls.push(call("close stdin", libc::SYS_close, [number(0)]));
        let args = [
            number(libc::AT_FDCWD),
            text("/dev/null"),
            number(libc::O_RDONLY),
        ];
        calls.push(call("open /dev/null", libc::SYS_openat, args));
    }
    calls.push(rlimit("RLIMIT_CORE", libc::RLIMIT_CORE, 0));
    calls.push(rlimit(
        "RLIMIT_SIGPENDING",
        libc::RLIMIT_SIGPENDING,
        needs.queued_signals,
    ));
    if walls {
        calls.push(rlimit("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE, 0));
        calls.push(rlimit("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK, 0));
    }
    calls.push(call("umask", libc::SYS_umask, [number(0o022)]));
    if let Some(uid) = needs.uid {
        if plan.copies == Ok(CopyWay::Uid) {
            calls.push(prctl("PR_SET_KEEPCAPS", libc::PR_SET_KEEPCAPS, 1));
        }
        calls.push(keyed(
            "setgroups",
            libc::SYS_setgroups,
            [number(0), number(0)],
        ));
        let ids = || [number(uid), number(uid), number(uid)];
        calls.push(keyed("setresgid", libc::SYS_setresgid, ids()));
        calls.push(keyed("setresuid", libc::SYS_setresuid, ids()));
        // The change has taken it: without it the program could not read its own /proc/self.
        calls.push(prctl("PR_SET_DUMPABLE", libc::PR_SET_DUMPABLE, 1));
    }
    if plan.process_count {
        // In a user namespace the reaper counts, too.
        let own = u64::from(plan.user_namespace);
        let processes = u64::from(needs.limits.processes) + own;
        calls.push(rlimit("RLIMIT_NPROC", libc::RLIMIT_NPROC, processes));
    }
    let workspace = if plan.level == Level::Namespace {
        text(WORKSPACE)
    } else {
        Arg::Bytes([needs.workspace.as_bytes(), b"\0"].concat())
    };
    calls.push(call("chdir", libc::SYS_chdir, [workspace]));
    // Forgotten when the uid changes: prctl(2).
    calls.push(prctl(
        "PR_SET_PDEATHSIG",
        libc::PR_SET_PDEATHSIG,
        libc::SIGKILL.into(),
    ));
    if walls {
        calls.push(capset(kept_capabilities(plan)));
    }
    if needs.worker_domain {
        calls.push(restrict(
            "landlock_restrict_self",
            CGROUPS + needs.cgroups + usize::from(needs.reaper_domain),
        ));
    }
    calls.push(close_range(CONTROL_BEFORE + 1));
    if plan.signal_broker {
        calls.push(lend_listener());
    }
    calls
}

/// From here on the warden answers for every signal of the cell.
fn lend_listener() -> Call {
    let filter = seccomp::ask_for_signals();
    let bytes = Arg::Number(filter.len() as u64);
    Call {
        number: LEND_LISTENER,
        ..keyed("seccomp with a listener", 0, [Arg::Bytes(filter), bytes])
    }
}

fn close_range(first: u64) -> Call {
    let args = [
        Arg::Number(first),
        Arg::Number(u64::from(u32::MAX)),
        number(0),
    ];
    call("close_range", libc::SYS_close_range, args)
}

/// By the reaper, once the worker is there. What it then executes does the rest: `reaper.rs`.
fn after(plan: &Plan, needs: &CellNeeds<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    if plan.level != Level::None {
        // With no_new_privs, executing a program as root brings none back.
        // A uid of its own is also what a branch of the cell is ended by.
        let kept = match (needs.uid, &plan.copies) {
            (Some(_), Ok(CopyWay::Uid)) => CAP_KILL | CAP_SETUID,
            (Some(_), _) => CAP_KILL,
            (None, _) => 0,
        };
        calls.push(capset(kept));
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::super::plan::Uids;
    use super::super::seccomp::{Policy, tests::answer};
    use super::*;

    const LIMITS: CellLimits = CellLimits {
        total_memory_bytes: u64::MAX,
        processes: u32::MAX,
        workspace_bytes: u64::MAX,
        workspace_inodes: u32::MAX,
        cpu_percent: u32::MAX,
    };
    /// Paths have at most PATH_MAX bytes with the zero at their end: limits.h of Linux.
    const PATH_BYTES_MAX: usize = 4095;
    const KEY: u64 = 0x0123_4567_89ab_cdef;
    const RET_ALLOW: u32 = 0x7fff_0000;

    /// What can be there or not, for each level: a user namespace, uids, the count of processes, domains, loopback, control groups, the signal
    /// broker.
    fn each(mut check: impl FnMut(&Plan, &CellNeeds<'_>)) {
        for level in [Level::None, Level::Landlock, Level::Namespace] {
            for bits in 0..128 {
                let has = |bit: u32| bits & (1 << bit) != 0;
                let inside = level == Level::Namespace;
                // A user namespace has no uids to give; only a cell inside namespaces has a network; without walls there are none of them.
                if has(0) && (has(1) || !inside)
                    || has(4) && !inside
                    || has(6) && (level != Level::Landlock || has(3) || has(1))
                    || level == Level::None && bits != 0
                {
                    continue;
                }
                let uids = Uids {
                    first: 5000,
                    count: 9,
                };
                let plan = Plan {
                    user_namespace: has(0),
                    seccomp: level != Level::None,
                    landlock_abi: has(3).then_some(6),
                    landlock_signals: has(3),
                    signal_broker: has(6),
                    uids: has(1).then_some(uids),
                    cgroup: has(5),
                    process_count: has(2),
                    proc_subset: has(2),
                    loopback: has(4),
                    ..Plan::of_level(level)
                };
                let workspace = "/".repeat(PATH_BYTES_MAX);
                let needs = CellNeeds {
                    worker: u64::MAX,
                    workspace: OsStr::new(&workspace),
                    uid: has(1).then_some(u32::MAX - 1),
                    limits: LIMITS,
                    queued_signals: QUEUED_SIGNALS_MAX,
                    loopback: has(4),
                    cgroups: if has(5) { 3 } else { 0 },
                    reaper_domain: has(3),
                    worker_domain: has(3),
                };
                check(&plan, &needs);
            }
        }
    }

    fn place(calls: &[Call], name: &str) -> Option<usize> {
        let mut found = calls.iter().enumerate();
        let place = found.find(|(_, call)| call.name == name).map(|(at, _)| at);
        assert!(found.all(|(_, call)| call.name != name), "{name} twice");
        place
    }

    #[test]
    fn a_worker_gives_up_what_it_has_once_it_needs_it_no_longer() {
        each(|plan, needs| {
            let setup = Setup::new(plan, needs);
            let [before, worker, after] = &setup.lists;
            let walls = plan.level != Level::None;
            let at = |name| place(worker, name);
            assert_eq!(at("setresuid").is_some(), needs.uid.is_some());
            assert_eq!(at("setrlimit RLIMIT_NPROC").is_some(), plan.process_count);
            assert_eq!(at("capset").is_some(), walls);
            assert_eq!(at("landlock_restrict_self").is_some(), needs.worker_domain);
            assert_eq!(
                place(before, "landlock_restrict_self").is_some(),
                needs.worker_domain
            );
            assert!(at("setgroups") <= at("setresgid") && at("setresgid") <= at("setresuid"));
            // A uid of its own reaches its workspace, and another's limits don't count for it.
            assert!(at("setresuid") < at("chdir"));
            assert!(at("setresuid") < at("setrlimit RLIMIT_NPROC") || !plan.process_count);
            // Both are forgotten when the uid changes.
            assert!(at("setresuid") < at("prctl PR_SET_PDEATHSIG"));
            assert!(at("setresuid") < at("prctl PR_SET_DUMPABLE") || needs.uid.is_none());
            for last in ["capset", "landlock_restrict_self"] {
                assert!(at(last) > at("chdir") && at(last) > at("setresuid") || at(last).is_none());
            }
            assert!(at("capset") < at("landlock_restrict_self") || !needs.worker_domain);
            // Nothing but its control socket and its streams is left open.
            let last = worker.len() - 1 - usize::from(plan.signal_broker);
            assert_eq!(worker[last], close_range(CONTROL_BEFORE + 1));
            assert_eq!(at("close_range"), Some(last));
            // A listener is closed by whom it was lent by. Before that, setup signals nobody.
            assert_eq!(at("seccomp with a listener").is_some(), plan.signal_broker);
            let own_session = at("setsid").unwrap();
            assert!(!plan.signal_broker || own_session < at("seccomp with a listener").unwrap());
            // What the reaper executes next hides itself where there are walls, and brings no capability back.
            assert_eq!(setup.hidden, walls);
            assert_eq!(place(after, "capset").is_some(), walls);
            if needs.uid.is_some() {
                assert!(after.contains(&capset(CAP_KILL)));
            }
        });
    }

    #[test]
    fn a_reaper_joins_before_all_else_and_mounts_only_inside() {
        each(|plan, needs| {
            let setup = Setup::new(plan, needs);
            let [before, ..] = &setup.lists;
            // Whatever is made afterwards counts for the cell.
            let joins = before
                .iter()
                .take_while(|call| call.name == "join the control group");
            assert_eq!(joins.count(), needs.cgroups);
            let inside = plan.level == Level::Namespace;
            assert_eq!(place(before, "mount /proc").is_some(), inside);
            assert_eq!(
                before.iter().any(|call| call.name.starts_with("mount ")),
                inside
            );
            assert_eq!(place(before, "set loopback up").is_some(), needs.loopback);
            // In a user namespace without a map nothing may be mounted, and a domain forbids it.
            if plan.user_namespace {
                assert!(place(before, "write /proc/self/gid_map") < place(before, "mount /proc"));
            }
            if needs.worker_domain {
                assert_eq!(
                    before.last(),
                    Some(&restrict("landlock_restrict_self", CGROUPS + needs.cgroups))
                );
            }
            let flags = [
                (libc::CLONE_NEWPID, inside),
                (libc::CLONE_NEWNS, inside),
                (libc::CLONE_NEWIPC, inside),
                (libc::CLONE_NEWUSER, plan.user_namespace),
                (libc::CLONE_NEWNET, needs.loopback),
            ];
            let wanted = flags.iter().filter(|(_, wanted)| *wanted);
            let wanted = wanted.fold(0, |flags, (flag, _)| flags | flag);
            assert_eq!(setup.clone_flags, wanted.cast_unsigned());
            assert_eq!(setup.walled, plan.is_walled());
        });
    }

    /// As the kernel would: with the key each call passes the filter, and none that passes by itself takes the key along.
    #[test]
    fn the_filter_lets_every_call_pass_and_the_key_is_where_it_is_needed() {
        each(|plan, needs| {
            let policy = Policy {
                key: KEY,
                loopback: needs.loopback,
                unix_sockets: plan.level == Level::Namespace,
                copies: None,
            };
            for call in Setup::new(plan, needs).lists.iter().flatten() {
                if [WRITE_FILE, LOOPBACK_UP, LEND_LISTENER].contains(&call.number) {
                    assert_eq!(
                        call.args[5] == Arg::Key,
                        call.number != WRITE_FILE,
                        "{}",
                        call.name
                    );
                    continue;
                }
                assert!(!call.args[..5].contains(&Arg::Key), "{}", call.name);
                let arguments = |key: u64| {
                    call.args.clone().map(|arg| match arg {
                        Arg::Number(number) => number,
                        Arg::Bytes(_) => 0x7fff_0000_1000,
                        Arg::Fd(_) => 9,
                        Arg::Key => key,
                    })
                };
                assert_eq!(
                    answer(&policy, call.number, arguments(KEY)),
                    RET_ALLOW,
                    "{}",
                    call.name
                );
                // prctl's options differ in whether they need it.
                if i64::from(call.number) != libc::SYS_prctl {
                    assert_eq!(
                        answer(&policy, call.number, arguments(0)) == RET_ALLOW,
                        call.args[5] != Arg::Key,
                        "{}",
                        call.name
                    );
                }
            }
        });
    }

    fn u32_at(order: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(order[at..at + 4].try_into().unwrap())
    }

    fn u64_at(order: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(order[at..at + 8].try_into().unwrap())
    }

    /// Reads an order as `cells.rs` does.
    #[test]
    fn an_order_is_laid_out_as_the_harness_reads_it_and_fits_its_buffer() {
        let mut largest = 0;
        each(|plan, needs| {
            let setup = Setup::new(plan, needs);
            let order = setup.encode();
            largest = largest.max(order.len());
            assert_eq!(u64_at(&order, 0), needs.worker);
            assert_eq!(u32_at(&order, 8), setup.clone_flags);
            let hidden = u32::from(plan.level != Level::None) << 1;
            assert_eq!(u32_at(&order, 12), u32::from(plan.is_walled()) | hidden);
            let (at, bytes) = (u32_at(&order, 16) as usize, u32_at(&order, 20) as usize);
            assert_eq!(order[at..at + bytes], setup.directories);
            let counts: Vec<usize> = (0..3)
                .map(|list| u32_at(&order, 24 + list * 4) as usize)
                .collect();
            assert_eq!(counts, setup.lists.each_ref().map(Vec::len));
            for (index, call) in setup.lists.iter().flatten().enumerate() {
                let at = HEADER_BYTES + index * CALL_BYTES;
                assert_eq!(u32_at(&order, at), call.number, "{}", call.name);
                for (place, arg) in call.args.iter().enumerate() {
                    let value = u64_at(&order, at + 8 + place * 8);
                    match (u32_at(&order, at + 4) >> (place * 4) & 15, arg) {
                        (0, Arg::Number(number)) => assert_eq!(value, *number),
                        (1, Arg::Bytes(bytes)) => {
                            let at = usize::try_from(value).unwrap();
                            assert_eq!(order[at..at + bytes.len()], *bytes);
                        }
                        (2, Arg::Fd(fd)) => assert_eq!(value, *fd as u64),
                        (3, Arg::Key) => assert_eq!(value, 0),
                        (kind, arg) => panic!("{}: kind {kind} of {arg:?}", call.name),
                    }
                }
            }
        });
        assert!(largest > 3 * PATH_BYTES_MAX, "{largest}");
        assert!(largest <= ORDER_BYTES_MAX, "{largest}");
        let native = include_str!("../executor/harness/cells.rs");
        for (name, value) in [
            ("ORDER_BYTES_MAX: usize", "24 * 1024"),
            ("HEADER_BYTES: usize", "40"),
            ("CALL_BYTES: usize", "56"),
            ("CONTROL_BEFORE: usize", "4"),
        ] {
            let line = format!("const {name} = {value};");
            assert!(native.contains(&line), "cells.rs has no {line}");
        }
        let calls = include_str!("../executor/harness/calls.rs");
        for (name, value) in [("WALLED", WALLED), ("HIDDEN", HIDDEN), ("BY_UID", BY_UID)] {
            let line = format!("const {name}: u32 = {value};");
            assert!(calls.contains(&line), "calls.rs has no {line}");
        }
    }

    #[test]
    fn a_call_that_failed_is_named_by_its_place() {
        each(|plan, needs| {
            let setup = Setup::new(plan, needs);
            for (list, (calls, who)) in setup.lists.iter().zip(LISTS).enumerate() {
                let list = u8::try_from(list).unwrap();
                for (index, call) in calls.iter().enumerate() {
                    let named = setup.name(list, u32::try_from(index).unwrap());
                    assert_eq!(named, format!("{} ({who})", call.name));
                }
                let beyond = u32::try_from(calls.len()).unwrap();
                assert_eq!(
                    setup.name(list, beyond),
                    "start of the worker or its reaper"
                );
            }
            assert_eq!(setup.name(3, 0), "start of the worker or its reaper");
        });
    }
}
