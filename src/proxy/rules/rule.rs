//! One rule, compiled.

use super::depends::{Depends, jwt_depends, unit_depends};
use super::door::Door;
use super::evaluation::Evaluation;
use super::shares::Shares;
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use ipnet::IpNet;
use vitrine_core::config::{Conditions, ExperimentRules, JwtRules, PathPattern, RouteRule, Template};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    host: Option<Box<str>>,
    path: Option<PathPattern>,
    methods: Box<[Method]>,
    conditions: Box<[Condition]>,
    clients: Box<[IpNet]>,
    depends: Depends,
    /// What happens if it holds.
    pub action: Action,
    /// What is changed of the request and its answer; nothing where there is none.
    pub changes: Option<Box<Changes>>,
    /// Who is let in; everybody where there is none.
    pub door: Option<Box<Door>>,
}

/// What happens to a request.
#[derive(Debug)]
pub enum Action {
    /// An app answers.
    App(Shares),
    /// The client is sent elsewhere.
    Redirect {
        /// Where to; without a query, the request's own is added.
        to: Template,
        /// Status.
        status: StatusCode,
    },
    /// A fixed answer.
    Respond {
        /// Status.
        status: StatusCode,
        /// Media type.
        content_type: HeaderValue,
        /// Body.
        body: Bytes,
    },
    /// The request is forwarded.
    Upstream {
        /// Where to.
        origin: UpstreamOrigin,
        /// `Host` that it gets; the client's without it.
        host: Option<Template>,
        /// App whose name and version are filled in.
        names: Option<Shares>,
    },
    /// A page that says that there is maintenance.
    Maintenance,
}

/// Scheme and authority of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamOrigin {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
}

/// What a rule changes.
#[derive(Debug)]
pub struct Changes {
    /// Prefix that is taken off the path.
    pub strip_prefix: Option<Box<str>>,
    /// Path that takes the place of the sent one.
    pub rewrite: Option<Template>,
    /// Request headers that are set.
    pub set_request: Box<[(HeaderName, Template)]>,
    /// Request headers that are left out.
    pub remove_request: Box<[HeaderName]>,
    /// Response headers that are set.
    pub set_response: Box<[(HeaderName, Template)]>,
    /// Response headers that are left out.
    pub remove_response: Box<[HeaderName]>,
}

/// A condition on what has a name and a value.
#[derive(Debug)]
struct Condition {
    subject: Subject,
    wanted: Wanted,
}

#[derive(Debug)]
enum Subject {
    Header(HeaderName),
    Cookie(Box<str>),
    Query(Box<str>),
    /// An experiment, by its place.
    Experiment(usize, Box<str>),
    Claim(Box<str>),
}

#[derive(Debug)]
enum Wanted {
    Present,
    Absent,
    Value(Box<str>),
}

impl Wanted {
    fn of(text: &str) -> Self {
        match text {
            "*" => Self::Present,
            "!" => Self::Absent,
            value => Self::Value(value.into()),
        }
    }

    /// Whether values, of which there may be none, are what is wanted.
    fn is_met<'a>(&self, mut values: impl Iterator<Item = &'a [u8]>) -> bool {
        match self {
            Self::Present => values.next().is_some(),
            Self::Absent => values.next().is_none(),
            Self::Value(wanted) => values.any(|value| value == wanted.as_bytes()),
        }
    }
}

impl Rule {
    /// From a table that was checked.
    pub(super) fn compile(
        rule: &RouteRule,
        experiments: &[ExperimentRules],
        jwt: Option<&JwtRules>,
        door: Option<Door>,
    ) -> Self {
        let conditions = conditions(rule, experiments);
        let mut depends = Depends::default();
        for condition in &conditions {
            depends.add(&condition.subject.depends(experiments, jwt));
        }
        if !rule.client.is_empty() {
            depends.add(&Depends::on_client());
        }
        Self {
            host: rule.host.as_deref().map(Into::into),
            path: rule.path.clone(),
            methods: rule.method.iter().filter_map(|name| name.parse().ok()).collect(),
            conditions,
            clients: rule.client.as_slice().into(),
            depends,
            action: action(rule),
            changes: changes(rule).map(Box::new),
            door: door.map(Box::new),
        }
    }

    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(super) const fn path(&self) -> Option<&PathPattern> {
        self.path.as_ref()
    }

    /// What of a request its conditions look at.
    pub(super) const fn depends(&self) -> &Depends {
        &self.depends
    }

    /// Whether all conditions hold.
    pub(super) fn holds(&self, evaluation: &Evaluation<'_>) -> bool {
        self.failed(evaluation).is_none()
    }

    /// The first condition that does not hold, in the words of the file.
    pub(super) fn failed(&self, evaluation: &Evaluation<'_>) -> Option<String> {
        let facts = evaluation.facts;
        if !self.host().is_none_or(|host| host_holds(host, facts.host)) {
            return Some("host".into());
        }
        if !self.path.as_ref().is_none_or(|path| path.holds(&evaluation.path)) {
            return Some("path".into());
        }
        if !self.methods.is_empty() && !self.methods.contains(facts.method) {
            return Some("method".into());
        }
        if !self.clients.is_empty() && !self.clients.iter().any(|network| network.contains(&facts.client)) {
            return Some("client".into());
        }
        let failed = self.conditions.iter().find(|condition| !condition.holds(evaluation))?;
        Some(failed.subject.to_string())
    }

    /// Whether the files that two rules name have the same content.
    pub(super) fn same_files(&self, other: &Self) -> bool {
        match (&self.door, &other.door) {
            (None, None) => true,
            (Some(one), Some(two)) => one.same_users(two),
            _ => false,
        }
    }
}

