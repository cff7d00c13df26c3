//! Deploying in one call: an archive comes in, and a task of the host's own makes it live or undoes it, whether or not its sender still
//! waits.

mod operation;
pub(super) mod register;
mod saga;
mod view;

pub use view::{DeployEnd, DeployLine, DeployProgress, DeployResult, DeployView};

use crate::admin::access::Caller;
use crate::admin::execute::taken_over;
use crate::admin::extract::{Params, Segments, idempotency_key, request_line};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::precheck::could_not_go_live;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::AdminState;
use crate::admin::upload::{self, Unpacking, UploadQuery};
use crate::release::{DeployPhase, UploadOptions};
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use operation::Operation;
use register::Admitted;
use saga::Deploy;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::oneshot;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::scope::Verb;

/// What is deployed, and how.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeployQuery {
    /// Version of the release.
    #[param(value_type = String)]
    version: Version,
    /// Whether it is made live; true if absent. A preview never is.
    #[serde(default = "yes")]
    #[param(value_type = Option<bool>)]
    promote: bool,
    /// Make it a preview of this name, reachable by its own host name only.
    preview: Option<String>,
    /// How long the preview lives, such as `72h`.
    ttl: Option<String>,
    /// Seconds that the release may take until it is ready; 60 if absent.
    wait: Option<u64>,
}

const fn yes() -> bool {
    true
}

/// Takes a bundle in, boots and warms it, and makes it live; a failure is undone. The token has to allow `promote`, too, unless the
/// release is a preview or is not to be promoted. What is wrong before the archive is whole and checked is a problem, and nothing is
/// recorded. From then on the deployment goes on to its end, whether or not its caller stays: each line of the answer is a JSON object,
/// `{"phase", "message", "log"}` and at the end `{"result", "release", "url", "error"}`; `Location` names the deployment. The same
/// request with the same `Idempotency-Key` follows the same deployment, and gets its outcome once it is over, whatever that was.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/deployments",
    params(
        ("app" = String, Path),
        ("x-vitrine-signature" = Option<String>, Header, description = "What `minisign -S` wrote over the bundle's digest, as hexadecimal digits"),
        DeployQuery,
    ),
    request_body(content = Vec<u8>, description = "The bundle: .tar.gz, .tar.zst or .tar", content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "Lines of progress and one with the result, which may be a failure", body = DeployLine, content_type = "application/x-ndjson"),
        (status = 403, description = "The token does not allow `promote`", body = ProblemBody),
        (status = 413, description = "The archive is too large", body = ProblemBody),
        (status = 422, description = "The bundle is refused", body = ProblemBody),
    )
)]
pub(super) async fn deploy(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    Params(query): Params<DeployQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let DeployQuery { version, promote, preview, ttl, wait } = query;
    let options = UploadQuery { preview, ttl, wait }.options(state.releases.begin_deploy())?;
    let may_promote = caller.may(Verb::Promote, Some(&app));
    let goes_live = promote && options.preview.is_none();
    if goes_live && !may_promote {
        return Err(could_not_go_live(&app));
    }
    let signature = upload::signature(request.headers())?;
    let options = UploadOptions { signature, goes_live, ..upload::with_rights(options, may_promote) };
    let key = idempotency_key(request.headers())?;
    let arriving =
        Arriving { head: request_line(&request), key, release: ReleaseId::new(app, version), options };
    let unpacking = upload::receive(&state, &caller.actor, request).await?;
    // The archive is whole: from here on it makes no difference whether the sender stays.
    let (told, begun) = oneshot::channel();
    tokio::spawn(arriving.begin(state, caller, unpacking, told));
    let operation = begun
        .await
        .map_err(|_| Problem::new(Kind::Internal, "the host gave the request up; its log says why"))??;
    let ReleaseId { app, .. } = &operation.release;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::LOCATION, format!("/v1/apps/{app}/deployments/{}", operation.number)),
    ];
    Ok((headers, Body::from_stream(operation.follow())).into_response())
}

/// A deploy whose archive arrives.
struct Arriving {
    head: String,
    key: Option<String>,
    release: ReleaseId,
    options: UploadOptions,
}

