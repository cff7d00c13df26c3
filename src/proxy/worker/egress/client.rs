//! The HTTP client of one release: its connections go only where the rules let them.

use super::policy::Rules;
use super::resolve::{CheckedResolver, Lookup, OwnAddress};
use super::sockets::{InUse, Mark, Socket, Sockets};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::UPGRADE;
use http::{Extensions, Request, Response, Uri, uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{
    CaptureConnection, Connect, Connected, HttpConnector, capture_connection,
};
use hyper_util::client::legacy::{self, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};
use tower::Service;
use vitrine_core::id::AppName;
use vitrine_core::limits::{
    EGRESS_IDLE_MS, EGRESS_IDLE_PER_HOST_MAX, EGRESS_KEEPALIVE_MS, EGRESS_KEEPALIVE_PROBES_MAX,
    EGRESS_LOOKUPS_MAX, EGRESS_STALL_MS,
};

/// Body of a request: none, or what the worker sends.
pub(super) type RequestBody = Either<Empty<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The system's certificates can't be read.
    #[error("the broker has no TLS: {0}")]
    Tls(io::Error),
    /// No connection, or none that lasted until the answer's head.
    #[error(transparent)]
    Call(#[from] legacy::Error),
}

/// Makes calls, and keeps connections for the next ones.
#[derive(Debug)]
pub(super) struct EgressClient {
    connector: CheckedConnector,
    http: Client<CheckedConnector, RequestBody>,
    /// Made for the first call that needs it: it reads the system's certificates.
    https: OnceCell<Client<HttpsConnector<CheckedConnector>, RequestBody>>,
    /// The same without HTTP/2, which no WebSocket begins in.
    https1: OnceCell<Client<HttpsConnector<CheckedConnector>, RequestBody>>,
}

impl EgressClient {
    /// A client without connections, whose sockets are this app's.
    pub(super) fn new(rules: Arc<Rules>, app: &AppName, sockets: Arc<Sockets>, lookup: Lookup) -> Self {
        let lookups = Arc::new(Semaphore::new(EGRESS_LOOKUPS_MAX));
        let connector = CheckedConnector { rules, lookups, lookup, app: app.clone(), sockets };
        let http = pooled(connector.clone());
        Self { http, connector, https: OnceCell::new(), https1: OnceCell::new() }
    }

    /// Makes a call; gives the head of its answer, and what keeps its connection as long as the body is read.
    ///
    /// # Errors
    /// See [`ClientError`]; a refusal of the rules is the source of one.
    pub(super) async fn call(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Option<InUse>), ClientError> {
        let captured = capture_connection(&mut request);
        if request.uri().scheme() == Some(&uri::Scheme::HTTP) {
            return Ok(answered(self.http.request(request), captured).await?);
        }
        let upgrades = request.headers().contains_key(UPGRADE);
        let kept = if upgrades { &self.https1 } else { &self.https };
        let https = kept.get_or_try_init(|| secured(self.connector.clone(), !upgrades)).await;
        Ok(answered(https.map_err(ClientError::Tls)?.request(request), captured).await?)
    }
}

/// Waits for an answer, with its connection in use from when it is known.
async fn answered(
    mut answer: ResponseFuture,
    mut captured: CaptureConnection,
) -> Result<(Response<Incoming>, Option<InUse>), legacy::Error> {
    let known = async { in_use(captured.wait_for_connection_metadata().await.as_ref()) };
    let first = tokio::select! {
        biased;
        answer = &mut answer => {
            return answer.map(|answer| (answer, in_use(captured.connection_metadata().as_ref())));
        }
        first = known => first,
    };
    let answer = answer.await?;
    // One that was sent again has another.
    let last = in_use(captured.connection_metadata().as_ref());
    drop(first);
    Ok((answer, last))
}

fn in_use(connected: Option<&Connected>) -> Option<InUse> {
    let mut told = Extensions::new();
    connected?.get_extras(&mut told);
    told.get::<Mark>().map(Mark::in_use)
}

fn pooled<C: Connect + Clone>(connector: C) -> Client<C, RequestBody> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_millis(EGRESS_IDLE_MS))
        .pool_max_idle_per_host(EGRESS_IDLE_PER_HOST_MAX)
        .build(connector)
}

async fn secured(
    connector: CheckedConnector,
    with_http2: bool,
) -> io::Result<Client<HttpsConnector<CheckedConnector>, RequestBody>> {
    // Hundreds of files on some systems.
    let tls = tokio::task::spawn_blocking(|| {
        let provider = rustls::crypto::ring::default_provider();
        HttpsConnectorBuilder::new().with_provider_and_platform_verifier(provider)
    });
    let tls = tls.await.map_err(io::Error::other)??;
    let tls = tls.https_only();
    Ok(pooled(if with_http2 {
        tls.enable_all_versions().wrap_connector(connector)
    } else {
        tls.enable_http1().wrap_connector(connector)
    }))
}

/// Connects to what a host's name resolves to, as far as the rules let it.
#[derive(Debug, Clone)]
struct CheckedConnector {
    rules: Arc<Rules>,
    lookups: Arc<Semaphore>,
    lookup: Lookup,
    app: AppName,
    sockets: Arc<Sockets>,
}

type Http = HttpConnector<CheckedResolver>;

impl Service<Uri> for CheckedConnector {
    type Response = Socket;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Socket, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let implied = if to.scheme() == Some(&uri::Scheme::HTTPS) { 443 } else { 80 };
        // One for each connection: a resolver is not told the port, and the operator opens addresses by port.
        let (rules, lookups) = (Arc::clone(&self.rules), Arc::clone(&self.lookups));
        let resolver = CheckedResolver::new(rules, lookups, self.lookup, to.port_u16().unwrap_or(implied));
        let mut http = Http::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        let keepalive = Some(Duration::from_millis(EGRESS_KEEPALIVE_MS));
        http.set_keepalive(keepalive);
        http.set_keepalive_interval(keepalive);
        http.set_keepalive_retries(Some(EGRESS_KEEPALIVE_PROBES_MAX));
        // The probes do not count while something that was sent is not acknowledged.
        http.set_tcp_user_timeout(Some(Duration::from_millis(EGRESS_STALL_MS)));
        let (app, sockets) = (self.app.clone(), Arc::clone(&self.sockets));
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            let place = sockets.place(&app)?;
            let name = to.host().unwrap_or_default().to_owned();
            let connected = http.call(to).await?;
            let (own, there) = (connected.inner().local_addr()?, connected.inner().peer_addr()?);
            // A connection from a machine to itself has the same address at both ends, whichever of its addresses it is.
            if own.ip() == there.ip() && !rules.opens(Some(&name), there) {
                return Err(OwnAddress(there).into());
            }
            Ok(place.with(connected))
        })
    }
}

#[cfg(test)]
mod tests;
