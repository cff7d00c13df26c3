//! Selects the release that answers: a pure function of route table, host name, pin and visitor.

use std::sync::Arc;
use vitrine_proxy::route::speaks::{Reach, Voice};
use vitrine_proxy::route::split::VisitorId;
use vitrine_proxy::route::{AppRoute, HostTarget, RouteTable, Target};
use vitrine_proxy::rules::Chosen;
use vitrine_wire::Outcome;

/// What became of the client's pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin {
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
    pub(crate) const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Met => Some("met"),
            Self::Missed => Some("missed"),
        }
    }
}

/// The release that answers, and what goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The app, with its retained releases.
    pub app: Arc<AppRoute>,
    /// What answers.
    pub target: Arc<Target>,
    /// What it may answer with.
    pub voice: Voice,
    /// A pinned release that only gives its files; `target` answers the rest.
    pub files_only: Option<Arc<Target>>,
    /// What became of the pin.
    pub pin: Pin,
    /// Whether the visitor's bucket decided: another visitor may get another release under the same name.
    pub by_bucket: bool,
    /// Whether a pin could have changed the choice on this host name.
    pub pinnable: bool,
    /// Whether the host name is the release's own.
    pub own_name: bool,
}

impl Selection {
    /// Whether a pin led to another release than clients without one get. Caches that don't heed `vary` would give them its answer.
    #[must_use]
    pub(crate) fn is_by_pin(&self) -> bool {
        let is_live = |live: &Arc<Target>| Arc::ptr_eq(live, &self.target);
        self.pin == Pin::Met && !self.app.live.as_ref().is_some_and(is_live)
    }
}

/// Chooses. A host name of its own and a pin come before the visitor's bucket; where they lead nowhere, it counts.
///
/// # Errors
/// `NoRoute` when nothing answers to the host name, `NoRelease` when its app has no live release.
pub(crate) fn select(
    table: &RouteTable,
    host: &str,
    wanted: Option<&str>,
    visitor: VisitorId,
) -> Result<Selection, Outcome> {
    match table.resolve(host).ok_or(Outcome::NoRoute)? {
        HostTarget::App(app) => of_app(app, wanted, visitor),
        HostTarget::Release(app, target) => Ok(alone(app, target)),
    }
}

/// Chooses among the releases of the app that a routing rule names, or takes the one that it names.
///
/// # Errors
/// `NoRelease` when there is no such app or release.
pub(crate) fn select_named(
    table: &RouteTable,
    chosen: &Chosen,
    wanted: Option<&str>,
    visitor: VisitorId,
) -> Result<Selection, Outcome> {
    let app = Arc::clone(table.apps.get(&chosen.app).ok_or(Outcome::NoRelease)?);
    let Some(version) = &chosen.version else { return of_app(app, wanted, visitor) };
    let target = Arc::clone(app.release(version).ok_or(Outcome::NoRelease)?);
    Ok(Selection { own_name: !target.was_live, ..alone(app, target) })
}

/// One release, whatever the client would rather have.
fn alone(app: Arc<AppRoute>, target: Arc<Target>) -> Selection {
    let (voice, files_only, pin) = (app.voice(&target, Reach::OwnName), None, Pin::None);
    let (by_bucket, pinnable, own_name) = (false, false, true);
    Selection { app, target, voice, files_only, pin, by_bucket, pinnable, own_name }
}

