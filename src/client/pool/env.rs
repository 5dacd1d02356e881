//! An environment of a pool: as [`CodingEnv`], on whatever server has room.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::super::retry::Retry;
use super::super::{CodingEnv, Error, Interrupter, Reason, ResetOptions, StepOptions};
use super::Shared;
use super::server::{END_WITHIN, Place};
use crate::proto::v1;

/// One environment of a [`Pool`](super::Pool): at most one episode at a time. A reset places the episode on a server, and all its calls go there.
///
/// Cheap to clone; clones are the same environment. Its steps run one after the other, in the order in which they were asked for. When the last
/// clone is dropped its episode is ended in the background, as long as the runtime runs; [`close`](Self::close) does it and tells.
///
/// When its server is gone, each call, also one that waits, ends with a refusal whose reason is [`Reason::EpisodeServerGone`], and the next
/// [`reset`](Self::reset) goes to another.
#[derive(Debug, Clone)]
pub struct PooledEnv {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: Arc<Shared>,
    /// Held by a reset, a step or a close.
    seat: tokio::sync::Mutex<Option<Seat>>,
    /// The same episode, for calls beside these.
    beside: Mutex<Option<Arc<Beside>>>,
}

#[derive(Debug)]
struct Beside {
    episode_id: String,
    server_id: String,
    interrupter: Interrupter,
}

/// An environment on a server, and its place there. Dropping it ends the episode in the background.
#[derive(Debug)]
struct Seat {
    env: CodingEnv,
    place: Option<Place>,
    pool: Arc<Shared>,
}

impl Seat {
    fn new(pool: &Arc<Shared>, place: Place) -> Self {
        Self {
            env: place.server().env(),
            place: Some(place),
            pool: Arc::clone(pool),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (Some(place), Some(mut env)) = (self.place.take(), self.env.hand_over()) else {
            return;
        };
        if place.server().is_lost() {
            self.pool.servers.leave_behind(place.server(), env);
            return;
        }
        let pool = Arc::clone(&self.pool);
        self.pool.runtime.spawn(async move {
            let ended = tokio::time::timeout(END_WITHIN, env.close()).await;
            if matches!(ended, Ok(Ok(()))) {
                pool.servers.has_room(place.server());
            }
        });
    }
}

impl PooledEnv {
    pub(super) fn new(pool: Arc<Shared>) -> Self {
        Self {
            inner: Arc::new(Inner {
                pool,
                seat: tokio::sync::Mutex::new(None),
                beside: Mutex::new(None),
            }),
        }
    }

