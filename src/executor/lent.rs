//! The way to a worker's files: a descriptor of their directory for as long as somebody works with them, and none for an idle episode.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};

use super::link::Link;
use super::worker::Shared;
use crate::sandbox::cell::Ask;
use crate::sandbox::order::Order;

/// How long a reaper may take to lend its workspace. It does next to nothing else, so one that takes longer is broken.
const LENT_WITHIN: Duration = Duration::from_secs(10);

/// A worker's files. Holds no descriptor.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    shared: Arc<Shared>,
    link: Link,
}

impl Workspace {
    pub(super) fn new(shared: Arc<Shared>, link: Link) -> Self {
        Self { shared, link }
    }

    /// Opens their directory, with O_PATH. Where the cell has a file system of its own its reaper is asked; elsewhere it is a directory of the
    /// server's, with a name that nothing else may be given.
    ///
    /// # Errors
    /// When the worker has ended, or the directory can't be had.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(crate) async fn open(&self) -> io::Result<OwnedFd> {
        if self.shared.has_ended() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !self.shared.has_own_files {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            return Ok(open(&self.shared.workspace, flags, Mode::empty())?);
        }
        let (worker, ask) = (self.shared.id, Ask::Lend);
        let lent = self
            .shared
            .wait_for_lent(|| self.link.send(&Order::Ask { worker, ask }, Vec::new()));
        tokio::select! {
            biased;
            lent = tokio::time::timeout(LENT_WITHIN, lent) => match lent {
                Ok(Ok(fd)) => Ok(fd),
                Ok(Err(_)) => Err(io::Error::other("its reaper has none to lend")),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
            _ = self.shared.ended() => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Completes when the worker has ended, and its files with it. `# Cancel-Safety`: safe.
    pub(crate) async fn ended(&self) {
        self.shared.ended().await;
    }

    /// Whether the worker has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }
}
