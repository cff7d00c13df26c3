//! Records of the audit log, each in the transaction of the change that it is about.

use super::transaction::{Fault, from_integer, to_integer};
use super::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::path::Path;
use vitrine_core::audit::{AuditAction, AuditHead, AuditRecord, AuditResult, Event};
use vitrine_core::clock::Clock;
use vitrine_core::failpoint;
use vitrine_core::limits::AUDIT_PAGE_RECORDS_MAX;
use vitrine_core::scope::Actor;

/// Fact about the host that holds the end of the log.
const HEAD: &str = "audit_head";

impl Store {
    /// The same store, for changes of this one.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self(self.0.clone(), actor, None)
    }

    /// Who its changes are recorded as.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.1
    }

    /// Records something that changes nothing else in the store.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn record_event(&self, event: &Event) -> Result<(), StoreError> {
        self.audited("write the audit log", |_| Ok(((), Some(event.clone()))))
    }

    /// Records that the host begins to serve, and how the one before it ended: it was upgraded to this one, stopped, or crashed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn record_start(&self, detail: &str, is_upgrade: bool) -> Result<(), StoreError> {
        self.audited("write the audit log", |transaction| {
            let last: Option<String> = transaction
                .query_row(
                    "SELECT what FROM audit WHERE what IN (?1, ?2) ORDER BY seq DESC LIMIT 1",
                    [AuditAction::Start.as_str(), AuditAction::Stop.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            let after = match last {
                _ if is_upgrade => "after an upgrade",
                None => "the first start",
                Some(last) if last == AuditAction::Stop.as_str() => "after a stop",
                Some(_) => "after a crash",
            };
            let detail = format!("{detail}, {after}");
            Ok(((), Some(Event::of_host(AuditAction::Start, Some(detail), AuditResult::Done))))
        })
    }

    /// As [`Store::write`], with the record of the change in the same transaction: neither is there without the other.
    pub(super) fn audited<T, E: IntoIterator<Item = Event>>(
        &self,
        operation: &'static str,
        run: impl Fn(&Transaction<'_>) -> Result<(T, E), Fault>,
    ) -> Result<T, StoreError> {
        self.audited_on(&mut self.connection(), operation, run)
    }

    /// As [`Store::audited`], for a caller that holds the connection.
    pub(super) fn audited_on<T, E: IntoIterator<Item = Event>>(
        &self,
        connection: &mut Connection,
        operation: &'static str,
        run: impl Fn(&Transaction<'_>) -> Result<(T, E), Fault>,
    ) -> Result<T, StoreError> {
        let (value, records) = self.write_on(connection, operation, |transaction| {
            let (value, events) = run(transaction)?;
            let path = self.0.layout.database();
            let appended = events.into_iter().map(|event| append(transaction, &path, self.1.clone(), event));
            Ok((value, appended.collect::<Result<Vec<_>, _>>()?))
        })?;
        for record in records.into_iter().flatten() {
            let AuditRecord { seq, who, what, app, version, detail, result, hash, .. } = record;
            tracing::info!(target: "vitrine::audit", seq, who, what, app, version, detail, result, hash, "recorded");
        }
        Ok(value)
    }

    /// Records behind `after`, oldest first, at most [`AUDIT_PAGE_RECORDS_MAX`], and the end of the log.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn audit(&self, after: u64) -> Result<(Vec<AuditRecord>, AuditHead), StoreError> {
        self.read("read the audit log", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, at_ms, who, what, app, version, detail, result, hash FROM audit WHERE seq > ?1
                 ORDER BY seq LIMIT ?2",
            )?;
            let rows = statement.query_map(params![to_integer(after), AUDIT_PAGE_RECORDS_MAX], from_row)?;
            let records = rows.collect::<rusqlite::Result<_>>()?;
            Ok((records, head(connection)?.unwrap_or_else(AuditHead::empty)))
        })
    }
}

/// Appends a record of what this actor did to the log of the database at `path`.
pub(super) fn append(
    transaction: &Transaction<'_>,
    path: &Path,
    actor: Actor,
    event: Event,
) -> Result<Option<AuditRecord>, Fault> {
    match failpoint::at("audit.append") {
        Some(failpoint::Fault::Error) => {
            let path = path.to_owned();
            let source = Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
            return Err(StoreError::DiskFull { operation: "write the audit log", path, source }.into());
        }
        Some(failpoint::Fault::Skip) => return Ok(None),
        None => {}
    }
    let before = head(transaction)?.unwrap_or_else(AuditHead::empty);
    let mut record = AuditRecord {
        seq: before.seq + 1,
        at_ms: Clock::system().now_ms(),
        who: actor.to_string(),
        what: event.what.as_str().into(),
        app: event.app.map(String::from),
        version: event.version.map(String::from),
        detail: event.detail,
        result: event.came.as_str().into(),
        hash: String::new(),
    };
    record.hash = record.expected_hash(&before.hash);
    transaction.execute(
        "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            to_integer(record.seq),
            to_integer(record.at_ms),
            record.who,
            record.what,
            record.app,
            record.version,
            record.detail,
            record.result,
            record.hash,
        ],
    )?;
    let end = record.head().to_string();
    transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [HEAD, &end])?;
    Ok(Some(record))
}

/// A corrupt head is treated as missing, so that verification fails.
fn head(connection: &Connection) -> rusqlite::Result<Option<AuditHead>> {
    let text: Option<String> =
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [HEAD], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    let text = |index: usize| -> rusqlite::Result<Option<String>> {
        // What somebody made of a text is shown as far as it is one; it fits its hash in no case.
        Ok(row.get_ref(index)?.as_bytes_or_null()?.map(|bytes| {
            String::from_utf8(bytes.to_vec())
                .unwrap_or_else(|_| format!("{} (no text)", String::from_utf8_lossy(bytes)))
        }))
    };
    let needed = |index: usize| text(index).map(Option::unwrap_or_default);
    Ok(AuditRecord {
        seq: from_integer(row, 0)?,
        // A time before 1970 was never written.
        at_ms: row.get::<_, i64>(1)?.cast_unsigned(),
        who: needed(2)?,
        what: needed(3)?,
        app: text(4)?,
        version: text(5)?,
        detail: text(6)?,
        result: needed(7)?,
        hash: needed(8)?,
    })
}
