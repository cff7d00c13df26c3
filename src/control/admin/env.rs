//! Values that an app's code may see.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Params, Segments};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::{EnvChange, EnvView};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::collections::BTreeMap;
use vitrine_core::id::AppName;
use vitrine_store::{EnvEdit, EnvScope, EnvValue};

/// A value.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvBody {
    /// Text.
    value: String,
    /// Never show it again.
    #[serde(default)]
    secret: bool,
}

/// Values by their names.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvPatch {
    /// Those that are set.
    set: BTreeMap<String, EnvBody>,
}

/// Whose values are meant.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EnvQuery {
    /// `production`, or `preview`: what previews see, and releases of tokens that do not allow `promote`.
    #[param(inline)]
    scope: EnvScope,
}

/// Checks the name of a value.
///
/// # Errors
/// What a name looks like.
pub fn check_name(name: &str) -> Result<String, String> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if first && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(name.to_owned());
    }
    Err(format!("invalid variable name `{name}`: a letter or _, then letters, digits and _"))
}

fn checked(name: &str) -> Result<String, Problem> {
    check_name(name).map_err(|text| Problem::new(Kind::BadRequest, text))
}

async fn change_env(
    state: AdminState,
    caller: Caller,
    once: Option<IdempotencyKey>,
    (app, scope): (AppName, EnvScope),
    change: EnvEdit,
) -> Result<Answer, Problem> {
    Change::new(caller, change.what())
        .app(&app)
        .detail(change.names().join(", "))
        .once(once)
        .execute(state, async move |behalf: OnBehalf| {
            let changed = behalf.releases.change_env(app, scope, change).await;
            Ok(Answer::ok(&changed.map_err(behalf.problem())?))
        })
        .await
}

/// Names of the environment, and the values that are no secrets.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/env",
    params(("app" = String, Path), EnvQuery),
    responses((status = 200, body = Vec<EnvView>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
    Params(EnvQuery { scope }): Params<EnvQuery>,
) -> Result<Json<Vec<EnvView>>, Problem> {
    Ok(Json(state.releases.env(&app, scope).await?))
}

/// Sets a value. If a release is live that reads it, a new one of the same bundle is booted with it and made live: another release keeps
/// its share of the users, and a bake goes on. One of previews is for those that come; a name that is granted to them has none of
/// their own.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/env/{name}",
    params(("app" = String, Path), ("name" = String, Path), EnvQuery),
    request_body = EnvBody,
    responses((status = 200, body = EnvChange), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn set(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, name)): Segments<(AppName, String)>,
    Params(EnvQuery { scope }): Params<EnvQuery>,
    call: Call,
) -> Result<Answer, Problem> {
    let name = checked(&name)?;
    let EnvBody { value, secret } = call.json()?;
    let updated_ms = state.clock.now_ms();
    let change = EnvEdit::Set(vec![EnvValue { name, value, secret, updated_ms, granted: false }]);
    change_env(state, caller, IdempotencyKey::of(call), (app, scope), change).await
}

/// Sets several values together: one revision, and one new release if one is live that reads any of them. Other values stay.
#[utoipa::path(
    patch,
    path = "/v1/apps/{app}/env",
    params(("app" = String, Path), EnvQuery),
    request_body = EnvPatch,
    responses((status = 200, body = EnvChange), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn set_all(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    Params(EnvQuery { scope }): Params<EnvQuery>,
    call: Call,
) -> Result<Answer, Problem> {
    let EnvPatch { set } = call.json()?;
    if set.is_empty() {
        return Err(Problem::new(Kind::Invalid, "set: holds no value"));
    }
    let updated_ms = state.clock.now_ms();
    let value = |(name, EnvBody { value, secret }): (String, EnvBody)| {
        Ok(EnvValue { name: checked(&name)?, value, secret, updated_ms, granted: false })
    };
    let change = EnvEdit::Set(set.into_iter().map(value).collect::<Result<_, Problem>>()?);
    change_env(state, caller, IdempotencyKey::of(call), (app, scope), change).await
}

/// Unsets a value, with the same effect.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/env/{name}",
    params(("app" = String, Path), ("name" = String, Path), EnvQuery),
    responses((status = 200, body = EnvChange), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn unset(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, name)): Segments<(AppName, String)>,
    Params(EnvQuery { scope }): Params<EnvQuery>,
) -> Result<Answer, Problem> {
    let name = checked(&name)?;
    change_env(state, caller, None, (app, scope), EnvEdit::Unset(name)).await
}

/// Gives previews production's value of a name, now and whenever it changes, as long as production has one. Previews that come get it,
/// and those that are deployed again.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/env/{name}/grant",
    params(("app" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = EnvChange), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn grant(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, name)): Segments<(AppName, String)>,
) -> Result<Answer, Problem> {
    let change = EnvEdit::Grant(checked(&name)?);
    change_env(state, caller, None, (app, EnvScope::Preview), change).await
}

/// Takes that back. Previews that have the value keep it until they are deployed again.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/env/{name}/grant",
    params(("app" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = EnvChange), (status = 404, body = ProblemBody))
)]
pub(super) async fn revoke(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, name)): Segments<(AppName, String)>,
) -> Result<Answer, Problem> {
    let change = EnvEdit::Revoke(checked(&name)?);
    change_env(state, caller, None, (app, EnvScope::Preview), change).await
}
