//! Writes files, each whole or not at all: the content goes into a file without a name, which gets its name when it is complete.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::path::FilePath;
use super::root::{Root, made_directory, open_beneath};
use super::{
    CHUNK_BYTES_MAX, CallLimits, DIRECTORY_MODE, ErrorKind, FILE_MODE, Failures, FileError, Hash,
    Moment, NewChunk, NewEnd, NewFile,
};

const TEMPORARY: OFlags = OFlags::WRONLY.union(OFlags::CLOEXEC);

/// What a client may not send: it ends the call. What was complete before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadChunk {
    #[error("data or an end came before any `file`")]
    NoFile,
    #[error("another file begins before the `end` of `{0}`")]
    NotEnded(String),
    #[error("a directory has no data")]
    DirectoryData,
    #[error("has {0} bytes: a chunk may have {CHUNK_BYTES_MAX}, the maximum")]
    LongChunk(usize),
    #[error("is one too many: a call may write {0} files and directories, the maximum")]
    Files(u32),
    #[error("is too much: a call may bring {0} bytes, the maximum")]
    Bytes(u64),
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) files: u32,
    pub(crate) bytes: u64,
    pub(crate) failures: Failures,
}

/// The file that is under way.
struct Current {
    file: NewFile,
    bytes: u64,
    hash: Hash,
    state: State,
}

enum State {
    Open(Temporary),
    Directory,
    /// What comes of it is dropped.
    Failed(FileError),
}

/// A call that writes. Dropped midway it leaves nothing of the file that is under way.
pub(crate) struct Writer<'a> {
    root: &'a Root,
    limits: CallLimits,
    sha256: bool,
    current: Option<Current>,
    /// The directory that the last file was in.
    place: Option<(Vec<u8>, OwnedFd)>,
    /// Files that have begun, and bytes that have come.
    begun: u32,
    received: u64,
    written: Written,
}

impl<'a> Writer<'a> {
    /// `sha256`: each file's end tells what it has to be.
    pub(crate) fn new(root: &'a Root, limits: CallLimits, sha256: bool) -> Self {
        Self {
            root,
            limits,
            sha256,
            current: None,
            place: None,
            begun: 0,
            received: 0,
            written: Written::default(),
        }
    }

    /// Takes the next chunk.
    pub(crate) fn push(&mut self, chunk: NewChunk) -> Result<(), BadChunk> {
        let NewChunk { file, data, end } = chunk;
        if let Some(file) = file {
            if let Some(current) = &self.current {
                let path = current.file.path.shown().into_owned();
                return Err(BadChunk::NotEnded(path));
            }
            if self.begun >= self.limits.files {
                return Err(BadChunk::Files(self.limits.files));
            }
            self.begun += 1;
            self.begin(file);
        }
        let Some(current) = &mut self.current else {
            return if data.is_empty() && end.is_none() {
                Ok(())
            } else {
                Err(BadChunk::NoFile)
            };
        };
        if data.len() > CHUNK_BYTES_MAX {
            return Err(BadChunk::LongChunk(data.len()));
        }
        let bytes = data.len() as u64;
        self.received += bytes;
        if self.received > self.limits.bytes {
            return Err(BadChunk::Bytes(self.limits.bytes));
        }
        if current.file.directory && bytes > 0 {
            return Err(BadChunk::DirectoryData);
        }
        if let State::Open(temporary) = &current.state {
            current.bytes += bytes;
            let file_bytes = self.limits.file_bytes;
            let result = if current.bytes > file_bytes {
                let text = format!("it has more than {file_bytes} bytes, Limits.file_bytes");
                Err(FileError::new(ErrorKind::TooLarge, text))
            } else {
                write_all(&temporary.file, &data).map_err(FileError::from)
            };
            match result {
                Ok(()) => current.hash.update(&data),
                Err(error) => current.state = State::Failed(error),
            }
        }
        if let Some(end) = end {
            self.finish(end);
        }
        Ok(())
    }

