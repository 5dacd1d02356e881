//! What server and warden say to each other: one message a datagram, on a socket of kind SOCK_SEQPACKET.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::time::Duration;

use super::cell::Ask;
use super::cgroup::CgroupFacts;
use super::plan::Plan;
use crate::limits::CellLimits;
use crate::wire::{Malformed, Reader, Writer};

/// The largest order.
pub(crate) const ORDER_BYTES_MAX: usize = 64 * 1024;
/// The largest event.
pub(crate) const EVENT_BYTES_MAX: usize = 8 * 1024;

/// A worker's name between server and warden. Never used twice, as a pid is.
pub(crate) type WorkerId = u64;
/// A runtime's name between server and warden: its place in the configuration.
pub(crate) type RuntimeIndex = u16;

/// What the server wants of the warden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The first order: what separates episodes.
    Configure {
        plan: Plan,
        /// What the operator wants episodes to be able to read, beside what Python needs.
        readable: Vec<OsString>,
    },
    /// Start a template. Answered by [`Event::TemplateReady`] or [`Event::TemplateGone`].
    StartTemplate {
        runtime: RuntimeIndex,
        /// Its cells have a network of their own with loopback.
        loopback: bool,
        /// For `ps` and messages.
        name: String,
        python: OsString,
        preloads: Vec<String>,
        environment: Vec<(OsString, OsString)>,
    },
    /// Have a template make a cell with a worker. Three descriptors come with it: control, stdout, stderr.
    /// Answered by [`Event::Spawned`] or [`Event::SpawnFailed`].
    Spawn {
        runtime: RuntimeIndex,
        worker: WorkerId,
        /// The directory to make for it, where the level has no file system of its own per cell.
        workspace: OsString,
        limits: CellLimits,
    },
    /// Start a keeper. Its end of the socket to the server comes with it; when it can't be started that end closes.
    StartKeeper,
    /// Kill a worker and all that descends from it. Answered by [`Event::Exited`].
    Kill { worker: WorkerId },
    /// Signal a worker or its whole cell. Answered by [`Event::Signalled`]; [`Ask::Lend`] by [`Event::Lent`].
    Ask { worker: WorkerId, ask: Ask },
    /// A copy is to be made of a worker, beside those that were told before. Answered at [`Order::Forked`].
    Copy {
        parent: WorkerId,
        worker: WorkerId,
        /// The directory to make for it, where the level has no file system of its own per cell.
        workspace: OsString,
    },
    /// Make files for the copies of a worker that were told: theirs are those of the parent, which runs nothing meanwhile. Answered by [`Event::Prepared`].
    Prepare {
        parent: WorkerId,
        /// What a copy may hold.
        bytes_max: u64,
        entries_max: u32,
    },
    /// The parent says that it has made this copy: a process id as it sees it. Answered by [`Event::Spawned`] or [`Event::NotCopied`].
    Adopt {
        parent: WorkerId,
        worker: WorkerId,
        pid: i32,
    },
    /// All copies of a worker are made that will be. Those that were not are answered by [`Event::NotCopied`].
    Forked {
        parent: WorkerId,
        /// Some may have been made.
        begun: bool,
    },
    /// Every copy of a worker was begun. Of those that have ended without a word the channels are closed.
    Miss { parent: WorkerId },
    /// Read what a worker's control group has counted. Answered by [`Event::Measured`], if the worker lives.
    Measure { worker: WorkerId },
}

/// What became of the files of copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Files {
    /// They are there.
    Made,
    /// They are more than a copy may hold. What was seen of them, and the most.
    TooLarge { bytes: u64, bytes_max: u64 },
    /// Why they are not.
    Failed(String),
    /// They are of no use, because a process that the program has left still runs.
    LeftProcess,
}

/// Why a copy was refused that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopyRefusal {
    /// A process that the program has left runs, which could have looked into it.
    LeftProcess,
    /// It is not what it should be, and what it is.
    Unlike(String),
}

