//! Connections to the servers that routing rules forward to.

use crate::rules::UpstreamOrigin;
use crate::worker::RequestBody;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use vitrine_core::limits::{
    UPSTREAM_CONNECT_MS, UPSTREAM_HEAD_MS, UPSTREAM_IDLE_CONNECTIONS, UPSTREAM_KEEP_MS,
};

type HttpsClient = Client<HttpsConnector<HttpConnector>, RequestBody>;

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Nothing can be trusted to say who it is.
    #[error("the certificates that upstreams are checked by can't be read")]
    Tls(#[from] std::io::Error),
    /// It can't be reached, or broke off.
    #[error("the upstream gave no answer")]
    Gone(#[from] hyper_util::client::legacy::Error),
    /// It took too long: who waits for it says so.
    #[error("the upstream gave no answer within {UPSTREAM_HEAD_MS} ms")]
    Slow,
}

/// Kept connections to all upstreams, made when the first request is forwarded. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Upstreams(Arc<Clients>);

#[derive(Debug, Default)]
struct Clients {
    http: OnceLock<Client<HttpConnector, RequestBody>>,
    https: OnceLock<HttpsClient>,
}

impl Upstreams {
    /// Sends a request, whose target is a path and query, to an upstream. One that can be sent again, because it has no body and repeating
    /// it does nothing more, is sent once more if a kept connection turns out to be closed.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn send(
        &self,
        origin: &UpstreamOrigin,
        mut request: Request<RequestBody>,
        has_body: bool,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut target = std::mem::take(request.uri_mut()).into_parts();
        (target.scheme, target.authority) = (Some(origin.scheme.clone()), Some(origin.authority.clone()));
        if let Ok(target) = Uri::from_parts(target) {
            *request.uri_mut() = target;
        }
        let again = (!has_body && request.method().is_idempotent()).then(|| copy(&request));
        match (self.send_once(request).await, again) {
            (Err(UpstreamError::Gone(error)), Some(again)) if !error.is_connect() => {
                self.send_once(again).await
            }
            (answered, _) => answered,
        }
    }

    async fn send_once(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, UpstreamError> {
        let answering = match request.uri().scheme_str() {
            Some("https") => self.https()?.request(request),
            _ => self.0.http.get_or_init(|| client(connector())).request(request),
        };
        Ok(answering.await?)
    }

    fn https(&self) -> Result<&HttpsClient, UpstreamError> {
        if let Some(client) = self.0.https.get() {
            return Ok(client);
        }
        let provider = rustls::crypto::ring::default_provider();
        let mut tcp = connector();
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(provider)?;
        let connector = connector.https_only().enable_http1().wrap_connector(tcp);
        Ok(self.0.https.get_or_init(|| client(connector)))
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Duration::from_millis(UPSTREAM_CONNECT_MS)));
    connector.set_nodelay(true);
    connector
}

fn client<C>(connector: C) -> Client<C, RequestBody>
where
    C: hyper_util::client::legacy::connect::Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_millis(UPSTREAM_KEEP_MS))
        .pool_max_idle_per_host(UPSTREAM_IDLE_CONNECTIONS)
        .build(connector)
}

/// The same request, of one without a body.
fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let body = Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut copy = Request::new(body);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}
