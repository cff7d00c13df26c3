//! Loads that one visitor or one app makes, and everybody else's requests meanwhile: none fails, and they take no longer than twice what
//! they took undisturbed in the same run.

use crate::harness::figures::Figures;
use crate::harness::host::Host;
use crate::harness::http::Request;
use crate::harness::processes;
use crate::harness::wait::wait_until;
use crate::neighbour::Neighbour;
use crate::rig::{BAD, CALM};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How much longer than undisturbed the slowest hundredth may take.
const SLOWER_MAX: f64 = 2.0;
/// What a busy machine makes of any request now and then, in milliseconds: no comparison goes below.
const NOISE_MS: f64 = 150.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// An app whose good page is the neighbour's, too.
pub const APP: &str = "const large = 'x'.repeat(5 << 20);\n\
    export default (request) => {\n\
      const path = new URL(request.url).pathname;\n\
      if (path === '/throw') queueMicrotask(() => { throw new Error('thrown in a microtask'); });\n\
      if (path === '/log') for (let line = 0; line < 2000; line += 1) console.log('x'.repeat(1000));\n\
      return new Response(path === '/large' ? large : 'calm'); };\n";

/// How much of each load there is.
pub struct Size {
    /// For how long nothing disturbs.
    pub alone: Duration,
    /// For how long a load goes on that has no end of its own.
    pub loaded: Duration,
    /// Apps that wake at once.
    pub apps: usize,
}

/// A look at each.
pub const SMOKE: Size = Size { alone: Duration::from_secs(2), loaded: Duration::from_secs(3), apps: 8 };
const LONG: Size = Size { alone: Duration::from_secs(10), loaded: Duration::from_secs(20), apps: 200 };

fn start(config: &str) -> Host {
    let host = Host::start_in(Host::configured(config), &["--isolation", "process"]);
    host.deploy_files(BAD, &[("server/index.js", APP)], &["--version", "v1"]);
    host.deploy(CALM, "calm", &["--version", "v1"]);
    host
}