impl Arriving {
    /// Begins the deployment once its bundle is checked, tells it or why there is none, and sees it through.
    async fn begin(
        self,
        state: AdminState,
        caller: Caller,
        unpacking: Unpacking,
        told: oneshot::Sender<Result<Arc<Operation>, Problem>>,
    ) {
        let Some(_turn) = state.releases.turn().await else {
            let _ = told.send(Err(taken_over()));
            return;
        };
        let deploy = match self.admit(state, caller, unpacking).await {
            Err(problem) => {
                let _ = told.send(Err(problem));
                return;
            }
            Ok(Begins::Other(operation)) => {
                let _ = told.send(Ok(operation));
                return;
            }
            Ok(Begins::New(deploy)) => deploy,
        };
        let operation = Arc::clone(&deploy.operation);
        // A sender that has left is no longer there to be told.
        match deploy.take_key().await {
            Ok(true) => {
                let _ = told.send(Ok(operation));
                deploy.run().await;
            }
            Ok(false) => {
                deploy.give_up(None).await;
                let _ = told.send(Ok(operation));
            }
            Err(problem) => {
                deploy.give_up(Some(problem.clone())).await;
                let _ = told.send(Err(problem));
            }
        }
    }

    async fn admit(self, state: AdminState, caller: Caller, unpacking: Unpacking) -> Result<Begins, Problem> {
        let Self { head, key, release, options } = self;
        let (staged, bundle) = unpacking.end().await?;
        let once = key.map(|key| IdempotencyKey {
            key,
            request: Digest::of(format!("{head}{}", bundle.digest).as_bytes()),
        });
        let begun_ms = state.clock.now_ms();
        let new = Operation::begin(options.deploy, release, caller.actor.clone(), begun_ms, once);
        match state.deployments.admit(new) {
            Ok(Admitted::New(operation)) => Ok(Begins::New(Box::new(Deploy {
                state,
                operation,
                caller,
                staged: (staged, bundle),
                options,
            }))),
            Ok(Admitted::Same(operation)) => {
                staged.remove().await;
                Ok(Begins::Other(operation))
            }
            Err(problem) => {
                staged.remove().await;
                Err(problem)
            }
        }
    }
}

/// What begins with a whole archive.
enum Begins {
    New(Box<Deploy>),
    /// Nothing: this one was begun by the same request.
    Other(Arc<Operation>),
}

/// The deployments of an app that run and the last ones that ran, the newest first. After a restart of the host only the one that is
/// live is known.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/deployments",
    params(("app" = String, Path)),
    responses((status = 200, body = Vec<DeployView>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
) -> Result<Json<Vec<DeployView>>, Problem> {
    let known = known(&state, &caller, &app);
    if known.is_empty() {
        state.releases.app(&app)?;
    }
    Ok(Json(known))
}

/// One deployment.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/deployments/{id}",
    params(("app" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = DeployView), (status = 404, body = ProblemBody))
)]
pub(super) async fn show(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, id)): Segments<(AppName, String)>,
) -> Result<Json<DeployView>, Problem> {
    let found = known(&state, &caller, &app).into_iter().find(|one| one.id == id);
    found.map(Json).ok_or_else(|| {
        let text = format!(
            "`{app}` has no deployment `{id}`, or not any more: `vitrine deployments {app}` lists them, `vitrine status {app}` shows what is \
             live"
        );
        Problem::new(Kind::NoDeployment, text)
    })
}

fn known(state: &AdminState, caller: &Caller, app: &AppName) -> Vec<DeployView> {
    let operations = state.deployments.of_app(app);
    let mut known: Vec<DeployView> = operations.iter().map(|one| one.view(caller)).collect();
    // What an earlier process made live is recorded with its switch.
    if let Some((number, version)) = state.releases.newest_deploy(app)
        && operations.iter().all(|one| one.number != number)
    {
        known.push(DeployView {
            id: number.to_string(),
            app: app.to_string(),
            version: version.to_string(),
            who: None,
            // A deploy's number is the time at which it began, or a little more.
            begun_ms: number,
            ended_ms: None,
            phase: DeployPhase::Done,
            result: Some(DeployResult::Live),
            url: None,
            error: None,
            log: Vec::new(),
        });
    }
    let left = |one: &&mut DeployView| {
        one.result == Some(DeployResult::Live) && state.releases.is_rolled_back(app, &one.version)
    };
    known.iter_mut().filter(left).for_each(|one| one.result = Some(DeployResult::RolledBack));
    known
}
