//! The answer of a worker as its request's task reads it.

use super::super::inbox::{Inbox, Step};
use super::Connection;
use bytes::Bytes;
use std::sync::Arc;
use vitrine_wire::{CancelReason, Done, Frame, Outcome, ResponseHead, StreamId};

/// An answer: its head, then its body. Dropping it cancels the render.
#[derive(Debug)]
pub struct Answer {
    /// Head.
    pub head: ResponseHead,
    /// Body pieces, in order, then exactly one end.
    pub body: AnswerBody,
}

/// One step of an answer's body.
#[derive(Debug)]
pub enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The end. Anything but `Outcome::Ok` means that the body is not complete.
    End(Box<Done>),
}

/// The body of an answer: [`AnswerBody::next`] until it gives the end.
#[derive(Debug)]
pub struct AnswerBody {
    pub(super) pieces: Inbox<Box<Done>>,
    pub(super) stream: StreamId,
    pub(super) connection: Arc<Connection>,
    pub(super) ended: bool,
}

impl AnswerBody {
    /// The next piece. After the end it gives `None`; a connection that is lost gives an end with `UpstreamGone`.
    pub async fn next(&mut self) -> Option<Piece> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`AnswerBody::next`] for those who poll.
    pub fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Piece>> {
        if self.ended {
            return std::task::Poll::Ready(None);
        }
        let (step, credit) = std::task::ready!(self.pieces.poll_next(cx));
        if credit > 0 {
            self.connection.frames.send_soon(Frame::Credit(self.stream, credit));
        }
        let piece = match step {
            Step::Data(data) => Piece::Data(data),
            Step::End(done) => Piece::End(done),
            Step::Lost => Piece::End(Box::new(Done::of(Outcome::UpstreamGone))),
        };
        self.ended = matches!(piece, Piece::End(_));
        std::task::Poll::Ready(Some(piece))
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.forget(self.stream);
            self.connection.frames.send_soon(Frame::Cancel(self.stream, CancelReason::ClientGone));
        }
    }
}
