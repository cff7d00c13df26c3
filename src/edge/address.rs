//! Host and path of a request, and its size limits.

use super::request_info::RequestInfo;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use http::{Method, StatusCode, Uri};
use vitrine_core::limits::{REQUEST_HEADER_BYTES_MAX, REQUEST_HEADERS_MAX, REQUEST_TARGET_BYTES_MAX};
use vitrine_proxy::route::RouteTable;
use vitrine_wire::Outcome;

/// Why a request is answered with an error before a release is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Status.
    pub status: StatusCode,
    /// How it counts.
    pub outcome: Outcome,
    /// What is wrong, for the client.
    pub reason: &'static str,
}

impl Refusal {
    pub(super) const fn bad(reason: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, outcome: Outcome::BadRequest, reason }
    }

    pub(super) const fn client(status: StatusCode, reason: &'static str) -> Self {
        Self { status, outcome: Outcome::ClientError, reason }
    }
}

/// The host that is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// Lower case, no port, no final dot: what the route table is asked for. Empty when an HTTP/1.0 client names none.
    pub host: String,
    /// With the port, as the app sees it in `request.url`.
    pub authority: String,
}

impl Address {
    /// From a request's head, of whose headers `cookie_lines` are cookies.
    ///
    /// # Errors
    /// What to answer instead: 400, 414 or 431.
    pub(crate) fn of(
        info: &RequestInfo,
        headers: &HeaderMap,
        cookie_lines: usize,
        names_no_host: bool,
    ) -> Result<Self, Refusal> {
        check_size(&info.uri, headers, cookie_lines)?;
        check_framing(&info.method, &info.uri, headers)?;
        let mut hosts = headers.get_all(HOST).iter();
        let header = match (hosts.next(), hosts.next()) {
            (None, _) => None,
            (Some(host), None) => {
                Some(host.to_str().map_err(|_| Refusal::bad("the Host header is not ASCII"))?)
            }
            _ => return Err(Refusal::bad("there is more than one Host header")),
        };
        let target = info.uri.authority().map(http::uri::Authority::as_str);
        if let (Some(target), Some(header)) = (target, header)
            && !target.eq_ignore_ascii_case(header)
        {
            return Err(Refusal::bad("the Host header and the request target name different hosts"));
        }
        match target.or(header) {
            Some(named) => parse(named).ok_or(Refusal::bad("the host name is malformed")),
            None if names_no_host => Ok(Self::default()),
            None => Err(Refusal::bad("the Host header is missing")),
        }
    }

    /// As a trusted proxy tells it. `Host` decides which app answers: many proxies pass a client's `X-Forwarded-Host` on, or add to it, and
    /// that must not reach another one. So that header is believed where it names the same release in other words, and where
    /// `Host` is a name of the proxy's own that leads nowhere; or always, where the operator says that the proxy overwrites it.
    ///
    /// # Errors
    /// 400, if a host that is always believed is malformed.
    pub(crate) fn behind(
        self,
        info: &RequestInfo,
        table: &RouteTable,
        always: bool,
    ) -> Result<Self, Refusal> {
        let said = info.forwarded.host.as_deref();
        let believed = match said.map(parse) {
            None => None,
            Some(None) if always => return Err(Refusal::bad("the forwarded host name is malformed")),
            Some(said) => said.filter(|said| always || self.may_become(said, table)),
        };
        let mut address = believed.unwrap_or(self);
        let usual = if info.https { 443 } else { 80 };
        // Proxies pass a client's `X-Forwarded-Port` on as they do its host, and apps make links of it.
        if let Some(port) = info.forwarded.port.filter(|port| always && *port != usual)
            && address.authority.len() == end_of_name(&address.authority).unwrap_or_default()
            && !address.authority.is_empty()
        {
            address.authority = format!("{}:{port}", address.authority);
        }
        Ok(address)
    }

    fn may_become(&self, said: &Self, table: &RouteTable) -> bool {
        let is_of_rule = |host: &str| table.rules.as_ref().is_some_and(|rules| rules.covers(host));
        if is_of_rule(&self.host) {
            return false;
        }
        match (table.resolve(&self.host), table.resolve(&said.host)) {
            (None, None) => is_of_rule(&said.host),
            (None, Some(_)) => true,
            (Some(own), Some(other)) => table.names(&said.host) && own.is(&other),
            (_, None) => false,
        }
    }
}

fn check_size(uri: &Uri, headers: &HeaderMap, cookie_lines: usize) -> Result<(), Refusal> {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > REQUEST_TARGET_BYTES_MAX {
        return Err(Refusal::client(StatusCode::URI_TOO_LONG, "the address is too long"));
    }
    // `: ` and the line's end count with each header, as they do on the wire.
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    // HTTP/2 clients may send each cookie by itself; apps get them as one.
    let fields = headers.len() - cookie_lines;
    if bytes > REQUEST_HEADER_BYTES_MAX || fields > REQUEST_HEADERS_MAX {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refusal::client(status, "the request's headers are too large (often too many cookies)"));
    }
    Ok(())
}

