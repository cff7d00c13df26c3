//! Environment values, for production and for previews. Each change makes a revision; a release keeps the one that it was made
//! with, and sees its own half of it.

use super::keyring::{Keyring, Place};
use super::transaction::{from_integer, to_integer};
use super::{Store, StoreError, ensure_app, refuse_removed};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{ENV_BYTES_MAX, ENV_VALUES_MAX};

/// Whose values: a release sees those of one scope, and never those of the other. Of production's values previews see those that are
/// granted to them.
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
    /// Whether it is production's, granted to previews: it changes and ends with that one.
    pub granted: bool,
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
    /// Give previews production's value of this name.
    Grant(String),
    /// Take that back.
    Revoke(String),
}

impl EnvEdit {
    /// What the audit log calls it.
    #[must_use]
    pub const fn what(&self) -> AuditAction {
        match self {
            Self::Set(_) => AuditAction::EnvSet,
            Self::Unset(_) => AuditAction::EnvUnset,
            Self::Grant(_) => AuditAction::EnvGrant,
            Self::Revoke(_) => AuditAction::EnvRevoke,
        }
    }

    /// Names of the values that it is about.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Set(given) => given.iter().map(|value| value.name.as_str()).collect(),
            Self::Unset(name) | Self::Grant(name) | Self::Revoke(name) => vec![name],
        }
    }
}

/// All values of one revision of an app.
struct Values {
    production: Vec<EnvValue>,
    previews: Vec<EnvValue>,
}

impl Values {
    fn read(connection: &Connection, ring: &Keyring, app: &AppName, revision: u64) -> rusqlite::Result<Self> {
        let of = |scope| values(connection, ring, app, revision, scope);
        Ok(Self { production: of(EnvScope::Production)?, previews: of(EnvScope::Preview)? })
    }

    /// Changes the values of a scope; gives whether there was anything to change. Grants are about previews, whichever scope is given.
    fn edit(&mut self, app: &AppName, scope: EnvScope, edit: &EnvEdit) -> Result<bool, StoreError> {
        if scope == EnvScope::Preview && matches!(edit, EnvEdit::Set(_) | EnvEdit::Unset(_)) {
            self.refuse_granted(app, edit)?;
        }
        let values = match scope {
            EnvScope::Production => &mut self.production,
            EnvScope::Preview => &mut self.previews,
        };
        let has_changed = match edit {
            EnvEdit::Set(given) => {
                let names = edit.names();
                values.retain(|old| !names.contains(&old.name.as_str()));
                values.extend_from_slice(given);
                true
            }
            EnvEdit::Unset(name) => lose(values, |value| value.name == *name),
            EnvEdit::Grant(name) => self.grant(app, name)?,
            EnvEdit::Revoke(name) => lose(&mut self.previews, |value| value.granted && value.name == *name),
        };
        self.renew_granted();
        check_bounds(app, &self.production)?;
        check_bounds(app, &self.previews)?;
        Ok(has_changed)
    }

    /// A grant ends by being revoked, and by nothing that is said of another value.
    fn refuse_granted(&self, app: &AppName, edit: &EnvEdit) -> Result<(), StoreError> {
        let names = edit.names();
        let is_meant = |value: &&EnvValue| value.granted && names.contains(&value.name.as_str());
        match self.previews.iter().find(is_meant) {
            Some(value) => Err(StoreError::GrantedValue { app: app.clone(), name: value.name.clone() }),
            None => Ok(()),
        }
    }

    /// Whether the grant is new.
    fn grant(&mut self, app: &AppName, name: &str) -> Result<bool, StoreError> {
        let (app, name) = (app.clone(), name.to_owned());
        if let Some(there) = self.previews.iter().find(|value| value.name == name) {
            return if there.granted { Ok(false) } else { Err(StoreError::OwnValue { app, name }) };
        }
        match self.production.iter().find(|value| value.name == name) {
            Some(value) => self.previews.push(EnvValue { granted: true, ..value.clone() }),
            None => return Err(StoreError::NothingToGrant { app, name }),
        }
        Ok(true)
    }

    /// What is granted is what production has now.
    fn renew_granted(&mut self) {
        let production = &self.production;
        self.previews.retain_mut(|value| {
            if value.granted {
                let Some(now) = production.iter().find(|one| one.name == value.name) else { return false };
                *value = EnvValue { granted: true, ..now.clone() };
            }
            true
        });
    }

