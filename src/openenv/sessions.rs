//! Sessions that outlive a connection: made, found and closed by id, and ended when nobody uses them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::session::Session;
use crate::episode::Owner;

/// How often idle sessions are looked for, at the most seldom.
const SWEEP_EVERY_MAX: Duration = Duration::from_secs(30);
/// And at the most often.
const SWEEP_EVERY_MIN: Duration = Duration::from_millis(250);

/// All of them.
#[derive(Debug)]
pub(super) struct Sessions {
    by_id: Mutex<HashMap<String, Entry>>,
    idle_timeout: Duration,
}

#[derive(Debug)]
struct Entry {
    session: Arc<Session>,
    /// A WebSocket is attached.
    attached: bool,
    /// It is to end when the WebSocket goes.
    closing: bool,
    last_used: Instant,
}

/// What a close did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Now,
    /// When the WebSocket that is attached has gone.
    Later,
    Unknown,
}

/// Why no WebSocket can be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAttached {
    Unknown,
    Taken,
}

impl Sessions {
    pub(super) fn new(idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            by_id: Mutex::default(),
            idle_timeout,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a session, and gives it an id.
    pub(super) fn insert(&self, session: Session) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let entry = Entry {
            session: Arc::new(session),
            attached: false,
            closing: false,
            last_used: Instant::now(),
        };
        self.lock().insert(id.clone(), entry);
        id
    }

    /// Finds a session of this owner's, which is used now.
    pub(super) fn find(self: &Arc<Self>, id: &str, owner: &Owner) -> Option<Used> {
        let mut by_id = self.lock();
        let entry = by_id
            .get_mut(id)
            .filter(|entry| entry.session.is_of(owner))?;
        entry.last_used = Instant::now();
        Some(Used {
            session: Arc::clone(&entry.session),
            sessions: Arc::clone(self),
            id: id.to_owned(),
        })
    }

    /// Attaches a WebSocket to a session of this owner's. There is one at a time.
    pub(super) fn attach(
        self: &Arc<Self>,
        id: &str,
        owner: &Owner,
    ) -> Result<Attached, NotAttached> {
        let mut by_id = self.lock();
        let entry = by_id
            .get_mut(id)
            .filter(|entry| entry.session.is_of(owner))
            .ok_or(NotAttached::Unknown)?;
        if entry.attached {
            return Err(NotAttached::Taken);
        }
        entry.attached = true;
        Ok(Attached {
            session: Arc::clone(&entry.session),
            sessions: Arc::clone(self),
            id: id.to_owned(),
        })
    }

    /// Closes a session of this owner's.
    pub(super) fn close(&self, id: &str, owner: &Owner) -> Closed {
        let mut by_id = self.lock();
        let Some(entry) = by_id.get_mut(id).filter(|entry| entry.session.is_of(owner)) else {
            return Closed::Unknown;
        };
        if entry.attached {
            entry.closing = true;
            return Closed::Later;
        }
        let ended = by_id.remove(id);
        drop(by_id);
        drop(ended);
        Closed::Now
    }

    /// Ends sessions that nobody uses, until `stop`, and then all.
    pub(super) async fn sweep_regularly(self: Arc<Self>, stop: CancellationToken) {
        let every = (self.idle_timeout / 4).clamp(SWEEP_EVERY_MIN, SWEEP_EVERY_MAX);
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => drop(self.take(|entry| entry.is_idle(self.idle_timeout))),
                () = stop.cancelled() => break,
            }
        }
        drop(self.take(|_| true));
    }

    /// Takes out those that are meant. They end outside of the lock.
    fn take(&self, is_meant: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut by_id = self.lock();
        let ids: Vec<String> = by_id
            .iter()
            .filter(|(_, entry)| is_meant(entry))
            .map(|(id, _)| id.clone())
            .collect();
        let taken: Vec<Entry> = ids.iter().filter_map(|id| by_id.remove(id)).collect();
        drop(by_id);
        if !taken.is_empty() {
            tracing::info!(
                count = taken.len(),
                "sessions without a connection have ended"
            );
        }
        taken
    }
}

impl Entry {
    fn is_idle(&self, limit: Duration) -> bool {
        // More than one holds it when it is in use.
        let in_use = self.attached || Arc::strong_count(&self.session) > 1;
        !in_use && self.last_used.elapsed() >= limit
    }
}

/// A session that a request uses.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) session: Arc<Session>,
    sessions: Arc<Sessions>,
    id: String,
}

impl Drop for Used {
    fn drop(&mut self) {
        if let Some(entry) = self.sessions.lock().get_mut(&self.id) {
            entry.last_used = Instant::now();
        }
    }
}

/// A session that a WebSocket is attached to, until this is dropped.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) session: Arc<Session>,
    sessions: Arc<Sessions>,
    id: String,
}

impl Attached {
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut by_id = self.sessions.lock();
        let mut ended = None;
        if let Some(entry) = by_id.get_mut(&self.id) {
            entry.attached = false;
            entry.last_used = Instant::now();
            if entry.closing {
                ended = by_id.remove(&self.id);
            }
        }
        drop(by_id);
        drop(ended);
    }
}
