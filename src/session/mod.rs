//! Sessions: many requests on one stream, and what is owed when it breaks.
//!
//! Nothing here decides about episodes or steps: a request goes through the same handlers as an RPC ([`requests`]). A [`Session`] knows which requests
//! are carried out and in which order, and keeps their answers in its [`outbox`] until they are acknowledged. Each stream that it has is an
//! attachment ([`streams`]); when that breaks, requests go on, and the next one gets what they answer.

mod outbox;
mod requests;
mod streams;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

use self::outbox::Outbox;
use self::requests::Answer;
use crate::config::Config;
use crate::episode::{EpisodeKey, Owner};
use crate::metrics::Counts;
use crate::proto::v1;
use crate::service::Service;
use crate::{convert, status, stream};

/// Pieces of output that wait for a session's stream, at the most.
const PIECES_MAX: usize = 16;
/// From how many episodes on a session looks for those that have ended, whenever it has twice as many as were left the last time.
const SWEEP_FROM: usize = 1024;

/// All sessions of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    live: Mutex<HashMap<EpisodeKey, Arc<Session>>>,
    sessions_max: u32,
    requests_max: usize,
    grace: Duration,
    interrupt_grace: Duration,
    /// The server ends.
    closing: CancellationToken,
    totals: Totals,
}

/// What is counted of sessions.
#[derive(Debug)]
pub(crate) struct Totals {
    /// Streams, by whether they opened a session or took one over.
    pub(crate) streams: Counts<2>,
    /// Sessions that ended, by whether the client closed them or did not come back.
    pub(crate) ended: Counts<2>,
}

/// What the sessions of a server do at a time.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Sessions with a stream.
    pub(crate) attached: u64,
    /// Sessions whose stream is broken.
    pub(crate) broken: u64,
    /// Requests that are carried out.
    pub(crate) running: u64,
    /// Answers that no stream has taken yet.
    pub(crate) unsent: u64,
}

/// One session.
#[derive(Debug)]
struct Session {
    /// Its owner and id.
    key: EpisodeKey,
    state: Mutex<State>,
    /// Where its stream takes output from, while it has one.
    attached: watch::Sender<Option<mpsc::Sender<v1::SessionResponse>>>,
    /// There may be something to send.
    answered: Notify,
    /// Requests may be read again, or have all been answered.
    room: Notify,
}

