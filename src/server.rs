//! The server: listeners and wiring, from the first template to the last process.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::admin::{self, Ready, Sources};
use crate::auth::{Auth, Gate};
use crate::config::Config;
use crate::convert::REPLY_BYTES_MAX;
use crate::doors::Doors;
use crate::episode::{Episodes, EpisodesConfig, NewEpisode, NewStep, OnFailure, Outcome, Owner};
use crate::executor::{Executor, ExecutorConfig, Rotation, StartError};
use crate::openenv::OpenEnv;
use crate::port;
use crate::proto::{self, v1::coding_env_server::CodingEnvServer};
use crate::sandbox::plan::{self, Level, Plan};
use crate::sandbox::{children, probe, role};
use crate::service::{REQUEST_OVERHEAD_BYTES, Service};
use crate::tls::Tls;
use crate::traces::Traces;

/// The names that health is told under: the server as a whole, the service, and one for each of Kubernetes' probes.
const SERVICE: &str = "coding_env.v1.CodingEnv";
const LIVENESS: &str = "liveness";
const READINESS: &str = "readiness";
/// How long open connections get to take their last replies.
const CONNECTIONS_END_WITHIN: Duration = Duration::from_secs(5);

/// How long the last traces get to be sent.
const TRACES_END_WITHIN: Duration = Duration::from_secs(5);
/// How long what a warden left may take to end once it is killed.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(5);

/// Why a server could not start, or did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No interpreter could be had.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The isolation that is demanded can't be had, or none can.
    #[error("{0}")]
    Isolation(String),
    /// The canary step did not do what it should.
    #[error("the canary step failed: {0}")]
    Canary(String),
    /// The address could not be listened on.
    #[error("listening on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Reflection could not be set up.
    #[error("setting up reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The warden ended while the server ran, and with it every episode.
    #[error("the warden has ended unexpectedly; every episode is lost")]
    WardenGone,
    /// A setting can't be sent as a header.
    #[error("{0}")]
    Setting(String),
}

/// Listens where `config` says.
///
/// # Errors
/// When the address can't be listened on.
pub async fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    listen_at(config.listen).await
}

async fn listen_at(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })
}

/// What asks a running server to end.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    kill: CancellationToken,
}

impl Shutdown {
    /// Nothing asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a drain: new episodes are refused; those that live go on until all are closed or the drain timeout has passed.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Asks for the end at once.
    pub fn kill(&self) {
        self.drain.cancel();
        self.kill.cancel();
    }
}

/// Runs a server until `shutdown` asks it to end and all has ended. The caller owns the listener and the signals.
///
/// # Errors
/// When it can't start, or can't go on.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    run_until(config, listener, shutdown, CancellationToken::new()).await
}

