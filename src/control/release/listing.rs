//! Lists of apps: whole, or a page at a time, in full or a line each.

use super::load;
use super::views::Views;
use super::{AppSummary, AppView, ShareView};
use vitrine_core::id::{AppName, dns_label};

/// Which part of the list of apps.
#[derive(Debug, Clone, Default)]
pub struct AppsPage {
    /// Behind this one, in the order of names.
    pub after: Option<AppName>,
    /// No more than this many.
    pub limit: Option<usize>,
}

impl Views {
    /// See [`Releases::apps`](super::Releases::apps).
    pub(super) fn apps(&self, page: &AppsPage, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<AppView> {
        self.page(page, may_be_shown).map(|app| self.app_view(&app)).collect()
    }

    /// See [`Releases::app_summaries`](super::Releases::app_summaries).
    pub(super) fn app_summaries(
        &self,
        page: &AppsPage,
        may_be_shown: impl Fn(&AppName) -> bool,
    ) -> Vec<AppSummary> {
        self.page(page, may_be_shown).map(|app| self.app_summary(&app)).collect()
    }

    fn page(
        &self,
        page: &AppsPage,
        may_be_shown: impl Fn(&AppName) -> bool,
    ) -> impl Iterator<Item = AppName> {
        let names = self.registry.names().into_iter();
        let behind = |app: &AppName| page.after.as_ref().is_none_or(|after| app > after);
        let shown = move |app: &AppName| behind(app) && may_be_shown(app) && self.registry.has_releases(app);
        names.filter(shown).take(page.limit.unwrap_or(usize::MAX))
    }

    fn app_summary(&self, app: &AppName) -> AppSummary {
        let releases = self.registry.releases(app);
        let (live, share) = (self.registry.live(app), self.registry.split(app));
        AppSummary {
            app: app.to_string(),
            url: self.urls.url(&dns_label(app.as_str())),
            live: live.as_ref().map(|handle| handle.id().version.to_string()),
            live_ready: live.map(|handle| handle.pool.is_ready()),
            share: share.map(ShareView::from),
            releases: releases.len(),
            in_flight: releases.iter().map(|handle| handle.pool.in_flight()).sum(),
            load: load::of(&releases),
        }
    }
}
