//! Purges as numbers: a purge raises one, and an entry that was begun before it is purged. Nothing is searched for.

use std::collections::HashMap;
use vitrine_core::limits::CACHE_STAMPS_OF_APP_MAX;
use vitrine_wire::Purge;

/// Whether an entry may still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purged {
    /// It was not purged.
    No,
    /// It may be used where no other can be made.
    Softly,
    /// It may not be used.
    Hard,
}

/// When something was purged last.
#[derive(Debug, Clone, Copy, Default)]
struct Stamp {
    soft: u64,
    hard: u64,
}

/// The purges of one app.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    last: u64,
    all: Stamp,
    tags: HashMap<Box<str>, Stamp>,
    prefixes: HashMap<Box<str>, Stamp>,
}

impl Stamp {
    fn raise(&mut self, now: u64, hard: bool) {
        if hard {
            self.hard = now;
        } else {
            self.soft = now;
        }
    }

    /// What it makes of an entry that was begun at this number.
    const fn of(self, begun: u64) -> Purged {
        if self.hard > begun {
            Purged::Hard
        } else if self.soft > begun {
            Purged::Softly
        } else {
            Purged::No
        }
    }
}

impl Stamps {
    /// Purges, as number `now`.
    pub(crate) fn raise(&mut self, purge: &Purge, now: u64) {
        if purge.everything {
            self.all.raise(now, purge.hard);
        }
        for tag in &purge.tags {
            self.tags.entry(tag.as_str().into()).or_default().raise(now, purge.hard);
        }
        for prefix in &purge.path_prefixes {
            self.prefixes.entry(prefix.as_str().into()).or_default().raise(now, purge.hard);
        }
        if self.tags.len() + self.prefixes.len() > CACHE_STAMPS_OF_APP_MAX {
            // Older purges can't be told any more, so everything counts as purged.
            *self = Self { all: Stamp { soft: now, hard: now }, ..Self::default() };
        }
        self.last = now;
    }

    /// The number of the last purge.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// What became of an entry that was begun at this number.
    pub(crate) fn of(&self, begun: u64, tags: &[Box<str>], path: &str) -> Purged {
        let by_tags = tags.iter().filter_map(|tag| self.tags.get(tag));
        let prefixes = (!self.prefixes.is_empty()).then(|| {
            let ends = path.char_indices().filter(|(_, character)| *character == '/').map(|(at, _)| at + 1);
            let itself = format!("{path}/");
            let of_itself = self.prefixes.get(itself.as_str());
            ends.filter_map(|end| self.prefixes.get(&path[..end]))
                .chain(of_itself)
                .copied()
                .collect::<Vec<_>>()
        });
        let stamps = by_tags.copied().chain(prefixes.into_iter().flatten()).chain([self.all]);
        stamps.map(|stamp| stamp.of(begun)).max().unwrap_or(Purged::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(tags: &[&str], prefixes: &[&str], everything: bool, hard: bool) -> Purge {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Purge { tags: texts(tags), path_prefixes: texts(prefixes), everything, hard }
    }

    fn purged(purge: &Purge, tags: &[&str], path: &str) -> Purged {
        let mut stamps = Stamps::default();
        stamps.raise(purge, 5);
        let tags: Vec<Box<str>> = tags.iter().map(|tag| (*tag).into()).collect();
        assert_eq!(stamps.of(5, &tags, path), Purged::No, "begun after it");
        stamps.of(4, &tags, path)
    }

    #[test]
    fn a_purge_is_for_what_was_begun_before_it() {
        let tag = by(&["a"], &[], false, true);
        assert_eq!(purged(&tag, &["b", "a"], "/"), Purged::Hard);
        assert_eq!(purged(&tag, &["b"], "/a"), Purged::No);
        assert_eq!(purged(&by(&["a"], &[], false, false), &["a"], "/"), Purged::Softly);
        assert_eq!(purged(&by(&[], &[], true, false), &[], "/"), Purged::Softly);
    }

    #[test]
    fn a_prefix_is_for_what_is_below_it_and_for_itself() {
        let blog = by(&[], &["/blog/"], false, true);
        for (path, expected) in [
            ("/blog/a", Purged::Hard),
            ("/blog/a/b", Purged::Hard),
            ("/blog/", Purged::Hard),
            ("/blog", Purged::Hard),
            ("/blogs", Purged::No),
            ("/", Purged::No),
            ("/x/blog/a", Purged::No),
        ] {
            assert_eq!(purged(&blog, &[], path), expected, "{path}");
        }
        assert_eq!(purged(&by(&[], &["/"], false, true), &[], "/x"), Purged::Hard);
    }

    #[test]
    fn more_purges_than_can_be_remembered_purge_everything() {
        let mut stamps = Stamps::default();
        for number in 0..=CACHE_STAMPS_OF_APP_MAX as u64 {
            stamps.raise(&by(&[&number.to_string()], &[], false, false), number + 1);
        }
        assert_eq!(stamps.of(CACHE_STAMPS_OF_APP_MAX as u64, &[], "/"), Purged::Hard);
        assert!(stamps.tags.is_empty());
    }
}
