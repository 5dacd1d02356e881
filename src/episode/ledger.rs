//! Which steps an episode has run, runs and will run: the rules of exactly-once. Pure: it knows neither tasks nor time.
//!
//! Let n be the steps that have ended plus those admitted. A request with index n is admitted; the index of an admitted step with an equal
//! action joins it; an earlier one with an equal action gets what is kept of it; anything else is out of order.

use std::collections::VecDeque;

/// Compact records kept of steps that have ended, beyond which a step is only known to have run.
const RECORDS_MAX: usize = 65_536;
/// Replies (without their texts) kept of steps that have ended.
const REPLIES_MAX: usize = 256;

/// Tells actions apart: a 128-bit keyed hash.
pub(crate) type Digest = u128;

/// What is kept of a step after its reply is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brief {
    pub(crate) outcome: super::Outcome,
    pub(crate) exit_code: i32,
    pub(crate) lost: bool,
    pub(crate) rolled_back: bool,
}

#[derive(Debug)]
struct Record<R> {
    digest: Digest,
    brief: Brief,
    reply: Option<R>,
}

#[derive(Debug)]
struct Admitted<T> {
    digest: Digest,
    /// The request named its index, so it may only run as that step.
    pinned: bool,
    ticket: T,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission<'a, T, R> {
    /// It was admitted with this index.
    New(u32),
    /// It is the same as this one, which is running or queued.
    Join(&'a T),
    /// It has run, and this is its reply.
    Replay(&'a R),
    /// It has run, and its reply was dropped. None: too long ago to know how it ended.
    Dropped(Option<Brief>),
    /// It fits nowhere.
    OutOfOrder { expected: u32 },
    /// As many steps are queued as may be.
    QueueFull,
}

/// The steps of one episode. `T` is what waits for a step, `R` a reply.
#[derive(Debug)]
pub(crate) struct Ledger<T, R> {
    ended: u32,
    last_exit_code: i32,
    /// The newest last; the record of step `ended - 1` is the last.
    records: VecDeque<Record<R>>,
    /// The running step, if one runs, is the first.
    admitted: VecDeque<Admitted<T>>,
    running: bool,
}

impl<T, R> Default for Ledger<T, R> {
    fn default() -> Self {
        Self {
            ended: 0,
            last_exit_code: 0,
            records: VecDeque::new(),
            admitted: VecDeque::new(),
            running: false,
        }
    }
}

impl<T, R> Ledger<T, R> {
    /// The ledger of a copy: so many steps have ended, of which nothing is kept here.
    pub(crate) fn continuing(ended: u32, last_exit_code: i32) -> Self {
        Self {
            ended,
            last_exit_code,
            ..Self::default()
        }
    }

    /// Steps that have ended.
    pub(crate) fn ended(&self) -> u32 {
        self.ended
    }

    pub(crate) fn last_exit_code(&self) -> i32 {
        self.last_exit_code
    }

    /// The index of the running step.
    pub(crate) fn running(&self) -> Option<u32> {
        self.running.then_some(self.ended)
    }

    /// How many steps wait behind the running one, of those that count.
    pub(crate) fn queued(&self, counts: impl Fn(&T) -> bool) -> usize {
        let waiting = self.admitted.iter().skip(usize::from(self.running));
        waiting.filter(|step| counts(&step.ticket)).count()
    }

    /// Whether nothing runs and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.admitted.is_empty()
    }

    /// The index that a new step would get.
    pub(crate) fn next(&self) -> u32 {
        self.ended
            .saturating_add(u32::try_from(self.admitted.len()).unwrap_or(u32::MAX))
    }

    /// What a request would be, without admitting it.
    pub(crate) fn look_up(&self, index: Option<u32>, digest: Digest) -> Admission<'_, T, R> {
        let next = self.next();
        let Some(index) = index.filter(|index| *index != next) else {
            return Admission::New(next);
        };
        let expected = Admission::OutOfOrder { expected: next };
        if let Some(ahead) = index.checked_sub(self.ended) {
            let admitted = usize::try_from(ahead)
                .ok()
                .and_then(|ahead| self.admitted.get(ahead));
            return match admitted {
                Some(admitted) if admitted.digest == digest => Admission::Join(&admitted.ticket),
                _ => expected,
            };
        }
        let back = usize::try_from(self.ended - index).unwrap_or(usize::MAX);
        match self
            .records
            .len()
            .checked_sub(back)
            .and_then(|at| self.records.get(at))
        {
            None => Admission::Dropped(None),
            Some(record) if record.digest != digest => expected,
            Some(Record {
                reply: Some(reply), ..
            }) => Admission::Replay(reply),
            Some(record) => Admission::Dropped(Some(record.brief)),
        }
    }