/// Runs a load while visitors of these apps ask for pages; gives what was wrong.
pub fn disturbed(
    host: &Host,
    apps: &[&'static str],
    size: &Size,
    name: &str,
    load: impl FnOnce(),
) -> Vec<String> {
    disturbed_at(apps.iter().map(|app| (*app, host.get(app, "/"))).collect(), size, name, load)
}

/// As [`disturbed`], with the requests for the pages of these apps.
pub fn disturbed_at(
    asked: Vec<(&'static str, Request)>,
    size: &Size,
    name: &str,
    load: impl FnOnce(),
) -> Vec<String> {
    let (apps, asked): (Vec<&str>, Vec<Request>) = asked.into_iter().unzip();
    let visitors: Vec<_> = asked.into_iter().map(Neighbour::asking).collect();
    visitors.iter().for_each(|visitor| visitor.beside("nothing"));
    // Pause: what they see undisturbed is the measure.
    std::thread::sleep(size.alone);
    visitors.iter().for_each(|visitor| visitor.beside("load"));
    load();
    let mut wrong = Vec::new();
    for (app, visitor) in apps.iter().zip(visitors) {
        let seen = visitor.stop();
        let alone = Figures::of_ms(seen.beside(|what| what == "nothing"));
        let loaded = Figures::of_ms(seen.beside(|what| what == "load"));
        println!("{name}, visitors of {app}: {} failed; alone {alone}; loaded {loaded}", seen.failed.len());
        if loaded.at(0.99) > (SLOWER_MAX * alone.at(0.99)).max(NOISE_MS) {
            wrong.push(format!("{name}: visitors of {app} waited: {loaded} instead of {alone}"));
        }
        wrong.extend(seen.failed.into_iter().map(|failed| format!("{name}: {failed}")));
    }
    wrong
}

fn throws(size: &Size) {
    let host = start("");
    let request = host.get(BAD, "/throw");
    let wrong = disturbed(&host, &[BAD, CALM], size, "throws in microtasks", || {
        let end = Instant::now() + size.loaded;
        while Instant::now() < end {
            assert_eq!(request.send().status, 200, "it was answered before it threw");
            // Pause: two of them a second.
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(host.log().contains("Uncaught Error: thrown in a microtask"), "the load was none");
}

fn slow_readers(size: &Size) {
    let host = start("");
    let wrong = disturbed(&host, &[BAD, CALM], size, "64 readers of a large page", || {
        let readers: Vec<_> = (0..64)
            .map(|_| {
                let mut stream = TcpStream::connect(host.edge).unwrap();
                write!(stream, "GET /large HTTP/1.1\r\nhost: {BAD}.localhost\r\n\r\n").unwrap();
                stream
            })
            .collect();
        let in_flight = || host.release(BAD, "v1")["in_flight"].as_u64().unwrap();
        // Those for which there is neither a place nor room for a finished page are refused.
        wait_until("they are being answered", PATIENCE, || (in_flight() >= 32).then_some(()));
        // Pause: they take nothing for this long.
        std::thread::sleep(size.loaded);
        assert!(in_flight() >= 16, "the load was none");
        drop(readers);
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn logs(size: &Size) {
    let host = start("");
    let request = host.get(BAD, "/log");
    let wrong = disturbed(&host, &[CALM], size, "a flood of log lines", || {
        let (end, mut asked) = (Instant::now() + size.loaded, 0);
        while Instant::now() < end {
            assert_eq!(request.send().status, 200);
            asked += 1;
        }
        assert!(asked > 2, "the load was none");
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn wakes(size: &Size) {
    // Every release but the live ones sleeps at once.
    let host = start("[switching]\nidle_timeout_ms = 1\n[retention]\nreleases = 1000\n");
    let labels: Vec<String> = (0..size.apps).map(|number| format!("sleeper{number}")).collect();
    for app in &labels {
        host.deploy(app, app, &["--version", "v1", "--no-promote"]);
    }
    wait_until("all sleep", PATIENCE, || (host.workers().len() == 2).then_some(()));
    let wrong = disturbed(&host, &[CALM, BAD], size, "apps that wake at once", || {
        std::thread::scope(|scope| {
            let ask = |app: &String| host.get(&format!("{app}-v1"), "/").send();
            let asked: Vec<_> = labels.iter().map(|app| (app, scope.spawn(move || ask(app)))).collect();
            for (app, asked) in asked {
                let answer = asked.join().unwrap();
                assert_eq!((answer.status, answer.text()), (200, app.as_str()), "{answer:?}");
            }
        });
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn two_throws_a_second_disturb_nobody() {
    throws(&SMOKE);
}

#[test]
fn slow_readers_of_a_large_page_disturb_nobody() {
    slow_readers(&SMOKE);
}

#[test]
fn a_flood_of_log_lines_disturbs_nobody() {
    logs(&SMOKE);
}

#[test]
fn apps_that_wake_at_once_disturb_nobody() {
    wakes(&SMOKE);
}

#[test]
#[ignore = "minutes"]
fn every_load_for_longer_disturbs_nobody() {
    throws(&LONG);
    slow_readers(&LONG);
    logs(&LONG);
    wakes(&LONG);
}

/// The rig sees requests that wait, and requests that fail.
#[test]
fn control_a_worker_that_is_stopped_is_noticed() {
    let host = start("");
    let calm = host.workers().into_iter().find(|worker| worker.release.starts_with(CALM)).unwrap();
    let render = calm.render.unwrap();
    let wrong = disturbed(&host, &[CALM], &SMOKE, "a worker that is stopped", || {
        processes::freeze(render);
        // Pause: several times what counts as noise, and less than what has it replaced.
        std::thread::sleep(Duration::from_millis(1_000));
        processes::thaw(render);
    });
    assert!(wrong.iter().any(|what| what.contains("waited")), "{wrong:?}");
    let request = Request::new(host.edge, "GET", "/").header("host", "unknown.localhost");
    let visitor = Neighbour::asking(request);
    // Pause: some dozen requests.
    std::thread::sleep(Duration::from_millis(500));
    assert!(!visitor.stop().failed.is_empty());
}
