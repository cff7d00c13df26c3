//! One call under way, and its body as the worker sends it.

use super::answer::AnswerSink;
use super::client::RequestBody;
use bytes::Bytes;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt as _, Either, StreamBody};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use vitrine_wire::limits::WINDOW_BYTES;

/// A piece of a call's body; `None` is its end. If its sender goes away before that, the body broke off.
type Piece = Option<Bytes>;

/// One call under way.
#[derive(Debug)]
pub struct Call {
    pub(super) task: AbortHandle,
    pub(super) body: Option<CallBody>,
    /// Room for the answer.
    pub(super) window: Arc<Semaphore>,
}

/// The connection's end of a call's body.
#[derive(Debug)]
pub(super) struct CallBody {
    pieces: mpsc::Sender<Piece>,
    /// Bytes of the body that came and were not taken yet; more than the window is a worker that breaks the protocol.
    buffered_bytes: Arc<AtomicU32>,
}

/// The client's end of a call's body.
#[derive(Debug)]
pub(super) struct Upload {
    pieces: mpsc::Receiver<Piece>,
    buffered_bytes: Arc<AtomicU32>,
}

/// Both ends of a call's body.
pub(super) fn upload() -> (CallBody, Upload) {
    let (sender, receiver) = mpsc::channel(WINDOW_BYTES as usize + 1);
    let buffered_bytes = Arc::new(AtomicU32::new(0));
    let body = CallBody { pieces: sender, buffered_bytes: Arc::clone(&buffered_bytes) };
    (body, Upload { pieces: receiver, buffered_bytes })
}

impl Upload {
    /// The next piece, none after the last; fails where the body has broken off.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = self.pieces.recv().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = piece.as_ref().map_or(0, Bytes::len);
        self.buffered_bytes.fetch_sub(bytes as u32, Ordering::Relaxed);
        Ok(piece)
    }

    /// The worker's body as the client's, with credit given as it is taken. One that breaks off breaks the call off, so that
    /// the origin does not take it for whole.
    pub(super) fn into_body(self, answer: AnswerSink) -> RequestBody {
        let pieces = try_unfold((self, answer), async |(mut upload, answer)| {
            let Some(piece) = upload.next().await? else { return Ok(None) };
            answer.credit(piece.len() as u32).await;
            Ok::<_, io::Error>(Some((hyper::body::Frame::data(piece), (upload, answer))))
        });
        Either::Right(StreamBody::new(pieces).boxed_unsync())
    }
}

impl Call {
    /// `false` when the worker sent more than its window.
    pub fn on_body(&self, data: Bytes) -> bool {
        let Some(body) = self.body.as_ref().filter(|_| !data.is_empty()) else { return true };
        let bytes = data.len() as u32;
        let within = body.buffered_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= WINDOW_BYTES;
        within && !matches!(body.pieces.try_send(Some(data)), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// The worker's body is complete.
    pub fn on_body_end(&mut self) {
        if let Some(body) = self.body.take() {
            // Without room for it, which only a worker full of empty pieces leaves, the body has broken off.
            let _ = body.pieces.try_send(None);
        }
    }

    /// The worker took this many bytes of the answer.
    pub fn on_credit(&self, bytes: u32) {
        let room = (WINDOW_BYTES as usize).saturating_sub(self.window.available_permits());
        self.window.add_permits((bytes as usize).min(room));
    }

    /// The worker gave the call up.
    pub fn abort(&self) {
        self.task.abort();
    }
}
