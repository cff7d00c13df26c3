//! Deployments as they are recorded: how far each has come, and the ones that an earlier host left on their way.

use super::{Deployer, Deployment, Event};
use crate::release::ReleaseError;
use crate::release::release_handle::ReleaseHandle;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::telemetry::error_chain;

impl Deployer {
    /// Records how far a deployment has come. That of an app that was removed meanwhile stays recorded as it was before.
    pub(super) async fn record(&self, deployment: &Arc<Deployment>) {
        let known = self.registry.deployments(&deployment.release.app);
        if !known.iter().any(|one| Arc::ptr_eq(one, deployment)) {
            return;
        }
        let record = deployment.record(self.registry.newest_deploy(&deployment.release.app));
        if let Err(error) =
            self.records.stored("recording a deployment", move |store| store.set_deployment(&record)).await
        {
            tracing::warn!(release = %deployment.release, error = %error_chain(&error), "failed to record a deployment");
        }
    }

    /// Takes up the recorded deployment of an app, which counts from now on. Gives it with its release if it is on its way:
    /// [`Deployer::go_on`] sees it through.
    pub(in crate::release) async fn load_deployment(
        &self,
        app: &AppName,
    ) -> Result<Option<(Arc<ReleaseHandle>, Arc<Deployment>)>, ReleaseError> {
        let of = app.clone();
        let recorded =
            self.records.stored("reading the deployments", move |store| store.deployment(&of)).await?;
        let Some(record) = recorded else { return Ok(None) };
        if let Some((number, version)) = record.newest_deploy.clone() {
            // The clock may have been set back since.
            self.last_deploy.fetch_max(number, Ordering::SeqCst);
            self.registry.set_newest_deploy(&ReleaseId::new(app.clone(), version), Some(number));
        }
        let deployment = Arc::new(Deployment::recorded(record));
        self.registry.add_deployment(&deployment);
        let Some(live) = self.registry.live(app) else { return Ok(None) };
        if live.id() != deployment.release {
            deployment.happens(Event::Superseded, None);
            return Ok(None);
        }
        Ok((!deployment.standing().progress.is_over()).then_some((live, deployment)))
    }

    /// Sees a deployment through that was left on its way, unless an operator ended it meanwhile: its bake begins anew.
    pub(in crate::release) fn go_on(&self, live: Arc<ReleaseHandle>, deployment: Arc<Deployment>) {
        if !deployment.standing().progress.is_over() {
            let deployer = self.through(&self.records.by_host());
            tokio::spawn(async move { deployer.finish_in_background(&live, &deployment).await });
        }
    }
}