/// As [`run`], and cancels `started_up` when the server is ready.
async fn run_until(
    config: Config,
    listener: TcpListener,
    shutdown: Shutdown,
    started_up: CancellationToken,
) -> Result<(), ServeError> {
    raise_descriptor_limit();
    let started = Instant::now();
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_service_status(LIVENESS, ServingStatus::Serving)
        .await;
    let ready = Ready::default();
    let readiness = Readiness {
        health,
        ready: ready.clone(),
    };
    // A fresh reporter says SERVING for the empty name.
    readiness.set(ServingStatus::NotServing).await;

    let closing = CancellationToken::new();
    let _closed = closing.clone().drop_guard();
    let auth = match &config.tokens_file {
        Some(path) => {
            let starting = Auth::start(path, config.open.clone(), closing.clone());
            let auth = starting.await.map_err(|error| {
                ServeError::Setting(format!("the tokens file {}: {error}", path.display()))
            })?;
            Some(auth)
        }
        None => None,
    };
    let tls = match &config.tls {
        Some(files) => {
            let starting = Tls::start(files.clone(), closing.clone());
            Some(
                starting
                    .await
                    .map_err(|error| ServeError::Setting(format!("TLS: {error}")))?,
            )
        }
        None => None,
    };
    let traces = Traces::start(config.otlp_endpoint.as_deref(), &config.server_id)
        .map_err(|error| ServeError::Setting(format!("traces: {error}")))?;
    let local = listener
        .local_addr()
        .map_or_else(|_| config.listen.to_string(), |address| address.to_string());

    let admin = match config.admin_listen {
        Some(address) => Some(listen_at(address).await?),
        None => None,
    };

    if config.adopts_orphans {
        let this = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(this))
            .map_err(|error| StartError::Io(error.into()))?;
    }
    // rustix reads them once, before Linux 6.4 from /proc/self/auxv, which is closed to a process that is not dumpable and not root.
    let _ = (
        rustix::param::page_size(),
        rustix::param::clock_ticks_per_second(),
    );
    // Nothing of this process's memory is for others of its user: no core file, no tracing, no /proc/PID/mem. prctl(2),
    // PR_SET_DUMPABLE. What it executes (the warden) begins as before.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| StartError::Io(error.into()))?;
    let plan = Arc::new(decide(&config).await?);
    let forks = plan.fork_facts();
    if config.forks.rolls_back && !forks.available {
        let why = forks.why_not.unwrap_or_default();
        let text = format!("`--on-failure roll-back` can't be had here: {why}");
        return Err(ServeError::Setting(text));
    }
    let executor = Executor::launch(ExecutorConfig {
        plan: Arc::clone(&plan),
        readable: config.readable.clone(),
        limits: config.limits.cell(),
        rotation: Rotation {
            cells: config.template_cells,
            age: config.template_age,
        },
        runtimes: config.runtimes.clone(),
        warm_workers: usize::from(config.warm_workers),
        unparked_max: config.unparked_max(),
        hash_seed: config.hash_seed,
        role_program: config.role_program.clone(),
        state_parent: config.state_dir.clone(),
    })?;
    let episodes = Episodes::new(episodes_config(&config), executor.clone());
    let service = Service::new(
        config.clone(),
        episodes.clone(),
        executor.clone(),
        closing.clone(),
    )
    .map_err(|status| ServeError::Setting(status.message().to_owned()))?;
    if let Some(listener) = admin {
        let address = listener.local_addr().map(|address| address.to_string());
        let sources = Sources {
            config: config.clone(),
            episodes: episodes.clone(),
            executor: executor.clone(),
            refusals: service.refusals(),
            sessions: service.sessions().clone(),
            auth: auth.clone(),
            tls: tls.clone(),
        };
        let serving = admin::serve(
            listener,
            health_service.clone(),
            ready.clone(),
            sources,
            closing.clone(),
        );
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the admin address is not served any more");
            }
        });
        tracing::info!(address = address.unwrap_or_default(), "admin");
    }
    let request_bytes = config
        .limits
        .source_bytes
        .saturating_add(REQUEST_OVERHEAD_BYTES);
    let service = CodingEnvServer::new(service)
        .max_decoding_message_size(usize::try_from(request_bytes).unwrap_or(usize::MAX))
        .max_encoding_message_size(usize::try_from(REPLY_BYTES_MAX).unwrap_or(usize::MAX));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The details of errors, so that a reflection client shows their reasons.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let others = Routes::new(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let gate = Gate::new(auth);
    let openenv = OpenEnv::start(
        &config,
        episodes.clone(),
        executor.clone(),
        gate.clone(),
        ready,
        closing.clone(),
    );
    let doors = Doors::new(gate, service, &traces.layer(), others, openenv.router());
    let (keepalive, stop) = (config.keepalive, closing.clone());
    let serving = tokio::spawn(async move {
        match tls {
            Some(tls) => {
                let incoming = tls.connections(listener, stop.clone());
                port::serve(incoming, doors, keepalive, stop).await;
            }
            None => port::serve(port::plain(listener), doors, keepalive, stop).await,
        }
    });

    let result = async {
        tokio::select! {
            result = warm_up(&executor, &episodes, &config) => result?,
            () = executor.gone() => return Err(ServeError::WardenGone),
            () = shutdown.drain.cancelled() => return Ok(()),
        }
        log_start(&config, &executor, &local, started);
        readiness.set(ServingStatus::Serving).await;
        started_up.cancel();
        tokio::select! {
            () = shutdown.drain.cancelled() => {}
            () = executor.gone() => return Err(ServeError::WardenGone),
        }
        episodes.start_draining();
        readiness.set(ServingStatus::NotServing).await;
        tokio::select! {
            () = drain(&episodes, &config, &shutdown) => Ok(()),
            () = executor.gone() => Err(ServeError::WardenGone),
        }
    }
    .await;

    let ending = Instant::now();
    readiness.set(ServingStatus::NotServing).await;
    episodes.shut_down().await;
    closing.cancel();
    // Connections that are still open then are dropped.
    let connections = async { tokio::join!(serving, openenv.ended()) };
    until(CONNECTIONS_END_WITHIN, connections, &shutdown).await;
    if config.adopts_orphans && matches!(result, Err(ServeError::WardenGone)) {
        kill_orphans().await;
    }
    executor.shut_down().await;
    tokio::select! {
        () = traces.end(TRACES_END_WITHIN) => {}
        () = shutdown.kill.cancelled() => {}
    }
    tracing::info!(took = ?ending.elapsed(), "ended");
    result
}

