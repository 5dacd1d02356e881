//! A step's output while it runs, and then its answer: for one caller, who may come late.

use super::registry::{Caller, StepAnswer};
use super::{Refusal, StreamFacts};
use crate::executor::{FollowerId, OutputStream, PIECE_BYTES_MAX, Piece, Raw};

/// What is told of a step that is followed.
#[derive(Debug)]
pub(crate) enum Event {
    /// It has printed something.
    Piece(Piece),
    /// It has ended, or was refused. The last.
    End(Result<StepAnswer, Refusal>),
}

/// Who follows a step.
#[derive(Debug)]
pub(crate) struct Following(Source);

#[derive(Debug)]
enum Source {
    Running {
        caller: Caller,
        follower: FollowerId,
        at: [u64; 2],
    },
    Ended {
        answer: StepAnswer,
        /// What was told of each stream.
        at: [u64; 2],
    },
}

impl Following {
    pub(super) fn running(caller: Caller, follower: FollowerId, at: [u64; 2]) -> Self {
        Self(Source::Running {
            caller,
            follower,
            at,
        })
    }

    pub(super) fn ended(answer: StepAnswer, at: [u64; 2]) -> Self {
        Self(Source::Ended { answer, at })
    }

    /// Whether the step waits for its turn.
    pub(crate) fn is_queued(&self) -> bool {
        match &self.0 {
            Source::Running { caller, .. } => !caller.0.live.has_begun(),
            Source::Ended { .. } => false,
        }
    }

    /// Tells no output any more, and holds up no program, until [`tell_from`](Self::tell_from).
    pub(crate) fn pause(&mut self) {
        match &self.0 {
            Source::Running {
                caller, follower, ..
            } => caller.0.live.leave(*follower),
            Source::Ended { .. } => self.tell_from([u64::MAX; 2]),
        }
    }

    /// Tells the output from these offsets on, again if it was told before.
    pub(crate) fn tell_from(&mut self, offsets: [u64; 2]) {
        match &mut self.0 {
            Source::Running {
                caller,
                follower,
                at,
            } => {
                // Without a moment in which nobody follows.
                let next = caller.0.live.follow(offsets);
                caller.0.live.leave(*follower);
                (*follower, *at) = (next, offsets);
            }
            Source::Ended { at, .. } => *at = offsets,
        }
    }

    /// Waits for what comes next. After the end it is the end again.
    ///
    /// # Cancel-Safety
    /// Safe: nothing is taken before it is returned.
    pub(crate) async fn next(&mut self) -> Event {
        if let Source::Running {
            caller,
            follower,
            at,
        } = &mut self.0
        {
            let pending = &caller.0;
            let end = loop {
                let printed = pending.live.printed();
                tokio::pin!(printed);
                printed.as_mut().enable();
                // The end is asked for first: what was printed before it is there then.
                let end = pending.end();
                if let Some(piece) = pending.live.take(*follower) {
                    note(at, &piece);
                    return Event::Piece(piece);
                }
                if let Some(end) = end {
                    break end;
                }
                printed.await;
            };
            match end {
                Err(refusal) => return Event::End(Err(refusal)),
                // Who came when it had just ended has the kept reply's output before it.
                Ok(answer) => {
                    pending.live.leave(*follower);
                    let at = *at;
                    self.0 = Source::Ended { answer, at };
                }
            }
        }
        let Source::Ended { answer, at } = &mut self.0 else {
            return std::future::pending().await; // it has ended above
        };
        let mut kept = OutputStream::ALL.into_iter().filter_map(|stream| {
            let at = at.get(stream.index())?;
            kept(answer, stream, *at)
        });
        if let Some(piece) = kept.next() {
            drop(kept);
            note(at, &piece);
            return Event::Piece(piece);
        }
        drop(kept);
        Event::End(Ok(answer.clone()))
    }
}

/// Notes what was told.
fn note(at: &mut [u64; 2], piece: &Piece) {
    if let Some(at) = at.get_mut(piece.stream.index()) {
        *at = piece.offset + piece.bytes.len() as u64;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Source::Running {
            caller, follower, ..
        } = &self.0
        {
            caller.0.live.leave(*follower);
        }
    }
}

