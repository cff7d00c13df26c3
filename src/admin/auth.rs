//! The door: a request goes on if it shows a token that allows what it asks for.

use crate::admin::access::{Access, Caller, Shown};
use crate::admin::connection::CameBy;
use crate::admin::need::{Need, Needs};
use crate::admin::problem::{Kind, Problem};
use crate::config::MetricsRules;
use crate::id::AppName;
use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use std::sync::Arc;

/// What watches the host asks for this, with or without a token.
const METRICS: &str = "/metrics";

/// What the door knows.
#[derive(Debug, Clone)]
pub struct Door {
    /// Tokens.
    pub access: Access,
    /// What paths ask of them.
    pub needs: Arc<Needs>,
    /// Who reads the metrics without one.
    pub metrics: Arc<MetricsRules>,
}

impl Door {
    /// Whether a request is for the metrics, and comes from where no token is asked for.
    fn lets_read_metrics(&self, request: &Request, path: Option<&str>) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let came_by = request.extensions().get::<CameBy>();
        path == Some(METRICS) && came_by.is_some_and(|by| self.metrics.lets(by.client, host))
    }
}

/// Lets a request pass that shows a token as `Authorization: Bearer TOKEN` which allows it, and ends an event stream with
/// the token that opened it.
///
/// # Errors
/// [`Kind::Unauthorized`], which does not say how near the token was, [`Kind::TooManyWrong`] and [`Kind::Forbidden`].
pub async fn require_token(
    State(door): State<Door>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if door.lets_read_metrics(&request, path.as_deref()) {
        return Ok(next.run(request).await);
    }
    let Some(shown) = bearer(request.headers()) else {
        return Err(Problem::new(
            Kind::Unauthorized,
            "send `Authorization: Bearer TOKEN`; the host's own lies in its data folder, in admin.token",
        ));
    };
    let caller = match door.access.judge(shown) {
        Shown::Good(caller) => caller,
        Shown::Wrong => {
            return Err(Problem::new(
                Kind::Unauthorized,
                "the token is none of this host's, or was revoked, or has expired; its own lies in its data folder, in admin.token",
            ));
        }
        Shown::TooMany => {
            return Err(Problem::new(
                Kind::TooManyWrong,
                "the token is none of this host's, and too many wrong ones came just now",
            ));
        }
    };
    if let Some(came_by) = request.extensions().get::<CameBy>() {
        came_by.is_known();
        if came_by.reserve && !caller.is_root() && path.as_deref() != Some(METRICS) {
            return Err(Problem::new(
                Kind::Busy,
                "every connection of the admin side is in use; what is left is for the host's own token",
            ));
        }
    }
    let need = path.as_deref().map_or(Need::Root, |path| door.needs.get(request.method(), path));
    let app = app_of(&mut request).await;
    allow(&caller, need, app.as_deref())?;
    let mut response = caller.clone().calling(next.run(request)).await;
    response.extensions_mut().insert(caller.actor.clone());
    Ok(bounded(caller, response))
}

/// The part of the path that names an app, whether it can be a name or not.
async fn app_of(request: &mut Request) -> Option<String> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    params.iter().find(|(name, _)| *name == "app").map(|(_, app)| app.to_owned())
}

fn allow(caller: &Caller, need: Need, app: Option<&str>) -> Result<(), Problem> {
    let forbidden = |text: String| Err(Problem::new(Kind::Forbidden, text));
    match need {
        Need::Any => Ok(()),
        Need::Root if caller.is_root() => Ok(()),
        Need::Root => forbidden("this needs the host's own token".into()),
        Need::Verb(verb) => {
            // What is no name is nobody's app; with a token for every app it is the handler's to say so.
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
