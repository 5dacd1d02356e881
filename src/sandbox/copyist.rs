//! Copies an episode's files for a copy of it: a tree of anything that a program can make, from one directory into another.
//!
//! It reads with the rights of the one episode and writes with those of the other, where they have uids of their own, so that no link and no mode can make it
//! reach what these could not. Nothing is followed. What has no content to copy (sockets, devices) is left out.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, ResolveFlags, SeekFrom, Stat, Timespec,
    Timestamps, fchmod, fstat, ftruncate, futimens, mkdirat, mknodat, openat, openat2, readlinkat,
    seek, sendfile, statat, symlinkat,
};
use rustix::io::Errno;

use super::held::{self, Numbers};
use super::order::Files;
use super::sys_files::ActingAs;

/// The deepest directory below the top. Each takes two descriptors while it is copied.
const DEPTH_MAX: usize = 256;
/// The most that is copied at once.
const PIECE_BYTES: u64 = 1 << 30;

pub(super) const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Whose the files are, where episodes have uids of their own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Owners {
    pub(super) from: Option<u32>,
    pub(super) to: Option<u32>,
}

/// What a copy may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
    /// Files, directories and the like.
    pub(super) entries: u32,
}

/// Why files were not copied.
#[derive(Debug)]
enum Fault {
    TooLarge,
    TooMany,
    TooDeep,
    Io(io::Error),
}

impl<E: Into<io::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Io(error.into())
    }
}

/// Copies what is in each directory of the first list into the one beside it in the second. All of them together have the room.
pub(super) fn copy(
    numbers: &Numbers,
    from: &[OwnedFd],
    to: &[OwnedFd],
    owners: Owners,
    room: Room,
) -> Files {
    let mut copyist = Copyist {
        numbers,
        owners,
        room,
        bytes: 0,
        entries: 0,
    };
    for (from, to) in from.iter().zip(to) {
        let mut top = Top {
            to: to.as_fd(),
            linked: HashMap::new(),
        };
        let fault = match copyist.directory(&mut top, from.as_fd(), to.as_fd(), Path::new(""), 0) {
            Ok(()) => continue,
            Err(fault) => fault,
        };
        return match fault {
            Fault::TooLarge => Files::TooLarge {
                bytes: copyist.bytes,
                bytes_max: room.bytes,
            },
            Fault::TooMany => Files::Failed(format!(
                "the episode has more than {} files, which is what a copy may have",
                room.entries
            )),
            Fault::TooDeep => Files::Failed(format!(
                "the episode's directories are more than {DEPTH_MAX} deep"
            )),
            Fault::Io(error) => {
                Files::Failed(format!("the episode's files can't be copied: {error}"))
            }
        };
    }
    Files::Made
}

/// Device and inode.
type Identity = (u64, u64);

/// A tree's top, and of files with several names where in the new one the first is, and which.
struct Top<'a> {
    to: BorrowedFd<'a>,
    linked: HashMap<Identity, (PathBuf, Identity)>,
}

struct Copyist<'a> {
    numbers: &'a Numbers,
    owners: Owners,
    room: Room,
    /// Copied so far.
    bytes: u64,
    entries: u32,
}

/// Does something with the rights of a uid, if there is one.
fn acting<T>(uid: Option<u32>, action: impl FnOnce() -> T) -> io::Result<T> {
    let _acting = uid.map(|uid| ActingAs::begin(uid, uid)).transpose()?;
    Ok(action())
}

fn names(directory: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// All that chmod(2) sets. A copy has the owner's own, so nothing is gained by a set-user-id bit.
fn permissions(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & RawMode::from(0o7777_u16))
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// A file or directory that is read.
struct Source {
    file: OwnedFd,
    /// Held to get its mode back, which let its owner not read it.
    locked: Option<OwnedFd>,
}

/// Opens a file or directory for reading, also one that its owner may not read, or search: its mode is another one until [`lock_again`].
fn open_source(
    numbers: &Numbers,
    directory: BorrowedFd<'_>,
    name: &CStr,
    stat: &Stat,
    flags: OFlags,
) -> io::Result<Source> {
    let needed = if flags.contains(OFlags::DIRECTORY) {
        Mode::RUSR | Mode::XUSR
    } else {
        Mode::RUSR
    };
    if permissions(stat).contains(needed) {
        let file = openat(directory, name, flags, Mode::empty())?;
        return Ok(Source { file, locked: None });
    }
    let held = held::hold(directory, name)?;
    numbers.chmod(&held, Mode::RWXU)?;
    match numbers.reopen(&held, flags) {
        Ok(file) => Ok(Source {
            file,
            locked: Some(held),
        }),
        Err(error) => {
            numbers.chmod(&held, permissions(stat))?;
            Err(error)
        }
    }
}

/// Gives a source its mode back.
fn lock_again(numbers: &Numbers, source: &Source, stat: &Stat) -> io::Result<()> {
    match &source.locked {
        Some(held) => numbers.chmod(held, permissions(stat)),
        None => Ok(()),
    }
}

/// Gives a file that was made one more name. Relatives may have put another into its place.
fn link(
    numbers: &Numbers,
    top: BorrowedFd<'_>,
    path: &Path,
    made: Identity,
    to: BorrowedFd<'_>,
    name: &CStr,
) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let held = openat2(top, path, flags, Mode::empty(), resolve)?;
    let found = fstat(&held)?;
    if (found.st_dev, found.st_ino) != made {
        return Err(Errno::EXIST.into());
    }
    numbers.link(&held, to, name)
}

