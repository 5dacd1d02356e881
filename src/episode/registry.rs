//! All episodes of a server: making them, finding them, ending them.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::boundary::Boundary;
use super::checkpoint::Checkpoints;
use super::fork::Origin;
use super::kept::{Budget, KeptReply};
use super::ledger::{Admission, Digest, Ledger};
use super::place::{Hold, Place};
use super::spare::Spares;
use super::turns::Turns;
use super::{
    EndReason, EpisodeKey, EpisodeView, Following, Loss, NewEpisode, NewStep, Refusal, Started,
    Status, Texts, Totals, driver,
};
use crate::executor::{
    CellOrder, Executor, Live as LiveOutput, NotParked, Setup, Worker, Workspace,
};
use crate::fault;
use crate::limits::{EpisodeLimits, FileLimits, ForkLimits};
use crate::metrics::Metrics;
use crate::transform::Chain;

/// Ended episodes that are remembered, so that the reason can be told.
const ENDED_MAX: usize = 100_000;
/// How long they are remembered.
const ENDED_FOR: Duration = Duration::from_secs(3600);
/// How often idle episodes are looked at.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// How long an episode is idle before its output pipes are parked: one that steps never waits for them.
const PARK_AFTER: Duration = Duration::from_secs(1);
/// How long a sweep waits for a keeper that has too much to do; the next one goes on.
const PARK_WAIT: Duration = Duration::from_millis(200);

/// What the registry needs to know.
#[derive(Debug, Clone)]
pub(crate) struct EpisodesConfig {
    pub(crate) max_episodes: u32,
    pub(crate) max_running_steps: u32,
    pub(crate) max_waiting_steps: u32,
    pub(crate) max_queued_steps: u32,
    pub(crate) step_timeout: Duration,
    pub(crate) interrupt_grace: Duration,
    pub(crate) background_cpu_time: Duration,
    pub(crate) worker_wait: Duration,
    pub(crate) kept_reply_bytes: u64,
    pub(crate) files: FileLimits,
    pub(crate) forks: ForkLimits,
    pub(crate) transforms: Chain,
}

/// A reply and what is left of its texts.
#[derive(Debug, Clone)]
pub(crate) struct StepAnswer {
    pub(crate) reply: Arc<KeptReply>,
    pub(crate) texts: Option<Arc<Texts>>,
    pub(crate) replayed: bool,
}

/// The registry. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Episodes(pub(super) Arc<Inner>);

/// Live episodes.
pub(super) type Live = HashMap<EpisodeKey, Arc<Episode>>;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: EpisodesConfig,
    pub(super) executor: Executor,
    live: Mutex<Live>,
    /// Places that are held and have no episode. Changed while `live` is locked.
    vacant: AtomicUsize,
    /// Interpreters that are no episodes.
    pub(super) spares: Arc<Spares>,
    ended: Mutex<Ended>,
    pub(super) turns: Turns,
    /// Who may move files, and who of them works.
    pub(super) file_turns: Arc<Turns>,
    pub(super) file_workers: Semaphore,
    pub(super) budget: Budget,
    pub(super) metrics: Metrics,
    draining: AtomicBool,
    none_left: Notify,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    digests: [RandomState; 2],
}

/// One episode.
#[derive(Debug)]
pub(super) struct Episode {
    pub(super) key: EpisodeKey,
    request_id: String,
    pub(super) runtime: usize,
    pub(super) limits: EpisodeLimits,
    pub(super) seed: Option<u64>,
    created: SystemTime,
    /// The place that it has. None: it was made without one.
    hold: Option<Arc<Hold>>,
    /// Where it comes from. None: from a Reset.
    pub(super) origin: Option<Origin>,
    start: watch::Sender<Start>,
    /// Cancelled when the episode has ended.
    pub(super) over: CancellationToken,
    state: Mutex<State>,
}

/// What an episode is made of.
pub(super) struct EpisodeParts {
    pub(super) key: EpisodeKey,
    pub(super) request_id: String,
    pub(super) runtime: usize,
    pub(super) limits: EpisodeLimits,
    pub(super) seed: Option<u64>,
    pub(super) created: SystemTime,
    pub(super) hold: Option<Arc<Hold>>,
    pub(super) origin: Option<Origin>,
}

#[derive(Debug, Clone)]
enum Start {
    Waiting,
    Done,
    Failed(Refusal),
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) ledger: Ledger<Arc<Pending>, Arc<KeptReply>>,
    /// The interpreter, while no step runs in it.
    pub(super) worker: Option<Worker>,
    /// What is to be done between two steps.
    pub(super) boundary: Boundary,
    pub(super) checkpoints: Checkpoints,
    /// Counts what changes the interpreter: steps, and being put back.
    pub(super) version: u64,
    /// A task runs this episode's steps.
    pub(super) driving: bool,
    pub(super) totals: Totals,
    pub(super) last_active: Instant,
    /// The way to its files, once there is an interpreter.
    pub(super) workspace: Option<Workspace>,
    /// Calls that move files.
    pub(super) file_calls: u32,
    pub(super) loss: Option<Loss>,
    pub(super) last_reply: Option<Arc<KeptReply>>,
    ended: Option<EndReason>,
}

