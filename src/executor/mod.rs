//! Workers: real CPython processes, forked from warm templates by the warden.
//!
//! [`Executor`] owns the warden and one pool per runtime. [`worker::Worker`] is one interpreter and the life of a step in it;
//! [`frame`] what the two say to each other; [`link`] the way to the warden. Nothing here knows gRPC or episodes.

mod branch;
mod control;
mod display;
pub(crate) mod frame;
mod lent;
mod link;
mod live;
mod output;
mod packages;
mod parking;
mod pool;
mod pulse;
mod usage;
mod worker;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use branch::{Copying, ForkFault, ForkOrder, RandomState};
pub(crate) use display::{
    Display, MIME_TYPE_BYTES_MAX, REPRESENTATION_BYTES_MAX, REPRESENTATIONS_MAX, Representation,
    is_mime_type,
};
#[cfg(test)]
pub(crate) use frame::Report;
pub(crate) use frame::{ReportedEnd, ResultOf, Setup};
pub(crate) use lent::Workspace;
pub(crate) use live::{FollowerId, Live, PIECE_BYTES_MAX};
pub(crate) use output::{Captured, OutputStream, Piece, Raw, shorten};
pub(crate) use packages::{Packages, hint, missing_module};
pub(crate) use parking::NotParked;
pub(crate) use usage::{CpuTime, PrivateBytes, TreeUse, Usage};
pub(crate) use worker::{StepEnd, StepOrder, StepRun, StopCause, Worker};

pub(crate) use crate::sandbox::order::ExitStatus;

use self::control::Control;
use self::link::Link;
use self::parking::Keepers;
use self::pool::Pool;
use self::pulse::Pulse;
use self::worker::Shared;
use crate::limits::CellLimits;
use crate::sandbox::order::{Event, Order, ProcessUsage, RuntimeIndex, WorkerId};
use crate::sandbox::plan::{Level, Plan};
use crate::sandbox::{cgroup, directories, role, workspace};

/// How long a template may take to start. Preloads such as torch take many seconds on a cold disk.
const TEMPLATE_STARTS_WITHIN: Duration = Duration::from_secs(120);
/// How long a forked worker may take to say that it is ready.
const WORKER_READY_WITHIN: Duration = Duration::from_secs(30);
/// How long the warden may take to end.
const WARDEN_ENDS_WITHIN: Duration = Duration::from_secs(15);
/// How long control groups that a killed warden left may stay busy.
const CGROUPS_GONE_WITHIN: Duration = Duration::from_secs(2);
/// The first pause before a template is started again, doubled each time, up to the next.
const TEMPLATE_BACKOFF_FIRST: Duration = Duration::from_millis(100);
const TEMPLATE_BACKOFF_MAX: Duration = Duration::from_secs(10);

/// A named interpreter with its preloads, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// The name that Reset gives. 1 to 64 of `[A-Za-z0-9_-]`.
    pub name: String,
    /// The program: a path, or a name on PATH.
    pub python: PathBuf,
    /// Modules to import before forking.
    pub preloads: Vec<String>,
}

/// What the executor needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ExecutorConfig {
    pub(crate) runtimes: Vec<RuntimeConfig>,
    /// Ready workers per runtime.
    pub(crate) warm_workers: usize,
    /// Workers that may hold their output pipes in this process before one that becomes idle is parked at once.
    pub(crate) unparked_max: usize,
    pub(crate) hash_seed: u32,
    pub(crate) role_program: Option<PathBuf>,
    /// The isolation in force.
    pub(crate) plan: Arc<Plan>,
    /// What cells get from the warm pool.
    pub(crate) limits: CellLimits,
    pub(crate) rotation: Rotation,
    /// What episodes may read beside what Python needs.
    pub(crate) readable: Vec<PathBuf>,
    /// Where the directory with the workspaces is made.
    pub(crate) state_parent: PathBuf,
}

/// Why the executor could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program that starts the server would not become a warden.
    #[error(
        "this program can't start a server: call `coding_env::enter_role()` as the first line of `main`, or set \
         `Config::role_program` to a `coding-env` binary"
    )]
    NoRole,
    /// A template could not start.
    #[error("runtime `{runtime}` ({python}): {reason}")]
    Template {
        /// The runtime's name.
        runtime: String,
        /// Its interpreter.
        python: String,
        /// What was wrong.
        reason: String,
    },
    /// A system call failed.
    #[error("starting the warden: {0}")]
    Io(#[from] io::Error),
}

