//! Paths of the admin side.

use crate::admin::auth::{self, AuthLayer};
use crate::admin::permission::{Permission, Routes};
use crate::admin::problem::{Kind, Problem};
use crate::admin::state::AdminState;
use crate::admin::{
    apps, audit, backup, cache, deployments, env, health, key, logs, openapi, precheck,
    routes as edge_routes, scale, tokens, upload,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::sync::Arc;
use std::time::Instant;
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;
use uuid::Uuid;
use vitrine_core::limits::{ADMIN_JSON_BYTES_MAX, ROUTES_FILE_BYTES_MAX};
use vitrine_core::scope::{Actor, Verb};

const OPENAPI_PATH: &str = "/v1/openapi.json";

/// The description of every path, as `/v1/openapi.json` serves it.
#[must_use]
pub fn description() -> OpenApi {
    openapi::describe(routes().router.into_openapi())
}

/// Every route that is described, with what it asks of a token.
pub(super) fn routes() -> Routes<AdminState> {
    use Permission::{Any, Root, Verb as On};
    Routes::new()
        .add(Any, routes!(apps::list))
        .add(On(Verb::Read), routes!(apps::show))
        .add(On(Verb::Remove), routes!(apps::remove))
        .add(On(Verb::Read), routes!(apps::releases))
        .add(On(Verb::Read), routes!(apps::show_release))
        .add(On(Verb::Deploy), routes!(upload::upload))
        .add(On(Verb::RemovePreview), routes!(apps::remove_release))
        .add(On(Verb::Deploy), routes!(precheck::check))
        .add(On(Verb::Read), routes!(deployments::list))
        .add(On(Verb::Deploy), routes!(deployments::deploy))
        .add(On(Verb::Read), routes!(deployments::show))
        .add(On(Verb::Remove), routes!(apps::restore))
        .add(On(Verb::Promote), routes!(apps::promote))
        .add(On(Verb::Rollback), routes!(apps::rollback))
        .add(On(Verb::Promote), routes!(scale::set, scale::reset))
        .add(On(Verb::Read), routes!(env::list))
        .add(On(Verb::Env), routes!(env::set_all))
        .add(On(Verb::Env), routes!(env::set, env::unset))
        .add(On(Verb::Promote), routes!(env::grant, env::revoke))
        .add(On(Verb::Purge), routes!(cache::purge))
        .add(On(Verb::Read), routes!(cache::why))
        .add(On(Verb::Read), routes!(cache::stats))
        .add(On(Verb::Logs), routes!(logs::logs))
        .add(Root, routes!(edge_routes::get))
        .add_large(Root, routes!(edge_routes::set, edge_routes::reset), ROUTES_FILE_BYTES_MAX)
        .add(Root, routes!(edge_routes::rollback))
        .add(Root, routes!(edge_routes::explain))
        .add(Root, routes!(key::rotate))
        .add(Root, routes!(backup::backup))
        .add(On(Verb::Audit), routes!(audit::list))
        .add(Root, routes!(tokens::list))
        .add(Root, routes!(tokens::create, tokens::revoke))
        .add(On(Verb::Read), routes!(health::metrics))
        .add(Any, routes!(health::healthz))
        .add(Any, routes!(health::readyz))
}

/// Every path of the admin side.
pub(super) fn router(state: AdminState) -> Router {
    let Routes { router, mut permissions } = routes();
    let (router, api) = router.split_for_parts();
    let description = axum::Json(openapi::describe(api));
    permissions.set(Method::GET, OPENAPI_PATH, Permission::Any);
    let auth = AuthLayer {
        access: state.access.clone(),
        permissions: Arc::new(permissions),
        metrics: Arc::clone(&state.metrics_rules),
    };
    let guarded = router
        .route(OPENAPI_PATH, get(move || std::future::ready(description.clone())))
        .route_layer(middleware::from_fn_with_state(auth, auth::require_token));
    frame(guarded).with_state(state)
}

/// What holds for every path: answers for what is not there, the bound on bodies, [`finish`].
fn frame<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(async |OriginalUri(uri): OriginalUri| {
            Problem::new(Kind::NoPath, format!("there is no `{}`; see /v1/openapi.json", uri.path()))
        })
        .method_not_allowed_fallback(async |method: Method, OriginalUri(uri): OriginalUri| {
            let text = format!("`{}` has no {method}; see /v1/openapi.json", uri.path());
            Problem::new(Kind::MethodNotAllowed, text)
        })
        .layer(DefaultBodyLimit::max(ADMIN_JSON_BYTES_MAX))
        .layer(middleware::from_fn(finish))
}

