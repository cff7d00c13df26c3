//! The public side: accepts connections, picks a release, answers from its files or from a worker.
//!
//! A request goes one way: [`listener`] -> [`connection`] -> [`handler`], which calls [`request_info`] and [`address`] (who asks
//! for what), [`routing`] (which rule holds, [`routed`] what it makes of the request; [`rule_answer`] and [`upstream`] where it leads to no app), [`select`] (which release, for [`visitor`]s of a split app), [`static_files`] and [`asset_response`] (its files) or [`render`] and
//! [`app_response`] or [`web_socket`] (its code), [`response`] (the one place that makes errors), [`body`] (the end).
//! Its [`context`] goes with it all the way, and what all requests share is [`state`].

#![warn(unreachable_pub)]

mod acme;
mod address;
mod app_head;
mod app_response;
mod asset_cache;
mod asset_response;
mod body;
mod builtin_endpoints;
mod cache;
mod caching;
mod clients;
mod compression;
mod conditional;
mod connection;
mod context;
mod cookies;
mod explained_io;
#[cfg(test)]
mod fixture;
mod forward;
mod forwarded;
mod handler;
mod https;
mod listener;
mod negotiate;
mod own_calls;
mod own_cookie;
mod preview_door;
mod pump;
mod ranges;
mod release_tag;
mod render;
mod request_body;
mod request_info;
mod response;
mod routed;
mod routing;
mod rule_answer;
mod select;
mod sent;
mod shared_caches;
mod state;
mod static_files;
mod uplink;
mod upstream;
mod version_pin;
mod visitor;
mod wake_quota;
mod web_socket;

use acme::Authority;
use asset_cache::AssetCache;
use cache::{Green, Pages};
use clients::Clients;
use connection::{ConnectionConfig, protocols};
use https::Https;
use own_calls::OwnCalls;
use state::EdgeState;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vitrine_control::release::Releases;
use vitrine_core::config::{Config, MetricsRules};
use vitrine_core::files;
use vitrine_core::handover::{Inheritance, Role};
use vitrine_core::limits::{
    COMPRESSED_STREAMS_MAX, COMPRESSED_STREAMS_OF_APP_MAX, CONNECTIONS_RESERVE, LISTEN_BACKLOG,
    WEB_SOCKETS_MAX, WEB_SOCKETS_OF_APP_MAX, WEB_SOCKETS_OF_CLIENT_MAX,
};
use vitrine_core::telemetry::connections::Side;
use vitrine_core::telemetry::{Metrics, Telemetry};
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::certificates::{CertificateError, Certificates, Issued};
use vitrine_proxy::connections::activity::ConnectionTimeouts;
use vitrine_proxy::connections::bind::bound;
use vitrine_proxy::connections::places::{Bounds, Places};
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_proxy::route::Routes;
use vitrine_proxy::upstreams::Upstreams;
use vitrine_store::{Store, StoreError};
use wake_quota::WakeQuota;

