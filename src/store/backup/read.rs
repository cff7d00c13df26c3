//! An archive checked, or made a data folder again.

use super::super::Layout;
use super::super::open::{connect, prepare};
use super::super::reseal::used_keys;
use super::super::schema::refuse_foreign;
use super::super::transaction::sqlite_error;
use super::write::Hashing;
use super::{BackupError, CODE, DATABASE, FORMAT, MANIFEST, Manifest, Proof, is_known};
use nix::sys::statvfs::statvfs;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use vitrine_core::limits::{BACKUP_CODE_BYTES_MAX, BACKUP_MANIFEST_BYTES_MAX, BACKUP_NAME_BYTES_MAX};

/// What an empty file system has in its root.
const LOST_FOUND: &str = "lost+found";

/// A backup that was restored.
#[derive(Debug)]
pub struct Restored {
    /// What is in the backup.
    pub manifest: Manifest,
    /// Identities of the keys that its values need.
    pub keys: Vec<String>,
}

/// Reads a whole archive and compares every file with its digest. Blocking.
///
/// # Errors
/// See [`BackupError`].
pub fn check(archive: impl Read) -> Result<Manifest, BackupError> {
    walk(archive, &Proof::None, |_, _, content| {
        io::copy(content, &mut io::sink()).map(drop).map_err(BackupError::Broken)
    })
}

/// Makes a data folder of an archive that has this to show. One that is there, and empty, is filled: it may be a mount point. Its
/// database comes last, and without one it is no data folder. Blocking.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(archive: impl Read, data: &Path, proof: &Proof) -> Result<Restored, BackupError> {
    let io_error = |operation, path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { operation, path, source }
    };
    let is_there = match fs::read_dir(data) {
        Ok(mut entries) => {
            match entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOST_FOUND)) {
                true => true,
                false => return Err(BackupError::Exists(data.to_owned())),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(_) => return Err(BackupError::Exists(data.to_owned())),
    };
    let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let around = if is_there { data } else { parent };
    fs::create_dir_all(around).map_err(io_error("make", around))?;
    let scratch = tempfile::Builder::new()
        .prefix(".vitrine-restore-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(around);
    let scratch = scratch.map_err(io_error("make a folder in", around))?;
    for name in ["blobs", "kept"] {
        let path = scratch.path().join(name);
        DirBuilder::new().mode(0o700).create(&path).map_err(io_error("make", &path))?;
    }
    let manifest = walk(archive, proof, |name, bytes, content| {
        need_room(scratch.path(), bytes).map_err(io_error("unpack into", around))?;
        unpack(&scratch.path().join(name), content)
    })?;
    let keys = leave_machine(&Layout::new(scratch.path()))?;
    if is_there {
        move_out(scratch.path(), data).map_err(io_error("fill", data))?;
    } else {
        fs::rename(scratch.path(), data).map_err(io_error("make", data))?;
        // It has moved; there is nothing left to remove.
        let _ = scratch.keep();
    }
    sync(around).map_err(io_error("sync", around))?;
    Ok(Restored { manifest, keys })
}

