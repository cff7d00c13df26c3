//! Messages of a WebSocket, in the body of its stream.
//!
//! The host speaks RFC 6455 with the outside. What it and a worker tell each other, in either direction, are messages:
//! ```text
//! | kind, 1 byte | length, 4 bytes, little-endian | payload |
//! ```
//! That of a close is as on the wire of RFC 6455: nothing, or a code of two bytes, big-endian, and a reason in UTF-8.

use crate::limits::{CLOSE_BYTES_MAX, MESSAGE_BYTES_MAX};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before the payload.
pub const MESSAGE_HEADER_BYTES: usize = 5;

/// Code that stands for a close without one.
pub const CLOSE_WITHOUT_CODE: u16 = 1005;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The end of what its sender says.
    Close = 8,
}

/// What is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what came of a WebSocket is no message")]
pub struct NoMessage;

/// A part of a message: as much of it as came at once.
#[derive(Debug, PartialEq, Eq)]
pub struct MessagePart {
    /// Of what.
    pub kind: MessageKind,
    /// Bytes.
    pub data: Bytes,
    /// Whether the message begins with it.
    pub is_first: bool,
    /// Whether it ends with it.
    pub is_last: bool,
}

/// The bytes before the payload of a message of this length.
#[must_use]
pub fn message_header(kind: MessageKind, length: usize) -> [u8; MESSAGE_HEADER_BYTES] {
    // Lengths are bounded by MESSAGE_BYTES_MAX, which fits in 32 bits.
    let [a, b, c, d] = (length as u32).to_le_bytes();
    [kind as u8, a, b, c, d]
}

/// Payload of a close. A reason that is too long is cut.
#[must_use]
pub fn close_payload(code: u16, reason: &str) -> Bytes {
    let mut payload = BytesMut::with_capacity(CLOSE_BYTES_MAX);
    if code != CLOSE_WITHOUT_CODE {
        payload.put_u16(code);
        payload.put_slice(&reason.as_bytes()[..reason.floor_char_boundary(CLOSE_BYTES_MAX - 2)]);
    }
    payload.freeze()
}

/// Code and reason of a close. Invalid UTF-8 is replaced by longer characters, so the reason is cut to the bytes of a close again.
#[must_use]
pub fn close_of(mut payload: &[u8]) -> (u16, String) {
    if payload.len() < 2 {
        return (CLOSE_WITHOUT_CODE, String::new());
    }
    let code = payload.get_u16();
    let mut reason = String::from_utf8_lossy(payload).into_owned();
    reason.truncate(reason.floor_char_boundary(CLOSE_BYTES_MAX - 2));
    (code, reason)
}

/// Finds messages in what comes.
#[derive(Debug, Default)]
pub struct MessageParts {
    header: [u8; MESSAGE_HEADER_BYTES],
    header_bytes: usize,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    kind: MessageKind,
    left: usize,
    begun: bool,
}

impl MessageParts {
    /// Takes the next part out of `data`; `None` when all of it is taken.
    ///
    /// # Errors
    /// It is no message.
    pub fn next(&mut self, data: &mut Bytes) -> Result<Option<MessagePart>, NoMessage> {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => match self.begin(data)? {
                Some(current) => current,
                None => return Ok(None),
            },
        };
        if current.left > 0 && data.is_empty() {
            self.current = Some(current);
            return Ok(None);
        }
        let piece = data.split_to(current.left.min(data.len()));
        current.left -= piece.len();
        let is_last = current.left == 0;
        let (kind, is_first) = (current.kind, !current.begun);
        if !is_last {
            current.begun = true;
            self.current = Some(current);
        }
        Ok(Some(MessagePart { kind, data: piece, is_first, is_last }))
    }

    fn begin(&mut self, data: &mut Bytes) -> Result<Option<Current>, NoMessage> {
        let wanted = (MESSAGE_HEADER_BYTES - self.header_bytes).min(data.len());
        data.copy_to_slice(&mut self.header[self.header_bytes..self.header_bytes + wanted]);
        self.header_bytes += wanted;
        if self.header_bytes < MESSAGE_HEADER_BYTES {
            return Ok(None);
        }
        self.header_bytes = 0;
        let mut header = &self.header[..];
        let kind = match header.get_u8() {
            1 => MessageKind::Text,
            2 => MessageKind::Binary,
            8 => MessageKind::Close,
            _ => return Err(NoMessage),
        };
        let left = header.get_u32_le() as usize;
        let most = if kind == MessageKind::Close { CLOSE_BYTES_MAX } else { MESSAGE_BYTES_MAX };
        if left > most { Err(NoMessage) } else { Ok(Some(Current { kind, left, begun: false })) }
    }
}

