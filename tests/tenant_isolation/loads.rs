//! Loads that one visitor or one app makes, and the requests of all others meanwhile: none fails, and they take no longer than twice
//! what they take undisturbed.
//!
//! A busy machine slows both down, so they are compared in pairs: each load goes on and off several times in one run, and is too much
//! where it was in most of the pairs. Each load has a control: a host that is broken on purpose, or more of the load than it can bear.

use crate::neighbour::{Neighbour, Seen};
use crate::rig::{BAD, CALM};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use vitrine_test_support::figures::Figures;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

/// How much longer than undisturbed the slowest hundredth may take.
const SLOWER_MAX: f64 = 2.0;
/// What a busy machine makes of any request now and then, in milliseconds: no comparison goes below.
const NOISE_MS: f64 = 250.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// A time without the load, and one with it right after, as many times as there are pairs. Most of an odd number decide.
const PAIRS: [(&str, &str); 3] = [("alone 1", "loaded 1"), ("alone 2", "loaded 2"), ("alone 3", "loaded 3")];

/// An app whose good page is the neighbour's, too.
pub const APP: &str = "const large = 'x'.repeat(5 << 20);\n\
    export default (request) => {\n\
      const path = new URL(request.url).pathname;\n\
      if (path === '/spin') for (;;);\n\
      if (path === '/throw') queueMicrotask(() => { throw new Error('thrown in a microtask'); });\n\
      if (path === '/log') for (let line = 0; line < 2000; line += 1) console.log('x'.repeat(1000));\n\
      if (path === '/huge') return new Response(large.repeat(4));\n\
      return new Response(path === '/large' ? large : 'calm'); };\n";

/// How much of each load there is.
pub struct Size {
    /// For how long nothing disturbs, in each pair.
    pub alone: Duration,
    /// For how long a load goes on that has no end of its own, in each pair.
    pub loaded: Duration,
    /// Apps that wake at once.
    pub apps: usize,
    /// Whether waits are judged as well as failures. Other tests beside a short look change what visitors wait for.
    pub compares: bool,
}

/// A look at each: no request of others fails.
pub const SMOKE: Size =
    Size { alone: Duration::from_secs(1), loaded: Duration::from_millis(1_500), apps: 8, compares: false };
/// As short, with the waits.
pub const COMPARED: Size = Size { compares: true, ..SMOKE };
const LONG: Size =
    Size { alone: Duration::from_secs(5), loaded: Duration::from_secs(10), apps: 200, compares: true };

fn start(config: &str, failpoints: &str, manifest: &str) -> Host {
    let host = Host::start_broken(Host::configured(config), &["--isolation", "process"], failpoints);
    host.deploy_files(BAD, &[("server/index.js", APP), ("vitrine.json", manifest)], &["--version", "v1"]);
    host.deploy(CALM, "calm", &["--version", "v1"]);
    host
}

