//! A socket that reports its traffic to its connection's clocks.

use super::activity::Activity;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use vitrine_core::limits::HALF_CLOSED_MS;

/// A TCP stream and the clocks of its connection.
#[derive(Debug)]
pub struct WatchedIo {
    stream: TcpStream,
    activity: Arc<Activity>,
    /// Whether it is reset when it is closed.
    resets: bool,
    /// Runs once the client has said that it sends no more while its request is being answered.
    half_closed: Option<Pin<Box<Sleep>>>,
}

impl WatchedIo {
    /// Watches a stream.
    #[must_use]
    pub const fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity, resets: false, half_closed: None }
    }

    /// Where the connection's end marks the end of an answer, only a proper one may look like one: however else the connection
    /// is lost, this process's death among the ways, the system resets it.
    fn guard_end(&mut self) {
        if self.activity.marks_ends() && !self.resets {
            // A socket that refuses is closed already, which the write says.
            self.resets = self.stream.set_zero_linger().is_ok();
        }
    }

    /// All is written: from here on the end is a proper one.
    fn release_end(&mut self) {
        if std::mem::take(&mut self.resets) {
            // A socket that refuses is closed already.
            #[expect(deprecated, reason = "a linger time blocks whoever closes, and this is none")]
            let _ = self.stream.set_linger(None);
        }
    }

    fn note(&self, written: &Poll<Result<usize>>) {
        match written {
            Poll::Ready(Ok(bytes)) => self.activity.on_written(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.on_blocked(),
        }
    }
}

impl AsyncRead for WatchedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.on_read();
        } else if matches!(read, Poll::Ready(Ok(()))) && buf.remaining() > 0 && self.activity.answers_h1() {
            // The library takes the end for the client's, and drops the request.
            let timeouts = Duration::from_millis(HALF_CLOSED_MS);
            let sleep = || Box::pin(tokio::time::sleep(timeouts));
            return self.half_closed.get_or_insert_with(sleep).as_mut().poll(cx).map(Ok);
        }
        read
    }
}

impl AsyncWrite for WatchedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.guard_end();
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.guard_end();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.release_end();
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
