//! What host and worker say to each other.
//!
//! An instance has two Unix sockets in its own directory, [`REQUESTS_SOCKET`] and [`CONTROL_SOCKET`]. The worker
//! listens, the host connects, and either may be connected again at any time. On both, each side sends one
//! [`Hello`] first; nothing else is read before it was checked. After that everything is a [`Frame`]: twelve bytes
//! of header and a payload. Structured payloads are postcard, body bytes are themselves. No byte that a worker
//! sends is ever parsed as HTTP/1.1, so nothing it says can become somebody's header.
//!
//! A reader of a request: [`stream`] (heads, bodies, ends, credit), [`flow`], [`message`]. A reader of an instance's life: [`control`].

mod built_in;
pub mod cache;
pub mod codec;
pub mod control;
pub mod cut;
pub mod flow;
pub mod frame;
pub mod hello;
pub mod limits;
pub mod message;
pub mod outcome;
pub mod snapshot;
pub mod stream;
mod worker_limits;

pub use built_in::NODE_BUILT_INS;
pub use cache::{CacheMode, EgressCache, Purge, Reads};
pub use codec::{Codec, DecodeError};
pub use control::{
    BootFailure, BootStage, FailedAnswer, IsolateState, IsolateStatus, LogLevel, LogLine, Pong, Ready,
    RestartReason, Start,
};
pub use control::{Contract, WorkerSettings};
pub use frame::{Frame, StreamId};
pub use hello::{Channel, Hello, HelloError, Peer, SpecHash};
pub use message::{MessageKind, MessageParts, Messages, NoMessage};
pub use outcome::Outcome;
pub use snapshot::{ModuleScopeRead, Sha256Digest, SnapshotPiece, SnapshotRequest};
pub use stream::{
    AppError, CancelReason, Done, EgressFailure, EgressHead, Headers, OWN_CALL_HEADER, RequestHead,
    ResponseHead,
};
pub use worker_limits::{LimitMaxima, TooLow, WorkerLimits};

/// File name of the socket that carries requests, in the instance's directory.
pub const REQUESTS_SOCKET: &str = "requests.sock";
/// File name of the socket that carries everything else, in the instance's directory.
pub const CONTROL_SOCKET: &str = "control.sock";
