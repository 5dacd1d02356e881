//! What is done to a file that is held by a descriptor, by the descriptor's number (`/proc/self/fd`): no name is looked up again, so no link that has
//! taken its place is followed.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, linkat, openat};
use rustix::path::Arg;

/// Holds what a name stands for, which is a link itself if it is one.
pub(super) fn hold(directory: BorrowedFd<'_>, name: impl Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

fn name(held: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}

/// Changes its mode. A link has none.
pub(super) fn chmod(held: &OwnedFd, mode: Mode) -> io::Result<()> {
    Ok(chmodat(CWD, name(held), mode, AtFlags::empty())?)
}

/// Opens it.
pub(super) fn open(held: &OwnedFd, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(
        name(held),
        flags.difference(OFlags::NOFOLLOW),
        Mode::empty(),
    )?)
}

/// Gives it one more name.
pub(super) fn link(held: &OwnedFd, directory: BorrowedFd<'_>, new: impl Arg) -> io::Result<()> {
    let follow = AtFlags::SYMLINK_FOLLOW;
    Ok(linkat(CWD, name(held), directory, new, follow)?)
}
