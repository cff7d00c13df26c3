//! Egress calls: streams that the worker opens on the control socket.

use super::body::{self, BodyFeed, BodyReader};
use super::write_queue::split;
use super::{Slot, StreamError, UploadReader, WriteEntry, WriteQueue, lock};
use crate::limits::EGRESS_STREAMS_MAX;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use vitrine_wire::flow::Window;
use vitrine_wire::{
    CancelReason, Done, EgressFailure, EgressHead, Frame, Outcome, Purge, ResponseHead, StreamId,
};

/// Answer to an egress call.
#[derive(Debug)]
pub struct EgressAnswer {
    /// Head.
    pub head: ResponseHead,
    /// Body.
    pub body: BodyReader,
}

#[derive(Debug)]
struct Open {
    window: Arc<Window>,
    feed: BodyFeed,
    head: Option<oneshot::Sender<Result<ResponseHead, EgressFailure>>>,
    /// Place for giving the call up; a call that is over needs none.
    slot: Slot,
    /// Whether its answer is its end alone.
    is_purge: bool,
}

impl Open {
    /// Ends the call: complete, or for the reason given. Its place is free from then on.
    fn finish(self, end: Result<(), EgressFailure>) -> Slot {
        self.window.close();
        match (end, self.head) {
            // The receiver may be gone; then the reason is not needed.
            (Err(failure), Some(head)) => drop(head.send(Err(failure))),
            (Ok(()), Some(head)) if self.is_purge => drop(head.send(Ok(ResponseHead::new(204, Vec::new())))),
            (Ok(()), Some(head)) => drop(head.send(Err(no_head()))),
            (Err(_), None) => self.feed.break_off(),
            (Ok(()), None) => drop(self.feed.end()),
        }
        self.slot
    }
}

fn no_head() -> EgressFailure {
    EgressFailure::Unreachable("the broker ended the call without an answer".to_owned())
}

fn lost() -> EgressFailure {
    EgressFailure::Unreachable("the connection to the host was lost".to_owned())
}

/// The open calls of one control connection.
#[derive(Debug)]
pub struct EgressStreams {
    calls: Mutex<Calls>,
    queue: WriteQueue,
}

#[derive(Debug, Default)]
struct Calls {
    open: HashMap<StreamId, Open>,
    opened: StreamId,
    closed: bool,
}

/// Gives a call up when it is dropped before the call's end.
#[derive(Debug)]
pub(super) struct EgressGuard {
    streams: Arc<EgressStreams>,
    stream: StreamId,
}

impl Drop for EgressGuard {
    fn drop(&mut self) {
        let open = lock(&self.streams.calls).open.remove(&self.stream);
        if let Some(open) = open {
            open.window.close();
            open.slot.send(WriteEntry::Frame(Frame::Cancel(self.stream, CancelReason::Unwanted)));
        }
    }
}

/// A call that was opened and has no answer yet.
struct Call {
    stream: StreamId,
    window: Arc<Window>,
    head: oneshot::Receiver<Result<ResponseHead, EgressFailure>>,
    body: BodyReader,
    guard: EgressGuard,
}

