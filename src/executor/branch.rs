//! Copies of a live worker: what is ordered, why it may be refused, and how it goes.
//!
//! The parent is asked whether it has anything that can't be copied, while the warden has its files copied ([`Order::Prepare`]). Then it forks itself once for each order that it
//! gets (`forks.rs`), and says which processes these are; the warden looks at them and takes them over ([`Order::Adopt`]). It goes on once they are apart from it, or ready. Copies that were not taken over when
//! [`Order::Forked`] comes are killed.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::frame::{self, COPIES_MAX, FromWorker};
use super::worker::{Shared, Worker};
use super::{Channel, Executor, ExitStatus, WORKER_READY_WITHIN};
use crate::sandbox::directories;
use crate::sandbox::order::{CopyRefusal, Files, Order, WorkerId};
use crate::sandbox::plan::Level;

/// What the random state of a copy begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RandomState {
    /// As the parent's: the same numbers follow in both.
    Inherit,
    /// As after a Reset with this seed.
    Seed(u64),
}

/// One copy to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForkOrder {
    /// What its random state begins with.
    pub(crate) random: RandomState,
}

/// What a program has that can't be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// One word of [`OBSTACLES`].
    pub(crate) word: &'static str,
    /// What there is of it, for people: `2 threads beside the main one are running`.
    pub(crate) sentence: String,
}

/// The words of obstacles.
pub(crate) const OBSTACLES: [&str; 6] = [
    "threads",
    "child_processes",
    "sockets",
    "event_loop",
    "pipes",
    "descriptors",
];

/// Why no copy was made. All or none: nothing is left of one that was begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ForkFault {
    /// The program has what can't be copied. It goes on as it was.
    #[error("the episode has what can't be copied")]
    Unsupported(Vec<Obstacle>),
    /// The files are more than a copy may hold. The episode goes on as it was.
    #[error("the episode's files are {bytes} bytes, and at most {bytes_max} are copied")]
    TooLarge { bytes: u64, bytes_max: u64 },
    /// A copy of a copy too many. The episode goes on as it was.
    #[error("the episode is a copy of depth {depth}, and the deepest is {depth_max}")]
    DepthLimit { depth: u32, depth_max: u32 },
    /// This host can't do it safely.
    #[error("{0}")]
    HostLacks(String),
    /// The parent has ended.
    #[error("the interpreter has ended")]
    Lost(ExitStatus),
    /// A fault of ours, or the kernel's refusal. The parent goes on as it was, unless [`Worker::death`] says otherwise.
    #[error("{0}")]
    Failed(String),
    /// The same, of a copy that was begun and is none: what another one may well be, too.
    #[error("a copy failed: {0}")]
    Broken(String),
}

/// How long the parent may take for each part of a fork, and its copies to be ready: as a new worker.
const WITHIN: Duration = WORKER_READY_WITHIN;

/// How long copies may take to be ready once their parent has gone.
const ORPHANS_WITHIN: Duration = Duration::from_secs(1);

/// How long the warden's word of why a copy was refused, or how it ended, may take once it has ended.
const WORD_WITHIN: Duration = Duration::from_millis(50);

/// How often copies that are not ready yet are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const BROKEN: &str = "the program broke the channel when it was to be copied";

/// A copy that is to be made.
struct Copy {
    worker: Worker,
    /// Its own ends of what it speaks by, until it has them. Empty: the warden has them, and gives them to nobody else.
    theirs: Vec<OwnedFd>,
    order: ForkOrder,
}

/// Copies that are being made, of a parent that may go on by now.
pub(crate) struct Copying(Pin<Box<dyn Future<Output = Result<Vec<Worker>, ForkFault>> + Send>>);

impl Copying {
    /// Waits until all of them are ready for their first step.
    ///
    /// # Errors
    /// See [`ForkFault`]: the parent is not touched by any of these.
    ///
    /// # Cancel-Safety
    /// Not cancel-safe: when dropped midway the copies are killed.
    pub(crate) async fn ready(self) -> Result<Vec<Worker>, ForkFault> {
        self.0.await
    }
}

/// The warden holds the parent's cell still until this is dropped.
struct Hold {
    executor: Executor,
    parent: WorkerId,
    /// The parent may have made copies.
    begun: bool,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let (parent, begun) = (self.parent, self.begun);
        let forked = Order::Forked { parent, begun };
        self.executor.0.link.send(&forked, Vec::new());
    }
}

