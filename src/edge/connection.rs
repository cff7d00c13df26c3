//! One connection from its first byte to its end: HTTP/1.1 or HTTP/2, with every clock and size bound set.

use super::explained_io::ExplainedIo;
use super::pump::{BoxError, Pumped, pump};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use vitrine_core::limits::{
    H1_BUFFER_BYTES_MAX, H2_CONNECTION_WINDOW_BYTES, H2_HEADER_LIST_BYTES_MAX, H2_PING_MS,
    H2_RESETS_FOR_ERRORS_MAX, H2_RESETS_UNSEEN_MAX, H2_SEND_BUFFER_BYTES_MAX, H2_STREAM_WINDOW_BYTES,
    H2_STREAMS_MAX, REQUEST_HEADERS_MAX, RESERVE_LIFE_MS,
};
use vitrine_proxy::connections::activity::{Activity, Busy, ConnectionTimeouts, WriteStall};
use vitrine_proxy::connections::graceful::{self, Graceful};
use vitrine_proxy::connections::places::{Excess, Place};
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_proxy::connections::watched_io::WatchedIo;
use vitrine_proxy::worker::OwnCall;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Clocks of its connection.
    pub activity: Arc<Activity>,
    /// Why its requests are not answered, if its connection has a place of the reserve only.
    pub excess: Option<Excess>,
    /// The call of an app to itself that this is; there is no socket then.
    pub own_call: Option<Arc<OwnCall>>,
}

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Body of an answer.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    /// Answers one request; never fails, an error is an answer too.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Answers what can't be read as a request.
    fn refuse(&self, peer: &Peer, status: StatusCode) -> Response<Self::Body>;
}

/// Settings of both protocols.
#[must_use]
pub(crate) fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The clocks of `Activity` tell a slow head from a pause, which this one timer does not.
        .header_read_timeout(None)
        .max_headers(REQUEST_HEADERS_MAX)
        .max_buf_size(H1_BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(H2_HEADER_LIST_BYTES_MAX)
        .max_pending_accept_reset_streams(H2_RESETS_UNSEEN_MAX)
        .max_local_error_reset_streams(H2_RESETS_FOR_ERRORS_MAX)
        .initial_connection_window_size(H2_CONNECTION_WINDOW_BYTES)
        .initial_stream_window_size(H2_STREAM_WINDOW_BYTES)
        .max_send_buf_size(H2_SEND_BUFFER_BYTES_MAX)
        .keep_alive_interval(Duration::from_millis(H2_PING_MS))
        .keep_alive_timeout(Duration::from_millis(H2_PING_MS));
    builder
}

/// Settings of a connection that speaks HTTP/1.1 alone: the library's builder for both speaks both wherever an upgrade is possible.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(REQUEST_HEADERS_MAX)
        .max_buf_size(H1_BUFFER_BYTES_MAX);
    builder
}

/// A connection that speaks HTTP/1.1 alone.
struct Http1<C>(C);

impl<C: Future + Unpin> Future for Http1<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<I, S> Graceful for Http1<http1::UpgradeableConnection<I, S>>
where
    S: HttpService<Incoming>,
    http1::UpgradeableConnection<I, S>: Future + Unpin,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S::Error: Into<BoxError>,
    S::ResBody: Body<Error: Into<BoxError>> + 'static,
{
    fn graceful_shutdown(mut self: Pin<&mut Self>) {
        Pin::new(&mut self.0).graceful_shutdown();
    }
}

/// What every connection of a listener shares.
#[derive(Debug)]
pub(crate) struct ConnectionConfig<H> {
    /// Answers the requests.
    pub handler: Arc<H>,
    /// See [`protocols`].
    pub protocols: Builder<TokioExecutor>,
    /// Clocks.
    pub timeouts: ConnectionTimeouts,
    /// TLS, if the listener speaks it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Serves a connection until it ends by itself, is cut, or has finished its requests when the edge is leaving.
pub(crate) async fn serve<H: Handler>(
    stream: TcpStream,
    address: SocketAddr,
    place: Place,
    terms: Arc<ConnectionConfig<H>>,
    leaving: Shutdown,
) {
    // Without it an answer's last packet may wait 40 ms for the client's acknowledgement. A socket that refuses is
    // closed already, which the first read says.
    let _ = stream.set_nodelay(true);
    let activity = Arc::clone(&place.activity);
    let (excess, trusted) = (place.excess, place.trusted);
    let tls = terms.tls.is_some();
    let peer = Peer { address, tls, activity: Arc::clone(&activity), excess, own_call: None };
    let io = WatchedIo::new(stream, Arc::clone(&activity));
    let serving = serve_watched(io, peer, trusted, &terms, leaving);
    if excess.is_none() {
        return serving.await;
    }
    // The reserve is for one answer each.
    activity.leave();
    // One that takes longer is closed without an answer: there is no connection to send one on.
    let _ = tokio::time::timeout(Duration::from_millis(RESERVE_LIFE_MS), serving).await;
}

async fn serve_watched<H: Handler>(
    io: WatchedIo,
    peer: Peer,
    trusted: bool,
    terms: &ConnectionConfig<H>,
    leaving: Shutdown,
) {
    let activity = Arc::clone(&peer.activity);
    match &terms.tls {
        None => serve_io(io, peer, trusted, terms, None, leaving).await,
        Some(config) => {
            let handshake = TlsAcceptor::from(Arc::clone(config)).accept(io);
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(terms.timeouts.head, handshake) => shaken,
                () = leaving.stop.cancelled() => return,
                () = activity.evicted() => return,
            };
            // After a handshake that fails or takes too long there is no connection to answer on.
            if let Ok(Ok(io)) = shaken {
                let agreed = io.get_ref().1.alpn_protocol().map(|name| match name {
                    b"h2" => Agreed::Http2,
                    _ => Agreed::Http1,
                });
                serve_io(io, peer, trusted, terms, agreed, leaving).await;
            }
        }
    }
}

