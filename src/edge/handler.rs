//! The handler: what happens to a request, in order, each step in a file of its own.
//!
//! A step reads and fills in the [`RequestContext`] and gives a [`Reply`], or a [`Failure`] that ends the request. The two ends are here:
//! the context begins with the request's head, and goes with the answer's body.

#[cfg(test)]
mod tests;

use super::acme;
use super::address::{Address, Refusal};
use super::app_response;
use super::asset_response;
use super::body::EdgeBody;
use super::builtin_endpoints;
use super::cache::{Asked, Fill};
use super::clients::Counted;
use super::connection::{Handler, Peer};
use super::context::RequestContext;
use super::https;
use super::preview_door;
use super::render::{self, Rendered};
use super::request_body::drain_body;
use super::request_info::RequestInfo;
use super::response::{self, Failure, Reply};
use super::routing;
use super::rule_answer;
use super::select::Selection;
use super::state::{EdgeState, Wake};
use super::static_files::{Found, find};
use super::upstream;
use super::web_socket::{self, Socket, Upgrading, is_from_elsewhere};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::connections::places::Excess;
use vitrine_proxy::route::RouteTable;
use vitrine_proxy::route::speaks::Voice;
use vitrine_proxy::rules::Rules;
use vitrine_proxy::web_sockets::handshake::Handshake;
use vitrine_wire::Outcome;

/// What a request comes to.
enum Answered {
    /// An answer.
    Reply(Reply),
    /// A WebSocket, and the answer that opens it.
    Socket(Reply, Box<Socket>),
}

/// What of a request only one step may take.
struct Unread {
    /// Its body, until a step reads it.
    body: Option<Incoming>,
    /// Its connection, until it becomes a WebSocket.
    connection: Option<OnUpgrade>,
}

impl<W: Wake> Handler for EdgeState<W> {
    type Body = EdgeBody;

    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<EdgeBody> {
        let (mut parts, body) = request.into_parts();
        let mut unread = Unread { body: Some(body), connection: parts.extensions.remove::<OnUpgrade>() };
        let table = self.routes.snapshot();
        let names_no_host = parts.version <= Version::HTTP_10;
        let mut context = self.begin(parts, &peer, table.epoch);
        let answered = self.steps(&mut context, table, names_no_host, &mut unread, &peer).await;
        if let Some(body) = unread.body {
            drain_body(body);
        }
        match answered {
            Ok(Answered::Reply(reply)) => response::send(context, reply),
            Ok(Answered::Socket(reply, socket)) => socket.open(context, reply, &peer.activity),
            Err(failure) => {
                let reply = response::failed(&mut context, failure);
                response::send(context, reply)
            }
        }
    }

    fn refuse(&self, peer: &Peer, status: StatusCode) -> Response<EdgeBody> {
        let mut parts = Request::new(()).into_parts().0;
        // The request line could not be read.
        parts.method = Method::from_bytes(b"-").expect("a dash is a token");
        let mut context = self.begin(parts, peer, self.routes.snapshot().epoch);
        let reply = response::failed(&mut context, Failure::of(Outcome::BadRequest).with(status));
        response::send(context, reply)
    }
}

impl<W: Wake> EdgeState<W> {
    fn begin(&self, parts: Parts, peer: &Peer, epoch: u64) -> Box<RequestContext> {
        let info = RequestInfo::of(&parts, peer, &self.trusted_proxies);
        let hsts = self.https.lasting(&info);
        let telemetry = Arc::clone(&self.telemetry);
        let mut context = RequestContext::begin(telemetry, info, parts.headers, epoch, rand::random);
        context.hsts = hsts;
        context.diagnostic = self.diagnostic_headers;
        context
    }

