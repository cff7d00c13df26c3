//! How many instances an operator wants of an app.

use super::transaction::from_integer;
use super::{Store, StoreError, ensure_app};
use rusqlite::{OptionalExtension, params};
use vitrine_bundle::Scale;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::AppName;

impl Store {
    /// Sets how many instances an app has, whatever its bundles ask for; `None` leaves it to them again.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_scale(&self, app: &AppName, scale: Option<Scale>) -> Result<(), StoreError> {
        self.audited("record the scale of the app", |transaction| {
            ensure_app(transaction, app)?;
            let detail = match scale {
                Some(Scale { min, max }) => {
                    transaction.execute(
                        "INSERT OR REPLACE INTO scales VALUES (?1, ?2, ?3)",
                        params![app.as_str(), min, max],
                    )?;
                    format!("{min} to {max} instances")
                }
                None => {
                    transaction.execute("DELETE FROM scales WHERE app = ?1", [app.as_str()])?;
                    "as its bundles ask for".into()
                }
            };
            let (app, detail) = (Some(app.clone()), Some(detail));
            Ok((
                (),
                Some(Event { what: AuditAction::Scale, app, version: None, detail, came: AuditResult::Done }),
            ))
        })
    }

    /// How many instances an operator wants of an app.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn scale(&self, app: &AppName) -> Result<Option<Scale>, StoreError> {
        self.read("read the scale of the app", |connection| {
            connection
                .prepare_cached("SELECT min, max FROM scales WHERE app = ?1")?
                .query_row([app.as_str()], |row| {
                    let count =
                        |at| from_integer(row, at).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
                    Ok(Scale { min: count(0)?, max: count(1)? })
                })
                .optional()
        })
    }
}
