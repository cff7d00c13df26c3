//! Releases and the values of the environment that their workers run with: production's before users get a release, the newest of
//! previews for a preview.

use super::ReleaseError;
use super::boot::Terms;
use super::lifecycle::Event;
use super::records::Records;
use super::registry::Registry;
use super::release_handle::{ReleaseHandle, spec_hash};
use super::supervisor::WorkerSupervisor;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::config::Config;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::pool::Instance;
use vitrine_store::{EnvScope, EnvValue, ReleaseRecord};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub config: Arc<Config>,
    pub supervisor: WorkerSupervisor,
}

impl Values {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self { records: records.clone(), ..self.clone() }
    }

    /// Makes sure that a release has as many instances as its app's scale says, with production's values: users are about to get it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the release has the values that it had.
    pub(super) async fn ready_for_users(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<Option<Before>, ReleaseError> {
        let before = self.with_values_of_production(handle, deadline).await?;
        match self.supervisor.scale_for_users(handle, deadline).await {
            Ok(()) => Ok(before),
            Err(error) => {
                self.settle_values(handle, before).await;
                Err(error)
            }
        }
    }

    /// Makes sure that a release has a worker that serves, with production's values. A release that had
    /// the values of previews gets a new worker with the newest revision; gives what it ran with until then, for
    /// [`Values::settle_values`]. The values are recorded when users get the release, so a host that ends before that adopts the
    /// instances that the release had.
    async fn with_values_of_production(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<Option<Before>, ReleaseError> {
        if handle.record().env_scope == EnvScope::Production {
            return self.supervisor.ensure_worker(handle, deadline, true).await.map(|()| None);
        }
        let _insisting = handle.insist();
        self.supervisor.0.boots.hand_out();
        let boot = handle.boot.lock().await;
        let before = handle.record();
        if before.env_scope == EnvScope::Production {
            // Another promotion was faster.
            drop(boot);
            return self.supervisor.ensure_worker(handle, deadline, true).await.map(|()| None);
        }
        let newest = self.note_newest(&before).await?;
        let mut with =
            ReleaseRecord { config_revision: newest, env_scope: EnvScope::Production, ..before.clone() };
        with.spec_hash = spec_hash(&with, &handle.bundle, &handle.limits, &self.config);
        set_values(handle, &with);
        if !handle.pool.has_instance() {
            // A request that waits for the lock would start a worker with these values.
            let started = self.supervisor.ensure_locked(handle, deadline, true).await;
            if started.is_err() {
                self.put_back(handle, &before).await;
            }
            return started.map(|()| Some(Before { record: before, instances: Vec::new() }));
        }
        match self.supervisor.start_beside(handle, deadline, Terms::Strict).await {
            Ok((instance, _)) => {
                let instances = self.supervisor.replace_instances(handle, instance);
                Ok(Some(Before { record: before, instances }))
            }
            Err(error) => {
                set_values(handle, &before);
                Err(error)
            }
        }
    }

    /// Gives a release that sees the values of previews the newest ones, where those that it reads have changed: a new worker takes
    /// the place of the one that it has. Gives whether they had changed.
    pub(super) async fn renew_values(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<bool, ReleaseError> {
        if handle.record().env_scope != EnvScope::Preview {
            return Ok(false);
        }
        let _insisting = handle.insist();
        self.supervisor.0.boots.hand_out();
        let boot = handle.boot.lock().await;
        let before = handle.record();
        if before.env_scope != EnvScope::Preview || self.registry.release(&before.id).is_none() {
            return Ok(false);
        }
        if !self.have_changed(handle, &before).await? {
            return Ok(false);
        }
        let newest = self.note_newest(&before).await?;
        let mut with = ReleaseRecord { config_revision: newest, ..before.clone() };
        with.spec_hash = spec_hash(&with, &handle.bundle, &handle.limits, &self.config);
        set_values(handle, &with);
        let renewed = match handle.pool.has_instance() {
            true => self.replace_all(handle, &with, deadline).await,
            false => match self.record_values(&with).await {
                Ok(()) => {
                    drop(boot);
                    return self.supervisor.ensure_worker(handle, deadline, true).await.map(|()| true);
                }
                failed => failed,
            },
        };
        if renewed.is_err() {
            set_values(handle, &before);
        }
        renewed.map(|()| true)
    }

    /// The newest revision, which is kept from now on for a release of this record.
    async fn note_newest(&self, record: &ReleaseRecord) -> Result<u64, ReleaseError> {
        let release = record.id.clone();
        self.records.stored("noting the values of a release", move |store| store.note_newest(&release)).await
    }

    /// Whether a release of this record reads other values in the newest revision than in its own.
    async fn have_changed(
        &self,
        handle: &Arc<ReleaseHandle>,
        record: &ReleaseRecord,
    ) -> Result<bool, ReleaseError> {
        let (of, scope, own) = (record.id.app.clone(), record.env_scope, record.config_revision);
        let reads = handle.bundle.manifest.env.clone();
        self.records
            .stored("reading the environment", move |store| {
                let read = |values: Vec<EnvValue>| -> BTreeMap<_, _> {
                    let values = values.into_iter().filter(|value| reads.contains(&value.name));
                    values.map(|value| (value.name, value.value)).collect()
                };
                Ok(read(store.env(&of, own, scope)?) != read(store.newest_env(&of, scope)?))
            })
            .await
    }

    /// Puts an instance with these values in the place of all others, once they are recorded.
    async fn replace_all(
        &self,
        handle: &Arc<ReleaseHandle>,
        with: &ReleaseRecord,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let (instance, _) = self.supervisor.start_beside(handle, deadline, Terms::Strict).await?;
        if let Err(error) = self.record_values(with).await {
            self.supervisor.stop(instance).await;
            return Err(error);
        }
        self.supervisor.finish_behind(self.supervisor.replace_instances(handle, instance)).await;
        Ok(())
    }

    async fn record_values(&self, with: &ReleaseRecord) -> Result<(), ReleaseError> {
        let with = with.clone();
        self.records
            .stored("recording the values of a release", move |store| {
                store.set_values(&with.id, with.config_revision)
            })
            .await
    }

    /// Ends what [`Values::ready_for_users`] began. A release that users did not get sleeps, and has its earlier values when it
    /// wakes.
    pub(super) async fn settle_values(&self, handle: &Arc<ReleaseHandle>, before: Option<Before>) {
        let Some(Before { record, instances }) = before else { return };
        let boot = handle.boot.lock().await;
        let has_users = [self.registry.live(&record.id.app), self.registry.candidate(&record.id.app)]
            .into_iter()
            .flatten()
            .any(|given| Arc::ptr_eq(&given, handle));
        if !has_users {
            self.put_back(handle, &record).await;
        }
        drop(boot);
        self.supervisor.finish_behind(instances).await;
    }

    /// Gives a release the values of an earlier record, and ends a worker that has others. The caller holds `handle.boot`.
    async fn put_back(&self, handle: &Arc<ReleaseHandle>, record: &ReleaseRecord) {
        set_values(handle, record);
        if handle.life().after(Event::Idle).is_ok()
            && let Err(error) = self.supervisor.apply(handle, Event::Idle, Duration::ZERO).await
        {
            tracing::error!(release = %record.id, error = %error_chain(&error),
                "failed to put a release to sleep after its promotion failed");
        }
    }
}

/// What a release ran with before it was made ready for users.
#[derive(Debug)]
pub(super) struct Before {
    record: ReleaseRecord,
    instances: Vec<Arc<Instance>>,
}

/// What a release is started with from now on.
fn set_values(handle: &ReleaseHandle, with: &ReleaseRecord) {
    handle.update(|record| {
        record.config_revision = with.config_revision;
        record.env_scope = with.env_scope;
        record.spec_hash = with.spec_hash;
    });
}
