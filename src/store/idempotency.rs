//! Answers to requests that may be sent twice (`Idempotency-Key`). Each token has keys of its own: none takes another's, reads its
//! answers, or pushes them out.
//!
//! A change that must not be made twice settles its key in its own transaction ([`Settled`]). The answer is recorded after that: when the
//! host ends in between, the same request gets its answer from what was settled.

use super::reseal::Rotated;
use super::transaction::{Fault, to_integer};
use super::{Store, StoreError};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vitrine_core::id::{Digest, Version};
use vitrine_core::limits::{IDEMPOTENCY_BODY_BYTES_MAX, IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_KEYS_MAX};

/// What a key means when a request comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// New: do it, then call `finish_idempotent` or `abandon_idempotent`.
    New,
    /// The same request runs now.
    Running,
    /// The same request was answered like this.
    Done {
        /// HTTP status.
        status: u16,
        /// Body.
        body: Vec<u8>,
    },
    /// The same request has changed this, and the host ended before it answered.
    Settled(Settled),
    /// Another request came with this key.
    Mismatch,
}

/// What the request of a key has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// Routing rules were set or undone.
    Routed,
    /// A release was made live.
    Switched {
        /// By the change of this epoch.
        epoch: u64,
    },
    /// A release was given a share of the users.
    Shared {
        /// Which.
        version: Version,
        /// Percent.
        weight: u8,
        /// Epoch of the change.
        epoch: u64,
    },
    /// A removed app was brought back.
    Restored,
    /// Values are encrypted under another key.
    KeyRotated(Rotated),
}

impl Store {
    /// The same store, for the change that the request with this key asks for.
    #[must_use]
    pub fn once(&self, key: &str) -> Self {
        Self(Arc::clone(&self.0), self.1.clone(), Some(key.into()))
    }

    /// Records in the transaction of a change what it does for the key of its request, if it came with one.
    pub(super) fn settle_key(&self, transaction: &Transaction<'_>, settled: &Settled) -> Result<(), Fault> {
        let Some(key) = &self.2 else { return Ok(()) };
        let settled = serde_json::to_string(settled).expect("plain data always serializes");
        transaction.execute(
            "UPDATE idempotency SET settled = ?3 WHERE who = ?1 AND key = ?2",
            params![self.1.to_string(), &**key, settled],
        )?;
        Ok(())
    }

    /// Looks a key up, and takes it if it is new. Keys are forgotten after a day, and at a restart those whose request has neither
    /// an answer nor changed anything.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn begin_idempotent(&self, key: &str, request: Digest, now_ms: u64) -> Result<Begun, StoreError> {
        let who = self.1.to_string();
        self.write("look up the idempotency key", |transaction| {
            let request = self.0.requests_key.blind(request);
            let oldest_ms = to_integer(now_ms.saturating_sub(IDEMPOTENCY_KEPT_MS));
            transaction.execute("DELETE FROM idempotency WHERE at_ms < ?1", [oldest_ms])?;
            let known = transaction
                .query_row(
                    "SELECT request, status, body, settled, orphaned FROM idempotency WHERE who = ?1 AND key = ?2",
                    [&who, key],
                    |row| Ok((row.get::<_, String>(0)?, begun(row)?)),
                )
                .optional()?;
            match known {
                Some((known, _)) if known != request => return Ok(Begun::Mismatch),
                Some((_, begun)) => return Ok(begun),
                None => {}
            }
            transaction.execute(
                "INSERT INTO idempotency (who, key, request, at_ms) VALUES (?1, ?2, ?3, ?4)",
                params![who, key, request, to_integer(now_ms)],
            )?;
            transaction.execute(
                "DELETE FROM idempotency WHERE who = ?1 AND key IN (SELECT key FROM idempotency
                 WHERE who = ?1 AND status IS NOT NULL ORDER BY at_ms DESC, rowid DESC LIMIT -1 OFFSET ?2)",
                params![who, IDEMPOTENCY_KEYS_MAX],
            )?;
            Ok(Begun::New)
        })
    }

    /// Records the answer. One that is longer than its bound is not kept, as with [`Store::abandon_idempotent`].
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn finish_idempotent(&self, key: &str, status: u16, body: &[u8]) -> Result<(), StoreError> {
        if body.len() > IDEMPOTENCY_BODY_BYTES_MAX {
            return self.abandon_idempotent(key);
        }
        let who = self.1.to_string();
        self.write("record the answer to the idempotency key", |transaction| {
            transaction.execute(
                "UPDATE idempotency SET status = ?3, body = ?4 WHERE who = ?1 AND key = ?2",
                params![who, key, status, body],
            )?;
            Ok(())
        })
    }

    /// Nobody works on the request of a key any more, and it has no answer that is kept. The key is free again, unless the request has
    /// changed something: the same request gets its answer from that.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn abandon_idempotent(&self, key: &str) -> Result<(), StoreError> {
        let who = self.1.to_string();
        self.write("free the idempotency key", |transaction| {
            let of_key = "who = ?1 AND key = ?2 AND status IS NULL";
            transaction.execute(
                &format!("UPDATE idempotency SET orphaned = 1 WHERE {of_key} AND settled IS NOT NULL"),
                [&who, key],
            )?;
            transaction.execute(
                &format!("DELETE FROM idempotency WHERE {of_key} AND settled IS NULL"),
                [&who, key],
            )?;
            Ok(())
        })
    }

    /// At the start of a host: no process works on unanswered requests any more. Those that changed nothing may be sent again.
    pub(super) fn forget_unanswered(&self) -> Result<(), StoreError> {
        self.write("forget unanswered requests", |transaction| {
            transaction.execute("DELETE FROM idempotency WHERE status IS NULL AND settled IS NULL", [])?;
            transaction.execute("UPDATE idempotency SET orphaned = 1 WHERE status IS NULL", [])?;
            Ok(())
        })
    }
}

/// What is known of a request, from its row's status, body, settled and orphaned.
fn begun(row: &Row<'_>) -> rusqlite::Result<Begun> {
    if let Some(status) = row.get(1)? {
        let body: Option<Vec<u8>> = row.get(2)?;
        return Ok(Begun::Done { status, body: body.unwrap_or_default() });
    }
    let (settled, is_orphaned): (Option<String>, bool) = (row.get(3)?, row.get(4)?);
    let Some(settled) = settled.filter(|_| is_orphaned) else { return Ok(Begun::Running) };
    let settled = serde_json::from_str(&settled)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error.into()))?;
    Ok(Begun::Settled(settled))
}
