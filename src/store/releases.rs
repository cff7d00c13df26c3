//! Releases as they are recorded.

use super::keyring::Keyring;
use super::transaction::{Fault, from_integer, parsed, parsed_option, to_integer};
use super::{EnvScope, Store, StoreError, ensure_app, env, had_users, removed};
use rusqlite::{OptionalExtension, Row, ToSql, Transaction, named_params, params};
use std::collections::BTreeSet;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};

/// How far a release has come. The rest (live, draining, sleeping) is a fact of the route table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// Recorded before its first worker was started and not acknowledged yet: a host that starts finds out whether to
    /// finish or to undo it.
    Pending,
    /// Booted once, acknowledged, retained.
    Ready,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Which.
    pub id: ReleaseId,
    /// Its bundle.
    pub digest: Digest,
    /// Revision of the app's environment that it sees; 0 is the empty one.
    pub config_revision: u64,
    /// Whose values of that it sees.
    pub env_scope: EnvScope,
    /// Preview name, if it is one.
    pub preview: Option<Version>,
    /// When a preview ends, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last made live, in milliseconds since the Unix epoch.
    pub promoted_ms: Option<u64>,
    /// Whether it was rolled back from, and not made live since.
    pub rolled_back: bool,
    /// What its worker is started with.
    pub spec_hash: Digest,
    /// See [`ReleaseState`].
    pub state: ReleaseState,
}

const COLUMNS: &str = "app, version, digest, config_revision, preview, expires_ms, created_ms, promoted_ms, \
                       rolled_back, spec_hash, state, env_scope";

impl ReleaseState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
        }
    }
}

impl ReleaseRecord {
    /// Name and end (in milliseconds since the Unix epoch) of the preview that it is. One that was live once is a plain
    /// release from then on; its preview name still leads to it.
    #[must_use]
    pub fn as_preview(&self) -> Option<(&Version, u64)> {
        let (name, expires_ms) = (self.preview.as_ref()?, self.expires_ms?);
        self.promoted_ms.is_none().then_some((name, expires_ms))
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let millis = |index| row.get::<_, Option<i64>>(index).map(|value| value.map(i64::cast_unsigned));
        // The table's CHECKs leave no third state, and no third scope.
        let pending = row.get_ref(10)?.as_str()? == ReleaseState::Pending.as_str();
        let of_previews = row.get_ref(11)?.as_str()? == EnvScope::Preview.as_str();
        Ok(Self {
            id: ReleaseId::new(parsed(row, 0)?, parsed(row, 1)?),
            digest: parsed(row, 2)?,
            config_revision: from_integer(row, 3)?,
            preview: parsed_option(row, 4)?,
            expires_ms: millis(5)?,
            created_ms: from_integer(row, 6)?,
            promoted_ms: millis(7)?,
            rolled_back: row.get(8)?,
            spec_hash: parsed(row, 9)?,
            state: if pending { ReleaseState::Pending } else { ReleaseState::Ready },
            env_scope: if of_previews { EnvScope::Preview } else { EnvScope::Production },
        })
    }
}

impl Store {
    /// Records a release (and its app, if that is new).
    ///
    /// # Errors
    /// [`StoreError::Exists`]; see [`StoreError`].
    pub fn insert_release(&self, release: &ReleaseRecord) -> Result<(), StoreError> {
        self.insert_release_as(&release.id.app, |_| release.clone()).map(drop)
    }

    /// As [`Store::insert_release`], for a release that is made of the newest revision of its app's values: no change of them comes
    /// in between. Gives what is recorded.
    ///
    /// # Errors
    /// As [`Store::insert_release`].
    pub fn insert_release_as(
        &self,
        app: &AppName,
        with_newest: impl Fn(u64) -> ReleaseRecord,
    ) -> Result<ReleaseRecord, StoreError> {
        self.audited("record the release", |transaction| {
            ensure_app(transaction, app)?;
            let release = with_newest(env::revision(transaction, app)?);
            if insert(transaction, &release)? == 0 {
                return Err(StoreError::Exists(release.id).into());
            }
            let preview =
                release.preview.as_ref().map(|name| format!(", preview {name}")).unwrap_or_default();
            let detail = format!("bundle {}{preview}", release.digest);
            let came =
                if release.state == ReleaseState::Ready { AuditResult::Done } else { AuditResult::Begun };
            let event = event(&release.id, AuditAction::Deploy, Some(detail), came);
            Ok((release, Some(event)))
        })
    }

