//! Route tables, and a worker that says what a test wants, for the edge's tests.

pub(crate) mod fake_worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vitrine_bundle::{Asset, AssetIndex, Bundle, HeaderRules, Manifest};
use vitrine_core::config::CertificateFiles;
use vitrine_core::id::{Digest, ReleaseId, release_label};
use vitrine_core::telemetry::Metrics;
use vitrine_core::telemetry::connections::Side;
use vitrine_proxy::certificates::Certificates;
use vitrine_proxy::connections::places::{Bounds, Places};
use vitrine_proxy::pool::Pool;
use vitrine_proxy::route::{AppRoute, HostTarget, RouteTable, Target};

/// A file of this content; immutable if its name says so.
pub(crate) fn asset(content: &str, immutable: bool) -> Asset {
    Asset {
        digest: Digest::of(content.as_bytes()),
        bytes: content.len() as u64,
        content_type: "text/javascript".into(),
        immutable,
        encodings: BTreeMap::new(),
    }
}

/// A release that was live and has these files: path, content, immutable.
pub(crate) fn target(app: &str, version: &str, files: &[(&str, &str, bool)]) -> Target {
    let release = ReleaseId::new(app.parse().unwrap(), version.parse().unwrap());
    let assets: AssetIndex = files
        .iter()
        .map(|(path, content, immutable)| ((*path).to_owned(), asset(content, *immutable)))
        .collect();
    let bundle = Bundle {
        digest: Digest::of(version.as_bytes()),
        manifest: Manifest::default(),
        files: assets.len() as u32,
        bytes: 0,
        assets,
        contents: BTreeMap::new(),
        variants: BTreeMap::new(),
        headers: HeaderRules::default(),
    };
    Target {
        pool: Pool::new(release.clone()),
        release,
        bundle: Arc::new(bundle),
        pages: version.into(),
        dir: PathBuf::from("/nonexistent"),
        deltas: None,
        was_live: true,
        rolled_back: false,
        bad: false,
        on_trial: false,
        request_bytes_max: 1 << 20,
        client_stall_ms: 30_000,
        head_timeout_ms: 8_000,
        stream_timeout_ms: 62_000,
    }
}

/// An app with these releases, newest first.
pub(crate) fn app(name: &str, live: &str, releases: Vec<Target>) -> AppRoute {
    let releases: Vec<Arc<Target>> = releases.into_iter().map(Arc::new).collect();
    let live = releases.iter().find(|target| target.release.version.as_str() == live).cloned();
    AppRoute { app: name.parse().unwrap(), live, split: None, releases }
}

/// A table of `localhost` with these apps, epoch 7.
pub(crate) fn table(apps: &[AppRoute]) -> RouteTable {
    let mut table = RouteTable { epoch: 7, domain: "localhost".into(), ..RouteTable::default() };
    for app in apps {
        let app = Arc::new(app.clone());
        table.labels.insert_mut(app.app.to_string(), HostTarget::App(Arc::clone(&app)));
        for target in &app.releases {
            let label = release_label(&app.app, &target.release.version);
            table.labels.insert_mut(label, HostTarget::Release(Arc::clone(&app), Arc::clone(target)));
        }
        table.apps.insert_mut(app.app.clone(), app);
    }
    table
}

/// So many places for one client or many, and two of the reserve.
pub(crate) fn places(all: usize, metrics: &Metrics) -> Arc<Places> {
    let bounds = Bounds { all, reserve: 2, per_client: all, trusted_proxies: Vec::new() };
    Places::new(bounds, metrics.connections(Side::Edge))
}

/// TLS with a certificate that [`client`] trusts, as it does any.
pub(crate) fn tls() -> Arc<rustls::ServerConfig> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tls");
    let files = CertificateFiles { certificate: folder.join("shop.pem"), key: folder.join("shop.key.pem") };
    let certificates = Certificates::load(files, Arc::default()).unwrap();
    certificates.server_config(&[b"h2", b"http/1.1"]).unwrap()
}

/// An HTTP client that follows nothing and trusts any certificate.
pub(crate) fn client(set: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
    // The second test that comes here finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_danger_accept_invalid_certs(true);
    set(builder).build().unwrap()
}
