//! The newest signature of each app: what is older is not taken again. It outlives the app's releases.

use super::transaction::{from_integer, to_integer};
use super::{Store, StoreError};
use rusqlite::{OptionalExtension, params};
use vitrine_core::id::{Digest, ReleaseId};

impl Store {
    /// Records that a release is signed with this sequence; gives the newest that was seen, when it is not newer than
    /// that. The newest itself may come again for the same release and bundle, after a deploy that failed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn record_signature(
        &self,
        release: &ReleaseId,
        digest: Digest,
        sequence: u64,
    ) -> Result<Option<u64>, StoreError> {
        let (version, digest) = (release.version.as_str(), digest.to_string());
        self.write("record the signature", |transaction| {
            let newest = transaction
                .query_row(
                    "SELECT sequence, version = ?2 AND digest = ?3 FROM signed WHERE app = ?1",
                    params![release.app.as_str(), version, digest],
                    |row| Ok((from_integer(row, 0)?, row.get::<_, bool>(1)?)),
                )
                .optional()?;
            if let Some((newest, same)) = newest
                && (sequence < newest || (sequence == newest && !same))
            {
                return Ok(Some(newest));
            }
            transaction.execute(
                "INSERT OR REPLACE INTO signed VALUES (?1, ?2, ?3, ?4)",
                params![release.app.as_str(), to_integer(sequence), version, digest],
            )?;
            Ok(None)
        })
    }
}
