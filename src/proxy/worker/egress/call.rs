//! One call under way, and the body that the worker sends for it.

use super::super::inbox::{Feed, Inbox, Step};
use super::answer::AnswerSink;
use super::client::RequestBody;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt as _, Either, StreamBody};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use tokio::task::AbortHandle;
use vitrine_wire::flow::{Window, WindowExceeded};

/// One call under way.
#[derive(Debug)]
pub struct Call {
    pub(super) task: AbortHandle,
    pub(super) body: Option<Feed<()>>,
    /// Room for the answer.
    pub(super) window: Arc<Window>,
}

/// The worker's body as the client's, with credit given as it is taken. One that breaks off breaks the call off, so that the
/// origin does not take it for whole.
pub(super) fn request_body(upload: Inbox<()>, answer: AnswerSink) -> RequestBody {
    let pieces = try_unfold((upload, answer), async |(mut upload, answer)| {
        match poll_fn(|cx| upload.poll_next(cx)).await {
            (Step::Data(piece), credit) => {
                if credit > 0 {
                    answer.credit(credit).await;
                }
                Ok(Some((hyper::body::Frame::data(piece), (upload, answer))))
            }
            (Step::End(()), _) => Ok(None),
            (Step::Lost, _) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    });
    Either::Right(StreamBody::new(pieces).boxed_unsync())
}

impl Call {
    /// Bytes of the call's body. Those of a call without one, or after its end, are ignored.
    ///
    /// # Errors
    /// The worker sent more than its window.
    pub fn on_body(&self, data: &[u8]) -> Result<(), WindowExceeded> {
        self.body.as_ref().map_or(Ok(()), |body| body.push(data))
    }

    /// The worker's body is complete.
    pub fn on_body_end(&mut self) {
        if let Some(body) = self.body.take() {
            body.end(());
        }
    }

    /// The worker took this many bytes of the answer. `false` when it was sent less.
    pub fn on_credit(&self, bytes: u32) -> bool {
        self.window.credit(bytes)
    }

    /// The worker gave the call up.
    pub fn abort(&self) {
        self.task.abort();
    }
}
