//! Instances of releases: recorded before they are started and until they have ended, so that a host that starts again finds them.

use super::transaction::{from_integer, parsed, to_integer};
use super::{EnvScope, Store, StoreError};
use rusqlite::params;
use vitrine_core::id::{Digest, InstanceId, ReleaseId};

/// One instance of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    /// Which.
    pub id: InstanceId,
    /// What it is started with. Where it differs from its release's, values or limits have changed since.
    pub spec_hash: Digest,
    /// Revision of the values that it sees.
    pub config_revision: u64,
    /// Whose values of that it sees.
    pub env_scope: EnvScope,
}

impl Store {
    /// Records an instance that is about to be started.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn add_instance(&self, release: &ReleaseId, instance: &InstanceRecord) -> Result<(), StoreError> {
        self.write("record an instance of the release", |transaction| {
            let added = transaction.execute(
                "INSERT INTO instances (id, app, version, spec_hash, config_revision, env_scope)
                 SELECT ?1, app, version, ?4, ?5, ?6 FROM releases WHERE app = ?2 AND version = ?3",
                params![
                    instance.id.as_str(),
                    release.app.as_str(),
                    release.version.as_str(),
                    instance.spec_hash.to_string(),
                    to_integer(instance.config_revision),
                    instance.env_scope.as_str(),
                ],
            )?;
            if added == 0 { Err(StoreError::NoRelease(release.clone()).into()) } else { Ok(()) }
        })
    }

    /// Forgets an instance that has ended. An unknown one is no error: it went with its release.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove_instance(&self, instance: &InstanceId) -> Result<(), StoreError> {
        self.write("forget an instance", |transaction| {
            transaction.execute("DELETE FROM instances WHERE id = ?1", [instance.as_str()])?;
            Ok(())
        })
    }

    /// The recorded instances of a release, the oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn instances(&self, release: &ReleaseId) -> Result<Vec<InstanceRecord>, StoreError> {
        self.read("list the instances of the release", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, spec_hash, config_revision, env_scope FROM instances WHERE app = ?1 AND version = ?2 ORDER BY seq",
            )?;
            let rows = statement.query_map([release.app.as_str(), release.version.as_str()], |row| {
                let of_previews = row.get_ref(3)?.as_str()? == EnvScope::Preview.as_str();
                Ok(InstanceRecord {
                    id: parsed(row, 0)?,
                    spec_hash: parsed(row, 1)?,
                    config_revision: from_integer(row, 2)?,
                    env_scope: if of_previews { EnvScope::Preview } else { EnvScope::Production },
                })
            })?;
            rows.collect()
        })
    }
}
