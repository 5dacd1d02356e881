//! The server's ends of its sockets to its own processes.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::Notify;

use crate::sandbox::order::{EVENT_BYTES_MAX, Event, Order};
use crate::sandbox::socket;

/// The server's end of a socket of kind SOCK_SEQPACKET. Never blocks.
#[derive(Debug)]
pub(super) struct Channel {
    /// tokio only ever asks whether it is ready.
    socket: UnixDatagram,
    /// Messages that the socket had no room for. At most a few per worker, and workers are bounded.
    waiting: Mutex<VecDeque<(Vec<u8>, Vec<OwnedFd>)>>,
    more: Notify,
    /// Nothing waits any more.
    sent: Notify,
}

impl Channel {
    /// Takes over a non-blocking socket.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = UnixDatagram::from_std(std::os::unix::net::UnixDatagram::from(socket))?;
        Ok(Self {
            socket,
            waiting: Mutex::default(),
            more: Notify::new(),
            sent: Notify::new(),
        })
    }

    /// Sends a message, at once when there is room, else as soon as there is. One to a process that has gone is dropped.
    pub(super) fn send(&self, message: Vec<u8>, fds: Vec<OwnedFd>) {
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            match socket::send(self.socket.as_fd(), &message, &fds) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
        waiting.push_back((message, fds));
        self.more.notify_one();
    }

    /// Sends a message if there is room for it and nothing before it.
    pub(super) fn try_send(&self, message: &[u8], fds: &[OwnedFd]) -> io::Result<()> {
        let waiting = self.waiting();
        if !waiting.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.socket.try_io(Interest::WRITABLE, || {
            socket::send(self.socket.as_fd(), message, fds)
        })
    }

    /// Waits until there is room and nothing waits for it, or the other end has gone. `# Cancel-Safety`: safe.
    pub(super) async fn has_room(&self) {
        loop {
            let sent = self.sent.notified();
            // A socket that has room again is no sign: what waits is sent by a task that may need this thread for it.
            if self.waiting().is_empty() {
                break;
            }
            sent.await;
        }
        drop(self.socket.writable().await); // the next send finds out
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Vec<u8>, Vec<OwnedFd>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what had to wait, for as long as it is polled.
    pub(super) async fn send_waiting(&self) {
        loop {
            self.more.notified().await;
            let mut left = true;
            while left {
                if self.socket.writable().await.is_err() {
                    return;
                }
                let mut waiting = self.waiting();
                left = false;
                // A message stays at the front until it is sent, so that none overtakes it.
                while let Some((message, fds)) = waiting.front() {
                    match self.socket.try_io(Interest::WRITABLE, || {
                        socket::send(self.socket.as_fd(), message, fds)
                    }) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            left = true;
                            break;
                        }
                        Ok(()) => drop(waiting.pop_front()),
                        Err(_) => return,
                    }
                }
                if !left {
                    self.sent.notify_waiters();
                }
            }
        }
    }

    /// The next message with its descriptors. None when the other end has closed.
    pub(super) async fn receive(
        &self,
        bytes_max: usize,
    ) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
        loop {
            self.socket.readable().await?;
            match self.socket.try_io(Interest::READABLE, || {
                socket::receive(self.socket.as_fd(), bytes_max)
            }) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }
}

/// The way to the warden: sends orders, receives events. Cheap to clone; never blocks.
#[derive(Debug, Clone)]
pub(crate) struct Link(Arc<Channel>);

impl Link {
    /// Takes over a non-blocking socket.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self(Arc::new(Channel::new(socket)?)))
    }

    /// Sends an order, at once when there is room, else as soon as there is. An order to a warden that has gone is dropped: its end
    /// is the end of all it could be about.
    pub(crate) fn send(&self, order: &Order, fds: Vec<OwnedFd>) {
        self.0.send(order.encode(), fds);
    }

    /// Waits until all orders were sent, or the warden has gone. `# Cancel-Safety`: safe.
    pub(crate) async fn has_room(&self) {
        self.0.has_room().await;
    }

    /// Sends what had to wait, for as long as it is polled.
    pub(crate) async fn send_waiting(&self) {
        self.0.send_waiting().await;
    }

    /// Tells the warden that it is to end; it closes its own end when all is over.
    pub(crate) fn close(&self) -> io::Result<()> {
        rustix::net::shutdown(&self.0.socket, rustix::net::Shutdown::Write).map_err(io::Error::from)
    }

    /// The next event, and the descriptors that came with it. None when the warden has gone.
    pub(crate) async fn receive(&self) -> io::Result<Option<(Event, Vec<OwnedFd>)>> {
        match self.0.receive(EVENT_BYTES_MAX).await? {
            Some((message, fds)) => match Event::decode(&message) {
                Ok(event) => Ok(Some((event, fds))),
                Err(error) => Err(io::Error::other(error)),
            },
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    /// Room in the socket is not room for one more message while others wait for that room: who takes it for that never lets the task run which
    /// sends them.
    #[tokio::test]
    async fn there_is_no_room_before_what_waits_is_sent() {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let channel = Channel::new(ours).unwrap();
        while channel.waiting().is_empty() {
            channel.send(vec![0; 1024], Vec::new());
        }
        while socket::receive(theirs.as_fd(), 1024).is_ok() {}
        tokio::select! {
            biased;
            () = channel.has_room() => panic!("something waits yet"),
            () = async { for _ in 0..100 { tokio::task::yield_now().await } } => {}
        }
        tokio::select! {
            () = channel.has_room() => {}
            () = channel.send_waiting() => panic!("it ends with its socket alone"),
        }
        channel.try_send(&[0], &[]).unwrap();
    }
}
