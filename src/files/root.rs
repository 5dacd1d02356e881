//! A workspace's directory, and the only ways into it: by openat2(2), beneath it, through no link and into no other file system. What is opened for
//! reading is a regular file or a directory.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, statat};
use rustix::io::Errno;

use super::path::FilePath;
use super::{DIRECTORY_MODE, FileError, Kind};
use crate::sandbox::sys_files::ActingAs;

const RESOLVE: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);
/// To go through it.
const PLACE: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// To list it.
const LISTED: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// A FIFO without a writer, a file with a lease: nothing blocks.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
/// How often a path is looked up again when something was moved meanwhile, which openat2 says by EAGAIN.
const LOOKUPS_MAX: usize = 8;

/// A workspace's directory.
#[derive(Debug)]
pub(crate) struct Root {
    directory: OwnedFd,
    /// Whose it is, where that is not this process's own user: the episode's uid and gid.
    owner: Option<(u32, u32)>,
}

/// Why a workspace can't be worked in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRoot {
    #[error("this host has no openat2(2), without which a program could lead the server elsewhere")]
    NoOpenat2,
    #[error("the server can't take the episode's rights on files (setfsuid(2))")]
    NoRights,
    #[error("the workspace can't be opened: {0}")]
    Other(String),
}

impl Root {
    /// Takes a descriptor of the directory, opened with O_PATH.
    pub(crate) fn new(directory: OwnedFd) -> Result<Self, NoRoot> {
        let other = |error: Errno| NoRoot::Other(io::Error::from(error).to_string());
        let stat = fstat(&directory).map_err(other)?;
        let own = rustix::process::geteuid().as_raw();
        let root = Self {
            owner: (stat.st_uid != own).then_some((stat.st_uid, stat.st_gid)),
            directory,
        };
        let _acting = root.act()?;
        match root.open(b".", PLACE, 0) {
            Ok(_) => Ok(root),
            Err(Errno::NOSYS) => Err(NoRoot::NoOpenat2),
            Err(error) => Err(other(error)),
        }
    }

    /// Has this thread work with the episode's own rights, until what is returned is dropped: the server so reads and writes nothing that the
    /// episode could not, and what it makes is the episode's.
    pub(crate) fn act(&self) -> Result<Option<ActingAs>, NoRoot> {
        let begin = |(uid, gid)| ActingAs::begin(uid, gid).map_err(|_| NoRoot::NoRights);
        self.owner.map(begin).transpose()
    }

    fn open(&self, path: &[u8], flags: OFlags, mode: u32) -> Result<OwnedFd, Errno> {
        open_beneath(self.directory.as_fd(), path, flags, mode)
    }

    /// A directory to work in. The empty path is the workspace.
    pub(super) fn place(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open(or_dot(path), PLACE, 0)
    }

    /// A directory to list.
    pub(super) fn listed(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open(or_dot(path), LISTED, 0)
    }

    /// As [`place`](Self::place), and makes what is not there of it.
    pub(super) fn made_place(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        match self.place(path) {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        let mut at = self.place(b"")?;
        for name in path.split(|byte| *byte == b'/') {
            at = match open_beneath(at.as_fd(), name, PLACE, 0) {
                Err(Errno::NOENT) => made_directory(at.as_fd(), name, DIRECTORY_MODE)?,
                other => other?,
            };
        }
        Ok(at)
    }

    /// A regular file to read, and what it is. `known` is its kind as its directory tells it. Nothing else is opened: even to open a FIFO is
    /// felt at its other end.
    pub(super) fn file(
        &self,
        path: &FilePath,
        known: Option<Kind>,
    ) -> Result<(OwnedFd, Stat), FileError> {
        match known {
            Some(Kind::File) => {}
            Some(other) => return Err(FileError::not_a_file(other)),
            None => match kind_of(&self.stat(path)?) {
                Kind::File => {}
                other => return Err(FileError::not_a_file(other)),
            },
        }
        let file = self.open(path.as_bytes(), READ, 0)?;
        let stat = fstat(&file)?;
        match kind_of(&stat) {
            Kind::File => Ok((file, stat)),
            other => Err(FileError::not_a_file(other)),
        }
    }

    /// What an entry is; of a link the link itself.
    pub(super) fn stat(&self, path: &FilePath) -> Result<Stat, Errno> {
        let (directory, name) = path.split();
        let directory = self.place(directory)?;
        statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)
    }
}

fn or_dot(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"." } else { path }
}

pub(super) fn kind_of(stat: &Stat) -> Kind {
    FileType::from_raw_mode(stat.st_mode).into()
}

/// openat2(2) beneath a directory. Never anything else in its place.
pub(super) fn open_beneath(
    at: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: u32,
) -> Result<OwnedFd, Errno> {
    let mut result = Err(Errno::AGAIN);
    for _ in 0..LOOKUPS_MAX {
        result = openat2(at, path, flags, Mode::from_raw_mode(mode), RESOLVE);
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    result
}

/// Opens a directory to list it, by its name in another.
pub(super) fn list_beneath(at: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    open_beneath(at.as_fd(), name, LISTED, 0)
}

/// Makes a directory, unless it is there, and opens it.
pub(super) fn made_directory(at: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o700)) {
        Ok(()) => {
            // Its own mode whatever this process's mask is. Through a descriptor of it: its name may be another's by now.
            let made = list_beneath(at, name)?;
            rustix::fs::fchmod(&made, Mode::from_raw_mode(mode))?;
            Ok(made)
        }
        Err(Errno::EXIST) => open_beneath(at, name, PLACE, 0),
        Err(error) => Err(error),
    }
}
