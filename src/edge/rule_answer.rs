//! Answers that a routing rule gives by itself: redirects, fixed answers, maintenance.

use super::context::RequestContext;
use super::response::{Failure, Reply, Timing, whole};
use super::routed::{Routed, rooted};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use http::{HeaderValue, StatusCode};
use vitrine_core::config::Template;
use vitrine_core::limits::MAINTENANCE_RETRY_AFTER_S;
use vitrine_proxy::rules::Action;
use vitrine_wire::Outcome;

/// The answer of the rule that holds, if it gives one.
pub(crate) fn answer(context: &mut RequestContext) -> Option<Result<Reply, Failure>> {
    let routed = context.routed.as_deref()?;
    let (status, headers, body) = match &routed.rule()?.action {
        Action::App(_) | Action::Upstream { .. } => return None,
        Action::Maintenance => return Some(Err(maintenance())),
        Action::Redirect { to, status } => {
            let mut headers = HeaderMap::with_capacity(8);
            headers.insert(LOCATION, location(context, routed, to)?);
            (*status, headers, Bytes::new())
        }
        Action::Respond { status, content_type, body } => {
            let mut headers = HeaderMap::with_capacity(8);
            headers.insert(CONTENT_TYPE, content_type.clone());
            (*status, headers, body.clone())
        }
    };
    context.outcome = Outcome::Ok;
    Some(Ok(whole(context, status, headers, body, Timing::uncached(None))))
}

/// Where a redirect leads: with the request's query, unless the rule gives one. A path that a client sent never becomes another host.
fn location(context: &RequestContext, routed: &Routed, to: &Template) -> Option<HeaderValue> {
    let uri = &context.info.uri;
    let filled = routed.fill(to, &context.address.host, uri.path());
    let is_path = !filled.starts_with("http://") && !filled.starts_with("https://");
    let mut location = if is_path { rooted(filled) } else { filled };
    if let Some(query) = uri.query().filter(|_| !location.contains('?')) {
        location.push('?');
        location.push_str(query);
    }
    HeaderValue::try_from(location).ok()
}

fn maintenance() -> Failure {
    let reason = "This site is under maintenance. Please try again in a while.";
    let retry_after_s = MAINTENANCE_RETRY_AFTER_S;
    Failure {
        reason,
        retry_after_s,
        ..Failure::of(Outcome::Overloaded).with(StatusCode::SERVICE_UNAVAILABLE)
    }
}
