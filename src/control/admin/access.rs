//! Who is let in: the host's own token, and those that were made since.

use crate::admin::Token;
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vitrine_core::clock::Clock;
use vitrine_core::id::AppName;
use vitrine_core::limits::{WRONG_TOKENS_BURST, WRONG_TOKENS_PER_S};
use vitrine_core::scope::{Actor, Verb};
use vitrine_store::{Store, StoreError, TokenRecord};

/// A token as it is compared, and what ends what was begun with it.
#[derive(Debug)]
struct Grant {
    record: TokenRecord,
    ended: CancellationToken,
}

/// A caller with a valid token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Under which name changes are recorded.
    pub actor: Actor,
    /// None for the host's own token, which may do everything and has no end.
    grant: Option<Arc<Grant>>,
    clock: Clock,
}

impl Caller {
    /// Whether this is allowed on this app; on every app, if none is given.
    #[must_use]
    pub(super) fn may(&self, verb: Verb, app: Option<&AppName>) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.record.scope.allows(verb, app))
    }

    /// The apps that it may see.
    pub(super) fn may_see(&self) -> impl Fn(&AppName) -> bool {
        |app| self.may(Verb::Read, Some(app))
    }

    /// Whether it has the host's own token.
    #[must_use]
    pub(super) const fn is_root(&self) -> bool {
        self.grant.is_none()
    }

    /// Whether the token is still good: neither revoked nor expired since.
    #[must_use]
    pub(super) fn is_valid(&self) -> bool {
        self.grant.as_ref().is_none_or(|grant| {
            !grant.ended.is_cancelled() && !has_expired(&grant.record, self.clock.now_ms())
        })
    }

    /// Waits until the token is revoked or has expired.
    pub(super) async fn ended(&self) {
        let Some(grant) = &self.grant else { return std::future::pending().await };
        let expires = async {
            match grant.record.expires_ms {
                Some(at_ms) => {
                    tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(self.clock.now_ms())))
                        .await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! { () = grant.ended.cancelled() => {}, () = expires => {} }
    }
}

fn has_expired(record: &TokenRecord, now_ms: u64) -> bool {
    record.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
}

/// What became of a token that was shown.
#[derive(Debug)]
pub(super) enum AuthResult {
    /// It is good.
    Good(Caller),
    /// It is not known, or not any more.
    Wrong,
    /// It is wrong, as too many were just now.
    TooMany,
}

/// Every token, and a count of wrong ones. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: Token,
    clock: Clock,
    grants: RwLock<Vec<Arc<Grant>>>,
    wrong: Mutex<Allowance>,
    /// Held while the store and the grants change together.
    changing: tokio::sync::Mutex<()>,
}

impl Access {
    /// With these tokens beside the host's own.
    #[must_use]
    pub(super) fn new(root: Token, records: Vec<TokenRecord>, clock: Clock) -> Self {
        let inner = Inner {
            root,
            clock,
            grants: RwLock::default(),
            wrong: Mutex::new(Allowance::full(Instant::now())),
            changing: tokio::sync::Mutex::default(),
        };
        let access = Self(Arc::new(inner));
        access.take_over(records);
        access
    }

    /// Looks at what a caller shows. Every token is compared, so that the time tells nothing about which one it was.
    pub(super) fn authenticate(&self, shown: &str) -> AuthResult {
        let sha256: [u8; 32] = Sha256::digest(shown).into();
        let caller = |actor, grant| Caller { actor, grant, clock: self.0.clock.clone() };
        let mut found = self.0.root.matches(shown).then(|| caller(Actor::Root, None));
        for grant in self.0.grants.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if bool::from(sha256.ct_eq(&grant.record.sha256.0)) {
                found = Some(caller(Actor::Token(grant.record.name.clone()), Some(Arc::clone(grant))));
            }
        }
        match found.filter(Caller::is_valid) {
            Some(caller) => AuthResult::Good(caller),
            None if self.0.wrong.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()) => {
                AuthResult::Wrong
            }
            None => AuthResult::TooMany,
        }
    }

    /// Changes the recorded tokens, and takes what is recorded then over: what was revoked is good for nothing any more
    /// when this returns.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing has changed then.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        store: Store,
        change: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _changing = self.0.changing.lock().await;
        let changed = tokio::task::spawn_blocking(move || {
            let value = change(&store)?;
            Ok((value, store.tokens()?))
        });
        let (value, records) = changed.await.map_err(|_| StoreError::ShuttingDown)??;
        self.take_over(records);
        Ok(value)
    }

    fn take_over(&self, records: Vec<TokenRecord>) {
        let mut grants = self.0.grants.write().unwrap_or_else(PoisonError::into_inner);
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *grants).into_iter().partition(|grant| records.contains(&grant.record));
        gone.iter().for_each(|grant| grant.ended.cancel());
        let new = records.into_iter().filter(|record| kept.iter().all(|grant| grant.record != *record));
        let new: Vec<_> =
            new.map(|record| Arc::new(Grant { record, ended: CancellationToken::new() })).collect();
        *grants = kept.into_iter().chain(new).collect();
    }
}

/// How many wrong tokens may still come: refilled with time up to a bound.
#[derive(Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn full(now: Instant) -> Self {
        Self { left: f64::from(WRONG_TOKENS_BURST), at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let refilled = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(WRONG_TOKENS_PER_S);
        self.left = (self.left + refilled).min(f64::from(WRONG_TOKENS_BURST));
        self.at = now;
        let one = self.left >= 1.0;
        self.left -= if one { 1.0 } else { 0.0 };
        one
    }
}

#[cfg(test)]
mod tests;
