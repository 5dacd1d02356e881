//! The connection to a container's standard streams: the server in it ends when this client has gone, in whatever way, and what it writes
//! is kept for errors.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::container::AttachContainerResults;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;

/// The most of a container's log that is kept, in bytes: its end.
const LOG_BYTES_MAX: usize = 64 << 10;
/// The most lines of it that an error shows.
const LOG_LINES_MAX: usize = 50;
/// How long the engine may take to tell the exit code of a container that has ended.
const EXIT_CODE_WITHIN: Duration = Duration::from_secs(5);

/// Holds a container's standard input open, and reads its output. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Lifeline {
    log: Arc<Mutex<Tail>>,
    reading: JoinHandle<()>,
    ended: watch::Receiver<()>,
    exit_code: JoinHandle<Option<i64>>,
}

impl Lifeline {
    /// Begins before the container is started, so that nothing is missed.
    pub(super) fn hold(
        attached: AttachContainerResults,
        exit_code: impl Future<Output = Option<i64>> + Send + 'static,
    ) -> Self {
        let AttachContainerResults { mut output, input } = attached;
        let log = Arc::new(Mutex::new(Tail::default()));
        let tail = Arc::clone(&log);
        let (ending, ended) = watch::channel(());
        let reading = tokio::spawn(async move {
            // Both live as long as this task.
            let (_input, _ending) = (input, ending);
            while let Some(Ok(piece)) = output.next().await {
                tail.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(&piece.into_bytes());
            }
        });
        Self {
            log,
            reading,
            ended,
            exit_code: tokio::spawn(exit_code),
        }
    }

    /// Returns when the container has ended, and all that it wrote has been read.
    pub(super) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the sender goes with the task.
        drop(ended.wait_for(|()| false).await);
    }

    /// What it ended with, as far as the engine tells, once it has ended.
    pub(super) async fn exit_code(&mut self) -> Option<i64> {
        let told = async {
            self.ended().await;
            (&mut self.exit_code).await
        };
        tokio::time::timeout(EXIT_CODE_WITHIN, told)
            .await
            .ok()?
            .ok()?
    }

    /// The last lines that it wrote, of both streams.
    pub(super) fn log(&self) -> String {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lines()
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.reading.abort();
        self.exit_code.abort();
    }
}

/// The end of a stream of bytes.
#[derive(Debug, Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
        let more = self.0.len().saturating_sub(LOG_BYTES_MAX);
        self.0.drain(..more);
    }

    fn lines(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let from = lines.len().saturating_sub(LOG_LINES_MAX);
        lines.get(from..).unwrap_or_default().concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_log_is_bounded_in_lines_and_in_bytes() {
        let mut tail = Tail::default();
        for number in 0..60 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        let shown = tail.lines();
        assert!(shown.starts_with("line 10\n") && shown.ends_with("line 59\n"));
        tail.push(&[b'x'; LOG_BYTES_MAX + 1]);
        assert_eq!(tail.lines(), "x".repeat(LOG_BYTES_MAX));
    }
}
