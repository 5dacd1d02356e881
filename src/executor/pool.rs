//! The warm workers of one runtime: how many there should be, and who gets one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::worker::Worker;

/// Forks that a template may be asked for at a time. More would only wait in its socket.
const SPAWNING_MAX: usize = 4;
/// The first pause after a fork that failed; doubled each time, up to the next.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Ready workers, and what it takes to have enough of them.
#[derive(Debug)]
pub(crate) struct Pool {
    state: Mutex<State>,
    /// As many permits as there are ready workers; those who wait for one are served in order.
    permits: Semaphore,
    /// How many should be ready when nobody waits.
    target: usize,
    /// Those that are made for one episode: so many at a time.
    turns: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Worker>,
    spawning: usize,
    waiting: usize,
    failures: u32,
    not_before: Option<Instant>,
    template_ready: bool,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(target: usize) -> Self {
        Self {
            state: Mutex::default(),
            permits: Semaphore::new(0),
            target,
            turns: Semaphore::new(SPAWNING_MAX),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many workers to fork now. They count as being spawned from here on.
    pub(crate) fn take_demand(&self) -> usize {
        let mut state = self.state();
        if state.closed
            || !state.template_ready
            || state.not_before.is_some_and(|at| Instant::now() < at)
        {
            return 0;
        }
        let wanted =
            (self.target + state.waiting).saturating_sub(state.ready.len() + state.spawning);
        let count = wanted.min(SPAWNING_MAX.saturating_sub(state.spawning));
        state.spawning += count;
        count
    }

    /// A worker that was being spawned is ready.
    pub(crate) fn add(&self, worker: Worker) {
        let mut state = self.state();
        state.spawning = state.spawning.saturating_sub(1);
        state.failures = 0;
        if !state.closed {
            state.ready.push_back(worker);
            self.permits.add_permits(1);
        }
    }

    /// A worker that was being spawned has failed. Returns how long to wait before the next try.
    pub(crate) fn spawn_failed(&self) -> Duration {
        let mut state = self.state();
        state.spawning = state.spawning.saturating_sub(1);
        let pause = BACKOFF_FIRST
            .saturating_mul(1 << state.failures.min(8))
            .min(BACKOFF_MAX);
        state.failures = state.failures.saturating_add(1);
        state.not_before = Some(Instant::now() + pause);
        pause
    }

    pub(crate) fn set_template_ready(&self, ready: bool) {
        self.state().template_ready = ready;
    }

    pub(crate) fn ready_count(&self) -> usize {
        self.state().ready.len()
    }

    pub(crate) fn starting_count(&self) -> usize {
        self.state().spawning
    }

    /// Waits for a turn to make a worker that the pool has nothing to do with. None when the pool has closed. `# Cancel-Safety`: safe.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// Counts one more that waits; the count ends with the guard.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.state().waiting += 1;
        Waiting(self)
    }

    /// Kills the ready workers and gives none out any more.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.turns.close();
        let ready = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.ready)
        };
        drop(ready);
    }
}

/// Somebody who waits for a worker.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Pool);

impl Waiting<'_> {
    /// The next ready worker. None when the pool has closed. `# Cancel-Safety`: safe; a place in the queue is lost.
    pub(crate) async fn worker(&self) -> Option<Worker> {
        loop {
            self.0.permits.acquire().await.ok()?.forget();
            // One may have died in the pool: its permit is spent with it.
            if let Some(worker) = self.0.state().ready.pop_front()
                && worker.is_alive()
            {
                return Some(worker);
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}
