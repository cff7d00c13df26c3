//! The open streams of one requests connection.

use super::body::{self, BodyFeed};
use super::{AnswerWriter, Request, StreamError, WriteEntry, WriteQueue, lock};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use vitrine_wire::flow::Window;
use vitrine_wire::limits::STREAMS_MAX;
use vitrine_wire::{Done, Frame, Outcome, RequestHead, StreamId};

#[derive(Debug)]
struct Open {
    window: Arc<Window>,
    cancelled: CancellationToken,
    body: Option<BodyFeed>,
}

impl Open {
    fn give_up(self) {
        self.window.close();
        if let Some(body) = self.body {
            body.break_off();
        }
        self.cancelled.cancel();
    }
}

/// The open streams of one requests connection: what arrives on one goes to the request that it belongs to. Frames of
/// streams that are not open are late ones, and ignored.
#[derive(Debug)]
pub struct RequestStreams {
    open: Mutex<HashMap<StreamId, Open>>,
    queue: WriteQueue,
}

impl RequestStreams {
    /// None open.
    #[must_use]
    pub fn new(queue: WriteQueue) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), queue })
    }

    /// Opens a stream. `None` when more answers wait to be written than the queue holds; the host was told `overloaded`.
    ///
    /// # Errors
    /// The number is in use, or too many streams are open.
    pub async fn request(
        self: &Arc<Self>,
        stream: StreamId,
        head: RequestHead,
    ) -> Result<Option<Request>, StreamError> {
        let Some(slot) = self.queue.slot() else {
            let done = Frame::Done(stream, Done::of(Outcome::Overloaded));
            self.queue.send(WriteEntry::Frame(done)).await;
            return Ok(None);
        };
        let (feed, reader) = head.has_body.then(|| body::body(stream, &self.queue)).unzip();
        let window = Arc::new(Window::default());
        let cancelled = CancellationToken::new();
        let open = Open { window: Arc::clone(&window), cancelled: cancelled.clone(), body: feed };
        {
            let mut streams = lock(&self.open);
            if streams.len() >= STREAMS_MAX {
                return Err(StreamError::TooMany);
            }
            if streams.contains_key(&stream) {
                return Err(StreamError::Reused(stream));
            }
            streams.insert(stream, open);
        }
        let answer = AnswerWriter::new(stream, self.queue.clone(), slot, window, Arc::clone(self));
        Ok(Some(Request { head, body: reader, answer, cancelled, received: Instant::now() }))
    }

    /// Body bytes arrived.
    ///
    /// # Errors
    /// They exceed the window, or the body had ended or never begun.
    pub async fn body(&self, stream: StreamId, data: Bytes) -> Result<(), StreamError> {
        let credit = match lock(&self.open).get(&stream) {
            None => None,
            Some(Open { body: None, .. }) => return Err(StreamError::AfterEnd(stream)),
            Some(Open { body: Some(feed), .. }) => feed.push(&data)?,
        };
        if let Some(credit) = credit {
            self.queue.send(WriteEntry::Frame(Frame::Credit(stream, credit))).await;
        }
        Ok(())
    }

    /// A body is complete.
    ///
    /// # Errors
    /// It was already, or never begun.
    pub fn body_end(&self, stream: StreamId) -> Result<(), StreamError> {
        match lock(&self.open).get(&stream) {
            None => Ok(()),
            Some(Open { body: None, .. }) => Err(StreamError::AfterEnd(stream)),
            Some(Open { body: Some(feed), .. }) => feed.end(),
        }
    }

    /// The host took body bytes.
    ///
    /// # Errors
    /// More than were sent.
    pub fn credit(&self, stream: StreamId, bytes: u32) -> Result<(), StreamError> {
        match lock(&self.open).get(&stream) {
            Some(open) if !open.window.credit(bytes) => Err(StreamError::CreditExceeded(stream)),
            _ => Ok(()),
        }
    }

    /// The host gave a stream up.
    pub fn cancel(&self, stream: StreamId) {
        let open = lock(&self.open).remove(&stream);
        if let Some(open) = open {
            open.give_up();
        }
    }

    /// The connection is gone, and every stream with it.
    pub fn cancel_all(&self) {
        let streams = std::mem::take(&mut *lock(&self.open));
        streams.into_values().for_each(Open::give_up);
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        lock(&self.open).len()
    }

    /// The answer ended. `false` when the stream was given up before.
    pub(super) fn close(&self, stream: StreamId) -> bool {
        lock(&self.open).remove(&stream).is_some()
    }
}
