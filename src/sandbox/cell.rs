//! A cell's setup, as data: which system calls the reaper and the worker make, in which order, before any code of the episode runs.
//!
//! Composed here, by the warden, from the plan and what the one cell needs; carried out by the template's forks
//! (`src/executor/harness/cells.rs`), which know nothing of what the calls are for. A call that fails is told by its place, and
//! [`Setup::name`] says which it was. Nothing is skipped.
//!
//! An order, little-endian: worker (u64), clone flags (u32), flags (u32; 1: walled), offset and size of the directories' text (u32 each),
//! the sizes of the three lists (u32 each), 4 bytes unused; then each call: number (u32), the kinds of its arguments (u32, 4 bits each),
//! six arguments (u64 each); then what the arguments point to.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::order::WorkerId;
use super::plan::{Level, Plan};
use crate::limits::CellLimits;

/// The largest order: `ORDER_BYTES_MAX` of `cells.rs`.
pub(crate) const ORDER_BYTES_MAX: usize = 8192;
/// Of an order's head, and of each call.
const HEADER_BYTES: usize = 40;
const CALL_BYTES: usize = 56;
/// In place of a call's number: write a file (path, text, size), or set the loopback interface up (`struct ifreq`).
const WRITE_FILE: u32 = u32::MAX;
const LOOPBACK_UP: u32 = u32::MAX - 1;
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
}

impl Ask {
    /// The inverse of `as u8`, and of `as i32`, which is the signal.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Interrupt, Self::Freeze, Self::Thaw]
            .into_iter()
            .find(|ask| *ask as u8 == number)
    }
}

/// Where an episode's files are in a cell of level `namespace`.
const WORKSPACE: &str = "/workspace";
const TEMPORARY: &str = "/tmp";
const SHARED_MEMORY: &str = "/dev/shm";
/// The uid of a worker inside its user namespace.
const INNER_UID: u32 = 1000;
/// What `ps` calls a reaper.
const REAPER_NAME: &str = "reaper";
/// Inodes of a cell's file system that are not the episode's: its root and the three directories.
const OWN_INODES: u32 = 4;

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

/// What one cell needs beside the plan.
#[derive(Debug, Clone)]
pub(crate) struct CellNeeds<'a> {
    pub(crate) worker: WorkerId,
    /// Level `landlock` and `none`: the directory that was made for it.
    pub(crate) workspace: &'a OsStr,
    /// Its own uid, at layer `uid`.
    pub(crate) uid: Option<u32>,
    pub(crate) limits: CellLimits,
    /// A network of its own with loopback.
    pub(crate) loopback: bool,
    /// How many descriptors of control groups follow the first three.
    pub(crate) cgroups: usize,
    /// Whether rulesets for the reaper's and the worker's Landlock domain follow those.
    pub(crate) domains: bool,
}

/// A cell's setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    worker: WorkerId,
    clone_flags: u32,
    walled: bool,
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
            _ => "fork of the worker".to_owned(),
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
        put(&mut order, usize::from(self.walled));
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
        calls.extend(files(needs));
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
    if needs.domains {
        calls.push(restrict("landlock_restrict_self", CGROUPS + needs.cgroups));
    }
    calls
}

/// One file system for all that the episode writes, so that one size bounds it, seen at three places.
fn files(needs: &CellNeeds<'_>) -> Vec<Call> {
    let CellLimits {
        workspace_bytes,
        workspace_inodes,
        ..
    } = needs.limits;
    let inodes = workspace_inodes.saturating_add(OWN_INODES);
    let mut calls = vec![mount(
        "episode",
        WORKSPACE,
        "tmpfs",
        libc::MS_NOSUID | libc::MS_NODEV,
        &format!("size={workspace_bytes},nr_inodes={inodes},mode=755"),
    )];
    let places = [
        ("/workspace/tmp", TEMPORARY),
        ("/workspace/shm", SHARED_MEMORY),
        // The last, because it covers the file system's root.
        ("/workspace/workspace", WORKSPACE),
    ];
    for (source, _) in places {
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
    let mut calls = vec![
        call("setsid", libc::SYS_setsid, []),
        // A branch's own orphans come to its root: see `is_branch` in ARCHITECTURE.md.
        prctl("PR_SET_CHILD_SUBREAPER", libc::PR_SET_CHILD_SUBREAPER, 1),
    ];
    let dup = |name: &str, from: usize, to: u64, flags: i32| {
        let args = [Arg::Fd(from), Arg::Number(to), number(flags)];
        call(format!("dup3 {name}"), libc::SYS_dup3, args)
    };
    calls.push(dup("control", CONTROL, CONTROL_BEFORE, libc::O_CLOEXEC));
    calls.push(dup("stdout", STDOUT, 1, 0));
    calls.push(dup("stderr", STDERR, 2, 0));
    calls.push(rlimit("RLIMIT_CORE", libc::RLIMIT_CORE, 0));
    if walls {
        calls.push(rlimit("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE, 0));
        calls.push(rlimit("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK, 0));
    }
    calls.push(call("umask", libc::SYS_umask, [number(0o022)]));
    if let Some(uid) = needs.uid {
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
        calls.push(capset(0));
    }
    if needs.domains {
        calls.push(restrict(
            "landlock_restrict_self",
            CGROUPS + needs.cgroups + 1,
        ));
    }
    calls.push(close_range(CONTROL_BEFORE + 1));
    calls
}

fn close_range(first: u64) -> Call {
    let args = [
        Arg::Number(first),
        Arg::Number(u64::from(u32::MAX)),
        number(0),
    ];
    call("close_range", libc::SYS_close_range, args)
}

/// By the reaper, once the worker is there.
fn after(plan: &Plan, needs: &CellNeeds<'_>) -> Vec<Call> {
    let mut calls = vec![
        // For `ps`: all else of it is a copy of its template's.
        call(
            "prctl PR_SET_NAME",
            libc::SYS_prctl,
            [number(libc::PR_SET_NAME), text(REAPER_NAME)],
        ),
        close_range(CONTROL_BEFORE),
    ];
    if plan.level != Level::None {
        calls.push(prctl("PR_SET_DUMPABLE", libc::PR_SET_DUMPABLE, 0));
        calls.push(capset(if needs.uid.is_some() { CAP_KILL } else { 0 }));
    }
    calls
}
