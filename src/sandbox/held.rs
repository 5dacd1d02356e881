//! What is done to a file that is held by a descriptor, by the descriptor's number: no name is looked up again, so no link that has taken its place
//! is followed.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, linkat, openat};
use rustix::path::Arg;

/// Holds what a name stands for, which is a link itself if it is one.
pub(super) fn hold(directory: BorrowedFd<'_>, name: impl Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

/// This process's `/proc/self/fd`, also once it has another root or another `/proc`.
#[derive(Debug)]
pub(super) struct Numbers(OwnedFd);

impl Numbers {
    /// Opens it, as it is to be seen from here. A fork has another.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, "/proc/self/fd", flags, Mode::empty())?))
    }

    /// Changes the mode of what is held. A link has none.
    pub(super) fn chmod(&self, held: &OwnedFd, mode: Mode) -> io::Result<()> {
        Ok(chmodat(&self.0, name(held), mode, AtFlags::empty())?)
    }

    /// Opens what is held.
    pub(super) fn reopen(&self, held: &OwnedFd, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags.difference(OFlags::NOFOLLOW);
        Ok(openat(&self.0, name(held), flags, Mode::empty())?)
    }

    /// Gives what is held one more name.
    pub(super) fn link(
        &self,
        held: &OwnedFd,
        directory: BorrowedFd<'_>,
        new: impl Arg,
    ) -> io::Result<()> {
        let follow = AtFlags::SYMLINK_FOLLOW;
        Ok(linkat(&self.0, name(held), directory, new, follow)?)
    }
}

fn name(held: &OwnedFd) -> String {
    held.as_raw_fd().to_string()
}
