//! A line of an app's log as the admin side shows it.

use crate::release::AppView;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use vitrine_core::telemetry::{KeptLine, LineKind};
use vitrine_wire::LogLevel;

/// What a line was written for, other than a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A render before an isolate serves.
    WarmUp,
    /// A health check.
    Health,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestView {
    /// Method.
    pub method: String,
    /// Path, cut.
    pub path: String,
    /// Query, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Status.
    pub status: u16,
    /// How it ended.
    pub outcome: String,
    /// From arrival to the last byte.
    pub duration_ms: f64,
    /// CPU time of its render.
    pub cpu_ms: f64,
    /// Body bytes of the answer.
    pub bytes: u64,
    /// Who asked.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
}

/// One line, the data of an event `log`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogEvent {
    /// `app`, `request`, or `host` for what the host has to say of the app.
    pub kind: LineKind,
    /// When, in milliseconds since the Unix epoch; of a request, when it ended.
    pub time_ms: u64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// `APP@VERSION`; of a line that is about no release, the app.
    pub release: String,
    /// Name of the preview that the release is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// Whether the release is the live one now.
    pub live: bool,
    /// Worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Request during which it was written, if one was running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// See [`Mark`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Text; of a request, its figures.
    pub message: String,
    /// Source-mapped stack, for errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The request that the line is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestView>,
}

/// What the releases of an app are now: previews by version, and the live one.
#[derive(Debug, Default)]
pub struct Standing {
    live: Option<String>,
    previews: HashMap<String, String>,
}

impl Standing {
    /// Of this app.
    pub fn of(app: Option<&AppView>) -> Self {
        let Some(app) = app else { return Self::default() };
        let preview = |release: &crate::release::ReleaseView| {
            release.preview.clone().map(|name| (release.version.clone(), name))
        };
        Self { live: app.live.clone(), previews: app.releases.iter().filter_map(preview).collect() }
    }
}

impl Mark {
    /// Of a line: the worker and the checks name their renders so.
    pub fn of(line: &KeptLine) -> Option<Self> {
        let id = line.request_id.as_deref()?;
        if id.starts_with("warm:") {
            Some(Self::WarmUp)
        } else {
            id.starts_with("health:").then_some(Self::Health)
        }
    }
}

impl LogEvent {
    /// A kept line, with what its release is now.
    pub fn new(line: KeptLine, standing: &Standing) -> Self {
        let request = request(&line);
        let message = match &request {
            Some(request) => summary(request, line.error.as_ref().map(|error| error.message.as_str())),
            None => line.message.clone(),
        };
        let version = line.release.as_deref();
        Self {
            kind: line.kind,
            time_ms: ended_ms(&line),
            level: name(line.level).to_owned(),
            live: version.is_some() && version == standing.live.as_deref(),
            preview: version.and_then(|version| standing.previews.get(version).cloned()),
            mark: Mark::of(&line),
            release: match version {
                Some(version) => format!("{}@{version}", line.app),
                None => line.app,
            },
            instance: line.instance,
            request_id: line.request_id,
            message,
            stack: line.stack.or(line.error.map(|error| error.stack)),
            request,
        }
    }

    /// What it holds, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.message.len() + self.stack.as_ref().map_or(0, String::len)
    }
}

/// When a line was written.
pub(super) fn ended_ms(line: &KeptLine) -> u64 {
    let begun_ms = u64::try_from(line.time.as_millisecond()).unwrap_or_default();
    begun_ms + line.duration_ms.unwrap_or_default() as u64
}

fn request(line: &KeptLine) -> Option<RequestView> {
    if line.kind != LineKind::Request {
        return None;
    }
    Some(RequestView {
        method: line.method.clone()?,
        path: line.path.clone()?,
        query: line.query.clone(),
        status: line.status?,
        outcome: line.outcome?.to_string(),
        duration_ms: line.duration_ms.unwrap_or_default(),
        cpu_ms: line.cpu_ms.unwrap_or_default(),
        bytes: line.bytes.unwrap_or_default(),
        client: line.client,
    })
}

/// `GET /cart?step=2 500 app_error 12.3 ms (cpu 3.1 ms), 512 bytes: TypeError: no cart`
fn summary(request: &RequestView, error: Option<&str>) -> String {
    let RequestView { method, path, query, status, outcome, duration_ms, cpu_ms, bytes, .. } = request;
    let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    format!(
        "{method} {path}{query} {status} {outcome} {duration_ms:.1} ms (cpu {cpu_ms:.1} ms), {bytes} bytes{error}"
    )
}

const fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}
