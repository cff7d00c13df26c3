//! Answers to requests that may be sent twice (`Idempotency-Key`). Each token has keys of its own: none takes another's, reads its
//! answers, or pushes them out.

use super::transaction::to_integer;
use super::{Store, StoreError};
use rusqlite::{OptionalExtension, params};
use vitrine_core::id::Digest;
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
    /// Another request came with this key.
    Mismatch,
}

impl Store {
    /// Looks a key up, and takes it if it is new. Keys are forgotten after a day, and unanswered ones at a restart.
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
                    "SELECT request, status, body FROM idempotency WHERE who = ?1 AND key = ?2",
                    [&who, key],
                    |row| {
                        let request: String = row.get(0)?;
                        let status: Option<u16> = row.get(1)?;
                        Ok((request, status, row.get::<_, Option<Vec<u8>>>(2)?))
                    },
                )
                .optional()?;
            match known {
                Some((known, _, _)) if known != request => return Ok(Begun::Mismatch),
                Some((_, Some(status), body)) => {
                    return Ok(Begun::Done { status, body: body.unwrap_or_default() });
                }
                Some((_, None, _)) => return Ok(Begun::Running),
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

    /// Records the answer. One that is longer than its bound is not kept: the key is free again.
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

    /// Gives a key free whose request had no answer worth keeping.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn abandon_idempotent(&self, key: &str) -> Result<(), StoreError> {
        let who = self.1.to_string();
        self.write("free the idempotency key", |transaction| {
            transaction.execute("DELETE FROM idempotency WHERE who = ?1 AND key = ?2", [&who, key])?;
            Ok(())
        })
    }

    /// Forgets requests without an answer: the process that worked on them has ended, and their senders were told.
    pub(super) fn forget_unanswered(&self) -> Result<(), StoreError> {
        self.write("forget unanswered requests", |transaction| {
            transaction.execute("DELETE FROM idempotency WHERE status IS NULL", [])?;
            Ok(())
        })
    }
}
