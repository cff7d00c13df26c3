//! A long answer on one of several streams of a connection.
//!
//! HTTP/2 lets a client take bytes of one stream and none of another. A stream that it does not take is not polled any
//! more, so its answer can't notice by itself; and the connection is alive, so it can't be cut for it. Here a task of
//! its own reads the answer, hands it on, and gives it up when nothing is taken for too long: the worker is free then.

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use vitrine_core::limits::ANSWER_GRACE_MS;
use vitrine_proxy::connections::activity::is_trickle;

/// What can go wrong with a body on its way out.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The client took nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the client took no byte of this answer for too long")]
pub(crate) struct Stalled;

/// What the task hands on; `None` is the end.
type Item = Result<Option<Frame<Bytes>>, BoxError>;

/// The near end of a body that a task reads.
#[derive(Debug)]
pub(crate) struct Pumped {
    frames: mpsc::Receiver<Item>,
    ended: bool,
}

/// Has a body read by a task, one frame ahead.
pub(crate) fn pump<B>(body: B, stall: Duration) -> Pumped
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let (sink, frames) = mpsc::channel(1);
    tokio::spawn(read(body, stall, sink));
    Pumped { frames, ended: false }
}

/// Ends when the body does, when the near end is dropped, or when it takes nothing within `stall`, or too little in all; then the body
/// is dropped here, whatever still holds the near end.
async fn read<B>(mut body: B, stall: Duration, sink: mpsc::Sender<Item>)
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let (mut waited, mut taken_bytes) = (Duration::ZERO, 0);
    loop {
        let item = tokio::select! {
            frame = body.frame() => frame.transpose().map_err(Into::into),
            () = sink.closed() => return,
        };
        let last = !matches!(item, Ok(Some(_)));
        let bytes = match &item {
            Ok(Some(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        let begun = Instant::now();
        match tokio::time::timeout(stall, sink.send(item)).await {
            Ok(Ok(())) if !last => {}
            _ => return,
        }
        waited += begun.elapsed();
        taken_bytes += bytes as u64;
        if waited >= Duration::from_millis(ANSWER_GRACE_MS) && is_trickle(taken_bytes, waited) {
            return;
        }
    }
}

impl Body for Pumped {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.frames.poll_recv(cx));
        self.ended = !matches!(item, Some(Ok(Some(_))));
        Poll::Ready(item.unwrap_or_else(|| Err(Box::new(Stalled))).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};
    use http_body_util::StreamBody;
    use std::convert::Infallible;
    use std::sync::Arc;

    /// Four frames, and whether they are still held.
    fn body() -> (impl Body<Data = Bytes, Error = Infallible> + Send + Unpin, Arc<()>) {
        let held = Arc::new(());
        let hold = Arc::clone(&held);
        let frames = stream::iter(0..4_u8).map(move |n| {
            let _hold = &hold;
            Ok(Frame::data(Bytes::from(vec![n])))
        });
        (StreamBody::new(frames), held)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_all_gets_all_at_its_own_pace() {
        let (body, _held) = body();
        let mut pumped = pump(body, Duration::from_secs(30));
        let mut got = Vec::new();
        while let Some(frame) = pumped.frame().await {
            got.extend_from_slice(frame.unwrap().data_ref().unwrap());
            // Pause: the clock is the test's; a slow client.
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        assert_eq!(got, [0, 1, 2, 3]);
        assert!(pumped.is_end_stream());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_byte_by_byte_is_given_up() {
        let frames = stream::iter(0..100_u8).map(|n| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![n]))));
        let mut pumped = pump(StreamBody::new(frames), Duration::from_secs(30));
        let mut got = 0;
        while let Some(Ok(_)) = pumped.frame().await {
            got += 1;
            // Pause: the clock is the test's; a client that is never so slow that it stalls.
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        assert!((4..10).contains(&got), "{got}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_given_up_and_never_complete() {
        let (body, held) = body();
        let mut pumped = pump(body, Duration::from_secs(30));
        pumped.frame().await.unwrap().unwrap();
        // Pause: the clock is the test's; just before the bound, then just after it.
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(Arc::strong_count(&held), 2);
        // Pause: as above.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(Arc::strong_count(&held), 1);
        pumped.frame().await.unwrap().unwrap();
        assert!(pumped.frame().await.unwrap().unwrap_err().is::<Stalled>());
        assert!(pumped.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_whose_client_is_gone_is_dropped() {
        let (body, held) = body();
        drop(pump(body, Duration::from_secs(30)));
        // Pause: the clock is the test's; the task comes to run.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
