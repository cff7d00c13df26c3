//! One read or one durable change.

use super::keyring::SealError;
use super::{Inner, Store, StoreError};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, Transaction, TransactionBehavior};
use std::path::Path;
use std::str::FromStr;
use std::sync::{MutexGuard, PoisonError};
use vitrine_core::failpoint;

/// Why a transaction is given up: the database failed, or the change is refused.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Refused(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(source)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    fn is_full_disk(&self) -> bool {
        matches!(self, Self::Sqlite(source) if is_full_disk(source))
    }

    /// What it means to the caller.
    pub(super) fn of(self, operation: &'static str, database: &Path) -> StoreError {
        match self {
            Self::Sqlite(source) => sqlite_error(operation, database, source),
            Self::Refused(error) => error,
        }
    }
}

fn is_full_disk(source: &rusqlite::Error) -> bool {
    // A full disk also shows as the shared-memory file that can't grow.
    source.sqlite_error().is_some_and(|error| {
        error.code == ErrorCode::DiskFull || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// What an error of SQLite means to the caller.
pub(super) fn sqlite_error(operation: &'static str, database: &Path, source: rusqlite::Error) -> StoreError {
    let path = database.to_owned();
    if let rusqlite::Error::FromSqlConversionFailure(_, _, why) = &source
        && let Some(sealed) = why.downcast_ref::<SealError>()
    {
        return StoreError::Corrupt { path, detail: sealed.to_string() };
    }
    if is_full_disk(&source) {
        // What an operator can free is around the database, not in it.
        let path = database.parent().unwrap_or(database).to_owned();
        return StoreError::DiskFull { operation, path, source: Box::new(source) };
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path, detail: source.to_string() }
        }
        Some(ErrorCode::SystemIoFailure) => StoreError::Disk { operation, path, source },
        _ => StoreError::Sqlite { operation, path, source },
    }
}

impl Store {
    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in a transaction rolls it back while unwinding, so the connection is as good as before.
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        operation: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        run(&self.connection()).map_err(|source| self.0.sqlite_error(operation, source))
    }

    /// Changes, in one transaction that is on the disk on return. When the disk is full, the reserve is freed and the
    /// change is tried once more. After any other error the change is refused, and a later one may be asked for: a disk
    /// that failed to sync may say of the next sync that all is well while what it failed to write is lost, so nothing
    /// is believed but a sync behind which every page was written anew. That is what the log's next change does: it
    /// begins where the last acknowledged one ended.
    pub(super) fn write<T>(
        &self,
        operation: &'static str,
        run: impl Fn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.write_on(&mut self.connection(), operation, run)
    }

    /// As [`Store::write`], for a caller that holds the connection.
    pub(super) fn write_on<T>(
        &self,
        connection: &mut Connection,
        operation: &'static str,
        run: impl Fn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut result = commit(connection, operation, &run);
        if result.as_ref().is_err_and(Fault::is_full_disk) {
            self.0.reserve.free();
            result = commit(connection, operation, &run);
        } else if result.is_ok() {
            self.0.reserve.restore();
        }
        result.map_err(|fault| match fault {
            Fault::Sqlite(source) => {
                write_over_refused(connection);
                self.0.sqlite_error(operation, source)
            }
            Fault::Refused(error) => error,
        })
    }
}

/// A change whose sync failed lies in the log as a whole, and the next start would take it for an acknowledged one. This
/// connection knows better (a new one would not), and puts a change that changes nothing over its beginning. Where
/// even that can't be written the refused change may come back with a start, as after a connection that broke.
fn write_over_refused(connection: &Connection) {
    if failpoint::at("store.write_over").is_some() {
        return;
    }
    // SQLite writes a page for it whatever was there; nothing reads the number.
    if let Err(error) = connection.pragma_update(None, "user_version", 0) {
        tracing::error!(%error, "what was refused may be in the database's log; a host that starts now may find it done");
    }
}

impl Inner {
    fn sqlite_error(&self, operation: &'static str, source: rusqlite::Error) -> StoreError {
        sqlite_error(operation, &self.layout.database(), source)
    }
}

fn commit<T>(
    connection: &mut Connection,
    operation: &'static str,
    run: &impl Fn(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    failpoint::of(operation, "begin");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = run(&transaction)?;
    match failpoint::of(operation, "commit") {
        Some(failpoint::Fault::Error) => {
            let failed = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
            return Err(rusqlite::Error::SqliteFailure(failed, None).into());
        }
        Some(failpoint::Fault::Skip) => return Ok(value),
        None => transaction.commit()?,
    }
    failpoint::of(operation, "done");
    Ok(value)
}

/// A column that holds the text of a name or digest.
pub(super) fn parsed<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(index)?;
    text.parse().map_err(|source| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::<T::Err>::new(source))
    })
}

/// As [`parsed`], for a column that may be null.
pub(super) fn parsed_option<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.get_ref(index)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, index).map(Some),
    }
}

/// SQLite's integers are signed. Times and counts of ours stay below 2^63.
pub(super) fn to_integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column that was written with [`to_integer`].
pub(super) fn from_integer(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}
