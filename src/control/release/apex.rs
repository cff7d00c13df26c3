//! The bare domain, which leads to the only app and to none of several.

use super::views::Views;
use vitrine_core::id::AppName;

impl Views {
    /// See [`Releases::apex_lost_to`](super::Releases::apex_lost_to).
    pub(super) fn apex_lost_to(
        &self,
        app: &AppName,
        may_be_shown: impl Fn(&AppName) -> bool,
    ) -> Option<String> {
        let table = self.routes.snapshot();
        let is_new = table.apps.get(app).is_some_and(|route| route.releases.len() == 1);
        if !is_new || table.apps.size() != 2 || !table.hosts.is_empty() {
            return None;
        }
        let other = table.apps.keys().find(|other| *other != app)?;
        let domain = &table.domain;
        if !may_be_shown(other) {
            return Some(format!(
                "`{domain}` and the addresses of this machine led to the only app; with `{app}` beside it they lead nowhere \
                 ({app}.{domain} leads to `{app}`). The operator of this host can give the bare domain to one of them with a table \
                 [[routes]] in vitrine.toml"
            ));
        }
        Some(format!(
            "`{domain}` and the addresses of this machine led to `{other}`, the only app; with `{app}` beside it they lead nowhere \
             ({other}.{domain} and {app}.{domain} do). To keep the bare domain for `{other}`, write a table [[routes]] with host = \
             \"{domain}\" and app = \"{other}\" into vitrine.toml"
        ))
    }
}
