//! Sends the answer to one call as frames, on the control socket that the call came from.

use super::super::handshake::FrameSender;
use super::failure::shown_text;
use bytes::Bytes;
use http::response::Parts;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::limits::{EGRESS_BYTES_MAX, EGRESS_STALL_MS};
use vitrine_wire::flow::Window;
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, REASON_BYTES_MAX};
use vitrine_wire::{Done, EgressFailure, Frame, Outcome, ResponseHead, StreamId};

/// Answers one call. A send that fails means that the control socket is lost, and with it every waiting request.
#[derive(Debug, Clone)]
pub struct AnswerSink {
    stream: StreamId,
    frames: FrameSender,
    window: Arc<Window>,
}

impl AnswerSink {
    /// Answers on this stream.
    #[must_use]
    pub fn new(stream: StreamId, frames: FrameSender) -> Self {
        Self { stream, frames, window: Arc::default() }
    }

    /// Bytes that the worker takes now; it gives more as it reads.
    pub(super) fn window(&self) -> Arc<Window> {
        Arc::clone(&self.window)
    }

    /// This much of the call's body was taken.
    pub(super) async fn credit(&self, bytes: u32) {
        let _ = self.frames.send(Frame::Credit(self.stream, bytes)).await;
    }

    /// The head of the answer.
    pub(super) async fn head(&self, parts: &Parts) {
        let headers = super::headers::received(&parts.headers);
        // The client keeps one only where it is not the usual one.
        let reason = parts.extensions.get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
        let reason = reason.filter(|reason| reason.len() <= REASON_BYTES_MAX).map(Bytes::copy_from_slice);
        let head = ResponseHead { status: parts.status.as_u16(), reason, headers };
        let _ = self.frames.send(Frame::Response(self.stream, head)).await;
    }

    /// The body of the answer of `url`. `seen` is shown each piece of it.
    ///
    /// # Errors
    /// It stopped, broke off or is too long.
    pub(super) async fn body(
        &self,
        mut body: Incoming,
        url: &str,
        mut seen: impl FnMut(&Bytes),
    ) -> Result<(), EgressFailure> {
        let stall = Duration::from_millis(EGRESS_STALL_MS);
        let mut total = 0;
        while !body.is_end_stream() {
            let frame = tokio::time::timeout(stall, body.frame()).await.map_err(|_| {
                EgressFailure::TimedOut(format!(
                    "{} stopped in its body for {EGRESS_STALL_MS} ms",
                    shown_text(url)
                ))
            })?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| {
                EgressFailure::Unreachable(format!(
                    "read ECONNRESET {} broke its body off after {total} bytes",
                    shown_text(url)
                ))
            })?;
            // Trailers have no place in a `Response`.
            let Ok(data) = frame.into_data() else { continue };
            total += data.len() as u64;
            if total > EGRESS_BYTES_MAX {
                let what = format!("the body of {} is over {EGRESS_BYTES_MAX} bytes", shown_text(url));
                return Err(EgressFailure::Limit(what));
            }
            seen(&data);
            self.data(data).await;
        }
        Ok(())
    }

    /// Bytes of the answer, when the worker has room for them.
    pub(super) async fn data(&self, mut data: Bytes) {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(BODY_FRAME_BYTES_MAX));
            // It is never closed: a call that is given up ends with its task.
            self.window.take(piece.len() as u32).await;
            let _ = self.frames.send(Frame::Body(self.stream, piece)).await;
        }
    }

    /// The end of the answer.
    pub async fn done(&self, result: Result<(), EgressFailure>) {
        let done = match result {
            Ok(()) => Done::of(Outcome::Ok),
            Err(failure) => Done { egress: Some(failure), ..Done::of(Outcome::UpstreamGone) },
        };
        let _ = self.frames.send(Frame::Done(self.stream, done)).await;
    }
}
