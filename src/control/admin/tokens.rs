//! Tokens beside the host's own: made, listed, revoked. The host is told their digests only.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Segments};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use vitrine_core::audit::AuditAction;
use vitrine_core::id::{AppName, Digest, TokenName};
use vitrine_core::limits::TOKEN_TTL_MAX_MS;
use vitrine_core::scope::{Scope, Selection, Verb};
use vitrine_store::TokenRecord;

/// A token to make. The caller draws 256 random bits, keeps the text `vit_` and their 64 hexadecimal digits, and
/// sends its SHA-256: the host never has what it could give away.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
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
    responses((status = 200, body = Vec<TokenView>))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<TokenView>>, Problem> {
    let tokens = state.of(&caller).stored(|store| store.tokens()).await?;
    Ok(Json(tokens.into_iter().map(TokenView::from).collect()))
}

/// Makes a token.
#[utoipa::path(
    put,
    path = "/v1/tokens/{name}",
    params(("name" = String, Path)),
    request_body = TokenBody,
    responses(
        (status = 201, body = TokenView),
        (status = 200, description = "It was there, the same", body = TokenView),
        (status = 409, description = "There is another one of this name, or too many", body = ProblemBody),
        (status = 422, body = ProblemBody),
    )
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    caller: Caller,
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
    let access = state.access.clone();
    Change::new(caller, AuditAction::TokenCreate)
        .detail(record.name.to_string())
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            let made = record.clone();
            let is_new = access.change(behalf.store, move |store| store.create_token(&made)).await?;
            Ok(Answer::made(is_new, &TokenView::from(record)))
        })
        .await
}

/// Revokes a token: no call with it is answered any more, and streams that it opened end.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{name}",
    params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn revoke(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(name): Segments<TokenName>,
) -> Result<Answer, Problem> {
    let access = state.access.clone();
    Change::new(caller, AuditAction::TokenRevoke)
        .detail(name.to_string())
        .execute(state, async move |behalf: OnBehalf| {
            let gone = name.clone();
            match access.change(behalf.store, move |store| store.revoke_token(&gone)).await? {
                true => Ok(Answer::empty()),
                false => Err(Problem::new(Kind::NoToken, format!("there is no token `{name}`"))),
            }
        })
        .await
}
