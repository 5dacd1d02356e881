//! Many episodes on several servers, without a proxy.
//!
//! ```no_run
//! # async fn example() -> Result<(), coding_env::client::Error> {
//! use coding_env::client::Pool;
//!
//! let pool = Pool::connect("dns:///coding-env-headless.coding-env.svc:8000").await?;
//! let envs: Vec<_> = pool.reset_many(64).await.into_iter().collect::<Result<_, _>>()?;
//! let replies = pool.step_many(envs.iter().map(|env| (env, "6 * 7"))).await; // in the order of `envs`
//! for reply in &replies {
//!     match reply {
//!         Ok(reply) => println!("{:?}", reply.result()),
//!         Err(error) => println!("{error}"), // of this one; the others are not concerned
//!     }
//! }
//! pool.close_many(&envs).await;
//! # Ok(())
//! # }
//! ```
//!
//! A reset goes to the server with the fewest episodes of this pool, and among those to the emptiest; the episode stays there. The pool asks the
//! servers how they are, and its target which there are, every [`refresh_period`](PoolOptions::refresh_period) and whenever a call fails. A server that is full,
//! starting or draining gets no new episodes. The episodes of one that is gone are told so at once: a refused connection is enough, silence is after
//! [`lost_after`](PoolOptions::lost_after). There is one connection to a server, however many episodes it has, and on it a few
//! [sessions](super::Session) that carry their resets and steps ([`sessions_per_server`](PoolOptions::sessions_per_server)). A stream that breaks is taken over by a new one.

mod bulk;
mod env;
mod server;
mod servers;
mod target;
mod vector;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use self::bulk::Completions;
pub use self::env::PooledEnv;
pub use self::server::{ServerStatus, Standing};
use self::servers::Servers;
use self::target::Resolver;
pub use self::target::Target;
pub use self::vector::{VectorEnv, VectorOptions, VectorStep};
use super::{Error, Options, ResetOptions, StepOptions};
use crate::proto::v1;

/// Once one server is ready, how long the first look at the others is waited for, so that the first episodes are spread.
const SPREAD_WITHIN: Duration = Duration::from_secs(1);

/// How a pool behaves. Start from [`PoolOptions::default`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolOptions {
    /// Of each environment. Its `deadline` is also how long [`Pool::connect`] waits for a server, and a reset for a place.
    pub client: Options,
    /// Whether servers that are found by a name speak TLS; their certificates have to bear that name, or `client.tls.server_name`. Default false.
    /// URLs say it themselves.
    pub secure: bool,
    /// How often the target is resolved and every server asked how it is. Default 5 s. A call that fails has it done at once.
    pub refresh_period: Duration,
    /// How long a server may be silent before its episodes are given up. Default 20 s. A refused connection gives them up at once.
    pub lost_after: Duration,
    /// How many calls of bulk operations are in flight at once; more wait here. Default 512, at least 1.
    pub calls_max: usize,
    /// How many sessions carry the resets and steps of a server's episodes: streams on the one connection to it. Default 4; 0 makes each a call of its own, as
    /// it is at a server that takes no sessions. What is made over a session ends with it: when the pool has gone without closing, or has not reached the server for its
    /// `session_grace`.
    pub sessions_per_server: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            client: Options::default(),
            secure: false,
            refresh_period: Duration::from_secs(5),
            lost_after: Duration::from_secs(20),
            calls_max: 512,
            sessions_per_server: 4,
        }
    }
}

/// Several servers, and the environments on them. Cheap to clone. It lives until the last clone and the last environment are dropped.
#[derive(Debug, Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: PoolOptions,
    servers: Arc<Servers>,
    calls: Arc<Semaphore>,
    /// Where episodes are ended whose environments were dropped.
    runtime: Handle,
    looking: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

impl Pool {
    /// Finds the servers of a target, and waits until one of them is ready.
    ///
    /// # Errors
    /// When the target is none, or no server is ready within the deadline.
    pub async fn connect(target: impl Into<Target>) -> Result<Self, Error> {
        Self::connect_with(target, PoolOptions::default()).await
    }

