//! Host names that others lose to a new app: the bare domain, which leads to the only app and to none of several, and the labels that
//! begin with its name.

use super::views::Views;
use vitrine_core::id::AppName;

impl Views {
    /// What is lost of the bare domain. See [`Releases::names_lost_to`](super::Releases::names_lost_to).
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

    /// What is lost of labels below the app's name. See [`Releases::names_lost_to`](super::Releases::names_lost_to).
    pub(super) fn labels_lost_to(
        &self,
        app: &AppName,
        may_be_shown: impl Fn(&AppName) -> bool,
    ) -> Option<String> {
        if self.registry.releases(app).len() != 1 {
            return None;
        }
        let lost = self.registry.labels_below(app);
        let (shown, hidden): (Vec<_>, Vec<_>) = lost.iter().partition(|lost| may_be_shown(&lost.of));
        let mut told: Vec<String> =
            shown.iter().map(|lost| format!("{} ({})", lost.label, lost.by)).collect();
        if !hidden.is_empty() {
            told.push(format!("{} of other apps", hidden.len()));
        }
        (!told.is_empty()).then(|| {
            format!(
                "host names that begin with `{app}` are this app's from now on, and these lead nowhere any more: {}. Deploy those \
                 previews under another name, or this app under another one",
                told.join(", ")
            )
        })
    }
}
