//! Why a release did not come up, as far as the host knows more than its log says.

use super::release_handle::ReleaseHandle;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vitrine_core::visible;
use vitrine_proxy::worker::DeniedCall;
use vitrine_store::EnvScope;
use vitrine_wire::{AppError, FailedAnswer, WorkerLimits};

/// What may have kept a release from coming up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Diagnosis {
    /// App.
    pub app: String,
    /// Names that its bundle lists in `env` and that have no value in `env_scope`.
    pub env_unset: Vec<String>,
    /// Names that have a value in `env_scope` and that its bundle does not list in `env`.
    pub env_unlisted: Vec<String>,
    /// Whose values it was started with.
    pub env_scope: EnvScope,
    /// Calls of its worker that were denied.
    pub egress_denied: Vec<DeniedCall>,
    /// The answer with a status of 500 or above that was the reason: its `path`, its `status`, and how its `body` begins.
    #[schema(value_type = Option<Object>)]
    pub answer: Option<FailedAnswer>,
    /// What the app threw: `message`, and a source-mapped `stack`.
    #[schema(value_type = Option<Object>)]
    pub error: Option<AppError>,
    /// Limits that are lower than its bundle asks for.
    pub limits_lowered: Vec<LoweredLimit>,
}

/// A limit that the operator's maximum has lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoweredLimit {
    /// Name of the field, such as `heap_mb`.
    pub name: String,
    /// What the bundle asks for.
    pub wanted: u64,
    /// What holds: the maximum of `[limits]` in `vitrine.toml`.
    pub given: u64,
}

impl Diagnosis {
    /// Each finding in a line or a few, with what to do about it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines_with(env_line(&self.env_unset, self.env_scope, &self.app))
    }

    /// As [`Diagnosis::lines`], for `vitrine solo`, which reads values from its environment.
    #[must_use]
    pub fn lines_alone(&self) -> Vec<String> {
        let names = self.env_unset.join(", ");
        let unset =
            format!("environment variables that `env` in vitrine.json lists and that are not set: {names}");
        self.lines_with((!names.is_empty()).then_some(unset))
    }

    fn lines_with(&self, unset: Option<String>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(answer) = self.answer.as_ref().filter(|answer| !answer.body.trim().is_empty()) {
            lines.push(format!("the answer of {} began: {}", answer.path, visible::line(answer.body.trim())));
        }
        lines.extend(unset);
        lines.extend(unlisted_line(&self.env_unlisted));
        lines.extend(self.egress_denied.iter().map(ToString::to_string));
        lines.extend(limits_line(&self.limits_lowered));
        lines
    }
}

/// Says that names have no value, and how they get one.
#[must_use]
pub fn env_line(unset: &[String], scope: EnvScope, app: &str) -> Option<String> {
    let (flag, whose, more) = match scope {
        EnvScope::Production => ("", "", String::new()),
        EnvScope::Preview => (
            " --preview",
            " for previews",
            format!("\n  or, for production's value: vitrine env grant {app} NAME"),
        ),
    };
    let names = unset.join(", ");
    let commands = unset.iter().map(|name| format!("\n  vitrine env set {app} {name}{flag}"));
    let commands: String = commands.collect();
    let line =
        format!("no value is set{whose} for what `env` in vitrine.json lists: {names}{commands}{more}");
    (!unset.is_empty()).then_some(line)
}

/// Says that values don't reach the code.
fn unlisted_line(unlisted: &[String]) -> Option<String> {
    let line = format!(
        "values that are set and that `env` in vitrine.json does not list, so the code does not see them: {}",
        unlisted.join(", ")
    );
    (!unlisted.is_empty()).then_some(line)
}

/// Says which limits were lowered.
#[must_use]
pub fn limits_line(lowered: &[LoweredLimit]) -> Option<String> {
    let each =
        lowered.iter().map(|LoweredLimit { name, wanted, given }| format!("{name} {wanted} to {given}"));
    let each: Vec<String> = each.collect();
    let line =
        format!("limits lowered to the operator's maximum ([limits] in vitrine.toml): {}", each.join(", "));
    (!lowered.is_empty()).then_some(line)
}

