//! The request line: what happens to a request, in order, each step in a file of its own.

#[cfg(test)]
mod tests;

use super::access_log::Record;
use super::address::Address;
use super::app_response;
use super::asset_cache::AssetCache;
use super::asset_response;
use super::body::EdgeBody;
use super::builtin_endpoints;
use super::clients::{Clients, Counted};
use super::connection::{Answer, Peer};
use super::https::{self, Https};
use super::preview_door;
use super::render;
use super::request_body::drain_body;
use super::request_info::RequestInfo;
use super::response::{self, Failure};
use super::select::{Selection, select};
use super::static_files::{Found, find};
use super::version_pin::VersionPin;
use super::visitor::Visitor;
use super::wake_quota::WakeQuota;
use super::web_socket::Upgrading;
use http::header::ORIGIN;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use ipnet::IpNet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use url::Url;
use vitrine_control::release::{Releases, WakeError};
use vitrine_core::config::{LimitMaxima, MetricsRules};
use vitrine_core::id::ReleaseId;
use vitrine_core::telemetry::Telemetry;
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::connections::places::Excess;
use vitrine_proxy::pool::Pool;
use vitrine_proxy::route::RouteTable;
use vitrine_proxy::route::Routes;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::web_sockets::handshake::Handshake;
use vitrine_proxy::web_sockets::places::SocketPlaces;
use vitrine_proxy::worker::OwnCall;
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
pub(crate) struct EdgeHandler<W> {
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
    /// Whether they say which host is meant, whatever `Host` says.
    pub trust_forwarded_host: bool,
    /// Requests in flight of each client.
    pub clients: Arc<Clients>,
    /// How many WebSockets each client has open.
    pub socket_clients: Arc<Clients>,
    /// Operator's bounds.
    pub maxima: LimitMaxima,
    /// Who may look at releases that users never got; nothing where everybody may.
    pub guard: Option<Arc<Guard>>,
    /// Client files.
    pub files: AssetCache,
    /// Domain below which apps have their host names; none where there is one app alone.
    pub shared_domain: Option<String>,
    /// What clients are told about HTTPS.
    pub https: Https,
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
    /// Places for WebSockets.
    pub sockets: Arc<SocketPlaces>,
}

impl<W: Wake> Answer for EdgeHandler<W> {
    type Body = EdgeBody;

    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<EdgeBody> {
        let (mut parts, body) = request.into_parts();
        let connection = parts.extensions.remove::<OnUpgrade>();
        let table = self.routes.snapshot();
        let info = RequestInfo::of(&parts, &peer, &self.trusted_proxies);
        let visitor = Visitor::of(&parts.headers, info.https, rand::random);
        let mut record = Record::begin(Arc::clone(&self.telemetry), info, visitor, table.epoch);
        record.hsts = self.https.lasting(&record.info);
        record.diagnostic = self.diagnostic_headers;
        if builtin_endpoints::is_own(parts.uri.path(), self.alone) {
            return builtin_endpoints::answer(&self, record, &table, &parts.headers);
        }
        record.counted = match self.may_ask(&record.info, &peer) {
            Ok(counted) => counted,
            Err(failure) => return refused(record, failure, body),
        };
        let mut headers = parts.headers;
        let address = Address::of(&record.info, &headers, parts.version <= Version::HTTP_10);
        let believed = self.trust_forwarded_host;
        let mut address = match address.and_then(|address| address.behind(&record.info, &table, believed)) {
            Ok(address) => address,
            Err(refusal) => return refused(record, refusal.into(), body),
        };
        if address.authority.is_empty() {
            // An app has an address, also where its client named none.
            address.authority.clone_from(&table.domain);
        }
        record.host.clone_from(&address.host);
        if let Some(location) = self.https.elsewhere(&record.info, &address.host) {
            return https::redirected(record, location, body);
        }
        let selection = match self.select(&table, &address.host, &record, &headers) {
            Ok(selection) => selection,
            Err(outcome) => return refused(record, Failure::of(outcome), body),
        };
        record.select(&selection, table.epoch);
        drop(table);
        peer.activity.set_stall_ms(selection.target.client_stall_ms);
        let guard = self.guard.as_deref().filter(|_| !is_of(&peer, &selection));
        if let Some(stop) = preview_door::stop(guard, &mut record, &selection, &mut headers) {
            drain_body(body);
            return preview_door::answer(record, stop);
        }
        match find(&selection, &record.info.method, parts.uri.path()) {
            Found::File { target, path } => {
                return asset_response::answer(&self.files, record, &selection, &target, &path, &headers)
                    .await;
            }
            Found::Missing => {
                let missing = Failure::of(Outcome::ClientError).with(StatusCode::NOT_FOUND);
                return response::failed(record, Failure { reason: "There is no such file.", ..missing });
            }
            Found::NotAFile => {}
        }
        self.ask_app(record, selection, (&address, headers), body, connection, &peer.activity).await
    }

    fn refuse(&self, peer: &Peer, status: StatusCode) -> Response<EdgeBody> {
        let mut parts = Request::new(()).into_parts().0;
        // What it was is not known.
        parts.method = Method::from_bytes(b"-").expect("a dash is a token");
        let info = RequestInfo::of(&parts, peer, &self.trusted_proxies);
        let visitor = Visitor::of(&parts.headers, info.https, rand::random);
        let epoch = self.routes.snapshot().epoch;
        let mut record = Record::begin(Arc::clone(&self.telemetry), info, visitor, epoch);
        record.diagnostic = self.diagnostic_headers;
        response::failed(record, Failure { status, ..Failure::of(Outcome::BadRequest) })
    }
}

