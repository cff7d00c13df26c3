//! Decides which origins an app may call. Pure.

use super::denial::Setting;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};
use vitrine_core::config::{EgressPolicy, OriginPattern, PrivateRule, is_public, only_by_address};
use vitrine_core::id::AppName;
use vitrine_wire::EgressFailure;

/// The bundle's list and the operator's policy, both of which must allow a call.
#[derive(Debug)]
pub(super) struct Rules {
    bundle: Vec<OriginPattern>,
    operator: Option<Vec<OriginPattern>>,
    opened: Vec<PrivateRule>,
    not_for_previews: Option<(AppName, Vec<PrivateRule>)>,
}

impl Rules {
    /// Puts both together. Origins of the policy that do not parse were refused when the file was read; none of them
    /// allows anything here.
    #[must_use]
    pub(super) fn new(bundle: &[OriginPattern], policy: &EgressPolicy) -> Self {
        let parse = |list: &Vec<String>| list.iter().filter_map(|text| text.parse().ok()).collect();
        Self {
            bundle: bundle.to_vec(),
            operator: policy.allow.as_ref().map(parse),
            opened: policy.allow_private.clone(),
            not_for_previews: policy.not_for_previews.clone(),
        }
    }

    /// Whether the bundle names this URL's origin.
    #[must_use]
    pub(super) fn lists(&self, url: &Url) -> bool {
        self.bundle.iter().any(|entry| entry.allows(url))
    }

