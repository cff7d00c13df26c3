//! Environment values, for production and for previews. Each change makes a revision; a release keeps the one that it was made
//! with, and sees its own half of it.

use super::keyring::{Keyring, Place};
use super::transaction::{from_integer, to_integer};
use super::{Store, StoreError, ensure_app, refuse_removed};
use crate::audit::{Came, Event, What};
use crate::id::{AppName, ReleaseId};
use crate::limits::{ENV_BYTES_MAX, ENV_VALUES_MAX};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

/// Whose values: a release sees those of one scope and never those of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnvScope {
    /// Releases that users get, and those that were uploaded with a token that allows `promote`.
    #[default]
    Production,
    /// Previews, and releases of tokens that do not allow `promote`.
    Preview,
}

impl EnvScope {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Preview => "preview",
        }
    }
}

/// One value of an app's environment. In the database it is encrypted (see `src/store/keyring.rs`).
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Whether it may never be shown.
    pub secret: bool,
    /// When it was set, in milliseconds since the Unix epoch.
    pub updated_ms: u64,
}

impl std::fmt::Debug for EnvValue {
    // The value is left out: it may be a secret, and this text may reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvValue")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// A change of an app's values.
#[derive(Debug)]
pub enum EnvEdit {
    /// Set these, together.
    Set(Vec<EnvValue>),
    /// Take this one away.
    Unset(String),
}

impl EnvEdit {
    /// What the audit log calls it.
    #[must_use]
    pub const fn what(&self) -> What {
        match self {
            Self::Set(_) => What::EnvSet,
            Self::Unset(_) => What::EnvUnset,
        }
    }

    /// Names of the values that it is about.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Set(given) => given.iter().map(|value| value.name.as_str()).collect(),
            Self::Unset(name) => vec![name],
        }
    }

    /// Changes the values of an app; gives whether there was anything to change.
    fn apply(&self, values: &mut Vec<EnvValue>) -> bool {
        let (before, names) = (values.len(), self.names());
        values.retain(|old| !names.contains(&old.name.as_str()));
        match self {
            Self::Set(given) => {
                values.extend_from_slice(given);
                true
            }
            Self::Unset(_) => values.len() < before,
        }
    }
}

impl Store {
    /// Changes values, and records their app if that is new; gives the new revision, which all that is set has in common. None when
    /// there is nothing to take away.
    ///
    /// # Errors
    /// [`StoreError::EnvTooLarge`], [`StoreError::Removed`]; see [`StoreError`].
    pub fn change_env(
        &self,
        app: &AppName,
        scope: EnvScope,
        edit: &EnvEdit,
    ) -> Result<Option<u64>, StoreError> {
        self.audited("record the environment's values", |transaction| {
            let ring = &self.0.keyring.load();
            match edit {
                EnvEdit::Set(_) => ensure_app(transaction, app)?,
                EnvEdit::Unset(_) => refuse_removed(transaction, app)?,
            }
            let newest = revision(transaction, app)?;
            let mut values = values(transaction, ring, app, newest, scope)?;
            if !edit.apply(&mut values) {
                return Ok((None, None));
            }
            check_bounds(app, &values)?;
            let revision = next_revision(transaction, app)?;
            insert_values(transaction, ring, app, (newest, revision), scope, &values)?;
            Ok((Some(revision), Some(event(app, edit.what(), &edit.names().join(", "), scope, revision))))
        })
    }

    /// Writes the revision that this change of production's values would make, without making it the newest: that is done when a
    /// release of it is made live. Gives none when there is nothing to take away. An earlier draft is written over.
    ///
    /// # Errors
    /// As [`Store::change_env`].
    pub fn draft_env(&self, app: &AppName, edit: &EnvEdit) -> Result<Option<u64>, StoreError> {
        self.write("draft the environment", |transaction| {
            let ring = &self.0.keyring.load();
            refuse_removed(transaction, app)?;
            let newest = revision(transaction, app)?;
            let mut values = values(transaction, ring, app, newest, EnvScope::Production)?;
            if !edit.apply(&mut values) {
                return Ok(None);
            }
            check_bounds(app, &values)?;
            insert_values(transaction, ring, app, (newest, newest + 1), EnvScope::Production, &values)?;
            Ok(Some(newest + 1))
        })
    }

    /// The values of a revision and scope, by name. Revision 0 is empty.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn env(&self, app: &AppName, revision: u64, scope: EnvScope) -> Result<Vec<EnvValue>, StoreError> {
        self.read("read the environment", |connection| {
            values(connection, &self.0.keyring.load(), app, revision, scope)
        })
    }

    /// The newest revision; 0 while nothing was set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn latest_revision(&self, app: &AppName) -> Result<u64, StoreError> {
        self.read("read the environment's revision", |connection| revision(connection, app))
    }
}

