//! One worker: an interpreter process, its control socket and its output, and the life of a step in it.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::unix::pipe;
use tokio::sync::{Notify, oneshot, watch};

use super::control::Control;
use super::display::{Displays, Shown};
use super::frame::{self, FromWorker, Largest, Report, ResultOf, Setup};
use super::lent::Workspace;
use super::link::Link;
use super::live::Live;
use super::output::{Captured, OutputStream};
use super::parking::{Keepers, NotParked, Parked, PipesLost};
use super::pulse::{BEAT_EVERY, Pulse};
use super::usage::{Counters, CpuTime, PrivateBytes, StatFile, Tree, Usage};
use crate::limits::CellLimits;
use crate::sandbox::cell::Ask;
use crate::sandbox::cgroup::CgroupFacts;
use crate::sandbox::order::{CopyRefusal, ExitStatus, Files, Order, ProcessUsage, WorkerId};
use crate::wire::Malformed;

/// How long a worker whose control socket has closed may take to end before it counts as a violation, and how long the end of a
/// killed one is waited for.
const END_WITHIN: Duration = Duration::from_secs(5);
/// What is read of a stream after the report, at the most: the largest pipe that a program may make without
/// privilege (pipe-max-size, pipe(7)). More was written by something that the step left behind, and is the next step's.
const LATE_OUTPUT_BYTES_MAX: usize = 1 << 20;
/// The least time between two looks at a step's CPU time.
const CPU_CHECK_EVERY: Duration = Duration::from_millis(10);
/// CPU time between two steps that is not told: the harness's own way back to its socket.
const BACKGROUND_CPU_FLOOR: Duration = Duration::from_millis(1);
/// The wall time from which on a step's reply tells what all its processes used: shorter ones would pay for the asking.
const TREE_COUNTED_FROM: Duration = Duration::from_millis(5);
/// How much is told of what a copy that failed had to say.
const LAST_WORDS_BYTES_MAX: usize = 512;
/// How often it is looked whether a process that is waited for has gone.
const GONE_LOOKED_FOR_EVERY: Duration = Duration::from_millis(50);
/// How much is read from a descriptor at once.
const READ_BYTES: usize = 16 * 1024;
/// What is read of a running step's stream before others have their turn on this thread: what a pipe holds. A program that prints without end
/// fills its pipe as fast as it is read.
const READ_IN_A_TURN_BYTES: usize = 64 * 1024;

/// What the warden has told of a worker.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    /// Its process id, once it was forked.
    pid: Option<i32>,
    /// How it ended.
    exit: Option<(ExitStatus, ProcessUsage)>,
    /// It, as a copy, and those with it are apart from their parent.
    apart: bool,
    /// It was refused as a copy.
    refused: bool,
    /// How many of the signals asked for have been sent.
    signals: u64,
    /// How many of the readings of its control group asked for have come.
    readings: u64,
}

/// What is known of a worker beside its owner, by the warden's events.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: WorkerId,
    /// Where its files are at levels without a file system of the cell's own.
    pub(crate) workspace: PathBuf,
    /// What its cell may use.
    pub(super) limits: CellLimits,
    /// How many workers it is a copy of a copy of.
    pub(super) depth: u32,
    /// Who waits for its files and those of the copies that are made with it, as whose first it is.
    prepared: Mutex<Option<oneshot::Sender<Files>>>,
    /// Why it was refused as a copy.
    refusal: OnceLock<CopyRefusal>,
    /// They are in a file system of the cell's own, to which its reaper lends a descriptor.
    pub(super) has_own_files: bool,
    /// Those who wait for such a descriptor, in the order in which they have asked.
    lent: Mutex<VecDeque<oneshot::Sender<OwnedFd>>>,
    /// It has a control group of its own, which counts what all its processes use.
    counted: bool,
    facts: watch::Sender<Facts>,
    tree: Mutex<Tree>,
}

impl Shared {
    pub(crate) fn new(
        id: WorkerId,
        workspace: PathBuf,
        has_own_files: bool,
        counted: bool,
        limits: CellLimits,
        depth: u32,
    ) -> Self {
        Self {
            id,
            workspace,
            limits,
            depth,
            prepared: Mutex::default(),
            refusal: OnceLock::new(),
            has_own_files,
            lent: Mutex::default(),
            counted,
            facts: watch::Sender::new(Facts::default()),
            tree: Mutex::default(),
        }
    }

