//! Names of releases that users had, with their content: also of those that were removed since, and of apps that were.

use super::transaction::to_integer;
use super::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use vitrine_core::id::{AppName, Digest, ReleaseId};
use vitrine_core::limits::PROMOTIONS_KEPT_MAX;

impl Store {
    /// The first of these names that is other content's: a release has it, or users had one of it. Without content on record, which an
    /// earlier build did not keep, it is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn name_of_others(
        &self,
        names: &[ReleaseId],
        digest: Digest,
    ) -> Result<Option<ReleaseId>, StoreError> {
        self.read("look up the names that users had", |connection| {
            for name in names {
                if is_of_others(connection, name, digest)? {
                    return Ok(Some(name.clone()));
                }
            }
            Ok(None)
        })
    }
}

fn is_of_others(connection: &Connection, name: &ReleaseId, digest: Digest) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM releases WHERE app = ?1 AND version = ?2 AND state = 'ready' AND digest <> ?3
         UNION ALL SELECT 1 FROM had_users WHERE app = ?1 AND version = ?2 AND digest IS NOT ?3",
    )?;
    let key = [name.app.as_str(), name.version.as_str(), &digest.to_string()];
    statement.query_row(key, |_| Ok(())).optional().map(|found| found.is_some())
}

/// Notes that users get a release, as part of that. As many names are kept as promotions.
pub(super) fn note(transaction: &Transaction<'_>, release: &ReleaseId, at_ms: u64) -> rusqlite::Result<()> {
    let (app, version) = (release.app.as_str(), release.version.as_str());
    transaction.execute(
        "INSERT OR REPLACE INTO had_users SELECT app, version, digest, ?3 FROM releases WHERE app = ?1 AND version = ?2",
        params![app, version, to_integer(at_ms)],
    )?;
    transaction.execute(
        "DELETE FROM had_users WHERE app = ?1 AND version IN
         (SELECT version FROM had_users WHERE app = ?1 ORDER BY at_ms DESC, version LIMIT -1 OFFSET ?2)",
        params![app, PROMOTIONS_KEPT_MAX],
    )?;
    Ok(())
}

/// Forgets the names of an app whose own name is free from now on, as part of that.
pub(super) fn forget(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM had_users WHERE app = ?1", [app.as_str()]).map(drop)
}
