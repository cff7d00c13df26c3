//! A removed app brought back, as it was.

use super::{AppView, ReleaseError, Releases, adopt};
use std::sync::PoisonError;
use std::time::Duration;
use vitrine_core::id::AppName;
use vitrine_core::limits::REPLACE_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::error_chain;

impl Releases {
    /// Brings a removed app back with its releases, values and history; the release that was live is live again. Where its deployment was
    /// on its way, that goes on as after a start of the host: its bake begins anew. A worker that does not come up is logged and is no
    /// error: requests start it again.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the app is kept as it was then.
    pub async fn restore_app(&self, app: AppName) -> Result<AppView, ReleaseError> {
        let Some(removed) = self.0.registry.removed(&app) else {
            return Err(match self.0.registry.knows(&app) {
                true => ReleaseError::Refused(format!("`{app}` is there: it is not removed")),
                false => ReleaseError::NoApp(app),
            });
        };
        // Its last requests end first: their workers are recorded as its releases' until then.
        let _leaving = removed.leaving.lock().await;
        let of = app.clone();
        let recorded =
            self.stored("reading the removed app", move |store| adopt::read_app(store, of)).await?;
        let bundles = self.verify_bundles(std::slice::from_ref(&recorded)).await;
        self.0.parts.predecessor.settled().await;
        {
            let _changing = self.0.changing.lock().await;
            let of = app.clone();
            if !self.stored("restoring the app", move |store| store.restore_app(&of)).await? {
                return Err(self.no_app(&app));
            }
            self.0.registry.forget_removed(&removed);
            self.0.registry.free_name(&app);
            self.load_app(recorded, &bundles).await;
            match self.stored("counting the change", |store| store.next_epoch()).await {
                Ok(epoch) => self.0.registry.set_epoch(epoch),
                Err(error) => {
                    tracing::warn!(%app, error = %error_chain(&error), "a restored app is not counted")
                }
            }
            self.publish(Some(&app));
        }
        let left = self.load_deployment(&app).await.unwrap_or_else(|error| {
            tracing::warn!(%app, error = %error_chain(&error), "its deployments are not known");
            None
        });
        let deadline = Duration::from_millis(REPLACE_BOOT_DEADLINE_MS);
        for handle in [self.0.registry.live(&app), self.candidate(&app)].into_iter().flatten() {
            if let Err(error) = self.ensure_worker(&handle, deadline, true).await {
                tracing::error!(release = %handle.id(), error = %error_chain(&error), "a restored release has no worker");
            }
        }
        if let Some((live, deployment)) = left {
            tracing::info!(release = %live.id(), "the deployment of a restored app goes on");
            self.go_on(live, deployment);
        }
        // Later boots hash their bundles again.
        self.0.verified.lock().unwrap_or_else(PoisonError::into_inner).clear();
        tracing::info!(%app, "a removed app is restored");
        Ok(self.app_view(&app))
    }
}