    /// Writes a revision. Every revision holds all its values, so that a release reads its own with one look and pruning is one
    /// statement.
    fn write(
        &self,
        transaction: &Transaction<'_>,
        ring: &Keyring,
        app: &AppName,
        revision: u64,
    ) -> rusqlite::Result<()> {
        let revision = to_integer(revision);
        // A draft that came to nothing.
        transaction
            .execute("DELETE FROM env WHERE app = ?1 AND revision = ?2", params![app.as_str(), revision])?;
        let mut statement =
            transaction.prepare_cached("INSERT INTO env VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        let production = self.production.iter().map(|value| (EnvScope::Production, value));
        let previews = self.previews.iter().map(|value| (EnvScope::Preview, value));
        for (scope, EnvValue { name, value, secret, updated_ms, granted }) in production.chain(previews) {
            let (secret, granted) = (*secret, *granted);
            let sealed = ring.seal(Place { app, revision, scope, name, secret, granted }, value);
            let (scope, updated_ms, key) = (scope.as_str(), to_integer(*updated_ms), ring.newest());
            statement.execute(params![
                app.as_str(),
                revision,
                scope,
                name,
                sealed,
                key,
                secret,
                updated_ms,
                granted
            ])?;
        }
        Ok(())
    }
}

impl Store {
    /// Changes values, and records their app if that is new; gives the new revision, which all that is set has in common. None when
    /// there is nothing to take away, or to grant.
    ///
    /// # Errors
    /// [`StoreError::EnvTooLarge`], [`StoreError::Removed`], [`StoreError::NothingToGrant`], [`StoreError::OwnValue`],
    /// [`StoreError::GrantedValue`]; see [`StoreError`].
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
                EnvEdit::Unset(_) | EnvEdit::Grant(_) | EnvEdit::Revoke(_) => {
                    refuse_removed(transaction, app)?
                }
            }
            let mut values = Values::read(transaction, ring, app, revision(transaction, app)?)?;
            if !values.edit(app, scope, edit)? {
                return Ok((None, None));
            }
            let revision = next_revision(transaction, app)?;
            values.write(transaction, ring, app, revision)?;
            prune(transaction, app)?;
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
            let mut values = Values::read(transaction, ring, app, newest)?;
            if !values.edit(app, EnvScope::Production, edit)? {
                return Ok(None);
            }
            values.write(transaction, ring, app, newest + 1)?;
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

    /// The newest values of a scope, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn newest_env(&self, app: &AppName, scope: EnvScope) -> Result<Vec<EnvValue>, StoreError> {
        self.read("read the environment", |connection| {
            values(connection, &self.0.keyring.load(), app, revision(connection, app)?, scope)
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

/// Drops the revisions that no release sees, or is to see once users get it. The newest stays, and so does a draft behind it.
pub(super) fn prune(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM env WHERE app = ?1
         AND revision < (SELECT env_revision FROM apps WHERE name = ?1)
         AND revision NOT IN (SELECT config_revision FROM releases WHERE app = ?1
         UNION SELECT next_revision FROM releases WHERE app = ?1 AND next_revision IS NOT NULL)",
        [app.as_str()],
    )?;
    Ok(())
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
    let set = after.iter().filter(|value| !before.contains(value)).map(|value| (AuditAction::EnvSet, value));
    let gone = |old: &&EnvValue| after.iter().all(|value| value.name != old.name);
    let unset = before.iter().filter(gone).map(|value| (AuditAction::EnvUnset, value));
    let event = |(what, value): (AuditAction, &EnvValue)| {
        event(app, what, &value.name, EnvScope::Production, drafted)
    };
    Ok(set.chain(unset).map(event).collect())
}

/// Names are told, values never.
fn event(app: &AppName, what: AuditAction, name: &str, scope: EnvScope, revision: u64) -> Event {
    let whose = match what {
        AuditAction::EnvGrant => " to previews",
        AuditAction::EnvRevoke => " from previews",
        _ if scope == EnvScope::Preview => " of previews",
        _ => "",
    };
    let detail = Some(format!("{name}{whose}, revision {revision}"));
    Event { what, app: Some(app.clone()), version: None, detail, came: AuditResult::Done }
}

pub(super) fn revision(connection: &Connection, app: &AppName) -> rusqlite::Result<u64> {
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
        "SELECT name, value, secret, updated_ms, key, granted FROM env
         WHERE app = ?1 AND revision = ?2 AND scope = ?3 ORDER BY name",
    )?;
    let revision = to_integer(revision);
    let rows = statement.query_map(params![app.as_str(), revision, scope.as_str()], |row| {
        let (name, secret, granted): (String, bool, bool) = (row.get(0)?, row.get(2)?, row.get(5)?);
        let (sealed, key): (Vec<u8>, String) = (row.get(1)?, row.get(4)?);
        let place = Place { app, revision, scope, name: &name, secret, granted };
        let value = open_value(ring, place, &key, &sealed)?;
        Ok(EnvValue { name, value, secret, updated_ms: from_integer(row, 3)?, granted })
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

/// Takes some of the values away; gives whether there were any.
fn lose(values: &mut Vec<EnvValue>, is_lost: impl Fn(&EnvValue) -> bool) -> bool {
    let had = values.len();
    values.retain(|value| !is_lost(value));
    values.len() < had
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
