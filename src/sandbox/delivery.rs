//! A signal of the [broker](super::broker) to many processes of a cell: to a process group, or to all but the caller. In slices, between which
//! the warden does everybody else's business.
//!
//! First the cell's processes are listed, from the reaper downwards, then each is held, looked at and signalled. What was forked meanwhile is
//! found by listing again, until nothing new is there.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::children;
use super::sys_broker::{self as sys, Answer};

/// How many files of /proc a slice reads, a few microseconds each. What one process takes is finished.
const READS_A_SLICE: usize = 32;
/// The most processes of a cell that are listed. There is no limit in time, because a call that is in order must not fail on a busy machine.
const PROCESSES_MAX: usize = 1000;
/// How often a delivery may ask for a process's parent; then it fails with EAGAIN, whomever it has reached.
const PARENTS_MAX: usize = 8192;
/// How often the processes are listed.
const LISTS_MAX: usize = 4;

/// The machine's processes.
pub(super) trait Processes {
    /// What keeps a process's number its own.
    type Held;
    fn children(&self, process: i32) -> Vec<i32>;
    fn parent(&self, process: i32) -> Option<i32>;
    fn group(&self, process: i32) -> Option<i32>;
    fn hold(&self, process: i32) -> Option<Self::Held>;
    fn signal(&self, process: &Self::Held, signal: i32) -> io::Result<()>;
}

/// Those of this machine.
#[derive(Debug)]
pub(super) struct Host;

impl Processes for Host {
    type Held = OwnedFd;
    fn children(&self, process: i32) -> Vec<i32> {
        children::children(process)
    }
    fn parent(&self, process: i32) -> Option<i32> {
        children::parent(process)
    }
    fn group(&self, process: i32) -> Option<i32> {
        children::group(process)
    }
    fn hold(&self, process: i32) -> Option<OwnedFd> {
        pidfd_open(Pid::from_raw(process)?, PidfdFlags::empty()).ok()
    }
    fn signal(&self, process: &OwnedFd, signal: i32) -> io::Result<()> {
        sys::signal_process(process.as_fd(), signal)
    }
}

/// Whom a signal can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// Those below this one, which was not reaped.
    pub(super) reaper: i32,
    /// Of those, only this child of it and those below. None: all.
    pub(super) branch: Option<i32>,
}

impl Reach {
    /// Whether it is one of them, by what tells a process's parent.
    pub(super) fn has(self, process: i32, parent: impl Fn(i32) -> Option<i32>) -> bool {
        children::top(process, self.reaper, parent)
            .is_some_and(|top| self.branch.is_none_or(|branch| branch == top))
    }

    /// Whose descendants they are; of a branch it is one of them.
    fn above(self) -> i32 {
        self.branch.unwrap_or(self.reaper)
    }
}

/// Where a delivery is.
#[derive(Debug)]
enum Stage {
    /// Listing: what was found, and how many of those were asked for their children.
    List(Vec<i32>, usize),
    /// Signalling those, the last one first.
    Signal(Vec<i32>),
}

/// A signal that is on its way to many.
#[derive(Debug)]
pub(super) struct Delivery {
    reach: Reach,
    /// None: to all but the caller.
    group: Option<i32>,
    /// It is signalled last, if it is of the group.
    caller: i32,
    signal: i32,
    stage: Stage,
    /// How often the processes were listed.
    lists: usize,
    /// Who was signalled, or is not to be.
    seen: HashSet<i32>,
    /// Whether anybody was signalled.
    reached: bool,
    /// Parents that were asked for.
    parents: usize,
    /// Files of /proc that were read.
    reads: usize,
}

impl Delivery {
    /// To a process group of those that can be reached, or to all of them but the caller.
    pub(super) fn new(reach: Reach, group: Option<i32>, caller: i32, signal: i32) -> Self {
        Self {
            reach,
            group,
            caller,
            signal,
            stage: Stage::List(vec![reach.above()], 0),
            lists: 1,
            seen: HashSet::from([reach.reaper, caller]),
            reached: false,
            parents: 0,
            reads: 0,
        }
    }

    /// Whether it reaches the processes of one branch only.
    pub(super) fn is_within_branch(&self) -> bool {
        self.reach.branch.is_some()
    }

    /// Goes on for a slice. The call's answer once everybody was signalled; until then its caller has to wait.
    pub(super) fn slice(&mut self, processes: &impl Processes) -> Option<Answer> {
        let end = self.reads + READS_A_SLICE;
        while self.reads < end {
            if let Some(answer) = self.go_on(processes) {
                return Some(answer);
            }
        }
        None
    }

