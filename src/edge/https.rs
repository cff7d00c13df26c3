//! Redirects from plain HTTP to HTTPS, and HSTS.

use super::acme;
use super::context::RequestContext;
use super::request_info::RequestInfo;
use super::response::{Reply, Timing, whole};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderMap, LOCATION};
use http::{HeaderValue, StatusCode};
use vitrine_core::config::Tls;
use vitrine_wire::Outcome;

/// What clients are told about HTTPS; without a TLS listener, nothing.
#[derive(Debug, Default)]
pub(crate) struct Https {
    /// Port at which clients reach the TLS listener, if those of the plain one are sent there.
    redirect_to: Option<u16>,
    hsts: Option<HeaderValue>,
}

impl Https {
    /// For a TLS listener that clients reach at this port.
    #[must_use]
    pub(crate) fn new(rules: &Tls, port: u16) -> Self {
        let subdomains = if rules.hsts_include_subdomains { "; includeSubDomains" } else { "" };
        let lasts = format!("max-age={}{subdomains}", rules.hsts_max_age_s);
        Self {
            redirect_to: rules.redirect.then_some(port),
            hsts: HeaderValue::try_from(lasts).ok().filter(|_| rules.hsts_max_age_s > 0),
        }
    }

    /// The same address over HTTPS, for a client that is known to speak plain HTTP.
    #[must_use]
    pub(crate) fn elsewhere(&self, info: &RequestInfo, host: &str) -> Option<HeaderValue> {
        let port = self.redirect_to.filter(|_| info.plain && !host.is_empty())?;
        let path = info.uri.path_and_query()?.as_str();
        // `OPTIONS *` is about no address.
        if path.starts_with(acme::PATH) || !path.starts_with('/') {
            return None;
        }
        let port = if port == 443 { String::new() } else { format!(":{port}") };
        HeaderValue::try_from(format!("https://{host}{port}{path}")).ok()
    }

    /// What a client that came over HTTPS is to remember. Over plain HTTP anybody could have put it in.
    #[must_use]
    pub(crate) fn lasting(&self, info: &RequestInfo) -> Option<HeaderValue> {
        self.hsts.clone().filter(|_| info.https)
    }
}

/// Sends a client elsewhere, with the same method and body.
pub(crate) fn redirected(context: &mut RequestContext, location: HeaderValue) -> Reply {
    context.outcome = Outcome::Ok;
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(LOCATION, location);
    // Kept by a browser, it would outlive the operator's wish.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    whole(context, StatusCode::PERMANENT_REDIRECT, headers, Bytes::new(), Timing::uncached(None))
}

#[cfg(test)]
mod tests {
    use super::super::connection::Peer;
    use super::*;
    use http::Request;
    use vitrine_core::config::CertificateFiles;
    use vitrine_proxy::connections::activity::Activity;

    fn rules() -> Tls {
        let files = CertificateFiles { certificate: "c".into(), key: "k".into() };
        Tls::new(([127, 0, 0, 1], 443).into(), files)
    }

    fn info(uri: &str, peer: &str, tls: bool, proto: Option<&str>) -> RequestInfo {
        let mut request = Request::builder().uri(uri);
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let address = format!("{peer}:1").parse().unwrap();
        let peer = Peer { address, tls, activity: Activity::start(), excess: None, own_call: None };
        RequestInfo::of(&parts, &peer, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn plain_http_is_sent_to_the_same_address_over_https() {
        let to = |port, uri: &str| {
            let plain = info(uri, "8.8.8.8", false, None);
            let location = Https::new(&rules(), port).elsewhere(&plain, "shop.example");
            location.map(|location| location.to_str().unwrap().to_owned())
        };
        assert_eq!(to(443, "/a/b?c=d").as_deref(), Some("https://shop.example/a/b?c=d"));
        assert_eq!(to(8443, "/").as_deref(), Some("https://shop.example:8443/"));
        assert_eq!(to(443, "//evil.example/").as_deref(), Some("https://shop.example//evil.example/"));
        assert_eq!(to(443, "/.well-known/acme-challenge/token"), None);
        assert_eq!(to(443, "*"), None);
        assert!(to(443, "/.well-known/other").is_some());
        let off = Https::new(&Tls { redirect: false, ..rules() }, 443);
        assert_eq!(off.elsewhere(&info("/", "8.8.8.8", false, None), "shop.example"), None);
        assert_eq!(Https::default().elsewhere(&info("/", "8.8.8.8", false, None), "shop.example"), None);
    }

    #[test]
    fn only_who_is_known_to_speak_plain_http_is_sent_away() {
        for (peer, tls, proto, away) in [
            ("8.8.8.8", false, None, true),
            ("8.8.8.8", true, None, false),
            ("8.8.8.8", false, Some("https"), true),
            ("10.1.1.1", false, Some("https"), false),
            ("10.1.1.1", false, Some("http"), true),
            ("10.1.1.1", false, None, false),
        ] {
            let info = info("/", peer, tls, proto);
            let sent = Https::new(&rules(), 443).elsewhere(&info, "shop.example").is_some();
            assert_eq!(sent, away, "{peer} {tls} {proto:?}");
        }
    }

    #[test]
    fn what_lasts_is_said_over_https_alone() {
        let lasting = |max_age_s, subdomains, tls| {
            let rules = Tls { hsts_max_age_s: max_age_s, hsts_include_subdomains: subdomains, ..rules() };
            Https::new(&rules, 443).lasting(&info("/", "8.8.8.8", tls, None))
        };
        assert_eq!(lasting(300, false, true).unwrap(), "max-age=300");
        assert_eq!(lasting(300, true, true).unwrap(), "max-age=300; includeSubDomains");
        assert_eq!(lasting(300, true, false), None);
        assert_eq!(lasting(0, false, true), None);
    }
}
