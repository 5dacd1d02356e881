//! Room for interpreters that are no episodes: checkpoints and evaluations. Each takes a place of `--max-episodes`, as an episode does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What there is of such interpreters, over all episodes.
#[derive(Debug, Default)]
pub(super) struct Spares {
    pub(super) checkpoints: AtomicUsize,
    /// The memory that checkpoints have for themselves, as it was measured last.
    pub(super) checkpoint_bytes: AtomicU64,
    pub(super) evaluations: AtomicUsize,
}

impl Spares {
    /// How many there are of both.
    pub(super) fn count(&self) -> usize {
        self.checkpoints.load(Ordering::Relaxed) + self.evaluations.load(Ordering::Relaxed)
    }
}

/// A place of a checkpoint, and the memory that it takes.
#[derive(Debug)]
pub(super) struct CheckpointPlace {
    spares: Arc<Spares>,
    bytes: Option<u64>,
}

impl CheckpointPlace {
    /// Takes one. Whether there is room was asked before.
    pub(super) fn take(spares: &Arc<Spares>) -> Self {
        spares.checkpoints.fetch_add(1, Ordering::Relaxed);
        Self {
            spares: Arc::clone(spares),
            bytes: None,
        }
    }

    /// Notes what it was measured to take.
    pub(super) fn note(&mut self, bytes: Option<u64>) {
        let all = &self.spares.checkpoint_bytes;
        all.fetch_add(bytes.unwrap_or_default(), Ordering::Relaxed);
        let before = std::mem::replace(&mut self.bytes, bytes);
        all.fetch_sub(before.unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }
}

impl Drop for CheckpointPlace {
    fn drop(&mut self) {
        self.note(None);
        self.spares.checkpoints.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Places of evaluations.
#[derive(Debug)]
pub(super) struct EvaluationPlaces {
    spares: Arc<Spares>,
    count: usize,
}

impl EvaluationPlaces {
    /// Takes so many. Whether there is room was asked before.
    pub(super) fn take(spares: &Arc<Spares>, count: usize) -> Self {
        spares.evaluations.fetch_add(count, Ordering::Relaxed);
        Self {
            spares: Arc::clone(spares),
            count,
        }
    }
}

impl Drop for EvaluationPlaces {
    fn drop(&mut self) {
        let evaluations = &self.spares.evaluations;
        evaluations.fetch_sub(self.count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let spares = Arc::new(Spares::default());
        let mut one = CheckpointPlace::take(&spares);
        let mut other = CheckpointPlace::take(&spares);
        let evaluations = EvaluationPlaces::take(&spares, 5);
        one.note(Some(10));
        other.note(Some(100));
        one.note(Some(7));
        let bytes = || spares.checkpoint_bytes.load(Ordering::Relaxed);
        assert_eq!((spares.count(), bytes()), (7, 107));
        other.note(None);
        assert_eq!(bytes(), 7);
        drop((one, evaluations));
        assert_eq!((spares.count(), bytes()), (1, 0));
        drop(other);
        assert_eq!(spares.count(), 0);
    }
}
