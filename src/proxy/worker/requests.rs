//! The requests socket: many requests over one connection.
//!
//! A reader task hands frames to the streams they belong to, a writer task gathers frames into few writes. Body
//! bytes are bounded by each stream's window, so neither a slow client nor a slow app holds up the others.

mod answer;

pub use answer::{Answer, AnswerBody, Piece};

use super::handshake::{self, FrameSender, Link};
use super::inbox::{self, Feed};
use super::memory::MemoryShare;
use super::turn::Breach;
use super::untaken::Untaken;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use http::StatusCode;
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, oneshot};
use vitrine_core::limits::{ERROR_BRIEF_BYTES_MAX, ERROR_BURST_BYTES_MAX, ERROR_BYTES_PER_S_MAX};
use vitrine_core::telemetry::Bucket;
use vitrine_wire::cut::cut;
use vitrine_wire::flow::Window;
use vitrine_wire::limits::BODY_FRAME_BYTES_MAX;
use vitrine_wire::{CancelReason, Done, Frame, Outcome, RequestHead, ResponseHead, StreamId, WorkerLimits};

/// A request body on its way to a worker: pieces, or the error of the client that sends it.
pub type RequestBody =
    http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The connection in use, if there is one.
#[derive(Debug, Default)]
pub(super) struct Slot(ArcSwapOption<Connection>);

impl Slot {
    /// The connection in use.
    pub(super) fn load(&self) -> Option<Arc<Connection>> {
        self.0.load_full()
    }

    /// Puts a connection in use, or takes it out.
    pub(super) fn store(&self, connection: Option<Arc<Connection>>) {
        self.0.store(connection);
    }
}

/// What the reader knows of a stream.
#[derive(Debug)]
struct Stream {
    head: Option<oneshot::Sender<Result<ResponseHead, Done>>>,
    pieces: Feed<Box<Done>>,
    /// What the worker takes of the request's body.
    upload: Arc<Window>,
    asked: Instant,
    /// Whether a WebSocket was asked for.
    upgrade: bool,
    answer_bytes: u64,
    /// Bytes that the body of its answer may have.
    answer_bytes_max: u64,
}

/// One requests connection past its hello.
#[derive(Debug)]
pub struct Connection {
    frames: FrameSender,
    /// What its answers hold.
    memory: Arc<MemoryShare>,
    streams: Mutex<HashMap<StreamId, Stream>>,
    /// Answers that the worker has ended and their clients have not taken yet. For the reader alone; locked after `streams`.
    untaken: Mutex<Untaken<Box<Done>>>,
    /// Streams that may be open at once.
    streams_max: usize,
    /// Bytes that the body of an answer may have.
    answer_bytes_max: u64,
    next: AtomicU32,
    /// Whether a request was sent since somebody last asked whether one is awaited.
    used: AtomicBool,
    wanted: Notify,
    /// Bounds what the app's errors put into the lines of requests.
    errors: Mutex<Bucket>,
}

