//! The signal broker: where neither Landlock nor uids keep signals within a cell, its processes' calls that send them come to the warden,
//! which does what the kernel would do if there were nobody but the cell.
//!
//! Each cell has a listener of its own (seccomp_unotify(2)): its worker installs the filter before user code and hands the listener over, so
//! a call's cell is known by where it comes from, and reaper and template are not asked. User code never holds a listener, and can install no
//! filter. Without anyone at the listener calls fail with ENOSYS.
//!
//! **Nobody else is signalled.** A target is held by a descriptor first (pidfd_open(2)), and looked at then: a process whose parents lead to
//! the cell's reaper. A cell's processes can't leave it, because orphans become the reaper's children, and no other process can enter it. A
//! pid that is given to someone else meanwhile makes the descriptor one of a process that has ended.
//!
//! **What runs as it is** is what reaches the caller's own process by registers alone: nobody can change those of a thread that waits, and its
//! process number is nobody else's as long as it waits. A thread that isn't the caller may end, so a number of one is not trusted but
//! signalled together with the process's (tgkill(2)).
//!
//! What differs from the kernel: a signal to another process says that the warden sent it (`si_pid`), sigqueue(3) and signals to threads work
//! within the caller's process only, and a process group is not signalled at one moment.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::children;
use super::order::WorkerId;
use super::sys_broker::{self as sys, Answer, Notification};

/// How long the warden serves signals before it looks at everything else again. The call at hand is finished.
const ROUND_WITHIN: Duration = Duration::from_millis(2);
/// The most processes of a cell that one call to a group looks at. There is no limit in time, because a call that is in order must not fail
/// on a busy machine.
const PROCESSES_MAX: usize = 1000;
/// How often such a call may ask for a process's parent, which takes a few microseconds; then it fails with EAGAIN, whomever it has reached.
const PARENTS_MAX: usize = 8192;
/// The longest way from a process up to its reaper. A cell can make longer ones, whose processes are then not found.
const DEPTH_MAX: usize = 64;
/// How often to look again because a parent has ended meanwhile, or processes were forked.
const LOOKS_MAX: usize = 4;

/// Whom a call wants to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// kill(2) of a pid.
    Process(i32),
    /// kill(2) of a process group.
    Group(i32),
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
    /// Another process of the cell, or a thread of one.
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
            // The filter lets it run: the caller's own group.
            0 => return None,
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) worker: WorkerId,
    /// Its reaper, a child of this process that was not reaped.
    pub(super) reaper: i32,
    pub(super) listener: BorrowedFd<'a>,
}

/// Serves the listeners of all cells, in turn.
#[derive(Debug, Default)]
pub(super) struct Broker {
    /// Who was served last.
    last: WorkerId,
}

impl Broker {
    /// Answers one call of each cell, or of fewer when time is up: then the next round begins with the others.
    ///
    /// # Errors
    /// The last of what kept a call from being answered; it waits until its cell ends.
    pub(super) fn round(&mut self, mut waiting: Vec<Waiting<'_>>) -> io::Result<()> {
        waiting.sort_by_key(|cell| (cell.worker <= self.last, cell.worker));
        let end = Instant::now() + ROUND_WITHIN;
        let mut result = Ok(());
        for cell in waiting {
            self.last = cell.worker;
            if let Err(error) = cell.serve() {
                result = Err(error);
            }
            if Instant::now() >= end {
                break;
            }
        }
        result
    }
}

