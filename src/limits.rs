//! The limits of one episode.

use std::time::Duration;

/// What an episode may use. [`Config`](crate::config::Config) holds the server's, which a Reset may lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpisodeLimits {
    /// The largest source of a step.
    pub source_bytes: u32,
    /// The most text kept of each of stdout and stderr.
    pub output_bytes: u32,
    /// The most text kept of a result.
    pub result_bytes: u32,
    /// The longest that a step may run.
    pub step_timeout: Duration,
    /// The CPU time that a step may use.
    pub step_cpu_time: Duration,
    /// How long the episode may be idle.
    pub idle_timeout: Duration,
    /// The address space of each process.
    pub memory_bytes: u64,
    /// Open files of each process.
    pub open_files: u32,
    /// The largest file that a process may write.
    pub file_bytes: u64,
    /// Memory of all its processes, and of its files where they are in memory, together.
    pub total_memory_bytes: u64,
    /// Its processes and threads, the interpreter included.
    pub processes: u32,
    /// What its files may fill.
    pub workspace_bytes: u64,
    /// How many files and directories it may have.
    pub workspace_inodes: u32,
    /// CPU time per time, in percent of one core. 0: as much as there is.
    pub cpu_percent: u32,
    /// Displays of a step.
    pub displays: u32,
    /// What all of a step's displays may have together in its reply.
    pub display_bytes: u32,
}

impl EpisodeLimits {
    /// The limits that are set when a cell is made.
    pub(crate) fn cell(&self) -> CellLimits {
        CellLimits {
            total_memory_bytes: self.total_memory_bytes,
            processes: self.processes,
            workspace_bytes: self.workspace_bytes,
            workspace_inodes: self.workspace_inodes,
            cpu_percent: self.cpu_percent,
        }
    }
}

/// What bounds the calls that move files, over all episodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Calls at the same time.
    pub calls: u32,
    /// Calls that wait for a turn.
    pub waiting_calls: u32,
    /// Files and directories of one call.
    pub files_per_call: u32,
    /// Bytes of data of one call.
    pub bytes_per_call: u64,
    /// How long a call waits for its client.
    pub stall_timeout: Duration,
}

/// What bounds copies of episodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkLimits {
    /// Children of one Fork.
    pub children: u32,
    /// Checkpoints of one episode.
    pub checkpoints: u32,
    /// The memory that they have for themselves, together.
    pub checkpoint_bytes: u64,
    /// Checkpoints of all episodes.
    pub server_checkpoints: u32,
    /// The memory that they have for themselves, together.
    pub server_checkpoint_bytes: u64,
    /// Evaluations of one Evaluate.
    pub evaluations: u32,
    /// Whether a step that fails is rolled back when its request does not say.
    pub rolls_back: bool,
}

/// The least that each of them may be lowered to.
pub(crate) const LEAST: EpisodeLimits = EpisodeLimits {
    source_bytes: 1,
    output_bytes: 1024,
    result_bytes: 1024,
    step_timeout: Duration::from_millis(1),
    step_cpu_time: Duration::from_millis(10),
    idle_timeout: Duration::from_secs(1),
    memory_bytes: 64 << 20,
    open_files: 16,
    file_bytes: 1 << 20,
    total_memory_bytes: 64 << 20,
    processes: 2,
    workspace_bytes: 1 << 20,
    workspace_inodes: 64,
    cpu_percent: 1,
    displays: 1,
    display_bytes: 1024,
};

/// The most CPU time per time that can be asked for, in percent of one core: that of a thousand.
pub(crate) const CPU_PERCENT_MAX: u32 = 100_000;

/// Which limits of a cell the isolation in force can hold: what `Plan::bounds` of `sandbox/plan.rs` makes of the plan. One that it can't is
/// absent in every reply, and a Reset that asks for it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    /// [`EpisodeLimits::total_memory_bytes`]: layer `cgroup`.
    pub(crate) total_memory: bool,
    /// [`EpisodeLimits::processes`]: layer `cgroup` or `uid`, or a user namespace of the cell's own.
    pub(crate) processes: bool,
    /// [`EpisodeLimits::workspace_bytes`] and [`EpisodeLimits::workspace_inodes`]: level `namespace`.
    pub(crate) workspace: bool,
    /// [`EpisodeLimits::cpu_percent`]: layer `cgroup`, where it has the controller.
    pub(crate) cpu: bool,
}

/// What the processes of one episode may use together. Set when its cell is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CellLimits {
    /// Memory of all its processes and of its files: layer `cgroup`.
    pub(crate) total_memory_bytes: u64,
    /// Processes and threads, the interpreter included: layers `cgroup`, `uid`, or a user namespace of the cell's own.
    pub(crate) processes: u32,
    /// What its files may fill: level `namespace`.
    pub(crate) workspace_bytes: u64,
    /// How many files and directories it may make: level `namespace`.
    pub(crate) workspace_inodes: u32,
    /// CPU time per time, in percent of one core: layer `cgroup`. 0 is no limit.
    pub(crate) cpu_percent: u32,
}
