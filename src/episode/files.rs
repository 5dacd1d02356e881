//! Calls that move files of an episode: who may, for how long, and how they end. What they do is in [`files`](crate::files), on a thread that may
//! block; so many of them work at a time that steps and others keep cores, and each gives its place up whenever it waits for its client.
//!
//! A call belongs to its caller and ends with it. A step may run meanwhile. When the episode ends or its interpreter is lost the files go, and
//! the call says so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::registry::{Episode, Episodes, Inner};
use super::turns::OwnTurn;
use super::{EpisodeKey, Loss, Refusal};
use crate::executor::{Worker, Workspace};
use crate::fault;
use crate::files::delete::delete;
use crate::files::read::{Listing, Piece, Reading, list, read};
use crate::files::root::NoRoot;
use crate::files::write::{BadChunk, Writer, Written, write_one};
use crate::files::{CallLimits, Info, NewChunk, NewFile, Root, Selector, Summary};

/// Messages between a call and its thread. Each has about 256 KiB, and no chunk more than 1 MiB.
const MESSAGES_MAX: usize = 2;
/// What a refusal repeats of a path.
const PATH_CHARS_TOLD: usize = 100;

/// Why a call that moves files has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilesError {
    Refused(Refusal),
    /// The client sent what does not make sense, after so many files that were written.
    Bad(BadChunk, u32),
}

impl From<Refusal> for FilesError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Marks an episode as active for as long as files of it are moved.
#[derive(Debug)]
struct Activity(Arc<Episode>);

impl Activity {
    fn new(episode: &Arc<Episode>) -> Self {
        let mut state = episode.state();
        state.file_calls += 1;
        state.last_active = Instant::now();
        drop(state);
        Self(Arc::clone(episode))
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.file_calls = state.file_calls.saturating_sub(1);
        state.last_active = Instant::now();
    }
}

/// A call that moves files, and what may end it.
#[derive(Debug)]
pub(crate) struct FilesCall {
    registry: Arc<Inner>,
    activity: Activity,
    workspace: Workspace,
    limits: CallLimits,
    /// When the caller has to have its answer.
    deadline: Option<Instant>,
    _turn: OwnTurn,
}

impl Episodes {
    /// Begins a call: waits for its turn.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn files(
        &self,
        key: &EpisodeKey,
        deadline: Option<Instant>,
    ) -> Result<FilesCall, Refusal> {
        let episode = self.find(key)?;
        episode.wait_started().await?;
        let workspace = episode.files()?;
        let registry = Arc::clone(&self.0);
        if let Some(waiting) = registry.file_turns.full(&key.owner) {
            return Err(Refusal::FilesLimit { waiting });
        }
        let activity = Activity::new(&episode);
        let turn = tokio::select! {
            biased;
            turn = registry.file_turns.take_own(&key.owner) => turn,
            refusal = gone(&episode, &workspace) => return Err(refusal),
        };
        let config = registry.config.files;
        Ok(FilesCall {
            limits: CallLimits {
                files: config.files_per_call,
                bytes: config.bytes_per_call,
                file_bytes: episode.limits.file_bytes,
            },
            registry,
            activity,
            workspace,
            deadline,
            _turn: turn,
        })
    }

    /// Writes what an episode has from the start, into the workspace of its worker.
    pub(super) async fn write_first_files(
        &self,
        worker: &Worker,
        files: Vec<(NewFile, Bytes)>,
        file_bytes: u64,
    ) -> Result<(), Refusal> {
        let directory = worker.workspace().open().await.map_err(unavailable)?;
        let limits = CallLimits {
            files: u32::MAX,
            bytes: u64::MAX,
            file_bytes,
        };
        let writing = tokio::task::spawn_blocking(move || {
            let root = Root::new(directory).map_err(no_root)?;
            let _acting = root.act().map_err(no_root)?;
            for (file, data) in files {
                write_one(&root, limits, file, data).map_err(|(path, error)| {
                    Refusal::FileNotWritten {
                        path: path.shown().chars().take(PATH_CHARS_TOLD).collect(),
                        kind: error.kind.name(),
                        why: error.text,
                    }
                })?;
            }
            Ok(())
        });
        writing.await.unwrap_or_else(|error| Err(broke(&error)))
    }
}

impl Episode {
    /// The way to its files, or why there is none.
    fn files(&self) -> Result<Workspace, Refusal> {
        let mut state = self.state();
        if let Some(refusal) = state.refuse(&self.key.id) {
            return Err(refusal);
        }
        state.note_death();
        if let Some(refusal) = state.refuse(&self.key.id) {
            return Err(refusal);
        }
        let workspace = state.workspace.clone();
        workspace.ok_or_else(|| Refusal::NotFound(self.key.id.clone()))
    }

