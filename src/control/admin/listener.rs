//! The accept loop of the admin side.

use crate::admin::access::Access;
use crate::admin::connection::{Terms, serve};
use crate::admin::deployments::register::Deployments;
use crate::admin::discovery::{self, Discovery};
use crate::admin::notice::{FELL_BACK, Notice};
use crate::admin::router::router;
use crate::admin::state::{AdminState, MetricsText, Readiness};
use crate::admin::{Token, TokenError};
use crate::release::Releases;
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vitrine_core::clock::Clock;
use vitrine_core::config::MetricsRules;
use vitrine_core::files;
use vitrine_core::limits::{ADMIN_CONNECTIONS_RESERVE, ADMIN_DRAIN_MS, LISTEN_BACKLOG};
use vitrine_core::telemetry::connections::ConnectionSeries;
use vitrine_proxy::certificates::{CertificateError, Certificates};
use vitrine_proxy::connections::accept::{all_ended, until_leaving};
use vitrine_proxy::connections::activity::ConnectionTimeouts;
use vitrine_proxy::connections::bind::bound;
use vitrine_proxy::connections::places::{Bounds, Places};
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_store::{Store, StoreError};

/// What an admin side is made of.
pub struct AdminOptions {
    /// Address to listen on; port 0 picks one.
    pub listen: SocketAddr,
    /// The listening socket of a predecessor.
    pub inherited: Option<std::net::TcpListener>,
    /// Address of the public side, for the command line of the same user.
    pub edge: Option<SocketAddr>,
    /// State; the token and the staging folder lie in its data folder.
    pub store: Store,
    /// Its certificate, if it speaks TLS.
    pub tls: Option<Arc<Certificates>>,
    /// The control plane.
    pub releases: Releases,
    /// See [`MetricsText`].
    pub metrics: MetricsText,
    /// Who may read them without a token.
    pub metrics_rules: MetricsRules,
    /// See [`Readiness`].
    pub ready: Readiness,
    /// Whether workers run as processes because containers could not be used.
    pub fell_back: bool,
    /// Wall time.
    pub clock: Clock,
    /// Counts of its connections.
    pub connections: ConnectionSeries,
}

