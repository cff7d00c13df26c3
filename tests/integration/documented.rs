//! Files and snippets that operators copy from the documentation, run by the programs that they are for.

mod caching;
mod cdn;
mod migrate;
mod routing;
mod tls;

use crate::tls_edge::pem;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;
use vitrine_wire::{LimitMaxima, WorkerLimits};

const PATIENCE: Duration = Duration::from_secs(60);

/// A file of the repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The block of code of a document that begins with this text.
fn block(document: &str, begin: &str) -> String {
    let text = file(document);
    let fenced = text.split("\n```").skip(1).step_by(2);
    let mut blocks = fenced.filter_map(|block| block.split_once('\n')).map(|(_, code)| code);
    blocks.find(|code| code.starts_with(begin)).unwrap_or_else(|| panic!("{document}: {begin}")).to_owned()
}

/// Whether a program is here; one line if not.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        println!("SKIPPED: no {program} on this machine");
    }
    found.is_ok()
}

/// nginx with the documented server in front of a host; ended when dropped.
struct Nginx {
    process: Child,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

impl Nginx {
    /// Starts it before this address with this documented server, whose places are those of this test: the usual ones, and `more`.
    fn start(to: SocketAddr, server: &str, more: &[(&str, &str)]) -> Self {
        let folder = Host::folder_anew();
        let path = folder.path().display().to_string();
        // nginx takes no port 0.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut server = server.to_owned();
        let more = more.iter().map(|(documented, here)| (*documented, here.replace("FOLDER", &path)));
        for (documented, here) in more.chain([
            ("listen 443 ssl", format!("listen {address} ssl")),
            ("/etc/ssl/shop.pem", pem("shop.pem").display().to_string()),
            ("/etc/ssl/shop.key", pem("shop.key.pem").display().to_string()),
            ("127.0.0.1:8080", to.to_string()),
        ]) {
            assert!(server.contains(documented), "{documented} in {server}");
            server = server.replace(documented, &here);
        }
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        // One process: nothing is left when it is ended.
        let around =
            format!("daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr;\nevents {{}}\n");
        let text = format!("{around}http {{\naccess_log off;\n{folders}\n{server}\n}}\n");
        std::fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.args(["-e", "stderr", "-p", &path, "-c", "nginx.conf"]).stdin(Stdio::null());
        let process = nginx.spawn().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let nginx = Self { process, address, runtime, _folder: folder };
        wait_until("nginx listens", PATIENCE, || TcpStream::connect(address).ok());
        nginx
    }

    /// Sends a visitor's request, who is at 127.0.0.2 and lies about it. Gives the answer's head and its body as it came.
    fn ask(&self, path: &str, headers: &[(&str, &str)], upload: Option<Vec<u8>>) -> Seen {
        let visitor = [127, 0, 0, 2].into();
        let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        let client = client.resolve("shop.example.com", self.address).local_address(Some(visitor));
        let client = client.build().unwrap();
        let url = format!("https://shop.example.com:{}{path}", self.address.port());
        let request = match upload {
            Some(body) => client.post(url).body(body),
            None => client.get(url),
        };
        let request = request.header("accept-encoding", "gzip").header("x-forwarded-for", "203.0.113.9");
        let request = request.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "http");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Seen { status, headers, body: answer.bytes().await.unwrap().to_vec() }
        })
    }
}

/// What comes back through a proxy.
struct Seen {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Its body, without its coding.
    fn text(&self) -> String {
        let mut text = String::new();
        match self.header("content-encoding") {
            "gzip" => flate2::read::GzDecoder::new(&self.body[..]).read_to_string(&mut text).unwrap(),
            _ => (&self.body[..]).read_to_string(&mut text).unwrap(),
        };
        text
    }
}

#[test]
fn the_unit_for_systemd_is_valid() {
    if !is_there("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("vitrine.service");
    let text = file("deploy/vitrine.service");
    // It is not installed here.
    std::fs::write(&unit, text.replace("/usr/local/bin/vitrine", env!("CARGO_BIN_EXE_vitrine"))).unwrap();
    let ran = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    // A line that it does not know is a warning only.
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
}

/// Names of metrics in a text.
fn metrics(text: &str) -> Vec<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("vitrine_")).collect()
}

#[test]
fn alerts_and_tables_are_about_metrics_that_a_host_has() {
    let telemetry = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/telemetry");
    let sources = std::fs::read_dir(telemetry).unwrap().map(|entry| entry.unwrap().path());
    let registered: String =
        sources.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for document in ["docs/production.md", "deploy/README.md"] {
        let text = file(document);
        let named = metrics(&text);
        assert!(named.len() > 5, "{document}: {named:?}");
        let is_unknown = |name: &&str| {
            let bare = name.trim_start_matches("vitrine_");
            !registered.contains(&format!("\"{bare}\""))
        };
        let unknown: Vec<_> = named.into_iter().filter(is_unknown).collect();
        assert!(unknown.is_empty(), "{document}: {unknown:?}");
    }
}

