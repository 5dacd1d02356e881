//! Checkpoints: copies of an episode's interpreter that never run, to roll back to.
//!
//! Rolling back copies the checkpoint once more, so it can be done any number of times. What a checkpoint costs is the memory that has changed since: it is
//! measured when one is made, of it and of the one before, whose share has settled by then.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::boundary::{self, Point, Random, Wish};
use super::registry::{Episode, Episodes, Inner};
use super::spare::CheckpointPlace;
use super::{EpisodeKey, Refusal};
use crate::executor::{PrivateBytes, RandomState, Worker};
use crate::limits::ForkLimits;

/// A checkpoint that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewCheckpoint {
    /// Not empty.
    pub(crate) name: String,
    /// Older ones of the episode are dropped when there is no room.
    pub(crate) drops_oldest: bool,
    pub(crate) index: Option<u32>,
}

/// What is known of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptCheckpoint {
    pub(crate) name: String,
    pub(crate) step_count: u32,
    pub(crate) created: SystemTime,
    pub(crate) private_bytes: Option<u64>,
}

/// What came of asking for one.
#[derive(Debug)]
pub(crate) struct Checkpointed {
    pub(crate) checkpoint: KeptCheckpoint,
    /// False: it was there.
    pub(crate) created: bool,
    /// Those that were dropped for it.
    pub(crate) dropped: Vec<String>,
    pub(crate) point: Point,
}

/// What came of rolling back.
#[derive(Debug)]
pub(crate) struct RolledBack {
    pub(crate) checkpoint: KeptCheckpoint,
    pub(crate) point: Point,
}

/// An episode's checkpoints, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Checkpoints(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    name: String,
    /// The episode's version when it was made.
    version: u64,
    step_count: u32,
    created: SystemTime,
    /// None while it is being copied.
    worker: Option<Worker>,
    place: CheckpointPlace,
}

impl Kept {
    fn told(&self) -> KeptCheckpoint {
        KeptCheckpoint {
            name: self.name.clone(),
            step_count: self.step_count,
            created: self.created,
            private_bytes: self.place.bytes(),
        }
    }

    fn private_bytes(&self) -> Option<PrivateBytes> {
        self.worker.as_ref().map(Worker::private_bytes)
    }
}

impl Checkpoints {
    fn find(&mut self, name: &str) -> Option<&mut Kept> {
        self.0.iter_mut().find(|kept| kept.name == name)
    }

    fn bytes(&self) -> u64 {
        self.0.iter().filter_map(|kept| kept.place.bytes()).sum()
    }

    /// Forgets those whose processes have ended.
    fn forget_dead(&mut self) {
        self.0
            .retain(|kept| kept.worker.as_ref().is_none_or(Worker::is_alive));
    }

    /// Takes one out by its name.
    fn remove(&mut self, name: &str) -> Option<Kept> {
        let at = self.0.iter().position(|kept| kept.name == name)?;
        Some(self.0.remove(at))
    }
}

/// What is used of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    checkpoints: usize,
    bytes: u64,
    server_checkpoints: usize,
    server_bytes: u64,
}

/// The budget that is spent, if one is: its name in ForkLimits, what it is, and what is used of it.
fn spent(used: Used, limits: &ForkLimits) -> Option<(&'static str, u64, u64)> {
    let counts = [
        ("checkpoints", limits.checkpoints, used.checkpoints),
        (
            "server_checkpoints",
            limits.server_checkpoints,
            used.server_checkpoints,
        ),
    ]
    .map(|(name, max, used)| (name, u64::from(max), used as u64));
    let bytes = [
        ("checkpoint_bytes", limits.checkpoint_bytes, used.bytes),
        (
            "server_checkpoint_bytes",
            limits.server_checkpoint_bytes,
            used.server_bytes,
        ),
    ];
    counts
        .into_iter()
        .chain(bytes)
        .find(|(_, max, used)| used >= max)
}

