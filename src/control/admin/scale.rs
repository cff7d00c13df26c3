//! How many instances an app has.

use crate::admin::action::Action;
use crate::admin::extract::{Call, Segments};
use crate::admin::perform::{Answer, IdempotencyKey, perform};
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::router::AdminState;
use crate::release::AppView;
use axum::extract::State;
use vitrine_bundle::Scale;
use vitrine_core::id::AppName;

/// Sets how many instances an app has, whatever its bundles ask for. Answers once its releases have them.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/scale",
    security(("token" = ["promote"])),
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
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let scale: Scale = call.json()?;
    scale
        .check()
        .map_err(|(field, message)| Problem::new(Kind::BadRequest, format!("`{field}` {message}")))?;
    perform(state, IdempotencyKey::of(call), Action::Scale { app, scale: Some(scale) }, None).await
}

/// Leaves the number of instances to the app's bundles again.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/scale",
    security(("token" = ["promote"])),
    params(("app" = String, Path)),
    responses((status = 200, body = AppView), (status = 404, body = ProblemBody))
)]
pub(super) async fn reset(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
) -> Result<Answer, Problem> {
    perform(state, None, Action::Scale { app, scale: None }, None).await
}
