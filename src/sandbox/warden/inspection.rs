//! What the warden sees of a worker that is copied, and of its copies, from outside: by /proc, and as the user that the process is, because a container's root
//! may look into its own user's processes only.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, major, minor, stat};

use super::children;
use crate::sandbox::plan::Uids;
use crate::sandbox::sys_files::ActingAs;
use crate::sandbox::sys_maps::{self, FileMapping};
use crate::sandbox::template::{Branch, memory_file};

/// What a file is known by: its file system's device, and its number there.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

/// What /proc tells everybody of a process.
pub(super) struct Status {
    /// As the innermost pid namespace has it.
    pub(super) inner_pid: Branch,
    uids: Vec<u32>,
    gids: Vec<u32>,
    threads: u32,
    capabilities: u64,
}

impl Status {
    pub(super) fn read(pid: i32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().split_whitespace()
        };
        let numbers = |name| field(name).map_while(|id| id.parse().ok()).collect();
        let last = |name: &str| field(name).last().and_then(|number| number.parse().ok());
        let malformed = || io::Error::other("/proc/PID/status can't be read");
        let mask = field("CapPrm:").next();
        Ok(Self {
            inner_pid: last("NSpid:").ok_or_else(malformed)?,
            uids: numbers("Uid:"),
            gids: numbers("Gid:"),
            threads: last("Threads:").ok_or_else(malformed)?,
            capabilities: mask
                .and_then(|mask| u64::from_str_radix(mask, 16).ok())
                .ok_or_else(malformed)?,
        })
    }

    pub(super) fn uid(&self) -> Option<u32> {
        self.uids.first().copied()
    }
}

/// What a copy was given, and what it may hold nothing of.
pub(super) struct Expected {
    pub(super) uid: u32,
    /// The capabilities that it may have.
    pub(super) capabilities: u64,
    /// Control socket, stdout, stderr.
    pub(super) channel: [Identity; 3],
    /// Those of all episodes. No file of any other than its own.
    pub(super) uids: Uids,
    /// Its parent's process and uid.
    pub(super) parent: (i32, u32),
    pub(super) files: OwnFiles,
}

/// Where a copy's files are, and where others' are.
pub(super) enum OwnFiles {
    /// In a file system of this device, and its parent's in one of the other.
    Device { own: u64, parents: u64 },
    /// In a directory below its cell's, in which are its relatives'.
    Directory { own: PathBuf, cell: PathBuf },
}

/// The control socket's descriptor in a worker.
const CONTROL: &str = "3";

fn told(error: impl Into<io::Error>) -> String {
    error.into().to_string()
}

/// Looks at a copy that wants to begin: it is what it was given, and holds nothing of its parent's and no channel but its own.
pub(super) fn check(pid: i32, expected: &Expected) -> Result<(), String> {
    let status = Status::read(pid).map_err(told)?;
    let ids = [expected.uid; 4];
    if status.uids != ids || status.gids != ids {
        return Err("it has another uid".to_owned());
    }
    if status.threads != 1 {
        return Err("it has more than one thread".to_owned());
    }
    if status.capabilities & !expected.capabilities != 0 {
        return Err("it has a capability".to_owned());
    }
    if !children::children(pid).is_empty() {
        return Err("it has started a process".to_owned());
    }
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let _acting = ActingAs::begin(expected.uid, expected.uid).map_err(told)?;
    check_files(&proc, expected)?;
    check_map(&proc, expected)
}

/// Looks at what is open, and at the directories.
fn check_files(proc: &Path, expected: &Expected) -> Result<(), String> {
    let anothers = |id: u32| {
        let place = id.checked_sub(expected.uids.first);
        id != expected.uid && place.is_some_and(|place| place < expected.uids.count)
    };
    let is_anothers = |stat: &Stat| {
        let parents = match expected.files {
            OwnFiles::Device { parents, .. } => stat.st_dev == parents,
            OwnFiles::Directory { .. } => false,
        };
        parents || anothers(stat.st_uid) || anothers(stat.st_gid)
    };
    if let OwnFiles::Device { own, .. } = expected.files {
        for place in ["root/workspace", "root/tmp", "root/dev/shm"] {
            if stat(proc.join(place)).ok().map(|stat| stat.st_dev) != Some(own) {
                return Err(format!("its {place} is another's"));
            }
        }
    }
    if is_anothers(&stat(proc.join("cwd")).map_err(told)?) {
        return Err("its current directory is another's".to_owned());
    }
    let [control, stdout, stderr] = expected.channel;
    for entry in fs::read_dir(proc.join("fd")).map_err(told)? {
        let entry = entry.map_err(told)?;
        let found = stat(entry.path()).map_err(told)?;
        let is_own = match FileType::from_raw_mode(found.st_mode) {
            FileType::Socket => entry.file_name() == CONTROL && identity(&found) == control,
            FileType::Fifo => [stdout, stderr].contains(&identity(&found)),
            FileType::RegularFile
            | FileType::Directory
            | FileType::Symlink
            | FileType::CharacterDevice
            | FileType::BlockDevice => !is_anothers(&found),
            FileType::Unknown => false,
        };
        if !is_own {
            let name = entry.file_name();
            return Err(format!("its descriptor {} is another's", name.display()));
        }
    }
    Ok(())
}