impl State {
    /// How it has ended, if it has.
    pub(super) fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    /// Why nothing can be done with it any more.
    pub(super) fn refuse(&self, id: &str) -> Option<Refusal> {
        if let Some(reason) = self.ended {
            return Some(ended_before(id, reason));
        }
        self.loss.clone().map(|loss| Refusal::Lost {
            id: id.to_owned(),
            loss,
        })
    }

    /// Whether nobody does anything with it.
    pub(super) fn is_idle(&self) -> bool {
        self.runs_nothing() && self.file_calls == 0
    }

    /// Whether no step runs or waits, and nothing is to be done between two.
    fn runs_nothing(&self) -> bool {
        self.ledger.is_idle() && self.boundary.is_idle()
    }

    /// The interpreter was lost between two steps.
    pub(super) fn lose(&mut self, description: String) {
        self.loss = Some(Loss {
            step_index: self.ledger.ended(),
            outcome: None,
            description,
        });
    }

    /// An idle episode's interpreter may have ended by itself.
    pub(super) fn note_death(&mut self) {
        if self.loss.is_none()
            && let Some(worker) = &self.worker
            && let Some(description) = worker.death()
        {
            self.worker = None;
            self.lose(description);
        }
    }
}

/// A step that was admitted and has not ended.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) order: NewStep,
    pub(super) admitted: Instant,
    /// Calls that wait for it.
    callers: AtomicUsize,
    pub(super) interrupt: Notify,
    /// What it prints.
    pub(super) live: LiveOutput,
    done: watch::Sender<Option<Result<StepAnswer, Refusal>>>,
}

impl Pending {
    fn new(order: NewStep) -> Arc<Self> {
        Arc::new(Self {
            order,
            admitted: Instant::now(),
            callers: AtomicUsize::new(0),
            interrupt: Notify::new(),
            live: LiveOutput::default(),
            done: watch::Sender::new(None),
        })
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.callers.load(Ordering::Acquire) == 0
    }

    pub(super) fn finish(&self, result: Result<StepAnswer, Refusal>) {
        self.done.send_replace(Some(result));
        self.live.wake();
    }

    /// How it ended. None: it has not.
    pub(super) fn end(&self) -> Option<Result<StepAnswer, Refusal>> {
        self.done.borrow().clone()
    }
}

/// A call that waits for a step. Made under the episode's lock, so that the step never looks abandoned to its driver.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Arc<Pending>);

