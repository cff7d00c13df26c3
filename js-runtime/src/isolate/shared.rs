//! What the ops of one isolate and its driver have in common. Everything here stays on the isolate's thread.

use super::answer::Outbox;
use crate::exchange::{BodyReader, HostLink};
use bytes::Bytes;
use deno_core::v8;
use futures_util::future::LocalBoxFuture;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{Headers, WorkerLimits};

/// Number of a request on its isolate; 0 is "none": module scope.
pub type RequestNumber = u32;

/// Something that JavaScript must be told, as one slice of its own.
#[derive(Debug)]
pub enum Event {
    /// A call of `op_*` with this number has its answer.
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
    /// Nobody waits for the answer of this request any more.
    Abort(RequestNumber, &'static str),
}

/// What a host call resolved to.
#[derive(Debug)]
pub enum Settled {
    /// `undefined`.
    Nothing,
    /// `null`.
    Null,
    /// A `Uint8Array`.
    Bytes(Bytes),
    /// The promise rejects with an `Error` of this message.
    Failed(String),
}

/// A request that has begun and not ended.
#[derive(Debug)]
pub struct Running {
    /// Id for logs.
    pub id: String,
    /// Headers, until the app looks at them.
    pub headers: Headers,
    /// Where the answer collects.
    pub outbox: Rc<Outbox>,
    /// Body, when no read is under way.
    pub body: Option<BodyReader>,
    /// Body bytes given to the app so far.
    pub body_bytes: u64,
    /// Ends what is done on behalf of the request.
    pub cancelled: CancellationToken,
    /// CPU time used so far, in nanoseconds.
    pub cpu_ns: u64,
    /// Promises given to `waitUntil` that have not settled.
    pub waiting: u32,
    /// Whether the answer has ended.
    pub answered: bool,
    /// Egress calls made.
    pub subrequests: u32,
}

/// Futures that the driver polls for the ops.
pub type HostFuture = LocalBoxFuture<'static, ()>;

/// The common state of an isolate.
pub struct Shared {
    /// Limits in force.
    pub limits: WorkerLimits,
    /// The way to the host.
    pub link: HostLink,
    /// Requests that have begun and not ended.
    pub requests: RefCell<HashMap<RequestNumber, Running>>,
    /// What JavaScript must be told.
    pub inbox: RefCell<VecDeque<Event>>,
    /// Futures that ops have made since the driver last looked.
    pub started: RefCell<Vec<HostFuture>>,
    /// Timers that can be cleared.
    pub timers: RefCell<HashMap<u32, CancellationToken>>,
    /// The request whose slice runs.
    pub current: Cell<RequestNumber>,
    /// Promises rejected without a handler in the running slice.
    pub rejected: RefCell<Vec<(v8::Global<v8::Promise>, v8::Global<v8::Value>)>>,
}

impl Shared {
    /// The state of a fresh isolate.
    pub fn new(limits: WorkerLimits, link: HostLink) -> Self {
        Self {
            limits,
            link,
            requests: RefCell::default(),
            inbox: RefCell::default(),
            started: RefCell::default(),
            timers: RefCell::default(),
            current: Cell::new(0),
            rejected: RefCell::default(),
        }
    }

    /// Tells JavaScript something, after everything it was told before.
    pub fn tell(&self, event: Event) {
        self.inbox.borrow_mut().push_back(event);
    }

    /// Has the driver poll a future.
    pub fn start(&self, future: impl Future<Output = ()> + 'static) {
        self.started.borrow_mut().push(Box::pin(future));
    }

    /// Id of a request, for logs.
    pub fn request_id(&self, request: RequestNumber) -> Option<String> {
        self.requests.borrow().get(&request).map(|running| running.id.clone())
    }
}
