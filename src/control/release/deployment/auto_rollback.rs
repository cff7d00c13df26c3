//! A release that is worse than the one before it: marked, and rolled back.

use super::Deployer;
use super::{Deployment, Event};
use crate::release::release_handle::ReleaseHandle;
use std::sync::Arc;
use vitrine_core::id::{ReleaseId, Version};
use vitrine_core::telemetry::error_chain;
use vitrine_store::{BadMark, DeploymentStatus, Pardon};

impl Deployer {
    pub(super) fn is_going_back(&self, deployment: &Deployment) -> bool {
        let status = deployment.standing().progress.status;
        matches!(status, DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress)
    }

    /// Makes the release before it live again, and marks this one as bad.
    pub(super) async fn go_back(&self, handle: &Arc<ReleaseHandle>, deployment: &Arc<Deployment>) {
        let standing = deployment.standing();
        let why = standing.reason.clone().unwrap_or_else(|| "its deployment failed".into());
        deployment.happens(Event::GoingBack, Some(why.clone()));
        // Marked and recorded first: a host that ends here goes on with it at its next start.
        for bad in self.same_in_bake(handle, standing.previous.as_ref()) {
            self.mark(&bad, BadMark { reason: why.clone(), pardon: None }).await;
        }
        self.record(deployment).await;
        let ReleaseId { app, version } = handle.id();
        let previous = standing.previous.filter(|version| {
            let id = ReleaseId::new(app.clone(), version.clone());
            self.registry.release(&id).is_some() && self.registry.bad(&id).is_none()
        });
        let went = self.switcher.rollback(app.clone(), previous, Some(version.clone())).await;
        match went {
            Ok(switched) if !self.registry.is_live(handle) => {
                tracing::warn!(app = %app, bad = %version, live = switched.version, why, "a bad release was rolled back");
                // The switch has said so already; this keeps the reason.
                deployment.note(why, false);
            }
            Err(error) if !self.registry.is_live(handle) => {
                deployment.happens(Event::Superseded, Some(format!("{why}; {}", error_chain(&error))));
            }
            stayed => {
                let error = stayed.err().map_or_else(
                    || "another release has a share of its users".into(),
                    |error| error_chain(&error),
                );
                tracing::error!(app = %app, bad = %version, why, error, "failed to roll back a bad release");
                deployment
                    .happens(Event::CantGoBack, Some(format!("{why}; it could not be rolled back: {error}")));
            }
        }
    }

    /// A release, and those of the same content that were live in its bake until their values changed.
    fn same_in_bake(
        &self,
        handle: &Arc<ReleaseHandle>,
        previous: Option<&Version>,
    ) -> Vec<Arc<ReleaseHandle>> {
        let (app, digest) = (handle.id().app, handle.record().digest);
        let history = self.registry.history(&app);
        let since = history.iter().take_while(|one| Some(&one.version) != previous);
        let others = since.filter_map(|one| {
            let other = self.registry.release(&ReleaseId::new(app.clone(), one.version.clone()))?;
            (other.record().digest == digest && !Arc::ptr_eq(&other, handle)).then_some(other)
        });
        std::iter::once(Arc::clone(handle)).chain(others).collect()
    }

    /// Notes that somebody made a release live although it is marked as bad, if it is.
    pub(super) async fn pardon(&self, handle: &Arc<ReleaseHandle>) {
        let Some(reason) = self.registry.bad(&handle.id()) else { return };
        let (by, at_ms) = (self.records.actor().to_string(), self.clock.now_ms());
        self.mark(handle, BadMark { reason, pardon: Some(Pardon { by, at_ms }) }).await;
    }

    async fn mark(&self, handle: &Arc<ReleaseHandle>, mark: BadMark) {
        let id = handle.id();
        self.registry.set_bad(&id, mark.clone());
        let recorded = id.clone();
        let marked =
            self.records.stored("marking a release", move |store| store.set_bad(&recorded, &mark)).await;
        if let Err(error) = marked {
            tracing::error!(release = %id, error = %error_chain(&error), "failed to record the mark of a release as bad");
        }
        self.publisher.show(handle).await;
    }
}
