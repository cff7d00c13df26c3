//! WebSockets: those that requests become, and those that the app opens.

use super::answer::{append_text, read_headers};
use super::shared;
use crate::isolate::event::{Event, Settled};
use crate::isolate::socket::Socket;
use crate::isolate::state::RuntimeState;
use crate::limits::isolate::SOCKETS_MAX;
use bytes::{BufMut, BytesMut};
use deno_core::{OpState, op2, v8};
use std::rc::Rc;
use vitrine_wire::limits::MESSAGE_BYTES_MAX;
use vitrine_wire::message::close_payload;
use vitrine_wire::{MessageKind, Outcome, ResponseHead};

/// There is no place for another socket.
const NO_PLACE: i32 = -1;
/// The request does not ask for a socket.
const NOT_ASKED: i32 = 0;
/// Each request has an isolate of its own.
const ALONE: i32 = -2;

/// What became of a message.
const SENT: u32 = 0;
const TOO_LONG: u32 = 1;
const TOO_MUCH: u32 = 2;

/// Answers a request with a WebSocket; gives its number, or what is in its way.
#[op2(nofast)]
pub fn op_socket_accept(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    request: u32,
    headers: v8::Local<'_, v8::Array>,
) -> i32 {
    let shared = shared(state);
    if shared.limits.isolate_per_request {
        return ALONE;
    }
    let (messages, buffer) = {
        let mut requests = shared.requests.borrow_mut();
        let Some(running) = requests.get_mut(&request) else { return NOT_ASKED };
        let Some(messages) = running.upgrade.take() else { return NOT_ASKED };
        (messages, Rc::clone(&running.buffer))
    };
    if shared.sockets.borrow().len() >= SOCKETS_MAX {
        buffer.end(Outcome::Overloaded, None);
        return NO_PLACE;
    }
    buffer.become_socket(Rc::clone(&shared.socket_bytes));
    buffer.head(ResponseHead::new(101, read_headers(scope, headers)));
    add(&shared, Socket::of_request(request, messages, buffer))
}

/// Makes a WebSocket of an answer's body and a call's, which the call was made with; gives its number, or what is in its way.
#[op2(fast)]
pub fn op_socket_open(state: &OpState, body: u32, upload: u32) -> i32 {
    let shared = shared(state);
    let messages = shared.bodies.borrow_mut().remove(&body).and_then(|kept| kept.reader);
    let sender = shared.uploads.borrow_mut().remove(&upload).map(|(sender, _)| sender);
    let (Some(messages), Some(sender)) = (messages, sender) else { return NOT_ASKED };
    if shared.sockets.borrow().len() >= SOCKETS_MAX {
        return NO_PLACE;
    }
    let (socket, carrying) = Socket::opened(messages, sender, Rc::clone(&shared.socket_bytes));
    shared.start(carrying);
    add(&shared, socket)
}

fn add(shared: &RuntimeState, socket: Socket) -> i32 {
    // Numbers of bodies and sockets are drawn from the same ones, and JavaScript takes the sign for a failure.
    let number = shared.next_body() & i32::MAX as u32;
    shared.sockets.borrow_mut().insert(number, socket);
    i32::try_from(number).unwrap_or(NO_PLACE)
}

/// Waits for the next message; settles with its kind and its value, or `null` once the stream of messages has ended. Each message of a request that has
/// become a socket may use what a request may.
#[op2(fast)]
pub fn op_socket_read(state: &OpState, call: u32, socket: u32, request: u32) {
    let shared = shared(state);
    let incoming = shared.sockets.borrow_mut().get_mut(&socket).and_then(|socket| socket.incoming.take());
    let Some(mut incoming) = incoming else {
        shared.tell(Event::Settle { call, request, answer: Settled::Null });
        return;
    };
    let of_isolate = Rc::clone(&shared);
    shared.start(async move {
        let answer = match incoming.next().await {
            Some((kind, payload)) => Settled::Message(kind, payload),
            None => Settled::Null,
        };
        // One that has ended meanwhile needs no more of them.
        if let Some(socket) = of_isolate.sockets.borrow_mut().get_mut(&socket) {
            socket.incoming = Some(incoming);
        }
        of_isolate.renew_usage(request);
        of_isolate.tell(Event::Settle { call, request, answer });
    });
}

/// Sends text.
#[op2(nofast)]
pub fn op_socket_send_text(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    socket: u32,
    text: v8::Local<'_, v8::String>,
) -> u32 {
    let length = text.utf8_length(scope);
    send(state, socket, MessageKind::Text, length, |bytes| append_text(scope, text, bytes))
}

/// Sends bytes.
#[op2(fast)]
pub fn op_socket_send_bytes(state: &OpState, socket: u32, #[buffer] data: &[u8]) -> u32 {
    send(state, socket, MessageKind::Binary, data.len(), |bytes| bytes.put_slice(data))
}

fn send(
    state: &OpState,
    socket: u32,
    kind: MessageKind,
    length: usize,
    write: impl FnOnce(&mut BytesMut),
) -> u32 {
    let shared = shared(state);
    let sockets = shared.sockets.borrow();
    let Some(socket) = sockets.get(&socket) else { return SENT };
    if length > MESSAGE_BYTES_MAX {
        return TOO_LONG;
    }
    if !socket.has_room(length) {
        return TOO_MUCH;
    }
    socket.send(kind, write);
    SENT
}

/// Sends a close: the last message.
#[op2(fast)]
pub fn op_socket_close(state: &OpState, socket: u32, code: u16, #[string] reason: String) {
    if let Some(socket) = shared(state).sockets.borrow().get(&socket) {
        socket.send(MessageKind::Close, |bytes| bytes.put_slice(&close_payload(code, &reason)));
    }
}

/// Bytes of messages that the host has not taken.
#[op2(fast)]
pub fn op_socket_waiting(state: &OpState, socket: u32) -> u32 {
    let shared = shared(state);
    let waiting = shared.sockets.borrow().get(&socket).map_or(0, Socket::waiting_bytes);
    u32::try_from(waiting).unwrap_or(u32::MAX)
}

/// Ends the socket. `is_given_up` drops its unsent messages.
#[op2(fast)]
pub fn op_socket_end(state: &OpState, socket: u32, is_given_up: bool) {
    let shared = shared(state);
    let ended = shared.sockets.borrow_mut().remove(&socket);
    let Some(ended) = ended else { return };
    if is_given_up {
        ended.abandon();
    } else if let Some(rest) = ended.end() {
        shared.start(rest);
    }
}