impl Connection {
    /// Runs the connection; the future ends when it is lost or the worker breaks the protocol. Every stream
    /// on it has its end when the future is over or dropped.
    pub fn start(
        link: Link,
        limits: &WorkerLimits,
        memory: Arc<MemoryShare>,
    ) -> (Arc<Self>, impl Future<Output = Result<(), Breach>> + Send + use<>) {
        let (frames, queue) = handshake::queue();
        let streams = Mutex::default();
        let errors = Mutex::new(Bucket::full(ERROR_BYTES_PER_S_MAX, ERROR_BURST_BYTES_MAX, Instant::now()));
        let connection = Arc::new(Self {
            frames,
            memory,
            streams,
            untaken: Mutex::default(),
            streams_max: limits.streams_max(),
            answer_bytes_max: limits.response_mb << 20,
            next: AtomicU32::new(1),
            used: AtomicBool::new(false),
            wanted: Notify::new(),
            errors,
        });
        let (sink, source) = link.split();
        let reader = Arc::clone(&connection);
        let ended = Ended(Arc::clone(&connection));
        let run = async move {
            // Dropped after the queue, whether it runs to its end or is dropped on the way: what was queued is told too.
            let (queue, sink, _ended) = (queue, sink, ended);
            tokio::select! {
                () = handshake::write(queue, sink) => Ok(()),
                ended = reader.read(source) => ended,
            }
        };
        (connection, run)
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The end of a request that has no answer.
    pub async fn request(
        self: &Arc<Self>,
        head: RequestHead,
        body: Option<RequestBody>,
    ) -> Result<Answer, Done> {
        let stream = self.next.fetch_add(1, Ordering::Relaxed);
        let (head_tx, head_rx) = oneshot::channel();
        let (feed, pieces) = inbox::body(&self.memory);
        let upload = Arc::new(Window::default());
        {
            let mut streams = self.lock();
            if streams.len() >= self.streams_max {
                return Err(Done::of(Outcome::Overloaded));
            }
            let entry = Stream {
                head: Some(head_tx),
                pieces: feed,
                upload: Arc::clone(&upload),
                asked: Instant::now(),
                upgrade: head.upgrade,
                answer_bytes: 0,
                answer_bytes_max: self.answer_bytes_max,
            };
            streams.insert(stream, entry);
        }
        // The hot path only reads: one request between two looks tells the keeper.
        if !self.used.load(Ordering::Relaxed) && !self.used.swap(true, Ordering::Relaxed) {
            self.wanted.notify_one();
        }
        // From here on, dropping this guard (the client went away while waiting) cancels the render.
        let connection = Arc::clone(self);
        let mut answer = AnswerBody { pieces, stream, connection, ended: false };
        if self.frames.send(Frame::Request(stream, head)).await.is_err() {
            answer.ended = true;
            self.forget(stream);
            return Err(Done::of(Outcome::UpstreamGone));
        }
        let head = match body {
            None => head_rx.await,
            Some(body) => self.head_while_sending(stream, body, upload, head_rx).await,
        };
        match head {
            Ok(Ok(head)) => Ok(Answer { head, body: answer }),
            Ok(Err(done)) => {
                answer.ended = true;
                Err(done)
            }
            Err(_) => {
                answer.ended = true;
                Err(Done::of(Outcome::UpstreamGone))
            }
        }
    }

    /// Ends when a request is sent and none was since [`Connection::is_awaited`] was last asked.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Whether a request waits for the head of its answer.
    pub fn is_awaited(&self) -> bool {
        // First, and requests are among the streams before they look at it: one that is not seen here tells the keeper.
        self.used.store(false, Ordering::Relaxed);
        self.lock().values().any(|stream| stream.head.is_some())
    }

    /// Waits for the head while the body is being sent; an answer may come before the body is through, so the rest of
    /// the body then goes on by itself.
    async fn head_while_sending(
        self: &Arc<Self>,
        stream: StreamId,
        body: RequestBody,
        window: Arc<Window>,
        mut head: oneshot::Receiver<Result<ResponseHead, Done>>,
    ) -> Result<Result<ResponseHead, Done>, oneshot::error::RecvError> {
        let mut sending = Box::pin(Arc::clone(self).send_body(stream, body, window));
        tokio::select! {
            biased;
            answered = &mut head => {
                let connection = Arc::clone(self);
                tokio::spawn(async move {
                    if sending.await.is_err() {
                        // The worker says nothing more of a stream that is cancelled: its answer ends here.
                        connection.on_done(stream, Done::of(Outcome::ClientError));
                        connection.frames.send_soon(Frame::Cancel(stream, CancelReason::ClientGone));
                    }
                });
                answered
            }
            sent = &mut sending => match sent {
                Ok(()) => head.await,
                Err(ClientBroke) => {
                    self.forget(stream);
                    self.frames.send_soon(Frame::Cancel(stream, CancelReason::ClientGone));
                    Ok(Err(Done::of(Outcome::ClientError)))
                }
            },
        }
    }

    async fn send_body(
        self: Arc<Self>,
        stream: StreamId,
        mut body: RequestBody,
        window: Arc<Window>,
    ) -> Result<(), ClientBroke> {
        while let Some(frame) = body.frame().await {
            let Ok(mut data) = frame.map_err(|_| ClientBroke)?.into_data() else { continue };
            while !data.is_empty() {
                let piece = data.split_to(data.len().min(BODY_FRAME_BYTES_MAX));
                // A closed window means that the worker wants no more of this body.
                if !window.take(piece.len() as u32).await {
                    return Ok(());
                }
                if self.frames.send(Frame::Body(stream, piece)).await.is_err() {
                    return Ok(());
                }
            }
        }
        // A lost connection is noticed by the task that waits for the head.
        let _ = self.frames.send(Frame::BodyEnd(stream)).await;
        Ok(())
    }

    async fn read(&self, mut source: SplitStream<Link>) -> Result<(), Breach> {
        while let Some(Ok(frame)) = source.next().await {
            match frame {
                Frame::Response(stream, head) => self.on_head(stream, head)?,
                Frame::Body(stream, data) => self.on_piece(stream, &data)?,
                Frame::Done(stream, done) => self.on_done(stream, done),
                Frame::Credit(stream, bytes) => self.on_credit(stream, bytes)?,
                Frame::Cancel(stream, _) => self.on_cancel(stream),
                other => return Err(Breach::OutOfTurn(other.kind())),
            }
        }
        Ok(())
    }

    // Frames of a stream that is not open are late ones, and ignored.

    fn on_head(&self, stream: StreamId, head: ResponseHead) -> Result<(), Breach> {
        if let Some(entry) = self.lock().get_mut(&stream) {
            let waiting = entry.head.take().ok_or(Breach::Order(stream))?;
            if entry.upgrade && head.status == StatusCode::SWITCHING_PROTOCOLS.as_u16() {
                // Its messages are bounded one by one.
                entry.answer_bytes_max = u64::MAX;
            }
            // A receiver that is gone has sent its cancel already.
            let _ = waiting.send(Ok(head));
        }
        Ok(())
    }

    fn on_piece(&self, stream: StreamId, data: &[u8]) -> Result<(), Breach> {
        let mut streams = self.lock();
        let Some(entry) = streams.get_mut(&stream) else { return Ok(()) };
        if entry.head.is_some() {
            return Err(Breach::Order(stream));
        }
        entry.answer_bytes += data.len() as u64;
        if entry.answer_bytes <= entry.answer_bytes_max {
            entry.pieces.push(data).map_err(|_| Breach::Window(stream))?;
            drop(streams);
            while !self.memory.has_room(0) && self.break_stalled_off() {}
            return Ok(());
        }
        drop(streams);
        // A worker ends such an answer by itself; this one does not.
        self.on_done(stream, Done::of(Outcome::AppError));
        self.frames.send_soon(Frame::Cancel(stream, CancelReason::Unwanted));
        Ok(())
    }

    /// Ends the answer that its client has taken nothing of for longest while some of it lies here. Whether there was one.
    fn break_stalled_off(&self) -> bool {
        let mut streams = self.lock();
        let under_way = streams.iter().filter_map(|(id, entry)| Some((entry.pieces.untaken_since()?, *id)));
        let under_way = under_way.min();
        let untaken = self.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        let stalled = untaken.stalled();
        let broken = || Box::new(Done::of(Outcome::ClientError));
        match (under_way, stalled) {
            (Some((since, _)), Some((older, left))) if older <= since => left.break_off(broken()),
            (None, Some((_, left))) => left.break_off(broken()),
            (Some((_, stream)), _) => {
                let Some(entry) = streams.remove(&stream) else { return false };
                drop(streams);
                entry.upload.close();
                entry.pieces.break_off(broken());
                self.frames.send_soon(Frame::Cancel(stream, CancelReason::ClientGone));
            }
            (None, None) => return false,
        }
        true
    }

    fn on_done(&self, stream: StreamId, mut done: Done) {
        let Some(entry) = self.lock().remove(&stream) else { return };
        self.check(&mut done, entry.asked);
        entry.upload.close();
        match entry.head {
            Some(waiting) => drop(waiting.send(Err(done))),
            None => {
                if let Some(left) = entry.pieces.end(Box::new(done)) {
                    self.untaken.lock().unwrap_or_else(PoisonError::into_inner).add(left);
                }
            }
        }
    }

    /// Takes out of a worker's account of a request what can't be: its texts are bounded, and no part of a request takes longer than
    /// the whole.
    fn check(&self, done: &mut Done, asked: Instant) {
        let now = Instant::now();
        let took_us = u64::try_from((now - asked).as_micros()).unwrap_or(u64::MAX);
        for figure in [&mut done.queue_us, &mut done.render_us, &mut done.cpu_us] {
            *figure = (*figure).min(took_us);
        }
        done.egress = None;
        let Some(error) = &mut done.error else { return };
        error.cut();
        let bytes = (error.message.len() + error.stack.len()) as f64;
        if !self.errors.lock().unwrap_or_else(PoisonError::into_inner).take(bytes, now) {
            cut(&mut error.message, ERROR_BRIEF_BYTES_MAX);
            error.stack.clear();
        }
    }

    /// More credit than bytes were sent would make this side buffer.
    fn on_credit(&self, stream: StreamId, bytes: u32) -> Result<(), Breach> {
        match self.lock().get(&stream) {
            Some(entry) if !entry.upload.credit(bytes) => Err(Breach::Credit(stream)),
            _ => Ok(()),
        }
    }

    fn on_cancel(&self, stream: StreamId) {
        if let Some(entry) = self.lock().get(&stream) {
            entry.upload.close();
        }
    }

    fn forget(&self, stream: StreamId) {
        if let Some(entry) = self.lock().remove(&stream) {
            entry.upload.close();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<StreamId, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends every stream of a connection when it is dropped.
struct Ended(Arc<Connection>);

impl Drop for Ended {
    fn drop(&mut self) {
        for (_, stream) in self.0.lock().drain() {
            stream.upload.close();
        }
    }
}

/// The client that sends the body went away or broke a rule of the edge.
struct ClientBroke;

#[cfg(test)]
mod tests;