    fn begin(&mut self, file: NewFile) {
        let state = if file.directory {
            State::Directory
        } else {
            match self.temporary(&file) {
                Ok(temporary) => State::Open(temporary),
                Err(error) => State::Failed(error.into()),
            }
        };
        self.current = Some(Current {
            file,
            bytes: 0,
            hash: Hash::new(self.sha256),
            state,
        });
    }

    /// The directory that a file is to be in, made if need be.
    fn place(&mut self, path: &[u8]) -> Result<&OwnedFd, Errno> {
        if self.place.as_ref().is_none_or(|(last, _)| last != path) {
            self.place = None;
            let opened = self.root.made_place(path)?;
            return Ok(&self.place.insert((path.to_vec(), opened)).1);
        }
        self.place
            .as_ref()
            .map(|(_, opened)| opened)
            .ok_or(Errno::NOENT)
    }

    fn temporary(&mut self, file: &NewFile) -> Result<Temporary, Errno> {
        let (directory, _) = file.path.split();
        match Temporary::new(self.place(directory)?) {
            // A program has removed the directory meanwhile: it is made again.
            Err(Errno::NOENT) => {
                self.place = None;
                Temporary::new(self.place(directory)?)
            }
            other => other,
        }
    }

    fn finish(&mut self, end: NewEnd) {
        let Some(current) = self.current.take() else {
            return;
        };
        let path = current.file.path.clone();
        let bytes = current.bytes;
        match self.complete(current, end) {
            Ok(()) => {
                self.written.files += 1;
                self.written.bytes += bytes;
            }
            Err(error) => self.written.failures.add(path, error),
        }
    }

    fn complete(&mut self, current: Current, end: NewEnd) -> Result<(), FileError> {
        let Current {
            file,
            bytes,
            hash,
            state,
        } = current;
        let mut temporary = match state {
            State::Failed(error) => return Err(error),
            State::Directory => return self.directory(&file),
            State::Open(temporary) => temporary,
        };
        let NewEnd::Whole(told) = end else {
            let text = "the client gave it up";
            return Err(FileError::new(ErrorKind::Incomplete, text));
        };
        if let Some(size) = file.size.filter(|size| *size != bytes) {
            let text = format!("{bytes} bytes came, and {size} were told");
            return Err(FileError::new(ErrorKind::Mismatch, text));
        }
        if self.sha256 && hash.finish() != told {
            let text = "what came has another SHA-256 than was told";
            return Err(FileError::new(ErrorKind::Mismatch, text));
        }
        let mode = file.mode.unwrap_or_else(|| {
            // One that is there keeps its own.
            let there = self.root.stat(&file.path).ok();
            let there = there.filter(|stat| super::root::kind_of(stat) == super::Kind::File);
            there.map_or(FILE_MODE, |stat| stat.st_mode & 0o777)
        });
        rustix::fs::fchmod(&temporary.file, Mode::from_raw_mode(mode))?;
        set_modified(&temporary.file, file.modified)?;
        let (directory, name) = file.path.split();
        match temporary.name(self.place(directory)?, name) {
            // A program has removed the directory meanwhile.
            Err(Errno::NOENT) => {
                self.place = None;
                temporary.name(self.place(directory)?, name)?;
            }
            other => other?,
        }
        Ok(())
    }

    fn directory(&mut self, file: &NewFile) -> Result<(), FileError> {
        let (directory, name) = file.path.split();
        let place = self.place(directory)?;
        let mode = file.mode.unwrap_or(DIRECTORY_MODE);
        let made = match made_directory(place.as_fd(), name, mode) {
            Err(Errno::NOENT) => {
                self.place = None;
                made_directory(self.place(directory)?.as_fd(), name, mode)
            }
            other => other,
        };
        made?;
        if file.mode.is_some() || file.modified.is_some() {
            let opened = super::root::list_beneath(self.place(directory)?, name)?;
            if let Some(mode) = file.mode {
                rustix::fs::fchmod(&opened, Mode::from_raw_mode(mode))?;
            }
            if file.modified.is_some() {
                set_modified(&opened, file.modified)?;
            }
        }
        Ok(())
    }