fn check_framing(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    if method == Method::CONNECT {
        return Err(Refusal::client(StatusCode::METHOD_NOT_ALLOWED, "this is no proxy"));
    }
    if method == Method::TRACE {
        return Err(Refusal::client(StatusCode::METHOD_NOT_ALLOWED, "TRACE is not answered here"));
    }
    let names_a_path = uri.path().starts_with('/') || (method == Method::OPTIONS && uri.path() == "*");
    if !names_a_path {
        return Err(Refusal::bad("the request target is not a path"));
    }
    if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(Refusal::bad("there is more than one Content-Length header"));
    }
    // What stands before `chunked` would have to be undone here, or the app would read something else than the client meant.
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_plain = |coding: &http::HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_plain(coding)) || codings.next().is_some() {
        return Err(Refusal::client(
            StatusCode::NOT_IMPLEMENTED,
            "no transfer coding but chunked is understood here, and that once",
        ));
    }
    Ok(())
}

/// `NAME`, `NAME:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn parse(named: &str) -> Option<Address> {
    let authority = named.to_ascii_lowercase();
    let (name, port) = authority.split_at(end_of_name(&authority)?);
    let port_ok = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let name_ok = match name.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => (1..=254).contains(&name.len()) && name.bytes().all(legal),
    };
    let host = name.strip_suffix('.').unwrap_or(name).to_owned();
    (port_ok && name_ok && !host.is_empty()).then_some(Address { host, authority })
}

