//! `vitrine solo`: one release under a scheduler.

use crate::egress::Upstream;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::processes::workers_of;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running `solo`; killed when dropped, should a test fail before it has ended it.
struct Solo {
    edge: SocketAddr,
    child: Child,
    /// For temporary files and the log.
    folder: TempDir,
}

impl Solo {
    fn start(bundle: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_with(bundle, &[], environment)
    }

    fn start_with(bundle: &Path, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::with_prefix_in("vt-", "/tmp").unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_vitrine"))
            .args(["solo", "--bundle"])
            .arg(bundle)
            .args(flags)
            .args((!flags.contains(&"--listen")).then_some("--listen=127.0.0.1:0"))
            .env("TMPDIR", folder.path().join("tmp"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let edge = line.split_whitespace().find_map(|part| part.strip_prefix("edge=http://"));
        let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
        let edge = edge.unwrap_or_else(|| panic!("`{line}` is not `ready`: {}", log())).parse().unwrap();
        assert!(line.starts_with("ready ") && line.contains("isolation=process"), "{line}");
        Self { edge, child, folder }
    }

    fn get(&self, path: &str) -> Answer {
        Request::new(self.edge, "GET", path).header("host", "whatever.example").send()
    }

    fn until_ready(&self) {
        wait_until("ready", PATIENCE, || (self.get("/_vitrine/readyz").status == 200).then_some(()));
    }

    fn healthcheck(&self) -> Cli {
        let url = format!("http://{}/_vitrine/readyz", self.edge);
        Cli::new(&["healthcheck"]).env("VITRINE_HEALTHCHECK_URL", &url)
    }

    fn signal(&self) {
        assert!(
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success()
        );
    }

    /// Its exit code.
    fn end(&mut self) -> Option<i32> {
        wait_until("the end", PATIENCE, || self.child.try_wait().unwrap()).code()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_release_is_served_and_drained() {
    let bundle = bundle_dir(&[
        (
            "server/index.js",
            &std::fs::read_to_string(fixture("slow-stream").join("server/index.js")).unwrap(),
        ),
        ("client/assets/app-1a2b3c4d.js", "export {};\n"),
    ]);
    let mut solo = Solo::start(bundle.path(), &[]);
    solo.until_ready();
    solo.healthcheck().ok();
    let page = solo.get("/page");
    assert_eq!((page.status, page.complete), (200, true));
    assert!(page.text().ends_with("chunk 19\n") && page.header("x-vitrine-release").is_some(), "{page:?}");
    let file = solo.get("/assets/app-1a2b3c4d.js");
    assert_eq!((file.status, file.text()), (200, "export {};\n"));
    assert!(file.header("cache-control").unwrap().contains("immutable"));
    let metrics = Request::new(solo.edge, "GET", "/metrics").header("host", "localhost").send();
    assert!(metrics.text().contains("vitrine_http_requests_total{"), "{}", metrics.text());
    // Under a name that somebody's DNS leads here, they are not for a browser on this machine.
    assert_eq!(solo.get("/metrics").status, 403);
    for path in ["/v1/apps", "/_vitrine/healthz"] {
        assert_eq!(solo.get(path).status, 200, "{path} is the app's, or the edge's");
    }

    let mut stream = BufReader::new(TcpStream::connect(solo.edge).unwrap());
    write!(stream.get_mut(), "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut line = String::new();
    while !line.contains("chunk 0") {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0);
    }
    solo.signal();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("chunk 19"), "{rest}");
    assert_eq!(solo.end(), Some(0), "{}", solo.log());
    assert_eq!(solo.healthcheck().run().code, 1);
    assert!(workers_of(&solo.folder.path().join("tmp")).is_empty());
    let left = std::fs::read_dir(solo.folder.path().join("tmp")).unwrap().count();
    assert_eq!(left, 0, "temporary files are left");
    let lines = solo.log();
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
}

#[test]
fn values_come_from_the_environment_as_far_as_the_bundle_names_them() {
    let values = [("SECRET", "from-the-scheduler"), ("GREETING", "hello"), ("NOT_NAMED", "hidden")];
    let solo = Solo::start(&fixture("env-echo"), &values);
    solo.until_ready();
    let seen = solo.get("/").json();
    assert_eq!(seen["env"], serde_json::json!({"SECRET": "from-the-scheduler", "GREETING": "hello"}));
    assert!(!seen.to_string().contains("hidden"), "{seen}");
    assert!(!solo.log().contains("from-the-scheduler"));
}

#[test]
fn a_bundle_that_can_not_be_served_ends_it_with_the_reason() {
    for (bundle, words) in
        [("throws-at-import", "settings.currency is missing"), ("missing-entry", "server/main.js")]
    {
        let path = fixture(bundle);
        // Nothing on stdout: it was never ready.
        Cli::new(&["solo", "--listen", "127.0.0.1:0", "--bundle", path.to_str().unwrap()]).fails(1, &[words]);
    }
    // What is known about it is told, as by a deploy.
    let page = "export default () => new Response('the database is away', { status: 500 });";
    let manifest = r#"{"env":["SET","NOT_SET"],"limits":{"heap_mb":100000}}"#;
    let bundle = bundle_dir(&[("server/index.js", page), ("vitrine.json", manifest)]);
    let args = ["solo", "--listen", "127.0.0.1:0", "--bundle", bundle.path().to_str().unwrap()];
    let words = [
        "error: the bundle can't be served: ",
        "the answer of / began: the database is away",
        "environment variables that `env` in vitrine.json lists and that are not set: NOT_SET\n",
        "heap_mb 100000 to ",
    ];
    let told = Cli::new(&args).env("SET", "x").fails(1, &words).stderr;
    assert!(!told.contains("vitrine env set"), "{told}");
    let told = Cli::new(&[&args[..], &["--json"]].concat()).fails(1, &["\"code\":\"unservable\""]).stderr;
    assert!(told.contains("\"env_unset\":[\"SET\",\"NOT_SET\"]"), "{told}");
    let nowhere = Cli::new(&["solo", "--bundle", "/nowhere", "--listen", "127.0.0.1:0"]).run();
    assert!(nowhere.code == 1 && nowhere.stderr.contains("/nowhere"), "{nowhere:?}");
    Cli::new(&["solo"]).fails(2, &["--bundle"]);
}

#[test]
fn private_services_are_opened_by_flags_and_a_file() {
    let ports: [u16; 4] = std::array::from_fn(|_| Upstream::start().address.port());
    let origins = ports.map(|port| format!("http://localhost:{port}"));
    let server = std::fs::read_to_string(fixture("egress").join("server/index.js")).unwrap();
    let manifest = serde_json::json!({ "egress": origins, "health": {"path": "/"} }).to_string();
    let bundle = bundle_dir(&[("server/index.js", &server), ("vitrine.json", &manifest)]);
    let toml =
        format!("[egress]\nallow_private = [\"127.0.0.0/8:{}\"]\n[limits]\nwall_ms = 60000\n", ports[2]);
    let config = bundle.path().with_extension("toml");
    std::fs::write(&config, toml).unwrap();
    let rule = format!("localhost:{}", ports[0]);
    let variable = format!("localhost:{},10.0.0.0/8", ports[1]);
    let solo = Solo::start_with(
        bundle.path(),
        &["--config", config.to_str().unwrap(), "--allow-private", &rule],
        &[("VITRINE_ALLOW_PRIVATE", &variable)],
    );
    std::fs::remove_file(&config).unwrap();
    solo.until_ready();
    let reached = |port: u16| solo.get(&format!("/?u=http://localhost:{port}/x")).status;
    // A flag wins over its variable, and both come to what the file has.
    assert_eq!(ports.map(reached), [200, 502, 200, 502]);
}

#[test]
fn a_field_that_is_not_for_one_release_is_refused_by_its_name() {
    let folder = TempDir::with_prefix_in("vt-", "/tmp").unwrap();
    let config = folder.path().join("solo.toml");
    for (toml, place, field) in [
        ("admin = \"127.0.0.1:1\"\n", "1:1:", "`admin`"),
        ("[limits]\nwall_ms = 1\n[[routes]]\nhost = \"a.b\"\napp = \"a\"\n", "3:3:", "`routes`"),
        ("[quota]\nworkers = 1\n", "1:2:", "`quota`"),
        ("[limits]\ncpu = 1\n", "2:1:", "unknown field `cpu`"),
    ] {
        std::fs::write(&config, toml).unwrap();
        let at = format!("solo.toml:{place} {field}");
        Cli::new(&["solo", "--bundle", "/nowhere", "--config", config.to_str().unwrap()]).fails(1, &[&at]);
    }
    Cli::new(&["solo", "--bundle", "/nowhere", "--allow-private", "localhost"])
        .fails(2, &["`localhost` has no port", "db.internal:5432"]);
}

#[test]
fn addresses_to_listen_on_are_taken_as_people_write_them() {
    let bundle = fixture("env-echo");
    for listen in ["0", ":0", "localhost:0", "[::1]:0"] {
        let solo = Solo::start_with(&bundle, &["--listen", listen], &[]);
        solo.until_ready();
    }
    for (flag, verb) in [("--listen", "serve"), ("--admin", "serve"), ("--listen", "solo")] {
        Cli::new(&[verb, flag, "localhost"])
            .fails(2, &["`localhost` is no address", "localhost:8080", "[::1]:8080"]);
    }
}

/// What the documents say of Node.js modules is what isolates have, name by name.
#[test]
fn isolates_refuse_what_the_documents_list() {
    let solo = Solo::start(&fixture("node-exports"), &[]);
    solo.until_ready();
    let refused: BTreeMap<String, Vec<String>> = serde_json::from_slice(&solo.get("/").body).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/supported-modules.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `node:")?.split_once("` | "));
    let listed: BTreeMap<String, Vec<String>> = rows
        .filter_map(|(module, rest)| {
            let (_notes, names) = rest.split_once(" | ")?;
            let names = names.trim_end_matches('|').split_whitespace();
            Some((format!("node:{module}"), names.map(|name| name.trim_matches('`').to_owned()).collect()))
        })
        .collect();
    let built_ins: Vec<&str> = listed.keys().map(String::as_str).collect();
    assert_eq!(built_ins, vitrine_wire::NODE_BUILT_INS);
    assert_eq!(listed, refused);
}

#[test]
fn a_project_that_was_built_is_laid_out_and_served() {
    let project = bundle_dir(&[
        ("package.json", r#"{"type":"module"}"#),
        ("vitrine.json", r#"{"env":["GREETING"]}"#),
        (
            "dist/server/server.js",
            "const app = { fetch: (_, env) => new Response(env.GREETING) }; export { app as default };",
        ),
        ("dist/client/a.txt", "a file"),
        ("node_modules/x/index.js", ""),
    ]);
    let mut solo = Solo::start(project.path(), &[("GREETING", "hello")]);
    solo.until_ready();
    assert_eq!((solo.get("/").text(), solo.get("/a.txt").text()), ("hello", "a file"));
    solo.signal();
    assert_eq!(solo.end(), Some(0), "{}", solo.log());
    assert_eq!(std::fs::read_dir(solo.folder.path().join("tmp")).unwrap().count(), 0);
}
