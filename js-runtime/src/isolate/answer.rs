//! The way of an answer from the ops to the socket's thread.

use super::shared::{Event, RequestNumber, Running, Shared};
use crate::limits::isolate::OUTBOX_BYTES;
use crate::pool::gate::Admission;
use crate::request::AnswerWriter;
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{AppError, Done, Outcome, ResponseHead};

/// Shortest time between two looks at a deadline that a stalled client keeps moving.
const DEADLINE_STEP: Duration = Duration::from_millis(5);

/// What the app has written and the wire not yet taken.
#[derive(Debug)]
pub struct Outbox {
    head: RefCell<Option<ResponseHead>>,
    body: RefCell<BytesMut>,
    end: RefCell<Option<End>>,
    /// Whether the app was told to wait, and not yet that there is room again.
    full: Cell<bool>,
    /// Body bytes put in so far.
    written: Cell<u64>,
    /// Body bytes that may be put in.
    limit: u64,
    changed: Notify,
}

/// How an answer ends.
#[derive(Debug)]
struct End {
    outcome: Outcome,
    error: Option<AppError>,
}

impl From<Outcome> for End {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, error: None }
    }
}

impl Outbox {
    /// An outbox for at most `limit` body bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            head: RefCell::default(),
            body: RefCell::default(),
            end: RefCell::default(),
            full: Cell::new(false),
            written: Cell::new(0),
            limit,
            changed: Notify::new(),
        }
    }

    /// Puts the head in.
    pub fn head(&self, head: ResponseHead) {
        *self.head.borrow_mut() = Some(head);
        self.changed.notify_one();
    }

    /// Lets `write` append to the body. Returns whether there is room for more.
    pub fn body(&self, write: impl FnOnce(&mut BytesMut)) -> bool {
        if self.written.get() > self.limit {
            return false;
        }
        let mut body = self.body.borrow_mut();
        let before = body.len();
        write(&mut body);
        self.written.set(self.written.get() + (body.len() - before) as u64);
        // An app that was told to wait waits until it hears of room, however little it writes meanwhile.
        if body.len() >= OUTBOX_BYTES {
            self.full.set(true);
        }
        drop(body);
        self.changed.notify_one();
        if self.written.get() > self.limit {
            let mib = self.limit >> 20;
            let message = format!("The response is longer than response_mb ({mib} MiB)");
            self.end(Outcome::AppError, Some(AppError { message, stack: String::new() }));
            return false;
        }
        !self.full.get()
    }

    /// Ends the answer. Only the first end counts.
    pub fn end(&self, outcome: Outcome, error: Option<AppError>) {
        self.end.borrow_mut().get_or_insert(End { outcome, error });
        self.changed.notify_one();
    }

    /// Ends the answer of an isolate that is no more: what was not sent yet is not sent.
    pub fn abandon(&self, outcome: Outcome) {
        self.body.borrow_mut().clear();
        *self.end.borrow_mut() = Some(outcome.into());
        self.changed.notify_one();
    }

    /// Has the carrier look again.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until something holds of the request whose outbox this is, or it is no more.
    async fn until(&self, shared: &Shared, request: RequestNumber, holds: fn(&Running) -> bool) {
        while shared.requests.borrow().get(&request).is_some_and(|running| !holds(running)) {
            self.changed.notified().await;
        }
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
    /// Its place among the requests that the pool has taken.
    pub admission: Admission,
}

impl Outgoing {
    /// Carries everything out, to the end, the client's departure or `wall_ms`. The request counts as running until what it
    /// gave to `waitUntil` has settled, or its `wall_ms` is over.
    pub async fn run(mut self, shared: Rc<Shared>) {
        let end = self.carry(&shared).await;
        match end.outcome {
            Outcome::Ok => shared.errors_in_a_row.set(0),
            Outcome::AppError | Outcome::WallLimit => {
                shared.errors_in_a_row.set(shared.errors_in_a_row.get() + 1)
            }
            _ => {}
        }
        self.abort(&shared, end.outcome);
        let done = self.done(&shared, end);
        let whole = done.outcome == Outcome::Ok;
        let head = self.outbox.head.borrow_mut().take();
        let body = self.outbox.take_body();
        match head {
            Some(head) if whole => self.writer.whole(head, body, done).await,
            _ => self.writer.done(done),
        }
        let until = |holds| self.outbox.until(&shared, self.request, holds);
        until(|running| !running.aborting).await;
        let deadline = self.begun + Duration::from_millis(shared.limits.wall_ms);
        // A promise that never settles ends with the request's wall time.
        let _ = tokio::time::timeout_at(deadline.into(), until(|running| running.waiting == 0)).await;
        shared.end_request(self.request);
        drop(self.admission);
    }

    /// Tells JavaScript that nobody waits for the answer, if that is how it ended.
    fn abort(&self, shared: &Shared, outcome: Outcome) {
        let message = match outcome {
            Outcome::WallLimit => "The request took longer than wall_ms",
            Outcome::Cancelled => "The client went away",
            Outcome::AppError => "The answer could not be completed",
            _ => return,
        };
        if let Some(running) = shared.requests.borrow_mut().get_mut(&self.request) {
            running.aborting = true;
        }
        shared.tell(Event::Abort(self.request, message));
    }

    async fn carry(&mut self, shared: &Shared) -> End {
        let wall = Duration::from_millis(shared.limits.wall_ms);
        loop {
            let ended = self.outbox.end.borrow_mut().take();
            if let Some(end) = ended {
                if end.outcome == Outcome::Ok && self.outbox.head.borrow().is_none() {
                    // The rest of an answer whose head is out already.
                    self.writer.data(self.outbox.take_body()).await;
                }
                return end;
            }
            let head = self.outbox.head.borrow_mut().take();
            if let Some(head) = head
                && !self.writer.head(head).await
            {
                return Outcome::AppError.into();
            }
            let body = self.outbox.take_body();
            let stall = self.writer.stall_clock();
            let left = || wall.saturating_sub(self.begun.elapsed().saturating_sub(stall.total()));
            let deadline = async {
                while !left().is_zero() {
                    // While a client makes the app wait, the deadline moves away at the speed of the clock.
                    tokio::time::sleep(left().max(DEADLINE_STEP)).await;
                }
            };
            let carried = async {
                if body.is_empty() {
                    self.outbox.changed.notified().await;
                    return true;
                }
                self.writer.data(body).await
            };
            let outcome = tokio::select! {
                true = carried => {
                    if self.outbox.full.replace(false) {
                        shared.tell(Event::Drained(self.request));
                    }
                    continue;
                }
                () = self.cancelled.cancelled() => Outcome::Cancelled,
                () = deadline => Outcome::WallLimit,
                else => Outcome::Cancelled,
            };
            return outcome.into();
        }
    }

    fn done(&self, shared: &Shared, end: End) -> Done {
        let requests = shared.requests.borrow();
        let cpu = requests.get(&self.request).map_or(Duration::ZERO, |running| running.cpu);
        Done {
            outcome: end.outcome,
            queue_us: micros(self.begun - self.received),
            render_us: micros(self.begun.elapsed()),
            cpu_us: micros(cpu),
            error: end.error,
            egress: None,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_bound_is_not_collected() {
        let outbox = Outbox::new(4);
        assert!(outbox.body(|body| body.extend_from_slice(b"1234")));
        assert!(!outbox.body(|body| body.extend_from_slice(b"5")));
        assert!(!outbox.body(|body| body.extend_from_slice(b"6")));
        assert_eq!(outbox.take_body().as_ref(), b"12345");
    }
}
