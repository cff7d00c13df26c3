//! The database's tables, as steps from an empty file to the present form.

use super::StoreError;
use super::transaction::sqlite_error;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeSet;
use std::path::Path;
use vitrine_core::clock::Clock;
use vitrine_core::failpoint;

/// Each step is applied once, in order, in a transaction of its own. A step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE meta (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE apps (
        name         TEXT PRIMARY KEY,
        live         TEXT,
        env_revision INTEGER NOT NULL DEFAULT 0,
        FOREIGN KEY (name, live) REFERENCES releases (app, version) DEFERRABLE INITIALLY DEFERRED
    ) STRICT;

    CREATE TABLE releases (
        seq             INTEGER PRIMARY KEY AUTOINCREMENT,
        app             TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        version         TEXT NOT NULL,
        digest          TEXT NOT NULL,
        config_revision INTEGER NOT NULL,
        preview         TEXT,
        expires_ms      INTEGER,
        created_ms      INTEGER NOT NULL,
        promoted_ms     INTEGER,
        rolled_back     INTEGER NOT NULL CHECK (rolled_back IN (0, 1)),
        spec_hash       TEXT NOT NULL,
        instance        TEXT,
        state           TEXT NOT NULL CHECK (state IN ('pending', 'ready')),
        UNIQUE (app, version)
    ) STRICT;

    CREATE TABLE promotions (
        epoch        INTEGER PRIMARY KEY,
        app          TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        version      TEXT NOT NULL,
        from_version TEXT,
        kind         TEXT NOT NULL CHECK (kind IN ('promote', 'rollback')),
        at_ms        INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX promotions_of_app ON promotions (app, epoch);

    CREATE TABLE env (
        app        TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        revision   INTEGER NOT NULL,
        name       TEXT NOT NULL,
        value      TEXT NOT NULL,
        secret     INTEGER NOT NULL CHECK (secret IN (0, 1)),
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (app, revision, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE idempotency (
        key     TEXT PRIMARY KEY,
        request TEXT NOT NULL,
        status  INTEGER,
        body    BLOB,
        at_ms   INTEGER NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE splits (
        app     TEXT PRIMARY KEY REFERENCES apps (name) ON DELETE CASCADE,
        version TEXT NOT NULL,
        weight  INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 99),
        FOREIGN KEY (app, version) REFERENCES releases (app, version) ON DELETE CASCADE
    ) STRICT;
",
    "
    CREATE TABLE deployments (
        app            TEXT PRIMARY KEY REFERENCES apps (name) ON DELETE CASCADE,
        version        TEXT NOT NULL,
        previous       TEXT,
        stage          TEXT NOT NULL,
        status         TEXT NOT NULL,
        reason         TEXT,
        begun_ms       INTEGER NOT NULL,
        baseline       TEXT NOT NULL,
        newest_deploy  INTEGER,
        newest_version TEXT
    ) STRICT;

    CREATE TABLE bad_releases (
        app     TEXT NOT NULL,
        version TEXT NOT NULL,
        reason  TEXT NOT NULL,
        PRIMARY KEY (app, version),
        FOREIGN KEY (app, version) REFERENCES releases (app, version) ON DELETE CASCADE
    ) STRICT;
",
    "
    CREATE TABLE tokens (
        name       TEXT PRIMARY KEY,
        sha256     TEXT NOT NULL UNIQUE,
        apps       TEXT NOT NULL,
        verbs      TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        expires_ms INTEGER
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE audit (
        seq     INTEGER PRIMARY KEY,
        at_ms   INTEGER NOT NULL,
        who     TEXT NOT NULL,
        what    TEXT NOT NULL,
        app     TEXT,
        version TEXT,
        detail  TEXT,
        result  TEXT NOT NULL,
        hash    TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE signed (
        app      TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL,
        version  TEXT NOT NULL,
        digest   TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE held_names (
        app TEXT PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE scoped_env (
        app        TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        revision   INTEGER NOT NULL,
        scope      TEXT NOT NULL CHECK (scope IN ('production', 'preview')),
        name       TEXT NOT NULL,
        value      TEXT NOT NULL,
        secret     INTEGER NOT NULL CHECK (secret IN (0, 1)),
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (app, revision, scope, name)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO scoped_env SELECT app, revision, 'production', name, value, secret, updated_ms FROM env;
    DROP TABLE env;
    ALTER TABLE scoped_env RENAME TO env;

    ALTER TABLE releases ADD COLUMN env_scope TEXT NOT NULL DEFAULT 'production'
        CHECK (env_scope IN ('production', 'preview'));
    UPDATE releases SET env_scope = 'preview' WHERE preview IS NOT NULL AND promoted_ms IS NULL;
",
    "
    ALTER TABLE releases ADD COLUMN next_revision INTEGER;
",
    "
    DROP TABLE idempotency;
    CREATE TABLE idempotency (
        who     TEXT NOT NULL,
        key     TEXT NOT NULL,
        request TEXT NOT NULL,
        status  INTEGER,
        body    BLOB,
        at_ms   INTEGER NOT NULL,
        PRIMARY KEY (who, key)
    ) STRICT;
",
    // Values are encrypted once the keys are known; until then they have none, and `scrub` says what is left to do. The digest of a
    // request is recorded under a key, too, from here on.
    "
    CREATE TABLE sealed_env (
        app        TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        revision   INTEGER NOT NULL,
        scope      TEXT NOT NULL CHECK (scope IN ('production', 'preview')),
        name       TEXT NOT NULL,
        value      BLOB NOT NULL,
        key        TEXT NOT NULL,
        secret     INTEGER NOT NULL CHECK (secret IN (0, 1)),
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (app, revision, scope, name)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO sealed_env SELECT app, revision, scope, name, CAST(value AS BLOB), '', secret, updated_ms FROM env;
    DROP TABLE env;
    ALTER TABLE sealed_env RENAME TO env;
    DELETE FROM idempotency;
    INSERT OR REPLACE INTO meta SELECT 'scrub', '1' WHERE EXISTS (SELECT 1 FROM apps);
",
    "
    CREATE TABLE removed (
        app   TEXT PRIMARY KEY REFERENCES apps (name) ON DELETE CASCADE,
        at_ms INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE bad_releases ADD COLUMN pardoned_by TEXT;
    ALTER TABLE bad_releases ADD COLUMN pardoned_ms INTEGER;
",
    "
    ALTER TABLE env ADD COLUMN granted INTEGER NOT NULL DEFAULT 0 CHECK (granted IN (0, 1));
",
    "
    ALTER TABLE removed ADD COLUMN who TEXT NOT NULL DEFAULT 'root';
    UPDATE removed SET who = coalesce((SELECT audit.who FROM audit WHERE audit.app = removed.app AND what = 'remove'
        AND version IS NULL AND result = 'done' ORDER BY seq DESC LIMIT 1), who);
",
    // What users had under a name that is gone by now is not known, but that they had it.
    "
    CREATE TABLE had_users (
        app     TEXT NOT NULL,
        version TEXT NOT NULL,
        digest  TEXT,
        at_ms   INTEGER NOT NULL,
        PRIMARY KEY (app, version)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO had_users SELECT app, version, digest, promoted_ms FROM releases WHERE promoted_ms IS NOT NULL;
    INSERT OR IGNORE INTO had_users SELECT app, version, NULL, max(at_ms) FROM promotions GROUP BY app, version;
",
    "
    CREATE TABLE instances (
        seq       INTEGER PRIMARY KEY,
        id        TEXT NOT NULL UNIQUE,
        app       TEXT NOT NULL,
        version   TEXT NOT NULL,
        spec_hash TEXT NOT NULL,
        config_revision INTEGER NOT NULL,
        env_scope TEXT NOT NULL CHECK (env_scope IN ('production', 'preview')),
        FOREIGN KEY (app, version) REFERENCES releases (app, version) ON DELETE CASCADE
    ) STRICT;
    INSERT INTO instances (id, app, version, spec_hash, config_revision, env_scope)
        SELECT instance, app, version, spec_hash, config_revision, env_scope FROM releases WHERE instance IS NOT NULL;
    ALTER TABLE releases DROP COLUMN instance;

    CREATE TABLE scales (
        app TEXT PRIMARY KEY REFERENCES apps (name) ON DELETE CASCADE,
        min INTEGER NOT NULL CHECK (min >= 1),
        max INTEGER NOT NULL CHECK (max >= min)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE idempotency ADD COLUMN settled TEXT;
    ALTER TABLE idempotency ADD COLUMN orphaned INTEGER NOT NULL DEFAULT 0 CHECK (orphaned IN (0, 1));
",
    "
    CREATE TABLE acme (
        name  TEXT PRIMARY KEY,
        key   TEXT NOT NULL,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE routing (
        revision INTEGER PRIMARY KEY AUTOINCREMENT,
        text     TEXT NOT NULL,
        at_ms    INTEGER NOT NULL,
        who      TEXT NOT NULL
    ) STRICT;
",
];

/// Brings the database to the present form.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found =
        applied(connection).map_err(|source| sqlite_error("read the schema version", path, source))?;
    refuse_newer(found, path)?;
    for (index, step) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        apply(connection, index as i64 + 1, step)
            .map_err(|source| sqlite_error("bring the database to the present form", path, source))?;
    }
    Ok(())
}

fn refuse_newer(found: u32, path: &Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as u32;
    if found > known { Err(StoreError::Newer { path: path.to_owned(), found, known }) } else { Ok(()) }
}

/// Whether a database that may only be read is in the present form; an earlier one is not.
pub(super) fn is_present(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let found =
        recorded(connection).map_err(|source| sqlite_error("read the schema version", path, source))?;
    refuse_newer(found, path)?;
    Ok(found as usize == MIGRATIONS.len())
}

/// Refuses a database that has anything but the tables and indexes of its version: a trigger or a view in it would have a hand in
/// every statement from here on.
pub(super) fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| sqlite_error("read the schema", path, source);
    let found = objects(connection).map_err(failed)?;
    let steps = applied(connection).map_err(failed)?;
    if steps as usize > MIGRATIONS.len() {
        // Bringing it to the present form refuses it, and says why.
        return Ok(());
    }
    let mut expected = Connection::open_in_memory().map_err(failed)?;
    applied(&expected).map_err(failed)?;
    for (index, step) in MIGRATIONS.iter().enumerate().take(steps as usize) {
        apply(&mut expected, index as i64 + 1, step).map_err(failed)?;
    }
    let expected = objects(&expected).map_err(failed)?;
    let strange = found.symmetric_difference(&expected).next();
    strange.map_or(Ok(()), |(kind, name, _)| {
        let detail = format!("its {kind} `{name}` is none that Vitrine makes");
        Err(StoreError::Corrupt { path: path.to_owned(), detail })
    })
}

/// Kind, name and definition of all that a database has. What SQLite puts around names, and how it breaks lines, differs.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String, String)>> {
    let mut select = connection.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_master")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
    rows.map(|row| {
        row.map(|(kind, name, mut sql)| {
            sql.retain(|letter| letter != '"' && !letter.is_whitespace());
            (kind, name, sql)
        })
    })
    .collect()
}

/// A database of an earlier version, for tests: the first steps alone.
#[cfg(test)]
pub(super) fn make_earlier(connection: &mut Connection, steps: usize) {
    applied(connection).unwrap();
    for (index, step) in MIGRATIONS.iter().enumerate().take(steps) {
        apply(connection, index as i64 + 1, step).unwrap();
    }
}

fn applied(connection: &Connection) -> rusqlite::Result<u32> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_ms INTEGER NOT NULL) STRICT",
    )?;
    recorded(connection)
}

fn recorded(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT coalesce(max(version), 0) FROM migrations", [], |row| row.get(0))
}

fn apply(connection: &mut Connection, version: i64, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    let now_ms = Clock::system().now_ms() as i64;
    transaction.execute("INSERT INTO migrations VALUES (?1, ?2)", [version, now_ms])?;
    failpoint::at("migration.commit");
    transaction.commit()?;
    failpoint::at("migration.done");
    Ok(())
}
