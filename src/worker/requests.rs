//! The requests socket: many requests over one connection.
//!
//! A reader task hands frames to the streams they belong to, a writer task gathers frames into few writes. Body
//! bytes are bounded by each stream's window, so neither a slow client nor a slow app holds up the others.

use super::link::{self, Link};
use crate::limits::FRAMES_QUEUED_MAX;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES};
use vitrine_wire::{CancelReason, Done, Frame, Outcome, RequestHead, ResponseHead, StreamId};

/// A request body on its way to a worker: pieces, or the error of the client that sends it.
pub type RequestBody =
    http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An answer: its head, then its body. Dropping it cancels the render.
#[derive(Debug)]
pub struct Answer {
    /// Head.
    pub head: ResponseHead,
    /// Body pieces, in order, then exactly one end.
    pub body: AnswerBody,
}

/// One step of an answer's body.
#[derive(Debug)]
pub enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The end. Anything but `Outcome::Ok` means that the body is not complete.
    End(Box<Done>),
}

// The channel of every answer begins with a block of 32 pieces: an end in a box costs less than 32 places for one.
const _: () = assert!(size_of::<Piece>() <= size_of::<Bytes>());

/// The body of an answer: [`AnswerBody::next`] until it gives the end.
#[derive(Debug)]
pub struct AnswerBody {
    pieces: mpsc::Receiver<Piece>,
    buffered_bytes: Arc<AtomicU32>,
    stream: StreamId,
    connection: Arc<Connection>,
    uncredited: u32,
    ended: bool,
}

impl AnswerBody {
    /// The next piece. After the end it gives `None`; a connection that is lost gives an end with `UpstreamGone`.
    pub async fn next(&mut self) -> Option<Piece> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`AnswerBody::next`] for those who poll.
    pub fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Piece>> {
        if self.ended {
            return std::task::Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.poll_recv(cx));
        let piece = piece.unwrap_or_else(|| Piece::End(Box::new(Done::of(Outcome::UpstreamGone))));
        match &piece {
            Piece::Data(data) => self.credit(data.len()),
            Piece::End(_) => self.ended = true,
        }
        std::task::Poll::Ready(Some(piece))
    }

    /// Gives window back in large steps: a page below half a window costs no credit frame at all.
    fn credit(&mut self, taken: usize) {
        self.buffered_bytes.fetch_sub(taken as u32, Ordering::Relaxed);
        self.uncredited += taken as u32;
        if self.uncredited >= WINDOW_BYTES / 2 {
            self.connection.send_soon(Frame::Credit(self.stream, std::mem::take(&mut self.uncredited)));
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.forget(self.stream);
            self.connection.send_soon(Frame::Cancel(self.stream, CancelReason::ClientGone));
        }
    }
}

/// The connection in use, if there is one.
#[derive(Debug, Default)]
pub struct Slot(ArcSwapOption<Connection>);

impl Slot {
    /// The connection in use.
    pub fn load(&self) -> Option<Arc<Connection>> {
        self.0.load_full()
    }

    /// Puts a connection in use, or takes it out.
    pub fn store(&self, connection: Option<Arc<Connection>>) {
        self.0.store(connection);
    }
}

/// What the reader knows of a stream.
#[derive(Debug)]
struct Stream {
    head: Option<oneshot::Sender<Result<ResponseHead, Done>>>,
    pieces: mpsc::Sender<Piece>,
    /// Bytes that came and were not taken yet; more than the window is a worker that breaks the protocol.
    buffered_bytes: Arc<AtomicU32>,
    /// Window of the request body: permits are bytes.
    upload: Arc<Semaphore>,
}

/// One requests connection past its hello.
#[derive(Debug)]
pub struct Connection {
    frames: mpsc::Sender<Frame>,
    streams: Mutex<HashMap<StreamId, Stream>>,
    next: AtomicU32,
    /// Whether a request was sent since somebody last asked whether one is awaited.
    used: AtomicBool,
    wanted: Notify,
}