    /// Looks at one process.
    fn go_on(&mut self, processes: &impl Processes) -> Option<Answer> {
        match &mut self.stage {
            Stage::List(found, asked) => {
                if let Some(process) = found.get(*asked).copied() {
                    *asked += 1;
                    if found.len() < PROCESSES_MAX {
                        self.reads += 1;
                        found.extend(processes.children(process));
                    }
                    return None;
                }
                let mut fresh = std::mem::take(found);
                fresh.retain(|process| self.seen.insert(*process));
                if fresh.is_empty() {
                    return Some(self.end(processes));
                }
                // Parents before their children, as they were found.
                fresh.reverse();
                self.stage = Stage::Signal(fresh);
            }
            Stage::Signal(left) => {
                if let Some(process) = left.pop() {
                    if self.parents >= PARENTS_MAX {
                        return Some(Answer::Errno(libc::EAGAIN));
                    }
                    return self.reach(process, processes).err().map(Answer::Errno);
                }
                if self.lists == LISTS_MAX {
                    return Some(self.end(processes));
                }
                self.lists += 1;
                self.stage = Stage::List(vec![self.reach.above()], 0);
            }
        }
        None
    }

    /// Signals the caller too, if it is of the group, and answers.
    fn end(&mut self, processes: &impl Processes) -> Answer {
        if self.group.is_some()
            && let Err(errno) = self.reach(self.caller, processes)
        {
            return Answer::Errno(errno);
        }
        if self.reached {
            Answer::Value(0)
        } else {
            Answer::Errno(libc::ESRCH)
        }
    }