/// Looks at its memory: it has no file of another's, and shares none that has no name, unless that is in its own directory. Memory that it shares with its own
/// processes it makes once it has begun.
fn check_map(proc: &Path, expected: &Expected) -> Result<(), String> {
    let mut maps = File::open(proc.join("maps")).map_err(told)?;
    let mut found = Ok(());
    let asked = sys_maps::each(&maps, |mapping| {
        found = check_mapping(&Mapping::of(mapping), expected);
        found.is_ok()
    });
    if asked.is_err() {
        let mut text = String::new();
        maps.read_to_string(&mut text).map_err(told)?;
        let mut mappings = text.lines().filter_map(Mapping::parse);
        found = mappings.try_for_each(|mapping| check_mapping(&mapping, expected));
    }
    found
}

fn check_mapping(mapping: &Mapping<'_>, expected: &Expected) -> Result<(), String> {
    let (is_own, is_anothers) = match &expected.files {
        OwnFiles::Device { own, parents } => {
            let is = |device: u64| mapping.device == (major(device), minor(device));
            (is(*own), is(*parents))
        }
        OwnFiles::Directory { own, cell } => {
            (is_below(&mapping.path, own), is_below(&mapping.path, cell))
        }
    };
    if is_anothers && !is_own {
        return Err("it has a file of another's in memory".to_owned());
    }
    let is_nameless = mapping.path.is_empty() || mapping.path.ends_with(" (deleted)");
    if mapping.is_shared && is_nameless && !is_own {
        return Err("it shares memory".to_owned());
    }
    Ok(())
}

/// Looks at a process that is copied: it has one thread, and no child that runs.
pub(super) fn check_alone(pid: i32) -> Result<(), String> {
    let Ok(status) = Status::read(pid) else {
        return Ok(()); // it has ended
    };
    let mut children = children::children(pid).into_iter();
    if status.threads > 1 || children.any(children::runs) {
        return Err("its parent is not alone".to_owned());
    }
    Ok(())
}

/// How often processes are looked at again at once because one of them has ended meanwhile.
const LOOKS_MAX: usize = 4;

