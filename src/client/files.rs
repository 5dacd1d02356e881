//! The files of an episode's workspace.
//!
//! Many files go in one call, but no more than about 64 MiB of them, so that a connection that breaks costs no more than that again. A file is
//! whole or not there at either end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::mpsc;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::transport::Transport;
use super::{Answer, CodingEnv, Error};
use crate::proto::v1::file_selector::Selector;
use crate::proto::v1::{self, FileChunk, FileEnd, FileInfo, FileKind, FileSelector};

/// About how much a message has, and the most pieces.
const PIECE_BYTES: usize = 256 << 10;
const MESSAGE_PIECES: usize = 1000;
/// About how much a call moves, and the most files.
const CALL_BYTES: u64 = 64 << 20;
const CALL_FILES: usize = 1000;
/// Messages between a thread that reads or writes files of this machine and its call.
const MESSAGES_MAX: usize = 2;

/// The files of an episode: [`CodingEnv::files`]. It may be used while a step runs.
///
/// A path is relative to the workspace. Where files are chosen, a text with one of `*?[{` is a glob: `*` and `?` stop at `/`, `**` as a component
/// does not, a backslash takes the meaning of what follows.
#[derive(Debug)]
pub struct Files {
    env: CodingEnv,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What is to be in it.
    pub content: Content,
    /// Its permission bits. None: those of the file of this machine, or of the one that it replaces, or 0644.
    pub mode: Option<u32>,
    /// When it was last modified. None: now.
    pub modify_time: Option<SystemTime>,
}

/// What is to be in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(bytes::Bytes),
    /// What is in a file of this machine.
    Local(PathBuf),
    /// Nothing: it is a directory.
    Directory,
}

impl From<Content> for NewFile {
    fn from(content: Content) -> Self {
        Self {
            content,
            mode: None,
            modify_time: None,
        }
    }
}

impl From<Vec<u8>> for NewFile {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Bytes(bytes.into()).into()
    }
}

impl From<&[u8]> for NewFile {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for NewFile {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for NewFile {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<PathBuf> for NewFile {
    fn from(path: PathBuf) -> Self {
        Content::Local(path).into()
    }
}

/// What was moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Files, and directories that were sent.
    pub files: u64,
    /// Bytes of data in them.
    pub bytes: u64,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What was moved so far.
    pub done: Moved,
    /// What there is in all, as far as sizes were told right.
    pub total: Moved,
}

/// Files of a call with which something went wrong. What went well is done.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FilesFailed {
    /// The first of them, and why.
    pub failures: Vec<v1::FileFailure>,
    /// How many there are in all.
    pub failed: u32,
    /// Whether a limit of the server ended the call before all was done.
    pub truncated: bool,
}

impl FilesFailed {
    fn add(&mut self, failed: u32, failures: Vec<v1::FileFailure>, truncated: bool) {
        self.failed = self.failed.saturating_add(failed);
        self.failures.extend(failures);
        self.truncated |= truncated;
    }

    fn summary(&mut self, summary: Option<v1::FilesSummary>) {
        match summary {
            Some(summary) => self.add(summary.failed, summary.failures, summary.truncated),
            // The stream ended before its end.
            None => self.truncated = true,
        }
    }

    fn check(self) -> Result<(), Error> {
        if self.failed > 0 || self.truncated {
            return Err(Error::Files(self));
        }
        Ok(())
    }
}

impl std::fmt::Display for FilesFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} files failed", self.failed)?;
        for failure in self.failures.iter().take(5) {
            let error = failure.error.as_ref();
            let message = error.map_or("", |error| &error.message);
            write!(
                f,
                "; {}: {message}",
                shown(&failure.path, &failure.raw_path)
            )?;
        }
        if self.truncated {
            f.write_str("; a limit of the server was reached before all was done")?;
        }
        Ok(())
    }
}

/// A file that is to be sent.
#[derive(Debug, Clone)]
struct Source {
    path: Vec<u8>,
    file: NewFile,
    size: u64,
}