    /// One release.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn release(&self, release: &ReleaseId) -> Result<Option<ReleaseRecord>, StoreError> {
        self.read("read the release", |connection| {
            let sql = format!("SELECT {COLUMNS} FROM releases WHERE app = ?1 AND version = ?2");
            let key = [release.app.as_str(), release.version.as_str()];
            connection.prepare_cached(&sql)?.query_row(key, ReleaseRecord::from_row).optional()
        })
    }

    /// Releases of an app, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn releases(&self, app: &AppName) -> Result<Vec<ReleaseRecord>, StoreError> {
        self.read("list the releases", |connection| {
            let sql = format!("SELECT {COLUMNS} FROM releases WHERE app = ?1 ORDER BY seq DESC");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map([app.as_str()], ReleaseRecord::from_row)?.collect()
        })
    }

    /// Forgets a release and the revisions of the environment that only it used; and its app, when nothing else is left
    /// of that. An unknown release is no error.
    ///
    /// # Errors
    /// [`StoreError::Live`]; see [`StoreError`].
    pub fn delete_release(&self, release: &ReleaseId) -> Result<(), StoreError> {
        self.audited("forget the release", |transaction| {
            let (app, version) = (release.app.as_str(), release.version.as_str());
            let live: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM apps WHERE name = ?1 AND live = ?2
                 UNION ALL SELECT 1 FROM splits WHERE app = ?1 AND version = ?2)",
                [app, version],
                |row| row.get(0),
            )?;
            if live {
                return Err(StoreError::Live(release.clone()).into());
            }
            let state: Option<String> = transaction
                .query_row(
                    "DELETE FROM releases WHERE app = ?1 AND version = ?2 RETURNING state",
                    [app, version],
                    |row| row.get(0),
                )
                .optional()?;
            env::prune(transaction, &release.app)?;
            transaction.execute(
                "DELETE FROM apps WHERE name = ?1 AND live IS NULL AND env_revision = 0
                 AND NOT EXISTS (SELECT 1 FROM releases WHERE app = ?1)
                 AND NOT EXISTS (SELECT 1 FROM promotions WHERE app = ?1)",
                [app],
            )?;
            let gone = state.map(|state| {
                if state == ReleaseState::Pending.as_str() {
                    event(release, AuditAction::Deploy, None, AuditResult::Undone)
                } else {
                    event(release, AuditAction::Remove, None, AuditResult::Done)
                }
            });
            Ok(((), gone))
        })
    }

    /// Records how far a release has come.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn set_state(&self, release: &ReleaseId, state: ReleaseState) -> Result<(), StoreError> {
        self.audited("record how far the release has come", |transaction| {
            set_column(transaction, release, "state", &state.as_str())?;
            let ready = state == ReleaseState::Ready;
            Ok(((), ready.then(|| event(release, AuditAction::Deploy, None, AuditResult::Done))))
        })
    }

    /// Notes the newest revision of the values, which the release is about to be started with: it is kept for the release from now on, and
    /// what that sees from when users get it. Gives the revision.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn note_newest(&self, release: &ReleaseId) -> Result<u64, StoreError> {
        self.write("note the values of the release", |transaction| {
            let newest = env::revision(transaction, &release.app)?;
            set_column(transaction, release, "next_revision", &to_integer(newest))?;
            Ok(newest)
        })
    }

    /// Records the revision of the values of previews that a release sees from now on.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn set_values(&self, release: &ReleaseId, revision: u64) -> Result<(), StoreError> {
        self.audited("record the values of the release", |transaction| {
            set_column(transaction, release, "config_revision", &to_integer(revision))?;
            let detail = format!("changed values of previews, revision {revision}");
            Ok(((), Some(event(release, AuditAction::Deploy, Some(detail), AuditResult::Done))))
        })
    }

    /// Digests that some release names; a bundle that is not among them can be removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn digests(&self) -> Result<BTreeSet<Digest>, StoreError> {
        self.read("list the bundles in use", |connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT digest FROM releases")?;
            statement.query_map([], |row| parsed(row, 0))?.collect()
        })
    }
}

