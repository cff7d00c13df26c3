//! A data folder, looked at without opening it: nothing is written and its lock is not needed, so that a host may run on it.

use super::key_file::store_error;
use super::open::{check, io_error, refuse_emptied, refuse_exposed};
use super::transaction::{parsed, sqlite_error};
use super::{KeySource, Layout, Store, StoreError, reseal, schema};
use nix::unistd::{AccessFlags, access};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use url::Url;
use vitrine_core::id::AppName;

impl Store {
    /// Checks what [`Store::open_with`] checks, except for the lock, and gives the apps of the folder. A folder that is missing can be
    /// made, and has none.
    ///
    /// # Errors
    /// As [`Store::open_with`].
    pub fn inspect(data: &Path, key_source: &KeySource) -> Result<BTreeSet<AppName>, StoreError> {
        let layout = Layout::new(data);
        let path = layout.database();
        if !data.is_dir() {
            return refuse_unmakeable(data).and(Ok(BTreeSet::new()));
        }
        refuse_exposed(data)?;
        if !path.exists() {
            key_source.check(&layout).map_err(store_error)?;
            return Ok(BTreeSet::new());
        }
        refuse_emptied(&layout)?;
        // SQLite does not tell a file that this user may not read from a damaged one.
        File::open(&path).map_err(|source| io_error("open", &path, source))?;
        let connection = open(&path).map_err(|source| sqlite_error("open the database", &path, source))?;
        check(&connection, &path)?;
        if !schema::is_present(&connection, &path)? {
            // Its next start brings it to the present form; which keys it uses can be read then.
            key_source.check(&layout).map_err(store_error)?;
        } else {
            let used = reseal::used_keys(&connection, &path)?;
            key_source.read_all(&layout, &used).map_err(store_error)?;
        }
        apps(&connection).map_err(|source| sqlite_error("list the apps", &path, source))
    }
}

/// Opens the database for reading. Without a log no process has it open, and SQLite would leave a log behind.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let is_idle = !path.with_extension("db-wal").exists();
    match Url::from_file_path(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())) {
        Ok(mut url) if is_idle => {
            url.set_query(Some("immutable=1"));
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(url.as_str(), flags)
        }
        _ => Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY),
    }
}

fn apps(connection: &Connection) -> rusqlite::Result<BTreeSet<AppName>> {
    connection.prepare("SELECT name FROM apps")?.query_map([], |row| parsed(row, 0))?.collect()
}

/// Refuses a folder that is missing where this user can't make it.
fn refuse_unmakeable(data: &Path) -> Result<(), StoreError> {
    let failed = |source| io_error("make the folder", data, source);
    let data = std::path::absolute(data).map_err(failed)?;
    let above = data.ancestors().find(|path| path.exists()).unwrap_or(&data);
    if !above.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|errno| failed(errno.into()))
}
