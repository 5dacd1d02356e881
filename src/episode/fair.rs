//! A queue that is fair between owners: one of each in turn, and those of one in the order in which they came. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Where something stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// The queue.
#[derive(Debug)]
pub(super) struct FairQueue<O, T> {
    /// Owners who have something in the queue, the one whose turn it is first.
    owners: VecDeque<O>,
    /// What they have, in order. None of them is empty.
    lines: HashMap<O, VecDeque<(Ticket, T)>>,
    len: usize,
    next: u64,
}

impl<O: Clone + Eq + Hash, T> FairQueue<O, T> {
    pub(super) fn new() -> Self {
        Self {
            owners: VecDeque::new(),
            lines: HashMap::new(),
            len: 0,
            next: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many are of this owner.
    pub(super) fn len_of(&self, owner: &O) -> usize {
        self.lines.get(owner).map_or(0, VecDeque::len)
    }

    /// Adds to the end of the owner's line.
    pub(super) fn push(&mut self, owner: &O, item: T) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.len += 1;
        match self.lines.get_mut(owner) {
            Some(line) => line.push_back((ticket, item)),
            None => {
                self.owners.push_back(owner.clone());
                self.lines
                    .insert(owner.clone(), VecDeque::from([(ticket, item)]));
            }
        }
        ticket
    }

    /// Takes the first of the owner whose turn it is. The next turn is the next owner's.
    pub(super) fn pop(&mut self) -> Option<T> {
        let owner = self.owners.pop_front()?;
        let line = self.lines.get_mut(&owner)?;
        let (_, item) = line.pop_front()?;
        self.len -= 1;
        if line.is_empty() {
            self.lines.remove(&owner);
        } else {
            self.owners.push_back(owner);
        }
        Some(item)
    }

    /// Takes one out of its line. None when it has been taken.
    pub(super) fn remove(&mut self, owner: &O, ticket: Ticket) -> Option<T> {
        let line = self.lines.get_mut(owner)?;
        let at = line.binary_search_by_key(&ticket, |(ticket, _)| *ticket);
        let (_, item) = line.remove(at.ok()?)?;
        self.len -= 1;
        if line.is_empty() {
            self.lines.remove(owner);
            self.owners.retain(|other| other != owner);
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Op {
        Push(u8),
        Pop,
        /// Takes out one of those that are in, by its place among all.
        Remove(usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (0..5_u8).prop_map(Op::Push),
            3 => Just(Op::Pop),
            1 => any::<usize>().prop_map(Op::Remove),
        ]
    }

    /// The same, said simply: owners in the order of their turns, and all that waits in the order in which it came.
    #[derive(Default)]
    struct Model {
        turns: Vec<u8>,
        waiting: Vec<(u8, u64)>,
    }

    impl Model {
        fn pop(&mut self) -> Option<(u8, u64)> {
            let owner = *self.turns.first()?;
            self.turns.remove(0);
            let at = self.waiting.iter().position(|(of, _)| *of == owner)?;
            let taken = self.waiting.remove(at);
            if self.waiting.iter().any(|(of, _)| *of == owner) {
                self.turns.push(owner);
            }
            Some(taken)
        }

        fn remove(&mut self, at: usize) -> (u8, u64) {
            let taken = self.waiting.remove(at);
            if !self.waiting.iter().any(|(of, _)| *of == taken.0) {
                self.turns.retain(|of| *of != taken.0);
            }
            taken
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_simple_model_says(ops in prop::collection::vec(op(), 0..400)) {
            let (mut queue, mut model) = (FairQueue::new(), Model::default());
            let mut tickets = HashMap::new();
            for (number, op) in (0_u64..).zip(ops) {
                match op {
                    Op::Push(owner) => {
                        tickets.insert(number, queue.push(&owner, (owner, number)));
                        if !model.turns.contains(&owner) {
                            model.turns.push(owner);
                        }
                        model.waiting.push((owner, number));
                    }
                    Op::Pop => prop_assert_eq!(queue.pop(), model.pop()),
                    Op::Remove(_) if model.waiting.is_empty() => {}
                    Op::Remove(at) => {
                        let taken = model.remove(at % model.waiting.len());
                        let ticket = tickets[&taken.1];
                        prop_assert_eq!(queue.remove(&taken.0, ticket), Some(taken));
                        prop_assert_eq!(queue.remove(&taken.0, ticket), None);
                    }
                }
                prop_assert_eq!(queue.len(), model.waiting.len());
                for owner in 0..5 {
                    let of = model.waiting.iter().filter(|(of, _)| *of == owner).count();
                    prop_assert_eq!(queue.len_of(&owner), of);
                }
            }
        }

        /// However much one owner has in the queue, another waits for one of each owner's at most.
        #[test]
        fn nobody_waits_for_more_than_one_of_each_other(
            before in prop::collection::vec(0..5_u8, 0..200),
            served in 0..100_usize,
        ) {
            let mut queue = FairQueue::new();
            for owner in &before {
                queue.push(owner, *owner);
            }
            for _ in 0..served {
                queue.pop();
            }
            queue.push(&9, 9);
            let mut seen = Vec::new();
            while let Some(owner) = queue.pop() && owner != 9 {
                prop_assert!(!seen.contains(&owner), "{} twice", owner);
                seen.push(owner);
            }
        }
    }
}
