//! The signal broker: at level `landlock` without uids, a cell's calls that send signals come to the warden, which does what the kernel would do
//! if there were nobody but the cell; and once a worker of it was copied, nobody but the caller's branch. As long as it was not, and Landlock keeps
//! signals within the cell (Linux 6.12), the kernel makes the calls as they are.
//!
//! Each cell has a listener of its own (seccomp_unotify(2)): its worker installs the filter before user code and hands the listener over, so
//! a call's cell is known by where it comes from, and reaper and template are not asked. User code never holds a listener, and can install no
//! filter. Without anyone at the listener calls fail with ENOSYS. A worker that is being copied asks there, too, for what it can't see of itself.
//!
//! **Nobody else is signalled.** A target is held by a descriptor first (pidfd_open(2)), and looked at then: a process whose parents lead to
//! the cell's reaper, and where there are branches by the same child of that as the caller's. A cell's processes can't leave it, because orphans become the reaper's children, and no other process can enter it. A
//! pid that is given to someone else meanwhile makes the descriptor one of a process that has ended.
//!
//! **What runs as it is** is what reaches the caller's own process by registers alone: nobody can change those of a thread that waits, and its
//! process number is nobody else's as long as it waits. A thread that isn't the caller may end, so a number of one is not trusted but
//! signalled together with the process's (tgkill(2)).
//!
//! A call to many is delivered in slices (`delivery.rs`), a round each, so that a large cell's does not hold up anybody else's business; its
//! cell's other calls wait meanwhile.
//!
//! What differs from the kernel: a signal to another process says that the warden sent it (`si_pid`), sigqueue(3) and signals to threads work
//! within the caller's process only, and a process group is not signalled at one moment.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::children;
use super::delivery::{Delivery, Host, Reach};
use super::order::WorkerId;
use super::sys_broker::{self as sys, Answer, Notification};

/// A call that is never made, and what is asked for by it: `setfsuid` and `ASK_FACTS` of `forks.rs`.
pub(super) const ASK: libc::c_long = libc::SYS_setfsuid;
pub(super) const ASK_FACTS: u64 = 3;

/// Whether a worker that is being copied asks for what it has to know of itself.
pub(super) fn asks_for_facts(call: &Notification) -> bool {
    let [_, what, ..] = call.arguments;
    libc::c_long::from(call.number) == ASK && what == ASK_FACTS
}

/// How long the warden serves signals before it looks at everything else again. The call at hand is finished, or its slice of a delivery.
const ROUND_WITHIN: Duration = Duration::from_millis(2);
/// Whom a call wants to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// kill(2) of a pid.
    Process(i32),
    /// kill(2) of a process group.
    Group(i32),
    /// kill(2) of 0: the caller's own group.
    OwnGroup,
    /// kill(2) of -1: all but the caller.
    Everybody,
    /// tkill(2).
    Thread(i32),
    /// tgkill(2): the process.
    ThreadOf(i32),
    /// rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2): the process.
    Queue(i32),
}

/// What a single process or thread is to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The caller's process, by its own number.
    Own,
    /// The calling thread, by its own number.
    Caller,
    /// Another thread of the caller's process.
    OwnThread,
    /// Another process of the cell, or of its branch that the caller is of, or a thread of one.
    Member,
    /// The cell's reaper.
    Reaper,
    /// Nobody, or somebody of whom the cell knows nothing.
    Nobody,
}

/// What is done about a single target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The kernel makes the call.
    Run,
    /// The broker signals the process.
    Deliver,
    /// The broker signals the thread of the caller's process.
    DeliverToThread,
    /// It fails with this errno.
    Refuse(i32),
}

fn verdict(target: Target, standing: Standing) -> Verdict {
    match (standing, target) {
        (Standing::Nobody, _) => Verdict::Refuse(libc::ESRCH),
        (Standing::Reaper, _) => Verdict::Refuse(libc::EPERM),
        (Standing::Own, _) | (Standing::Caller, Target::Thread(_)) => Verdict::Run,
        (Standing::OwnThread, Target::Thread(_)) => Verdict::DeliverToThread,
        // The number of a thread stands for its process.
        (_, Target::Process(_)) => Verdict::Deliver,
        // It is no process's number.
        (Standing::Caller | Standing::OwnThread, Target::ThreadOf(_)) => {
            Verdict::Refuse(libc::ESRCH)
        }
        _ => Verdict::Refuse(libc::EPERM),
    }
}

