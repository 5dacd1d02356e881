//! What is done with an episode between two of its steps, in the order in which it was asked for: its interpreter is copied, or replaced by a copy.
//!
//! Wishes wait beside the ledger, each for the step that was admitted last before it. The driver grants one when that step has ended, before it
//! starts the next. So a wish has a place in the order of steps without being one: it has no index, and takes none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::checkpoint::{self, Checkpointed, NewCheckpoint, RolledBack};
use super::registry::{Episode, Episodes, Inner, Pending, State};
use super::{EpisodeKey, Refusal, driver};
use crate::executor::{Copying, ForkFault, ForkOrder, RandomState, Worker};
use crate::fault;

/// Where an episode stands between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) step_count: u32,
    pub(crate) last_exit_code: i32,
}

/// What the random state of copies is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Random {
    /// The same stream in all of them.
    Inherit,
    /// A stream of its own in each.
    Reseed,
    /// One seed for each.
    Seeds(Vec<u64>),
}

impl Random {
    /// The order for each of `count` copies.
    pub(super) fn orders(&self, count: usize) -> Vec<ForkOrder> {
        (0..count)
            .map(|at| {
                let random = match self {
                    Self::Inherit => RandomState::Inherit,
                    Self::Reseed => RandomState::Seed(uuid::Uuid::new_v4().as_u64_pair().0),
                    Self::Seeds(seeds) => {
                        RandomState::Seed(seeds.get(at).copied().unwrap_or_default())
                    }
                };
                ForkOrder { random }
            })
            .collect()
    }
}

/// What is wished for. What comes of it goes to `done`; one whose sender nobody listens to any more, and that has not begun, is dropped.
#[derive(Debug)]
pub(super) enum Wish {
    /// Copies, for whoever asks.
    Copies {
        orders: Vec<ForkOrder>,
        done: oneshot::Sender<Result<(Vec<Worker>, Point), Refusal>>,
    },
    /// A copy to roll back to.
    Checkpoint {
        new: NewCheckpoint,
        done: oneshot::Sender<Result<Checkpointed, Refusal>>,
    },
    /// The copy of a checkpoint in the place of the interpreter.
    Rollback {
        name: String,
        random: Random,
        done: oneshot::Sender<Result<RolledBack, Refusal>>,
    },
}

impl Wish {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Copies { done, .. } => done.is_closed(),
            Self::Checkpoint { done, .. } => done.is_closed(),
            Self::Rollback { done, .. } => done.is_closed(),
        }
    }

    /// Tells that it can't be granted.
    pub(super) fn refuse(self, refusal: Refusal) {
        // Not an error: nobody may listen any more.
        match self {
            Self::Copies { done, .. } => drop(done.send(Err(refusal))),
            Self::Checkpoint { done, .. } => drop(done.send(Err(refusal))),
            Self::Rollback { done, .. } => drop(done.send(Err(refusal))),
        }
    }
}

/// The wishes of one episode.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    waiting: VecDeque<Waiting>,
    /// One is being granted.
    busy: bool,
}

#[derive(Debug)]
struct Waiting {
    wish: Wish,
    /// The step before it. None: none was admitted.
    after: Option<Arc<Pending>>,
}

impl Boundary {
    /// Whether nothing is wished for.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }

    /// Whether the next wish may be granted before the next step. Those that nobody waits for any more are dropped.
    pub(super) fn is_due(&mut self, no_steps: bool) -> bool {
        while self
            .waiting
            .front()
            .is_some_and(|next| next.wish.is_abandoned())
        {
            self.waiting.pop_front();
        }
        self.waiting.front().is_some_and(|next| {
            no_steps || next.after.as_ref().is_none_or(|step| step.end().is_some())
        })
    }

    /// Takes all wishes out.
    pub(super) fn take_all(&mut self) -> Vec<Wish> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|waiting| waiting.wish).collect()
    }
}

