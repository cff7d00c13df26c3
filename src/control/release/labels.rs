//! Host name labels: to which app each belongs, and what an upload takes of them.
//!
//! A label belongs to the app with the longest name that is the label or begins it up to a `-`. Labels of two apps can't be the
//! same then, whatever versions and previews are called: tokens for deploys choose those, and operators
//! the names of apps. Within an app each label is one release's or one preview's.

use vitrine_core::id::{AppName, Digest, ReleaseId, Version, release_label};

/// What an upload takes while it is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The release.
    pub release: ReleaseId,
    /// The preview that it is to be.
    pub preview: Option<Version>,
    /// What it is counted as.
    pub counts: Counts,
}

/// What an upload counts as among those of its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// A preview, or a release that may never be live, of a bundle with so many bytes.
    As(Digest, u64),
    /// The next live release: it takes the place of one.
    Nothing,
}

impl Claim {
    /// Its labels, each with what has it.
    pub(super) fn labels(&self) -> impl Iterator<Item = (String, String)> {
        labels(&self.release, self.preview.as_ref())
    }

    /// The label that this one, asked for later, has in common with another one, and what has it there. Of two apps one of which
    /// begins the other's name, the one with the longer name has all labels below it; what is to be live takes none of another app.
    pub(super) fn meets(&self, earlier: &Self) -> Option<(String, String)> {
        let (app, other) = (&self.release.app, &earlier.release.app);
        if app == other {
            return common(self.labels(), || earlier.labels());
        }
        if self.counts == Counts::Nothing || earlier.counts == Counts::Nothing {
            return None;
        }
        let below = |label: &String, app: &AppName| belongs(label, app.as_str());
        let mut met = match app.as_str().len() < other.as_str().len() {
            true => self.labels().filter(|(label, _)| below(label, other)).collect::<Vec<_>>(),
            false => earlier.labels().filter(|(label, _)| below(label, app)).collect(),
        };
        met.pop().map(|(label, _)| (label, format!("{}, which is being deployed", earlier.release)))
    }
}

/// Labels of a release and of the preview that it is, each with what has it.
pub(super) fn labels(
    release: &ReleaseId,
    preview: Option<&Version>,
) -> impl Iterator<Item = (String, String)> {
    let ReleaseId { app, version } = release;
    let of_preview = preview.map(|name| (release_label(app, name), format!("preview {name} of {app}")));
    std::iter::once((release_label(app, version), format!("release {release}"))).chain(of_preview)
}

/// The first label that both have, but not as the same thing: a preview's label moves on to its next release.
pub(super) fn common<H: Iterator<Item = (String, String)>>(
    mut wanted: impl Iterator<Item = (String, String)>,
    had: impl Fn() -> H,
) -> Option<(String, String)> {
    wanted.find_map(|(label, by)| had().find(|(other, holder)| *other == label && *holder != by))
}

/// The app that a label belongs to, of those that hold their names.
pub(super) fn owner(label: &str, holds: impl Fn(&str) -> bool) -> Option<&str> {
    let begins = label.rmatch_indices('-').map(|(at, _)| &label[..at]);
    std::iter::once(label).chain(begins).find(|name| holds(name))
}

/// Whether a label is this app's name, or below it.
fn belongs(label: &str, app: &str) -> bool {
    label.strip_prefix(app).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(release: &str, preview: Option<&str>) -> Claim {
        let preview = preview.map(|name| name.parse().unwrap());
        Claim { release: release.parse().unwrap(), preview, counts: Counts::As(Digest::of(b"bundle"), 1) }
    }

    #[test]
    fn a_label_belongs_to_the_longest_name_that_begins_it() {
        let names = ["race", "race-eu", "shop"];
        let owner = |label| owner(label, |name| names.contains(&name));
        assert_eq!(owner("race"), Some("race"));
        assert_eq!(owner("race-v1"), Some("race"));
        assert_eq!(owner("race-eu"), Some("race-eu"));
        assert_eq!(owner("race-eu-pr-9"), Some("race-eu"));
        assert_eq!(owner("race-europe"), Some("race"));
        assert_eq!(owner("racer-v1"), None);
    }

    #[test]
    fn of_two_uploads_at_once_the_later_one_meets_the_earlier_one() {
        let meet = |one: &Claim, other: &Claim| one.meets(other).is_some();
        let (short, long) = (claim("race@eu-pr-9", None), claim("race-eu@other", Some("pr-9")));
        assert!(meet(&short, &long) && meet(&long, &short));
        assert!(meet(&claim("shop@checkout", None), &claim("shop-checkout@v1", None)));
        assert!(!meet(&claim("race@europe", None), &claim("race-eu@v1", None)));
        assert!(!meet(&claim("race@v1", None), &claim("shop@v1", None)));
        // Within an app: one label, two things.
        assert!(meet(&claim("shop@V1", None), &claim("shop@v1", None)));
        assert!(meet(&claim("shop@pr-1", None), &claim("shop@x", Some("pr-1"))));
        assert!(!meet(&claim("shop@x", Some("pr-1")), &claim("shop@y", Some("pr-1"))));
    }

    /// Labels above 63 bytes are cut: what they begin with is kept, and with it the app that they belong to.
    #[test]
    fn a_label_that_is_cut_stays_its_apps() {
        let app = "a".repeat(39);
        let (label, _) = claim(&format!("{app}@{}", "v".repeat(64)), None).labels().next().unwrap();
        assert_eq!((label.len(), owner(&label, |name| name == app)), (63, Some(app.as_str())));
    }
}
