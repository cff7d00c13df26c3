//! What the library says by itself to bytes that it can't read as a request of HTTP/1.1 is a bare status. Here it becomes the answer that every other
//! error has, if it is the first that a connection is told: later on the same bytes may be those of an app's body.

use bytes::{Buf as _, Bytes};
use futures_util::FutureExt as _;
use http::header::{CONNECTION, DATE};
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How such a status begins and how long it is at most.
const BEGINNING: &[u8] = b"HTTP/1.1 4";
const BARE_BYTES_MAX: usize = 160;
/// What every other answer has.
const ID: &str = "x-request-id: ";

/// A stream, and what to say in the library's place.
#[derive(Debug)]
pub(crate) struct ExplainedIo<T, F> {
    stream: T,
    explain: F,
    /// What of that is still to be written.
    left: Bytes,
    /// Whether the client was told anything yet.
    has_written: bool,
}

impl<T, F, B> ExplainedIo<T, F>
where
    T: AsyncWrite + Unpin,
    F: Fn(StatusCode) -> Response<B>,
    B: Body<Data = Bytes>,
{
    /// Explains with what `explain` answers. Its body has to be at hand.
    pub(crate) const fn new(stream: T, explain: F) -> Self {
        Self { stream, explain, left: Bytes::new(), has_written: false }
    }

    /// Writes the better answer, if `said` is a bare status that comes first, or its better answer is on its way.
    fn poll_explain(&mut self, cx: &mut Context<'_>, said: &[u8]) -> Option<Poll<Result<usize>>> {
        if self.left.is_empty() {
            if std::mem::replace(&mut self.has_written, true) {
                return None;
            }
            self.left = written((self.explain)(bare_status(said)?))?;
        }
        Some(self.poll_left(cx, said.len()))
    }

    fn poll_left(&mut self, cx: &mut Context<'_>, instead_of: usize) -> Poll<Result<usize>> {
        while !self.left.is_empty() {
            let bytes = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.left))?;
            if bytes == 0 {
                return Poll::Ready(Ok(0));
            }
            self.left.advance(bytes);
        }
        Poll::Ready(Ok(instead_of))
    }
}

/// The status, if this is all that the library says.
fn bare_status(said: &[u8]) -> Option<StatusCode> {
    if !said.starts_with(BEGINNING) || said.len() > BARE_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(said).ok()?;
    let bare = text.ends_with("\r\n\r\n") && text.contains("content-length: 0\r\n") && !text.contains(ID);
    bare.then(|| StatusCode::from_bytes(&said[9..12]).ok()).flatten()
}

/// An answer as it is sent, the last of its connection. Nothing, if its body is not at hand.
fn written<B: Body<Data = Bytes>>(answer: Response<B>) -> Option<Bytes> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().now_or_never()?.ok()?.to_bytes();
    head.headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
    let date = httpdate::fmt_http_date(SystemTime::now());
    head.headers.insert(DATE, http::HeaderValue::try_from(date).ok()?);
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    Some(bytes.into())
}

impl<T: AsyncRead + Unpin, F: Unpin> AsyncRead for ExplainedIo<T, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T, F, B> AsyncWrite for ExplainedIo<T, F>
where
    T: AsyncWrite + Unpin,
    F: Fn(StatusCode) -> Response<B> + Unpin,
    B: Body<Data = Bytes>,
{
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        match self.poll_explain(cx, buf) {
            Some(explained) => explained,
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        match self.poll_explain(cx, bufs.first().map_or(&[], |first| first)) {
            Some(explained) => explained,
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    const BARE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: Mon, 30 Nov 2026 16:32:41 GMT\r\n\r\n";

    /// What comes out at the other end of a pipe that takes a few bytes at once.
    async fn passed(writes: &[&[u8]]) -> String {
        let (near, mut far) = duplex(7);
        let explain =
            |status| Response::builder().status(status).body(Full::new(Bytes::from("why"))).unwrap();
        let mut io: ExplainedIo<DuplexStream, _> = ExplainedIo::new(near, explain);
        let mut text = String::new();
        let write = async {
            for bytes in writes {
                io.write_all(bytes).await.unwrap();
            }
            io.shutdown().await.unwrap();
        };
        let (_, read) = tokio::join!(write, far.read_to_string(&mut text));
        read.unwrap();
        text
    }

    #[tokio::test]
    async fn a_bare_status_becomes_an_answer_with_a_text() {
        let text = passed(&[BARE]).await;
        assert!(text.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{text}");
        assert!(text.contains("connection: close\r\n") && text.ends_with("\r\n\r\nwhy"), "{text}");
    }

    #[tokio::test]
    async fn a_body_that_looks_like_a_bare_status_passes_as_it_is() {
        let text = passed(&[b"HTTP/1.1 200 OK\r\ncontent-length: 120\r\n\r\n", BARE]).await;
        assert!(text.as_bytes().ends_with(BARE), "{text}");
    }

    #[tokio::test]
    async fn every_other_write_passes_as_it_is() {
        let own = format!(
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n{ID}01a22d4d-2a0c-7362-beb9-a2e1b7dd1803\r\n\r\n"
        );
        for said in [
            own.as_bytes(),
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            b"\0\0\x08",
        ] {
            assert_eq!(passed(&[said]).await.as_bytes(), said);
        }
    }
}
