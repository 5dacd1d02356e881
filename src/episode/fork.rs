//! Children: episodes that are copies of another one.
//!
//! Their ids are taken before the parent is copied, all at once and under the registry's lock, so that a retry finds them, and two requests can't make
//! the same ones. They start when the copies are there, and are taken back when none could be made.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::boundary::{Point, Random, Wish};
use super::ledger::{Digest, Ledger};
use super::registry::{Episode, EpisodeParts, Episodes, Live};
use super::{EndReason, EpisodeKey, OriginView, Refusal};
use crate::executor::{ForkOrder, Setup, Worker};
use crate::fault;
use crate::limits::EpisodeLimits;

/// Children that are asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewFork {
    pub(crate) parent: EpisodeKey,
    /// Empty: make as many as `count`.
    pub(crate) child_ids: Vec<String>,
    pub(crate) count: usize,
    pub(crate) random: Random,
    /// None: the parent's.
    pub(crate) limits: Option<EpisodeLimits>,
    pub(crate) allow_partial: bool,
    pub(crate) index: Option<u32>,
}

/// A child that is there, or why it is not.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) id: String,
    pub(crate) made: Result<EpisodeLimits, Refusal>,
}

/// What came of a fork.
#[derive(Debug)]
pub(crate) struct Forked {
    pub(crate) children: Vec<Child>,
    /// Where the children go on from.
    pub(crate) point: Point,
}

/// Where a child comes from.
#[derive(Debug)]
pub(super) struct Origin {
    parent_id: String,
    /// What it was asked for with.
    wish: Digest,
    pub(super) depth: u32,
    /// Known once the copy is there.
    point: OnceLock<Point>,
}

impl Origin {
    pub(super) fn view(&self) -> OriginView {
        OriginView {
            parent_id: self.parent_id.clone(),
            step_count: self.point.get().map_or(0, |point| point.step_count),
            depth: self.depth,
        }
    }
}

/// A child whose id is taken, or why it can't be.
type Reserved = (String, Result<Arc<Episode>, Refusal>);

/// What the ids of a fork were found to be.
enum Found {
    /// Taken for this request.
    Fresh(Vec<Reserved>),
    /// This very request has taken them before.
    Retry(Vec<Reserved>),
}

impl Episodes {
    /// Copies an episode into children, all or none unless a part will do; or returns those that this very request made before.
    ///
    /// # Cancel-Safety
    /// Safe: children that their caller did not wait for are there for the retry, or end at once when no retry could find them.
    pub(crate) async fn fork(&self, new: NewFork) -> Result<Forked, Refusal> {
        let wish = self.digest(&format!(
            "{:?}",
            (
                &new.parent.id,
                &new.child_ids,
                &new.random,
                &new.limits,
                new.allow_partial
            )
        ));
        let findable = !new.child_ids.is_empty();
        let reserved = match self.reserve_children(&new, wish).await? {
            Found::Fresh(reserved) => reserved,
            Found::Retry(reserved) => return collect(&new, reserved).await,
        };
        let abandoned = CancellationToken::new();
        let guard = abandoned.clone().drop_guard();
        let children: Vec<Arc<Episode>> = reserved
            .iter()
            .filter_map(|(_, child)| child.as_ref().ok().map(Arc::clone))
            .collect();
        // The seeds are of the ids, also where only some of these are made.
        let orders = new.random.orders(reserved.len()).into_iter();
        let orders: Vec<ForkOrder> = orders
            .zip(&reserved)
            .filter(|(_, (_, child))| child.is_ok())
            .map(|(order, _)| order)
            .collect();
        let (registry, parent, index) = (self.clone(), new.parent.clone(), new.index);
        let lowered = new.limits.is_some();
        let starting = children.clone();
        // A task of its own: the caller may go while the parent's step runs.
        self.0.tasks.spawn(async move {
            let copied = async {
                let copied = registry.copies(&parent, orders, index);
                tokio::select! {
                    copied = copied => copied,
                    () = abandoned.cancelled(), if !findable => Err(Refusal::Closed(parent.id.clone())),
                }
            };
            let copied = match fault::caught(copied).await {
                Ok(copied) => copied,
                Err(cause) => Err(Refusal::Fault {
                    id: fault::report(&cause),
                }),
            };
            match copied {
                Ok((workers, point)) => {
                    for (child, worker) in starting.iter().zip(workers) {
                        registry.start_child(child, worker, point, lowered);
                    }
                    registry.0.metrics.forks.add_one();
                }
                Err(refusal) => {
                    for child in &starting {
                        registry.fail_start(child, refusal.clone());
                    }
                }
            }
            if !findable && abandoned.is_cancelled() {
                for child in &starting {
                    registry.end(&child.key, EndReason::Closed);
                }
            }
        });
        let result = collect(&new, reserved).await;
        drop(guard.disarm());
        result
    }

