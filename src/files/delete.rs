//! Deletes what a workspace has, while its program may move things about: links are removed and never followed, and a directory is entered by a
//! descriptor of itself.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, renameat, unlinkat};
use rustix::io::Errno;

use super::path::{FilePath, depth};
use super::root::{Root, list_beneath};
use super::walk::{WalkLimits, Walked, walk};
use super::{CallLimits, Selector, Summary};

/// Bytes of the paths that globs find before they are deleted.
const FOUND_BYTES_MAX: usize = 8 << 20;
/// Entries of directories that are looked at, for each that may be deleted.
const WORK_PER_FILE: u32 = 4;
/// Entries of a directory that are read before they are deleted.
const NAMES_MAX: usize = 4096;

/// Deletes what the selectors mean, with `recursive` directories and all that is in them.
pub(crate) fn delete(
    root: &Root,
    selectors: &[Selector],
    recursive: bool,
    limits: CallLimits,
) -> Summary {
    let mut deletion = Deletion {
        root,
        recursive,
        left: limits.files,
        work_left: limits.files.saturating_mul(WORK_PER_FILE),
        summary: Summary::default(),
    };
    for selector in selectors {
        match selector {
            Selector::Path(path) => deletion.one(path),
            Selector::Pattern(pattern) => {
                let mut found = Vec::new();
                let mut bytes = 0;
                let mut failures = std::mem::take(&mut deletion.summary.failures);
                let max = usize::try_from(limits.files).unwrap_or(usize::MAX);
                let walked = walk(
                    root,
                    pattern,
                    WalkLimits::default(),
                    &mut failures,
                    |entry, _| {
                        bytes += entry.path.as_bytes().len();
                        if found.len() >= max || bytes > FOUND_BYTES_MAX {
                            return Ok::<bool, Infallible>(false);
                        }
                        found.push(entry.path);
                        Ok(true)
                    },
                );
                deletion.summary.failures = failures;
                deletion.summary.truncated |= walked != Ok(Walked::All);
                // What is in a directory before the directory; with `recursive` a directory takes it along.
                found.sort_by_key(|path| std::cmp::Reverse(depth(path.as_bytes())));
                found.iter().for_each(|path| deletion.one(path));
            }
        }
    }
    deletion.summary
}

struct Deletion<'a> {
    root: &'a Root,
    recursive: bool,
    /// How many more may be deleted.
    left: u32,
    /// How many more entries of directories may be looked at: a program may put them back.
    work_left: u32,
    summary: Summary,
}

impl Deletion<'_> {
    fn one(&mut self, path: &FilePath) {
        let (directory, name) = path.split();
        let deleted = self
            .root
            .place(directory)
            .and_then(|place| self.entry(&place, name));
        match deleted {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.summary.failures.add(path.clone(), error.into()),
        }
    }

    /// Whether one more may be deleted, or looked at.
    fn may(&mut self) -> bool {
        let may = self.left > 0 && self.work_left > 0;
        self.work_left = self.work_left.saturating_sub(1);
        self.summary.truncated |= !may;
        may
    }

    fn count(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.summary.files += 1;
    }

    fn entry(&mut self, place: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        if !self.may() {
            return Ok(());
        }
        match unlinkat(place, name, AtFlags::empty()) {
            Ok(()) => {
                self.count();
                return Ok(());
            }
            // A directory: unlink(2) answers EISDIR on Linux, EPERM elsewhere.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error),
        }
        match self.remove_directory(place, name) {
            Err(Errno::NOTEMPTY | Errno::EXIST) if self.recursive => self.tree(place, name),
            other => other,
        }
    }

    fn remove_directory(&mut self, place: impl AsFd, name: &[u8]) -> Result<(), Errno> {
        if !self.may() {
            return Ok(());
        }
        unlinkat(place, name, AtFlags::REMOVEDIR)?;
        self.count();
        Ok(())
    }

    /// A directory with all that is in it. However deep it is, that takes two descriptors: what is in a directory that is not empty is
    /// moved up to the top before the directory is removed.
    fn tree(&mut self, place: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        let top = list_beneath(place, name)?;
        loop {
            let names = names(&top)?;
            if names.is_empty() {
                break;
            }
            for inner in &names {
                if !self.may() {
                    return Ok(());
                }
                match self.clear(&top, inner) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.remove_directory(place, name)
    }

    /// Removes an entry of the top directory; what is in it, if it is a directory, goes to the top.
    fn clear(&mut self, top: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        match unlinkat(top, name, AtFlags::empty()) {
            Ok(()) => {
                self.count();
                return Ok(());
            }
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error),
        }
        match self.remove_directory(top, name) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            other => return other,
        }
        let directory = list_beneath(top, name)?;
        for inner in names(&directory)? {
            if !self.may() {
                return Ok(());
            }
            match unlinkat(&directory, &*inner, AtFlags::empty()) {
                Ok(()) => {
                    self.count();
                    continue;
                }
                Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR | Errno::PERM) => {}
                Err(error) => return Err(error),
            }
            // No name that a program has given.
            let moved = format!(".{}.moved", uuid::Uuid::new_v4().simple());
            match renameat(&directory, &*inner, top, moved.as_str()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        match self.remove_directory(top, name) {
            // It had more names than are read at once, or a program adds to it: the next round looks again.
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            other => other,
        }
    }
}

/// The entries of a directory, at most some thousands at a time.
fn names(directory: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_owned());
        }
        if names.len() == NAMES_MAX {
            break;
        }
    }
    Ok(names)
}
