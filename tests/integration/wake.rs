//! Releases that sleep: started by their first request, once, and not too many at a time.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;
use vitrine_test_support::wait::wait_until;

/// What is neither live nor standby sleeps at the next round of the patrol.
const SLEEPY: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n[switching]\nidle_timeout_ms = 1000\n";
const PATIENCE: Duration = Duration::from_secs(40);
const REQUESTS: usize = 20;

/// A page of a release that takes its time to start.
const SLOW_START: &str = "await new Promise((done) => setTimeout(done, 2000));\n\
                          export default { fetch: () => new Response('awake') };\n";

/// Waits until the host says that a release sleeps, and the processes of its worker have ended: they end a moment later.
fn until_asleep(host: &Host, version: &str) {
    let id = format!("shop@{version}");
    wait_until(&format!("{version} sleeps"), PATIENCE, || {
        let release = host.release("shop", version);
        let says_so = release["phase"] == "sleeping" && release["instance"].is_null();
        (says_so && host.workers().iter().all(|worker| worker.release != id)).then_some(())
    });
}

/// Instances of a release that were seen while `during` ran.
fn instances_during<T: Send>(
    host: &Host,
    release: &str,
    during: impl FnOnce() -> T + Send,
) -> (BTreeSet<String>, T) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
            over.store(true, Ordering::Relaxed);
            result
        });
        let mut seen = BTreeSet::new();
        while !over.load(Ordering::Relaxed) {
            let workers = host.workers().into_iter().filter(|worker| worker.release == release);
            seen.extend(workers.map(|worker| worker.instance));
            std::thread::sleep(Duration::from_millis(10));
        }
        let result = running.join().unwrap().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (seen, result)
    })
}

#[test]
fn the_first_requests_of_a_sleeping_release_start_one_worker() {
    let host = Host::start_in(Host::configured(SLEEPY), &["--isolation", "process"]);
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    until_asleep(&host, "v1");
    assert_eq!(host.release("shop", "v2")["phase"], "standby", "the release to go back to stays warm");

    let ask = || host.get("shop-v1", "/").send();
    let (instances, answers) = instances_during(&host, "shop@v1", || {
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..REQUESTS).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect::<Vec<Answer>>()
        })
    });
    for answer in &answers {
        let release = answer.header("x-vitrine-release");
        assert_eq!((answer.status, answer.text(), release), (200, "v1", Some("shop@v1")));
    }
    assert_eq!(instances.len(), 1, "{instances:?}");
    assert_eq!(host.get("shop", "/").send().text(), "v3");

    // A pin wakes it as well, and so does a rollback.
    until_asleep(&host, "v1");
    let pinned = host.get("shop", "/").header("x-vitrine-release", "v1").send();
    assert_eq!((pinned.status, pinned.text()), (200, "v1"));
    until_asleep(&host, "v1");
    host.cli(&["rollback", "shop", "--to", "v1"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "v1");
}

#[test]
fn as_many_wake_at_once_as_there_are_cores_and_the_others_wait() {
    let host = Host::start_in(Host::configured(SLEEPY), &["--isolation", "process"]);
    host.deploy("shop", "live", &["--version", "v0"]);
    let cores = std::thread::available_parallelism().unwrap().get();
    let versions: Vec<String> = (1..=cores + 2).map(|number| format!("v{number}")).collect();
    for version in &versions {
        let files = [
            ("server/index.js", SLOW_START),
            ("vitrine.json", r#"{"snapshot":false}"#),
            ("client/name.txt", version.as_str()),
        ];
        host.deploy_files("shop", &files, &["--version", version, "--no-promote"]);
    }
    versions.iter().for_each(|version| until_asleep(&host, version));
    let label = |version: &str| format!("shop-{version}");
    std::thread::scope(|scope| {
        let host = &host;
        // This client leaves at once; the boot that it began goes on and keeps its place.
        drop(leaving(host, &label(&versions[0])));
        let asked =
            versions[1..].iter().map(|version| scope.spawn(move || host.get(&label(version), "/").send()));
        let mut asked: Vec<_> = asked.collect();
        let starting = || {
            let releases = host.call("GET", "/v1/apps/shop/releases").send().json();
            let phase =
                |release: &serde_json::Value| release["phase"].as_str().unwrap_or_default().to_owned();
            let phases: Vec<String> = releases.as_array().unwrap().iter().map(phase).collect();
            let of = |wanted: &[&str]| phases.iter().filter(|phase| wanted.contains(&phase.as_str())).count();
            let (starting, asleep) = (of(&["booting", "warming"]), of(&["sleeping"]));
            assert!(starting <= cores, "more at once than there are cores: {phases:?}");
            (starting, asleep)
        };
        wait_until("every place is taken, and the others wait", PATIENCE, || {
            (starting() == (cores, versions.len() - cores)).then_some(())
        });
        // Who comes for one that is waking waits with the others.
        asked.push(scope.spawn(|| host.get(&label(&versions[0]), "/").send()));
        assert_eq!(host.get("shop", "/").send().text(), "live", "users of the live release notice nothing");
        while !asked.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            starting();
        }
        for answer in asked.into_iter().map(|one| one.join().unwrap()) {
            assert_eq!((answer.status, answer.text()), (200, "awake"), "{answer:?}");
        }
    });
}

