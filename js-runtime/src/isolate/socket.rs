//! A WebSocket as an isolate has it: whole messages, from the host and to it.

use super::answer::Outbox;
use super::shared::RequestNumber;
use crate::request::{BodyReader, UploadSender};
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::Notify;
use vitrine_wire::message::{MESSAGE_HEADER_BYTES, message_header};
use vitrine_wire::{MessageKind, Messages};

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
    Answer(RequestNumber, Rc<Outbox>),
    /// The app has opened it.
    Upload(Rc<Upload>),
}

impl Socket {
    /// What a request has become.
    pub fn of_request(request: RequestNumber, messages: BodyReader, outbox: Rc<Outbox>) -> Self {
        Self { incoming: Some(Incoming::new(messages)), way: Way::Answer(request, outbox) }
    }

    /// One that the app has opened, and what sends its messages.
    pub fn opened(messages: BodyReader, sender: UploadSender) -> (Self, impl Future<Output = ()> + use<>) {
        let upload = Rc::new(Upload::default());
        let carrying = Rc::clone(&upload).carry(sender);
        (Self { incoming: Some(Incoming::new(messages)), way: Way::Upload(upload) }, carrying)
    }

    /// Whether it is what this request has become.
    pub fn is_of(&self, request: RequestNumber) -> bool {
        matches!(&self.way, Way::Answer(own, _) if *own == request)
    }

    /// Bytes of messages that the host has not taken.
    pub fn waiting_bytes(&self) -> usize {
        match &self.way {
            Way::Answer(_, outbox) => outbox.waiting_bytes(),
            Way::Upload(upload) => upload.bytes.borrow().len(),
        }
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
            Way::Answer(_, outbox) => drop(outbox.body(message)),
            Way::Upload(upload) => {
                message(&mut upload.bytes.borrow_mut());
                upload.changed.notify_one();
            }
        }
    }

    /// Nothing follows. Gives what has to be polled until the host has ended it too.
    pub fn end(self) -> Option<impl Future<Output = ()> + use<>> {
        match self.way {
            Way::Answer(_, outbox) => {
                outbox.end(vitrine_wire::Outcome::Ok, None);
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

    /// The next message; `None` when there is none any more.
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
#[derive(Debug, Default)]
struct Upload {
    bytes: RefCell<BytesMut>,
    ended: Cell<bool>,
    changed: Notify,
}

impl Upload {
    async fn carry(self: Rc<Self>, sender: UploadSender) {
        let pieces = sender.pieces();
        loop {
            let data = self.bytes.borrow_mut().split().freeze();
            if !data.is_empty() {
                if pieces.send(data).await.is_err() {
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
