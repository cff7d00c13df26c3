//! The door of a guarded preview: a link that holds a pass, the cookie that it is exchanged for, or the password by basic
//! authentication. Nothing of them goes on to an app, under any host name.

use super::context::RequestContext;
use super::response::{Failure, Reply, Timing, whole};
use super::select::Selection;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, LOCATION, REFERER};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri};
use vitrine_core::limits::PREVIEW_AUTHORIZATION_BYTES_MAX;
use vitrine_proxy::route::guard::{Guard, PASS_PARAMETER};
use vitrine_wire::Outcome;

/// Why a request does not go on to the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It came by a link: its client gets a pass, and comes again without the link's.
    Exchange,
    /// It shows nothing, or nothing that is good.
    Refuse,
}

/// Takes what is the host's own out of a request, whichever release it is for, so that no app sees it, and looks at it if the release is
/// guarded. The password and a link are good for a pass, which comes with the answer. Asked for each release that is selected for a
/// request: what it has shown once counts for the next one under the same host name.
pub(crate) fn stop(
    guard: Option<&Guard>,
    context: &mut RequestContext,
    selection: &Selection,
) -> Option<Stop> {
    let guard = guard?;
    // Browsers and tools go on showing what they know: to other releases, and to the app's own host name.
    let (linked, by_password) = take_shown(guard, context);
    if !context.by_own_name || !guard.watches(&selection.target.release.app) {
        return None;
    }
    let host = &context.address.host;
    let has_pass = context.pass_cookie().is_some_and(|pass| guard.is_pass(host, pass));
    context.shows_pass |= linked || by_password || has_pass;
    if !guard.asks_for(&selection.target) {
        return None;
    }
    context.guarded = true;
    if !context.shows_pass {
        return Some(Stop::Refuse);
    }
    context.new_pass = (!has_pass).then(|| guard.pass(host));
    let can_come_again = matches!(context.info.method, Method::GET | Method::HEAD);
    (linked && can_come_again).then_some(Stop::Exchange)
}

/// Takes what is the host's own out of a request that goes to no release.
pub(crate) fn forget(guard: Option<&Guard>, context: &mut RequestContext) {
    if let Some(guard) = guard {
        take_shown(guard, context);
    }
}

/// Takes a link's pass and the password out of a request, and gives whether each is good for its host name. Passes in cookies are taken
/// out with the host's other cookies.
fn take_shown(guard: &Guard, context: &mut RequestContext) -> (bool, bool) {
    let RequestContext { address, info, headers, .. } = context;
    let host = &address.host;
    let linked = take_parameter(&mut info.uri).is_some_and(|pass| guard.is_pass(host, &pass));
    let by_password = headers.get_all(AUTHORIZATION).iter().any(|shown| shows_password(guard, shown));
    if by_password {
        headers.remove(AUTHORIZATION);
    }
    let names_pass = |from: &HeaderValue| {
        from.as_bytes().windows(PASS_PARAMETER.len()).any(|part| part == PASS_PARAMETER.as_bytes())
    };
    if headers.get_all(REFERER).iter().any(names_pass) {
        headers.remove(REFERER);
    }
    (linked, by_password)
}

/// Answers a request that does not go on.
///
/// # Errors
/// It has shown nothing good.
pub(crate) fn answer(context: &mut RequestContext, stop: Stop) -> Result<Reply, Failure> {
    if stop == Stop::Refuse {
        return Err(refusal());
    }
    context.outcome = Outcome::Ok;
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(LOCATION, location(&context.info.uri));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(whole(context, StatusCode::SEE_OTHER, headers, Bytes::new(), Timing::uncached(None)))
}

/// What a request gets that has shown nothing good.
pub(crate) fn refusal() -> Failure {
    let reason = "This preview asks for a password.";
    Failure { reason, ..Failure::of(Outcome::ClientError) }.with(StatusCode::UNAUTHORIZED)
}

/// Where a link leads, on the same host name: a second slash would make the path another one.
fn location(uri: &Uri) -> HeaderValue {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = format!("/{}", target.trim_start_matches(['/', '\\']));
    HeaderValue::try_from(target).unwrap_or(HeaderValue::from_static("/"))
}

/// Takes the parameter out of a target, and gives its value. One that comes twice is none.
fn take_parameter(uri: &mut Uri) -> Option<String> {
    let query = uri.query()?;
    let is_ours = |pair: &&str| pair.split('=').next() == Some(PASS_PARAMETER);
    let ours: Vec<&str> = query.split('&').filter(is_ours).collect();
    let value = ours.first()?.split_once('=').map(|(_, value)| value.to_owned());
    let others: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    let target =
        if others.is_empty() { uri.path().into() } else { format!("{}?{}", uri.path(), others.join("&")) };
    let alone = ours.len() == 1;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    *uri = Uri::from_parts(parts).ok()?;
    value.filter(|_| alone)
}

/// Whether this is `Basic` with the password, under any user name.
fn shows_password(guard: &Guard, shown: &HeaderValue) -> bool {
    let Some((scheme, credentials)) = shown.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("basic") || credentials.len() > PREVIEW_AUTHORIZATION_BYTES_MAX {
        return false;
    }
    let Ok(decoded) = STANDARD.decode(credentials.trim()) else { return false };
    let password = decoded.iter().position(|byte| *byte == b':').map(|colon| &decoded[colon + 1..]);
    password.is_some_and(|password| guard.knows(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(target: &str) -> (Option<String>, String) {
        let mut uri: Uri = target.parse().unwrap();
        let value = take_parameter(&mut uri);
        (value, uri.to_string())
    }

    #[test]
    fn the_parameter_is_taken_out_wherever_it_stands() {
        for (target, value, left) in [
            ("/a?__vitrine_pass=x", Some("x"), "/a"),
            ("/a?b=1&__vitrine_pass=x&c=2", Some("x"), "/a?b=1&c=2"),
            ("/a?b=1", None, "/a?b=1"),
            ("/a?__vitrine_passed=x", None, "/a?__vitrine_passed=x"),
            ("/a?__vitrine_pass", None, "/a"),
            ("/a?__vitrine_pass=x&__vitrine_pass=y", None, "/a"),
            ("http://h.example/a?__vitrine_pass=x", Some("x"), "http://h.example/a"),
        ] {
            assert_eq!(taken(target), (value.map(String::from), left.to_owned()), "{target}");
        }
    }

    #[test]
    fn a_link_leads_to_this_host_alone() {
        for (target, to) in
            [("//evil.example/x", "/evil.example/x"), ("/a?b=1", "/a?b=1"), ("http://h.example//a", "/a")]
        {
            assert_eq!(location(&target.parse().unwrap()), to, "{target}");
        }
    }

    #[test]
    fn the_password_is_good_under_any_name_and_nothing_else_is() {
        let guard = Guard::new("pass:word", None);
        // `anna:pass:word`, `:pass:word`, `anna:other`, and texts that are none.
        for (shown, good) in [
            ("Basic YW5uYTpwYXNzOndvcmQ=", true),
            ("basic OnBhc3M6d29yZA==", true),
            ("Basic YW5uYTpvdGhlcg==", false),
            ("Bearer YW5uYTpwYXNzOndvcmQ=", false),
            ("Basic", false),
            ("Basic !!!", false),
            ("Basic YW5uYQ==", false),
        ] {
            assert_eq!(shows_password(&guard, &HeaderValue::from_static(shown)), good, "{shown}");
        }
    }
}
