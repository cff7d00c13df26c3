//! What a bundle is kept as, beside its unpacked files: a list of all of them with the content of the small ones, and each larger
//! one by itself, under its digest. From these it is unpacked again, and each byte is checked against the bundle's own digest.
//!
//! ```text
//! vitrine-bundle 1 LENGTH        of the list, in bytes
//! zstd of: the list              a line a file, sorted by path: digest, bytes, path
//!          the small files       one after the other, in the order of the list
//! ```

use super::receive::{finish, fresh};
use super::tree::{FileFacts, Tree};
use super::unpack::{io_error, make_folder, write_file};
use super::{Bundle, BundleDir, BundleError, Kept, path};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use vitrine_core::id::Digest;
use vitrine_core::limits::{CONTENTS_LIST_BYTES_MAX, KEPT_ALONE_BYTES_MIN};

const MAGIC: &str = "vitrine-bundle 1 ";
/// Most of the saving for little time: somebody waits for a deploy.
const ZSTD_LEVEL: i32 = 3;

/// A file that is kept by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Large {
    /// Digest of its content.
    pub digest: Digest,
    /// Where it lies in the unpacked bundle.
    pub path: PathBuf,
}

/// Writes the list of an unpacked bundle's files, with the small ones' content; gives the larger ones, each content once. Blocking.
///
/// # Errors
/// [`BundleError::Io`].
pub fn write_kept(dir: &BundleDir, bundle: &Bundle, out: &Path) -> Result<Vec<Large>, BundleError> {
    let (mut list, mut small, mut large) = (String::new(), Vec::new(), Vec::new());
    for (name, digest) in &bundle.contents {
        let path = dir.files().join(name);
        let bytes = fs::metadata(&path).map_err(|source| io_error("read", &path, source))?.len();
        // Writing into memory does not fail.
        let _ = writeln!(list, "{digest}  {bytes}  {name}");
        if bytes < KEPT_ALONE_BYTES_MIN {
            small.push(path);
        } else {
            large.push(Large { digest: *digest, path });
        }
    }
    let write_error = |source| io_error("write", out, source);
    let mut file = File::create_new(out).map_err(write_error)?;
    writeln!(file, "{MAGIC}{}", list.len()).map_err(write_error)?;
    let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(write_error)?;
    encoder.include_checksum(true).and_then(|()| encoder.write_all(list.as_bytes())).map_err(write_error)?;
    for path in small {
        let content = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
        encoder.write_all(&content).map_err(write_error)?;
    }
    encoder.finish().map_err(write_error)?;
    large.sort_unstable();
    large.dedup_by_key(|large| large.digest);
    Ok(large)
}

/// Writes the form in which a larger file is kept. Blocking.
///
/// # Errors
/// [`BundleError::Io`].
pub fn write_large(plain: &Path, out: &Path) -> Result<(), BundleError> {
    let mut from = File::open(plain).map_err(|source| io_error("read", plain, source))?;
    let write_error = |source| io_error("write", out, source);
    let mut encoder =
        File::create_new(out).and_then(|file| zstd::Encoder::new(file, ZSTD_LEVEL)).map_err(write_error)?;
    encoder.include_checksum(true).map_err(write_error)?;
    io::copy(&mut from, &mut encoder).and_then(|_| encoder.finish()).map(drop).map_err(write_error)
}

/// Whether what is kept at `kept` is this file. Blocking.
#[must_use]
pub fn is_kept_as(plain: &Path, kept: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let decoded = zstd::Decoder::new(File::open(kept)?)?;
        same_bytes(File::open(plain)?, decoded)
    };
    compare().unwrap_or(false)
}

/// Whether two streams hold the same bytes.
///
/// # Errors
/// That of a stream.
pub fn same_bytes(one: impl Read, other: impl Read) -> io::Result<bool> {
    let (mut one, mut other) =
        (BufReader::with_capacity(64 << 10, one), BufReader::with_capacity(64 << 10, other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let count = left.len().min(right.len());
        if left[..count] != right[..count] || (count == 0 && left.len() != right.len()) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
        one.consume(count);
        other.consume(count);
    }
}

/// Whether a file is one of [`write_kept`], and not an archive as it was received.
///
/// # Errors
/// That of the disk.
pub fn is_kept_list(file: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(file)?.take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    Ok(begin == MAGIC.as_bytes())
}

/// Unpacks a bundle again: from its list, and from the folder with its larger files by digest. Blocking.
///
/// # Errors
/// [`BundleError::Damaged`] names the first file that is not what was taken in; `into` is gone then.
pub fn unpack_kept(
    list: &Path,
    large: &Path,
    into: &Path,
    kept: &Kept,
) -> Result<(BundleDir, Bundle), BundleError> {
    fresh(into, |dir| {
        make_folder(&dir.files())?;
        let tree = unpack_files(list, large, dir)?;
        finish(tree, dir, kept)
    })
}

fn unpack_files(list: &Path, large: &Path, dir: &BundleDir) -> Result<Tree, BundleError> {
    let read_error = |source| io_error("read", list, source);
    let broken = || damaged("the list of its files", "is not what was kept");
    let mut file = BufReader::new(File::open(list).map_err(read_error)?);
    let mut head = String::new();
    (&mut file).take(MAGIC.len() as u64 + 20).read_line(&mut head).map_err(read_error)?;
    let length: u64 =
        head.strip_prefix(MAGIC).and_then(|rest| rest.trim_end().parse().ok()).ok_or_else(broken)?;
    if length > CONTENTS_LIST_BYTES_MAX {
        return Err(broken());
    }
    let mut rest = zstd::Decoder::with_buffer(file).map_err(read_error)?;
    let mut lines = String::new();
    (&mut rest).take(length).read_to_string(&mut lines).map_err(|_| broken())?;
    let mut tree = Tree::default();
    for line in lines.lines() {
        let mut parts = line.splitn(3, "  ");
        let mut part = || parts.next().ok_or_else(broken);
        let digest: Digest = part()?.parse().map_err(|_| broken())?;
        let bytes: u64 = part()?.parse().map_err(|_| broken())?;
        let name = path::normalise(part()?.as_bytes())?.ok_or_else(broken)?;
        for folder in tree.admit(&name, bytes)? {
            make_folder(&dir.files().join(folder))?;
        }
        let to = dir.files().join(&name);
        let written = if bytes < KEPT_ALONE_BYTES_MIN {
            write_file(&mut rest, &to, bytes, &|_| broken())?
        } else {
            let from = large.join(digest.to_string());
            let opened = File::open(&from).and_then(zstd::Decoder::new);
            let mut content = opened.map_err(|source| io_error("read", &from, source))?;
            write_file(&mut content, &to, bytes, &|_| damaged(&name, "can't be read where it is kept"))?
        };
        if written != digest {
            return Err(damaged(&name, "is not what was kept"));
        }
        tree.add(name, FileFacts { digest, bytes });
    }
    Ok(tree)
}

fn damaged(path: &str, reason: &'static str) -> BundleError {
    BundleError::Damaged { path: path.into(), reason }
}
