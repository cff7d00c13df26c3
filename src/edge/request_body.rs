//! The body of a request on its way to a worker: bounded in bytes, and in how slowly it may come.

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};
use vitrine_core::limits::{BODY_BYTES_PER_S_MIN, BODY_GRACE_MS, BODY_STALL_MS, LINGER_BYTES_MAX, LINGER_MS};
use vitrine_proxy::worker::RequestBody;

/// Why a body was given up. The worker learns that it ended early, the client gets the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// More than the release allows.
    #[error("the request's body is too large")]
    TooLarge = 1,
    /// Slower than the slowest that is allowed.
    #[error("the request's body came too slowly")]
    TooSlow = 2,
    /// The client broke it off.
    #[error("the request's body ended early")]
    Broken = 3,
}

/// What the edge sees of a body that a worker reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyProgress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    received: AtomicU64,
    waits: AtomicBool,
    fault: AtomicU8,
}

impl BodyProgress {
    /// Why it was given up, if it was.
    #[must_use]
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.0.fault.load(Ordering::Acquire) {
            1 => Some(Fault::TooLarge),
            2 => Some(Fault::TooSlow),
            3 => Some(Fault::Broken),
            _ => None,
        }
    }

    /// Whether the worker waits for the client now; [`BodyTimeouts`] bounds that.
    #[must_use]
    pub(crate) fn waits(&self) -> bool {
        self.0.waits.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    #[must_use]
    pub(crate) fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }
}

/// How slow a body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyTimeouts {
    /// Between two pieces.
    pub stall: Duration,
    /// Time waited before the rate counts.
    pub grace: Duration,
}

impl Default for BodyTimeouts {
    fn default() -> Self {
        Self { stall: Duration::from_millis(BODY_STALL_MS), grace: Duration::from_millis(BODY_GRACE_MS) }
    }
}

/// A client's body. Only time spent waiting for the client counts: an app may read as slowly as it likes.
struct Upload<B: Body<Data = Bytes> + Send + Unpin + 'static> {
    body: Option<B>,
    left: u64,
    pace: BodyTimeouts,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    progress: BodyProgress,
}

/// Bounds a body.
pub(crate) fn bound<B>(body: B, bytes_max: u64, pace: BodyTimeouts) -> (RequestBody, BodyProgress)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let progress = BodyProgress::default();
    let upload = Upload {
        body: Some(body),
        left: bytes_max,
        pace,
        waited: Duration::ZERO,
        waiting: None,
        progress: progress.clone(),
    };
    (upload.boxed_unsync(), progress)
}

/// Reads a refused body for a while, so that its client comes to read the answer.
pub(crate) fn drain_body<B>(mut body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return;
    }
    // A host that has ended drops what is left outside of its runtime.
    let Ok(runtime) = Handle::try_current() else { return };
    runtime.spawn(async move {
        let read = async {
            let mut left = LINGER_BYTES_MAX;
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
                if left == 0 {
                    return;
                }
            }
        };
        // A client that is not through by then meets the closed connection.
        let _ = tokio::time::timeout(Duration::from_millis(LINGER_MS), read).await;
    });
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Upload<B> {
    fn fail<T>(&self, fault: Fault) -> Poll<Option<Result<T, Box<dyn std::error::Error + Send + Sync>>>> {
        self.progress.0.fault.store(fault as u8, Ordering::Release);
        Poll::Ready(Some(Err(Box::new(fault))))
    }

    /// How long the client may take for the next piece.
    fn allowance(&self) -> Duration {
        let earned = Duration::from_secs(self.progress.received() / BODY_BYTES_PER_S_MIN);
        self.pace.stall.min((self.pace.grace + earned).saturating_sub(self.waited))
    }
}

/// Drains the unread rest of the request body, so that the client can read the response.
impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Drop for Upload<B> {
    fn drop(&mut self) {
        self.progress.0.waits.store(false, Ordering::Relaxed);
        if let Some(body) = self.body.take() {
            drain_body(body);
        }
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Body for Upload<B> {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        this.progress.0.waits.store(polled.is_pending(), Ordering::Relaxed);
        let Poll::Ready(frame) = polled else {
            let allowance = this.allowance();
            let waiting =
                this.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(allowance))));
            return match waiting.1.as_mut().poll(cx) {
                Poll::Ready(()) => this.fail(Fault::TooSlow),
                Poll::Pending => Poll::Pending,
            };
        };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += since.elapsed();
        }
        match frame {
            None => {
                this.body = None;
                Poll::Ready(None)
            }
            Some(Err(_)) => this.fail(Fault::Broken),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                if bytes > this.left {
                    return this.fail(Fault::TooLarge);
                }
                this.left -= bytes;
                this.progress.0.received.fetch_add(bytes, Ordering::Relaxed);
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};

    fn pieces(
        pieces: &[(u64, &'static str)],
    ) -> impl Body<Data = Bytes, Error = Fault> + Send + Unpin + use<> {
        let pieces = pieces.to_vec();
        StreamBody::new(Box::pin(futures_util::stream::unfold(pieces.into_iter(), |mut pieces| async {
            let (pause_ms, data) = pieces.next()?;
            // The speed of the client is the subject.
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            Some((Ok(Frame::data(Bytes::from(data))), pieces))
        })))
    }

    async fn outcome(body: RequestBody, progress: &BodyProgress) -> (Option<usize>, Option<Fault>) {
        let length = body.collect().await.ok().map(|body| body.to_bytes().len());
        (length, progress.fault())
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_its_bound_and_no_larger() {
        let (body, progress) = bound(Full::new(Bytes::from_static(b"12345")), 5, BodyTimeouts::default());
        assert_eq!(outcome(body, &progress).await, (Some(5), None));
        let (body, progress) = bound(Full::new(Bytes::from_static(b"123456")), 5, BodyTimeouts::default());
        assert_eq!(outcome(body, &progress).await, (None, Some(Fault::TooLarge)));
        let (body, progress) = bound(pieces(&[(0, "123"), (0, "456")]), 5, BodyTimeouts::default());
        assert_eq!(outcome(body, &progress).await, (None, Some(Fault::TooLarge)));
    }

    #[tokio::test]
    async fn a_body_that_stalls_or_trickles_is_given_up() {
        let pace = BodyTimeouts { stall: Duration::from_millis(200), grace: Duration::from_millis(250) };
        let (body, progress) = bound(pieces(&[(0, "1"), (20, "2")]), 5, pace);
        assert_eq!(outcome(body, &progress).await, (Some(2), None));
        let (body, progress) = bound(pieces(&[(0, "1"), (1_000, "2")]), 5, pace);
        assert_eq!(outcome(body, &progress).await, (None, Some(Fault::TooSlow)));
        let (body, progress) = bound(pieces(&[(50, "x"); 8]), 100, pace);
        assert_eq!(outcome(body, &progress).await, (None, Some(Fault::TooSlow)));
        let two_kib: &'static str = "x".repeat(2048).leak();
        let (body, progress) = bound(pieces(&[(50, two_kib); 8]), 1 << 20, pace);
        assert_eq!(outcome(body, &progress).await, (Some(8 * 2048), None));
    }
}
