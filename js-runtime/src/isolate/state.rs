//! State that the ops of one isolate share with its driver. It stays on the isolate's thread.

use super::event::{Event, RequestNumber};
use super::log::Log;
use super::module_scope::ModuleScope;
use super::per_request::PerRequest;
use super::response_buffer::ResponseBuffer;
use super::socket::Socket;
use crate::clock::now_ms;
use crate::limits::isolate::{
    ENDED_IDS_KEPT, HOST_CALLS_MAX, HOST_CALLS_OF_ISOLATE_MAX, STREAMS_BESIDE_MAX, TASKS_QUEUED_MAX,
};
use crate::request::{AnswerEnd, BodyReader, HostClient, StallClock, UploadReader, UploadSender};
use deno_core::v8;
use futures_util::future::{AbortHandle, LocalBoxFuture};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};
use vitrine_wire::{AppError, Headers, LogLevel, LogLine, Reads, WorkerLimits};

/// Sending and receiving end of an upload; the call that is made with it takes the latter.
pub type Upload = (UploadSender, Option<UploadReader>);

/// What an app threw, and nothing has caught, or has caught late.
#[derive(Debug)]
pub struct Uncaught {
    /// What was thrown, or the reason of a rejection.
    pub thrown: v8::Global<v8::Value>,
    /// What was left.
    pub left: Left,
    /// The async context of the code that threw, or that caught: it knows its request.
    pub context: v8::Global<v8::Value>,
}

/// What JavaScript leaves behind when nothing catches what it throws.
#[derive(Debug, PartialEq)]
pub enum Left {
    /// An error.
    Error,
    /// A promise that is rejected and has no handler.
    Rejected(v8::Global<v8::Promise>),
    /// A promise that had none when its rejection was told, and has one now.
    Handled(v8::Global<v8::Promise>),
}

/// The body of an answer to an egress call.
#[derive(Debug)]
pub struct Kept {
    /// Request that made the call.
    pub owner: RequestNumber,
    /// `None` while it is being read.
    pub reader: Option<BodyReader>,
}

/// A request that has begun and not ended.
#[derive(Debug)]
pub struct Running {
    /// Id for logs.
    pub id: String,
    /// How often the app has called itself on the way to it.
    pub own_calls: u8,
    /// Headers, until the app looks at them.
    pub headers: Headers,
    /// Where the answer collects.
    pub buffer: Rc<ResponseBuffer>,
    /// Body, when no read is under way.
    pub body: Option<BodyReader>,
    /// Messages of the WebSocket that it asks for, until that is accepted.
    pub upgrade: Option<BodyReader>,
    /// Counts the time that is the client's.
    pub stall: StallClock,
    /// Body bytes given to the app so far.
    pub body_bytes: u64,
    /// CPU time used so far.
    pub cpu: Duration,
    /// What counts against its limits.
    pub usage: Usage,
    /// Promises given to `waitUntil` that have not settled.
    pub waiting: u32,
    /// Whether its answer has begun and is still being given.
    pub is_streaming: bool,
    /// The end of the answer, for the watchdog.
    pub end: AnswerEnd,
    /// Whether JavaScript has yet to be told that the answer is no longer awaited.
    pub aborting: bool,
    /// What it read so far, if that is noted.
    pub reads: Option<Box<Reads>>,
}

/// What a request, or the work of none, has used since some moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    since: Instant,
    cpu: Duration,
    subrequests: u32,
}

impl Usage {
    /// Nothing, from `since` on.
    pub fn from(since: Instant) -> Self {
        Self { since, cpu: Duration::ZERO, subrequests: 0 }
    }

    /// The same, or nothing from now on once it is older than `window`.
    fn within(self, window: Duration) -> Self {
        if self.since.elapsed() < window { self } else { Self::from(Instant::now()) }
    }

    /// Counts an egress call. `false` when there are more than `most`.
    fn count_subrequest(&mut self, most: u32) -> bool {
        self.subrequests = self.subrequests.saturating_add(1);
        self.subrequests <= most
    }
}

