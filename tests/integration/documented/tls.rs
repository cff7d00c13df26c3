//! The configurations of docs/tls.md.

use super::block;
use crate::acme::{pebble, visit};
use crate::tls_edge::{der, pem, shown};
use std::net::SocketAddr;
use std::path::Path;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::pebble::{Pebble, free_address};
use vitrine_test_support::wait::wait_until;

/// A configuration of the document with other places: each is in it.
fn documented(begin: &str, places: &[(&str, &str)]) -> String {
    let mut text = block("docs/tls.md", begin);
    for (there, here) in places {
        assert!(text.contains(there), "{there} in {text}");
        text = text.replace(there, here);
    }
    text
}

/// A host with this configuration that serves `shop`.
fn serving(toml: &str) -> Host {
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    host.deploy("shop", "page", &["--version", "v1"]);
    host
}

fn listener() -> (SocketAddr, String) {
    let address = free_address();
    (address, address.to_string())
}

#[test]
fn a_pair_of_files_and_further_ones() {
    let (tls, address) = listener();
    let file = |name: &str| pem(name).display().to_string();
    let toml = documented(
        "listen = \"0.0.0.0:80\"\n\n[tls]\nlisten = \"0.0.0.0:443\"\ncertificate",
        &[
            ("0.0.0.0:443", &address),
            ("/etc/vitrine/example.com.pem", &file("localhost.pem")),
            ("/etc/vitrine/example.com.key.pem", &file("localhost.key.pem")),
            ("/etc/vitrine/shop.example.pem", &file("shop.pem")),
            ("/etc/vitrine/shop.example.key.pem", &file("shop.key.pem")),
        ],
    );
    let _host = serving(&toml);
    assert_eq!(shown(tls, "www.shop.example"), der("shop.pem"));
    assert_eq!(shown(tls, "elsewhere.example"), der("localhost.pem"));
}

#[test]
fn a_folder_as_certbot_makes_it() {
    let (tls, address) = listener();
    let live = Host::folder_anew();
    for (name, folder) in [("shop", "shop.example"), ("wildcard", "a.example")] {
        let folder = live.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(pem(&format!("{name}.pem")), folder.join("fullchain.pem")).unwrap();
        std::fs::copy(pem(&format!("{name}.key.pem")), folder.join("privkey.pem")).unwrap();
    }
    let path = |path: &Path| path.display().to_string();
    let toml = documented(
        "listen = \"0.0.0.0:80\"\n\n[tls]\nlisten = \"0.0.0.0:443\"\nfolder",
        &[("0.0.0.0:443", &address), ("/etc/letsencrypt/live", &path(live.path()))],
    );
    let _host = serving(&toml);
    assert_eq!(shown(tls, "www.shop.example"), der("shop.pem"));
    assert_eq!(shown(tls, "blog.shop.example"), der("wildcard.pem"));
}

#[test]
fn certificates_by_acme_with_lets_encrypts_own_test_server() {
    if !Pebble::is_there() {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (tls, address) = listener();
    let authority = free_address();
    let toml = documented("listen = \"0.0.0.0:80\"\ndomain", &[("0.0.0.0:443", &address)]);
    // The lines of another authority, instead of the usual one.
    let other = documented(
        "[acme]",
        &[
            ("https://ca.example.com:9000/acme/acme/directory", &Pebble::directory(authority)),
            ("/etc/vitrine/ca-root.pem", &pem("root.pem").display().to_string()),
        ],
    );
    let (_, other) = other.split_once("agree_to_terms = true\n").unwrap();
    let host = Host::start_in(Host::configured(&format!("{toml}\n{other}")), &["--isolation", "process"]);
    let pebble = pebble(authority, host.edge, tls);
    host.deploy("shop", "page", &["--version", "v1"]);
    let root = runtime.block_on(pebble.root());
    for name in ["shop.example.com", "shop.apps.example.com"] {
        wait_until(name, super::PATIENCE, || visit(&runtime, tls, name, &root));
    }
}

#[test]
fn redirects_and_hsts_behind_a_port_mapping() {
    let (_, address) = listener();
    let folder = Host::folder_anew();
    for file in ["shop.pem", "shop.key.pem"] {
        std::fs::copy(pem(file), folder.path().join(file)).unwrap();
    }
    let toml = documented(
        "[tls]",
        &[("0.0.0.0:8443", &address), ("/etc/vitrine/certificates", &folder.path().display().to_string())],
    );
    let host = serving(&toml);
    let sent = Request::new(host.edge, "GET", "/cart").with_host("shop.localhost").send();
    assert_eq!((sent.status, sent.header("location")), (308, Some("https://shop.localhost/cart")));
}