    pub(crate) fn set_pid(&self, pid: i32) {
        self.facts.send_modify(|facts| facts.pid = Some(pid));
    }

    pub(crate) fn set_exit(&self, status: ExitStatus, usage: ProcessUsage) {
        self.facts
            .send_modify(|facts| facts.exit = Some((status, usage)));
    }

    /// A reading of its control group.
    pub(crate) fn hear(&self, facts: CgroupFacts) {
        self.tree().hear(facts);
        self.facts.send_modify(|facts| facts.readings += 1);
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lent(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<OwnedFd>>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next descriptor of its workspace that nobody else waits for. `order` asks for one, in the order of those who wait.
    pub(super) fn wait_for_lent(&self, order: impl FnOnce()) -> oneshot::Receiver<OwnedFd> {
        let (sender, receiver) = oneshot::channel();
        let mut lent = self.lent();
        lent.push_back(sender);
        order();
        receiver
    }

    /// A descriptor of its workspace has come, or the word that there is none.
    pub(crate) fn take_lent(&self, fd: Option<OwnedFd>) {
        let waiting = self.lent().pop_front();
        if let (Some(waiting), Some(fd)) = (waiting, fd) {
            drop(waiting.send(fd)); // one that has gone needs none
        }
    }

    /// What is said of its files, as those of a copy, and of the copies with it.
    pub(super) fn wait_for_files(&self) -> oneshot::Receiver<Files> {
        let (sender, receiver) = oneshot::channel();
        *self.prepared() = Some(sender);
        receiver
    }

    /// Its files and those of the copies with it are made, or not.
    pub(crate) fn take_files(&self, files: Files) {
        if let Some(waiting) = self.prepared().take() {
            drop(waiting.send(files)); // one that has gone needs none
        }
    }

    /// It, as a copy, and those with it are apart from their parent.
    pub(crate) fn let_go(&self) {
        self.facts.send_modify(|facts| facts.apart = true);
    }

    /// Waits until it and the copies with it are apart from their parent. `# Cancel-Safety`: safe.
    pub(super) fn until_apart(self: &Arc<Self>) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(self);
        async move {
            shared.wait_for(|facts| facts.apart).await;
        }
    }

    /// It was refused as a copy.
    pub(crate) fn take_refusal(&self, why: CopyRefusal) {
        if self.refusal.set(why).is_ok() {
            self.facts.send_modify(|facts| facts.refused = true);
        }
    }

    /// Why it was refused as a copy, or how it ended, whatever is told first. `# Cancel-Safety`: safe.
    pub(super) async fn refused_or_ended(&self) -> Result<ExitStatus, CopyRefusal> {
        let facts = self.wait_for(|facts| facts.refused || facts.exit.is_some());
        match (facts.await.exit, self.refusal.get()) {
            (_, Some(why)) => Err(why.clone()),
            (Some((status, _)), None) => Ok(status),
            // Neither is what was waited for.
            (None, None) => std::future::pending().await,
        }
    }

    fn prepared(&self) -> MutexGuard<'_, Option<oneshot::Sender<Files>>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_signal(&self) {
        self.facts.send_modify(|facts| facts.signals += 1);
    }

    fn facts(&self) -> Facts {
        *self.facts.borrow()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.facts().exit.is_some()
    }

