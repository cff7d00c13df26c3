//! From a folder to an archive.

use super::tree::{FileFacts, Tree};
use super::unpack::io_error;
use super::verify::hash_file;
use super::{BundleError, path};
use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use vitrine_core::id::Digest;
use vitrine_core::limits::BUNDLE_FILES_MAX;

/// zstd's own default: most of the saving for little time, since the archive travels once.
const ZSTD_LEVEL: i32 = 3;
/// Threads that compress. The archive's bytes depend on there being one or more, not on their number.
const ZSTD_THREADS: u32 = 2;

/// Writes the folder as a .tar.zst: the same bytes for the same files. Blocking.
///
/// # Errors
/// Links, special files and the bounds of a bundle, as when it is received; [`BundleError::Io`].
pub fn pack(dir: &Path, out: impl Write) -> Result<(), BundleError> {
    let found = walk(dir)?;
    let mut tree = Tree::default();
    let write_error = |source| io_error("write the archive of", dir, source);
    let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL).map_err(write_error)?;
    encoder.include_checksum(true).map_err(write_error)?;
    encoder.multithread(ZSTD_THREADS).map_err(write_error)?;
    let mut archive = tar::Builder::new(encoder);
    for (name, file) in found {
        tree.admit(&name, file.bytes)?;
        let content = fs::read(&file.path).map_err(|source| io_error("read", &file.path, source))?;
        let bytes = content.len() as u64;
        // Owner, time and mode are left at what is the same everywhere.
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes);
        archive.append_data(&mut header, &name, content.as_slice()).map_err(write_error)?;
        tree.add(name, FileFacts { digest: Digest([0; 32]), bytes });
    }
    archive.into_inner().and_then(zstd::Encoder::finish).and_then(|mut out| out.flush()).map_err(write_error)
}

/// The digest that the folder has as a bundle. Blocking.
///
/// # Errors
/// As [`pack`].
pub fn digest_dir(dir: &Path) -> Result<Digest, BundleError> {
    let mut tree = Tree::default();
    for (name, file) in walk(dir)? {
        tree.admit(&name, file.bytes)?;
        let digest = hash_file(&file.path)?;
        tree.add(name, FileFacts { digest, bytes: file.bytes });
    }
    Ok(tree.digest())
}

/// A file found below a folder.
pub(super) struct Found {
    pub path: PathBuf,
    pub bytes: u64,
}

/// Every file below the folder by its name there. Refuses what is neither file nor folder.
pub(super) fn walk(dir: &Path) -> Result<BTreeMap<String, Found>, BundleError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|source| io_error("list", &folder, source))? {
            let path = entry.map_err(|source| io_error("list", &folder, source))?.path();
            let facts = fs::symlink_metadata(&path).map_err(|source| io_error("read", &path, source))?;
            if facts.is_dir() {
                folders.push(path);
                continue;
            }
            let name = name_below(dir, &path)?;
            check_kind(facts.file_type(), &name)?;
            found.insert(name, Found { path, bytes: facts.len() });
            if found.len() > BUNDLE_FILES_MAX {
                return Err(BundleError::TooManyFiles { max: BUNDLE_FILES_MAX });
            }
        }
    }
    Ok(found)
}

fn name_below(dir: &Path, path: &Path) -> Result<String, BundleError> {
    let relative = path.strip_prefix(dir).unwrap_or(path);
    let name = path::normalise(relative.as_os_str().as_bytes())?;
    Ok(name.expect("an entry of a folder has a name of its own"))
}

fn check_kind(kind: FileType, name: &str) -> Result<(), BundleError> {
    let path = name.to_owned();
    if kind.is_file() {
        Ok(())
    } else if kind.is_symlink() {
        Err(BundleError::Symlink { path })
    } else if kind.is_fifo() {
        Err(BundleError::Special { path, kind: "a FIFO" })
    } else if kind.is_socket() {
        Err(BundleError::Special { path, kind: "a socket" })
    } else {
        Err(BundleError::Special { path, kind: "a device" })
    }
}