impl Connection {
    /// Runs the connection; the future ends when it is lost. Every stream on it has its end when the future is
    /// over or dropped.
    pub fn start(link: Link) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let (frames, queue) = mpsc::channel(FRAMES_QUEUED_MAX);
        let connection = Arc::new(Self {
            frames,
            streams: Mutex::default(),
            next: AtomicU32::new(1),
            used: AtomicBool::new(false),
            wanted: Notify::new(),
        });
        let (sink, source) = link.split();
        let reader = Arc::clone(&connection);
        let ended = Ended(Arc::clone(&connection));
        let run = async move {
            // Dropped after the queue, whether it runs to its end or is dropped on the way: what was queued is told too.
            let (queue, sink, _ended) = (queue, sink, ended);
            tokio::select! {
                () = link::write(queue, sink) => {}
                () = reader.read(source) => {}
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
        // The window bounds what can be queued, and one place is the end's: a legal sender never finds it full.
        let (pieces_tx, pieces) = mpsc::channel(WINDOW_BYTES as usize + 1);
        let buffered_bytes = Arc::new(AtomicU32::new(0));
        let upload = Arc::new(Semaphore::new(WINDOW_BYTES as usize));
        {
            let mut streams = self.lock();
            if streams.len() >= STREAMS_MAX {
                return Err(Done::of(Outcome::Overloaded));
            }
            let entry = Stream {
                head: Some(head_tx),
                pieces: pieces_tx,
                buffered_bytes: Arc::clone(&buffered_bytes),
                upload: Arc::clone(&upload),
            };
            streams.insert(stream, entry);
        }
        // The hot path only reads: one request between two looks tells the keeper.
        if !self.used.load(Ordering::Relaxed) && !self.used.swap(true, Ordering::Relaxed) {
            self.wanted.notify_one();
        }
        // From here on, dropping this guard (the client went away while waiting) cancels the render.
        let connection = Arc::clone(self);
        let mut answer =
            AnswerBody { pieces, buffered_bytes, stream, connection, uncredited: 0, ended: false };
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
        window: Arc<Semaphore>,
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
                        connection.send_soon(Frame::Cancel(stream, CancelReason::ClientGone));
                    }
                });
                answered
            }
            sent = &mut sending => match sent {
                Ok(()) => head.await,
                Err(ClientBroke) => {
                    self.forget(stream);
                    self.send_soon(Frame::Cancel(stream, CancelReason::ClientGone));
                    Ok(Err(Done::of(Outcome::ClientError)))
                }
            },
        }
    }

    async fn send_body(
        self: Arc<Self>,
        stream: StreamId,
        mut body: RequestBody,
        window: Arc<Semaphore>,
    ) -> Result<(), ClientBroke> {
        while let Some(frame) = body.frame().await {
            let Ok(mut data) = frame.map_err(|_| ClientBroke)?.into_data() else { continue };
            while !data.is_empty() {
                let piece = data.split_to(data.len().min(BODY_FRAME_BYTES_MAX));
                // A closed window means that the worker wants no more of this body.
                let Ok(permits) = window.acquire_many(piece.len() as u32).await else { return Ok(()) };
                permits.forget();
                if self.frames.send(Frame::Body(stream, piece)).await.is_err() {
                    return Ok(());
                }
            }
        }
        // A lost connection is noticed by whoever waits for the head.
        let _ = self.frames.send(Frame::BodyEnd(stream)).await;
        Ok(())
    }

    async fn read(&self, mut source: SplitStream<Link>) {
        while let Some(Ok(frame)) = source.next().await {
            match frame {
                Frame::Response(stream, head) => self.on_head(stream, head),
                Frame::Body(_, data) if data.is_empty() => {}
                Frame::Body(stream, data) => {
                    if !self.on_piece(stream, data) {
                        return;
                    }
                }
                Frame::Done(stream, done) => self.on_done(stream, done),
                Frame::Credit(stream, bytes) => self.on_credit(stream, bytes),
                Frame::Cancel(stream, _) => self.on_cancel(stream),
                // Anything else does not belong on this socket: the worker is broken or hostile.
                _ => return,
            }
        }
    }

    fn on_head(&self, stream: StreamId, head: ResponseHead) {
        if let Some(waiting) = self.lock().get_mut(&stream).and_then(|entry| entry.head.take()) {
            // A receiver that is gone has sent its cancel already.
            let _ = waiting.send(Ok(head));
        }
    }

    /// `false` when the worker sent more than the window allows.
    fn on_piece(&self, stream: StreamId, data: Bytes) -> bool {
        let streams = self.lock();
        let Some(entry) = streams.get(&stream) else { return true };
        let bytes = data.len() as u32;
        let within = entry.buffered_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= WINDOW_BYTES;
        within && !matches!(entry.pieces.try_send(Piece::Data(data)), Err(mpsc::error::TrySendError::Full(_)))
    }

    fn on_done(&self, stream: StreamId, done: Done) {
        let Some(entry) = self.lock().remove(&stream) else { return };
        entry.upload.close();
        match entry.head {
            Some(waiting) => drop(waiting.send(Err(done))),
            None => drop(entry.pieces.try_send(Piece::End(Box::new(done)))),
        }
    }

    fn on_credit(&self, stream: StreamId, bytes: u32) {
        if let Some(entry) = self.lock().get(&stream) {
            // Credit beyond the window would be the worker's way to make us buffer: it is capped.
            let room = (WINDOW_BYTES as usize).saturating_sub(entry.upload.available_permits());
            entry.upload.add_permits((bytes as usize).min(room));
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

    /// For frames that a destructor sends: at once, or from a task when the queue is full.
    fn send_soon(&self, frame: Frame) {
        if let Err(mpsc::error::TrySendError::Full(frame)) = self.frames.try_send(frame) {
            let frames = self.frames.clone();
            tokio::spawn(async move {
                // A closed queue is a lost connection, which has told every stream.
                let _ = frames.send(frame).await;
            });
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