    /// Waits for a fact. `# Cancel-Safety`: safe.
    async fn wait_for(&self, fact: impl FnMut(&Facts) -> bool) -> Facts {
        let mut facts = self.facts.subscribe();
        match facts.wait_for(fact).await.map(|facts| *facts) {
            Ok(facts) => facts,
            // The sender is in `self`.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for its end. `# Cancel-Safety`: safe.
    pub(super) async fn ended(&self) -> (ExitStatus, ProcessUsage) {
        match self.wait_for(|facts| facts.exit.is_some()).await.exit {
            Some(exit) => exit,
            None => std::future::pending().await,
        }
    }
}

/// One of a worker's output pipes.
#[derive(Debug)]
enum Pipe {
    /// Read when a step has ended.
    Quiet(OwnedFd),
    /// Registered with the runtime, since the first step that took long.
    Watched(pipe::Receiver),
    /// The last writer has closed it.
    Closed,
}

impl Pipe {
    /// Reads what is there, at most `bytes_max`, into `live`.
    fn drain(&mut self, live: &Live, stream: OutputStream, bytes_max: usize) {
        let mut read = 0;
        while read < bytes_max {
            let most = READ_BYTES.min(bytes_max - read);
            let push = |bytes: &[u8]| live.push(stream, bytes);
            let result = match self {
                Self::Quiet(fd) => read_once(fd.as_fd(), most, push),
                Self::Watched(receiver) => {
                    let mut buffer = [0; READ_BYTES];
                    let buffer = buffer.get_mut(..most).unwrap_or_default();
                    match receiver.try_read(buffer) {
                        // It may only not have heard yet that there is something: ask the kernel.
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            read_once(receiver.as_fd(), most, push)
                        }
                        Ok(0) => Ok(0),
                        result => result.inspect(|count| {
                            push(buffer.get(..*count).unwrap_or_default());
                        }),
                    }
                }
                Self::Closed => return,
            };
            match result {
                Ok(0) => *self = Self::Closed,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn from_open(fd: Option<OwnedFd>) -> Self {
        fd.map_or(Self::Closed, Self::Quiet)
    }

    /// Takes its descriptor out. None when it is closed.
    fn take(&mut self) -> Option<OwnedFd> {
        match std::mem::replace(self, Self::Closed) {
            Self::Quiet(fd) => Some(fd),
            Self::Watched(receiver) => match receiver.into_nonblocking_fd() {
                Ok(fd) => Some(fd),
                Err(error) => {
                    tracing::error!(%error, "an output pipe could not be taken back");
                    None
                }
            },
            Self::Closed => None,
        }
    }

    /// Waits until there is something to read, for ever once it is closed.
    async fn readable(&mut self) {
        if let Self::Quiet(_) = self
            && let Self::Quiet(fd) = std::mem::replace(self, Self::Closed)
        {
            match pipe::Receiver::from_owned_fd(fd) {
                Ok(receiver) => *self = Self::Watched(receiver),
                Err(error) => tracing::error!(%error, "an output pipe could not be watched"),
            }
        }
        match self {
            Self::Watched(receiver) if receiver.readable().await.is_ok() => {}
            _ => std::future::pending().await,
        }
    }
}

/// Reads once, without waiting, at most `most` and [`READ_BYTES`].
fn read_once(fd: BorrowedFd<'_>, most: usize, push: impl FnOnce(&[u8])) -> io::Result<usize> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); READ_BYTES];
    let (bytes, _) = rustix::io::read(fd, buffer.get_mut(..most).unwrap_or_default())?;
    if !bytes.is_empty() {
        push(bytes);
    }
    Ok(bytes.len())
}

/// One interpreter. Owned by the pool, then by an episode, never by two; dropping it kills it and all that descends from it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    link: Link,
    pulse: Arc<Pulse>,
    /// Its process id; 0 until it is ready.
    pid: i32,
    /// How many signals were asked for.
    signals: u64,
    control: Control,
    /// What has come on the control socket and is not decoded yet.
    incoming: Vec<u8>,
    /// Requests to send before the next step.
    outgoing: Vec<u8>,
    stdout: Pipe,
    stderr: Pipe,
    keepers: Arc<Keepers>,
    /// Its pipes are in a keeper, and closed here.
    parked: Option<Parked>,
    /// Its counters when the last step ended.
    mark: Counters,
    stat: StatFile,
    /// CPU time of steps that were too short to read what the control group counted.
    short_steps: CpuTime,
    /// Stopped between steps for using too much CPU time in the background.
    frozen: bool,
}

/// A step to run.
#[derive(Debug)]
pub(crate) struct StepOrder<'a> {
    /// From 1.
    pub(crate) number: u32,
    pub(crate) source: &'a str,
    pub(crate) result_bytes: u32,
    pub(crate) result_of: ResultOf,
    pub(crate) output_bytes: u32,
    pub(crate) displays: u32,
    pub(crate) display_bytes: u32,
    /// The representations that displays are to have, with spaces between. Empty: all.
    pub(crate) display_mime_types: &'a str,
    pub(crate) timeout: Duration,
    pub(crate) cpu_time: Duration,
    pub(crate) interrupt_grace: Duration,
    /// Where its output goes.
    pub(crate) live: &'a Live,
}

/// Why the server ended a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopCause {
    Timeout,
    CpuTime,
    Interrupt,
}

/// How a step ended, as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepEnd {
    /// The program reported, and the interpreter lives.
    Reported(Report),
    /// The interpreter has ended.
    Died(ExitStatus),
    /// The program broke the channel, and was killed.
    Violation(&'static str),
}

/// A step that was run.
#[derive(Debug)]
pub(crate) struct StepRun {
    pub(crate) end: StepEnd,
    pub(crate) stop: Option<StopCause>,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
    pub(crate) shown: Shown,
    pub(crate) wall_time: Duration,
    pub(crate) usage: Usage,
    pub(crate) background: Option<Usage>,
}

/// How the wait for a report ended.
enum Waited {
    Report(Report),
    Exited(ExitStatus, ProcessUsage),
    Violation(&'static str),
}

const MALFORMED: &str = "malformed report";
const UNEXPECTED: &str = "more than one report";
const CLOSED: &str = "the control channel was closed";

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        link: Link,
        pulse: Arc<Pulse>,
        control: Control,
        stdout: OwnedFd,
        stderr: OwnedFd,
        keepers: Arc<Keepers>,
    ) -> Self {
        keepers.count();
        Self {
            shared,
            link,
            pulse,
            pid: 0,
            signals: 0,
            control,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            stdout: Pipe::Quiet(stdout),
            stderr: Pipe::Quiet(stderr),
            keepers,
            parked: None,
            mark: Counters::default(),
            stat: StatFile::default(),
            short_steps: CpuTime::default(),
            frozen: false,
        }
    }

