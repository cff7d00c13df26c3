//! The body of an answer. The request's context ends with it.

use super::cache::{Coming, Next};
use super::compression::StreamEncoder;
use super::context::RequestContext;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::Take;
use tokio::time::{Instant, Sleep};
use tokio_util::io::ReaderStream;
use vitrine_core::limits::{ASSET_PIECE_BYTES, UPSTREAM_IDLE_MS};
use vitrine_proxy::pool::Claim;
use vitrine_proxy::worker::{AnswerBody, Piece};
use vitrine_wire::{AppError, Done, Outcome};

/// Why a body ends before it is complete. The client never sees a complete message then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// The render did not end well.
    #[error("the render ended as {0}")]
    Render(Outcome),
    /// A file could not be read to its end.
    #[error("the file can't be read")]
    File(#[source] Error),
    /// The upstream broke off.
    #[error("the upstream broke off")]
    Upstream(#[source] hyper::Error),
    /// The upstream said nothing for too long.
    #[error("the upstream said nothing for {UPSTREAM_IDLE_MS} ms")]
    UpstreamIdle,
    /// It could not be compressed.
    #[error("the answer can't be compressed")]
    Compress(#[source] Error),
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct EdgeBody {
    source: Source,
    /// `None` where the answer is not the end of its request.
    context: Option<Box<RequestContext>>,
}

/// Where a body comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Nothing, or nothing more.
    Empty,
    /// Memory.
    Memory(Bytes),
    /// A file, and the bytes of it that are left to send.
    File(Box<ReaderStream<Take<tokio::fs::File>>>, u64),
    /// A worker.
    Worker(Box<Streaming>),
    /// A worker, by way of the cache that keeps it.
    Coming(Box<ComingBody>),
    /// A server that a routing rule names, and the timer of its silence.
    Upstream(Incoming, Pin<Box<Sleep>>),
}

impl Source {
    /// The body of an upstream's answer.
    #[must_use]
    pub(crate) fn upstream(body: Incoming) -> Self {
        Self::Upstream(body, Box::pin(tokio::time::sleep(Duration::from_millis(UPSTREAM_IDLE_MS))))
    }

    /// A piece of an opened file: this many bytes from where it stands.
    #[must_use]
    pub(crate) fn file(file: tokio::fs::File, bytes: u64) -> Self {
        use tokio::io::AsyncReadExt as _;
        Self::File(Box::new(ReaderStream::with_capacity(file.take(bytes), ASSET_PIECE_BYTES)), bytes)
    }
}

/// An answer that a worker is still giving.
#[derive(Debug)]
pub(crate) struct Streaming {
    /// What came with the head.
    pub first: VecDeque<Bytes>,
    /// The rest.
    pub body: AnswerBody,
    /// Keeps the worker.
    pub claim: Claim,
    /// How long the worker may say nothing.
    pub silence_timeout: Duration,
    /// Runs while it says nothing.
    pub timer: Option<Pin<Box<Sleep>>>,
    /// How long the app says that it is, if it says so.
    pub declared: Option<Declared>,
    /// Compresses it on its way.
    pub encoder: Option<Box<StreamEncoder>>,
}

/// An answer that is kept while it comes.
#[derive(Debug)]
pub(crate) struct ComingBody {
    /// Where it comes from.
    pub coming: Coming,
    /// Compresses it on its way.
    pub encoder: Option<Box<StreamEncoder>>,
}

/// The length of an answer as its app declared it. A client takes the answer for complete with the last byte of it.
#[derive(Debug)]
pub(crate) struct Declared {
    bytes: u64,
    left: u64,
    /// The last of them, until the app's end is seen.
    last: Bytes,
}

impl Declared {
    /// So many bytes, none of which came yet.
    #[must_use]
    pub(crate) const fn of(bytes: u64) -> Self {
        Self { bytes, left: bytes, last: Bytes::new() }
    }

    /// Bytes that the client has not got.
    fn unsent(&self) -> u64 {
        self.left + self.last.len() as u64
    }

    /// What becomes of a piece; nothing while the end is waited for.
    fn check(&mut self, piece: Piece) -> Option<Step> {
        match piece {
            Piece::Data(data) if data.len() as u64 > self.left => Some(self.wrong("longer")),
            Piece::Data(data) => {
                self.left -= data.len() as u64;
                if self.left > 0 {
                    return Some(Step::Data(data));
                }
                if !data.is_empty() {
                    self.last = data;
                }
                None
            }
            Piece::End(done) if done.outcome == Outcome::Ok && self.left > 0 => Some(self.wrong("shorter")),
            Piece::End(done) if done.outcome == Outcome::Ok => {
                Some(Step::Last(std::mem::take(&mut self.last), done))
            }
            Piece::End(done) => Some(Step::End(done)),
        }
    }

    fn wrong(&self, how: &str) -> Step {
        let message = format!("the answer is {how} than its content-length, {} bytes", self.bytes);
        let error = Some(AppError { message, stack: String::new() });
        Step::End(Box::new(Done { error, ..Done::of(Outcome::AppError) }))
    }
}

/// What comes of an answer next.
#[derive(Debug)]
enum Step {
    /// A piece.
    Data(Bytes),
    /// The last piece, and the end that follows it.
    Last(Bytes, Box<Done>),
    /// The end.
    End(Box<Done>),
}

impl Streaming {
    /// A piece as it is sent.
    fn encode(&mut self, data: Bytes) -> Result<Bytes, Error> {
        match &mut self.encoder {
            Some(encoder) if !data.is_empty() => encoder.piece(&data),
            _ => Ok(data),
        }
    }

    /// The last piece as it is sent, with the end of its coding.
    fn encode_last(&mut self, data: Bytes) -> Result<Bytes, Error> {
        self.encoder.take().map_or(Ok(data.clone()), |encoder| encoder.finish(&data))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            let piece = ready!(self.poll_piece(cx));
            match (&mut self.declared, piece) {
                (None, Piece::Data(data)) => return Poll::Ready(Step::Data(data)),
                (None, Piece::End(done)) => return Poll::Ready(Step::End(done)),
                (Some(declared), piece) => {
                    if let Some(step) = declared.check(piece) {
                        return Poll::Ready(step);
                    }
                }
            }
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if let Some(first) = self.first.pop_front() {
            return Poll::Ready(Piece::Data(first));
        }
        if let Poll::Ready(piece) = self.body.poll_next(cx) {
            self.timer = None;
            return Poll::Ready(piece.unwrap_or_else(|| end(Outcome::UpstreamGone)));
        }
        let silence_timeout = self.silence_timeout;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + silence_timeout)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(end(Outcome::StreamIdle))
    }
}

fn end(outcome: Outcome) -> Piece {
    Piece::End(Box::new(Done::of(outcome)))
}

impl EdgeBody {
    /// A body; its context ends when it does.
    #[must_use]
    pub(crate) fn new(source: Source, mut context: Box<RequestContext>) -> Self {
        if matches!(source, Source::Empty) {
            let outcome = context.outcome;
            context.complete(outcome);
        }
        Self { source, context: Some(context) }
    }

    /// The body of an answer after which its request goes on as something else.
    #[must_use]
    pub(crate) const fn none() -> Self {
        Self { source: Source::Empty, context: None }
    }

    fn give(&mut self, data: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(context) = &mut self.context {
            context.bytes += data.len() as u64;
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn give_encoded(&mut self, data: Result<Bytes, Error>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match data {
            Ok(data) => self.give(data),
            Err(error) => {
                self.end(Outcome::Overloaded);
                Poll::Ready(Some(Err(BodyError::Compress(error))))
            }
        }
    }

    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Source::Upstream(body, silence) = &mut self.source else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                silence.as_mut().reset(Instant::now() + Duration::from_millis(UPSTREAM_IDLE_MS));
                match frame.into_data() {
                    Ok(data) => self.give(data),
                    // Trailers, which nobody was promised.
                    Err(_) => self.give(Bytes::new()),
                }
            }
            Poll::Ready(Some(Err(error))) => {
                self.end(Outcome::UpstreamGone);
                Poll::Ready(Some(Err(BodyError::Upstream(error))))
            }
            Poll::Ready(None) => {
                self.end_as_recorded();
                Poll::Ready(None)
            }
            Poll::Pending => {
                ready!(silence.as_mut().poll(cx));
                self.end(Outcome::StreamIdle);
                Poll::Ready(Some(Err(BodyError::UpstreamIdle)))
            }
        }
    }

    fn poll_coming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Source::Coming(body) = &mut self.source else { return Poll::Ready(None) };
        match ready!(body.coming.poll(cx)) {
            Next::Data(data) => {
                let data = match &mut body.encoder {
                    Some(encoder) if !data.is_empty() => encoder.piece(&data),
                    _ => Ok(data),
                };
                self.give_encoded(data)
            }
            Next::Rest(rest, claim, silence_timeout) => {
                let encoder = body.encoder.take();
                let first = VecDeque::new();
                let streaming = Streaming {
                    first,
                    body: rest,
                    claim,
                    silence_timeout,
                    timer: None,
                    declared: None,
                    encoder,
                };
                self.source = Source::Worker(Box::new(streaming));
                self.poll_worker(cx)
            }
            Next::End(done) => {
                let encoder = body.encoder.take();
                self.end_encoded(*done, |data| {
                    encoder.map_or(Ok(data.clone()), |encoder| encoder.finish(&data))
                })
            }
        }
    }

    fn poll_worker(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Source::Worker(streaming) = &mut self.source else { return Poll::Ready(None) };
        match ready!(streaming.poll(cx)) {
            Step::Data(data) => {
                let data = streaming.encode(data);
                self.give_encoded(data)
            }
            Step::Last(data, done) => {
                let data = streaming.encode_last(data);
                self.finish(*done);
                self.give_encoded(data)
            }
            Step::End(done) => {
                let encoder = streaming.encoder.take();
                self.end_encoded(*done, |data| {
                    encoder.map_or(Ok(data.clone()), |encoder| encoder.finish(&data))
                })
            }
        }
    }

    /// The end of a render, with the end of its coding, where there is one.
    fn end_encoded(
        &mut self,
        done: Done,
        last: impl FnOnce(Bytes) -> Result<Bytes, Error>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let outcome = done.outcome;
        self.finish(done);
        if outcome != Outcome::Ok {
            return Poll::Ready(Some(Err(BodyError::Render(outcome))));
        }
        match last(Bytes::new()) {
            Ok(data) if data.is_empty() => Poll::Ready(None),
            last => self.give_encoded(last),
        }
    }

    /// A file that fails midway is the host's fault, as one that can't be opened.
    fn unreadable(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let path = self.context.as_ref().map(|context| context.info.uri.path());
        tracing::warn!(path, %error, "a client file can't be read to its end");
        self.end(Outcome::Overloaded);
        Poll::Ready(Some(Err(BodyError::File(error))))
    }

    fn end(&mut self, outcome: Outcome) {
        self.source = Source::Empty;
        if let Some(context) = &mut self.context {
            context.complete(outcome);
        }
    }

    /// The worker's end of it.
    fn finish(&mut self, done: Done) {
        self.end(done.outcome);
        if let Some(context) = &mut self.context {
            context.done = Some(done);
        }
    }

    /// What is at hand has this outcome already.
    fn end_as_recorded(&mut self) {
        let outcome = self.context.as_ref().map_or(Outcome::Ok, |context| context.outcome);
        self.end(outcome);
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match &mut this.source {
            Source::Empty => Poll::Ready(None),
            Source::Memory(data) => {
                let data = std::mem::take(data);
                this.end_as_recorded();
                this.give(data)
            }
            Source::File(stream, left) => {
                let next = ready!(futures_util::Stream::poll_next(Pin::new(stream.as_mut()), cx));
                let data = match next {
                    Some(Ok(data)) => data,
                    Some(Err(error)) => return this.unreadable(error),
                    None => return this.unreadable(ErrorKind::UnexpectedEof.into()),
                };
                *left = left.saturating_sub(data.len() as u64);
                if *left == 0 {
                    this.end_as_recorded();
                }
                this.give(data)
            }
            Source::Upstream(..) => this.poll_upstream(cx),
            Source::Coming(_) => this.poll_coming(cx),
            Source::Worker(_) => this.poll_worker(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Memory(data) => SizeHint::with_exact(data.len() as u64),
            Source::File(_, left) => SizeHint::with_exact(*left),
            Source::Upstream(body, _) => body.size_hint(),
            Source::Coming(_) => SizeHint::default(),
            Source::Worker(streaming) => {
                let declared = streaming.declared.as_ref().filter(|_| streaming.encoder.is_none());
                declared.map_or_else(SizeHint::default, |declared| SizeHint::with_exact(declared.unsent()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of pieces, and of the end after them: data, `.` for what is waited for, and what the end says.
    fn steps(declared: u64, pieces: &[&'static str], outcome: Outcome) -> String {
        let mut declared = Declared::of(declared);
        let pieces = pieces.iter().map(|piece| Piece::Data(Bytes::from_static(piece.as_bytes())));
        let mut said = String::new();
        for piece in pieces.chain([end(outcome)]) {
            match declared.check(piece) {
                None => said.push('.'),
                Some(Step::Data(data)) => said.push_str(std::str::from_utf8(&data).unwrap()),
                Some(Step::Last(data, done)) => {
                    said.push_str(&format!("{}|{}", std::str::from_utf8(&data).unwrap(), done.outcome));
                }
                Some(Step::End(done)) => {
                    said.push_str(&format!(
                        "!{} {}",
                        done.outcome,
                        done.error.map_or_else(String::new, |e| e.message)
                    ));
                    return said;
                }
            }
        }
        said
    }

    #[test]
    fn a_declared_length_is_kept_or_the_answer_breaks_off() {
        assert_eq!(steps(6, &["abc", "def"], Outcome::Ok), "abc.def|ok");
        assert_eq!(steps(6, &["abc", "", "def", ""], Outcome::Ok), "abc..def|ok");
        assert_eq!(
            steps(6, &["abc"], Outcome::Ok),
            "abc!app_error the answer is shorter than its content-length, 6 bytes"
        );
        assert_eq!(
            steps(3, &["abc", "d"], Outcome::Ok),
            ".!app_error the answer is longer than its content-length, 3 bytes"
        );
        assert_eq!(
            steps(3, &["abcd"], Outcome::Ok),
            "!app_error the answer is longer than its content-length, 3 bytes"
        );
        assert_eq!(steps(3, &["abc"], Outcome::Crashed), ".!crashed ");
        let mut half = Declared::of(5);
        assert!(half.check(Piece::Data(Bytes::from_static(b"ab"))).is_some());
        assert!(half.check(Piece::Data(Bytes::from_static(b"cde"))).is_none());
        assert_eq!(half.unsent(), 3);
    }
}