    /// The steps of a request, in their order.
    async fn steps(
        &self,
        context: &mut RequestContext,
        table: Arc<RouteTable>,
        names_no_host: bool,
        unread: &mut Unread,
        peer: &Peer,
    ) -> Result<Answered, Failure> {
        if builtin_endpoints::is_own(context.info.uri.path(), self.alone) {
            return builtin_endpoints::answer(self, context, &table).map(Answered::Reply);
        }
        context.counted = self.may_ask(&context.info, peer)?;
        context.address = self.address(context, &table, names_no_host)?;
        if let Some(answer) = self.issued.as_ref().and_then(|issued| acme::answer(issued, context)) {
            return Ok(Answered::Reply(answer));
        }
        if let Some(location) = self.https.elsewhere(&context.info, &context.address.host) {
            return Ok(Answered::Reply(https::redirected(context, location)));
        }
        if let Some(rules) = &table.rules {
            let answered = self.route(context, Arc::clone(rules), &table, unread, &peer.activity).await?;
            if let Some(answered) = answered {
                return Ok(answered);
            }
        }
        let selection = self.select(&table, context).map_err(Failure::of)?;
        context.select(&selection, table.epoch);
        drop(table);
        peer.activity.set_stall_ms(selection.target.client_stall_ms);
        let guard = self.guard.as_deref().filter(|_| !is_of(peer, &selection));
        if let Some(stop) = preview_door::stop(guard, context, &selection) {
            return preview_door::answer(context, stop).map(Answered::Reply);
        }
        match find(&selection, &context.info.method, context.app_path()) {
            Found::File { target, path } => {
                let file = asset_response::answer(&self.files, context, &selection, &target, &path);
                file.await.map(Answered::Reply)
            }
            Found::Missing => {
                let missing = Failure::of(Outcome::ClientError).with(StatusCode::NOT_FOUND);
                Err(Failure { reason: "There is no such file.", ..missing })
            }
            Found::NotAFile => self.ask_app(context, selection, unread, &peer.activity).await,
        }
    }

    /// Asks the routing rules. Answers what the rule that holds answers by itself.
    async fn route(
        &self,
        context: &mut RequestContext,
        rules: Arc<Rules>,
        table: &RouteTable,
        unread: &mut Unread,
        activity: &Activity,
    ) -> Result<Option<Answered>, Failure> {
        routing::ask(context, rules, table)?;
        // An app that calls itself is let in, and reaches no upstream but through its egress policy.
        let is_own = context.info.own_call.is_some();
        if !is_own {
            routing::enter(context)?;
        }
        if let Some(answered) = rule_answer::answer(context) {
            return answered.map(|reply| Some(Answered::Reply(reply)));
        }
        if !upstream::is_meant(context) {
            return Ok(None);
        }
        if is_own {
            return Err(Failure::of(Outcome::NoRoute));
        }
        let outgoing =
            upstream::Outgoing { body: unread.body.take(), connection: unread.connection.take(), activity };
        let reply = upstream::forward(self, context, outgoing).await?;
        Ok(Some(Answered::Reply(reply)))
    }

    /// The host that is meant. An app has an address, also where its client named none.
    fn address(
        &self,
        context: &RequestContext,
        table: &RouteTable,
        names_no_host: bool,
    ) -> Result<Address, Refusal> {
        let RequestContext { info, headers, .. } = context;
        let address = Address::of(info, headers, context.cookies().lines(), names_no_host)?;
        let mut address = address.behind(info, table, self.trust_forwarded_host)?;
        if address.authority.is_empty() {
            address.authority.clone_from(&table.domain);
        }
        Ok(address)
    }