impl Caller {
    fn new(pending: &Arc<Pending>) -> Self {
        pending.callers.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(pending))
    }

    async fn answer(self) -> Result<StepAnswer, Refusal> {
        let mut done = self.0.done.subscribe();
        match done
            .wait_for(Option::is_some)
            .await
            .map(|done| done.clone())
        {
            Ok(Some(result)) => result,
            // The sender is in `self`.
            _ => std::future::pending().await,
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.callers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The run of an episode's steps. It belongs to the episode: the call that began it polls it, which spares most steps a task of their own
/// and two wake-ups, and when that call is answered or given up while there is more to run, a task goes on with it.
pub(super) struct Driving(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driving {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(run) = &mut self.0
            && run.as_mut().poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        // Without a runtime there is no server any more.
        if let Some(run) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(run);
        }
    }
}

/// What becomes of a request for a step.
enum Admitted<F> {
    /// It runs or will run. The run is the call's to poll, if this call began it.
    Waits(Caller, F, Option<Driving>),
    /// It has run.
    Ended(StepAnswer),
}

#[derive(Debug, Default)]
struct Ended {
    reasons: HashMap<EpisodeKey, EndReason>,
    oldest_first: VecDeque<(Instant, EpisodeKey)>,
}

impl Ended {
    fn insert(&mut self, key: EpisodeKey, reason: EndReason) {
        self.forget_old();
        self.oldest_first.push_back((Instant::now(), key.clone()));
        self.reasons.insert(key, reason);
    }

    fn forget_old(&mut self) {
        while let Some((ended, _)) = self.oldest_first.front()
            && (ended.elapsed() > ENDED_FOR || self.oldest_first.len() >= ENDED_MAX)
            && let Some((_, key)) = self.oldest_first.pop_front()
        {
            self.reasons.remove(&key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Episode {
    /// One that waits for its interpreter.
    pub(super) fn new(parts: EpisodeParts) -> Self {
        let EpisodeParts {
            key,
            request_id,
            runtime,
            limits,
            seed,
            created,
            hold,
            origin,
        } = parts;
        Self {
            key,
            request_id,
            runtime,
            limits,
            seed,
            created,
            hold,
            origin,
            start: watch::Sender::new(Start::Waiting),
            over: CancellationToken::new(),
            state: Mutex::new(State {
                ledger: Ledger::default(),
                worker: None,
                boundary: Boundary::default(),
                checkpoints: Checkpoints::default(),
                version: 0,
                driving: false,
                totals: Totals::default(),
                last_active: Instant::now(),
                workspace: None,
                file_calls: 0,
                loss: None,
                last_reply: None,
                ended: None,
            }),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn started(&self) -> Started {
        Started {
            id: self.key.id.clone(),
            runtime: self.runtime,
            limits: self.limits,
        }
    }

    /// Loses the interpreter to a fault of ours and answers those who wait. True when it had not started.
    fn broke(&self, fault: &str) -> bool {
        let refusal = || Refusal::Fault {
            id: fault.to_owned(),
        };
        let (pending, wishes, worker) = {
            let mut state = self.state();
            state.driving = false;
            let loss = Loss {
                step_index: state.ledger.ended(),
                outcome: None,
                description: format!("a fault of the server; its log tells more under {fault}"),
            };
            state.loss.get_or_insert(loss);
            (
                state.ledger.take_all(),
                state.boundary.take_all(),
                state.worker.take(),
            )
        };
        drop(worker);
        for pending in pending {
            pending.finish(Err(refusal()));
        }
        for wish in wishes {
            wish.refuse(refusal());
        }
        self.start.send_if_modified(|start| {
            let waited = matches!(start, Start::Waiting);
            if waited {
                *start = Start::Failed(refusal());
            }
            waited
        })
    }

    /// Waits until it has an interpreter.
    pub(super) async fn wait_started(&self) -> Result<(), Refusal> {
        if matches!(*self.start.borrow(), Start::Done) {
            return Ok(());
        }
        let mut start = self.start.subscribe();
        match start
            .wait_for(|start| !matches!(start, Start::Waiting))
            .await
            .as_deref()
        {
            Ok(Start::Failed(refusal)) => Err(refusal.clone()),
            _ => Ok(()),
        }
    }
}

impl Inner {
    /// Live episodes. Nothing changes while they are locked; an episode's state may be locked after them.
    pub(super) fn lock_live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// How many places are taken. The lock is that of `live`.
    fn taken(&self, live: &Live) -> usize {
        live.len() + self.vacant.load(Ordering::Relaxed) + self.spares.count()
    }

    /// How many are free. The lock is that of `live`.
    pub(super) fn room(&self, live: &Live) -> usize {
        let max = usize::try_from(self.config.max_episodes).unwrap_or(usize::MAX);
        max.saturating_sub(self.taken(live))
    }

    /// Whether all places are taken. The lock is that of `live`.
    pub(super) fn is_full(&self, live: &Live) -> bool {
        self.room(live) == 0
    }

    /// Whether an id was an episode's that has ended.
    pub(super) fn has_ended(&self, key: &EpisodeKey) -> bool {
        lock(&self.ended).reasons.contains_key(key)
    }

    /// Finds an episode among the live ones, under whose lock none moves from these to the ended ones.
    pub(super) fn find_in(&self, live: &Live, key: &EpisodeKey) -> Result<Arc<Episode>, Refusal> {
        if let Some(episode) = live.get(key) {
            return Ok(Arc::clone(episode));
        }
        match lock(&self.ended).reasons.get(key) {
            Some(reason) => Err(ended_before(&key.id, *reason)),
            None => Err(Refusal::NotFound(key.id.clone())),
        }
    }
}

impl Episodes {
    pub(crate) fn new(config: EpisodesConfig, executor: Executor) -> Self {
        let episodes = Self(Arc::new(Inner {
            turns: Turns::new(config.max_running_steps, config.max_waiting_steps),
            file_turns: Arc::new(Turns::new(config.files.calls, config.files.waiting_calls)),
            file_workers: Semaphore::new(file_workers()),
            budget: Budget::new(config.kept_reply_bytes),
            metrics: Metrics::new(),
            config,
            executor,
            live: Mutex::default(),
            vacant: AtomicUsize::new(0),
            spares: Arc::default(),
            ended: Mutex::default(),
            draining: AtomicBool::new(false),
            none_left: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            digests: [RandomState::new(), RandomState::new()],
        }));
        let sweeper = episodes.clone();
        episodes
            .0
            .tasks
            .spawn(async move { sweeper.sweep_regularly().await });
        episodes
    }

    /// Makes an episode, or returns the one that this very request made before.
    ///
    /// # Cancel-Safety
    /// Safe: an episode that its caller did not wait for is there for the retry, or ends at once when no retry could find it.
    pub(crate) async fn reset(&self, new: NewEpisode) -> Result<Started, Refusal> {
        self.reset_in(None, new).await
    }

    /// As [`reset`](Self::reset), in a place that is held.
    pub(super) async fn reset_in(
        &self,
        hold: Option<&Arc<Hold>>,
        new: NewEpisode,
    ) -> Result<Started, Refusal> {
        let (episode, fresh) = self.reserve(&new, hold)?;
        if !fresh {
            episode.wait_started().await?;
            return Ok(episode.started());
        }
        let begun = Instant::now();
        let findable = !new.request_id.is_empty();
        let setup = Setup {
            seed: new.seed,
            memory_bytes: new.limits.memory_bytes,
            open_files: new.limits.open_files,
            file_bytes: new.limits.file_bytes,
            displays: new.limits.displays,
            display_bytes: new.limits.display_bytes,
            environment: new.environment,
        };
        let cell = CellOrder {
            runtime: new.runtime,
            loopback: new.loopback,
            limits: new.limits.cell(),
        };
        let files = new.files;
        let abandoned = CancellationToken::new();
        let guard = abandoned.clone().drop_guard();
        let registry = self.clone();
        let starting = Arc::clone(&episode);
        // A task of its own, unless it is done at once: the caller may go while it waits for an interpreter.
        let start = async move {
            let waited = registry.0.config.worker_wait;
            let prepared = async {
                let worker = registry.0.executor.checkout(&cell, waited).await;
                let worker = worker.map_err(|_| Refusal::NoWorker { waited })?;
                if !files.is_empty() {
                    let file_bytes = starting.limits.file_bytes;
                    registry
                        .write_first_files(&worker, files, file_bytes)
                        .await?;
                }
                Ok(worker)
            };
            let result = tokio::select! {
                result = prepared => result,
                () = starting.over.cancelled() => Err(Refusal::Closed(starting.key.id.clone())),
                () = abandoned.cancelled(), if !findable => Err(Refusal::Closed(starting.key.id.clone())),
            };
            registry.finish_start(&starting, result, &setup, begun);
            if !findable && abandoned.is_cancelled() {
                registry.end(&starting.key, EndReason::Closed);
            }
        };
        let (registry, starting) = (self.clone(), Arc::clone(&episode));
        self.0.tasks.spawn(async move {
            if let Err(cause) = fault::caught(start).await {
                registry.broke(&starting, &cause);
            }
        });
        let result = episode.wait_started().await;
        drop(guard.disarm());
        result.map(|()| episode.started())
    }

    /// Finds or inserts the episode of a Reset. True when it is new.
    fn reserve(
        &self,
        new: &NewEpisode,
        hold: Option<&Arc<Hold>>,
    ) -> Result<(Arc<Episode>, bool), Refusal> {
        let max = self.0.config.max_episodes;
        let mut key = new.owner.episode(new.id.clone());
        if !new.id.is_empty()
            && let Some(episode) = lock(&self.0.live).get(&key)
        {
            let same = !new.request_id.is_empty() && episode.request_id == new.request_id;
            return if same {
                Ok((Arc::clone(episode), false))
            } else {
                Err(Refusal::Exists(new.id.clone()))
            };
        }
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        if !new.id.is_empty() && lock(&self.0.ended).reasons.contains_key(&key) {
            return Err(Refusal::ExistedBefore(new.id.clone()));
        }
        if !new.previous_id.is_empty() {
            let previous = new.owner.episode(new.previous_id.clone());
            self.end(&previous, EndReason::Closed);
        }
        if new.id.is_empty() {
            key.id = uuid::Uuid::now_v7().to_string();
        }
        let make = |hold| {
            Arc::new(Episode::new(EpisodeParts {
                key: key.clone(),
                request_id: new.request_id.clone(),
                runtime: new.runtime,
                limits: new.limits,
                seed: new.seed,
                created: SystemTime::now(),
                hold,
                origin: None,
            }))
        };
        let mut live = lock(&self.0.live);
        // Once more, now that nothing can change: the drain may have begun, and the id may have lived and ended meanwhile.
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        if !new.id.is_empty() && lock(&self.0.ended).reasons.contains_key(&key) {
            return Err(Refusal::ExistedBefore(new.id.clone()));
        }
        let hold = hold.filter(|hold| !hold.is_taken());
        if hold.is_none() && self.0.is_full(&live) && !live.contains_key(&key) {
            return Err(Refusal::EpisodeLimit { max });
        }
        match live.entry(key.clone()) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                if let Some(hold) = hold {
                    hold.take();
                    self.0.vacant.fetch_sub(1, Ordering::Relaxed);
                }
                let episode = make(hold.cloned());
                entry.insert(Arc::clone(&episode));
                Ok((episode, true))
            }
            // Another request with this id was faster.
            std::collections::hash_map::Entry::Occupied(entry) => {
                let episode = entry.get();
                let same = !new.request_id.is_empty() && episode.request_id == new.request_id;
                if same {
                    Ok((Arc::clone(episode), false))
                } else {
                    Err(Refusal::Exists(new.id.clone()))
                }
            }
        }
    }

    /// Takes an episode off the live ones. The place that it had has none then, if it is still held.
    fn remove(&self, live: &mut Live, key: &EpisodeKey) {
        let hold = live.remove(key).and_then(|episode| episode.hold.clone());
        if hold.is_some_and(|hold| hold.leave()) {
            self.0.vacant.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Holds a place for who will have an episode.
    pub(crate) fn hold_place(&self) -> Result<Place, Refusal> {
        let live = lock(&self.0.live);
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        if self.0.is_full(&live) {
            let max = self.0.config.max_episodes;
            return Err(Refusal::EpisodeLimit { max });
        }
        self.0.vacant.fetch_add(1, Ordering::Relaxed);
        Ok(Place::new(self.clone()))
    }

    /// Ends what a place was held for.
    pub(super) fn give_up(&self, hold: &Hold) {
        let _live = lock(&self.0.live);
        if hold.give_up() {
            self.0.vacant.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many places are taken, of how many.
    pub(crate) fn places(&self) -> (usize, u32) {
        let live = lock(&self.0.live);
        (self.0.taken(&live), self.0.config.max_episodes)
    }

    fn finish_start(
        &self,
        episode: &Arc<Episode>,
        result: Result<Worker, Refusal>,
        setup: &Setup,
        begun: Instant,
    ) {
        match result {
            Ok(mut worker) => {
                worker.set_up(setup);
                self.0.metrics.resets.add_one();
                self.0.metrics.reset_time.observe(begun.elapsed());
                self.start_with(episode, worker);
            }
            Err(refusal) => self.fail_start(episode, refusal),
        }
    }

    /// Gives a new episode its interpreter.
    pub(super) fn start_with(&self, episode: &Episode, mut worker: Worker) {
        worker.park_if_crowded();
        let mut state = episode.state();
        if state.ended.is_none() {
            state.workspace = Some(worker.workspace());
            state.worker = Some(worker);
            state.last_active = Instant::now();
        }
        drop(state);
        episode.start.send_replace(Start::Done);
    }

    /// Takes a new episode back: it has no interpreter.
    pub(super) fn fail_start(&self, episode: &Arc<Episode>, refusal: Refusal) {
        {
            let mut live = lock(&self.0.live);
            if live
                .get(&episode.key)
                .is_some_and(|there| Arc::ptr_eq(there, episode))
            {
                self.remove(&mut live, &episode.key);
            }
        }
        self.note_if_empty();
        episode.start.send_replace(Start::Failed(refusal));
    }

    /// Runs a step, or finds the reply that it had.
    ///
    /// # Cancel-Safety
    /// Safe: the step belongs to the episode.
    pub(crate) async fn step(
        &self,
        key: &EpisodeKey,
        step: NewStep,
    ) -> Result<StepAnswer, Refusal> {
        let (caller, driving) = match self.admit(key, step, |_| ()).await? {
            Admitted::Waits(caller, (), driving) => (caller, driving),
            Admitted::Ended(answer) => return Ok(answer),
        };
        let answer = caller.answer();
        match driving {
            Some(mut driving) => {
                tokio::pin!(answer);
                poll_fn(|context| {
                    driving.poll(context);
                    answer.as_mut().poll(context)
                })
                .await
            }
            None => answer.await,
        }
    }

    /// As [`step`](Self::step), and tells what the step prints, of each stream from these offsets on.
    ///
    /// # Cancel-Safety
    /// Safe: the step belongs to the episode.
    pub(crate) async fn step_stream(
        &self,
        key: &EpisodeKey,
        step: NewStep,
        at: [u64; 2],
    ) -> Result<Following, Refusal> {
        // Before the step can begin, so that it is watched from its start.
        let follow = |pending: &Pending| pending.live.follow(at);
        Ok(match self.admit(key, step, follow).await? {
            // Who reads slowly must not hold up the run: it gets a task of its own.
            Admitted::Waits(caller, follower, driving) => {
                drop(driving);
                Following::running(caller, follower, at)
            }
            Admitted::Ended(answer) => Following::ended(answer, at),
        })
    }

    /// Finds what becomes of a request for a step. `wait` is called with a step that has not ended, before it can begin.
    async fn admit<F>(
        &self,
        key: &EpisodeKey,
        step: NewStep,
        wait: impl FnOnce(&Pending) -> F,
    ) -> Result<Admitted<F>, Refusal> {
        let id = key.id.as_str();
        let episode = self.find(key)?;
        episode.wait_started().await?;
        let mut driving = None;
        let caller = {
            let digest = self.digest(&step.code);
            let mut state = episode.state();
            if let Some(reason) = state.ended {
                return Err(ended_before(id, reason));
            }
            state.note_death();
            let max = self.0.config.max_queued_steps;
            let index = step.index;
            let lost = state.loss.clone();
            if let Admission::New(_) = state.ledger.look_up(index, digest) {
                if let Some(loss) = lost {
                    return Err(Refusal::Lost {
                        id: id.to_owned(),
                        loss,
                    });
                }
                if let Some(waiting) = self.0.turns.full(&key.owner) {
                    return Err(Refusal::StepLimit { waiting });
                }
            }
            let mut caller = None;
            let queue_max = usize::try_from(max).unwrap_or(usize::MAX);
            let admission = state.ledger.admit(index, digest, queue_max, |_| {
                let pending = Pending::new(step);
                caller = Some(Caller::new(&pending));
                pending
            });
            match admission {
                Admission::New(_) => {}
                Admission::Join(pending) => caller = Some(Caller::new(pending)),
                Admission::Replay(reply) => {
                    let texts = reply.texts();
                    return Ok(Admitted::Ended(StepAnswer {
                        reply: Arc::clone(reply),
                        texts,
                        replayed: true,
                    }));
                }
                Admission::Dropped(brief) => {
                    return Err(Refusal::ReplyDropped {
                        index: index.unwrap_or_default(),
                        brief,
                    });
                }
                Admission::OutOfOrder { expected } => return Err(Refusal::OutOfOrder { expected }),
                Admission::QueueFull => return Err(Refusal::QueueFull { max }),
            }
            let Some(caller) = caller else {
                return Err(Refusal::NotFound(id.to_owned()));
            };
            let waits = wait(&caller.0);
            if !state.driving {
                state.driving = true;
                driving = Some(self.driving(&episode));
            }
            (caller, waits)
        };
        let (caller, waits) = caller;
        Ok(Admitted::Waits(caller, waits, driving))
    }

    /// What runs the steps of an episode, from this call's own task on.
    pub(super) fn driving(&self, episode: &Arc<Episode>) -> Driving {
        let (registry, episode) = (self.clone(), Arc::clone(episode));
        let counted = self.0.tasks.token();
        Driving(Some(Box::pin(async move {
            let driving = driver::drive(Arc::clone(&registry.0), Arc::clone(&episode));
            if let Err(cause) = fault::caught(driving).await {
                registry.broke(&episode, &cause);
            }
            drop(counted);
        })))
    }

    /// An episode's task has panicked: those who wait for it are told, and its interpreter is lost.
    fn broke(&self, episode: &Episode, cause: &str) {
        let id = fault::report(&cause);
        if episode.broke(&id) {
            self.remove(&mut lock(&self.0.live), &episode.key);
            self.note_if_empty();
        }
    }

    /// Interrupts the running step, if it is the one meant. Returns its index.
    pub(crate) fn interrupt(
        &self,
        key: &EpisodeKey,
        index: Option<u32>,
    ) -> Result<Option<u32>, Refusal> {
        let episode = self.find(key)?;
        let state = episode.state();
        let running = state
            .ledger
            .running()
            .filter(|running| index.is_none_or(|index| index == *running));
        if running.is_some()
            && let Some(pending) = state.ledger.first()
        {
            pending.interrupt.notify_one();
        }
        Ok(running)
    }

    /// The state of an episode.
    pub(crate) async fn view(&self, key: &EpisodeKey) -> Result<EpisodeView, Refusal> {
        let episode = self.find(key)?;
        episode.wait_started().await?;
        let mut state = episode.state();
        state.note_death();
        let idle = episode
            .limits
            .idle_timeout
            .saturating_sub(state.last_active.elapsed());
        let status = match &state.worker {
            _ if state.loss.is_some() => Status::Lost,
            _ if !state.ledger.is_idle() => Status::Running,
            Some(worker) if worker.is_frozen() => Status::Frozen,
            _ => Status::Idle,
        };
        Ok(EpisodeView {
            id: episode.key.id.clone(),
            step_count: state.ledger.ended(),
            last_exit_code: state.ledger.last_exit_code(),
            status,
            loss: state.loss.clone(),
            runtime: episode.runtime,
            limits: episode.limits,
            seed: episode.seed,
            created: episode.created,
            expires: state.is_idle().then(|| SystemTime::now() + idle),
            queued_steps: state.ledger.queued(|pending| !pending.is_abandoned()),
            totals: state.totals,
            origin: episode.origin.as_ref().map(Origin::view),
        })
    }

    /// Ends an episode. False when there was nothing to end.
    pub(crate) fn close(&self, key: &EpisodeKey) -> bool {
        self.end(key, EndReason::Closed)
    }

    /// The limits of a live episode.
    pub(crate) fn limits(&self, key: &EpisodeKey) -> Option<EpisodeLimits> {
        lock(&self.0.live).get(key).map(|episode| episode.limits)
    }

    /// The index of a live episode's runtime.
    pub(crate) fn runtime(&self, key: &EpisodeKey) -> Option<usize> {
        lock(&self.0.live).get(key).map(|episode| episode.runtime)
    }

    /// How many episodes there are, and how many steps wait for a turn and run.
    pub(crate) fn counts(&self) -> (usize, u32, u32) {
        let (running, waiting) = self.0.turns.counts();
        (lock(&self.0.live).len(), running, waiting)
    }

    /// How many checkpoints there are, what they take in bytes, and how many evaluations run.
    pub(crate) fn spare_counts(&self) -> (usize, u64, usize) {
        let spares = &self.0.spares;
        (
            spares.checkpoints.load(Ordering::Relaxed),
            spares.checkpoint_bytes.load(Ordering::Relaxed),
            spares.evaluations.load(Ordering::Relaxed),
        )
    }

    /// How many calls move files, and how many wait for a turn.
    pub(crate) fn file_counts(&self) -> (u32, u32) {
        self.0.file_turns.counts()
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What replies take that are kept beyond each episode's last, in bytes.
    pub(crate) fn kept_reply_bytes(&self) -> u64 {
        self.0.budget.used()
    }

    /// Refuses new episodes from now on.
    pub(crate) fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.note_if_empty();
    }

    /// Whether new episodes are refused.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Completes when there is no episode left.
    pub(crate) async fn none_left(&self) {
        loop {
            let notified = self.0.none_left.notified();
            if lock(&self.0.live).is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Interrupts every running step and completes when none runs, or the grace has passed.
    pub(crate) async fn interrupt_all(&self) {
        let episodes: Vec<Arc<Episode>> = lock(&self.0.live).values().cloned().collect();
        for episode in &episodes {
            drop(self.interrupt(&episode.key, None)); // one that has ended meanwhile needs none
        }
        let deadline = tokio::time::Instant::now() + self.0.config.interrupt_grace;
        for episode in episodes {
            let pending = episode.state().ledger.first().map(Caller::new);
            if let Some(caller) = pending {
                let over = episode.over.cancelled();
                let answer = async { drop(caller.answer().await) };
                tokio::select! {
                    () = answer => {}
                    () = over => {}
                    () = tokio::time::sleep_until(deadline) => {}
                }
            }
        }
    }

    /// Ends every episode, and the registry's own tasks.
    pub(crate) async fn shut_down(&self) {
        self.start_draining();
        self.0.stop.cancel();
        let keys: Vec<EpisodeKey> = lock(&self.0.live).keys().cloned().collect();
        for key in keys {
            self.end(&key, EndReason::Drained);
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub(super) fn find(&self, key: &EpisodeKey) -> Result<Arc<Episode>, Refusal> {
        self.0.find_in(&lock(&self.0.live), key)
    }

    pub(super) fn end(&self, key: &EpisodeKey, reason: EndReason) -> bool {
        self.end_if(key, reason, |_, _| true)
    }

    /// Ends an episode if that still holds once nothing can change it. Locks in this order: live, then ended or an episode's state.
    fn end_if(
        &self,
        key: &EpisodeKey,
        reason: EndReason,
        holds: impl FnOnce(&Arc<Episode>, &State) -> bool,
    ) -> bool {
        let (episode, pending, wishes, interpreters) = {
            let mut live = lock(&self.0.live);
            let Some(episode) = live.get(key).map(Arc::clone) else {
                return false;
            };
            let mut state = episode.state();
            if !holds(&episode, &state) {
                return false;
            }
            self.remove(&mut live, key);
            lock(&self.0.ended).insert(key.clone(), reason);
            state.ended = Some(reason);
            let pending = state.ledger.take_all();
            let wishes = state.boundary.take_all();
            let checkpoints = std::mem::take(&mut state.checkpoints);
            let interpreters = (state.worker.take(), checkpoints);
            drop(state);
            (episode, pending, wishes, interpreters)
        };
        self.0.metrics.ended.add_one(match reason {
            EndReason::Closed => "closed",
            EndReason::Expired { .. } => "expired",
            EndReason::Drained => "drained",
        });
        episode.over.cancel();
        let refusal = || Refusal::Ended {
            id: key.id.clone(),
            how: reason,
        };
        for pending in pending {
            pending.finish(Err(refusal()));
        }
        for wish in wishes {
            wish.refuse(refusal());
        }
        drop(interpreters);
        self.note_if_empty();
        true
    }

    fn note_if_empty(&self) {
        if lock(&self.0.live).is_empty() {
            self.0.none_left.notify_waiters();
        }
    }

    pub(super) fn digest(&self, code: &str) -> Digest {
        let [high, low] = self
            .0
            .digests
            .each_ref()
            .map(|state| u128::from(state.hash_one(code)));
        high << 64 | low
    }

    async fn sweep_regularly(&self) {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let episodes: Vec<Arc<Episode>> = lock(&self.0.live).values().cloned().collect();
                    self.sweep(&episodes);
                    park_idle(&episodes).await;
                }
                () = self.0.stop.cancelled() => return,
            }
        }
    }

    /// Ends episodes that were idle for too long, and freezes those that work too much meanwhile.
    fn sweep(&self, episodes: &[Arc<Episode>]) {
        let bound = self.0.config.background_cpu_time;
        for episode in episodes {
            let idle = episode.limits.idle_timeout;
            let expired = {
                let mut state = episode.state();
                if !state.runs_nothing() || !matches!(*episode.start.borrow(), Start::Done) {
                    continue;
                }
                let moves_files = state.file_calls > 0;
                if let Some(worker) = &mut state.worker
                    && !worker.is_frozen()
                    && worker.background_cpu().is_some_and(|used| used > bound)
                {
                    tracing::info!(
                        episode = %episode.key,
                        ?bound,
                        "frozen: its threads used more CPU time than they may while idle"
                    );
                    worker.freeze();
                }
                !moves_files && state.last_active.elapsed() >= idle
            };
            // A step may have come meanwhile, and that one goes on.
            let still = |there: &Arc<Episode>, state: &State| {
                Arc::ptr_eq(there, episode)
                    && state.is_idle()
                    && state.last_active.elapsed() >= idle
            };
            if expired && self.end_if(&episode.key, EndReason::Expired { idle }, still) {
                tracing::info!(episode = %episode.key, ?idle, "expired");
            }
        }
        lock(&self.0.ended).forget_old();
    }
}

/// Has keepers hold the output pipes of episodes that are idle.
async fn park_idle(episodes: &[Arc<Episode>]) {
    for episode in episodes {
        loop {
            let parked = {
                let mut state = episode.state();
                let idle = state.runs_nothing() && state.last_active.elapsed() >= PARK_AFTER;
                match &mut state.worker {
                    Some(worker) if idle && !worker.is_parked() => worker.park(),
                    _ => Ok(()),
                }
            };
            match parked {
                Ok(()) => break,
                Err(NotParked::Busy(busy)) => {
                    if tokio::time::timeout(PARK_WAIT, busy.over()).await.is_err() {
                        return;
                    }
                }
                Err(NotParked::NoKeeper) => return,
            }
        }
    }
}

/// How many calls that move files work at the same time: others, and steps, keep the rest of the cores.
fn file_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

fn ended_before(id: &str, reason: EndReason) -> Refusal {
    match reason {
        EndReason::Closed | EndReason::Drained => Refusal::Closed(id.to_owned()),
        EndReason::Expired { idle } => Refusal::Expired {
            id: id.to_owned(),
            idle,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Owner;
    use super::*;
    use crate::limits::LEAST;

    fn episode() -> Episode {
        let episode = Episode::new(EpisodeParts {
            key: Owner::default().episode("e".to_owned()),
            request_id: String::new(),
            runtime: 0,
            limits: LEAST,
            seed: None,
            created: SystemTime::now(),
            hold: None,
            origin: None,
        });
        episode.state().driving = true;
        episode
    }

    /// No episode's task is known to panic (it would be mended), so what becomes of one that does is tried by itself.
    #[tokio::test]
    async fn those_who_wait_for_a_task_that_panicked_are_told() {
        let episode = episode();
        let order = NewStep::plain("");
        let callers: Vec<Caller> = (0..2)
            .map(|_| {
                let pending = Pending::new(order.clone());
                let caller = Caller::new(&pending);
                episode.state().ledger.admit(None, 0, 16, |_| pending);
                caller
            })
            .collect();
        episode.state().ledger.start();
        let cause = fault::caught(async { panic!("driver") }).await.err();
        assert_eq!(cause.as_deref(), Some("panicked: driver"));
        assert!(episode.broke("id"), "it had not started");
        let fault = Refusal::Fault {
            id: "id".to_owned(),
        };
        for caller in callers {
            assert_eq!(caller.answer().await.err(), Some(fault.clone()));
        }
        assert_eq!(episode.wait_started().await, Err(fault));
        let state = episode.state();
        assert!(state.loss.is_some() && !state.driving && state.ledger.is_idle());
    }
}
