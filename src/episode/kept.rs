//! Replies that are kept for retries, and the memory they may take.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{StepReply, Texts};

/// The last reply of an episode is kept up to this size, whatever the budget says.
pub(crate) const LAST_REPLY_BYTES: usize = 64 << 10;

/// A reply whose texts may be dropped.
#[derive(Debug)]
pub(crate) struct KeptReply {
    facts: Arc<StepReply>,
    texts: Mutex<Option<Arc<Texts>>>,
    bytes: usize,
}

impl KeptReply {
    /// A reply with its texts as long as they are needed to answer the caller who waits for it.
    pub(crate) fn new(facts: StepReply, texts: Texts) -> Arc<Self> {
        let bytes = texts.bytes();
        Arc::new(Self {
            facts: Arc::new(facts),
            texts: Mutex::new(Some(Arc::new(texts))),
            bytes,
        })
    }

    pub(crate) fn facts(&self) -> &Arc<StepReply> {
        &self.facts
    }

    /// The texts, if they are still kept.
    pub(crate) fn texts(&self) -> Option<Arc<Texts>> {
        self.texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn drop_texts(&self) {
        drop(
            self.texts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

/// The server-wide budget for replies beyond each episode's last small one. When it is spent the oldest texts go.
#[derive(Debug)]
pub(crate) struct Budget {
    max: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    oldest_first: VecDeque<(Weak<KeptReply>, u64)>,
    /// How long the list may get before those that nobody holds any more are taken out of its middle.
    compact_at: usize,
}

/// The least length at which that is worth it.
const COMPACT_MIN: usize = 1024;

impl Budget {
    pub(crate) fn new(max: u64) -> Self {
        Self {
            max,
            state: Mutex::default(),
        }
    }

    /// Takes charge of a reply: either the last one of its episode when that is large, or one that another has followed.
    pub(crate) fn charge(&self, reply: &Arc<KeptReply>) {
        let bytes = reply.bytes as u64;
        if bytes == 0 {
            return;
        }
        if bytes > self.max {
            reply.drop_texts();
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used += bytes;
        state.oldest_first.push_back((Arc::downgrade(reply), bytes));
        // Those of ended episodes cost nothing any more.
        while let Some((oldest, bytes)) = state.oldest_first.front()
            && oldest.strong_count() == 0
        {
            state.used = state.used.saturating_sub(*bytes);
            state.oldest_first.pop_front();
        }
        while state.used > self.max
            && let Some((oldest, bytes)) = state.oldest_first.pop_front()
        {
            state.used = state.used.saturating_sub(bytes);
            if let Some(oldest) = oldest.upgrade() {
                oldest.drop_texts();
            }
        }
        // Those of ended episodes, and those that a ledger has let go, cost nothing any more. One that lives at the front must
        // not keep all behind it here.
        if state.oldest_first.len() >= state.compact_at.max(COMPACT_MIN) {
            let State {
                used, oldest_first, ..
            } = &mut *state;
            oldest_first.retain(|(reply, bytes)| {
                let lives = reply.strong_count() > 0;
                if !lives {
                    *used = used.saturating_sub(*bytes);
                }
                lives
            });
            state.compact_at = state.oldest_first.len() * 2;
            state.oldest_first.shrink_to(COMPACT_MIN);
        }
    }

    /// What the texts of replies take that it is in charge of, in bytes.
    pub(crate) fn used(&self) -> u64 {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).used
    }

    /// A step has ended with `reply`, after `previous`: what of the two is charged.
    pub(crate) fn succeed(&self, previous: Option<&Arc<KeptReply>>, reply: &Arc<KeptReply>) {
        if let Some(previous) = previous
            && previous.bytes <= LAST_REPLY_BYTES
        {
            self.charge(previous);
        }
        if reply.bytes > LAST_REPLY_BYTES {
            self.charge(reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(bytes: usize) -> Arc<KeptReply> {
        let texts = Texts {
            stdout: "x".repeat(bytes),
            ..Texts::default()
        };
        KeptReply::new(StepReply::default(), texts)
    }

    #[test]
    fn a_small_last_reply_is_always_kept_and_a_large_one_within_the_budget() {
        let budget = Budget::new(0);
        let small = reply(LAST_REPLY_BYTES);
        budget.succeed(None, &small);
        assert!(small.texts().is_some());
        let large = reply(LAST_REPLY_BYTES + 1);
        budget.succeed(Some(&small), &large);
        assert!(large.texts().is_none(), "no budget for a large one");
        assert!(
            small.texts().is_none(),
            "no budget for one that is not the last"
        );
    }

    #[test]
    fn one_that_lives_does_not_keep_what_came_after_it() {
        let budget = Budget::new(u64::MAX);
        let first = reply(1);
        budget.charge(&first);
        for _ in 0..10 * COMPACT_MIN {
            budget.charge(&reply(1));
        }
        assert!(budget.state.lock().unwrap().oldest_first.len() <= COMPACT_MIN);
        assert!(first.texts().is_some());
    }

    #[test]
    fn the_oldest_go_first_and_those_of_ended_episodes_cost_nothing() {
        let budget = Budget::new(300_000);
        let replies: Vec<_> = (0..4).map(|_| reply(100_000)).collect();
        for reply in &replies {
            budget.succeed(None, reply);
        }
        let kept: Vec<bool> = replies
            .iter()
            .map(|reply| reply.texts().is_some())
            .collect();
        assert_eq!(kept, [false, true, true, true]);
        drop(replies);
        let next: Vec<_> = (0..3).map(|_| reply(100_000)).collect();
        for reply in &next {
            budget.succeed(None, reply);
        }
        assert!(next.iter().all(|reply| reply.texts().is_some()));
    }
}
