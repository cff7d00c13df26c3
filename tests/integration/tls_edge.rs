//! The TLS listener: redirects to it, certificates that change under it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A file of the fixtures.
pub fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A host with a TLS listener and a page, with these further lines in `[tls]` and below it.
struct Secure {
    host: Host,
    /// Where the TLS listener is.
    tls: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

/// Puts a certificate and its key from the fixtures into a folder, as a renewal does.
fn renew(folder: &Path, name: &str) {
    put(folder, name, "live");
}

/// As [`renew`], with this name.
fn put(folder: &Path, name: &str, as_name: &str) {
    std::fs::create_dir_all(folder).unwrap();
    for ending in ["pem", "key.pem"] {
        std::fs::copy(pem(&format!("{name}.{ending}")), folder.join("staged")).unwrap();
        std::fs::rename(folder.join("staged"), folder.join(format!("{as_name}.{ending}"))).unwrap();
    }
}

impl Secure {
    fn start(further: &str) -> Self {
        let folder = Host::folder_anew();
        renew(folder.path(), "localhost");
        Self::start_in(folder, further)
    }

    fn start_in(folder: TempDir, further: &str) -> Self {
        Self::start_with(folder, &format!("certificate = \"live.pem\"\nkey = \"live.key.pem\"\n{further}"))
    }

    /// With these lines in `[tls]` alone.
    fn start_with(folder: TempDir, lines: &str) -> Self {
        let toml = format!("trusted_proxies = [\"127.0.0.2/32\"]\n[tls]\nlisten = \"127.0.0.1:0\"\n{lines}");
        std::fs::write(folder.path().join("vitrine.toml"), toml).unwrap();
        let host = Host::start_in(folder, &["--isolation", "process"]);
        let url = host.deploy("shop", "page", &["--version", "v1"]);
        let port = url.rsplit_once(':').unwrap().1.trim_end_matches('/').parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { host, tls: SocketAddr::from(([127, 0, 0, 1], port)), runtime }
    }

    /// An answer over TLS to who asks for this name, and the certificate that was shown.
    fn ask(&self, name: &str) -> (reqwest::Response, Vec<u8>) {
        asked(&self.runtime, self.tls, name)
    }

    fn plain(&self, path: &str) -> Request {
        self.host.get("shop", path)
    }
}

/// A certificate of the fixtures.
pub fn der(name: &str) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject as _;
    rustls_pki_types::CertificateDer::from_pem_file(pem(name)).unwrap().to_vec()
}

/// The certificate that a TLS listener shows to who asks for this name.
pub fn shown(tls: SocketAddr, name: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    asked(&runtime, tls, name).1
}

fn asked(runtime: &tokio::runtime::Runtime, tls: SocketAddr, name: &str) -> (reqwest::Response, Vec<u8>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).tls_info(true);
    let client = client.resolve(name, tls).build().unwrap();
    let answer = runtime.block_on(client.get(format!("https://{name}:{}/", tls.port())).send()).unwrap();
    let shown = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap();
    let shown = shown.to_vec();
    (answer, shown)
}

#[test]
fn plain_http_is_sent_to_https_except_for_checks_and_certificate_authorities() {
    let secure = Secure::start("hsts_max_age_s = 300\n");
    let sent = secure.plain("/cart?item=1").send();
    let there = format!("https://shop.localhost:{}/cart?item=1", secure.tls.port());
    assert_eq!((sent.status, sent.header("location")), (308, Some(&*there)));
    assert_eq!(sent.header("strict-transport-security"), None, "anybody could say that over plain HTTP");
    for path in ["/_vitrine/healthz", "/_vitrine/readyz", "/.well-known/acme-challenge/token"] {
        assert_eq!(secure.plain(path).send().status, 200, "{path}");
    }
    let posted = Request::new(secure.host.edge, "POST", "/").with_host("shop.localhost").body("order").send();
    assert_eq!(posted.status, 308);
    let (answer, _) = secure.ask("shop.localhost");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=300");

    // Behind a port mapping clients are sent to the port that they can reach, and people are told of it.
    let folder = Host::folder_anew();
    renew(folder.path(), "localhost");
    let toml =
        "[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"live.pem\"\nkey = \"live.key.pem\"\npublic_port = ";
    let file = folder.path().join("vitrine.toml");
    std::fs::write(&file, format!("{toml}0\n")).unwrap();
    Cli::new(&["config", "check", file.to_str().unwrap()]).fails(1, &["vitrine.toml:5:15:", "nonzero"]);
    std::fs::write(&file, format!("{toml}443\n")).unwrap();
    let mapped = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(mapped.deploy("shop", "page", &["--version", "v1"]).trim(), "https://shop-v1.localhost");
    let sent = mapped.get("shop", "/cart").send();
    assert_eq!((sent.status, sent.header("location")), (308, Some("https://shop.localhost/cart")));

    let off = Secure::start("redirect = false\n");
    assert_eq!((off.plain("/").send().status, off.plain("/").send().text()), (200, "page"));
    assert!(!off.ask("shop.localhost").0.headers().contains_key("strict-transport-security"));
}

