//! From a stream of bytes to files below a folder, refusing whatever is no plain file.

use super::free_space::FreeSpace;
use super::intake::{Allowance, Intake, Metered, Reason};
use super::tree::{FileFacts, Tree};
use super::{BundleDir, BundleError, path};
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use tar::EntryType;
use vitrine_core::id::Digest;
use vitrine_core::limits::{
    ARCHIVE_ENTRIES_MAX, ARCHIVE_HEADER_BYTES_MAX, ARCHIVE_PADDING_BYTES_MAX, BUNDLE_FILES_MAX,
};

const BLOCK_BYTES: usize = 512;

/// Unpacks the archive into `files/` of the folder. With `copy` its bytes are kept as `archive`.
pub(super) fn unpack(
    source: impl Read,
    dir: &BundleDir,
    copy: bool,
    space: &FreeSpace,
) -> Result<Tree, BundleError> {
    let reason = Reason::default();
    let copy_path = dir.archive();
    let copy = copy.then(|| File::create_new(&copy_path)).transpose();
    let copy = copy.map_err(|source| io_error("make", &copy_path, source))?;
    let mut intake = Intake { source, copy, copy_path, bytes: 0, reason: reason.clone() };
    let magic = peek(&mut intake, 4).map_err(|error| reason.explain(error))?;
    let raw = magic.as_slice().chain(intake);
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => unpack_tar(flate2::read::MultiGzDecoder::new(raw), dir, space, &reason),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let decoder = zstd::Decoder::new(raw).map_err(|error| reason.explain(error))?;
            unpack_tar(decoder, dir, space, &reason)
        }
        _ => unpack_tar(raw, dir, space, &reason),
    }
}

fn peek(source: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut found = Vec::with_capacity(bytes);
    source.take(bytes as u64).read_to_end(&mut found)?;
    Ok(found)
}

fn looks_like_tar(block: &[u8]) -> bool {
    if block.len() < BLOCK_BYTES {
        return false;
    }
    let header = tar::Header::from_byte_slice(block);
    // The checksum is a sum over the header with its own field read as eight spaces.
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    block.iter().all(|byte| *byte == 0) || header.cksum().is_ok_and(|stated| stated == sum)
}

fn unpack_tar(
    mut stream: impl Read,
    dir: &BundleDir,
    space: &FreeSpace,
    reason: &Reason,
) -> Result<Tree, BundleError> {
    let first = peek(&mut stream, BLOCK_BYTES).map_err(|error| reason.explain(error))?;
    if !looks_like_tar(&first) {
        return Err(BundleError::NotAnArchive);
    }
    let allowance = Allowance::default();
    let zeros = Rc::new(Cell::new(0));
    let source = first.as_slice().chain(stream);
    let mut archive = tar::Archive::new(Metered {
        source,
        allowance: allowance.clone(),
        zeros: Rc::clone(&zeros),
        space: space.clone(),
        reason: reason.clone(),
    });
    let mut tree = Tree::default();
    allowance.set(ARCHIVE_HEADER_BYTES_MAX);
    let mut entries = archive.entries().map_err(|error| reason.explain(error))?;
    for count in 0.. {
        allowance.set(ARCHIVE_HEADER_BYTES_MAX);
        let Some(entry) = entries.next() else { break };
        if count >= ARCHIVE_ENTRIES_MAX {
            return Err(BundleError::TooManyFiles { max: BUNDLE_FILES_MAX });
        }
        let entry = entry.map_err(|error| reason.explain(error))?;
        take_entry(entry, dir, &mut tree, &allowance, reason)?;
    }
    if zeros.get() < BLOCK_BYTES as u64 {
        return Err(BundleError::BrokenArchive(io::ErrorKind::UnexpectedEof.into()));
    }
    check_padding(archive.into_inner(), &allowance, reason)?;
    Ok(tree)
}

