//! Files with routing rules that operators have set: the newest is in force, the others are there to go back to.

use super::transaction::{from_integer, to_integer};
use super::{Settled, Store, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::clock::Clock;
use vitrine_core::limits::ROUTES_REVISIONS_MAX;

/// A file with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRecord {
    /// Its number: 1, 2, 3… Numbers are not used again.
    pub revision: u64,
    /// Its text.
    pub text: String,
    /// When it was set, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// By whom: `root` or `token:NAME`.
    pub who: String,
}

/// What was in force before the newest file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutingBefore {
    /// No file was set.
    Nothing,
    /// It is not kept any more.
    Forgotten,
    /// The rules of `vitrine.toml`.
    File,
    /// This file.
    Record(RoutingRecord),
}

/// Key of the note that the oldest files are not kept any more.
const DROPPED: &str = "routing_dropped";

impl Store {
    /// Records a file with rules as the one in force. `detail` is for the audit log.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_routing(&self, text: &str, detail: &str) -> Result<RoutingRecord, StoreError> {
        let (at_ms, who) = (Clock::system().now_ms(), self.actor().to_string());
        self.audited("record the routing rules", |transaction| {
            transaction.execute(
                "INSERT INTO routing (text, at_ms, who) VALUES (?1, ?2, ?3)",
                params![text, to_integer(at_ms), who],
            )?;
            let revision = u64::try_from(transaction.last_insert_rowid()).unwrap_or_default();
            let dropped = transaction.execute(
                "DELETE FROM routing WHERE revision NOT IN (SELECT revision FROM routing ORDER BY revision DESC LIMIT ?1)",
                [ROUTES_REVISIONS_MAX],
            )?;
            if dropped > 0 {
                transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, '1')", [DROPPED])?;
            }
            self.settle_key(transaction, &Settled::Routed)?;
            let record = RoutingRecord { revision, text: text.to_owned(), at_ms, who: who.clone() };
            let detail = format!("revision {revision}: {detail}");
            Ok((record, Some(Event::of_host(AuditAction::RoutesSet, Some(detail), AuditResult::Done))))
        })
    }

    /// Drops the file in force, and gives its number; none if none was set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn undo_routing(&self) -> Result<Option<u64>, StoreError> {
        self.audited("undo the routing rules", |transaction| {
            let Some(newest) = select(transaction, 0)? else { return Ok((None, None)) };
            transaction.execute("DELETE FROM routing WHERE revision = ?1", [to_integer(newest.revision)])?;
            self.settle_key(transaction, &Settled::Routed)?;
            let back_to = select(transaction, 0)?.map_or_else(
                || "those of vitrine.toml are in force".to_owned(),
                |record| format!("revision {} is in force", record.revision),
            );
            let detail = Some(format!("revision {} undone; {back_to}", newest.revision));
            let event = Event::of_host(AuditAction::RoutesRollback, detail, AuditResult::Done);
            Ok((Some(newest.revision), Some(event)))
        })
    }

    /// Drops all files that were set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn reset_routing(&self) -> Result<(), StoreError> {
        self.audited("reset the routing rules", |transaction| {
            transaction.execute("DELETE FROM routing", [])?;
            transaction.execute("DELETE FROM meta WHERE key = ?1", [DROPPED])?;
            let detail = Some("those of vitrine.toml are in force".to_owned());
            Ok(((), Some(Event::of_host(AuditAction::RoutesReset, detail, AuditResult::Done))))
        })
    }

    /// What [`Store::undo_routing`] would leave in force.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn routing_before(&self) -> Result<RoutingBefore, StoreError> {
        self.read("read the routing rules", |connection| {
            if select(connection, 0)?.is_none() {
                return Ok(RoutingBefore::Nothing);
            }
            if let Some(before) = select(connection, 1)? {
                return Ok(RoutingBefore::Record(before));
            }
            let dropped =
                connection.prepare_cached("SELECT 1 FROM meta WHERE key = ?1")?.exists([DROPPED])?;
            Ok(if dropped { RoutingBefore::Forgotten } else { RoutingBefore::File })
        })
    }

    /// The file in force, if one was set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn routing(&self) -> Result<Option<RoutingRecord>, StoreError> {
        self.read("read the routing rules", |connection| select(connection, 0))
    }
}

/// The newest file, or one that is `older` by so many.
fn select(connection: &Connection, older: u32) -> rusqlite::Result<Option<RoutingRecord>> {
    connection
        .prepare_cached(
            "SELECT revision, text, at_ms, who FROM routing ORDER BY revision DESC LIMIT 1 OFFSET ?1",
        )?
        .query_row([older], from_row)
        .optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RoutingRecord> {
    let (text, who) = (row.get(1)?, row.get(3)?);
    Ok(RoutingRecord { revision: from_integer(row, 0)?, text, at_ms: from_integer(row, 2)?, who })
}
