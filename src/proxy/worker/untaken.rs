//! Bodies that a worker has finished sending and whose readers have not finished reading.

use super::inbox::Ended;
use std::time::Instant;

/// See the module. Those that are taken meanwhile are dropped from time to time: it holds no more than twice as many as are left then.
#[derive(Debug)]
pub(super) struct Untaken<E> {
    bodies: Vec<Ended<E>>,
    look_at: usize,
}

/// Bodies before the first look for those that are taken: most are by the next request.
const FEW: usize = 16;

impl<E> Default for Untaken<E> {
    fn default() -> Self {
        Self { bodies: Vec::new(), look_at: FEW }
    }
}

impl<E> Untaken<E> {
    /// One more.
    pub(super) fn add(&mut self, body: Ended<E>) {
        if self.bodies.len() >= self.look_at {
            self.bodies.retain(|body| body.untaken_since().is_some());
            self.look_at = (2 * self.bodies.len()).max(FEW);
        }
        self.bodies.push(body);
    }

    /// The one that nothing was taken of for longest, and since when.
    pub(super) fn stalled(&self) -> Option<(Instant, &Ended<E>)> {
        let since = self.bodies.iter().filter_map(|body| Some((body.untaken_since()?, body)));
        since.min_by_key(|(since, _)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::inbox::{Inbox, body};
    use crate::worker::memory::{BodyMemory, MemoryShare};
    use std::sync::Arc;

    fn ended(memory: &Arc<MemoryShare>) -> (Ended<()>, Inbox<()>) {
        let (feed, inbox) = body(memory);
        feed.push(b"x").unwrap();
        (feed.end(()).unwrap(), inbox)
    }

    #[test]
    fn what_is_taken_does_not_pile_up_and_the_one_that_stalls_for_longest_is_found() {
        let memory = BodyMemory::new(1 << 20).share();
        let mut untaken = Untaken::default();
        let (first, _kept) = ended(&memory);
        let since = first.untaken_since();
        untaken.add(first);
        for _ in 0..10 * FEW {
            untaken.add(ended(&memory).0);
        }
        assert!(untaken.bodies.len() <= FEW, "{}", untaken.bodies.len());
        assert_eq!(untaken.stalled().map(|(since, _)| since), since);
    }
}