fn shown(path: &str, raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    format!("{path}{raw}")
}

fn local(error: io::Error, path: &Path) -> Error {
    Error::Local(format!("{}: {error}", path.display()))
}

/// A path in its two fields.
fn fields(path: &[u8]) -> (String, Vec<u8>) {
    match std::str::from_utf8(path) {
        Ok(text) => (text.to_owned(), Vec::new()),
        Err(_) => (String::new(), path.to_vec()),
    }
}

fn path_of(info: &FileInfo) -> Vec<u8> {
    if info.raw_path.is_empty() {
        info.path.clone().into_bytes()
    } else {
        info.raw_path.clone()
    }
}

fn literal(path: &[u8]) -> FileSelector {
    let selector = match std::str::from_utf8(path) {
        Ok(text) => Selector::Path(text.to_owned()),
        Err(_) => Selector::RawPath(path.to_vec()),
    };
    FileSelector {
        selector: Some(selector),
    }
}

fn selectors(patterns: &[&str]) -> Vec<FileSelector> {
    let selector = |pattern: &&str| {
        if pattern.contains(['*', '?', '[', '{']) {
            FileSelector {
                selector: Some(Selector::Glob((*pattern).to_owned())),
            }
        } else {
            literal(pattern.as_bytes())
        }
    };
    patterns.iter().map(selector).collect()
}

/// A glob that matches this path alone.
#[must_use]
pub fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for char in path.chars() {
        if "*?[]{}\\".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

fn timestamp(time: SystemTime) -> prost_types::Timestamp {
    time.into()
}

/// Tells how far a call is; a call that is sent again begins again.
struct Meter<'a> {
    now: Mutex<Progress>,
    tell: Mutex<&'a mut (dyn FnMut(Progress) + Send)>,
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Meter<'a> {
    fn new(total: Moved, tell: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        let done = Moved::default();
        Self {
            now: Mutex::new(Progress { done, total }),
            tell: Mutex::new(tell),
        }
    }

    fn done(&self) -> Moved {
        locked(&self.now).done
    }

    fn set(&self, done: Moved) {
        let now = {
            let mut now = locked(&self.now);
            now.done = done;
            *now
        };
        let mut tell = locked(&self.tell);
        (*tell)(now);
    }
}

/// Parts of `items` that fit into a call.
fn batches<T>(items: Vec<T>, size: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0_u64;
    for item in items {
        bytes = bytes.saturating_add(size(&item));
        match batches.last_mut() {
            Some(batch) if bytes <= CALL_BYTES && batch.len() < CALL_FILES => batch.push(item),
            _ => {
                bytes = size(&item);
                batches.push(vec![item]);
            }
        }
    }
    batches
}

impl Source {
    fn new(path: &[u8], mut file: NewFile) -> Result<Self, Error> {
        let size = match &file.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Local(path) => {
                let found = fs::metadata(path).map_err(|error| local(error, path))?;
                if !found.is_file() {
                    let error = io::Error::other("it is no regular file");
                    return Err(local(error, path));
                }
                file.mode = Some(
                    file.mode
                        .unwrap_or_else(|| found.permissions().mode() & 0o777),
                );
                found.len()
            }
            Content::Directory => 0,
        };
        Ok(Self {
            path: path.to_vec(),
            file,
            size,
        })
    }

    fn info(&self) -> FileInfo {
        let (path, raw_path) = fields(&self.path);
        let kind = match self.file.content {
            Content::Directory => FileKind::Directory,
            _ => FileKind::File,
        };
        FileInfo {
            path,
            raw_path,
            kind: kind.into(),
            mode: self.file.mode,
            size: None,
            modify_time: self.file.modify_time.map(timestamp),
            sha256: Vec::new(),
        }
    }
}

