//! Instances of a release from their record to their end.

use super::boot::Terms;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use super::{ReleaseError, warm_failure, worker_monitor};
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::InstanceId;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::pool::Instance;
use vitrine_store::{InstanceRecord, ReleaseRecord};

/// An instance that may serve, and what failed of its warm and health paths.
pub(super) type Started = (Arc<Instance>, Option<String>);

impl WorkerSupervisor {
    /// Starts an instance and waits until it may serve. It is recorded first: a host that dies after the start finds it again. One that
    /// fails is ended. `answered` is called once its worker is what it should be.
    pub(super) async fn start_instance(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
        terms: Terms,
        answered: impl FnOnce() -> Result<(), ReleaseError> + Send,
    ) -> Result<Started, ReleaseError> {
        let room = self.make_fit(handle).await?;
        let (id, release) = (self.0.own_workers.new_instance(), handle.id());
        let ReleaseRecord { spec_hash, config_revision, env_scope, .. } = handle.record();
        let record = InstanceRecord { id: id.clone(), spec_hash, config_revision, env_scope };
        self.0
            .records
            .stored("recording an instance", move |store| store.add_instance(&release, &record))
            .await?;
        match self.start_within(handle, &id, deadline, terms, answered).await {
            Ok((worker, unwell)) => {
                let attributes = &self.0.config.health.target_group_attributes;
                let is_slow = attributes.slow_start_seconds > 0 && handle.pool.is_ready();
                Ok((Instance::new(worker, is_slow.then(|| attributes.clone()), Some(Box::new(room))), unwell))
            }
            Err(error) => {
                self.end(&id).await;
                Err(error)
            }
        }
    }

    /// Starts an instance beside those that serve, once there is a place for it. The release's life stays as it is, and the caller adds
    /// the instance or stops it.
    pub(super) async fn start_beside(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
        terms: Terms,
    ) -> Result<Started, ReleaseError> {
        let _place = self.boot_place(handle, true, deadline).await?;
        self.start_instance(handle, deadline, terms, || Ok(())).await
    }

    /// Gives requests to an instance. `unwell` is what failed of its warm and health paths.
    pub(super) fn add_instance(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: Arc<Instance>,
        unwell: Option<String>,
    ) {
        handle.pool.add(Arc::clone(&instance));
        self.begins_to_serve(handle, &instance, unwell);
    }

    /// Gives all requests to one instance and returns the instances that it replaces: the caller lets them finish.
    pub(super) fn replace_instances(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: Arc<Instance>,
    ) -> Vec<Arc<Instance>> {
        let replaced = handle.pool.replace(Arc::clone(&instance));
        self.begins_to_serve(handle, &instance, None);
        replaced
    }

    fn begins_to_serve(&self, handle: &Arc<ReleaseHandle>, instance: &Arc<Instance>, unwell: Option<String>) {
        handle.note_service();
        handle.set_failure(None);
        worker_monitor::watch(self, handle, instance);
        warm_failure::note(self, handle, instance.worker(), unwell);
    }

    /// Stops all instances of a release, whatever they do. The caller holds `handle.boot`.
    pub(super) async fn discard(&self, handle: &Arc<ReleaseHandle>) {
        let stops = handle.pool.take().into_iter().map(|instance| self.stop(instance));
        futures_util::future::join_all(stops).await;
    }

    /// Stops an instance that is in no pool any more, without waiting for what is in flight there.
    pub(super) async fn stop(&self, instance: Arc<Instance>) {
        // One that hangs hears no SIGTERM.
        let hung = instance.worker().is_hung();
        // Requests that wait for this worker look for another.
        instance.worker().discard();
        if hung {
            self.end_within(instance.id(), 0).await;
        } else {
            self.end(instance.id()).await;
        }
        // Observers may hold the instance a moment longer than its worker runs.
        instance.leave_room();
    }

    /// The same in the background.
    pub(super) fn stop_behind(&self, instance: Arc<Instance>) {
        let supervisor = self.clone();
        tokio::spawn(async move { supervisor.stop(instance).await });
    }

    /// Lets instances that are in no pool any more finish what is in flight there, and stops them, in the background. Their records are
    /// gone when this returns: a host that takes over from here on must not adopt them.
    pub(super) async fn finish_behind(&self, instances: Vec<Arc<Instance>>) {
        for instance in instances {
            self.forget_record(instance.id()).await;
            let supervisor = self.clone();
            tokio::spawn(async move { supervisor.finish(instance).await });
        }
    }

    async fn finish(&self, instance: Arc<Instance>) {
        // The host before this one may still send it requests, which are not counted here.
        self.0.predecessor.gone().await;
        let timeout = Duration::from_millis(self.0.config.switching.drain_timeout_ms);
        let left = instance.wait_idle(timeout).await;
        if left > 0 {
            let instance = instance.id();
            tracing::warn!(%instance, in_flight = left, "requests were cut at the end of the drain");
        }
        self.stop(instance).await;
    }

    /// Ends a worker, without a word when it has ended already, and forgets the record of its instance.
    pub(super) async fn end(&self, instance: &InstanceId) {
        let grace_ms = match failpoint::at("stop.grace") {
            Some(Fault::Skip) => 0,
            _ => self.0.config.switching.stop_timeout_ms,
        };
        self.end_within(instance, grace_ms).await;
    }

    /// As [`WorkerSupervisor::end`], with a grace of its own.
    pub(super) async fn end_within(&self, instance: &InstanceId, grace_ms: u64) {
        let engine = &self.0.engine;
        let stopped = async {
            engine.check().await?;
            engine.stop(instance, grace_ms).await
        };
        if let Err(error) = stopped.await {
            tracing::error!(%instance, error = %error_chain(&error), "failed to stop a worker; it is tried again");
            self.0.own_workers.add_unstopped(instance);
        }
        self.forget_record(instance).await;
        self.0.own_workers.remove(instance);
    }

    /// Forgets the record of an instance: no host adopts it from now on.
    pub(super) async fn forget_record(&self, instance: &InstanceId) {
        let id = instance.clone();
        if let Err(error) =
            self.0.records.stored("forgetting an instance", move |store| store.remove_instance(&id)).await
        {
            tracing::error!(%instance, error = %error_chain(&error), "failed to delete the record of an instance");
        }
    }
}
