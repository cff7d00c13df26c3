//! Which names get a certificate: those that lead somewhere.

use vitrine_proxy::route::{HostTarget, RouteTable};

/// Names of the operator and of apps that have a live release.
pub(super) fn of_apps(table: &RouteTable) -> impl Iterator<Item = String> {
    let live = |target: &HostTarget| matches!(target, HostTarget::App(route) if route.live.is_some());
    let labels = table.labels.iter().filter(move |(_, target)| live(target));
    let below = labels.map(|(label, _)| format!("{label}.{}", table.domain));
    let bare = table.resolve(&table.domain).is_some().then(|| table.domain.clone());
    let of_rules = table.rules.iter().flat_map(|rules| rules.hosts()).map(str::to_owned);
    let of_hosts = table.hosts.keys().cloned();
    of_hosts.chain(of_rules).chain(below).chain(bare).filter(|name| is_issuable(name))
}

/// Whether a name that a client asks for may have one: no stranger makes up another.
pub(super) fn leads_somewhere(table: &RouteTable, name: &str) -> bool {
    let is_of_rule = || table.rules.iter().any(|rules| rules.names(name));
    is_issuable(name) && (table.names(name) || is_of_rule())
}

/// `localhost` is every machine's own.
fn is_issuable(name: &str) -> bool {
    let is_local = name == "localhost" || name.ends_with(".localhost");
    !is_local && !name.is_empty() && name.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{app, table, target};
    use super::*;
    use std::path::Path;
    use std::sync::Arc;
    use vitrine_core::config::RoutingRules;
    use vitrine_proxy::rules::Rules;

    #[test]
    fn names_of_live_apps_have_certificates_and_no_others_unless_they_lead_somewhere() {
        let live = app("shop", "v1", vec![target("shop", "v1", &[]), target("shop", "v2", &[])]);
        let mut routes = table(std::slice::from_ref(&live));
        routes.domain = "apps.example".into();
        routes.hosts = [("shop.example".to_owned(), Arc::new(live))].into();
        let mut names: Vec<_> = of_apps(&routes).collect();
        names.sort_unstable();
        assert_eq!(names, ["shop.apps.example", "shop.example"]);
        for (name, leads) in [
            ("shop.example", true),
            ("shop.apps.example", true),
            ("shop-v2.apps.example", true),
            ("shop-v3.apps.example", false),
            ("evil.example", false),
            ("a.shop.example", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(leads_somewhere(&routes, name), leads, "{name}");
        }
        let rules = RoutingRules::parse(
            "[[route]]\nhost = \"www.example\"\nrespond = { status = 200 }\n[[route]]\nhost = \"*.wild.example\"\nmaintenance = true\n",
            Path::new("routes"),
        );
        routes.rules = Some(Arc::new(Rules::compile(&rules.unwrap()).unwrap()));
        assert!(leads_somewhere(&routes, "www.example") && !leads_somewhere(&routes, "a.wild.example"));
        assert!(of_apps(&routes).any(|name| name == "www.example"));
        routes.rules = None;
        routes.domain = "localhost".into();
        assert!(!leads_somewhere(&routes, "shop.localhost"));
        assert_eq!(of_apps(&routes).collect::<Vec<_>>(), ["shop.example"]);
    }
}
