//! The queue in front of the isolates: first come, first served, bounded in length and in time.

use super::in_flight::Admission;
use crate::request::Request;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use vitrine_wire::{Done, Outcome};

/// Requests that wait for an isolate.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<VecDeque<Entry>>,
    length_max: usize,
    wait_max: Duration,
    /// One isolate may look.
    arrived: Notify,
    /// The queue may have got a first entry: the time limit must be watched.
    filled: Notify,
}

/// A request and its place inside of the pool.
pub type Entry = (Request, Admission);

impl Queue {
    /// A queue of `length_max` requests that wait at most `wait_max`.
    #[must_use]
    pub fn new(length_max: usize, wait_max: Duration) -> Self {
        Self {
            waiting: Mutex::new(VecDeque::new()),
            length_max,
            wait_max,
            arrived: Notify::new(),
            filled: Notify::new(),
        }
    }

    /// Requests that wait.
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a request, or ends it as `overloaded` when the queue is full.
    pub fn push(&self, request: Request, admission: Admission) {
        let refused = {
            let mut waiting = self.locked();
            if waiting.len() < self.length_max {
                waiting.push_back((request, admission));
                None
            } else {
                Some(request)
            }
        };
        match refused {
            Some(request) => refuse(request, Outcome::Overloaded),
            None => {
                self.arrived.notify_one();
                self.filled.notify_one();
            }
        }
    }

    /// The next request, when there is one.
    pub async fn pop(&self) -> (Request, Admission) {
        loop {
            let arrived = self.arrived.notified();
            match self.try_pop() {
                Some(entry) => return entry,
                None => arrived.await,
            }
        }
    }

    /// The next request, if there is one. Requests whose client is gone are ended on the way.
    pub fn try_pop(&self) -> Option<(Request, Admission)> {
        loop {
            let (entry, more) = {
                let mut waiting = self.locked();
                (waiting.pop_front(), !waiting.is_empty())
            };
            if more {
                // Several arrivals may have been one wake-up.
                self.arrived.notify_one();
            }
            match entry {
                Some((request, _)) if request.cancelled.is_cancelled() => refuse(request, Outcome::Cancelled),
                entry => return entry,
            }
        }
    }

    /// Ends what waits too long, for as long as it is polled.
    pub async fn expire(&self) {
        loop {
            let filled = self.filled.notified();
            let (late, next) = self.take_late();
            late.into_iter().for_each(|(request, _)| refuse(request, Outcome::Overloaded));
            match next {
                Some(next) => tokio::time::sleep_until(next.into()).await,
                None => filled.await,
            }
        }
    }

    fn take_late(&self) -> (Vec<Entry>, Option<Instant>) {
        let mut waiting = self.locked();
        let mut late = Vec::new();
        loop {
            match waiting.front() {
                None => return (late, None),
                Some((first, _)) if first.received + self.wait_max > Instant::now() => {
                    return (late, Some(first.received + self.wait_max));
                }
                Some(_) => late.extend(waiting.pop_front()),
            }
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        // Nothing that runs under the lock can panic, so it is never poisoned.
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ends a request that no isolate took.
pub fn refuse(request: Request, outcome: Outcome) {
    let waited = request.received.elapsed();
    let queue_us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
    request.answer.done(Done { queue_us, ..Done::of(outcome) });
}
