//! The statistics that the rows are made of. Pure.

use std::time::Duration;

/// The value that a share `q` (0 to 1) of the samples does not exceed, by nearest rank. None without samples.
pub(super) fn quantile(samples: &[f64], q: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Counted, not computed, so that no float becomes an index.
    let count = f64::from(u32::try_from(sorted.len()).unwrap_or(u32::MAX));
    let below = (1_u32..)
        .zip(&sorted)
        .take_while(|(rank, _)| f64::from(*rank) < q * count)
        .count();
    sorted.get(below).copied()
}

/// The middle of the samples; of an even number the mean of the two in the middle. None without samples.
pub(super) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = sorted.get(half).copied()?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted.get(half.checked_sub(1)?).copied()?;
    Some(f64::midpoint(lower, upper))
}

/// The least of the samples. None without samples.
pub(super) fn least(samples: &[f64]) -> Option<f64> {
    samples.iter().copied().min_by(f64::total_cmp)
}

/// Latencies of one kind of call, taken in rounds that alternate with rounds of other kinds.
///
/// p50 is the median of the rounds' medians, so that a round that something else on the machine disturbed does not
/// move it. p99 is of all samples together: a round is too short to have one.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    medians: Vec<f64>,
    all: Vec<f64>,
}

impl Rounds {
    /// Adds a round, in microseconds.
    pub(super) fn add(&mut self, round: &[Duration]) {
        let micros: Vec<f64> = round.iter().map(|time| time.as_secs_f64() * 1e6).collect();
        self.medians.extend(median(&micros));
        self.all.extend(micros);
    }

    pub(super) fn p50(&self) -> Option<f64> {
        median(&self.medians)
    }

    pub(super) fn p99(&self) -> Option<f64> {
        quantile(&self.all, 0.99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&samples, 0.0), Some(1.0));
        assert_eq!(quantile(&samples, 0.5), Some(50.0));
        assert_eq!(quantile(&samples, 0.99), Some(99.0));
        assert_eq!(quantile(&samples, 1.0), Some(100.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(least(&[3.0, 1.0, 2.0]), Some(1.0));
    }

    #[test]
    fn one_disturbed_round_does_not_move_p50_but_p99_shows_it() {
        let mut rounds = Rounds::default();
        for _ in 0..4 {
            rounds.add(&[Duration::from_micros(100); 10]);
        }
        rounds.add(&[Duration::from_micros(900); 10]);
        assert!((rounds.p50().unwrap() - 100.0).abs() < 1e-6);
        assert!((rounds.p99().unwrap() - 900.0).abs() < 1e-6);
    }
}
