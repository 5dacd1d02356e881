//! Turns to run a step: so many at a time, and the others wait, fairly between owners.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Owner;
use super::fair::{FairQueue, Ticket};

/// The turns of a server.
#[derive(Debug)]
pub(super) struct Turns {
    running_max: usize,
    waiting_max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Turns that nobody has. Then nobody waits either.
    free: usize,
    waiting: FairQueue<Owner, oneshot::Sender<()>>,
}

/// The right to run one step, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().release();
    }
}

/// As [`Turn`], for what outlives the place where it was taken.
#[derive(Debug)]
pub(super) struct OwnTurn(Arc<Turns>);

impl Drop for OwnTurn {
    fn drop(&mut self) {
        self.0.state().release();
    }
}

impl State {
    /// Gives a turn to who is next, or back.
    fn release(&mut self) {
        while let Some(next) = self.waiting.pop() {
            if next.send(()).is_ok() {
                return;
            }
        }
        self.free += 1;
    }
}

/// One who waits. Dropped before it has its turn, it leaves the queue, and a turn that it got meanwhile goes to the next.
struct Waiter<'a> {
    turns: &'a Turns,
    owner: &'a Owner,
    ticket: Option<Ticket>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut state = self.turns.state();
            if state.waiting.remove(self.owner, ticket).is_none() {
                state.release();
            }
        }
    }
}

impl Turns {
    pub(super) fn new(running_max: u32, waiting_max: u32) -> Self {
        let count = |max: u32| usize::try_from(max).unwrap_or(usize::MAX);
        Self {
            running_max: count(running_max),
            waiting_max: count(waiting_max),
            state: Mutex::new(State {
                free: count(running_max),
                waiting: FairQueue::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many steps wait, when there is no place for one more of this owner's. Owners who have names may take as many places as they
    /// leave free, so that one who sends too much leaves room for the others.
    pub(super) fn full(&self, owner: &Owner) -> Option<u32> {
        let state = self.state();
        let waiting = state.waiting.len();
        let left = self.waiting_max.saturating_sub(waiting);
        let has_place = state.free > 0
            || left > 0 && (owner.name().is_empty() || state.waiting.len_of(owner) < left);
        (!has_place).then(|| told(waiting))
    }

    /// Waits for a turn.
    ///
    /// # Cancel-Safety
    /// Safe: who gives up has left the queue.
    pub(super) async fn take(&self, owner: &Owner) -> Turn<'_> {
        let (mut waiter, given) = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Turn(self);
            }
            let (give, given) = oneshot::channel();
            let waiter = Waiter {
                turns: self,
                owner,
                ticket: Some(state.waiting.push(owner, give)),
            };
            (waiter, given)
        };
        if given.await.is_err() {
            // Its sender is dropped by who gives it alone.
            std::future::pending::<()>().await;
        }
        waiter.ticket = None;
        Turn(self)
    }

    /// As [`take`](Self::take).
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(super) async fn take_own(self: &Arc<Self>, owner: &Owner) -> OwnTurn {
        // It is given back by the other one.
        let _turn = ManuallyDrop::new(self.take(owner).await);
        OwnTurn(Arc::clone(self))
    }

    /// How many steps run, and how many wait.
    pub(super) fn counts(&self) -> (u32, u32) {
        let state = self.state();
        let running = self.running_max.saturating_sub(state.free);
        (told(running), told(state.waiting.len()))
    }
}

fn told(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn owners_are_served_in_turn_whoever_came_first() {
        let turns = Turns::new(1, 100);
        let [alice, bob] = ["alice", "bob"].map(Owner::named);
        let mut first = pin!(turns.take(&alice));
        let Poll::Ready(mut running) = poll(first.as_mut()) else {
            panic!("a free turn is to be had at once");
        };
        let mut waiting: Vec<_> = [&alice, &alice, &alice, &bob, &bob]
            .map(|owner| Some(Box::pin(turns.take(owner))))
            .into_iter()
            .collect();
        for future in waiting.iter_mut().flatten() {
            assert!(poll(future.as_mut()).is_pending());
        }
        assert_eq!(turns.counts(), (1, 5));
        // Alice's second gives up.
        waiting[1] = None;
        assert_eq!(turns.counts(), (1, 4));
        let mut order = Vec::new();
        for _ in 0..4 {
            drop(running);
            let (at, turn) = waiting
                .iter_mut()
                .enumerate()
                .find_map(|(at, future)| match poll(future.as_mut()?.as_mut()) {
                    Poll::Ready(turn) => Some((at, turn)),
                    Poll::Pending => None,
                })
                .unwrap();
            waiting[at] = None;
            order.push(at);
            running = turn;
        }
        assert_eq!(order, [0, 3, 2, 4]);
        drop(running);
        assert_eq!(turns.counts(), (0, 0));
    }

    #[test]
    fn a_turn_given_to_one_who_has_gone_is_the_next_ones() {
        let turns = Turns::new(1, 100);
        let owner = Owner::default();
        let Poll::Ready(running) = poll(pin!(turns.take(&owner))) else {
            panic!("a free turn is to be had at once");
        };
        let mut gone = Box::pin(turns.take(&owner));
        let mut next = pin!(turns.take(&owner));
        assert!(poll(gone.as_mut()).is_pending() && poll(next.as_mut()).is_pending());
        drop(running);
        // It has it, and does not know.
        drop(gone);
        let Poll::Ready(turn) = poll(next.as_mut()) else {
            panic!("the turn was lost");
        };
        drop(turn);
        assert_eq!(turns.counts(), (0, 0));
    }

    #[test]
    fn a_turn_of_its_own_is_given_back_once() {
        let turns = Arc::new(Turns::new(1, 100));
        let owner = Owner::default();
        for _ in 0..2 {
            let Poll::Ready(turn) = poll(pin!(turns.take_own(&owner))) else {
                panic!("a free turn is to be had at once");
            };
            assert_eq!(turns.counts(), (1, 0));
            drop(turn);
            assert_eq!(turns.counts(), (0, 0));
        }
    }

    #[test]
    fn an_owner_with_a_name_leaves_as_many_places_free_as_it_takes() {
        let turns = Turns::new(1, 4);
        let [alice, bob, nobody] = [Owner::named("alice"), Owner::named("bob"), Owner::default()];
        let Poll::Ready(_running) = poll(pin!(turns.take(&alice))) else {
            panic!("a free turn is to be had at once");
        };
        let mut waiting = Vec::new();
        let mut wait = |owner| {
            let full = turns.full(owner);
            if full.is_none() {
                let mut future = Box::pin(turns.take(owner));
                assert!(poll(future.as_mut()).is_pending());
                waiting.push(future);
            }
            full
        };
        assert_eq!([(); 3].map(|()| wait(&alice)), [None, None, Some(2)]);
        assert_eq!([(); 2].map(|()| wait(&bob)), [None, Some(3)]);
        assert_eq!([(); 2].map(|()| wait(&nobody)), [None, Some(4)]);
    }
}
