//! A release beside the live one, for a share of the users.

use super::transaction::{from_integer, parsed};
use super::{Settled, Store, StoreError, count_epoch, releases};
use rusqlite::{OptionalExtension, Transaction, params};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, ReleaseId, Version};

/// Which release has how many percent of the users; the live one has the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitRecord {
    /// Which.
    pub version: Version,
    /// Percent, 1 to 99.
    pub weight: u8,
}

impl Store {
    /// Gives a release a share of the users, or changes it; gives the epoch. From now on it counts as one that was live: one that
    /// was pending is ready, and the revision that was drafted for it is the newest. The caller has seen that
    /// another release is live.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn record_split(&self, release: &ReleaseId, weight: u8, at_ms: u64) -> Result<u64, StoreError> {
        self.audited("record the share of the release", |transaction| {
            let (app, version) = (release.app.as_str(), release.version.as_str());
            let ring = &self.0.keyring.load();
            let mut events = releases::given_users(transaction, ring, release, at_ms)?;
            transaction.execute(
                "INSERT OR REPLACE INTO splits VALUES (?1, ?2, ?3)",
                params![app, version, weight],
            )?;
            events.push(Event {
                what: AuditAction::Promote,
                app: Some(release.app.clone()),
                version: Some(release.version.clone()),
                detail: Some(format!("to {weight} % of the users")),
                came: AuditResult::Done,
            });
            let epoch = count_epoch(transaction)?;
            self.settle_key(
                transaction,
                &Settled::Shared { version: release.version.clone(), weight, epoch },
            )?;
            Ok((epoch, events))
        })
    }

    /// The release that has a share of an app's users.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn split(&self, app: &AppName) -> Result<Option<SplitRecord>, StoreError> {
        self.read("read the share of the users", |connection| split_of(connection, app))
    }
}

/// Ends an app's split; gives the release that had a share.
pub(super) fn end_split(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<Option<Version>> {
    let split = split_of(transaction, app)?;
    transaction.execute("DELETE FROM splits WHERE app = ?1", [app.as_str()])?;
    Ok(split.map(|split| split.version))
}

fn split_of(connection: &rusqlite::Connection, app: &AppName) -> rusqlite::Result<Option<SplitRecord>> {
    connection
        .prepare_cached("SELECT version, weight FROM splits WHERE app = ?1")?
        .query_row([app.as_str()], |row| {
            let weight = u8::try_from(from_integer(row, 1)?).unwrap_or(u8::MAX);
            Ok(SplitRecord { version: parsed(row, 0)?, weight })
        })
        .optional()
}
