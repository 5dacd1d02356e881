//! A template, as the warden has it: how it is started, and what it and its reapers say.
//!
//! A template's socket is shared by the reapers and, until they are set up, the workers that descend from it. Each message is one
//! datagram; the kernel tells who sent it (SCM_CREDENTIALS), in the warden's own numbering of processes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::fs::{MemfdFlags, SealFlags, memfd_create};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::order::{ExitStatus, ProcessUsage, RuntimeIndex, WorkerId};
use super::plan::Level;
use super::walls::{Domains, Walls};
use crate::wire::{Malformed, Reader};

/// The Python half of the harness.
const HARNESS: &[u8] = include_bytes!("../executor/harness/harness.py");
/// More of it, for level `landlock`.
const HARNESS_OF_LANDLOCK: &[u8] = include_bytes!("../executor/harness/landlock.py");
/// More of it, for what shows something.
const HARNESS_OF_DISPLAYS: &[u8] = include_bytes!("../executor/harness/displays.py");
/// More of it, for workers that are copied.
const HARNESS_OF_COPIES: &[u8] = include_bytes!("../executor/harness/copies.py");
/// The native half of the harness: see `build.rs`.
const NATIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/native.so"));
/// What its reapers execute: see `build.rs`.
const REAPER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reaper"));

/// A template's largest message: `TEXT_BYTES_MAX` of the harness, and its kind.
pub(super) const MESSAGE_BYTES_MAX: usize = 4097;
/// How many folders of those that it imports from are told.
const FOLDERS_MAX: usize = 64;
/// The most that a template can write to standard error; past it its writes fail, which Python's warnings and logging ignore.
const ERRORS_BYTES_MAX: u64 = 1 << 20;
/// How much of the end of that is told.
const LAST_WORDS_BYTES_MAX: usize = 2048;

/// A template that was started. It stays after its end, for as long as cells that descend from it use its socket.
pub(super) struct Template {
    pub(super) runtime: RuntimeIndex,
    pub(super) pid: i32,
    pub(super) socket: OwnedFd,
    /// The workers whose cells it was ordered to make and has not answered for, oldest first, each with the order's number.
    pub(super) orders: VecDeque<(u64, WorkerId)>,
    /// It can make cells.
    pub(super) ready: bool,
    /// It has ended.
    pub(super) gone: bool,
    pub(super) problem: Option<String>,
    /// What it and its interpreter wrote to standard error.
    errors: std::fs::File,
    pub(super) walls: Walls,
    /// From its readiness on, where there are any.
    pub(super) domains: Option<Domains>,
    /// Where copies of its workers ask for what they become, at levels where they do.
    pub(super) copy_listener: Option<OwnedFd>,
}

/// How a cell's reaper names a branch: by its root's process id as the reaper sees it, and 0 for the first.
pub(super) type Branch = u32;

/// What comes on a template's socket: see `cells.rs`, `reaper.rs` and `harness.py`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// The template has done its preloads; CPython's version, and the folders that it imports from.
    Ready(String, Vec<String>),
    /// The template can't start.
    Problem(String),
    /// The template has forked a reaper, or could not: a pid, or a negative errno.
    Forked(i64),
    /// A call of a cell's setup has failed.
    SetupFailed {
        worker: WorkerId,
        list: u8,
        index: u32,
        errno: i32,
    },
    /// The template has installed the filter under which copies of workers ask the warden; its listener is with the message.
    CopyListener,
    /// A worker has installed the filter that asks for its cell's signals; its listener is with the message.
    Listener(WorkerId),
    /// A worker is set up; the message's sender is it.
    WorkerUp(WorkerId),
    /// A reaper has done what it was asked, for the branch with this root; see [`Branch`].
    Acknowledged(WorkerId, Branch),
    /// A reaper lends a descriptor of its cell's workspace, which is with the message; without one it has none to lend.
    Workspace(WorkerId, Branch),
    /// A branch's root has ended, and nothing is left of the branch.
    Ended {
        worker: WorkerId,
        branch: Branch,
        /// Nor of the cell.
        last: bool,
        status: ExitStatus,
        usage: ProcessUsage,
    },
}