/// Reads to the end, so that a checksum of the compression is checked and the copy of the archive is whole.
fn check_padding<R: Read>(
    mut rest: Metered<R>,
    allowance: &Allowance,
    reason: &Reason,
) -> Result<(), BundleError> {
    allowance.set(ARCHIVE_PADDING_BYTES_MAX);
    let mut buffer = [0; 8192];
    let mut total = 0;
    loop {
        let count = rest.read(&mut buffer).map_err(|error| reason.explain(error))?;
        total += count as u64;
        if count == 0 {
            return Ok(());
        }
        if total >= ARCHIVE_PADDING_BYTES_MAX || buffer[..count].iter().any(|byte| *byte != 0) {
            return Err(BundleError::TrailingData);
        }
    }
}

fn take_entry<R: Read>(
    mut entry: tar::Entry<'_, R>,
    dir: &BundleDir,
    tree: &mut Tree,
    allowance: &Allowance,
    reason: &Reason,
) -> Result<(), BundleError> {
    let kind = entry.header().entry_type();
    if kind == EntryType::XGlobalHeader {
        // A note about the whole archive, as `git archive` leaves one; no part of the tree.
        return Ok(());
    }
    let raw = entry.path_bytes().into_owned();
    let Some(path) = path::normalise(&raw)? else {
        return if kind.is_dir() { Ok(()) } else { Err(bad_name(&raw, "it names no file")) };
    };
    check_kind(kind, &path)?;
    // Old archives mark a folder by the slash at its end alone.
    if kind.is_dir() || (raw.ends_with(b"/") && entry.size() == 0) {
        return tree
            .admit_folder(&path)?
            .iter()
            .try_for_each(|folder| make_folder(&dir.files().join(folder)));
    }
    if raw.ends_with(b"/") {
        return Err(bad_name(&raw, "a file's name ends with `/`"));
    }
    let bytes = entry.size();
    let folders = tree.admit(&path, bytes)?;
    let files = dir.files();
    for folder in folders {
        make_folder(&files.join(folder))?;
    }
    allowance.set(bytes);
    let digest = write_file(&mut entry, &files.join(&path), bytes, &|error| reason.explain(error))?;
    tree.add(path, FileFacts { digest, bytes });
    Ok(())
}

fn check_kind(kind: EntryType, path: &str) -> Result<(), BundleError> {
    let path = path.to_owned();
    let kind = match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => return Ok(()),
        EntryType::Symlink => return Err(BundleError::Symlink { path }),
        EntryType::Link => return Err(BundleError::HardLink { path }),
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a FIFO",
        EntryType::GNUSparse => "a sparse file",
        _ => "of an unknown type",
    };
    Err(BundleError::Special { path, kind })
}

fn bad_name(raw: &[u8], reason: &'static str) -> BundleError {
    BundleError::BadName { path: String::from_utf8_lossy(raw).into_owned(), reason }
}

/// Makes a file of so many bytes of a stream; gives its digest. `explain` says why the stream can't be read.
pub(super) fn write_file(
    source: &mut impl Read,
    path: &Path,
    bytes: u64,
    explain: &dyn Fn(io::Error) -> BundleError,
) -> Result<Digest, BundleError> {
    let mut file = File::create_new(path).map_err(|source| io_error("make", path, source))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut written = 0;
    while written < bytes {
        let room = buffer.len().min(usize::try_from(bytes - written).unwrap_or(usize::MAX));
        let count = source.read(&mut buffer[..room]).map_err(explain)?;
        if count == 0 {
            return Err(explain(io::ErrorKind::UnexpectedEof.into()));
        }
        hash.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(|source| io_error("write", path, source))?;
        written += count as u64;
    }
    // Workers read as a user of their own, whatever the host's umask is.
    file.set_permissions(Permissions::from_mode(0o644)).map_err(|source| io_error("write", path, source))?;
    Ok(Digest(hash.finalize().into()))
}

/// Makes one folder that other users may read.
pub(super) fn make_folder(path: &Path) -> Result<(), BundleError> {
    fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
        .map_err(|source| io_error("make the folder", path, source))
}

/// An error of the host's disk.
pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> BundleError {
    BundleError::Io { operation, path: path.to_owned(), source }
}