    /// Waits until a new worker says that it is ready.
    pub(crate) async fn wait_ready(&mut self) -> io::Result<()> {
        loop {
            match frame::decode(&mut self.incoming, Largest::of_answer()) {
                Ok(Some(FromWorker::Ready)) => break,
                Ok(None) => {}
                _ => return Err(io::Error::other(MALFORMED)),
            }
            self.control.readable().await?;
            if !self.read_control()? {
                return Err(io::Error::other("it ended before it was ready"));
            }
        }
        // The warden's word comes on another socket.
        let facts = self
            .shared
            .wait_for(|facts| facts.pid.is_some() || facts.exit.is_some())
            .await;
        match facts {
            Facts {
                pid: Some(pid),
                exit: None,
                ..
            } => {
                self.pid = pid;
                self.mark = Counters::read(pid).unwrap_or_default();
                Ok(())
            }
            _ => Err(io::Error::other("it ended before it was ready")),
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.shared.has_ended()
    }

    /// The way to its files, whatever it does meanwhile.
    pub(crate) fn workspace(&self) -> Workspace {
        Workspace::new(Arc::clone(&self.shared), self.link.clone())
    }

    /// Why it can't run steps any more.
    pub(crate) fn death(&self) -> Option<String> {
        if self.parked.as_ref().is_some_and(Parked::is_lost) {
            return Some(format!("{PipesLost}, so it was killed"));
        }
        (!self.is_alive()).then(|| "its process ended between steps".to_owned())
    }

    /// What its process has for itself, to be read on a thread that may block.
    pub(crate) fn private_bytes(&self) -> PrivateBytes {
        PrivateBytes(self.pid)
    }

    /// Whether its pipes are in a keeper.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.is_some()
    }

    /// Gives its pipes to a keeper, until the next step.
    pub(crate) fn park(&mut self) -> Result<(), NotParked> {
        self.stat.close();
        let pipes = [self.stdout.take(), self.stderr.take()];
        if self.parked.is_some() || pipes.iter().all(Option::is_none) {
            return Ok(());
        }
        match self.keepers.park(self.shared.id, pipes) {
            Ok(parked) => {
                self.parked = Some(parked);
                Ok(())
            }
            Err((why, pipes)) => {
                [self.stdout, self.stderr] = pipes.map(Pipe::from_open);
                Err(why)
            }
        }
    }

    /// Gives its pipes to a keeper at once if the server holds too many. One that can't take them now gets them at the next look at
    /// idle episodes.
    pub(crate) fn park_if_crowded(&mut self) {
        if self.keepers.is_crowded() {
            drop(self.park());
        }
    }