impl Message {
    pub(super) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let (kind, rest) = message.split_first().ok_or(Malformed)?;
        let mut reader = Reader::new(rest);
        let text = || String::from_utf8_lossy(rest).into_owned();
        let decoded = match kind {
            b'R' => {
                let mut parts = rest.split(|byte| *byte == 0);
                let version = String::from_utf8_lossy(parts.next().unwrap_or_default());
                // As they are, so that an event has room for all.
                let folders = parts.filter_map(|path| std::str::from_utf8(path).ok());
                let folders = folders.take(FOLDERS_MAX).map(str::to_owned);
                return Ok(Self::Ready(version.into_owned(), folders.collect()));
            }
            b'E' => return Ok(Self::Problem(text())),
            b'F' => Self::Forked(reader.u64()?.cast_signed()),
            b'S' => Self::SetupFailed {
                worker: reader.u64()?,
                list: reader.u8()?,
                index: reader.u32()?,
                errno: reader.i32()?.saturating_neg(),
            },
            b'T' => Self::CopyListener,
            b'L' => Self::Listener(reader.u64()?),
            b'U' => Self::WorkerUp(reader.u64()?),
            b'G' => Self::Acknowledged(reader.u64()?, reader.u32()?),
            b'W' => Self::Workspace(reader.u64()?, reader.u32()?),
            b'X' => Self::Ended {
                worker: reader.u64()?,
                branch: reader.u32()?,
                last: reader.u8()? != 0,
                status: ExitStatus::from_wait(reader.i32()?),
                usage: ProcessUsage {
                    cpu_user: Duration::from_micros(reader.u64()?),
                    cpu_system: Duration::from_micros(reader.u64()?),
                    peak_memory_bytes: reader.u64()?,
                    minor_page_faults: reader.u64()?,
                    major_page_faults: reader.u64()?,
                },
            },
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(decoded)
    }
}

impl Template {
    /// Starts one.
    pub(super) fn start(
        walls: Walls,
        runtime: RuntimeIndex,
        name: &str,
        python: &Path,
        preloads: &[String],
        environment: Vec<(OsString, OsString)>,
    ) -> io::Result<Self> {
        /// The template's descriptors: see `harness.py`.
        const CONTROL: i32 = 3;
        const NATIVE_FD: i32 = 4;
        const HARNESS_FD: i32 = 5;
        const FILTER_FD: i32 = 6;
        const REAPER_FD: i32 = 7;
        const OF_LEVEL_FD: i32 = 8;
        const OF_DISPLAYS_FD: i32 = 9;
        const OF_COPIES_FD: i32 = 10;

        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        rustix::net::sockopt::set_socket_passcred(&ours, true)?;
        let errors = errors_file()?;
        let mut files = vec![
            (theirs, CONTROL),
            (memory_file("native", NATIVE)?, NATIVE_FD),
            (memory_file("harness", HARNESS)?, HARNESS_FD),
            (memory_file("reaper", REAPER)?, REAPER_FD),
            (memory_file("harness", HARNESS_OF_DISPLAYS)?, OF_DISPLAYS_FD),
            (memory_file("harness", HARNESS_OF_COPIES)?, OF_COPIES_FD),
        ];
        let filter = walls.filter()?;
        if let Some(filter) = &filter {
            files.push((memory_file("filter", filter)?, FILTER_FD));
        }
        if walls.level() == Level::Landlock {
            files.push((memory_file("harness", HARNESS_OF_LANDLOCK)?, OF_LEVEL_FD));
        }
        let files = files.into_iter().map(|(parent_fd, child_fd)| FdMapping {
            parent_fd,
            child_fd,
        });
        // Its own path is its first argument, because CPython finds its library, or its virtual environment, by that. The
        // runtime's name, for `ps`, is a later one.
        let mut command = Command::new(walls.program(python));
        walls.surround(&mut command);
        command
            .env_clear()
            .envs(environment)
            .args(["-s", "-u", &format!("/proc/self/fd/{HARNESS_FD}")])
            .arg(format!("coding-env-template-{name}"))
            .arg(walls.level().name())
            .args(preloads)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors.try_clone()?)
            .fd_mappings(files.collect())
            .map_err(io::Error::other)?;
        let spawned = command
            .spawn()
            .map_err(|error| match &*last_words(&errors) {
                "" => io::Error::new(error.kind(), format!("{}: {error}", python.display())),
                words => io::Error::new(error.kind(), words.to_owned()),
            });
        let child = spawned?;
        Ok(Self {
            runtime,
            pid: i32::try_from(child.id()).map_err(io::Error::other)?,
            socket: ours,
            orders: VecDeque::new(),
            ready: false,
            gone: false,
            problem: None,
            errors,
            walls,
            domains: None,
            copy_listener: None,
        })
    }

    /// Why it has ended.
    pub(super) fn reason(&self) -> String {
        match (&self.problem, &*last_words(&self.errors)) {
            (Some(problem), _) => problem.clone(),
            (None, "") => "it ended unexpectedly".to_owned(),
            (None, words) => format!("it ended unexpectedly, and wrote: {words}"),
        }
    }
}

