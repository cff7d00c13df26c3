//! Which release answers: a pure function of the route table, the host name and the pin.

use super::pin::Wanted;
use crate::route::{AppRoute, HostTarget, RouteTable, Target};
use std::sync::Arc;
use vitrine_wire::Outcome;

/// What became of the client's pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// There was none, or the host name decides by itself.
    None,
    /// The pinned release answers.
    Met,
    /// The live release answers instead.
    Missed,
}

impl Pin {
    /// Its name in logs and headers.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Met => Some("met"),
            Self::Missed => Some("missed"),
        }
    }
}

/// The release that answers, and what goes with it.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The app, with its retained releases.
    pub app: Arc<AppRoute>,
    /// What renders.
    pub target: Arc<Target>,
    /// A pinned release that only gives its files: it was rolled back from, so its code must not run again.
    pub files_only: Option<Arc<Target>>,
    /// What became of the pin.
    pub pin: Pin,
    /// Whether a pin could have changed the choice on this host name.
    pub pinnable: bool,
}

/// Chooses.
///
/// # Errors
/// `NoRoute` when nothing answers to the host name, `NoRelease` when its app has no live release.
pub fn select(table: &RouteTable, host: &str, wanted: &Wanted<'_>) -> Result<Selection, Outcome> {
    let app = match table.resolve(host).ok_or(Outcome::NoRoute)? {
        HostTarget::App(app) => app,
        HostTarget::Release(app, target) => {
            return Ok(Selection { app, target, files_only: None, pin: Pin::None, pinnable: false });
        }
    };
    let live = app.live.clone().ok_or(Outcome::NoRelease)?;
    let live_only = |app, target, pin| Selection { app, target, files_only: None, pin, pinnable: true };
    let Some(wanted) = wanted.release else { return Ok(live_only(app, live, Pin::None)) };
    let Some(pinned) = pinned(&app, wanted) else { return Ok(live_only(app, live, Pin::Missed)) };
    if pinned.release == live.release {
        return Ok(live_only(app, live, Pin::Met));
    }
    if !pinned.was_live {
        return Ok(live_only(app, live, Pin::Missed));
    }
    if pinned.rolled_back {
        let files_only = Some(Arc::clone(pinned));
        return Ok(Selection { files_only, ..live_only(Arc::clone(&app), live, Pin::Missed) });
    }
    let target = Arc::clone(pinned);
    Ok(live_only(app, target, Pin::Met))
}

fn pinned<'a>(app: &'a AppRoute, wanted: &str) -> Option<&'a Arc<Target>> {
    let version = match wanted.split_once('@') {
        None => wanted,
        Some((name, version)) => (name == app.app.as_str()).then_some(version)?,
    };
    app.releases.iter().find(|target| target.release.version.as_str() == version)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{app, table, target};
    use super::*;

    fn by(host: &str, wanted: Option<&str>) -> Result<(String, Pin, Option<String>), Outcome> {
        let mut back = target("shop", "v1", &[]);
        back.rolled_back = true;
        let mut never = target("shop", "v4", &[]);
        never.was_live = false;
        let shop = app("shop", "v3", vec![never, target("shop", "v3", &[]), target("shop", "v2", &[]), back]);
        let other = app("other", "v2", vec![target("other", "v2", &[])]);
        let selection = select(&table(&[shop, other]), host, &Wanted { release: wanted, cookie: None })?;
        let files = selection.files_only.map(|target| target.release.to_string());
        Ok((selection.target.release.to_string(), selection.pin, files))
    }

    fn gives(host: &str, wanted: Option<&str>, release: &str, pin: Pin) {
        assert_eq!(by(host, wanted), Ok((release.into(), pin, None)), "{host} {wanted:?}");
    }

    #[test]
    fn hosts_lead_to_the_live_release_or_to_the_one_that_they_name() {
        gives("shop.localhost", None, "shop@v3", Pin::None);
        gives("shop-v1.localhost", None, "shop@v1", Pin::None);
        gives("shop-v4.localhost", None, "shop@v4", Pin::None);
        gives("shop-v1.localhost", Some("v3"), "shop@v1", Pin::None);
        for unknown in ["x.localhost", "localhost", "shop.example", "v3.shop.localhost", "", "127.0.0.1"] {
            assert_eq!(by(unknown, None), Err(Outcome::NoRoute), "{unknown}");
        }
    }

    #[test]
    fn pins_reach_releases_that_were_live_and_nothing_else() {
        gives("shop.localhost", Some("v2"), "shop@v2", Pin::Met);
        gives("shop.localhost", Some("shop@v2"), "shop@v2", Pin::Met);
        gives("shop.localhost", Some("v3"), "shop@v3", Pin::Met);
        for unmet in ["v4", "v9", "other@v2", "", "shop@", "@v2", "v2 "] {
            gives("shop.localhost", Some(unmet), "shop@v3", Pin::Missed);
        }
    }

    #[test]
    fn a_release_that_was_rolled_back_from_gives_its_files_only() {
        let selected = by("shop.localhost", Some("v1"));
        assert_eq!(selected, Ok(("shop@v3".into(), Pin::Missed, Some("shop@v1".into()))));
    }

    #[test]
    fn an_app_without_a_live_release_is_no_release() {
        let mut shop = app("shop", "v1", vec![target("shop", "v1", &[])]);
        shop.live = None;
        let selected = select(&table(&[shop]), "shop.localhost", &Wanted::default());
        assert_eq!(selected.err(), Some(Outcome::NoRelease));
    }
}
