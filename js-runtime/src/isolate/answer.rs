//! Sends one answer: from what the app has written to the thread of the socket.

use super::event::{Event, RequestNumber};
use super::response_buffer::{End, ResponseBuffer};
use super::state::{Running, RuntimeState};
use crate::limits::isolate::{FINISHED_BYTES_MAX, FINISHED_BYTES_TOTAL_MAX};
use crate::pool::in_flight::Admission;
use crate::request::{AnswerWriter, Rest};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{Done, Outcome};

/// Shortest time between two looks at a deadline that a client which sends its body slowly keeps moving.
const DEADLINE_STEP: Duration = Duration::from_millis(5);

/// Room for finished answers outside of the isolates of this process, in bytes.
static FINISHED_BYTES: Semaphore = Semaphore::const_new(FINISHED_BYTES_TOTAL_MAX);

/// An answer on its way out.
pub struct ResponseTask {
    /// Number of the request.
    pub request: RequestNumber,
    /// Where the app writes.
    pub buffer: Rc<ResponseBuffer>,
    /// Where it goes.
    pub writer: AnswerWriter,
    /// Fires when the answer is no longer awaited.
    pub cancelled: CancellationToken,
    /// When it came off the socket.
    pub received: Instant,
    /// When its first slice began.
    pub begun: Instant,
    /// Since when an answer that has begun waits for the app; `None` before its head is sent, which ends `wall_ms`.
    pub quiet_since: Option<Instant>,
    /// Its place among the requests that the pool has taken; a WebSocket has none, nobody waits for its end.
    pub admission: Option<Admission>,
}

impl ResponseTask {
    /// Carries everything out, to the end, the client's departure, `wall_ms` or `stream_idle_ms`. The request counts as running until
    /// what it gave to `waitUntil` has settled, or its `wall_ms` is over.
    pub async fn run(mut self, state: Rc<RuntimeState>) {
        let end = self.carry(&state).await;
        match end.outcome {
            Outcome::Ok => state.errors_in_a_row.set(0),
            Outcome::AppError | Outcome::WallLimit => {
                state.errors_in_a_row.set(state.errors_in_a_row.get() + 1)
            }
            _ => {}
        }
        self.abort(&state, end.outcome);
        let done = self.done(&state, end);
        let head = self.buffer.take_head();
        let body = self.buffer.take_body();
        let bytes = body.len();
        if done.outcome == Outcome::Ok {
            finish(self.writer, &state, self.request, self.admission.as_ref(), (head, body, done)).await;
        } else {
            drop(body);
            self.writer.done(done);
        }
        self.buffer.gone(bytes);
        let until = |holds| until(&self.buffer, &state, self.request, holds);
        until(|running| !running.aborting).await;
        // What a stream waits for begins at its end; what a page waits for ends with its wall time.
        let since = self.quiet_since.map_or(self.begun, |_| Instant::now());
        let deadline = since + Duration::from_millis(state.limits.wall_ms);
        // A promise that never settles ends then.
        let _ = tokio::time::timeout_at(deadline.into(), until(|running| running.waiting == 0)).await;
        state.end_request(self.request);
        drop(self.admission);
    }

    /// Tells JavaScript that the answer is no longer awaited, if that is how it ended.
    fn abort(&self, state: &RuntimeState, outcome: Outcome) {
        let message = match outcome {
            Outcome::WallLimit => "The request took longer than wall_ms",
            Outcome::StreamIdle => "The answer got nothing for stream_idle_ms",
            Outcome::Cancelled => "The client went away",
            Outcome::AppError => "The answer could not be completed",
            _ => return,
        };
        if let Some(running) = state.requests.borrow_mut().get_mut(&self.request) {
            running.aborting = true;
        }
        state.tell(Event::Abort(self.request, message));
    }

