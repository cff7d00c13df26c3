//! Contents of client files: small ones from memory, large ones from disk.

use super::static_files::Variant;
use bytes::Bytes;
use moka::sync::Cache;
use std::io::{Error, Result, SeekFrom};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use tokio::io::AsyncSeekExt as _;
use vitrine_bundle::{Asset, BundleDir, Delta, Encoding};
use vitrine_core::id::Digest;
use vitrine_core::limits::{ASSET_CACHE_BYTES_MAX, ASSET_CACHED_BYTES_MAX};
use vitrine_proxy::route::Target;

/// Files by content, whatever release they belong to.
#[derive(Debug, Clone)]
pub(crate) struct AssetCache {
    memory: Cache<(Digest, Option<Encoding>), Bytes>,
}

/// The requested content.
#[derive(Debug)]
pub(crate) enum Content {
    /// From memory; whether it was there already.
    Memory(Bytes, bool),
    /// From where this file stands.
    Disk(tokio::fs::File),
}

impl AssetCache {
    /// An empty store.
    #[must_use]
    pub(crate) fn new() -> Self {
        let weigh =
            |_: &(Digest, Option<Encoding>), data: &Bytes| u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { memory: Cache::builder().max_capacity(ASSET_CACHE_BYTES_MAX).weigher(weigh).build() }
    }

    /// Opens a file of a release, or a part of it.
    ///
    /// # Errors
    /// The file is not there (its release was removed), is not what the index says, or the disk fails.
    pub(crate) async fn open(
        &self,
        target: &Target,
        path: &str,
        asset: &Asset,
        variant: &Variant,
        part: Option<RangeInclusive<u64>>,
    ) -> Result<Content> {
        let place = || location(target, path, asset, variant.encoding);
        if variant.bytes > ASSET_CACHED_BYTES_MAX {
            let mut file = tokio::fs::File::open(place()).await?;
            if let Some(part) = part {
                file.seek(SeekFrom::Start(*part.start())).await?;
            }
            return Ok(Content::Disk(file));
        }
        let key = (asset.digest, variant.encoding);
        let (data, hit) = match self.memory.get(&key) {
            Some(data) => (data, true),
            None => {
                let data = Bytes::from(tokio::fs::read(place()).await?);
                if data.len() as u64 != variant.bytes {
                    return Err(Error::other("the file is not as long as its index says"));
                }
                self.memory.insert(key, data.clone());
                (data, false)
            }
        };
        let data = match part {
            None => data,
            Some(part) => data.slice(*part.start() as usize..=*part.end() as usize),
        };
        Ok(Content::Memory(data, hit))
    }

    /// A delta of one of a release's files.
    ///
    /// # Errors
    /// It is not there, is not what was made, or the disk fails.
    pub(crate) async fn delta(&self, target: &Target, delta: &Delta) -> Result<Bytes> {
        let key = (delta.digest, None);
        if let Some(data) = self.memory.get(&key) {
            return Ok(data);
        }
        let folder = BundleDir(target.dir.clone()).deltas();
        let data = Bytes::from(tokio::fs::read(delta.path(&folder)).await?);
        if Digest::of(&data) != delta.digest {
            return Err(Error::other("the delta is not what was made"));
        }
        self.memory.insert(key, data.clone());
        Ok(data)
    }
}

impl Default for AssetCache {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the bytes lie: as shipped below `files/`, precompressed below `encoded/` by digest.
fn location(target: &Target, path: &str, asset: &Asset, encoding: Option<Encoding>) -> PathBuf {
    let extension = match encoding {
        None => {
            // The path is a key of the release's own index, which was checked when the bundle was received.
            let folder = target.dir.join("files").join(&target.bundle.manifest.assets);
            return folder.join(path.trim_start_matches('/'));
        }
        Some(Encoding::Br) => "br",
        Some(Encoding::Zstd) => "zst",
        Some(Encoding::Gzip) => "gz",
    };
    target.dir.join("encoded").join(format!("{}.{extension}", asset.digest))
}