/// What the kernel takes of a register for an `int`.
fn low_half(register: u64) -> i32 {
    let [a, b, c, d, ..] = register.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// Whom a call wants to signal, and with what. None: it is no call of the filter.
fn parse(number: i32, arguments: [u64; 6]) -> Option<Result<(Target, i32), i32>> {
    let [first, second, third, ..] = arguments.map(low_half);
    let positive = |number: i32, target: fn(i32) -> Target, signal| {
        if number > 0 {
            Ok((target(number), signal))
        } else {
            Err(libc::EINVAL)
        }
    };
    Some(match libc::c_long::from(number) {
        libc::SYS_kill => match first {
            1.. => Ok((Target::Process(first), second)),
            0 => Ok((Target::OwnGroup, second)),
            -1 => Ok((Target::Everybody, second)),
            i32::MIN => Err(libc::ESRCH),
            group => Ok((Target::Group(-group), second)),
        },
        libc::SYS_tkill => positive(first, Target::Thread, second),
        libc::SYS_tgkill if second <= 0 => Err(libc::EINVAL),
        libc::SYS_tgkill => positive(first, Target::ThreadOf, third),
        libc::SYS_rt_sigqueueinfo => positive(first, Target::Queue, second),
        libc::SYS_rt_tgsigqueueinfo if second <= 0 => Err(libc::EINVAL),
        libc::SYS_rt_tgsigqueueinfo => positive(first, Target::Queue, third),
        _ => return None,
    })
}

/// A cell at whose listener a call waits.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    pub(super) worker: WorkerId,
    /// Its reaper, a child of this process that was not reaped.
    pub(super) reaper: i32,
    pub(super) listener: BorrowedFd<'a>,
    pub(super) within: Within,
    /// Workers of it that are being copied, and what each has to know of itself.
    pub(super) facts: Vec<(i32, BorrowedFd<'a>)>,
}

/// What a cell's signals are to stay within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// The cell, which has one branch: and something else does that.
    CellAnyway,
    /// The cell, which has one branch.
    Cell,
    /// The caller's branch: the cell has, or had, several.
    Branch,
}

/// What is done about a call.
enum Decision {
    Answer(Answer),
    /// It goes to many, in slices, and is answered then.
    Deliver(Delivery),
}

/// A call to many that is under way, by its number at the listener.
#[derive(Debug)]
struct UnderWay {
    call: u64,
    delivery: Delivery,
}

/// Serves the listeners of all cells, in turn.
#[derive(Debug, Default)]
pub(super) struct Broker {
    /// Who was served last.
    last: WorkerId,
    /// At most one a cell, whose other calls wait for it.
    under_way: HashMap<WorkerId, UnderWay>,
}

impl Broker {
    /// Whether a round has something to do although nobody has called.
    pub(super) fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Whether a cell's call is under way.
    pub(super) fn is_busy_for(&self, worker: WorkerId) -> bool {
        self.under_way.contains_key(&worker)
    }

    /// Answers one call of each cell or goes on with it, or of fewer when time is up: then the next round begins with the others. `waiting` are
    /// all cells where a call waits or is under way; others have gone.
    ///
    /// # Errors
    /// The last of what kept a call from being answered; it waits until its cell ends.
    pub(super) fn round(&mut self, mut waiting: Vec<Waiting<'_>>) -> io::Result<()> {
        self.under_way
            .retain(|worker, _| waiting.iter().any(|cell| cell.worker == *worker));
        waiting.sort_by_key(|cell| (cell.worker <= self.last, cell.worker));
        let end = Instant::now() + ROUND_WITHIN;
        let mut result = Ok(());
        for cell in waiting {
            self.last = cell.worker;
            if let Err(error) = self.serve(&cell) {
                result = Err(error);
            }
            if Instant::now() >= end {
                break;
            }
        }
        result
    }

    /// Answers one call, or goes on with the one that is under way.
    fn serve(&mut self, cell: &Waiting<'_>) -> io::Result<()> {
        let (call, decision) = match self.under_way.remove(&cell.worker) {
            // Its caller was killed. The number of one that has gone may be somebody else's.
            Some(at) if !sys::still_waits(cell.listener, at.call) => return Ok(()),
            // It began when the cell had one branch.
            Some(at) if cell.within == Within::Branch && !at.delivery.is_within_branch() => {
                (at.call, Decision::Answer(Answer::Errno(libc::EAGAIN)))
            }
            Some(UnderWay { call, delivery }) => (call, Decision::Deliver(delivery)),
            None => match sys::receive(cell.listener) {
                Ok(call) => (call.id, cell.decide(&call)),
                // It has gone meanwhile, and the next poll tells what there is.
                Err(_) => return Ok(()),
            },
        };
        let answer = match decision {
            Decision::Answer(answer) => answer,
            Decision::Deliver(mut delivery) => match delivery.slice(&Host) {
                Some(answer) => answer,
                None => {
                    let at = UnderWay { call, delivery };
                    self.under_way.insert(cell.worker, at);
                    return Ok(());
                }
            },
        };
        match sys::answer(cell.listener, call, answer) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // the caller has ended
            other => other,
        }
    }
}