/// Gives how many rows that made: none if there is such a release.
fn insert(transaction: &Transaction<'_>, release: &ReleaseRecord) -> rusqlite::Result<usize> {
    transaction.execute(
        &format!(
            "INSERT OR IGNORE INTO releases ({COLUMNS}) VALUES (:app, :version, :digest, :config_revision,
             :preview, :expires_ms, :created_ms, :promoted_ms, :rolled_back, :spec_hash, :state, :env_scope)"
        ),
        named_params! {
            ":app": release.id.app.as_str(),
            ":version": release.id.version.as_str(),
            ":digest": release.digest.to_string(),
            ":config_revision": to_integer(release.config_revision),
            ":preview": release.preview.as_ref().map(Version::as_str),
            ":expires_ms": release.expires_ms.map(to_integer),
            ":created_ms": to_integer(release.created_ms),
            ":promoted_ms": release.promoted_ms.map(to_integer),
            ":rolled_back": release.rolled_back,
            ":spec_hash": release.spec_hash.to_string(),
            ":state": release.state.as_str(),
            ":env_scope": release.env_scope.as_str(),
        },
    )
}

fn set_column(
    transaction: &Transaction<'_>,
    release: &ReleaseId,
    column: &'static str,
    value: &dyn ToSql,
) -> Result<(), Fault> {
    let changed = transaction.execute(
        &format!("UPDATE releases SET {column} = ?3 WHERE app = ?1 AND version = ?2"),
        params![release.app.as_str(), release.version.as_str(), value],
    )?;
    if changed == 0 { Err(StoreError::NoRelease(release.clone()).into()) } else { Ok(()) }
}

/// Users get a release from now on, all of them or a share. One that was pending is ready then, and the revision of the
/// environment that was drafted for it is the newest. It sees production's values from then on. Gives the records of both.
pub(super) fn given_users(
    transaction: &Transaction<'_>,
    ring: &Keyring,
    release: &ReleaseId,
    at_ms: u64,
) -> Result<Vec<Event>, Fault> {
    if removed::is_removed(transaction, &release.app)? {
        return Err(StoreError::NoRelease(release.clone()).into());
    }
    let (app, version) = (release.app.as_str(), release.version.as_str());
    let mut events = readied(transaction, release)?;
    let given = transaction.execute(
        "UPDATE releases SET promoted_ms = ?3, rolled_back = 0, state = 'ready', env_scope = 'production',
         config_revision = coalesce(next_revision, config_revision), next_revision = NULL
         WHERE app = ?1 AND version = ?2",
        params![app, version, to_integer(at_ms)],
    )?;
    if given == 0 {
        return Err(StoreError::NoRelease(release.clone()).into());
    }
    had_users::note(transaction, release, at_ms)?;
    events.extend(env::taking_effect(transaction, ring, release)?);
    transaction.execute(
        "UPDATE apps SET env_revision = max(env_revision,
         (SELECT config_revision FROM releases WHERE app = ?1 AND version = ?2)) WHERE name = ?1",
        [app, version],
    )?;
    Ok(events)
}

/// The record that a release is taken in, for one that becomes so by being given users.
fn readied(transaction: &Transaction<'_>, release: &ReleaseId) -> rusqlite::Result<Vec<Event>> {
    let pending: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM releases WHERE app = ?1 AND version = ?2 AND state = 'pending')",
        [release.app.as_str(), release.version.as_str()],
        |row| row.get(0),
    )?;
    Ok(if pending { vec![event(release, AuditAction::Deploy, None, AuditResult::Done)] } else { Vec::new() })
}

fn event(release: &ReleaseId, what: AuditAction, detail: Option<String>, came: AuditResult) -> Event {
    Event { what, app: Some(release.app.clone()), version: Some(release.version.clone()), detail, came }
}
