//! The streams that carry the resets and steps of a pool's episodes to one server.
//!
//! A lane is a session that is opened when it is first needed, and anew when it has failed. What it can't carry goes as a call of its own, as does all
//! else: in a session a request waits for those before it that name its episode, and a close or a look at the state must not wait for a step. Only the
//! close of an episode whose Reset was given up goes over it as well, because it must not pass that.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::error::{Error, Reason};
use super::liveness::Liveness;
use super::session::Session;
use super::{Options, SERVER_HEADER};
use crate::proto::v1::{self, session_request::Request as Asked, session_response::Response};

/// How long a server that took no session is not asked for one.
const NONE_FOR: Duration = Duration::from_secs(30);
/// What the contract says of a step whose timeout nobody told, until the server has said it.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// The lanes to one server.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Vec<Arc<Lane>>,
    next: AtomicUsize,
    step_timeout_millis: Arc<AtomicU64>,
}

impl Lanes {
    pub(super) fn new(
        count: usize,
        channel: &Channel,
        options: &Options,
        liveness: &Arc<Liveness>,
    ) -> Self {
        let step_timeout_millis = Arc::new(AtomicU64::new(millis(STEP_TIMEOUT)));
        let lane = |_| {
            Arc::new(Lane {
                channel: channel.clone(),
                options: options.clone(),
                liveness: Arc::clone(liveness),
                step_timeout_millis: Arc::clone(&step_timeout_millis),
                state: Mutex::default(),
            })
        };
        Self {
            all: (0..count).map(lane).collect(),
            next: AtomicUsize::new(0),
            step_timeout_millis,
        }
    }

    /// One for the next episode, in turn. None when there are none.
    pub(super) fn next(&self) -> Option<Arc<Lane>> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let at = next.checked_rem(self.all.len())?;
        self.all.get(at).cloned()
    }

    /// What the server has said of a step whose timeout nobody tells.
    pub(super) fn set_step_timeout(&self, timeout: Duration) {
        self.step_timeout_millis
            .store(millis(timeout), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One of them.
#[derive(Debug)]
pub(super) struct Lane {
    channel: Channel,
    options: Options,
    liveness: Arc<Liveness>,
    step_timeout_millis: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    /// Until when the server is not asked for one.
    none_until: Option<Instant>,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, if the server takes one.
    fn session(&self) -> Option<Session> {
        let mut state = self.state();
        if state.none_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        if state.session.as_ref().is_none_or(Session::has_ended) {
            state.session = Some(Session::of_pool(
                self.channel.clone(),
                self.options.clone(),
                Arc::clone(&self.liveness),
            ));
        }
        state.session.clone()
    }

    /// What the server answers in the session. None when it takes none: then it has not heard of this.
    async fn ask(&self, mut asked: Asked) -> Option<Result<Box<Response>, Status>> {
        let answer = loop {
            match self.session()?.try_ask(asked).await {
                Ok(answer) => break answer,
                // It ended just before: the next one.
                Err(back) => asked = *back,
            }
        };
        let refused = answer.as_ref().err().is_some_and(takes_no_session);
        if refused {
            let mut state = self.state();
            state.session = None;
            state.none_until = Some(Instant::now() + NONE_FOR);
            return None;
        }
        Some(answer)
    }

    /// The reply to a Reset, if the lane carries it.
    pub(super) async fn reset(
        &self,
        request: &v1::ResetRequest,
    ) -> Option<Result<tonic::Response<v1::ResetResponse>, Status>> {
        let answer = self.ask(Asked::Reset(request.clone())).await?;
        Some(answer.and_then(|answer| match *answer {
            Response::Reset(reply) => {
                let server = reply.server_id.parse().ok();
                let mut response = tonic::Response::new(reply);
                if let Some(server) = server {
                    response.metadata_mut().insert(SERVER_HEADER, server);
                }
                Ok(response)
            }
            other => Err(super::session::surprise(&other)),
        }))
    }

    /// The reply to a Close that comes after what was asked of its episode before, if the lane carries it.
    pub(super) async fn close(
        &self,
        request: &v1::CloseRequest,
    ) -> Option<Result<tonic::Response<v1::CloseResponse>, Status>> {
        let answer = self.ask(Asked::Close(request.clone())).await?;
        Some(answer.and_then(|answer| match *answer {
            Response::Close(reply) => Ok(tonic::Response::new(reply)),
            other => Err(super::session::surprise(&other)),
        }))
    }

    /// The reply to a Step, if the lane carries it.
    pub(super) async fn step(
        &self,
        request: &v1::StepRequest,
    ) -> Option<Result<tonic::Response<v1::StepResponse>, Status>> {
        // The server fits the timeout of such a step to the deadline of its call, and there is none in a session.
        let step_timeout = self.step_timeout_millis.load(Ordering::Relaxed);
        if request.timeout.is_none() && millis(self.options.deadline) <= step_timeout {
            return None;
        }
        let answer = self.ask(Asked::Step(request.clone())).await?;
        Some(answer.and_then(|answer| match *answer {
            Response::Step(reply) => Ok(tonic::Response::new(reply)),
            other => Err(super::session::surprise(&other)),
        }))
    }
}

/// Whether a session is what the server can't give.
fn takes_no_session(status: &Status) -> bool {
    status.code() == Code::Unimplemented
        || Error::from_status(status).reason() == Some(&Reason::SessionLimit)
}