/// Collects chunks into messages.
struct Messages {
    episode_id: String,
    chunks: Vec<FileChunk>,
    bytes: usize,
    sender: mpsc::Sender<v1::WriteFilesRequest>,
}

impl Messages {
    /// False when nobody takes any more.
    fn add(&mut self, chunk: FileChunk) -> bool {
        self.bytes += chunk.data.len();
        self.chunks.push(chunk);
        if self.bytes >= PIECE_BYTES || self.chunks.len() >= MESSAGE_PIECES {
            return self.flush();
        }
        true
    }

    fn flush(&mut self) -> bool {
        self.bytes = 0;
        let message = v1::WriteFilesRequest {
            episode_id: self.episode_id.clone(),
            chunks: std::mem::take(&mut self.chunks),
            sha256: false,
        };
        self.sender.blocking_send(message).is_ok()
    }

    /// Sends a file. False when nobody takes any more.
    fn file(&mut self, source: &Source) -> io::Result<bool> {
        let mut first = Some(source.info());
        let mut chunk = |data: bytes::Bytes, last: bool| FileChunk {
            file: first.take(),
            data,
            end: last.then(FileEnd::default),
        };
        match &source.file.content {
            Content::Directory => Ok(self.add(chunk(bytes::Bytes::new(), true))),
            Content::Bytes(bytes) => {
                let mut left = bytes.clone();
                loop {
                    let piece = left.split_to(left.len().min(PIECE_BYTES));
                    let last = left.is_empty();
                    if !self.add(chunk(piece, last)) || last {
                        return Ok(true);
                    }
                }
            }
            Content::Local(path) => {
                let mut file = File::open(path)?;
                let mut done = 0;
                loop {
                    let likely = source.size.saturating_sub(done).saturating_add(1);
                    let room = usize::try_from(likely)
                        .unwrap_or(PIECE_BYTES)
                        .min(PIECE_BYTES);
                    let mut piece = Vec::with_capacity(room);
                    let room = u64::try_from(room).unwrap_or(u64::MAX);
                    let read = (&mut file).take(room).read_to_end(&mut piece)? as u64;
                    done += read;
                    let last = read < room;
                    if !self.add(chunk(piece.into(), last)) || last {
                        return Ok(true);
                    }
                }
            }
        }
    }
}

/// Sends files from a thread that may block. What goes wrong on this machine is kept in `failed`.
fn stream(
    episode_id: String,
    sources: Arc<[Source]>,
    failed: Arc<Mutex<Option<Error>>>,
) -> ReceiverStream<v1::WriteFilesRequest> {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    tokio::task::spawn_blocking(move || {
        let mut messages = Messages {
            episode_id,
            chunks: Vec::new(),
            bytes: 0,
            sender,
        };
        for source in sources.iter() {
            match messages.file(source) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    if let Content::Local(path) = &source.file.content {
                        *locked(&failed) = Some(local(error, path));
                    }
                    return;
                }
            }
        }
        messages.flush();
    });
    ReceiverStream::new(receiver)
}

impl Files {
    pub(super) fn new(env: CodingEnv) -> Self {
        Self { env }
    }

    fn episode_id(&self) -> String {
        self.env.episode_id().unwrap_or_default().to_owned()
    }

