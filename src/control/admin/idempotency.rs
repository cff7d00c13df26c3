//! The `Idempotency-Key` of a request.

use crate::admin::extract::Call;
use crate::admin::problem::{Kind, Problem};
use crate::admin::state::OnBehalf;
use axum::http::StatusCode;
use tokio::runtime::Handle;
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

/// A key whose request is being carried out. Where that ends without an answer that is kept, the same request may come again.
pub(super) struct TakenKey {
    behalf: OnBehalf,
    key: Option<String>,
}

impl TakenKey {
    pub(super) fn new(behalf: &OnBehalf, key: &str) -> Self {
        Self { behalf: behalf.clone(), key: Some(key.into()) }
    }

    /// Keeps the answer; without one the key is abandoned.
    pub(super) async fn end(mut self, answer: Option<(StatusCode, Vec<u8>)>) {
        let Some(key) = self.key.clone() else { return };
        let kept = self.behalf.stored(move |store| match answer {
            Some((status, body)) => store.finish_idempotent(&key, status.as_u16(), &body),
            None => store.abandon_idempotent(&key),
        });
        match kept.await {
            Ok(()) => self.key = None,
            Err(problem) => {
                tracing::warn!(
                    detail = problem.detail,
                    "the answer to an idempotent request could not be kept"
                );
            }
        }
    }
}

impl Drop for TakenKey {
    /// Its task panicked, or the answer could not be kept.
    fn drop(&mut self) {
        if let (Some(key), Ok(runtime)) = (self.key.take(), Handle::try_current()) {
            let behalf = self.behalf.clone();
            runtime.spawn(async move {
                if let Err(problem) = behalf.stored(move |store| store.abandon_idempotent(&key)).await {
                    tracing::warn!(
                        detail = problem.detail,
                        "an idempotency key stays taken until the host starts again"
                    );
                }
            });
        }
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