impl Executor {
    /// Copies a worker that runs no step: one copy for each order, all or none. Each copy is a whole worker, which is to be waited for
    /// ([`Copying::ready`]), and whose harness counts on from the parent's last step; dropping it kills what descends from it and nothing else. The parent goes on
    /// from here, and may be dropped before its copies. One that was frozen is not any more.
    ///
    /// # Errors
    /// See [`ForkFault`].
    ///
    /// # Cancel-Safety
    /// Not cancel-safe: when dropped midway the parent's channel is in an unknown state, and it has to be dropped too. Copies that were
    /// begun are killed.
    pub(crate) async fn fork(
        &self,
        parent: &mut Worker,
        orders: &[ForkOrder],
    ) -> Result<Copying, ForkFault> {
        if let Some(why) = parent.death() {
            return Err(ForkFault::Failed(why));
        }
        let facts = self.plan().fork_facts();
        if !facts.available {
            return Err(ForkFault::HostLacks(facts.why_not.unwrap_or_default()));
        }
        let depth = parent.shared.depth + 1;
        if let Some(depth_max) = facts.depth_max.filter(|most| depth > *most) {
            return Err(ForkFault::DepthLimit { depth, depth_max });
        }
        if orders.len() > COPIES_MAX {
            return Err(ForkFault::Failed(format!(
                "at most {COPIES_MAX} copies are made at a time"
            )));
        }
        let mut copies = Vec::with_capacity(orders.len());
        let mut hold = Hold {
            executor: self.clone(),
            parent: parent.shared.id,
            begun: false,
        };
        for order in orders {
            copies.push(self.want_copy(parent, *order, depth)?);
        }
        let limits = parent.shared.limits;
        let Some(first) = copies.first() else {
            return Ok(Copying(Box::pin(async { Ok(Vec::new()) })));
        };
        let files = first.worker.shared.wait_for_files();
        let apart = first.worker.shared.until_apart();
        let prepare = Order::Prepare {
            parent: parent.shared.id,
            bytes_max: limits.workspace_bytes,
            entries_max: limits.workspace_inodes,
        };
        self.0.link.send(&prepare, Vec::new());
        parent.thaw();

        let mut files = std::pin::pin!(files_made(parent, Arc::clone(&first.worker.shared), files));
        let shares = tokio::select! {
            biased;
            asked = self.ask(parent, files.as_mut()) => asked?,
            () = self.0.gone.cancelled() => return Err(warden_gone()),
        };
        let apart = async move {
            match shares {
                true => std::future::pending().await,
                false => apart.await,
            }
        };
        hold.begun = true;
        let made = tokio::select! {
            biased;
            made = self.make(parent, files, apart, copies) => made,
            () = self.0.gone.cancelled() => Err(warden_gone()),
        };
        // Not before its copies are apart from it, with users and memory of their own, or ready.
        if parent.is_alive() && !parent.has_closed() {
            drop(self.say(parent, &frame::encode_done(), &[]).await);
        }
        parent.forget_use();
        made
    }

    /// Has the warden look for copies that have ended without a word, again and again.
    async fn miss(&self, parent: WorkerId) -> Infallible {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.tick().await;
        loop {
            looks.tick().await;
            self.0.link.send(&Order::Miss { parent }, Vec::new());
        }
    }

    /// Tells the warden of a copy that is to be made.
    fn want_copy(&self, parent: &Worker, order: ForkOrder, depth: u32) -> Result<Copy, ForkFault> {
        let (channel, theirs) = Channel::new()
            .map_err(|error| ForkFault::Failed(format!("a copy's descriptors: {error}")))?;
        let parents = &parent.shared.workspace;
        let workspace = directories::of_copy(self.plan(), &self.0.state_dir, parents);
        let worker = self.new_worker(channel, workspace, parent.shared.limits, depth);
        let copy = Order::Copy {
            parent: parent.shared.id,
            worker: worker.shared.id,
            workspace: worker.shared.workspace.clone().into_os_string(),
        };
        let mut theirs = Vec::from(theirs);
        let private = self.plan().fork_facts().channel_private;
        let given = if private {
            std::mem::take(&mut theirs)
        } else {
            Vec::new()
        };
        self.0.link.send(&copy, given);
        Ok(Copy {
            worker,
            theirs,
            order,
        })
    }