/// Where the port begins, if there is one.
fn end_of_name(authority: &str) -> Option<usize> {
    match authority.strip_prefix('[') {
        Some(rest) => Some(rest.find(']')? + 2),
        None => Some(authority.find(':').unwrap_or(authority.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::Peer;
    use super::super::fixture::{app, table, target};
    use super::*;
    use http::Request;
    use std::sync::Arc;
    use vitrine_proxy::connections::activity::Activity;

    fn info(uri: &str, headers: &[(&str, &str)]) -> (RequestInfo, http::request::Parts) {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let peer = Peer {
            address: "10.0.0.1:1".parse().unwrap(),
            tls: false,
            activity: Activity::start(),
            excess: None,
            own_call: None,
        };
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        (RequestInfo::of(&parts, &peer, &trusted), parts)
    }

    fn address(uri: &str, headers: &[(&str, &str)]) -> Result<Address, Refusal> {
        let (info, parts) = info(uri, headers);
        let cookie_lines = headers.iter().filter(|(name, _)| *name == "cookie").count();
        Address::of(&info, &parts.headers, cookie_lines, false)
    }

    #[test]
    fn hosts_lose_case_port_and_final_dot() {
        for (named, host) in [
            ("Catalog.LocalHost:8080", "catalog.localhost"),
            ("a.example.", "a.example"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(address("/", &[("host", named)]).unwrap().host, host);
        }
        assert_eq!(address("/", &[("host", "A:81")]).unwrap().authority, "a:81");
    }

    #[test]
    fn ambiguous_and_malformed_hosts_are_refused() {
        for named in ["", "a b", "a/b", "user@a", "a:b", "a:99999", "[::1", "[x]", ".", "a,b", "a:80:80"] {
            assert_eq!(address("/", &[("host", named)]).unwrap_err().status, 400, "{named}");
        }
        assert_eq!(address("/", &[]).unwrap_err().status, 400);
        assert_eq!(address("/", &[("host", "a"), ("host", "a")]).unwrap_err().status, 400);
        assert_eq!(address("http://a/", &[("host", "b")]).unwrap_err().status, 400);
        assert_eq!(address("http://a/", &[("host", "A")]).unwrap().host, "a");
    }

    #[test]
    fn no_coding_but_chunked_is_undone_and_that_once() {
        let status = |codings: &[&str]| {
            let codings = codings.iter().map(|coding| ("transfer-encoding", *coding));
            let headers: Vec<_> = [("host", "a")].into_iter().chain(codings).collect();
            address("/", &headers).map_err(|refusal| refusal.status.as_u16()).map(|address| address.host)
        };
        assert_eq!(status(&["Chunked"]).as_deref(), Ok("a"));
        for other in
            [&["gzip, chunked"][..], &["chunked, chunked"], &["chunked", "chunked"], &["chunked,"], &[""]]
        {
            assert_eq!(status(other), Err(501), "{other:?}");
        }
    }

    #[test]
    fn a_proxy_chooses_no_other_app_unless_it_may() {
        let shop = app("shop", "v2", vec![target("shop", "v2", &[]), target("shop", "v1", &[])]);
        let evil = app("evil", "v1", vec![target("evil", "v1", &[])]);
        let mut table = table(&[shop, evil]);
        table.hosts.insert("shop.example".into(), Arc::clone(&table.apps["shop"]));
        let behind = |host: &str, said: &[(&str, &str)], always| {
            let headers: Vec<_> = [("host", host)].iter().chain(said).copied().collect();
            let (info, parts) = info("/", &headers);
            let address = Address::of(&info, &parts.headers, 0, false).unwrap();
            address
                .behind(&info, &table, always)
                .map(|address| address.authority)
                .map_err(|error| error.status.as_u16())
        };
        const HOST: &str = "x-forwarded-host";
        for (host, said, usually, always) in [
            ("shop.localhost", "evil.localhost", "shop.localhost", "evil.localhost"),
            ("shop.localhost", "evil.localhost, shop.localhost", "shop.localhost", "shop.localhost"),
            ("shop.localhost", "shop-v1.localhost", "shop.localhost", "shop-v1.localhost"),
            ("shop.localhost", "nowhere.example", "shop.localhost", "nowhere.example"),
            // Another name of the same app.
            ("shop.localhost", "shop.example", "shop.example", "shop.example"),
            ("shop.localhost:8080", "Shop.Example:444", "shop.example:444", "shop.example:444"),
            // The proxy's own name for this host.
            ("inner:3000", "shop.example", "shop.example", "shop.example"),
            ("inner:3000", "evil.localhost, shop.example", "shop.example", "shop.example"),
            ("inner:3000", "nowhere.example", "inner:3000", "nowhere.example"),
        ] {
            assert_eq!(behind(host, &[(HOST, said)], false).as_deref(), Ok(usually), "{host} {said}");
            assert_eq!(behind(host, &[(HOST, said)], true).as_deref(), Ok(always), "{host} {said}");
        }
        let both = [(HOST, "evil.localhost"), (HOST, "shop.example")];
        assert_eq!(behind("inner", &both, false).as_deref(), Ok("shop.example"));
        assert_eq!(behind("shop.localhost", &[(HOST, "a b")], false).as_deref(), Ok("shop.localhost"));
        assert_eq!(behind("shop.localhost", &[(HOST, "a b")], true), Err(400));
        for (said, authority) in [
            ([("x-forwarded-port", "8443"), ("x-forwarded-proto", "https")], "shop.localhost:8443"),
            ([("x-forwarded-port", "443"), ("x-forwarded-proto", "https")], "shop.localhost"),
            ([("x-forwarded-port", "443"), ("x-forwarded-proto", "http")], "shop.localhost:443"),
        ] {
            assert_eq!(behind("shop.localhost", &said, true).as_deref(), Ok(authority));
            assert_eq!(behind("shop.localhost", &said, false).as_deref(), Ok("shop.localhost"));
        }
        assert_eq!(
            behind("shop.localhost:1", &[("x-forwarded-port", "8443")], true).as_deref(),
            Ok("shop.localhost:1")
        );
        assert_eq!(
            behind("inner", &[("forwarded", "host=shop.example")], false).as_deref(),
            Ok("shop.example")
        );
    }

    #[test]
    fn where_every_host_name_leads_to_the_only_app_none_is_invented() {
        let only = app("shop", "v1", vec![target("shop", "v1", &[])]);
        let table = RouteTable { any_host: true, ..table(&[only]) };
        let (info, parts) = info("/", &[("host", "shop.example"), ("x-forwarded-host", "evil.example")]);
        let address = Address::of(&info, &parts.headers, 0, false).unwrap().behind(&info, &table, false);
        assert_eq!(address.unwrap().host, "shop.example");
    }

    #[test]
    fn sizes_are_refused_one_byte_above_their_bound() {
        let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
        assert!(address(&path(REQUEST_TARGET_BYTES_MAX), &[("host", "a")]).is_ok());
        let long = address(&path(REQUEST_TARGET_BYTES_MAX + 1), &[("host", "a")]).unwrap_err();
        assert_eq!(long.status, StatusCode::URI_TOO_LONG);

        let room = REQUEST_HEADER_BYTES_MAX - "host".len() - "a".len() - 4 - "x".len() - 4;
        assert!(address("/", &[("host", "a"), ("x", &"v".repeat(room))]).is_ok());
        let large = address("/", &[("host", "a"), ("x", &"v".repeat(room + 1))]).unwrap_err();
        assert_eq!(large.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

        let mut fields = vec![("x", "1"); REQUEST_HEADERS_MAX - 1];
        fields.push(("host", "a"));
        fields.extend([("cookie", "a=1"); 50]);
        assert!(address("/", &fields).is_ok());
        fields.push(("x", "1"));
        assert_eq!(address("/", &fields).unwrap_err().status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
}
