//! What a step printed, bounded: the head and the tail of each stream. Pure.

use std::collections::VecDeque;

use super::frame::lossy_text;

/// A stream that a program writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
}

impl OutputStream {
    /// Both, in the order of their indices.
    pub(crate) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// Its place in pairs of something for each stream.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }
}

/// A part of what a step printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) stream: OutputStream,
    /// Bytes of the stream before it.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    /// Bytes right before it that are not to be had.
    pub(crate) dropped_bytes: u64,
}

/// Collects one stream of one step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    /// The most bytes of text that the reply may have.
    limit: usize,
    /// The most bytes of the tail: what the reply needs, or more for those who follow.
    tail_max: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

/// One stream of one step, as the reply shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) text: String,
    /// Bytes of the text, without the marker.
    pub(crate) kept_bytes: usize,
    /// Bytes that were written.
    pub(crate) total_bytes: u64,
    pub(crate) truncated: bool,
    /// Bytes of the text before the marker: all, when there is none.
    pub(crate) head_bytes: usize,
    /// The bytes themselves, where the text has others instead.
    pub(crate) raw: Option<Raw>,
}

/// What is kept of a stream that is not all UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) head: Vec<u8>,
    pub(crate) tail: Vec<u8>,
}

impl Capture {
    pub(crate) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            limit,
            tail_max: limit / 2,
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
        }
    }

    /// Keeps at least so many of the last bytes from now on, for who follows: the reply is the same.
    pub(crate) fn keep(&mut self, tail_bytes: usize) {
        self.tail_max = self.tail_max.max(tail_bytes);
    }

    fn head_max(&self) -> usize {
        self.limit - self.limit / 2
    }

    /// How many bytes may come before one that is at or after `at` is dropped.
    pub(crate) fn room(&self, at: u64) -> usize {
        let head_room = self.head_max() - self.head.len();
        let behind = self.total.saturating_sub(at.max(self.head.len() as u64));
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        (head_room + self.tail_max).saturating_sub(behind)
    }

    /// The first bytes that are kept from `at` on, and where they begin. None when nothing was written after `at`.
    pub(crate) fn read(&self, at: u64, bytes_max: usize) -> Option<(u64, Vec<u8>)> {
        if at >= self.total {
            return None;
        }
        let in_head = usize::try_from(at)
            .ok()
            .and_then(|at| self.head.get(at..))
            .filter(|head| !head.is_empty());
        if let Some(head) = in_head {
            let piece = head.get(..bytes_max).unwrap_or(head);
            return Some((at, piece.to_vec()));
        }
        let begins = self.total - self.tail.len() as u64;
        let at = at.max(begins);
        let skip = usize::try_from(at - begins).unwrap_or(usize::MAX);
        let (first, second) = self.tail.as_slices();
        // By slices: it is a flood that is read like this.
        let part = match first.get(skip..).filter(|first| !first.is_empty()) {
            Some(first) => first,
            None => second.get(skip - first.len()..).unwrap_or_default(),
        };
        Some((at, part.get(..bytes_max).unwrap_or(part).to_vec()))
    }

    /// Takes what was read. Holds at most `limit` bytes and what it was told to keep, however much comes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let head_room = self.head_max() - self.head.len();
        let (head, rest) = bytes.split_at(head_room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let tail_max = self.tail_max;
        let rest = rest
            .get(rest.len().saturating_sub(tail_max)..)
            .unwrap_or_default();
        let excess = (self.tail.len() + rest.len()).saturating_sub(tail_max);
        self.tail.drain(..excess.min(self.tail.len()));
        self.tail.extend(rest);
    }

    pub(crate) fn finish(self) -> Captured {
        let Self {
            limit,
            tail_max: _,
            head,
            mut tail,
            total,
        } = self;
        if total == 0 {
            return Captured::default();
        }
        tail.drain(..tail.len().saturating_sub(limit / 2));
        let whole = (head.len() + tail.len()) as u64 == total;
        if whole {
            let bytes = if tail.is_empty() {
                head
            } else {
                [&head, tail.make_contiguous() as &[u8]].concat()
            };
            // The end of the stream is the end of the text: a character that is cut there is shown as broken.
            return match String::from_utf8(bytes) {
                Ok(text) => shorten(text, total, limit),
                Err(error) => {
                    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                    let raw = Raw {
                        head: error.into_bytes(),
                        tail: Vec::new(),
                    };
                    Captured {
                        raw: Some(raw),
                        ..shorten(text, total, limit)
                    }
                }
            };
        }
        let head_text = lossy_text(&head);
        let tail = tail.make_contiguous();
        let start = tail
            .iter()
            .position(|byte| byte & 0xc0 != 0x80)
            .unwrap_or(0);
        let tail_text = String::from_utf8_lossy(tail.get(start..).unwrap_or_default());
        let captured = join(&head_text, &tail_text, total, limit);
        let is_text = head.starts_with(head_text.as_bytes())
            && matches!(tail_text, std::borrow::Cow::Borrowed(_));
        drop(tail_text);
        Captured {
            raw: (!is_text).then(|| Raw {
                head,
                tail: tail.to_vec(),
            }),
            ..captured
        }
    }
}

/// Cuts the middle out of a text that is longer than `limit`.
pub(crate) fn shorten(text: String, total_bytes: u64, limit: usize) -> Captured {
    if text.len() <= limit {
        return Captured {
            kept_bytes: text.len(),
            head_bytes: text.len(),
            text,
            total_bytes,
            truncated: false,
            raw: None,
        };
    }
    join(&text, &text, total_bytes, limit)
}

