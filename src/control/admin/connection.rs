//! One connection of the admin side.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use vitrine_core::limits::{
    ADMIN_HEADER_BYTES_MAX, ADMIN_KNOWN_STALL_MS, ADMIN_STALL_MS, REQUEST_HEADERS_MAX,
};
use vitrine_proxy::connections::activity::{Activity, Busy, ConnectionTimeouts};
use vitrine_proxy::connections::graceful;
use vitrine_proxy::connections::places::Place;
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_proxy::connections::watched_io::WatchedIo;

/// The connection that a request came by; an extension of each request.
#[derive(Debug, Clone)]
pub(super) struct CameBy {
    activity: Arc<Activity>,
    /// Who is at its other end.
    pub client: IpAddr,
    /// Whether it has a place of the reserve, which is for the host's own token and for monitoring.
    pub reserve: bool,
}

impl CameBy {
    /// Its client has shown a good token: it may leave an answer unread, as a pager does.
    pub(super) fn is_known(&self) {
        self.activity.set_stall_ms(ADMIN_KNOWN_STALL_MS);
    }
}

/// What all connections share.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    /// What answers.
    pub router: axum::Router,
    /// TLS, if the admin side speaks it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Clocks.
    pub patience: ConnectionTimeouts,
}

/// Serves it until it ends. HTTP/1.1 alone: operators' tools need no more, and it has fewer ways to be busy with nothing.
pub(super) async fn serve(
    (stream, client): (TcpStream, SocketAddr),
    place: Place,
    terms: Terms,
    leaving: Shutdown,
) {
    let activity = Arc::clone(&place.activity);
    activity.set_stall_ms(ADMIN_STALL_MS);
    if place.excess.is_some() {
        activity.leave();
    }
    let io = WatchedIo::new(stream, Arc::clone(&activity));
    let Terms { router, tls, patience } = terms;
    let Some(config) = tls else { return serve_io(io, client, place, router, patience, leaving).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience.head, TlsAcceptor::from(config).accept(io)) => shaken,
        () = leaving.stop.cancelled() => return,
        () = activity.evicted() => return,
    };
    // After a handshake that fails or takes too long there is no client to answer.
    if let Ok(Ok(io)) = shaken {
        serve_io(io, client, place, router, patience, leaving).await;
    }
}

async fn serve_io(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: SocketAddr,
    place: Place,
    router: axum::Router,
    patience: ConnectionTimeouts,
    leaving: Shutdown,
) {
    let activity = Arc::clone(&place.activity);
    let (client, reserve) = (client.ip(), place.excess.is_some());
    let came_by = CameBy { activity: Arc::clone(&activity), client, reserve };
    let service = service_fn(|mut request: Request<Incoming>| {
        let busy = came_by.activity.begin(false);
        let activity = Arc::clone(&came_by.activity);
        request.extensions_mut().insert(came_by.clone());
        let answered = router.clone().oneshot(request.map(Body::new));
        async move {
            let mut answer = answered.await?.map(|body| Held { body, _busy: busy });
            if activity.is_leaving() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<Response<Held>, std::convert::Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The clocks of `Activity` tell a slow head from a pause.
        .header_read_timeout(None)
        .max_headers(REQUEST_HEADERS_MAX)
        .max_buf_size(ADMIN_HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(io), service);
    graceful::run(connection, &activity, &patience, &leaving).await;
}

/// A body during which its connection counts as busy.
struct Held {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
