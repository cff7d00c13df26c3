//! Which rule decides a request, what answers it, and why not the rules before.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use vitrine_core::id::{AppName, Version};
use vitrine_proxy::route::{HostTarget, RouteTable};
use vitrine_proxy::rules::{Action, Facts, Shares};

/// A request to explain.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestToExplain {
    /// Its address, such as `https://www.example.com/learn/a?b=c`.
    pub url: String,
    /// Its method; GET without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its headers, as names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Address of its client; 127.0.0.1 without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client: Option<IpAddr>,
    /// The visitor's number, 32 hexadecimal digits, as their cookie has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
}

/// A rule that does not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TriedRule {
    /// Its place, from 0.
    pub index: usize,
    /// The first condition that does not hold, such as `header.x-beta`.
    pub failed: String,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExplainedRoute {
    /// The rule that decides, by its place; none where the host name does.
    pub matched: Option<usize>,
    /// What answers, such as `app learn`, `redirect 308 to …` or `upstream http://…`; none where nothing does.
    pub target: Option<String>,
    /// The rules before it.
    pub tried: Vec<TriedRule>,
    /// What else an operator is to know, such as who is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Which rule of a table decides a request, and what answers it.
pub(super) fn explained(table: &RouteTable, facts: &Facts<'_>) -> ExplainedRoute {
    let explanation = table.rules.as_ref().map(|rules| rules.explain(facts)).unwrap_or_default();
    let rule = explanation.matched.and_then(|index| table.rules.as_ref()?.rule(index));
    let target = match rule {
        Some(rule) => Some(target(&rule.action, facts)),
        None => table.resolve(facts.host).map(|target| match target {
            HostTarget::App(app) => format!("app {}", app.app),
            HostTarget::Release(_, release) => format!("release {}", release.release),
        }),
    };
    let tried =
        explanation.tried.into_iter().map(|tried| TriedRule { index: tried.index, failed: tried.failed });
    let door = rule.and_then(|rule| rule.door.as_deref());
    let mut notes = door.map(|door| door.notes(facts.client)).unwrap_or_default();
    if let Some(Action::App(shares)) = rule.map(|rule| &rule.action) {
        let chosen = shares.of(facts.visitor);
        notes.extend(missing(table, &chosen.app, chosen.version.as_ref()).map(|what| format!("404: {what}")));
    }
    ExplainedRoute { matched: explanation.matched, target, tried: tried.collect(), notes }
}

/// What is not here of an app and its version that rules name.
pub(super) fn missing(table: &RouteTable, app: &AppName, version: Option<&Version>) -> Option<String> {
    match (table.apps.get(app), version) {
        (None, _) => Some(format!("`{app}` has no release here")),
        (Some(route), Some(version)) if route.release(version).is_none() => {
            Some(format!("`{app}@{version}` is not here"))
        }
        _ => None,
    }
}

fn target(action: &Action, facts: &Facts<'_>) -> String {
    match action {
        Action::App(shares) => app(shares, facts),
        Action::Redirect { status, .. } => format!("redirect {}", status.as_u16()),
        Action::Respond { status, .. } => format!("answer {}", status.as_u16()),
        Action::Upstream { origin, names, .. } => {
            let named =
                names.as_ref().map(|shares| format!(" as {}", app(shares, facts))).unwrap_or_default();
            format!("upstream {}://{}{named}", origin.scheme, origin.authority)
        }
        Action::Maintenance => "maintenance".into(),
    }
}

fn app(shares: &Shares, facts: &Facts<'_>) -> String {
    let chosen = shares.of(facts.visitor);
    match &chosen.version {
        None => format!("app {}", chosen.app),
        Some(version) => format!("release {}@{version}", chosen.app),
    }
}
