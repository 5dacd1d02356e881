//! The system call filter of templates, and so of reapers, workers and all that user code starts: an allow-list, as data.
//!
//! [`CALLS`] has a line for each call that is answered on purpose, with who needs it. Every other call, known or not yet invented, fails
//! with ENOSYS, which libraries take for an old kernel. What a program is refused by policy fails with EPERM. Calls of another
//! architecture's interface kill the process.
//!
//! **The setup key.** The filter is installed once, in the template, and inherited. Reapers and workers still have to mount, change
//! their uid and so on before user code runs. Those calls use at most five arguments; the filter allows them only if the register of
//! the sixth, which the kernel ignores, holds the template's secret random key. A worker wipes the key before user code runs. It also
//! drops its capabilities: the key is a second wall.
//!
//! **The signal broker.** Where nothing else keeps signals within a cell, or within its branches, its worker installs a second filter,
//! [`ask_for_signals`], whose listener is the warden: see [`broker`](super::broker).
//!
//! A filter sees numbers only: no path, no structure behind a pointer. Arguments that the kernel takes as 32-bit integers are compared
//! as such, because a program may put anything in the other half.

use super::bpf::{self, Block, Condition, INSTRUCTIONS_MAX, Instruction, and, either, end, load};
use super::plan::CopyWay;

/// What one filter allows beyond the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The setup key: random, one for each template.
    pub(crate) key: u64,
    /// TCP and UDP sockets, for a cell that has a network of its own. (On the host's they would reach the host.)
    pub(crate) loopback: bool,
    /// Level `namespace`, with a /proc of the cell's own, and sockets with names in the file system or abstract ones, which `multiprocessing.Manager` needs. Only for level `namespace`: Landlock
    /// doesn't keep a program from connecting to a host's socket whose path it knows (before ABI 9), so there must be none to see.
    pub(crate) unix_sockets: bool,
    /// Processes may become copies of a worker. Where each gets a uid of its own, the calls that this takes wait for the warden's answer, if they say that they are for that
    /// ([`COPY_MARK`]).
    pub(crate) copies: Option<CopyWay>,
}

/// In the key's place: the call is one by which a new copy of a worker becomes what it is to be. It is no secret: what is done about it is the warden's answer.
pub(crate) const COPY_MARK: u64 = 0x7970_6f63_6b72_616d;

/// What is done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// It runs.
    Allow,
    /// It fails with this errno.
    Errno(i32),
    /// It runs with the setup key, and fails with EPERM without.
    Keyed,
    /// It runs with the setup key, waits for the warden's answer with the mark of copies if the policy has such with uids, and fails with EPERM else.
    Gated,
    /// As [`Gated`](Self::Gated), and with the mark it is left to the filter of [`ask_for_signals`] if the policy has copies without uids.
    Asks,
    /// It runs if the policy has copies, or with the setup key, and fails with EPERM else.
    Copies,
    /// It runs if the policy has copies without uids, or with the setup key, and fails with EPERM else.
    Descent,
    /// It runs if the policy has copies without uids where there is a /proc, or with the setup key, and fails with EPERM else.
    CloseMemory,
    /// It runs if the policy has loopback, otherwise it fails with EPERM.
    Loopback,
    /// It runs if the policy has sockets with names, otherwise it fails with EPERM.
    UnixSockets,
    /// It runs if the policy has loopback or sockets with names, otherwise it fails with EPERM.
    AnySockets,
}

/// What can be asked of an argument, by its index from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// Its low 32 bits, of which only those of the mask count, are one of these.
    OneOf(u8, u32, &'static [u32]),
    /// Its low 32 bits have none of these.
    NoneOf(u8, u32),
    /// All 64 bits are zero.
    Null(u8),
}

/// What is done if all tests hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    tests: &'static [Test],
    act: Act,
}

/// What is done about a call, by its arguments: the first case that holds, otherwise the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    cases: &'static [Case],
    otherwise: Act,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its number on x86-64. None: it doesn't exist there.
    x86_64: Option<u32>,
    /// Its number on arm64.
    aarch64: Option<u32>,
    /// Its name, as in the manual.
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
    /// Who needs it, or why it is refused.
    pub(crate) who: &'static str,
}

/// An architecture whose calls can be filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arch {
    #[cfg(any(test, target_arch = "x86_64"))]
    X86_64,
    #[cfg(any(test, target_arch = "aarch64"))]
    Aarch64,
}

impl Arch {
    /// The one that this program is built for.
    #[cfg(target_arch = "x86_64")]
    const THIS: Self = Self::X86_64;
    /// The one that this program is built for.
    #[cfg(target_arch = "aarch64")]
    const THIS: Self = Self::Aarch64;

    /// AUDIT_ARCH_* of linux/audit.h.
    const fn audit(self) -> u32 {
        match self {
            #[cfg(any(test, target_arch = "x86_64"))]
            Self::X86_64 => 0xC000_003E,
            #[cfg(any(test, target_arch = "aarch64"))]
            Self::Aarch64 => 0xC000_00B7,
        }
    }

    const fn number(self, call: &Call) -> Option<u32> {
        match self {
            #[cfg(any(test, target_arch = "x86_64"))]
            Self::X86_64 => call.x86_64,
            #[cfg(any(test, target_arch = "aarch64"))]
            Self::Aarch64 => call.aarch64,
        }
    }
}

// === answers of a filter: SECCOMP_RET_* of linux/seccomp.h ===

const RET_KILL_PROCESS: u32 = 0x8000_0000;
const RET_USER_NOTIF: u32 = 0x7fc0_0000;
const RET_ALLOW: u32 = 0x7fff_0000;
const RET_ERRNO: u32 = 0x0005_0000;

const fn errno(errno: i32) -> u32 {
    // The kernel takes 16 bits.
    RET_ERRNO | (errno.unsigned_abs() & 0xffff)
}

// === offsets in struct seccomp_data ===

const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// Where an argument's low half is; the high one is 4 bytes on.
const fn argument(index: u8) -> u32 {
    16 + 8 * index as u32
}

/// The argument that holds the setup key.
const KEY_ARGUMENT: u8 = 5;
/// The bit of call numbers of the x32 interface: __X32_SYSCALL_BIT.
const X32: u32 = 0x4000_0000;

/// The filter as `struct sock_filter[]` bytes (8 bytes each), for this architecture.
pub(crate) fn compile(policy: &Policy) -> Vec<u8> {
    let program = program(policy, Arch::THIS, errno(libc::ENOSYS));
    debug_assert!(
        program.len() <= INSTRUCTIONS_MAX,
        "{} instructions",
        program.len()
    );
    bpf::bytes(&program)
}

/// The calls that send signals to what a number names, as far as [`CALLS`] lets them through.
pub(crate) const SIGNAL_CALLS: [&str; 5] = [
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
];

/// By which a worker that is to be copied asks for what it can't see of itself.
const ASK_CALL: &str = "setfsuid";

/// The filter of a cell whose signals the broker delivers, as bytes: the calls that send them wait for the listener's answer, and with the mark of
/// copies the one by which a worker asks for what it can't see of itself. It is beside the one of [`compile`], which refuses what this one lets through.
///
/// Also for `kill(0)`: the caller's process group never leaves its session, and a worker begins a session of its own before user code, so that all
/// members are of one cell; but a copy of a worker may have made no session of its own.
pub(crate) fn ask_for_signals() -> Vec<u8> {
    bpf::bytes(&asking(Arch::THIS))
}

fn asking(arch: Arch) -> Block {
    let asked = |call: &&Call| SIGNAL_CALLS.contains(&call.name) || call.name == ASK_CALL;
    let block = CALLS
        .iter()
        .filter(asked)
        .fold(end(RET_ALLOW), |otherwise, call| {
            let Some(number) = arch.number(call) else {
                return otherwise;
            };
            let ask = match call.name {
                ASK_CALL => {
                    both_halves(KEY_ARGUMENT, COPY_MARK, end(RET_USER_NOTIF), end(RET_ALLOW))
                }
                _ => end(RET_USER_NOTIF),
            };
            either(Condition::Equal(number), ask, otherwise)
        });
    load(NUMBER, block)
}

/// The filter for an architecture. `unknown` is the answer to calls that the table doesn't have.
fn program(policy: &Policy, arch: Arch, unknown: u32) -> Vec<Instruction> {
    // What to do from each number on, up to the next one of the list; neighbours with the same answer are one.
    let unknown = end(unknown);
    let mut calls: Vec<(u32, Block)> = CALLS
        .iter()
        .filter_map(|call| Some((arch.number(call)?, rule(policy, &call.rule))))
        .collect();
    calls.sort_by_key(|(number, _)| *number);
    let mut spans: Vec<(u32, Block)> = vec![(0, unknown.clone())];
    let mut next = 0;
    let mut add = |from: u32, block: Block| match spans.last_mut() {
        Some((start, last)) if *start == from => *last = block,
        Some((_, last)) if *last == block => {}
        _ => spans.push((from, block)),
    };
    for (number, block) in calls {
        if number > next {
            add(next, unknown.clone());
        }
        add(number, block);
        next = number + 1;
    }
    add(next, unknown);
    if arch == Arch::X86_64 {
        add(X32, end(RET_KILL_PROCESS));
    }
    load(
        ARCH,
        either(
            Condition::Equal(arch.audit()),
            load(NUMBER, search(&spans)),
            end(RET_KILL_PROCESS),
        ),
    )
}

/// Finds the span that the accumulator is in, by halves.
fn search(spans: &[(u32, Block)]) -> Block {
    let (low, high) = spans.split_at(spans.len() / 2);
    match (low, high) {
        ([], [(_, block)]) => block.clone(),
        (_, [(start, _), ..]) => either(Condition::AtLeast(*start), search(high), search(low)),
        // No spans at all: there is always the first.
        (_, []) => end(RET_KILL_PROCESS),
    }
}

fn rule(policy: &Policy, rule: &Rule) -> Block {
    rule.cases
        .iter()
        .rev()
        .fold(act(policy, rule.otherwise), |otherwise, case| {
            case.tests
                .iter()
                .rev()
                .fold(act(policy, case.act), |yes, test| {
                    check(*test, yes, otherwise.clone())
                })
        })
}

fn check(test: Test, yes: Block, no: Block) -> Block {
    match test {
        Test::OneOf(index, mask, values) => {
            let chain = values.iter().rev().fold(no, |no, value| {
                either(Condition::Equal(*value), yes.clone(), no)
            });
            load(
                argument(index),
                if mask == u32::MAX {
                    chain
                } else {
                    and(mask, chain)
                },
            )
        }
        Test::NoneOf(index, bits) => {
            load(argument(index), either(Condition::AnyBit(bits), no, yes))
        }
        Test::Null(index) => both_halves(index, 0, yes, no),
    }
}

/// Compares all 64 bits of an argument.
fn both_halves(index: u8, value: u64, yes: Block, no: Block) -> Block {
    let [low, high] = halves(value);
    let high = load(
        argument(index) + 4,
        either(Condition::Equal(high), yes, no.clone()),
    );
    load(argument(index), either(Condition::Equal(low), high, no))
}

