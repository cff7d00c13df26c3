//! Which file is made a delta of, against which. Pure.

use super::pattern::dictionary_pattern;
use crate::Bundle;
use std::collections::BTreeMap;
use vitrine_core::id::Digest;
use vitrine_core::limits::{DELTA_DICTIONARIES_MAX, DELTA_INPUT_BYTES_MAX, DELTAS_MAX};

/// A file of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// Its key in the index.
    pub path: &'a str,
    pub digest: Digest,
    pub bytes: u64,
}

/// A file, and one that browsers may have in place of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair<'a> {
    pub file: Member<'a>,
    pub dictionary: Member<'a>,
    /// Whose the dictionary is, among the earlier bundles.
    pub release: usize,
    /// Length of the file's smallest variant.
    pub smallest: u64,
}

/// The pairs that are worth a try, those of the newest release first, as many as the bounds allow. `earlier` is newest first. A file that
/// the release before has too is not among them: browsers have that itself.
pub(super) fn pairs<'a>(of: &'a Bundle, earlier: &[&'a Bundle]) -> Vec<Pair<'a>> {
    let mut known: BTreeMap<String, Vec<(usize, Member<'a>)>> = BTreeMap::new();
    for (release, bundle) in earlier.iter().enumerate() {
        for (pattern, member, _) in members(bundle) {
            let known = known.entry(pattern).or_default();
            if known.iter().all(|(_, other)| other.digest != member.digest) {
                known.push((release, member));
            }
        }
    }
    let before = earlier.first().map(|bundle| &bundle.assets);
    let mut all: Vec<Pair<'a>> = Vec::new();
    for (pattern, file, smallest) in members(of) {
        if before.is_some_and(|before| before.contains_key(file.path)) {
            continue;
        }
        let others =
            known.get(&pattern).into_iter().flatten().filter(|(_, other)| other.digest != file.digest);
        let found = others.take(DELTA_DICTIONARIES_MAX);
        all.extend(found.map(|&(release, dictionary)| Pair { file, dictionary, release, smallest }));
    }
    // A large file saves the most.
    all.sort_by_key(|pair| (pair.release, std::cmp::Reverse(pair.smallest)));
    all.truncate(DELTAS_MAX);
    let mut left = DELTA_INPUT_BYTES_MAX;
    all.retain(|pair| match left.checked_sub(pair.file.bytes + pair.dictionary.bytes) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    all
}

fn members(bundle: &Bundle) -> impl Iterator<Item = (String, Member<'_>, u64)> {
    bundle.assets.iter().filter_map(|(path, asset)| {
        let member = Member { path, digest: asset.digest, bytes: asset.bytes };
        Some((dictionary_pattern(path, asset)?, member, *asset.encodings.values().min()?))
    })
}