    /// Why its files have gone: it has ended, or its interpreter has.
    fn files_gone(&self) -> Refusal {
        let mut state = self.state();
        let id = &self.key.id;
        if let Some(how) = state.ended() {
            let id = id.clone();
            return Refusal::Ended { id, how };
        }
        state.note_death();
        let loss = state.loss.clone().unwrap_or_else(|| Loss {
            step_index: state.ledger.ended(),
            outcome: None,
            description: "its process has ended".to_owned(),
        });
        Refusal::Lost {
            id: id.clone(),
            loss,
        }
    }
}

/// Completes when the files have gone, with the reason. `# Cancel-Safety`: safe.
async fn gone(episode: &Episode, workspace: &Workspace) -> Refusal {
    tokio::select! {
        () = episode.over.cancelled() => {}
        () = workspace.ended() => {}
    }
    episode.files_gone()
}

fn unavailable(error: std::io::Error) -> Refusal {
    Refusal::FilesUnavailable {
        why: error.to_string(),
    }
}

fn no_root(error: NoRoot) -> Refusal {
    Refusal::FilesUnavailable {
        why: error.to_string(),
    }
}

fn broke(cause: &dyn std::fmt::Display) -> Refusal {
    Refusal::Fault {
        id: fault::report(cause),
    }
}

impl FilesCall {
    /// Waits for something that the client has to do. An error when the call's time is over, the client does nothing for too long, or the
    /// files have gone.
    ///
    /// # Cancel-Safety
    /// As the future's.
    pub(crate) async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Refusal> {
        let waited = self.registry.config.files.stall_timeout;
        let stalled = tokio::time::Instant::now() + waited;
        let (until, refusal) = match self.deadline.map(tokio::time::Instant::from_std) {
            Some(deadline) if deadline < stalled => (deadline, Refusal::Deadline),
            _ => (stalled, Refusal::FilesStalled { waited }),
        };
        tokio::select! {
            biased;
            value = future => Ok(value),
            refusal = gone(&self.activity.0, &self.workspace) => Err(refusal),
            () = tokio::time::sleep_until(until) => Err(refusal),
        }
    }

