//! One render for many requests: the first request of a key leads, those that come meanwhile follow.
//!
//! A follower gets the answer piece by piece as it comes, once the leader has said that it may be shared; before that it waits, and where the
//! answer is not shared it is let go.

use crate::key::Key;
use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use vitrine_core::limits::CACHE_FOLLOWERS_MAX;

/// What becomes of a request that finds nothing.
#[derive(Debug)]
pub enum Turn {
    /// It renders, for itself and others.
    Lead(Filling),
    /// Another one renders.
    Follow(Following),
    /// It renders for itself: too many follow already.
    Alone,
}

/// The flights that are under way.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, Arc<Flight>>>);

#[derive(Debug, Default)]
struct Flight {
    /// The number of purges when it began.
    begun: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: Option<(StatusCode, HeaderMap)>,
    pieces: Vec<Bytes>,
    end: Option<End>,
    waiting: Vec<Waker>,
    followers: usize,
}

/// How a flight ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer is whole. Who followed without seeing it finds it kept.
    Whole,
    /// The answer is not for others.
    NotShared,
    /// The answer is too large to be kept; the leader has the rest of it.
    TooLarge,
    /// There is no whole answer.
    Failed,
}

/// The leader's end of a flight. Dropped, it has failed.
#[derive(Debug)]
pub struct Filling {
    /// Where requests find it.
    joined_by: Option<(Weak<Flights>, Key)>,
    flight: Arc<Flight>,
}

/// A follower's end of a flight.
#[derive(Debug)]
pub struct Following {
    flight: Arc<Flight>,
    next: usize,
}

impl Flights {
    /// `now` is the number of purges, `purged` that of the last one that counts: who asks after it gets nothing that was begun before.
    pub(crate) fn join(self: &Arc<Self>, key: &Key, now: u64, purged: u64) -> Turn {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(key).filter(|flight| flight.begun >= purged) {
            let mut state = flight.lock();
            if state.followers >= CACHE_FOLLOWERS_MAX {
                return Turn::Alone;
            }
            state.followers += 1;
            drop(state);
            return Turn::Follow(Following { flight: Arc::clone(flight), next: 0 });
        }
        let flight = Arc::new(Flight { begun: now, state: Mutex::default() });
        flights.insert(key.clone(), Arc::clone(&flight));
        Turn::Lead(Filling { joined_by: Some((Arc::downgrade(self), key.clone())), flight })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let waiting = {
            let mut state = self.lock();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Filling {
    /// One that no request can join.
    #[must_use]
    pub fn alone() -> Self {
        Self { joined_by: None, flight: Arc::default() }
    }

    /// The answer may be shared from its head on.
    pub fn share(&self, status: StatusCode, headers: HeaderMap) {
        self.flight.change(|state| state.head = Some((status, headers)));
    }

    /// A piece of the body.
    pub fn data(&self, data: Bytes) {
        self.flight.change(|state| state.pieces.push(data));
    }

    /// The leader's own view of it.
    #[must_use]
    pub fn follow(&self) -> Following {
        Following { flight: Arc::clone(&self.flight), next: 0 }
    }

    /// The end. Who asks from now on leads anew.
    pub fn end(self, end: End) {
        self.finish(end);
    }

    fn finish(&self, end: End) {
        if let Some((flights, key)) = &self.joined_by
            && let Some(flights) = flights.upgrade()
        {
            let mut flights = flights.lock();
            if flights.get(key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                flights.remove(key);
            }
        }
        self.flight.change(|state| {
            state.end.get_or_insert(end);
        });
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.finish(End::Failed);
    }
}

/// What a follower learns first.
#[derive(Debug)]
pub enum Begun {
    /// The head of the answer; the body follows.
    Head(StatusCode, HeaderMap),
    /// There is none for it.
    End(End),
}

impl Following {
    /// Waits for the head, or for the end of an answer that is not shared while it comes.
    pub async fn begun(&self) -> Begun {
        std::future::poll_fn(|cx| {
            let mut state = self.flight.lock();
            if let Some((status, headers)) = &state.head {
                return Poll::Ready(Begun::Head(*status, headers.clone()));
            }
            match state.end {
                Some(end) => Poll::Ready(Begun::End(end)),
                None => {
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The next piece, or the end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, End>> {
        let mut state = self.flight.lock();
        if let Some(piece) = state.pieces.get(self.next) {
            self.next += 1;
            return Poll::Ready(Ok(piece.clone()));
        }
        match state.end {
            Some(end) => Poll::Ready(Err(end)),
            None => {
                state.waiting.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Scope;

    fn key() -> Key {
        Key {
            app: "shop".parse().unwrap(),
            scope: Scope::Fetched,
            url: "http://a/".into(),
            variant: Box::default(),
        }
    }

    fn begun(following: &Following) -> Poll<Begun> {
        std::pin::pin!(following.begun()).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn pieces(following: &mut Following) -> (String, Option<End>) {
        let mut text = String::new();
        loop {
            match following.poll_next(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(piece)) => text.push_str(std::str::from_utf8(&piece).unwrap()),
                Poll::Ready(Err(end)) => return (text, Some(end)),
                Poll::Pending => return (text, None),
            }
        }
    }

    #[test]
    fn followers_get_what_is_shared_from_its_beginning() {
        let flights = Arc::<Flights>::default();
        let Turn::Lead(filling) = flights.join(&key(), 0, 0) else { panic!("the first one leads") };
        let Turn::Follow(mut early) = flights.join(&key(), 0, 0) else { panic!("the second one follows") };
        assert!(begun(&early).is_pending());
        filling.share(StatusCode::OK, HeaderMap::new());
        filling.data(Bytes::from_static(b"ab"));
        assert!(matches!(begun(&early), Poll::Ready(Begun::Head(StatusCode::OK, _))));
        assert_eq!(pieces(&mut early), ("ab".into(), None));
        let Turn::Follow(mut late) = flights.join(&key(), 0, 0) else { panic!("the third one follows") };
        filling.data(Bytes::from_static(b"c"));
        filling.end(End::Whole);
        assert_eq!(pieces(&mut early), ("c".into(), Some(End::Whole)));
        assert_eq!(pieces(&mut late), ("abc".into(), Some(End::Whole)));
        assert!(matches!(flights.join(&key(), 0, 0), Turn::Lead(_)), "it is over");
    }

    #[test]
    fn a_leader_that_is_gone_lets_its_followers_go() {
        let flights = Arc::<Flights>::default();
        let Turn::Lead(filling) = flights.join(&key(), 0, 0) else { panic!("the first one leads") };
        let Turn::Follow(following) = flights.join(&key(), 0, 0) else { panic!("the second one follows") };
        drop(filling);
        assert!(matches!(begun(&following), Poll::Ready(Begun::End(End::Failed))));
    }

    #[test]
    fn nobody_follows_what_was_begun_before_a_purge() {
        let flights = Arc::<Flights>::default();
        let Turn::Lead(before) = flights.join(&key(), 3, 0) else { panic!("the first one leads") };
        assert!(matches!(flights.join(&key(), 4, 3), Turn::Follow(_)), "another app's purge");
        let Turn::Lead(after) = flights.join(&key(), 4, 4) else { panic!("the page was purged") };
        before.end(End::NotShared);
        assert!(matches!(flights.join(&key(), 4, 4), Turn::Follow(_)), "the end of the old one is its own");
        drop(after);
    }
}