/// No worker could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no interpreter became ready in time")]
pub(crate) struct NoWorker;

/// What kind of cell to hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellOrder {
    /// The runtime's place in the configuration.
    pub(crate) runtime: usize,
    /// A network of its own with loopback.
    pub(crate) loopback: bool,
    pub(crate) limits: CellLimits,
}

/// When a template is replaced by a fresh one, so that not all episodes share one layout of memory for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    /// After so many cells. 0: never for that.
    pub(crate) cells: u64,
    /// After so long, at the next cell. Zero: never for that.
    pub(crate) age: Duration,
}

#[derive(Debug)]
struct Runtime {
    config: RuntimeConfig,
    /// Its cells have a network of their own with loopback. Its template starts with the first of them.
    loopback: bool,
    wanted: AtomicBool,
    pool: Pool,
    /// How many cells its template has made, and since when it is there.
    made: AtomicU64,
    since: Mutex<Instant>,
    rotations: AtomicU64,
    template: watch::Sender<TemplateState>,
    /// A task is replacing the template.
    replacing: AtomicBool,
    version: OnceLock<String>,
    packages: packages::Found,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplateState {
    Starting,
    Ready,
    Gone(String),
}

#[derive(Debug)]
struct Inner {
    link: Link,
    pulse: Arc<Pulse>,
    keepers: Arc<Keepers>,
    runtimes: Vec<Runtime>,
    plan: Arc<Plan>,
    limits: CellLimits,
    rotation: Rotation,
    hash_seed: u32,
    workers: Mutex<HashMap<WorkerId, Arc<Shared>>>,
    /// Why the last worker that could not be made was not.
    not_made: Mutex<Option<String>>,
    next_worker: AtomicU64,
    state_dir: PathBuf,
    tasks: TaskTracker,
    stopping: AtomicBool,
    /// Cancelled when the warden has gone: nothing can run any more.
    gone: CancellationToken,
}

/// Gives out workers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Executor(Arc<Inner>);

/// What is known of a runtime.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeInfo {
    pub(crate) name: String,
    pub(crate) python_version: String,
    pub(crate) preloads: Vec<String>,
    pub(crate) hash_seed: u32,
    pub(crate) warm_workers: usize,
    /// Workers that are being started for the pool.
    pub(crate) starting_workers: usize,
    /// How often its template was replaced for its age or its cells.
    pub(crate) rotations: u64,
}

impl Executor {
    /// Starts the warden and the templates. [`templates_ready`](Self::templates_ready) tells when they are ready.
    pub(crate) fn launch(config: ExecutorConfig) -> Result<Self, StartError> {
        let program = role::program(config.role_program.as_ref()).ok_or(StartError::NoRole)?;
        // Episodes with uids of their own have to reach their workspaces in it, whose names nobody guesses.
        let mode = if config.plan.uids.is_some() {
            0o711
        } else {
            0o700
        };
        let state_dir = make_state_dir(&config.state_parent, mode)?;
        let socket = start_warden(&program, &state_dir)?;
        let with = |runtime: &RuntimeConfig, loopback: bool| Runtime {
            config: runtime.clone(),
            loopback,
            wanted: AtomicBool::new(!loopback),
            pool: Pool::new(if loopback { 0 } else { config.warm_workers }),
            made: AtomicU64::new(0),
            since: Mutex::new(Instant::now()),
            rotations: AtomicU64::new(0),
            template: watch::Sender::new(TemplateState::Starting),
            replacing: AtomicBool::new(false),
            version: OnceLock::new(),
            packages: packages::Found::default(),
        };
        let plain = config.runtimes.iter().map(|runtime| with(runtime, false));
        let loopback = config.runtimes.iter().map(|runtime| with(runtime, true));
        let runtimes: Vec<Runtime> = plain.chain(loopback).collect();
        let link = Link::new(socket)?;
        let (tasks, gone) = (TaskTracker::new(), CancellationToken::new());
        let executor = Self(Arc::new(Inner {
            keepers: Arc::new(Keepers::new(
                link.clone(),
                tasks.clone(),
                gone.clone(),
                config.unparked_max,
            )),
            link,
            pulse: Arc::default(),
            runtimes,
            plan: config.plan,
            limits: config.limits,
            rotation: config.rotation,
            hash_seed: config.hash_seed,
            workers: Mutex::default(),
            not_made: Mutex::default(),
            next_worker: AtomicU64::new(1),
            state_dir,
            tasks,
            stopping: AtomicBool::new(false),
            gone,
        }));
        executor.spawn_link_tasks();
        let configure = Order::Configure {
            plan: Plan::clone(&executor.0.plan),
            readable: config
                .readable
                .into_iter()
                .map(PathBuf::into_os_string)
                .collect(),
        };
        executor.0.link.send(&configure, Vec::new());
        for index in 0..config.runtimes.len() {
            executor.start_template(index);
        }
        Ok(executor)
    }

