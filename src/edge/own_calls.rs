//! Serves calls of apps to their own origins like requests of visitors, over in-memory connections.

use super::connection::{Handler as _, Peer};
use super::state::{EdgeState, Wake};
use futures_util::future::BoxFuture;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use tokio::io::DuplexStream;
use vitrine_core::id::AppName;
use vitrine_core::limits::{H1_BUFFER_BYTES_MAX, REQUEST_HEADERS_MAX};
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::route::HostTarget;
use vitrine_proxy::worker::{OwnCall, OwnOrigin};

/// The edge as its apps reach it.
pub(crate) struct OwnCalls<W>(pub Weak<EdgeState<W>>);

impl<W: Wake> OwnOrigin for OwnCalls<W> {
    fn is_of(&self, app: &AppName, host: &str) -> bool {
        let Some(edge) = self.0.upgrade() else { return false };
        match edge.routes.snapshot().resolve(host) {
            Some(HostTarget::App(route) | HostTarget::Release(route, _)) => route.app == *app,
            None => false,
        }
    }

    fn serve(&self, call: OwnCall, io: DuplexStream) -> BoxFuture<'static, ()> {
        let edge = self.0.clone();
        Box::pin(async move {
            let Some(edge) = edge.upgrade() else { return };
            let peer = Peer {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                tls: call.https,
                activity: Activity::start(),
                excess: None,
                own_call: Some(Arc::new(call)),
            };
            let activity = Arc::clone(&peer.activity);
            let service = service_fn(|request: Request<Incoming>| {
                let answered = Arc::clone(&edge).answer(request, peer.clone());
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let served = http1::Builder::new()
                .max_headers(REQUEST_HEADERS_MAX)
                .max_buf_size(H1_BUFFER_BYTES_MAX)
                .keep_alive(false)
                .serve_connection(TokioIo::new(io), service)
                .with_upgrades();
            if let Err(error) = served.await {
                // The app that gave its call up knows, and one that waits for the answer sees it break off.
                tracing::debug!(%error, "a call of an app to itself broke off");
            }
            if let Some(upgraded) = activity.after_http.take() {
                upgraded.await;
            }
        })
    }
}
