//! The pages of a release, rendered before users get it.

use super::executor::Deployer;
use crate::release::green_pages::GreenPages;
use crate::release::release_handle::ReleaseHandle;
use crate::release::{ReleaseError, table};
use std::sync::Arc;

/// Pages that a refusal names.
const PAGES_SHOWN_MAX: usize = 5;

impl Deployer {
    /// Renders the pages that users ask for most before they get the release. Where the operator wants that, a page that is worse than what
    /// they have ends the deployment.
    pub(super) async fn render_green(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let release = handle.id();
        let Some(live) = self.registry.live(&release.app) else { return Ok(()) };
        let target = |handle| table::target(handle, &self.registry, &self.config);
        let came = self.green.render(&target(&live), target(handle)).await;
        if came.rendered > 0 {
            let GreenPages { kept, rendered, .. } = came;
            tracing::info!(%release, kept, rendered, worse = came.worse.len(), "pages were rendered for the cache before the switch");
        }
        if came.worse.is_empty() || !self.config.deploy.cache_gate {
            return Ok(());
        }
        let shown =
            came.worse.iter().take(PAGES_SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
        let count = came.worse.len();
        Err(ReleaseError::Refused(format!(
            "{count} of {} pages are worse than those that users have (deploy.cache_gate): {shown}",
            came.rendered
        )))
    }
}
