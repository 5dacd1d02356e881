//! What a worker uses, measured from outside.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::Duration;

use crate::sandbox::cgroup::CgroupFacts;
use crate::sandbox::sys;
use crate::sandbox::sys_files::ActingAs;

/// A process's counters since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// In user mode and in the kernel.
    pub(crate) cpu: Duration,
    pub(crate) cpu_user: Duration,
    pub(crate) minor_page_faults: u64,
    pub(crate) major_page_faults: u64,
    /// The largest resident memory since the mark was last lowered.
    pub(crate) peak_memory_bytes: u64,
    /// The resident memory when that was read.
    pub(crate) resident_bytes: u64,
}

/// Reads what a process has for itself, and its share of what it has in common with others: Pss of smaps_rollup (proc(5)). It takes the kernel a look at each
/// page, so it is read on a thread that may block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrivateBytes(pub(super) i32);

impl PrivateBytes {
    /// None where the host does not tell.
    pub(crate) fn read(self) -> Option<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.0);
        // Root without CAP_SYS_PTRACE, as in a container, may look at processes of the user only that it acts as.
        let text = fs::read_to_string(&path).or_else(|_| {
            let owner = fs::metadata(format!("/proc/{}", self.0))?;
            let _acting = ActingAs::begin(owner.uid(), owner.gid())?;
            fs::read_to_string(&path)
        });
        let text = text.ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        kib.checked_mul(1024)
    }
}

/// What was used between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) cpu: Option<CpuTime>,
    pub(crate) memory: Option<MemoryUse>,
    /// What its whole tree of processes used, where a control group counts that and was asked.
    pub(crate) tree: Option<TreeUse>,
}

/// What all processes of an episode used between two readings of its control group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TreeUse {
    pub(crate) cpu: Option<CpuTime>,
    /// The most memory that was charged to it at once since the episode's start.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Processes that the kernel killed for lack of memory.
    pub(crate) oom_kills: u64,
    /// Forks and threads that the kernel refused.
    pub(crate) processes_refused: u64,
}

impl TreeUse {
    /// What was counted between two readings. What was not counted at the first counts from the group's making, which was then zero.
    fn between(before: &CgroupFacts, after: &CgroupFacts) -> Self {
        let time = |after: Option<Duration>, before: Option<Duration>| {
            Some(after?.saturating_sub(before.unwrap_or_default()))
        };
        let count = |after: Option<u64>, before: Option<u64>| {
            after.unwrap_or(0).saturating_sub(before.unwrap_or(0))
        };
        let total = time(after.cpu, before.cpu);
        let user = time(after.cpu_user, before.cpu_user);
        Self {
            cpu: total.map(|total| {
                // The split is by samples: it may run ahead of the total, which is exact.
                let user = user.unwrap_or(total).min(total);
                CpuTime {
                    user,
                    system: total.saturating_sub(user),
                }
            }),
            peak_memory_bytes: after.peak_memory_bytes,
            oom_kills: count(after.oom_kills, before.oom_kills),
            processes_refused: count(after.processes_refused, before.processes_refused),
        }
    }

    fn add(&mut self, later: &Self) {
        if let Some(cpu) = later.cpu {
            let sum = self.cpu.get_or_insert_default();
            sum.user += cpu.user;
            sum.system += cpu.system;
        }
        // None is less than any.
        self.peak_memory_bytes = self.peak_memory_bytes.max(later.peak_memory_bytes);
        self.oom_kills += later.oom_kills;
        self.processes_refused += later.processes_refused;
    }
}

/// What the warden has told of an episode's control group. A fresh one counts from the group's making.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tree {
    /// The newest reading.
    last: CgroupFacts,
    /// The reading up to which all was taken.
    taken: CgroupFacts,
}

impl Tree {
    /// Keeps a new reading. One that has overtaken a newer one (it counts less) changes nothing.
    pub(crate) fn hear(&mut self, facts: CgroupFacts) {
        if facts.cpu >= self.last.cpu {
            self.last = facts;
        }
    }

    /// What was used between the last time that this was asked and the newest reading.
    pub(crate) fn take(&mut self) -> TreeUse {
        let used = TreeUse::between(&self.taken, &self.last);
        self.taken = self.last;
        used
    }
}

/// CPU time, in user mode and in the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

/// Peak memory and page faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MemoryUse {
    pub(crate) peak_bytes: u64,
    pub(crate) minor_page_faults: u64,
    pub(crate) major_page_faults: u64,
}

/// CPU time after which the kernel's samples of user mode are asked for anew: half a tick at 250 a second.
const SPLIT_AFTER: Duration = Duration::from_millis(2);
/// How far the peak may lie above what is resident before the mark is lowered for the next step.
const PEAK_SLACK_BYTES: u64 = 1 << 20;

