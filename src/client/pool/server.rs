//! One server of a pool: its connection, and what is known of its load.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost_types::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::super::lane::Lanes;
use super::super::liveness::Liveness;
use super::super::transport::Transport;
use super::super::{CodingEnv, Error, Options, Reason, endpoint};
use crate::proto::v1;

/// How long a server may take to say how it is.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an episode is tried to be ended that nobody holds any more. What can't be ended is left to the server's idle timeout.
pub(super) const END_WITHIN: Duration = Duration::from_secs(10);

/// How a server stands to new episodes. Those that live on it go on in any case but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It takes new ones.
    Ready,
    /// It has as many as it may, or no interpreter to spare: asked again soon.
    Full,
    /// It is starting, or draining.
    NotReady,
    /// It does not answer, or not as it should.
    Unreachable,
}

/// A server of a pool, as that sees it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Where it is: `http://HOST:PORT`.
    pub url: String,
    /// What it calls itself; empty before it has answered.
    pub server_id: String,
    /// How it stands to new episodes.
    pub standing: Standing,
    /// Episodes of this pool on it.
    pub episodes: u32,
    /// What was wrong when it was looked at last.
    pub error: Option<Error>,
}

#[derive(Debug)]
pub(super) struct Server {
    url: String,
    transport: Transport,
    lanes: Lanes,
    health: HealthClient<Channel>,
    options: Options,
    liveness: Arc<Liveness>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Whether the target names it; if not, it gets no new episodes.
    listed: bool,
    /// Another entry leads to the same process, and is the one that is used.
    alias: bool,
    ready: Result<bool, Error>,
    full_until: Option<Instant>,
    /// Episodes of this pool, those that are being made included.
    episodes: u32,
    /// Episodes of everybody, in thousandths of what it may have.
    occupied_permille: u64,
    /// When an episode was placed here last, counted in placements.
    placed: u64,
    process: Option<Process>,
}

/// What tells one process of a server from the next at the same address.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Process {
    server_id: String,
    start_time: Option<Timestamp>,
}

/// Which server is the least loaded: the one with the fewest episodes of this pool, then where the episode was that ends with the reset (one
/// call does both), then the emptiest, then the one that has waited longest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    episodes: u32,
    moves: bool,
    occupied_permille: u64,
    placed: u64,
}

