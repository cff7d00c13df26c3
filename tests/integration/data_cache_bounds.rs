//! The cache of what apps fetch keeps nothing that is for one, and no call waits for what it holds.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);

/// `/fetch?url=…` with the options of the call in `init`; `/stuck?url=…` reads its answer once `/go` was asked for.
const APP: &str = r#"
let go;
const gone = new Promise((done) => (go = done));
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const url = searchParams.get("url");
    if (pathname === "/go") go();
    if (url === null) return new Response("nothing");
    if (pathname === "/stuck") {
      const answer = await fetch(url);
      await gone;
      await answer.text();
      return new Response("read");
    }
    const init = JSON.parse(searchParams.get("init") ?? "{}");
    const many = Number(searchParams.get("many") ?? 1);
    try {
      const answers = await Promise.all(Array.from({ length: many }, () => fetch(url, init)));
      const bodies = await Promise.all(answers.map((answer) => answer.text()));
      const { status, headers } = answers[0];
      const same = bodies.every((body) => body === bodies[0]);
      return Response.json({ status, body: bodies[0].slice(0, 100), bytes: bodies[0].length, same, age: headers.get("age"), cache: headers.get("cache-status") });
    } catch (error) {
      return Response.json({ error: `${error.message} ${error.cause?.message ?? ""}` });
    }
  },
};
"#;

/// How a path of the origin answers.
#[derive(Clone, Default)]
struct Rule {
    status: u16,
    headers: String,
    delay: Duration,
    bytes: usize,
}