impl Counters {
    /// Reads all counters. None when the process has gone.
    pub(crate) fn read(pid: i32) -> Option<Self> {
        let mut counters = Self::default().with_cpu(pid)?;
        StatFile::default().read(pid, &mut counters)?;
        (counters.peak_memory_bytes, counters.resident_bytes) = memory(pid)?;
        Some(counters)
    }

    /// The same with CPU time as it is now.
    pub(crate) fn with_cpu(mut self, pid: i32) -> Option<Self> {
        let total = sys::cpu_time(pid)?;
        let used = total.saturating_sub(self.cpu);
        // What is shorter than the kernel's ticks it hardly ever samples: such a step gets the share of the whole so far.
        let part = if used < SPLIT_AFTER && !self.cpu.is_zero() {
            self.cpu_user.as_secs_f64() / self.cpu.as_secs_f64()
        } else {
            sys::user_part(pid)?
        };
        self.cpu = total;
        self.cpu_user = total
            .mul_f64(part.clamp(0.0, 1.0))
            .max(self.cpu_user)
            .min(total);
        Some(self)
    }

    /// Reads the counters at the end of a step, given those at its start. The peak is looked at only if pages were touched, without which
    /// it can't have grown.
    pub(crate) fn read_after(self, pid: i32, stat: &mut StatFile) -> Option<Self> {
        let mut counters = self.with_cpu(pid)?;
        stat.read(pid, &mut counters)?;
        if counters.minor_page_faults != self.minor_page_faults {
            (counters.peak_memory_bytes, counters.resident_bytes) = memory(pid)?;
        }
        Some(counters)
    }

    /// Lowers the peak to what is resident, if it lies far above it, so that the next step's peak is its own.
    pub(crate) fn lower_peak(&mut self, pid: i32) {
        if self.peak_memory_bytes > self.resident_bytes + PEAK_SLACK_BYTES
            && fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
        {
            self.peak_memory_bytes = self.resident_bytes;
        }
    }

    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Usage {
        let user = self.cpu_user.saturating_sub(earlier.cpu_user);
        Usage {
            cpu: Some(CpuTime {
                user,
                system: self.cpu.saturating_sub(earlier.cpu).saturating_sub(user),
            }),
            memory: Some(MemoryUse {
                peak_bytes: self.peak_memory_bytes,
                minor_page_faults: self
                    .minor_page_faults
                    .saturating_sub(earlier.minor_page_faults),
                major_page_faults: self
                    .major_page_faults
                    .saturating_sub(earlier.major_page_faults),
            }),
            tree: None,
        }
    }
}

impl Usage {
    /// Adds a step's usage to the sum of those before. What one step could not measure is left out of the sum.
    pub(crate) fn add(&mut self, step: &Self) {
        if let Some(cpu) = step.cpu {
            let sum = self.cpu.get_or_insert_default();
            sum.user += cpu.user;
            sum.system += cpu.system;
        }
        if let Some(memory) = step.memory {
            let sum = self.memory.get_or_insert_default();
            sum.peak_bytes = sum.peak_bytes.max(memory.peak_bytes);
            sum.minor_page_faults += memory.minor_page_faults;
            sum.major_page_faults += memory.major_page_faults;
        }
        if let Some(tree) = &step.tree {
            self.tree.get_or_insert_default().add(tree);
        }
    }
}

/// /proc/PID/stat of a worker, held open from its first step on: opening it costs twice as much as reading it.
#[derive(Debug, Default)]
pub(crate) struct StatFile(Option<fs::File>);

impl StatFile {
    /// Reads page faults of all threads, and the resident memory: proc(5).
    fn read(&mut self, pid: i32, counters: &mut Counters) -> Option<()> {
        /// `minflt`, counted from the state, which is the third field of proc(5).
        const MINOR_FAULTS: usize = 7;
        /// `majflt`, after `cminflt`.
        const MAJOR_FAULTS_AFTER: usize = 1;
        /// `rss` in pages, from `majflt` on.
        const RESIDENT_AFTER: usize = 11;
        let mut buffer = [0_u8; 1024];
        if self.0.is_none() {
            self.0 = Some(fs::File::open(format!("/proc/{pid}/stat")).ok()?);
        }
        let read = self.0.as_ref()?.read_at(&mut buffer, 0).ok()?;
        let stat = std::str::from_utf8(buffer.get(..read)?).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        counters.minor_page_faults = fields.nth(MINOR_FAULTS)?.parse().ok()?;
        counters.major_page_faults = fields.nth(MAJOR_FAULTS_AFTER)?.parse().ok()?;
        let pages: u64 = fields.nth(RESIDENT_AFTER)?.parse().ok()?;
        counters.resident_bytes =
            pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)?;
        Some(())
    }

    /// Gives the descriptor back until the next step.
    pub(crate) fn close(&mut self) {
        self.0 = None;
    }
}