#[derive(Debug)]
struct State {
    outbox: Outbox<Answer>,
    /// Requests that are carried out.
    running: HashSet<u64>,
    /// The last request for each episode that one is carried out for, and its end.
    last: HashMap<String, (u64, CancellationToken)>,
    /// Episodes that end with the session.
    episodes: HashSet<String>,
    /// With how many of them those that have ended are looked for.
    sweep_at: usize,
    streams: u64,
    /// The client asks for nothing more: when all is answered and sent, the stream ends.
    closed: bool,
    /// Nothing is kept any more: episodes that are made now end at once.
    over: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub(crate) fn new(config: &Config, closing: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            live: Mutex::default(),
            sessions_max: config.max_sessions,
            requests_max: usize::try_from(config.session_requests).unwrap_or(usize::MAX),
            grace: config.session_grace,
            interrupt_grace: config.interrupt_grace,
            closing,
            totals: Totals {
                streams: Counts::new(["opened", "taken_over"]),
                ended: Counts::new(["closed", "forgotten"]),
            },
        }))
    }

    /// What is counted.
    pub(crate) fn totals(&self) -> &Totals {
        &self.0.totals
    }

    /// What they do now.
    pub(crate) fn load(&self) -> Load {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let live: Vec<_> = lock(&self.0.live).values().cloned().collect();
        let mut load = Load::default();
        for session in live {
            let state = lock(&session.state);
            if session.attached.borrow().is_some() {
                load.attached += 1;
            } else {
                load.broken += 1;
            }
            load.running += count(state.running.len());
            load.unsent += count(state.outbox.unsent());
        }
        load
    }

    /// Serves one stream: what it asks for is read by a task of its own.
    pub(crate) fn serve(
        &self,
        service: Service,
        owner: Owner,
        requests: Streaming<v1::SessionRequest>,
    ) -> stream::Responses<v1::SessionResponse> {
        streams::serve(self.clone(), service, owner, requests)
    }

    /// Opens a session, or attaches a new stream to the one that is there. True when it was there.
    fn open(
        &self,
        owner: &Owner,
        open: v1::SessionOpen,
        received: u64,
    ) -> Result<(Arc<Session>, Attached, bool), Status> {
        let v1::SessionOpen { session_id } = open;
        convert::session_id(&session_id)?;
        let id = if session_id.is_empty() {
            uuid::Uuid::now_v7().to_string()
        } else {
            session_id
        };
        let key = owner.episode(id);
        let mut live = lock(&self.0.live);
        let (session, resumed) = if let Some(session) = live.get(&key) {
            (Arc::clone(session), true)
        } else {
            let max = self.0.sessions_max;
            if live.len() >= usize::try_from(max).unwrap_or(usize::MAX) {
                return Err(status::session_limit(max));
            }
            let session = Arc::new(Session::new(key.clone(), self.0.requests_max));
            live.insert(key, Arc::clone(&session));
            (session, false)
        };
        // Under the lock, so that its time can't be over in between.
        let attached = session.attach(received);
        let how = if resumed { "taken_over" } else { "opened" };
        self.0.totals.streams.add_one(how);
        Ok((session, attached, resumed))
    }

    /// A stream has broken: its session is kept for a while, unless another one has taken over.
    fn detach(&self, service: Service, session: &Arc<Session>, number: u64) {
        if !session.detach(number) {
            return;
        }
        let (sessions, session) = (self.clone(), Arc::clone(session));
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(sessions.0.grace) => {}
                // Episodes end by themselves then.
                () = sessions.0.closing.cancelled() => return,
            }
            if sessions.forget(&session, |session| session.is_attached(number)) {
                sessions.0.totals.ended.add_one("forgotten");
                session.end(&service, true, |_| true);
            }
        });
    }

    /// Takes a session out of the list, so that its id is free, if that still holds.
    fn forget(&self, session: &Arc<Session>, holds: impl FnOnce(&Session) -> bool) -> bool {
        let mut live = lock(&self.0.live);
        let is_there = live
            .get(&session.key)
            .is_some_and(|there| Arc::ptr_eq(there, session));
        let forgets = is_there && holds(session);
        if forgets {
            live.remove(&session.key);
        }
        forgets
    }

    /// The client has half-closed: the episodes end.
    async fn close(&self, service: &Service, session: &Arc<Session>) {
        if self.forget(session, |_| true) {
            self.0.totals.ended.add_one("closed");
        }
        let busy: HashSet<String> = lock(&session.state).last.keys().cloned().collect();
        session.end(service, false, |episode| !busy.contains(episode));
        // Not an error: what is not answered by then is answered by its episode's end.
        drop(tokio::time::timeout(self.0.interrupt_grace, session.all_answered()).await);
        session.end(service, true, |_| true);
        session.all_answered().await;
        lock(&session.state).closed = true;
        session.answered.notify_one();
    }
}

/// What a stream gets when it is attached.
#[derive(Debug)]
struct Attached {
    number: u64,
    pieces: mpsc::Receiver<v1::SessionResponse>,
}

impl Session {
    fn new(key: EpisodeKey, requests_max: usize) -> Self {
        Self {
            key,
            state: Mutex::new(State {
                outbox: Outbox::new(requests_max),
                running: HashSet::new(),
                last: HashMap::new(),
                episodes: HashSet::new(),
                sweep_at: SWEEP_FROM,
                streams: 0,
                closed: false,
                over: false,
            }),
            attached: watch::Sender::new(None),
            answered: Notify::new(),
            room: Notify::new(),
        }
    }

    fn attach(&self, received: u64) -> Attached {
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        let number = {
            let mut state = lock(&self.state);
            state.outbox.send_again();
            state.outbox.acknowledge(received);
            state.streams += 1;
            let number = state.streams;
            // Under the lock, so that the newest stays.
            self.attached.send_replace(Some(sender));
            number
        };
        self.answered.notify_waiters();
        Attached { number, pieces }
    }

    /// False when another stream has taken over.
    fn detach(&self, number: u64) -> bool {
        let state = lock(&self.state);
        let is_last = state.streams == number && !state.closed;
        if is_last {
            self.attached.send_replace(None);
        }
        is_last
    }

    /// Whether this stream is its newest.
    fn is_attached(&self, number: u64) -> bool {
        lock(&self.state).streams == number
    }

    /// The client has got answers up to this one.
    fn acknowledge(&self, received: u64) {
        lock(&self.state).outbox.acknowledge(received);
    }