/// Neither strangers who wake what takes its time to start, nor one who asked for the same release before, make an operator wait.
#[test]
fn a_rollback_to_a_sleeping_release_waits_for_no_wakes() {
    let host = Host::start_in(Host::configured(SLEEPY), &["--isolation", "process"]);
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    let slow: Vec<String> = (1..=cores * 3).map(|number| format!("slow{number}")).collect();
    let files = bundle_dir(&[("server/index.js", SLOW_START), ("vitrine.json", r#"{"snapshot":false}"#)]);
    for app in &slow {
        host.deploy_folder(app, files.path(), &["--version", "v1", "--no-promote"]);
    }
    let asleep = || {
        let workers = host.workers();
        let awake = |app: &String| workers.iter().any(|worker| worker.release == format!("{app}@v1"));
        slow.iter().filter(|app| !awake(app)).count()
    };
    wait_until("all of them sleep", PATIENCE, || (asleep() == slow.len()).then_some(()));
    until_asleep(&host, "v1");
    std::thread::scope(|scope| {
        let ask = |(number, label): (usize, String)| {
            // Each from a client of its own: one alone may wake a few only.
            let request = host.get(&label, "/").header("x-forwarded-for", &format!("10.0.0.{number}"));
            scope.spawn(move || request.send())
        };
        let mut asked: Vec<_> =
            slow.iter().enumerate().map(|(number, app)| ask((number, format!("{app}-v1")))).collect();
        wait_until("every place is taken", PATIENCE, || (asleep() <= slow.len() - cores).then_some(()));
        asked.push(ask((250, "shop-v1".into())));
        // That a request waits for a place is seen nowhere; the rollback has to be as fast if it does not yet.
        std::thread::sleep(Duration::from_millis(300));
        host.cli(&["rollback", "shop", "--to", "v1"]).ok();
        let waiting = asked[..slow.len()].iter().filter(|one| !one.is_finished()).count();
        assert_eq!(host.get("shop", "/").send().text(), "v1");
        assert!(waiting > cores, "{waiting} of {} wait: the rollback waited for its turn", slow.len());
        for answer in asked.into_iter().map(|one| one.join().unwrap()) {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
}

/// A page that is never done.
const HOLDS: &str = "export default { fetch: (request) => new URL(request.url).pathname === '/hold'\n\
                     ? new Promise(() => {}) : new Response('here') };\n";

#[test]
fn a_request_that_waits_for_room_does_not_hold_up_an_upgrade() {
    let config = "[quota]\nworkers = 1\n[switching]\ndrain_timeout_ms = 1000\n";
    let host = Host::start_in(Host::configured(config), &["--isolation", "process"]);
    host.deploy("shop", "live", &["--version", "v1"]);
    host.deploy("shop", "other", &["--version", "w1", "--preview", "other"]);
    let busy = [("server/index.js", HOLDS), ("vitrine.json", r#"{"limits":{"wall_ms":60000}}"#)];
    host.deploy_files("shop", &busy, &["--version", "w2", "--preview", "busy"]);
    std::thread::scope(|scope| {
        let _held = scope.spawn(|| host.get("shop-busy", "/hold").try_send());
        wait_until("the only room is busy", PATIENCE, || {
            (host.release("shop", "w2")["in_flight"] == 1).then_some(())
        });
        let waits = scope.spawn(|| host.get("shop-other", "/").try_send());
        // That a request waits for room is seen nowhere; the upgrade has to be as fast if it does not yet.
        std::thread::sleep(Duration::from_millis(300));
        let told = host.upgrade().ok().json();
        // It would wait for as long as the request does, which is 20 s.
        assert!(told["took_ms"].as_u64().is_some_and(|took_ms| took_ms < 15_000), "{told}");
        drop(waits.join().unwrap());
    });
    assert_eq!(host.get("shop", "/").send().text(), "live");
}

/// With the `idle_timeout_ms` of ten minutes that a host has by default.
#[test]
fn an_app_that_is_deployed_again_and_again_keeps_few_workers() {
    let host = Host::start();
    let versions: Vec<String> = (1..=7).map(|number| format!("v{number}")).collect();
    versions.iter().for_each(|version| drop(host.deploy("shop", version, &["--version", version])));
    // The live one, the one that a rollback goes to, and the two that were used last.
    wait_until("the others sleep", PATIENCE, || (host.workers().len() == 4).then_some(()));
    let mut awake: Vec<_> = host.workers().into_iter().map(|worker| worker.release).collect();
    awake.sort();
    assert_eq!(awake, ["shop@v4", "shop@v5", "shop@v6", "shop@v7"]);
    assert_eq!(host.get("shop-v1", "/").send().text(), "v1");
}

/// Sends a request, waits until the host has read it, and gives the connection.
fn leaving(host: &Host, label: &str) -> TcpStream {
    use std::io::Write as _;
    let release = format!("shop@{}", label.strip_prefix("shop-").unwrap());
    let mut stream = TcpStream::connect(host.edge).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nhost: {label}.localhost\r\n\r\n").unwrap();
    wait_until("the request is on its way", PATIENCE, || {
        host.workers().iter().any(|worker| worker.release == release).then_some(())
    });
    stream
}