/// Runs a load while visitors of these apps ask for pages; gives what was wrong.
pub fn disturbed(
    host: &Host,
    apps: &[&'static str],
    size: &Size,
    name: &str,
    mut load: impl FnMut(),
) -> Vec<String> {
    let asked = apps.iter().map(|app| (*app, host.get(app, "/"))).collect();
    disturbed_at(
        asked,
        size,
        name,
        || {},
        |begins| {
            begins();
            load();
        },
    )
}

/// As [`disturbed`], with the requests for the pages of these apps, and what goes before each pair. A load says when it begins: what
/// making it costs the machine is no part of it, though no request may fail then.
pub fn disturbed_at(
    asked: Vec<(&'static str, Request)>,
    size: &Size,
    name: &str,
    before: impl Fn(),
    mut load: impl FnMut(&dyn Fn()),
) -> Vec<String> {
    let (apps, asked): (Vec<&str>, Vec<Request>) = asked.into_iter().unzip();
    let visitors: Vec<_> = asked.into_iter().map(Neighbour::asking).collect();
    for (alone, loaded) in PAIRS {
        before();
        visitors.iter().for_each(|visitor| visitor.beside(alone));
        // Pause: what they see undisturbed is the measure.
        std::thread::sleep(size.alone);
        visitors.iter().for_each(|visitor| visitor.beside(""));
        load(&|| visitors.iter().for_each(|visitor| visitor.beside(loaded)));
        visitors.iter().for_each(Neighbour::settle);
    }
    let mut wrong = Vec::new();
    for (app, visitor) in apps.iter().zip(visitors) {
        let seen = visitor.stop();
        println!("{name}, visitors of {app}: {} failed", seen.failed.len());
        let slow: Vec<String> = PAIRS.iter().filter_map(|pair| slower(&seen, pair)).collect();
        if size.compares && slow.len() > PAIRS.len() / 2 {
            wrong.push(format!("{name}: visitors of {app} waited: {slow:?}"));
        }
        wrong.extend(seen.failed.into_iter().map(|failed| format!("{name}: {failed}")));
    }
    wrong
}

/// Both figures of a pair, if its load made visitors wait.
fn slower(seen: &Seen, (alone, loaded): &(&str, &str)) -> Option<String> {
    let [alone, loaded] = [alone, loaded].map(|when| Figures::of_ms(seen.beside(|what| what == *when)));
    println!("  alone {alone}; loaded {loaded}");
    let most = (SLOWER_MAX * alone.at(0.99)).max(NOISE_MS);
    (loaded.at(0.99) > most).then(|| format!("{loaded} instead of {alone}"))
}

/// What is wrong beside an app that loses an isolate with each of these requests: one after each pause, or `at_once`.
fn falls(size: &Size, path: &str, at_once: usize, pause: Duration) -> (Host, Vec<String>) {
    let host = start("", "", "{}");
    let request = host.get(BAD, path);
    let wrong = disturbed(&host, &[BAD, CALM], size, &format!("requests for {path}"), || {
        let end = Instant::now() + size.loaded;
        while Instant::now() < end {
            std::thread::scope(|scope| {
                (0..at_once)
                    .for_each(|_| drop(scope.spawn(|| request.try_send().map(|answer| answer.status))));
            });
            // Pause: as often as is asked for.
            std::thread::sleep(pause);
        }
    });
    (host, wrong)
}

fn throws(size: &Size) {
    let (host, wrong) = falls(size, "/throw", 1, TWICE_A_SECOND);
    assert!(host.log().contains("Uncaught Error: thrown in a microtask"), "the load was none");
    assert_nothing(&wrong);
}

/// What is wrong beside so many readers of a page that take nothing after its beginning. As many as `answered` are held.
fn slow_readers(size: &Size, path: &str, readers: usize, answered: u64, manifest: &str) -> Vec<String> {
    let host = start("", "", manifest);
    let in_flight = || host.release(BAD, "v1")["in_flight"].as_u64().unwrap();
    let before = || wait_until("no reader is left", PATIENCE, || (in_flight() < 8).then_some(()));
    let asked = [BAD, CALM].map(|app| (app, host.get(app, "/"))).into();
    disturbed_at(asked, size, &format!("{readers} readers of {path}"), before, |begins| {
        // One after the other: it is not the rendering of their pages that is measured. Some may be refused.
        let read = |_| {
            let mut stream = TcpStream::connect(host.edge).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nhost: {BAD}.localhost\r\n\r\n").unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream
        };
        let held: Vec<TcpStream> = (0..readers).map(read).collect();
        begins();
        // Pause: they take nothing for this long.
        std::thread::sleep(size.loaded);
        assert!(in_flight() >= answered, "the load was none");
        drop(held);
    })
}

/// What is wrong beside an app that logs as much as it can.
fn logs(size: &Size, failpoints: &str) -> Vec<String> {
    let host = start("", failpoints, "{}");
    let request = host.get(BAD, "/log");
    disturbed(&host, &[CALM], size, "a flood of log lines", || {
        let (end, mut asked) = (Instant::now() + size.loaded, 0);
        while Instant::now() < end {
            assert_eq!(request.send().status, 200);
            asked += 1;
        }
        assert!(asked > 0, "the load was none");
    })
}

/// What is wrong beside apps that wake at once.
fn wakes(size: &Size, failpoints: &str) -> Vec<String> {
    // Every release but the live ones sleeps at once.
    let host = start("[switching]\nidle_timeout_ms = 1\n[retention]\nreleases = 1000\n", failpoints, "{}");
    let labels: Vec<String> = (0..size.apps).map(|number| format!("sleeper{number}")).collect();
    for app in &labels {
        host.deploy(app, app, &["--version", "v1", "--no-promote"]);
    }
    let before = || wait_until("all sleep", PATIENCE, || (host.workers().len() == 2).then_some(()));
    let asked = [CALM, BAD].map(|app| (app, host.get(app, "/"))).into();
    disturbed_at(asked, size, "apps that wake at once", before, |begins| {
        begins();
        std::thread::scope(|scope| {
            let ask = |app: &String| host.get(&format!("{app}-v1"), "/").send();
            let asked: Vec<_> = labels.iter().map(|app| (app, scope.spawn(move || ask(app)))).collect();
            for (app, asked) in asked {
                let answer = asked.join().unwrap();
                assert_eq!((answer.status, answer.text()), (200, app.as_str()), "{answer:?}");
            }
        });
    })
}

fn assert_nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const TWICE_A_SECOND: Duration = Duration::from_millis(500);

#[test]
fn two_throws_a_second_disturb_nobody() {
    throws(&SMOKE);
}

#[test]
fn slow_readers_of_a_large_page_disturb_nobody() {
    assert_nothing(&slow_readers(&SMOKE, "/large", 64, 16, "{}"));
}

#[test]
fn a_flood_of_log_lines_disturbs_nobody() {
    assert_nothing(&logs(&SMOKE, ""));
}

#[test]
fn apps_that_wake_at_once_disturb_nobody() {
    assert_nothing(&wakes(&SMOKE, ""));
}

#[test]
#[ignore = "minutes"]
fn every_load_for_longer_disturbs_nobody() {
    throws(&LONG);
    assert_nothing(&slow_readers(&LONG, "/large", 64, 16, "{}"));
    assert_nothing(&logs(&LONG, ""));
    assert_nothing(&wakes(&LONG, ""));
}

/// No isolate is left that could be used.
#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_isolates_that_fall_all_at_once_are_noticed() {
    assert!(!falls(&COMPARED, "/spin", 32, Duration::ZERO).1.is_empty());
}

/// What is too large to wait outside of its isolate keeps its place.
#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_slow_readers_of_what_keeps_its_place_are_noticed() {
    assert!(!slow_readers(&COMPARED, "/huge", 8, 1, r#"{"limits": {"concurrency": 2}}"#).is_empty());
}

#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_a_host_whose_lines_wait_for_those_of_one_app_is_noticed() {
    assert!(!logs(&COMPARED, "logs.push=sleep(400)").is_empty());
}

#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_a_host_that_wakes_on_the_threads_of_requests_is_noticed() {
    assert!(!wakes(&COMPARED, "edge.wake=sleep(1000)").is_empty());
}

/// The rig sees requests that wait.
#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_a_worker_that_is_stopped_is_noticed() {
    let host = start("", "", "{}");
    let calm = host.workers().into_iter().find(|worker| worker.release.starts_with(CALM)).unwrap();
    let render = calm.render.unwrap();
    let wrong = disturbed(&host, &[CALM], &COMPARED, "a worker that is stopped", || {
        processes::freeze(render);
        // Pause: several times what counts as noise, and less than what has it replaced.
        std::thread::sleep(Duration::from_millis(1_000));
        processes::thaw(render);
    });
    assert!(wrong.iter().any(|what| what.contains("waited")), "{wrong:?}");
}

/// The rig sees requests that fail.
#[test]
fn control_a_page_that_is_not_there_is_noticed() {
    let host = Host::start();
    let request = Request::new(host.edge, "GET", "/").header("host", "unknown.localhost");
    let visitor = Neighbour::asking(request);
    // Pause: some dozen requests.
    std::thread::sleep(Duration::from_millis(500));
    assert!(!visitor.stop().failed.is_empty());
}
