//! What the server counts while it works: atomics and nothing else, so that a step costs a few of them. `admin` gives them names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of a histogram's buckets, in seconds: from half a millisecond to the longest default timeout.
pub(crate) const BUCKETS: [f64; 17] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
    300.0,
];

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long something took.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// Those within each bound and beyond the one before; the last are beyond all.
    within: [Count; BUCKETS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Histogram {
    pub(crate) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = BUCKETS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.within.get(at) {
            count.add_one();
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The sum in seconds, how many there were, and how many for each bound.
    pub(crate) fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BUCKETS.into_iter().chain([f64::MAX]);
        let counts = self.within.iter().map(Count::get);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let sum = Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed)).as_secs_f64();
        (sum, buckets.iter().map(|(_, count)| count).sum(), buckets)
    }
}

/// A count for each of a few names.
#[derive(Debug)]
pub(crate) struct Counts<const N: usize> {
    names: [&'static str; N],
    counts: [Count; N],
}

impl<const N: usize> Counts<N> {
    pub(crate) fn new(names: [&'static str; N]) -> Self {
        Self {
            names,
            counts: std::array::from_fn(|_| Count::default()),
        }
    }

    /// Counts one of this name; one that is not known, as the last.
    pub(crate) fn add_one(&self, name: &str) {
        let known = self.names.iter().position(|known| *known == name);
        if let Some(count) = self.counts.get(known.unwrap_or(N.saturating_sub(1))) {
            count.add_one();
        }
    }

    pub(crate) fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.counts.iter().map(Count::get);
        self.names.into_iter().zip(counts)
    }
}

/// All that is counted of episodes and steps.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Resets that made an episode.
    pub(crate) resets: Count,
    /// From a Reset's request to its interpreter.
    pub(crate) reset_time: Histogram,
    /// Episodes that ended, by how.
    pub(crate) ended: Counts<3>,
    /// Steps that ended, by outcome.
    pub(crate) steps: Counts<8>,
    /// How long their code ran.
    pub(crate) step_time: Histogram,
    /// How long they had waited before.
    pub(crate) queued_time: Histogram,
    /// Interpreters that were lost, by cause.
    pub(crate) lost: Counts<6>,
    /// Calls that move files, by what they do.
    pub(crate) file_calls: Counts<4>,
    /// Bytes of files that were written, and of those that were read.
    pub(crate) file_bytes_in: Count,
    pub(crate) file_bytes_out: Count,
    /// Files with which something went wrong.
    pub(crate) file_failures: Count,
    /// Forks that made children.
    pub(crate) forks: Count,
    /// Copies of interpreters that were made, whatever for.
    pub(crate) copies: Count,
    /// How long making them took, all of one wish together.
    pub(crate) copy_time: Histogram,
    pub(crate) checkpoints: Count,
    /// Rollbacks to a checkpoint.
    pub(crate) rollbacks: Count,
    /// Steps that failed and were rolled back.
    pub(crate) rolled_back: Count,
    /// Evaluations that came to their end.
    pub(crate) evaluations: Count,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            resets: Count::default(),
            reset_time: Histogram::default(),
            ended: Counts::new(["closed", "expired", "drained"]),
            steps: Counts::new([
                "completed",
                "raised",
                "exited",
                "interrupted",
                "timed_out",
                "limit_exceeded",
                "killed",
                "protocol_violation",
            ]),
            step_time: Histogram::default(),
            queued_time: Histogram::default(),
            lost: Counts::new([
                "step_timeout",
                "cpu_time",
                "memory",
                "interrupt",
                "protocol_violation",
                "program",
            ]),
            file_calls: Counts::new(["write", "read", "list", "delete"]),
            file_bytes_in: Count::default(),
            file_bytes_out: Count::default(),
            file_failures: Count::default(),
            forks: Count::default(),
            copies: Count::default(),
            copy_time: Histogram::default(),
            checkpoints: Count::default(),
            rollbacks: Count::default(),
            rolled_back: Count::default(),
            evaluations: Count::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_bucket_of_the_least_bound_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 1000, 299_999_999, 300_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        let (sum, count, buckets) = histogram.read();
        assert_eq!(count, 6);
        assert!((sum - 600.002_001).abs() < 1e-9, "{sum}");
        let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            filled,
            [&(0.0005, 2), &(0.001, 2), &(300.0, 1), &(f64::MAX, 1)]
        );
    }

    #[test]
    fn a_name_that_is_not_known_is_counted_as_the_last() {
        let counts = Counts::new(["a", "other"]);
        for name in ["a", "b", "other", "a"] {
            counts.add_one(name);
        }
        assert!(counts.read().eq([("a", 2), ("other", 2)]));
    }
}
