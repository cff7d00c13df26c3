//! State that all requests of the edge share.

use super::asset_cache::AssetCache;
use super::cache::Pages;
use super::clients::Clients;
use super::context::RequestContext;
use super::https::Https;
use super::select::{self, Selection};
use super::wake_quota::WakeQuota;
use http::HeaderName;
use ipnet::IpNet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use vitrine_control::release::{Releases, WakeError};
use vitrine_core::config::MetricsRules;
use vitrine_core::id::ReleaseId;
use vitrine_core::telemetry::Telemetry;
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::certificates::Issued;
use vitrine_proxy::pool::Pool;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::route::{RouteTable, Routes};
use vitrine_proxy::upstreams::Upstreams;
use vitrine_wire::Outcome;

/// Starts sleeping releases: all that the edge may ask of the control plane.
pub(crate) trait Wake: Send + Sync + 'static {
    /// Starts a release's worker and waits until it serves.
    fn wake(&self, release: &ReleaseId) -> impl Future<Output = Result<Arc<Pool>, WakeError>> + Send;
}

impl Wake for Releases {
    async fn wake(&self, release: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        Self::wake(self, release).await
    }
}

/// Everything that answering a request needs.
#[derive(Debug)]
pub(crate) struct EdgeState<W> {
    /// The table in force.
    pub routes: Routes,
    /// See [`Wake`].
    pub wake: W,
    /// How many releases strangers may start.
    pub wake_quota: WakeQuota,
    /// Logs and metrics.
    pub telemetry: Arc<Telemetry>,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Headers that reach apps from these peers alone.
    pub trusted_headers: Vec<HeaderName>,
    /// Whether they say which host is meant, whatever `Host` says.
    pub trust_forwarded_host: bool,
    /// Requests in flight of each client.
    pub clients: Arc<Clients>,
    /// How many WebSockets each client has open.
    pub socket_clients: Arc<Clients>,
    /// Who may look at releases that users never got; nothing where everybody may.
    pub guard: Option<Arc<Guard>>,
    /// Client files.
    pub files: AssetCache,
    /// Domain below which apps have their host names; none where there is one app alone.
    pub shared_domain: Option<String>,
    /// What clients are told about HTTPS.
    pub https: Https,
    /// What an authority is shown that looks at a name; nothing where none issues certificates.
    pub issued: Option<Arc<Issued>>,
    /// Whether open pages stay with their release.
    pub skew_protection: bool,
    /// Whether answers say how they came about.
    pub diagnostic_headers: bool,
    /// Whether there is no admin side beside this edge.
    pub alone: bool,
    /// Who reads the metrics there.
    pub metrics: MetricsRules,
    /// Cancelled when the host leaves.
    pub shutdown: CancellationToken,
    /// Cancelled when another host has taken over.
    pub handed_over: CancellationToken,
    /// Places for encoders of answers that are streamed: each holds the tables of its encoder. Nothing where the operator wants no
    /// compression.
    pub encoders: Option<Arc<AppPlaces>>,
    /// Servers that routing rules forward to.
    pub upstreams: Upstreams,
    /// Pages that are kept; nothing where the operator wants no cache.
    pub pages: Option<Arc<Pages>>,
    /// Places for WebSockets.
    pub sockets: Arc<AppPlaces>,
}

impl<W> EdgeState<W> {
    /// Chooses the release that answers, by the host name, the visitor, and, where the operator wants that, the client's pin.
    pub(crate) fn select(&self, table: &RouteTable, context: &RequestContext) -> Result<Selection, Outcome> {
        let wanted = context.wanted().filter(|_| self.skew_protection);
        let visitor = context.visitor.id;
        let mut selection = match context.routed.as_ref().and_then(|routed| routed.chosen()) {
            Some(chosen) => {
                // A cookie without the app's name may be of another app under this host name.
                let is_unclear =
                    |wanted: &&str| !wanted.contains('@') && context.pin_cookie() == Some(*wanted);
                let wanted = wanted.filter(|wanted| !is_unclear(wanted));
                select::select_named(table, chosen, wanted, visitor)?
            }
            None => select::select(table, &context.address.host, wanted, visitor)?,
        };
        let leads_elsewhere =
            context.info.own_call.as_ref().is_some_and(|call| call.release.app != selection.app.app);
        if leads_elsewhere {
            return Err(Outcome::NoRoute);
        }
        selection.pinnable &= self.skew_protection;
        Ok(selection)
    }
}