    /// Admits a request or says what else becomes of it. At most `queue_max` wait behind the running one.
    pub(crate) fn admit(
        &mut self,
        index: Option<u32>,
        digest: Digest,
        queue_max: usize,
        ticket: impl FnOnce(u32) -> T,
    ) -> Admission<'_, T, R> {
        if let Admission::New(next) = self.look_up(index, digest) {
            if self.admitted.len() > queue_max {
                return Admission::QueueFull;
            }
            let pinned = index.is_some();
            self.admitted.push_back(Admitted {
                digest,
                pinned,
                ticket: ticket(next),
            });
            return Admission::New(next);
        }
        self.look_up(index, digest)
    }

    /// The next step to run, if none runs: its index and ticket.
    pub(crate) fn peek(&self) -> Option<(u32, &T)> {
        if self.running {
            return None;
        }
        self.admitted
            .front()
            .map(|admitted| (self.ended, &admitted.ticket))
    }

    /// The running step's ticket, or else the next one's.
    pub(crate) fn first(&self) -> Option<&T> {
        self.admitted.front().map(|admitted| &admitted.ticket)
    }

    /// Starts the step that `peek` showed.
    pub(crate) fn start(&mut self) {
        self.running = !self.admitted.is_empty();
    }

    /// Takes back `start`: the step can't run, and `drop_next` drops it.
    pub(crate) fn take_back(&mut self) {
        self.running = false;
    }

    /// The step that was admitted last.
    pub(crate) fn last(&self) -> Option<&T> {
        self.admitted.back().map(|admitted| &admitted.ticket)
    }

    /// Drops the step that `peek` showed: it did not run. Those behind it that named their index can't run as that any more; they are
    /// taken out and returned after it.
    pub(crate) fn drop_next(&mut self) -> Vec<T> {
        if self.running {
            return Vec::new();
        }
        let mut dropped: Vec<T> = self
            .admitted
            .pop_front()
            .map(|admitted| admitted.ticket)
            .into_iter()
            .collect();
        let (out, kept) = std::mem::take(&mut self.admitted)
            .into_iter()
            .partition(|admitted| admitted.pinned);
        self.admitted = kept;
        let out: VecDeque<Admitted<T>> = out;
        dropped.extend(out.into_iter().map(|admitted| admitted.ticket));
        dropped
    }

    /// The running step has ended. Returns its ticket.
    pub(crate) fn finish(&mut self, brief: Brief, reply: R) -> Option<T> {
        if !std::mem::take(&mut self.running) {
            return None;
        }
        let admitted = self.admitted.pop_front()?;
        self.records.push_back(Record {
            digest: admitted.digest,
            brief,
            reply: Some(reply),
        });
        if let Some(at) = self.records.len().checked_sub(REPLIES_MAX + 1)
            && let Some(record) = self.records.get_mut(at)
        {
            record.reply = None;
        }
        if self.records.len() > RECORDS_MAX {
            self.records.pop_front();
        }
        self.ended = self.ended.saturating_add(1);
        self.last_exit_code = brief.exit_code;
        Some(admitted.ticket)
    }

    /// Takes out everything that was admitted: the episode is over.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        self.running = false;
        std::mem::take(&mut self.admitted)
            .into_iter()
            .map(|admitted| admitted.ticket)
            .collect()
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the model counts in small numbers"
)]
mod tests {
    use proptest::prelude::*;

    use super::super::Outcome;
    use super::*;

    const BRIEF: Brief = Brief {
        outcome: Outcome::Completed,
        exit_code: 3,
        lost: false,
        rolled_back: false,
    };

    /// The plainest thing that could be right: all actions by index, and how many of them have ended.
    #[derive(Default)]
    struct Model {
        actions: Vec<Digest>,
        ended: usize,
        running: bool,
    }

