//! Apps that were removed and can be restored: their rows stay as they were, and one of `removed` says since when. What lists
//! apps leaves them out, and nothing that is under way for one is recorded any more.

use super::names::free;
use super::transaction::{from_integer, parsed, parsed_option, to_integer};
use super::{Settled, Store, StoreError, had_users};
use rusqlite::{Transaction, params};
use std::collections::BTreeSet;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, Digest, Version};

/// An app that was removed and is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedRecord {
    /// Which.
    pub app: AppName,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Unpacked bytes of its bundles together.
    pub bytes: u64,
    /// How many releases it had.
    pub releases: u64,
    /// The release that was live.
    pub live: Option<Version>,
    /// The actor that removed it, by the audit log's name.
    pub by: String,
}

impl Store {
    /// Removes an app so that it can be restored, with its releases, values and promotions, and its deployment as far as that has come.
    /// Its name stays held. An unknown app is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn keep_removed(&self, app: &AppName, at_ms: u64, bytes: u64) -> Result<(), StoreError> {
        self.audited("remove the app", |transaction| {
            let gone = transaction.execute(
                "INSERT OR IGNORE INTO removed (app, at_ms, bytes, who) SELECT name, ?2, ?3, ?4 FROM apps WHERE name = ?1",
                params![app.as_str(), to_integer(at_ms), to_integer(bytes), self.1.to_string()],
            )? > 0;
            if !gone {
                return Ok(((), None));
            }
            // What is being taken in finds its release gone, and undoes itself.
            transaction
                .execute("DELETE FROM releases WHERE app = ?1 AND state = 'pending'", [app.as_str()])?;
            transaction.execute("DELETE FROM instances WHERE app = ?1", [app.as_str()])?;
            transaction.execute("INSERT OR IGNORE INTO held_names VALUES (?1)", [app.as_str()])?;
            Ok(((), Some(event(app, AuditAction::Remove, Some("it can be restored")))))
        })
    }

    /// Takes a removal back; gives whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn restore_app(&self, app: &AppName) -> Result<bool, StoreError> {
        self.audited("restore the app", |transaction| {
            let kept = transaction.execute("DELETE FROM removed WHERE app = ?1", [app.as_str()])? > 0;
            if kept {
                self.settle_key(transaction, &Settled::Restored)?;
                free(transaction, app)?;
            }
            Ok((kept, kept.then(|| event(app, AuditAction::Restore, None))))
        })
    }

    /// Drops a removed app for good; gives the bundles that its releases had, or nothing when it is not kept. Its name stays held
    /// unless it is freed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn purge_app(&self, app: &AppName, free_name: bool) -> Result<Option<BTreeSet<Digest>>, StoreError> {
        self.audited("drop the removed app", |transaction| {
            if !is_removed(transaction, app)? {
                return Ok((None, None));
            }
            let mut statement = transaction.prepare("SELECT DISTINCT digest FROM releases WHERE app = ?1")?;
            let digests = statement.query_map([app.as_str()], |row| parsed(row, 0))?;
            let digests = digests.collect::<rusqlite::Result<_>>()?;
            transaction.execute("DELETE FROM apps WHERE name = ?1", [app.as_str()])?;
            if free_name {
                free(transaction, app)?;
                had_users::forget(transaction, app)?;
            }
            Ok((Some(digests), Some(event(app, AuditAction::Purge, free_name.then_some("its name is free")))))
        })
    }

    /// Apps that were removed and are kept, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn removed(&self) -> Result<Vec<RemovedRecord>, StoreError> {
        self.read("list the removed apps", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT app, at_ms, bytes, (SELECT count(*) FROM releases WHERE releases.app = removed.app), live, who
                 FROM removed JOIN apps ON name = app ORDER BY app",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(RemovedRecord {
                    app: parsed(row, 0)?,
                    at_ms: from_integer(row, 1)?,
                    bytes: from_integer(row, 2)?,
                    releases: from_integer(row, 3)?,
                    live: parsed_option(row, 4)?,
                    by: row.get(5)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// Whether an app was removed and is kept: nothing of it changes then but by restoring or dropping it.
pub(super) fn is_removed(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<bool> {
    transaction
        .query_row("SELECT EXISTS (SELECT 1 FROM removed WHERE app = ?1)", [app.as_str()], |row| row.get(0))
}

fn event(app: &AppName, what: AuditAction, detail: Option<&str>) -> Event {
    Event {
        what,
        app: Some(app.clone()),
        version: None,
        detail: detail.map(Into::into),
        came: AuditResult::Done,
    }
}
