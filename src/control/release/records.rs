//! The store, as the control plane calls it: where blocking is allowed, and on behalf of an actor.

use super::ReleaseError;
use vitrine_core::scope::Actor;
use vitrine_store::{Bundles, Layout, Store, StoreError};

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Records(Store);

impl Records {
    /// Those of a data folder, changed on behalf of this handle's actor.
    pub(super) const fn new(store: Store) -> Self {
        Self(store)
    }

    /// The same, for what the host does by itself: also behind a change that somebody asked for.
    pub(super) fn by_host(&self) -> Self {
        Self(self.0.by(Actor::Host))
    }

    /// Who changes them.
    pub(super) fn actor(&self) -> &Actor {
        self.0.actor()
    }

    /// Runs a store call where blocking is allowed. `operation` is what its error says.
    pub(super) async fn stored<T: Send + 'static>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReleaseError> {
        let store = self.0.clone();
        let done = tokio::task::spawn_blocking(move || call(&store)).await;
        match done {
            Ok(result) => result.map_err(ReleaseError::store(operation)),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Bundles on the disk.
    pub(super) fn bundles(&self) -> Bundles {
        self.0.bundles()
    }

    /// Where everything lies in the data folder.
    pub(super) fn layout(&self) -> &Layout {
        self.0.layout()
    }
}