    #[derive(Debug, Clone)]
    enum Operation {
        Admit { offset: Option<i64>, digest: Digest },
        Start,
        Finish,
        DropNext,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            4 => (proptest::option::of(-4_i64..3), 0..3_u128)
                .prop_map(|(offset, digest)| Operation::Admit { offset, digest }),
            2 => Just(Operation::Start),
            2 => Just(Operation::Finish),
            1 => Just(Operation::DropNext),
        ]
    }

    proptest! {
        #[test]
        fn a_ledger_does_what_the_model_does(operations in proptest::collection::vec(operation(), 0..60)) {
            const QUEUE_MAX: usize = 3;
            let mut ledger: Ledger<u32, u32> = Ledger::default();
            let mut model = Model::default();
            let mut pinned = Vec::new();
            for operation in operations {
                match operation {
                    Operation::Admit { offset, digest } => {
                        let next = model.actions.len();
                        let index = offset.map(|offset| u32::try_from((next as i64 + offset).max(0)).unwrap());
                        let got = ledger.admit(index, digest, QUEUE_MAX, |index| index);
                        let expected = match index.map(|index| index as usize) {
                            None => None,
                            Some(index) if index == next => None,
                            Some(index) => Some(index),
                        };
                        let outstanding = next - model.ended;
                        match expected {
                            None if outstanding > QUEUE_MAX => prop_assert_eq!(got, Admission::QueueFull),
                            None => {
                                prop_assert_eq!(got, Admission::New(next as u32));
                                model.actions.push(digest);
                                pinned.push(index.is_some());
                            }
                            Some(index) if model.actions.get(index) != Some(&digest) => {
                                prop_assert_eq!(got, Admission::OutOfOrder { expected: next as u32 });
                            }
                            Some(index) if index < model.ended => {
                                prop_assert_eq!(got, Admission::Replay(&(index as u32)));
                            }
                            Some(index) => prop_assert_eq!(got, Admission::Join(&(index as u32))),
                        }
                    }
                    Operation::Start => {
                        ledger.start();
                        model.running = model.actions.len() > model.ended;
                    }
                    Operation::Finish => {
                        let index = ledger.running();
                        prop_assert_eq!(index.is_some(), model.running);
                        let ticket = ledger.finish(BRIEF, index.unwrap_or_default());
                        prop_assert_eq!(ticket, index);
                        model.ended += usize::from(std::mem::take(&mut model.running));
                    }
                    Operation::DropNext => {
                        let dropped = ledger.drop_next();
                        if model.running {
                            prop_assert!(dropped.is_empty());
                            continue;
                        }
                        // The first goes, and every pinned one after it; the rest move up.
                        let mut at = model.ended;
                        let mut first = true;
                        while at < model.actions.len() {
                            if std::mem::take(&mut first) || pinned[at] {
                                model.actions.remove(at);
                                pinned.remove(at);
                            } else {
                                at += 1;
                            }
                        }
                        // Tickets in this test are indices; those that moved up are renamed.
                        for (offset, admitted) in ledger.admitted.iter_mut().enumerate() {
                            admitted.ticket = (model.ended + offset) as u32;
                        }
                    }
                }
                prop_assert_eq!(ledger.next() as usize, model.actions.len());
                prop_assert_eq!(ledger.ended() as usize, model.ended);
            }
        }
    }

    #[test]
    fn old_replies_are_dropped_before_old_records() {
        let mut ledger: Ledger<(), ()> = Ledger::default();
        let steps = u32::try_from(RECORDS_MAX + 1).unwrap();
        for index in 0..steps {
            assert!(matches!(
                ledger.admit(Some(index), 7, 0, |_| ()),
                Admission::New(_)
            ));
            ledger.start();
            ledger.finish(BRIEF, ());
        }
        let replies = u32::try_from(REPLIES_MAX).unwrap();
        assert_eq!(
            ledger.look_up(Some(steps - replies), 7),
            Admission::Replay(&())
        );
        assert_eq!(
            ledger.look_up(Some(steps - replies - 1), 7),
            Admission::Dropped(Some(BRIEF))
        );
        assert_eq!(ledger.look_up(Some(1), 7), Admission::Dropped(Some(BRIEF)));
        assert_eq!(ledger.look_up(Some(0), 7), Admission::Dropped(None));
        assert_eq!(
            ledger.look_up(Some(1), 8),
            Admission::OutOfOrder { expected: steps }
        );
        assert_eq!(ledger.last_exit_code(), 3);
    }

    #[test]
    fn the_ledger_of_a_copy_counts_on_and_has_no_replies() {
        let mut ledger: Ledger<(), ()> = Ledger::continuing(3, 7);
        assert_eq!((ledger.ended(), ledger.next()), (3, 3));
        assert_eq!(ledger.last_exit_code(), 7);
        assert_eq!(ledger.look_up(Some(2), 1), Admission::Dropped(None));
        assert_eq!(
            ledger.look_up(Some(4), 1),
            Admission::OutOfOrder { expected: 3 }
        );
        assert_eq!(ledger.admit(Some(3), 1, 0, |_| ()), Admission::New(3));
        ledger.start();
        ledger.finish(BRIEF, ());
        assert_eq!(ledger.look_up(Some(3), 1), Admission::Replay(&()));
        assert_eq!(ledger.look_up(Some(2), 1), Admission::Dropped(None));
    }

    #[test]
    fn a_step_that_can_not_run_after_all_is_dropped_as_one_that_waits() {
        let mut ledger: Ledger<u32, ()> = Ledger::default();
        ledger.admit(Some(0), 1, 4, |_| 10);
        ledger.admit(None, 2, 4, |_| 11);
        ledger.admit(Some(2), 3, 4, |_| 12);
        ledger.start();
        ledger.take_back();
        assert_eq!(ledger.drop_next(), [10, 12]);
        assert_eq!(ledger.peek(), Some((0, &11)));
        assert_eq!(ledger.last(), Some(&11));
    }

    #[test]
    fn the_queue_has_room_for_the_running_one_and_as_many_as_may_wait() {
        let mut ledger: Ledger<(), ()> = Ledger::default();
        for _ in 0..3 {
            assert!(matches!(
                ledger.admit(None, 7, 2, |_| ()),
                Admission::New(_)
            ));
        }
        assert_eq!(ledger.admit(None, 7, 2, |_| ()), Admission::QueueFull);
        assert_eq!(ledger.take_all().len(), 3);
        assert!(ledger.is_idle());
    }
}
