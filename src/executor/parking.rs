//! Parking: the output pipes of an idle worker are held by a keeper, a process with a table of descriptors of its own.
//!
//! An idle episode so costs the server one descriptor, its control socket. What is written meanwhile stays in the pipe for the next step.
//! A keeper that dies closes the pipes that it held: their workers are killed, and the episodes are lost.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::{Channel, Link};
use crate::sandbox::keeper::{MESSAGE_BYTES_MAX, PIPES_MAX, Reply, Request};
use crate::sandbox::order::{Order, WorkerId};

/// How long a keeper may take to give pipes back. It does nothing else, so one that takes longer is broken.
const UNPARK_WITHIN: Duration = Duration::from_secs(10);
/// The least time between two starts of a keeper, so that one that can't start is not tried all the time.
const START_EVERY: Duration = Duration::from_millis(400);

/// A worker's stdout and stderr, as far as they are open.
pub(super) type Pipes = [Option<OwnedFd>; PIPES_MAX];

/// Its pipes are lost, and so is the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the process that kept its output has ended")]
pub(crate) struct PipesLost;

/// Why a worker could not be parked now.
#[derive(Debug)]
pub(crate) enum NotParked {
    /// No keeper has room. Another is being started.
    NoKeeper,
    /// The keeper's socket is full.
    Busy(Busy),
}

/// A keeper whose socket is full.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Keeper>);

impl Busy {
    /// Waits until it can take more. `# Cancel-Safety`: safe.
    pub(crate) async fn over(&self) {
        self.0.channel.has_room().await;
    }
}

/// All keepers.
#[derive(Debug)]
pub(crate) struct Keepers {
    link: Link,
    tasks: TaskTracker,
    /// Cancelled when the warden has gone.
    gone: CancellationToken,
    stopping: AtomicBool,
    list: Mutex<List>,
    /// Workers whose pipes are in this process.
    unparked: AtomicUsize,
    /// How many there may be before one that becomes idle is parked at once.
    unparked_max: usize,
}

#[derive(Debug, Default)]
struct List {
    keepers: Vec<Arc<Keeper>>,
    started: Option<Instant>,
}

#[derive(Debug)]
struct Keeper {
    channel: Channel,
    gone: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// 0 until it is ready.
    workers_max: usize,
    /// Whose pipes it holds, and who waits for them.
    kept: HashMap<WorkerId, Option<oneshot::Sender<Vec<OwnedFd>>>>,
}

impl Keeper {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it takes the pipes of one more.
    fn has_room(&self) -> bool {
        let state = self.state();
        state.kept.len() < state.workers_max && !self.gone.load(Ordering::Acquire)
    }
}

impl Keepers {
    pub(super) fn new(
        link: Link,
        tasks: TaskTracker,
        gone: CancellationToken,
        unparked_max: usize,
    ) -> Self {
        Self {
            link,
            tasks,
            gone,
            stopping: AtomicBool::new(false),
            list: Mutex::default(),
            unparked: AtomicUsize::new(0),
            unparked_max,
        }
    }

    /// The end of keepers is no fault from now on.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker holds its pipes here.
    pub(super) fn count(&self) {
        self.unparked.fetch_add(1, Ordering::Relaxed);
    }

    /// A worker's pipes have gone elsewhere.
    pub(super) fn uncount(&self) {
        self.unparked.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether so many hold their pipes here that one that becomes idle has to be parked at once.
    pub(super) fn is_crowded(&self) -> bool {
        self.unparked.load(Ordering::Relaxed) > self.unparked_max
    }

    /// Gives pipes to a keeper, or back.
    pub(super) fn park(
        self: &Arc<Self>,
        worker: WorkerId,
        pipes: Pipes,
    ) -> Result<Parked, (NotParked, Pipes)> {
        let keeper = self
            .list()
            .keepers
            .iter()
            .find(|keeper| keeper.has_room())
            .cloned();
        let Some(keeper) = keeper else {
            self.start();
            return Err((NotParked::NoKeeper, pipes));
        };
        let open = pipes.each_ref().map(Option::is_some);
        let fds: Vec<OwnedFd> = pipes.into_iter().flatten().collect();
        // Under its lock: a keeper that goes either refuses, or finds the worker among those that it kept.
        let mut state = keeper.state();
        let message = Request::Park { worker }.encode();
        let sent = if keeper.gone.load(Ordering::Acquire) {
            Err(io::ErrorKind::BrokenPipe.into())
        } else {
            keeper.channel.try_send(&message, &fds)
        };
        match sent {
            Ok(()) => {
                state.kept.insert(worker, None);
                drop(state);
                self.uncount();
                Ok(Parked {
                    keeper,
                    worker,
                    open,
                })
            }
            Err(error) => {
                drop(state);
                let why = if error.kind() == io::ErrorKind::WouldBlock {
                    NotParked::Busy(Busy(keeper))
                } else {
                    NotParked::NoKeeper // it is going, which its own task notices
                };
                Err((why, assign(open, fds)))
            }
        }
    }

    /// Starts another keeper, unless one is starting or was started a moment ago.
    fn start(self: &Arc<Self>) {
        let mut list = self.list();
        let starting = list
            .keepers
            .iter()
            .any(|keeper| keeper.state().workers_max == 0);
        if starting
            || self.stopping.load(Ordering::Acquire)
            || list.started.is_some_and(|at| at.elapsed() < START_EVERY)
        {
            return;
        }
        list.started = Some(Instant::now());
        match self.launch() {
            Ok(keeper) => list.keepers.push(keeper),
            Err(error) => tracing::error!(%error, "a keeper's socket could not be made"),
        }
    }

    fn launch(self: &Arc<Self>) -> io::Result<Arc<Keeper>> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        let keeper = Arc::new(Keeper {
            channel: Channel::new(ours)?,
            gone: AtomicBool::new(false),
            state: Mutex::default(),
        });
        self.link.send(&Order::StartKeeper, vec![theirs]);
        let (keepers, kept) = (Arc::clone(self), Arc::clone(&keeper));
        self.tasks.spawn(async move {
            tokio::select! {
                () = keepers.hear(&kept) => {}
                () = kept.channel.send_waiting() => {}
                () = keepers.gone.cancelled() => {}
            }
            keepers.lose(&kept);
        });
        Ok(keeper)
    }