impl Episodes {
    /// Adds a wish to those of an episode, and has it granted in its turn. `index` is the step that the caller believes to be the next one.
    ///
    /// # Cancel-Safety
    /// Safe: what was not added is not granted.
    pub(super) async fn wish(
        &self,
        key: &EpisodeKey,
        index: Option<u32>,
        wish: Wish,
    ) -> Result<(), Refusal> {
        let episode = self.find(key)?;
        episode.wait_started().await?;
        let max = self.0.config.max_queued_steps;
        let queue_max = usize::try_from(max).unwrap_or(usize::MAX);
        let driving = {
            let mut state = episode.state();
            state.note_death();
            let brings_back = matches!(wish, Wish::Rollback { .. });
            if let Some(refusal) = state.refuse(&key.id)
                && !(brings_back && state.ended().is_none())
            {
                return Err(refusal);
            }
            let expected = state.ledger.next();
            if index.is_some_and(|index| index != expected) {
                return Err(Refusal::OutOfOrder { expected });
            }
            if state.boundary.waiting.len() > queue_max {
                return Err(Refusal::QueueFull { max });
            }
            if let Some(waiting) = self.0.turns.full(&key.owner) {
                return Err(Refusal::StepLimit { waiting });
            }
            let after = state.ledger.last().map(Arc::clone);
            state.boundary.waiting.push_back(Waiting { wish, after });
            let idle = !std::mem::replace(&mut state.driving, true);
            idle.then(|| self.driving(&episode))
        };
        // It gets a task of its own: whoever asked may go.
        drop(driving);
        Ok(())
    }
}

/// What is granted needs this of the episode.
pub(super) struct Taken {
    pub(super) wish: Wish,
    pub(super) worker: Option<Worker>,
    pub(super) point: Point,
}

/// Takes the next wish and the interpreter. None when it was abandoned, or can't be granted.
fn take(episode: &Episode) -> Option<Taken> {
    let mut state = episode.state();
    let next = state.boundary.waiting.pop_front()?;
    if next.wish.is_abandoned() {
        return None;
    }
    state.note_death();
    let brings_back = matches!(next.wish, Wish::Rollback { .. });
    if !brings_back && let Some(refusal) = state.refuse(&episode.key.id) {
        drop(state);
        next.wish.refuse(refusal);
        return None;
    }
    state.boundary.busy = true;
    Some(Taken {
        wish: next.wish,
        worker: state.worker.take(),
        point: point(&state),
    })
}

/// Where the episode stands.
pub(super) fn point(state: &State) -> Point {
    Point {
        step_count: state.ledger.ended(),
        last_exit_code: state.ledger.last_exit_code(),
    }
}

/// Grants the wish that is due.
///
/// # Cancel-Safety
/// When the episode ends midway, it drops the interpreter, and copies that were begun.
pub(super) async fn grant(registry: &Arc<Inner>, episode: &Arc<Episode>) {
    let Some(Taken {
        wish,
        mut worker,
        point,
    }) = take(episode)
    else {
        return;
    };
    match wish {
        Wish::Copies { orders, done } => {
            let begun = Instant::now();
            let copying = begin_copies(registry, worker.as_mut(), &orders).await;
            put_back(episode, worker);
            let copying = match copying {
                Ok(copying) => copying,
                Err(fault) => {
                    drop(done.send(Err(or_lost(episode, refusal(fault)))));
                    return;
                }
            };
            // The episode goes on while they become ready. If nobody listens any more, they end.
            registry
                .tasks
                .spawn(finish(Arc::clone(registry), begun, copying, done, point));
        }
        Wish::Checkpoint { new, done } => {
            let made = checkpoint::make(registry, episode, worker.as_mut(), new, point).await;
            put_back(episode, worker);
            drop(done.send(made.map_err(|fault| or_lost(episode, fault))));
        }
        Wish::Rollback { name, random, done } => {
            let rolled_back = checkpoint::roll_back(registry, episode, &name, &random, point).await;
            match rolled_back {
                Ok((replacement, rolled_back)) => {
                    replace(episode, replacement);
                    drop(worker);
                    drop(done.send(Ok(rolled_back)));
                }
                Err(refusal) => {
                    put_back(episode, worker);
                    drop(done.send(Err(refusal)));
                }
            }
        }
    }
}

/// Begins to copy an interpreter. Returns once it may go on.
async fn begin_copies(
    registry: &Inner,
    worker: Option<&mut Worker>,
    orders: &[ForkOrder],
) -> Result<Copying, ForkFault> {
    match worker {
        Some(worker) => registry.executor.fork(worker, orders).await,
        None => Err(ForkFault::Failed("there is no interpreter".to_owned())),
    }
}

