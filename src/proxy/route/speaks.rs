//! Which release may answer under which name: one table for pages, pins, files and previews.

use super::{AppRoute, Target};
use vitrine_bundle::{Asset, is_in_hashed_folder, name_may_have_hash};

/// Where a release stands among those of its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Users get it.
    Live,
    /// A share of the users gets it beside the live one.
    Candidate,
    /// It was live.
    Former,
    /// It was live, and was rolled back from.
    RolledBack,
    /// It is marked as bad.
    Bad,
    /// It was deployed and not promoted. Every preview is one of these: a promotion makes it a plain release.
    NeverLive,
}

/// How a request comes to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By the app's host name.
    App,
    /// By the app's host name with a pin, in a header or a cookie.
    Pin,
    /// By the path of a file that the chosen release does not have, on the app's host name.
    Path,
    /// By a host name of its own.
    OwnName,
}

/// What a release may answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Nothing.
    Nothing,
    /// Files that [`is_the_same_for_all`] holds for.
    HashedFiles,
    /// Its files.
    Files,
    /// Its files and its code's answers.
    Everything,
}

impl Voice {
    /// Whether it may answer with this file, under this path.
    #[must_use]
    pub fn gives(self, path: &str, asset: &Asset) -> bool {
        match self {
            Self::Nothing => false,
            Self::HashedFiles => is_the_same_for_all(path, asset),
            Self::Files | Self::Everything => true,
        }
    }
}

/// The table. Code that was never promoted, or that was taken back, has no say under the name that users trust; a token that may only
/// deploy could else do what a promotion does.
#[must_use]
pub const fn voice(standing: Standing, reach: Reach) -> Voice {
    use {Reach as By, Standing as Is};
    match (reach, standing) {
        (By::App, Is::Live | Is::Candidate) => Voice::Everything,
        (By::App, _) => Voice::Nothing,

        (By::Pin, Is::Live | Is::Candidate | Is::Former) => Voice::Everything,
        // Pages that are open still load what belongs to them; its code must not run again.
        (By::Pin, Is::RolledBack) => Voice::Files,
        (By::Pin, Is::Bad | Is::NeverLive) => Voice::Nothing,

        (By::Path, Is::Live | Is::Candidate | Is::Former | Is::RolledBack) => Voice::HashedFiles,
        (By::Path, Is::Bad | Is::NeverLive) => Voice::Nothing,

        // Operators look at a release there whatever became of it, but for one that is known to do harm.
        (By::OwnName, Is::Bad) => Voice::HashedFiles,
        (By::OwnName, _) => Voice::Everything,
    }
}

/// Whether a path means the same bytes in every release that has it: below a folder where an app is not asked, with a hash of the
/// content in the name, and no page, which would be a way to render without a promotion.
#[must_use]
pub fn is_the_same_for_all(path: &str, asset: &Asset) -> bool {
    let is_page =
        ["text/html", "application/xhtml+xml"].iter().any(|page| asset.content_type.starts_with(page));
    asset.immutable && is_in_hashed_folder(path) && name_may_have_hash(path) && !is_page
}

impl AppRoute {
    /// Where one of its releases stands.
    #[must_use]
    pub fn standing(&self, target: &Target) -> Standing {
        let is_this = |other: &Target| other.release.version == target.release.version;
        if self.live.as_deref().is_some_and(is_this) {
            Standing::Live
        } else if self.split.as_ref().is_some_and(|split| is_this(&split.candidate)) {
            Standing::Candidate
        } else if target.bad {
            Standing::Bad
        } else if target.rolled_back {
            Standing::RolledBack
        } else if target.was_live {
            Standing::Former
        } else {
            Standing::NeverLive
        }
    }

    /// What one of its releases may answer with.
    #[must_use]
    pub fn voice(&self, target: &Target, reach: Reach) -> Voice {
        if target.on_trial && reach == Reach::OwnName {
            return Voice::Everything;
        }
        voice(self.standing(target), reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use vitrine_core::id::Digest;

    #[test]
    fn the_table_whole() {
        use {Reach as By, Standing as Is, Voice as May};
        for (standing, app, pin, path, own) in [
            (Is::Live, May::Everything, May::Everything, May::HashedFiles, May::Everything),
            (Is::Candidate, May::Everything, May::Everything, May::HashedFiles, May::Everything),
            (Is::Former, May::Nothing, May::Everything, May::HashedFiles, May::Everything),
            (Is::RolledBack, May::Nothing, May::Files, May::HashedFiles, May::Everything),
            (Is::Bad, May::Nothing, May::Nothing, May::Nothing, May::HashedFiles),
            (Is::NeverLive, May::Nothing, May::Nothing, May::Nothing, May::Everything),
        ] {
            for (reach, expected) in [(By::App, app), (By::Pin, pin), (By::Path, path), (By::OwnName, own)] {
                assert_eq!(voice(standing, reach), expected, "{standing:?} by {reach:?}");
            }
        }
    }

    #[test]
    fn only_hashed_files_that_are_no_pages_speak_for_a_release_that_was_not_asked_for() {
        let asset = |content_type: &str| Asset {
            digest: Digest::of(b"x"),
            bytes: 1,
            content_type: content_type.into(),
            immutable: true,
            encodings: BTreeMap::new(),
        };
        let script = asset("text/javascript; charset=utf-8");
        for (path, same) in [
            ("/assets/app-1a2b3c4d.js", true),
            ("/_app/immutable/chunks/BXm3k2Qz.js", true),
            ("/assets/index-DfGhKxQa.js", true),
            ("/assets/app.js", false),
            ("/static/app-1a2b3c4d.js", false),
            ("/app-1a2b3c4d.js", false),
            ("/sw.js", false),
            ("/.well-known/app-1a2b3c4d.js", false),
        ] {
            assert_eq!(Voice::HashedFiles.gives(path, &script), same, "{path}");
            assert!(Voice::Files.gives(path, &script) && Voice::Everything.gives(path, &script));
            assert!(!Voice::Nothing.gives(path, &script));
        }
        let unlisted = Asset { immutable: false, ..script };
        assert!(!Voice::HashedFiles.gives("/assets/view-HomePage.js", &unlisted));
        for page in ["text/html", "text/html; charset=utf-8", "application/xhtml+xml; charset=utf-8"] {
            assert!(!Voice::HashedFiles.gives("/assets/app-1a2b3c4d.html", &asset(page)), "{page}");
        }
    }
}