    /// Answers with what the app gives, or what stands in for it.
    async fn ask_app(
        &self,
        context: &mut RequestContext,
        mut selection: Selection,
        unread: &mut Unread,
        activity: &Activity,
    ) -> Result<Answered, Failure> {
        routing::choose_variants(context, &selection.app.app);
        let upgrading = self.may_upgrade(context, &selection, unread.connection.take())?;
        let fill = match self.ask_cache(context, &selection, unread).await {
            Asked::Stored(stored) => {
                activity.on_rendered();
                let reply = app_response::stored(context, &selection, self.encoders.as_ref(), *stored)?;
                return Ok(Answered::Reply(reply));
            }
            Asked::Render(fill) => fill,
        };
        let (rendered, fill) = self.render(context, &mut selection, unread, fill).await;
        if rendered.is_ok() {
            activity.on_rendered();
        }
        let kept = fill.as_ref().and_then(|fill| fill.stand_in());
        let failure = match rendered {
            Ok(mut rendered) if rendered.answer.head.status == StatusCode::SWITCHING_PROTOCOLS => {
                match upgrading.zip(rendered.uplink.take()) {
                    Some(upgrading) => {
                        let stall = activity.stall();
                        let (reply, socket) =
                            web_socket::accept(self, context, &selection, rendered, upgrading, stall);
                        return Ok(Answered::Socket(reply, Box::new(socket)));
                    }
                    // The client did not ask for it.
                    None => Failure::of(Outcome::AppError),
                }
            }
            Ok(rendered) if kept.is_some() && rendered.answer.head.status >= 500 => {
                Failure::of(Outcome::AppError)
            }
            Ok(rendered) => {
                let domain = self.shared_domain.as_deref();
                let encoders = self.encoders.as_ref();
                match app_response::answer(context, &selection, domain, encoders, rendered, fill) {
                    Ok(reply) => {
                        self.invalidate(context, &selection, &reply);
                        return Ok(Answered::Reply(reply));
                    }
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        if let Some(kept) = kept.filter(|_| failure.status.is_server_error()) {
            let stored = kept.in_place_of(context, failure.outcome);
            return app_response::stored(context, &selection, self.encoders.as_ref(), stored)
                .map(Answered::Reply);
        }
        app_response::stand_in(&self.files, context, &selection, failure).await.map(Answered::Reply)
    }

    /// Asks the cache, if there is one, for what the app would answer.
    async fn ask_cache(&self, context: &mut RequestContext, selection: &Selection, unread: &Unread) -> Asked {
        match &self.pages {
            // What a release that is marked as bad rendered before is as bad.
            Some(pages) if selection.voice == Voice::Everything => {
                let has_body = unread.body.as_ref().is_some_and(|body| !body.is_end_stream());
                pages.ask(context, selection, has_body).await
            }
            _ => Asked::Render(None),
        }
    }

    /// Renders; once more, if the render saw a part of the request only and its answer is for nobody else.
    async fn render(
        &self,
        context: &mut RequestContext,
        selection: &mut Selection,
        unread: &mut Unread,
        fill: Option<Box<Fill>>,
    ) -> (Result<Rendered, Failure>, Option<Box<Fill>>) {
        let rendered = render::render(self, context, selection, &mut unread.body).await;
        let Some(fill) = fill else { return (rendered, None) };
        let is_too_little = match &rendered {
            Ok(rendered) => fill.saw_too_little(context, &rendered.answer.head),
            // It may have failed for want of what it did not see.
            Err(failure) => fill.is_narrowed() && failure.status.is_server_error(),
        };
        if !is_too_little {
            return (rendered, Some(fill));
        }
        drop(rendered);
        fill.give_up(context);
        (render::render(self, context, selection, &mut unread.body).await, None)
    }

    /// Takes out of the cache what a request may have changed (RFC 9111, 4.4).
    fn invalidate(&self, context: &RequestContext, selection: &Selection, reply: &Reply) {
        let is_safe = context.info.method.is_safe();
        let has_failed = reply.status.is_client_error() || reply.status.is_server_error();
        if let Some(pages) =
            self.pages.as_ref().filter(|_| !is_safe && !has_failed && context.info.own_call.is_none())
        {
            pages.invalidate(context, selection, &reply.headers);
        }
    }

    /// What a request that asks for a WebSocket needs to become one, if there is a place for it.
    fn may_upgrade(
        &self,
        context: &RequestContext,
        selection: &Selection,
        connection: Option<OnUpgrade>,
    ) -> Result<Option<Upgrading>, Failure> {
        match (&context.info.handshake, connection) {
            (Handshake::Bad(status), _) => Err(Failure::of(Outcome::BadRequest).with(*status)),
            // A browser shows what it knows to any page that asks, and no other rule keeps that page from reading what comes.
            (Handshake::Asked(_), _)
                if context.guarded && is_from_elsewhere(&context.address.host, &context.headers) =>
            {
                Err(Failure::of(Outcome::BadRequest).with(StatusCode::FORBIDDEN))
            }
            (Handshake::Asked(_), Some(connection)) => {
                let is_own = context.counted.is_none();
                let client = (!is_own).then(|| self.socket_clients.enter(context.info.client));
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

/// Whether the release that was selected calls itself: it needs no pass.
fn is_of(peer: &Peer, selection: &Selection) -> bool {
    peer.own_call.as_ref().is_some_and(|call| call.release == selection.target.release)
}