/// Hands copies that were begun to whoever waits for them.
async fn finish(
    registry: Arc<Inner>,
    begun: Instant,
    copying: Copying,
    mut done: oneshot::Sender<Result<(Vec<Worker>, Point), Refusal>>,
    point: Point,
) {
    let finished = fault::caught(finish_copies(&registry, begun, copying));
    let copies = tokio::select! {
        copies = finished => copies,
        () = done.closed() => return,
        () = registry.stop.cancelled() => return,
    };
    drop(done.send(match copies {
        Ok(Ok(workers)) => Ok((workers, point)),
        Ok(Err(fault)) => Err(refusal(fault)),
        Err(cause) => Err(Refusal::Fault {
            id: fault::report(&cause),
        }),
    }));
}

/// Waits for copies that were begun, and counts them.
async fn finish_copies(
    registry: &Inner,
    begun: Instant,
    copying: Copying,
) -> Result<Vec<Worker>, ForkFault> {
    let copies = copying.ready().await?;
    registry.metrics.copy_time.observe(begun.elapsed());
    registry.metrics.copies.add(copies.len() as u64);
    Ok(copies)
}

/// Copies an interpreter, and waits for the copies.
pub(super) async fn copy(
    registry: &Inner,
    worker: Option<&mut Worker>,
    orders: &[ForkOrder],
) -> Result<Vec<Worker>, ForkFault> {
    let begun = Instant::now();
    let copying = begin_copies(registry, worker, orders).await?;
    finish_copies(registry, begun, copying).await
}

/// Gives the interpreter back after a wish was granted, or refused. One that has ended meanwhile is lost.
fn put_back(episode: &Episode, worker: Option<Worker>) {
    let mut state = episode.state();
    state.boundary.busy = false;
    state.last_active = Instant::now();
    if state.ended().is_some() {
        drop(state);
        drop(worker);
        return;
    }
    if state.loss.is_some() {
        return;
    }
    state.worker = worker;
    state.note_death();
    if state.loss.is_some() {
        driver::refuse_all(episode, state);
    } else if state.is_idle()
        && let Some(worker) = &mut state.worker
    {
        worker.park_if_crowded();
    }
}

/// Puts an interpreter in the place of the one before.
fn replace(episode: &Episode, mut worker: Worker) {
    let mut state = episode.state();
    state.boundary.busy = false;
    state.last_active = Instant::now();
    if state.ended().is_some() {
        drop(state);
        drop(worker);
        return;
    }
    state.loss = None;
    state.version += 1;
    state.workspace = Some(worker.workspace());
    worker.park_if_crowded();
    let before = state.worker.replace(worker);
    drop(state);
    drop(before);
}

/// That the interpreter was lost, if it was, instead of what came of that.
fn or_lost(episode: &Episode, refusal: Refusal) -> Refusal {
    let state = episode.state();
    state.refuse(&episode.key.id).unwrap_or(refusal)
}

/// Why a copy was not made, as its caller is told.
pub(super) fn refusal(fault: ForkFault) -> Refusal {
    match fault {
        ForkFault::Unsupported(obstacles) => Refusal::ForkUnsupported {
            obstacles: obstacles
                .into_iter()
                .map(|obstacle| (obstacle.word, obstacle.sentence))
                .collect(),
        },
        ForkFault::HostLacks(why) => Refusal::ForkUnsupported {
            obstacles: vec![("host", why)],
        },
        ForkFault::TooLarge { bytes, bytes_max } => Refusal::ForkTooLarge { bytes, bytes_max },
        ForkFault::DepthLimit { depth, depth_max } => Refusal::ForkDepth { depth, depth_max },
        ForkFault::Lost(_) => Refusal::ForkFailed {
            why: "the interpreter has ended".to_owned(),
            lasts: false,
        },
        ForkFault::Failed(why) => Refusal::ForkFailed { why, lasts: false },
        broken @ ForkFault::Broken(_) => Refusal::ForkFailed {
            why: broken.to_string(),
            lasts: true,
        },
    }
}