    /// Sends a request as [`CodingEnv`] sends all.
    async fn call<T: Clone, R, F>(
        &self,
        message: T,
        send: impl Fn(Transport, Request<T>) -> F,
    ) -> Result<R, Error>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let episode = self.env.episode.as_ref();
        let deadline = self.env.options.deadline;
        let Answer { result, .. } = self.env.call(episode, deadline, message, send).await;
        Ok(result?.into_inner())
    }

    /// Writes files, each whole or not at all, in the place of what is there; directories on their way are made.
    ///
    /// # Errors
    /// [`Error::Files`] when some can't be written: the others are. What holds for [`CodingEnv::step`]; then what was complete stays, and
    /// nothing is half-written.
    pub async fn write<P: AsRef<[u8]>, C: Into<NewFile>>(
        &self,
        files: impl IntoIterator<Item = (P, C)>,
    ) -> Result<Moved, Error> {
        let sources = files
            .into_iter()
            .map(|(path, file)| Source::new(path.as_ref(), file.into()))
            .collect::<Result<_, _>>()?;
        self.send(sources, &mut |_| {}).await
    }

    /// Copies a directory of this machine with all that is in it, or a file, into the workspace; `remote` is what its content is to be beneath, or
    /// the file's path. Empty: the workspace. Modes and times go along; links in a directory are left out.
    ///
    /// # Errors
    /// [`Error::Local`] when something of this machine can't be read; otherwise as [`write`](Self::write).
    pub async fn upload(
        &self,
        from: impl AsRef<Path>,
        remote: &str,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Moved, Error> {
        let (from, remote) = (from.as_ref().to_owned(), remote.to_owned());
        let found = tokio::task::spawn_blocking(move || local_sources(&from, &remote));
        let sources = found
            .await
            .map_err(|error| Error::Local(error.to_string()))?;
        self.send(sources?, &mut progress).await
    }

    async fn send(
        &self,
        sources: Vec<Source>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Moved, Error> {
        let total = Moved {
            files: sources.len() as u64,
            bytes: sources.iter().map(|source| source.size).sum(),
        };
        let meter = Meter::new(total, progress);
        let mut wrong = FilesFailed::default();
        for batch in batches(sources, |source| source.size) {
            let batch: Arc<[Source]> = batch.into();
            let failed = Arc::new(Mutex::new(None));
            let reply = self
                .call(batch, |transport, request| {
                    let (metadata, extensions, sources) = request.into_parts();
                    let messages = stream(self.episode_id(), sources, Arc::clone(&failed));
                    let request = Request::from_parts(metadata, extensions, messages);
                    async move { transport.write_files(request).await }
                })
                .await;
            if let Some(error) = locked(&failed).take() {
                return Err(error);
            }
            let v1::WriteFilesResponse {
                written,
                bytes,
                failed,
                failures,
                server_id: _,
            } = reply?;
            wrong.add(failed, failures, false);
            let done = meter.done();
            meter.set(Moved {
                files: done.files + u64::from(written),
                bytes: done.bytes + bytes,
            });
        }
        wrong.check()?;
        Ok(meter.done())
    }

    /// Reads files: their content by their paths.
    ///
    /// # Errors
    /// [`Error::Files`] when a path leads to no regular file, or one can't be read to its end; otherwise as [`CodingEnv::step`].
    pub async fn read(&self, patterns: &[&str]) -> Result<BTreeMap<PathBuf, Vec<u8>>, Error> {
        let request = self.reading(selectors(patterns));
        let (files, summary) = self
            .call(request, |transport, request| async move {
                let mut replies = transport.read_files(request).await?.into_inner();
                let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
                let mut summary = None;
                let (mut path, mut content) = (Vec::new(), Vec::new());
                while let Some(reply) = replies.message().await? {
                    for FileChunk { file, data, end } in reply.chunks {
                        if let Some(file) = file {
                            path = path_of(&file);
                            content = Vec::new();
                        }
                        content.extend_from_slice(&data);
                        if end.is_some_and(|end| end.error.is_none()) {
                            let path = PathBuf::from(OsString::from_vec(path.clone()));
                            files.insert(path, std::mem::take(&mut content));
                        }
                    }
                    summary = reply.summary;
                }
                Ok(Response::new((files, summary)))
            })
            .await?;
        let mut wrong = FilesFailed::default();
        wrong.summary(summary);
        wrong.check()?;
        Ok(files)
    }

    fn reading(&self, files: Vec<FileSelector>) -> v1::ReadFilesRequest {
        v1::ReadFilesRequest {
            episode_id: self.episode_id(),
            files,
            sha256: false,
            max_file_bytes: None,
            directories: false,
        }
    }

    /// Tells what there is, in no particular order. No patterns: all.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn list(&self, patterns: &[&str]) -> Result<Vec<FileInfo>, Error> {
        self.list_selected(selectors(patterns)).await
    }

    async fn list_selected(&self, files: Vec<FileSelector>) -> Result<Vec<FileInfo>, Error> {
        let request = v1::ListFilesRequest {
            episode_id: self.episode_id(),
            files,
            sha256: false,
        };
        let (found, summary) = self
            .call(request, |transport, request| async move {
                let mut replies = transport.list_files(request).await?.into_inner();
                let (mut found, mut summary) = (Vec::new(), None);
                while let Some(reply) = replies.message().await? {
                    found.extend(reply.files);
                    summary = reply.summary;
                }
                Ok(Response::new((found, summary)))
            })
            .await?;
        let mut wrong = FilesFailed::default();
        wrong.summary(summary);
        wrong.check()?;
        Ok(found)
    }

    /// Deletes files, links and, when they are empty or it is `recursive`, directories. Returns how many. What is not there is no error.
    ///
    /// # Errors
    /// [`Error::Files`] when some can't be deleted; otherwise as [`CodingEnv::step`].
    pub async fn delete(&self, patterns: &[&str], recursive: bool) -> Result<u64, Error> {
        let request = v1::DeleteFilesRequest {
            episode_id: self.episode_id(),
            files: selectors(patterns),
            recursive,
        };
        let mut all = 0;
        loop {
            let reply = self
                .call(request.clone(), |transport, request| async move {
                    transport.delete_files(request).await
                })
                .await?;
            let v1::DeleteFilesResponse {
                deleted,
                failed,
                failures,
                truncated,
                server_id: _,
            } = reply;
            all += u64::from(deleted);
            let mut wrong = FilesFailed::default();
            wrong.add(failed, failures, false);
            wrong.check()?;
            if !truncated || deleted == 0 {
                return Ok(all);
            }
        }
    }

    /// Copies a directory of the workspace with all that is in it, or a file, to this machine; `remote` empty: the workspace. Modes and times go
    /// along; links and the like are left out. Each file is complete when it gets its name.
    ///
    /// # Errors
    /// [`Error::Local`] when something of this machine can't be written; otherwise as [`read`](Self::read).
    pub async fn download(
        &self,
        remote: &str,
        to: impl AsRef<Path>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Moved, Error> {
        let remote = remote.trim_end_matches('/');
        let to = to.as_ref();
        let found = if remote.is_empty() {
            self.list(&["**"]).await?
        } else {
            let beneath = Selector::Glob(format!("{}/**", escape(remote)));
            let beneath = FileSelector {
                selector: Some(beneath),
            };
            self.list_selected(vec![literal(remote.as_bytes()), beneath])
                .await?
        };
        let is_file = |info: &FileInfo| info.kind() == FileKind::File;
        let single = matches!(found.as_slice(), [only] if is_file(only));
        let mut places: BTreeMap<Vec<u8>, PathBuf> = BTreeMap::new();
        for info in &found {
            let path = path_of(info);
            let place = match (single, path == remote.as_bytes()) {
                (true, _) | (_, true) => to.to_owned(),
                _ => place(to, remote, &path)?,
            };
            if info.kind() == FileKind::Directory {
                fs::create_dir_all(&place).map_err(|error| local(error, &place))?;
            }
            places.insert(path, place);
        }
        let files: Vec<FileInfo> = found.into_iter().filter(is_file).collect();
        let total = Moved {
            files: files.len() as u64,
            bytes: files.iter().map(FileInfo::size).sum(),
        };
        let meter = Meter::new(total, &mut progress);
        let places = Arc::new(places);
        let mut wrong = FilesFailed::default();
        for batch in batches(files, FileInfo::size) {
            let chosen = batch.iter().map(|info| literal(&path_of(info))).collect();
            let request = self.reading(chosen);
            let received = self
                .call(request, |transport, request| {
                    let places = Arc::clone(&places);
                    async move {
                        let replies = transport.read_files(request).await?.into_inner();
                        Ok(Response::new(receive(replies, places).await?))
                    }
                })
                .await?;
            let (moved, summary) = received?;
            wrong.summary(summary);
            let done = meter.done();
            meter.set(Moved {
                files: done.files + moved.files,
                bytes: done.bytes + moved.bytes,
            });
        }
        wrong.check()?;
        Ok(meter.done())
    }
}

/// Where a file that is downloaded belongs. The server's word for its path is not enough to write elsewhere.
fn place(to: &Path, remote: &str, path: &[u8]) -> Result<PathBuf, Error> {
    let within = if remote.is_empty() {
        Some(path)
    } else {
        let rest = path.strip_prefix(remote.as_bytes());
        rest.and_then(|rest| rest.strip_prefix(b"/"))
    };
    let mut place = to.to_owned();
    for name in within.unwrap_or_default().split(|byte| *byte == b'/') {
        if matches!(name, b"" | b"." | b"..") || name.contains(&0) {
            let path = String::from_utf8_lossy(path);
            let text = format!("the server named `{path}`, which is no path beneath `{remote}`");
            return Err(Error::Local(text));
        }
        place.push(std::ffi::OsStr::from_bytes(name));
    }
    Ok(place)
}

/// Writes files that come. The inner error is of this machine.
async fn receive(
    mut replies: Streaming<v1::ReadFilesResponse>,
    places: Arc<BTreeMap<Vec<u8>, PathBuf>>,
) -> Result<Result<(Moved, Option<v1::FilesSummary>), Error>, Status> {
    let (sender, mut receiver) = mpsc::channel::<Vec<FileChunk>>(MESSAGES_MAX);
    let writing = tokio::task::spawn_blocking(move || {
        let mut arriving = Arriving {
            places: &places,
            current: None,
            moved: Moved::default(),
        };
        while let Some(chunks) = receiver.blocking_recv() {
            for chunk in chunks {
                arriving.take(chunk)?;
            }
        }
        Ok(arriving.moved)
    });
    let mut summary = None;
    while let Some(reply) = replies.message().await? {
        summary = reply.summary;
        if sender.send(reply.chunks).await.is_err() {
            break; // it tells why
        }
    }
    drop(sender);
    let written = writing
        .await
        .map_err(|error| Status::internal(error.to_string()))?;
    Ok(written.map(|moved| (moved, summary)))
}

/// Files on their way to this machine.
struct Arriving<'a> {
    places: &'a BTreeMap<Vec<u8>, PathBuf>,
    current: Option<Partial>,
    moved: Moved,
}

