//! The `Idempotency-Key` of a request.

use crate::admin::extract::Call;
use crate::admin::problem::{Kind, Problem};
use vitrine_core::id::Digest;

/// What a request that may come twice is known by.
#[derive(Debug, Clone)]
pub(super) struct IdempotencyKey {
    /// `Idempotency-Key`.
    pub key: String,
    /// Digest of the request.
    pub request: Digest,
}

impl IdempotencyKey {
    /// That of a call, if it came with a key.
    #[must_use]
    pub(super) fn of(call: Call) -> Option<Self> {
        Some(Self { key: call.key?, request: call.digest })
    }
}

/// The same request with this key still runs.
pub(super) fn key_in_use(key: &str) -> Problem {
    Problem::new(Kind::KeyInUse, format!("the request with the key `{key}` still runs"))
}

/// The request with this key was carried out, and too much has happened since to say how it ended.
pub(super) fn answer_lost(key: &str) -> Problem {
    let text = format!(
        "the request with the key `{key}` was carried out, and its answer is lost; look at `vitrine status`"
    );
    Problem::new(Kind::KeyReused, text)
}

/// This key came with another request.
pub(super) fn key_reused(key: &str) -> Problem {
    let text = format!("the key `{key}` came with another request before; use a new key");
    Problem::new(Kind::KeyReused, text)
}
