//! The key under which values of environments are encrypted.

use crate::admin::action::Action;
use crate::admin::extract::Call;
use crate::admin::perform::{Answer, IdempotencyKey, perform};
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::router::AdminState;
use axum::extract::State;
use vitrine_store::Rotated;

/// Encrypts every value under a new key, and forgets the one before.
#[utoipa::path(
    post,
    path = "/v1/key/rotate",
    security(("token" = ["root"])),
    responses((status = 200, body = Rotated), (status = 409, body = ProblemBody))
)]
pub(super) async fn rotate(State(state): State<AdminState>, call: Call) -> Result<Answer, Problem> {
    perform(state, IdempotencyKey::of(call), Action::RotateKey, None).await
}
