//! Pauses between tries, up to a deadline.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::Options;

/// The tries of one call.
#[derive(Debug)]
pub(super) struct Retry {
    end: Instant,
    next: Duration,
    max: Duration,
}

impl Retry {
    pub(super) fn new(options: &Options, deadline: Duration) -> Self {
        Self {
            end: Instant::now() + deadline,
            next: options.retry_first,
            max: options.retry_max,
        }
    }

    /// What is left until the deadline.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits before the next try: as long as the server asked, or twice as long as before; spread at random, so that many clients
    /// don't come back at once. An error when there is no time for another try.
    pub(super) async fn pause(&mut self, asked: Option<Duration>) -> Result<(), ()> {
        let pause = asked.unwrap_or(self.next);
        self.next = (self.next * 2).min(self.max);
        let spread = u32::try_from(RandomState::new().hash_one(0_u8) % 1000).unwrap_or(0);
        let pause = pause / 2 + pause.mul_f64(f64::from(spread) / 1000.0);
        if pause >= self.left() {
            return Err(());
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