/// Peak and present resident memory: VmHWM and VmRSS of /proc/PID/status, proc(5).
fn memory(pid: i32) -> Option<(u64, u64)> {
    let mut buffer = [0_u8; 4096];
    let read = fs::File::open(format!("/proc/{pid}/status"))
        .ok()?
        .read(&mut buffer)
        .ok()?;
    let status = std::str::from_utf8(buffer.get(..read)?).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        kib.checked_mul(1024)
    };
    Some((field("VmHWM:")?, field("VmRSS:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_this_process_are_read() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = Counters::read(pid).unwrap();
        let block = std::hint::black_box(vec![1_u8; 8 << 20]);
        let after = before.read_after(pid, &mut StatFile::default()).unwrap();
        assert!(after.minor_page_faults > before.minor_page_faults);
        assert!(after.peak_memory_bytes >= 8 << 20);
        assert!(after.since(&before).memory.unwrap().minor_page_faults > 0);
        drop(block);
        assert_eq!(Counters::read(i32::MAX), None);
    }

    #[test]
    fn memory_given_back_without_a_page_fault_is_noticed() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};

        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        // From the second answer on it touches nothing that it has not touched before.
        for _ in 0..2 {
            input.write_all(b"x").unwrap();
            output.read_exact(&mut [0]).unwrap();
        }
        let mark = Counters::read(pid).unwrap();
        // As if it had been large in the step before, and has given that back since.
        let large = Counters {
            peak_memory_bytes: 1 << 40,
            resident_bytes: 1 << 40,
            ..mark
        };
        let mut after = large.read_after(pid, &mut StatFile::default()).unwrap();
        assert_eq!(after.minor_page_faults, mark.minor_page_faults);
        assert!(after.resident_bytes.abs_diff(mark.resident_bytes) < PEAK_SLACK_BYTES);
        after.lower_peak(pid);
        assert_eq!(after.peak_memory_bytes, after.resident_bytes);
        drop(input);
        child.wait().unwrap();
    }

    #[test]
    fn sums_leave_out_what_was_not_measured() {
        let mut sum = Usage::default();
        sum.add(&Usage::default());
        assert_eq!(sum, Usage::default());
        let memory = MemoryUse {
            peak_bytes: 7,
            minor_page_faults: 1,
            major_page_faults: 2,
        };
        sum.add(&Usage {
            memory: Some(memory),
            ..Usage::default()
        });
        sum.add(&Usage {
            memory: Some(MemoryUse {
                peak_bytes: 5,
                ..memory
            }),
            ..Usage::default()
        });
        assert_eq!(sum.cpu, None);
        assert_eq!(
            sum.memory,
            Some(MemoryUse {
                peak_bytes: 7,
                minor_page_faults: 2,
                major_page_faults: 4
            })
        );
    }

    #[test]
    fn what_a_process_has_for_itself_is_read_and_one_that_is_not_there_has_nothing() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(PrivateBytes(own).read().is_some_and(|bytes| bytes > 4096));
        assert_eq!(PrivateBytes(i32::MAX).read(), None);
    }

    #[test]
    fn readings_of_a_control_group_become_what_each_step_used() {
        let ms = Duration::from_millis;
        let facts = |cpu, user, peak, kills, refused| CgroupFacts {
            oom_kills: Some(kills),
            processes_refused: Some(refused),
            cpu: Some(ms(cpu)),
            cpu_user: Some(ms(user)),
            peak_memory_bytes: Some(peak),
        };
        let mut tree = Tree::default();
        assert_eq!(tree.take(), TreeUse::default());
        tree.hear(facts(100, 80, 7, 1, 0));
        let first = tree.take();
        let cpu = |user, system| {
            Some(CpuTime {
                user: ms(user),
                system: ms(system),
            })
        };
        assert_eq!(
            first,
            TreeUse {
                cpu: cpu(80, 20),
                peak_memory_bytes: Some(7),
                oom_kills: 1,
                processes_refused: 0
            }
        );
        // Between steps; the samples say more than was used.
        tree.hear(facts(150, 200, 9, 1, 4));
        tree.hear(facts(140, 90, 8, 1, 2)); // overtaken
        let second = tree.take();
        assert_eq!(
            second,
            TreeUse {
                cpu: cpu(50, 0),
                peak_memory_bytes: Some(9),
                oom_kills: 0,
                processes_refused: 4
            }
        );
        let mut sum = Usage::default();
        for tree in [first, second] {
            sum.add(&Usage {
                tree: Some(tree),
                ..Usage::default()
            });
        }
        assert_eq!(
            sum.tree,
            Some(TreeUse {
                cpu: cpu(130, 20),
                peak_memory_bytes: Some(9),
                oom_kills: 1,
                processes_refused: 4
            })
        );
        assert_eq!(sum.cpu, None);
    }
}
