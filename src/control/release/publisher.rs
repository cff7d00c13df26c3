//! The route table: which change it shows, and when it is swapped in.

use super::lock_order::{Guard, Lock, Rank};
use super::records::Records;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use super::{Parts, ReleaseError, table};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;
use vitrine_core::config::Config;
use vitrine_core::handover::Predecessor;
use vitrine_core::id::AppName;
use vitrine_core::telemetry::{Metrics, error_chain};
use vitrine_proxy::route::Routes;
use vitrine_proxy::rules::Rules;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct RoutePublisher {
    registry: Arc<Registry>,
    records: Records,
    config: Arc<Config>,
    routes: Routes,
    metrics: Arc<Metrics>,
    predecessor: Predecessor,
    /// Whether live releases are still being booted after the start of the host.
    starting: Arc<AtomicBool>,
    /// Routing rules in force.
    rules: Arc<Mutex<Option<Arc<Rules>>>>,
    /// Held from the record of a change until its table is swapped in: otherwise the table of an epoch could lack the change of
    /// an earlier one, or an older table be swapped in last.
    changing: Lock,
}

impl RoutePublisher {
    /// One that has published nothing yet.
    pub(super) fn new(parts: &Parts, registry: &Arc<Registry>, records: &Records) -> Self {
        Self {
            registry: Arc::clone(registry),
            records: records.clone(),
            config: Arc::clone(&parts.config),
            routes: parts.routes.clone(),
            metrics: Arc::clone(&parts.telemetry.metrics),
            predecessor: parts.predecessor.clone(),
            starting: Arc::new(AtomicBool::new(true)),
            rules: Arc::default(),
            changing: Lock::new(Rank::Routes),
        }
    }

    /// Begins a change, which no other comes between until this is dropped.
    pub(super) async fn change(&self) -> Guard<OwnedMutexGuard<()>> {
        self.changing.lock().await
    }

    /// The live releases have been booted, as far as they can be.
    pub(super) async fn end_start(&self) {
        let _changing = self.changing.lock().await;
        self.starting.store(false, Ordering::SeqCst);
        self.publish(None);
    }

    /// Swaps in a table that shows the registry: what changed is this app, or may be all of them. The caller has recorded what changed, and
    /// holds `changing` since before that.
    pub(super) fn publish(&self, changed: Option<&AppName>) {
        let Self { config, routes, .. } = self;
        let mut table = match changed {
            Some(app) => table::patched(&routes.snapshot(), app, &self.registry, config),
            None => table::whole(&self.registry, config),
        };
        table.starting = self.starting.load(Ordering::SeqCst);
        table.rules.clone_from(&self.rules.lock().unwrap_or_else(PoisonError::into_inner));
        routes.publish(table);
        match changed {
            Some(app) => self.export(app),
            None => self.registry.names().iter().for_each(|app| self.export(app)),
        }
    }

    /// Exports the counters of the releases that users of an app get, before their first request.
    fn export(&self, app: &AppName) {
        for handle in [self.registry.live(app), self.registry.candidate(app)].into_iter().flatten() {
            self.metrics.live(handle.pool.series());
        }
    }

    /// Makes a recorded change that is no promotion: the registry and the table show it together. It is on the disk, so users get it
    /// also where it can't be counted.
    pub(super) async fn republish_routes(
        &self,
        app: &AppName,
        change: impl FnOnce(&Registry),
    ) -> Result<(), ReleaseError> {
        self.predecessor.settled().await;
        let _changing = self.changing.lock().await;
        let counted = self.records.stored("counting the change", |store| store.next_epoch()).await;
        change(&self.registry);
        if let Ok(epoch) = counted {
            self.registry.set_epoch(epoch);
        }
        self.publish(Some(app));
        counted.map(drop)
    }

    /// Sets the rules that the first table will have.
    pub(super) fn set_rules(&self, rules: Option<Arc<Rules>>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Records a change of the rules, and puts those in force that `change` gives. They are on the disk, so they are in force also where
    /// the change can't be counted.
    pub(super) async fn republish_rules<T>(
        &self,
        change: impl Future<Output = Result<(Option<Arc<Rules>>, T), ReleaseError>>,
    ) -> Result<T, ReleaseError> {
        self.predecessor.settled().await;
        let _changing = self.changing.lock().await;
        let (rules, value) = change.await?;
        let counted = self.records.stored("counting the change", |store| store.next_epoch()).await;
        self.set_rules(rules);
        if let Ok(epoch) = counted {
            self.registry.set_epoch(epoch);
        }
        self.publish(None);
        counted.map(|_| value)
    }

    /// Puts these rules in force, unless others have been set meanwhile. The epoch stays: what the operator wrote is the same. Whether
    /// they are.
    pub(super) async fn replace_rules(&self, rules: Arc<Rules>, is_wanted: impl Fn() -> bool) -> bool {
        let _changing = self.changing.lock().await;
        if is_wanted() {
            self.set_rules(Some(rules));
            self.publish(None);
        }
        is_wanted()
    }

    pub(super) async fn publish_free(&self, app: &AppName) {
        let _changing = self.changing.lock().await;
        self.registry.free_name(app);
        // A release of another app may have been without its label because of this name.
        self.publish(None);
    }

    /// Publishes what the release may answer now.
    pub(super) async fn show(&self, handle: &ReleaseHandle) {
        if let Err(error) = self.republish_routes(&handle.id().app, |_| ()).await {
            tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to count a change of the route table");
        }
    }
}