    /// Fetches its pipes back, before a step.
    ///
    /// # Cancel-Safety
    /// Not cancel-safe: when dropped midway the pipes are lost, and the worker has to be dropped too.
    pub(crate) async fn unpark(&mut self) -> Result<(), PipesLost> {
        if let Some(parked) = &self.parked {
            let pipes = parked.fetch().await?;
            [self.stdout, self.stderr] = pipes.map(Pipe::from_open);
            self.parked = None;
            self.keepers.count();
        }
        Ok(())
    }

    /// Prepares the interpreter for an episode. It is sent with the first step, so it costs no wake-up of its own.
    pub(crate) fn set_up(&mut self, setup: &Setup) {
        self.outgoing.extend_from_slice(&frame::encode_setup(setup));
    }

    /// CPU time used since the last step ended. None when it can't be told.
    pub(crate) fn background_cpu(&self) -> Option<Duration> {
        let total = crate::sandbox::sys::cpu_time(self.pid)?;
        Some(total.saturating_sub(self.mark.cpu))
    }

    /// Stops its processes until the next step.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
        self.ask(Ask::Freeze);
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    fn ask(&mut self, ask: Ask) {
        self.signals += 1;
        let worker = self.shared.id;
        self.link.send(&Order::Ask { worker, ask }, Vec::new());
    }

    /// Waits until every signal asked for has been sent, so that none hits what comes next.
    async fn signals_sent(&self) {
        self.shared
            .wait_for(|facts| facts.signals >= self.signals || facts.exit.is_some())
            .await;
    }

    fn kill(&self) {
        self.link.send(
            &Order::Kill {
                worker: self.shared.id,
            },
            Vec::new(),
        );
    }

    /// Lets its processes go on, if they were stopped.
    pub(super) fn thaw(&mut self) {
        if self.frozen {
            self.ask(Ask::Thaw);
            self.frozen = false;
        }
    }

    /// Sends a request, and descriptors with it, at most three. `# Cancel-Safety`: not safe, the request may be sent in part.
    pub(super) async fn request(
        &mut self,
        request: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let mut sent = 0;
        while !self.outgoing.is_empty() && !self.write_control(&mut sent)? {
            self.control.writable().await?;
        }
        while !self.control.write_with(request, fds)? {
            self.control.writable().await?;
        }
        Ok(())
    }

    /// The next frame. None when the channel has closed. `# Cancel-Safety`: safe.
    pub(super) async fn answer(&mut self) -> io::Result<Option<FromWorker>> {
        loop {
            let decoded = frame::decode(&mut self.incoming, Largest::of_answer());
            if let Some(frame) = decoded.map_err(|_| io::Error::other(MALFORMED))? {
                return Ok(Some(frame));
            }
            self.control.readable().await?;
            if !self.read_control()? {
                return Ok(None);
            }
        }
    }

    /// Completes when its process has gone, whether or not the warden has said so yet: that waits until nothing of it is left.
    /// `# Cancel-Safety`: safe.
    pub(super) fn process_gone(&self) -> impl Future<Output = ()> + use<> {
        let pid = self.pid;
        async move {
            while crate::sandbox::sys::cpu_time(pid).is_some() {
                tokio::time::sleep(GONE_LOOKED_FOR_EVERY).await;
            }
        }
    }