/// Why the edge can't start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The address is taken, or not this machine's.
    #[error("the edge can't listen on {address}; pick another with --listen")]
    Bind {
        /// Address asked for.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A certificate of the TLS listener.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// What a TLS listener speaks, and the certificates in it.
type Secured = (Arc<rustls::ServerConfig>, Arc<Certificates>);

/// A bound edge that does not serve yet.
#[derive(Debug)]
pub struct Edge {
    plain: (TcpListener, SocketAddr),
    tls: Option<(TcpListener, SocketAddr, Secured)>,
    /// Names that clients ask for in vain.
    asked: Option<mpsc::Receiver<String>>,
    authority: Option<Authority>,
    public: (&'static str, u16),
    drain: Duration,
    places: Arc<Places>,
    state: EdgeState<Releases>,
}

impl Edge {
    /// Binds the plain listener and, if configured, the TLS one, or takes those of a predecessor. What it binds is served by the
    /// runtime that this is called in.
    ///
    /// # Errors
    /// See [`EdgeError`].
    pub fn bind(
        config: &Config,
        routes: Routes,
        releases: Releases,
        telemetry: Telemetry,
        inherited: &mut Inheritance,
    ) -> Result<Self, EdgeError> {
        let (issued, asked) = config.acme.as_ref().map(|rules| Issued::new(rules.on_demand)).unzip();
        let tls = tls_listener(config, issued.clone(), &telemetry.metrics, inherited)?;
        let plain = bind(config.listen, inherited.listener(Role::Edge, config.listen))?;
        let secure = config.tls.as_ref().zip(tls.as_ref());
        let secure = secure.map(|(rules, (_, address, _))| (rules, rules.port_of_clients(address.port())));
        let public = secure.map_or(("http", plain.1.port()), |(_, port)| ("https", port));
        let https = secure.map(|(rules, port)| Https::new(rules, port));
        let guard = releases.guard();
        let pages = releases.cache().map(|cache| {
            let domain = Some(config.domain.clone());
            Arc::new(Pages::new(Arc::clone(cache), config.edge.trusted_headers(), domain))
        });
        let all = files::shares().edge_connections;
        let bounds = Bounds {
            all,
            reserve: CONNECTIONS_RESERVE.min(all / 16),
            per_client: config.edge.connections_per_client as usize,
            trusted_proxies: config.trusted_proxies.clone(),
        };
        Ok(Self {
            places: Places::new(bounds, telemetry.metrics.connections(Side::Edge)),
            plain,
            tls,
            asked: asked.flatten(),
            authority: None,
            public,
            drain: Duration::from_millis(config.switching.drain_timeout_ms),
            state: EdgeState {
                routes,
                wake: releases,
                wake_quota: WakeQuota::new(),
                telemetry: Arc::new(telemetry),
                trusted_proxies: config.trusted_proxies.clone(),
                trusted_headers: config.edge.trusted_headers(),
                trust_forwarded_host: config.edge.trust_forwarded_host,
                clients: Clients::new(config.edge.requests_per_client),
                socket_clients: Clients::new(WEB_SOCKETS_OF_CLIENT_MAX),
                guard,
                files: AssetCache::new(),
                shared_domain: Some(config.domain.clone()),
                https: https.unwrap_or_default(),
                issued,
                skew_protection: config.edge.skew_protection,
                diagnostic_headers: config.edge.diagnostic_headers,
                alone: false,
                metrics: MetricsRules::default(),
                shutdown: CancellationToken::new(),
                handed_over: CancellationToken::new(),
                encoders: config
                    .edge
                    .compression
                    .then(|| AppPlaces::new(COMPRESSED_STREAMS_MAX, COMPRESSED_STREAMS_OF_APP_MAX)),
                upstreams: Upstreams::default(),
                sockets: AppPlaces::new(WEB_SOCKETS_MAX, WEB_SOCKETS_OF_APP_MAX),
                pages,
            },
        })
    }

    /// Orders certificates, if an authority is configured, and keeps them in this store.
    ///
    /// # Errors
    /// What is kept can't be read.
    pub fn ordering(mut self, config: &Config, store: &Store) -> Result<Self, StoreError> {
        let asked = self.asked.take();
        if let (Some(rules), Some((.., (_, certificates))), Some(issued)) =
            (&config.acme, &self.tls, &self.state.issued)
        {
            let parts = acme::Parts {
                store: store.clone(),
                routes: self.state.routes.clone(),
                certificates: Arc::clone(certificates),
                issued: Arc::clone(issued),
                metrics: Arc::clone(&self.state.telemetry.metrics),
            };
            self.authority = Some(Authority::new(rules.clone(), parts, asked)?);
        }
        Ok(self)
    }

    /// The edge of a host without an admin side (`solo`): it also answers `/metrics`, to those whom these rules name, and it is not
    /// ready before it has a live release.
    #[must_use]
    pub fn alone(mut self, metrics: MetricsRules) -> Self {
        self.state.alone = true;
        self.state.shared_domain = None;
        self.state.metrics = metrics;
        self
    }

    /// Address of the plain listener, with its real port.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.plain.1
    }

    /// Scheme and port by which clients reach it.
    #[must_use]
    pub const fn public(&self) -> (&'static str, u16) {
        self.public
    }

    /// The listening sockets, for a successor.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn sockets(&self) -> std::io::Result<Vec<(Role, OwnedFd)>> {
        let plain = (Role::Edge, &self.plain.0);
        let tls = self.tls.as_ref().map(|(listener, ..)| (Role::Tls, listener));
        let copied =
            |(role, listener): (Role, &TcpListener)| Ok((role, listener.as_fd().try_clone_to_owned()?));
        std::iter::once(plain).chain(tls).map(copied).collect()
    }

    /// Serves until `leaving` says otherwise, then stops accepting, lets requests finish (`switching.drain_timeout_ms`) and
    /// returns.
    pub async fn serve(mut self, leaving: Shutdown) {
        self.state.shutdown = leaving.stop.clone();
        self.state.handed_over = leaving.handed_over.clone();
        let state = Arc::new(self.state);
        state.wake.answer_own(Arc::new(OwnCalls(Arc::downgrade(&state))));
        if let Some(pages) = &state.pages {
            state.wake.render_green_by(Arc::new(Green(Arc::clone(pages))));
        }
        let run = |listener, tls| {
            let terms = ConnectionConfig {
                handler: Arc::clone(&state),
                protocols: protocols(),
                timeouts: ConnectionTimeouts::default(),
                tls,
            };
            listener::run(listener, Arc::new(terms), Arc::clone(&self.places), self.drain, leaving.clone())
        };
        let plain = run(self.plain.0, None);
        let ordering = async {
            if let Some(authority) = self.authority {
                // The store is a successor's then.
                tokio::select! {
                    () = authority.run() => {}
                    () = leaving.stop.cancelled() => {}
                    () = leaving.handed_over.cancelled() => {}
                }
            }
            std::future::pending().await
        };
        match self.tls {
            None => plain.await,
            Some((listener, _, (config, certificates))) => {
                let both = async { tokio::join!(plain, run(listener, Some(config))) };
                tokio::select! {
                    _ = both => {}
                    () = certificates.keep_fresh() => {}
                    () = ordering => {}
                }
            }
        }
    }
}

/// The TLS listener, if one is configured.
fn tls_listener(
    config: &Config,
    issued: Option<Arc<Issued>>,
    metrics: &Arc<Metrics>,
    inherited: &mut Inheritance,
) -> Result<Option<(TcpListener, SocketAddr, Secured)>, EdgeError> {
    let Some(tls) = &config.tls else { return Ok(None) };
    // A predecessor may serve certificates whose files are broken now.
    let wants_all = inherited.predecessor().is_there();
    let certificates = Certificates::of_listener(tls, wants_all, issued, Arc::clone(metrics))?;
    let config = certificates.server_config(&[b"h2", b"http/1.1"])?;
    let (listener, address) = bind(tls.listen, inherited.listener(Role::Tls, tls.listen))?;
    Ok(Some((listener, address, (config, certificates))))
}

fn bind(
    address: SocketAddr,
    inherited: Option<std::net::TcpListener>,
) -> Result<(TcpListener, SocketAddr), EdgeError> {
    let listen = || {
        let listener = match inherited {
            Some(listener) => TcpListener::from_std(listener)?,
            None => bound(address)?.listen(LISTEN_BACKLOG)?,
        };
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().map_err(|source| EdgeError::Bind { address, source })
}