fn of_app(app: Arc<AppRoute>, wanted: Option<&str>, visitor: VisitorId) -> Result<Selection, Outcome> {
    let live = app.live.clone().ok_or(Outcome::NoRelease)?;
    let of_bucket = app.split.as_ref().filter(|split| split.takes(visitor));
    let target = of_bucket.map_or_else(|| Arc::clone(&live), |split| Arc::clone(&split.candidate));
    let by_bucket = app.split.is_some();
    let voice = app.voice(&target, Reach::App);
    let (files_only, pin, pinnable, own_name) = (None, Pin::None, true, false);
    let unpinned = Selection { app, target, voice, files_only, pin, by_bucket, pinnable, own_name };
    let Some(wanted) = wanted else { return Ok(unpinned) };
    let missed = Selection { pin: Pin::Missed, ..unpinned };
    let Some(pinned) = pinned(&missed.app, wanted).map(Arc::clone) else { return Ok(missed) };
    Ok(match missed.app.voice(&pinned, Reach::Pin) {
        Voice::Nothing => missed,
        Voice::HashedFiles | Voice::Files => Selection { files_only: Some(pinned), ..missed },
        Voice::Everything => Selection { target: pinned, pin: Pin::Met, by_bucket: false, ..missed },
    })
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
    use vitrine_proxy::route::split::{Split, Weight};

    fn selected(host: &str, wanted: Option<&str>) -> Result<Selection, Outcome> {
        let mut back = target("shop", "v1", &[]);
        back.rolled_back = true;
        let mut never = target("shop", "v4", &[]);
        never.was_live = false;
        let mut bad = target("shop", "v5", &[]);
        (bad.bad, bad.rolled_back) = (true, true);
        let releases = vec![bad, never, target("shop", "v3", &[]), target("shop", "v2", &[]), back];
        let shop = app("shop", "v3", releases);
        let other = app("other", "v2", vec![target("other", "v2", &[])]);
        select(&table(&[shop, other]), host, wanted, VisitorId(7))
    }

    fn by(host: &str, wanted: Option<&str>) -> Result<(String, Pin, Option<String>), Outcome> {
        let selection = selected(host, wanted)?;
        assert!(!selection.by_bucket);
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
        for (host, voice) in
            [("shop-v1", Voice::Everything), ("shop-v4", Voice::Everything), ("shop-v5", Voice::HashedFiles)]
        {
            assert_eq!(selected(&format!("{host}.localhost"), None).unwrap().voice, voice, "{host}");
        }
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
        for unmet in ["v4", "v5", "v9", "other@v2", "", "shop@", "@v2", "v2 "] {
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
        let selected = select(&table(&[shop]), "shop.localhost", None, VisitorId(7));
        assert_eq!(selected.err(), Some(Outcome::NoRelease));
    }

    #[test]
    fn a_bucket_decides_between_two_and_host_names_and_pins_come_first() {
        // Bucket 39 of `shop@v2`, and bucket 8251: see the vectors beside the buckets.
        let (few, many) = (VisitorId(1), VisitorId(0));
        let split = |percent| {
            let mut shop = app("shop", "v1", vec![target("shop", "v2", &[]), target("shop", "v1", &[])]);
            let candidate = Arc::clone(&shop.releases[0]);
            shop.split = Some(Split { candidate, weight: Weight::new(percent).unwrap() });
            table(&[shop])
        };
        let by = |percent, host: &str, pin, visitor| {
            let selection = select(&split(percent), host, pin, visitor).unwrap();
            (selection.target.release.version.to_string(), selection.pin, selection.by_bucket)
        };
        for (percent, visitor, version) in
            [(1, few, "v2"), (1, many, "v1"), (82, many, "v1"), (83, many, "v2"), (99, few, "v2")]
        {
            assert_eq!(by(percent, "shop.localhost", None, visitor), (version.into(), Pin::None, true));
            let missed = by(percent, "shop.localhost", Some("v9"), visitor);
            assert_eq!(missed, (version.into(), Pin::Missed, true));
            for pin in ["v1", "v2"] {
                let pinned = by(percent, "shop.localhost", Some(pin), visitor);
                assert_eq!(pinned, (pin.into(), Pin::Met, false));
                let own = by(percent, &format!("shop-{pin}.localhost"), None, visitor);
                assert_eq!(own, (pin.into(), Pin::None, false));
            }
        }
    }
}