    /// Checks a URL before anything is resolved; an address in it is checked here, a name by [`Rules::may_connect`].
    ///
    /// # Errors
    /// [`EgressFailure::Denied`] with the rule that refuses.
    pub(super) fn check(&self, url: &Url) -> Result<(), EgressFailure> {
        let origin = || url.origin().ascii_serialization();
        let denied = |by: &str| EgressFailure::Denied(format!("{} is not in {by}", origin()));
        if !self.lists(url) {
            return Err(denied("the bundle's `egress` list"));
        }
        // Fetch refuses them in an app's own URL; these come from a redirect.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressFailure::Denied(format!(
                "the URL of {} holds a user name or a password",
                origin()
            )));
        }
        let listed = self.operator.as_ref().is_none_or(|list| list.iter().any(|entry| entry.allows(url)));
        if !listed && !self.is_opened(url) {
            return Err(denied("the operator's `egress.allow`"));
        }
        match address_of(url) {
            Some(address) if !self.may_connect(None, address) => Err(refused(address)),
            _ => Ok(()),
        }
    }

    /// The settings without which a call to this URL is denied, as far as they can be known: `resolved` is an address that its name
    /// has, if that is why it was denied.
    #[must_use]
    pub(super) fn missing(&self, url: &Url, resolved: Option<SocketAddr>) -> Vec<Setting> {
        let origin = url.origin().ascii_serialization();
        let (named, host) = (address_of(url), url.host_str().unwrap_or_default());
        let name = named.is_none().then_some(host);
        let mut missing = Vec::new();
        if !self.lists(url) {
            missing.push(Setting::of_bundle(format!(r#""egress": ["{origin}"]"#)));
        }
        let mut will_be_opened = self.is_opened(url);
        // Public ones are denied, too, where they are this machine's own.
        let denied = resolved.or(named.filter(|address| !is_public(address.ip())));
        if let Some(address) = denied.filter(|address| !self.opens(name, *address)) {
            // A name opens what it resolves to, but for what is opened by its address alone.
            let by_name = name.filter(|_| !only_by_address(address.ip()));
            let place =
                by_name.map_or_else(|| address.to_string(), |name| format!("{name}:{}", port_of(url)));
            will_be_opened |= by_name.is_some() || named.is_some();
            let of_others = self.not_for_previews.as_ref();
            let of_others = of_others.filter(|(_, rules)| rules.iter().any(|rule| rule.opens(name, address)));
            missing.push(Setting::of_operator(match of_others {
                Some((app, _)) => format!("[apps.{app}.egress] previews = true"),
                None => format!(r#"[egress] allow_private = ["{place}"]"#),
            }));
        }
        let is_allowed = self.operator.as_ref().is_none_or(|list| list.iter().any(|entry| entry.allows(url)));
        if !is_allowed && !will_be_opened {
            missing.push(Setting::of_operator(format!(r#"[egress] allow = ["{origin}"]"#)));
        }
        missing
    }

    /// Whether this address may be connected for a call to this name, if its URL has one: a public address, or one that the
    /// operator opened.
    #[must_use]
    pub(super) fn may_connect(&self, name: Option<&str>, address: SocketAddr) -> bool {
        is_public(address.ip()) || self.opens(name, address)
    }

    /// Whether the operator opened the private service that a URL names, by its address or its name.
    fn is_opened(&self, url: &Url) -> bool {
        let (name, port) = (url.host_str().unwrap_or_default(), port_of(url));
        match address_of(url) {
            Some(address) => self.opens(None, address),
            None => self.opened.iter().any(|rule| rule.names(name, port)),
        }
    }

    /// Whether the operator opened this address for calls to this name.
    #[must_use]
    pub(super) fn opens(&self, name: Option<&str>, address: SocketAddr) -> bool {
        self.opened.iter().any(|rule| rule.opens(name, address))
    }
}

fn port_of(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(0)
}

/// The address that a URL has in place of a name.
fn address_of(url: &Url) -> Option<SocketAddr> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, port_of(url)))
}

/// What an app sees when an address that it named itself is refused.
fn refused(address: SocketAddr) -> EgressFailure {
    EgressFailure::Denied(format!(
        "{address} is not a public address; only the operator can open it (egress.allow_private)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(bundle: &[&str], allow: Option<&[&str]>, opened: &[&str]) -> Rules {
        let bundle: Vec<OriginPattern> = bundle.iter().map(|text| text.parse().unwrap()).collect();
        let policy = EgressPolicy {
            allow: allow.map(|list| list.iter().map(ToString::to_string).collect()),
            allow_private: opened.iter().map(|text| text.parse().unwrap()).collect(),
            ..EgressPolicy::default()
        };
        Rules::new(&bundle, &policy)
    }

    fn allowed(rules: &Rules, url: &str) -> bool {
        rules.check(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn both_lists_must_name_the_origin() {
        let both = rules(&["https://api.example.com"], Some(&["https://*.example.com"]), &[]);
        assert!(allowed(&both, "https://api.example.com/x?y"));
        assert!(!allowed(&both, "https://other.example.com/"), "not in the bundle");
        assert!(!allowed(&both, "http://api.example.com/"), "other scheme");
        assert!(!allowed(&both, "https://api.example.com:444/"), "other port");
        let operator = rules(&["https://api.example.com"], Some(&[]), &[]);
        assert!(!allowed(&operator, "https://api.example.com/"), "not in the operator's list");
        let suffix = rules(&["https://*.example.com"], None, &[]);
        assert!(allowed(&suffix, "https://a.b.example.com/"));
        assert!(!allowed(&suffix, "https://example.com/") && !allowed(&suffix, "https://evilexample.com/"));
    }

    #[test]
    fn a_url_holds_no_credentials() {
        let rules = rules(&["https://api.example.com"], None, &[]);
        assert!(!allowed(&rules, "https://user@api.example.com/"));
        assert!(!allowed(&rules, "https://:password@api.example.com/"));
        assert!(allowed(&rules, "https://api.example.com/user@"));
    }

    #[test]
    fn private_addresses_need_the_operator_by_address_and_port() {
        let closed = rules(&["http://127.0.0.1:4100", "http://127.0.0.1:4101"], None, &["127.0.0.1:4100"]);
        assert!(allowed(&closed, "http://127.0.0.1:4100/"));
        assert!(!allowed(&closed, "http://127.0.0.1:4101/"));
        assert!(!closed.may_connect(None, "127.0.0.1:80".parse().unwrap()));
        assert!(closed.may_connect(None, "127.0.0.1:4100".parse().unwrap()));
    }

    #[test]
    fn a_service_that_is_opened_needs_no_place_in_the_operators_list() {
        let bundle = ["http://db.internal:80", "http://db.internal:81", "http://10.1.2.3", "http://11.1.2.3"];
        let strict = rules(&bundle, Some(&[]), &["db.internal:80", "10.0.0.0/8"]);
        assert!(allowed(&strict, "http://db.internal/") && allowed(&strict, "http://10.1.2.3/"));
        assert!(!allowed(&strict, "http://db.internal:81/") && !allowed(&strict, "http://11.1.2.3/"));
    }

    fn lines(rules: &Rules, url: &str, resolved: Option<&str>) -> Vec<String> {
        let missing = rules.missing(&url.parse().unwrap(), resolved.map(|text| text.parse().unwrap()));
        missing.into_iter().map(|Setting { file, line }| format!("{file}: {line}")).collect()
    }

    #[test]
    fn every_setting_that_is_missing_is_named_and_opens_the_call() {
        let closed = rules(&["https://api.example.com", "http://api:3000"], None, &[]);
        assert_eq!(
            lines(&closed, "http://127.0.0.1:9900/x", None),
            [
                r#"vitrine.json: "egress": ["http://127.0.0.1:9900"]"#,
                r#"vitrine.toml: [egress] allow_private = ["127.0.0.1:9900"]"#
            ]
        );
        assert_eq!(
            lines(&closed, "http://api:3000/", Some("10.0.0.7:3000")),
            [r#"vitrine.toml: [egress] allow_private = ["api:3000"]"#]
        );
        assert_eq!(
            lines(&closed, "https://other.example/", None),
            [r#"vitrine.json: "egress": ["https://other.example"]"#]
        );
        let strict = rules(&["https://api.example.com"], Some(&["https://cdn.example"]), &[]);
        assert_eq!(
            lines(&strict, "https://api.example.com/", None),
            [r#"vitrine.toml: [egress] allow = ["https://api.example.com"]"#]
        );
        let strict = rules(&["http://api:3000"], Some(&[]), &[]);
        for (resolved, place) in
            [("10.0.0.7:3000", "api:3000"), ("169.254.169.254:3000", "169.254.169.254:3000")]
        {
            let line = format!(r#"vitrine.toml: [egress] allow_private = ["{place}"]"#);
            assert_eq!(lines(&strict, "http://api:3000/", Some(resolved))[0], line);
            let opened = rules(&["http://api:3000"], Some(&[]), &[place]);
            assert!(opened.may_connect(Some("api"), resolved.parse().unwrap()), "{place}");
        }
        let opened = rules(&["http://127.0.0.1:9900"], Some(&[]), &["127.0.0.1:9900"]);
        assert_eq!(lines(&opened, "http://127.0.0.1:9900/x", None), [""; 0]);
        assert!(allowed(&opened, "http://127.0.0.1:9900/x"));
    }

    #[test]
    fn every_spelling_of_a_private_address_is_one() {
        let all = rules(&["http://127.0.0.1"], None, &[]);
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
        ] {
            assert!(!allowed(&all, url), "{url}");
        }
    }
}