impl Copyist<'_> {
    fn directory(
        &mut self,
        top: &mut Top<'_>,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        path: &Path,
        depth: usize,
    ) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        for name in names(from)? {
            let stat = match statat(from, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                other => other?,
            };
            self.entries += 1;
            if self.entries > self.room.entries {
                return Err(Fault::TooMany);
            }
            let path = path.join(OsStr::from_bytes(name.to_bytes()));
            match kind(&stat) {
                FileType::Directory => {
                    let source = acting(self.owners.from, || {
                        open_source(self.numbers, from, &name, &stat, DIRECTORY)
                    })??;
                    let target = acting(self.owners.to, || {
                        mkdirat(to, &name, Mode::RWXU)?;
                        openat(to, &name, DIRECTORY, Mode::empty())
                    })??;
                    let from = source.file.as_fd();
                    let copied = self.directory(top, from, target.as_fd(), &path, depth + 1);
                    acting(self.owners.from, || {
                        lock_again(self.numbers, &source, &stat)
                    })??;
                    copied?;
                    self.finish(target.as_fd(), &stat)?;
                }
                FileType::RegularFile => self.file(top, from, to, &name, &stat, path)?,
                FileType::Symlink => {
                    let target = readlinkat(from, &name, Vec::new())?;
                    acting(self.owners.to, || symlinkat(&*target, to, &name))??;
                }
                FileType::Fifo => {
                    acting(self.owners.to, || {
                        mknodat(to, &name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
                        let made = held::hold(to, &name)?;
                        match kind(&fstat(&made)?) {
                            FileType::Fifo => self.numbers.chmod(&made, permissions(&stat)),
                            _ => Err(io::Error::from(Errno::EXIST)),
                        }
                    })??;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        top: &mut Top<'_>,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &CStr,
        stat: &Stat,
        path: PathBuf,
    ) -> Result<(), Fault> {
        let identity = (stat.st_dev, stat.st_ino);
        if let Some((first, made)) = top.linked.get(&identity)
            && acting(self.owners.to, || {
                link(self.numbers, top.to, first, *made, to, name)
            })?
            .is_ok()
        {
            return Ok(());
        }
        // Something else may be there by now, and must not be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let source = acting(self.owners.from, || {
            open_source(self.numbers, from, name, stat, flags)
        })??;
        acting(self.owners.from, || lock_again(self.numbers, &source, stat))??;
        let source = source.file;
        if kind(&fstat(&source)?) != FileType::RegularFile {
            return Ok(());
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let target = acting(self.owners.to, || {
            openat(to, name, flags, Mode::RUSR | Mode::WUSR)
        })??;
        self.content(&source, &target)?;
        self.finish(target.as_fd(), stat)?;
        if stat.st_nlink > 1 {
            let made = fstat(&target)?;
            top.linked
                .insert(identity, (path, (made.st_dev, made.st_ino)));
        }
        Ok(())
    }

    /// Copies a file's content, its holes as holes.
    fn content(&mut self, source: &OwnedFd, target: &OwnedFd) -> Result<(), Fault> {
        let size = u64::try_from(fstat(source)?.st_size).unwrap_or(0);
        let mut at = 0;
        while at < size {
            let data = match seek(source, SeekFrom::Data(at)) {
                Ok(data) => data,
                Err(Errno::NXIO) => break, // nothing but a hole
                Err(error) => return Err(error.into()),
            };
            let end = seek(source, SeekFrom::Hole(data))?.min(size);
            seek(target, SeekFrom::Start(data))?;
            at = data;
            while at < end {
                let piece = (end - at).min(PIECE_BYTES);
                if piece > self.room.bytes.saturating_sub(self.bytes) {
                    self.bytes = self.bytes.saturating_add(end - at);
                    return Err(Fault::TooLarge);
                }
                let piece = usize::try_from(piece).unwrap_or(usize::MAX);
                let sent = sendfile(target, source, Some(&mut at), piece)?;
                if sent == 0 {
                    break; // it has become shorter
                }
                self.bytes += sent as u64;
            }
            at = at.max(end);
        }
        Ok(ftruncate(target, size)?)
    }

    /// Gives what was made its mode and times.
    fn finish(&self, target: BorrowedFd<'_>, stat: &Stat) -> Result<(), Fault> {
        acting(self.owners.to, || {
            fchmod(target, permissions(stat))?;
            futimens(target, &times(stat))
        })??;
        Ok(())
    }
}

/// Opens a directory to copy from or into.
pub(super) fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, DIRECTORY, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{Seek as _, Write as _};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    const ROOM: Room = Room {
        bytes: 1 << 20,
        entries: 100,
    };

    fn copied(from: &Path, to: &Path, room: Room) -> Files {
        copy(
            &Numbers::open().unwrap(),
            &[open(from).unwrap()],
            &[open(to).unwrap()],
            Owners::default(),
            room,
        )
    }

    #[test]
    fn a_tree_is_copied_as_it_is() {
        let [from, to] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [a, b] = [from.path(), to.path()];
        fs::create_dir_all(a.join("d/e")).unwrap();
        fs::write(a.join("d/e/one"), "1").unwrap();
        fs::hard_link(a.join("d/e/one"), a.join("two")).unwrap();
        symlink("/etc/passwd", a.join("link")).unwrap();
        fs::set_permissions(a.join("d/e/one"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::set_permissions(a.join("d/e"), fs::Permissions::from_mode(0o500)).unwrap();
        let mut sparse = File::create(a.join("sparse")).unwrap();
        sparse.seek(io::SeekFrom::Start(64 << 20)).unwrap();
        sparse.write_all(b"end").unwrap();
        fs::write(a.join("secret"), "x").unwrap();
        fs::set_permissions(a.join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
        mknodat(
            CWD,
            a.join("fifo"),
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();

        assert_eq!(copied(a, b, ROOM), Files::Made);
        let stat = |path: &str| fs::symlink_metadata(b.join(path)).unwrap();
        assert_eq!(fs::read(b.join("two")).unwrap(), b"1");
        assert_eq!(stat("two").ino(), stat("d/e/one").ino());
        assert_eq!(stat("two").mode() & 0o7777, 0o640);
        assert_eq!(stat("d/e").mode() & 0o7777, 0o500);
        assert_eq!(stat("secret").mode() & 0o7777, 0);
        assert_eq!(
            fs::read_link(b.join("link")).unwrap(),
            Path::new("/etc/passwd")
        );
        assert_eq!(stat("sparse").size(), (64 << 20) + 3);
        assert!(stat("sparse").blocks() * 512 < 1 << 20);
        assert!(kind(&statat(CWD, b.join("fifo"), AtFlags::empty()).unwrap()) == FileType::Fifo);
        let before = fs::symlink_metadata(a.join("two")).unwrap();
        assert_eq!(stat("two").modified().unwrap(), before.modified().unwrap());
        let secret = fs::symlink_metadata(a.join("secret")).unwrap();
        assert_eq!(secret.mode() & 0o7777, 0, "the source is as it was");
        for dir in [a, b] {
            fs::set_permissions(dir.join("d/e"), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    #[test]
    fn the_room_of_a_copy_is_exactly_that() {
        let [from, to] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::write(from.path().join("a"), [1; 100]).unwrap();
        fs::write(from.path().join("b"), [1; 50]).unwrap();
        let fits = Room {
            bytes: 150,
            entries: 2,
        };
        assert_eq!(copied(from.path(), to.path(), fits), Files::Made);
        let to = tempfile::tempdir().unwrap();
        let small = Room { bytes: 149, ..fits };
        assert_eq!(
            copied(from.path(), to.path(), small),
            Files::TooLarge {
                bytes: 150,
                bytes_max: 149
            }
        );
        let to = tempfile::tempdir().unwrap();
        let few = Room { entries: 1, ..fits };
        assert!(matches!(
            copied(from.path(), to.path(), few),
            Files::Failed(_)
        ));
    }
}
