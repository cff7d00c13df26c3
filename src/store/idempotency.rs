//! Answers to requests that may be sent twice (`Idempotency-Key`).

use super::{Store, StoreError};
use crate::id::Digest;

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
    pub fn begin_idempotent(&self, _key: &str, _request: Digest, _now_ms: u64) -> Result<Begun, StoreError> {
        todo!()
    }

    /// Records the answer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn finish_idempotent(&self, _key: &str, _status: u16, _body: &[u8]) -> Result<(), StoreError> {
        todo!()
    }

    /// Gives a key free whose request had no answer worth keeping.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn abandon_idempotent(&self, _key: &str) -> Result<(), StoreError> {
        todo!()
    }
}
