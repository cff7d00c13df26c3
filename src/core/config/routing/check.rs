//! What the types of the fields do not say.

use super::super::check::{Problem, host_problem, problem as found};
use super::{
    Conditions, ExperimentRules, FixedAnswer, JwtRules, PathPattern, RouteRule, RoutingRules, Template,
};
use crate::id::{AppName, Version};
use crate::limits::{
    EXPERIMENT_VARIANTS_MAX, EXPERIMENTS_MAX, FIXED_ANSWER_BYTES_MAX, ROUTE_CONDITIONS_MAX, ROUTE_RULES_MAX,
    ROUTE_TEXT_BYTES_MAX,
};
use http::{HeaderName, HeaderValue, Method};
use std::collections::BTreeSet;
use url::Url;

/// Statuses of redirects.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];
/// Headers that frame a message, belong to one connection, or are the host's own: no rule sets or removes them.
const OWN_HEADERS: [&str; 15] = [
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
    "traceparent",
    "set-cookie",
    "vary",
];

/// The first value that can't be used.
pub(super) fn problem(rules: &RoutingRules) -> Option<Problem> {
    if rules.route.len() > ROUTE_RULES_MAX {
        return found("route", format!("has {} rules; {ROUTE_RULES_MAX} are the most", rules.route.len()));
    }
    if rules.experiment.len() > EXPERIMENTS_MAX {
        return found("experiment", format!("has more than {EXPERIMENTS_MAX} tables"));
    }
    let jwt = rules.jwt.as_ref().and_then(jwt_problem);
    jwt.or_else(|| experiments_problem(&rules.experiment)).or_else(|| {
        rules.route.iter().enumerate().find_map(|(index, rule)| {
            let (field, message) = rule_problem(rule, rules)?;
            found(
                if field.is_empty() { format!("route[{index}]") } else { format!("route[{index}].{field}") },
                message,
            )
        })
    })
}

