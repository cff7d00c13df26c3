//! The data folder handed to a successor, and taken back if that fails.

use super::open::{connect, io_error, prepare};
use super::transaction::sqlite_error;
use super::{Layout, Store, StoreError, lock};
use rusqlite::Connection;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use vitrine_core::failpoint;

impl Store {
    /// Lets another process open the folder: copies the state, closes the database, frees the lock. Every other call fails until
    /// [`Store::reclaim`]. A folder that is still lent is taken back first: until then the copy is the only one of the state, and
    /// this connection is an empty database.
    ///
    /// # Errors
    /// [`StoreError::Lent`], which changes nothing. The state can't be copied; the folder is still this process's then.
    pub fn release_to_successor(&self) -> Result<(), StoreError> {
        let mut connection = self.connection();
        if is_lent(&connection) {
            let path = self.layout().root().to_owned();
            self.reopen(&mut connection)
                .map_err(|source| StoreError::Lent { path, source: Box::new(source) })?;
        }
        let copy = self.layout().before_upgrade();
        make_empty(&copy).map_err(|source| io_error("copy the state to", &copy, source))?;
        let sqlite = |source| sqlite_error("copy the state", &copy, source);
        let text = copy.to_string_lossy().into_owned();
        connection.execute("VACUUM INTO ?1", [text]).map_err(sqlite)?;
        let nothing = Connection::open_in_memory().map_err(sqlite)?;
        // What can't be closed properly leaves its log, which the next one to open reads.
        drop(std::mem::replace(&mut *connection, nothing));
        self.0.lock.unlock().map_err(|source| io_error("unlock", &self.layout().lock(), source))
    }

    /// Takes the folder back with the state that was lent, whatever the borrower made of it: nothing that it did was
    /// acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while the borrower lives, and what keeps the database from being opened.
    pub fn reclaim(&self) -> Result<(), StoreError> {
        self.reopen(&mut self.connection())
    }

    fn reopen(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let layout = self.layout();
        let (database, copy, taken_back) = (layout.database(), layout.before_upgrade(), layout.taken_back());
        lock::take(&self.0.lock, &layout.lock(), layout.root())?;
        // From here on the next start finishes it, should this process end.
        fs::rename(&copy, &taken_back).map_err(|source| io_error("put back", &copy, source))?;
        failpoint::at("lend.decided");
        finish_reclaim(layout)?;
        let mut opened = connect(&database)?;
        prepare(&mut opened, &database)?;
        *connection = opened;
        Ok(())
    }

    /// Forgets the copy: the successor has taken over.
    pub fn forget_lent(&self) {
        // One that stays is overwritten by the next.
        let _ = fs::remove_file(self.layout().before_upgrade());
    }
}

/// Puts a state that was taken back in the place of what its borrower left; nothing where there is none.
pub(super) fn finish_reclaim(layout: &Layout) -> Result<(), StoreError> {
    let (database, taken_back) = (layout.database(), layout.taken_back());
    if !taken_back.exists() {
        return Ok(());
    }
    // The borrower's log goes first: SQLite would play it into the other database.
    for ending in ["-wal", "-shm"] {
        let path = with_ending(&database, ending);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("remove", &path, source));
            }
            _ => {}
        }
    }
    failpoint::at("lend.cleared");
    fs::rename(&taken_back, &database).map_err(|source| io_error("put back", &database, source))
}

/// Whether what is open is the empty database in memory that stands for the one that was lent.
fn is_lent(connection: &Connection) -> bool {
    connection.path() == Some("")
}

/// It is for this user alone, as the database is.
fn make_empty(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map(drop)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_meta("who", "first").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Locked { .. })));
        store.release_to_successor().unwrap();
        assert!(store.meta("who").is_err(), "a lent store answers nothing");
        let borrower = Store::open(folder.path()).unwrap();
        assert_eq!(borrower.meta("who").unwrap().as_deref(), Some("first"));
        borrower.set_meta("who", "second").unwrap();
        assert!(matches!(store.reclaim(), Err(StoreError::Locked { .. })));
        drop(borrower);
        store.reclaim().unwrap();
        assert_eq!(store.meta("who").unwrap().as_deref(), Some("first"));
        store.set_meta("who", "first again").unwrap();
        assert!(!folder.path().join("before-upgrade.db").exists());
        drop(store);
        let next = Store::open(folder.path()).unwrap();
        assert_eq!(next.meta("who").unwrap().as_deref(), Some("first again"));
    }

    #[test]
    fn what_is_lent_is_taken_back_before_it_is_lent_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_meta("who", "first").unwrap();
        store.release_to_successor().unwrap();
        let borrower = Store::open(folder.path()).unwrap();
        borrower.set_meta("who", "second").unwrap();
        assert!(matches!(store.reclaim(), Err(StoreError::Locked { .. })));
        assert!(matches!(store.release_to_successor(), Err(StoreError::Lent { .. })), "the borrower lives");
        drop(borrower);
        store.release_to_successor().unwrap();
        let borrower = Store::open(folder.path()).unwrap();
        assert_eq!(borrower.meta("who").unwrap().as_deref(), Some("first"));
        drop(borrower);
        store.reclaim().unwrap();
        assert_eq!(store.meta("who").unwrap().as_deref(), Some("first"));
    }

    #[test]
    fn a_start_finishes_what_a_host_that_was_killed_had_begun_to_take_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_meta("who", "first").unwrap();
        store.release_to_successor().unwrap();
        let borrower = Store::open(folder.path()).unwrap();
        borrower.set_meta("who", "second").unwrap();
        let layout = borrower.layout().clone();
        // The borrower's log lies there, as after a kill.
        let log = with_ending(&layout.database(), "-wal");
        let left = std::fs::read(&log).unwrap();
        drop((store, borrower));
        std::fs::write(&log, left).unwrap();
        std::fs::rename(layout.before_upgrade(), layout.taken_back()).unwrap();
        let next = Store::open(folder.path()).unwrap();
        assert_eq!(next.meta("who").unwrap().as_deref(), Some("first"));
        assert!(!layout.taken_back().exists());
    }
}