/// A future that the driver polls for the ops.
pub type HostFuture = LocalBoxFuture<'static, ()>;

/// The common state of an isolate.
pub struct RuntimeState {
    /// Limits in force.
    pub limits: WorkerLimits,
    /// The way to the host.
    pub link: HostClient,
    /// The app's log.
    pub log: Log,
    /// Requests that have begun and not ended.
    pub requests: RefCell<HashMap<RequestNumber, Running>>,
    /// Answers that have begun and are still being given.
    streams: Cell<usize>,
    /// Those of them that are WebSockets.
    socket_streams: Cell<usize>,
    /// WebSockets that are open, of requests and of the app's own making.
    pub sockets: RefCell<HashMap<u32, Socket>>,
    /// Bytes that they hold.
    pub socket_bytes: Rc<Cell<usize>>,
    /// Ids of the requests that ended last, newest first: timers and promises that they left may still throw.
    ended: RefCell<VecDeque<(RequestNumber, String)>>,
    /// What JavaScript must be told.
    pub inbox: RefCell<VecDeque<Event>>,
    /// Tasks among that, by the request that queued them.
    tasks_queued: PerRequest,
    /// Those of `pending`, by the request that waits.
    calls: PerRequest,
    /// Futures that ops have made since the driver last looked.
    pub started: RefCell<Vec<HostFuture>>,
    /// Host calls and timers that wait.
    pub pending: Cell<usize>,
    /// Timers that can be cleared, host calls that can be given up.
    pub cancels: RefCell<HashMap<u32, AbortHandle>>,
    /// The request whose slice runs.
    pub current: Cell<RequestNumber>,
    /// What the running slice has thrown or rejected, and nothing caught.
    pub uncaught: RefCell<Vec<Uncaught>>,
    /// The rejected promise that the listeners are being told of.
    pub telling: RefCell<Option<v8::Global<v8::Promise>>>,
    /// Whether the app's modules have been evaluated.
    pub evaluated: Cell<bool>,
    /// Requests in a row that ended as `app_error` or at `wall_ms`.
    pub errors_in_a_row: Cell<u32>,
    /// Whether the app's handler has returned something that is no response.
    pub wrong_type: Cell<bool>,
    /// Bodies of answers to egress calls.
    pub bodies: RefCell<HashMap<u32, Kept>>,
    /// Bodies of egress calls.
    pub uploads: RefCell<HashMap<u32, Upload>>,
    last_body: Cell<u32>,
    background: Cell<Usage>,
    /// When the isolate was made.
    pub born: Instant,
    /// What the app did at module scope, when it is evaluated for a snapshot.
    pub module_scope: ModuleScope,
}

impl RuntimeState {
    /// The state of a fresh isolate.
    pub fn new(limits: WorkerLimits, link: HostClient, log: Log) -> Self {
        Self {
            limits,
            link,
            log,
            requests: RefCell::default(),
            streams: Cell::new(0),
            socket_streams: Cell::new(0),
            sockets: RefCell::default(),
            socket_bytes: Rc::default(),
            ended: RefCell::default(),
            inbox: RefCell::default(),
            tasks_queued: PerRequest::default(),
            calls: PerRequest::default(),
            started: RefCell::default(),
            pending: Cell::new(0),
            cancels: RefCell::default(),
            current: Cell::new(0),
            uncaught: RefCell::default(),
            telling: RefCell::default(),
            evaluated: Cell::new(false),
            errors_in_a_row: Cell::new(0),
            wrong_type: Cell::new(false),
            bodies: RefCell::default(),
            uploads: RefCell::default(),
            last_body: Cell::new(0),
            background: Cell::new(Usage::from(Instant::now())),
            born: Instant::now(),
            module_scope: ModuleScope::default(),
        }
    }

    /// Forgets what the app answered so far.
    pub fn trust(&self) {
        self.errors_in_a_row.set(0);
        self.wrong_type.set(false);
    }