impl Server {
    /// # Errors
    /// When the URL is none, or TLS can't be had as asked for.
    pub(super) fn new(
        url: &str,
        options: &Options,
        sessions: usize,
        trouble: Arc<Notify>,
    ) -> Result<Self, Error> {
        let channel = endpoint(url, options)?.connect_lazy();
        let liveness = Arc::new(Liveness::new(url.into(), trouble));
        Ok(Self {
            url: url.to_owned(),
            transport: Transport::unary(channel.clone()),
            lanes: Lanes::new(sessions, &channel, options, &liveness),
            health: HealthClient::new(channel),
            options: options.clone(),
            liveness,
            state: Mutex::new(State {
                listed: true,
                alias: false,
                ready: Err(Error::Connect("not asked yet".to_owned())),
                full_until: None,
                episodes: 0,
                occupied_permille: 0,
                placed: 0,
                process: None,
            }),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// An environment on this server.
    pub(super) fn env(&self) -> CodingEnv {
        let liveness = Arc::clone(&self.liveness);
        let transport = self.transport.over(self.lanes.next());
        CodingEnv::of_pool(transport, self.options.clone(), liveness)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.liveness.cause_of_loss().is_some()
    }

    pub(super) fn give_up(&self, cause: &str) {
        self.liveness.give_up(cause);
    }

    /// Whether it has not answered for so long; false when it never has, because then it has no episodes.
    pub(super) fn is_silent_for(&self, time: Duration) -> bool {
        self.liveness
            .silent_for()
            .is_some_and(|silent| silent >= time)
    }

    /// Whether it could not be connected to when it was asked last.
    pub(super) fn is_cut_off(&self) -> bool {
        matches!(self.state().ready, Err(Error::Connect(_)))
    }

    pub(super) fn set_listed(&self, listed: bool) {
        self.state().listed = listed;
    }

    pub(super) fn is_listed(&self) -> bool {
        self.state().listed
    }

    pub(super) fn set_alias(&self, alias: bool) {
        self.state().alias = alias;
    }

    pub(super) fn process(&self) -> Option<Process> {
        self.state().process.clone()
    }

    pub(super) fn episodes(&self) -> u32 {
        self.state().episodes
    }

    /// Its load, if it takes a new episode. An episode that ends with the reset leaves its place to the next.
    fn load(&self, holds_the_last: bool) -> Option<Load> {
        let state = self.state();
        let ready = matches!(state.ready, Ok(true)) && state.listed && !state.alias;
        let full = state.full_until.is_some_and(|until| Instant::now() < until);
        if !ready || (full && !holds_the_last) || self.is_lost() {
            return None;
        }
        Some(Load {
            episodes: state.episodes.saturating_sub(u32::from(holds_the_last)),
            moves: !holds_the_last,
            occupied_permille: state.occupied_permille,
            placed: state.placed,
        })
    }

    fn place(&self, placement: u64) {
        let mut state = self.state();
        state.episodes = state.episodes.saturating_add(1);
        state.placed = placement;
    }

    fn release(&self) {
        let mut state = self.state();
        state.episodes = state.episodes.saturating_sub(1);
    }

    /// One of its episodes has ended.
    pub(super) fn has_room(&self) {
        self.state().full_until = None;
    }

    /// How long it is still full.
    pub(super) fn full_for(&self) -> Option<Duration> {
        let until = self.state().full_until?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// What it says to a new episode. True when another server may say something else.
    pub(super) fn note_refusal(&self, error: &Error) -> bool {
        let mut state = self.state();
        match error {
            Error::Connect(_) => state.ready = Err(error.clone()),
            _ if error.reason() == Some(&Reason::ShuttingDown) => state.ready = Ok(false),
            // It is lost, or was asked for an episode of another's.
            _ if error.reason() == Some(&Reason::EpisodeServerGone) => {}
            Error::Refused(refusal) => match refusal.retry_after {
                Some(pause) => state.full_until = Some(Instant::now() + pause),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// Asks it how it is.
    pub(super) async fn look(&self) {
        let both = async { tokio::try_join!(self.ask_ready(), self.ask_info()) };
        let answer = tokio::time::timeout(LOOK_TIMEOUT, both).await;
        let mut state = self.state();
        match answer {
            Ok(Ok((ready, info))) => self.learn(&mut state, ready, info),
            Ok(Err(status)) => state.ready = Err(Error::from_status(&status)),
            // It may be busy with other calls.
            Err(_)
                if self
                    .liveness
                    .silent_for()
                    .is_some_and(|silent| silent < LOOK_TIMEOUT) => {}
            Err(_) => state.ready = Err(Error::Deadline),
        }
    }

    fn learn(&self, state: &mut State, ready: bool, info: v1::GetServerInfoResponse) {
        let capacity = info.capacity.unwrap_or_default();
        let limits = info.server_limits.unwrap_or_default();
        let limit = limits.episodes;
        if let Some(Ok(timeout)) = limits.default_step_timeout.map(Duration::try_from) {
            self.lanes.set_step_timeout(timeout);
        }
        let process = Process {
            server_id: info.server_id,
            start_time: info.start_time,
        };
        if state.process.as_ref().is_some_and(|last| *last != process) {
            self.give_up("it was started again");
        }
        state.process = Some(process);
        state.ready = Ok(ready && !capacity.draining);
        let occupied = u64::from(capacity.episodes).saturating_mul(1000);
        state.occupied_permille = occupied.checked_div(u64::from(limit)).unwrap_or_default();
        if capacity.episodes < limit {
            state.full_until = None;
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.options.token {
            token.authorize(&mut request);
        }
        request
    }

    /// A server that does not tell is taken for ready: a Reset will show.
    async fn ask_ready(&self) -> Result<bool, Status> {
        let request = self.request(HealthCheckRequest {
            service: "readiness".to_owned(),
        });
        let answer = self.health.clone().check(request).await;
        self.liveness.note(answer.as_ref().err());
        match answer {
            Ok(answer) => Ok(answer.into_inner().status() == ServingStatus::Serving),
            Err(status) => match Error::from_status(&status) {
                Error::Refused(_) => Ok(true),
                _ => Err(status),
            },
        }
    }

    async fn ask_info(&self) -> Result<v1::GetServerInfoResponse, Status> {
        let request = self.request(v1::GetServerInfoRequest {});
        let answer = self.transport.clone().get_server_info(request).await;
        self.liveness.note(answer.as_ref().err());
        Ok(answer?.into_inner())
    }

    pub(super) fn status(&self) -> ServerStatus {
        let state = self.state();
        let full = state.full_until.is_some_and(|until| Instant::now() < until);
        ServerStatus {
            url: self.url.clone(),
            server_id: state
                .process
                .as_ref()
                .map(|process| process.server_id.clone())
                .unwrap_or_default(),
            standing: match state.ready {
                _ if self.is_lost() => Standing::Unreachable,
                Err(_) => Standing::Unreachable,
                Ok(false) => Standing::NotReady,
                Ok(true) if full => Standing::Full,
                Ok(true) => Standing::Ready,
            },
            episodes: state.episodes,
            error: state.ready.as_ref().err().cloned(),
        }
    }
}

/// One episode's place on a server, from before it is made until it has ended.
#[derive(Debug)]
pub(super) struct Place(Arc<Server>);

impl Place {
    /// Takes the best place that `servers` have, but for those in `asked`. `holding` has the episode that ends with the reset.
    pub(super) fn find(
        servers: &[Arc<Server>],
        holding: Option<&Arc<Server>>,
        asked: &[Arc<Server>],
        placement: u64,
    ) -> Option<Self> {
        let is = |server: &Arc<Server>, other: &Arc<Server>| Arc::ptr_eq(server, other);
        let (_, server) = servers
            .iter()
            .filter(|server| !asked.iter().any(|other| is(server, other)))
            .filter_map(|server| {
                let holds = holding.is_some_and(|holding| is(server, holding));
                Some((server.load(holds)?, server))
            })
            .min_by(|(one, _), (other, _)| one.cmp(other))?;
        server.place(placement);
        Some(Self(Arc::clone(server)))
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.release();
    }
}
