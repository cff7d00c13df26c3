//! Values under the newest key: those of an earlier schema, which lay there as they are, and those of an earlier key.

use super::acme;
use super::env::open_value;
use super::key_file::{KeySource, new_key, store_error};
use super::keyring::{Keyring, Place, key_id};
use super::open::{connect, io_error, prepare};
use super::requests_key;
use super::transaction::{Fault, parsed, sqlite_error};
use super::{EnvScope, Layout, Settled, Store, StoreError, audit, lock};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::failpoint;
use vitrine_core::id::AppName;
use vitrine_core::scope::Actor;

/// Key of a value that lies in the database as it is: only an earlier schema wrote such.
const PLAIN: &str = "";
/// In `meta` while old forms of values may be in pages that nothing uses any more.
const SCRUB: &str = "scrub";

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rotated {
    /// Identity of the key until now.
    pub from: String,
    /// Identity of the key from now on.
    pub to: String,
}

impl Store {
    /// Seals every value under a new key, and forgets the old one.
    ///
    /// # Errors
    /// [`StoreError::Key`] when the file can't be changed, or lacks a key that is in use: nothing is written then. See
    /// [`StoreError`]. A rotation that is broken off is finished by the next start; both keys stay in the file until the next
    /// rotation.
    pub fn rotate_key(&self) -> Result<Rotated, StoreError> {
        let (source, layout) = (&self.0.key_source, self.layout());
        let mut connection = self.connection();
        let from = self.0.keyring.load().newest().to_owned();
        let mut used = used_keys(&connection, &layout.database())?;
        used.push(from.clone());
        let mut keys = source.read_all(layout, &used).map_err(store_error)?;
        let key = new_key();
        keys.insert(0, key);
        source.write(layout, &keys).map_err(store_error)?;
        self.0.keyring.store(Arc::new(Keyring::new(&keys)));
        failpoint::at("key.both");
        let to = key_id(&key);
        self.audited_on(&mut connection, "encrypt the values", |transaction| {
            seal_all(transaction, &self.0.keyring.load())?;
            self.settle_key(
                transaction,
                &Settled::KeyRotated(Rotated { from: from.clone(), to: to.clone() }),
            )?;
            let detail = Some(format!("from {from} to {to}"));
            Ok(((), Some(Event::of_host(AuditAction::KeyRotate, detail, AuditResult::Done))))
        })?;
        scrub_now(&connection);
        failpoint::at("key.resealed");
        source.write(layout, &[key]).map_err(store_error)?;
        self.0.keyring.store(Arc::new(Keyring::new(&[key])));
        Ok(Rotated { from, to })
    }

    /// Removes the values of a data folder whose key its file does not hold, and records that; gives how many. Its releases start
    /// without them. The folder must not be in use.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn forget_lost_values(data: &Path, source: &KeySource) -> Result<usize, StoreError> {
        let layout = Layout::new(data);
        let path = layout.database();
        if !path.exists() {
            return Err(io_error("open", &path, std::io::ErrorKind::NotFound.into()));
        }
        let _lock = lock::acquire(&layout.lock(), data)?;
        let mut connection = connect(&path)?;
        prepare(&mut connection, &path)?;
        let held: Vec<String> = source.read(&layout).map_err(store_error)?.iter().map(key_id).collect();
        let lost: Vec<String> =
            used_keys(&connection, &path)?.into_iter().filter(|id| !held.contains(id)).collect();
        if lost.is_empty() {
            return Ok(0);
        }
        let forget = |transaction: &Transaction<'_>| {
            let mut forgotten = 0;
            for id in &lost {
                forgotten += transaction.execute("DELETE FROM env WHERE key = ?1", [id])?;
                transaction.execute("DELETE FROM acme WHERE key = ?1", [id])?;
            }
            let detail = Some(format!("{forgotten} values under key {}", lost.join(", ")));
            audit::append(
                transaction,
                &path,
                Actor::Host,
                Event::of_host(AuditAction::KeyForget, detail, AuditResult::Done),
            )?;
            Ok(forgotten)
        };
        in_transaction(&mut connection, forget).map_err(|fault| fault.of("remove the values", &path))
    }
}

/// Identities of the keys that values lie under.
pub(super) fn used_keys(connection: &Connection, path: &Path) -> Result<Vec<String>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare(
            "SELECT key FROM env WHERE key <> ?1 UNION SELECT key FROM acme WHERE key <> ?1 ORDER BY key",
        )?;
        statement.query_map([PLAIN], |row| row.get(0))?.collect()
    };
    read().map_err(|source| sqlite_error("look up the keys of values", path, source))
}

/// Brings every value under the newest key, in one transaction, and removes what the pages of the database and its log hold of
/// earlier forms.
pub(super) fn reseal(connection: &mut Connection, ring: &Keyring, path: &Path) -> Result<(), StoreError> {
    in_transaction(connection, |transaction| seal_all(transaction, ring))
        .map_err(|fault| fault.of("encrypt the values", path))?;
    scrub_now(connection);
    Ok(())
}

/// For a database that no [`Store`] has open yet.
fn in_transaction<T>(
    connection: &mut Connection,
    run: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = run(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn scrub_now(connection: &Connection) {
    failpoint::at("key.scrub");
    if let Err(error) = scrub(connection) {
        // It needs room for a second database for a moment. The next start tries again.
        tracing::warn!(%error, "the database may still hold earlier forms of values in pages that are not used");
    }
}

/// Seals every value that is not under the newest key, and asks for the removal of its earlier form from unused pages.
fn seal_all(transaction: &Transaction<'_>, ring: &Keyring) -> Result<(), Fault> {
    let newest = ring.newest();
    let mut statement = transaction
        .prepare("SELECT app, revision, scope, name, secret, value, key, granted FROM env WHERE key <> ?1")?;
    let rows = statement.query_map([newest], |row| {
        let (app, scope): (AppName, String) = (parsed(row, 0)?, row.get(2)?);
        let scope =
            if scope == EnvScope::Preview.as_str() { EnvScope::Preview } else { EnvScope::Production };
        let (revision, name, secret): (i64, String, bool) = (row.get(1)?, row.get(3)?, row.get(4)?);
        let place = Place { app: &app, revision, scope, name: &name, secret, granted: row.get(7)? };
        let (value, key): (Vec<u8>, String) = (row.get(5)?, row.get(6)?);
        let value = if key == PLAIN {
            String::from_utf8_lossy(&value).into_owned()
        } else {
            open_value(ring, place, &key, &value)?
        };
        let sealed = ring.seal(place, &value);
        Ok((app, revision, scope, name, sealed))
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let others = requests_key::reseal(transaction, ring)? | acme::reseal(transaction, ring)?;
    if others || !rows.is_empty() {
        transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, '1')", [SCRUB])?;
    }
    let mut update = transaction.prepare(
        "UPDATE env SET value = ?5, key = ?6 WHERE app = ?1 AND revision = ?2 AND scope = ?3 AND name = ?4",
    )?;
    for (app, revision, scope, name, sealed) in &rows {
        update.execute(params![app.as_str(), revision, scope.as_str(), name, sealed, newest])?;
    }
    Ok(())
}

/// Writes the database anew without unused pages, and empties its log, if a change asked for that.
fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    let asked = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1)";
    if !connection.query_row(asked, [SCRUB], |row| row.get(0))? {
        return Ok(());
    }
    // The pages that are written anew have no rest of others in them.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.execute_batch("VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.execute("DELETE FROM meta WHERE key = ?1", [SCRUB])?;
    connection.pragma_update(None, "secure_delete", false)
}
