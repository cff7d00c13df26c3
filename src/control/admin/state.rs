//! What handlers work with.

use crate::admin::access::{Access, Caller};
use crate::admin::deployments::register::Deployments;
use crate::admin::notice::Notice;
use crate::admin::places::Places;
use crate::admin::problem::{Kind, Problem};
use crate::release::{ReleaseError, Releases};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vitrine_core::clock::Clock;
use vitrine_core::config::MetricsRules;
use vitrine_core::scope::Actor;
use vitrine_store::{Store, StoreError};

/// Gives the metrics in Prometheus' text format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;
/// Says whether the host can serve, or why not.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub(super) struct AdminState {
    /// The control plane.
    pub releases: Releases,
    /// Staging folder, and answers to requests that may come twice.
    pub store: Store,
    /// What callers have to show.
    pub access: Access,
    /// See [`MetricsText`].
    pub metrics: MetricsText,
    /// Who may read them without a token.
    pub metrics_rules: Arc<MetricsRules>,
    /// See [`Readiness`].
    pub ready: Readiness,
    /// What is said beside answers about what runs here.
    pub notice: Option<Notice>,
    /// Wall time.
    pub clock: Clock,
    /// Ends streams that would go on for ever.
    pub shutdown: CancellationToken,
    /// Uploads at once.
    pub uploads: Places,
    /// Uploads that wait for a place among those.
    pub waiting_uploads: Places,
    /// Deployments that run, and some that ran.
    pub deployments: Deployments,
    /// Log streams at once.
    pub log_streams: Places,
    /// Backups at once: one.
    pub backups: Arc<Semaphore>,
}

impl AdminState {
    /// The control plane and the store for changes of this caller.
    pub(super) fn of(&self, caller: &Caller) -> OnBehalf {
        let store = self.store.by(caller.actor.clone());
        OnBehalf { releases: self.releases.through(store.clone()), store }
    }
}

/// The control plane and the store, with what changes there recorded as one actor's. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct OnBehalf {
    pub releases: Releases,
    pub store: Store,
}

impl OnBehalf {
    /// The same, for the request with this key.
    pub(super) fn once(&self, key: &str) -> Self {
        let store = self.store.once(key);
        Self { releases: self.releases.through(store.clone()), store }
    }

    pub(super) const fn actor(&self) -> &Actor {
        self.store.actor()
    }

    /// Runs a call of the store, which waits for the disk, where waiting is fine.
    ///
    /// # Errors
    /// See [`Problem`].
    pub(super) async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        Ok(done.map_err(|_| Problem::new(Kind::Internal, "the store gave up; the host's log says why"))??)
    }

    /// What went wrong with a release, as this actor may know it.
    pub(super) fn problem(&self) -> impl Fn(ReleaseError) -> Problem + use<> {
        let is_root = *self.actor() == Actor::Root;
        move |error| Problem::of_release(error, is_root)
    }
}