/// How a process ended: wait(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It left by itself with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// From the status that wait(2) fills in.
    pub(crate) fn from_wait(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }
}

/// What a process used from its start to its end: getrusage(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ProcessUsage {
    pub(crate) cpu_user: Duration,
    pub(crate) cpu_system: Duration,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) minor_page_faults: u64,
    pub(crate) major_page_faults: u64,
}

/// What the warden tells the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A template has done its preloads and can fork.
    TemplateReady {
        runtime: RuntimeIndex,
        version: String,
        /// The folders that it imports from.
        folders: Vec<String>,
    },
    /// A template could not start, or has ended.
    TemplateGone {
        runtime: RuntimeIndex,
        reason: String,
    },
    /// A worker was forked.
    Spawned { worker: WorkerId, pid: i32 },
    /// A worker was not forked.
    SpawnFailed { worker: WorkerId, reason: String },
    /// A worker has ended, and nothing will be heard of it again.
    Exited {
        worker: WorkerId,
        status: ExitStatus,
        usage: ProcessUsage,
        /// What its control group had counted in the end.
        facts: CgroupFacts,
    },
    /// What a worker's control group has counted so far.
    Measured {
        worker: WorkerId,
        facts: CgroupFacts,
    },
    /// A copy that was told of by [`Order::Copy`] was not made.
    NotCopied { worker: WorkerId },
    /// The files of this copy and of those that were wanted with it, of which it is the first.
    Prepared { worker: WorkerId, files: Files },
    /// This copy and those that were wanted with it, of which it is the first, are apart from their parent, which may go on.
    Apart { worker: WorkerId },
    /// This copy was refused, so that none is made.
    CopyRefused { worker: WorkerId, why: CopyRefusal },
    /// A descriptor of the worker's workspace is with it, opened with O_PATH; none when it can't be had.
    Lent { worker: WorkerId },
    /// What was asked of a worker's reaper was done (or the worker had ended).
    Signalled { worker: WorkerId },
}

