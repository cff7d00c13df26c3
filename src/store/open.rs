//! From a folder on the disk to a [`Store`].

use super::ballast::Ballast;
use super::handover::finish_reclaim;
use super::key_file::store_error;
use super::requests_key::RequestsKey;
use super::transaction::sqlite_error;
use super::{Blobs, Bundles, Inner, KeySource, Layout, Store, StoreError, lock, reseal, schema};
use arc_swap::ArcSwap;
use nix::unistd::geteuid;
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vitrine_core::failpoint;
use vitrine_core::limits::DATABASE_BUSY_MS;
use vitrine_core::scope::Actor;

impl Store {
    /// Opens the data folder, makes it if it is missing, empties its staging folder, and holds its lock until the last
    /// clone is dropped.
    ///
    /// # Errors
    /// [`StoreError::Exposed`] when others may write it, [`StoreError::Locked`] when another host runs on it,
    /// [`StoreError::Newer`] when a later version wrote it, [`StoreError::Corrupt`] when it is damaged, [`StoreError::Key`] when
    /// values are encrypted under a key that is not there.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_with(data, KeySource::default())
    }

    /// As [`Store::open`], with the keys of values from elsewhere.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(data: &Path, key_source: KeySource) -> Result<Self, StoreError> {
        make_private(data).map_err(|source| io_error("make the folder", data, source))?;
        refuse_exposed(data)?;
        // Engines are given these paths, and an engine's working directory is another one.
        let data = data.canonicalize().map_err(|source| io_error("find", data, source))?;
        let layout = Layout::new(&data);
        let lock = lock::acquire(&layout.lock(), &data)?;
        finish_reclaim(&layout)?;
        empty(&layout.staging())?;
        for folder in [layout.blobs(), layout.kept(), layout.bundles(), layout.files(), layout.run()] {
            make_private(&folder).map_err(|source| io_error("make the folder", &folder, source))?;
            // The operator may open the data folder to other users; the files of apps stay closed to them.
            fs::set_permissions(&folder, Permissions::from_mode(0o700))
                .map_err(|source| io_error("close the folder", &folder, source))?;
        }
        refuse_emptied(&layout)?;
        let reserve = Ballast::open(layout.reserve());
        let mut connection = connect(&layout.database()).or_else(|error| {
            // Opening makes the log's files: on a full disk they need the reserve.
            if !matches!(
                error,
                StoreError::DiskFull { .. }
                    | StoreError::Disk { .. }
                    | StoreError::Sqlite { .. }
                    | StoreError::Io { .. }
            ) {
                return Err(error);
            }
            reserve.free();
            connect(&layout.database())
        })?;
        prepare(&mut connection, &layout.database())?;
        let used = reseal::used_keys(&connection, &layout.database())?;
        let keyring = key_source.load(&layout, &used).map_err(store_error)?;
        reseal::reseal(&mut connection, &keyring, &layout.database())?;
        let requests_key = RequestsKey::load(&connection, &keyring, &layout.database())?;
        let keyring = ArcSwap::from_pointee(keyring);
        let bundles = Bundles::new(layout.clone(), Blobs::open(&layout)?);
        let connection = Mutex::new(connection);
        let store = Self(
            Arc::new(Inner { layout, bundles, connection, keyring, requests_key, key_source, reserve, lock }),
            Actor::Host,
            None,
        );
        store.forget_unanswered()?;
        Ok(store)
    }
}

/// Refuses a database that was cut to nothing: it looks like one that was never written, and the start would remove all bundles. To
/// start empty, an operator moves the folder away.
pub(super) fn refuse_emptied(layout: &Layout) -> Result<(), StoreError> {
    let path = layout.database();
    if !fs::metadata(&path).is_ok_and(|found| found.len() == 0) {
        return Ok(());
    }
    let folder = layout.blobs();
    let mut archives = fs::read_dir(&folder).map_err(|source| io_error("list", &folder, source))?;
    let has_archives = archives.next().is_some();
    let detail = "it is empty, and there are bundles".to_owned();
    if has_archives { Err(StoreError::Corrupt { path, detail }) } else { Ok(()) }
}

/// Makes a folder that is closed to other users, for bundles, logs and sockets of every app. One that is there keeps its mode.
fn make_private(data: &Path) -> io::Result<()> {
    if let Some(parent) = data.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(data) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && data.is_dir() => Ok(()),
        made => made,
    }
}

/// Refuses a folder that other users own or may write: the token, the state and the bundles are read from it.
pub(super) fn refuse_exposed(data: &Path) -> Result<(), StoreError> {
    let found = fs::metadata(data).map_err(|source| io_error("look at the folder", data, source))?;
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    let advice = if owner != geteuid().as_raw() && owner != 0 {
        format!("belongs to user {owner}; `chown` it to the user that the host runs as")
    } else if mode & 0o022 != 0 {
        format!("can be written by other users (mode {mode:03o}); run `chmod 700 {}`", data.display())
    } else {
        return Ok(());
    };
    Err(StoreError::Exposed { path: data.to_owned(), advice })
}

pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { operation, path: path.to_owned(), source }
}

fn empty(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("empty the folder", folder, source));
        }
        _ => {}
    }
    make_private(folder).map_err(|source| io_error("make the folder", folder, source))
}

pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // SQLite gives its log the mode of the database, so the file is made here with the mode it shall have.
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| io_error("open", path, source))?;
    let settings = |connection: &Connection| {
        connection.busy_timeout(Duration::from_millis(DATABASE_BUSY_MS))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)
    };
    let connection =
        Connection::open(path).map_err(|source| sqlite_error("open the database", path, source))?;
    settings(&connection).map_err(|source| sqlite_error("open the database", path, source))?;
    Ok(connection)
}

pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if failpoint::at("store.check").is_none() {
        check(connection, path)?;
    }
    schema::migrate(connection, path)
}

pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| sqlite_error("check the database", path, source);
    let damaged = |detail| Err(StoreError::Corrupt { path: path.to_owned(), detail });
    let form: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if form != "ok" {
        return damaged(form);
    }
    // A damaged name is a good text to the check above; it shows in what names it.
    let stray = "SELECT \"table\", parent FROM pragma_foreign_key_check";
    let stray: Option<(String, String)> =
        connection.query_row(stray, [], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(failed)?;
    match stray {
        Some((table, parent)) => {
            damaged(format!("a row of `{table}` names one of `{parent}` that does not exist"))
        }
        None => Ok(()),
    }
}