/// The first that a kept reply has of a stream from `at` on.
fn kept(answer: &StepAnswer, stream: OutputStream, at: u64) -> Option<Piece> {
    let texts = answer.texts.as_ref()?;
    let facts = answer.reply.facts();
    let (facts, text, raw) = match stream {
        OutputStream::Stdout => (facts.stdout, &texts.stdout, &texts.stdout_raw),
        OutputStream::Stderr => (facts.stderr, &texts.stderr, &texts.stderr_raw),
    };
    let (head, tail) = halves(facts, text, raw.as_ref());
    let tail_begins = facts.total_bytes.saturating_sub(tail.len() as u64);
    let parts = [(0, head), (tail_begins, tail)];
    parts.into_iter().find_map(|(begins, part)| {
        let offset = at.max(begins);
        let skip = usize::try_from(offset - begins).unwrap_or(usize::MAX);
        let bytes = part.get(skip..).filter(|bytes| !bytes.is_empty())?;
        Some(Piece {
            stream,
            offset,
            bytes: bytes.iter().take(PIECE_BYTES_MAX).copied().collect(),
            dropped_bytes: offset - at,
        })
    })
}

/// The bytes before and after those that were dropped.
fn halves<'a>(facts: StreamFacts, text: &'a str, raw: Option<&'a Raw>) -> (&'a [u8], &'a [u8]) {
    if let Some(Raw { head, tail }) = raw {
        return (head, tail);
    }
    let text = text.as_bytes();
    let tail = facts.kept_bytes.saturating_sub(facts.head_bytes);
    let tail = text.len().saturating_sub(tail)..;
    (
        text.get(..facts.head_bytes).unwrap_or_default(),
        text.get(tail).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::episode::kept::KeptReply;
    use crate::episode::{StepReply, Texts};

    fn answer(text: &str, facts: StreamFacts, raw: Option<Raw>) -> StepAnswer {
        let reply = StepReply {
            stdout: facts,
            ..StepReply::default()
        };
        let texts = Texts {
            stdout: text.to_owned(),
            stdout_raw: raw,
            ..Texts::default()
        };
        let reply = KeptReply::new(reply, texts);
        StepAnswer {
            texts: reply.texts(),
            reply,
            replayed: true,
        }
    }

    async fn pieces(answer: &StepAnswer, at: u64) -> Vec<(u64, Vec<u8>, u64)> {
        let mut following = Following::ended(answer.clone(), [at, 0]);
        let mut found = Vec::new();
        while let Event::Piece(piece) = following.next().await {
            found.push((piece.offset, piece.bytes, piece.dropped_bytes));
        }
        found
    }

    #[tokio::test]
    async fn a_kept_reply_tells_its_head_and_its_tail_and_what_is_missing_between() {
        let facts = StreamFacts {
            total_bytes: 100,
            kept_bytes: 7,
            truncated: true,
            head_bytes: 4,
        };
        let cut = answer("head\n[marker]\nend", facts, None);
        let head = (0, b"head".to_vec(), 0);
        let tail = (97, b"end".to_vec(), 93);
        assert_eq!(pieces(&cut, 0).await, [head, tail]);
        assert_eq!(
            pieces(&cut, 2).await,
            [(2, b"ad".to_vec(), 0), (97, b"end".to_vec(), 93)]
        );
        assert_eq!(pieces(&cut, 50).await, [(97, b"end".to_vec(), 47)]);
        assert_eq!(pieces(&cut, 98).await, [(98, b"nd".to_vec(), 0)]);
        for beyond in [100, 101, u64::MAX] {
            assert_eq!(pieces(&cut, beyond).await, []);
        }
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_told_as_they_were_and_what_was_dropped_is_not() {
        let facts = StreamFacts {
            total_bytes: 2,
            kept_bytes: 6,
            truncated: false,
            head_bytes: 6,
        };
        let raw = Raw {
            head: b"\xff\xfe".to_vec(),
            tail: Vec::new(),
        };
        let mut answer = answer("\u{fffd}\u{fffd}", facts, Some(raw));
        assert_eq!(pieces(&answer, 0).await, [(0, b"\xff\xfe".to_vec(), 0)]);
        answer.texts = None;
        assert_eq!(pieces(&answer, 0).await, []);
        assert!(Arc::strong_count(&answer.reply) > 0);
    }
}
