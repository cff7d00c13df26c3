//! Authentication: a request goes on if it shows a token that has the permission of its route.

use crate::admin::access::{Access, AuthResult, Caller};
use crate::admin::connection::CameBy;
use crate::admin::permission::{Permission, Permissions};
use crate::admin::problem::{Kind, Problem};
use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use std::net::IpAddr;
use std::sync::Arc;
use vitrine_core::config::MetricsRules;
use vitrine_core::id::AppName;

/// What watches the host asks for these, with or without a token.
const METRICS: &str = "/metrics";
const CHECKS: [&str; 2] = ["/healthz", "/readyz"];

/// What authentication and permissions are checked against.
#[derive(Debug, Clone)]
pub(super) struct AuthLayer {
    /// Tokens.
    pub access: Access,
    /// What routes ask of them.
    pub permissions: Arc<Permissions>,
    /// Who reads the metrics without one, and asks how the host does.
    pub metrics: Arc<MetricsRules>,
}

impl AuthLayer {
    /// Whether a request is for the metrics or a check, and comes from where no token is asked for.
    fn lets_watch(&self, request: &Request, path: Option<&str>) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let client = request.extensions().get::<CameBy>().map(|by| by.client);
        path.zip(client).is_some_and(|(path, client)| may_watch(&self.metrics, path, client, host))
    }
}

/// The machine itself may always ask how the host does: that is no more than a look at its processes tells.
fn may_watch(rules: &MetricsRules, path: &str, client: IpAddr, host: Option<&str>) -> bool {
    match path {
        METRICS => rules.lets(client, host),
        _ if CHECKS.contains(&path) => client.to_canonical().is_loopback() || rules.lets(client, host),
        _ => false,
    }
}

/// Lets a request pass that shows a token as `Authorization: Bearer TOKEN` which allows it, and ends an event stream with
/// the token that opened it.
///
/// # Errors
/// [`Kind::Unauthorized`], which does not say how near the token was, [`Kind::TooManyWrong`] and [`Kind::Forbidden`].
pub(super) async fn require_token(
    State(auth): State<AuthLayer>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if auth.lets_watch(&request, path.as_deref()) {
        return Ok(next.run(request).await);
    }
    let Some(shown) = bearer(request.headers()) else {
        return Err(Problem::new(
            Kind::Unauthorized,
            "send `Authorization: Bearer TOKEN`; the host's own lies in its data folder, in admin.token",
        ));
    };
    let caller = match auth.access.authenticate(shown) {
        AuthResult::Good(caller) => caller,
        AuthResult::Wrong => {
            return Err(Problem::new(
                Kind::Unauthorized,
                "the token is none of this host's, or was revoked, or has expired; its own lies in its data folder, in admin.token",
            ));
        }
        AuthResult::TooMany => {
            return Err(Problem::new(
                Kind::TooManyWrong,
                "the token is none of this host's, and too many wrong ones came just now",
            ));
        }
    };
    if let Some(came_by) = request.extensions().get::<CameBy>() {
        came_by.is_known();
        if came_by.reserve
            && !caller.is_root()
            && !path.as_deref().is_some_and(|path| path == METRICS || CHECKS.contains(&path))
        {
            return Err(Problem::new(
                Kind::Busy,
                "every connection of the admin side is in use; what is left is for the host's own token",
            ));
        }
    }
    let permission =
        path.as_deref().map_or(Permission::Root, |path| auth.permissions.get(request.method(), path));
    let app = app_of(&mut request).await;
    allow(&caller, permission, app.as_deref())?;
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller.actor.clone());
    Ok(bounded(caller, response))
}

/// The part of the path that names an app, whether it can be a name or not.
async fn app_of(request: &mut Request) -> Option<String> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    params.iter().find(|(name, _)| *name == "app").map(|(_, app)| app.to_owned())
}

fn allow(caller: &Caller, permission: Permission, app: Option<&str>) -> Result<(), Problem> {
    let forbidden = |text: String| Err(Problem::new(Kind::Forbidden, text));
    match permission {
        Permission::Any => Ok(()),
        Permission::Root if caller.is_root() => Ok(()),
        Permission::Root => forbidden("this needs the host's own token".into()),
        Permission::Verb(verb) => {
            // No token is for an invalid name; with a token for every app the handler refuses the name.
            let name: Option<AppName> = app.and_then(|app| app.parse().ok());
            match (caller.may(verb, name.as_ref()), app) {
                (true, _) => Ok(()),
                (false, Some(app)) => forbidden(format!("the token does not allow `{verb}` on `{app}`")),
                (false, None) => forbidden(format!("the token does not allow `{verb}` on every app")),
            }
        }
    }
}

/// Everything else is short: only event streams outlive the moment in which their token was good.
fn bounded(caller: Caller, response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if caller.is_root() || !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return response;
    }
    response.map(|body| {
        let ended = async move { caller.ended().await };
        Body::from_stream(body.into_data_stream().take_until(Box::pin(ended)))
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_for_the_machine_itself_and_for_listed_networks_and_the_metrics_for_these_alone() {
        let rules = MetricsRules { allow: vec!["10.0.0.0/8".parse().unwrap()] };
        let may = |path: &str, client: &str| {
            may_watch(&rules, path, client.parse().unwrap(), Some("10.0.0.1:8081"))
        };
        for check in CHECKS {
            for client in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.9.9"] {
                assert!(may(check, client), "{check} {client}");
            }
            assert!(!may(check, "192.168.0.1") && !may(check, "8.8.8.8"), "{check}");
        }
        assert!(may(METRICS, "10.9.9.9") && !may(METRICS, "127.0.0.1") && !may(METRICS, "8.8.8.8"));
        assert!(!may("/v1/apps", "10.9.9.9") && !may("/v1/apps", "127.0.0.1"));
    }
}
