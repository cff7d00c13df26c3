//! The client's files as the edge serves them.

mod encode;
mod encoders;
mod immutable;
mod index;
mod pool;
mod variants;

pub(super) use immutable::hashed_name;
pub use immutable::{is_in_hashed_folder, name_may_have_hash};
pub use index::content_type;
pub(super) use index::{client_files, index, is_public, mark_immutable};
pub use variants::Kept;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vitrine_core::id::Digest;

/// A content coding that a file is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli.
    Br,
    /// Zstandard.
    Zstd,
    /// Gzip.
    Gzip,
}

/// One file of the client's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Digest of the plain bytes: the ETag.
    pub digest: Digest,
    /// Plain length, in bytes.
    pub bytes: u64,
    /// Media type.
    pub content_type: String,
    /// Whether it may be cached for ever (the contract's rule).
    pub immutable: bool,
    /// Precompressed variants and their lengths; only those that are smaller.
    pub encodings: BTreeMap<Encoding, u64>,
}

/// The client's files by URL path (`/assets/app-1a2b3c4d.js`).
pub type AssetIndex = BTreeMap<String, Asset>;

/// Name of a precompressed variant below `encoded/`.
pub(super) fn variant_name(digest: Digest, encoding: Encoding) -> String {
    let extension = match encoding {
        Encoding::Br => "br",
        Encoding::Zstd => "zst",
        Encoding::Gzip => "gz",
    };
    format!("{digest}.{extension}")
}
