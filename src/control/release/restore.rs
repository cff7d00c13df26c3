//! A removed app brought back, as it was.

use super::adopt::Recovery;
use super::lock_order::{Lock, Rank};
use super::{AppView, ReleaseError, adopt};
use std::time::Duration;
use vitrine_core::id::AppName;
use vitrine_core::limits::REPLACE_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::error_chain;

impl Recovery {
    /// See [`Releases::restore_app`](super::Releases::restore_app).
    pub(super) async fn restore_app(&self, app: AppName) -> Result<AppView, ReleaseError> {
        let Some(removed) = self.registry.removed(&app) else { return Err(self.not_removed(&app)) };
        // The app's own from when it is there again: nothing of it changes before all of it is.
        let switching = Lock::new(Rank::Live);
        let held = switching.lock().await;
        // Its last requests end first: their workers are recorded as its releases' until then.
        let _leaving = removed.leaving.lock().await;
        let is_removed_still = || match self.registry.removed(&app) {
            Some(now) if now.leaving.is(&removed.leaving) => Ok(()),
            _ => Err(self.not_removed(&app)),
        };
        is_removed_still()?;
        let of = app.clone();
        let recorded =
            self.records.stored("reading the removed app", move |store| adopt::read_app(store, of)).await?;
        let bundles = self.verify_bundles(std::slice::from_ref(&recorded)).await;
        self.predecessor.settled().await;
        {
            let _changing = self.publisher.change().await;
            is_removed_still()?;
            let of = app.clone();
            if !self.records.stored("restoring the app", move |store| store.restore_app(&of)).await? {
                return Err(self.registry.no_app(&app));
            }
            self.registry.forget_removed(&removed);
            self.registry.free_name(&app);
            self.registry.add_restored(&app, switching);
            self.load_app(recorded, &bundles).await;
            match self.records.stored("counting the change", |store| store.next_epoch()).await {
                Ok(epoch) => self.registry.set_epoch(epoch),
                Err(error) => {
                    tracing::warn!(%app, error = %error_chain(&error), "failed to count a restored app in the epoch")
                }
            }
            self.publisher.publish(Some(&app));
        }
        let left = self.deployer.load_deployment(&app).await.unwrap_or_else(|error| {
            tracing::warn!(%app, error = %error_chain(&error), "failed to read the deployment of a restored app");
            None
        });
        drop(held);
        let deadline = Duration::from_millis(REPLACE_BOOT_DEADLINE_MS);
        for handle in [self.registry.live(&app), self.registry.candidate(&app)].into_iter().flatten() {
            if let Err(error) = self.supervisor.ensure_worker(&handle, deadline, true).await {
                tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to start the worker of a restored release");
            }
        }
        if let Some((live, deployment)) = left {
            tracing::info!(release = %live.id(), "the deployment of a restored app goes on");
            self.deployer.go_on(live, deployment);
        }
        // Later boots hash their bundles again.
        self.installed.forget_verified();
        tracing::info!(%app, "a removed app is restored");
        Ok(self.views.app_view(&app))
    }

    /// Why an app can't be restored: it is there, or was removed once more, or never was.
    fn not_removed(&self, app: &AppName) -> ReleaseError {
        if self.registry.knows(app) {
            return ReleaseError::Refused(format!("`{app}` is there: it is not removed"));
        }
        match self.registry.removed(app) {
            Some(_) => ReleaseError::Refused(format!("`{app}` was restored and removed again meanwhile")),
            None => ReleaseError::NoApp(app.clone()),
        }
    }
}