/// Makes a checkpoint of an interpreter between two steps.
pub(super) async fn make(
    registry: &Arc<Inner>,
    episode: &Episode,
    worker: Option<&mut Worker>,
    new: NewCheckpoint,
    point: Point,
) -> Result<Checkpointed, Refusal> {
    let (version, newest) = {
        let mut state = episode.state();
        let version = state.version;
        state.checkpoints.forget_dead();
        if let Some(kept) = state.checkpoints.find(&new.name) {
            if kept.version != version {
                return Err(Refusal::CheckpointExists {
                    id: episode.key.id.clone(),
                    name: new.name,
                    step_count: kept.step_count,
                });
            }
            return Ok(Checkpointed {
                checkpoint: kept.told(),
                created: false,
                dropped: Vec::new(),
                point,
            });
        }
        let newest = state.checkpoints.0.last();
        let newest = newest.and_then(|kept| Some((kept.name.clone(), kept.private_bytes()?)));
        (version, newest)
    };
    if let Some((name, bytes)) = newest {
        let bytes = measure(bytes).await;
        let mut state = episode.state();
        if let Some(kept) = state.checkpoints.find(&name) {
            kept.place.note(bytes);
        }
    }
    let (mut place, dropped) = make_room(registry, episode, new.drops_oldest)?;
    let orders = [crate::executor::ForkOrder {
        random: RandomState::Inherit,
    }];
    let mut copies = boundary::copy(registry, worker, &orders)
        .await
        .map_err(boundary::refusal)?;
    let Some(mut copy) = copies.pop() else {
        return Err(Refusal::ForkFailed {
            why: "none was made".to_owned(),
            lasts: false,
        });
    };
    place.note(measure(copy.private_bytes()).await);
    // It is only ever copied: a keeper holds its pipes.
    drop(copy.park());
    let kept = Kept {
        name: new.name,
        version,
        step_count: point.step_count,
        created: SystemTime::now(),
        worker: Some(copy),
        place,
    };
    let checkpoint = kept.told();
    let mut state = episode.state();
    if state.ended().is_none() {
        state.checkpoints.0.push(kept);
    }
    registry.metrics.checkpoints.add_one();
    Ok(Checkpointed {
        checkpoint,
        created: true,
        dropped,
        point,
    })
}

/// Takes a place for a checkpoint. Older ones of the episode are dropped for it, if they may be.
fn make_room(
    registry: &Inner,
    episode: &Episode,
    drops_oldest: bool,
) -> Result<(CheckpointPlace, Vec<String>), Refusal> {
    let spares = &registry.spares;
    let mut dropped = Vec::new();
    loop {
        let oldest = {
            // One at a time, so that two don't take the same room.
            let live = registry.lock_live();
            let mut state = episode.state();
            let used = Used {
                checkpoints: state.checkpoints.0.len(),
                bytes: state.checkpoints.bytes(),
                server_checkpoints: spares.checkpoints.load(Ordering::Relaxed),
                server_bytes: spares.checkpoint_bytes.load(Ordering::Relaxed),
            };
            let limits = &registry.config.forks;
            let refusal = match spent(used, limits) {
                Some((limit, max, used)) => Refusal::CheckpointLimit { limit, max, used },
                None if registry.is_full(&live) => Refusal::EpisodeLimit {
                    max: registry.config.max_episodes,
                },
                None => return Ok((CheckpointPlace::take(spares), dropped)),
            };
            if !drops_oldest || state.checkpoints.0.is_empty() {
                return Err(refusal);
            }
            state.checkpoints.0.remove(0)
        };
        dropped.push(oldest.name.clone());
        drop(oldest);
    }
}

/// Copies a checkpoint, to put it in the interpreter's place.
pub(super) async fn roll_back(
    registry: &Inner,
    episode: &Episode,
    name: &str,
    random: &Random,
    point: Point,
) -> Result<(Worker, RolledBack), Refusal> {
    let none = |why| Refusal::NoCheckpoint {
        id: episode.key.id.clone(),
        name: name.to_owned(),
        why,
    };
    let taken = {
        let mut state = episode.state();
        state.checkpoints.find(name).map(|kept| kept.worker.take())
    };
    let mut worker = match taken {
        None => return Err(none("")),
        Some(None) => return Err(none(": it is in use")),
        Some(Some(worker)) => worker,
    };
    let copies = boundary::copy(registry, Some(&mut worker), &random.orders(1)).await;
    let is_alive = worker.is_alive();
    let mut state = episode.state();
    if !is_alive {
        drop(state.checkpoints.remove(name));
        drop(state);
        return Err(none(": its process has ended"));
    }
    // It may have been dropped meanwhile.
    let checkpoint = state.checkpoints.find(name).map(|kept| {
        kept.worker = Some(worker);
        kept.told()
    });
    drop(state);
    let copy = copies.map_err(boundary::refusal)?.pop();
    match (copy, checkpoint) {
        (Some(copy), Some(checkpoint)) => {
            registry.metrics.rollbacks.add_one();
            Ok((copy, RolledBack { checkpoint, point }))
        }
        (None, _) => Err(Refusal::ForkFailed {
            why: "none was made".to_owned(),
            lasts: false,
        }),
        (_, None) => Err(none(": it was dropped")),
    }
}

