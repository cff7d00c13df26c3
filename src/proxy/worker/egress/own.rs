//! Calls of an app to its own origin. They go to the edge, which answers them as it answers visitors, and need no `egress`: no socket is
//! opened, and no other app can be reached.

use super::client::RequestBody;
use super::failure::shown;
use futures_util::future::BoxFuture;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::sync::{Arc, OnceLock};
use tokio::io::DuplexStream;
use tokio::task::JoinSet;
use url::{Origin, Position, Url};
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{OWN_CALL_BUFFER_BYTES, OWN_CALLS_DEPTH_MAX};
use vitrine_wire::{EgressFailure, Headers, OWN_CALL_HEADER};

/// Asks for the release that calls: its pages and what they call belong together.
const RELEASE: HeaderName = HeaderName::from_static("x-vitrine-release");

/// What answers visitors.
pub trait OwnOrigin: Send + Sync {
    /// Whether a host name leads to this app.
    fn is_of(&self, app: &AppName, host: &str) -> bool;

    /// Answers what comes over `io`, as long as it is of the caller's app, until it ends.
    fn serve(&self, call: OwnCall, io: DuplexStream) -> BoxFuture<'static, ()>;
}

/// A call as the edge knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCall {
    /// Whose call.
    pub release: ReleaseId,
    /// Whether visitors speak TLS with that origin.
    pub https: bool,
    /// Calls of the app to itself on the way to this one, itself among them.
    pub depth: u8,
}

/// What answers visitors, once there is an edge.
#[derive(Clone, Default)]
pub struct OwnOrigins(Arc<OnceLock<Arc<dyn OwnOrigin>>>);

impl OwnOrigins {
    /// Names the edge; the first one stays.
    pub fn set(&self, edge: Arc<dyn OwnOrigin>) {
        // There is one edge a process: a second call has nothing new to say.
        let _ = self.0.set(edge);
    }
}

impl fmt::Debug for OwnOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnOrigins").field(&self.0.get().is_some()).finish()
    }
}

/// What a worker says of a call: that it goes to the origin of the request that makes it.
#[derive(Debug)]
pub(super) struct Mark {
    origin: Origin,
    depth: u8,
}

impl Mark {
    /// Takes the mark out of a call's headers: nothing outside is to see it.
    pub(super) fn take(headers: &mut Headers, url: &Url) -> Option<Self> {
        let at = headers.iter().position(|(name, _)| name == OWN_CALL_HEADER)?;
        let (_, depth) = headers.remove(at);
        headers.retain(|(name, _)| name != OWN_CALL_HEADER);
        let depth = std::str::from_utf8(&depth).ok()?.parse().ok()?;
        Some(Self { origin: url.origin(), depth })
    }
}

/// Who calls, and what answers.
#[derive(Debug)]
pub(super) struct Caller {
    pub release: ReleaseId,
    pub origins: OwnOrigins,
}

impl Caller {
    /// The call that this URL is to the app's own origin; `None` where it leads elsewhere.
    ///
    /// # Errors
    /// The app has called itself too often on the way to it.
    pub(super) fn own(&self, mark: Option<&Mark>, url: &Url) -> Result<Option<OwnCall>, EgressFailure> {
        let Some(mark) = mark.filter(|mark| mark.origin == url.origin()) else { return Ok(None) };
        let host = url.host_str().unwrap_or_default();
        if !self.origins.0.get().is_some_and(|edge| edge.is_of(&self.release.app, host)) {
            return Ok(None);
        }
        if mark.depth >= OWN_CALLS_DEPTH_MAX {
            let what =
                format!("the app called itself {OWN_CALLS_DEPTH_MAX} times on the way to {}", shown(url));
            return Err(EgressFailure::Limit(what));
        }
        let depth = mark.depth + 1;
        Ok(Some(OwnCall { release: self.release.clone(), https: url.scheme() == "https", depth }))
    }

    /// Makes such a call; gives the head of its answer, and what has to be held as long as the body is read.
    pub(super) async fn ask(
        &self,
        call: OwnCall,
        url: &Url,
        mut request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, JoinSet<()>), EgressFailure> {
        let failed =
            |error: &dyn fmt::Display| EgressFailure::Unreachable(format!("{}: {error}", shown(url)));
        let Some(edge) = self.origins.0.get() else { return Err(failed(&"the host has no edge yet")) };
        let authority = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
        request.headers_mut().insert(HOST, authority.map_err(|error| failed(&error))?);
        let version = HeaderValue::from_str(call.release.version.as_str());
        request.headers_mut().insert(RELEASE, version.map_err(|error| failed(&error))?);
        let target = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery]);
        *request.uri_mut() = target.map_err(|error| failed(&error))?;
        let (ours, theirs) = tokio::io::duplex(OWN_CALL_BUFFER_BYTES);
        let mut held = JoinSet::new();
        held.spawn(edge.serve(call, theirs));
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(ours)).await.map_err(|error| failed(&error))?;
        held.spawn(async move {
            // What ends it ends the answer's body, which tells.
            let _ = connection.with_upgrades().await;
        });
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        Ok((answer, held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names(&'static str);

    impl OwnOrigin for Names {
        fn is_of(&self, app: &AppName, host: &str) -> bool {
            app.as_str() == "shop" && host == self.0
        }

        fn serve(&self, _: OwnCall, _: DuplexStream) -> BoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    fn marked(url: &Url, value: &str) -> Option<Mark> {
        let mut headers: Headers = vec![
            ("accept".into(), "*/*".into()),
            (OWN_CALL_HEADER.into(), value.to_owned().into()),
            (OWN_CALL_HEADER.into(), "0".into()),
        ];
        let mark = Mark::take(&mut headers, url);
        assert_eq!(headers.len(), 1);
        mark
    }

    #[test]
    fn a_call_is_the_apps_own_by_the_workers_mark_and_by_the_hosts_names() {
        let caller = Caller { release: "shop@v1".parse().unwrap(), origins: OwnOrigins::default() };
        let own: Url = "https://shop.test:8443/a".parse().unwrap();
        let mark = marked(&own, "2").unwrap();
        assert_eq!(caller.own(Some(&mark), &own), Ok(None), "there is no edge yet");
        caller.origins.set(Arc::new(Names("shop.test")));
        let call = OwnCall { release: caller.release.clone(), https: true, depth: 3 };
        assert_eq!(caller.own(Some(&mark), &own), Ok(Some(call)));
        assert_eq!(caller.own(None, &own), Ok(None));
        // Where a redirect leads is looked at again.
        for other in ["https://shop.test/a", "http://shop.test:8443/a", "https://blog.test:8443/a"] {
            assert_eq!(caller.own(Some(&mark), &other.parse().unwrap()), Ok(None), "{other}");
        }
        let foreign: Url = "https://blog.test/a".parse().unwrap();
        assert_eq!(caller.own(marked(&foreign, "0").as_ref(), &foreign), Ok(None));
        let deep = marked(&own, &OWN_CALLS_DEPTH_MAX.to_string());
        assert!(matches!(caller.own(deep.as_ref(), &own), Err(EgressFailure::Limit(_))));
        assert!(marked(&own, "x").is_none());
    }
}
