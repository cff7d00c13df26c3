//! The sending side of an answer, used on an isolate's thread.

use super::write_queue::split;
use super::{RequestStreams, Slot, WriteEntry, WriteQueue, lock};
use bytes::Bytes;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vitrine_wire::flow::Window;
use vitrine_wire::limits::{HEAD_BYTES_MAX, HEADERS_MAX, WINDOW_BYTES};
use vitrine_wire::{AppError, Done, Frame, Headers, Outcome, ResponseHead, StreamId};

/// The sending end of an answer. Dropping it without [`AnswerWriter::done`] ends the answer as `crashed`.
#[derive(Debug)]
pub struct AnswerWriter {
    stream: StreamId,
    queue: WriteQueue,
    end: AnswerEnd,
    window: Arc<Window>,
    stall: StallClock,
    /// Why the head could not be sent: the answer ends with this whatever the caller says.
    refused: Option<AppError>,
}

/// What is left of a complete answer.
pub type Rest = (Option<ResponseHead>, Bytes, Done);

/// The end of an answer, for another thread to say when the one that writes it can't any more. Cheap to clone; only the first
/// end counts.
#[derive(Debug, Clone)]
pub struct AnswerEnd {
    stream: StreamId,
    /// Place for the end; `None` once it was said.
    slot: Arc<Mutex<Option<Slot>>>,
    streams: Arc<RequestStreams>,
}

impl AnswerEnd {
    /// Ends the answer.
    pub fn say(&self, done: Done) {
        self.take(|stream| WriteEntry::Frame(Frame::Done(stream, done)));
    }

    /// Sends the end, unless the host has reset the stream.
    fn take(&self, last: impl FnOnce(StreamId) -> WriteEntry) {
        let slot = lock(&self.slot).take();
        if let Some(slot) = slot
            && self.streams.close(self.stream)
        {
            slot.send(last(self.stream));
        }
    }
}

impl AnswerWriter {
    pub(super) fn new(
        stream: StreamId,
        queue: WriteQueue,
        slot: Slot,
        window: Arc<Window>,
        streams: Arc<RequestStreams>,
    ) -> Self {
        let end = AnswerEnd { stream, slot: Arc::new(Mutex::new(Some(slot))), streams };
        Self { stream, queue, end, window, stall: StallClock::default(), refused: None }
    }

    /// The end of this answer, for another thread.
    #[must_use]
    pub fn end(&self) -> AnswerEnd {
        self.end.clone()
    }

    /// Sends the head; once. `false` for a head over the wire's bounds: it is not sent, and the answer ends as `app_error` that says
    /// so.
    pub async fn head(&mut self, head: ResponseHead) -> bool {
        if let Err(refused) = check_headers(&head.headers) {
            self.refused = Some(refused);
            return false;
        }
        if !self.window.is_closed() {
            self.queue.send(WriteEntry::Frame(Frame::Response(self.stream, head))).await;
        }
        true
    }

    /// Sends body bytes, split as the wire asks, waiting for the receiver's window. `false` when the stream is no longer read.
    pub async fn data(&mut self, data: Bytes) -> bool {
        let data = match self.try_data(data) {
            Ok(()) => return true,
            Err(data) => data,
        };
        if self.refused.is_some() {
            return false;
        }
        let _stall = self.stall.begin();
        for piece in split(data) {
            // A piece is at most BODY_FRAME_BYTES_MAX long.
            if !self.window.take(piece.len() as u32).await
                || !self.queue.send(WriteEntry::Body(self.stream, piece)).await
            {
                return false;
            }
        }
        true
    }

    /// Sends body bytes only if the window takes all of them at once; gives them back otherwise.
    ///
    /// # Errors
    /// The bytes, unsent.
    pub fn try_data(&mut self, data: Bytes) -> Result<(), Bytes> {
        let Some(place) = self.queue.try_place() else { return Err(data) };
        if self.refused.is_some() || !self.take_window(&data) {
            return Err(data);
        }
        place.send(WriteEntry::Body(self.stream, data));
        Ok(())
    }

