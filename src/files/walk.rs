//! Finds what a glob matches, however a program has arranged its workspace: one directory open at a time, each path looked up from the
//! workspace's own directory, and bounds on all of it.

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use super::path::{DEPTH_MAX, FilePath, depth};
use super::pattern::Pattern;
use super::root::{Root, kind_of};
use super::{ErrorKind, Failures, FileError, Kind};

/// Bounds of one walk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WalkLimits {
    /// Entries that are looked at, whether they match or not.
    pub(crate) entries: usize,
    /// Bytes of the paths of directories that are still to be looked into.
    pub(crate) pending_bytes: usize,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            pending_bytes: 4 << 20,
        }
    }
}

/// What a walk has found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: FilePath,
    pub(super) kind: Kind,
}

/// Whether a walk has seen all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    All,
    /// Its bounds, or who takes what it finds, ended it.
    Part,
}

/// Calls `take` for all that matches, a directory before what is in it. `take` says false when it wants no more.
pub(super) fn walk<E>(
    root: &Root,
    pattern: &Pattern,
    limits: WalkLimits,
    failures: &mut Failures,
    mut take: impl FnMut(Found, &mut Failures) -> Result<bool, E>,
) -> Result<Walked, E> {
    let mut pending = vec![pattern.base().to_vec()];
    let mut pending_bytes = 0;
    let mut entries = 0;
    let mut walked = Walked::All;
    while let Some(directory) = pending.pop() {
        pending_bytes -= directory.len().min(pending_bytes);
        let listing = match root.listed(&directory).and_then(Dir::new) {
            Ok(listing) => listing,
            // It has gone meanwhile, or the glob names one that is not there.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(error) => {
                failures.add(FilePath::unreached(b"", &directory), error.into());
                continue;
            }
        };
        let first_child = pending.len();
        let mut listing = listing;
        while let Some(entry) = listing.read() {
            let Ok(entry) = entry else { break };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            entries += 1;
            if entries > limits.entries {
                return Ok(Walked::Part);
            }
            let Some(path) = FilePath::join(&directory, name) else {
                let error = FileError::new(ErrorKind::TooDeep, "it lies too deep to be reached");
                failures.add(FilePath::unreached(&directory, name), error);
                walked = Walked::Part;
                if depth(&directory) == DEPTH_MAX {
                    break;
                }
                continue;
            };
            let kind = match entry.file_type() {
                // Some file systems don't say.
                FileType::Unknown => match listing
                    .fd()
                    .and_then(|fd| statat(fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW))
                {
                    Ok(stat) => kind_of(&stat),
                    Err(_) => continue,
                },
                kind => kind.into(),
            };
            // Into those at the bound, too, to see that they have something.
            let deep = depth(path.as_bytes()) < pattern.depth() || pattern.depth() == DEPTH_MAX;
            if kind == Kind::Directory && deep {
                if pending_bytes + path.as_bytes().len() > limits.pending_bytes {
                    walked = Walked::Part;
                } else {
                    pending_bytes += path.as_bytes().len();
                    pending.push(path.as_bytes().to_vec());
                }
            }
            if pattern.matches(path.as_bytes()) && !take(Found { path, kind }, failures)? {
                return Ok(Walked::Part);
            }
        }
        // The last that was pushed is the next: so they come in the order of their directory.
        if let Some(children) = pending.get_mut(first_child..) {
            children.reverse();
        }
    }
    Ok(walked)
}