/// Why the admin side can't start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// See [`TokenError`].
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Its certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The tokens that were made can't be read.
    #[error("the admin tokens can't be read")]
    Store(#[from] StoreError),
    /// The address can't be had.
    #[error("the admin side can't listen on {address}; choose another with --admin")]
    Listen {
        /// Address.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// A rest that the admin side is asked for.
#[derive(Debug)]
pub struct Pause {
    /// Told once nothing is under way; false if something is, after all.
    pub begun: oneshot::Sender<bool>,
    /// It ends when the other end of this is dropped.
    pub over: oneshot::Receiver<()>,
}

/// The admin side, bound and not yet serving.
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<(Arc<ServerConfig>, Arc<Certificates>)>,
    state: AdminState,
    places: Arc<Places>,
    discovery: Option<Discovery>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Admin {
    /// Binds, and makes the token if there is none. From now on the command line of the same user finds this host (see
    /// [`discovery`]).
    ///
    /// # Errors
    /// See [`AdminError`].
    pub fn bind(options: AdminOptions) -> Result<Self, AdminError> {
        let AdminOptions {
            listen,
            inherited,
            edge,
            store,
            tls,
            releases,
            metrics,
            metrics_rules,
            ready,
            fell_back,
            clock,
            connections,
        } = options;
        let tls = match tls {
            None => None,
            Some(certificates) => Some((certificates.server_config(&[b"http/1.1"])?, certificates)),
        };
        let token_file = store.layout().admin_token();
        let token = Token::load_or_create(&token_file)?;
        let access = Access::new(token, store.tokens()?, clock.clone());
        let refused = |source| AdminError::Listen { address: listen, source };
        let listener = match inherited {
            Some(listener) => TcpListener::from_std(listener).map_err(refused)?,
            None => bound(listen).and_then(|socket| socket.listen(LISTEN_BACKLOG)).map_err(refused)?,
        };
        let address = listener.local_addr().map_err(refused)?;
        let shutdown = CancellationToken::new();
        let state = AdminState {
            releases,
            store,
            access,
            metrics,
            metrics_rules: Arc::new(metrics_rules),
            ready,
            notice: Notice::of(FELL_BACK).filter(|_| fell_back),
            clock,
            shutdown,
            uploads: crate::admin::places::Places::of_uploads(),
            waiting_uploads: crate::admin::places::Places::of_waiting_uploads(),
            deployments: Deployments::default(),
            log_streams: crate::admin::places::Places::of_log_streams(),
            backups: Arc::new(Semaphore::new(1)),
        };
        let discovery = discovery::folder().and_then(|folder| {
            let https = tls.as_ref().map(|(_, certificates)| certificates.name().unwrap_or_default());
            let lit = Discovery::write(&folder, address, https, edge, &token_file);
            lit.inspect_err(|error| {
                let folder = folder.display();
                tracing::warn!(%folder, %error, "the command line has to be told VITRINE_ADMIN and VITRINE_TOKEN");
            })
            .ok()
        });
        let all = files::shares().admin_connections;
        let reserve = ADMIN_CONNECTIONS_RESERVE.min(all / 8);
        let bounds = Bounds { all, reserve, per_client: all, trusted_proxies: Vec::new() };
        let places = Places::new(bounds, connections);
        Ok(Self { listener, address, tls, state, places, discovery })
    }

    /// Where it answers, with its real port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// The listening socket, for a successor.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn socket(&self) -> std::io::Result<OwnedFd> {
        self.listener.as_fd().try_clone_to_owned()
    }

    /// Serves until `shutdown`, then lets running requests finish for a bounded time. A caller that asks for a pause is told how it began;
    /// connections wait in the kernel's backlog while it lasts.
    pub async fn serve(self, shutdown: CancellationToken, mut pauses: mpsc::Receiver<Pause>) {
        let Self { listener, tls, state, places, discovery, .. } = self;
        let (tls, fresh) = tls.unzip();
        // Ends with this.
        let mut fresh_ones = JoinSet::new();
        if let Some(certificates) = fresh {
            fresh_ones.spawn(certificates.keep_fresh());
        }
        loop {
            let (streams, stage) = (CancellationToken::new(), shutdown.child_token());
            let state = AdminState { shutdown: streams.clone(), ..state.clone() };
            let leaving = Shutdown::on(stage.clone());
            let terms =
                Terms { router: router(state), tls: tls.clone(), patience: ConnectionTimeouts::default() };
            let accepting = accept(&listener, &places, terms, leaving, streams);
            let mut accepting = std::pin::pin!(accepting);
            let pause = tokio::select! {
                _ = &mut accepting => return,
                Some(pause) = pauses.recv() => pause,
            };
            stage.cancel();
            // A caller that has given up is no longer there to be told.
            let _ = pause.begun.send(accepting.await);
            tokio::select! {
                _ = pause.over => {}
                () = shutdown.cancelled() => return,
            }
            if let Some(Err(error)) = discovery.as_ref().map(Discovery::rewrite) {
                tracing::warn!(%error, "the command line has to be told VITRINE_ADMIN and VITRINE_TOKEN");
            }
        }
    }
}

/// Whether every request ended in time once nothing was accepted any more.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Places>,
    terms: Terms,
    leaving: Shutdown,
    streams: CancellationToken,
) -> bool {
    let mut connections = JoinSet::new();
    let serve = |stream, client, place| serve((stream, client), place, terms.clone(), leaving.clone());
    until_leaving(listener, places, &leaving, &mut connections, serve).await;
    streams.cancel();
    let drain = Duration::from_millis(ADMIN_DRAIN_MS);
    let ended = tokio::time::timeout(drain, all_ended(&mut connections)).await.is_ok();
    if !ended {
        tracing::warn!(waited_ms = ADMIN_DRAIN_MS, "admin requests still run although their time is over");
        connections.detach_all();
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use vitrine_core::limits::ADMIN_HEADER_BYTES_MAX;
    use vitrine_core::telemetry::Metrics;
    use vitrine_core::telemetry::connections::Side;

    async fn started(router: axum::Router) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let bounds = Bounds { all: 8, reserve: 2, per_client: 8, trusted_proxies: Vec::new() };
        let places = Places::new(bounds, Metrics::new().connections(Side::Admin));
        let patience =
            ConnectionTimeouts { head: Duration::from_millis(500), ..ConnectionTimeouts::default() };
        let serving = tokio::spawn(async move {
            let terms = Terms { router, tls: None, patience };
            accept(&listener, &places, terms, Shutdown::on(stop), CancellationToken::new()).await;
        });
        (address, shutdown, serving)
    }

    async fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_running_request_is_finished_before_the_end_and_nothing_is_accepted_after_it() {
        let slow = async || {
            // The request has to be slow.
            tokio::time::sleep(Duration::from_millis(200)).await;
            "done"
        };
        let (address, shutdown, serving) = started(axum::Router::new().route("/", get(slow))).await;
        let asking =
            tokio::spawn(async move { exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await });
        // The request has to be accepted, and half done.
        tokio::time::sleep(Duration::from_millis(100)).await;
        shutdown.cancel();
        serving.await.unwrap();
        let answer = asking.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let (address, shutdown, serving) = started(axum::Router::new()).await;
        let request = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(ADMIN_HEADER_BYTES_MAX));
        let answer = exchange(address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        shutdown.cancel();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_silent_client_is_cut_off() {
        let (address, shutdown, serving) = started(axum::Router::new()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut answer = Vec::new();
        let cut = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
        cut.await.expect("the connection stays open").unwrap();
        shutdown.cancel();
        serving.await.unwrap();
    }
}
