//! How a deploy is watched: its bake, and the hooks at its stages.

use super::check::{Problem, problem};
use crate::id::AppName;
use serde::{Deserialize, Serialize};

/// How a release that was just made live is compared with the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bake {
    /// How long it is compared, in milliseconds; 0 is not at all.
    pub bake_time_ms: u64,
    /// Renders without which nothing can be said.
    pub min_requests: u64,
    /// Share of failed renders, from 0 to 1, that it may have beyond what fits the release before it.
    pub error_margin: f64,
    /// How many times as long as before 95 in 100 renders may take.
    pub p95_factor: f64,
    /// Whether a release is refused some of whose pages are worse than those that users have in the cache.
    pub cache_gate: bool,
}

impl Default for Bake {
    fn default() -> Self {
        // Two minutes cover most timers, cache fills and first collections, while the person who deploys is still watching. Fifty
        // renders tell a release whose every tenth page fails from a good one.
        Self {
            bake_time_ms: 120_000,
            min_requests: 50,
            error_margin: 0.02,
            p95_factor: 2.0,
            cache_gate: false,
        }
    }
}

/// When a hook is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookStage {
    /// Before users get the release; it is reached under its own name.
    BeforeTraffic,
    /// Once users get it.
    AfterTraffic,
    /// Once its bake passed.
    AfterBake,
}

impl HookStage {
    /// Its name in `vitrine.toml` and in what hooks are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeTraffic => "before_traffic",
            Self::AfterTraffic => "after_traffic",
            Self::AfterBake => "after_bake",
        }
    }
}

/// What is run at a stage of each deployment: a command or a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// When.
    pub stage: HookStage,
    /// App whose deployments it is for; absent is every app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Program and arguments, without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Where the same facts are posted as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Values of the host's own environment that a command sees beside `PATH`, `HOME`, `LANG`, `TZ` and what it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Time for all of it, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
}

/// A smoke test of some pages.
const fn default_timeout_ms() -> u64 {
    30_000
}

pub(super) fn bake_problem(bake: &Bake) -> Option<Problem> {
    if !(0.0..=1.0).contains(&bake.error_margin) {
        return problem(
            "deploy.error_margin",
            format!("is {}; it is a share from 0 to 1", bake.error_margin),
        );
    }
    if !(1.0..=1_000.0).contains(&bake.p95_factor) {
        return problem("deploy.p95_factor", format!("is {}; 1 is the least", bake.p95_factor));
    }
    if bake.min_requests == 0 {
        return problem("deploy.min_requests", "is 0; nothing can be said without a request");
    }
    None
}

pub(super) fn hook_problem(hooks: &[Hook]) -> Option<Problem> {
    let found = hooks.iter().enumerate().find_map(|(index, hook)| Some((index, what_is_wrong(hook)?)));
    found.and_then(|(index, (field, message))| problem(format!("hook[{index}].{field}"), message))
}

fn what_is_wrong(hook: &Hook) -> Option<(&'static str, &'static str)> {
    match (&hook.command, &hook.url) {
        (None, None) => {
            return Some(("stage", "has neither `command` nor `url` beside it; write one of them"));
        }
        (Some(_), Some(_)) => return Some(("url", "stands beside `command`; write two hooks")),
        (Some(command), None) if command.first().is_none_or(String::is_empty) => {
            return Some(("command", "names no program"));
        }
        (None, Some(url)) => match url::Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {}
            _ => return Some(("url", "is no http or https URL")),
        },
        (Some(_), None) => {}
    }
    if hook.url.is_some() && !hook.env.is_empty() {
        return Some(("env", "stands beside `url`; only a command has an environment"));
    }
    let unusable = |name: &String| name.is_empty() || name.contains(['=', '\0']);
    if hook.env.iter().any(unusable) {
        return Some(("env", "has an entry that is no name; list names, without values"));
    }
    if hook.env.iter().any(|name| name.starts_with("VITRINE_")) {
        return Some((
            "env",
            "lists a VITRINE_ name; those tell the hook what is deployed and can't be passed",
        ));
    }
    (hook.timeout_ms == 0).then_some(("timeout_ms", "is 0; 1 is the least"))
}
