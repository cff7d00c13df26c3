//! Names of apps that were removed. Each stays its app's: what links to its host name must not lead to what another app deploys.

use super::transaction::parsed;
use super::{Store, StoreError, had_users};
use rusqlite::Transaction;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::AppName;

impl Store {
    /// Removes an app with its releases, values and promotions. Its name stays held, or is free with `free_name`. An unknown app
    /// is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove_app(&self, app: &AppName, free_name: bool) -> Result<(), StoreError> {
        self.audited("remove the app", |transaction| {
            let gone = transaction.execute("DELETE FROM apps WHERE name = ?1", [app.as_str()])? > 0;
            if free_name {
                free(transaction, app)?;
                had_users::forget(transaction, app)?;
            } else if gone {
                transaction.execute("INSERT OR IGNORE INTO held_names VALUES (?1)", [app.as_str()])?;
            }
            Ok(((), gone.then(|| event(app, free_name))))
        })
    }

    /// Frees the name of an app that was removed; gives whether it was held.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn free_name(&self, app: &AppName) -> Result<bool, StoreError> {
        self.audited("free the name", |transaction| {
            let freed = free(transaction, app)?;
            had_users::forget(transaction, app)?;
            Ok((freed, freed.then(|| event(app, true))))
        })
    }

    /// Names of apps that were removed and not freed since.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn held_names(&self) -> Result<Vec<AppName>, StoreError> {
        self.read("list the names of removed apps", |connection| {
            let mut statement = connection.prepare_cached("SELECT app FROM held_names ORDER BY app")?;
            statement.query_map([], |row| parsed(row, 0))?.collect()
        })
    }
}

pub(super) fn free(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<bool> {
    Ok(transaction.execute("DELETE FROM held_names WHERE app = ?1", [app.as_str()])? > 0)
}

fn event(app: &AppName, freed: bool) -> Event {
    let detail = freed.then(|| "its name is free".into());
    Event {
        what: AuditAction::Remove,
        app: Some(app.clone()),
        version: None,
        detail,
        came: AuditResult::Done,
    }
}