    /// Tells JavaScript something, after everything it was told before.
    pub fn tell(&self, event: Event) {
        self.inbox.borrow_mut().push_back(event);
    }

    /// Has JavaScript run the oldest task of a request. `false` when the request has too many queued: those of others have room all
    /// the same.
    pub fn tell_task(&self, request: RequestNumber) -> bool {
        let has_room = self.tasks_queued.take(request, TASKS_QUEUED_MAX);
        if has_room {
            self.tell(Event::Task { request });
        }
        has_room
    }

    /// What JavaScript must be told next.
    pub fn next_event(&self) -> Option<Event> {
        let event = self.inbox.borrow_mut().pop_front();
        if let Some(Event::Task { request }) = event {
            self.tasks_queued.give_back(request);
        }
        event
    }

    /// Has the driver poll a future that belongs to a request's own life.
    pub fn start(&self, future: impl Future<Output = ()> + 'static) {
        self.started.borrow_mut().push(Box::pin(future));
    }

    /// Has the driver poll what a request asked for. `false` when it, or the whole app, has asked for too much at once.
    pub fn start_bounded(
        self: &Rc<Self>,
        request: RequestNumber,
        future: impl Future<Output = ()> + 'static,
    ) -> bool {
        if self.pending.get() >= HOST_CALLS_OF_ISOLATE_MAX || !self.calls.take(request, HOST_CALLS_MAX) {
            return false;
        }
        self.pending.set(self.pending.get() + 1);
        let state = Rc::clone(self);
        self.start(async move {
            future.await;
            state.pending.set(state.pending.get() - 1);
            state.calls.give_back(request);
        });
        true
    }

    /// Whether timers, host calls or tasks wait.
    pub fn is_waiting(&self) -> bool {
        self.pending.get() > 0 || !self.inbox.borrow().is_empty()
    }

    /// A number for a body or an upload.
    pub fn next_body(&self) -> u32 {
        let number = self.last_body.get().wrapping_add(1).max(1);
        self.last_body.set(number);
        number
    }

    /// Keeps the body of an answer for the app to read.
    pub fn keep_body(&self, owner: RequestNumber, body: BodyReader) -> u32 {
        let number = self.next_body();
        self.bodies.borrow_mut().insert(number, Kept { owner, reader: Some(body) });
        number
    }

    /// Forgets a request that is over, and the bodies of its calls, which an app that does not want them leaves unread. One
    /// that is being read is still waited for, be it by another request.
    pub fn end_request(&self, request: RequestNumber) {
        self.end_stream(request);
        let ended = self.requests.borrow_mut().remove(&request);
        if let Some(running) = ended {
            let mut ended = self.ended.borrow_mut();
            ended.truncate(ENDED_IDS_KEPT - 1);
            ended.push_front((request, running.id));
        }
        self.bodies.borrow_mut().retain(|_, kept| kept.owner != request || kept.reader.is_none());
        self.sockets.borrow_mut().retain(|_, socket| !socket.is_of(request));
    }

    /// Gives a request that has become a WebSocket what each message may use. A page that hears messages has what it has.
    pub fn renew_usage(&self, request: RequestNumber) {
        if let Some(running) = self.requests.borrow_mut().get_mut(&request)
            && running.is_streaming
            && running.buffer.is_socket()
        {
            running.usage = Usage::from(Instant::now());
        }
    }

    /// Forgets the body of an answer that came after the request which had called for it was over, unless the app reads it: nothing else
    /// would. Module scope is never over.
    pub fn drop_unwanted(&self, body: u32) {
        let mut bodies = self.bodies.borrow_mut();
        let is_unwanted = |kept: &Kept| {
            kept.reader.is_some() && kept.owner != 0 && !self.requests.borrow().contains_key(&kept.owner)
        };
        if bodies.get(&body).is_some_and(is_unwanted) {
            bodies.remove(&body);
        }
    }

