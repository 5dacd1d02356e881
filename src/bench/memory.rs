//! How much memory the machine has left, and what processes have of it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::sandbox::children;

/// MemAvailable of /proc/meminfo, in KiB.
pub(super) fn memory_available() -> anyhow::Result<f64> {
    let info = std::fs::read_to_string("/proc/meminfo")?;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.context("no MemAvailable in /proc/meminfo")?.parse()?)
}

/// MemAvailable once it stands still: what was freed comes back with a delay. A machine on which it never does gives what there is
/// after a few seconds.
pub(super) async fn settled_memory() -> anyhow::Result<f64> {
    const STILL_KIB: f64 = 512.0;
    const WITHIN: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    let mut last = memory_available()?;
    let mut still = 0;
    while still < 3 && begun.elapsed() < WITHIN {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let now = memory_available()?;
        still = if (now - last).abs() < STILL_KIB {
            still + 1
        } else {
            0
        };
        last = now;
    }
    Ok(last)
}

/// A process and all that descend from it.
pub(super) fn processes_below(pid: u32) -> anyhow::Result<HashSet<i32>> {
    Ok(children::tree(i32::try_from(pid)?).into_iter().collect())
}

/// What processes have in memory that is no other's, in MiB: Private_Clean and Private_Dirty of /proc/PID/smaps_rollup (Linux 4.14). Those that have ended have none.
pub(super) fn private_mib(pids: impl Iterator<Item = i32>) -> f64 {
    let of = |pid: i32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let private = text
            .lines()
            .filter_map(|line| line.strip_prefix("Private_"));
        let kib = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.sum::<f64>()
    };
    pids.map(of).sum::<f64>() / 1024.0
}
