//! Routing rules of the edge.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::Call;
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::{ExplainedRoute, RequestToExplain, RoutingView};
use axum::Json;
use axum::extract::State;
use vitrine_core::audit::AuditAction;

/// The routing rules in force.
#[utoipa::path(
    get,
    path = "/v1/routes",
    responses((status = 200, body = RoutingView))
)]
pub(super) async fn get(State(state): State<AdminState>) -> Result<Json<RoutingView>, Problem> {
    Ok(Json(state.releases.routing()?))
}

/// Sets the routing rules: the tables `[[route]]`, `[[experiment]]` and `[jwt]` as TOML. All of them take the place of all that were in
/// force, as one change.
#[utoipa::path(
    put,
    path = "/v1/routes",
    request_body(content = String, content_type = "application/toml"),
    responses(
        (status = 200, body = RoutingView),
        (status = 413, body = ProblemBody),
        (status = 422, description = "A rule can't be used; says which, by line and column", body = ProblemBody),
    )
)]
pub(super) async fn set(
    State(state): State<AdminState>,
    caller: Caller,
    call: Call,
) -> Result<Answer, Problem> {
    let text = call.text()?;
    Change::new(caller, AuditAction::RoutesSet)
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            behalf.releases.set_routing(text).await.map_err(behalf.problem())?;
            Ok(Answer::ok(&behalf.releases.routing()?))
        })
        .await
}

/// Undoes the newest routing rules that were set; those before are in force again.
#[utoipa::path(
    post,
    path = "/v1/routes/rollback",
    responses(
        (status = 200, body = RoutingView),
        (status = 409, description = "None were set", body = ProblemBody),
    )
)]
pub(super) async fn rollback(
    State(state): State<AdminState>,
    caller: Caller,
    call: Call,
) -> Result<Answer, Problem> {
    Change::new(caller, AuditAction::RoutesRollback)
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            behalf.releases.undo_routing().await.map_err(behalf.problem())?;
            Ok(Answer::ok(&behalf.releases.routing()?))
        })
        .await
}

/// Undoes every file that was set: the rules of `vitrine.toml` are in force again.
#[utoipa::path(
    delete,
    path = "/v1/routes",
    responses((status = 200, body = RoutingView))
)]
pub(super) async fn reset(State(state): State<AdminState>, caller: Caller) -> Result<Answer, Problem> {
    Change::new(caller, AuditAction::RoutesReset)
        .execute(state, async move |behalf: OnBehalf| {
            behalf.releases.reset_routing().await.map_err(behalf.problem())?;
            Ok(Answer::ok(&behalf.releases.routing()?))
        })
        .await
}

/// Says which rule decides a request, and why those before it do not.
#[utoipa::path(
    post,
    path = "/v1/routes/explain",
    request_body = RequestToExplain,
    responses((status = 200, body = ExplainedRoute), (status = 422, body = ProblemBody))
)]
pub(super) async fn explain(
    State(state): State<AdminState>,
    call: Call,
) -> Result<Json<ExplainedRoute>, Problem> {
    let request: RequestToExplain = call.json()?;
    Ok(Json(state.releases.explain_route(&request)?))
}