/// Puts messages together.
#[derive(Debug, Default)]
pub struct Messages {
    parts: MessageParts,
    held: BytesMut,
}

impl Messages {
    /// Takes the next whole message out of `data`; `None` when all of it is taken.
    ///
    /// # Errors
    /// It is no message.
    pub fn next(&mut self, data: &mut Bytes) -> Result<Option<(MessageKind, Bytes)>, NoMessage> {
        while let Some(part) = self.parts.next(data)? {
            if part.is_first && part.is_last {
                return Ok(Some((part.kind, part.data)));
            }
            self.held.extend_from_slice(&part.data);
            if part.is_last {
                return Ok(Some((part.kind, std::mem::take(&mut self.held).freeze())));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(messages: &[(MessageKind, &[u8])]) -> Vec<u8> {
        let whole =
            |(kind, data): &(MessageKind, &[u8])| [&message_header(*kind, data.len()), *data].concat();
        messages.iter().flat_map(whole).collect()
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let long = vec![7; 300];
        let close = close_payload(4000, "over");
        let sent: [(MessageKind, &[u8]); 4] = [
            (MessageKind::Text, "h\u{e9}".as_bytes()),
            (MessageKind::Binary, b""),
            (MessageKind::Binary, &long),
            (MessageKind::Close, &close),
        ];
        let bytes = stream(&sent);
        for length in [1, 2, 3, 7, 64, bytes.len()] {
            let mut messages = Messages::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(length) {
                let mut data = Bytes::copy_from_slice(piece);
                while let Some((kind, data)) = messages.next(&mut data).unwrap() {
                    found.push((kind, data.to_vec()));
                }
                assert!(data.is_empty());
            }
            let expected: Vec<_> = sent.iter().map(|(kind, data)| (*kind, data.to_vec())).collect();
            assert_eq!(found, expected, "pieces of {length}");
        }
        assert_eq!(close_of(&close), (4000, "over".to_owned()));
        assert_eq!(close_of(&close_payload(CLOSE_WITHOUT_CODE, "x")), (CLOSE_WITHOUT_CODE, String::new()));
    }

    #[test]
    fn a_reason_that_is_no_utf_8_still_fits_into_a_close() {
        let payload = [&4000_u16.to_be_bytes()[..], &[0xff; CLOSE_BYTES_MAX - 2]].concat();
        assert_eq!(close_of(&payload), (4000, "\u{fffd}".repeat((CLOSE_BYTES_MAX - 2) / 3)));
    }

    #[test]
    fn what_is_no_message_or_too_long_is_refused() {
        let broken =
            |header: [u8; 5]| Messages::default().next(&mut Bytes::copy_from_slice(&header)).is_err();
        assert!(broken([3, 0, 0, 0, 0]) && broken([0; 5]));
        assert!(broken(message_header(MessageKind::Text, MESSAGE_BYTES_MAX + 1)));
        assert!(broken(message_header(MessageKind::Close, CLOSE_BYTES_MAX + 1)));
        assert!(!broken(message_header(MessageKind::Text, MESSAGE_BYTES_MAX)));
    }
}
