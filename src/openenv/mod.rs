//! OpenEnv's wire, for clients of the incumbent that know nothing of us: an edge over the same episodes as gRPC's.
//!
//! [`http`] has the routes and what every request passes, [`socket`] the WebSockets, [`mcp`] JSON-RPC, [`page`] the files of `/web`, and
//! [`page_socket`] what that page speaks. Each session ([`session`]) holds a place
//! of the registry; [`sessions`] are those that outlive a connection. Pure: [`check`] (what clients send), [`wire`] (what they are sent),
//! [`schema`] (both, described), [`origin`] (which web pages may ask), [`json`] (why a text is none), [`answer`] (responses over HTTP).

mod answer;
mod check;
mod http;
mod json;
mod mcp;
mod origin;
mod page;
mod page_socket;
mod schema;
mod session;
mod sessions;
mod socket;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::origin::Rules;
use self::session::{Profile, Session};
use self::sessions::Sessions;
use crate::admin::Ready;
use crate::auth::Gate;
use crate::config::Config;
use crate::episode::{Episodes, Owner, Refusal};
use crate::executor::Executor;

/// What the edge needs.
#[derive(Debug)]
pub(crate) struct OpenEnv {
    episodes: Episodes,
    executor: Executor,
    server_id: String,
    gate: Gate,
    ready: Ready,
    profile: Arc<Profile>,
    sessions: Arc<Sessions>,
    rules: Rules,
    /// How often a socket is checked for a client that has gone silent.
    keepalive: Duration,
    /// The server ends: sockets close.
    closing: CancellationToken,
    sockets: TaskTracker,
}

impl OpenEnv {
    /// Sessions without a connection are looked after until `closing`.
    pub(crate) fn start(
        config: &Config,
        episodes: Episodes,
        executor: Executor,
        gate: Gate,
        ready: Ready,
        closing: CancellationToken,
    ) -> Arc<Self> {
        let sessions = Sessions::new(config.session_idle_timeout);
        tokio::spawn(Arc::clone(&sessions).sweep_regularly(closing.clone()));
        Arc::new(Self {
            episodes,
            executor,
            server_id: config.server_id.clone(),
            gate,
            ready,
            profile: Arc::new(Profile::new(config)),
            sessions,
            rules: Rules {
                hosts: config.allow_hosts.clone(),
                origins: config.allow_origins.clone(),
            },
            keepalive: config.keepalive,
            closing,
            sockets: TaskTracker::new(),
        })
    }

    /// Its routes.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        http::router(Arc::clone(self))
    }

    /// Completes when no socket is open. To be called when `closing` is cancelled.
    pub(crate) async fn ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }

    fn start_session(&self, owner: &Owner) -> Result<Session, Refusal> {
        Session::start(&self.episodes, &self.profile, owner.clone())
    }
}
