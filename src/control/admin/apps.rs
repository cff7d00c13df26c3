//! Apps and their releases.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Call, Params, Segments};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::notice::Notice;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::{
    AppSummary, AppView, AppsPage, PromoteOptions, ReleaseView, RemoveOptions, RemovedView, Switched,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;
use vitrine_core::audit::AuditAction;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::limits::BOOT_DEADLINE_MS;
use vitrine_core::scope::Verb;
use vitrine_proxy::route::split::Weight;

/// Which release to make live.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PromoteBody {
    /// Version.
    #[schema(value_type = String)]
    version: Version,
    /// Percent of the users that get it, 1 to 100; all of them if absent.
    #[serde(default, deserialize_with = "percent")]
    #[schema(minimum = 1, maximum = 100)]
    weight: Option<u8>,
    /// Number of the deploy that this is a part of, as the upload gave it. It is refused then when a deploy that began later went
    /// live, or when the release is marked as bad. Without it, it is an operator's own word, and done.
    deploy: Option<u64>,
    /// SHA-256 of the bundle that the release must have. It is refused then when the name has been given to another one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let weight = Option::<u64>::deserialize(deserializer)?;
    let fits = |percent: u64| u8::try_from(percent).ok().filter(|percent| (1..=100).contains(percent));
    let refused =
        |percent| D::Error::custom(format!("`weight` is {percent}; it is a percentage from 1 to 100"));
    weight.map(|percent| fits(percent).ok_or_else(|| refused(percent))).transpose()
}

/// Which release to go back to. Without fields the host picks: the newest earlier live one that was not itself rolled
/// back from.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackBody {
    /// Version to go to, one that was live.
    #[schema(value_type = Option<String>)]
    to: Option<Version>,
    /// Refuse unless this version is live.
    #[schema(value_type = Option<String>)]
    from: Option<Version>,
}

/// Which apps, and how they are shown.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AppsQuery {
    /// Only apps behind this one, in the order of names: the last of the page before.
    #[param(value_type = Option<String>)]
    after: Option<AppName>,
    /// No more than this many; all of them if absent.
    #[param(value_type = Option<u32>, minimum = 1)]
    limit: Option<NonZeroU32>,
    /// A line each, without what the releases are like.
    short: bool,
    /// Instead of them those that were removed and can be restored, all of them.
    removed: bool,
}

/// Apps in the order of their names.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum AppList {
    /// With their releases.
    Full(Vec<AppView>),
    /// With `short`.
    Short(Vec<AppSummary>),
    /// With `removed`.
    Removed(Vec<RemovedView>),
}

/// The apps that the token may see, in the order of their names.
#[utoipa::path(
    get,
    path = "/v1/apps",
    params(AppsQuery),
    responses((status = 200, body = AppList))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(AppsQuery { after, limit, short, removed }): Params<AppsQuery>,
) -> Result<Response, Problem> {
    let releases = &state.releases;
    if removed {
        if short || after.is_some() || limit.is_some() {
            return Err(Problem::new(
                Kind::BadRequest,
                "`removed` gives all of them, and goes with nothing else",
            ));
        }
        return Ok(Json(AppList::Removed(releases.removed_apps(caller.may_see()))).into_response());
    }
    let page = AppsPage { after, limit: limit.map(|limit| limit.get() as usize) };
    let apps = match short {
        true => AppList::Short(releases.app_summaries(&page, caller.may_see())),
        false => AppList::Full(releases.apps(&page, caller.may_see())),
    };
    Ok(Notice::beside(state.notices().await, Json(apps)))
}

/// One app and its releases, newest first.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}",
    params(("app" = String, Path)),
    responses((status = 200, body = AppView), (status = 404, body = ProblemBody))
)]
pub(super) async fn show(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
) -> Result<Response, Problem> {
    let app = state.releases.app(&app)?;
    Ok(Notice::beside(state.notices().await, Json(app)))
}

/// How an app is to be removed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveQuery {
    /// For good, at once; also one that was removed before and can be restored. Without it, it can be restored for a day.
    now: bool,
    /// So, and let other apps use its name; without it the name stays its own. Frees the name of an app that was removed, too.
    free_name: bool,
}

/// Removes an app with all its releases and values.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}",
    params(("app" = String, Path), RemoveQuery),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(super) async fn remove(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    Params(RemoveQuery { now, free_name }): Params<RemoveQuery>,
) -> Result<Answer, Problem> {
    let deployments = state.deployments.clone();
    Change::new(caller, AuditAction::Remove)
        .app(&app)
        .execute(state, async move |behalf: OnBehalf| {
            let how = RemoveOptions { now, free_name };
            behalf.releases.remove_app(app.clone(), how).await.map_err(behalf.problem())?;
            deployments.forget_app(&app);
            Ok(Answer::empty())
        })
        .await
}

/// Nothing is to be said about a restoration.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreBody {}

