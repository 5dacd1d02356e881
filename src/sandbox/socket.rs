//! Messages with descriptors between our own processes, on sockets of kind SOCK_SEQPACKET: a message arrives whole or not at all.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The most descriptors with a message: a worker's control socket, stdout and stderr, its control groups and Landlock rulesets
/// (`FDS_MAX` of cells.rs).
const DESCRIPTORS_MAX: usize = 12;

/// Sends one message with descriptors.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &[u8], fds: &[OwnedFd]) -> io::Result<()> {
    let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(OwnedFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !borrowed.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&borrowed)) {
        return Err(io::Error::other("too many descriptors"));
    }
    rustix::io::retry_on_intr(|| {
        sendmsg(
            socket,
            &[IoSlice::new(message)],
            &mut control,
            SendFlags::NOSIGNAL,
        )
    })?;
    Ok(())
}

/// Receives one message with its descriptors. None when the other end has closed.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    bytes_max: usize,
) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut message = vec![0; bytes_max];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut message)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    });
    let received = match received {
        Ok(received) => received.bytes,
        Err(Errno::CONNRESET) => 0,
        Err(error) => return Err(error.into()),
    };
    if received == 0 {
        return Ok(None);
    }
    message.truncate(received);
    let mut fds = Vec::new();
    for entry in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = entry {
            fds.extend(rights);
        }
    }
    Ok(Some((message, fds)))
}

/// A message, which process sent it, and the descriptor that came with it.
pub(crate) struct Sent {
    pub(crate) message: Vec<u8>,
    pub(crate) sender: i32,
    pub(crate) fd: Option<OwnedFd>,
}

/// Receives one message if there is one, with at most one descriptor. The socket must have SO_PASSCRED. None when the other end has closed
/// and all that it had said was received: that it left messages unread is told as a reset first, once, and is passed over.
pub(crate) fn receive_with_sender(
    socket: BorrowedFd<'_>,
    bytes_max: usize,
) -> io::Result<Option<Sent>> {
    let mut message = vec![0; bytes_max];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let received = recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut message)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        );
        match received {
            Ok(received) => break received.bytes,
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if received == 0 {
        return Ok(None);
    }
    message.truncate(received);
    let (mut sender, mut fd) = (0, None);
    for entry in control.drain() {
        match entry {
            RecvAncillaryMessage::ScmCredentials(credentials) => {
                sender = credentials.pid.as_raw_nonzero().get();
            }
            RecvAncillaryMessage::ScmRights(mut rights) => fd = rights.next(),
            _ => {}
        }
    }
    Ok(Some(Sent {
        message,
        sender,
        fd,
    }))
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::set_socket_passcred;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    /// A template that was killed leaves orders unread, and its reapers' last words behind.
    #[test]
    fn what_was_said_before_the_other_end_closed_with_messages_unread_is_heard() {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        set_socket_passcred(&ours, true).unwrap();
        send(ours.as_fd(), b"an order", &[]).unwrap();
        send(theirs.as_fd(), b"first", &[]).unwrap();
        send(theirs.as_fd(), b"last", &[]).unwrap();
        drop(theirs);
        for said in [b"first".as_slice(), b"last"] {
            let heard = receive_with_sender(ours.as_fd(), 64).unwrap().unwrap();
            assert_eq!(heard.message, said);
        }
        assert!(receive_with_sender(ours.as_fd(), 64).unwrap().is_none());
    }
}