/// The records of a draft that becomes the newest revision because a release of it is made live: one for each name.
pub(super) fn taking_effect(
    transaction: &Transaction<'_>,
    ring: &Keyring,
    release: &ReleaseId,
) -> rusqlite::Result<Vec<Event>> {
    let app = &release.app;
    let newest = revision(transaction, app)?;
    let drafted = transaction.query_row(
        "SELECT config_revision FROM releases WHERE app = ?1 AND version = ?2",
        [app.as_str(), release.version.as_str()],
        |row| from_integer(row, 0),
    )?;
    if drafted <= newest {
        return Ok(Vec::new());
    }
    let of = |revision| values(transaction, ring, app, revision, EnvScope::Production);
    let (before, after) = (of(newest)?, of(drafted)?);
    let set = after.iter().filter(|value| !before.contains(value)).map(|value| (What::EnvSet, value));
    let gone = |old: &&EnvValue| after.iter().all(|value| value.name != old.name);
    let unset = before.iter().filter(gone).map(|value| (What::EnvUnset, value));
    let event =
        |(what, value): (What, &EnvValue)| event(app, what, &value.name, EnvScope::Production, drafted);
    Ok(set.chain(unset).map(event).collect())
}

/// Names are told, values never.
fn event(app: &AppName, what: What, name: &str, scope: EnvScope, revision: u64) -> Event {
    let whose = if scope == EnvScope::Preview { " of previews" } else { "" };
    let detail = Some(format!("{name}{whose}, revision {revision}"));
    Event { what, app: Some(app.clone()), version: None, detail, came: Came::Done }
}

fn revision(connection: &Connection, app: &AppName) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT env_revision FROM apps WHERE name = ?1")?
        .query_row([app.as_str()], |row| from_integer(row, 0))
        .optional()
        .map(Option::unwrap_or_default)
}

fn values(
    connection: &Connection,
    ring: &Keyring,
    app: &AppName,
    revision: u64,
    scope: EnvScope,
) -> rusqlite::Result<Vec<EnvValue>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, value, secret, updated_ms, key FROM env WHERE app = ?1 AND revision = ?2 AND scope = ?3
         ORDER BY name",
    )?;
    let revision = to_integer(revision);
    let rows = statement.query_map(params![app.as_str(), revision, scope.as_str()], |row| {
        let (name, secret): (String, bool) = (row.get(0)?, row.get(2)?);
        let (sealed, key): (Vec<u8>, String) = (row.get(1)?, row.get(4)?);
        let value = open_value(ring, Place { app, revision, scope, name: &name, secret }, &key, &sealed)?;
        Ok(EnvValue { name, value, secret, updated_ms: from_integer(row, 3)? })
    })?;
    rows.collect()
}

/// Opens a value of a row whose second column it is.
pub(super) fn open_value(
    ring: &Keyring,
    place: Place<'_>,
    key: &str,
    sealed: &[u8],
) -> rusqlite::Result<String> {
    let opened = ring.open(place, key, sealed);
    opened.map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, Box::new(error)))
}

fn next_revision(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<u64> {
    transaction.query_row(
        "UPDATE apps SET env_revision = env_revision + 1 WHERE name = ?1 RETURNING env_revision",
        [app.as_str()],
        |row| from_integer(row, 0),
    )
}

/// Writes a revision: these values of a scope, and those of the other one as `from` has them. Every revision holds all its values,
/// so that a release reads its own with one look and pruning is one statement.
fn insert_values(
    transaction: &Transaction<'_>,
    ring: &Keyring,
    app: &AppName,
    (from, to): (u64, u64),
    scope: EnvScope,
    values: &[EnvValue],
) -> rusqlite::Result<()> {
    let other = if scope == EnvScope::Preview { EnvScope::Production } else { EnvScope::Preview };
    let others = self::values(transaction, ring, app, from, other)?;
    let revision = to_integer(to);
    // A draft that came to nothing.
    transaction
        .execute("DELETE FROM env WHERE app = ?1 AND revision = ?2", params![app.as_str(), revision])?;
    let mut statement =
        transaction.prepare_cached("INSERT INTO env VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    let values = values.iter().map(|value| (scope, value)).chain(others.iter().map(|value| (other, value)));
    for (scope, EnvValue { name, value, secret, updated_ms }) in values {
        let sealed = ring.seal(Place { app, revision, scope, name, secret: *secret }, value);
        let (scope, updated_ms) = (scope.as_str(), to_integer(*updated_ms));
        let key = ring.newest();
        statement.execute(params![app.as_str(), revision, scope, name, sealed, key, secret, updated_ms])?;
    }
    Ok(())
}

fn check_bounds(app: &AppName, values: &[EnvValue]) -> Result<(), StoreError> {
    let bytes: usize = values.iter().map(|value| value.name.len() + value.value.len()).sum();
    let bound = if values.len() > ENV_VALUES_MAX {
        format!("{ENV_VALUES_MAX} values")
    } else if bytes > ENV_BYTES_MAX {
        format!("{ENV_BYTES_MAX} bytes")
    } else {
        return Ok(());
    };
    Err(StoreError::EnvTooLarge { app: app.clone(), bound })
}
