//! The host's side of one connection, as plain as possible.

use crate::worker::{RELEASE, SOON, SPEC};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::path::Path;
use tokio::net::UnixStream;
use tokio_util::codec::Framed;
use vitrine_wire::{Channel, Codec, Done, Frame, Hello, Peer, RequestHead, ResponseHead, StreamId};

/// A connection to a worker.
pub struct Client {
    frames: Framed<UnixStream, Codec>,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub head: Option<ResponseHead>,
    pub body: Vec<u8>,
    pub done: Done,
}

impl Client {
    /// Connects and exchanges hellos.
    pub async fn connect(path: &Path, channel: Channel) -> Self {
        let mut client = Self::greet(path, &Hello::new(Peer::Host, channel, RELEASE, SPEC)).await;
        let theirs = client.next().await.expect("a hello");
        assert_eq!(theirs, Frame::Hello(Hello::new(Peer::Worker, channel, RELEASE, SPEC)));
        client
    }

    /// Connects and says this hello.
    pub async fn greet(path: &Path, hello: &Hello) -> Self {
        let mut client = Self::silent(path).await;
        client.send(Frame::Hello(hello.clone())).await;
        client
    }

    /// Connects and says nothing.
    pub async fn silent(path: &Path) -> Self {
        let socket = UnixStream::connect(path).await.expect("the worker's socket takes connections");
        Self { frames: Framed::new(socket, Codec) }
    }

    pub async fn send(&mut self, frame: Frame) {
        self.frames.send(frame).await.expect("the worker reads");
    }

    /// Sends bytes that need not be a frame.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt;
        self.frames.get_mut().write_all(bytes).await.expect("the worker reads");
    }

    /// The next frame; `None` when the worker closed the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        tokio::time::timeout(SOON, self.frames.next()).await.expect("a frame in time")?.ok()
    }

    /// Skips to the first frame that fits.
    pub async fn expect(&mut self, what: &str, fits: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            match self.next().await {
                Some(frame) if fits(&frame) => return frame,
                Some(_) => {}
                None => panic!("the connection ended before {what}"),
            }
        }
    }

    /// Opens a stream with a GET.
    pub async fn get(&mut self, stream: StreamId, path: &str) {
        self.request(stream, path, false).await;
    }

    /// Opens a stream.
    pub async fn request(&mut self, stream: StreamId, path: &str, has_body: bool) {
        let head = RequestHead {
            method: if has_body { "POST" } else { "GET" }.to_owned(),
            url: format!("http://probe.localhost{path}"),
            headers: vec![("host".to_owned(), Bytes::from_static(b"probe.localhost"))],
            has_body,
            upgrade: false,
            request_id: format!("request-{stream}"),
            ledger: false,
        };
        self.send(Frame::Request(stream, head)).await;
    }

    /// Reads the answer of the only open stream, with credit for what it reads.
    pub async fn answer(&mut self, stream: StreamId) -> Answer {
        let mut head = None;
        let mut body = Vec::new();
        loop {
            match self.next().await.expect("the answer goes on") {
                Frame::Response(on, response) if on == stream => head = Some(response),
                Frame::Body(on, data) if on == stream => {
                    body.extend_from_slice(&data);
                    // A worker that ends closes after the last byte, and needs no credit any more.
                    let _ = self.frames.send(Frame::Credit(stream, data.len() as u32)).await;
                }
                Frame::Done(on, done) if on == stream => return Answer { head, body, done },
                frame => panic!("unexpected: {frame:?}"),
            }
        }
    }

    /// Sends a GET and reads its answer.
    pub async fn fetch(&mut self, stream: StreamId, path: &str) -> Answer {
        self.get(stream, path).await;
        self.answer(stream).await
    }
}
