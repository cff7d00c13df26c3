//! Built-in endpoints under `/_vitrine/` (health and readiness), on every host name.

use super::context::RequestContext;
use super::response::{Failure, Reply, Timing, whole};
use super::state::EdgeState;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap};
use http::{HeaderValue, Method, StatusCode};
use vitrine_core::telemetry::Metrics;
use vitrine_proxy::route::RouteTable;
use vitrine_wire::Outcome;

/// Whether a path is the host's own and never an app's.
#[must_use]
pub(crate) fn is_own(path: &str, alone: bool) -> bool {
    path.starts_with("/_vitrine/") || path == "/_vitrine" || (alone && path == "/metrics")
}

/// Answers one.
///
/// # Errors
/// There is no such endpoint, or it is not for this client.
pub(crate) fn answer<W>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    table: &RouteTable,
) -> Result<Reply, Failure> {
    context.silence();
    if context.info.method != Method::GET && context.info.method != Method::HEAD {
        let refused = Failure { reason: "Only GET is answered here.", ..Failure::of(Outcome::ClientError) };
        return Err(refused.with(StatusCode::METHOD_NOT_ALLOWED));
    }
    Ok(match context.info.uri.path() {
        "/_vitrine/healthz" => text(context, StatusCode::OK, "text/plain; charset=utf-8", "ok\n".into()),
        "/_vitrine/readyz" => match readiness(table, edge.alone, edge.shutdown.is_cancelled()) {
            Ok(()) => text(context, StatusCode::OK, "application/json", "{\"ready\":true}\n".into()),
            Err(reason) => {
                let body = format!("{{\"ready\":false,\"reason\":\"{reason}\"}}\n");
                text(context, StatusCode::SERVICE_UNAVAILABLE, "application/json", body)
            }
        },
        "/metrics" if !reads_metrics(edge, context) => {
            let refused = Failure {
                reason: "The metrics are for this machine and for networks that --metrics-allow names, asked by an address.",
                ..Failure::of(Outcome::ClientError)
            };
            return Err(refused.with(StatusCode::FORBIDDEN));
        }
        "/metrics" => text(context, StatusCode::OK, Metrics::CONTENT_TYPE, edge.telemetry.metrics.encode()),
        _ => {
            let missing = Failure::of(Outcome::ClientError).with(StatusCode::NOT_FOUND);
            return Err(Failure { reason: "There is nothing at this address.", ..missing });
        }
    })
}

fn reads_metrics<W>(edge: &EdgeState<W>, context: &RequestContext) -> bool {
    // HTTP/2 has the name in the target.
    let target = context.info.uri.authority().map(|authority| authority.as_str());
    let host = context.headers.get(HOST).and_then(|host| host.to_str().ok()).or(target);
    edge.metrics.lets(context.info.client, host)
}

/// Whether requests sent here now would be served. A host without apps is ready to be given one; one app of many
/// that is down is no reason to take the others away; a host for one release has nothing to serve without it.
fn readiness(table: &RouteTable, alone: bool, leaving: bool) -> Result<(), &'static str> {
    if leaving {
        return Err("draining");
    }
    if table.starting {
        return Err("starting");
    }
    let mut live = table.apps.values().filter_map(|app| app.live.as_ref()).peekable();
    if live.peek().is_none() {
        return if alone { Err("no_release") } else { Ok(()) };
    }
    if live.any(|target| target.pool.is_ready()) { Ok(()) } else { Err("no_worker") }
}

fn text(context: &mut RequestContext, status: StatusCode, media: &'static str, body: String) -> Reply {
    context.outcome = Outcome::Ok;
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    whole(context, status, headers, body.into(), Timing::uncached(None))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{app, table, target};
    use super::*;

    #[test]
    fn ready_means_that_a_request_would_be_served() {
        let empty = table(&[]);
        assert_eq!(readiness(&empty, false, false), Ok(()));
        assert_eq!(readiness(&empty, true, false), Err("no_release"));
        assert_eq!(readiness(&empty, false, true), Err("draining"));
        let starting = RouteTable { starting: true, ..RouteTable::default() };
        assert_eq!(readiness(&starting, false, false), Err("starting"));
        let down = table(&[app("shop", "v1", vec![target("shop", "v1", &[])])]);
        assert_eq!(readiness(&down, false, false), Err("no_worker"));
    }

    #[test]
    fn own_paths_are_not_an_apps() {
        assert!(is_own("/_vitrine/healthz", false));
        assert!(is_own("/_vitrine", false));
        assert!(!is_own("/_vitrinex", false));
        assert!(!is_own("/metrics", false));
        assert!(is_own("/metrics", true));
    }
}
