//! Variants of a file that was compressed before, by the digest of its plain bytes.

use super::encoders::ENCODERS;
use super::{Encoding, variant_name};
use crate::verify::hash_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use vitrine_core::id::Digest;

/// Variants of one file by coding, each with its length and digest.
pub(super) type Variants = BTreeMap<Encoding, (u64, Digest)>;

/// What was made of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// Version of the encoders.
    encoders: u32,
    /// Those that are smaller than the file.
    pub variants: Variants,
}

impl Made {
    pub(super) const fn new(variants: Variants) -> Self {
        Self { encoders: ENCODERS, variants }
    }

    /// Name of the record of a file's variants, beside them.
    pub(super) fn record_name(digest: Digest) -> String {
        format!("{digest}.json")
    }

    /// The record.
    pub(super) fn record(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("codings, numbers and digests are JSON")
    }

    /// Every file of it by name, with its digest.
    pub(super) fn files(&self, digest: Digest) -> impl Iterator<Item = (String, Digest)> {
        let variants =
            self.variants.iter().map(move |(encoding, (_, made))| (variant_name(digest, *encoding), *made));
        variants.chain([(Self::record_name(digest), Digest::of(&self.record()))])
    }
}

/// The folder in which one of each content is kept, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Kept(Option<PathBuf>);

impl Kept {
    /// What is kept in this folder.
    #[must_use]
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self(Some(folder))
    }

    /// Links the variants that are kept of a file into a bundle's folder; `None` when they are not all there and whole.
    pub(super) fn take(&self, digest: Digest, into: &Path) -> Option<Made> {
        let folder = self.0.as_ref()?;
        let made: Made =
            serde_json::from_slice(&fs::read(folder.join(Made::record_name(digest))).ok()?).ok()?;
        let is_whole = |(name, expected): (String, Digest)| {
            hash_file(&folder.join(name)).is_ok_and(|found| found == expected)
        };
        if made.encoders != ENCODERS || !made.files(digest).all(is_whole) {
            return None;
        }
        let link = |name: &str| fs::hard_link(folder.join(name), into.join(name));
        let linked: io::Result<()> = made.files(digest).try_for_each(|(name, _)| link(&name));
        if linked.is_err() {
            // What was removed meanwhile, or can't be linked, is made anew; nothing may lie in its way.
            made.files(digest).for_each(|(name, _)| drop(fs::remove_file(into.join(name))));
            return None;
        }
        Some(made)
    }
}