    /// The isolation in force.
    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// Why the last worker that could not be made was not. None: all could be.
    pub(crate) fn last_failure(&self) -> Option<String> {
        self.not_made().clone()
    }

    fn not_made(&self) -> MutexGuard<'_, Option<String>> {
        self.0
            .not_made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every template is ready.
    pub(crate) async fn templates_ready(&self) -> Result<(), StartError> {
        for runtime in self.plain() {
            let ready = wait_for_template(&runtime.template);
            let reason = match tokio::time::timeout(TEMPLATE_STARTS_WITHIN, ready).await {
                Ok(Ok(())) => continue,
                Ok(Err(reason)) => reason,
                Err(_) => format!("its template was not ready within {TEMPLATE_STARTS_WITHIN:?}"),
            };
            return Err(StartError::Template {
                runtime: runtime.config.name.clone(),
                python: runtime.config.python.display().to_string(),
                reason,
            });
        }
        Ok(())
    }

    fn spawn_link_tasks(&self) {
        let sender = self.0.link.clone();
        let gone = self.0.gone.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = sender.send_waiting() => {}
                () = gone.cancelled() => {}
            }
        });
        let pulse = Arc::clone(&self.0.pulse);
        let gone = self.0.gone.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = pulse.run() => {}
                () = gone.cancelled() => {}
            }
        });
        let executor = self.clone();
        self.0.tasks.spawn(async move {
            loop {
                match executor.0.link.receive().await {
                    Ok(Some((event, fds))) => executor.take_event(event, fds),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(%error, "the warden's socket failed");
                        break;
                    }
                }
            }
            if !executor.0.stopping.load(Ordering::Acquire) {
                tracing::error!("the warden has gone: every episode is lost");
            }
            executor.0.gone.cancel();
        });
    }

    /// Completes when the warden has gone: a fault, unless [`shut_down`](Self::shut_down) was called.
    pub(crate) async fn gone(&self) {
        self.0.gone.cancelled().await;
    }

    /// The index of a runtime by its name; the empty name is the first.
    pub(crate) fn runtime(&self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return Some(0);
        }
        self.0
            .runtimes
            .iter()
            .position(|runtime| runtime.config.name == name)
    }

    /// What is known of each runtime.
    pub(crate) fn runtimes(&self) -> Vec<RuntimeInfo> {
        let info = |runtime: &Runtime| RuntimeInfo {
            name: runtime.config.name.clone(),
            python_version: runtime.version.get().cloned().unwrap_or_default(),
            preloads: runtime.config.preloads.clone(),
            hash_seed: self.0.hash_seed,
            warm_workers: runtime.pool.ready_count(),
            starting_workers: runtime.pool.starting_count(),
            rotations: runtime.rotations.load(Ordering::Relaxed),
        };
        self.plain().map(info).collect()
    }

    /// What each of [`runtimes`](Self::runtimes) can import, in the same order.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn packages(&self) -> Vec<Arc<Packages>> {
        let executor = self.clone();
        let read = move || {
            executor
                .plain()
                .map(|runtime| runtime.packages.packages())
                .collect()
        };
        // It reads folders.
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// Those that were configured, without their likes with loopback.
    fn plain(&self) -> impl Iterator<Item = &Runtime> {
        self.0.runtimes.iter().filter(|runtime| !runtime.loopback)
    }

    /// Hands over a fresh worker, waiting for one if none is warm.
    ///
    /// # Errors
    /// When none became ready within `wait`.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn checkout(
        &self,
        order: &CellOrder,
        wait: Duration,
    ) -> Result<Worker, NoWorker> {
        let place = if order.loopback {
            order.runtime + self.0.runtimes.len() / 2
        } else {
            order.runtime
        };
        let Some(runtime) = self.0.runtimes.get(place) else {
            return Err(NoWorker);
        };
        if !runtime.wanted.swap(true, Ordering::AcqRel) {
            self.start_template(place);
        }
        let worker = tokio::select! {
            biased;
            worker = tokio::time::timeout(wait, self.worker_for(place, runtime, order)) => worker.ok().flatten(),
            () = self.0.gone.cancelled() => None,
        };
        worker.ok_or(NoWorker)
    }

    /// A warm worker, or, for limits that the warm ones don't have, one made for the purpose.
    async fn worker_for(
        &self,
        place: usize,
        runtime: &Runtime,
        order: &CellOrder,
    ) -> Option<Worker> {
        if order.limits == self.0.limits {
            let waiting = runtime.pool.wait();
            self.refill(place);
            return waiting.worker().await;
        }
        loop {
            wait_for_template(&runtime.template).await.ok()?;
            let turn = runtime.pool.turn().await?;
            let made = match self.spawn_worker(place, order.limits) {
                Ok(mut worker) => worker.wait_ready().await.map(|()| worker),
                Err(error) => Err(error),
            };
            drop(turn);
            match made {
                Ok(worker) => return Some(worker),
                Err(error) => {
                    tracing::warn!(%error, "a worker with limits of its own failed");
                    tokio::time::sleep(TEMPLATE_BACKOFF_FIRST).await;
                }
            }
        }
    }

    /// Ends every process, and returns when all have ended.
    pub(crate) async fn shut_down(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.keepers.stop();
        for runtime in &self.0.runtimes {
            runtime.pool.close();
        }
        // Closing our end is what tells the warden; its closing of its own tells us that all is over.
        if let Err(error) = self.0.link.close() {
            tracing::warn!(%error, "could not close the warden's socket");
        }
        if tokio::time::timeout(WARDEN_ENDS_WITHIN, self.0.gone.cancelled())
            .await
            .is_err()
        {
            tracing::error!("the warden did not end in time");
        }
        // The warden has removed it, unless it was killed.
        if let Err(error) = workspace::remove(&self.0.state_dir) {
            tracing::warn!(%error, path = %self.0.state_dir.display(), "the state directory could not be removed");
        }
        let run = self.0.state_dir.file_name().unwrap_or_default();
        if self.0.plan.cgroup
            && let Err(error) = cgroup::remove_run(&run.to_string_lossy(), CGROUPS_GONE_WITHIN)
        {
            tracing::warn!(error, "control groups could not be removed");
        }
        self.0.tasks.close();
        if tokio::time::timeout(WARDEN_ENDS_WITHIN, self.0.tasks.wait())
            .await
            .is_err()
        {
            tracing::error!("some tasks of the executor did not end in time");
        }
    }

    fn start_template(&self, index: usize) {
        let (Some(runtime), Ok(number)) =
            (self.0.runtimes.get(index), RuntimeIndex::try_from(index))
        else {
            return;
        };
        // One that replaces a living one is no interruption.
        if runtime.version.get().is_none() || runtime.replacing.load(Ordering::SeqCst) {
            runtime.template.send_replace(TemplateState::Starting);
        }
        runtime.made.store(0, Ordering::Relaxed);
        *runtime.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let order = Order::StartTemplate {
            runtime: number,
            loopback: runtime.loopback,
            name: runtime.config.name.clone(),
            python: runtime.config.python.clone().into_os_string(),
            preloads: runtime.config.preloads.clone(),
            environment: environment(&runtime.config.python, self.0.hash_seed),
        };
        self.0.link.send(&order, Vec::new());
    }

    fn take_event(&self, event: Event, fds: Vec<OwnedFd>) {
        match event {
            Event::TemplateReady {
                runtime,
                version,
                folders,
            } => {
                if let Some(runtime) = self.0.runtimes.get(usize::from(runtime)) {
                    runtime.version.get_or_init(|| version);
                    let folders = folders.into_iter().map(PathBuf::from);
                    runtime.packages.set_folders(folders.collect());
                    runtime.pool.set_template_ready(true);
                    runtime.template.send_replace(TemplateState::Ready);
                }
                self.refill(usize::from(runtime));
            }
            Event::TemplateGone { runtime, reason } => {
                self.replace_template(usize::from(runtime), reason)
            }
            Event::Spawned { worker, pid } => {
                if let Some(shared) = self.worker(worker) {
                    shared.set_pid(pid);
                }
            }
            Event::SpawnFailed { worker, reason } => {
                tracing::warn!(worker, reason, "a worker could not be forked");
                *self.not_made() = Some(reason);
                if let Some(shared) = self.remove_worker(worker) {
                    shared.set_exit(ExitStatus::Code(70), ProcessUsage::default());
                    self.remove_workspace(shared.workspace.clone());
                }
            }
            Event::Exited {
                worker,
                status,
                usage,
                facts,
            } => {
                if let Some(shared) = self.remove_worker(worker) {
                    shared.hear(facts);
                    shared.set_exit(status, usage);
                    self.remove_workspace(shared.workspace.clone());
                }
            }
            Event::Measured { worker, facts } => {
                if let Some(shared) = self.worker(worker) {
                    shared.hear(facts);
                }
            }
            Event::Signalled { worker } => {
                if let Some(shared) = self.worker(worker) {
                    shared.count_signal();
                }
            }
            Event::NotCopied { worker } => {
                if let Some(shared) = self.remove_worker(worker) {
                    shared.set_exit(ExitStatus::Code(70), ProcessUsage::default());
                    self.remove_workspace(shared.workspace.clone());
                }
            }
            Event::Prepared { worker, files } => {
                if let Some(shared) = self.worker(worker) {
                    shared.take_files(files);
                }
            }
            Event::Apart { worker } => {
                if let Some(shared) = self.worker(worker) {
                    shared.let_go();
                }
            }
            Event::CopyRefused { worker, why } => {
                if let Some(shared) = self.worker(worker) {
                    shared.take_refusal(why);
                }
            }
            Event::Lent { worker } => {
                if let Some(shared) = self.worker(worker) {
                    shared.take_lent(fds.into_iter().next());
                }
            }
        }
    }

    fn worker(&self, id: WorkerId) -> Option<Arc<Shared>> {
        self.0
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn remove_worker(&self, id: WorkerId) -> Option<Arc<Shared>> {
        self.0
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id)
    }

    /// A template has ended. Before its first readiness that is final; afterwards it is replaced, and live episodes notice nothing.
    fn replace_template(&self, index: usize, reason: String) {
        let Some(runtime) = self.0.runtimes.get(index) else {
            return;
        };
        runtime.pool.set_template_ready(false);
        runtime
            .template
            .send_replace(TemplateState::Gone(reason.clone()));
        if runtime.loopback && runtime.version.get().is_none() {
            // The next Reset that asks for one tries again.
            tracing::error!(
                runtime = runtime.config.name,
                reason,
                "a template for loopback could not start"
            );
            runtime.wanted.store(false, Ordering::Release);
            return;
        }
        if runtime.version.get().is_none() || self.0.stopping.load(Ordering::Acquire) {
            return;
        }
        // The end of one that was to replace another is the business of the task that started it.
        if runtime.replacing.swap(true, Ordering::SeqCst) {
            return;
        }
        tracing::warn!(
            runtime = runtime.config.name,
            reason,
            "a template has ended and is replaced"
        );
        let executor = self.clone();
        self.0.tasks.spawn(async move {
            let Some(runtime) = executor.0.runtimes.get(index) else {
                return;
            };
            let mut pause = TEMPLATE_BACKOFF_FIRST;
            loop {
                executor.start_template(index);
                let ready = wait_for_template(&runtime.template);
                let ready = tokio::select! {
                    ready = tokio::time::timeout(TEMPLATE_STARTS_WITHIN, ready) => ready,
                    () = executor.0.gone.cancelled() => return,
                };
                match ready {
                    Ok(Ok(())) => {
                        runtime.replacing.store(false, Ordering::SeqCst);
                        // It may have ended already, when this task still had the word.
                        let gone = matches!(*runtime.template.borrow(), TemplateState::Gone(_));
                        if !gone || runtime.replacing.swap(true, Ordering::SeqCst) {
                            return;
                        }
                    }
                    Ok(Err(reason)) => {
                        tracing::error!(
                            runtime = runtime.config.name,
                            reason,
                            "a template could not be replaced"
                        );
                    }
                    Err(_) => {
                        tracing::error!(
                            runtime = runtime.config.name,
                            "a template takes too long to be replaced"
                        );
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = executor.0.gone.cancelled() => return,
                }
                pause = (pause * 2).min(TEMPLATE_BACKOFF_MAX);
            }
        });
    }

    /// Forks as many workers as the pool lacks.
    fn refill(&self, runtime: usize) {
        let Some(pool) = self.0.runtimes.get(runtime).map(|runtime| &runtime.pool) else {
            return;
        };
        for _ in 0..pool.take_demand() {
            match self.spawn_worker(runtime, self.0.limits) {
                Ok(worker) => {
                    let executor = self.clone();
                    self.0
                        .tasks
                        .spawn(async move { executor.admit_worker(runtime, worker).await });
                }
                Err(error) => {
                    tracing::error!(%error, "a worker's descriptors could not be made");
                    self.retry_refill(runtime);
                }
            }
        }
    }

    fn retry_refill(&self, runtime: usize) {
        let Some(pool) = self.0.runtimes.get(runtime).map(|runtime| &runtime.pool) else {
            return;
        };
        let pause = pool.spawn_failed();
        let executor = self.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(pause) => executor.refill(runtime),
                () = executor.0.gone.cancelled() => {}
            }
        });
    }

    /// Waits for a new worker's first word and puts it into the pool.
    async fn admit_worker(&self, runtime: usize, mut worker: Worker) {
        let ready = tokio::select! {
            ready = tokio::time::timeout(WORKER_READY_WITHIN, worker.wait_ready()) => ready,
            () = self.0.gone.cancelled() => return,
        };
        match ready {
            Ok(Ok(())) => {
                if let Some(runtime) = self.0.runtimes.get(runtime) {
                    runtime.pool.add(worker);
                }
                self.refill(runtime);
            }
            failed => {
                if !self.0.stopping.load(Ordering::Acquire) {
                    let reason = match failed {
                        Ok(Err(error)) => error.to_string(),
                        _ => format!("it was not ready within {WORKER_READY_WITHIN:?}"),
                    };
                    tracing::warn!(reason, "a new worker failed");
                }
                drop(worker);
                self.retry_refill(runtime);
            }
        }
    }

    /// Starts a fresh template once the one in use has made enough cells, or is old enough.
    fn rotate_template(&self, index: usize) {
        let Some(runtime) = self.0.runtimes.get(index) else {
            return;
        };
        let made = runtime.made.fetch_add(1, Ordering::Relaxed) + 1;
        let age = {
            let since = runtime.since.lock();
            since.unwrap_or_else(PoisonError::into_inner).elapsed()
        };
        let Rotation {
            cells,
            age: age_max,
        } = self.0.rotation;
        if (cells > 0 && made >= cells) || (!age_max.is_zero() && age >= age_max) {
            tracing::debug!(
                runtime = runtime.config.name,
                made,
                ?age,
                "a template is rotated"
            );
            runtime.rotations.fetch_add(1, Ordering::Relaxed);
            self.start_template(index);
        }
    }

    fn spawn_worker(&self, runtime: usize, limits: CellLimits) -> io::Result<Worker> {
        self.rotate_template(runtime);
        let (channel, theirs) = Channel::new()?;
        let workspace = directories::of_cell(&self.0.plan, &self.0.state_dir);
        let worker = self.new_worker(channel, workspace, limits, 0);
        let order = Order::Spawn {
            runtime: RuntimeIndex::try_from(runtime).map_err(io::Error::other)?,
            worker: worker.shared.id,
            workspace: worker.shared.workspace.clone().into_os_string(),
            limits,
        };
        self.0.link.send(&order, theirs.into());
        Ok(worker)
    }

    /// The server's half of a worker that is to be made.
    fn new_worker(
        &self,
        channel: Channel,
        workspace: PathBuf,
        limits: CellLimits,
        depth: u32,
    ) -> Worker {
        let id = self.0.next_worker.fetch_add(1, Ordering::Relaxed);
        let has_own_files = self.0.plan.level == Level::Namespace;
        let shared = Arc::new(Shared::new(
            id,
            workspace,
            has_own_files,
            self.0.plan.cgroup,
            limits,
            depth,
        ));
        self.0
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, Arc::clone(&shared));
        Worker::new(
            shared,
            self.0.link.clone(),
            Arc::clone(&self.0.pulse),
            channel.control,
            channel.stdout,
            channel.stderr,
            Arc::clone(&self.0.keepers),
        )
    }

    /// Whether the workspace of a worker that lives is in a directory.
    fn has_workspace_in(&self, directory: &Path) -> bool {
        let workers = self.0.workers.lock();
        let workers = workers.unwrap_or_else(PoisonError::into_inner);
        let mut all = workers.values();
        all.any(|worker| worker.workspace.starts_with(directory))
    }

    /// Removes a workspace, in the background unless it is empty.
    fn remove_workspace(&self, path: PathBuf) {
        if self.0.plan.level == Level::Namespace {
            return; // it ended with its cell
        }
        if !directories::remove_empty(&self.0.plan, &path) {
            let executor = self.clone();
            self.0.tasks.spawn_blocking(move || {
                let lives = |cell: &Path| executor.has_workspace_in(cell);
                if let Err(error) = directories::remove(&executor.0.plan, &path, lives) {
                    tracing::warn!(%error, path = %path.display(), "a workspace could not be removed");
                }
            });
        }
    }
}

