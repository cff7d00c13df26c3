//! What a team ships: files, a manifest, a digest.
//!
//! An archive comes in through [`receive`], which refuses everything that is not a plain tree of files, and leaves a
//! [`BundleDir`] behind with a [`Bundle`] that describes it. From then on the bundle is named by its digest.

#![warn(unreachable_pub)]

mod asset;
mod delta;
mod error;
mod free_space;
mod header_rules;
mod intake;
mod kept_list;
mod manifest;
mod pack;
mod path;
mod receive;
mod scale;
mod signature;
mod template;
mod tree;
mod unpack;
mod verify;

pub use asset::{Asset, AssetIndex, Encoding, Kept, content_type, is_in_hashed_folder, name_may_have_hash};
pub use delta::{Delta, Deltas, Installed, dictionary_pattern};
pub use error::BundleError;
pub use free_space::Room;
pub use header_rules::{HEADERS_FILE, HOST_ORDERS, HeaderRules};
pub use kept_list::{Large, is_kept_as, is_kept_list, same_bytes, unpack_kept, write_kept, write_large};
pub use manifest::{CacheMode, CacheRoute, CacheWish, Health, Manifest, SnapshotWish};
pub use pack::{digest_dir, pack};
pub use receive::{Inspected, inspect, receive, receive_dir, receive_upload};
pub use scale::Scale;
pub use signature::{SignatureError, Signers};
pub use template::{is_page, placeholder};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitrine_core::id::Digest;

/// A checked bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Identity: digest over sorted (path, digest of content).
    pub digest: Digest,
    /// See [`Manifest`].
    pub manifest: Manifest,
    /// See [`AssetIndex`].
    pub assets: AssetIndex,
    /// See [`HeaderRules`].
    #[serde(default, skip_serializing_if = "HeaderRules::is_empty")]
    pub headers: HeaderRules,
    /// Files in it.
    pub files: u32,
    /// Unpacked size, in bytes.
    pub bytes: u64,
    /// Every file as shipped: its path and the digest of its content.
    pub contents: BTreeMap<String, Digest>,
    /// Every precompressed variant: its name below `encoded/` and the digest of its bytes.
    pub variants: BTreeMap<String, Digest>,
}

/// Where an unpacked bundle lies: `files/` as shipped, `encoded/` the precompressed variants, `bundle.json` the
/// [`Bundle`], and on its way `archive`: at a deploy the bytes to send, in the host the list that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleDir(pub PathBuf);

impl BundleDir {
    /// Folder of the files as shipped.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// Folder of the precompressed variants.
    #[must_use]
    pub fn encoded(&self) -> PathBuf {
        self.0.join("encoded")
    }

    /// Folder of its deltas; see [`Deltas`].
    #[must_use]
    pub fn deltas(&self) -> PathBuf {
        self.0.join("deltas")
    }

    /// The [`Bundle`] as JSON.
    #[must_use]
    pub fn description(&self) -> PathBuf {
        self.0.join("bundle.json")
    }

    /// What is known about the app's snapshot.
    #[must_use]
    pub fn snapshot_record(&self) -> PathBuf {
        self.0.join("snapshot.json")
    }

    /// Folder of the app's snapshots.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// The app's snapshot while no worker maps it.
    #[must_use]
    pub fn packed_snapshot(&self) -> PathBuf {
        self.0.join("snapshot.zst")
    }

    /// File of a snapshot with this SHA-256.
    #[must_use]
    pub fn snapshot(&self, sha256: Digest) -> PathBuf {
        self.snapshots().join(sha256.to_string())
    }

    /// The archive to send, or the list to keep. An installed bundle has none: it is among the blobs.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.0.join("archive")
    }

    /// File of an asset: `url_path` is a key of [`Bundle::assets`].
    #[must_use]
    pub fn asset(&self, manifest: &Manifest, url_path: &str) -> PathBuf {
        self.files().join(&manifest.assets).join(url_path.trim_start_matches('/'))
    }

    /// File of a precompressed variant of the asset with this digest.
    #[must_use]
    pub fn variant(&self, digest: Digest, encoding: Encoding) -> PathBuf {
        self.encoded().join(asset::variant_name(digest, encoding))
    }
}

#[cfg(test)]
mod tests;
