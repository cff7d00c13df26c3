//! The receiving side of a body: bounded by the window, credited as it is read.

use super::{StreamError, WriteEntry, WriteQueue, lock};
use bytes::Bytes;
use std::any::Any;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use vitrine_wire::flow::Received;
use vitrine_wire::{Frame, StreamId};

/// The sender of a body went away before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body ended early")]
pub struct BodyBroken;

#[derive(Debug, Default)]
struct State {
    received: Received,
    /// A body that never was on the wire, until it is taken.
    complete: Bytes,
    end: Option<Result<(), BodyBroken>>,
    reader_gone: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// The receiving end of a body. Each piece taken is credited to the sender.
#[derive(Debug)]
pub struct BodyReader {
    shared: Arc<Shared>,
    stream: StreamId,
    queue: Option<WriteQueue>,
    /// Dropped with the reader: it gives the call up whose answer this is.
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

/// The connection's end of a body.
#[derive(Debug)]
pub struct BodyFeed {
    shared: Arc<Shared>,
    stream: StreamId,
}

/// A body whose credit goes to `queue`.
pub(super) fn body(stream: StreamId, queue: &WriteQueue) -> (BodyFeed, BodyReader) {
    let shared = Arc::new(Shared::default());
    let reader = BodyReader { shared: Arc::clone(&shared), stream, queue: Some(queue.clone()), _guard: None };
    (BodyFeed { shared, stream }, reader)
}

impl BodyReader {
    /// A body that is complete already.
    #[must_use]
    pub fn complete(data: Bytes) -> Self {
        let shared = Arc::new(Shared::default());
        {
            let mut state = lock(&shared.state);
            state.complete = data;
            state.end = Some(Ok(()));
        }
        Self { shared, stream: 0, queue: None, _guard: None }
    }

    /// Drops `guard` with the reader.
    pub(super) fn guarded(mut self, guard: impl Any + Send + Sync) -> Self {
        self._guard = Some(Box::new(guard));
        self
    }

    /// The next piece; `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyBroken>> {
        loop {
            self.credit().await;
            let changed = self.shared.changed.notified();
            {
                let mut state = lock(&self.shared.state);
                if !state.complete.is_empty() {
                    return Some(Ok(std::mem::take(&mut state.complete)));
                }
                if let Some(piece) = state.received.take() {
                    return Some(Ok(piece));
                }
                match state.end {
                    Some(Ok(())) => return None,
                    Some(Err(broken)) => {
                        // Said once; after it the body is over.
                        state.end = Some(Ok(()));
                        return Some(Err(broken));
                    }
                    None => {}
                }
            }
            changed.await;
        }
    }

    /// All that is left, if the end has come.
    pub fn take_rest(&mut self) -> Option<Bytes> {
        let mut state = lock(&self.shared.state);
        if state.end != Some(Ok(())) {
            return None;
        }
        if !state.complete.is_empty() {
            return Some(std::mem::take(&mut state.complete));
        }
        Some(state.received.take_rest())
    }

    /// Credits what the reader took, once it is worth a frame and only while the sender may still need it.
    async fn credit(&self) {
        let due = |state: &State| state.end.is_none() && state.received.credit_is_due();
        let Some(queue) = &self.queue else { return };
        if !due(&lock(&self.shared.state)) {
            return;
        }
        let Some(place) = queue.place().await else { return };
        let mut state = lock(&self.shared.state);
        if due(&state) {
            let bytes = state.received.credit();
            place.send(WriteEntry::Frame(Frame::Credit(self.stream, bytes)));
        }
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.reader_gone = true;
        state.received.discard();
        // A full queue is no harm: the next piece to arrive credits everything.
        if let (Some(queue), None) = (&self.queue, state.end)
            && let Some(place) = queue.try_place()
            && let bytes @ 1.. = state.received.credit()
        {
            place.send(WriteEntry::Frame(Frame::Credit(self.stream, bytes)));
        }
    }
}

impl BodyFeed {
    /// Adds a piece. Returns the credit to send when the body is not read: its sender must not wait forever.
    ///
    /// # Errors
    /// The sender exceeded its window, or sent more after the end.
    pub fn push(&self, data: &[u8]) -> Result<Option<u32>, StreamError> {
        let mut state = lock(&self.shared.state);
        if state.end.is_some() {
            return Err(StreamError::AfterEnd(self.stream));
        }
        state.received.push(data).map_err(|_| StreamError::WindowExceeded(self.stream))?;
        if state.reader_gone {
            state.received.discard();
            return Ok(Some(state.received.credit()).filter(|credit| *credit > 0));
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(None)
    }

    /// The body is complete.
    ///
    /// # Errors
    /// It was already.
    pub fn end(&self) -> Result<(), StreamError> {
        if self.finish(Ok(())) { Ok(()) } else { Err(StreamError::AfterEnd(self.stream)) }
    }

    /// The body will not be completed. Nothing happens if it is.
    pub fn break_off(&self) {
        self.finish(Err(BodyBroken));
    }

    fn finish(&self, end: Result<(), BodyBroken>) -> bool {
        let mut state = lock(&self.shared.state);
        let first = state.end.is_none();
        if first {
            state.end = Some(end);
        }
        drop(state);
        self.shared.changed.notify_one();
        first
    }
}

/// Wakes a reader that waits for a piece of a body whose stream has ended.
impl Drop for BodyFeed {
    fn drop(&mut self) {
        self.break_off();
    }
}
