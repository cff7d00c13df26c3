//! Tokens beside the host's own: made, listed, revoked. The host is told their digests only.

use crate::admin::action::{Action, TokenAction};
use crate::admin::extract::{Call, Segments};
use crate::admin::perform::{Answer, IdempotencyKey, look_up, perform};
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::router::AdminState;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use vitrine_core::id::{AppName, Digest, TokenName};
use vitrine_core::limits::TOKEN_TTL_MAX_MS;
use vitrine_core::scope::{Scope, Selection, Verb};
use vitrine_store::TokenRecord;

/// A token to make. The caller draws 256 random bits, keeps the text `vit_` and their 64 hexadecimal digits, and
/// sends its SHA-256: the host never has what it could give away.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// SHA-256 of the token's text, 64 hexadecimal digits.
    #[schema(value_type = String)]
    sha256: Digest,
    /// Apps, or `*` alone.
    #[schema(value_type = Vec<String>)]
    apps: Selection<AppName>,
    /// `read`, `deploy`, `promote`, `rollback`, `remove`, `env`, `logs`, `audit`, or `*` alone. Each brings `read` with it.
    #[schema(value_type = Vec<String>)]
    verbs: Selection<Verb>,
    /// When it ends, in milliseconds since the Unix epoch; never, if absent.
    expires_ms: Option<u64>,
}

/// A token as it is shown.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenView {
    /// Name.
    pub name: String,
    /// Apps, or `*`.
    pub apps: Vec<String>,
    /// Verbs, or `*`.
    pub verbs: Vec<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it ends, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}

impl From<TokenRecord> for TokenView {
    fn from(record: TokenRecord) -> Self {
        Self {
            name: record.name.to_string(),
            apps: record.scope.apps.texts(),
            verbs: record.scope.verbs.texts(),
            created_ms: record.created_ms,
            expires_ms: record.expires_ms,
        }
    }
}

/// Every token but the host's own.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    security(("token" = ["root"])),
    responses((status = 200, body = Vec<TokenView>))
)]
pub async fn list(State(state): State<AdminState>) -> Result<Answer, Problem> {
    look_up(&state, Action::Token(TokenAction::List)).await
}

/// Makes a token.
#[utoipa::path(
    put,
    path = "/v1/tokens/{name}",
    security(("token" = ["root"])),
    params(("name" = String, Path)),
    request_body = TokenBody,
    responses(
        (status = 201, body = TokenView),
        (status = 200, description = "It was there, the same", body = TokenView),
        (status = 409, description = "There is another one of this name, or too many", body = ProblemBody),
        (status = 422, body = ProblemBody),
    )
)]
pub async fn create(
    State(state): State<AdminState>,
    Segments(name): Segments<TokenName>,
    call: Call,
) -> Result<Answer, Problem> {
    let TokenBody { sha256, apps, verbs, expires_ms } = call.json()?;
    let now_ms = state.clock.now_ms();
    let latest_ms = now_ms.saturating_add(TOKEN_TTL_MAX_MS);
    if expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms || expires_ms > latest_ms) {
        let text = format!("expires_ms: must be after now, {now_ms}, and at most {latest_ms}");
        return Err(Problem::new(Kind::Invalid, text));
    }
    let record = TokenRecord { name, sha256, scope: Scope { apps, verbs }, created_ms: now_ms, expires_ms };
    perform(state, IdempotencyKey::of(call), Action::Token(TokenAction::Create(record)), None).await
}

/// Revokes a token: no call with it is answered any more, and streams that it opened end.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{name}",
    security(("token" = ["root"])),
    params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub async fn revoke(
    State(state): State<AdminState>,
    Segments(name): Segments<TokenName>,
) -> Result<Answer, Problem> {
    perform(state, None, Action::Token(TokenAction::Revoke(name)), None).await
}
