//! Lists of apps: whole, or a page at a time, in full or a line each.

use super::load;
use super::{AppSummary, AppView, Releases, ShareView};
use vitrine_core::id::{AppName, dns_label};

/// Which part of the list of apps.
#[derive(Debug, Clone, Default)]
pub struct AppsPage {
    /// Behind this one, in the order of names.
    pub after: Option<AppName>,
    /// No more than this many.
    pub limit: Option<usize>,
}

impl Releases {
    /// Apps that have a release.
    pub fn apps(&self, page: &AppsPage, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<AppView> {
        self.page(page, may_be_shown).map(|app| self.app_view(&app)).collect()
    }

    /// As [`Releases::apps`], without what each release is like.
    pub fn app_summaries(&self, page: &AppsPage, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<AppSummary> {
        self.page(page, may_be_shown).map(|app| self.app_summary(&app)).collect()
    }

    fn page(
        &self,
        page: &AppsPage,
        may_be_shown: impl Fn(&AppName) -> bool,
    ) -> impl Iterator<Item = AppName> {
        let names = self.0.registry.names().into_iter();
        let behind = |app: &AppName| page.after.as_ref().is_none_or(|after| app > after);
        let shown =
            move |app: &AppName| behind(app) && may_be_shown(app) && self.0.registry.has_releases(app);
        names.filter(shown).take(page.limit.unwrap_or(usize::MAX))
    }

    fn app_summary(&self, app: &AppName) -> AppSummary {
        let releases = self.0.registry.releases(app);
        let (live, share) = (self.0.registry.live(app), self.0.registry.split(app));
        AppSummary {
            app: app.to_string(),
            url: self.url(&dns_label(app.as_str())),
            live: live.as_ref().map(|handle| handle.id().version.to_string()),
            live_ready: live.map(|handle| handle.pool.is_ready()),
            share: share.map(ShareView::from),
            releases: releases.len(),
            in_flight: releases.iter().map(|handle| handle.pool.in_flight()).sum(),
            load: load::of(&releases),
        }
    }
}