    /// Asks the parent whether it can be copied. It then runs nothing until it is told that all is done. Returns whether that has to wait until its copies are ready, because they
    /// read what it would change.
    async fn ask(
        &self,
        parent: &mut Worker,
        files: impl Future<Output = Result<(), ForkFault>>,
    ) -> Result<bool, ForkFault> {
        // What the parent can't see for itself there, it asks the warden for, which has it with the files.
        if self.files_come_first() {
            files.await?;
        }
        self.say(parent, &frame::encode_fork(), &[]).await?;
        match self.hear(parent).await? {
            FromWorker::Obstacles { found, shares } if found.is_empty() => Ok(shares),
            FromWorker::Obstacles { found, .. } => Err(ForkFault::Unsupported(
                found.into_iter().map(obstacle).collect(),
            )),
            _ => Err(self.put_down(parent).await),
        }
    }

    /// Whether the files are there before the parent is asked.
    fn files_come_first(&self) -> bool {
        self.plan().level == Level::Landlock
    }

    /// Has the parent make the copies, and the warden take them over, and waits until the parent may go on: they are apart from it, or ready.
    async fn make(
        &self,
        parent: &mut Worker,
        mut files: Pin<&mut impl Future<Output = Result<(), ForkFault>>>,
        apart: impl Future<Output = ()>,
        copies: Vec<Copy>,
    ) -> Result<Copying, ForkFault> {
        // A copy that asks for what it is to be before the warden has heard of it is refused.
        self.0.link.has_room().await;
        // Where copies ask, the warden lets them wait for their files. Elsewhere those are there first.
        let asks = self.plan().fork_facts().channel_private;
        if !asks && !self.files_come_first() {
            files.as_mut().await?;
        }
        self.order(parent, &copies).await?;
        self.say(parent, &frame::encode_tell(), &[]).await?;
        let FromWorker::Forked(pids) = self.hear(parent).await? else {
            return Err(self.put_down(parent).await);
        };
        if pids.len() != copies.len() {
            return Err(self.put_down(parent).await);
        }
        if asks && !self.files_come_first() {
            files.await?;
        }
        if let Some(error) = pids.iter().find(|pid| **pid <= 0) {
            let error = io::Error::from_raw_os_error(error.saturating_neg());
            return Err(ForkFault::Failed(format!("fork: {error}")));
        }
        let told = copies.iter().zip(pids);
        for (copy, pid) in told.filter(|(copy, _)| !copy.theirs.is_empty()) {
            let adopt = Order::Adopt {
                parent: parent.shared.id,
                worker: copy.worker.shared.id,
                pid,
            };
            self.0.link.send(&adopt, Vec::new());
        }
        // With the parent gone, a copy that is not ready soon was not taken over, and is nobody's.
        let gone = parent.process_gone();
        let orphaned = async {
            gone.await;
            tokio::time::sleep(ORPHANS_WITHIN).await;
        };
        let executor = self.clone();
        let mut ready = Box::pin(async move {
            tokio::select! {
                biased;
                ready = ready(copies) => ready,
                () = executor.0.gone.cancelled() => Err(warden_gone()),
            }
        });
        tokio::select! {
            biased;
            ready = &mut ready => ready.map(|workers| Copying(Box::pin(async { Ok(workers) }))),
            () = apart => Ok(Copying(ready)),
            never = self.miss(parent.shared.id) => match never {},
            () = orphaned => Err(ForkFault::Failed(
                "the interpreter ended while it was copied".to_owned(),
            )),
        }
    }

    /// Orders the copies of the parent, one by one.
    async fn order(&self, parent: &mut Worker, copies: &[Copy]) -> Result<(), ForkFault> {
        for copy in copies {
            let seed = match copy.order.random {
                RandomState::Inherit => None,
                RandomState::Seed(seed) => Some(seed),
            };
            let home = match self.plan().fork_facts().same_paths {
                true => &[],
                false => copy.worker.shared.workspace.as_os_str().as_bytes(),
            };
            let order = frame::encode_copy(seed, home);
            let theirs: Vec<BorrowedFd<'_>> = copy.theirs.iter().map(OwnedFd::as_fd).collect();
            self.say(parent, &order, &theirs).await?;
        }
        Ok(())
    }

