//! Removes what an episode has left in its directory: anything that a program can make, by a server that may have no privilege.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

use super::held::Numbers;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Removes a directory and all beneath it, or what is in its place. Its episode has ended, so nobody adds to it; another removal of the same may be under way.
///
/// However deep the tree is, it takes two descriptors and a few bytes: what is in a directory is moved up to the top before the directory is
/// removed. Directories that forbid it to their owner are opened up first. Symbolic links are removed, never followed.
///
/// # Errors
/// The first thing that could not be removed. That there is nothing is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    remove_until(path, None)
}

/// How long the removal of one directory may take to which others may add.
const SHARED_WITHIN: Duration = Duration::from_secs(10);

/// The same of a directory that others can still reach, who may add to it for ever.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if it was not done within 10 s.
pub(crate) fn remove_shared(path: &Path) -> io::Result<()> {
    remove_until(path, Some(Instant::now() + SHARED_WITHIN))
}

fn remove_until(path: &Path, until: Option<Instant>) -> io::Result<()> {
    /// How often another removal may take something away between two calls of this one.
    const TRIES: usize = 1000;
    for _ in 0..TRIES {
        match remove_once(path, until) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It had more than is looked at in one go, or something was added meanwhile.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            // Something was put into another's place.
            Err(error) if until.is_some() && error.kind() == io::ErrorKind::NotADirectory => {}
            other => return other,
        }
    }
    remove_once(path, until)
}

fn remove_once(path: &Path, until: Option<Instant>) -> io::Result<()> {
    match rustix::fs::unlinkat(rustix::fs::CWD, path, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // A link, or whatever else is in its place.
        Err(Errno::NOTDIR) => return Ok(rustix::fs::unlink(path)?),
        Err(_) => {}
    }
    let top = open(rustix::fs::CWD, path)?;
    let mut moved = 0_u64;
    loop {
        let names = names(top.as_fd())?;
        if names.is_empty() {
            break;
        }
        for name in &names {
            clear(top.as_fd(), name, &mut moved)?;
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
    Ok(unlinkat(rustix::fs::CWD, path, AtFlags::REMOVEDIR)?)
}

/// Removes one entry of the top directory; what is in it, if it is a directory, is moved to the top.
fn clear(top: BorrowedFd<'_>, name: &CStr, moved: &mut u64) -> io::Result<()> {
    match unlinkat(top, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // A directory: unlink(2) answers EISDIR on Linux, EPERM elsewhere.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    if unlinkat(top, name, AtFlags::REMOVEDIR).is_ok() {
        return Ok(());
    }
    let directory = open(top, name)?;
    for inner in self::names(directory.as_fd())? {
        match unlinkat(&directory, &*inner, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        // To be moved, a directory has to be its owner's to write.
        drop(open(directory.as_fd(), &*inner)?);
        *moved += 1;
        loop {
            // A name that a program has given already is passed over: renaming onto a directory that is not empty fails.
            match renameat(&directory, &*inner, top, format!("{moved}.moved")) {
                Ok(()) => break,
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => *moved += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(unlinkat(top, name, AtFlags::REMOVEDIR)?)
}

/// Opens a directory, and its mode. What has taken its place is not followed.
fn open(at: BorrowedFd<'_>, name: impl Arg) -> io::Result<OwnedFd> {
    let held = openat(at, name, DIRECTORY | OFlags::PATH, Mode::empty())?;
    let numbers = Numbers::open()?;
    numbers.chmod(&held, Mode::RWXU)?;
    numbers.reopen(&held, DIRECTORY)
}

/// The entries of a directory, at most some thousands at a time.
fn names(directory: BorrowedFd<'_>) -> io::Result<Vec<std::ffi::CString>> {
    const NAMES_MAX: usize = 4096;
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push(name.to_owned());
        }
        if names.len() == NAMES_MAX {
            break;
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn whatever_a_program_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        let workspace = dir.path().join("workspace");
        fs::create_dir_all(workspace.join("closed/inner")).unwrap();
        fs::write(workspace.join("closed/inner/file"), "x").unwrap();
        symlink(&kept, workspace.join("link")).unwrap();
        symlink(&kept, workspace.join("closed/link")).unwrap();
        fs::create_dir_all(workspace.join("1.moved/full")).unwrap();
        fs::write(workspace.join("1.moved/full/x"), "x").unwrap();
        fs::create_dir_all(workspace.join("deep/a/b")).unwrap();
        fs::set_permissions(
            workspace.join("closed/inner"),
            Permissions::from_mode(0o000),
        )
        .unwrap();
        fs::set_permissions(workspace.join("closed"), Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(&workspace, Permissions::from_mode(0o000)).unwrap();
        remove(&workspace).unwrap();
        assert!(!workspace.exists());
        assert_eq!(fs::read(kept.join("file")).unwrap(), b"x");
        remove(&workspace).unwrap();
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("workspace");
        fs::create_dir(&workspace).unwrap();
        let mut at = rustix::fs::open(&workspace, DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, "ddddd", Mode::RWXU).unwrap();
            at = openat(&at, "ddddd", DIRECTORY, Mode::empty()).unwrap();
        }
        remove(&workspace).unwrap();
        assert!(!workspace.exists());
    }
}
