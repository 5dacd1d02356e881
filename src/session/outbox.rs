//! Responses that a session owes: those that were not sent, and those that were and are not acknowledged. Pure.

use std::collections::{HashSet, VecDeque};

/// What responses that were not sent hold in memory of their own, at the most.
const HELD_BYTES_MAX: usize = 16 << 20;

/// A response that can be made more than once.
pub(super) trait Owed {
    /// As it is sent.
    type Message;

    /// Makes it.
    fn message(&self, id: u64, number: u64) -> Self::Message;

    /// Bytes that it holds, and that it can do without.
    fn held_bytes(&self) -> usize;

    /// Lets them go: what is made of it later may have less.
    fn release(&mut self);
}

#[derive(Debug)]
struct Entry<R> {
    id: u64,
    /// 0 until it is sent.
    number: u64,
    response: R,
}

/// The responses.
#[derive(Debug)]
pub(super) struct Outbox<R> {
    unsent: VecDeque<Entry<R>>,
    sent: VecDeque<Entry<R>>,
    /// The requests that they answer.
    ids: HashSet<u64>,
    /// The number of the last that was sent.
    last: u64,
    held_bytes: usize,
    /// How many are kept that were sent.
    sent_max: usize,
}

impl<R: Owed> Outbox<R> {
    pub(super) fn new(sent_max: usize) -> Self {
        Self {
            unsent: VecDeque::new(),
            sent: VecDeque::new(),
            ids: HashSet::new(),
            last: 0,
            held_bytes: 0,
            sent_max,
        }
    }

    /// How many were not sent.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Whether it owes the answer to a request.
    pub(super) fn owes(&self, id: u64) -> bool {
        self.ids.contains(&id)
    }

    /// Adds the answer to a request. When those that wait hold too much, the oldest let go of it.
    pub(super) fn push(&mut self, id: u64, response: R) {
        self.held_bytes += response.held_bytes();
        self.ids.insert(id);
        self.unsent.push_back(Entry {
            id,
            number: 0,
            response,
        });
        for entry in &mut self.unsent {
            if self.held_bytes <= HELD_BYTES_MAX {
                break;
            }
            self.held_bytes -= entry.response.held_bytes();
            entry.response.release();
        }
    }

    /// The next to send.
    pub(super) fn next(&mut self) -> Option<R::Message> {
        let mut entry = self.unsent.pop_front()?;
        if entry.number == 0 {
            self.last += 1;
            entry.number = self.last;
        }
        let message = entry.response.message(entry.id, entry.number);
        self.held_bytes -= entry.response.held_bytes();
        entry.response.release();
        self.sent.push_back(entry);
        if self.sent.len() > self.sent_max
            && let Some(entry) = self.sent.pop_front()
        {
            self.ids.remove(&entry.id);
        }
        Some(message)
    }

    /// Forgets those that have arrived.
    pub(super) fn acknowledge(&mut self, number: u64) {
        while let Some(entry) = self.sent.front()
            && entry.number <= number
        {
            self.ids.remove(&entry.id);
            self.sent.pop_front();
        }
        // A new stream may know of more than the old one had said.
        while let Some(entry) = self.unsent.front()
            && entry.number > 0
            && entry.number <= number
        {
            self.ids.remove(&entry.id);
            self.unsent.pop_front();
        }
    }

    /// Sends again what was sent and not acknowledged, first.
    pub(super) fn send_again(&mut self) {
        while let Some(entry) = self.sent.pop_back() {
            self.unsent.push_front(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    struct Text(Option<Vec<u8>>);

    impl Owed for Text {
        type Message = (u64, u64, bool);

        fn message(&self, id: u64, number: u64) -> Self::Message {
            (id, number, self.0.is_some())
        }

        fn held_bytes(&self) -> usize {
            self.0.as_ref().map_or(0, Vec::len)
        }

        fn release(&mut self) {
            self.0 = None;
        }
    }

    fn text(bytes: usize) -> Text {
        Text(Some(vec![0; bytes]))
    }

    #[test]
    fn those_that_wait_hold_up_to_a_bound() {
        let mut outbox = Outbox::new(10);
        outbox.push(1, text(HELD_BYTES_MAX));
        assert_eq!(outbox.next(), Some((1, 1, true)));
        outbox.push(2, text(HELD_BYTES_MAX / 2));
        outbox.push(3, text(HELD_BYTES_MAX / 2));
        outbox.push(4, text(1));
        let left: Vec<_> = std::iter::from_fn(|| outbox.next()).collect();
        assert_eq!(left, [(2, 2, false), (3, 3, true), (4, 4, true)]);
        assert_eq!(outbox.held_bytes, 0);
    }

    #[test]
    fn of_those_that_nobody_acknowledges_the_newest_are_kept() {
        let mut outbox = Outbox::new(2);
        for id in 1..=4 {
            outbox.push(id, text(1));
            assert!(outbox.next().is_some());
        }
        assert_eq!(
            [1, 2, 3, 4].map(|id| outbox.owes(id)),
            [false, false, true, true]
        );
        outbox.send_again();
        assert_eq!(outbox.next(), Some((3, 3, false)));
    }

    proptest! {
        #[test]
        fn whatever_breaks_each_response_comes_in_order_until_it_is_acknowledged(
            operations in proptest::collection::vec((0..4_u8, 0..5_usize), 0..60),
        ) {
            let mut outbox = Outbox::new(1000);
            let (mut pushed, mut got, mut on_this_stream) = (0_u64, 0_u64, 0_u64);
            for (operation, count) in operations {
                match operation {
                    0 => {
                        pushed += 1;
                        outbox.push(pushed, text(1));
                    }
                    // The stream takes some; the client gets fewer.
                    1 => for _ in 0..count {
                        let Some((id, number, _)) = outbox.next() else { break };
                        prop_assert_eq!(id, number);
                        prop_assert_eq!(number, on_this_stream + 1);
                        on_this_stream = number;
                    },
                    2 => got = got.max(on_this_stream.saturating_sub(count as u64)),
                    _ => {
                        outbox.send_again();
                        outbox.acknowledge(got);
                        on_this_stream = got;
                    }
                }
            }
            outbox.send_again();
            outbox.acknowledge(got);
            let rest: Vec<u64> = std::iter::from_fn(|| outbox.next()).map(|(id, _, _)| id).collect();
            prop_assert_eq!(rest, (got + 1..=pushed).collect::<Vec<_>>());
        }
    }
}
