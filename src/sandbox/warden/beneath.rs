//! The directories of copies in their cell's own file system, at level `namespace` where copies have no roots of their own.
//!
//! The cell's programs can make, move and remove whatever is there: nothing of it is followed if it is a link.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, mkdirat, openat};

use super::roots::PLACES;
use crate::sandbox::cell::BRANCHES;
use crate::sandbox::copyist::DIRECTORY;
use crate::sandbox::workspace;

/// The root of a cell, by its reaper: this process's own child, and not reaped, so that its number is nobody else's.
pub(super) fn open_root(reaper: i32) -> io::Result<OwnedFd> {
    let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = format!("/proc/{reaper}/root");
    Ok(rustix::fs::open(root, path, Mode::empty())?)
}

/// Where the directories of all copies of a cell are.
pub(super) fn open_branches(reaper: i32) -> io::Result<OwnedFd> {
    let name = BRANCHES.trim_start_matches('/');
    Ok(openat(&open_root(reaper)?, name, DIRECTORY, Mode::empty())?)
}

/// The name of a copy's there, by the path of its workspace as the cell sees it.
fn name(workspace: &Path) -> io::Result<&OsStr> {
    let name = workspace.parent().and_then(Path::file_name);
    name.ok_or_else(|| io::Error::other("a workspace that is nowhere"))
}

/// Makes the directories of a copy: those of [`PLACES`], in one that is returned.
pub(super) fn make(branches: &OwnedFd, workspace: &Path) -> io::Result<OwnedFd> {
    let name = name(workspace)?;
    mkdirat(branches, name, Mode::RWXU)?;
    let made = openat(branches, name, DIRECTORY, Mode::empty()).and_then(|files| {
        let mut places = PLACES.iter();
        places.try_for_each(|(name, _)| mkdirat(&files, *name, Mode::RWXU))?;
        Ok(files)
    });
    made.map_err(|error| {
        drop(remove(branches, workspace));
        error.into()
    })
}

/// Removes them.
pub(super) fn remove(branches: &OwnedFd, workspace: &Path) -> io::Result<()> {
    let branches = format!("/proc/self/fd/{}", branches.as_raw_fd());
    workspace::remove_shared(&Path::new(&branches).join(name(workspace)?))
}