    /// The end of what it wrote to standard error.
    pub(super) fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        if let Pipe::Quiet(fd) = &self.stderr {
            drop(read_once(fd.as_fd(), READ_BYTES, |bytes| {
                words.extend_from_slice(bytes);
            }));
        }
        let from = words.len().saturating_sub(LAST_WORDS_BYTES_MAX);
        String::from_utf8_lossy(words.get(from..).unwrap_or_default())
            .trim()
            .to_owned()
    }

    /// Whether its channel has closed.
    pub(super) fn has_closed(&self) -> bool {
        self.control
            .read(&mut Vec::with_capacity(1))
            .is_ok_and(|open| !open)
    }

    /// Kills it, because it broke the channel, and waits for its end. `# Cancel-Safety`: safe.
    pub(super) async fn put_down(&self) {
        self.kill();
        self.wait_for_end().await;
    }

    /// Waits for the end of one whose channel has closed. None: it lives on. `# Cancel-Safety`: safe.
    pub(super) async fn wait_for_end(&self) -> Option<ExitStatus> {
        let ended = tokio::time::timeout(END_WITHIN, self.shared.ended()).await;
        ended.ok().map(|(status, _)| status)
    }

    /// What it used up to now is no step's and nobody's.
    pub(super) fn forget_use(&mut self) {
        if let Some(now) = self.mark.read_after(self.pid, &mut self.stat) {
            self.mark = now;
        }
    }

    /// Runs one step to its end. `interrupt` is how Interrupt reaches it.
    ///
    /// # Cancel-Safety
    /// Not cancel-safe: when dropped midway the worker's channel is in an unknown state. The task that runs steps is cancelled only when
    /// its episode ends, and drops the worker with it.
    pub(crate) async fn run(&mut self, order: StepOrder<'_>, interrupt: &Notify) -> StepRun {
        let pid = self.pid;
        self.thaw();
        let (before, background) = self.counters_at_start(pid);
        let live = order.live;
        live.begin(order.output_bytes);
        let mut displays = Displays::new(order.displays, order.display_bytes);
        let mut stop = None;
        let started = Instant::now();

        let waited = self
            .start_and_wait(&order, before, started, interrupt, &mut displays, &mut stop)
            .await;

        self.drain(live, [LATE_OUTPUT_BYTES_MAX; 2]);
        let waited = match waited {
            Waited::Report(report) => self.check_silence().unwrap_or(Waited::Report(report)),
            other => other,
        };
        let (end, mut usage) = match waited {
            Waited::Report(report) => {
                let after = before.read_after(pid, &mut self.stat);
                if let Some(after) = after {
                    self.mark = after;
                }
                (
                    StepEnd::Reported(report),
                    after.map(|after| after.since(&before)).unwrap_or_default(),
                )
            }
            Waited::Exited(status, usage) => (StepEnd::Died(status), final_usage(usage, &before)),
            Waited::Violation(what) => {
                self.kill();
                let exit = tokio::time::timeout(END_WITHIN, self.shared.ended()).await;
                let usage = exit
                    .map(|(_, usage)| final_usage(usage, &before))
                    .unwrap_or_default();
                self.drain(live, [LATE_OUTPUT_BYTES_MAX; 2]);
                (StepEnd::Violation(what), usage)
            }
        };
        self.count_tree(&mut usage, started.elapsed(), &end).await;
        let [stdout, stderr] = live.finish();
        StepRun {
            end,
            stop,
            stdout,
            stderr,
            shown: displays.finish(),
            wall_time: started.elapsed(),
            usage,
            background,
        }
    }

    /// Reads what is in its pipes, at most so much of each.
    fn drain(&mut self, live: &Live, [stdout, stderr]: [usize; 2]) {
        self.stdout.drain(live, OutputStream::Stdout, stdout);
        self.stderr.drain(live, OutputStream::Stderr, stderr);
    }

    /// Adds what all processes of the cell used, if it can be told and the step was long enough to be worth the asking.
    async fn count_tree(&mut self, usage: &mut Usage, wall_time: Duration, end: &StepEnd) {
        if !self.shared.counted {
            return;
        }
        if matches!(end, StepEnd::Reported(_)) {
            if wall_time < TREE_COUNTED_FROM {
                if let Some(cpu) = usage.cpu {
                    self.short_steps.user += cpu.user;
                    self.short_steps.system += cpu.system;
                }
                return;
            }
            let worker = self.shared.id;
            let readings = self.shared.facts().readings;
            self.link.send(&Order::Measure { worker }, Vec::new());
            let read = |facts: &Facts| facts.readings > readings || facts.exit.is_some();
            let waited = tokio::time::timeout(END_WITHIN, self.shared.wait_for(read)).await;
            if waited.is_err() {
                return;
            }
        }
        let mut tree = self.shared.tree().take();
        if let Some(cpu) = &mut tree.cpu {
            let short = std::mem::take(&mut self.short_steps);
            cpu.user = cpu.user.saturating_sub(short.user);
            cpu.system = cpu.system.saturating_sub(short.system);
        }
        usage.tree = Some(tree);
    }

    /// Work that the next step need not wait for: call it once the reply is on its way.
    pub(crate) fn after_step(&mut self) {
        // An idle episode keeps no room for what it showed once.
        if self.incoming.capacity() > READ_BYTES {
            self.incoming.shrink_to(0);
        }
        self.mark.lower_peak(self.pid);
    }

    fn counters_at_start(&mut self, pid: i32) -> (Counters, Option<Usage>) {
        let Some(now) = self.mark.with_cpu(pid) else {
            return (self.mark, None);
        };
        if now.cpu.saturating_sub(self.mark.cpu) < BACKGROUND_CPU_FLOOR {
            return (now, None);
        }
        let now = self.mark.read_after(pid, &mut self.stat).unwrap_or(now);
        let background = now.since(&self.mark);
        (now, Some(background))
    }

    async fn start_and_wait(
        &mut self,
        order: &StepOrder<'_>,
        before: Counters,
        started: Instant,
        interrupt: &Notify,
        displays: &mut Displays,
        stop: &mut Option<StopCause>,
    ) -> Waited {
        let deadline = started + order.timeout;
        let mut kill_at = None;
        let mut killed = false;
        let mut next_cpu_check = started + order.cpu_time.max(CPU_CHECK_EVERY);
        let largest = Largest::of_step(order.result_bytes, order.display_bytes);

        if let Some(waited) = self.check_silence() {
            return waited;
        }
        let step = frame::encode_step(
            order.number,
            order.result_bytes,
            order.result_of,
            order.display_mime_types,
            order.source,
        );
        let Some(step) = step else {
            return Waited::Violation("the source is longer than a frame can be");
        };
        self.outgoing.extend_from_slice(&step);
        let mut sent = 0;
        let mut sending = true;
        // What somebody follows is told as it appears.
        let live = order.live;
        let mut watching = order.timeout < 2 * BEAT_EVERY || live.is_followed();
        // A step that ends within two beats costs no timer, and no wake-up for its output: that is read at its end, and a pipe's 64 KiB
        // hold what is printed until then.
        let pulse = Arc::clone(&self.pulse);
        let second_beat = pulse.second_beat();
        tokio::pin!(second_beat);
        let timer = tokio::time::sleep_until(deadline.min(next_cpu_check).into());
        tokio::pin!(timer);
        let mut room = live.room(READ_IN_A_TURN_BYTES, started);

        loop {
            let [stdout_room, stderr_room] = room.bytes;
            if sending {
                match self.write_control(&mut sent) {
                    Ok(done) => sending = !done,
                    Err(_) => sending = false, // the read below tells why
                }
            }
            tokio::select! {
                biased;
                ready = self.control.readable() => {
                    let open = ready.is_ok() && self.read_control().unwrap_or(false);
                    match self.next_report(order.number, largest, displays) {
                        Ok(Some(report)) if report.number == order.number => {
                            if stop.is_some() {
                                self.signals_sent().await;
                                return match tokio::time::timeout(END_WITHIN, self.settle()).await {
                                    Ok(true) => Waited::Report(report),
                                    _ => Waited::Violation(UNEXPECTED),
                                };
                            }
                            return Waited::Report(report);
                        }
                        Ok(None) if open => {}
                        Ok(None) => {
                            return match tokio::time::timeout(END_WITHIN, self.shared.ended()).await {
                                Ok((status, usage)) => Waited::Exited(status, usage),
                                Err(_) => Waited::Violation(CLOSED),
                            };
                        }
                        _ => return Waited::Violation(MALFORMED),
                    }
                }
                ready = self.control.writable(), if sending => {
                    if ready.is_err() {
                        sending = false;
                    }
                }
                () = interrupt.notified(), if stop.is_none() => {
                    *stop = Some(StopCause::Interrupt);
                }
                () = &mut second_beat, if !watching => {
                    watching = true;
                }
                () = &mut timer, if watching => {}
                exit = self.shared.ended(), if watching => {
                    // A child that holds a copy of the control socket keeps it from closing.
                    return Waited::Exited(exit.0, exit.1);
                }
                () = self.stdout.readable(), if watching && stdout_room > 0 => {
                    self.stdout.drain(live, OutputStream::Stdout, stdout_room);
                    tokio::task::yield_now().await;
                }
                () = self.stderr.readable(), if watching && stderr_room > 0 => {
                    self.stderr.drain(live, OutputStream::Stderr, stderr_room);
                    tokio::task::yield_now().await;
                }
                () = live.caught_up(), if room.until.is_some() => {}
            }
            let now = Instant::now();
            room = live.room(READ_IN_A_TURN_BYTES, now);
            if stop.is_none() && now >= deadline {
                *stop = Some(StopCause::Timeout);
            }
            if stop.is_none() && now >= next_cpu_check {
                let used = self.step_cpu(&before);
                if used.is_some_and(|used| used >= order.cpu_time) {
                    *stop = Some(StopCause::CpuTime);
                } else {
                    next_cpu_check =
                        now + cpu_check_pause(order.cpu_time, used.unwrap_or_default());
                }
            }
            if stop.is_some() && kill_at.is_none() {
                self.ask(Ask::Interrupt);
                kill_at = Some(now + order.interrupt_grace);
            }
            if !killed && kill_at.is_some_and(|at| now >= at) {
                killed = true;
                self.kill();
            }
            if watching {
                let next = match kill_at {
                    Some(at) if !killed => at,
                    Some(_) => now + END_WITHIN,
                    None => deadline.min(next_cpu_check),
                };
                let next = room.until.map_or(next, |until| next.min(until));
                timer.as_mut().reset(next.into());
            }
        }
    }

    /// Takes what has come: displays of the step, and its report, if that is there.
    fn next_report(
        &mut self,
        number: u32,
        largest: Largest,
        displays: &mut Displays,
    ) -> Result<Option<Report>, Malformed> {
        loop {
            match frame::decode(&mut self.incoming, largest)? {
                None => return Ok(None),
                Some(FromWorker::Report(report)) => return Ok(Some(report)),
                Some(FromWorker::Display(of, display)) if of == number => displays.push(display)?,
                Some(FromWorker::DisplaysDropped(of, count)) if of == number => {
                    displays.drop_more(count)?;
                }
                Some(_) => return Err(Malformed),
            }
        }
    }

    /// Has the harness drop an interrupt that came after the code's end, so that it does not hit the next step. False when the program
    /// sends something else.
    async fn settle(&mut self) -> bool {
        self.outgoing.extend_from_slice(&frame::encode_discard());
        let mut sent = 0;
        while let Ok(false) = self.write_control(&mut sent) {
            if self.control.writable().await.is_err() {
                break;
            }
        }
        loop {
            match frame::decode(&mut self.incoming, Largest::of_answer()) {
                Ok(Some(FromWorker::Ready)) => return true,
                Ok(None) => {}
                _ => return false,
            }
            if self.control.readable().await.is_err() || !self.read_control().unwrap_or(false) {
                return true; // it has closed: the next step finds out
            }
        }
    }

    fn step_cpu(&self, before: &Counters) -> Option<Duration> {
        let total = crate::sandbox::sys::cpu_time(self.pid)?;
        Some(total.saturating_sub(before.cpu))
    }

    /// Anything that the program sent without being asked.
    fn check_silence(&mut self) -> Option<Waited> {
        match self.read_control() {
            Ok(false) if self.incoming.is_empty() => None, // it has closed: the wait for the report finds out
            _ if self.incoming.is_empty() => None,
            _ => Some(Waited::Violation(UNEXPECTED)),
        }
    }

    /// Reads once from the control socket, without waiting. False when it has closed.
    fn read_control(&mut self) -> io::Result<bool> {
        self.incoming.reserve(READ_BYTES / 4);
        self.control.read(&mut self.incoming)
    }

    /// Writes once to the control socket, without waiting. True when all is sent.
    fn write_control(&mut self, sent: &mut usize) -> io::Result<bool> {
        *sent += self
            .control
            .write(self.outgoing.get(*sent..).unwrap_or_default())?;
        let done = *sent >= self.outgoing.len();
        if done {
            self.outgoing = Vec::new();
        }
        Ok(done)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.parked.is_none() {
            self.keepers.uncount();
        }
        if self.is_alive() {
            self.kill();
        }
    }
}

/// When to look at the CPU time again: no sooner than all cores together could use up what is left.
fn cpu_check_pause(limit: Duration, used: Duration) -> Duration {
    let cores = std::thread::available_parallelism()
        .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
    (limit.saturating_sub(used) / cores).max(CPU_CHECK_EVERY)
}

/// What the last step of a process used, from its totals.
fn final_usage(total: ProcessUsage, before: &Counters) -> Usage {
    let after = Counters {
        cpu: total.cpu_user + total.cpu_system,
        cpu_user: total.cpu_user,
        minor_page_faults: total.minor_page_faults,
        major_page_faults: total.major_page_faults,
        peak_memory_bytes: total.peak_memory_bytes,
        ..Counters::default()
    };
    after.since(before)
}