/// The server's ends of what a worker speaks by.
struct Channel {
    control: Control,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Channel {
    /// Makes one, and the worker's ends, in this order.
    fn new() -> io::Result<(Self, [OwnedFd; 3])> {
        let (control, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let (stdout, stdout_writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, stderr_writer) = pipe_with(PipeFlags::CLOEXEC)?;
        for fd in [control.as_fd(), stdout.as_fd(), stderr.as_fd()] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let control = Control::new(control)?;
        let channel = Self {
            control,
            stdout,
            stderr,
        };
        Ok((channel, [theirs, stdout_writer, stderr_writer]))
    }
}

/// Completes when the template is ready, or has gone, which is an error with the reason.
async fn wait_for_template(template: &watch::Sender<TemplateState>) -> Result<(), String> {
    let mut state = template.subscribe();
    let state = state
        .wait_for(|state| *state != TemplateState::Starting)
        .await;
    match state.as_deref() {
        Ok(TemplateState::Gone(reason)) => Err(reason.clone()),
        _ => Ok(()),
    }
}

/// A directory of our own for workspaces, with a name that nobody guesses.
fn make_state_dir(parent: &Path, mode: u32) -> io::Result<PathBuf> {
    // Without links in it: episodes and the warden know their files by their paths.
    let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
    let dir = parent.join(format!("coding-env-{}", uuid::Uuid::now_v7().simple()));
    std::fs::DirBuilder::new()
        .mode(mode)
        .create(&dir)
        .map_err(|error| {
            io::Error::new(error.kind(), format!("making {}: {error}", dir.display()))
        })?;
    Ok(dir)
}

/// Executes the program as a warden. It ends when the returned socket closes.
pub(crate) fn start_warden(program: &Path, state_dir: &Path) -> io::Result<OwnedFd> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    let mut child = Command::new(program)
        .args(role::warden_arguments(state_dir))
        .env_clear()
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        // A terminal's Ctrl-C is for the server alone, which drains.
        .process_group(0)
        .spawn()?;
    // Waits for its end, so that it does not stay behind as a zombie. It ends when the socket closes.
    std::thread::Builder::new()
        .name("warden-wait".to_owned())
        .spawn(move || drop(child.wait()))?;
    Ok(ours)
}

/// The environment of templates and workers, built from nothing.
pub(crate) fn environment(python: &Path, hash_seed: u32) -> Vec<(OsString, OsString)> {
    const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let mut path = OsString::new();
    if let Some(dir) = python.parent().filter(|dir| dir.is_absolute()) {
        path.push(dir);
        path.push(":");
    }
    path.push(PATH);
    let mut variables = vec![
        ("PATH".into(), path),
        ("LANG".into(), "C.UTF-8".into()),
        // getpass.getuser asks these: an episode's uid may be in no /etc/passwd.
        ("USER".into(), "episode".into()),
        ("LOGNAME".into(), "episode".into()),
        ("PYTHONHASHSEED".into(), hash_seed.to_string().into()),
        // The loader looks up all functions at the start, so that no worker has to, each by itself (ld.so(8)). The harness takes
        // it out of the environment.
        ("LD_BIND_NOW".into(), "1".into()),
    ];
    // Figures of matplotlib are drawn without a screen.
    variables.push(("MPLBACKEND".into(), "agg".into()));
    // One thread each: a template must have one, and an episode is one of many on its machine.
    for library in [
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ] {
        variables.push((library.into(), "1".into()));
    }
    variables
}