    /// Waits until an episode has been copied, between two of its steps.
    ///
    /// # Cancel-Safety
    /// Safe: copies that were not waited for end.
    pub(super) async fn copies(
        &self,
        key: &EpisodeKey,
        orders: Vec<ForkOrder>,
        index: Option<u32>,
    ) -> Result<(Vec<Worker>, Point), Refusal> {
        let (done, copied) = oneshot::channel();
        self.wish(key, index, Wish::Copies { orders, done }).await?;
        self.granted(key, copied).await
    }

    /// Waits for what comes of a wish. One that is dropped without a word was the episode's when that ended.
    pub(super) async fn granted<T>(
        &self,
        key: &EpisodeKey,
        done: oneshot::Receiver<Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        match done.await {
            Ok(result) => result,
            Err(_) => {
                let how = match self.find(key).err() {
                    Some(Refusal::Expired { idle, .. }) => EndReason::Expired { idle },
                    _ if self.is_draining() => EndReason::Drained,
                    _ => EndReason::Closed,
                };
                Err(Refusal::Ended {
                    id: key.id.clone(),
                    how,
                })
            }
        }
    }

    /// Takes the ids of children: all of them, unless a part will do.
    async fn reserve_children(&self, new: &NewFork, wish: Digest) -> Result<Found, Refusal> {
        let owner = &new.parent.owner;
        let ids: Vec<String> = if new.child_ids.is_empty() {
            let fresh = || uuid::Uuid::now_v7().to_string();
            std::iter::repeat_with(fresh).take(new.count).collect()
        } else {
            new.child_ids.clone()
        };
        // A retry is answered whatever has become of the parent.
        if let Some(found) = self.find_children(new, wish) {
            return Ok(Found::Retry(found));
        }
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        let parent = self.find(&new.parent)?;
        parent.wait_started().await?;
        let depth = parent.origin.as_ref().map_or(0, |origin| origin.depth) + 1;
        let parts = |at: usize, key: EpisodeKey| EpisodeParts {
            key,
            request_id: String::new(),
            runtime: parent.runtime,
            limits: new.limits.unwrap_or(parent.limits),
            seed: match &new.random {
                Random::Inherit => parent.seed,
                Random::Reseed => None,
                Random::Seeds(seeds) => seeds.get(at).copied(),
            },
            created: SystemTime::now(),
            hold: None,
            origin: Some(Origin {
                parent_id: new.parent.id.clone(),
                wish,
                depth,
                point: OnceLock::new(),
            }),
        };
        let mut live = self.0.lock_live();
        // Once more, now that nothing can change: the same request may have been faster, and the drain may have begun.
        if let Some(found) = self.find_children_in(&live, new, wish) {
            return Ok(Found::Retry(found));
        }
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        let mut room = self.0.room(&live);
        let mut reserved: Vec<Reserved> = Vec::with_capacity(ids.len());
        for (at, id) in ids.into_iter().enumerate() {
            let key = owner.episode(id.clone());
            let refusal = if live.contains_key(&key) {
                Some(Refusal::Exists(id.clone()))
            } else if self.0.has_ended(&key) {
                Some(Refusal::ExistedBefore(id.clone()))
            } else if room == 0 {
                Some(Refusal::EpisodeLimit {
                    max: self.0.config.max_episodes,
                })
            } else {
                None
            };
            match refusal {
                Some(refusal) if !new.allow_partial => return Err(refusal),
                Some(refusal) => reserved.push((id, Err(refusal))),
                None => {
                    room -= 1;
                    reserved.push((id, Ok(Arc::new(Episode::new(parts(at, key))))));
                }
            }
        }
        let first = reserved.iter().find_map(|(_, child)| child.as_ref().err());
        if let Some(first) = first
            && reserved.iter().all(|(_, child)| child.is_err())
        {
            return Err(first.clone());
        }
        for child in reserved.iter().filter_map(|(_, child)| child.as_ref().ok()) {
            live.insert(child.key.clone(), Arc::clone(child));
        }
        Ok(Found::Fresh(reserved))
    }