    /// The next answer to send on this stream.
    fn next(&self, number: u64) -> Option<v1::SessionResponse> {
        let mut state = lock(&self.state);
        if state.streams != number {
            return None;
        }
        let next = state.outbox.next();
        drop(state);
        if next.is_some() {
            self.room.notify_one();
        }
        next
    }

    /// Whether nothing comes any more.
    fn is_done(&self) -> bool {
        let state = lock(&self.state);
        state.closed && state.outbox.unsent() == 0
    }

    /// Waits until another request may be carried out.
    async fn has_room(&self, requests_max: usize) {
        loop {
            {
                let state = lock(&self.state);
                if state.running.len() + state.outbox.unsent() < requests_max {
                    // Who waits beside it, on another stream, looks too.
                    self.room.notify_one();
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    async fn all_answered(&self) {
        while !lock(&self.state).running.is_empty() {
            self.room.notified().await;
        }
    }

    /// Admits a request that names these episodes. Returns what it has to wait for, and its own end; None when it was admitted before.
    fn admit(
        &self,
        id: u64,
        episodes: &[String],
    ) -> Option<(Vec<CancellationToken>, CancellationToken)> {
        let mut state = lock(&self.state);
        if state.outbox.owes(id) || !state.running.insert(id) {
            return None;
        }
        let done = CancellationToken::new();
        let mut before = Vec::new();
        for episode in episodes {
            let entry = (id, done.clone());
            if let Some((_, last)) = state.last.insert(episode.clone(), entry) {
                before.push(last);
            }
        }
        Some((before, done))
    }

    /// A request is answered.
    fn answer(&self, id: u64, episodes: &[String], answer: Answer) {
        let mut state = lock(&self.state);
        for episode in episodes {
            if state.last.get(episode).is_some_and(|(last, _)| *last == id) {
                state.last.remove(episode);
            }
        }
        state.running.remove(&id);
        state.outbox.push(id, answer);
        drop(state);
        self.answered.notify_one();
        self.room.notify_one();
    }

    /// Notes an episode that ends with it. False when it has ended. Those that have ended otherwise, by a call or by themselves, are forgotten now and then.
    fn adopt(&self, episode: &str, is_live: impl Fn(&str) -> bool) -> bool {
        let mut state = lock(&self.state);
        if state.over {
            return false;
        }
        if state.episodes.len() >= state.sweep_at {
            state.episodes.retain(|episode| is_live(episode));
            state.sweep_at = (state.episodes.len() * 2).max(SWEEP_FROM);
        }
        state.episodes.insert(episode.to_owned());
        true
    }

    /// Lets go of episodes: of all when none are named. Returns those that were its.
    fn let_go(&self, named: Vec<String>) -> Vec<String> {
        let mut state = lock(&self.state);
        if named.is_empty() {
            return std::mem::take(&mut state.episodes).into_iter().collect();
        }
        named
            .into_iter()
            .filter(|episode| state.episodes.remove(episode))
            .collect()
    }

    /// Ends its episodes, those that are meant; `for_good`, also those that are made later.
    fn end(&self, service: &Service, for_good: bool, is_meant: impl Fn(&str) -> bool) {
        let episodes: Vec<String> = {
            let mut state = lock(&self.state);
            state.over |= for_good;
            state
                .episodes
                .extract_if(|episode| is_meant(episode))
                .collect()
        };
        for episode in episodes {
            service.episodes().close(&self.key.owner.episode(episode));
        }
    }
}

/// Tells a stream that the client has broken off from one that it has closed: the library takes the first for the second.
pub(crate) fn tell_broken_from_closed(
    request: http::Request<tonic::body::Body>,
) -> http::Request<tonic::body::Body> {
    request.map(|body| {
        tonic::body::Body::new(body.map_err(|status: Status| {
            if status.code() == Code::Cancelled {
                Status::aborted(status.message())
            } else {
                status
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_does_not_collect_episodes_that_have_ended() {
        let session = Session::new(Owner::named("o").episode("s".to_owned()), 1);
        let (episodes, living) = (SWEEP_FROM * 4, SWEEP_FROM / 2);
        let is_live = |episode: &str| episode.parse::<usize>().unwrap() < living;
        let mut most = 0;
        for episode in 0..episodes {
            assert!(session.adopt(&episode.to_string(), is_live));
            most = most.max(lock(&session.state).episodes.len());
        }
        assert_eq!(most, SWEEP_FROM, "the bound, and no less");
        // Those that live are its own yet.
        let left = session.let_go(Vec::new());
        assert_eq!(left.iter().filter(|one| is_live(one)).count(), living);
    }
}