    /// Sends the parent something.
    async fn say(
        &self,
        parent: &mut Worker,
        request: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ForkFault> {
        match tokio::time::timeout(WITHIN, parent.request(request, fds)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(self.put_down(parent).await),
        }
    }

    /// What the parent answers.
    async fn hear(&self, parent: &mut Worker) -> Result<FromWorker, ForkFault> {
        // Copies that were begun hold its end of the channel, so that its death does not close that.
        let gone = parent.process_gone();
        let answer = tokio::select! {
            biased;
            answer = tokio::time::timeout(WITHIN, parent.answer()) => answer.ok(),
            () = gone => None,
        };
        match answer {
            Some(Ok(Some(frame))) => Ok(frame),
            _ => Err(self.put_down(parent).await),
        }
    }

    /// Ends a parent that can't be spoken to, if it has not ended by itself. Returns what is told of it.
    async fn put_down(&self, parent: &Worker) -> ForkFault {
        // What closes the channel is mostly its end.
        if (!parent.is_alive() || parent.has_closed())
            && let Some(status) = parent.wait_for_end().await
        {
            return ForkFault::Lost(status);
        }
        parent.put_down().await;
        ForkFault::Failed(BROKEN.to_owned())
    }
}

/// Waits until the files of copies are made.
fn files_made(
    parent: &Worker,
    first: Arc<Shared>,
    files: oneshot::Receiver<Files>,
) -> impl Future<Output = Result<(), ForkFault>> + use<> {
    let shared = Arc::clone(&parent.shared);
    let gone = parent.process_gone();
    async move {
        let files = tokio::select! {
            files = tokio::time::timeout(WITHIN, files) => files.ok().and_then(Result::ok),
            _ = shared.ended() => None,
            // Why is told to whoever waits for that copy.
            _ = first.ended() => Some(Files::Made),
            () = gone => None,
        };
        files.map_or_else(
            || {
                Err(ForkFault::Failed(
                    "the files were not copied in time".to_owned(),
                ))
            },
            told_of_files,
        )
    }
}

fn told_of_files(files: Files) -> Result<(), ForkFault> {
    match files {
        Files::Made => Ok(()),
        Files::TooLarge { bytes, bytes_max } => Err(ForkFault::TooLarge { bytes, bytes_max }),
        Files::Failed(why) => Err(ForkFault::Failed(why)),
        Files::LeftProcess => Err(left_process()),
    }
}

fn warden_gone() -> ForkFault {
    ForkFault::Failed("the warden has gone".to_owned())
}

fn left_process() -> ForkFault {
    let [_, word, ..] = OBSTACLES;
    ForkFault::Unsupported(vec![Obstacle {
        word,
        sentence: "a process that the program has started and left runs".to_owned(),
    }])
}

/// Waits until each copy has said that it is ready.
async fn ready(copies: Vec<Copy>) -> Result<Vec<Worker>, ForkFault> {
    let mut workers = Vec::with_capacity(copies.len());
    for copy in copies {
        let Copy {
            mut worker, theirs, ..
        } = copy;
        drop(theirs);
        match tokio::time::timeout(WITHIN, worker.wait_ready()).await {
            Ok(Ok(())) => workers.push(worker),
            Ok(Err(error)) => return Err(why_not_ready(worker, error).await),
            Err(_) => {
                return Err(ForkFault::Failed(format!(
                    "a copy was not ready within {WITHIN:?}"
                )));
            }
        }
    }
    Ok(workers)
}

/// Why a copy has ended before it was ready. The warden's word of that comes on another socket.
async fn why_not_ready(mut worker: Worker, error: io::Error) -> ForkFault {
    let told = tokio::time::timeout(WORD_WITHIN, worker.shared.refused_or_ended()).await;
    let words = worker.last_words();
    match told {
        Ok(Err(CopyRefusal::LeftProcess)) => left_process(),
        Ok(Err(CopyRefusal::Unlike(why))) => ForkFault::Broken(why),
        _ if !words.is_empty() => ForkFault::Broken(words),
        Ok(Ok(ExitStatus::Code(code))) => {
            ForkFault::Broken(format!("{error}, with exit code {code}"))
        }
        Ok(Ok(ExitStatus::Signal(signal))) => {
            ForkFault::Broken(format!("{error}, by signal {signal}"))
        }
        Err(_) => ForkFault::Broken(error.to_string()),
    }
}

fn obstacle((place, sentence): (u8, String)) -> Obstacle {
    let [.., other] = OBSTACLES;
    Obstacle {
        word: OBSTACLES.get(usize::from(place)).copied().unwrap_or(other),
        sentence,
    }
}
