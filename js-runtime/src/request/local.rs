//! Requests that come by no socket: those of warm-up renders.

use super::{BodyReader, Request, RequestStreams, WriteQueue, WriteQueueReader};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;
use vitrine_wire::{Done, Frame, Outcome, RequestHead, ResponseHead, StreamId};

const STREAM: StreamId = 1;

/// The answer to a request that did not come from a socket. Dropping it cancels the request.
#[derive(Debug)]
pub struct LocalAnswer {
    entries: WriteQueueReader,
    frames: VecDeque<Frame>,
    streams: Arc<RequestStreams>,
    ended: bool,
}

impl Request {
    /// A request that this process makes for itself, and where its answer arrives.
    ///
    /// # Panics
    /// Never: the first stream of a new table always finds a place.
    pub async fn local(mut head: RequestHead, body: Option<Bytes>) -> (Self, LocalAnswer) {
        let (queue, entries) = WriteQueue::new();
        let streams = RequestStreams::new(queue);
        let reader = body.map(BodyReader::complete);
        head.has_body = false;
        let opened = streams.request(STREAM, head).await;
        let Ok(Some(mut request)) = opened else { unreachable!("a new table has no open stream") };
        request.head.has_body = reader.is_some();
        request.body = reader;
        (request, LocalAnswer { entries, frames: VecDeque::new(), streams, ended: false })
    }
}

impl LocalAnswer {
    /// The next frame of the answer; body bytes are credited as they are taken. `None` after the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                self.ended = matches!(frame, Frame::Done(..));
                if let Frame::Body(stream, data) = &frame {
                    // What was sent can always be credited, and a frame's length fits in 32 bits.
                    let credited = self.streams.credit(*stream, data.len() as u32);
                    debug_assert!(credited.is_ok());
                }
                return Some(frame);
            }
            if self.ended {
                return None;
            }
            self.frames.extend(self.entries.recv().await?.frames());
        }
    }

    /// The whole answer: head, if one was sent, body and end.
    pub async fn collect(mut self) -> (Option<ResponseHead>, Bytes, Done) {
        let mut head = None;
        let mut body = BytesMut::new();
        while let Some(frame) = self.next().await {
            match frame {
                Frame::Response(_, response) => head = Some(response),
                Frame::Body(_, data) => body.extend_from_slice(&data),
                Frame::Done(_, done) => return (head, body.freeze(), done),
                _ => {}
            }
        }
        (head, body.freeze(), Done::of(Outcome::Crashed))
    }
}

impl Drop for LocalAnswer {
    fn drop(&mut self) {
        self.streams.cancel_all();
    }
}