/// The end of what a template wrote to standard error.
pub(super) fn last_words(mut errors: &std::fs::File) -> String {
    let mut bytes = vec![0; LAST_WORDS_BYTES_MAX];
    // The position is the template's own, too: that is where it has written to.
    let end = errors.stream_position().unwrap_or(0);
    let start = end.saturating_sub(LAST_WORDS_BYTES_MAX as u64);
    let read = errors.read_at(&mut bytes, start).unwrap_or(0);
    bytes.truncate(read.min(usize::try_from(end - start).unwrap_or(0)));
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// A file in memory with this content, which a child can open as `/proc/self/fd/N`.
pub(crate) fn memory_file(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    let file = match memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::EXEC) {
        // Before kernel 6.3 there is no such flag, and every such file may be executed.
        Err(Errno::INVAL) => memfd_create(name, MemfdFlags::CLOEXEC)?,
        other => other?,
    };
    let mut file = std::fs::File::from(file);
    file.write_all(content)?;
    Ok(file.into())
}

/// A file in memory for a template's standard error. It can't grow, so that a template that never ends its complaints fills no memory;
/// and to write to it never blocks, as a pipe would that nobody reads.
pub(super) fn errors_file() -> io::Result<std::fs::File> {
    let file = memfd_create("errors", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&file, ERRORS_BYTES_MAX)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        [&[kind], parts.concat().as_slice()].concat()
    }

    #[test]
    fn messages_are_read_as_the_harness_writes_them() {
        let worker = 7_u64.to_le_bytes();
        let usage: Vec<u8> = (1..=5_u64).flat_map(u64::to_le_bytes).collect();
        let branch = 9_u32.to_le_bytes();
        let ended = |status: i32| {
            message(
                b'X',
                &[&worker, &branch, &[1], &status.to_le_bytes(), &usage],
            )
        };
        let end = |status| Message::Ended {
            worker: 7,
            branch: 9,
            last: true,
            status,
            usage: ProcessUsage {
                cpu_user: Duration::from_micros(1),
                cpu_system: Duration::from_micros(2),
                peak_memory_bytes: 3,
                minor_page_faults: 4,
                major_page_faults: 5,
            },
        };
        let failed = [
            &worker[..],
            &[2],
            &3_u32.to_le_bytes(),
            &(-libc::EPERM).to_le_bytes(),
        ];
        for (bytes, expected) in [
            (
                b"R3.13.0".to_vec(),
                Message::Ready("3.13.0".to_owned(), Vec::new()),
            ),
            (
                b"R3.13.0\0/a\0/\xff\0/b".to_vec(),
                Message::Ready("3.13.0".to_owned(), vec!["/a".to_owned(), "/b".to_owned()]),
            ),
            (b"E\xff".to_vec(), Message::Problem("\u{fffd}".to_owned())),
            (
                message(b'F', &[&(-11_i64).to_le_bytes()]),
                Message::Forked(-11),
            ),
            (
                message(b'S', &failed),
                Message::SetupFailed {
                    worker: 7,
                    list: 2,
                    index: 3,
                    errno: libc::EPERM,
                },
            ),
            (message(b'L', &[&worker]), Message::Listener(7)),
            (message(b'U', &[&worker]), Message::WorkerUp(7)),
            (
                message(b'G', &[&worker, &branch]),
                Message::Acknowledged(7, 9),
            ),
            (message(b'W', &[&worker, &branch]), Message::Workspace(7, 9)),
            // wait(2): the code in the second byte, a signal in the first.
            (ended(5 << 8), end(ExitStatus::Code(5))),
            (ended(9), end(ExitStatus::Signal(9))),
        ] {
            assert_eq!(Message::decode(&bytes), Ok(expected));
            if !matches!(bytes.first(), Some(b'R' | b'E')) {
                // Nothing may lack, and nothing may follow.
                let (_, cut) = bytes.split_last().unwrap();
                assert_eq!(Message::decode(cut), Err(Malformed), "{bytes:?}");
                let more = [bytes.as_slice(), &[0]].concat();
                assert_eq!(Message::decode(&more), Err(Malformed), "{bytes:?}");
            }
        }
    }

    proptest! {
        /// Workers share the socket until they are set up, so what comes is not trusted.
        #[test]
        fn no_message_makes_the_decoder_panic(
            kind in prop_oneof![Just(b'R'), Just(b'E'), Just(b'F'), Just(b'S'), Just(b'L'), Just(b'U'), Just(b'G'), Just(b'W'), Just(b'X'), any::<u8>()],
            rest in proptest::collection::vec(any::<u8>(), 0..MESSAGE_BYTES_MAX),
            bytes in 0_usize..80,
        ) {
            drop(Message::decode(&[]));
            drop(Message::decode(&message(kind, &[&rest])));
            drop(Message::decode(&message(kind, &[rest.get(..bytes).unwrap_or(&rest)])));
        }
    }
}
