//! The roots of copies at level `namespace`: for each a tree of mounts of its own, with the same paths as its cell's and a file system of its own for what it writes.
//!
//! They are put together by a process for the purpose, in a mount namespace for the purpose: what it mounts there nobody else sees. A copy enters its root by a descriptor
//! of the finished tree, which no mount namespace has, and which is gone with the last process that is in it.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{CWD, Gid, Mode, OFlags, Uid, chownat, mkdirat, openat};
use rustix::mount::{
    MountFlags, OpenTreeFlags, UnmountFlags, mount, mount_bind, open_tree, unmount,
};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use crate::limits::CellLimits;
use crate::sandbox::cell::OWN_INODES;
use crate::sandbox::copyist;
use crate::sandbox::sys_walls;

/// The directories of a cell's file system, and where each is seen: as `files` of `cell.rs` has them. The last covers the file system's root.
pub(super) const PLACES: [(&CStr, &CStr); 3] = [
    (c"tmp", c"/tmp"),
    (c"shm", c"/dev/shm"),
    (c"workspace", c"/workspace"),
];
const WORKSPACE: &CStr = c"/workspace";

/// A root that was made.
pub(super) struct Root {
    /// The tree of mounts itself. To close it takes milliseconds, because the kernel then waits for all processors (`dissolve_on_fput` of fs/namespace.c): nobody
    /// should wait for that.
    pub(super) tree: OwnedFd,
    /// Its top directory, in a tree of mounts that lives as long as something refers to it.
    pub(super) top: OwnedFd,
    /// The root of its file system, which has the directories of [`PLACES`].
    pub(super) files: OwnedFd,
    /// Those directories, to copy into.
    pub(super) to: Vec<OwnedFd>,
}

/// Enters a mount namespace of this process's own, which is as that of a cell, without the cell's own files.
pub(super) fn enter(cell: &OwnedFd) -> io::Result<()> {
    move_into_link_name_space(cell.as_fd(), Some(LinkNameSpaceType::Mount))?;
    sys_walls::unshare(UnshareFlags::NEWNS)?;
    take_off()
}

/// Takes off a cell's file system: its three directories, and its root beneath the last.
fn take_off() -> io::Result<()> {
    for (_, place) in PLACES.iter().rev() {
        unmount(*place, UnmountFlags::DETACH)?;
    }
    unmount(WORKSPACE, UnmountFlags::DETACH)?;
    Ok(())
}

/// Makes a root for a copy with this uid.
pub(super) fn make(limits: &CellLimits, uid: u32) -> io::Result<Root> {
    let CellLimits {
        workspace_bytes,
        workspace_inodes,
        ..
    } = limits;
    let inodes = workspace_inodes.saturating_add(OWN_INODES);
    let options = CString::new(format!(
        "size={workspace_bytes},nr_inodes={inodes},mode=755"
    ))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount(c"episode", WORKSPACE, c"tmpfs", flags, Some(&*options))?;
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let files = openat(CWD, WORKSPACE, directory, Mode::empty())?;
    let (owner, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    for (name, _) in PLACES {
        mkdirat(&files, name, Mode::RWXU)?;
        chownat(
            &files,
            name,
            Some(owner),
            Some(group),
            rustix::fs::AtFlags::empty(),
        )?;
    }
    for (name, place) in PLACES {
        let source = [b"/workspace/", name.to_bytes()].concat();
        mount_bind(&*source, place)?;
    }
    let to = open_places(&files)?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, c"/", flags)?;
    // No O_PATH: a call's answer brings no such descriptor.
    let top = openat(&tree, c".", copyist::DIRECTORY, Mode::empty())?;
    take_off()?;
    Ok(Root {
        tree,
        top,
        files,
        to,
    })
}

/// Opens the directories of a cell's file system for reading.
pub(super) fn open_places(files: &OwnedFd) -> io::Result<Vec<OwnedFd>> {
    let open =
        |(name, _): (&CStr, &CStr)| Ok(openat(files, name, copyist::DIRECTORY, Mode::empty())?);
    PLACES.into_iter().map(open).collect()
}

/// Opens the same directories where the first worker of a cell sees them.
pub(super) fn open_first(root: &OwnedFd) -> io::Result<Vec<OwnedFd>> {
    let open = |(_, place): (&CStr, &CStr)| {
        let place = place.to_bytes().strip_prefix(b"/").unwrap_or_default();
        Ok(openat(root, place, copyist::DIRECTORY, Mode::empty())?)
    };
    PLACES.into_iter().map(open).collect()
}
