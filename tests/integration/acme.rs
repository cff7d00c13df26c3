//! Certificates by ACME, from Pebble.

use crate::tls_edge::pem;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::pebble::{Pebble, free_address};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);
/// Lifetime of usual certificates.
const QUARTER_S: u32 = 90 * 86_400;
const DOMAIN: &str = "apps.example.com";

/// A host that orders from Pebble.
struct Ordering {
    host: Host,
    pebble: Pebble,
    tls: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

/// A folder with this in `[acme]`, besides what the test needs; its TLS listener, and where Pebble is expected.
fn configured(acme: &str) -> (TempDir, SocketAddr, SocketAddr) {
    let (tls, authority) = (free_address(), free_address());
    let toml = format!(
        "domain = \"{DOMAIN}\"\n[tls]\nlisten = \"{tls}\"\n[[routes]]\nhost = \"shop.example.com\"\napp = \"shop\"\n\
         [acme]\nagree_to_terms = true\nemail = \"ops@example.com\"\ndirectory = \"{}\"\nca = {:?}\n{acme}",
        Pebble::directory(authority),
        pem("root.pem"),
    );
    (Host::configured(&toml), tls, authority)
}

/// Pebble there, which looks at names at these two listeners.
pub fn pebble(authority: SocketAddr, plain: SocketAddr, tls: SocketAddr) -> Pebble {
    lasting(authority, plain, tls, QUARTER_S)
}

fn lasting(authority: SocketAddr, plain: SocketAddr, tls: SocketAddr, lifetime_s: u32) -> Pebble {
    Pebble::start(authority, [&pem("localhost.pem"), &pem("localhost.key.pem")], plain, tls, lifetime_s)
}

impl Ordering {
    /// With `shop` at v1, which is deployed once Pebble runs.
    fn start(acme: &str) -> Self {
        Self::start_lasting(acme, QUARTER_S)
    }

    /// As [`Ordering::start`], with certificates that last so many seconds.
    fn start_lasting(acme: &str, lifetime_s: u32) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (folder, tls, authority) = configured(acme);
        let host = Host::start_in(folder, &["--isolation", "process"]);
        let pebble = lasting(authority, host.edge, tls, lifetime_s);
        host.deploy("shop", "page", &["--version", "v1"]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { host, pebble, tls, runtime }
    }

    /// See [`visit`].
    fn visit(&self, name: &str, root: &[u8]) -> Option<(String, Vec<u8>)> {
        visit(&self.runtime, self.tls, name, root)
    }

    /// The root of Pebble's certificates.
    fn root(&self) -> Vec<u8> {
        self.runtime.block_on(self.pebble.root())
    }

    /// A line of the metrics that has these parts.
    fn metric(&self, parts: &[&str]) -> Option<String> {
        let told = self.host.call("GET", "/metrics").send();
        told.text().lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
    }
}

/// The page of a name, and the certificate that was shown, if a browser that trusts this root alone would see it.
pub fn visit(
    runtime: &tokio::runtime::Runtime,
    tls: SocketAddr,
    name: &str,
    root: &[u8],
) -> Option<(String, Vec<u8>)> {
    let root = reqwest::Certificate::from_pem(root).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).tls_info(true);
    let client = client.resolve(name, tls).build().unwrap();
    runtime.block_on(async {
        let answer = client.get(format!("https://{name}:{}/", tls.port())).send().await.ok()?;
        let shown = answer.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?.to_vec();
        Some((answer.text().await.ok()?, shown))
    })
}

