//! How long, and for whom, caches may keep a client file. Pure.

use super::select::Selection;
use http::HeaderValue;
use std::sync::Arc;
use vitrine_bundle::{Asset, name_may_have_hash};
use vitrine_proxy::route::Target;
use vitrine_proxy::route::speaks::{Reach, Voice, is_the_same_for_all};

/// How long caches may keep a file, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// For ever, for everybody: no pin leads to other bytes under this path.
    ForAll,
    /// For ever, for clients that ask with the same pin.
    ForItsPin,
    /// Not without asking again.
    Revalidated,
}

/// How long a file that the selected app answers with may be kept. A bundle says what is immutable for its own release, and that holds
/// for a name with a hash in it; where two releases that clients can reach have other bytes under one path, the name does not tell
/// the content.
#[must_use]
pub(crate) fn caching(selection: &Selection, path: &str, asset: &Asset) -> Caching {
    if !asset.immutable || !name_may_have_hash(path) {
        return Caching::Revalidated;
    }
    let app = &selection.app;
    let differs = |other: &Arc<Target>| {
        let known = other.bundle.assets.get(path);
        known.is_some_and(|known| known.digest != asset.digest)
            && app.voice(other, Reach::Pin) != Voice::Nothing
    };
    match selection.pinnable {
        false => Caching::ForAll,
        true if app.releases.iter().any(differs) => Caching::Revalidated,
        true if is_the_same_for_all(path, asset) => Caching::ForAll,
        true => Caching::ForItsPin,
    }
}

/// `cache-control` of a file.
#[must_use]
pub(crate) const fn cache_control(caching: Caching) -> HeaderValue {
    HeaderValue::from_static(match caching {
        Caching::ForAll | Caching::ForItsPin => "public, max-age=31536000, immutable",
        Caching::Revalidated => "public, max-age=0, must-revalidate",
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{app, table, target};
    use super::super::select::select;
    use super::*;
    use vitrine_proxy::route::split::VisitorId;

    #[test]
    fn only_what_no_pin_changes_is_kept_by_all_for_ever() {
        let files = |differing: &str| {
            [
                ("/assets/a-1a2b3c4d.js", "same".to_owned(), true),
                ("/assets/b-1a2b3c4d.js", differing.to_owned(), true),
                ("/listed.js", "same".to_owned(), true),
                ("/far/c-1a2b3c4d.js", "same".to_owned(), true),
                ("/plain.js", "same".to_owned(), false),
            ]
        };
        let release = |version: &str| {
            let files = files(version);
            let files: Vec<_> =
                files.iter().map(|(path, text, listed)| (*path, text.as_str(), *listed)).collect();
            target("shop", version, &files)
        };
        let of = |others: Vec<Target>, host: &str, path: &str| {
            let releases = std::iter::once(release("v2")).chain(others).collect();
            let selection = select(&table(&[app("shop", "v2", releases)]), host, None, VisitorId(7)).unwrap();
            caching(&selection, path, &selection.target.bundle.assets[path])
        };
        for host in ["shop.localhost", "shop-v1.localhost"] {
            for (path, expected) in [
                ("/assets/a-1a2b3c4d.js", Caching::ForAll),
                (
                    "/assets/b-1a2b3c4d.js",
                    if host == "shop.localhost" { Caching::Revalidated } else { Caching::ForAll },
                ),
                ("/listed.js", Caching::Revalidated),
                (
                    "/far/c-1a2b3c4d.js",
                    if host == "shop.localhost" { Caching::ForItsPin } else { Caching::ForAll },
                ),
                ("/plain.js", Caching::Revalidated),
            ] {
                assert_eq!(of(vec![release("v1")], host, path), expected, "{host}{path}");
            }
        }
        // One that no pin reaches does not count.
        let mut never = release("v1");
        never.was_live = false;
        assert_eq!(of(vec![never], "shop.localhost", "/assets/b-1a2b3c4d.js"), Caching::ForAll);
    }
}
