//! The state at one moment, held below the staging folder until it is written out.

use super::super::bundles::io_error;
use super::super::key_file::store_error;
use super::super::transaction::sqlite_error;
use super::super::{Layout, Store, StoreError};
use super::{DATABASE, KEYS};
use ring::hmac;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::failpoint;
use vitrine_core::id::Digest;
use vitrine_core::limits::BACKUP_TRIES;

/// The state at one moment: a copy of the database, and links to what its bundles are unpacked from. It is gone when this is dropped,
/// or with the next start.
#[derive(Debug)]
pub struct Picture {
    pub(super) folder: PathBuf,
    /// Names of its files.
    pub(super) files: Vec<String>,
    pub(super) missing: Vec<Digest>,
    pub(super) key: String,
    pub(super) code_key: hmac::Key,
    pub(super) with_key: bool,
    pub(super) apps: u64,
    pub(super) releases: u64,
}

impl Drop for Picture {
    fn drop(&mut self) {
        // The next start empties the folder that it lies in.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Store {
    /// Takes a picture of the data folder while it is in use, with the keys of values if they are asked for. The audit log says
    /// before that a backup is begun: parts of it may leave the host whatever comes of the rest.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn picture(&self, with_key: bool) -> Result<Picture, StoreError> {
        self.record_backup(with_key, AuditResult::Begun)?;
        let mut tries = 1;
        loop {
            let (picture, digests) = self.copy_state(with_key)?;
            let picture = link_bundles(picture, &digests, self.layout())?;
            // A release may have been removed since the database was copied: then that copy names it, and the next one does not.
            if picture.missing.is_empty() || tries == BACKUP_TRIES {
                return Ok(picture);
            }
            tries += 1;
        }
    }

    /// Records that the whole of a picture was sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn record_sent(&self, picture: &Picture) -> Result<(), StoreError> {
        self.record_backup(picture.with_key, AuditResult::Done)
    }

    fn record_backup(&self, with_key: bool, came: AuditResult) -> Result<(), StoreError> {
        let detail = Some(if with_key { "with the key" } else { "without the key" }.to_owned());
        self.record_event(&Event::of_host(AuditAction::Backup, detail, came))
    }

    /// The database and the keys, both of one moment.
    fn copy_state(&self, with_key: bool) -> Result<(Picture, Vec<Digest>), StoreError> {
        let layout = self.layout();
        let folder = layout.stage();
        let failed = |source| io_error("make the folder", &folder, source);
        DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let mut picture = Picture {
            folder,
            files: vec![DATABASE.to_owned()],
            missing: Vec::new(),
            key: String::new(),
            code_key: self.0.keyring.load().backup_key(),
            with_key,
            apps: 0,
            releases: 0,
        };
        let copy = picture.folder.join(DATABASE);
        let sqlite = |source| sqlite_error("copy the state", &copy, source);
        {
            let connection = self.connection();
            connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(sqlite)?;
            let ring = self.0.keyring.load();
            picture.key = ring.newest().to_owned();
            picture.code_key = ring.backup_key();
            if with_key {
                // A file that was replaced since the start would be of no use beside these values.
                let used = [picture.key.clone()];
                self.0.key_source.read_all(layout, &used).map_err(store_error)?;
                let (from, to) = (self.0.key_source.path(layout), picture.folder.join(KEYS));
                fs::copy(&from, &to).map_err(|source| io_error("copy", &from, source))?;
                picture.files.push(KEYS.to_owned());
            }
        }
        failpoint::at("backup.copied");
        let digests = look_into(&copy, &mut picture).map_err(sqlite)?;
        Ok((picture, digests))
    }
}

fn look_into(copy: &Path, picture: &mut Picture) -> rusqlite::Result<Vec<Digest>> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // A name with values and no release is no app that could be looked at.
    let count = |what: &str| {
        connection.query_row(&format!("SELECT count({what}) FROM releases"), [], |row| row.get::<_, i64>(0))
    };
    (picture.apps, picture.releases) = (count("DISTINCT app")?.unsigned_abs(), count("*")?.unsigned_abs());
    let mut statement = connection.prepare("SELECT DISTINCT digest FROM releases ORDER BY digest")?;
    statement.query_map([], |row| super::super::parsed(row, 0))?.collect()
}

/// Links, in place of copies: what a bundle is unpacked from never changes, and a link outlives its removal.
fn link_bundles(mut picture: Picture, digests: &[Digest], layout: &Layout) -> Result<Picture, StoreError> {
    for name in ["blobs", "kept"] {
        make_folder(&picture.folder.join(name))?;
    }
    for digest in digests {
        let blob = format!("blobs/{digest}");
        if !link(&layout.root().join(&blob), &picture.folder.join(&blob))? {
            picture.missing.push(*digest);
            continue;
        }
        picture.files.push(blob);
        let large = layout.kept_dir(*digest);
        let entries = match fs::read_dir(&large) {
            // A bundle without larger files.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|source| io_error("list", &large, source))?,
        };
        make_folder(&picture.folder.join(format!("kept/{digest}")))?;
        for entry in entries {
            let entry = entry.map_err(|source| io_error("list", &large, source))?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            let name = format!("kept/{digest}/{file}");
            if link(&entry.path(), &picture.folder.join(&name))? {
                picture.files.push(name);
            }
        }
        // A removal takes the list away first: while that is there, the larger files were, too.
        if !layout.root().join(format!("blobs/{digest}")).exists() {
            picture.missing.push(*digest);
        }
    }
    Ok(picture)
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir(path).map_err(|source| io_error("make the folder", path, source))
}

/// Whether the file was there.
fn link(from: &Path, to: &Path) -> Result<bool, StoreError> {
    let linked = match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        // A file with too many links, or a folder of another file system.
        Err(_) => File::open(from).and_then(|mut from| io::copy(&mut from, &mut File::create(to)?)).map(drop),
        linked => linked,
    };
    linked.map(|()| true).map_err(|source| io_error("link", from, source))
}
