//! Signals: the first one asks for a drain, the second for the end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, which people send from a terminal, and SIGTERM, which Kubernetes and systemd send.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from here on.
    ///
    /// # Errors
    /// When the handlers can't be installed.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next signal's name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