impl Waiting<'_> {
    fn decide(&self, call: &Notification) -> Decision {
        if asks_for_facts(call) {
            return Decision::Answer(self.tell_facts(call));
        }
        let (target, signal) = match parse(call.number, call.arguments) {
            Some(Ok(parsed)) => parsed,
            Some(Err(errno)) => return Decision::Answer(Answer::Errno(errno)),
            None => return Decision::Answer(Answer::Errno(libc::ENOSYS)),
        };
        let Some(caller) = children::leader(call.thread) else {
            return Decision::Answer(Answer::Errno(libc::ESRCH));
        };
        // What was read of the caller is of it: its number is its own as long as it waits.
        if !sys::still_waits(self.listener, call.id) {
            return Decision::Answer(Answer::Errno(libc::ESRCH));
        }
        let reach = match self.within {
            Within::CellAnyway => return Decision::Answer(Answer::Run),
            Within::Cell => None,
            // One that is too far down to be found reaches itself only.
            Within::Branch => {
                let top = children::top(caller, self.reaper, children::parent);
                Some(top.unwrap_or(caller))
            }
        };
        let reach = Reach {
            reaper: self.reaper,
            branch: reach,
        };
        let to_many = |group| Decision::Deliver(Delivery::new(reach, group, caller, signal));
        match target {
            Target::Group(group) => to_many(Some(group)),
            // The kernel does, as the group is of the cell alone.
            Target::OwnGroup if self.within == Within::Cell => Decision::Answer(Answer::Run),
            Target::OwnGroup => match children::group(caller) {
                Some(group) => to_many(Some(group)),
                None => Decision::Answer(Answer::Errno(libc::ESRCH)),
            },
            Target::Everybody => to_many(None),
            Target::Process(number)
            | Target::Thread(number)
            | Target::ThreadOf(number)
            | Target::Queue(number) => {
                let (standing, process) = reach.look(number, caller, call.thread);
                Decision::Answer(deliver(
                    verdict(target, standing),
                    process,
                    caller,
                    number,
                    signal,
                ))
            }
        }
    }

    /// Gives a worker that is being copied what it asks for.
    fn tell_facts(&self, call: &Notification) -> Answer {
        let mut told = self.facts.iter();
        let told = told.find(|(pid, _)| *pid == call.thread);
        let told = told.filter(|_| sys::still_waits(self.listener, call.id));
        let fd =
            told.map(|(_, facts)| sys::add_descriptor(self.listener, call.id, *facts, None, true));
        match fd {
            Some(Ok(fd)) => Answer::Value(fd.into()),
            _ => Answer::Errno(libc::EPERM),
        }
    }
}

/// Signals a single process or thread, if the caller may.
fn deliver(
    verdict: Verdict,
    process: Option<OwnedFd>,
    caller: i32,
    number: i32,
    signal: i32,
) -> Answer {
    let delivered = match (verdict, process) {
        (Verdict::Run, _) => return Answer::Run,
        (Verdict::Refuse(errno), _) => return Answer::Errno(errno),
        (Verdict::DeliverToThread, _) => sys::signal_thread(caller, number, signal),
        (Verdict::Deliver, Some(process)) => sys::signal_process(process.as_fd(), signal),
        (Verdict::Deliver, None) => return Answer::Errno(libc::ESRCH),
    };
    match delivered {
        Ok(()) => Answer::Value(0),
        Err(error) => Answer::Errno(error.raw_os_error().unwrap_or(libc::EPERM)),
    }
}

impl Reach {
    /// What a number stands for, and the process if it is one that can be reached.
    fn look(self, number: i32, caller: i32, thread: i32) -> (Standing, Option<OwnedFd>) {
        if number == caller {
            return (Standing::Own, None);
        }
        let Some(process) = children::leader(number) else {
            return (Standing::Nobody, None);
        };
        if process == self.reaper {
            return (Standing::Reaper, None);
        }
        let Some(held) = self.member(process) else {
            return (Standing::Nobody, None);
        };
        let standing = if number == thread {
            Standing::Caller
        } else if process == caller {
            Standing::OwnThread
        } else {
            Standing::Member
        };
        (standing, Some(held))
    }