    /// The answer of a request begins. From here on its limits hold for any `wall_ms` of it, and it takes no place from requests that wait.
    pub fn begin_stream(&self, request: RequestNumber) {
        if let Some(running) = self.requests.borrow_mut().get_mut(&request) {
            running.is_streaming = true;
            self.streams.set(self.streams.get() + 1);
            self.socket_streams.set(self.socket_streams.get() + usize::from(running.buffer.is_socket()));
        }
    }

    /// An answer that has begun takes a place again, or is over.
    pub fn end_stream(&self, request: RequestNumber) {
        if let Some(running) = self.requests.borrow_mut().get_mut(&request)
            && std::mem::replace(&mut running.is_streaming, false)
        {
            self.streams.set(self.streams.get() - 1);
            self.socket_streams.set(self.socket_streams.get() - usize::from(running.buffer.is_socket()));
        }
    }

    /// Places of `concurrency` that are taken.
    pub fn places_taken(&self) -> usize {
        // WebSockets have a bound of their own.
        let sockets = self.socket_streams.get();
        self.requests.borrow().len() - sockets - (self.streams.get() - sockets).min(STREAMS_BESIDE_MAX)
    }

    /// CPU time that counts against `cpu_ms` of a request, or of the work of none.
    pub fn used(&self, request: RequestNumber) -> Duration {
        self.usage(request, |usage| usage.cpu)
    }

    /// Charges CPU time to a request, or to the work of none.
    pub fn charge(&self, request: RequestNumber, cpu: Duration) {
        if let Some(running) = self.requests.borrow_mut().get_mut(&request) {
            running.cpu += cpu;
            running.usage.cpu += cpu;
            return;
        }
        let background = self.background.get();
        self.background.set(Usage { cpu: background.cpu + cpu, ..background });
    }

    /// Counts an egress call of a request, or of the work of none. `false` when it has made all that it may.
    pub fn count_subrequest(&self, request: RequestNumber) -> bool {
        self.usage(request, |usage| usage.count_subrequest(self.limits.subrequests))
    }

    /// Uses the account of a request, or that of the work of none. A request whose answer has not begun has one for its whole life; the
    /// others are settled after each `wall_ms`.
    fn usage<T>(&self, request: RequestNumber, with: impl FnOnce(&mut Usage) -> T) -> T {
        let window = Duration::from_millis(self.limits.wall_ms);
        if let Some(running) = self.requests.borrow_mut().get_mut(&request) {
            if running.is_streaming {
                running.usage = running.usage.within(window);
            }
            return with(&mut running.usage);
        }
        let mut background = self.background.get().within(window);
        let result = with(&mut background);
        self.background.set(background);
        result
    }

    /// How often the app has called itself on the way to a request; 0 where no request runs.
    pub fn own_calls(&self, request: RequestNumber) -> u8 {
        self.requests.borrow().get(&request).map_or(0, |running| running.own_calls)
    }

    /// Id of a request, for logs: one that runs, or was among the last to end.
    pub fn request_id(&self, request: RequestNumber) -> Option<String> {
        if let Some(running) = self.requests.borrow().get(&request) {
            return Some(running.id.clone());
        }
        let ended = self.ended.borrow();
        ended.iter().find(|(known, _)| *known == request).map(|(_, id)| id.clone())
    }

    /// Writes the line that `line` makes to the app's log, if that has room, and sees to it that it tells how many lines it has dropped.
    pub fn write_log(&self, line: impl FnOnce() -> LogLine) {
        if self.log.write(line) {
            let log = self.log.clone();
            self.start(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                log.summarize();
            });
        }
    }

    /// Writes an error to the app's log, described only if there is room for it; `how` goes before its message.
    pub fn log_error(&self, request: RequestNumber, how: &str, error: impl FnOnce() -> AppError) {
        self.write_log(|| {
            let AppError { message, stack } = error();
            LogLine {
                time_ms: now_ms(),
                level: LogLevel::Error,
                request_id: self.request_id(request),
                message: format!("{how}{message}"),
                stack: Some(stack),
            }
        });
    }
}
