//! A host with a hostile app and a calm one, and what its access log says about each request.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use vitrine_test_support::archive::fixture;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Time for the host to write a line about a request that was answered.
const LOGGED: Duration = Duration::from_secs(10);

/// Between two looks for it: thousands of requests are driven one after the other.
const LOOK: Duration = Duration::from_millis(1);

/// The hostile app.
pub const BAD: &str = "bad";
/// The app next door.
pub const CALM: &str = "calm";

/// See the module.
pub struct Rig {
    pub host: Host,
    log: Mutex<Log>,
}

/// The host's log as far as it was read: lines about requests, by their query.
struct Log {
    lines: BufReader<File>,
    begun: String,
    requests: HashMap<String, Value>,
    sent: u64,
}

/// How a request ended.
#[derive(Debug, Clone)]
pub struct End {
    pub outcome: String,
    pub cpu_ms: f64,
    pub render_ms: f64,
}

impl Rig {
    /// Deploys both apps.
    pub fn start() -> Self {
        let host = Host::start();
        host.deploy_folder(BAD, &fixture("hostile"), &["--version", "v1"]);
        host.deploy(CALM, "calm", &["--version", "v1"]);
        let file = File::open(host.data().join("../host.log")).unwrap();
        let log =
            Log { lines: BufReader::new(file), begun: String::new(), requests: HashMap::new(), sent: 0 };
        Self { host, log: Mutex::new(log) }
    }

    /// Asks the hostile app, and tells what came back and how the host says it ended. An answer that breaks off has no body.
    pub fn drive(&self, path: &str) -> (Option<Answer>, End) {
        let query = self.query();
        let asked = self.host.get(BAD, &format!("/{path}?{query}")).header("accept", "application/json");
        let answer = asked.try_send().ok();
        (answer, self.end(&query))
    }

    /// A query that no other request has.
    pub fn query(&self) -> String {
        let mut log = self.log.lock().unwrap();
        log.sent += 1;
        format!("run={}", log.sent)
    }

    /// How the request with this query ended.
    pub fn end(&self, query: &str) -> End {
        let asked = Instant::now();
        let line = loop {
            let mut log = self.log.lock().unwrap();
            log.read();
            if let Some(line) = log.requests.remove(query) {
                break line;
            }
            drop(log);
            assert!(asked.elapsed() < LOGGED, "no line about the request {query}");
            std::thread::sleep(LOOK);
        };
        let number = |name: &str| line[name].as_f64().unwrap();
        End {
            outcome: line["outcome"].as_str().unwrap().to_owned(),
            cpu_ms: number("cpu_ms"),
            render_ms: number("render_ms"),
        }
    }

    /// Render processes of both apps.
    pub fn render_processes(&self) -> BTreeSet<u32> {
        self.host.workers().iter().filter_map(|worker| worker.render).collect()
    }

    /// Asks the hostile app's good page until it comes, at most `tries` times.
    pub fn serves_again(&self, tries: usize) -> bool {
        (0..tries).any(|_| {
            let (answer, end) = self.drive("");
            end.outcome == "ok"
                && answer.is_some_and(|answer| answer.status == 200 && answer.text() == "fine")
        })
    }
}

impl Log {
    fn read(&mut self) {
        // A line that is still being written stays begun until its rest is there.
        while self.lines.read_line(&mut self.begun).unwrap() > 0 && self.begun.ends_with('\n') {
            let line: Value = serde_json::from_str(&std::mem::take(&mut self.begun)).unwrap_or_default();
            if let Some(query) = line["query"].as_str() {
                self.requests.insert(query.to_owned(), line.clone());
            }
        }
    }
}