#[test]
fn examples_of_a_manifest_can_be_copied() {
    for (document, begin) in [("README.md", "{ \"env\""), ("docs/vitrine-json.md", "{\n  \"entry\"")] {
        let example: serde_json::Value = serde_json::from_str(&block(document, begin)).expect(document);
        assert!(example["limits"]["cpu_ms"] == 500, "{document}");
    }
}

#[test]
fn the_alert_counts_pages_that_an_app_itself_answers_with_an_error() {
    let host = Host::start();
    let app = "export default { fetch: (request) => new Response(\"x\", { status: request.url.endsWith(\"/bad\") ? 500 : 200 }) };";
    host.deploy_files("shop", &[("server/index.js", app)], &["--version", "v1"]);
    assert_eq!(host.get("shop", "/bad").send().status, 500);
    let counted = wait_until("counted", PATIENCE, || {
        let metrics = host.call("GET", "/metrics").send().text().to_owned();
        let line = metrics
            .lines()
            .find(|line| line.contains("http_requests_total{") && line.contains("code=\"500\"} 1"));
        line.map(ToOwned::to_owned)
    });
    assert!(counted.contains("outcome=\"ok\""), "{counted}");
    let rules = block("docs/production.md", "groups:");
    let alert = rules.lines().skip_while(|line| !line.contains("VitrineErrors"));
    let alert: String = alert.take_while(|line| !line.contains("for:")).collect();
    assert!(alert.contains("code=~\"5..\""), "{alert}");
}

#[test]
fn counters_are_0_from_an_apps_first_deploy_on() {
    let host = Host::start();
    let app = [("server/index.js", "export default () => new Response('hi');")];
    host.deploy_files("shop", &app, &["--version", "v1"]);
    let are_zero = |host: &Host| {
        let metrics = host.call("GET", "/metrics").send().text().to_owned();
        for begin in [
            "vitrine_flips_total{app=\"shop\",kind=\"rollback\"",
            "vitrine_worker_replacements_total{app=\"shop\"",
            "vitrine_warm_failures_total{app=\"shop\"",
            "vitrine_http_requests_total{app=\"shop\",release=\"v1\",outcome=\"crashed\"",
        ] {
            let found = metrics.lines().find(|line| line.starts_with(begin));
            assert!(found.is_some_and(|line| line.ends_with(" 0")), "{begin}: {found:?}\n{metrics}");
        }
    };
    are_zero(&host);
    are_zero(&Host::start_in(host.kill(), &["--isolation", "process"]));
}

#[test]
fn prometheus_takes_the_rules_and_the_job() {
    let rules = block("docs/production.md", "groups:");
    let scrape = block("docs/production.md", "- job_name: vitrine");
    if !is_there("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "vit_x").unwrap();
    let scrape = scrape.replace("/etc/prometheus/vitrine.token", token.to_str().unwrap());
    let scrape = scrape.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let config = format!("rule_files: [rules.yml]\nscrape_configs:\n{scrape}");
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let mut check = Command::new("promtool");
    let ran = check.args(["check", "config", "prometheus.yml"]).current_dir(folder.path()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// The code has one list of limits: what else names them has the same names, and the same numbers.
#[test]
fn limits_are_the_same_in_the_manual_the_plugin_and_the_settings() {
    let defaults = serde_json::to_value(WorkerLimits::default()).unwrap();
    let manual = file("docs/vitrine-json.md");
    let example: serde_json::Value =
        serde_json::from_str(&block("docs/vitrine-json.md", "{\n  \"entry\"")).unwrap();
    assert_eq!(example["limits"], defaults);
    let plugin = file("packages/vite-plugin-vitrine/src/bundle-manifest.js");
    let (_, listed) = plugin.split_once("const LIMITS = {\n").unwrap();
    let (listed, _) = listed.split_once("};").unwrap();
    let mut listed: Vec<_> = listed.lines().filter_map(|line| Some(line.trim().split_once(':')?.0)).collect();
    listed.sort_unstable();
    let mut names: Vec<_> = defaults.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(listed, names);
    for name in names {
        assert!(manual.contains(&format!("`limits.{name}`")), "{name} has no row");
    }
    let settings: toml::Table = file("deploy/vitrine.toml").parse().unwrap();
    let maxima = serde_json::to_value(LimitMaxima::default()).unwrap();
    assert_eq!(serde_json::to_value(&settings["limits"]).unwrap(), maxima);
}