    async fn carry(&mut self, state: &RuntimeState) -> End {
        loop {
            let ended = self.buffer.take_end();
            if let Some(end) = ended {
                return end;
            }
            let head = self.buffer.take_head();
            if let Some(head) = head {
                if !self.writer.head(head).await {
                    return Outcome::AppError.into();
                }
                state.begin_stream(self.request);
                if self.buffer.is_socket() {
                    self.admission = None;
                }
                self.quiet_since = Some(Instant::now());
            }
            let body = self.buffer.take_body();
            if body.is_empty() {
                tokio::select! {
                    () = self.buffer.changed() => continue,
                    () = self.cancelled.cancelled() => return Outcome::Cancelled.into(),
                    late = self.late(state) => return late.into(),
                }
            }
            let bytes = body.len();
            // How long a client may take for it is for the edge to say.
            let is_sent = tokio::select! {
                is_sent = self.writer.data(body) => Some(is_sent),
                () = self.buffer.abandoned() => None,
                () = self.cancelled.cancelled() => Some(false),
            };
            self.buffer.gone(bytes);
            match is_sent {
                Some(true) => {}
                Some(false) => return Outcome::Cancelled.into(),
                None => continue,
            }
            self.quiet_since = Some(Instant::now());
            if self.buffer.take_full() {
                state.tell(Event::Drained(self.request));
            }
        }
    }

    /// Waits until the app has given nothing for too long.
    async fn late(&self, state: &RuntimeState) -> Outcome {
        if self.quiet_since.is_some() && self.buffer.is_socket() {
            // Whether its client is still there is for the edge to say.
            return std::future::pending().await;
        }
        if let Some(quiet_since) = self.quiet_since {
            let idle = Duration::from_millis(state.limits.stream_idle_ms);
            tokio::time::sleep_until((quiet_since + idle).into()).await;
            return Outcome::StreamIdle;
        }
        let wall = Duration::from_millis(state.limits.wall_ms);
        let stall = self.writer.stall_clock();
        let left = || wall.saturating_sub(self.begun.elapsed().saturating_sub(stall.total()));
        while !left().is_zero() {
            // While a client makes the app wait for its body, the deadline moves away at the speed of the clock.
            tokio::time::sleep(left().max(DEADLINE_STEP)).await;
        }
        Outcome::WallLimit
    }

    fn done(&self, state: &RuntimeState, end: End) -> Done {
        let mut requests = state.requests.borrow_mut();
        let running = requests.get_mut(&self.request);
        let (cpu, reads) =
            running.map_or((Duration::ZERO, None), |running| (running.cpu, running.reads.take()));
        Done {
            outcome: end.outcome,
            queue_us: micros(self.begun - self.received),
            render_us: micros(self.begun.elapsed()),
            cpu_us: micros(cpu),
            error: end.error,
            egress: None,
            reads,
        }
    }
}

/// Sends what is left of a complete answer. What its client does not take at once leaves the isolate, if there is room for it outside.
async fn finish(
    mut writer: AnswerWriter,
    state: &RuntimeState,
    request: RequestNumber,
    admission: Option<&Admission>,
    (head, body, done): Rest,
) {
    let Err(rest) = writer.try_finish(head, body, done) else { return };
    let (head, body, done) = *rest;
    let bytes = u32::try_from(body.len()).ok().filter(|_| body.len() <= FINISHED_BYTES_MAX);
    if let Some(room) = bytes.and_then(|bytes| FINISHED_BYTES.try_acquire_many(bytes).ok()) {
        let admission = admission.map(Admission::second);
        state.link.spawn(async move {
            writer.finish(head, body, done).await;
            drop((admission, room));
        });
    } else {
        state.end_stream(request);
        writer.finish(head, body, done).await;
    }
}

/// Waits until something holds of the request whose answer `buffer` is, or it is no more.
async fn until(
    buffer: &ResponseBuffer,
    state: &RuntimeState,
    request: RequestNumber,
    holds: fn(&Running) -> bool,
) {
    while state.requests.borrow().get(&request).is_some_and(|running| !holds(running)) {
        buffer.changed().await;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