/// A service on this machine, whose answers say how many calls of their path there were.
struct Origin {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    rules: HashMap<String, Rule>,
    calls: HashMap<String, u32>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let shared = Arc::clone(&state);
        // Ends with the test's process; it holds nothing but its port.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                thread::spawn(move || answer(stream, &state));
            }
        });
        Self { address, state }
    }

    /// From now on this path answers with these headers.
    fn on(&self, path: &str, headers: &str) {
        self.rule(path, Rule { headers: headers.to_owned(), ..Rule::default() });
    }

    fn rule(&self, path: &str, rule: Rule) {
        self.state.lock().unwrap().rules.insert(path.to_owned(), rule);
    }

    fn calls(&self, path: &str) -> u32 {
        self.state.lock().unwrap().calls.get(path).copied().unwrap_or_default()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// One request a connection. `None` when it is broken off.
fn answer(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let (rule, number) = {
        let mut state = state.lock().unwrap();
        let number = state.calls.entry(path.clone()).or_default();
        *number += 1;
        let number = *number;
        (state.rules.get(&path).cloned().unwrap_or_default(), number)
    };
    // How slow the service is: callers meet meanwhile.
    thread::sleep(rule.delay);
    let status = if rule.status == 0 { 200 } else { rule.status };
    let text = format!("{number}{}", "x".repeat(rule.bytes));
    let lines: String = rule.headers.lines().map(|line| format!("{line}\r\n")).collect();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Said\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
    .ok()
}

struct Rig {
    host: Host,
    origin: Origin,
}

impl Rig {
    fn start() -> Self {
        Self::with("")
    }

    fn with(toml: &str) -> Self {
        let origin = Origin::start();
        let toml = format!("{toml}[egress]\nallow_private = [\"{}\"]\n", origin.address);
        let host = Host::start_in(Host::configured(&toml), &["--isolation", "process"]);
        // What is stuck is let go by another request in the same isolate.
        let limits = json!({ "subrequests": 100, "isolates": 1 });
        let manifest = json!({ "egress": [origin.url("")], "limits": limits }).to_string();
        host.deploy_files(
            "shop",
            &[("server/index.js", APP), ("vitrine.json", &manifest)],
            &["--version", "v1"],
        );
        Self { host, origin }
    }

    fn get(&self, path: &str) -> String {
        let answer = self.host.get("shop", path).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text().to_owned()
    }

    fn fetched(&self, path: &str, init: &Value) -> Value {
        self.fetched_by_many(path, init, 1)
    }

    /// What so many calls at once gave.
    fn fetched_by_many(&self, path: &str, init: &Value, many: usize) -> Value {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("url", &self.origin.url(path)).append_pair("init", &init.to_string());
        query.append_pair("many", &many.to_string());
        serde_json::from_str(&self.get(&format!("/fetch?{}", query.finish()))).unwrap()
    }

    /// The number of the origin's call that a fetch was answered with.
    fn number(&self, path: &str, init: &Value) -> String {
        let fetched = self.fetched(path, init);
        fetched["body"].as_str().unwrap_or_else(|| panic!("{fetched}")).to_owned()
    }
}

#[test]
fn an_answer_for_one_caller_is_fetched_by_each() {
    let rig = Rig::start();
    let none = json!({});
    for (path, headers) in [
        ("/private", "cache-control: private, max-age=600"),
        ("/cookie", "cache-control: public, max-age=600\nset-cookie: session=1"),
    ] {
        let delay = Duration::from_millis(200);
        rig.origin.rule(path, Rule { headers: headers.to_owned(), delay, ..Rule::default() });
        let fetched = rig.fetched_by_many(path, &none, 10);
        assert_eq!((&fetched["same"], rig.origin.calls(path)), (&json!(false), 10), "{path} {fetched}");
    }
    rig.origin.on("/of-a-cdn", "cache-control: no-store\ncdn-cache-control: max-age=600");
    assert_ne!(rig.number("/of-a-cdn", &none), rig.number("/of-a-cdn", &none));
    // Nor does the app make it one for all by saying for how long.
    let kept = json!({ "next": { "revalidate": 600 } });
    assert_ne!(rig.number("/cookie", &kept), rig.number("/cookie", &kept));
}

#[test]
fn a_caller_that_does_not_read_keeps_nobody_waiting() {
    let rig = Rig::start();
    let headers = "cache-control: max-age=600".to_owned();
    rig.origin.rule("/slow", Rule { headers, bytes: 6 << 20, ..Rule::default() });
    thread::scope(|scope| {
        let stuck = scope.spawn(|| rig.get(&format!("/stuck?url={}", rig.origin.url("/slow"))));
        wait_until("a call that nobody reads", PATIENCE, || (rig.origin.calls("/slow") == 1).then_some(()));
        assert_eq!(rig.fetched("/slow", &json!({}))["body"].as_str().unwrap()[..2], *"2x");
        assert!(!stuck.is_finished());
        rig.get("/go");
        assert_eq!(stuck.join().unwrap(), "read");
    });
}

#[test]
fn a_call_that_may_not_be_made_does_not_wait_for_one_that_is() {
    let rig = Rig::start();
    let only = rig.fetched("/never", &json!({ "cache": "only-if-cached", "mode": "same-origin" }));
    assert!(only["error"].is_string(), "{only}");
    assert_eq!(rig.origin.calls("/never"), 0);
}

#[test]
fn a_host_that_was_started_anew_has_kept_nothing() {
    let rig = Rig::start();
    rig.origin.on("/kept", "cache-control: max-age=600");
    assert_eq!([rig.number("/kept", &json!({})), rig.number("/kept", &json!({}))], ["1", "1"]);
    let Rig { host, origin } = rig;
    let (folder, _) = host.stop();
    let rig = Rig { host: Host::start_in(folder, &["--isolation", "process"]), origin };
    assert_eq!(rig.number("/kept", &json!({})), "2");
}

#[test]
fn an_answer_that_is_too_large_to_be_kept_comes_whole() {
    let rig = Rig::start();
    let bytes = 9 << 20;
    let headers = "cache-control: max-age=600".to_owned();
    rig.origin.rule("/large", Rule { headers, bytes, ..Rule::default() });
    for number in 1..=2 {
        let fetched = rig.fetched("/large", &json!({}));
        assert_eq!(fetched["bytes"], json!(bytes + 1), "{fetched}");
        assert_eq!(rig.origin.calls("/large"), number);
    }
}

#[test]
fn a_host_without_a_cache_makes_every_call() {
    let rig = Rig::with("[cache]\nenabled = false\n");
    rig.origin.on("/kept", "cache-control: max-age=600");
    assert_eq!([rig.number("/kept", &json!({})), rig.number("/kept", &json!({}))], ["1", "2"]);
}

#[test]
fn metrics_tell_what_came_of_pages_and_calls() {
    let rig = Rig::start();
    rig.origin.on("/kept", "cache-control: max-age=600");
    for _ in 0..3 {
        rig.fetched("/kept", &json!({}));
    }
    rig.fetched("/kept", &json!({ "method": "POST" }));
    let metrics = || rig.host.call("GET", "/metrics").send().text().to_owned();
    let count = |text: &str, cache: &str, result: &str| {
        let series =
            format!("vitrine_cache_requests_total{{app=\"shop\",cache=\"{cache}\",result=\"{result}\"}} ");
        let found = text.lines().find_map(|line| line.strip_prefix(&series));
        found.unwrap_or_else(|| panic!("no {series} in {text}")).parse::<u64>().unwrap()
    };
    for _ in 0..2 {
        let text = metrics();
        let data = ["hit", "stale", "miss", "bypass"].map(|result| count(&text, "data", result));
        assert_eq!(data, [2, 0, 1, 1]);
        let pages = ["hit", "stale", "miss", "bypass"].map(|result| count(&text, "page", result));
        assert_eq!((pages[0], pages[1]), (0, 0));
        assert!(pages[2] + pages[3] >= 4, "{pages:?}");
    }
    rig.host.cli(&["remove", "shop", "--yes"]).ok();
    assert!(!metrics().contains("vitrine_cache_requests_total{app=\"shop\""));
}