impl EgressStreams {
    /// None open.
    #[must_use]
    pub fn new(queue: WriteQueue) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), queue })
    }

    /// Makes a call and waits for the head of its answer. `runtime` sends the body while the caller waits.
    pub(super) async fn call(
        self: &Arc<Self>,
        mut head: EgressHead,
        upload: Option<UploadReader>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<EgressAnswer, EgressFailure> {
        head.has_body = upload.is_some();
        let call = self.open(false)?;
        self.queue.send(WriteEntry::Frame(Frame::Egress(call.stream, head))).await;
        if let Some(upload) = upload {
            runtime.spawn(Arc::clone(self).send_upload(call.stream, call.window, upload));
        }
        let head = call.head.await.map_err(|_| lost())??;
        Ok(EgressAnswer { head, body: call.body.guarded(call.guard) })
    }

    /// Has the host purge what its cache holds of the app, and waits until that is done.
    pub(super) async fn purge(self: &Arc<Self>, purge: Purge) -> Result<(), EgressFailure> {
        let call = self.open(true)?;
        self.queue.send(WriteEntry::Frame(Frame::Purge(call.stream, purge))).await;
        call.head.await.map_err(|_| lost())?.map(drop)
    }

    fn open(self: &Arc<Self>, is_purge: bool) -> Result<Call, EgressFailure> {
        let too_many = || EgressFailure::Limit("too many calls at once on this worker".to_owned());
        let slot = self.queue.slot().ok_or_else(too_many)?;
        let mut calls = lock(&self.calls);
        if calls.closed {
            return Err(lost());
        }
        if calls.open.len() >= EGRESS_STREAMS_MAX {
            return Err(too_many());
        }
        // A connection that made four billion calls is connected anew before a number is used twice.
        calls.opened = calls.opened.checked_add(1).ok_or_else(too_many)?;
        let stream = calls.opened;
        let (feed, body) = body::body(stream, &self.queue);
        let (answer, head) = oneshot::channel();
        let window = Arc::new(Window::default());
        calls
            .open
            .insert(stream, Open { window: Arc::clone(&window), feed, head: Some(answer), slot, is_purge });
        let guard = EgressGuard { streams: Arc::clone(self), stream };
        Ok(Call { stream, window, head, body, guard })
    }

    /// The head of an answer arrived.
    ///
    /// # Errors
    /// A second one.
    pub fn response(&self, stream: StreamId, head: ResponseHead) -> Result<(), StreamError> {
        if let Some(open) = lock(&self.calls).open.get_mut(&stream) {
            let sender = open.head.take().ok_or(StreamError::SecondHead(stream))?;
            // A caller that is gone cancels the call by itself.
            drop(sender.send(Ok(head)));
        }
        Ok(())
    }

    /// Bytes of an answer arrived.
    ///
    /// # Errors
    /// They exceed the window.
    pub async fn body(&self, stream: StreamId, data: Bytes) -> Result<(), StreamError> {
        let credit = match lock(&self.calls).open.get(&stream) {
            Some(open) => open.feed.push(&data)?,
            None => None,
        };
        if let Some(credit) = credit {
            self.queue.send(WriteEntry::Frame(Frame::Credit(stream, credit))).await;
        }
        Ok(())
    }

    /// The broker took bytes of a call's body.
    ///
    /// # Errors
    /// More than were sent.
    pub fn credit(&self, stream: StreamId, bytes: u32) -> Result<(), StreamError> {
        match lock(&self.calls).open.get(&stream) {
            Some(open) if !open.window.credit(bytes) => Err(StreamError::CreditExceeded(stream)),
            _ => Ok(()),
        }
    }

    /// The end of an answer.
    pub fn done(&self, stream: StreamId, done: Done) {
        let end = match (done.egress, done.outcome) {
            (Some(failure), _) => Err(failure),
            (None, Outcome::Ok) => Ok(()),
            (None, outcome) => {
                Err(EgressFailure::Unreachable(format!("the broker ended the call as {outcome}")))
            }
        };
        self.finish(stream, end);
    }

    /// The broker gave a call up.
    pub fn cancel(&self, stream: StreamId) {
        self.finish(stream, Err(EgressFailure::Unreachable("the broker gave the call up".to_owned())));
    }

    /// The connection is gone, and every call with it.
    pub fn cancel_all(&self) {
        let open = {
            let mut calls = lock(&self.calls);
            calls.closed = true;
            std::mem::take(&mut calls.open)
        };
        open.into_values().for_each(|call| drop(call.finish(Err(lost()))));
    }

    fn finish(&self, stream: StreamId, end: Result<(), EgressFailure>) {
        let open = lock(&self.calls).open.remove(&stream);
        if let Some(open) = open {
            drop(open.finish(end));
        }
    }

    /// Sends a call's body until it ends or its receiver is gone.
    async fn send_upload(self: Arc<Self>, stream: StreamId, window: Arc<Window>, mut upload: UploadReader) {
        while let Some(data) = upload.next().await {
            for piece in split(data) {
                // A piece is at most BODY_FRAME_BYTES_MAX long.
                if !window.take(piece.len() as u32).await
                    || !self.queue.send(WriteEntry::Body(stream, piece)).await
                {
                    return;
                }
            }
        }
        if !upload.is_whole() {
            self.break_off(stream);
        } else if !window.is_closed() {
            self.queue.send(WriteEntry::Frame(Frame::BodyEnd(stream))).await;
        }
    }

    /// Gives up a call whose body broke off.
    fn break_off(&self, stream: StreamId) {
        let open = lock(&self.calls).open.remove(&stream);
        if let Some(open) = open {
            let broken = EgressFailure::Unreachable("the body of the call broke off".to_owned());
            open.finish(Err(broken)).send(WriteEntry::Frame(Frame::Cancel(stream, CancelReason::Unwanted)));
        }
    }
}