fn text(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

fn os_text(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

fn count(items: usize) -> u16 {
    u16::try_from(items).unwrap_or(u16::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Order {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Configure { plan, readable } => {
                let message = plan.encode(Writer::new(6)).u16(count(readable.len()));
                let append = |message: Writer, path: &OsString| message.block(path.as_bytes());
                readable.iter().fold(message, append).finish()
            }
            Self::Measure { worker } => Writer::new(7).u64(*worker).finish(),
            Self::StartTemplate {
                runtime,
                loopback,
                name,
                python,
                preloads,
                environment,
            } => {
                let mut message = Writer::new(1)
                    .u16(*runtime)
                    .u8((*loopback).into())
                    .block(name.as_bytes())
                    .block(python.as_bytes())
                    .u16(count(preloads.len()));
                for preload in preloads {
                    message = message.block(preload.as_bytes());
                }
                message = message.u16(count(environment.len()));
                for (name, value) in environment {
                    message = message.block(name.as_bytes()).block(value.as_bytes());
                }
                message.finish()
            }
            Self::Spawn {
                runtime,
                worker,
                workspace,
                limits,
            } => {
                let CellLimits {
                    total_memory_bytes,
                    processes,
                    workspace_bytes,
                    workspace_inodes,
                    cpu_percent,
                } = *limits;
                Writer::new(2)
                    .u16(*runtime)
                    .u64(*worker)
                    .block(workspace.as_bytes())
                    .u64(total_memory_bytes)
                    .u32(processes)
                    .u64(workspace_bytes)
                    .u32(workspace_inodes)
                    .u32(cpu_percent)
                    .finish()
            }
            Self::Copy {
                parent,
                worker,
                workspace,
            } => Writer::new(8)
                .u64(*parent)
                .u64(*worker)
                .block(workspace.as_bytes())
                .finish(),
            Self::Prepare {
                parent,
                bytes_max,
                entries_max,
            } => Writer::new(9)
                .u64(*parent)
                .u64(*bytes_max)
                .u32(*entries_max)
                .finish(),
            Self::Adopt {
                parent,
                worker,
                pid,
            } => Writer::new(10).u64(*parent).u64(*worker).i32(*pid).finish(),
            Self::Forked { parent, begun } => {
                Writer::new(11).u64(*parent).u8((*begun).into()).finish()
            }
            Self::Miss { parent } => Writer::new(12).u64(*parent).finish(),
            Self::Kill { worker } => Writer::new(3).u64(*worker).finish(),
            Self::StartKeeper => Writer::new(5).finish(),
            Self::Ask { worker, ask } => Writer::new(4).u64(*worker).u8(*ask as u8).finish(),
        }
    }

    pub(crate) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let order = match reader.u8()? {
            1 => {
                let runtime = reader.u16()?;
                let loopback = reader.u8()? != 0;
                let name = text(reader.block()?)?;
                let python = os_text(reader.block()?);
                let preloads = (0..reader.u16()?)
                    .map(|_| text(reader.block()?))
                    .collect::<Result<_, _>>()?;
                let environment = (0..reader.u16()?)
                    .map(|_| Ok((os_text(reader.block()?), os_text(reader.block()?))))
                    .collect::<Result<_, _>>()?;
                Self::StartTemplate {
                    runtime,
                    loopback,
                    name,
                    python,
                    preloads,
                    environment,
                }
            }
            2 => Self::Spawn {
                runtime: reader.u16()?,
                worker: reader.u64()?,
                workspace: OsStr::from_bytes(reader.block()?).to_owned(),
                limits: CellLimits {
                    total_memory_bytes: reader.u64()?,
                    processes: reader.u32()?,
                    workspace_bytes: reader.u64()?,
                    workspace_inodes: reader.u32()?,
                    cpu_percent: reader.u32()?,
                },
            },
            3 => Self::Kill {
                worker: reader.u64()?,
            },
            4 => Self::Ask {
                worker: reader.u64()?,
                ask: Ask::from_number(reader.u8()?).ok_or(Malformed)?,
            },
            6 => Self::Configure {
                plan: Plan::decode(&mut reader)?,
                readable: (0..reader.u16()?)
                    .map(|_| Ok(os_text(reader.block()?)))
                    .collect::<Result<_, _>>()?,
            },
            7 => Self::Measure {
                worker: reader.u64()?,
            },
            5 => Self::StartKeeper,
            8 => Self::Copy {
                parent: reader.u64()?,
                worker: reader.u64()?,
                workspace: os_text(reader.block()?),
            },
            9 => Self::Prepare {
                parent: reader.u64()?,
                bytes_max: reader.u64()?,
                entries_max: reader.u32()?,
            },
            10 => Self::Adopt {
                parent: reader.u64()?,
                worker: reader.u64()?,
                pid: reader.i32()?,
            },
            11 => Self::Forked {
                parent: reader.u64()?,
                begun: reader.u8()? != 0,
            },
            12 => Self::Miss {
                parent: reader.u64()?,
            },
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(order)
    }
}

impl Event {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::TemplateReady {
                runtime,
                version,
                folders,
            } => {
                let message = Writer::new(1)
                    .u16(*runtime)
                    .block(version.as_bytes())
                    .u16(count(folders.len()));
                let append = |message: Writer, folder: &String| message.block(folder.as_bytes());
                folders.iter().fold(message, append).finish()
            }
            Self::TemplateGone { runtime, reason } => Writer::new(2)
                .u16(*runtime)
                .block(reason.as_bytes())
                .finish(),
            Self::Spawned { worker, pid } => Writer::new(3).u64(*worker).i32(*pid).finish(),
            Self::SpawnFailed { worker, reason } => Writer::new(4)
                .u64(*worker)
                .block(reason.as_bytes())
                .finish(),
            Self::Exited {
                worker,
                status,
                usage,
                facts,
            } => {
                let (kind, value) = match status {
                    ExitStatus::Code(code) => (0, *code),
                    ExitStatus::Signal(signal) => (1, *signal),
                };
                let message = Writer::new(5)
                    .u64(*worker)
                    .u8(kind)
                    .i32(value)
                    .u64(micros(usage.cpu_user))
                    .u64(micros(usage.cpu_system))
                    .u64(usage.peak_memory_bytes)
                    .u64(usage.minor_page_faults)
                    .u64(usage.major_page_faults);
                facts.encode(message).finish()
            }
            Self::Measured { worker, facts } => facts.encode(Writer::new(7).u64(*worker)).finish(),
            Self::Signalled { worker } => Writer::new(6).u64(*worker).finish(),
            Self::Prepared { worker, files } => {
                let message = Writer::new(9).u64(*worker);
                match files {
                    Files::Made => message.u8(0).finish(),
                    Files::TooLarge { bytes, bytes_max } => {
                        message.u8(1).u64(*bytes).u64(*bytes_max).finish()
                    }
                    Files::Failed(why) => message.u8(2).block(why.as_bytes()).finish(),
                    Files::LeftProcess => message.u8(3).finish(),
                }
            }
            Self::NotCopied { worker } => Writer::new(10).u64(*worker).finish(),
            Self::Apart { worker } => Writer::new(12).u64(*worker).finish(),
            Self::CopyRefused { worker, why } => {
                let message = Writer::new(11).u64(*worker);
                match why {
                    CopyRefusal::LeftProcess => message.u8(0).finish(),
                    CopyRefusal::Unlike(why) => message.u8(1).block(why.as_bytes()).finish(),
                }
            }
            Self::Lent { worker } => Writer::new(8).u64(*worker).finish(),
        }
    }

    pub(crate) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let event = match reader.u8()? {
            1 => Self::TemplateReady {
                runtime: reader.u16()?,
                version: text(reader.block()?)?,
                folders: (0..reader.u16()?)
                    .map(|_| reader.block().and_then(text))
                    .collect::<Result<_, _>>()?,
            },
            2 => Self::TemplateGone {
                runtime: reader.u16()?,
                reason: text(reader.block()?)?,
            },
            3 => Self::Spawned {
                worker: reader.u64()?,
                pid: reader.i32()?,
            },
            4 => Self::SpawnFailed {
                worker: reader.u64()?,
                reason: text(reader.block()?)?,
            },
            5 => Self::Exited {
                worker: reader.u64()?,
                status: match (reader.u8()?, reader.i32()?) {
                    (0, code) => ExitStatus::Code(code),
                    (_, signal) => ExitStatus::Signal(signal),
                },
                usage: ProcessUsage {
                    cpu_user: Duration::from_micros(reader.u64()?),
                    cpu_system: Duration::from_micros(reader.u64()?),
                    peak_memory_bytes: reader.u64()?,
                    minor_page_faults: reader.u64()?,
                    major_page_faults: reader.u64()?,
                },
                facts: CgroupFacts::decode(&mut reader)?,
            },
            7 => Self::Measured {
                worker: reader.u64()?,
                facts: CgroupFacts::decode(&mut reader)?,
            },
            6 => Self::Signalled {
                worker: reader.u64()?,
            },
            8 => Self::Lent {
                worker: reader.u64()?,
            },
            10 => Self::NotCopied {
                worker: reader.u64()?,
            },
            12 => Self::Apart {
                worker: reader.u64()?,
            },
            11 => Self::CopyRefused {
                worker: reader.u64()?,
                why: match reader.u8()? {
                    0 => CopyRefusal::LeftProcess,
                    1 => CopyRefusal::Unlike(text(reader.block()?)?),
                    _ => return Err(Malformed),
                },
            },
            9 => Self::Prepared {
                worker: reader.u64()?,
                files: match reader.u8()? {
                    0 => Files::Made,
                    1 => Files::TooLarge {
                        bytes: reader.u64()?,
                        bytes_max: reader.u64()?,
                    },
                    2 => Files::Failed(text(reader.block()?)?),
                    3 => Files::LeftProcess,
                    _ => return Err(Malformed),
                },
            },
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_and_events_come_out_as_they_went_in() {
        let orders = [
            Order::StartTemplate {
                runtime: 3,
                loopback: true,
                name: "numpy".into(),
                python: "/usr/bin/python3".into(),
                preloads: vec!["numpy".into(), "pandas".into()],
                environment: vec![("PATH".into(), "/bin".into())],
            },
            Order::Spawn {
                runtime: 1,
                worker: u64::MAX,
                workspace: "/tmp/x".into(),
                limits: CellLimits {
                    total_memory_bytes: 1,
                    processes: 2,
                    workspace_bytes: 3,
                    workspace_inodes: 4,
                    cpu_percent: 5,
                },
            },
            Order::Kill { worker: 7 },
            Order::StartKeeper,
            Order::Ask {
                worker: 8,
                ask: Ask::Freeze,
            },
            Order::Ask {
                worker: 9,
                ask: Ask::Lend,
            },
            Order::Copy {
                parent: 1,
                worker: 2,
                workspace: "/tmp/y".into(),
            },
            Order::Prepare {
                parent: 1,
                bytes_max: u64::MAX,
                entries_max: 3,
            },
            Order::Adopt {
                parent: 1,
                worker: 2,
                pid: 3,
            },
            Order::Forked {
                parent: 1,
                begun: true,
            },
            Order::Miss { parent: 1 },
        ];
        for order in orders {
            assert_eq!(Order::decode(&order.encode()), Ok(order));
        }
        let usage = ProcessUsage {
            cpu_user: Duration::from_micros(5),
            cpu_system: Duration::from_micros(6),
            peak_memory_bytes: 7,
            minor_page_faults: 8,
            major_page_faults: 9,
        };
        let events = [
            Event::TemplateReady {
                runtime: 0,
                version: "3.13.0".into(),
                folders: vec!["/usr/lib/python3.13".into(), "/opt/\u{e9}".into()],
            },
            Event::TemplateGone {
                runtime: 0,
                reason: "no".into(),
            },
            Event::Spawned { worker: 1, pid: 2 },
            Event::SpawnFailed {
                worker: 1,
                reason: "EAGAIN".into(),
            },
            Event::Exited {
                worker: 1,
                status: ExitStatus::Code(3),
                usage,
                facts: CgroupFacts::default(),
            },
            Event::Exited {
                worker: 1,
                status: ExitStatus::Signal(9),
                usage,
                facts: CgroupFacts {
                    oom_kills: Some(1),
                    ..CgroupFacts::default()
                },
            },
            Event::Measured {
                worker: 6,
                facts: CgroupFacts::default(),
            },
            Event::Signalled { worker: 4 },
            Event::Lent { worker: 5 },
            Event::NotCopied { worker: 5 },
            Event::Apart { worker: 5 },
            Event::CopyRefused {
                worker: 1,
                why: CopyRefusal::LeftProcess,
            },
            Event::CopyRefused {
                worker: 1,
                why: CopyRefusal::Unlike("it has another uid".into()),
            },
            Event::Prepared {
                worker: 5,
                files: Files::Made,
            },
            Event::Prepared {
                worker: 2,
                files: Files::LeftProcess,
            },
            Event::Prepared {
                worker: 5,
                files: Files::TooLarge {
                    bytes: 2,
                    bytes_max: 1,
                },
            },
            Event::Prepared {
                worker: 5,
                files: Files::Failed("no room".into()),
            },
        ];
        for event in events {
            assert_eq!(Event::decode(&event.encode()), Ok(event));
        }
    }

    proptest! {
        #[test]
        fn no_message_makes_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            drop((Order::decode(&bytes), Event::decode(&bytes)));
        }
    }
}
