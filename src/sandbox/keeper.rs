//! A keeper: holds the output pipes of idle episodes, so that an idle episode costs the server one descriptor and not three.
//!
//! The limit of open files is each process's own, and many systems don't let it be raised. A keeper has a table of its own; the server
//! has the warden start as many as it needs. It has one thread, which answers the server's messages one by one, reads nothing of what
//! is in the pipes, and ends when its standard input, the server's socket, closes.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::process::{Resource, getrlimit};

use super::order::WorkerId;
use super::socket::{receive, send};
use crate::wire::{Malformed, Reader, Writer};

/// The largest message in either direction.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64;
/// Descriptors that a keeper needs for itself: its standard ones, those that are on their way, and some to spare.
const DESCRIPTORS_RESERVED: u64 = 32;
/// The most pipes of a worker.
pub(crate) const PIPES_MAX: usize = 2;

/// What the server wants of a keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Hold the pipes that come with it.
    Park { worker: WorkerId },
    /// Give them back. Answered by [`Reply::Unparked`].
    Unpark { worker: WorkerId },
    /// Close them.
    Drop { worker: WorkerId },
}

/// What a keeper tells the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It has started, and can hold the pipes of so many workers.
    Ready { workers_max: u32 },
    /// The pipes come with it. None when it does not hold any of this worker.
    Unparked { worker: WorkerId },
}

impl Request {
    pub(crate) fn encode(self) -> Vec<u8> {
        let (kind, worker) = match self {
            Self::Park { worker } => (1, worker),
            Self::Unpark { worker } => (2, worker),
            Self::Drop { worker } => (3, worker),
        };
        Writer::new(kind).u64(worker).finish()
    }

    pub(crate) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let (kind, worker) = (reader.u8()?, reader.u64()?);
        reader.end()?;
        match kind {
            1 => Ok(Self::Park { worker }),
            2 => Ok(Self::Unpark { worker }),
            3 => Ok(Self::Drop { worker }),
            _ => Err(Malformed),
        }
    }
}

impl Reply {
    pub(crate) fn encode(self) -> Vec<u8> {
        match self {
            Self::Ready { workers_max } => Writer::new(1).u32(workers_max).finish(),
            Self::Unparked { worker } => Writer::new(2).u64(worker).finish(),
        }
    }

    pub(crate) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let reply = match reader.u8()? {
            1 => Self::Ready {
                workers_max: reader.u32()?,
            },
            2 => Self::Unparked {
                worker: reader.u64()?,
            },
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(reply)
    }
}

/// Runs a keeper until the server's socket closes. Returns the exit code.
pub(super) fn main() -> i32 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    match serve(rustix::stdio::stdin(), workers_max(files)) {
        Ok(()) => 0,
        Err(error) => {
            // Nobody is left to tell when standard error is gone too.
            drop(writeln!(io::stderr(), "keeper: {error}"));
            1
        }
    }
}

/// How many workers' pipes fit into this many descriptors.
fn workers_max(files: u64) -> u32 {
    let workers = files.saturating_sub(DESCRIPTORS_RESERVED) / PIPES_MAX as u64;
    u32::try_from(workers).unwrap_or(u32::MAX).max(1)
}

fn serve(server: BorrowedFd<'_>, workers_max: u32) -> io::Result<()> {
    let tell = |reply: Reply, pipes: &[OwnedFd]| match send(server, &reply.encode(), pipes) {
        // The server has gone: the next read says so.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(())
        }
        other => other,
    };
    let mut kept: HashMap<WorkerId, Vec<OwnedFd>> = HashMap::new();
    tell(Reply::Ready { workers_max }, &[])?;
    while let Some((message, pipes)) = receive(server, MESSAGE_BYTES_MAX)? {
        match Request::decode(&message).map_err(io::Error::other)? {
            Request::Park { worker } => {
                kept.insert(worker, pipes);
            }
            Request::Unpark { worker } => {
                let pipes = kept.remove(&worker).unwrap_or_default();
                tell(Reply::Unparked { worker }, &pipes)?;
            }
            Request::Drop { worker } => {
                kept.remove(&worker);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn requests_and_replies_come_out_as_they_went_in() {
        for request in [
            Request::Park { worker: 1 },
            Request::Unpark { worker: 2 },
            Request::Drop { worker: u64::MAX },
        ] {
            assert_eq!(Request::decode(&request.encode()), Ok(request));
        }
        for reply in [
            Reply::Ready { workers_max: 7 },
            Reply::Unparked { worker: 8 },
        ] {
            assert_eq!(Reply::decode(&reply.encode()), Ok(reply));
        }
    }

    proptest! {
        #[test]
        fn what_can_be_decoded_is_what_is_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(Request::decode(&bytes).is_ok_and(|request| request.encode() != bytes), false);
            prop_assert_eq!(Reply::decode(&bytes).is_ok_and(|reply| reply.encode() != bytes), false);
        }
    }

    #[test]
    fn a_table_holds_two_for_each_worker_beside_its_own() {
        assert_eq!(workers_max(20_000), 9984);
        assert_eq!(workers_max(0), 1);
        assert_eq!(workers_max(u64::MAX), u32::MAX);
    }

    #[test]
    fn what_is_parked_comes_back_with_what_was_written_meanwhile_or_is_closed() {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        let keeper = std::thread::spawn(move || serve(theirs.as_fd(), 5));
        let hear = || {
            let (message, pipes) = receive(ours.as_fd(), MESSAGE_BYTES_MAX).unwrap().unwrap();
            (Reply::decode(&message).unwrap(), pipes)
        };
        let order = |request: Request, pipes: &[OwnedFd]| {
            send(ours.as_fd(), &request.encode(), pipes).unwrap();
        };
        assert_eq!(hear().0, Reply::Ready { workers_max: 5 });
        let mut writers = Vec::new();
        for worker in 0..2 {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            order(Request::Park { worker }, &[reader]);
            writers.push(std::fs::File::from(writer));
        }
        writers[1].write_all(b"late").unwrap();
        order(Request::Drop { worker: 0 }, &[]);
        order(Request::Unpark { worker: 0 }, &[]);
        let (reply, pipes) = hear();
        assert_eq!((reply, pipes.len()), (Reply::Unparked { worker: 0 }, 0));
        assert!(writers[0].write_all(b"x").is_err(), "its reader was closed");
        order(Request::Unpark { worker: 1 }, &[]);
        let (reply, mut pipes) = hear();
        assert_eq!((reply, pipes.len()), (Reply::Unparked { worker: 1 }, 1));
        drop(writers);
        let mut text = String::new();
        std::fs::File::from(pipes.remove(0))
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "late");
        drop(ours);
        keeper.join().unwrap().unwrap();
    }
}
