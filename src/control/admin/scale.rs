//! How many instances an app has.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Segments};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::AppView;
use axum::extract::State;
use vitrine_bundle::Scale;
use vitrine_core::audit::AuditAction;
use vitrine_core::id::AppName;

/// Sets how many instances an app has, whatever its bundles ask for. Answers once its releases have them.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/scale",
    params(("app" = String, Path)),
    request_body = Scale,
    responses(
        (status = 200, body = AppView),
        (status = 404, body = ProblemBody),
        (status = 409, description = "More than the host allows", body = ProblemBody),
        (status = 422, description = "An instance did not start; the number is recorded, and tried again", body = ProblemBody),
    )
)]
pub(super) async fn set(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let scale: Scale = call.json()?;
    scale
        .check()
        .map_err(|(field, message)| Problem::new(Kind::BadRequest, format!("`{field}` {message}")))?;
    change(state, caller, IdempotencyKey::of(call), app, Some(scale)).await
}

/// Leaves the number of instances to the app's bundles again.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/scale",
    params(("app" = String, Path)),
    responses((status = 200, body = AppView), (status = 404, body = ProblemBody))
)]
pub(super) async fn reset(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
) -> Result<Answer, Problem> {
    change(state, caller, None, app, None).await
}

async fn change(
    state: AdminState,
    caller: Caller,
    once: Option<IdempotencyKey>,
    app: AppName,
    scale: Option<Scale>,
) -> Result<Answer, Problem> {
    let change = Change::new(caller, AuditAction::Scale).app(&app).once(once);
    change
        .execute(state, async move |behalf: OnBehalf| {
            behalf.releases.set_scale(&app, scale).await.map_err(behalf.problem())?;
            Ok(Answer::ok(&behalf.releases.app(&app)?))
        })
        .await
}
