//! What a running step has printed: kept for its reply, and told meanwhile to those who follow it.
//!
//! One log for all: the reply's own head and tail, the tail a little longer once somebody follows. A follower is a place in it, and costs
//! no memory of its own. One that is too far behind is waited for, so that a program is no faster than who reads it, but for a bounded
//! time; then what it has not taken is dropped from the log as if nobody followed, and it is told how much. A step that nobody follows
//! pays a lock that nobody else wants and a look at a counter, a read, and wakes nobody.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::output::{Capture, Captured, OutputStream, Piece};

/// What is kept of the end of each stream for followers, at the least.
const TAIL_BYTES: usize = 256 << 10;
/// Of that, what comes at a step's end without being waited for: what a pipe holds.
const LAST_BYTES: usize = 64 << 10;
/// How long a follower that is too far behind is waited for while it takes nothing.
const FOLLOWER_WAIT: Duration = Duration::from_secs(1);
/// The most of a stream that a follower is told at once.
pub(crate) const PIECE_BYTES_MAX: usize = 64 << 10;

/// The output of a step that runs or has run.
#[derive(Debug, Default)]
pub(crate) struct Live {
    log: Mutex<Log>,
    /// How many follow, so that who prints need not lock to find out.
    followers: AtomicUsize,
    /// Something was printed.
    printed: Notify,
    /// A follower that was too far behind has taken something, or gone.
    caught_up: Notify,
}

#[derive(Debug, Default)]
struct Log {
    begun: bool,
    captures: [Capture; 2],
    followers: Vec<Follower>,
    next: u64,
}

#[derive(Debug)]
struct Follower {
    id: FollowerId,
    /// What it has got of each stream.
    at: [u64; 2],
    /// The stream that it was told of last; it is told of the other first.
    last: OutputStream,
    /// Since when it is too far behind, while it takes nothing.
    behind_since: Option<Instant>,
}

/// Which follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FollowerId(u64);

/// What may be read of a step's pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Of each stream, in bytes.
    pub(super) bytes: [usize; 2],
    /// Until when a stream without room waits for its followers, at the most.
    pub(super) until: Option<Instant>,
}

impl Log {
    fn capture(&mut self, stream: OutputStream) -> &mut Capture {
        let [stdout, stderr] = &mut self.captures;
        match stream {
            OutputStream::Stdout => stdout,
            OutputStream::Stderr => stderr,
        }
    }
}

impl Follower {
    fn at(&mut self, stream: OutputStream) -> &mut u64 {
        let [stdout, stderr] = &mut self.at;
        match stream {
            OutputStream::Stdout => stdout,
            OutputStream::Stderr => stderr,
        }
    }
}

impl Live {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The step runs from now on; its reply has at most `limit` bytes of each stream.
    pub(super) fn begin(&self, limit: u32) {
        let mut log = self.log();
        log.begun = true;
        log.captures = [Capture::new(limit), Capture::new(limit)];
        if !log.followers.is_empty() {
            log.captures
                .iter_mut()
                .for_each(|capture| capture.keep(TAIL_BYTES));
        }
    }

    /// Whether the step runs, or has run.
    pub(crate) fn has_begun(&self) -> bool {
        self.log().begun
    }

    /// Whether anybody follows.
    pub(super) fn is_followed(&self) -> bool {
        self.followers.load(Ordering::Acquire) > 0
    }

    /// Takes what was read.
    pub(super) fn push(&self, stream: OutputStream, bytes: &[u8]) {
        self.log().capture(stream).push(bytes);
        if self.is_followed() {
            self.printed.notify_waiters();
        }
    }

    /// How much may be read before a follower loses something, at most `bytes_max` of each stream.
    pub(super) fn room(&self, bytes_max: usize, now: Instant) -> Room {
        let mut room = Room {
            bytes: [bytes_max; 2],
            until: None,
        };
        if !self.is_followed() {
            return room;
        }
        let mut log = self.log();
        let Log {
            captures,
            followers,
            ..
        } = &mut *log;
        for follower in followers {
            let mut left = [0; 2];
            for ((left, capture), at) in left.iter_mut().zip(&*captures).zip(follower.at) {
                *left = capture.room(at).saturating_sub(LAST_BYTES);
            }
            if left.iter().all(|left| *left > 0) {
                follower.behind_since = None;
            } else {
                let until = *follower.behind_since.get_or_insert(now) + FOLLOWER_WAIT;
                if until <= now {
                    continue; // it was waited for long enough
                }
                room.until = Some(room.until.map_or(until, |earlier| earlier.min(until)));
            }
            for (bytes, left) in room.bytes.iter_mut().zip(left) {
                *bytes = left.min(*bytes);
            }
        }
        room
    }

    /// Waits until a follower that was too far behind has taken something. `# Cancel-Safety`: safe.
    pub(super) async fn caught_up(&self) {
        self.caught_up.notified().await;
    }

    /// What the reply shows of both streams. Followers still get what they have not taken.
    pub(super) fn finish(&self) -> [Captured; 2] {
        let mut log = self.log();
        let captures = if log.followers.is_empty() {
            std::mem::take(&mut log.captures)
        } else {
            log.captures.clone()
        };
        drop(log);
        captures.map(Capture::finish)
    }

    /// Follows from these offsets on. Whoever does has to [`leave`](Self::leave).
    pub(crate) fn follow(&self, at: [u64; 2]) -> FollowerId {
        let mut log = self.log();
        let id = FollowerId(log.next);
        log.next += 1;
        log.captures
            .iter_mut()
            .for_each(|capture| capture.keep(TAIL_BYTES));
        log.followers.push(Follower {
            id,
            at,
            last: OutputStream::Stderr,
            behind_since: None,
        });
        self.followers.store(log.followers.len(), Ordering::Release);
        id
    }