/// A file that is not complete. Dropped, it is removed.
struct Partial {
    file: File,
    info: FileInfo,
    temporary: PathBuf,
    place: PathBuf,
    bytes: u64,
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Once it has its name there is none of this one.
        drop(fs::remove_file(&self.temporary));
    }
}

impl Arriving<'_> {
    fn take(&mut self, chunk: FileChunk) -> Result<(), Error> {
        let FileChunk { file, data, end } = chunk;
        if let Some(info) = file {
            let Some(place) = self.places.get(&path_of(&info)) else {
                let path = shown(&info.path, &info.raw_path);
                return Err(Error::Local(format!("the server sent `{path}` unasked")));
            };
            self.current = Some(Partial::new(info, place).map_err(|error| local(error, place))?);
        }
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let written = current.file.write_all(&data);
        written.map_err(|error| local(error, &current.place))?;
        current.bytes += data.len() as u64;
        if let Some(end) = end
            && let Some(current) = self.current.take()
            && end.error.is_none()
        {
            self.moved.files += 1;
            self.moved.bytes += current.bytes;
            current
                .name()
                .map_err(|error| local(error, &current.place))?;
        }
        Ok(())
    }
}

impl Partial {
    fn new(info: FileInfo, place: &Path) -> io::Result<Self> {
        let folder = place.parent().unwrap_or_else(|| Path::new(""));
        fs::create_dir_all(folder)?;
        let temporary = folder.join(format!(".{}.part", uuid::Uuid::new_v4().simple()));
        Ok(Self {
            file: File::create_new(&temporary)?,
            info,
            temporary,
            place: place.to_owned(),
            bytes: 0,
        })
    }

