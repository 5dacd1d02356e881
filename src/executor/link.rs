//! The server's end of its socket to the warden.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::Notify;

use crate::sandbox::order::{EVENT_BYTES_MAX, Event, Order};
use crate::sandbox::warden;

/// Sends orders. Cheap to clone; never blocks.
#[derive(Debug, Clone)]
pub(crate) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Of kind SOCK_SEQPACKET; tokio only ever asks whether it is ready.
    socket: UnixDatagram,
    /// Orders that the socket had no room for. At most a few per worker, and workers are bounded.
    waiting: Mutex<VecDeque<(Vec<u8>, Vec<OwnedFd>)>>,
    more: Notify,
}

impl Link {
    /// Takes over a non-blocking socket.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = UnixDatagram::from_std(std::os::unix::net::UnixDatagram::from(socket))?;
        Ok(Self(Arc::new(Inner {
            socket,
            waiting: Mutex::default(),
            more: Notify::new(),
        })))
    }

    /// Sends an order, at once when there is room, else as soon as there is. An order to a warden that has gone is dropped: its end
    /// is the end of all it could be about.
    pub(crate) fn send(&self, order: &Order, fds: Vec<OwnedFd>) {
        let message = order.encode();
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            match warden::send(self.0.socket.as_fd(), &message, &fds) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
        waiting.push_back((message, fds));
        self.0.more.notify_one();
    }

    /// Sends what had to wait, for as long as it is polled.
    pub(crate) async fn send_waiting(&self) {
        loop {
            self.0.more.notified().await;
            let mut left = true;
            while left {
                if self.0.socket.writable().await.is_err() {
                    return;
                }
                let mut waiting = self
                    .0
                    .waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                left = false;
                // An order stays at the front until it is sent, so that none overtakes it.
                while let Some((message, fds)) = waiting.front() {
                    let socket = &self.0.socket;
                    match socket.try_io(Interest::WRITABLE, || {
                        warden::send(socket.as_fd(), message, fds)
                    }) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            left = true;
                            break;
                        }
                        Ok(()) => drop(waiting.pop_front()),
                        Err(_) => return,
                    }
                }
            }
        }
    }

    /// Tells the warden that it is to end; it closes its own end when all is over.
    pub(crate) fn close(&self) -> io::Result<()> {
        rustix::net::shutdown(&self.0.socket, rustix::net::Shutdown::Write).map_err(io::Error::from)
    }

    /// The next event. None when the warden has gone.
    pub(crate) async fn receive(&self) -> io::Result<Option<Event>> {
        loop {
            let socket = &self.0.socket;
            socket.readable().await?;
            match socket.try_io(Interest::READABLE, || {
                warden::receive(socket.as_fd(), EVENT_BYTES_MAX)
            }) {
                Ok(Some((message, _))) => {
                    return Event::decode(&message).map(Some).map_err(io::Error::other);
                }
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
