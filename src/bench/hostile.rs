//! What hostile and hungry episodes run, and how their processes are found from outside.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::time::sleep;

/// The name that the processes of a hostile episode give themselves: 15 bytes at the most, prctl(2).
pub(super) const NAME: &str = "bench-hostile";
/// Processes that ignore every signal.
pub(super) const DAEMONS: usize = 10;
/// The most processes of a fork storm at a time: every chain has a parent that ends and a child that goes on.
const STORM_PROCESSES: usize = 40;
/// How long the hostile processes may take to be there, and to be gone.
const WITHIN: Duration = Duration::from_secs(10);

/// What a chain of the fork storm does until a point in time of `time.monotonic()`: fork, end, go on in the child.
const STORM: &str = "
def storm(chains, until):
    for _ in range(chains):
        if os.fork() == 0:
            while time.monotonic() < until:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
            os._exit(0)
";

/// Ten daemons that ignore signals, and a fork storm for a minute, none of which the step waits for. Their parent ignores SIGCHLD, so
/// that those that have ended count no longer.
pub(super) fn close_code() -> String {
    let chains = STORM_PROCESSES / 2;
    format!(
        "import ctypes, os, signal, time
ctypes.CDLL(None).prctl(15, b'{NAME}', 0, 0, 0)  # PR_SET_NAME
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
{STORM}
def deaf():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, signal.NSIG):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(60)
for _ in range({DAEMONS}):
    deaf()
storm({chains}, time.monotonic() + 60)
"
    )
}

/// Prints as fast as it can.
pub(super) const FLOOD: &str =
    "while time.monotonic() < until:\n    os.write(1, b'x' * 65535 + b'\\n')\n";

/// What a neighbour does, by the row that tells how much it is felt.
pub(super) const NEIGHBOURS: [(&str, &str); 5] = [
    (
        "neighbour_p99_spin",
        "while time.monotonic() < until:\n    pass\n",
    ),
    (
        "neighbour_p99_forks",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)
storm(CHAINS, until)
while time.monotonic() < until:
    time.sleep(0.01)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
",
    ),
    (
        "neighbour_p99_memory",
        "while time.monotonic() < until:
    kept = []
    try:
        while time.monotonic() < until:
            kept.append(b'x' * (4 << 20))
    except MemoryError:
        pass
    kept = None
",
    ),
    ("neighbour_p99_output", FLOOD),
    (
        "neighbour_p99_disk",
        "while time.monotonic() < until:
    try:
        with open('filled', 'wb', 0) as file:
            for _ in range(256):
                if time.monotonic() < until:
                    file.write(b'x' * (1 << 20))
    except OSError:
        pass
    os.unlink('filled')
",
    ),
];

/// The address space of a neighbour's processes, which it fills, in bytes.
pub(super) const NEIGHBOUR_MEMORY_BYTES: u64 = 512 << 20;

/// A step that does one of these for so long.
pub(super) fn neighbour_code(code: &str, time: Duration) -> String {
    let code = code.replace("CHAINS", &(STORM_PROCESSES / 2).to_string());
    format!(
        "import os, signal, time\nuntil = time.monotonic() + {}\n{STORM}\n{code}",
        time.as_secs_f64()
    )
}

/// The processes of a hostile episode that were there at one time, and those of the machine that are not of it, which are not looked at
/// again.
#[derive(Debug)]
pub(super) struct Hostile {
    /// Descriptors of processes, each readable once its process has ended: pidfd_open(2).
    seen: Vec<OwnedFd>,
    others: HashSet<u32>,
}

/// Every process id of the machine.
fn processes() -> anyhow::Result<impl Iterator<Item = u32>> {
    let entries = std::fs::read_dir("/proc")?;
    Ok(entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// Whether a process has the name of hostile ones.
fn is_hostile(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == NAME)
}

/// A descriptor of a process. None when it has gone.
fn descriptor(pid: u32) -> anyhow::Result<Option<OwnedFd>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    match pidfd_open(pid.context("a process id")?, PidfdFlags::empty()) {
        Ok(process) => Ok(Some(process)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Waits until all of these processes have ended.
fn all_ended(processes: &[OwnedFd]) -> anyhow::Result<()> {
    for process in processes {
        let ended = poll(
            &mut [PollFd::new(process, PollFlags::IN)],
            Some(&WITHIN.try_into()?),
        )?;
        ensure!(ended > 0, "a hostile process does not end");
    }
    Ok(())
}

impl Hostile {
    /// Waits until there are hostile processes: the daemons, their worker, and something of the storm.
    pub(super) async fn wait_for() -> anyhow::Result<Self> {
        let begun = Instant::now();
        loop {
            let (hostile, others): (HashSet<u32>, HashSet<u32>) =
                processes()?.partition(|pid| is_hostile(*pid));
            if hostile.len() > DAEMONS + 1 {
                let seen = hostile
                    .into_iter()
                    .filter_map(|pid| descriptor(pid).transpose());
                let seen = seen.collect::<anyhow::Result<_>>()?;
                return Ok(Self { seen, others });
            }
            let count = hostile.len();
            ensure!(
                begun.elapsed() < WITHIN,
                "there were only {count} hostile processes"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until no hostile process is left, zombies included. Returns when that was seen.
    ///
    /// The scan that tells takes time of a core, which the processes need to end. So it begins when those that were seen, the daemons
    /// among them, have ended, and pauses between its rounds.
    pub(super) async fn wait_for_none(self) -> anyhow::Result<Instant> {
        let begun = Instant::now();
        let seen = self.seen;
        tokio::task::spawn_blocking(move || all_ended(&seen)).await??;
        loop {
            let left = processes()?
                .filter(|pid| !self.others.contains(pid))
                .filter(|pid| is_hostile(*pid))
                .count();
            if left == 0 {
                return Ok(Instant::now());
            }
            ensure!(
                begun.elapsed() < WITHIN,
                "{left} hostile processes are left after {WITHIN:?}"
            );
            sleep(Duration::from_millis(1)).await;
        }
    }
}
