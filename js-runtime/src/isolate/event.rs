//! Events that JavaScript is given, one slice each: answers of host calls, timers, and the fate of an answer.

use bytes::Bytes;
use vitrine_wire::{Headers, MessageKind};

/// Number of a request on its isolate; 0 is "none": module scope.
pub type RequestNumber = u32;

/// Something that JavaScript must be told, as one slice of its own.
#[derive(Debug)]
pub enum Event {
    /// A host call with this number has its answer.
    Settle {
        /// Number of the call.
        call: u32,
        /// Request that made it.
        request: RequestNumber,
        /// Answer.
        answer: Settled,
    },
    /// A timer fired.
    Timer {
        /// Number of the timer.
        timer: u32,
        /// Request that set it.
        request: RequestNumber,
    },
    /// The oldest queued zero-delay task may run.
    Task {
        /// Request that queued it.
        request: RequestNumber,
    },
    /// The answer of this request takes bytes again.
    Drained(RequestNumber),
    /// The answer of this request is no longer awaited.
    Abort(RequestNumber, &'static str),
}

impl Event {
    /// Number of the body of an answer whose head this tells.
    pub fn fetched(&self) -> Option<u32> {
        match self {
            Self::Settle { answer: Settled::Fetched(fetched), .. } => Some(fetched.body),
            _ => None,
        }
    }
}

/// What a host call resolved to.
#[derive(Debug)]
pub enum Settled {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A `Uint8Array`.
    Bytes(Bytes),
    /// The head of an egress call's answer: status, reason phrase, headers, number of the body.
    Fetched(Fetched),
    /// A message of a WebSocket.
    Message(MessageKind, Bytes),
    /// The promise rejects with an `Error` of this message.
    Failed(String),
}

/// The head of an egress call's answer.
#[derive(Debug)]
pub struct Fetched {
    /// Status.
    pub status: u16,
    /// Reason phrase, where it is not the usual one.
    pub reason: Option<Bytes>,
    /// Headers.
    pub headers: Headers,
    /// Number of the body.
    pub body: u32,
}
