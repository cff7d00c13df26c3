//! One request and its answer, or one egress call and its answer: a stream.
//!
//! On the requests socket the host opens streams: `Request`, then `Body`…`BodyEnd` if `has_body`; the worker answers
//! `Response`, `Body`…, `Done`. `Done` always comes, alone when the render failed before a head. On the control
//! socket the worker opens streams the same way with `Egress`, and the host answers. Either side may send `Cancel`,
//! after which it ignores the stream. Body bytes count against the receiver's window until it sends `Credit`.

use crate::Outcome;
use crate::cache::{EgressCache, Reads};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Header by which a worker tells that a call goes to the origin of the request that makes it, and the host, of a request, that the app
/// itself makes it: how often the app has called itself on the way. Nobody outside sends or sees it.
pub const OWN_CALL_HEADER: &str = "x-vitrine-own-call";

/// Header names in lower case with their values, in order, repeated names repeated.
pub type Headers = Vec<(String, Bytes)>;

/// A request as the app sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// Method, upper case.
    pub method: String,
    /// Absolute URL, scheme and host as the client sees them.
    pub url: String,
    /// End-to-end headers; hop-by-hop ones and lengths are the edge's own business.
    pub headers: Headers,
    /// Whether `Body` frames and a `BodyEnd` follow.
    pub has_body: bool,
    /// Whether it asks for a WebSocket. Its body begins when the answer is 101, and holds [`message`](crate::message)s, as that of the answer
    /// does.
    pub upgrade: bool,
    /// Id for logs and traces.
    pub request_id: String,
    /// Whether the end of the answer is to say what the render read.
    pub ledger: bool,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// 200 to 599, or 101 for a WebSocket that was asked for.
    pub status: u16,
    /// Reason phrase of the answer to an `Egress`, where it is not the usual one of the status: at most `REASON_BYTES_MAX`.
    pub reason: Option<Bytes>,
    /// End-to-end headers. The host drops hop-by-hop ones and lengths whatever is in here.
    pub headers: Headers,
}

impl ResponseHead {
    /// A head with the usual reason phrase.
    #[must_use]
    pub const fn new(status: u16, headers: Headers) -> Self {
        Self { status, reason: None, headers }
    }
}

/// A `fetch` of the app, to be made by the host's broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressHead {
    /// Method, upper case.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Headers as the app set them.
    pub headers: Headers,
    /// Whether `Body` frames and a `BodyEnd` follow.
    pub has_body: bool,
    /// See [`RequestHead::upgrade`].
    pub upgrade: bool,
    /// The request that this call belongs to, if any.
    pub request_id: Option<String>,
    /// What the app asks of the cache for what it fetches; none where it says nothing.
    pub cache: Option<Box<EgressCache>>,
}

/// Why the broker did not make, or did not finish, an egress call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum EgressFailure {
    /// Not in the bundle's list or not in the operator's policy, or an address that is never allowed.
    #[error("egress denied: {0}")]
    Denied(String),
    /// Name not found, connection refused, reset, TLS failure.
    #[error("egress failed: {0}")]
    Unreachable(String),
    /// Slower than the broker's deadline.
    #[error("egress timed out: {0}")]
    TimedOut(String),
    /// A limit of the release (calls at once, calls a request, body size).
    #[error("egress limit: {0}")]
    Limit(String),
}

/// What the app threw, source-mapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// `TypeError: x is not a function`.
    pub message: String,
    /// Stack with original file names and lines where a source map was found.
    pub stack: String,
}

/// The end of a stream's answer. Without a preceding `Response` nothing was sent and the host answers by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// How it ended. Anything but `Ok` after a `Response` means: break the answer off, it is not complete.
    pub outcome: Outcome,
    /// Time in the worker's queue, in microseconds.
    pub queue_us: u64,
    /// Wall time from the start of the render to the last byte, in microseconds.
    pub render_us: u64,
    /// CPU time of the render, in microseconds.
    pub cpu_us: u64,
    /// What the app threw, when it did.
    pub error: Option<AppError>,
    /// Why an egress call failed, when it did (answers to `Egress` only).
    pub egress: Option<EgressFailure>,
    /// What the render read, if [`RequestHead::ledger`] asked for it.
    pub reads: Option<Box<Reads>>,
}

impl Done {
    /// An end without figures or cause.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Self {
        Self { outcome, queue_us: 0, render_us: 0, cpu_us: 0, error: None, egress: None, reads: None }
    }
}

/// Why a side gave a stream up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// The client went away.
    ClientGone,
    /// A deadline of the sender passed.
    Deadline,
    /// The sender has no use for the rest (an app that does not read its request body).
    Unwanted,
    /// The sender is going away.
    Shutdown,
}
