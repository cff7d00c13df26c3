//! The key under which values of environments are encrypted.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::Call;
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use axum::extract::State;
use vitrine_core::audit::AuditAction;
use vitrine_store::Rotated;

/// Encrypts every value under a new key, and forgets the one before.
#[utoipa::path(
    post,
    path = "/v1/key/rotate",
    responses((status = 200, body = Rotated), (status = 409, body = ProblemBody))
)]
pub(super) async fn rotate(
    State(state): State<AdminState>,
    caller: Caller,
    call: Call,
) -> Result<Answer, Problem> {
    let change = Change::new(caller, AuditAction::KeyRotate).once(IdempotencyKey::of(call));
    change
        .execute(state, async |behalf: OnBehalf| {
            Ok(Answer::ok(&behalf.stored(|store| store.rotate_key()).await?))
        })
        .await
}
