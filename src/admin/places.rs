//! Places for uploads: so many at once, of each token only some, and some that are the host's own token's.

use crate::limits::{UPLOADS_MAX, UPLOADS_OF_TOKEN_MAX, UPLOADS_OF_TOKENS_MAX};
use crate::scope::Actor;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The places. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    taken: Mutex<BTreeMap<String, usize>>,
    given_back: Notify,
}

/// One place; free again when dropped.
#[derive(Debug)]
pub struct Place {
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
    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, as soon as there is one.
    pub async fn take(&self, who: &Actor) -> Place {
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
    pub fn try_take(&self, who: &Actor) -> Option<Place> {
        let mut taken = self.taken();
        let of_root = Actor::Root.to_string();
        let all: usize = taken.values().sum();
        let of_tokens = all - taken.get(&of_root).copied().unwrap_or_default();
        let own = taken.entry(who.to_string()).or_default();
        let is_free = match who {
            Actor::Token(_) => *own < UPLOADS_OF_TOKEN_MAX && of_tokens < UPLOADS_OF_TOKENS_MAX,
            Actor::Root | Actor::Host => true,
        };
        if is_free && all < UPLOADS_MAX {
            *own += 1;
            return Some(Place { places: self.clone(), who: who.to_string() });
        }
        taken.retain(|_, count| *count > 0);
        None
    }

    /// Why a caller has no place now.
    pub fn why(&self, who: &Actor) -> String {
        let own = self.taken().get(&who.to_string()).copied().unwrap_or_default();
        match who {
            Actor::Token(_) if own >= UPLOADS_OF_TOKEN_MAX => {
                format!("this token has {own} uploads under way, which is its bound; wait for one of them")
            }
            _ => "too many uploads at once; try again in some seconds".into(),
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
        let places = Places::default();
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

    #[tokio::test]
    async fn who_waits_gets_the_place_that_is_given_back() {
        let places = Places::default();
        let mut held: Vec<_> = std::iter::from_fn(|| places.try_take(&token("ci"))).collect();
        let (waiting, ci) = (places.clone(), token("ci"));
        let waiter = tokio::spawn(async move { waiting.take(&ci).await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        held.pop();
        waiter.await.unwrap();
    }
}
