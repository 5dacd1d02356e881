//! Control groups of cells that have ended, for the next ones: with control groups v1, to make and remove three directories and set their
//! limits costs the warden, and the kernel behind its back, more than all else that it does for a cell.
//!
//! A group is used again only if nothing of its last cell shows: that ended in order, no process is left, no limit was hit, and next to
//! nothing is charged any more. What it counted is set to zero. Any other is removed, as are all of v2, whose counters can't be set back.

use std::io;
use std::time::Duration;

use super::cgroup::{Cgroup, CgroupFacts, Cgroups};
use crate::limits::CellLimits;

/// Groups that wait for a cell, at the most. As many cells as a warm pool has by default may end before the next is made.
const FREE_MAX: usize = 64;

/// The control groups of one run of the server.
#[derive(Debug)]
pub(crate) struct CgroupStock {
    cgroups: Cgroups,
    /// Ready for a cell with these limits.
    free: Vec<(CellLimits, Cgroup)>,
    /// Of cells that have ended, to be removed; still busy at the last try.
    busy: Vec<Cgroup>,
}

impl CgroupStock {
    pub(crate) fn new(cgroups: Cgroups) -> Self {
        Self {
            cgroups,
            free: Vec::new(),
            busy: Vec::new(),
        }
    }

    /// A group for a cell with these limits, in which nothing has been counted yet. `name` is that of a new one: see [`Cgroups::create`].
    ///
    /// # Errors
    /// As [`Cgroups::create`].
    pub(crate) fn take(&mut self, name: &str, limits: &CellLimits) -> io::Result<Cgroup> {
        let found = self.free.iter().rposition(|(of, _)| of == limits);
        match found {
            Some(at) => Ok(self.free.swap_remove(at).1),
            None => self.cgroups.create(name, limits),
        }
    }

    /// Takes back the group of a cell that never came to be.
    pub(crate) fn discard(&mut self, cgroup: Cgroup) {
        self.busy.push(cgroup);
        self.remove_busy();
    }

    /// Takes back the group of a cell that has ended, with what it had counted. `in_order`: its reaper has said that nothing is left.
    pub(crate) fn give_back(
        &mut self,
        cgroup: Cgroup,
        limits: CellLimits,
        facts: &CgroupFacts,
        in_order: bool,
    ) {
        let untouched = |count: Option<u64>| count.is_none_or(|count| count == 0);
        let clean = in_order && untouched(facts.oom_kills) && untouched(facts.processes_refused);
        if clean && self.free.len() < FREE_MAX && cgroup.set_back() {
            self.free.push((limits, cgroup));
        } else {
            self.busy.push(cgroup);
        }
        self.remove_busy();
    }

    fn remove_busy(&mut self) {
        for cgroup in std::mem::take(&mut self.busy) {
            if let Err((cgroup, _)) = cgroup.remove() {
                self.busy.push(cgroup);
            }
        }
    }

    /// See [`Cgroups::close`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn close(self, within: Duration) -> io::Result<()> {
        self.cgroups.close(within)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::cgroup::tests::{LIMITS, WITHIN, groups, line, shell};
    use super::*;

    /// Runs a program in a group, until it has printed a line and ended.
    fn run(group: &Cgroup, program: &str) {
        let mut child = shell(group, program);
        assert_ne!(line(&mut child), "");
        assert!(child.wait().unwrap().success());
    }

    /// Gives a group back as soon as its process has left it.
    fn given_back(stock: &mut CgroupStock, group: Cgroup, in_order: bool) -> bool {
        let until = Instant::now() + WITHIN;
        while !group.is_empty() {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
        let facts = group.facts();
        stock.give_back(group, LIMITS, &facts, in_order);
        !stock.free.is_empty()
    }

    #[test]
    fn a_group_serves_again_only_if_nothing_shows_of_its_last_cell() {
        let Some(cgroups) = groups("reuse") else {
            return;
        };
        if cgroups.version() == 2 {
            return cgroups.close(WITHIN).unwrap();
        }
        let mut stock = CgroupStock::new(cgroups);
        let busy = "x = bytearray(16 << 20)\nwhile __import__('time').process_time() < 0.05: pass\nprint('done')";

        let group = stock.take("1", &LIMITS).unwrap();
        run(&group, busy);
        let facts = group.facts();
        assert!(facts.peak_memory_bytes.unwrap() > 16 << 20 && facts.cpu.unwrap() > Duration::ZERO);
        assert!(given_back(&mut stock, group, true));

        // Others limits: another group. The same: that one, as if it were new.
        let other = CellLimits {
            processes: 9,
            ..LIMITS
        };
        let group = stock.take("2", &other).unwrap();
        assert_eq!(stock.free.len(), 1);
        stock.discard(group);
        let group = stock.take("3", &LIMITS).unwrap();
        assert!(stock.free.is_empty());
        let facts = group.facts();
        assert!(facts.peak_memory_bytes.unwrap() < 4 << 20, "{facts:?}");
        assert_eq!(facts.cpu, Some(Duration::ZERO));
        // Its limits hold: the third process is one too many with these.
        run(&group, "print('done')");

        // Not in order: not again.
        assert!(!given_back(&mut stock, group, false));
        // At a limit: not again.
        let group = stock.take("4", &LIMITS).unwrap();
        run(
            &group,
            "import os\ntry:\n  while True:\n    if os.fork() == 0: os.read(0, 1); os._exit(0)\nexcept BlockingIOError: print('done')",
        );
        assert!(!given_back(&mut stock, group, true));
        // With a process in it: not again.
        let group = stock.take("5", &LIMITS).unwrap();
        let mut child = shell(
            &group,
            "print('there', flush=True)\n__import__('signal').pause()",
        );
        let mut first = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut first).unwrap();
        let facts = group.facts();
        stock.give_back(group, LIMITS, &facts, true);
        assert!(stock.free.is_empty() && !stock.busy.is_empty());
        child.kill().unwrap();
        child.wait().unwrap();
        stock.close(WITHIN).unwrap();
    }

    #[test]
    fn no_more_groups_wait_than_are_told() {
        let Some(cgroups) = groups("stock") else {
            return;
        };
        if cgroups.version() == 2 {
            return cgroups.close(WITHIN).unwrap();
        }
        let mut stock = CgroupStock::new(cgroups);
        let made: Vec<Cgroup> = (0..=FREE_MAX)
            .map(|number| stock.take(&number.to_string(), &LIMITS).unwrap())
            .collect();
        for group in made {
            let facts = group.facts();
            stock.give_back(group, LIMITS, &facts, true);
        }
        assert_eq!(stock.free.len(), FREE_MAX);
        stock.close(WITHIN).unwrap();
    }
}