    /// What was written in all. A file that did not come to its end is not.
    pub(crate) fn end(mut self) -> Written {
        if let Some(current) = self.current.take() {
            let error = match current.state {
                State::Failed(error) => error,
                _ => FileError::new(ErrorKind::Incomplete, "its `end` did not come"),
            };
            self.written.failures.add(current.file.path, error);
        }
        self.written
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> &Written {
        &self.written
    }
}

/// Writes one small file.
pub(crate) fn write_one(
    root: &Root,
    limits: CallLimits,
    file: NewFile,
    data: bytes::Bytes,
) -> Result<(), (FilePath, FileError)> {
    let path = file.path.clone();
    let mut writer = Writer::new(root, limits, false);
    writer.begin(file);
    let chunk = NewChunk {
        file: None,
        data,
        end: Some(NewEnd::Whole(None)),
    };
    if let Err(error) = writer.push(chunk) {
        return Err((
            path,
            FileError::new(ErrorKind::Unspecified, error.to_string()),
        ));
    }
    match writer.end().failures.told.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn write_all(file: &OwnedFd, mut data: &[u8]) -> Result<(), Errno> {
    while !data.is_empty() {
        match rustix::io::write(file, data) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => data = data.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn set_modified(file: &OwnedFd, modified: Option<Moment>) -> Result<(), Errno> {
    let at = |nanos| Timespec {
        tv_sec: 0,
        tv_nsec: nanos,
    };
    let Some(Moment { seconds, nanos }) = modified else {
        return Ok(());
    };
    let times = Timestamps {
        last_access: at(UTIME_OMIT),
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: nanos.into(),
        },
    };
    rustix::fs::futimens(file, &times)
}

/// A file that has no name yet, or one that nobody guesses, by which it is removed when it is dropped.
struct Temporary {
    file: OwnedFd,
    named: Option<(OwnedFd, String)>,
}

impl Temporary {
    fn new(place: &OwnedFd) -> Result<Self, Errno> {
        match open_beneath(place.as_fd(), b".", TEMPORARY | OFlags::TMPFILE, 0o600) {
            Ok(file) => Ok(Self { file, named: None }),
            // Not every file system has files without a name.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let name = temporary_name();
                let flags = TEMPORARY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let file = open_beneath(place.as_fd(), name.as_bytes(), flags, 0o600)?;
                let named = Some((place.try_clone().map_err(|_| Errno::MFILE)?, name));
                Ok(Self { file, named })
            }
            Err(error) => Err(error),
        }
    }

    /// Gives it its name, in the place of what has that.
    fn name(&mut self, place: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        if let Some((own_place, own_name)) = &self.named {
            rustix::fs::renameat(own_place, own_name.as_str(), place, name)?;
            self.named = None;
            return Ok(());
        }
        match self.link(place, name) {
            Err(Errno::EXIST) => {}
            other => return other,
        }
        let own_name = temporary_name();
        self.link(place, own_name.as_bytes())?;
        let own_place = place.try_clone().map_err(|_| Errno::MFILE);
        match own_place {
            Ok(own_place) => self.named = Some((own_place, own_name.clone())),
            Err(error) => {
                rustix::fs::unlinkat(place, own_name.as_str(), AtFlags::empty()).ok();
                return Err(error);
            }
        }
        rustix::fs::renameat(place, own_name.as_str(), place, name)?;
        self.named = None;
        Ok(())
    }

    fn link(&self, place: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        use std::os::fd::AsRawFd as _;
        // Without privilege a file is linked by this way alone: open(2), O_TMPFILE.
        let own = format!("/proc/thread-self/fd/{}", self.file.as_raw_fd());
        rustix::fs::linkat(
            rustix::fs::CWD,
            own.as_str(),
            place,
            name,
            AtFlags::SYMLINK_FOLLOW,
        )
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some((place, name)) = &self.named {
            // It may have gone with its directory.
            rustix::fs::unlinkat(place, name.as_str(), AtFlags::empty()).ok();
        }
    }
}

fn temporary_name() -> String {
    format!(".{}.part", uuid::Uuid::new_v4().simple())
}
