//! One open WebSocket: messages from the other side to a worker, and from the worker to the other side.
//!
//! Whoever takes nothing holds the other up: a worker that does not read is felt by the other side, and one that does not read ends the
//! socket after a while.

#[cfg(test)]
mod tests;

use super::session::{CLOSED_WITHOUT_A_WORD, Session, Summary};
use super::unread::{CountedIo, Unread};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, error::ProtocolError};
use vitrine_core::id::AppName;
use vitrine_core::limits::{
    SOCKET_JOINED_BYTES, SOCKET_PING_MS, SOCKET_READ_BUFFER_BYTES, SOCKET_WRITE_BUFFER_BYTES,
};
use vitrine_wire::limits::MESSAGE_BYTES_MAX;
use vitrine_wire::message::{CLOSE_WITHOUT_CODE, MessagePart, close_of, close_payload, message_header};
use vitrine_wire::{MessageKind, MessageParts};

/// Why this host closes a socket, as RFC 6455 and IANA's registry number it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Its release, or the host, goes away, and the next one is there.
    Restart = 1012,
    /// The worker was lost, or its code failed.
    Failed = 1011,
    /// The app that had opened it goes.
    Leaves = 1001,
}

/// What a worker says, as it comes.
pub trait Inbound: Send {
    /// The next bytes; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// What the other side is told when the end came without a close.
    fn end_reason(&self) -> CloseReason;
}

/// What a worker is told.
pub trait Outbound: Send {
    /// Sends bytes when there is room for them. `false` when nobody reads them any more. Dropping it is the end.
    fn send(&mut self, data: Bytes) -> impl Future<Output = bool> + Send;
}

/// The other side is gone, or takes nothing.
struct Cut;

/// Carries messages until both sides have closed, or one is gone. `leave` says that the socket is to be closed because what serves it goes;
/// `stall` is how long the other side may take nothing.
pub async fn run<S>(
    io: S,
    role: Role,
    stall: Duration,
    inbound: &mut impl Inbound,
    mut outbound: impl Outbound,
    leave: impl Future<Output = ()> + Send,
    app: AppName,
) -> Summary
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(SOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(SOCKET_WRITE_BUFFER_BYTES)
        .max_write_buffer_size(2 * MESSAGE_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (session, unread) = (Session::default(), Unread::of(app));
    let io = CountedIo { io, unread: &unread, session: &session };
    let (sink, mut stream) = WebSocketStream::from_raw_socket(io, role, Some(config)).await.split();
    let whole = async {
        let mut writer = Writer { sink, stall, closing: Vec::new(), closed: false, session: &session };
        let reading = async {
            let end = from_peer(&mut stream, &mut outbound, stall, &session, &unread).await;
            match end {
                // The other side is told so at the worker's own end.
                PeerEnd::Untaken => session.begin_end(),
                _ => session.has_heard_all(),
            }
            Ok::<_, Cut>(end)
        };
        let (end, ()) = tokio::try_join!(reading, writer.run(inbound, leave))?;
        let mut connection = writer.sink.reunite(stream).map_err(|_| Cut)?;
        tokio::join!(hang_up(&mut connection.get_mut().io, &end), tell_end(outbound, inbound, &end));
        Ok(())
    };
    tokio::select! {
        Ok(()) | Err(Cut) = whole => {}
        () = session.overdue() => {}
    }
    session.summary()
}

/// How what the other side says came to its end.
#[derive(Debug, Clone)]
enum PeerEnd {
    /// It has closed: the payload for the worker.
    Closed(Bytes),
    /// It is gone, or what it sent is wrong.
    Broken,
    /// The worker is gone.
    Untaken,
    /// The worker takes nothing: a part of a message may be on its way, and nothing can follow it.
    Untold,
}

/// Ends the connection. One that may still send is heard until it has seen that: what is unread when a connection is closed makes the
/// kernel reset it, and the other side may lose the close that it was sent.
async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, end: &PeerEnd) {
    let ended = io.shutdown().await;
    if ended.is_err() || matches!(end, PeerEnd::Closed(_)) {
        return;
    }
    let mut unread = vec![0; SOCKET_READ_BUFFER_BYTES];
    while io.read(&mut unread).await.is_ok_and(|read| read > 0) {}
}

/// Tells the worker that the other side has ended, and waits until it has ended, too.
async fn tell_end(mut outbound: impl Outbound, inbound: &mut impl Inbound, end: &PeerEnd) {
    let close = match end {
        PeerEnd::Closed(payload) => Some(payload.clone()),
        PeerEnd::Broken => Some(close_payload(CLOSED_WITHOUT_A_WORD, "")),
        PeerEnd::Untaken | PeerEnd::Untold => None,
    };
    if let Some(payload) = close {
        // One that does not hear it is gone itself.
        let _ = send(&mut outbound, MessageKind::Close, payload).await;
    }
    drop(outbound);
    while inbound.next().await.is_some() {}
}