    /// Takes what a keeper says, until it says no more.
    async fn hear(&self, keeper: &Keeper) {
        loop {
            match keeper.channel.receive(MESSAGE_BYTES_MAX).await {
                Ok(Some((message, fds))) => match Reply::decode(&message) {
                    Ok(Reply::Ready { workers_max }) => {
                        keeper.state().workers_max = usize::try_from(workers_max).unwrap_or(1);
                    }
                    Ok(Reply::Unparked { worker }) => {
                        if let Some(Some(waiting)) = keeper.state().kept.remove(&worker) {
                            drop(waiting.send(fds)); // one that has gone needs none
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "a keeper's message can't be read");
                        return;
                    }
                },
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "a keeper's socket failed");
                    return;
                }
            }
        }
    }

    /// A keeper has gone, and the pipes that it held with it.
    fn lose(&self, keeper: &Arc<Keeper>) {
        self.list()
            .keepers
            .retain(|there| !Arc::ptr_eq(there, keeper));
        let kept = {
            let mut state = keeper.state();
            keeper.gone.store(true, Ordering::Release);
            std::mem::take(&mut state.kept)
        };
        if self.stopping.load(Ordering::Acquire) || self.gone.is_cancelled() {
            return;
        }
        tracing::error!(
            episodes = kept.len(),
            "a keeper has gone: the episodes whose output it kept are lost"
        );
        for worker in kept.into_keys() {
            self.link.send(&Order::Kill { worker }, Vec::new());
        }
    }
}

/// A worker's pipes in a keeper. Dropping it has them closed.
#[derive(Debug)]
pub(super) struct Parked {
    keeper: Arc<Keeper>,
    worker: WorkerId,
    open: [bool; PIPES_MAX],
}

impl Parked {
    /// Whether the keeper has gone.
    pub(super) fn is_lost(&self) -> bool {
        self.keeper.gone.load(Ordering::Acquire)
    }

    /// Fetches the pipes back. `# Cancel-Safety`: the pipes are lost, so drop the worker too.
    pub(super) async fn fetch(&self) -> Result<Pipes, PipesLost> {
        let (sender, pipes) = oneshot::channel();
        {
            let mut state = self.keeper.state();
            let Some(waiting) = state.kept.get_mut(&self.worker) else {
                return Err(PipesLost);
            };
            *waiting = Some(sender);
        }
        let worker = self.worker;
        self.keeper
            .channel
            .send(Request::Unpark { worker }.encode(), Vec::new());
        let fds = match tokio::time::timeout(UNPARK_WITHIN, pipes).await {
            Ok(Ok(fds)) => fds,
            _ => return Err(PipesLost),
        };
        if fds.len() != self.open.iter().filter(|open| **open).count() {
            tracing::error!(
                got = fds.len(),
                "descriptors got lost on their way from a keeper"
            );
            return Err(PipesLost);
        }
        Ok(assign(self.open, fds))
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let worker = self.worker;
        // When they were fetched it is there no more.
        if let Entry::Occupied(entry) = self.keeper.state().kept.entry(worker) {
            entry.remove();
            self.keeper
                .channel
                .send(Request::Drop { worker }.encode(), Vec::new());
        }
    }
}

/// Puts descriptors back into the places that were open.
fn assign(open: [bool; PIPES_MAX], fds: Vec<OwnedFd>) -> Pipes {
    let mut fds = fds.into_iter();
    open.map(|open| if open { fds.next() } else { None })
}