impl<W: Wake> EdgeHandler<W> {
    /// Answers with what the app gives, or what stands in for it.
    async fn ask_app(
        &self,
        mut record: Box<Record>,
        mut selection: Selection,
        (address, mut headers): (&Address, HeaderMap),
        body: Incoming,
        connection: Option<OnUpgrade>,
        activity: &Activity,
    ) -> Response<EdgeBody> {
        let upgrading = match self.may_upgrade(&record, &selection, &headers, connection) {
            Ok(upgrading) => upgrading,
            Err(failure) => return refused(record, failure, body),
        };
        let rendered = render::render(self, &mut record, &mut selection, address, &mut headers, body).await;
        if rendered.is_ok() {
            activity.on_rendered();
        }
        let cookie = VersionPin::of(&record.info, &headers).cookie;
        let shared = self.shared_domain.as_deref();
        let failure = match rendered {
            Ok(mut rendered) if rendered.answer.head.status == StatusCode::SWITCHING_PROTOCOLS => {
                match upgrading.zip(rendered.uplink.take()) {
                    Some(upgrading) => {
                        return self.accept(record, &selection, &headers, rendered, upgrading, activity);
                    }
                    // Nobody has asked for it.
                    None => Failure::of(Outcome::AppError),
                }
            }
            Ok(rendered) => match app_response::answer(record, &selection, cookie, shared, rendered) {
                Ok(response) => return response,
                Err((back, failure)) => {
                    record = back;
                    failure
                }
            },
            Err(failure) => failure,
        };
        app_response::failed(&self.files, record, &selection, cookie, failure).await
    }
}

impl<W> EdgeHandler<W> {
    /// Chooses the release that answers, by the host name, the visitor, and, where the operator wants that, the client's pin.
    pub(crate) fn select(
        &self,
        table: &RouteTable,
        host: &str,
        record: &Record,
        headers: &HeaderMap,
    ) -> Result<Selection, Outcome> {
        let wanted =
            if self.skew_protection { VersionPin::of(&record.info, headers) } else { VersionPin::default() };
        let mut selection = select(table, host, &wanted, record.visitor.id)?;
        let leads_elsewhere = |call: &Arc<OwnCall>| call.release.app != selection.app.app;
        if record.info.own_call.as_ref().is_some_and(leads_elsewhere) {
            return Err(Outcome::NoRoute);
        }
        selection.pinnable &= self.skew_protection;
        Ok(selection)
    }

    /// What a request that asks for a WebSocket needs to become one, if there is a place for it.
    fn may_upgrade(
        &self,
        record: &Record,
        selection: &Selection,
        headers: &HeaderMap,
        connection: Option<OnUpgrade>,
    ) -> Result<Option<Upgrading>, Failure> {
        match (&record.info.handshake, connection) {
            (Handshake::Bad(status), _) => Err(Failure::of(Outcome::BadRequest).with(*status)),
            // A browser shows what it knows to any page that asks, and no other rule keeps that page from reading what comes.
            (Handshake::Asked(_), _) if record.guarded && is_from_elsewhere(&record.host, headers) => {
                Err(Failure::of(Outcome::BadRequest).with(StatusCode::FORBIDDEN))
            }
            (Handshake::Asked(_), Some(connection)) => {
                let is_own = record.counted.is_none();
                let client = (!is_own).then(|| self.socket_clients.enter(record.info.client));
                let counted = client.map(|counted| counted.ok_or(Failure::too_many())).transpose()?;
                let place = self.sockets.take(&selection.target.release.app);
                let place = place.ok_or(Failure::of(Outcome::Overloaded))?;
                Ok(Some(Upgrading { connection, place, counted }))
            }
            _ => Ok(None),
        }
    }

    /// Counts the request as one of its client's, if its connection has a place and its client may have one more in flight.
    fn may_ask(&self, info: &RequestInfo, peer: &Peer) -> Result<Option<Counted>, Failure> {
        match peer.excess {
            // The calls of a release have a bound of their own.
            _ if peer.own_call.is_some() => Ok(None),
            Some(Excess::All) => Err(Failure::of(Outcome::Overloaded)),
            Some(Excess::Client) => Err(Failure::too_many()),
            None => self.clients.enter(info.client).map(Some).ok_or(Failure::too_many()),
        }
    }
}

/// Whether a page of another host asks.
fn is_from_elsewhere(host: &str, headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| {
        let url = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
        url.as_ref().and_then(Url::host_str).is_none_or(|from| !from.eq_ignore_ascii_case(host))
    })
}

/// Whether the release that was selected calls itself: it needs no pass.
fn is_of(peer: &Peer, selection: &Selection) -> bool {
    peer.own_call.as_ref().is_some_and(|call| call.release == selection.target.release)
}

/// Answers a request whose body is not read.
fn refused(record: Box<Record>, failure: Failure, body: Incoming) -> Response<EdgeBody> {
    drain_body(body);
    response::failed(record, failure)
}