    /// Finds the servers of a target, with options.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(
        target: impl Into<Target>,
        options: PoolOptions,
    ) -> Result<Self, Error> {
        let resolver = Resolver::try_from(target.into())?;
        let end = Instant::now() + options.client.deadline;
        let servers = Arc::new(Servers::new(options.clone(), &resolver));
        let mut looked = servers.looked();
        let looking = tokio::spawn(Servers::look_after(Arc::downgrade(&servers), resolver));
        let pool = Self {
            shared: Arc::new(Shared {
                calls: Arc::new(Semaphore::new(options.calls_max.max(1))),
                options,
                servers: Arc::clone(&servers),
                runtime: Handle::current(),
                looking: looking.abort_handle(),
            }),
        };
        let is_ready =
            |status: &ServerStatus| matches!(status.standing, Standing::Ready | Standing::Full);
        while !servers.status().iter().any(is_ready) {
            let looks = *looked.borrow_and_update();
            if let Some(error) = servers.refusal().filter(|_| looks.rounds > 0) {
                return Err(error);
            }
            match tokio::time::timeout_at(end, looked.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(servers.why_no_place()),
            }
        }
        let first_round = looked.wait_for(|looked| looked.rounds > 0);
        drop(tokio::time::timeout(SPREAD_WITHIN, first_round).await);
        Ok(pool)
    }

    /// An environment without an episode: [`PooledEnv::reset`] starts one.
    #[must_use]
    pub fn env(&self) -> PooledEnv {
        PooledEnv::new(Arc::clone(&self.shared))
    }

    /// The servers, as they were when they were looked at last. Those that are lost, or have left and hold no episode of this pool, are not
    /// among them.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.shared.servers.status()
    }

    /// Starts so many episodes, each in an environment of its own.
    pub async fn reset_many(&self, count: usize) -> Vec<Result<PooledEnv, Error>> {
        self.reset_many_with(count, ResetOptions::default()).await
    }

    /// Starts so many episodes with the same options. With a seed all have the same one.
    pub async fn reset_many_with(
        &self,
        count: usize,
        options: ResetOptions,
    ) -> Vec<Result<PooledEnv, Error>> {
        let groups = (0..count).map(|at| vec![(at, self.env())]).collect();
        let reset = move |env: PooledEnv| {
            let options = options.clone();
            async move { env.reset_with(options).await.map(|_| env) }
        };
        bulk::run(&self.shared.calls, groups, reset)
            .in_order()
            .await
    }

    /// Starts a fresh episode in each of these environments. The results are in their order.
    pub async fn reset_all<'a>(
        &self,
        envs: impl IntoIterator<Item = &'a PooledEnv>,
        options: ResetOptions,
    ) -> Vec<Result<v1::ResetResponse, Error>> {
        let groups = by_env(envs.into_iter().map(|env| (env.clone(), env.clone())));
        let reset = move |env: PooledEnv| {
            let options = options.clone();
            async move { env.reset_with(options).await }
        };
        bulk::run(&self.shared.calls, groups, reset)
            .in_order()
            .await
    }

    /// Runs code in many episodes at once. The results are in the order of the input; each is its own.
    ///
    /// Steps of the same environment run one after the other, in their order.
    pub async fn step_many<'a, C: Into<String>>(
        &self,
        actions: impl IntoIterator<Item = (&'a PooledEnv, C)>,
    ) -> Vec<Result<v1::StepResponse, Error>> {
        let steps = self.steps(actions, StepOptions::default());
        steps.in_order().await
    }

    /// Runs code in many episodes at once, with the same options. As [`step_many`](Self::step_many).
    pub async fn step_many_with<'a, C: Into<String>>(
        &self,
        actions: impl IntoIterator<Item = (&'a PooledEnv, C)>,
        options: StepOptions,
    ) -> Vec<Result<v1::StepResponse, Error>> {
        self.steps(actions, options).in_order().await
    }

    /// As [`step_many_with`](Self::step_many_with), with each result as soon as it is there. The steps begin at once.
    #[must_use = "dropping it gives the calls up"]
    pub fn steps<'a, C: Into<String>>(
        &self,
        actions: impl IntoIterator<Item = (&'a PooledEnv, C)>,
        options: StepOptions,
    ) -> Completions<v1::StepResponse> {
        let actions = actions.into_iter().map(|(env, code)| {
            let code: String = code.into();
            (env.clone(), (env.clone(), code))
        });
        let step = move |(env, code): (PooledEnv, String)| {
            let options = options.clone();
            async move { env.step_with(code, options).await }
        };
        bulk::run(&self.shared.calls, by_env(actions), step)
    }

    /// Ends the episodes of these environments. The results are in their order.
    pub async fn close_many<'a>(
        &self,
        envs: impl IntoIterator<Item = &'a PooledEnv>,
    ) -> Vec<Result<(), Error>> {
        let groups = by_env(envs.into_iter().map(|env| (env.clone(), env.clone())));
        let close = |env: PooledEnv| async move { env.close().await };
        bulk::run(&self.shared.calls, groups, close)
            .in_order()
            .await
    }
}

/// Calls with their places in the input, those of one environment together.
fn by_env<C>(calls: impl Iterator<Item = (PooledEnv, C)>) -> Vec<Vec<(usize, C)>> {
    let mut groups: Vec<Vec<(usize, C)>> = Vec::new();
    let mut found = HashMap::new();
    for (at, (env, call)) in calls.enumerate() {
        let group = *found.entry(env.key()).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push((at, call)),
            None => groups.push(vec![(at, call)]),
        }
    }
    groups
}