#[test]
fn a_renewed_certificate_is_served_without_an_upgrade_and_a_broken_one_never() {
    let further = format!(
        "[[tls.certificates]]\ncertificate = {:?}\nkey = {:?}\n",
        pem("wildcard.pem"),
        pem("wildcard.key.pem")
    );
    let secure = Secure::start(&further);
    let (host, folder) = (&secure.host, secure.host.data().parent().unwrap().to_owned());
    let shown = |name| secure.ask(name).1;
    assert_eq!(
        (shown("shop.localhost"), shown("blog.shop.example")),
        (der("localhost.pem"), der("wildcard.pem"))
    );
    let metric = |start: &str| {
        let told = host.call("GET", "/metrics").send();
        told.text()
            .lines()
            .find(|line| line.starts_with(start) && line.contains("live.pem"))
            .map(str::to_owned)
    };
    let expires = metric("vitrine_certificate_expiry_seconds").unwrap();
    assert!(expires.contains("name=\"localhost\"") && expires.ends_with(" 4857580800"), "{expires}");

    renew(&folder, "shop");
    wait_until("the renewed certificate", PATIENCE, || {
        (shown("shop.localhost") == der("shop.pem")).then_some(())
    });
    std::fs::write(folder.join("live.pem"), "-----BEGIN CERTIFICATE-----\nbroken\n").unwrap();
    wait_until("a failure on record", PATIENCE, || {
        metric("vitrine_certificate_reload_failures_total")?.ends_with(" 1").then_some(())
    });
    assert_eq!(shown("shop.localhost"), der("shop.pem"));
    let log = host.log();
    assert!(log.contains("live.pem: the certificate chain can't be read as PEM"), "{log}");
    // What a start would be refused for, an upgrade is, with the same words.
    host.upgrade().fails(1, &["serves on", "live.pem: the certificate chain can't be read as PEM"]);
    assert_eq!(shown("shop.localhost"), der("shop.pem"));
    renew(&folder, "localhost");
    host.upgrade().ok();
}

#[test]
fn certificates_of_a_folder_come_and_go_while_the_host_runs() {
    let folder = Host::folder_anew();
    let certificates = folder.path().join("certificates");
    put(&certificates, "localhost", "default");
    put(&certificates, "wildcard", "wildcard");
    put(&certificates, "shop", "broken");
    std::fs::write(certificates.join("broken.pem"), "").unwrap();
    let secure = Secure::start_with(folder, "folder = \"certificates\"\n");
    let shown = |name| secure.ask(name).1;
    assert_eq!(shown("shop.localhost"), der("localhost.pem"));
    assert_eq!(shown("www.shop.example"), der("wildcard.pem"));
    let (host, configuration) = (&secure.host, secure.host.folder().join("vitrine.toml"));
    let broken = "broken.pem: there is no certificate in this file";
    assert!(host.log().contains(broken), "{}", host.log());
    Cli::new(&["config", "check", configuration.to_str().unwrap()]).within(host.folder()).fails(1, &[broken]);
    let toml = std::fs::read_to_string(&configuration).unwrap();
    let authority = "[acme]\nagree_to_terms = true\nca = \"no-ca.pem\"\n";
    std::fs::write(&configuration, format!("{toml}{authority}")).unwrap();
    Cli::new(&["config", "check", configuration.to_str().unwrap()])
        .within(host.folder())
        .fails(1, &[broken, "no-ca.pem: the file can't be read"]);
    std::fs::write(&configuration, toml).unwrap();
    // A successor would serve fewer names than this host might.
    host.upgrade().fails(1, &["serves on", broken]);

    put(&certificates, "shop", "broken");
    wait_until("the mended certificate", PATIENCE, || {
        (shown("www.shop.example") == der("shop.pem")).then_some(())
    });
    host.upgrade().ok();
    assert_eq!(shown("www.shop.example"), der("shop.pem"));
    std::fs::remove_file(certificates.join("broken.pem")).unwrap();
    std::fs::remove_file(certificates.join("broken.key.pem")).unwrap();
    wait_until("the removed certificate is gone", PATIENCE, || {
        (shown("www.shop.example") == der("wildcard.pem")).then_some(())
    });
}