/// What client and host have agreed on, where TLS lets them.
enum Agreed {
    Http1,
    Http2,
}

async fn serve_io<H: Handler>(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    trusted: bool,
    terms: &ConnectionConfig<H>,
    agreed: Option<Agreed>,
    leaving: Shutdown,
) {
    let activity = Arc::clone(&peer.activity);
    let (answer, asker) = (Arc::clone(&terms.handler), peer.clone());
    let io = ExplainedIo::new(io, move |status| answer.refuse(&asker, status));
    let service = service_fn(|request: Request<Incoming>| {
        let h2 = request.version() == Version::HTTP_2;
        let busy = peer.activity.begin(h2);
        if request.version() <= Version::HTTP_10 {
            peer.activity.mark_ends();
        }
        let activity = Arc::clone(&peer.activity);
        let answered = Arc::clone(&terms.handler).answer(request, peer.clone());
        // A proxy's connection has the requests of many, and they are not to fall with those of one.
        let taken_back = TakenBack((!trusted).then(|| Arc::clone(&peer.activity)));
        async move {
            let held = |body| Held {
                body: Outgoing::new(body, h2, &activity),
                turn: h2.then(|| activity.begin_turn()),
                activity: Arc::clone(&activity),
                _busy: busy,
            };
            let mut answer = answered.await.map(held);
            taken_back.answered();
            if activity.is_leaving() && !h2 && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let (io, timeouts) = (TokioIo::new(io), &terms.timeouts);
    match agreed {
        Some(Agreed::Http2) => {
            let http2 = terms.protocols.clone().http2_only();
            graceful::run(http2.serve_connection(io, service), &activity, timeouts, &leaving).await;
        }
        Some(Agreed::Http1) => {
            let connection = Http1(http1().serve_connection(io, service).with_upgrades());
            graceful::run(connection, &activity, timeouts, &leaving).await;
        }
        None => {
            let connection = terms.protocols.serve_connection_with_upgrades(io, service);
            graceful::run(connection, &activity, timeouts, &leaving).await;
        }
    }
    if let Some(upgraded) = activity.after_http.take() {
        // None of those that may go for another one.
        let _busy = activity.begin(false);
        upgraded.await;
    }
}

/// A request that its client takes back, if this is dropped before it is answered.
struct TakenBack(Option<Arc<Activity>>);

impl TakenBack {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for TakenBack {
    fn drop(&mut self) {
        if let Some(activity) = self.0.take() {
            activity.on_taken_back();
        }
    }
}

/// A body during which its connection counts as busy.
struct Held<B> {
    body: Outgoing<B>,
    /// While its HTTP/2 client is waited for.
    turn: Option<WriteStall>,
    activity: Arc<Activity>,
    _busy: Busy,
}

/// A body, polled by its connection or read by a task.
enum Outgoing<B> {
    Direct(B),
    Pumped(Pumped),
}

impl<B> Outgoing<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// On HTTP/2, what does not fit into the stream's send buffer may have to wait for its client.
    fn new(body: B, h2: bool, activity: &Activity) -> Self {
        let long = body.size_hint().upper().is_none_or(|bytes| bytes > H2_SEND_BUFFER_BYTES_MAX as u64);
        if h2 && long { Self::Pumped(pump(body, activity.stall())) } else { Self::Direct(body) }
    }
}

impl<B> Body for Held<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = match &mut self.body {
            Outgoing::Direct(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Outgoing::Pumped(body) => Pin::new(body).poll_frame(cx),
        };
        if self.activity.is_h2() {
            self.turn = polled.is_ready().then(|| self.activity.begin_turn());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Outgoing::Direct(body) => body.is_end_stream(),
            Outgoing::Pumped(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Outgoing::Direct(body) => body.size_hint(),
            Outgoing::Pumped(body) => body.size_hint(),
        }
    }
}