/// Moves all that was unpacked into the folder around it, the database last.
fn move_out(scratch: &Path, data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(scratch)? {
        let name = entry?.file_name();
        if name != DATABASE {
            fs::rename(scratch.join(&name), data.join(&name))?;
        }
    }
    sync(data)?;
    fs::rename(scratch.join(DATABASE), data.join(DATABASE))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Gives each file to `take`, compares it with the manifest, and gives that once its code is checked.
fn walk(
    archive: impl Read,
    proof: &Proof,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    let broken = BackupError::Broken;
    let mut archive = tar::Archive::new(zstd::Decoder::new(archive).map_err(broken)?);
    let mut found = BTreeMap::new();
    // As they lie in the archive: another version may know of more fields.
    let (mut manifest, mut code) = (None, None);
    let mut long_name = None;
    // Raw, because the library holds a long name in memory whatever its length.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        if manifest.is_none() && entry.header().entry_type().is_gnu_longname() {
            if entry.size() > BACKUP_NAME_BYTES_MAX {
                return Err(BackupError::Strange("a name that is too long".into()));
            }
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(broken)?;
            text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
            long_name = Some(text);
            continue;
        }
        let is_code = name == CODE && manifest.is_some() && code.is_none();
        if (manifest.is_some() && !is_code) || !entry.header().entry_type().is_file() {
            return Err(BackupError::Strange(name));
        }
        if is_code {
            code = Some(whole(entry, BACKUP_CODE_BYTES_MAX)?);
            continue;
        }
        if name == MANIFEST {
            let text = whole(entry, BACKUP_MANIFEST_BYTES_MAX)?;
            manifest = Some((parse(&text)?, text));
            continue;
        }
        if !is_known(&name) || found.contains_key(&name) {
            return Err(BackupError::Strange(name));
        }
        let bytes = entry.size();
        let mut content = Hashing::new(&mut entry);
        take(&name, bytes, &mut content)?;
        found.insert(name, content.digest());
    }
    let cut_off = || broken(io::ErrorKind::UnexpectedEof.into());
    let (manifest, text): (Manifest, _) = manifest.ok_or_else(cut_off)?;
    if manifest.format > 1 && code.is_none() {
        return Err(cut_off());
    }
    proof.check(&manifest.key, &text, code.as_deref())?;
    for (name, digest) in &manifest.files {
        if found.get(name) != Some(digest) {
            return Err(BackupError::Damaged(name.clone()));
        }
    }
    match found.into_keys().find(|name| !manifest.files.contains_key(name)) {
        Some(name) => Err(BackupError::Strange(name)),
        None => Ok(manifest),
    }
}

fn whole(entry: impl Read, bytes_max: u64) -> Result<Vec<u8>, BackupError> {
    let mut text = Vec::new();
    entry.take(bytes_max).read_to_end(&mut text).map_err(BackupError::Broken)?;
    Ok(text)
}

fn parse(text: &[u8]) -> Result<Manifest, BackupError> {
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| BackupError::Broken(error.into()))?;
    let format = value["format"].as_u64().unwrap_or_default();
    if format > u64::from(FORMAT) {
        let vitrine = value["vitrine"].as_str().unwrap_or_default().to_owned();
        return Err(BackupError::Newer { vitrine, format: u32::try_from(format).unwrap_or(u32::MAX) });
    }
    serde_json::from_value(value).map_err(|error| BackupError::Broken(error.into()))
}

/// An archive of some megabytes can hold a file of any size: what does not fit is known before the disk is full.
fn need_room(folder: &Path, bytes: u64) -> io::Result<()> {
    let told = statvfs(folder)?;
    let free = told.blocks_available() * told.fragment_size();
    if bytes < free {
        return Ok(());
    }
    let text =
        format!("the disk is full: {} kB are needed and {} kB are free", bytes.div_ceil(1000), free / 1000);
    Err(io::Error::new(io::ErrorKind::StorageFull, text))
}

fn unpack(path: &PathBuf, content: &mut dyn Read) -> Result<(), BackupError> {
    let written = (|| {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    })();
    let failed = |source| BackupError::Io { operation: "write", path: path.clone(), source };
    let mut file = written.map_err(failed)?;
    let mut piece = vec![0; 64 << 10];
    loop {
        let bytes = content.read(&mut piece).map_err(BackupError::Broken)?;
        if bytes == 0 {
            return file.sync_all().map_err(failed);
        }
        file.write_all(&piece[..bytes]).map_err(failed)?;
    }
}

/// Checks the database, and takes out what is true on the machine that it comes from alone: this host is another one, with workers of
/// its own, even if both run beside each other. Gives the keys that its values need.
fn leave_machine(layout: &Layout) -> Result<Vec<String>, BackupError> {
    let path = layout.database();
    if !path.exists() {
        return Err(BackupError::Damaged(DATABASE.into()));
    }
    let unusable = BackupError::Store;
    let mut connection = connect(&path).map_err(unusable)?;
    refuse_foreign(&connection, &path).map_err(unusable)?;
    prepare(&mut connection, &path).map_err(unusable)?;
    let leave = "DELETE FROM meta WHERE key = 'host_id'; DELETE FROM instances; DELETE FROM idempotency";
    connection
        .execute_batch(leave)
        .map_err(|source| unusable(sqlite_error("adapt the database", &path, source)))?;
    used_keys(&connection, &path).map_err(unusable)
}
