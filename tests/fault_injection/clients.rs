//! 32 operators who deploy, promote, roll back and remove at once: one order of events, one live release, a clean answer to each.

mod history;

use history::{Read, Switch};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::archive::Archive;
use vitrine_test_support::figures::Figures;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

const CLIENTS: usize = 32;
/// Versions that clients pick from: some are there, some are not, some are on their way.
const VERSIONS: usize = 4;
/// Deploys wait for each other; nothing else takes long.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);
/// Clients that look at what is live, of each app.
const READERS: usize = 2;

/// What all clients were told.
#[derive(Debug, Default)]
struct Heard {
    switches: BTreeMap<String, Vec<Switch>>,
    reads: BTreeMap<String, Vec<Read>>,
    faults: Vec<String>,
    calls: usize,
    refused: BTreeMap<String, usize>,
    took: Vec<Duration>,
}

impl Heard {
    fn take(&mut self, other: Self) {
        for (app, switches) in other.switches {
            self.switches.entry(app).or_default().extend(switches);
        }
        for (app, reads) in other.reads {
            self.reads.entry(app).or_default().extend(reads);
        }
        for (reason, times) in other.refused {
            *self.refused.entry(reason).or_default() += times;
        }
        self.faults.extend(other.faults);
        self.took.extend(other.took);
        self.calls += other.calls;
    }

    /// Everything that is wrong.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        for (app, switches) in &self.switches {
            faults.extend(history::fault_of_switches(switches).map(|fault| format!("{app}: {fault}")));
            let reads = self.reads.get(app).into_iter().flatten();
            let stale = reads.filter_map(|read| history::fault_of_read(switches, read));
            faults.extend(stale.map(|fault| format!("{app}: {fault}")));
        }
        faults
    }
}

/// One operator.
struct Client<'a> {
    host: &'a Host,
    token: String,
    begun: Instant,
    random: StdRng,
    heard: Heard,
}