fn host_holds(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern == host,
        Some(above) => host.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
    }
}

impl Condition {
    fn holds(&self, evaluation: &Evaluation<'_>) -> bool {
        let (facts, wanted) = (evaluation.facts, &self.wanted);
        match &self.subject {
            Subject::Header(name) => wanted.is_met(facts.header(name)),
            Subject::Cookie(name) => wanted.is_met(facts.cookie(name).into_iter()),
            Subject::Query(name) => match wanted {
                Wanted::Present => facts.parameter(name, |_| true),
                Wanted::Absent => !facts.parameter(name, |_| true),
                Wanted::Value(value) => facts.parameter(name, |found| found == &**value),
            },
            Subject::Experiment(at, _) => {
                wanted.is_met(evaluation.variant(*at).map(str::as_bytes).into_iter())
            }
            Subject::Claim(name) => {
                let values = evaluation.claims().map(|claims| claims.values(name)).unwrap_or_default();
                wanted.is_met(values.iter().map(|value| value.as_bytes()))
            }
        }
    }
}

impl Subject {
    fn depends(&self, experiments: &[ExperimentRules], jwt: Option<&JwtRules>) -> Depends {
        match self {
            Self::Header(name) => Depends::on_header(name),
            Self::Cookie(_) => Depends::on_cookie(),
            Self::Query(_) => Depends::default(),
            Self::Experiment(at, _) => unit_depends(&experiments[*at], jwt),
            Self::Claim(_) => jwt_depends(jwt),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Cookie(name) => write!(f, "cookie.{name}"),
            Self::Query(name) => write!(f, "query.{name}"),
            Self::Experiment(_, name) => write!(f, "experiment.{name}"),
            Self::Claim(name) => write!(f, "claim.{name}"),
        }
    }
}

/// The cheapest first: a token is verified only for a request that meets everything else.
fn conditions(rule: &RouteRule, experiments: &[ExperimentRules]) -> Box<[Condition]> {
    fn of(conditions: &Conditions, subject: impl Fn(&str) -> Option<Subject>) -> Vec<Condition> {
        let known = conditions.iter().filter_map(|(name, wanted)| Some((subject(name)?, wanted)));
        known.map(|(subject, wanted)| Condition { subject, wanted: Wanted::of(wanted) }).collect()
    }
    let place = |name: &str| experiments.iter().position(|experiment| experiment.name == name);
    let all = [
        of(&rule.header, |name| name.parse().ok().map(Subject::Header)),
        of(&rule.query, |name| Some(Subject::Query(name.into()))),
        of(&rule.cookie, |name| Some(Subject::Cookie(name.into()))),
        of(&rule.experiment, |name| Some(Subject::Experiment(place(name)?, name.into()))),
        of(&rule.claim, |name| Some(Subject::Claim(name.into()))),
    ];
    all.into_iter().flatten().collect()
}

/// What a table says besides its conditions. It was checked to be one of these.
fn action(rule: &RouteRule) -> Action {
    let shares = match &rule.app {
        Some(app) => Some(Shares::one(app.clone(), rule.version.clone())),
        None => (!rule.weights.is_empty()).then(|| Shares::weighted(&rule.weights)),
    };
    let template = |text: &String| Template::parse(text).ok();
    if rule.maintenance {
        return Action::Maintenance;
    }
    if let Some(to) = rule.redirect.as_ref().and_then(template) {
        let status = rule.status.and_then(|status| StatusCode::from_u16(status).ok());
        return Action::Redirect { to, status: status.unwrap_or(StatusCode::PERMANENT_REDIRECT) };
    }
    if let Some(answer) = &rule.respond {
        return Action::Respond {
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK),
            content_type: HeaderValue::from_str(&answer.content_type)
                .unwrap_or(HeaderValue::from_static("text/plain; charset=utf-8")),
            body: Bytes::copy_from_slice(answer.body.as_bytes()),
        };
    }
    if let Some(origin) = rule.upstream.as_deref().and_then(UpstreamOrigin::parse) {
        return Action::Upstream {
            origin,
            host: rule.upstream_host.as_ref().and_then(template),
            names: shares,
        };
    }
    shares.map_or(Action::Maintenance, Action::App)
}

impl UpstreamOrigin {
    fn parse(text: &str) -> Option<Self> {
        let parts = text.parse::<Uri>().ok()?.into_parts();
        Some(Self { scheme: parts.scheme?, authority: parts.authority? })
    }
}

fn changes(rule: &RouteRule) -> Option<Changes> {
    let set = |headers: &Conditions| {
        let known =
            headers.iter().filter_map(|(name, text)| Some((name.parse().ok()?, Template::parse(text).ok()?)));
        known.collect()
    };
    let names = |names: &[String]| names.iter().filter_map(|name| name.parse().ok()).collect();
    let changes = Changes {
        strip_prefix: rule.strip_prefix.as_deref().map(Into::into),
        rewrite: rule.rewrite.as_ref().and_then(|text| Template::parse(text).ok()),
        set_request: set(&rule.set_request_headers),
        remove_request: names(&rule.remove_request_headers),
        set_response: set(&rule.set_response_headers),
        remove_response: names(&rule.remove_response_headers),
    };
    let is_any = changes.strip_prefix.is_some()
        || changes.rewrite.is_some()
        || !changes.set_request.is_empty()
        || !changes.remove_request.is_empty()
        || !changes.set_response.is_empty()
        || !changes.remove_response.is_empty();
    is_any.then_some(changes)
}