/// Looks at the processes that a cell's reaper has for children and that are none of the known ones: `is_wrong` says which must not be there, by its number and uid.
///
/// Whoever is there all the time is seen: a process whose parent ends is put at the list's end, before that parent leaves it.
/// False: one of them is just ending, which takes a large one some milliseconds. It is to be looked at again.
pub(super) fn check_strangers(
    reaper: i32,
    is_known: impl Fn(i32) -> bool,
    is_wrong: impl Fn(i32, u32) -> bool,
) -> Result<bool, String> {
    // What had ended before a look has left nothing that the look would miss.
    let mut ended = HashSet::new();
    for _ in 0..LOOKS_MAX {
        let mut has_one_ended = false;
        for pid in children::children(reaper) {
            if is_known(pid) || ended.contains(&pid) {
                continue;
            }
            match uid_of(pid).filter(|_| has_memory(pid)) {
                Some(uid) if is_wrong(pid, uid) => {
                    return Err("another process has something of it".to_owned());
                }
                Some(_) => {}
                None => {
                    has_one_ended = true;
                    if !children::runs(pid) {
                        ended.insert(pid);
                    }
                }
            }
        }
        if !has_one_ended {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many processes of a user a cell's reaper has for children that are none of its branches.
pub(super) fn count_users(reaper: i32, branches: &HashSet<i32>, uid: u32) -> usize {
    let is_users = |pid: &i32| {
        !branches.contains(pid)
            && Status::read(*pid).is_ok_and(|status| status.uid() == Some(uid))
            && children::runs(*pid)
    };
    children::children(reaper)
        .iter()
        .filter(|pid| is_users(pid))
        .count()
}

/// Whether the memory of a process of this uid is open to others of that user.
pub(super) fn is_open(pid: i32, uid: u32) -> bool {
    stat(format!("/proc/{pid}/maps")).is_ok_and(|found| found.st_uid == uid)
}

/// Whether it is closed: it was in the process that it is a copy of, or the change of its user has done that, or what another process did that shares it.
pub(super) fn is_closed(pid: i32, uid: u32) -> bool {
    // In this order: while a process ends it has no memory, and that is nobody's.
    !is_open(pid, uid) && has_memory(pid) && uid_of(pid) == Some(uid)
}

/// Whether a process has memory, which one has until it ends.
fn has_memory(pid: i32) -> bool {
    let sizes = fs::read_to_string(format!("/proc/{pid}/statm"));
    sizes.is_ok_and(|sizes| !sizes.starts_with("0 "))
}

/// The effective uid of a process.
fn uid_of(pid: i32) -> Option<u32> {
    let found = stat(format!("/proc/{pid}")).ok()?;
    Some(found.st_uid)
}

/// Whether a path as /proc/PID/maps has it is below a directory.
fn is_below(path: &str, directory: &Path) -> bool {
    // What is told of a line's end in a name: `seq_file_path` with "\n".
    let directory =
        String::from_utf8_lossy(directory.as_os_str().as_bytes()).replace('\n', "\\012");
    let rest = path.strip_prefix(&*directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// What /proc/PID/maps tells of one mapping.
struct Mapping<'a> {
    is_shared: bool,
    /// Major and minor.
    device: (u32, u32),
    /// As the text has it.
    path: Cow<'a, str>,
}

impl<'a> Mapping<'a> {
    /// Of a line.
    fn parse(line: &'a str) -> Option<Self> {
        let (_, rest) = line.split_once(' ')?;
        let (permissions, rest) = rest.split_once(' ')?;
        let (_, rest) = rest.split_once(' ')?;
        let (device, rest) = rest.split_once(' ')?;
        let (_, path) = rest.split_once(' ').unwrap_or((rest, ""));
        let (major, minor) = device.split_once(':')?;
        let number = |digits| u32::from_str_radix(digits, 16).ok();
        Some(Self {
            is_shared: permissions.ends_with('s'),
            device: (number(major)?, number(minor)?),
            path: path.trim_start().into(),
        })
    }

    fn of(mapping: &FileMapping<'a>) -> Self {
        let path = String::from_utf8_lossy(mapping.path);
        Self {
            is_shared: mapping.is_shared,
            device: mapping.device,
            path: match path.contains('\n') {
                true => path.replace('\n', "\\012").into(),
                false => path,
            },
        }
    }
}

/// What a worker that can't open its own /proc has to know before it is copied, in a file: how many threads and how many children it has, in a line; the numbers of its
/// descriptors, in another; then its map.
pub(super) fn facts(pid: i32, uid: Option<u32>) -> io::Result<OwnedFd> {
    let status = Status::read(pid)?;
    let running = children::children(pid)
        .into_iter()
        .filter(|child| children::runs(*child));
    let mut text = format!("{} {}\n", status.threads, running.count());
    let _acting = uid.map(|uid| ActingAs::begin(uid, uid)).transpose()?;
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        text += &entry?.file_name().to_string_lossy();
        text.push(' ');
    }
    let maps = fs::read(format!("/proc/{pid}/maps"))?;
    memory_file("facts", &[text.as_bytes(), b"\n", &*maps].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_map_is_read_whatever_is_in_its_path() {
        let line =
            "7f00-7f01 rw-s 00001000 00:2a 117                        /tmp/a b/c d (deleted)";
        let mapping = Mapping::parse(line).unwrap();
        assert!(mapping.is_shared);
        assert_eq!(mapping.device, (0, 0x2a));
        assert_eq!(mapping.path, "/tmp/a b/c d (deleted)");
        let line = "7f00-7f01 r--p 00000000 00:00 0 ";
        let mapping = Mapping::parse(line).unwrap();
        assert!(!mapping.is_shared && mapping.path.is_empty());
        let own = fs::read_to_string("/proc/self/maps").unwrap();
        assert_eq!(
            own.lines().filter_map(Mapping::parse).count(),
            own.lines().count()
        );
        // A kernel that tells of one mapping at a time tells the same of those that have a file.
        let mut told = Vec::new();
        let maps = File::open("/proc/self/maps").unwrap();
        let asked = sys_maps::each(&maps, |found| {
            let found = Mapping::of(found);
            told.push((found.is_shared, found.device, found.path.into_owned()));
            true
        });
        if asked.is_ok() {
            let own = own.lines().filter_map(Mapping::parse);
            let with_files: Vec<_> = own
                .filter(|mapping| mapping.path.starts_with('/'))
                .map(|found| (found.is_shared, found.device, found.path.into_owned()))
                .collect();
            assert_eq!(told, with_files);
        }
        assert!(is_below("/tmp/a b/c", Path::new("/tmp/a b")));
        assert!(!is_below("/tmp/a bc", Path::new("/tmp/a b")));
        assert!(is_below("/tmp/a\\012b/c", Path::new("/tmp/a\nb")));
    }
}