/// Brings an app back that was removed, with its releases, values and history: `GET /v1/apps?removed=true` lists them.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/restore",
    params(("app" = String, Path)),
    request_body = RestoreBody,
    responses(
        (status = 200, description = "What was live is live again", body = AppView),
        (status = 404, body = ProblemBody),
        (status = 409, description = "It is not removed", body = ProblemBody),
    )
)]
pub(super) async fn restore(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let RestoreBody {} = call.json()?;
    Change::new(caller, AuditAction::Restore)
        .app(&app)
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            Ok(Answer::ok(&behalf.releases.restore_app(app).await.map_err(behalf.problem())?))
        })
        .await
}

/// The retained releases of an app, newest first.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/releases",
    params(("app" = String, Path)),
    responses((status = 200, body = Vec<ReleaseView>), (status = 404, body = ProblemBody))
)]
pub(super) async fn releases(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
) -> Result<Json<Vec<ReleaseView>>, Problem> {
    Ok(Json(state.releases.app(&app)?.releases))
}

/// One release.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/releases/{version}",
    params(("app" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = ReleaseView), (status = 404, body = ProblemBody))
)]
pub(super) async fn show_release(
    State(state): State<AdminState>,
    Segments((app, version)): Segments<(AppName, Version)>,
) -> Result<Json<ReleaseView>, Problem> {
    let release = state.releases.named(ReleaseId::new(app, version));
    Ok(Json(state.releases.release(&release)?))
}

/// Removes a release that is not live. A token with `remove-preview` and without `remove` may remove previews only.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/releases/{version}",
    params(("app" = String, Path), ("version" = String, Path)),
    responses(
        (status = 204),
        (status = 403, description = "It is no preview, and the token may remove no other", body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 409, description = "It is live, or a bake needs it and the token allows neither `promote` nor `rollback`", body = ProblemBody),
    )
)]
pub(super) async fn remove_release(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, version)): Segments<(AppName, Version)>,
) -> Result<Answer, Problem> {
    let may = |verb| caller.may(verb, Some(&app));
    let previews_only = !may(Verb::Remove);
    // Without it a bad release could not be rolled back: that is for those to decide who decide what users get.
    let spares_baking = !may(Verb::Promote) && !may(Verb::Rollback);
    let change = Change::new(caller, AuditAction::Remove).app(&app).version(Some(&version));
    change
        .execute(state, async move |OnBehalf { releases, .. }: OnBehalf| {
            let release = releases.named(ReleaseId::new(app, version));
            if previews_only && !releases.is_preview(&release)? {
                let text = format!("`{release}` is no preview, and the token may remove previews only");
                return Err(Problem::new(Kind::Forbidden, text));
            }
            if spares_baking && releases.is_baking(&release) {
                let text = format!(
                    "`{release}` is needed until the bake of the live release is over, which is rolled back if it fails; remove it \
                     after that, or with a token that allows `promote` or `rollback`"
                );
                return Err(Problem::new(Kind::Refused, text));
            }
            releases.remove(release).await?;
            Ok(Answer::empty())
        })
        .await
}

/// Makes a release live.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/promote",
    params(("app" = String, Path)),
    request_body = PromoteBody,
    responses(
        (status = 200, description = "Recorded and switched; draining goes on behind", body = Switched),
        (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody),
    )
)]
pub(super) async fn promote(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let PromoteBody { version, weight, deploy, digest } = call.json()?;
    let boot_deadline = Duration::from_millis(BOOT_DEADLINE_MS);
    let options = PromoteOptions { boot_deadline, deploy, digest, observer: None };
    // All of the users is no share.
    let weight = weight.and_then(Weight::new);
    Change::new(caller, AuditAction::Promote)
        .app(&app)
        .version(Some(&version))
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            let releases = &behalf.releases;
            let release = releases.named(ReleaseId::new(app, version));
            let switched = match weight {
                None => releases.promote(release, options).await,
                Some(weight) => releases.promote_weighted(release, weight, options).await,
            };
            Ok(Answer::ok(&switched.map_err(behalf.problem())?))
        })
        .await
}

/// Makes an earlier release live.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/rollback",
    params(("app" = String, Path)),
    request_body = RollbackBody,
    responses(
        (status = 200, description = "Recorded and switched; draining goes on behind", body = Switched),
        (status = 404, body = ProblemBody),
        (status = 409, description = "Nothing to go back to, `to` was never live, or `from` is not live", body = ProblemBody),
    )
)]
pub(super) async fn rollback(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    call: Call,
) -> Result<Answer, Problem> {
    let RollbackBody { to, from } = call.json()?;
    Change::new(caller, AuditAction::Rollback)
        .app(&app)
        .version(to.as_ref())
        .once(IdempotencyKey::of(call))
        .execute(state, async move |behalf: OnBehalf| {
            let releases = &behalf.releases;
            let to = to.map(|to| releases.named(ReleaseId::new(app.clone(), to)).version);
            Ok(Answer::ok(&releases.rollback(app, to, from).await.map_err(behalf.problem())?))
        })
        .await
}