    /// Holds a process if it is one that can be reached.
    fn member(self, process: i32) -> Option<OwnedFd> {
        let held = pidfd_open(Pid::from_raw(process)?, PidfdFlags::empty()).ok()?;
        self.has(process, children::parent).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_STANDING: [Standing; 6] = [
        Standing::Own,
        Standing::Caller,
        Standing::OwnThread,
        Standing::Member,
        Standing::Reaper,
        Standing::Nobody,
    ];
    const EVERY_TARGET: [Target; 4] = [
        Target::Process(7),
        Target::Thread(7),
        Target::ThreadOf(7),
        Target::Queue(7),
    ];

    #[test]
    fn a_call_reaches_its_own_cell_and_nobody_else() {
        for target in EVERY_TARGET {
            // Others don't exist; the reaper does, as the parent that it is.
            let outside = verdict(target, Standing::Nobody);
            assert_eq!(outside, Verdict::Refuse(libc::ESRCH), "{target:?}");
            let reaper = verdict(target, Standing::Reaper);
            assert_eq!(reaper, Verdict::Refuse(libc::EPERM), "{target:?}");
            assert_eq!(verdict(target, Standing::Own), Verdict::Run, "{target:?}");
            let member = verdict(target, Standing::Member);
            let wanted = if matches!(target, Target::Process(_)) {
                Verdict::Deliver
            } else {
                Verdict::Refuse(libc::EPERM)
            };
            assert_eq!(member, wanted, "{target:?}");
        }
    }

    #[test]
    fn the_kernel_makes_only_calls_whose_number_is_the_callers_as_long_as_it_waits() {
        for target in EVERY_TARGET {
            for standing in EVERY_STANDING {
                let runs = verdict(target, standing) == Verdict::Run;
                let own = standing == Standing::Own
                    || (standing, target) == (Standing::Caller, Target::Thread(7));
                assert_eq!(runs, own, "{target:?} {standing:?}");
            }
        }
        let thread = verdict(Target::Thread(7), Standing::OwnThread);
        assert_eq!(thread, Verdict::DeliverToThread);
        // kill(2) of a thread's number is of its process; tgkill(2) wants the process's.
        for standing in [Standing::Caller, Standing::OwnThread] {
            assert_eq!(verdict(Target::Process(7), standing), Verdict::Deliver);
            assert_eq!(
                verdict(Target::ThreadOf(7), standing),
                Verdict::Refuse(libc::ESRCH)
            );
        }
    }

    #[test]
    fn calls_are_read_as_the_kernel_reads_their_registers() {
        let minus = |number: i64| number.cast_unsigned();
        for (number, arguments, wanted) in [
            (libc::SYS_kill, [7, 9, 0], Some(Ok((Target::Process(7), 9)))),
            // The high half does not count.
            (
                libc::SYS_kill,
                [(5 << 32) | 7, (1 << 32) | 9, 0],
                Some(Ok((Target::Process(7), 9))),
            ),
            (
                libc::SYS_kill,
                [minus(-1), 9, 0],
                Some(Ok((Target::Everybody, 9))),
            ),
            (
                libc::SYS_kill,
                [0xffff_ffff, 9, 0],
                Some(Ok((Target::Everybody, 9))),
            ),
            (
                libc::SYS_kill,
                [minus(-7), 9, 0],
                Some(Ok((Target::Group(7), 9))),
            ),
            (libc::SYS_kill, [0x8000_0000, 9, 0], Some(Err(libc::ESRCH))),
            (libc::SYS_kill, [0, 9, 0], Some(Ok((Target::OwnGroup, 9)))),
            (libc::SYS_tkill, [7, 9, 0], Some(Ok((Target::Thread(7), 9)))),
            (libc::SYS_tkill, [0, 9, 0], Some(Err(libc::EINVAL))),
            (libc::SYS_tkill, [minus(-7), 9, 0], Some(Err(libc::EINVAL))),
            (
                libc::SYS_tgkill,
                [7, 8, 9],
                Some(Ok((Target::ThreadOf(7), 9))),
            ),
            (libc::SYS_tgkill, [7, 0, 9], Some(Err(libc::EINVAL))),
            (libc::SYS_tgkill, [minus(-1), 8, 9], Some(Err(libc::EINVAL))),
            (
                libc::SYS_rt_sigqueueinfo,
                [7, 9, 1],
                Some(Ok((Target::Queue(7), 9))),
            ),
            (
                libc::SYS_rt_tgsigqueueinfo,
                [7, 8, 9],
                Some(Ok((Target::Queue(7), 9))),
            ),
            (libc::SYS_getpid, [7, 8, 9], None),
        ] {
            let [first, second, third] = arguments;
            let number = i32::try_from(number).unwrap();
            assert_eq!(
                parse(number, [first, second, third, 1, 1, 1]),
                wanted,
                "{number} {arguments:?}"
            );
        }
    }
}
