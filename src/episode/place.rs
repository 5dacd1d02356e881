//! Room for one episode at a time, held by who has none yet: a connection that is one session, whose episodes come and go.
//!
//! A place counts against `--max-episodes` from when it is held, so that who got one is never refused an episode for want of room.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{EpisodeKey, Episodes, Following, NewEpisode, NewStep, Refusal, Started, StepAnswer};

/// A place, as the registry counts it. Both change only while the registry's list of live episodes is locked.
#[derive(Debug)]
pub(super) struct Hold {
    /// Somebody holds it.
    held: AtomicBool,
    /// An episode has it.
    taken: AtomicBool,
}

impl Hold {
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Its episode has ended. Whether it is held on.
    pub(super) fn leave(&self) -> bool {
        self.taken.store(false, Ordering::Relaxed);
        self.held.load(Ordering::Relaxed)
    }

    /// Nobody holds it any more. Whether it was without an episode.
    pub(super) fn give_up(&self) -> bool {
        self.held.store(false, Ordering::Relaxed);
        !self.is_taken()
    }
}

/// A place that is held. Dropping it ends the episode in it, also in mid-step.
#[derive(Debug)]
pub(crate) struct Place {
    episodes: Episodes,
    hold: Arc<Hold>,
    episode: Mutex<Option<EpisodeKey>>,
}

impl Place {
    pub(super) fn new(episodes: Episodes) -> Self {
        let hold = Hold {
            held: AtomicBool::new(true),
            taken: AtomicBool::new(false),
        };
        Self {
            episodes,
            hold: Arc::new(hold),
            episode: Mutex::default(),
        }
    }

    fn episode(&self) -> Option<EpisodeKey> {
        let episode = self.episode.lock();
        episode.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The id of the last episode.
    pub(crate) fn episode_id(&self) -> Option<String> {
        self.episode().map(|key| key.id)
    }

    /// Whether there has been an episode.
    pub(crate) fn has_episode(&self) -> bool {
        self.episode().is_some()
    }

    /// Makes an episode, in place of the one before. `new` names neither.
    ///
    /// # Cancel-Safety
    /// Safe: an episode that was not waited for ends at once.
    pub(crate) async fn reset(&self, mut new: NewEpisode) -> Result<Started, Refusal> {
        let previous = self.episode();
        if let Some(previous) = &previous {
            new.previous_id.clone_from(&previous.id);
        }
        let owner = new.owner.clone();
        let started = self.episodes.reset_in(Some(&self.hold), new).await;
        let now = match &started {
            Ok(started) => Some(owner.episode(started.id.clone())),
            // It may live on when the server refused before it did anything.
            Err(_) => previous.filter(|key| self.episodes.limits(key).is_some()),
        };
        *self.episode.lock().unwrap_or_else(PoisonError::into_inner) = now;
        started
    }

    /// Runs a step in the episode.
    ///
    /// # Cancel-Safety
    /// Safe: the step belongs to the episode.
    pub(crate) async fn step(&self, step: NewStep) -> Result<StepAnswer, Refusal> {
        match self.episode() {
            Some(key) => self.episodes.step(&key, step).await,
            None => Err(Refusal::NotFound(String::new())),
        }
    }
}

impl Place {
    /// Runs a step in the episode, and tells what it prints.
    ///
    /// # Cancel-Safety
    /// Safe: the step belongs to the episode.
    pub(crate) async fn step_stream(&self, step: NewStep) -> Result<Following, Refusal> {
        match self.episode() {
            Some(key) => self.episodes.step_stream(&key, step, [0; 2]).await,
            None => Err(Refusal::NotFound(String::new())),
        }
    }

    /// Interrupts the step that runs. False when none does.
    pub(crate) fn interrupt(&self) -> Result<bool, Refusal> {
        match self.episode() {
            Some(key) => Ok(self.episodes.interrupt(&key, None)?.is_some()),
            None => Ok(false),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = self.episode() {
            self.episodes.close(&key);
        }
        self.episodes.give_up(&self.hold);
    }
}
