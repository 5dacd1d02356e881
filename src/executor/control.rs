//! The server's end of a worker's control socket.
//!
//! It is watched for reading only. A stream socket tells its other end, too, when what that has sent was taken off, so that it may send
//! more; a watch for writing, or a plain blocking read on the other side, wakes up for that, and each needless wake-up of a sleeping core
//! costs tens of microseconds on a virtual machine. A request is written without asking; only one that does not fit into the socket
//! at once is waited for.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// The most descriptors with a message: those of a copy.
const DESCRIPTORS_MAX: usize = 3;

/// The control socket.
#[derive(Debug)]
pub(crate) struct Control {
    /// Of a socket, not a pipe: what reads a descriptor reads either, and this one is watched for reading alone.
    reader: pipe::Receiver,
    /// A second watch, while a large request is on its way.
    writer: Option<UnixStream>,
}

impl Control {
    /// Takes over a non-blocking socket.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            reader: pipe::Receiver::from_owned_fd_unchecked(socket)?,
            writer: None,
        })
    }

    /// Waits until there is something to read. `# Cancel-Safety`: safe.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.reader.readable().await
    }

    /// Reads once, without waiting. False when the other end has closed.
    pub(crate) fn read(&self, into: &mut Vec<u8>) -> io::Result<bool> {
        match self.reader.try_read_buf(into) {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes once, without waiting. Returns how many bytes went.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match rustix::net::send(&self.reader, bytes, flags) {
            Ok(count) => {
                if count == bytes.len() {
                    self.writer = None;
                }
                Ok(count)
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {
                if self.writer.is_none() {
                    let copy = self.reader.as_fd().try_clone_to_owned()?;
                    self.writer = Some(UnixStream::from_std(copy.into())?);
                }
                // The watch learns from a refusal of its own that it has to wait.
                match self.writer.as_ref().map(|writer| writer.try_write(bytes)) {
                    Some(Ok(count)) => Ok(count),
                    Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => Ok(0),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a message that is small, and descriptors with its first byte, without waiting. False when there is no room now.
    pub(crate) fn write_with(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<bool> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::Error::other("too many descriptors"));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(&self.reader, &[IoSlice::new(bytes)], &mut ancillary, flags) {
            Ok(count) if count == bytes.len() => {
                self.writer = None;
                Ok(true)
            }
            Ok(_) => Err(io::Error::other("a message was cut")),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {
                if self.writer.is_none() {
                    let copy = self.reader.as_fd().try_clone_to_owned()?;
                    self.writer = Some(UnixStream::from_std(copy.into())?);
                    // The watch learns from a refusal of its own that it has to wait.
                    if let Some(writer) = &self.writer {
                        let send = || Err::<(), _>(io::Error::from(io::ErrorKind::WouldBlock));
                        drop(writer.try_io(Interest::WRITABLE, send));
                    }
                }
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until more can be written, after a write that did not take all. `# Cancel-Safety`: safe.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match &self.writer {
            Some(writer) => writer.writable().await,
            None => Ok(()),
        }
    }
}
