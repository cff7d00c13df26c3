//! The audit log, read. Nothing here writes it: each change does, in its own transaction.

use crate::admin::access::Caller;
use crate::admin::extract::Params;
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::state::AdminState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use vitrine_core::audit::{AuditHead, AuditRecord};

/// Which records.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Only records behind this one; from the beginning, if absent.
    after: u64,
}

/// Part of the audit log.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditPage {
    /// Oldest first; the next part begins behind the last of these.
    pub records: Vec<AuditRecord>,
    /// The end of the whole log.
    pub head: AuditHead,
}

/// Changes and who made them, oldest first.
#[utoipa::path(
    get,
    path = "/v1/audit",
    params(AuditQuery),
    responses((status = 200, body = AuditPage), (status = 503, body = ProblemBody))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(AuditQuery { after }): Params<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let (records, head) = state.of(&caller).stored(move |store| store.audit(after)).await?;
    Ok(Json(AuditPage { records, head }))
}