/// Gives each request its id, renders problems, and writes one log line.
async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let by = response.extensions_mut().remove::<Actor>().map(tracing::field::display);
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.render(&id).into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16();
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "vitrine::admin", request_id = id, %method, path, status, ms, by, "admin request");
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::Token;
    use crate::admin::access::Access;
    use crate::admin::extract::{Call, Params, Segments};
    use crate::admin::problem::ProblemBody;
    use axum::body::Body;
    use axum::routing::post;
    use http_body_util::BodyExt as _;
    use serde::Deserialize;
    use tower::ServiceExt as _;
    use vitrine_core::clock::Clock;
    use vitrine_core::id::{AppName, Version};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        version: Version,
    }

    async fn echo(
        Segments(app): Segments<AppName>,
        Params(_): Params<logs::LogsQuery>,
        call: Call,
    ) -> Result<String, Problem> {
        Ok(format!("{app}@{}", call.json::<Named>()?.version))
    }

    fn service() -> Router {
        let access = Access::new(Token::new("vt_right"), Vec::new(), Clock::system());
        let auth = AuthLayer { access, permissions: Arc::default(), metrics: Arc::default() };
        let guard = middleware::from_fn_with_state(auth, auth::require_token);
        frame(Router::new().route("/v1/{app}", post(echo)).route_layer(guard))
    }

    async fn send(method: &str, target: &str, token: &str, body: &str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::AUTHORIZATION, token)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = service().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let id = headers["x-request-id"].to_str().unwrap().to_owned();
        let text =
            String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        if status < 400 {
            return (status, text);
        }
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
        assert_eq!(headers.contains_key(header::ALLOW), status == 405);
        let problem: ProblemBody = serde_json::from_str(&text).unwrap();
        assert_eq!((problem.status, problem.request_id), (status, id));
        (status, problem.detail)
    }

    #[tokio::test]
    async fn each_way_to_be_wrong_has_its_status_and_names_the_thing() {
        let right = "Bearer vt_right";
        let body = r#"{"version":"v1"}"#;
        assert_eq!(send("POST", "/v1/shop", right, body).await, (200, "shop@v1".into()));
        assert_eq!(send("POST", "/v1/shop", "bearer  vt_right", body).await.0, 200);
        let wrong = [
            ("POST", "/v1/shop", "Bearer vt_wrong", body, 401, "token"),
            ("POST", "/v1/shop", "Basic vt_right", body, 401, "Authorization"),
            ("GET", "/v1/shop", right, "", 405, "GET"),
            ("POST", "/v2/shop", right, body, 404, "/v2/shop"),
            ("POST", "/v1/Shop", right, body, 400, "`Shop`"),
            ("POST", "/v1/shop?colour=red", right, body, 400, "colour"),
            ("POST", "/v1/shop", right, "{", 400, "EOF"),
            ("POST", "/v1/shop", right, "", 422, "version"),
            ("POST", "/v1/shop", right, r#"{"version":"v1","weight":5}"#, 422, "`weight`"),
            ("POST", "/v1/shop", right, r#"{"version":"a/b"}"#, 422, "a/b"),
        ];
        for (method, target, token, body, status, word) in wrong {
            let (got, detail) = send(method, target, token, body).await;
            assert!(got == status && detail.contains(word), "{method} {target} {body}: {got} {detail}");
        }
        let large = format!(r#"{{"version":"{}"}}"#, "v".repeat(ADMIN_JSON_BYTES_MAX));
        assert_eq!(send("POST", "/v1/shop", right, &large).await.0, 413);
    }

    #[test]
    fn the_description_names_every_path_and_the_token() {
        let api = serde_json::to_value(description()).unwrap();
        for (path, method) in [
            ("/v1/apps/{app}/releases/{version}", "put"),
            ("/v1/apps/{app}/deployments", "post"),
            ("/v1/apps/{app}/promote", "post"),
            ("/v1/apps/{app}/rollback", "post"),
            ("/v1/apps/{app}/env/{name}", "delete"),
            ("/v1/apps/{app}/logs", "get"),
            ("/metrics", "get"),
        ] {
            assert!(api["paths"][path][method].is_object(), "{method} {path}");
        }
        assert_eq!(api["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    }
}