/// Finds out what this machine allows, and decides what isolation is in force.
async fn decide(config: &Config) -> Result<Plan, ServeError> {
    let program = role::program(config.role_program.as_ref()).ok_or(StartError::NoRole)?;
    let shown = config.shown();
    let probed = tokio::task::spawn_blocking(move || probe::run(&program, &shown)).await;
    let features = probed
        .map_err(io::Error::other)
        .and_then(|probed| probed)
        .map_err(|error| {
            ServeError::Isolation(format!("finding out what isolation is possible: {error}"))
        })?;
    plan::plan(&features, &config.demand())
        .map_err(|refusal| ServeError::Isolation(refusal.to_string()))
}

/// Kills what a warden that was killed has left: workers end by themselves, what user code started does not.
async fn kill_orphans() {
    let killing = tokio::task::spawn_blocking(|| children::kill_all(ORPHANS_END_WITHIN));
    if !matches!(killing.await, Ok(true)) {
        tracing::error!("some processes that the warden left could not be killed");
    }
}

async fn until<T>(
    limit: Duration,
    future: impl Future<Output = T>,
    shutdown: &Shutdown,
) -> Option<T> {
    tokio::select! {
        result = future => Some(result),
        () = tokio::time::sleep(limit) => None,
        () = shutdown.kill.cancelled() => None,
    }
}

/// Lets live episodes go on until none is left or the timeout has passed, then gives running steps their grace.
async fn drain(episodes: &Episodes, config: &Config, shutdown: &Shutdown) {
    let (count, running, waiting) = episodes.counts();
    tracing::info!(episodes = count, running, waiting, timeout = ?config.drain_timeout, "draining");
    let begun = Instant::now();
    if until(config.drain_timeout, episodes.none_left(), shutdown)
        .await
        .is_none()
    {
        let (count, running, waiting) = episodes.counts();
        tracing::info!(
            episodes = count,
            running,
            waiting,
            "ending the episodes that are left"
        );
        let grace = config.interrupt_grace * 2;
        until(grace, episodes.interrupt_all(), shutdown).await;
    }
    tracing::info!(took = ?begun.elapsed(), "drained");
}

/// What is told of readiness, wherever somebody asks.
#[derive(Debug)]
struct Readiness {
    health: HealthReporter,
    ready: Ready,
}

impl Readiness {
    async fn set(&self, status: ServingStatus) {
        self.ready.set(matches!(status, ServingStatus::Serving));
        for name in ["", SERVICE, READINESS] {
            self.health.set_service_status(name, status).await;
        }
    }
}

/// Waits for every template, then runs a step in each runtime.
async fn warm_up(
    executor: &Executor,
    episodes: &Episodes,
    config: &Config,
) -> Result<(), ServeError> {
    executor.templates_ready().await?;
    canary(executor, episodes, config).await
}

/// The canary step. It looks at the interpreter and the library with an episode's own rights: a template that could read them is no proof.
const CANARY: &str = "import os, sys
for path in (sys.executable, os.__file__):
    open(path, 'rb').close()
print('canary')
6 * 7";