/// Measures what a process has for itself, on a thread that may block.
async fn measure(bytes: PrivateBytes) -> Option<u64> {
    let read = tokio::task::spawn_blocking(move || bytes.read());
    read.await.ok().flatten()
}

impl Episodes {
    /// Keeps a copy of an episode, in the order of its steps.
    ///
    /// # Cancel-Safety
    /// Safe: one that was not waited for is there for the retry.
    pub(crate) async fn checkpoint(
        &self,
        key: &EpisodeKey,
        new: NewCheckpoint,
    ) -> Result<Checkpointed, Refusal> {
        let (done, made) = oneshot::channel();
        let index = new.index;
        self.wish(key, index, Wish::Checkpoint { new, done })
            .await?;
        self.granted(key, made).await
    }

    /// Puts an episode back to a checkpoint, in the order of its steps.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn roll_back(
        &self,
        key: &EpisodeKey,
        name: String,
        random: Random,
        index: Option<u32>,
    ) -> Result<RolledBack, Refusal> {
        let (done, rolled_back) = oneshot::channel();
        let wish = Wish::Rollback { name, random, done };
        self.wish(key, index, wish).await?;
        self.granted(key, rolled_back).await
    }

    /// What there is to roll back to, the oldest first, measured now.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn checkpoints(
        &self,
        key: &EpisodeKey,
    ) -> Result<Vec<KeptCheckpoint>, Refusal> {
        let episode = self.find(key)?;
        let measured: Vec<(String, PrivateBytes)> = {
            let mut state = episode.state();
            state.checkpoints.forget_dead();
            let kept = state.checkpoints.0.iter();
            kept.filter_map(|kept| Some((kept.name.clone(), kept.private_bytes()?)))
                .collect()
        };
        let read = tokio::task::spawn_blocking(move || {
            let read = |(name, bytes): (String, PrivateBytes)| (name, bytes.read());
            measured.into_iter().map(read).collect::<Vec<_>>()
        });
        let read = read.await.unwrap_or_default();
        let mut state = episode.state();
        for (name, bytes) in read {
            if let Some(kept) = state.checkpoints.find(&name) {
                kept.place.note(bytes);
            }
        }
        Ok(state.checkpoints.0.iter().map(Kept::told).collect())
    }

    /// Drops a checkpoint. False when there is none of this name.
    pub(crate) fn drop_checkpoint(&self, key: &EpisodeKey, name: &str) -> Result<bool, Refusal> {
        let episode = self.find(key)?;
        let dropped = episode.state().checkpoints.remove(name);
        Ok(dropped.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_budget_is_spent_when_as_much_is_used_and_not_before() {
        let limits = ForkLimits {
            children: 1,
            checkpoints: 3,
            checkpoint_bytes: 100,
            server_checkpoints: 5,
            server_checkpoint_bytes: 1000,
            evaluations: 1,
            rolls_back: false,
        };
        let room = Used {
            checkpoints: 2,
            bytes: 99,
            server_checkpoints: 4,
            server_bytes: 999,
        };
        assert_eq!(spent(room, &limits), None);
        let full: [(Used, _); 4] = [
            (
                Used {
                    checkpoints: 3,
                    ..room
                },
                ("checkpoints", 3, 3),
            ),
            (Used { bytes: 100, ..room }, ("checkpoint_bytes", 100, 100)),
            (
                Used {
                    server_checkpoints: 5,
                    ..room
                },
                ("server_checkpoints", 5, 5),
            ),
            (
                Used {
                    server_bytes: 1001,
                    ..room
                },
                ("server_checkpoint_bytes", 1000, 1001),
            ),
        ];
        for (used, told) in full {
            assert_eq!(spent(used, &limits), Some(told));
        }
    }
}