/// Limits of a release that are lower than its bundle asks for.
pub(super) fn lowered(handle: &ReleaseHandle) -> Vec<LoweredLimit> {
    compare(&handle.bundle.manifest.limits, &handle.limits)
}

/// Those of them that its `vitrine.json` names: of the others the bundle asks for nothing.
pub(super) async fn lowered_wishes(handle: &ReleaseHandle) -> Vec<LoweredLimit> {
    let mut lowered = lowered(handle);
    if !lowered.is_empty() {
        let text = tokio::fs::read(handle.dir.files().join("vitrine.json")).await.unwrap_or_default();
        let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
        lowered.retain(|limit| manifest["limits"].get(&limit.name).is_some());
    }
    lowered
}

/// By the names that both have in common, so that no limit is forgotten here.
fn compare(wanted: &WorkerLimits, given: &WorkerLimits) -> Vec<LoweredLimit> {
    let (Ok(Value::Object(wanted)), Ok(given)) = (serde_json::to_value(wanted), serde_json::to_value(given))
    else {
        return Vec::new();
    };
    let lowered = wanted.iter().filter_map(|(name, wanted)| {
        let (wanted, given) = (wanted.as_u64()?, given.get(name)?.as_u64()?);
        (given < wanted).then(|| LoweredLimit { name: name.clone(), wanted, given })
    });
    lowered.collect()
}

/// Names of `wanted` that `set` does not have.
pub(super) fn unset(wanted: &[String], set: &[String]) -> Vec<String> {
    wanted.iter().filter(|name| !set.contains(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::effective_limits::effective_limits;
    use vitrine_core::config::LimitMaxima;
    use vitrine_proxy::worker::Setting;

    #[test]
    fn limits_that_the_operator_lowers_are_named_and_no_others() {
        let wanted = WorkerLimits { heap_mb: 4096, cpu_ms: 60_000, ..WorkerLimits::default() };
        let max = LimitMaxima { heap_mb: 256, cpu_ms: 2000, ..LimitMaxima::default() };
        let lowered = compare(&wanted, &effective_limits(&wanted, &max, 2.0));
        let limit = |name: &str, wanted, given| LoweredLimit { name: name.into(), wanted, given };
        assert_eq!(lowered, [limit("cpu_ms", 60_000, 2000), limit("heap_mb", 4096, 256)]);
        assert_eq!(
            compare(&WorkerLimits::default(), &effective_limits(&WorkerLimits::default(), &max, 2.0)),
            []
        );
    }

    #[test]
    fn each_finding_says_what_to_do() {
        let setting = Setting { file: "vitrine.json".into(), line: r#""egress": ["http://a"]"#.into() };
        let diagnosis = Diagnosis {
            app: "shop".into(),
            env_unset: vec!["API_URL".into(), "API_KEY".into()],
            env_unlisted: vec!["API_UR".into(), "OTHER".into()],
            env_scope: EnvScope::Preview,
            egress_denied: vec![DeniedCall {
                origin: "http://a".into(),
                address: None,
                needs: vec![setting],
            }],
            answer: Some(FailedAnswer::new("/", 500, "no\tvalue\u{1b}[2J".as_bytes())),
            error: None,
            limits_lowered: vec![LoweredLimit { name: "heap_mb".into(), wanted: 4096, given: 256 }],
        };
        assert_eq!(
            diagnosis.lines(),
            [
                "the answer of / began: no\tvalue\\u{1b}[2J",
                "no value is set for previews for what `env` in vitrine.json lists: API_URL, API_KEY\n  \
                 vitrine env set shop API_URL --preview\n  vitrine env set shop API_KEY --preview\n  \
                 or, for production's value: vitrine env grant shop NAME",
                "values that are set and that `env` in vitrine.json does not list, so the code does not see them: API_UR, OTHER",
                r#"egress denied: http://a needs "egress": ["http://a"] in vitrine.json"#,
                "limits lowered to the operator's maximum ([limits] in vitrine.toml): heap_mb 4096 to 256",
            ]
        );
        assert_eq!(Diagnosis::default().lines(), [""; 0]);
    }
}