    fn name(&self) -> io::Result<()> {
        let mode = Permissions::from_mode(self.info.mode() & 0o777);
        self.file.set_permissions(mode)?;
        let time = self.info.modify_time.map(SystemTime::try_from);
        if let Some(Ok(time)) = time {
            self.file.set_times(FileTimes::new().set_modified(time))?;
        }
        fs::rename(&self.temporary, &self.place)
    }
}

/// A directory with all that is in it, or a file. What is in a directory comes before it, which so keeps its time.
fn local_sources(from: &Path, remote: &str) -> Result<Vec<Source>, Error> {
    let found = fs::metadata(from).map_err(|error| local(error, from))?;
    let remote = remote.as_bytes();
    if !found.is_dir() {
        let name = from.file_name().unwrap_or_default().as_bytes();
        let path = match remote.last() {
            None => name.to_vec(),
            Some(b'/') => [remote, name].concat(),
            Some(_) => remote.to_vec(),
        };
        return Ok(vec![local_source(&path, from, &found)?]);
    }
    let base = remote.strip_suffix(b"/").unwrap_or(remote).to_vec();
    let mut pending = vec![(from.to_owned(), base)];
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    while let Some((folder, path)) = pending.pop() {
        if !path.is_empty() {
            let found = fs::metadata(&folder).map_err(|error| local(error, &folder))?;
            directories.push(local_source(&path, &folder, &found)?);
        }
        for entry in fs::read_dir(&folder).map_err(|error| local(error, &folder))? {
            let entry = entry.map_err(|error| local(error, &folder))?;
            let name = entry.file_name();
            let inner = if path.is_empty() {
                name.as_bytes().to_vec()
            } else {
                [&path, b"/".as_slice(), name.as_bytes()].concat()
            };
            let place = entry.path();
            let found = entry.metadata().map_err(|error| local(error, &place))?;
            if found.is_dir() {
                pending.push((place, inner));
            } else if found.is_file() {
                files.push(local_source(&inner, &place, &found)?);
            }
        }
    }
    files.extend(directories.into_iter().rev());
    Ok(files)
}