/// Passes on what the other side sends, until it has closed or is gone.
async fn from_peer<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    outbound: &mut impl Outbound,
    stall: Duration,
    session: &Session,
    unread: &Unread,
) -> PeerEnd
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let Some(came) = stream.next().await else {
            session.is_gone();
            return PeerEnd::Broken;
        };
        let (kind, data) = match came {
            Ok(Message::Text(text)) => (MessageKind::Text, text.into()),
            Ok(Message::Binary(data)) => (MessageKind::Binary, data),
            Ok(Message::Close(frame)) => {
                let (code, reason) = frame.map_or((CLOSE_WITHOUT_CODE, Utf8Bytes::default()), |frame| {
                    (frame.code.into(), frame.reason)
                });
                session.closes(code);
                return PeerEnd::Closed(close_payload(code, reason.as_str()));
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
            Err(error) => {
                match code_of(&error) {
                    Some(code) => session.fails(code),
                    None => session.is_gone(),
                }
                return PeerEnd::Broken;
            }
        };
        session.count_received();
        session.blocks(true);
        let sent = timeout(stall, send(outbound, kind, data)).await;
        session.blocks(false);
        unread.taken();
        match sent {
            Ok(true) => {}
            Ok(false) => return PeerEnd::Untaken,
            Err(_) => {
                session.fails(CloseCode::Again.into());
                return PeerEnd::Untold;
            }
        }
    }
}

/// Sends a message to the worker.
async fn send(outbound: &mut impl Outbound, kind: MessageKind, data: Bytes) -> bool {
    let header = message_header(kind, data.len());
    if data.len() > SOCKET_JOINED_BYTES {
        return outbound.send(Bytes::copy_from_slice(&header)).await && outbound.send(data).await;
    }
    let mut whole = BytesMut::with_capacity(header.len() + data.len());
    whole.extend_from_slice(&header);
    whole.extend_from_slice(&data);
    outbound.send(whole.freeze()).await
}

/// What the other side is told about what it sent; nothing if it is gone.
fn code_of(error: &Error) -> Option<u16> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size.into()),
        Error::Utf8(_) => Some(CloseCode::Invalid.into()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Io(error) if error.kind() == ErrorKind::QuotaExceeded => Some(CloseCode::Again.into()),
        Error::Protocol(_) => Some(CloseCode::Protocol.into()),
        _ => None,
    }
}

struct Writer<'a, S> {
    sink: SplitSink<WebSocketStream<S>, Message>,
    stall: Duration,
    /// What came so far of the worker's close.
    closing: Vec<u8>,
    /// Whether a close was sent: nothing may follow it.
    closed: bool,
    session: &'a Session,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<'_, S> {
    /// Passes on what the worker sends, until its end or the other side's. Sends what that is answered.
    async fn run(
        &mut self,
        inbound: &mut impl Inbound,
        leave: impl Future<Output = ()> + Send,
    ) -> Result<(), Cut> {
        let mut parts = MessageParts::default();
        let mut leave = std::pin::pin!(leave);
        let mut left = false;
        let pause = Duration::from_millis(SOCKET_PING_MS);
        let mut ticks = interval_at(Instant::now() + pause, pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                code = self.session.failed(), if !self.closed => self.close(code, "").await?,
                () = self.session.all_heard() => return self.flush().await,
                () = &mut leave, if !left => {
                    left = true;
                    self.close(CloseReason::Restart as u16, "Service restart").await?;
                }
                came = inbound.next() => match came {
                    Some(mut data) => {
                        let rest = loop {
                            match parts.next(&mut data) {
                                Ok(Some(part)) => self.pass(part).await?,
                                rest => break rest,
                            }
                        };
                        if rest.is_err() || !data.is_empty() {
                            // It is no message: this worker speaks no other language.
                            return self.close(CloseReason::Failed as u16, "").await;
                        }
                        self.flush().await?;
                    }
                    None => return self.close(inbound.end_reason() as u16, "").await,
                },
                _ = ticks.tick() => {
                    if self.session.is_silent() {
                        return Err(Cut);
                    }
                    if self.session.is_quiet() && !self.closed {
                        self.feed(Message::Ping(Bytes::new())).await?;
                        self.flush().await?;
                    }
                }
            }
        }
    }

    /// Passes a part of a message on as a fragment, so that none is held here until it is whole.
    async fn pass(&mut self, part: MessagePart) -> Result<(), Cut> {
        let MessagePart { kind, data, is_first, is_last } = part;
        let data_of = match kind {
            MessageKind::Close => {
                self.closing.extend_from_slice(&data);
                let (code, reason) = close_of(&self.closing);
                return if is_last { self.close(code, &reason).await } else { Ok(()) };
            }
            _ if !is_first => Data::Continue,
            MessageKind::Text => Data::Text,
            MessageKind::Binary => Data::Binary,
        };
        if is_last {
            self.session.count_sent();
        }
        self.session.count_bytes(data.len());
        if self.closed {
            return Ok(());
        }
        self.feed(Message::Frame(Frame::message(data, OpCode::Data(data_of), is_last))).await
    }

    async fn close(&mut self, code: u16, reason: &str) -> Result<(), Cut> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.session.closes(code);
        let frame = (code != CLOSE_WITHOUT_CODE).then(|| {
            let given = CloseCode::from(code);
            let code = if given.is_allowed() { given } else { CloseCode::Error };
            CloseFrame { code, reason: reason.into() }
        });
        self.feed(Message::Close(frame)).await?;
        self.flush().await
    }

    async fn feed(&mut self, message: Message) -> Result<(), Cut> {
        let fed = timeout(self.stall, self.sink.feed(message)).await;
        self.taken(fed)
    }

    async fn flush(&mut self) -> Result<(), Cut> {
        let flushed = timeout(self.stall, self.sink.flush()).await;
        self.taken(flushed)
    }

    fn taken(&mut self, taken: Result<Result<(), Error>, tokio::time::error::Elapsed>) -> Result<(), Cut> {
        match taken {
            Ok(Ok(())) => Ok(()),
            // The other side has closed or is gone: what it said last is still on its way to the worker.
            Ok(Err(_)) => {
                self.closed = true;
                Ok(())
            }
            Err(_) => Err(Cut),
        }
    }
}