#[test]
fn names_of_apps_get_certificates_over_http_which_outlive_a_restart() {
    if !Pebble::is_there() {
        return;
    }
    let ordering = Ordering::start("challenges = [\"http-01\"]\n");
    let root = ordering.root();
    let visit_of = |name: &str| ordering.visit(name, &root);
    let own = format!("shop.{DOMAIN}");
    let shown = ["shop.example.com", &own].map(|name| {
        let (page, shown) = wait_until(name, PATIENCE, || visit_of(name));
        assert_eq!(page, "page");
        shown
    });
    assert_ne!(shown[0], shown[1]);
    assert!(
        ordering
            .metric(&["vitrine_certificate_expiry_seconds", "file=\"acme\"", "shop.example.com"])
            .is_some()
    );
    let issued = ordering.metric(&["vitrine_acme_orders_total", "issued"]).unwrap();
    assert!(issued.ends_with(" 2"), "{issued}");

    // Names that lead nowhere are not asked for, whatever a client says; nor is a version, without `on_demand`.
    for name in ["evil.example.com", &format!("shop-v1.{DOMAIN}"), &format!("evil.{DOMAIN}")] {
        assert!(visit_of(name).is_none(), "{name}");
    }
    let plain = |host: &str, path: &str| Request::new(ordering.host.edge, "GET", path).with_host(host).send();
    let other = plain("shop.example.com", "/.well-known/acme-challenge/unknown");
    assert_eq!((other.status, other.text()), (200, "page"), "a challenge of others is the app's");
    assert_eq!(plain("shop.example.com", "/cart").status, 308);

    // Certificates are kept, their keys in no readable form, and nothing is asked again.
    let Ordering { host, pebble, tls, runtime } = ordering;
    let log = pebble.log();
    assert!(!log.contains("evil"), "{log}");
    drop(pebble);
    assert!(!host.log().contains("PRIVATE"), "{}", host.log());
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(visit(&runtime, tls, "shop.example.com", &root).unwrap().1, shown[0]);
    host.upgrade().ok();
    assert_eq!(visit(&runtime, tls, &own, &root).unwrap().1, shown[1]);
    assert!(!host.log().contains("no new certificate"), "{}", host.log());
}

#[test]
fn a_version_gets_its_certificate_when_somebody_asks_for_it_by_a_handshake_alone() {
    if !Pebble::is_there() {
        return;
    }
    let ordering = Ordering::start("challenges = [\"tls-alpn-01\"]\non_demand = true\n");
    let root = ordering.root();
    let version = format!("shop-v1.{DOMAIN}");
    for name in ["evil.example.com", &format!("shop-v2.{DOMAIN}"), &format!("evil.{DOMAIN}")] {
        assert!(ordering.visit(name, &root).is_none(), "{name}");
    }
    // Names are looked at in the order in which clients ask for them.
    assert!(ordering.visit(&version, &root).is_none(), "nobody has asked for it before");
    for name in [&*version, "shop.example.com"] {
        assert_eq!(wait_until(name, PATIENCE, || ordering.visit(name, &root)).0, "page", "{name}");
    }
    // A client that names the authority's protocol gets no certificate and no page.
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let refused = ordering.runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(ordering.tls).await.unwrap();
        let name = rustls_pki_types::ServerName::try_from("shop.example.com").unwrap();
        tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await
    });
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("alert"), "the host ends the handshake: {refused}");
    let log = ordering.pebble.log();
    assert!(log.contains(&version) && !log.contains("evil") && !log.contains("shop-v2"), "{log}");
}

#[test]
fn a_certificate_is_renewed_before_it_ends_while_the_host_runs() {
    if !Pebble::is_there() {
        return;
    }
    // Due when 30 of these seconds are left, and looked for every 30.
    let ordering = Ordering::start_lasting("", 90);
    let root = ordering.root();
    let shown = || ordering.visit("shop.example.com", &root).map(|(_, shown)| shown);
    let first = wait_until("a certificate", PATIENCE, shown);
    wait_until("another certificate", 2 * PATIENCE, || {
        let next = shown().expect("there is always one that is good");
        (next != first).then_some(())
    });
}

#[test]
fn a_refused_name_is_told_and_waits_also_through_a_restart() {
    if !Pebble::is_there() {
        return;
    }
    let (folder, _, authority) = configured("");
    let host = Host::start_in(folder, &["--isolation", "process"]);
    // It looks where nobody is.
    let pebble = pebble(authority, free_address(), free_address());
    host.deploy("shop", "page", &["--version", "v1"]);
    wait_until("both names are refused", PATIENCE, || {
        let log = host.log();
        let told = |name: &str| {
            let mut lines = log.lines().filter(|line| line.contains("no new certificate"));
            lines.any(|line| line.contains(&format!("\"{name}\"")) && line.contains("refused the name"))
        };
        (told("shop.example.com") && told(&format!("shop.{DOMAIN}"))).then_some(())
    });
    let orders = |pebble: &Pebble| pebble.log().matches("Added order").count();
    let before = orders(&pebble);
    assert!(before >= 2, "{}", pebble.log());
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.deploy("blog", "page", &["--version", "v1"]);
    let told = format!("\"blog.{DOMAIN}\"");
    wait_until("a new name is asked for", PATIENCE, || {
        host.log()
            .lines()
            .any(|line| line.contains("no new certificate") && line.contains(&told))
            .then_some(())
    });
    assert!(orders(&pebble) <= before + 1, "those that failed wait for a minute: {}", pebble.log());
}