    /// Signals a process if it is meant. An errno when the signal is none.
    fn reach(&mut self, process: i32, processes: &impl Processes) -> Result<(), i32> {
        self.reads += 1;
        let Some(held) = processes.hold(process) else {
            return Ok(());
        };
        let asked = Cell::new(0);
        let parent = |process| {
            asked.set(asked.get() + 1);
            processes.parent(process)
        };
        let is_member = self.reach.has(process, parent);
        self.parents += asked.get();
        self.reads += asked.get();
        if !is_member {
            return Ok(());
        }
        if let Some(group) = self.group {
            self.reads += 1;
            if processes.group(process) != Some(group) {
                return Ok(());
            }
        }
        match processes.signal(&held, self.signal) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Err(libc::EINVAL),
            Err(_) => Ok(()),
            Ok(()) => {
                self.reached = true;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    const REAPER: i32 = 100;
    const WORKER: i32 = 101;
    const CELL: Reach = Reach {
        reaper: REAPER,
        branch: None,
    };

    /// Processes that are not there: parent and group of each, and who was signalled.
    #[derive(Default)]
    struct Fake {
        processes: RefCell<BTreeMap<i32, (i32, i32)>>,
        signalled: RefCell<Vec<i32>>,
        reads: Cell<usize>,
    }

    impl Fake {
        /// A cell whose worker has children of its group, and a stranger beside it.
        fn of(children: i32) -> Self {
            let fake = Self::default();
            fake.add(REAPER, 50, REAPER);
            fake.add(WORKER, REAPER, WORKER);
            for process in 1000..1000 + children {
                fake.add(process, WORKER, WORKER);
            }
            fake.add(9000, 50, WORKER);
            fake
        }

        fn add(&self, process: i32, parent: i32, group: i32) {
            self.processes.borrow_mut().insert(process, (parent, group));
        }

        fn read<T>(&self, read: impl FnOnce(&BTreeMap<i32, (i32, i32)>) -> T) -> T {
            self.reads.set(self.reads.get() + 1);
            read(&self.processes.borrow())
        }

        /// Delivers, with what happens between the slices. The answer, and how many slices it took.
        fn deliver(&self, mut delivery: Delivery, between: impl Fn(usize)) -> (Answer, usize) {
            for slice in 1.. {
                self.reads.set(0);
                let answer = delivery.slice(self);
                // The last process is finished: its parent twice, its group and itself; and at the end so is the caller.
                let most = READS_A_SLICE + 8;
                assert!(
                    self.reads.get() <= most,
                    "{} reads in a slice",
                    self.reads.get()
                );
                if let Some(answer) = answer {
                    return (answer, slice);
                }
                between(slice);
            }
            unreachable!("a delivery without an end")
        }
    }

    impl Processes for Fake {
        type Held = i32;
        fn children(&self, process: i32) -> Vec<i32> {
            self.read(|all| {
                let below = all.iter().filter(|(_, (parent, _))| *parent == process);
                below.map(|(child, _)| *child).collect()
            })
        }
        fn parent(&self, process: i32) -> Option<i32> {
            self.read(|all| Some(all.get(&process)?.0))
        }
        fn group(&self, process: i32) -> Option<i32> {
            self.read(|all| Some(all.get(&process)?.1))
        }
        fn hold(&self, process: i32) -> Option<i32> {
            self.read(|all| all.contains_key(&process).then_some(process))
        }
        fn signal(&self, process: &i32, signal: i32) -> io::Result<()> {
            if signal > 64 {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            self.signalled.borrow_mut().push(*process);
            Ok(())
        }
    }

    #[test]
    fn a_group_is_signalled_in_slices_each_process_once_and_the_caller_last() {
        let fake = Fake::of(200);
        let to_group = Delivery::new(CELL, Some(WORKER), 1007, 9);
        let (answer, slices) = fake.deliver(to_group, |_| {});
        assert_eq!(answer, Answer::Value(0));
        assert!(slices > 20, "{slices}");
        let mut signalled = fake.signalled.take();
        assert_eq!(signalled.last(), Some(&1007));
        signalled.sort_unstable();
        let mut all: Vec<i32> = (1000..1200).collect();
        all.insert(0, WORKER);
        assert_eq!(signalled, all);
    }

    #[test]
    fn everybody_is_all_of_the_cell_but_the_caller() {
        let fake = Fake::of(3);
        fake.add(1002, 1001, 1002);
        let to_all = Delivery::new(CELL, None, 1000, 15);
        assert_eq!(fake.deliver(to_all, |_| {}).0, Answer::Value(0));
        assert_eq!(fake.signalled.take(), [WORKER, 1001, 1002]);
    }

    #[test]
    fn everybody_is_all_of_the_branch_where_the_cell_has_several() {
        let fake = Fake::of(3);
        fake.add(102, REAPER, 102);
        fake.add(1002, 102, WORKER);
        fake.add(103, REAPER, WORKER);
        for (branch, reached) in [(WORKER, [WORKER, 1000].as_slice()), (102, &[102, 1002])] {
            let reach = Reach {
                branch: Some(branch),
                ..CELL
            };
            let caller = if branch == WORKER { 1001 } else { 4711 };
            let to_all = Delivery::new(reach, None, caller, 15);
            assert_eq!(fake.deliver(to_all, |_| {}).0, Answer::Value(0));
            assert_eq!(fake.signalled.take(), reached);
            // A group's number says nothing of who is in it.
            let to_group = Delivery::new(reach, Some(WORKER), branch, 15);
            assert_eq!(fake.deliver(to_group, |_| {}).0, Answer::Value(0));
            let signalled = fake.signalled.take();
            assert!(
                signalled
                    .iter()
                    .all(|process| reach.has(*process, |of| fake.parent(of)))
            );
            assert!(!signalled.contains(&103), "{signalled:?}");
        }
    }

    #[test]
    fn what_is_forked_between_slices_is_reached_and_what_has_ended_is_not() {
        let fake = Fake::of(100);
        let to_group = Delivery::new(CELL, Some(WORKER), WORKER, 9);
        let (answer, _) = fake.deliver(to_group, |slice| {
            if slice == 10 {
                fake.processes.borrow_mut().remove(&1099);
                fake.add(2000, WORKER, WORKER);
                // An orphan of one that has ended is the reaper's.
                fake.add(2001, REAPER, WORKER);
            }
        });
        assert_eq!(answer, Answer::Value(0));
        let signalled = fake.signalled.take();
        assert!(signalled.contains(&2000) && signalled.contains(&2001));
        assert!(!signalled.contains(&1099) && !signalled.contains(&9000));
    }

    #[test]
    fn processes_that_are_forked_for_ever_do_not_keep_a_delivery_from_its_end() {
        let fake = Fake::of(10);
        let to_all = Delivery::new(CELL, None, WORKER, 9);
        let (answer, _) = fake.deliver(to_all, |slice| {
            let next = 2000 + i32::try_from(slice).unwrap();
            fake.add(next, WORKER, WORKER);
        });
        assert_eq!(answer, Answer::Value(0));
    }

    #[test]
    fn nobody_no_signal_and_too_many_ways_up_are_told_as_such() {
        let fake = Fake::of(0);
        let nobody = Delivery::new(CELL, Some(77), WORKER, 9);
        assert_eq!(fake.deliver(nobody, |_| {}).0, Answer::Errno(libc::ESRCH));
        let alone = Delivery::new(CELL, None, WORKER, 9);
        assert_eq!(fake.deliver(alone, |_| {}).0, Answer::Errno(libc::ESRCH));
        let fake = Fake::of(5);
        let none = Delivery::new(CELL, None, WORKER, 65);
        assert_eq!(fake.deliver(none, |_| {}).0, Answer::Errno(libc::EINVAL));
        let mut asked = Delivery::new(CELL, None, WORKER, 9);
        asked.parents = PARENTS_MAX;
        assert_eq!(fake.deliver(asked, |_| {}).0, Answer::Errno(libc::EAGAIN));
        assert!(fake.signalled.take().is_empty());
    }
}
