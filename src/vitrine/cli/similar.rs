//! "did you mean": names of apps and releases that are like one that is not there.

use crate::cli::Failure;
use crate::cli::client::Client;
use reqwest::Method;
use vitrine_control::release::{AppSummary, ReleaseView};
use vitrine_core::id::{AppName, Version};

/// From here on two names are alike; the command line's own tips begin a little lower.
const ALIKE: f64 = 0.8;

/// The name that this one was probably meant to be.
pub(super) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rated = names.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 > ALIKE).then_some(best.1)
}

/// Names of the apps that the host shows this token; none where it can't be asked.
pub(super) async fn apps(client: &Client) -> Vec<String> {
    let short = client.request(Method::GET, &["apps"]).query(&[("short", true)]);
    let apps: Vec<AppSummary> = client.json(short).await.unwrap_or_default();
    apps.into_iter().map(|one| one.app).collect()
}

/// The same failure; one about an app or a release that is not there with the name that was probably meant.
pub(super) async fn with_hint(
    client: &Client,
    app: &AppName,
    version: Option<&Version>,
    failure: Failure,
) -> Failure {
    let Failure::Missing(text) = failure else { return failure };
    let apps = apps(client).await;
    let meant = if apps.iter().any(|there| there == app.as_str()) {
        let Some(version) = version else { return Failure::Missing(text) };
        let releases: Vec<ReleaseView> =
            client.get(&["apps", app.as_str(), "releases"]).await.unwrap_or_default();
        let names = releases.iter().flat_map(|one| std::iter::once(&one.version).chain(&one.preview));
        closest(version.as_str(), names.map(String::as_str)).map(|name| format!("{app}@{name}"))
    } else {
        closest(app.as_str(), apps.iter().map(String::as_str)).map(ToOwned::to_owned)
    };
    Failure::Missing(meant.map_or(text.clone(), |name| format!("{text}; did you mean `{name}`?")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_known_again_and_another_one_is_not() {
        let names = || ["shop", "shop-admin", "blog"].into_iter();
        for (name, meant) in [
            ("shpo", Some("shop")),
            ("shop-amdin", Some("shop-admin")),
            ("blg", Some("blog")),
            ("nosuch", None),
        ] {
            assert_eq!(closest(name, names()), meant, "{name}");
        }
    }
}