/// The head of one text and the tail of another, with a marker line between.
fn join(head: &str, tail: &str, total_bytes: u64, limit: usize) -> Captured {
    let head = head
        .get(..floor_boundary(head, limit - limit / 2))
        .unwrap_or_default();
    let cut = tail.len().saturating_sub(limit / 2);
    let tail = tail.get(ceil_boundary(tail, cut)..).unwrap_or_default();
    let kept_bytes = head.len() + tail.len();
    let dropped = total_bytes.saturating_sub(kept_bytes as u64);
    let text =
        format!("{head}\n[coding-env: {dropped} of {total_bytes} bytes left out here]\n{tail}");
    Captured {
        text,
        kept_bytes,
        total_bytes,
        truncated: true,
        head_bytes: head.len(),
        raw: None,
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture(limit: u32, pieces: &[&[u8]]) -> Captured {
        let mut capture = Capture::new(limit);
        for piece in pieces {
            capture.push(piece);
        }
        capture.finish()
    }

    #[test]
    fn all_is_kept_up_to_the_limit_and_the_middle_dropped_past_it() {
        let exact = capture(10, &[b"01234", b"56789"]);
        assert_eq!(
            (exact.text.as_str(), exact.truncated, exact.kept_bytes),
            ("0123456789", false, 10)
        );
        let over = capture(10, &[b"01234", b"56789", b"A"]);
        assert_eq!(
            over.text,
            "01234\n[coding-env: 1 of 11 bytes left out here]\n6789A"
        );
        assert_eq!(
            (over.truncated, over.kept_bytes, over.total_bytes),
            (true, 10, 11)
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_count_as_the_text_they_become() {
        let shown = capture(9, &[b"\xff\xff\xff"]);
        assert_eq!(
            (shown.text.as_str(), shown.truncated),
            ("\u{fffd}\u{fffd}\u{fffd}", false)
        );
        let cut = capture(8, &[b"\xff\xff\xff"]);
        assert!(cut.truncated && cut.kept_bytes <= 8, "{cut:?}");
    }

    #[test]
    fn bytes_are_kept_beside_a_text_that_does_not_have_them() {
        let raw = |pieces: &[&[u8]]| capture(8, pieces).raw;
        assert_eq!(raw(&[b"text"]), None);
        assert_eq!(raw(&[b"more text than that"]), None);
        // Cut within a character, which the text leaves out.
        assert_eq!(raw(&["aéééééééa".as_bytes()]), None);
        let kept = |head: &[u8], tail: &[u8]| {
            Some(Raw {
                head: head.to_vec(),
                tail: tail.to_vec(),
            })
        };
        assert_eq!(raw(&[b"a\xff"]), kept(b"a\xff", b""));
        assert_eq!(raw(&[b"0123456789\xff"]), kept(b"0123", b"789\xff"));
        assert_eq!(raw(&[b"\xff123456789"]), kept(b"\xff123", b"6789"));
    }

    #[test]
    fn characters_are_never_cut_in_two() {
        let cut = capture(7, &["ééééééé".as_bytes()]);
        assert!(!cut.text.contains('\u{fffd}'), "{cut:?}");
    }

    proptest! {
        #[test]
        fn the_limit_holds_however_the_bytes_come(
            limit in 2_u32..200,
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..9),
        ) {
            let all = pieces.concat();
            let views: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let got = capture(limit, &views);
            prop_assert_eq!(&got, &capture(limit, &[&all]));
            prop_assert_eq!(got.total_bytes, all.len() as u64);
            prop_assert!(got.kept_bytes <= limit as usize);
            if !got.truncated {
                prop_assert_eq!(got.text, String::from_utf8_lossy(&all));
            }
        }

        #[test]
        fn who_follows_gets_all_in_order_or_is_told_what_is_missing_and_the_reply_is_the_same(
            limit in 2_u32..100,
            kept in 0_usize..200,
            pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..90), any::<bool>(), 1_usize..50), 0..9),
        ) {
            let mut capture = Capture::new(limit);
            capture.keep(kept);
            let (mut all, mut got, mut at) = (Vec::new(), Vec::new(), 0_u64);
            for (bytes, reads, bytes_max) in &pieces {
                let has_room = !bytes.is_empty() && bytes.len() <= capture.room(at);
                capture.push(bytes);
                all.extend_from_slice(bytes);
                let first = capture.read(at, *bytes_max);
                if has_room && at < all.len() as u64 {
                    prop_assert_eq!(first.as_ref().map(|(offset, _)| *offset), Some(at));
                }
                let Some((offset, bytes)) = first.filter(|_| *reads) else { continue };
                prop_assert!(offset >= at && bytes.len() <= *bytes_max && !bytes.is_empty());
                let from = usize::try_from(offset).unwrap();
                prop_assert_eq!(&all[from..from + bytes.len()], &bytes);
                at = offset + bytes.len() as u64;
                got.extend(bytes);
            }
            prop_assert!(capture.room(at) <= kept.max(limit as usize / 2) + limit as usize);
            while let Some((offset, bytes)) = capture.read(at, 7) {
                at = offset + bytes.len() as u64;
            }
            prop_assert_eq!(at, all.len() as u64);
            prop_assert_eq!(capture.finish(), self::capture(limit, &[&all]));
        }
    }
}
