//! Buffers what the app has written of an answer until the wire takes it.

use super::backlog::Backlog;
use crate::limits::isolate::OUTBOX_BYTES;
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use tokio::sync::Notify;
use vitrine_wire::{AppError, Outcome, ResponseHead};

/// An answer between the app, which writes, and its [`super::answer::ResponseTask`], which sends.
#[derive(Debug)]
pub struct ResponseBuffer {
    head: RefCell<Option<ResponseHead>>,
    body: RefCell<BytesMut>,
    end: RefCell<Option<End>>,
    /// Whether the app was told to wait, and not yet that there is room again.
    full: Cell<bool>,
    /// Body bytes put in so far.
    written: Cell<u64>,
    /// Body bytes that may be put in.
    limit: Cell<u64>,
    /// Bytes of the body that the wire has not taken, if it is a WebSocket's messages.
    backlog: OnceCell<Backlog>,
    changed: Notify,
    abandoned: Notify,
}

/// How an answer ends.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) error: Option<AppError>,
}

impl From<Outcome> for End {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, error: None }
    }
}

impl ResponseBuffer {
    /// A buffer for at most `limit` body bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            head: RefCell::default(),
            body: RefCell::default(),
            end: RefCell::default(),
            full: Cell::new(false),
            written: Cell::new(0),
            limit: Cell::new(limit),
            backlog: OnceCell::new(),
            changed: Notify::new(),
            abandoned: Notify::new(),
        }
    }

    /// The answer is a WebSocket from its head on: it may go on for ever, and be silent for as long. What it holds counts in `all`.
    pub fn become_socket(&self, all: Rc<Cell<usize>>) {
        self.limit.set(u64::MAX);
        self.backlog.get_or_init(|| Backlog::new(all));
    }

    /// Whether the answer is a WebSocket.
    pub fn is_socket(&self) -> bool {
        self.backlog.get().is_some()
    }

    /// What the wire has not taken, if the answer is a WebSocket.
    pub fn backlog(&self) -> Option<&Backlog> {
        self.backlog.get()
    }

    /// Puts the head in.
    pub fn head(&self, head: ResponseHead) {
        *self.head.borrow_mut() = Some(head);
        self.changed.notify_one();
    }

    /// Lets `write` append to the body. Returns whether there is room for more.
    pub fn body(&self, write: impl FnOnce(&mut BytesMut)) -> bool {
        if self.written.get() > self.limit.get() {
            return false;
        }
        let mut body = self.body.borrow_mut();
        let before = body.len();
        write(&mut body);
        let added = body.len() - before;
        self.written.set(self.written.get() + added as u64);
        if let Some(backlog) = self.backlog.get() {
            backlog.add(added);
        }
        // An app that was told to wait waits until it hears of room, however little it writes meanwhile.
        if body.len() >= OUTBOX_BYTES {
            self.full.set(true);
        }
        drop(body);
        self.changed.notify_one();
        if self.written.get() > self.limit.get() {
            let mib = self.limit.get() >> 20;
            let message = format!("The response is longer than response_mb ({mib} MiB)");
            self.end(Outcome::AppError, Some(AppError { message, stack: String::new() }));
            return false;
        }
        !self.full.get()
    }

    /// Ends the answer. Only the first end counts.
    pub fn end(&self, outcome: Outcome, error: Option<AppError>) {
        self.end.borrow_mut().get_or_insert(End { outcome, error });
        self.changed.notify_one();
    }

    /// Ends the answer and drops its unsent bytes: the isolate ended, or the client takes nothing.
    pub fn abandon(&self, outcome: Outcome) {
        self.gone(self.take_body().len());
        *self.end.borrow_mut() = Some(outcome.into());
        self.changed.notify_one();
        self.abandoned.notify_one();
    }

    /// Whether the head waits for the wire.
    pub fn has_head(&self) -> bool {
        self.head.borrow().is_some()
    }

    /// Whether the answer is complete.
    pub fn is_complete(&self) -> bool {
        self.end.borrow().as_ref().is_some_and(|end| end.outcome == Outcome::Ok)
    }

    /// Has the carrier look again.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until something changes.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until the answer is abandoned.
    pub(super) async fn abandoned(&self) {
        self.abandoned.notified().await;
    }

    /// The head, if it waits for the wire.
    pub(super) fn take_head(&self) -> Option<ResponseHead> {
        self.head.borrow_mut().take()
    }

    /// The end, once it is known.
    pub(super) fn take_end(&self) -> Option<End> {
        self.end.borrow_mut().take()
    }

    /// Whether the app waits for room; it is told of it now.
    pub(super) fn take_full(&self) -> bool {
        self.full.replace(false)
    }

    /// Takes what there is of the body. It counts until it is [`Self::gone`].
    pub(super) fn take_body(&self) -> Bytes {
        let mut body = self.body.borrow_mut();
        // Room that is left behind the messages of a socket would keep their memory for as long as the next ones wait.
        let taken = if self.is_socket() { std::mem::take(&mut *body) } else { body.split() };
        taken.freeze()
    }

    /// So many bytes of the body are sent, or dropped.
    pub(super) fn gone(&self, bytes: usize) {
        if let Some(backlog) = self.backlog.get() {
            backlog.remove(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_bound_is_not_collected() {
        let buffer = ResponseBuffer::new(4);
        assert!(buffer.body(|body| body.extend_from_slice(b"1234")));
        assert!(!buffer.body(|body| body.extend_from_slice(b"5")));
        assert!(!buffer.body(|body| body.extend_from_slice(b"6")));
        assert_eq!(buffer.take_body().as_ref(), b"12345");
    }
}
