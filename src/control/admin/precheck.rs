//! Whether an upload would be taken in, before its bytes are sent.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Params, Segments};
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use axum::extract::State;
use serde::Deserialize;
use vitrine_core::audit::AuditAction;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::scope::Verb;

/// What is about to be uploaded.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckBody {
    /// Digest of the bundle.
    #[schema(value_type = String)]
    digest: Digest,
    /// Its files together, in bytes.
    bytes: u64,
    /// Name of the preview that it is to be.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    preview: Option<Version>,
}

/// What is to become of it.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckQuery {
    /// Whether it is to be made live afterwards; the token has to allow `promote` then.
    promote: bool,
}

/// A deploy with a token that does not allow `promote`.
pub(super) fn could_not_go_live(app: &AppName) -> Problem {
    let text = format!(
        "the token does not allow `promote` on `{app}`, so the release could not go live; nothing was uploaded. `vitrine deploy \
         --no-promote` uploads it, for someone else to promote"
    );
    Problem::new(Kind::Forbidden, text)
}

/// Says whether an upload under this name would be taken in now: whether the name and its host names are free or have the same
/// content, and whether the quota allows it. It holds nothing; the upload itself looks again.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/releases/{version}/check",
    params(("app" = String, Path), ("version" = String, Path), CheckQuery),
    request_body = CheckBody,
    responses(
        (status = 204, description = "It would be"),
        (status = 403, description = "It could not be made live", body = ProblemBody),
        (status = 409, description = "The version has other content, the host name is taken, or a quota is used up", body = ProblemBody),
    )
)]
pub(super) async fn check(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, version)): Segments<(AppName, Version)>,
    Params(query): Params<CheckQuery>,
    call: Call,
) -> Result<Answer, Problem> {
    let may_promote = caller.may(Verb::Promote, Some(&app));
    if query.promote && !may_promote {
        return Err(could_not_go_live(&app));
    }
    let CheckBody { digest, bytes, preview } = call.json()?;
    let change = Change::new(caller, AuditAction::Deploy).app(&app).version(Some(&version));
    change
        .execute(state, async move |behalf: OnBehalf| {
            let release = ReleaseId::new(app, version);
            behalf.releases.check_upload(release, preview, digest, bytes, may_promote).await?;
            Ok(Answer::empty())
        })
        .await
}