fn local_source(path: &[u8], place: &Path, found: &fs::Metadata) -> Result<Source, Error> {
    let content = if found.is_dir() {
        Content::Directory
    } else {
        Content::Local(place.to_owned())
    };
    let file = NewFile {
        content,
        mode: Some(found.permissions().mode() & 0o777),
        modify_time: found.modified().ok(),
    };
    Source::new(path, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_can_not_name_a_place_elsewhere() {
        let to = Path::new("/base");
        for path in ["../x", "a/../../x", "/x", "a//b", "a/.", "", "a\0"] {
            place(to, "", path.as_bytes()).unwrap_err();
        }
        place(to, "in", b"other/a").unwrap_err();
        assert_eq!(place(to, "in", b"in/a/b").unwrap(), Path::new("/base/a/b"));
    }

    #[test]
    fn a_call_moves_no_more_than_it_may() {
        let sizes = vec![CALL_BYTES, 1, CALL_BYTES - 1, 1, CALL_BYTES * 2, 5];
        let parts = batches(sizes, |size| *size);
        let whole = CALL_BYTES;
        let expected = [
            vec![whole],
            vec![1, whole - 1],
            vec![1],
            vec![whole * 2],
            vec![5],
        ];
        assert_eq!(parts, expected);
        assert_eq!(batches(vec![0; CALL_FILES + 1], |size| *size).len(), 2);
    }
}