/// The low and the high 32 bits.
fn halves(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

/// A call that runs with the key, and of which something else becomes with the mark of copies.
fn keyed_or_marked(key: u64, marked: u32) -> Block {
    let marked = both_halves(
        KEY_ARGUMENT,
        COPY_MARK,
        end(marked),
        end(errno(libc::EPERM)),
    );
    both_halves(KEY_ARGUMENT, key, end(RET_ALLOW), marked)
}

fn act(policy: &Policy, act: Act) -> Block {
    let allowed_if = |condition| {
        end(if condition {
            RET_ALLOW
        } else {
            errno(libc::EPERM)
        })
    };
    match act {
        Act::Allow => end(RET_ALLOW),
        Act::Errno(number) => end(errno(number)),
        Act::Keyed => both_halves(
            KEY_ARGUMENT,
            policy.key,
            end(RET_ALLOW),
            end(errno(libc::EPERM)),
        ),
        Act::Gated | Act::Asks | Act::CloseMemory if policy.copies == Some(CopyWay::Uid) => {
            keyed_or_marked(policy.key, RET_USER_NOTIF)
        }
        Act::Asks if policy.copies == Some(CopyWay::Descent) => {
            keyed_or_marked(policy.key, RET_ALLOW)
        }
        Act::Copies if policy.copies.is_some() => end(RET_ALLOW),
        Act::Descent if policy.copies == Some(CopyWay::Descent) => end(RET_ALLOW),
        Act::CloseMemory if policy.copies == Some(CopyWay::Descent) && policy.unix_sockets => {
            end(RET_ALLOW)
        }
        Act::Gated | Act::Asks | Act::Copies | Act::Descent | Act::CloseMemory => {
            self::act(policy, Act::Keyed)
        }
        Act::Loopback => allowed_if(policy.loopback),
        Act::UnixSockets => allowed_if(policy.unix_sockets),
        Act::AnySockets => allowed_if(policy.loopback || policy.unix_sockets),
    }
}

// === rules ===

const ALL: u32 = u32::MAX;

const fn always(otherwise: Act) -> Rule {
    Rule {
        cases: &[],
        otherwise,
    }
}

const ALLOW: Rule = always(Act::Allow);
const KEYED: Rule = always(Act::Keyed);
const GATED: Rule = always(Act::Gated);
const ASKS: Rule = always(Act::Asks);
const SOCKETS: Rule = always(Act::AnySockets);
const NOT_HERE: Rule = always(Act::Errno(libc::ENOSYS));
const REFUSED: Rule = always(Act::Errno(libc::EPERM));
const NO_XATTR: Rule = always(Act::Errno(libc::ENOTSUP));

/// Allowed if all tests hold.
macro_rules! only_if {
    ($otherwise:expr; $($test:expr),+) => {
        Rule { cases: &[Case { tests: &[$($test),+], act: Act::Allow }], otherwise: $otherwise }
    };
}

const EPERM: Act = Act::Errno(libc::EPERM);

/// CLONE_PARENT, CLONE_CHILD_CLEARTID and CLONE_CHILD_SETTID, and SIGCHLD: by which a worker makes a copy of itself, the reaper's child. Another process that is made
/// so is the reaper's as every orphan is, and has the episode's uid.
const CLONE_COPY: u32 = 0x8000 | 0x20_0000 | 0x100_0000 | 17;
/// The flags of clone(2) that fork and posix_spawn use, and the signal at the end. Not among them: namespaces, CLONE_PARENT (the
/// child would be the reaper's), CLONE_PTRACE, CLONE_UNTRACED, CLONE_IO, CLONE_PIDFD; and what makes processes share descriptors or directories: a copy of a worker has
/// to have its own.
const CLONE_FLAGS: u32 = 0xff // CSIGNAL
    | 0x100 // CLONE_VM
    | 0x4000 // CLONE_VFORK
    | 0x8_0000 // CLONE_SETTLS
    | 0x10_0000 // CLONE_PARENT_SETTID
    | 0x20_0000 // CLONE_CHILD_CLEARTID
    | 0x40_0000 // CLONE_DETACHED
    | 0x100_0000; // CLONE_CHILD_SETTID
const CLONE_THREAD: u32 = 0x1_0000;
/// Those of threads.
const CLONE_THREAD_FLAGS: u32 = CLONE_FLAGS
    | CLONE_THREAD
    | 0x200 // CLONE_FS
    | 0x400 // CLONE_FILES
    | 0x800 // CLONE_SIGHAND
    | 0x4_0000; // CLONE_SYSVSEM
const CLONE: Rule = Rule {
    cases: &[
        Case {
            tests: &[Test::NoneOf(0, !CLONE_FLAGS)],
            act: Act::Allow,
        },
        Case {
            tests: &[
                Test::OneOf(0, CLONE_THREAD, &[CLONE_THREAD]),
                Test::NoneOf(0, !CLONE_THREAD_FLAGS),
            ],
            act: Act::Allow,
        },
        Case {
            tests: &[Test::OneOf(0, ALL, &[CLONE_COPY, 0x8000 | 17])],
            act: Act::Copies,
        },
    ],
    otherwise: Act::Keyed,
};

/// F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_GETOWN, F_GETSIG, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
/// F_GETLEASE, F_DUPFD_QUERY, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS. Not: F_SETOWN and F_SETSIG (signals to others), F_SETLEASE and
/// F_NOTIFY (watching others), F_SETPIPE_SZ (memory), F_ADD_SEALS.
const FCNTL: Rule = only_if!(EPERM;
    Test::OneOf(1, ALL, &[0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 36, 37, 38, 1025, 1027, 1030, 1032, 1034]));

/// TIOCSTI and TIOCLINUX put input into terminals. Allowed: TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, and PROCMAP_QUERY,
/// which tells of a mapping what the file's text tells.
/// SIOCSIFFLAGS sets a cell's loopback interface up. All others answer as a file that knows no such operation.
const IOCTL: Rule = Rule {
    cases: &[
        Case {
            tests: &[Test::OneOf(
                1,
                ALL,
                &[
                    0x5401,
                    0x802c_542a,
                    0x540f,
                    0x5413,
                    0x541b,
                    0x5421,
                    0x5450,
                    0x5451,
                    0xc068_6611,
                ],
            )],
            act: Act::Allow,
        },
        Case {
            tests: &[Test::OneOf(1, ALL, &[0x5412, 0x541c])],
            act: EPERM,
        },
        Case {
            tests: &[Test::OneOf(1, ALL, &[0x8914])],
            act: Act::Keyed,
        },
    ],
    otherwise: Act::Errno(libc::ENOTTY),
};

/// Regular files (no type is that too), fifos. Not: devices, sockets.
const MAKEABLE: &[u32] = &[0, 0o100_000, 0o010_000];
const MKNOD: Rule = only_if!(EPERM; Test::OneOf(1, 0o170_000, MAKEABLE));
const MKNODAT: Rule = only_if!(EPERM; Test::OneOf(2, 0o170_000, MAKEABLE));

/// Not MADV_MERGEABLE: the answer is that of a kernel without it.
const MADVISE: Rule = Rule {
    cases: &[Case {
        tests: &[Test::OneOf(2, ALL, &[12])],
        act: Act::Errno(libc::EINVAL),
    }],
    otherwise: Act::Allow,
};

/// ARCH_SET_FS, ARCH_GET_FS, ARCH_CET_STATUS and ARCH_SHSTK_STATUS. Others answer as an old kernel.
const ARCH_PRCTL: Rule =
    only_if!(Act::Errno(libc::EINVAL); Test::OneOf(0, ALL, &[0x1002, 0x1003, 0x3001, 0x5005]));

const OWN_PID: Rule = only_if!(EPERM; Test::OneOf(0, ALL, &[0]));
/// PRIO_PROCESS of oneself.
const SETPRIORITY: Rule = only_if!(EPERM; Test::OneOf(0, ALL, &[0]), Test::OneOf(1, ALL, &[0]));
/// IOPRIO_WHO_PROCESS of oneself.
const IOPRIO_SET: Rule = only_if!(EPERM; Test::OneOf(0, ALL, &[1]), Test::OneOf(1, ALL, &[0]));
const PRLIMIT: Rule = only_if!(Act::Keyed; Test::OneOf(0, ALL, &[0]));
const PERSONALITY: Rule = only_if!(EPERM; Test::OneOf(0, ALL, &[u32::MAX]));

/// PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_SECUREBITS,
/// PR_GET_TIMERSLACK, PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_THP_DISABLE, PR_SET_VMA.
const PRCTL: Rule = Rule {
    cases: &[
        Case {
            tests: &[Test::OneOf(
                0,
                ALL,
                &[2, 3, 7, 15, 16, 21, 23, 27, 30, 37, 38, 39, 42, 0x5356_4d41],
            )],
            act: Act::Allow,
        },
        // PR_SET_DUMPABLE, which a new uid takes.
        Case {
            tests: &[Test::OneOf(0, ALL, &[4]), Test::OneOf(1, ALL, &[1])],
            act: Act::Gated,
        },
        // PR_SET_CHILD_SUBREAPER, once and for all.
        Case {
            tests: &[Test::OneOf(0, ALL, &[36]), Test::OneOf(1, ALL, &[1])],
            act: Act::Descent,
        },
        // PR_SET_DUMPABLE, likewise: a worker that is copied, and its copies, let nobody of their user look into them. Where they get uids, only until they have those.
        Case {
            tests: &[Test::OneOf(0, ALL, &[4]), Test::OneOf(1, ALL, &[0])],
            act: Act::CloseMemory,
        },
    ],
    otherwise: Act::Keyed,
};

/// SOCK_TYPE_MASK of linux/net.h: the rest are flags.
const SOCKET_TYPE: u32 = 0xf;
/// AF_INET and AF_INET6, SOCK_STREAM and SOCK_DGRAM, the usual protocol, TCP or UDP (not MPTCP, which Landlock's TCP rules don't know);
/// AF_UNIX of every type.
const SOCKET: Rule = Rule {
    cases: &[
        Case {
            tests: &[
                Test::OneOf(0, ALL, &[2, 10]),
                Test::OneOf(1, SOCKET_TYPE, &[1, 2]),
                Test::OneOf(2, ALL, &[0, 6, 17]),
            ],
            act: Act::Loopback,
        },
        Case {
            tests: &[
                Test::OneOf(0, ALL, &[1]),
                Test::OneOf(1, SOCKET_TYPE, &[1, 2, 5]),
            ],
            act: Act::UnixSockets,
        },
    ],
    otherwise: EPERM,
};
/// AF_UNIX. An end of a pair of datagram sockets (also SOCK_RAW, which is taken for it) can send to any socket with a name, by sendmsg(2)
/// with an address that no filter sees (`unix_dgram_sendmsg` of net/unix/af_unix.c).
const SOCKETPAIR: Rule = Rule {
    cases: &[
        Case {
            tests: &[
                Test::OneOf(0, ALL, &[1]),
                Test::OneOf(1, SOCKET_TYPE, &[1, 5]),
            ],
            act: Act::Allow,
        },
        Case {
            tests: &[Test::OneOf(0, ALL, &[1]), Test::OneOf(1, SOCKET_TYPE, &[2])],
            act: Act::UnixSockets,
        },
    ],
    otherwise: EPERM,
};
const SENDTO: Rule = Rule {
    cases: &[Case {
        tests: &[Test::Null(4)],
        act: Act::Allow,
    }],
    otherwise: Act::AnySockets,
};
/// SOL_SOCKET: SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_LINGER, SO_REUSEPORT, SO_PASSCRED, and times out. Beside a
/// network also SO_SNDBUF, SO_RCVBUF; TCP_NODELAY, TCP_CORK, keep-alive times, TCP_QUICKACK, TCP_USER_TIMEOUT; IPV6_V6ONLY.
const SETSOCKOPT: Rule = Rule {
    cases: &[
        Case {
            tests: &[
                Test::OneOf(1, ALL, &[1]),
                Test::OneOf(2, ALL, &[2, 6, 9, 10, 13, 15, 16, 20, 21]),
            ],
            act: Act::Allow,
        },
        Case {
            tests: &[Test::OneOf(1, ALL, &[1]), Test::OneOf(2, ALL, &[7, 8])],
            act: Act::Loopback,
        },
        Case {
            tests: &[
                Test::OneOf(1, ALL, &[6]),
                Test::OneOf(2, ALL, &[1, 3, 4, 5, 6, 12, 18]),
            ],
            act: Act::Loopback,
        },
        Case {
            tests: &[Test::OneOf(1, ALL, &[41]), Test::OneOf(2, ALL, &[26])],
            act: Act::Loopback,
        },
    ],
    otherwise: EPERM,
};

// === the table ===

/// In place of a number: the architecture has no such call.
const NO: i32 = -1;

const fn call(
    x86_64: i32,
    aarch64: i32,
    name: &'static str,
    rule: Rule,
    who: &'static str,
) -> Call {
    const fn number(number: i32) -> Option<u32> {
        if number == NO {
            None
        } else {
            Some(number.unsigned_abs())
        }
    }
    Call {
        x86_64: number(x86_64),
        aarch64: number(aarch64),
        name,
        rule,
        who,
    }
}

/// Every call that is answered on purpose: its number on x86-64, its number on arm64, its name, its rule, who needs it.
#[rustfmt::skip]
pub(crate) const CALLS: &[Call] = &[
    // === Files that are open ===
    call(0, 63, "read", ALLOW, "CPython: every file object"),
    call(1, 64, "write", ALLOW, "CPython: every file object"),
    call(3, 57, "close", ALLOW, "CPython: every file object"),
    call(8, 62, "lseek", ALLOW, "CPython: every file object"),
    call(5, 80, "fstat", ALLOW, "CPython: every file object"),
    call(19, 65, "readv", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(20, 66, "writev", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(17, 67, "pread64", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(18, 68, "pwrite64", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(295, 69, "preadv", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(296, 70, "pwritev", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(327, 286, "preadv2", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(328, 287, "pwritev2", ALLOW, "os.readv and its kin, sqlite, musl's stdio"),
    call(32, 23, "dup", ALLOW, "os.dup, shells' redirections, subprocess"),
    call(33, NO, "dup2", ALLOW, "os.dup, shells' redirections, subprocess"),
    call(292, 24, "dup3", ALLOW, "os.dup, shells' redirections, subprocess"),
    call(22, NO, "pipe", ALLOW, "subprocess, multiprocessing, shells"),
    call(293, 59, "pipe2", ALLOW, "subprocess, multiprocessing, shells"),
    call(72, 25, "fcntl", FCNTL, "CPython: close-on-exec, non-blocking; sqlite: record locks"),
    call(16, 29, "ioctl", IOCTL, "CPython: isatty, non-blocking, close-on-exec; multiprocessing: FIONREAD"),
    call(73, 32, "flock", ALLOW, "mailbox, file locks of pip, matplotlib, filelock; on shared read-only files a covert channel that is accepted"),
    call(77, 46, "ftruncate", ALLOW, "os.truncate, os.posix_fallocate, mmap, sqlite"),
    call(76, 45, "truncate", ALLOW, "os.truncate, os.posix_fallocate, mmap, sqlite"),
    call(285, 47, "fallocate", ALLOW, "os.truncate, os.posix_fallocate, mmap, sqlite"),
    call(74, 82, "fsync", ALLOW, "sqlite, dbm, os.fsync"),
    call(75, 83, "fdatasync", ALLOW, "sqlite, dbm, os.fsync"),
    call(221, 223, "fadvise64", ALLOW, "os.posix_fadvise, coreutils"),
    call(326, 285, "copy_file_range", ALLOW, "os.copy_file_range, cp; between files only, no page of one ends in a pipe"),
    call(217, 61, "getdents64", ALLOW, "os.listdir, os.scandir, ls"),
    // === Files by name ===
    call(2, NO, "open", ALLOW, "musl, static programs"),
    call(257, 56, "openat", ALLOW, "everything"),
    call(85, NO, "creat", ALLOW, "GNU tar, by glibc's creat"),
    call(4, NO, "stat", ALLOW, "musl, older C libraries"),
    call(6, NO, "lstat", ALLOW, "musl, older C libraries"),
    call(21, NO, "access", ALLOW, "musl, older C libraries"),
    call(89, NO, "readlink", ALLOW, "musl, older C libraries"),
    call(262, 79, "newfstatat", ALLOW, "CPython's import system, os.stat, os.access, ls"),
    call(332, 291, "statx", ALLOW, "CPython's import system, os.stat, os.access, ls"),
    call(269, 48, "faccessat", ALLOW, "CPython's import system, os.stat, os.access, ls"),
    call(439, 439, "faccessat2", ALLOW, "CPython's import system, os.stat, os.access, ls"),
    call(267, 78, "readlinkat", ALLOW, "CPython's import system, os.stat, os.access, ls"),
    call(79, 17, "getcwd", ALLOW, "os.getcwd, subprocess with cwd"),
    call(80, 49, "chdir", ALLOW, "os.getcwd, subprocess with cwd"),
    call(81, 50, "fchdir", ALLOW, "os.getcwd, subprocess with cwd"),
    call(83, NO, "mkdir", ALLOW, "os, tempfile, shutil.rmtree"),
    call(258, 34, "mkdirat", ALLOW, "os, tempfile, shutil.rmtree"),
    call(84, NO, "rmdir", ALLOW, "os, tempfile, shutil.rmtree"),
    call(87, NO, "unlink", ALLOW, "os, tempfile, shutil.rmtree"),
    call(263, 35, "unlinkat", ALLOW, "os, tempfile, shutil.rmtree"),
    call(82, NO, "rename", ALLOW, "os.replace, mv"),
    call(264, 38, "renameat", ALLOW, "os.replace, mv"),
    call(316, 276, "renameat2", ALLOW, "os.replace, mv"),
    call(86, NO, "link", ALLOW, "os.link, os.symlink, ln"),
    call(265, 37, "linkat", ALLOW, "os.link, os.symlink, ln"),
    call(88, NO, "symlink", ALLOW, "os.link, os.symlink, ln"),
    call(266, 36, "symlinkat", ALLOW, "os.link, os.symlink, ln"),
    call(90, NO, "chmod", ALLOW, "tempfile, shutil.copymode, chmod"),
    call(91, 52, "fchmod", ALLOW, "tempfile, shutil.copymode, chmod"),
    call(268, 53, "fchmodat", ALLOW, "tempfile, shutil.copymode, chmod"),
    call(452, 452, "fchmodat2", ALLOW, "tempfile, shutil.copymode, chmod"),
    call(92, NO, "chown", ALLOW, "os.chown, tarfile, cp -p; without capabilities it changes nothing that matters"),
    call(93, 55, "fchown", ALLOW, "os.chown, tarfile, cp -p; without capabilities it changes nothing that matters"),
    call(94, NO, "lchown", ALLOW, "os.chown, tarfile, cp -p; without capabilities it changes nothing that matters"),
    call(260, 54, "fchownat", ALLOW, "os.chown, tarfile, cp -p; without capabilities it changes nothing that matters"),
    call(132, NO, "utime", ALLOW, "os.utime, shutil.copystat, touch"),
    call(235, NO, "utimes", ALLOW, "os.utime, shutil.copystat, touch"),
    call(261, NO, "futimesat", ALLOW, "os.utime, shutil.copystat, touch"),
    call(280, 88, "utimensat", ALLOW, "os.utime, shutil.copystat, touch"),
    call(133, NO, "mknod", MKNOD, "os.mkfifo by C libraries that call it so"),
    call(259, 33, "mknodat", MKNODAT, "os.mkfifo, mkfifo"),
    call(95, 166, "umask", ALLOW, "os.umask, shells"),
    call(137, 43, "statfs", ALLOW, "os.statvfs, shutil.disk_usage, df"),
    call(138, 44, "fstatfs", ALLOW, "os.statvfs, shutil.disk_usage, df"),
    call(191, 8, "getxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(192, 9, "lgetxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(193, 10, "fgetxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(194, 11, "listxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(195, 12, "llistxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(196, 13, "flistxattr", ALLOW, "shutil.copystat, ls, cp"),
    call(188, 5, "setxattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    call(189, 6, "lsetxattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    call(190, 7, "fsetxattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    call(197, 14, "removexattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    call(198, 15, "lremovexattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    call(199, 16, "fremovexattr", NO_XATTR, "shutil.copystat, which takes the answer that the file system has none; their memory would not be counted to the workspace"),
    // === Memory ===
    call(9, 222, "mmap", ALLOW, "malloc, mmap, loading of libraries; with PROT_EXEC for ctypes' callbacks"),
    call(11, 215, "munmap", ALLOW, "malloc, mmap, loading of libraries, libffi"),
    call(25, 216, "mremap", ALLOW, "malloc, mmap, loading of libraries, libffi"),
    call(10, 226, "mprotect", ALLOW, "malloc, mmap, loading of libraries, libffi"),
    call(12, 214, "brk", ALLOW, "malloc, mmap, loading of libraries, libffi"),
    call(26, 227, "msync", ALLOW, "malloc, mmap, loading of libraries, libffi"),
    call(28, 233, "madvise", MADVISE, "malloc, mmap.madvise; not MADV_MERGEABLE, whose timing tells of others' pages"),
    call(239, 236, "get_mempolicy", ALLOW, "OpenBLAS, libnuma under torch: where memory is; reads only"),
    // === Processes and threads ===
    call(56, 220, "clone", CLONE, "fork, threads, subprocess; namespaces and other parents are for the setup of cells"),
    call(57, NO, "fork", ALLOW, "musl and static programs; glibc uses clone"),
    call(58, NO, "vfork", ALLOW, "musl and static programs; glibc uses clone"),
    call(59, 221, "execve", ALLOW, "subprocess, shells"),
    call(60, 93, "exit", ALLOW, "every process and thread"),
    call(231, 94, "exit_group", ALLOW, "every process and thread"),
    call(61, 260, "wait4", ALLOW, "subprocess, os.wait, asyncio"),
    call(247, 95, "waitid", ALLOW, "subprocess, os.wait, asyncio"),
    call(39, 172, "getpid", ALLOW, "CPython, threading.get_native_id"),
    call(110, 173, "getppid", ALLOW, "CPython, threading.get_native_id"),
    call(186, 178, "gettid", ALLOW, "CPython, threading.get_native_id"),
    call(121, 155, "getpgid", ALLOW, "subprocess with start_new_session, shells' jobs"),
    call(111, NO, "getpgrp", ALLOW, "subprocess with start_new_session, shells' jobs"),
    call(109, 154, "setpgid", ALLOW, "subprocess with start_new_session, shells' jobs"),
    call(124, 156, "getsid", ALLOW, "subprocess with start_new_session, shells' jobs"),
    call(112, 157, "setsid", ALLOW, "subprocess with start_new_session, shells' jobs"),
    call(102, 174, "getuid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(107, 175, "geteuid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(104, 176, "getgid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(108, 177, "getegid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(118, 148, "getresuid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(120, 150, "getresgid", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(115, 158, "getgroups", ALLOW, "CPython's start, os.getuid, tempfile, tarfile"),
    call(218, 96, "set_tid_address", ALLOW, "glibc: the start of a process and of a thread"),
    call(273, 99, "set_robust_list", ALLOW, "glibc: the start of a process and of a thread"),
    call(274, 100, "get_robust_list", ALLOW, "glibc: the start of a process and of a thread"),
    call(334, 293, "rseq", ALLOW, "glibc: the start of a process and of a thread"),
    call(158, NO, "arch_prctl", ARCH_PRCTL, "ld.so: the thread pointer, and whether there are shadow stacks"),
    call(202, 98, "futex", ALLOW, "locks of every library, CPython's own"),
    call(24, 124, "sched_yield", ALLOW, "os.cpu_count, OpenBLAS, OpenMP"),
    call(204, 123, "sched_getaffinity", ALLOW, "os.cpu_count, OpenBLAS, OpenMP"),
    call(145, 120, "sched_getscheduler", ALLOW, "os.sched_*, pthread_getattr_np; read only"),
    call(143, 121, "sched_getparam", ALLOW, "os.sched_*, pthread_getattr_np; read only"),
    call(146, 125, "sched_get_priority_max", ALLOW, "os.sched_*, pthread_getattr_np; read only"),
    call(147, 126, "sched_get_priority_min", ALLOW, "os.sched_*, pthread_getattr_np; read only"),
    call(148, 127, "sched_rr_get_interval", ALLOW, "os.sched_*, pthread_getattr_np; read only"),
    call(203, 122, "sched_setaffinity", OWN_PID, "os.sched_setaffinity(0), OpenMP, numactl; a pid would be a neighbour's"),
    call(144, 119, "sched_setscheduler", OWN_PID, "os.sched_setaffinity(0), OpenMP, numactl; a pid would be a neighbour's"),
    call(142, 118, "sched_setparam", OWN_PID, "os.sched_setaffinity(0), OpenMP, numactl; a pid would be a neighbour's"),
    call(140, 141, "getpriority", ALLOW, "os.nice, os.getpriority"),
    call(141, 140, "setpriority", SETPRIORITY, "os.nice, os.setpriority of the caller; others' would be a neighbour's"),
    call(252, 31, "ioprio_get", ALLOW, "ionice, psutil; reads only"),
    call(251, 30, "ioprio_set", IOPRIO_SET, "ionice, psutil, of the caller"),
    call(302, 261, "prlimit64", PRLIMIT, "resource, glibc's getrlimit; of others for the setup of cells"),
    call(97, 163, "getrlimit", ALLOW, "musl, older C libraries; of the caller only"),
    call(160, 164, "setrlimit", ALLOW, "musl, older C libraries; of the caller only"),
    call(98, 165, "getrusage", ALLOW, "resource, os.times, platform, psutil"),
    call(100, 153, "times", ALLOW, "resource, os.times, platform, psutil"),
    call(99, 179, "sysinfo", ALLOW, "resource, os.times, platform, psutil"),
    call(63, 160, "uname", ALLOW, "resource, os.times, platform, psutil"),
    call(309, 168, "getcpu", ALLOW, "resource, os.times, platform, psutil"),
    call(157, 167, "prctl", PRCTL, "glibc: names of threads and mappings; ls: what capabilities there are; dangerous options for the setup of cells"),
    call(125, 90, "capget", ALLOW, "libcap under ls and bash; reads only"),
    call(135, 92, "personality", PERSONALITY, "setarch and lscpu ask for the present one; changing it would switch off address randomisation"),
    call(436, 436, "close_range", ALLOW, "subprocess, os.closerange"),
    call(219, 128, "restart_syscall", ALLOW, "the kernel: continues a sleep after a stop"),
    // === Signals ===
    call(13, 134, "rt_sigaction", ALLOW, "signal, faulthandler, glibc's fork"),
    call(14, 135, "rt_sigprocmask", ALLOW, "signal, faulthandler, glibc's fork"),
    call(15, 139, "rt_sigreturn", ALLOW, "signal, faulthandler, glibc's fork"),
    call(131, 132, "sigaltstack", ALLOW, "signal, faulthandler, glibc's fork"),
    call(127, 136, "rt_sigpending", ALLOW, "signal.sigwait, signal.pause, shells"),
    call(128, 137, "rt_sigtimedwait", ALLOW, "signal.sigwait, signal.pause, shells"),
    call(130, 133, "rt_sigsuspend", ALLOW, "signal.sigwait, signal.pause, shells"),
    call(34, NO, "pause", ALLOW, "signal.sigwait, signal.pause, shells"),
    call(62, 129, "kill", ALLOW, "os.kill, subprocess, signal.raise_signal, abort; kept within the cell by Landlock, a pid namespace, a uid, or the broker"),
    call(200, 130, "tkill", ALLOW, "os.kill, subprocess, signal.raise_signal, abort; kept within the cell by Landlock, a pid namespace, a uid, or the broker"),
    call(234, 131, "tgkill", ALLOW, "os.kill, subprocess, signal.raise_signal, abort; kept within the cell by Landlock, a pid namespace, a uid, or the broker"),
    call(129, 138, "rt_sigqueueinfo", ALLOW, "os.kill, subprocess, signal.raise_signal, abort; kept within the cell by Landlock, a pid namespace, a uid, or the broker"),
    call(297, 240, "rt_tgsigqueueinfo", ALLOW, "os.kill, subprocess, signal.raise_signal, abort; kept within the cell by Landlock, a pid namespace, a uid, or the broker"),
    // === Time ===
    call(228, 113, "clock_gettime", ALLOW, "time, datetime; mostly by the vDSO"),
    call(229, 114, "clock_getres", ALLOW, "time, datetime; mostly by the vDSO"),
    call(230, 115, "clock_nanosleep", ALLOW, "time, datetime; mostly by the vDSO"),
    call(35, 101, "nanosleep", ALLOW, "time, datetime; mostly by the vDSO"),
    call(96, 169, "gettimeofday", ALLOW, "time, datetime; mostly by the vDSO"),
    call(201, NO, "time", ALLOW, "time, datetime; mostly by the vDSO"),
    call(37, NO, "alarm", ALLOW, "signal.alarm, signal.setitimer"),
    call(36, 102, "getitimer", ALLOW, "signal.alarm, signal.setitimer"),
    call(38, 103, "setitimer", ALLOW, "signal.alarm, signal.setitimer"),
    call(283, 85, "timerfd_create", ALLOW, "os.timerfd_create of 3.13"),
    call(286, 86, "timerfd_settime", ALLOW, "os.timerfd_create of 3.13"),
    call(287, 87, "timerfd_gettime", ALLOW, "os.timerfd_create of 3.13"),
    // === Waiting ===
    call(7, NO, "poll", ALLOW, "select, selectors, subprocess"),
    call(271, 73, "ppoll", ALLOW, "select, selectors, subprocess"),
    call(23, NO, "select", ALLOW, "select, selectors, subprocess"),
    call(270, 72, "pselect6", ALLOW, "select, selectors, subprocess"),
    call(213, NO, "epoll_create", ALLOW, "selectors, asyncio"),
    call(291, 20, "epoll_create1", ALLOW, "selectors, asyncio"),
    call(233, 21, "epoll_ctl", ALLOW, "selectors, asyncio"),
    call(232, NO, "epoll_wait", ALLOW, "selectors, asyncio"),
    call(281, 22, "epoll_pwait", ALLOW, "selectors, asyncio"),
    call(441, 441, "epoll_pwait2", ALLOW, "selectors, asyncio"),
    call(284, NO, "eventfd", ALLOW, "os.eventfd"),
    call(290, 19, "eventfd2", ALLOW, "os.eventfd"),
    // === Sockets ===
    call(41, 198, "socket", SOCKET, "multiprocessing.Manager (AF_UNIX); servers and clients on loopback"),
    call(53, 199, "socketpair", SOCKETPAIR, "asyncio's self-pipe, multiprocessing.Pipe; datagram pairs can send to any named socket, so not those"),
    call(49, 200, "bind", SOCKETS, "multiprocessing.Manager; servers and clients on loopback"),
    call(50, 201, "listen", SOCKETS, "multiprocessing.Manager; servers and clients on loopback"),
    call(43, 202, "accept", SOCKETS, "multiprocessing.Manager; servers and clients on loopback"),
    call(288, 242, "accept4", SOCKETS, "multiprocessing.Manager; servers and clients on loopback"),
    call(42, 203, "connect", SOCKETS, "multiprocessing.Manager; servers and clients on loopback"),
    call(44, 206, "sendto", SENDTO, "socket.send; with an address on loopback only"),
    call(45, 207, "recvfrom", ALLOW, "socket, asyncio, multiprocessing.reduction; no socket here can be addressed elsewhere"),
    call(46, 211, "sendmsg", ALLOW, "socket, asyncio, multiprocessing.reduction; no socket here can be addressed elsewhere"),
    call(47, 212, "recvmsg", ALLOW, "socket, asyncio, multiprocessing.reduction; no socket here can be addressed elsewhere"),
    call(307, 269, "sendmmsg", ALLOW, "socket, asyncio, multiprocessing.reduction; no socket here can be addressed elsewhere"),
    call(299, 243, "recvmmsg", ALLOW, "socket, asyncio, multiprocessing.reduction; no socket here can be addressed elsewhere"),
    call(48, 210, "shutdown", ALLOW, "socket, asyncio"),
    call(51, 204, "getsockname", ALLOW, "socket, asyncio"),
    call(52, 205, "getpeername", ALLOW, "socket, asyncio"),
    call(55, 209, "getsockopt", ALLOW, "socket, asyncio"),
    call(54, 208, "setsockopt", SETSOCKOPT, "socket, asyncio: a few harmless options; no filters, no large buffers beside loopback"),
    // === Randomness ===
    call(318, 278, "getrandom", ALLOW, "CPython's start, random, secrets, uuid"),
    // === For the setup of cells only ===
    call(165, 40, "mount", KEYED, "reaper and worker, before user code"),
    call(166, 39, "umount2", KEYED, "reaper and worker, before user code"),
    call(155, 41, "pivot_root", KEYED, "reaper and worker, before user code"),
    call(161, 51, "chroot", GATED, "reaper and worker, before user code"),
    call(272, 97, "unshare", KEYED, "reaper and worker, before user code"),
    call(308, 268, "setns", KEYED, "reaper and worker, before user code"),
    call(170, 161, "sethostname", KEYED, "reaper and worker, before user code"),
    call(105, 146, "setuid", KEYED, "reaper and worker, before user code"),
    call(106, 144, "setgid", KEYED, "reaper and worker, before user code"),
    call(113, 145, "setreuid", KEYED, "reaper and worker, before user code"),
    call(114, 143, "setregid", KEYED, "reaper and worker, before user code"),
    call(117, 147, "setresuid", GATED, "reaper and worker, before user code"),
    call(119, 149, "setresgid", GATED, "reaper and worker, before user code"),
    call(116, 159, "setgroups", KEYED, "reaper and worker, before user code"),
    call(122, 151, "setfsuid", ASKS, "reaper and worker, before user code; it is never made, and what a copy asks the warden by, because container engines let it pass"),
    call(123, 152, "setfsgid", KEYED, "reaper and worker, before user code"),
    call(126, 91, "capset", KEYED, "reaper and worker, before user code"),
    call(444, 444, "landlock_create_ruleset", KEYED, "reaper and worker, before user code"),
    call(445, 445, "landlock_add_rule", KEYED, "reaper and worker, before user code"),
    call(446, 446, "landlock_restrict_self", KEYED, "reaper and worker, before user code"),
    call(317, 277, "seccomp", KEYED, "worker, before user code: the filter whose listener is the signal broker"),
    // === Libraries that get ENOSYS do without ===
    call(435, 435, "clone3", NOT_HERE, "glibc falls back to clone, whose flags can be seen"),
    call(437, 437, "openat2", NOT_HERE, "callers fall back to openat"),
    call(40, 71, "sendfile", NOT_HERE, "shutil and asyncio fall back to read and write; it would put pages of shared files into pipes"),
    call(434, 434, "pidfd_open", NOT_HERE, "asyncio falls back to a thread per child"),
    call(425, 425, "io_uring_setup", NOT_HERE, "nobody without a fallback; it would go around this filter"),
    call(426, 426, "io_uring_enter", NOT_HERE, "nobody without a fallback; it would go around this filter"),
    call(427, 427, "io_uring_register", NOT_HERE, "nobody without a fallback; it would go around this filter"),
    call(324, 283, "membarrier", NOT_HERE, "interrupts the neighbours' processors; callers have a fallback"),
    // === Refused ===
    call(275, 76, "splice", REFUSED, "nobody needs it; puts pages of shared files into pipes"),
    call(276, 77, "tee", REFUSED, "nobody needs it; puts pages of shared files into pipes"),
    call(278, 75, "vmsplice", REFUSED, "nobody needs it; puts pages of shared files into pipes"),
    call(319, 279, "memfd_create", REFUSED, "memory outside of every limit but a cgroup's"),
    call(447, 447, "memfd_secret", REFUSED, "memory outside of every limit but a cgroup's"),
    call(29, 194, "shmget", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(30, 196, "shmat", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(31, 195, "shmctl", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(67, 197, "shmdt", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(64, 190, "semget", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(65, 193, "semop", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(220, 192, "semtimedop", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(66, 191, "semctl", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(68, 186, "msgget", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(69, 189, "msgsnd", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(70, 188, "msgrcv", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(71, 187, "msgctl", REFUSED, "System V objects outlive the process and are shared by uid"),
    call(240, 180, "mq_open", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(241, 181, "mq_unlink", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(242, 182, "mq_timedsend", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(243, 183, "mq_timedreceive", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(244, 184, "mq_notify", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(245, 185, "mq_getsetattr", REFUSED, "POSIX queues outlive the process and are shared by uid"),
    call(248, 217, "add_key", REFUSED, "keyrings are shared by uid"),
    call(249, 218, "request_key", REFUSED, "keyrings are shared by uid"),
    call(250, 219, "keyctl", REFUSED, "keyrings are shared by uid"),
    call(253, NO, "inotify_init", REFUSED, "would watch what neighbours do"),
    call(294, 26, "inotify_init1", REFUSED, "would watch what neighbours do"),
    call(254, 27, "inotify_add_watch", REFUSED, "would watch what neighbours do"),
    call(255, 28, "inotify_rm_watch", REFUSED, "would watch what neighbours do"),
    call(300, 262, "fanotify_init", REFUSED, "would watch what neighbours do"),
    call(301, 263, "fanotify_mark", REFUSED, "would watch what neighbours do"),
    call(101, 117, "ptrace", REFUSED, "reach into other processes"),
    call(310, 270, "process_vm_readv", REFUSED, "reach into other processes"),
    call(311, 271, "process_vm_writev", REFUSED, "reach into other processes"),
    call(312, 272, "kcmp", REFUSED, "reach into other processes"),
    call(438, 438, "pidfd_getfd", REFUSED, "reach into other processes"),
    call(424, 424, "pidfd_send_signal", REFUSED, "reach into other processes"),
    call(440, 440, "process_madvise", REFUSED, "reach into other processes"),
    call(448, 448, "process_mrelease", REFUSED, "reach into other processes"),
    call(256, 238, "migrate_pages", REFUSED, "reach into other processes"),
    call(279, 239, "move_pages", REFUSED, "reach into other processes"),
    call(314, 274, "sched_setattr", REFUSED, "reach into other processes"),
    call(149, 228, "mlock", REFUSED, "memory that can't be reclaimed; OpenSSL does without"),
    call(325, 284, "mlock2", REFUSED, "memory that can't be reclaimed; OpenSSL does without"),
    call(151, 230, "mlockall", REFUSED, "memory that can't be reclaimed; OpenSSL does without"),
    call(323, 282, "userfaultfd", REFUSED, "kernel surface that no program here needs"),
    call(321, 280, "bpf", REFUSED, "kernel surface that no program here needs"),
    call(298, 241, "perf_event_open", REFUSED, "kernel surface that no program here needs"),
    call(206, 0, "io_setup", REFUSED, "kernel surface that no program here needs"),
    call(209, 2, "io_submit", REFUSED, "kernel surface that no program here needs"),
    call(207, 1, "io_destroy", REFUSED, "kernel surface that no program here needs"),
    call(208, 4, "io_getevents", REFUSED, "kernel surface that no program here needs"),
    call(210, 3, "io_cancel", REFUSED, "kernel surface that no program here needs"),
    call(303, 264, "name_to_handle_at", REFUSED, "opens files past the root"),
    call(304, 265, "open_by_handle_at", REFUSED, "opens files past the root"),
    call(428, 428, "open_tree", REFUSED, "changes what is mounted"),
    call(429, 429, "move_mount", REFUSED, "changes what is mounted"),
    call(430, 430, "fsopen", REFUSED, "changes what is mounted"),
    call(431, 431, "fsconfig", REFUSED, "changes what is mounted"),
    call(432, 432, "fsmount", REFUSED, "changes what is mounted"),
    call(433, 433, "fspick", REFUSED, "changes what is mounted"),
    call(442, 442, "mount_setattr", REFUSED, "changes what is mounted"),
    call(322, 281, "execveat", REFUSED, "would start a program that has no name"),
    call(164, 170, "settimeofday", REFUSED, "the host's clock"),
    call(227, 112, "clock_settime", REFUSED, "the host's clock"),
    call(305, 266, "clock_adjtime", REFUSED, "the host's clock"),
    call(159, 171, "adjtimex", REFUSED, "the host's clock"),
    call(179, 60, "quotactl", REFUSED, "administers the host"),
    call(443, 443, "quotactl_fd", REFUSED, "administers the host"),
    call(163, 89, "acct", REFUSED, "administers the host"),
    call(167, 224, "swapon", REFUSED, "administers the host"),
    call(168, 225, "swapoff", REFUSED, "administers the host"),
    call(169, 142, "reboot", REFUSED, "administers the host"),
    call(103, 116, "syslog", REFUSED, "administers the host"),
    call(153, 58, "vhangup", REFUSED, "administers the host"),
    call(171, 162, "setdomainname", REFUSED, "administers the host"),
    call(212, 18, "lookup_dcookie", REFUSED, "administers the host"),
    call(180, 42, "nfsservctl", REFUSED, "administers the host"),
    call(175, 105, "init_module", REFUSED, "changes the kernel"),
    call(313, 273, "finit_module", REFUSED, "changes the kernel"),
    call(176, 106, "delete_module", REFUSED, "changes the kernel"),
    call(246, 104, "kexec_load", REFUSED, "changes the kernel"),
    call(320, 294, "kexec_file_load", REFUSED, "changes the kernel"),
    call(172, NO, "iopl", REFUSED, "the processor's tables and ports"),
    call(173, NO, "ioperm", REFUSED, "the processor's tables and ports"),
    call(154, NO, "modify_ldt", REFUSED, "the processor's tables and ports"),
    call(162, 81, "sync", REFUSED, "would make every disk of the host wait"),
    call(306, 267, "syncfs", REFUSED, "would make every disk of the host wait"),
];

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Output};

    use super::super::bpf::tests::{Data, run};
    use super::super::sys_walls;
    use super::*;

    const KEY: u64 = 0x0123_4567_89ab_cdef;
    const STRICT: Policy = Policy {
        key: KEY,
        loopback: false,
        unix_sockets: false,
        copies: None,
    };
    const ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];
    const EPERM_RETURN: u32 = RET_ERRNO | libc::EPERM.unsigned_abs();
    const ENOSYS_RETURN: u32 = RET_ERRNO | libc::ENOSYS.unsigned_abs();

    /// The dangerous calls of security.md, by name. `ANY` stands for each way to call it without the key.
    #[rustfmt::skip]
    const DANGEROUS: &[&str] = &[
        "memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "msgget", "msgsnd", "msgrcv",
        "msgctl", "mq_open", "mq_unlink", "add_key", "request_key", "keyctl", "inotify_init", "inotify_init1", "inotify_add_watch",
        "fanotify_init", "fanotify_mark", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf",
        "perf_event_open", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "pidfd_send_signal",
        "pidfd_open", "kcmp", "move_pages", "migrate_pages", "name_to_handle_at", "open_by_handle_at", "mount", "umount2",
        "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "chroot",
        "pivot_root", "splice", "vmsplice", "tee", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "quotactl", "acct",
        "swapon", "swapoff", "reboot", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
        "lookup_dcookie", "nfsservctl", "vhangup", "iopl", "ioperm", "modify_ldt", "execveat", "clone3", "openat2", "socket", "bind",
        "listen", "accept", "accept4", "connect", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
        "capset", "sethostname", "setdomainname", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
        "landlock_restrict_self", "syslog", "sendfile", "sched_setattr", "setxattr",
    ];

    fn number(name: &str, arch: Arch) -> Option<u32> {
        let call = CALLS.iter().find(|call| call.name == name);
        arch.number(call.unwrap_or_else(|| panic!("{name} is not in the table")))
    }

    /// What the filter answers to a call.
    fn ask_of(policy: &Policy, arch: Arch, number: u32, arguments: [u64; 6]) -> u32 {
        let program = program(policy, arch, ENOSYS_RETURN);
        run(
            &program,
            &Data {
                number,
                arch: arch.audit(),
                arguments,
            },
        )
        .0
    }

    /// What the filter answers here to a call by its number.
    pub(in crate::sandbox) fn answer(policy: &Policy, number: u32, arguments: [u64; 6]) -> u32 {
        ask_of(policy, Arch::THIS, number, arguments)
    }

    fn ask(policy: &Policy, name: &str, arguments: &[u64]) -> u32 {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        ask_of(policy, Arch::THIS, number(name, Arch::THIS).unwrap(), all)
    }

    #[test]
    fn the_table_has_each_call_once_with_a_reason_and_the_numbers_of_this_architecture() {
        let mut names = HashSet::new();
        for call in CALLS {
            assert!(names.insert(call.name), "{} twice", call.name);
            assert!(!call.who.is_empty(), "{} has no reason", call.name);
            assert!(
                call.x86_64.is_some() || call.aarch64.is_some(),
                "{} has no number",
                call.name
            );
        }
        for arch in ARCHES {
            let mut numbers = HashSet::new();
            for call in CALLS {
                if let Some(number) = arch.number(call) {
                    assert!(numbers.insert(number), "{arch:?}: {number} twice");
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        for (name, expected) in libc_numbers() {
            assert_eq!(
                number(name, Arch::X86_64),
                u32::try_from(expected).ok(),
                "{name}"
            );
        }
    }

    /// The numbers as libc has them.
    #[cfg(target_arch = "x86_64")]
    #[rustfmt::skip]
    fn libc_numbers() -> Vec<(&'static str, libc::c_long)> {
        vec![
            ("read", libc::SYS_read), ("write", libc::SYS_write), ("close", libc::SYS_close), ("lseek", libc::SYS_lseek), ("fstat",
            libc::SYS_fstat), ("readv", libc::SYS_readv), ("writev", libc::SYS_writev), ("pread64", libc::SYS_pread64), ("pwrite64",
            libc::SYS_pwrite64), ("preadv", libc::SYS_preadv), ("pwritev", libc::SYS_pwritev), ("preadv2", libc::SYS_preadv2),
            ("pwritev2", libc::SYS_pwritev2), ("dup", libc::SYS_dup), ("dup2", libc::SYS_dup2), ("dup3", libc::SYS_dup3), ("pipe",
            libc::SYS_pipe), ("pipe2", libc::SYS_pipe2), ("fcntl", libc::SYS_fcntl), ("ioctl", libc::SYS_ioctl), ("flock",
            libc::SYS_flock), ("ftruncate", libc::SYS_ftruncate), ("truncate", libc::SYS_truncate), ("fallocate",
            libc::SYS_fallocate), ("fsync", libc::SYS_fsync), ("fdatasync", libc::SYS_fdatasync), ("fadvise64",
            libc::SYS_fadvise64), ("copy_file_range", libc::SYS_copy_file_range), ("getdents64", libc::SYS_getdents64), ("open",
            libc::SYS_open), ("openat", libc::SYS_openat), ("creat", libc::SYS_creat), ("stat", libc::SYS_stat), ("lstat", libc::SYS_lstat), ("access",
            libc::SYS_access), ("readlink", libc::SYS_readlink), ("newfstatat", libc::SYS_newfstatat), ("statx", libc::SYS_statx),
            ("faccessat", libc::SYS_faccessat), ("faccessat2", libc::SYS_faccessat2), ("readlinkat", libc::SYS_readlinkat),
            ("getcwd", libc::SYS_getcwd), ("chdir", libc::SYS_chdir), ("fchdir", libc::SYS_fchdir), ("mkdir", libc::SYS_mkdir),
            ("mkdirat", libc::SYS_mkdirat), ("rmdir", libc::SYS_rmdir), ("unlink", libc::SYS_unlink), ("unlinkat",
            libc::SYS_unlinkat), ("rename", libc::SYS_rename), ("renameat", libc::SYS_renameat), ("renameat2", libc::SYS_renameat2),
            ("link", libc::SYS_link), ("linkat", libc::SYS_linkat), ("symlink", libc::SYS_symlink), ("symlinkat",
            libc::SYS_symlinkat), ("chmod", libc::SYS_chmod), ("fchmod", libc::SYS_fchmod), ("fchmodat", libc::SYS_fchmodat),
            ("fchmodat2", libc::SYS_fchmodat2), ("chown", libc::SYS_chown), ("fchown", libc::SYS_fchown), ("lchown",
            libc::SYS_lchown), ("fchownat", libc::SYS_fchownat), ("utime", libc::SYS_utime), ("utimes", libc::SYS_utimes),
            ("futimesat", libc::SYS_futimesat), ("utimensat", libc::SYS_utimensat), ("mknod", libc::SYS_mknod), ("mknodat",
            libc::SYS_mknodat), ("umask", libc::SYS_umask), ("statfs", libc::SYS_statfs), ("fstatfs", libc::SYS_fstatfs),
            ("getxattr", libc::SYS_getxattr), ("lgetxattr", libc::SYS_lgetxattr), ("fgetxattr", libc::SYS_fgetxattr), ("listxattr",
            libc::SYS_listxattr), ("llistxattr", libc::SYS_llistxattr), ("flistxattr", libc::SYS_flistxattr), ("setxattr",
            libc::SYS_setxattr), ("lsetxattr", libc::SYS_lsetxattr), ("fsetxattr", libc::SYS_fsetxattr), ("removexattr",
            libc::SYS_removexattr), ("lremovexattr", libc::SYS_lremovexattr), ("fremovexattr", libc::SYS_fremovexattr), ("mmap",
            libc::SYS_mmap), ("munmap", libc::SYS_munmap), ("mremap", libc::SYS_mremap), ("mprotect", libc::SYS_mprotect), ("brk",
            libc::SYS_brk), ("msync", libc::SYS_msync), ("madvise", libc::SYS_madvise), ("get_mempolicy", libc::SYS_get_mempolicy),
            ("clone", libc::SYS_clone), ("fork", libc::SYS_fork), ("vfork", libc::SYS_vfork), ("execve", libc::SYS_execve), ("exit",
            libc::SYS_exit), ("exit_group", libc::SYS_exit_group), ("wait4", libc::SYS_wait4), ("waitid", libc::SYS_waitid),
            ("getpid", libc::SYS_getpid), ("getppid", libc::SYS_getppid), ("gettid", libc::SYS_gettid), ("getpgid",
            libc::SYS_getpgid), ("getpgrp", libc::SYS_getpgrp), ("setpgid", libc::SYS_setpgid), ("getsid", libc::SYS_getsid),
            ("setsid", libc::SYS_setsid), ("getuid", libc::SYS_getuid), ("geteuid", libc::SYS_geteuid), ("getgid",
            libc::SYS_getgid), ("getegid", libc::SYS_getegid), ("getresuid", libc::SYS_getresuid), ("getresgid",
            libc::SYS_getresgid), ("getgroups", libc::SYS_getgroups), ("set_tid_address", libc::SYS_set_tid_address),
            ("set_robust_list", libc::SYS_set_robust_list), ("get_robust_list", libc::SYS_get_robust_list), ("rseq",
            libc::SYS_rseq), ("arch_prctl", libc::SYS_arch_prctl), ("futex", libc::SYS_futex), ("sched_yield",
            libc::SYS_sched_yield), ("sched_getaffinity", libc::SYS_sched_getaffinity), ("sched_getscheduler",
            libc::SYS_sched_getscheduler), ("sched_getparam", libc::SYS_sched_getparam), ("sched_get_priority_max",
            libc::SYS_sched_get_priority_max), ("sched_get_priority_min", libc::SYS_sched_get_priority_min),
            ("sched_rr_get_interval", libc::SYS_sched_rr_get_interval), ("sched_setaffinity", libc::SYS_sched_setaffinity),
            ("sched_setscheduler", libc::SYS_sched_setscheduler), ("sched_setparam", libc::SYS_sched_setparam), ("getpriority",
            libc::SYS_getpriority), ("setpriority", libc::SYS_setpriority), ("ioprio_get", libc::SYS_ioprio_get), ("ioprio_set",
            libc::SYS_ioprio_set), ("prlimit64", libc::SYS_prlimit64), ("getrlimit", libc::SYS_getrlimit), ("setrlimit",
            libc::SYS_setrlimit), ("getrusage", libc::SYS_getrusage), ("times", libc::SYS_times), ("sysinfo", libc::SYS_sysinfo),
            ("uname", libc::SYS_uname), ("getcpu", libc::SYS_getcpu), ("prctl", libc::SYS_prctl), ("capget", libc::SYS_capget),
            ("personality", libc::SYS_personality), ("close_range", libc::SYS_close_range), ("restart_syscall",
            libc::SYS_restart_syscall), ("rt_sigaction", libc::SYS_rt_sigaction), ("rt_sigprocmask", libc::SYS_rt_sigprocmask),
            ("rt_sigreturn", libc::SYS_rt_sigreturn), ("sigaltstack", libc::SYS_sigaltstack), ("rt_sigpending",
            libc::SYS_rt_sigpending), ("rt_sigtimedwait", libc::SYS_rt_sigtimedwait), ("rt_sigsuspend", libc::SYS_rt_sigsuspend),
            ("pause", libc::SYS_pause), ("kill", libc::SYS_kill), ("tkill", libc::SYS_tkill), ("tgkill", libc::SYS_tgkill),
            ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo), ("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo), ("clock_gettime",
            libc::SYS_clock_gettime), ("clock_getres", libc::SYS_clock_getres), ("clock_nanosleep", libc::SYS_clock_nanosleep),
            ("nanosleep", libc::SYS_nanosleep), ("gettimeofday", libc::SYS_gettimeofday), ("time", libc::SYS_time), ("alarm",
            libc::SYS_alarm), ("getitimer", libc::SYS_getitimer), ("setitimer", libc::SYS_setitimer), ("timerfd_create",
            libc::SYS_timerfd_create), ("timerfd_settime", libc::SYS_timerfd_settime), ("timerfd_gettime",
            libc::SYS_timerfd_gettime), ("poll", libc::SYS_poll), ("ppoll", libc::SYS_ppoll), ("select", libc::SYS_select),
            ("pselect6", libc::SYS_pselect6), ("epoll_create", libc::SYS_epoll_create), ("epoll_create1", libc::SYS_epoll_create1),
            ("epoll_ctl", libc::SYS_epoll_ctl), ("epoll_wait", libc::SYS_epoll_wait), ("epoll_pwait", libc::SYS_epoll_pwait),
            ("epoll_pwait2", libc::SYS_epoll_pwait2), ("eventfd", libc::SYS_eventfd), ("eventfd2", libc::SYS_eventfd2), ("socket",
            libc::SYS_socket), ("socketpair", libc::SYS_socketpair), ("bind", libc::SYS_bind), ("listen", libc::SYS_listen),
            ("accept", libc::SYS_accept), ("accept4", libc::SYS_accept4), ("connect", libc::SYS_connect), ("sendto",
            libc::SYS_sendto), ("recvfrom", libc::SYS_recvfrom), ("sendmsg", libc::SYS_sendmsg), ("recvmsg", libc::SYS_recvmsg),
            ("sendmmsg", libc::SYS_sendmmsg), ("recvmmsg", libc::SYS_recvmmsg), ("shutdown", libc::SYS_shutdown), ("getsockname",
            libc::SYS_getsockname), ("getpeername", libc::SYS_getpeername), ("getsockopt", libc::SYS_getsockopt), ("setsockopt",
            libc::SYS_setsockopt), ("getrandom", libc::SYS_getrandom), ("mount", libc::SYS_mount), ("umount2", libc::SYS_umount2),
            ("pivot_root", libc::SYS_pivot_root), ("chroot", libc::SYS_chroot), ("unshare", libc::SYS_unshare), ("setns",
            libc::SYS_setns), ("sethostname", libc::SYS_sethostname), ("setuid", libc::SYS_setuid), ("setgid", libc::SYS_setgid),
            ("setreuid", libc::SYS_setreuid), ("setregid", libc::SYS_setregid), ("setresuid", libc::SYS_setresuid), ("setresgid",
            libc::SYS_setresgid), ("setgroups", libc::SYS_setgroups), ("setfsuid", libc::SYS_setfsuid), ("setfsgid",
            libc::SYS_setfsgid), ("capset", libc::SYS_capset), ("landlock_create_ruleset", libc::SYS_landlock_create_ruleset),
            ("landlock_add_rule", libc::SYS_landlock_add_rule), ("landlock_restrict_self", libc::SYS_landlock_restrict_self),
            ("clone3", libc::SYS_clone3), ("openat2", libc::SYS_openat2), ("sendfile", libc::SYS_sendfile), ("pidfd_open",
            libc::SYS_pidfd_open), ("io_uring_setup", libc::SYS_io_uring_setup), ("io_uring_enter", libc::SYS_io_uring_enter),
            ("io_uring_register", libc::SYS_io_uring_register), ("membarrier", libc::SYS_membarrier), ("splice", libc::SYS_splice),
            ("tee", libc::SYS_tee), ("vmsplice", libc::SYS_vmsplice), ("memfd_create", libc::SYS_memfd_create), ("memfd_secret",
            libc::SYS_memfd_secret), ("shmget", libc::SYS_shmget), ("shmat", libc::SYS_shmat), ("shmctl", libc::SYS_shmctl),
            ("shmdt", libc::SYS_shmdt), ("semget", libc::SYS_semget), ("semop", libc::SYS_semop), ("semtimedop",
            libc::SYS_semtimedop), ("semctl", libc::SYS_semctl), ("msgget", libc::SYS_msgget), ("msgsnd", libc::SYS_msgsnd),
            ("msgrcv", libc::SYS_msgrcv), ("msgctl", libc::SYS_msgctl), ("mq_open", libc::SYS_mq_open), ("mq_unlink",
            libc::SYS_mq_unlink), ("mq_timedsend", libc::SYS_mq_timedsend), ("mq_timedreceive", libc::SYS_mq_timedreceive),
            ("mq_notify", libc::SYS_mq_notify), ("mq_getsetattr", libc::SYS_mq_getsetattr), ("add_key", libc::SYS_add_key),
            ("request_key", libc::SYS_request_key), ("keyctl", libc::SYS_keyctl), ("inotify_init", libc::SYS_inotify_init),
            ("inotify_init1", libc::SYS_inotify_init1), ("inotify_add_watch", libc::SYS_inotify_add_watch), ("inotify_rm_watch",
            libc::SYS_inotify_rm_watch), ("fanotify_init", libc::SYS_fanotify_init), ("fanotify_mark", libc::SYS_fanotify_mark),
            ("ptrace", libc::SYS_ptrace), ("process_vm_readv", libc::SYS_process_vm_readv), ("process_vm_writev",
            libc::SYS_process_vm_writev), ("kcmp", libc::SYS_kcmp), ("pidfd_getfd", libc::SYS_pidfd_getfd), ("pidfd_send_signal",
            libc::SYS_pidfd_send_signal), ("process_madvise", libc::SYS_process_madvise), ("process_mrelease",
            libc::SYS_process_mrelease), ("migrate_pages", libc::SYS_migrate_pages), ("move_pages", libc::SYS_move_pages),
            ("sched_setattr", libc::SYS_sched_setattr), ("mlock", libc::SYS_mlock), ("mlock2", libc::SYS_mlock2), ("mlockall",
            libc::SYS_mlockall), ("userfaultfd", libc::SYS_userfaultfd), ("bpf", libc::SYS_bpf), ("perf_event_open",
            libc::SYS_perf_event_open), ("seccomp", libc::SYS_seccomp), ("io_setup", libc::SYS_io_setup), ("io_submit",
            libc::SYS_io_submit), ("io_destroy", libc::SYS_io_destroy), ("io_getevents", libc::SYS_io_getevents), ("io_cancel",
            libc::SYS_io_cancel), ("name_to_handle_at", libc::SYS_name_to_handle_at), ("open_by_handle_at",
            libc::SYS_open_by_handle_at), ("open_tree", libc::SYS_open_tree), ("move_mount", libc::SYS_move_mount), ("fsopen",
            libc::SYS_fsopen), ("fsconfig", libc::SYS_fsconfig), ("fsmount", libc::SYS_fsmount), ("fspick", libc::SYS_fspick),
            ("mount_setattr", libc::SYS_mount_setattr), ("execveat", libc::SYS_execveat), ("settimeofday", libc::SYS_settimeofday),
            ("clock_settime", libc::SYS_clock_settime), ("clock_adjtime", libc::SYS_clock_adjtime), ("adjtimex",
            libc::SYS_adjtimex), ("quotactl", libc::SYS_quotactl), ("quotactl_fd", libc::SYS_quotactl_fd), ("acct", libc::SYS_acct),
            ("swapon", libc::SYS_swapon), ("swapoff", libc::SYS_swapoff), ("reboot", libc::SYS_reboot), ("syslog",
            libc::SYS_syslog), ("vhangup", libc::SYS_vhangup), ("setdomainname", libc::SYS_setdomainname), ("lookup_dcookie",
            libc::SYS_lookup_dcookie), ("nfsservctl", libc::SYS_nfsservctl), ("init_module", libc::SYS_init_module),
            ("finit_module", libc::SYS_finit_module), ("delete_module", libc::SYS_delete_module), ("kexec_load",
            libc::SYS_kexec_load), ("kexec_file_load", libc::SYS_kexec_file_load), ("iopl", libc::SYS_iopl), ("ioperm",
            libc::SYS_ioperm), ("modify_ldt", libc::SYS_modify_ldt), ("sync", libc::SYS_sync), ("syncfs", libc::SYS_syncfs)
        ]
    }

    #[test]
    fn every_number_is_answered_and_unknown_ones_look_like_an_old_kernel() {
        let interesting = [
            0,
            1,
            3,
            u64::from(u32::MAX),
            KEY,
            1 << 32,
            u64::MAX,
            0x2000_0000,
        ];
        for arch in ARCHES {
            let strict = program(&STRICT, arch, ENOSYS_RETURN);
            assert!(
                strict.len() <= INSTRUCTIONS_MAX,
                "{} instructions",
                strict.len()
            );
            let known: HashSet<u32> = CALLS.iter().filter_map(|call| arch.number(call)).collect();
            for number in 0..600 {
                for argument in interesting {
                    let data = Data {
                        number,
                        arch: arch.audit(),
                        arguments: [argument; 6],
                    };
                    let (answer, steps) = run(&strict, &data);
                    assert!(steps < 64, "{arch:?} {number}: {steps} instructions");
                    if known.contains(&number) {
                        let errors = [
                            libc::EPERM,
                            libc::ENOSYS,
                            libc::ENOTSUP,
                            libc::ENOTTY,
                            libc::EINVAL,
                        ];
                        assert!(
                            answer == RET_ALLOW
                                || errors.iter().any(|error| answer == errno(*error)),
                            "{arch:?} {number}: {answer:#x}"
                        );
                    } else {
                        assert_eq!(answer, ENOSYS_RETURN, "{arch:?} {number}");
                    }
                }
            }
            for number in [600, 1000, 0x3fff_ffff] {
                assert_eq!(ask_of(&STRICT, arch, number, [0; 6]), ENOSYS_RETURN);
            }
        }
    }

    #[test]
    fn another_architecture_and_x32_kill_the_process() {
        for arch in ARCHES {
            let program = program(&STRICT, arch, ENOSYS_RETURN);
            for other in [0x4000_0003, 0x4000_0028, 0xC000_003E, 0xC000_00B7] {
                if other != arch.audit() {
                    let data = Data {
                        number: 0,
                        arch: other,
                        arguments: [0; 6],
                    };
                    assert_eq!(run(&program, &data).0, RET_KILL_PROCESS, "{other:#x}");
                }
            }
        }
        for number in [X32, X32 + 1, X32 + 600, u32::MAX] {
            assert_eq!(
                ask_of(&STRICT, Arch::X86_64, number, [0; 6]),
                RET_KILL_PROCESS
            );
        }
    }

    #[test]
    fn every_dangerous_call_is_refused_without_the_key_whatever_its_arguments() {
        let values = [
            0,
            1,
            2,
            3,
            5,
            10,
            17,
            0x1000_0000,
            u64::from(u32::MAX),
            u64::MAX,
            KEY >> 32,
        ];
        for arch in ARCHES {
            let program = program(&STRICT, arch, ENOSYS_RETURN);
            for name in DANGEROUS {
                let Some(number) = number(name, arch) else {
                    continue;
                };
                for value in values {
                    // Half of the key is no key.
                    for key in [
                        0,
                        KEY & 0xffff_ffff,
                        KEY & !0xffff_ffff,
                        KEY ^ 1,
                        KEY ^ (1 << 63),
                    ] {
                        let arguments = [value, value, value, value, value, key];
                        let answer = run(
                            &program,
                            &Data {
                                number,
                                arch: arch.audit(),
                                arguments,
                            },
                        )
                        .0;
                        assert_eq!(
                            answer & 0xffff_0000,
                            RET_ERRNO,
                            "{arch:?} {name} {value:#x}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_key_opens_what_the_setup_of_cells_needs_and_nothing_else() {
        for name in [
            "mount",
            "umount2",
            "unshare",
            "setresuid",
            "setgroups",
            "capset",
            "sethostname",
            "setns",
            "landlock_restrict_self",
            "chroot",
            "pivot_root",
        ] {
            assert_eq!(
                ask(&STRICT, name, &[9, 9, 9, 9, 9, KEY]),
                RET_ALLOW,
                "{name}"
            );
        }
        const NEWPID: u64 = 0x2000_0000;
        const PARENT: u64 = 0x8000;
        for flags in [NEWPID, PARENT] {
            assert_eq!(
                ask(&STRICT, "clone", &[flags | 17, 0, 0, 0, 0, KEY]),
                RET_ALLOW
            );
            assert_eq!(ask(&STRICT, "clone", &[flags | 17]), EPERM_RETURN);
        }
        // The kernel looks at the low half of clone's flags only.
        assert_eq!(ask(&STRICT, "clone", &[(1 << 32) | 17]), RET_ALLOW);
        assert_eq!(
            ask(&STRICT, "prlimit64", &[1234, 7, 1, 0, 0, KEY]),
            RET_ALLOW
        );
        assert_eq!(ask(&STRICT, "prctl", &[4, 0, 0, 0, 0, KEY]), RET_ALLOW);
        for name in [
            "ptrace",
            "bpf",
            "memfd_create",
            "socket",
            "open_by_handle_at",
            "fsopen",
            "kexec_load",
        ] {
            assert_eq!(
                ask(&STRICT, name, &[0, 0, 0, 0, 0, KEY]) & 0xffff_0000,
                RET_ERRNO,
                "{name}"
            );
        }
    }

    #[test]
    fn calls_of_copies_wait_for_the_warden_if_they_are_marked() {
        let copies = Policy {
            copies: Some(CopyWay::Uid),
            ..STRICT
        };
        const DUMPABLE: u64 = 4;
        for (name, first, waits) in [
            ("setfsuid", 9, true),
            ("setresuid", 9, true),
            ("setresgid", 9, true),
            ("chroot", 9, true),
            ("prctl", DUMPABLE, true),
            ("setns", 9, false),
            ("setuid", 9, false),
            ("setgroups", 9, false),
            ("capset", 9, false),
        ] {
            let answered = |key| ask(&copies, name, &[first, 1, 9, 9, 9, key]);
            let expected = if waits { RET_USER_NOTIF } else { EPERM_RETURN };
            assert_eq!(answered(COPY_MARK), expected, "{name}");
            assert_eq!(answered(KEY), RET_ALLOW, "{name}");
            assert_eq!(answered(0), EPERM_RETURN, "{name}");
            let marked = [first, 1, 9, 9, 9, COPY_MARK];
            assert_eq!(ask(&STRICT, name, &marked), EPERM_RETURN, "{name}");
        }
        // A worker that is copied closes its memory, too.
        let close = |key| ask(&copies, "prctl", &[DUMPABLE, 0, 9, 9, 9, key]);
        assert_eq!((close(COPY_MARK), close(0)), (RET_USER_NOTIF, EPERM_RETURN));
        let copy: u64 = CLONE_COPY.into();
        assert_eq!(ask(&copies, "clone", &[copy]), RET_ALLOW);
        assert_eq!(ask(&STRICT, "clone", &[copy]), EPERM_RETURN);
    }

    #[test]
    fn where_copies_have_no_uids_they_change_none_and_keep_their_orphans_and_their_memory() {
        const DUMPABLE: u64 = 4;
        const SUBREAPER: u64 = 36;
        let copies = Policy {
            copies: Some(CopyWay::Descent),
            ..STRICT
        };
        let with_proc = Policy {
            unix_sockets: true,
            ..copies
        };
        let marked = |name| ask(&copies, name, &[9, 1, 9, 9, 9, COPY_MARK]);
        for name in ["setresuid", "setresgid", "chroot", "setuid", "capset"] {
            assert_eq!(marked(name), EPERM_RETURN, "{name}");
        }
        // What becomes of it is the other filter's.
        assert_eq!(marked("setfsuid"), RET_ALLOW);
        assert_eq!(ask(&copies, "setfsuid", &[9]), EPERM_RETURN);
        assert_eq!(ask(&copies, "clone", &[CLONE_COPY.into()]), RET_ALLOW);
        for (policy, option, value, answer) in [
            (copies, SUBREAPER, 1, RET_ALLOW),
            (copies, SUBREAPER, 0, EPERM_RETURN),
            (STRICT, SUBREAPER, 1, EPERM_RETURN),
            (copies, DUMPABLE, 0, EPERM_RETURN),
            (with_proc, DUMPABLE, 0, RET_ALLOW),
            (with_proc, DUMPABLE, 1, EPERM_RETURN),
            (STRICT, DUMPABLE, 0, EPERM_RETURN),
        ] {
            let told = ask(&policy, "prctl", &[option, value]);
            assert_eq!(told, answer, "{policy:?} {option} {value}");
        }
    }

    #[test]
    fn only_threads_share_descriptors_and_directories() {
        const THREAD: u64 = 0x1_0000;
        let [vm, fs, files, sighand]: [u64; 4] = [0x100, 0x200, 0x400, 0x800];
        let all = vm | fs | files | sighand;
        assert_eq!(ask(&STRICT, "clone", &[all | THREAD]), RET_ALLOW);
        for flags in [fs, files, vm | files, vm | sighand, all] {
            assert_eq!(ask(&STRICT, "clone", &[flags | 17]), EPERM_RETURN);
        }
        // posix_spawn(3)
        assert_eq!(ask(&STRICT, "clone", &[vm | 0x4000 | 17]), RET_ALLOW);
    }

    #[test]
    fn arguments_decide() {
        let own = 0x7f00_0000_0000_0000_u64 << 1;
        for (name, arguments, allowed) in [
            // The kernel takes a pid's low half.
            ("prlimit64", [own, 7, 1], true),
            ("prlimit64", [4321, 7, 1], false),
            ("sched_setaffinity", [0, 8, 1], true),
            ("sched_setaffinity", [4321, 8, 1], false),
            ("sched_setscheduler", [1, 0, 0], false),
            ("setpriority", [0, 0, 5], true),
            ("setpriority", [0, 7, 5], false),
            ("setpriority", [2, 0, 5], false),
            ("ioprio_set", [1, 0, 0], true),
            ("ioprio_set", [3, 0, 0], false),
            ("prctl", [15, 1, 0], true),
            ("prctl", [1, 9, 0], false),
            ("prctl", [4, 1, 0], false),
            ("prctl", [0x5961_6d61, 1, 0], false),
            ("personality", [0xffff_ffff, 0, 0], true),
            ("personality", [0x4_0000, 0, 0], false),
            ("fcntl", [3, 1030, 0], true),
            ("fcntl", [3, 1024, 0], false),
            ("fcntl", [3, 1026, 0], false),
            ("fcntl", [3, 1031, 0], false),
            ("fcntl", [3, 8, 0], false),
            ("fcntl", [3, 15, 0], false),
            ("ioctl", [0, 0x5401, 0], true),
            ("ioctl", [0, 0x5412, 0], false),
            ("ioctl", [0, 0xffff_ffff_0000_5412, 0], false),
            ("ioctl", [0, 0x541c, 0], false),
            ("ioctl", [0, 0x8933, 0], false),
            ("mknodat", [0, 0, 0o010_644], true),
            ("mknodat", [0, 0, 0o020_644], false),
            ("mknodat", [0, 0, 0o060_644], false),
            ("mknodat", [0, 0, 0o140_644], false),
            ("socketpair", [1, 1 | 0x8_0000, 0], true),
            ("socketpair", [1, 5, 0], true),
            ("socketpair", [1, 2, 0], false),
            ("socketpair", [1, 3, 0], false),
            ("socketpair", [16, 3, 0], false),
            ("socket", [1, 1, 0], false),
            ("socket", [2, 1, 0], false),
            ("setsockopt", [3, 1, 2], true),
            ("setsockopt", [3, 1, 26], false),
            ("setsockopt", [3, 6, 31], false),
            ("madvise", [0, 0, 4], true),
            ("madvise", [0, 0, 12], false),
        ] {
            let answer = ask(&STRICT, name, &arguments);
            assert_eq!(
                answer == RET_ALLOW,
                allowed,
                "{name} {arguments:?}: {answer:#x}"
            );
        }
        assert_eq!(ask(&STRICT, "sendto", &[3, 1, 1, 0, 0, 0]), RET_ALLOW);
        for address in [0x1000, 1 << 32] {
            assert_eq!(
                ask(&STRICT, "sendto", &[3, 1, 1, 0, address, 16]),
                EPERM_RETURN
            );
        }
    }

    #[test]
    fn sockets_follow_the_policy() {
        let loopback = Policy {
            loopback: true,
            ..STRICT
        };
        for (domain, kind, protocol, allowed) in [
            (2, 1, 0, true),
            (10, 2 | 0x800, 17, true),
            (2, 1, 262, false),
            (2, 3, 1, false),
            (1, 1, 0, false),
            (16, 3, 0, false),
            (40, 1, 0, false),
            (38, 5, 0, false),
            (17, 3, 0, false),
        ] {
            let answer = ask(&loopback, "socket", &[domain, kind, protocol]);
            assert_eq!(answer == RET_ALLOW, allowed, "{domain} {kind} {protocol}");
        }
        let unix = Policy {
            unix_sockets: true,
            ..STRICT
        };
        for (domain, kind, allowed) in [(1, 1, true), (1, 2, true), (1, 5, true), (2, 1, false)] {
            assert_eq!(
                ask(&unix, "socket", &[domain, kind, 0]) == RET_ALLOW,
                allowed,
                "{domain} {kind}"
            );
        }
        for policy in [loopback, unix] {
            for name in ["bind", "listen", "accept4", "connect"] {
                assert_eq!(ask(&policy, name, &[3, 4, 5]), RET_ALLOW);
            }
            assert_eq!(ask(&policy, "sendto", &[3, 1, 1, 0, 99, 16]), RET_ALLOW);
        }
        assert_eq!(ask(&unix, "socketpair", &[1, 2, 0]), RET_ALLOW);
    }

    #[test]
    fn the_signal_broker_is_asked_for_every_signal() {
        for arch in ARCHES {
            let asking = asking(arch);
            let answer = |number, arguments| {
                let arch = arch.audit();
                let data = Data {
                    number,
                    arch,
                    arguments,
                };
                run(&asking, &data).0
            };
            for call in CALLS {
                let Some(number) = arch.number(call) else {
                    continue;
                };
                let asked = SIGNAL_CALLS.contains(&call.name);
                for first in [0, 1, 77, u64::from(u32::MAX), u64::MAX, KEY] {
                    let wanted = if asked { RET_USER_NOTIF } else { RET_ALLOW };
                    let arguments = [first, 9, 9, 9, 9, KEY];
                    assert_eq!(answer(number, arguments), wanted, "{arch:?} {}", call.name);
                }
            }
            for (mark, answer_to) in [
                (COPY_MARK, RET_USER_NOTIF),
                (KEY, RET_ALLOW),
                (0, RET_ALLOW),
            ] {
                let ask = number(ASK_CALL, arch).unwrap();
                assert_eq!(answer(ask, [9, 9, 9, 9, 9, mark]), answer_to, "{arch:?}");
            }
            // What else could send one is refused by the filter beside it, whatever its arguments.
            for name in ["pidfd_send_signal", "pidfd_open", "mq_notify"] {
                for argument in [0, 1, u64::MAX] {
                    let number = number(name, arch).unwrap();
                    let answer = ask_of(&STRICT, arch, number, [argument; 6]);
                    assert_eq!(answer & 0xffff_0000, RET_ERRNO, "{arch:?} {name}");
                }
            }
            let timer_create = if arch == Arch::X86_64 { 222 } else { 107 };
            assert_eq!(ask_of(&STRICT, arch, timer_create, [0; 6]), ENOSYS_RETURN);
        }
        for name in SIGNAL_CALLS {
            assert_eq!(ask(&STRICT, name, &[1, 9, 0]), RET_ALLOW, "{name}");
        }
        // F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP, TIOCSPGRP, TIOCSIG; PR_SET_PDEATHSIG.
        for command in [8, 10, 15] {
            assert_eq!(ask(&STRICT, "fcntl", &[3, command, 5]), EPERM_RETURN);
        }
        for request in [0x8901, 0x8902, 0x5410, 0x4004_5436] {
            assert_ne!(ask(&STRICT, "ioctl", &[3, request, 5]), RET_ALLOW);
        }
        assert_eq!(ask(&STRICT, "prctl", &[1, 9, 0]), EPERM_RETURN);
    }

    /// Runs a script in a python3 under a filter.
    fn python(filter: Vec<u8>, script: &str) -> Output {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("python3");
        command
            .args(["-c", script])
            .current_dir(dir.path())
            .env("TMPDIR", dir.path());
        sys_walls::before_exec(&mut command, move || {
            rustix::thread::set_no_new_privs(true)?;
            sys_walls::install_filter(&filter)
        });
        command.output().unwrap()
    }

    fn said(output: &Output) -> String {
        format!(
            "{:?} {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    const BROAD: &str = include_str!("tests/broad.py");
    const REFUSED_CALLS: &str = include_str!("tests/refused.py");

    /// A filter that kills where `policy` refuses or doesn't know a call, so that nothing is refused unnoticed. Not `socket`: glibc asks
    /// for the name service's daemon, and does without.
    fn deadly(policy: &Policy) -> Vec<u8> {
        let mut deadly = program(policy, Arch::THIS, RET_KILL_PROCESS);
        for instruction in &mut deadly {
            if instruction.code == bpf::RETURN && instruction.operand == EPERM_RETURN {
                instruction.operand = RET_KILL_PROCESS;
            }
        }
        let socket = number("socket", Arch::THIS).unwrap();
        let usual = program(policy, Arch::THIS, ENOSYS_RETURN);
        bpf::bytes(&load(
            NUMBER,
            either(Condition::Equal(socket), usual, deadly),
        ))
    }

    #[test]
    fn a_broad_program_meets_no_denial() {
        let output = python(deadly(&STRICT), BROAD);
        assert!(output.status.success(), "{}", said(&output));
        let unix = Policy {
            unix_sockets: true,
            ..STRICT
        };
        let output = python(deadly(&unix), &format!("MANAGER = True\n{BROAD}"));
        assert!(output.status.success(), "{}", said(&output));
    }

    #[test]
    fn dangerous_calls_fail_in_a_real_process_with_their_errno() {
        let numbers: Vec<String> = DANGEROUS
            .iter()
            .filter_map(|name| Some((name, number(name, Arch::THIS)?)))
            .map(|(name, number)| format!("{name:?}: {number}"))
            .collect();
        let script = format!("NUMBERS = {{{}}}\n{REFUSED_CALLS}", numbers.join(", "));
        let output = python(compile(&STRICT), &script);
        assert!(output.status.success(), "{}", said(&output));
    }

    #[test]
    fn the_key_works_in_a_real_process_and_x32_kills() {
        let script = format!(
            "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nz = ctypes.c_long(0)\n\
             def call(key): return libc.syscall(ctypes.c_long({number}), z, z, z, z, z, ctypes.c_ulong(key))\n\
             assert call(0) == -1 and ctypes.get_errno() == 1\nassert call({wrong}) == -1 and ctypes.get_errno() == 1\n\
             assert call({KEY}) == 0, ctypes.get_errno()\n",
            number = number("unshare", Arch::THIS).unwrap(),
            wrong = KEY ^ (1 << 40),
        );
        let output = python(compile(&STRICT), &script);
        assert!(output.status.success(), "{}", said(&output));
        if cfg!(target_arch = "x86_64") {
            let script = "import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))";
            let output = python(compile(&STRICT), script);
            assert_eq!(
                output.status.signal(),
                Some(libc::SIGSYS),
                "{}",
                said(&output)
            );
        }
    }
}
