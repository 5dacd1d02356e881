//! Files that are read again when they change.
//!
//! They are looked at once a second and not by inotify: Kubernetes changes a mounted secret by swapping a symbolic link above it, and what is
//! looked at here is what stands behind all links. A SIGHUP has them read at once.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What changes with a file: device, inode, size, and the times of its content and of its inode.
type Stamp = Option<(u64, u64, u64, (i64, i64), (i64, i64))>;

/// Tells when one of some files has changed.
#[derive(Debug)]
pub(crate) struct Watch {
    files: Vec<PathBuf>,
    seen: Vec<Stamp>,
    tick: Interval,
    hangup: Signal,
}

impl Watch {
    /// Looks for the first time. To be called before the files are read.
    pub(crate) async fn new(files: Vec<PathBuf>) -> io::Result<Self> {
        let seen = look(files.clone()).await;
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            files,
            seen,
            tick,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next look. True when the files are to be read: they have changed, or SIGHUP asks for it.
    ///
    /// # Cancel-Safety
    /// Safe: a change that was not told is told by the next call.
    pub(crate) async fn next(&mut self) -> bool {
        let asked = tokio::select! {
            _ = self.tick.tick() => false,
            _ = self.hangup.recv() => true,
        };
        let now = look(self.files.clone()).await;
        let changed = asked || now != self.seen;
        self.seen = now;
        changed
    }
}

/// On a thread where it may block: a file system can be slow.
async fn look(files: Vec<PathBuf>) -> Vec<Stamp> {
    let stamp = |file: &PathBuf| {
        let found = fs::metadata(file).ok()?;
        Some((
            found.dev(),
            found.ino(),
            found.size(),
            (found.mtime(), found.mtime_nsec()),
            (found.ctime(), found.ctime_nsec()),
        ))
    };
    let looking = tokio::task::spawn_blocking(move || files.iter().map(stamp).collect());
    looking.await.unwrap_or_default()
}
