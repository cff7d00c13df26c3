//! The cache of an app's pages and of what it fetches.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Params, Segments};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::problem::{Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::{CacheStats, CacheWhy, CachedPage, PurgeWish};
use axum::Json;
use axum::extract::State;
use vitrine_core::audit::AuditAction;
use vitrine_core::id::AppName;

/// Purges what the cache holds of an app: by tag, by path, or all of it. A request that begins after the answer gets nothing that was
/// purged. Without `hard` it may still be used while a new one is made that nobody waits for, or cannot be made.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/purge",
    params(("app" = String, Path)),
    request_body = PurgeWish,
    responses(
        (status = 200, body = PurgeWish),
        (status = 404, body = ProblemBody),
        (status = 422, description = "Nothing to purge, or too much of it", body = ProblemBody),
    )
)]
pub(super) async fn purge(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let wish: PurgeWish = call.json()?;
    Change::new(caller, AuditAction::CachePurge)
        .app(&app)
        .detail(wish.to_string())
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            behalf.releases.purge_cache(&app, &wish).await.map_err(behalf.problem())?;
            Ok(Answer::ok(&wish))
        })
        .await
}

/// Why the cache holds a page, or does not: what became of its last render.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/cache/why",
    params(("app" = String, Path), CachedPage),
    responses((status = 200, body = CacheWhy), (status = 404, body = ProblemBody))
)]
pub(super) async fn why(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
    Params(page): Params<CachedPage>,
) -> Result<Json<CacheWhy>, Problem> {
    Ok(Json(state.releases.why_cached(&app, &page)?))
}

/// What the cache does for an app.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/cache",
    params(("app" = String, Path)),
    responses((status = 200, body = CacheStats), (status = 404, body = ProblemBody))
)]
pub(super) async fn stats(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
) -> Result<Json<CacheStats>, Problem> {
    Ok(Json(state.releases.cache_stats(&app)?))
}
