//! An instance's life, over the control socket.
//!
//! The host sends `Start` once after the hello; the worker evaluates the bundle, boots and warms every isolate and
//! answers `Ready`, or `BootFailed`. A worker that already runs (the host was restarted) answers `Ready` at once.
//! Then either side sends at will: `Log` and `Egress` from the worker; `Ping`, `Freeze`, `Thaw` and `Drain`
//! from the host.

use crate::limits::ANSWER_SHOWN_BYTES_MAX;
use crate::{AppError, WorkerLimits};
use serde::{Deserialize, Serialize};

/// How the bundle's entry is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// `export default { fetch(request, env, ctx) }`, or a default-exported function.
    #[default]
    Fetch,
    /// `export function render(request)`.
    Render,
}

/// What a worker needs to know about its release beyond the bundle's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSettings {
    /// Path of the entry in the bundle, such as `server/index.js`.
    pub entry: String,
    /// How the entry is called.
    pub contract: Contract,
    /// Paths to render in each isolate before `Ready`.
    pub warm: Vec<String>,
    /// Host name that warm renders see in `request.url`.
    pub host: String,
    /// Limits in force.
    pub limits: WorkerLimits,
}

/// Begin. Values of the environment travel here and nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// See [`WorkerSettings`].
    pub settings: WorkerSettings,
    /// Names and values of the release's environment, secrets included.
    pub env: Vec<(String, String)>,
    /// Whether a worker of this release served before: a warm path that fails now is told in [`Ready::warm_failure`] and keeps
    /// no isolate from serving.
    pub is_accepted: bool,
}

impl std::fmt::Debug for Start {
    // Values are left out: they may be secrets, and this text may reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Start")
            .field("settings", &self.settings)
            .field("env", &names)
            .field("is_accepted", &self.is_accepted)
            .finish()
    }
}

/// Every isolate is booted and warm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Isolates in rotation.
    pub isolates: u32,
    /// From `Start` to here, in microseconds.
    pub boot_us: u64,
    /// Whether the isolates started from the snapshot that the worker was given.
    pub from_snapshot: bool,
    /// The first warm path that failed, of a release that is accepted.
    pub warm_failure: Option<Box<BootFailure>>,
}

/// Which step of a boot failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootStage {
    /// The bundle's files: missing entry, not UTF-8.
    Load,
    /// Syntax errors and unknown imports.
    Compile,
    /// Module evaluation threw or did not end.
    Evaluate,
    /// The entry's exports do not have the shape that the contract asks for.
    Contract,
    /// A warm path had no whole answer.
    Warm,
    /// A warm path answered 500 or above.
    Answered(Box<FailedAnswer>),
}

/// An answer with a status of 500 or above to a request of the host's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAnswer {
    /// Path that was asked for.
    pub path: String,
    /// Status.
    pub status: u16,
    /// The first `ANSWER_SHOWN_BYTES_MAX` bytes of its body, as text.
    pub body: String,
}

impl FailedAnswer {
    /// An answer whose body begins with these bytes. A character that is not whole at their end is left out.
    #[must_use]
    pub fn new(path: &str, status: u16, body: &[u8]) -> Self {
        let shown = &body[..body.len().min(ANSWER_SHOWN_BYTES_MAX)];
        let whole = match std::str::from_utf8(shown) {
            Err(error) if error.error_len().is_none() => &shown[..error.valid_up_to()],
            _ => shown,
        };
        Self { path: path.to_owned(), status, body: String::from_utf8_lossy(whole).into_owned() }
    }
}

/// The bundle can't be served. The worker stays up so that its logs can be read, and takes no request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFailure {
    /// Which step.
    pub stage: BootStage,
    /// What happened and what to do about it.
    pub message: String,
    /// What the app threw, if it did.
    pub error: Option<AppError>,
}

/// Severity of a log line, as `console` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// `console.debug`, `console.trace`.
    Debug,
    /// `console.log`, `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`, uncaught errors.
    Error,
}

/// One line that the app, or the worker about the app, wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// Severity.
    pub level: LogLevel,
    /// The request during which it was written, if one was running.
    pub request_id: Option<String>,
    /// Text.
    pub message: String,
    /// Source-mapped stack, for errors.
    pub stack: Option<String>,
}

/// What an isolate is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolateState {
    /// Evaluating the bundle or warming.
    Booting,
    /// In rotation.
    Serving,
    /// Condemned; its replacement is on the way.
    Condemned,
}

/// Why an isolate was condemned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartReason {
    /// It was ended at `cpu_ms`.
    CpuLimit,
    /// It was ended at `wall_ms`.
    WallLimit,
    /// It was ended at `heap_mb`.
    HeapLimit,
    /// A part of the platform failed in it.
    Crashed,
    /// Several requests in a row ended as `app_error` or at `wall_ms`.
    AppError,
    /// The app's handler returned something that is no response.
    WrongType,
}

impl RestartReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::CpuLimit, Self::WallLimit, Self::HeapLimit, Self::Crashed, Self::AppError, Self::WrongType];

    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuLimit => "cpu_limit",
            Self::WallLimit => "wall_limit",
            Self::HeapLimit => "heap_limit",
            Self::Crashed => "crashed",
            Self::AppError => "app_error",
            Self::WrongType => "wrong_type",
        }
    }
}

/// One isolate's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolateStatus {
    /// What it is doing.
    pub state: IsolateState,
    /// Requests that it has begun and not ended.
    pub in_flight: u32,
    /// Used heap at the last look, in bytes.
    pub heap_bytes: u64,
    /// Times that this place was given a new isolate because its last one was condemned, by reason. One that has served its
    /// only request is not condemned.
    pub restarts: Vec<(RestartReason, u32)>,
    /// Whether it answered a no-op: since the ping came, or lately and has no request.
    pub alive: bool,
}

/// Answer to a ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The ping's number.
    pub nonce: u64,
    /// Requests waiting for an isolate.
    pub queued: u32,
    /// One entry an isolate.
    pub isolates: Vec<IsolateStatus>,
}
