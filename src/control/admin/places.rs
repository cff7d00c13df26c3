//! Places for what lasts, uploads and log streams: so many at once, of each token only some, and some that are the host's own token's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use vitrine_core::limits::{
    LOG_STREAMS_MAX, LOG_STREAMS_OF_TOKEN_MAX, LOG_STREAMS_OF_TOKENS_MAX, UPLOADS_MAX, UPLOADS_OF_TOKEN_MAX,
    UPLOADS_OF_TOKENS_MAX, UPLOADS_WAITING_MAX, UPLOADS_WAITING_OF_TOKEN_MAX, UPLOADS_WAITING_OF_TOKENS_MAX,
};
use vitrine_core::scope::Actor;

/// The places. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Of what, for people.
    what: &'static str,
    all: usize,
    of_tokens: usize,
    of_token: usize,
    taken: Mutex<BTreeMap<String, usize>>,
    given_back: Notify,
}

/// One place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    who: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(count) = taken.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.who);
            }
        }
        drop(taken);
        self.places.0.given_back.notify_waiters();
    }
}

impl Places {
    /// For uploads.
    pub(super) fn of_uploads() -> Self {
        Self::new("uploads under way", UPLOADS_MAX, UPLOADS_OF_TOKENS_MAX, UPLOADS_OF_TOKEN_MAX)
    }

    /// For uploads that wait for one of those.
    pub(super) fn of_waiting_uploads() -> Self {
        let bounds = (UPLOADS_WAITING_MAX, UPLOADS_WAITING_OF_TOKENS_MAX, UPLOADS_WAITING_OF_TOKEN_MAX);
        Self::new("uploads waiting", bounds.0, bounds.1, bounds.2)
    }

    /// For log streams.
    pub(super) fn of_log_streams() -> Self {
        Self::new("log streams open", LOG_STREAMS_MAX, LOG_STREAMS_OF_TOKENS_MAX, LOG_STREAMS_OF_TOKEN_MAX)
    }

    fn new(what: &'static str, all: usize, of_tokens: usize, of_token: usize) -> Self {
        let (taken, given_back) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { what, all, of_tokens, of_token, taken, given_back }))
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, as soon as there is one.
    pub(super) async fn take(&self, who: &Actor) -> Place {
        loop {
            let given_back = self.0.given_back.notified();
            tokio::pin!(given_back);
            given_back.as_mut().enable();
            if let Some(place) = self.try_take(who) {
                return place;
            }
            given_back.await;
        }
    }

    /// A place, if there is one now.
    pub(super) fn try_take(&self, who: &Actor) -> Option<Place> {
        let mut taken = self.taken();
        let of_root = Actor::Root.to_string();
        let all: usize = taken.values().sum();
        let of_tokens = all - taken.get(&of_root).copied().unwrap_or_default();
        let own = taken.entry(who.to_string()).or_default();
        let is_free = match who {
            Actor::Token(_) => *own < self.0.of_token && of_tokens < self.0.of_tokens,
            Actor::Root | Actor::Host => true,
        };
        if is_free && all < self.0.all {
            *own += 1;
            return Some(Place { places: self.clone(), who: who.to_string() });
        }
        taken.retain(|_, count| *count > 0);
        None
    }

    /// Why a caller has no place now.
    pub(super) fn why(&self, who: &Actor) -> String {
        let own = self.taken().get(&who.to_string()).copied().unwrap_or_default();
        match who {
            Actor::Token(_) if own >= self.0.of_token => {
                format!("this token has {own} {}, which is its bound; wait for one of them", self.0.what)
            }
            _ => format!("too many {} at once; try again in some seconds", self.0.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> Actor {
        Actor::Token(name.parse().unwrap())
    }

    #[test]
    fn no_token_keeps_another_from_uploading_and_all_together_not_the_hosts_own() {
        let places = Places::of_uploads();
        let take = |who: &Actor| places.try_take(who);
        let greedy: Vec<_> = std::iter::from_fn(|| take(&token("greedy"))).collect();
        assert_eq!(greedy.len(), UPLOADS_OF_TOKEN_MAX);
        assert!(places.why(&token("greedy")).contains("this token"));
        assert!(take(&token("other")).is_some());
        let others: Vec<_> = (0..UPLOADS_MAX).filter_map(|at| take(&token(&format!("t{at}")))).collect();
        assert_eq!(greedy.len() + others.len(), UPLOADS_OF_TOKENS_MAX);
        let own: Vec<_> = std::iter::from_fn(|| take(&Actor::Root)).collect();
        assert_eq!(own.len(), UPLOADS_MAX - UPLOADS_OF_TOKENS_MAX);
        drop(greedy);
        assert!(take(&Actor::Root).is_some() && take(&token("late")).is_some());
        drop((others, own));
        assert!(places.taken().is_empty());
    }

    #[test]
    fn the_hosts_own_token_finds_a_place_beside_all_others() {
        for places in [Places::of_log_streams(), Places::of_waiting_uploads()] {
            let greedy: Vec<_> = std::iter::from_fn(|| places.try_take(&token("greedy"))).collect();
            assert_eq!(greedy.len(), places.0.of_token);
            let other = |at: usize| {
                std::iter::from_fn(|| places.try_take(&token(&format!("t{at}")))).collect::<Vec<_>>()
            };
            let others: Vec<_> = (0..places.0.all).flat_map(other).collect();
            assert_eq!(greedy.len() + others.len(), places.0.of_tokens);
            assert!(places.try_take(&Actor::Root).is_some());
        }
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_is_given_back() {
        let places = Places::of_uploads();
        let mut held: Vec<_> = std::iter::from_fn(|| places.try_take(&token("ci"))).collect();
        let (waiting, ci) = (places.clone(), token("ci"));
        let waiter = tokio::spawn(async move { waiting.take(&ci).await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        held.pop();
        waiter.await.unwrap();
    }
}