    /// The children of this very request, if it has made some: those that live, and what became of the others.
    fn find_children(&self, new: &NewFork, wish: Digest) -> Option<Vec<Reserved>> {
        self.find_children_in(&self.0.lock_live(), new, wish)
    }

    /// The same, with the registry's lock.
    fn find_children_in(&self, live: &Live, new: &NewFork, wish: Digest) -> Option<Vec<Reserved>> {
        let owner = &new.parent.owner;
        let is_ours = |child: &Episode| {
            let origin = child.origin.as_ref();
            origin.is_some_and(|origin| origin.wish == wish)
        };
        let found: Vec<Reserved> = new
            .child_ids
            .iter()
            .map(|id| {
                let child = self.0.find_in(live, &owner.episode(id.clone()));
                let child = match child {
                    Ok(child) if !is_ours(&child) => Err(Refusal::Exists(id.clone())),
                    child => child,
                };
                (id.clone(), child)
            })
            .collect();
        found
            .iter()
            .any(|(_, child)| child.is_ok())
            .then_some(found)
    }

    /// Gives a child its interpreter.
    fn start_child(&self, child: &Arc<Episode>, mut worker: Worker, point: Point, lowered: bool) {
        if lowered {
            let limits = &child.limits;
            worker.set_up(&Setup {
                seed: None,
                memory_bytes: limits.memory_bytes,
                open_files: limits.open_files,
                file_bytes: limits.file_bytes,
                displays: limits.displays,
                display_bytes: limits.display_bytes,
                environment: Vec::new(),
            });
        }
        if let Some(origin) = &child.origin {
            origin.point.get_or_init(|| point);
        }
        child.state().ledger = Ledger::continuing(point.step_count, point.last_exit_code);
        self.start_with(child, worker);
    }
}

/// Waits until the children have started, or have failed to.
async fn collect(new: &NewFork, reserved: Vec<Reserved>) -> Result<Forked, Refusal> {
    let mut children = Vec::with_capacity(reserved.len());
    let mut point = None;
    let mut failed = None;
    for (id, child) in reserved {
        let made = match child {
            Ok(child) => {
                let started = child.wait_started().await;
                let origin = child.origin.as_ref();
                point = point.or_else(|| origin.and_then(|origin| origin.point.get().copied()));
                started.map(|()| child.limits)
            }
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &made {
            failed.get_or_insert_with(|| refusal.clone());
        }
        children.push(Child { id, made });
    }
    match (point, failed) {
        (Some(point), None) => Ok(Forked { children, point }),
        (Some(point), Some(_)) if new.allow_partial => Ok(Forked { children, point }),
        (_, Some(refusal)) => Err(refusal),
        (None, None) => Err(Refusal::NotFound(new.parent.id.clone())),
    }
}
