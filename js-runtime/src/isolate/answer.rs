//! The way of an answer from the ops to the socket's thread.

use super::shared::{Event, RequestNumber, Shared};
use crate::exchange::AnswerWriter;
use crate::limits::isolate::OUTBOX_BYTES;
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{AppError, Done, Outcome, ResponseHead};

/// What the app has written and the wire not yet taken.
#[derive(Debug, Default)]
pub struct Outbox {
    head: RefCell<Option<ResponseHead>>,
    body: RefCell<BytesMut>,
    end: RefCell<Option<End>>,
    /// Whether a head was put in, now or before.
    has_head: Cell<bool>,
    /// Whether the app was told to wait.
    full: Cell<bool>,
    /// Body bytes put in so far.
    written: Cell<u64>,
    changed: Notify,
}

/// How an answer ends.
#[derive(Debug)]
pub struct End {
    /// Outcome.
    pub outcome: Outcome,
    /// What the app threw.
    pub error: Option<AppError>,
}

impl Outbox {
    /// Puts the head in.
    pub fn head(&self, head: ResponseHead) {
        self.has_head.set(true);
        *self.head.borrow_mut() = Some(head);
        self.changed.notify_one();
    }

    /// Whether a head was put in.
    pub fn has_head(&self) -> bool {
        self.has_head.get()
    }

    /// Lets `write` append to the body. Returns whether there is room for more.
    pub fn body(&self, write: impl FnOnce(&mut BytesMut)) -> bool {
        let mut body = self.body.borrow_mut();
        let before = body.len();
        write(&mut body);
        self.written.set(self.written.get() + (body.len() - before) as u64);
        let full = body.len() >= OUTBOX_BYTES;
        self.full.set(full);
        self.changed.notify_one();
        !full
    }

    /// Body bytes put in so far.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// Ends the answer. Only the first end counts.
    pub fn end(&self, outcome: Outcome, error: Option<AppError>) {
        let mut end = self.end.borrow_mut();
        if end.is_none() {
            *end = Some(End { outcome, error });
        }
        self.changed.notify_one();
    }

    fn take_head(&self) -> Option<ResponseHead> {
        self.head.borrow_mut().take()
    }

    fn take_body(&self) -> Bytes {
        self.body.borrow_mut().split().freeze()
    }
}

/// An answer on its way out.
pub struct Outgoing {
    /// Number of the request.
    pub request: RequestNumber,
    /// Where the app writes.
    pub outbox: Rc<Outbox>,
    /// Where it goes.
    pub writer: AnswerWriter,
    /// Fires when nobody waits for the answer any more.
    pub cancelled: CancellationToken,
    /// When it came off the socket.
    pub received: Instant,
    /// When its first slice began.
    pub begun: Instant,
}

impl Outgoing {
    /// Carries everything out, to the end, the client's departure or `wall_ms`.
    pub async fn run(mut self, shared: Rc<Shared>) {
        let end = self.carry(&shared).await;
        match end.outcome {
            Outcome::WallLimit => {
                shared.tell(Event::Abort(self.request, "The request took longer than wall_ms"))
            }
            Outcome::Cancelled => shared.tell(Event::Abort(self.request, "The client went away")),
            _ => {}
        }
        let running = shared.requests.borrow_mut().remove(&self.request);
        let cpu_ns = running.map_or(0, |running| running.cpu_ns);
        self.writer.done(Done {
            outcome: end.outcome,
            queue_us: micros(self.begun - self.received),
            render_us: micros(self.begun.elapsed()),
            cpu_us: cpu_ns / 1_000,
            error: end.error,
            egress: None,
        });
    }

    async fn carry(&mut self, shared: &Shared) -> End {
        let wall = Duration::from_millis(shared.limits.wall_ms);
        loop {
            if let Some(head) = self.outbox.take_head() {
                self.writer.head(head).await;
            }
            let body = self.outbox.take_body();
            if !body.is_empty() {
                if !self.writer.data(body).await {
                    return End { outcome: Outcome::Cancelled, error: None };
                }
                if self.outbox.full.replace(false) {
                    shared.tell(Event::Drained(self.request));
                }
                continue;
            }
            if let Some(end) = self.outbox.end.borrow_mut().take() {
                return end;
            }
            let deadline = self.begun + wall + self.writer.blocked();
            let outcome = tokio::select! {
                () = self.outbox.changed.notified() => continue,
                () = self.cancelled.cancelled() => Outcome::Cancelled,
                () = tokio::time::sleep_until(deadline.into()) => Outcome::WallLimit,
            };
            return End { outcome, error: None };
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
