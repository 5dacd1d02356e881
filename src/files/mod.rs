//! Files of a workspace: where they may be, and how they are written, read, listed and deleted. A program that means harm owns the directory and
//! changes it meanwhile.
//!
//! [`path`] says what a path is and [`pattern`] what a glob means (both pure); [`root`] opens what is beneath a workspace, with the
//! episode's own rights and never through a link; [`walk`] finds; [`write`], [`read`] and [`delete`] do the work. All of it
//! blocks, so it belongs on a thread that may. Nothing here knows episodes, tasks or gRPC.

pub(crate) mod delete;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod read;
pub(crate) mod root;
pub(crate) mod walk;
pub(crate) mod write;

use std::io;

use bytes::Bytes;
use rustix::fs::FileType;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

pub(crate) use self::path::FilePath;
pub(crate) use self::pattern::Pattern;
pub(crate) use self::root::Root;

/// The data of one chunk that a client sends, at the most.
pub(crate) const CHUNK_BYTES_MAX: usize = 1 << 20;
/// What is read of a file at once, and about what a message to a client has.
pub(crate) const PIECE_BYTES: usize = 256 << 10;
/// Failures that a reply tells one by one, and the bytes of their paths and messages.
const FAILURES_MAX: usize = 1000;
const FAILURES_BYTES_MAX: usize = 256 << 10;
/// Permission bits of a file or directory that a client says nothing of.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

/// What bounds one call, as far as it may differ from server to server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallLimits {
    /// Files and directories that it moves, lists or deletes.
    pub(crate) files: u32,
    /// Bytes of data that it moves.
    pub(crate) bytes: u64,
    /// The size of a file that it writes.
    pub(crate) file_bytes: u64,
}

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    /// A FIFO, a socket or a device.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// Seconds since 1970, and nanoseconds on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) path: FilePath,
    pub(crate) kind: Kind,
    /// Permission bits.
    pub(crate) mode: u32,
    /// As the file system tells it.
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    pub(crate) sha256: Option<[u8; 32]>,
}

impl Info {
    fn new(path: FilePath, stat: &rustix::fs::Stat) -> Self {
        let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
        Self {
            path,
            kind: FileType::from_raw_mode(stat.st_mode).into(),
            mode: stat.st_mode & 0o777,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: Moment {
                seconds: stat.st_mtime,
                nanos,
            },
            sha256: None,
        }
    }
}

/// What is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewFile {
    pub(crate) path: FilePath,
    /// A directory, and no file.
    pub(crate) directory: bool,
    pub(crate) mode: Option<u32>,
    pub(crate) modified: Option<Moment>,
    /// How many bytes are to come.
    pub(crate) size: Option<u64>,
}

/// A piece of a file that a client sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewChunk {
    pub(crate) file: Option<NewFile>,
    pub(crate) data: Bytes,
    pub(crate) end: Option<NewEnd>,
}

/// The end of a file that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NewEnd {
    /// It is whole. Its SHA-256, if the client tells it.
    Whole(Option<[u8; 32]>),
    /// The client can't go on.
    GivenUp,
}

/// What went wrong with one file, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Unspecified,
    NotFound,
    NotAFile,
    IsADirectory,
    NotADirectory,
    TooLarge,
    NoSpace,
    Permission,
    NotEmpty,
    Mismatch,
    Incomplete,
    TooDeep,
}

impl ErrorKind {
    /// Its name, in errors' metadata.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::NotFound => "not_found",
            Self::NotAFile => "not_a_file",
            Self::IsADirectory => "is_a_directory",
            Self::NotADirectory => "not_a_directory",
            Self::TooLarge => "too_large",
            Self::NoSpace => "no_space",
            Self::Permission => "permission",
            Self::NotEmpty => "not_empty",
            Self::Mismatch => "mismatch",
            Self::Incomplete => "incomplete",
            Self::TooDeep => "too_deep",
        }
    }
}

/// What went wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct FileError {
    pub(crate) kind: ErrorKind,
    pub(crate) text: String,
}

impl FileError {
    fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    fn not_a_file(kind: Kind) -> Self {
        match kind {
            Kind::Directory => Self::new(ErrorKind::IsADirectory, "it is a directory"),
            Kind::Link => Self::new(
                ErrorKind::NotAFile,
                "it is a symbolic link, which is not followed",
            ),
            _ => Self::new(ErrorKind::NotAFile, "it is no regular file"),
        }
    }
}

impl From<Errno> for FileError {
    fn from(errno: Errno) -> Self {
        let (kind, text) = match errno {
            Errno::NOENT => (ErrorKind::NotFound, "there is nothing with this path"),
            Errno::NOTDIR | Errno::LOOP | Errno::XDEV => (
                ErrorKind::NotADirectory,
                "a component of its path is no directory; links are not followed",
            ),
            Errno::ISDIR => (ErrorKind::IsADirectory, "it is a directory"),
            Errno::NXIO => (ErrorKind::NotAFile, "it is no regular file"),
            Errno::NOTEMPTY => (ErrorKind::NotEmpty, "the directory is not empty"),
            Errno::NOSPC | Errno::DQUOT => (
                ErrorKind::NoSpace,
                "no space is left in the workspace: delete some, or reset with a higher limit",
            ),
            Errno::FBIG => (ErrorKind::TooLarge, "it is larger than a file may be"),
            Errno::ACCESS | Errno::PERM | Errno::ROFS => (
                ErrorKind::Permission,
                "the episode's own rights don't allow it",
            ),
            Errno::NAMETOOLONG => (ErrorKind::TooDeep, "its path is too long"),
            other => {
                let error = io::Error::from(other);
                return Self::new(ErrorKind::Unspecified, error.to_string());
            }
        };
        Self::new(kind, text)
    }
}

/// Failures of a call: all are counted, the first are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    pub(crate) told: Vec<(FilePath, FileError)>,
    bytes: usize,
}

impl Failures {
    fn add(&mut self, path: FilePath, error: FileError) {
        self.count = self.count.saturating_add(1);
        let bytes = path.as_bytes().len() + error.text.len();
        if self.told.len() < FAILURES_MAX && self.bytes + bytes <= FAILURES_BYTES_MAX {
            self.bytes += bytes;
            self.told.push((path, error));
        }
    }
}

/// What a call found or did, in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Files and directories that it is done with.
    pub(crate) files: u32,
    pub(crate) bytes: u64,
    pub(crate) failures: Failures,
    /// A limit ended it before all was found.
    pub(crate) truncated: bool,
}

/// Which files are meant.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    Path(FilePath),
    Pattern(Pattern),
}

/// SHA-256, if it is wanted.
#[derive(Debug, Default)]
struct Hash(Option<Sha256>);

impl Hash {
    fn new(wanted: bool) -> Self {
        Self(wanted.then(Sha256::new))
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.0 {
            hash.update(bytes);
        }
    }

    fn finish(self) -> Option<[u8; 32]> {
        self.0.map(|hash| hash.finalize().into())
    }
}
