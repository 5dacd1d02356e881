//! How much memory the machine has left.

use std::time::{Duration, Instant};

use anyhow::Context as _;

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