    /// A place among those that work.
    fn place(&self, runtime: &Handle) -> Option<tokio::sync::SemaphorePermit<'_>> {
        let places = &self.registry.file_workers;
        match places.try_acquire() {
            Ok(place) => Some(place),
            // It is never closed.
            Err(_) => runtime.block_on(places.acquire()).ok(),
        }
    }

    /// Does something with the workspace on a thread that may block. Without the workspace it is not begun; when that has gone meanwhile,
    /// that is the result.
    fn spawn<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self, &Handle, &Root) -> Result<T, FilesError> + Send + 'static,
    ) -> JoinHandle<Result<T, FilesError>> {
        tokio::spawn(async move {
            let directory = match self.workspace.open().await {
                Ok(directory) => directory,
                Err(_) if self.workspace.has_ended() => {
                    return Err(self.activity.0.files_gone().into());
                }
                Err(error) => return Err(unavailable(error).into()),
            };
            let runtime = Handle::current();
            let worked = tokio::task::spawn_blocking(move || {
                let result = Root::new(directory).map_err(no_root).and_then(|root| {
                    let _acting = root.act().map_err(no_root)?;
                    // Caught here, so that the thread is itself again.
                    let working = AssertUnwindSafe(|| work(&self, &runtime, &root));
                    catch_unwind(working).map_err(|_| broke(&"a call that moves files panicked"))
                });
                if self.workspace.has_ended() || self.activity.0.over.is_cancelled() {
                    return Err(self.activity.0.files_gone().into());
                }
                result?
            });
            worked
                .await
                .unwrap_or_else(|error| Err(broke(&error).into()))
        })
    }

    /// Begins to write. `sha256`: each file's end tells what it has to be.
    pub(crate) fn write(self, sha256: bool) -> Writing {
        let (chunks, mut receiver) = mpsc::channel::<Vec<NewChunk>>(MESSAGES_MAX);
        let call = Arc::new(self);
        let registry = Arc::clone(&call.registry);
        let limits = call.limits;
        let task = Arc::clone(&call).spawn(move |call, runtime, root| {
            let mut writer = Writer::new(root, limits, sha256);
            while let Some(chunks) = receiver.blocking_recv() {
                let _place = call.place(runtime);
                for chunk in chunks {
                    if let Err(bad) = writer.push(chunk) {
                        return Err(FilesError::Bad(bad, writer.written().files));
                    }
                }
            }
            let written = writer.end();
            let metrics = &registry.metrics;
            metrics.file_bytes_in.add(written.bytes);
            metrics.file_failures.add(written.failures.count.into());
            Ok(written)
        });
        call.registry.metrics.file_calls.add_one("write");
        Writing { call, chunks, task }
    }

    /// Begins to read: what is returned gives the pieces, and then the summary.
    pub(crate) fn read(self, reading: Reading) -> mpsc::Receiver<Result<Part<Piece>, Refusal>> {
        self.registry.metrics.file_calls.add_one("read");
        self.stream(move |root, limits, send| read(root, &reading, limits, send))
    }

    /// Begins to list: what is returned tells what there is, and then the summary.
    pub(crate) fn list(self, listing: Listing) -> mpsc::Receiver<Result<Part<Info>, Refusal>> {
        self.registry.metrics.file_calls.add_one("list");
        self.stream(move |root, limits, send| list(root, &listing, limits, send))
    }

    fn stream<T: Send + 'static>(
        self,
        work: impl FnOnce(
            &Root,
            CallLimits,
            &mut dyn FnMut(Vec<T>) -> Result<(), Refusal>,
        ) -> Result<Summary, Refusal>
        + Send
        + 'static,
    ) -> mpsc::Receiver<Result<Part<T>, Refusal>> {
        // With a place for its last word, which a client that takes nothing gets all the same.
        let (parts, receiver) = mpsc::channel(MESSAGES_MAX + 1);
        let last_word = parts.clone().try_reserve_owned().ok();
        let call = Arc::new(self);
        let working = Arc::clone(&call).spawn(move |call, runtime, root| {
            let mut place = call.place(runtime);
            let summary = work(root, call.limits, &mut |part| {
                place = None;
                let sent = call.wait(parts.send(Ok(Part::Some(part))));
                // Who takes no more has gone, and is told nothing.
                let sent = runtime.block_on(sent)?.map_err(|_| Refusal::Deadline);
                place = call.place(runtime);
                sent
            })?;
            let metrics = &call.registry.metrics;
            metrics.file_bytes_out.add(summary.bytes);
            metrics.file_failures.add(summary.failures.count.into());
            Ok(summary)
        });
        tokio::spawn(async move {
            let last = match working.await {
                Ok(Ok(summary)) => Ok(Part::Last(summary)),
                Ok(Err(FilesError::Refused(refusal))) => Err(refusal),
                Ok(Err(FilesError::Bad(bad, _))) => Err(broke(&bad)),
                Err(error) => Err(broke(&error)),
            };
            drop(last_word.map(|place| place.send(last)));
        });
        receiver
    }

    /// Deletes.
    ///
    /// # Cancel-Safety
    /// What is under way is done all the same.
    pub(crate) async fn delete(
        self,
        selectors: Vec<Selector>,
        recursive: bool,
    ) -> Result<Summary, Refusal> {
        self.registry.metrics.file_calls.add_one("delete");
        let deadline = self.deadline;
        let deleting = Arc::new(self).spawn(move |call, runtime, root| {
            let _place = call.place(runtime);
            let summary = delete(root, &selectors, recursive, call.limits);
            let metrics = &call.registry.metrics;
            metrics.file_failures.add(summary.failures.count.into());
            Ok(summary)
        });
        let deleted = match deadline {
            None => deleting.await,
            Some(deadline) => tokio::time::timeout_at(deadline.into(), deleting)
                .await
                .map_err(|_| Refusal::Deadline)?,
        };
        match deleted {
            Ok(Ok(summary)) => Ok(summary),
            Ok(Err(FilesError::Refused(refusal))) => Err(refusal),
            Ok(Err(FilesError::Bad(bad, _))) => Err(broke(&bad)),
            Err(error) => Err(broke(&error)),
        }
    }
}

/// What a call that reads or lists gives.
#[derive(Debug)]
pub(crate) enum Part<T> {
    Some(Vec<T>),
    Last(Summary),
}

/// A call that writes. Dropped before its end it leaves what was complete, and nothing else.
#[derive(Debug)]
pub(crate) struct Writing {
    call: Arc<FilesCall>,
    chunks: mpsc::Sender<Vec<NewChunk>>,
    task: JoinHandle<Result<Written, FilesError>>,
}

impl Writing {
    /// The call, to wait for its client.
    pub(crate) fn call(&self) -> &FilesCall {
        &self.call
    }

    /// Gives the next chunks to the thread that writes. False when it takes no more: [`finish`](Self::finish) tells why.
    pub(crate) async fn push(&self, chunks: Vec<NewChunk>) -> bool {
        self.chunks.send(chunks).await.is_ok()
    }

    /// What was written in all.
    pub(crate) async fn finish(self) -> Result<Written, FilesError> {
        drop(self.chunks);
        self.task
            .await
            .unwrap_or_else(|error| Err(broke(&error).into()))
    }
}
