//! A body between the reader of a worker's socket and its consumer.
//!
//! The reader never waits: a body that came and was not taken is bounded by its window, whatever the frames it came in.

use super::memory::MemoryShare;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use vitrine_wire::flow::{Received, WindowExceeded};

/// One step of a body whose end says `E`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<E> {
    /// Bytes.
    Data(Bytes),
    /// The end that the worker gave it.
    End(E),
    /// The worker went away before the end.
    Lost,
}

/// The taker's end.
#[derive(Debug)]
pub(super) struct Inbox<E>(Arc<Mutex<State<E>>>);

/// The reader's end. Dropping it before the end loses the rest.
#[derive(Debug)]
pub(super) struct Feed<E>(Arc<Mutex<State<E>>>);

/// A view of a body that its feed has ended, for as long as its taker is there.
#[derive(Debug)]
pub(super) struct Ended<E>(Weak<Mutex<State<E>>>);

#[derive(Debug)]
struct State<E> {
    received: Received,
    /// Since when its taker takes nothing of what lies here.
    untaken_since: Option<Instant>,
    end: Option<Step<E>>,
    taker: Option<Waker>,
    memory: Arc<MemoryShare>,
}

/// Both ends of a body that this worker sends.
pub(super) fn body<E>(memory: &Arc<MemoryShare>) -> (Feed<E>, Inbox<E>) {
    let (received, untaken_since, end, taker) = (Received::default(), None, None, None);
    let state = State { received, untaken_since, end, taker, memory: Arc::clone(memory) };
    let state = Arc::new(Mutex::new(state));
    (Feed(Arc::clone(&state)), Inbox(state))
}

impl<E> Inbox<E> {
    /// The next step, and what is to be credited to the worker now that it is taken (0 is nothing). After the end, `Lost`.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Step<E>, u32)> {
        let mut state = lock(&self.0);
        if let Some(data) = state.received.take() {
            state.memory.release(data.len());
            state.untaken_since = (state.received.held() > 0).then(Instant::now);
            let due = state.end.is_none() && state.received.credit_is_due();
            let credit = if due { state.received.credit() } else { 0 };
            return Poll::Ready((Step::Data(data), credit));
        }
        if let Some(end) = &mut state.end {
            return Poll::Ready((std::mem::replace(end, Step::Lost), 0));
        }
        if !state.taker.as_ref().is_some_and(|taker| taker.will_wake(cx.waker())) {
            state.taker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<E> Feed<E> {
    /// Adds a piece.
    ///
    /// # Errors
    /// The worker sent more than its window.
    pub(super) fn push(&self, data: &[u8]) -> Result<(), WindowExceeded> {
        let mut state = lock(&self.0);
        state.received.push(data)?;
        state.memory.hold(data.len());
        state.untaken_since.get_or_insert_with(Instant::now);
        wake(state);
        Ok(())
    }

    /// Since when its taker has taken nothing; `None` while nothing lies here for it.
    pub(super) fn untaken_since(&self) -> Option<Instant> {
        lock(&self.0).untaken_since
    }

    /// Throws away what was not taken, and ends the body.
    pub(super) fn break_off(self, end: E) {
        break_off(lock(&self.0), end);
    }

    /// Ends the body. Gives a view of it if some of it was not taken yet.
    pub(super) fn end(self, end: E) -> Option<Ended<E>> {
        let mut state = lock(&self.0);
        state.end = Some(Step::End(end));
        let left = state.untaken_since.is_some().then(|| Ended(Arc::downgrade(&self.0)));
        wake(state);
        left
    }
}

impl<E> Ended<E> {
    /// As [`Feed::untaken_since`]; `None` also once its taker is gone.
    pub(super) fn untaken_since(&self) -> Option<Instant> {
        lock(&*self.0.upgrade()?).untaken_since
    }

    /// As [`Feed::break_off`], in the place of its own end.
    pub(super) fn break_off(&self, end: E) {
        if let Some(state) = self.0.upgrade() {
            break_off(lock(&state), end);
        }
    }
}

impl<E> Drop for Feed<E> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        if state.end.is_none() {
            state.end = Some(Step::Lost);
            wake(state);
        }
    }
}

impl<E> Drop for State<E> {
    fn drop(&mut self) {
        self.memory.release(self.received.held());
    }
}