type Wrong = Option<(&'static str, String)>;

fn wrong(field: &'static str, message: impl Into<String>) -> Wrong {
    Some((field, message.into()))
}

fn rule_problem(rule: &RouteRule, rules: &RoutingRules) -> Wrong {
    conditions_problem(rule, rules)
        .or_else(|| target_problem(rule))
        .or_else(|| upstream_problem(rule))
        .or_else(|| path_change_problem(rule))
        .or_else(|| header_change_problem(rule))
}

fn conditions_problem(rule: &RouteRule, rules: &RoutingRules) -> Wrong {
    if let Some(host) = &rule.host {
        let name = host.strip_prefix("*.").unwrap_or(host);
        if let Some(message) = host_problem(name) {
            return wrong("host", format!("is `{host}`: {message}; `*.` may stand in front"));
        }
    }
    let count = [&rule.header, &rule.cookie, &rule.query, &rule.claim, &rule.experiment];
    if count.iter().map(|conditions| conditions.len()).sum::<usize>() > ROUTE_CONDITIONS_MAX {
        return wrong("", format!("has more than {ROUTE_CONDITIONS_MAX} conditions"));
    }
    let is_method = |name: &str| Method::from_bytes(name.as_bytes()).is_ok() && name == name.to_uppercase();
    if let Some(name) = rule.method.iter().find(|name| !is_method(name)) {
        return wrong("method", format!("names `{name}`, which is no method in capitals"));
    }
    if let Some(name) = rule.header.keys().find(|name| !is_header(name)) {
        return wrong("header", format!("names `{name}`, which is no header in lower case"));
    }
    if let Some(name) = rule.cookie.keys().find(|name| !is_header_token(name) || is_own_cookie(name)) {
        return wrong("cookie", format!("names `{name}`, which is no cookie of an app"));
    }
    if !rule.claim.is_empty() && rules.jwt.is_none() {
        return wrong("claim", "needs a table [jwt] that says how tokens are verified");
    }
    for (name, variant) in &rule.experiment {
        let Some(experiment) = rules.experiment.iter().find(|experiment| experiment.name == *name) else {
            return wrong("experiment", format!("names `{name}`; there is no [[experiment]] of that name"));
        };
        if !matches!(variant.as_str(), "*" | "!") && !experiment.variants.contains_key(variant) {
            return wrong("experiment", format!("names `{variant}`, which is no variant of `{name}`"));
        }
    }
    let all: [(&'static str, &Conditions); 4] =
        [("header", &rule.header), ("cookie", &rule.cookie), ("query", &rule.query), ("claim", &rule.claim)];
    all.into_iter().find_map(|(field, conditions)| {
        let (name, _) = conditions.iter().find(|(_, value)| value.is_empty() && field != "query")?;
        wrong(field, format!("compares `{name}` with nothing; write \"*\" for present and \"!\" for absent"))
    })
}

fn target_problem(rule: &RouteRule) -> Wrong {
    let app = rule.app.is_some() || !rule.weights.is_empty();
    let to_app = match (&rule.upstream, &rule.app) {
        (Some(_), _) => "upstream",
        (None, Some(_)) => "app",
        (None, None) => "weights",
    };
    let ends = [
        (to_app, rule.upstream.is_some() || app),
        ("redirect", rule.redirect.is_some()),
        ("respond", rule.respond.is_some()),
    ];
    let ends: Vec<&'static str> =
        ends.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect();
    if let [one, other, ..] = ends[..] {
        return wrong(other, format!("stands beside `{one}`; write one of them"));
    }
    if ends.is_empty() && !rule.maintenance {
        return wrong(
            "",
            "must have one of `app`, `weights`, `redirect`, `respond`, `upstream` and `maintenance` (an app beside an `upstream` fills in its `upstream_host`)",
        );
    }
    if rule.app.is_some() && !rule.weights.is_empty() {
        return wrong("weights", "stands beside `app`; write one of them");
    }
    if rule.version.is_some() && rule.app.is_none() {
        return wrong("version", "stands without `app`");
    }
    if !rule.weights.is_empty() && rule.weights.values().all(|weight| *weight == 0) {
        return wrong("weights", "are all 0");
    }
    if let Some(name) = rule.weights.keys().find(|name| weighted(name).is_none()) {
        return wrong("weights", format!("names `{name}`, which is no app or app@version"));
    }
    if let Some(status) = rule.status
        && (rule.redirect.is_none() || !REDIRECTS.contains(&status))
    {
        return wrong("status", format!("is {status}; redirects have 301, 302, 303, 307 or 308"));
    }
    if let Some(redirect) = &rule.redirect {
        let leads_somewhere = ["http://", "https://"].iter().any(|scheme| redirect.starts_with(scheme))
            || (redirect.starts_with('/') && !redirect.starts_with("//"))
            || redirect.starts_with("{path}");
        if !leads_somewhere {
            return wrong("redirect", "begins with none of `https://`, `http://` and a single `/`");
        }
        if let Some(message) = template_problem(redirect) {
            return wrong("redirect", message);
        }
    }
    rule.respond.as_ref().and_then(respond_problem)
}

/// The app and the version of a name in `weights`.
pub(super) fn weighted(name: &str) -> Option<(AppName, Option<Version>)> {
    match name.split_once('@') {
        None => Some((name.parse().ok()?, None)),
        Some((app, version)) => Some((app.parse().ok()?, Some(version.parse().ok()?))),
    }
}

fn respond_problem(answer: &FixedAnswer) -> Wrong {
    if !(200..=599).contains(&answer.status) {
        return wrong("respond", format!("has the status {}; write one from 200 to 599", answer.status));
    }
    if answer.body.len() > FIXED_ANSWER_BYTES_MAX {
        return wrong("respond", format!("has a body of more than {FIXED_ANSWER_BYTES_MAX} bytes"));
    }
    if HeaderValue::from_str(&answer.content_type).is_err() {
        return wrong("respond", "has a content_type that is no header");
    }
    None
}

fn upstream_problem(rule: &RouteRule) -> Wrong {
    let Some(upstream) = &rule.upstream else {
        return rule.upstream_host.as_ref().and_then(|_| wrong("upstream_host", "stands without `upstream`"));
    };
    let url = Url::parse(upstream).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if url.is_none() {
        return wrong(
            "upstream",
            format!("is `{upstream}`; write `http://HOST:PORT` or `https://HOST`, without a path"),
        );
    }
    let host = rule.upstream_host.as_ref()?;
    if let Some(message) = template_problem(host) {
        return wrong("upstream_host", message);
    }
    let names_app = host.contains("{app}") || host.contains("{version}");
    if names_app && rule.app.is_none() && rule.weights.is_empty() {
        return wrong("upstream_host", "fills in an app; name it by `app` or `weights`");
    }
    None
}

fn path_change_problem(rule: &RouteRule) -> Wrong {
    if rule.strip_prefix.is_some() && rule.rewrite.is_some() {
        return wrong("rewrite", "stands beside `strip_prefix`; write one of them");
    }
    let reaches = rule.app.is_some() || !rule.weights.is_empty() || rule.upstream.is_some();
    if let Some(prefix) = &rule.strip_prefix {
        if !prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(['{', '*', '?', '%']) {
            return wrong("strip_prefix", format!("is `{prefix}`; write a path such as \"/learn\""));
        }
        let below = rule.path.as_ref().and_then(PathPattern::prefix).filter(|path| !path.is_empty());
        let has_it = |path: &str| {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if below.is_some_and(|path| !has_it(path)) {
            return wrong("strip_prefix", format!("is `{prefix}`, with which no path of this rule begins"));
        }
        if !reaches && rule.redirect.is_none() {
            return wrong("strip_prefix", "is for requests that an app or upstream gets, and for redirects");
        }
    }
    if let Some(path) = &rule.rewrite {
        if !reaches {
            return wrong("rewrite", "is for requests that an app or upstream gets");
        }
        if !path.starts_with('/') && !path.starts_with("{path}") {
            return wrong("rewrite", "does not begin with `/` or `{path}`");
        }
        if path.contains(['?', '#', '%', ' ']) {
            return wrong("rewrite", "is a path alone; the query stays");
        }
        if let Some(message) = template_problem(path) {
            return wrong("rewrite", message);
        }
    }
    None
}

fn header_change_problem(rule: &RouteRule) -> Wrong {
    let reaches = rule.app.is_some() || !rule.weights.is_empty() || rule.upstream.is_some();
    let of_request = !rule.set_request_headers.is_empty() || !rule.remove_request_headers.is_empty();
    if of_request && !reaches {
        return wrong("set_request_headers", "is for requests that an app or upstream gets");
    }
    for (field, headers) in [
        ("set_request_headers", &rule.set_request_headers),
        ("set_response_headers", &rule.set_response_headers),
    ] {
        if let Some(name) = headers.keys().find(|name| !is_free_header(name)) {
            return wrong(
                field,
                format!("names `{name}`, which is no header in lower case, or one of the host's own"),
            );
        }
        if let Some(message) = headers.values().find_map(|value| template_problem(value)) {
            return wrong(field, message);
        }
    }
    for (field, names) in [
        ("remove_request_headers", &rule.remove_request_headers),
        ("remove_response_headers", &rule.remove_response_headers),
    ] {
        if let Some(name) = names.iter().find(|name| !is_free_header(name)) {
            return wrong(
                field,
                format!("names `{name}`, which is no header in lower case, or one of the host's own"),
            );
        }
    }
    None
}

fn experiments_problem(experiments: &[ExperimentRules]) -> Option<Problem> {
    let mut names = BTreeSet::new();
    experiments.iter().enumerate().find_map(|(index, experiment)| {
        let at = |field: &str| format!("experiment[{index}].{field}");
        if !is_word(&experiment.name) {
            return found(at("name"), "is no name of 1 to 64 of a-z, A-Z, 0-9, - and _");
        }
        if !names.insert(&experiment.name) {
            return found(at("name"), "has been written above already");
        }
        let variants = &experiment.variants;
        if variants.is_empty() || variants.len() > EXPERIMENT_VARIANTS_MAX {
            return found(
                at("variants"),
                format!("has {}; 1 to {EXPERIMENT_VARIANTS_MAX} are possible", variants.len()),
            );
        }
        if let Some(name) = variants.keys().find(|name| !is_word(name)) {
            return found(
                at("variants"),
                format!("has `{name}`, which is no name of 1 to 64 of a-z, A-Z, 0-9, - and _"),
            );
        }
        if variants.values().all(|weight| *weight == 0) {
            return found(at("variants"), "have shares that are all 0");
        }
        let unit_ok = match experiment.unit.split_once(':') {
            None => experiment.unit == "visitor",
            Some(("cookie", name)) => is_header_token(name) && !is_own_cookie(name),
            Some(("header", name)) => is_header(name),
            Some(("claim", name)) => !name.is_empty(),
            Some(_) => false,
        };
        if !unit_ok {
            return found(at("unit"), "is none of `visitor`, `cookie:NAME`, `header:NAME` and `claim:NAME`");
        }
        None
    })
}

fn jwt_problem(jwt: &JwtRules) -> Option<Problem> {
    match (&jwt.cookie, &jwt.header) {
        (Some(name), None) if is_header_token(name) && !is_own_cookie(name) => {}
        (None, Some(name)) if is_header(name) => {}
        _ => {
            return found(
                "jwt",
                "must name either a `cookie` or a `header` (in lower case) that holds the token",
            );
        }
    }
    if jwt.keys.is_empty() && jwt.hs256_file.is_none() {
        return found("jwt", "names no `keys` and no `hs256_file`: no token could be verified");
    }
    None
}

fn template_problem(text: &str) -> Option<String> {
    if text.len() > ROUTE_TEXT_BYTES_MAX {
        return Some(format!("is longer than {ROUTE_TEXT_BYTES_MAX} bytes"));
    }
    if HeaderValue::from_str(text).is_err() {
        return Some("has a control character in it".into());
    }
    Template::parse(text).err().map(|error| error.to_string())
}

fn is_word(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(legal)
}

fn is_header_token(name: &str) -> bool {
    name.parse::<HeaderName>().is_ok()
}

fn is_header(name: &str) -> bool {
    is_header_token(name) && name.bytes().all(|byte| !byte.is_ascii_uppercase())
}

fn is_free_header(name: &str) -> bool {
    is_header(name) && !OWN_HEADERS.contains(&name) && !name.starts_with("x-vitrine-") && !name.contains('_')
}

fn is_own_cookie(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["__vitrine_", "__host-__vitrine_", "__secure-__vitrine_"].iter().any(|own| name.starts_with(own))
}
