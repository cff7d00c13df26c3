//! Whether an upload would be taken in, before its bytes are sent.

use crate::admin::action::Action;
use crate::admin::extract::{Call, Segments};
use crate::admin::perform::{Answer, perform};
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::router::AdminState;
use crate::id::{AppName, Digest, ReleaseId, Version};
use axum::extract::State;
use serde::Deserialize;

/// What is about to be uploaded.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
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

/// Says whether an upload under this name would be taken in now: whether the name and its host names are free or have the same
/// content, and whether the quota allows it. It holds nothing; the upload itself looks again.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/releases/{version}/check",
    security(("token" = ["deploy"])),
    params(("app" = String, Path), ("version" = String, Path)),
    request_body = CheckBody,
    responses(
        (status = 204, description = "It would be"),
        (status = 409, description = "The version has other content, the host name is taken, or a quota is used up", body = ProblemBody),
    )
)]
pub async fn check(
    State(state): State<AdminState>,
    Segments((app, version)): Segments<(AppName, Version)>,
    call: Call,
) -> Result<Answer, Problem> {
    let CheckBody { digest, bytes, preview } = call.json()?;
    let release = ReleaseId::new(app, version);
    perform(state, None, Action::CheckUpload { release, digest, bytes, preview }, None).await
}
