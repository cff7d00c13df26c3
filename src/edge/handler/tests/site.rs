//! The edge over real sockets, with a worker that speaks the real protocol.

use super::super::super::asset_cache::AssetCache;
use super::super::super::clients::Clients;
use super::super::super::connection::{ConnectionConfig, protocols};
use super::super::super::fixture::fake_worker::{FakeWorker, Seen, fake_worker};
use super::super::super::fixture::{app, client, places, table, target};
use super::super::super::https::Https;
use super::super::super::listener;
use super::super::super::state::{EdgeState, Wake};
use super::super::super::wake_quota::WakeQuota;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vitrine_bundle::Encoding;
use vitrine_control::release::WakeError;
use vitrine_core::id::ReleaseId;
use vitrine_core::telemetry::{LogGuard, Logs, Metrics, Telemetry};
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::connections::activity::ConnectionTimeouts;
use vitrine_proxy::pool::Pool;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::route::{Routes, Target};

pub(super) const SCRIPT: &str = "/assets/app-1a2b3c4d.js";
pub(super) const LARGE: &str = "/large.bin";

/// Gives the release its worker when it is woken.
pub(super) struct Sleeper {
    pool: Arc<Pool>,
    worker: FakeWorker,
    /// Happens before that, if it is set.
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

pub(super) type Meanwhile = Box<dyn FnOnce() + Send>;

impl Wake for Sleeper {
    async fn wake(&self, _: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        if let Some(happens) = self.meanwhile.lock().unwrap().take() {
            happens();
            return Ok(Arc::clone(&self.pool));
        }
        self.pool.replace(self.worker.instance());
        Ok(Arc::clone(&self.pool))
    }
}

#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) struct Site {
    pub(super) address: SocketAddr,
    pub(super) client: Client,
    pub(super) seen: Seen,
    pub(super) lines: Lines,
    pub(super) metrics: Arc<Metrics>,
    pub(super) pool: Arc<Pool>,
    pub(super) routes: Routes,
    pub(super) meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    _guard: LogGuard,
    pub(super) dir: tempfile::TempDir,
}

pub(super) fn shop(dir: &std::path::Path) -> Target {
    let large = "0123456789abcdef".repeat(32 << 10);
    let files =
        [(SCRIPT, "let a = 1", true), (LARGE, large.as_str(), false), ("/index.html", "<p>shell", false)];
    let mut target = target("shop", "v1", &files);
    let bundle = Arc::get_mut(&mut target.bundle).unwrap();
    for (path, content, _) in files {
        let place = dir.join("files/client").join(&path[1..]);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, content).unwrap();
    }
    bundle.manifest.shell = Some("index.html".into());
    let script = bundle.assets.get_mut(SCRIPT).unwrap();
    script.encodings.insert(Encoding::Br, 6);
    std::fs::create_dir_all(dir.join("encoded")).unwrap();
    std::fs::write(dir.join(format!("encoded/{}.br", script.digest)), "brotli").unwrap();
    Target { dir: dir.to_owned(), request_bytes_max: 100, ..target }
}

pub(super) async fn site() -> Site {
    site_with(None, None).await
}

pub(super) async fn site_with(guard: Option<Arc<Guard>>, encoders: Option<Arc<AppPlaces>>) -> Site {
    let dir = tempfile::tempdir().unwrap();
    let target = shop(dir.path());
    let worker = fake_worker(&target.release).await;
    let (seen, pool) = (Arc::clone(&worker.seen), Arc::clone(&target.pool));
    let routes = Routes::new("localhost");
    routes.publish(table(&[app("shop", "v1", vec![target])]));
    let (lines, meanwhile) = (Lines::default(), Arc::default());
    let (logs, log_guard) = Logs::to(lines.clone());
    let metrics = Arc::new(Metrics::new());
    let line = EdgeState {
        routes: routes.clone(),
        wake: Sleeper { pool: Arc::clone(&pool), worker, meanwhile: Arc::clone(&meanwhile) },
        wake_quota: WakeQuota::new(),
        telemetry: Arc::new(Telemetry { metrics: Arc::clone(&metrics), logs }),
        trusted_proxies: Vec::new(),
        trusted_headers: Vec::new(),
        trust_forwarded_host: false,
        clients: Clients::new(2),
        socket_clients: Clients::new(2),
        guard,
        files: AssetCache::new(),
        shared_domain: Some("localhost".into()),
        https: Https::default(),
        issued: None,
        skew_protection: true,
        diagnostic_headers: true,
        alone: false,
        metrics: vitrine_core::config::MetricsRules::default(),
        shutdown: CancellationToken::new(),
        handed_over: CancellationToken::new(),
        encoders,
        upstreams: vitrine_proxy::upstreams::Upstreams::default(),
        sockets: AppPlaces::new(2, 2),
        pages: None,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let terms = ConnectionConfig {
        handler: Arc::new(line),
        protocols: protocols(),
        timeouts: ConnectionTimeouts::default(),
        tls: None,
    };
    let places = places(64, &metrics);
    let leaving = vitrine_proxy::connections::shutdown::Shutdown::default();
    tokio::spawn(listener::run(listener, Arc::new(terms), places, Duration::ZERO, leaving));
    Site {
        address,
        client: client(|builder| builder.http1_only().resolve("shop.localhost", address)),
        seen,
        lines,
        metrics,
        pool,
        routes,
        meanwhile,
        _guard: log_guard,
        dir,
    }
}

impl Site {
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(http::Method::GET, path)
    }

    pub(super) fn ask(&self, method: http::Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://shop.localhost:{}{path}", self.address.port()))
    }

    pub(super) fn browse(&self, path: &str) -> RequestBuilder {
        self.get(path).header("accept", "text/html,*/*;q=0.8").header("sec-fetch-mode", "navigate")
    }

    /// The log line of a path, once it is written.
    pub(super) async fn line(&self, path: &str) -> Value {
        for _ in 0..200 {
            let text = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
            let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            if let Some(line) = lines.find(|line| line["path"] == path) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there is no line for {path}");
    }
}