/// Runs a step in every runtime, as a client would.
async fn canary(
    executor: &Executor,
    episodes: &Episodes,
    config: &Config,
) -> Result<(), ServeError> {
    for (runtime, described) in config.runtimes.iter().enumerate() {
        let failed =
            |what: String| ServeError::Canary(format!("runtime `{}`: {what}", described.name));
        let owner = Owner::default();
        let new = NewEpisode {
            runtime,
            ..NewEpisode::plain(owner.clone(), config.limits)
        };
        let started = episodes.reset(new).await.map_err(|refusal| {
            // Clients are told no more than the refusal; who starts the server wants to know what was in the way.
            let why = executor.last_failure();
            failed(why.map_or_else(|| refusal.to_string(), |why| format!("{refusal} ({why})")))
        })?;
        let key = owner.episode(started.id);
        let step = NewStep {
            // It has nothing to be put back to.
            on_failure: OnFailure {
                rolls_back: Some(false),
                after: Vec::new(),
            },
            ..NewStep::plain(CANARY)
        };
        let answer = episodes.step(&key, step).await;
        episodes.close(&key);
        let answer = answer.map_err(|refusal| failed(refusal.to_string()))?;
        let texts = answer.texts.unwrap_or_default();
        let completed = answer.reply.facts().outcome == Outcome::Completed;
        if !completed || texts.stdout != "canary\n" || texts.result.as_deref() != Some("42") {
            return Err(failed(format!(
                "{:?} {texts:?}",
                answer.reply.facts().outcome
            )));
        }
    }
    Ok(())
}

fn log_start(config: &Config, executor: &Executor, address: &str, started: Instant) {
    for runtime in executor.runtimes() {
        tracing::info!(
            name = runtime.name,
            python = runtime.python_version,
            preloads = runtime.preloads.join(","),
            "runtime"
        );
    }
    let plan = executor.plan();
    for layer in &plan.layers {
        tracing::info!(
            layer = layer.name,
            enforced = layer.enforced,
            detail = layer.detail,
            "isolation"
        );
    }
    if plan.level == Level::None {
        tracing::warn!(
            "isolation level none: an episode can do what this process's user can do; run trusted code, or run the whole \
             server in a sandbox"
        );
    }
    tracing::info!(
        address,
        server_id = config.server_id,
        isolation = plan.level.name(),
        tls = config.tls.is_some(),
        tokens = config.tokens_file.is_some(),
        max_episodes = config.max_episodes,
        took = ?started.elapsed(),
        "serving"
    );
}

/// Each episode needs one descriptor, and more while it is active; the soft limit is often far below the hard one.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "could not raise the limit of open files");
    }
}

fn episodes_config(config: &Config) -> EpisodesConfig {
    EpisodesConfig {
        max_episodes: config.max_episodes,
        max_running_steps: config.max_running_steps,
        max_waiting_steps: config.max_waiting_steps,
        max_queued_steps: config.max_queued_steps,
        step_timeout: config.step_timeout,
        interrupt_grace: config.interrupt_grace,
        background_cpu_time: config.background_cpu_time,
        worker_wait: config.worker_wait,
        kept_reply_bytes: config.kept_reply_bytes,
        files: config.files,
        forks: config.forks,
        transforms: config.transforms.clone(),
    }
}

/// A server in this process, on a port of its own: for tests, examples and one-shot runs.
#[derive(Debug)]
pub struct LocalServer {
    address: SocketAddr,
    secure: bool,
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl LocalServer {
    /// Starts one on a free port of the loopback address and waits until it is ready.
    ///
    /// # Errors
    /// When it can't start.
    pub async fn start(mut config: Config) -> Result<Self, ServeError> {
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = listen(&config).await?;
        let address = listener.local_addr().map_err(|error| ServeError::Listen {
            address: config.listen,
            error,
        })?;
        let shutdown = Shutdown::new();
        let ready = CancellationToken::new();
        let secure = config.tls.is_some();
        let running = run_until(config, listener, shutdown.clone(), ready.clone());
        let mut task = tokio::spawn(running);
        tokio::select! {
            () = ready.cancelled() => Ok(Self { address, secure, shutdown, task }),
            ended = &mut task => match ended {
                Ok(Err(error)) => Err(error),
                _ => Err(ServeError::Canary("the server ended while it started".to_owned())),
            },
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What asks it to end.
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Ends it at once, and returns when nothing of it is left.
    ///
    /// # Errors
    /// When it failed while it ran.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.shutdown.kill();
        self.ended().await
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it failed while it ran.
    pub async fn ended(self) -> Result<(), ServeError> {
        match self.task.await {
            Ok(result) => result,
            Err(error) => Err(ServeError::Canary(error.to_string())),
        }
    }
}