impl Client<'_> {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// Makes one call, and with a key the same one again.
    fn act(&mut self, app: &str) {
        let version = format!("v{}", self.random.random_range(0..VERSIONS));
        let post = |path: &str, body: String| ("POST", format!("/v1/apps/{app}/{path}"), body.into_bytes());
        let (method, path, body) = match self.random.random_range(0..10) {
            0..=2 => ("PUT", format!("/v1/apps/{app}/releases/{version}"), bundle(&version)),
            3..=6 => post("promote", format!(r#"{{"version":"{version}"}}"#)),
            7 => post("rollback", format!(r#"{{"from":"{version}"}}"#)),
            8 => post("rollback", "{}".into()),
            _ => ("DELETE", format!("/v1/apps/{app}/releases/{version}"), Vec::new()),
        };
        let key = format!("key-{:x}", self.random.random::<u64>());
        let first = self.call(app, (method, &path, &body), &key, true);
        if method != "DELETE" && first.as_ref().is_some_and(|answer| answer.status < 300) {
            let again = self.call(app, (method, &path, &body), &key, false);
            let told =
                |answer: &Option<Answer>| answer.as_ref().map(|answer| (answer.status, answer.body.clone()));
            if told(&first) != told(&again) {
                self.heard.faults.push(format!("{method} {path} with one key: {first:?}, then {again:?}"));
            }
        }
    }

    fn call(&mut self, app: &str, call: (&str, &str, &[u8]), key: &str, first: bool) -> Option<Answer> {
        let (method, path, body) = call;
        let request = vitrine_test_support::http::Request::new(self.host.admin, method, path)
            .header("host", &self.host.admin.to_string())
            .header("authorization", &format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body);
        let (asked, begun) = (self.now(), Instant::now());
        let sent = request.try_send();
        let answered = self.now();
        let told =
            format!("{method} {path} {}", String::from_utf8_lossy(if method == "POST" { body } else { b"" }));
        self.heard.calls += 1;
        self.heard.took.push(begun.elapsed());
        let answer = match sent {
            Ok(answer) if answer.complete && begun.elapsed() < ANSWERED_WITHIN => answer,
            other => {
                self.heard.faults.push(format!("{told}: {other:?} after {:?}", begun.elapsed()));
                return None;
            }
        };
        if answer.status >= 300 {
            let reason =
                if answer.status < 500 { answer.json()["type"].as_str().map(String::from) } else { None };
            match reason {
                Some(reason) => *self.heard.refused.entry(reason).or_default() += 1,
                None => self.heard.faults.push(format!("{told}: {} {}", answer.status, answer.text())),
            }
        } else if method == "POST" && first {
            let text = |field: &str| answer.json()[field].as_str().map(String::from);
            let (to, previous) = (text("version").unwrap(), text("previous"));
            if previous.as_ref() == Some(&to) {
                // It was live already.
                let read = Read { asked, answered, live: to, epoch: None };
                self.heard.reads.entry(app.into()).or_default().push(read);
            } else {
                let epoch = answer.json()["epoch"].as_u64().unwrap();
                let switch = Switch { asked, answered, to, previous, epoch };
                self.heard.switches.entry(app.into()).or_default().push(switch);
            }
        }
        Some(answer)
    }

    /// Looks at what is live, from the public side and from the operators'.
    fn look(&mut self, app: &str) {
        let asked = self.now();
        let page = self.host.get(app, "/").send();
        let answered = self.now();
        let header = |name: &str| page.header(name).map(String::from);
        let live =
            header("x-vitrine-release").and_then(|release| Some(release.split_once('@')?.1.to_owned()));
        let epoch = header("x-vitrine-epoch").and_then(|epoch| epoch.parse().ok());
        match live {
            Some(live) if page.status == 200 && page.text() == live => {
                self.heard.reads.entry(app.into()).or_default().push(Read { asked, answered, live, epoch });
            }
            _ => self.heard.faults.push(format!("a page of {app}: {page:?}")),
        }
        let asked = self.now();
        let shown = self.host.call("GET", &format!("/v1/apps/{app}")).send();
        let answered = self.now();
        let live = shown.json()["live"].as_str().unwrap_or_default().to_owned();
        self.heard.reads.entry(app.into()).or_default().push(Read { asked, answered, live, epoch: None });
    }
}

fn bundle(version: &str) -> Vec<u8> {
    let server = format!("export default {{ fetch: () => new Response('{version}') }};\n");
    Archive::empty()
        .file("server/index.js", server.as_bytes())
        .file("vitrine.json", br#"{"snapshot":false}"#)
        .zst()
}

/// What came of this many calls of each client on these apps.
fn crowd(host: &Host, apps: &[&str], calls: usize, seed: u64) -> Heard {
    let begun = Instant::now();
    let client = |number: usize| Client {
        host,
        token: host.token(),
        begun,
        random: StdRng::seed_from_u64(seed.wrapping_add(number as u64)),
        heard: Heard::default(),
    };
    let mut all = Heard::default();
    let mut first = client(usize::MAX);
    for app in apps {
        for version in 0..VERSIONS {
            let path = format!("/v1/apps/{app}/releases/v{version}");
            let body = bundle(&format!("v{version}"));
            first.call(app, ("PUT", &path, &body), &format!("{app}-v{version}"), true);
        }
        let path = format!("/v1/apps/{app}/promote");
        first.call(app, ("POST", &path, br#"{"version":"v0"}"#), &format!("{app}-first"), true);
    }
    all.take(first.heard);
    let over = AtomicBool::new(false);
    let over = &over;
    std::thread::scope(|scope| {
        let readers = apps.iter().flat_map(|app| (0..READERS).map(move |_| app));
        let reading: Vec<_> = readers
            .map(|app| {
                let mut reader = client(0);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        reader.look(app);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    reader.heard
                })
            })
            .collect();
        let acting: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = client(number);
                scope.spawn(move || {
                    for _ in 0..calls {
                        let app = apps[client.random.random_range(0..apps.len())];
                        client.act(app);
                    }
                    client.heard
                })
            })
            .collect();
        let heard: Vec<_> = acting.into_iter().map(|client| client.join()).collect();
        over.store(true, Ordering::Relaxed);
        heard
            .into_iter()
            .chain(reading.into_iter().map(|reader| reader.join()))
            .for_each(|heard| all.take(heard.unwrap()));
    });
    all
}

fn everybody_is_served(apps: &[&str], calls: usize) {
    let seed = crate::crash_recovery::seed();
    let host = Host::start();
    let heard = crowd(&host, apps, calls, seed);
    assert_eq!(heard.faults(), Vec::<String>::new(), "of {} calls", heard.calls);
    for app in apps {
        let last = heard.switches[*app].iter().max_by_key(|switch| switch.epoch).unwrap();
        let live: Vec<_> =
            host.releases(app).into_iter().filter(|release| release["phase"] == "live").collect();
        assert_eq!(live.len(), 1, "{live:?}");
        assert_eq!(live[0]["version"], last.to.as_str());
    }
    let switches: usize = heard.switches.values().map(Vec::len).sum();
    let reads: usize = heard.reads.values().map(Vec::len).sum();
    // Most calls are refused for what others did meanwhile; a handful of switches is what there is to put in order.
    assert!(
        switches > CLIENTS / 16 && reads > CLIENTS,
        "{switches} switches, {reads} looks, {:?}",
        heard.refused
    );
    println!(
        "{CLIENTS} clients, {} apps, {} calls, {switches} switches in one order, {reads} looks, 0 stale; refused {:?}; {}",
        apps.len(),
        heard.calls,
        heard.refused,
        Figures::of(heard.took)
    );
}

#[test]
fn operators_of_one_app_at_once_are_told_one_story() {
    everybody_is_served(&["shop"], 6);
}

#[test]
fn operators_of_several_apps_at_once_are_told_one_story() {
    everybody_is_served(&["shop", "blog", "docs"], 6);
}

#[test]
#[ignore = "minutes"]
fn two_hundred_rounds_of_operators_are_told_one_story() {
    everybody_is_served(&["shop", "blog", "docs"], 200);
}

#[test]
fn control_a_table_that_lags_behind_is_noticed() {
    // Every switch but the first is left out: the table is right only until the second, and after what else publishes it.
    let failpoints = "switch.publish=1*off->return(skip)";
    let broken = Host::start_broken(Host::folder_anew(), &["--isolation", "process"], failpoints);
    let faults = crowd(&broken, &["shop"], 4, 1).faults();
    assert!(faults.iter().any(|fault| fault.contains("was not live then")), "{faults:?}");
}

#[test]
fn control_an_answer_that_is_not_kept_is_noticed() {
    let failpoints = "record the answer to the idempotency key.commit=return(skip)";
    let broken = Host::start_broken(Host::folder_anew(), &["--isolation", "process"], failpoints);
    let faults = crowd(&broken, &["shop"], 2, 1).faults();
    assert!(faults.iter().any(|fault| fault.contains("with one key")), "{faults:?}");
}