    /// Ends what [`follow`](Self::follow) began.
    pub(crate) fn leave(&self, id: FollowerId) {
        let mut log = self.log();
        log.followers.retain(|follower| follower.id != id);
        self.followers.store(log.followers.len(), Ordering::Release);
        drop(log);
        self.caught_up.notify_one();
    }

    /// What a follower has not taken yet, a piece of it. None: nothing.
    pub(crate) fn take(&self, id: FollowerId) -> Option<Piece> {
        let mut log = self.log();
        let Log {
            captures,
            followers,
            ..
        } = &mut *log;
        let follower = followers.iter_mut().find(|follower| follower.id == id)?;
        let order = match follower.last {
            OutputStream::Stdout => [OutputStream::Stderr, OutputStream::Stdout],
            OutputStream::Stderr => OutputStream::ALL,
        };
        for stream in order {
            let at = *follower.at(stream);
            let read = captures.get(stream.index())?.read(at, PIECE_BYTES_MAX);
            let Some((offset, bytes)) = read else {
                continue;
            };
            *follower.at(stream) = offset + bytes.len() as u64;
            follower.last = stream;
            let was_behind = follower.behind_since.take().is_some();
            drop(log);
            if was_behind {
                self.caught_up.notify_one();
            }
            return Some(Piece {
                stream,
                offset,
                bytes,
                dropped_bytes: offset - at,
            });
        }
        None
    }

    /// Completes when something is printed after this call. `# Cancel-Safety`: safe.
    pub(crate) fn printed(&self) -> Notified<'_> {
        self.printed.notified()
    }

    /// Wakes who waits for something to be printed: the step has ended.
    pub(crate) fn wake(&self) {
        self.printed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 1024;

    fn live() -> Live {
        let live = Live::default();
        live.begin(LIMIT);
        live
    }

    #[test]
    fn a_follower_that_takes_what_comes_is_never_let_down() {
        let live = live();
        let follower = live.follow([0, 0]);
        let now = Instant::now();
        let mut printed = 0;
        for turn in 0..200_usize {
            let room = live.room(1 << 20, now);
            assert!(room.until.is_none() == (room.bytes[0] > 0), "{room:?}");
            live.push(OutputStream::Stdout, &vec![b'x'; room.bytes[0]]);
            printed += room.bytes[0] as u64;
            if turn % 3 > 0 {
                let piece = live.take(follower).unwrap();
                assert_eq!(piece.dropped_bytes, 0);
                assert!(piece.bytes.len() <= PIECE_BYTES_MAX);
            }
        }
        // What a pipe holds comes without being asked about.
        live.push(OutputStream::Stdout, &vec![b'x'; LAST_BYTES]);
        printed += LAST_BYTES as u64;
        let mut at = None;
        while let Some(piece) = live.take(follower) {
            assert_eq!(piece.dropped_bytes, 0);
            assert!(at.is_none_or(|at| at == piece.offset));
            at = Some(piece.offset + piece.bytes.len() as u64);
        }
        assert_eq!(at, Some(printed));
    }

    #[test]
    fn one_that_takes_nothing_is_waited_for_up_to_a_bound_and_told_what_it_missed() {
        let live = live();
        let slow = live.follow([0, 0]);
        let begun = Instant::now();
        live.push(OutputStream::Stdout, &[b'x'; TAIL_BYTES]);
        let full = live.room(1 << 20, begun);
        assert_eq!(full.bytes[0], 0);
        assert_eq!(full.until, Some(begun + FOLLOWER_WAIT));
        // The other stream need not wait.
        assert!(full.bytes[1] > 0);
        let still = begun + FOLLOWER_WAIT - Duration::from_millis(1);
        assert_eq!(live.room(1 << 20, still), full);
        let over = begun + FOLLOWER_WAIT;
        let free = Room {
            bytes: [1 << 20; 2],
            until: None,
        };
        assert_eq!(live.room(1 << 20, over), free);
        live.push(OutputStream::Stdout, &vec![b'y'; 1 << 20]);
        // The head is the reply's, and never dropped.
        let head = live.take(slow).unwrap();
        assert_eq!((head.offset, head.bytes.len()), (0, 512));
        let tail = live.take(slow).unwrap();
        let dropped = (1 << 20) - 512;
        assert_eq!(tail.offset, 512 + dropped);
        assert_eq!(tail.dropped_bytes, dropped);
        // It is waited for again.
        let now = over + FOLLOWER_WAIT;
        live.push(OutputStream::Stdout, &[b'z'; TAIL_BYTES]);
        assert_eq!(live.room(1 << 20, now).until, Some(now + FOLLOWER_WAIT));
        live.leave(slow);
        assert_eq!(live.room(1 << 20, now), free);
    }

    #[test]
    fn one_that_comes_late_gets_what_the_reply_would_show() {
        let live = live();
        live.push(OutputStream::Stdout, &[b'a'; 512]);
        live.push(OutputStream::Stdout, &[b'b'; 10_000]);
        live.push(OutputStream::Stderr, b"error");
        let late = live.follow([10, 0]);
        let stdout = live.take(late).unwrap();
        assert_eq!((stdout.offset, stdout.bytes.len()), (10, 502));
        let stderr = live.take(late).unwrap();
        assert_eq!(
            (stderr.stream, stderr.bytes.as_slice()),
            (OutputStream::Stderr, &b"error"[..])
        );
        let tail = live.take(late).unwrap();
        assert_eq!((tail.offset, tail.dropped_bytes), (10_000, 9_488));
        assert_eq!(live.take(late), None);
        let shown = live.finish();
        assert_eq!(shown[0].total_bytes, 10_512);
        assert_eq!(shown[1].text, "error");
    }
}