impl Waiting<'_> {
    /// Answers one call.
    fn serve(self) -> io::Result<()> {
        // It has gone meanwhile, and the next poll tells what there is.
        let Ok(call) = sys::receive(self.listener) else {
            return Ok(());
        };
        let answer = self.decide(&call);
        match sys::answer(self.listener, call.id, answer) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // the caller has ended
            other => other,
        }
    }

    fn decide(self, call: &Notification) -> Answer {
        let (target, signal) = match parse(call.number, call.arguments) {
            Some(Ok(parsed)) => parsed,
            Some(Err(errno)) => return Answer::Errno(errno),
            None => return Answer::Errno(libc::ENOSYS),
        };
        let Some(caller) = children::leader(call.thread) else {
            return Answer::Errno(libc::ESRCH);
        };
        // What was read of the caller is of it: its number is its own as long as it waits.
        if !sys::still_waits(self.listener, call.id) {
            return Answer::Errno(libc::ESRCH);
        }
        let number = match target {
            Target::Group(group) => return self.deliver_to_all(Some(group), caller, signal),
            Target::Everybody => return self.deliver_to_all(None, caller, signal),
            Target::Process(number)
            | Target::Thread(number)
            | Target::ThreadOf(number)
            | Target::Queue(number) => number,
        };
        let (standing, process) = self.look(number, caller, call.thread);
        let delivered = match (verdict(target, standing), process) {
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

    /// What a number stands for, and the process if it is one of the cell.
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
        let Some(held) = self.member(process, children::parent) else {
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

    /// Holds a process if it is one of the cell, by what tells a process's parent.
    fn member(self, process: i32, parent: impl Fn(i32) -> Option<i32>) -> Option<OwnedFd> {
        let held = pidfd_open(Pid::from_raw(process)?, PidfdFlags::empty()).ok()?;
        is_below(process, self.reaper, parent).then_some(held)
    }

    /// Signals all of the cell but the caller; or a process group, the caller last if it is of it.
    fn deliver_to_all(self, group: Option<i32>, caller: i32, signal: i32) -> Answer {
        let asked = Cell::new(0);
        let parent = |process| {
            asked.set(asked.get() + 1);
            children::parent(process)
        };
        let is_meant = |process| group.is_none_or(|group| children::group(process) == Some(group));
        let mut seen = HashSet::from([self.reaper, caller]);
        let mut reached = false;
        let mut reach = |process| {
            let held = self.member(process, parent).filter(|_| is_meant(process));
            match held.map(|held| sys::signal_process(held.as_fd(), signal)) {
                Some(Err(error)) if error.raw_os_error() == Some(libc::EINVAL) => Err(libc::EINVAL),
                Some(Ok(())) => {
                    reached = true;
                    Ok(())
                }
                _ => Ok(()),
            }
        };
        // What is forked meanwhile is found by looking again.
        for _ in 0..LOOKS_MAX {
            let mut found = children::tree_up_to(self.reaper, PROCESSES_MAX);
            found.retain(|process| seen.insert(*process));
            if found.is_empty() {
                break;
            }
            for process in found {
                if asked.get() >= PARENTS_MAX {
                    return Answer::Errno(libc::EAGAIN);
                }
                if let Err(errno) = reach(process) {
                    return Answer::Errno(errno);
                }
            }
        }
        if group.is_some()
            && let Err(errno) = reach(caller)
        {
            return Answer::Errno(errno);
        }
        if reached {
            Answer::Value(0)
        } else {
            Answer::Errno(libc::ESRCH)
        }
    }
}

/// Whether a process descends from a reaper, by what tells a process's parent.
///
/// The way up is gone twice, the second time downwards: a process that had the same parent both times had it in between, so that the
/// parent's number was nobody else's when its own parent was looked at.
fn is_below(process: i32, reaper: i32, parent: impl Fn(i32) -> Option<i32>) -> bool {
    let way = || {
        let mut way = vec![process];
        for _ in 0..DEPTH_MAX {
            let above = parent(*way.last()?)?;
            if above <= 1 {
                return None;
            }
            way.push(above);
            if above == reaper {
                return Some(way);
            }
        }
        None
    };
    for _ in 0..LOOKS_MAX {
        let Some(way) = way() else {
            return false;
        };
        let mut links = way.iter().zip(way.iter().skip(1)).rev();
        if links.all(|(below, above)| parent(*below) == Some(*above)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

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
            (libc::SYS_kill, [0, 9, 0], None),
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

    const REAPER: i32 = 100;

    #[test]
    fn a_cell_is_what_descends_from_its_reaper() {
        let parents = HashMap::from([
            (101, REAPER),
            (102, 101),
            (103, 102),
            (REAPER, 50),
            (50, 1),
            (201, 200),
            (200, 50),
            // What a namespace's outside looks like.
            (300, 0),
        ]);
        let below = |process| is_below(process, REAPER, |process| parents.get(&process).copied());
        for process in [101, 102, 103] {
            assert!(below(process), "{process}");
        }
        for process in [REAPER, 50, 1, 200, 201, 300, 999] {
            assert!(!below(process), "{process}");
        }
    }

    #[test]
    fn a_way_up_has_a_bound() {
        let deep = |process: i32| Some(if process == 1001 { REAPER } else { process - 1 });
        let last = 1000 + i32::try_from(DEPTH_MAX).unwrap();
        assert!(is_below(last, REAPER, deep));
        assert!(!is_below(last + 1, REAPER, deep));
        // A ring is no way at all.
        assert!(!is_below(7, REAPER, |process| Some(15 - process)));
    }

    #[test]
    fn a_parents_number_that_became_somebody_elses_leads_nowhere() {
        // 201 is of another cell. Its parent 102 ended when its own parent was to be looked at, and a process of this cell has that number
        // now; 201 is its reaper's.
        let asked = RefCell::new(Vec::new());
        let parent = |process: i32| {
            let first = !asked.borrow().contains(&process);
            asked.borrow_mut().push(process);
            match process {
                201 if first => Some(102),
                201 => Some(200),
                102 => Some(REAPER),
                200 => Some(50),
                50 => Some(1),
                _ => None,
            }
        };
        assert!(!is_below(201, REAPER, parent));
        // One of this cell whose parent has ended is found at the second look.
        asked.borrow_mut().clear();
        let parent = |process: i32| {
            let first = !asked.borrow().contains(&process);
            asked.borrow_mut().push(process);
            match process {
                103 if first => Some(102),
                103 | 102 => Some(REAPER),
                _ => None,
            }
        };
        assert!(is_below(103, REAPER, parent));
    }
}