fn lock<E>(state: &Mutex<State<E>>) -> MutexGuard<'_, State<E>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn break_off<E>(mut state: MutexGuard<'_, State<E>>, end: E) {
    state.memory.release(state.received.held());
    state.received.discard();
    state.untaken_since = None;
    state.end = Some(Step::End(end));
    wake(state);
}

fn wake<E>(mut state: MutexGuard<'_, State<E>>) {
    let taker = state.taker.take();
    drop(state);
    if let Some(taker) = taker {
        taker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::memory::BodyMemory;
    use std::future::poll_fn;
    use vitrine_wire::limits::WINDOW_BYTES;

    fn memory() -> Arc<MemoryShare> {
        BodyMemory::new(1 << 20).share()
    }

    async fn next<E>(inbox: &mut Inbox<E>) -> (Step<E>, u32) {
        poll_fn(|cx| inbox.poll_next(cx)).await
    }

    #[tokio::test]
    async fn pieces_come_in_order_then_the_end_then_nothing() {
        let (feed, mut inbox) = body(&memory());
        let taking = tokio::spawn(async move { (next(&mut inbox).await, inbox) });
        tokio::task::yield_now().await;
        feed.push(b"one").unwrap();
        let (first, mut inbox) = taking.await.unwrap();
        assert_eq!(first, (Step::Data("one".into()), 0));
        feed.push(b"two").unwrap();
        feed.end(7);
        assert_eq!(next(&mut inbox).await, (Step::Data("two".into()), 0));
        assert_eq!(next(&mut inbox).await, (Step::End(7), 0));
        assert_eq!(next(&mut inbox).await, (Step::Lost, 0));
    }

    #[tokio::test]
    async fn a_feed_that_is_dropped_loses_the_rest_and_wakes_who_waits() {
        let (feed, mut inbox) = body::<()>(&memory());
        feed.push(b"begun").unwrap();
        assert_eq!(next(&mut inbox).await.0, Step::Data("begun".into()));
        let waiting = tokio::spawn(async move { next(&mut inbox).await.0 });
        tokio::task::yield_now().await;
        drop(feed);
        assert_eq!(waiting.await.unwrap(), Step::Lost);
    }

    #[tokio::test]
    async fn what_is_taken_is_credited_while_more_may_come() {
        let (feed, mut inbox) = body::<()>(&memory());
        let window = vec![0; WINDOW_BYTES as usize];
        feed.push(&window[..window.len() / 2]).unwrap();
        assert_eq!(next(&mut inbox).await.1, WINDOW_BYTES / 2);
        feed.push(&window).unwrap();
        assert_eq!(feed.push(b"x"), Err(WindowExceeded));
        feed.end(());
        assert_eq!(next(&mut inbox).await.1, 0);
    }

    #[tokio::test]
    async fn what_is_held_is_counted_until_it_is_taken_or_given_up() {
        let memory = BodyMemory::new(8).share();
        let (feed, mut inbox) = body::<()>(&memory);
        feed.push(b"12345678").unwrap();
        assert!(feed.untaken_since().is_some() && !memory.has_room(1));
        assert_eq!(next(&mut inbox).await.0, Step::Data("12345678".into()));
        assert!(feed.untaken_since().is_none() && memory.has_room(8));
        feed.push(b"1234").unwrap();
        feed.break_off(());
        assert!(memory.has_room(8));
        assert_eq!(next(&mut inbox).await.0, Step::End(()));
        let (feed, inbox) = body::<()>(&memory);
        feed.push(b"1234").unwrap();
        drop((feed, inbox));
        assert!(memory.has_room(8));
    }

    #[tokio::test]
    async fn a_body_that_has_ended_is_seen_until_it_is_taken_or_given_up_and_can_be_broken_off() {
        let memory = BodyMemory::new(8).share();
        let (feed, mut inbox) = body(&memory);
        feed.push(b"12345678").unwrap();
        let ended = feed.end(1).unwrap();
        assert!(ended.untaken_since().is_some());
        ended.break_off(2);
        assert!(ended.untaken_since().is_none() && memory.has_room(8));
        assert_eq!(next(&mut inbox).await.0, Step::End(2));
        let (feed, inbox) = body(&memory);
        feed.push(b"1234").unwrap();
        let ended = feed.end(1).unwrap();
        drop(inbox);
        assert!(ended.untaken_since().is_none() && memory.has_room(8));
        let (feed, _inbox) = body(&memory);
        assert!(feed.end(1).is_none(), "there is nothing to take");
    }
}
