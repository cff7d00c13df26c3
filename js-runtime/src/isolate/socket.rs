//! A WebSocket inside an isolate: whole messages in both directions.

use super::backlog::Backlog;
use super::event::RequestNumber;
use super::response_buffer::ResponseBuffer;
use crate::request::{BodyReader, UploadSender};
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::{Notify, mpsc};
use vitrine_wire::limits::BODY_FRAME_BYTES_MAX;
use vitrine_wire::message::{MESSAGE_HEADER_BYTES, message_header};
use vitrine_wire::{MessageKind, Messages, Outcome};

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    /// `None` while a message is awaited.
    pub incoming: Option<Incoming>,
    way: Way,
}

/// The way of its messages to the host.
#[derive(Debug)]
enum Way {
    /// A request has become the socket.
    Answer(RequestNumber, Rc<ResponseBuffer>),
    /// The app has opened it.
    Upload(Rc<Upload>),
}

impl Socket {
    /// What a request has become.
    pub fn of_request(request: RequestNumber, messages: BodyReader, buffer: Rc<ResponseBuffer>) -> Self {
        Self { incoming: Some(Incoming::new(messages)), way: Way::Answer(request, buffer) }
    }

    /// One that the app has opened, and what sends its messages. What it holds counts in `all`.
    pub fn opened(
        messages: BodyReader,
        sender: UploadSender,
        all: Rc<Cell<usize>>,
    ) -> (Self, impl Future<Output = ()> + use<>) {
        let upload = Rc::new(Upload::new(all));
        let carrying = Rc::clone(&upload).carry(sender);
        (Self { incoming: Some(Incoming::new(messages)), way: Way::Upload(upload) }, carrying)
    }

    /// Whether it is what this request has become.
    pub fn is_of(&self, request: RequestNumber) -> bool {
        matches!(&self.way, Way::Answer(own, _) if *own == request)
    }

    fn backlog(&self) -> Option<&Backlog> {
        match &self.way {
            Way::Answer(_, buffer) => buffer.backlog(),
            Way::Upload(upload) => Some(&upload.backlog),
        }
    }

    /// Bytes of messages that the host has not taken.
    pub fn waiting_bytes(&self) -> usize {
        self.backlog().map_or(0, Backlog::bytes)
    }

    /// Whether a message of so many bytes may wait, too.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.backlog().is_none_or(|backlog| backlog.has_room(bytes))
    }

    /// Sends the message whose payload `write` appends.
    pub fn send(&self, kind: MessageKind, write: impl FnOnce(&mut BytesMut)) {
        let message = |bytes: &mut BytesMut| {
            let start = bytes.len();
            bytes.extend_from_slice(&message_header(kind, 0));
            write(bytes);
            let length = bytes.len() - start - MESSAGE_HEADER_BYTES;
            bytes[start..start + MESSAGE_HEADER_BYTES].copy_from_slice(&message_header(kind, length));
        };
        match &self.way {
            Way::Answer(_, buffer) => drop(buffer.body(message)),
            Way::Upload(upload) => upload.write(message),
        }
    }

    /// Gives it up: the other side takes nothing. What it was not sent yet is dropped.
    pub fn abandon(self) {
        match self.way {
            // Without a head nobody knows of a socket yet.
            Way::Answer(_, buffer) if buffer.has_head() => buffer.abandon(Outcome::Overloaded),
            Way::Answer(_, buffer) => buffer.abandon(Outcome::Cancelled),
            Way::Upload(upload) => upload.abandon(),
        }
    }

    /// Nothing follows. Gives what has to be polled until the host has ended it too.
    pub fn end(self) -> Option<impl Future<Output = ()> + use<>> {
        match self.way {
            Way::Answer(_, buffer) => {
                buffer.end(Outcome::Ok, None);
                None
            }
            Way::Upload(upload) => {
                upload.ended.set(true);
                upload.changed.notify_one();
                // To drop it would give the call up, and what was said last with it.
                self.incoming.map(|mut incoming| async move { while incoming.next().await.is_some() {} })
            }
        }
    }
}

/// Messages from the host.
#[derive(Debug)]
pub struct Incoming {
    reader: BodyReader,
    messages: Messages,
    data: Bytes,
}

impl Incoming {
    fn new(reader: BodyReader) -> Self {
        Self { reader, messages: Messages::default(), data: Bytes::new() }
    }

    /// The next message; `None` once the stream of messages has ended.
    pub async fn next(&mut self) -> Option<(MessageKind, Bytes)> {
        loop {
            if let Some(message) = self.messages.next(&mut self.data).ok()? {
                return Some(message);
            }
            self.data = self.reader.next().await?.ok()?;
        }
    }
}

/// What the app has sent and the wire not yet taken.
#[derive(Debug)]
struct Upload {
    bytes: RefCell<BytesMut>,
    backlog: Backlog,
    ended: Cell<bool>,
    given_up: Cell<bool>,
    changed: Notify,
    abandoned: Notify,
}

impl Upload {
    fn new(all: Rc<Cell<usize>>) -> Self {
        Self {
            bytes: RefCell::default(),
            backlog: Backlog::new(all),
            ended: Cell::new(false),
            given_up: Cell::new(false),
            changed: Notify::new(),
            abandoned: Notify::new(),
        }
    }

    fn write(&self, message: impl FnOnce(&mut BytesMut)) {
        let mut bytes = self.bytes.borrow_mut();
        let before = bytes.len();
        message(&mut bytes);
        self.backlog.add(bytes.len() - before);
        self.changed.notify_one();
    }

    fn abandon(&self) {
        self.backlog.remove(self.take().len());
        self.given_up.set(true);
        self.changed.notify_one();
        self.abandoned.notify_one();
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.bytes.borrow_mut()).freeze()
    }

    async fn carry(self: Rc<Self>, sender: UploadSender) {
        let pieces = sender.pieces();
        while !self.given_up.get() {
            let data = self.take();
            let bytes = data.len();
            if bytes > 0 {
                let is_sent = tokio::select! {
                    is_sent = send(&pieces, data) => is_sent,
                    () = self.abandoned.notified() => false,
                };
                self.backlog.remove(bytes);
                if !is_sent {
                    return;
                }
            } else if self.ended.get() {
                return sender.end();
            } else {
                self.changed.notified().await;
            }
        }
    }
}

/// Sends messages. `false` when nobody takes them any more.
async fn send(pieces: &mpsc::Sender<Bytes>, data: Bytes) -> bool {
    if data.len() <= BODY_FRAME_BYTES_MAX {
        return pieces.send(data).await.is_ok();
    }
    for piece in data.chunks(BODY_FRAME_BYTES_MAX) {
        // A part of `data` would keep the memory of all of it while it is on its way, where nothing counts it.
        if pieces.send(Bytes::copy_from_slice(piece)).await.is_err() {
            return false;
        }
    }
    true
}
