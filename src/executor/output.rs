//! What a step printed, bounded: the head and the tail of each stream. Pure.

use std::collections::VecDeque;

use super::frame::lossy_text;

/// Collects one stream of one step.
#[derive(Debug)]
pub(crate) struct Capture {
    /// The most bytes of text that the reply may have.
    limit: usize,
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
}

impl Capture {
    pub(crate) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            limit,
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
        }
    }

    /// Takes what was read. Holds at most `limit` bytes, however much comes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let head_room = (self.limit - self.limit / 2).saturating_sub(self.head.len());
        let (head, rest) = bytes.split_at(head_room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let tail_max = self.limit / 2;
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
            head,
            mut tail,
            total,
        } = self;
        if total == 0 {
            return Captured::default();
        }
        let whole = (head.len() + tail.len()) as u64 == total;
        if whole {
            let bytes = if tail.is_empty() {
                head
            } else {
                [&head, tail.make_contiguous() as &[u8]].concat()
            };
            // The end of the stream is the end of the text: a character that is cut there is shown as broken.
            let text = String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            return shorten(text, total, limit);
        }
        let head = lossy_text(&head);
        let tail = tail.make_contiguous();
        let start = tail
            .iter()
            .position(|byte| byte & 0xc0 != 0x80)
            .unwrap_or(0);
        let tail = String::from_utf8_lossy(tail.get(start..).unwrap_or_default());
        join(&head, &tail, total, limit)
    }
}

/// Cuts the middle out of a text that is longer than `limit`.
pub(crate) fn shorten(text: String, total_bytes: u64, limit: usize) -> Captured {
    if text.len() <= limit {
        return Captured {
            kept_bytes: text.len(),
            text,
            total_bytes,
            truncated: false,
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
    }
}