    /// Whether the two are the same environment.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// What tells environments apart.
    pub(super) fn key(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    fn beside(&self) -> Option<Arc<Beside>> {
        let beside = self.inner.beside.lock();
        beside.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_beside(&self, beside: Option<Beside>) {
        let place = self.inner.beside.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = beside.map(Arc::new);
    }

    /// The id of the episode, once there is one.
    #[must_use]
    pub fn episode_id(&self) -> Option<String> {
        self.beside().map(|beside| beside.episode_id.clone())
    }

    /// The server that holds the episode, once there is one.
    #[must_use]
    pub fn server_id(&self) -> Option<String> {
        self.beside().map(|beside| beside.server_id.clone())
    }

    /// Starts a fresh episode on the server that has most room, and ends the one before.
    ///
    /// Servers that are full or draining, or can't be reached, are passed over. When none takes it, it waits until one does, or the deadline
    /// has passed.
    ///
    /// # Errors
    /// A refusal that no server would take back; what the last server said, when the deadline has passed.
    pub async fn reset(&self) -> Result<v1::ResetResponse, Error> {
        self.reset_with(ResetOptions::default()).await
    }

    /// Starts a fresh episode with options.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn reset_with(&self, options: ResetOptions) -> Result<v1::ResetResponse, Error> {
        let mut seat = self.inner.seat.lock().await;
        let pool = &self.inner.pool;
        let client = &pool.options.client;
        let end = Instant::now() + client.deadline;
        let mut retry = Retry::new(client, client.deadline);
        let mut asked = Vec::new();
        let mut last = None;
        loop {
            let holding = seat.as_ref().and_then(|seat| seat.place.as_ref());
            let holding = holding.map(|place| Arc::clone(place.server()));
            let Some(place) = pool.servers.place(holding.as_ref(), &asked) else {
                let refusal = pool.servers.refusal();
                let paused = match refusal {
                    Some(_) => Err(()),
                    None => tokio::select! {
                        paused = retry.pause(pool.servers.look_again()) => paused,
                        () = pool.servers.room() => Ok(()),
                    },
                };
                if paused.is_err() {
                    return Err(last.unwrap_or_else(|| pool.servers.why_no_place()));
                }
                asked.clear();
                continue;
            };
            let server = Arc::clone(place.server());
            let stays = holding.is_some_and(|holding| Arc::ptr_eq(&holding, &server));
            let mut moved = None;
            let env = match seat.as_mut().filter(|_| stays) {
                Some(seat) => &mut seat.env,
                None => &mut moved.insert(Seat::new(pool, place)).env,
            };
            let reset = tokio::time::timeout_at(end, env.reset_with(options.clone())).await;
            let error = match reset.unwrap_or(Err(Error::Deadline)) {
                Ok(reply) => {
                    self.set_beside(Some(Beside {
                        episode_id: env.episode_id().unwrap_or_default().to_owned(),
                        server_id: reply.server_id.clone(),
                        interrupter: env.interrupter()?,
                    }));
                    // The one before is ended as its seat is dropped.
                    if moved.is_some() {
                        *seat = moved;
                    }
                    return Ok(reply);
                }
                Err(error) => error,
            };
            if !server.note_refusal(&error) {
                return Err(error);
            }
            asked.push(server);
            last = Some(error);
        }
    }

    /// Runs code in the episode. As [`CodingEnv::step`].
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset; a refusal, with [`Reason::EpisodeServerGone`] when the server is lost; a connection that stays broken
    /// until the deadline. What the code does is not an error.
    pub async fn step(&self, code: impl Into<String>) -> Result<v1::StepResponse, Error> {
        self.step_with(code, StepOptions::default()).await
    }

    /// Runs code with options.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn step_with(
        &self,
        code: impl Into<String>,
        options: StepOptions,
    ) -> Result<v1::StepResponse, Error> {
        let mut seat = self.inner.seat.lock().await;
        let seat = seat.as_mut().ok_or(Error::NoEpisode)?;
        seat.env.step_with(code, options).await
    }

    /// The state of the episode; while a step runs, too.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn state(&self) -> Result<v1::GetStateResponse, Error> {
        let beside = self.beside().ok_or(Error::NoEpisode)?;
        beside.interrupter.state().await
    }

    /// Interrupts whichever step runs. False when none did.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn interrupt(&self) -> Result<bool, Error> {
        let beside = self.beside().ok_or(Error::NoEpisode)?;
        beside.interrupter.interrupt().await
    }

    /// Ends the episode, if there is one; a step that runs ends with [`Reason::EpisodeEnded`]. Another [`reset`](Self::reset) may follow.
    ///
    /// # Errors
    /// A connection that stays broken until the deadline. That the server is gone is none: the episode has ended with it.
    pub async fn close(&self) -> Result<(), Error> {
        let beside = self.beside();
        let ended = match &beside {
            Some(beside) => beside.interrupter.end().await,
            None => Ok(()),
        };
        // A step that ran has ended with it.
        let mut held = self.inner.seat.lock().await;
        self.set_beside(None);
        if let Some(seat) = held.as_mut() {
            let id = beside.as_ref().map(|beside| beside.episode_id.as_str());
            if ended.is_ok() && seat.env.episode_id() == id {
                seat.env.forget();
            }
            if let Some(place) = &seat.place {
                self.inner.pool.servers.has_room(place.server());
            }
        }
        // What could not be ended is tried once more as the seat is dropped.
        *held = None;
        match ended {
            Err(error) if error.reason() == Some(&Reason::EpisodeServerGone) => Ok(()),
            ended => ended,
        }
    }
}
