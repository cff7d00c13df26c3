//! Durable state: a SQLite database, the bundles, and the folder that both lie in.
//!
//! Methods of [`Store`] block, each is one transaction, and what they return is on the disk. They take a few
//! milliseconds (an fsync): call them in `spawn_blocking`, or directly while a host starts or ends.

#![warn(unreachable_pub)]

mod acme;
mod audit;
pub mod backup;
mod ballast;
mod blobs;
mod bundles;
mod deployment;
mod env;
mod error;
mod had_users;
mod handover;
mod idempotency;
mod inspect;
mod instances;
mod kept;
mod key_file;
mod keyring;
mod layout;
mod lock;
mod names;
mod open;
mod promotion;
mod releases;
mod removed;
mod requests_key;
mod reseal;
mod routing;
mod scale;
mod schema;
mod shared;
mod signature_sequence;
mod snapshots;
mod split;
mod tokens;
mod transaction;

pub use blobs::Blobs;
pub use bundles::Bundles;
pub use deployment::{BadMark, DeploymentRecord, DeploymentStage, DeploymentStatus, Pardon};
pub use env::{EnvEdit, EnvScope, EnvValue};
pub use error::StoreError;
pub use idempotency::{Begun, Settled};
pub use instances::InstanceRecord;
pub use key_file::{KeyError, KeySource};
pub use layout::Layout;
pub use promotion::{Promotion, PromotionKind};
pub use releases::{ReleaseRecord, ReleaseState};
pub use removed::RemovedRecord;
pub use reseal::Rotated;
pub use routing::{RoutingBefore, RoutingRecord};
pub use snapshots::SnapshotRecord;
pub use split::SplitRecord;
pub use tokens::TokenRecord;

use arc_swap::ArcSwap;
use ballast::Ballast;
use keyring::Keyring;
use requests_key::RequestsKey;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::fs::File;
use std::sync::{Arc, Mutex};
use transaction::{Fault, from_integer, parsed};
use vitrine_core::id::AppName;
use vitrine_core::scope::Actor;

/// The data folder, held by this process alone; on whose behalf it is changed, and the idempotency key that a change settles. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>, Actor, Option<Arc<str>>);

#[derive(Debug)]
struct Inner {
    layout: Layout,
    bundles: Bundles,
    connection: Mutex<Connection>,
    /// Read and changed with the connection's lock held.
    keyring: ArcSwap<Keyring>,
    requests_key: RequestsKey,
    key_source: KeySource,
    reserve: Ballast,
    /// Held until the store is dropped or lent; last, so that the database is closed before the lock is free.
    lock: File,
}

impl Store {
    /// Paths of the data folder.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// The bundles of the data folder.
    #[must_use]
    pub fn bundles(&self) -> Bundles {
        self.0.bundles.clone()
    }

    /// A fact about the host (`isolation`, `host_id`).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read("read a fact about the host", |connection| {
            connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
        })
    }

    /// Records a fact about the host.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write("record a fact about the host", |transaction| {
            transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value])?;
            Ok(())
        })
    }

    /// The epoch of the last recorded change; 0 before the first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn epoch(&self) -> Result<u64, StoreError> {
        self.read("read the epoch", |connection| {
            connection.query_row(
                "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch'), 0)",
                [],
                |row| from_integer(row, 0),
            )
        })
    }

    /// Counts a change of the route table that is no promotion.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_epoch(&self) -> Result<u64, StoreError> {
        self.write("count the epoch", |transaction| Ok(count_epoch(transaction)?))
    }

    /// Every app that is not removed, by name: those with a release, a value or a promotion.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn apps(&self) -> Result<Vec<AppName>, StoreError> {
        self.read("list the apps", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name FROM apps WHERE name NOT IN (SELECT app FROM removed) ORDER BY name",
            )?;
            statement.query_map([], |row| parsed(row, 0))?.collect()
        })
    }
}

fn count_epoch(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    transaction.query_row(
        "INSERT INTO meta VALUES ('epoch', '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)
         RETURNING CAST(value AS INTEGER)",
        [],
        |row| from_integer(row, 0),
    )
}

/// An app that was removed is not changed.
fn refuse_removed(transaction: &Transaction<'_>, app: &AppName) -> Result<(), Fault> {
    match removed::is_removed(transaction, app)? {
        true => Err(StoreError::Removed(app.clone()).into()),
        false => Ok(()),
    }
}

/// Makes the app's row if it is not there. One that was removed is not changed.
fn ensure_app(transaction: &Transaction<'_>, app: &AppName) -> Result<(), Fault> {
    refuse_removed(transaction, app)?;
    transaction.execute("INSERT OR IGNORE INTO apps (name) VALUES (?1)", [app.as_str()])?;
    Ok(())
}

#[cfg(test)]
mod tests;