    /// Sends what is left of a complete answer (its head too, if that has not been sent) without waiting if the window takes all of it at
    /// once; gives it back otherwise. After `Ok` the answer has ended.
    ///
    /// # Errors
    /// The rest, unsent.
    pub fn try_finish(
        &mut self,
        head: Option<ResponseHead>,
        data: Bytes,
        done: Done,
    ) -> Result<(), Box<Rest>> {
        let Some(head) = head else {
            if !data.is_empty() {
                self.try_data(data).map_err(|data| Box::new((None, data, done.clone())))?;
            }
            self.end.say(done);
            return Ok(());
        };
        if check_headers(&head.headers).is_err() || !self.take_window(&data) {
            return Err(Box::new((Some(head), data, done)));
        }
        self.end.take(|stream| WriteEntry::Answer(stream, Box::new((head, data, done))));
        Ok(())
    }

    /// Sends what is left of a complete answer, waiting for the window only when it is larger than that.
    pub async fn finish(mut self, head: impl Into<Option<ResponseHead>>, data: Bytes, done: Done) {
        if let Err(rest) = self.try_finish(head.into(), data, done) {
            let (head, data, done) = *rest;
            if let Some(head) = head {
                self.head(head).await;
            }
            self.data(data).await;
            self.done(done);
        }
    }

    /// Time spent waiting for the receiver so far, for another thread such as a watchdog: `wall_ms` does not count it.
    #[must_use]
    pub fn stall_clock(&self) -> StallClock {
        self.stall.clone()
    }

    /// Ends the answer.
    pub fn done(mut self, mut done: Done) {
        if let Some(refused) = self.refused.take() {
            done.outcome = Outcome::AppError;
            done.error = Some(refused);
        }
        if let Some(error) = &mut done.error {
            error.cut();
        }
        self.end.say(done);
    }

    /// Takes all of `data` from the window, or nothing.
    fn take_window(&self, data: &Bytes) -> bool {
        u32::try_from(data.len()).is_ok_and(|length| length <= WINDOW_BYTES && self.window.try_take(length))
    }
}

impl Drop for AnswerWriter {
    fn drop(&mut self) {
        self.end.say(Done::of(Outcome::Crashed));
    }
}

fn check_headers(headers: &Headers) -> Result<(), AppError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let message = if headers.len() > HEADERS_MAX {
        format!("the response has {} headers, at most {HEADERS_MAX} are allowed", headers.len())
    } else if bytes > HEAD_BYTES_MAX {
        format!("the response's headers are {bytes} bytes long, at most {HEAD_BYTES_MAX} are allowed")
    } else {
        return Ok(());
    };
    Err(AppError { message, stack: String::new() })
}

/// Time that one request spent waiting for its client, to take the answer or to send the body: any such wait counts, and two at
/// once count once. Cheap to clone; clones share the figure.
#[derive(Debug, Clone)]
pub struct StallClock {
    shared: Arc<Stalled>,
}

#[derive(Debug)]
struct Stalled {
    epoch: Instant,
    total_us: AtomicU64,
    /// Waits that are going on.
    waits: AtomicU32,
    /// Microseconds from the epoch to the start of the first of them, plus one; 0 when there is none.
    since_us: AtomicU64,
}

impl Default for StallClock {
    fn default() -> Self {
        let stalled = Stalled {
            epoch: Instant::now(),
            total_us: AtomicU64::new(0),
            waits: AtomicU32::new(0),
            since_us: AtomicU64::new(0),
        };
        Self { shared: Arc::new(stalled) }
    }
}

impl StallClock {
    /// Time waited so far, a wait that is going on included.
    #[must_use]
    pub fn total(&self) -> Duration {
        let since = self.shared.since_us.load(Ordering::Acquire);
        let going_on = if since == 0 { 0 } else { self.now_us().saturating_sub(since) };
        Duration::from_micros(self.shared.total_us.load(Ordering::Acquire) + going_on)
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.shared.epoch.elapsed().as_micros()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Begins a wait. All waits of a request begin and end on its isolate's thread.
    #[must_use]
    pub fn begin(&self) -> Stall {
        if self.shared.waits.fetch_add(1, Ordering::AcqRel) == 0 {
            self.shared.since_us.store(self.now_us(), Ordering::Release);
        }
        Stall(self.clone())
    }
}

/// A wait; it is over when this is dropped, also with the future that waits.
#[derive(Debug)]
pub struct Stall(StallClock);

impl Drop for Stall {
    fn drop(&mut self) {
        if self.0.shared.waits.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let since = self.0.shared.since_us.swap(0, Ordering::AcqRel);
        let waited = self.0.now_us().saturating_sub(since);
        self.0.shared.total_us.fetch_add(waited, Ordering::AcqRel);
    }
}
