//! Many apps on one host, and all of them needed at once: asked while they sleep, after all their workers died, while the host starts.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

/// What is neither live nor standby sleeps at the first look after it was asked. Each app is asked by a client of its own: one alone may
/// start only a few releases that users don't have.
const SLEEPY: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n[switching]\nidle_timeout_ms = 1\n";
/// What is deployed is promoted before it sleeps.
const LIVELY: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n";
const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(60);
/// Beside that for each app, where all of them are started or stopped: a machine that builds and tests other things meanwhile.
const PATIENCE_AN_APP: Duration = Duration::from_secs(1);
/// Apps in the quick tests: several for each processor of most machines.
const SOME: usize = 24;
/// And in the long ones.
const MANY: usize = 200;
/// As fast to deploy as can be: nothing is taken before the first start.
const MANIFEST: &str = r#"{"snapshot":false,"limits":{"isolates":1}}"#;

/// A host with this many apps of one release each, live or not.
fn crowd(apps: usize, config: &str, flags: &[&str]) -> Host {
    let host = Host::start_in(Host::configured(config), &PROCESS);
    let bundle = bundle_dir(&[("server/index.js", &hello("page")), ("vitrine.json", MANIFEST)]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let app = next.fetch_add(1, Ordering::Relaxed);
                    if app >= apps {
                        return;
                    }
                    let flags = [&["--version", "v1"], flags].concat();
                    host.deploy_folder(&name(app), bundle.path(), &flags);
                }
            });
        }
    });
    host
}

fn patience(apps: usize) -> Duration {
    PATIENCE + PATIENCE_AN_APP * u32::try_from(apps).unwrap()
}

fn name(app: usize) -> String {
    format!("app{app}")
}

/// Asks each app once, all at the same time; gives the answers and how long each took.
fn ask_all(host: &Host, apps: usize, label: impl Fn(usize) -> String + Sync) -> Vec<(Answer, Duration)> {
    ask_at(host.edge, apps, |app| format!("{}.localhost", label(app)))
}

fn ask_at(edge: SocketAddr, apps: usize, host: impl Fn(usize) -> String + Sync) -> Vec<(Answer, Duration)> {
    let together = std::sync::Barrier::new(apps);
    let ask = |app: usize| {
        let client = format!("10.0.{}.{}", app / 250, app % 250 + 1);
        let request =
            Request::new(edge, "GET", "/").header("host", &host(app)).header("x-forwarded-for", &client);
        together.wait();
        let begun = Instant::now();
        (request.send(), begun.elapsed())
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..apps)
            .map(|app| {
                let ask = &ask;
                scope.spawn(move || ask(app))
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn assert_all_served(answers: &[(Answer, Duration)], what: &str) {
    let mut took: Vec<Duration> = answers.iter().map(|(_, took)| *took).collect();
    took.sort_unstable();
    println!(
        "{what}: {} asked at once, answered after {:?} at p50, {:?} at most",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1]
    );
    let served = answers.iter().filter(|(answer, _)| answer.status == 200).count();
    println!("{what}: {served} of {} served", answers.len());
    for (app, (answer, took)) in answers.iter().enumerate() {
        let release = answer.header("x-vitrine-release");
        let expected = format!("{}@v1", name(app));
        assert_eq!(
            (answer.status, release, answer.text()),
            (200, Some(expected.as_str()), "page"),
            "after {took:?}: {answer:?}"
        );
    }
}

fn sleeping_apps_are_all_served(apps: usize) {
    let host = crowd(apps, SLEEPY, &["--no-promote"]);
    wait_until("all sleep", patience(apps), || host.workers().is_empty().then_some(()));
    let answers = ask_all(&host, apps, |app| format!("{}-v1", name(app)));
    assert_all_served(&answers, "sleeping apps");
}

#[test]
fn sleeping_apps_that_are_asked_at_once_are_all_served() {
    sleeping_apps_are_all_served(SOME);
}

#[test]
#[ignore = "minutes"]
fn two_hundred_sleeping_apps_that_are_asked_at_once_are_all_served() {
    sleeping_apps_are_all_served(MANY);
}

fn all_workers_are_killed_at_once(apps: usize) {
    let host = crowd(apps, LIVELY, &[]);
    let before = wait_until("each has its worker", patience(apps), || {
        let workers = host.workers();
        (workers.len() == apps && workers.iter().all(|worker| worker.render.is_some())).then_some(workers)
    });
    let pids = before.iter().flat_map(|worker| [Some(worker.supervisor), worker.render]).flatten();
    let pids: Vec<String> = pids.map(|pid| pid.to_string()).collect();
    assert!(Command::new("kill").arg("-KILL").args(&pids).status().unwrap().success());
    let answers = ask_all(&host, apps, name);
    assert_all_served(&answers, "live apps whose workers were killed");
    let replaced = |app: &str| format!("worker_replacements_total{{app=\"{app}\",reason=\"gone\"}} 1\n");
    let metrics = || host.call("GET", "/metrics").send().text().to_owned();
    wait_until("each is counted", patience(apps), || {
        let text = metrics();
        (0..apps).all(|app| text.contains(&replaced(&name(app)))).then_some(())
    });
}

#[test]
fn live_apps_whose_workers_are_killed_at_once_are_all_served() {
    all_workers_are_killed_at_once(SOME / 2);
}

#[test]
#[ignore = "minutes"]
fn two_hundred_live_apps_whose_workers_are_killed_at_once_are_all_served() {
    all_workers_are_killed_at_once(MANY);
}

/// Starts a host on what an earlier one left, at its addresses, and does this as soon as its edge accepts; gives both, and when the
/// host was ready.
fn starting<T: Send>(
    folder: tempfile::TempDir,
    addresses: [SocketAddr; 2],
    meanwhile: impl FnOnce() -> T + Send,
) -> (Host, T, Instant) {
    std::thread::scope(|scope| {
        let during = scope.spawn(move || {
            wait_until("the edge accepts", PATIENCE, || TcpStream::connect(addresses[0]).ok());
            meanwhile()
        });
        let host = Host::start_at(folder, addresses, &PROCESS);
        let ready = Instant::now();
        (host, during.join().unwrap(), ready)
    })
}

/// What is up serves, and who asks for what is not up yet waits for it: nobody waits for the last of all.
#[test]
fn a_host_that_starts_serves_what_is_up_and_holds_requests_for_the_rest() {
    let host = Host::start();
    let slow = format!("await new Promise((done) => setTimeout(done, 3000));\n{}", hello("slow page"));
    for (app, server) in [("quick", hello("quick page")), ("slow", slow)] {
        host.deploy_files(app, &[("server/index.js", &server), ("vitrine.json", MANIFEST)], &[]);
    }
    let addresses = [host.edge, host.admin];
    let get = |app: &str, path: &str| {
        let request = Request::new(addresses[0], "GET", path);
        request.header("host", &format!("{app}.localhost")).send()
    };
    let (folder, clean) = host.stop();
    assert!(clean);
    let (host, (quick_at, slow_at), ready_at) = starting(folder, addresses, || {
        let quick = get("quick", "/");
        let quick_at = Instant::now();
        assert_eq!((quick.status, quick.text()), (200, "quick page"), "{quick:?}");
        let balancer = get("quick", "/_vitrine/readyz");
        assert_eq!((balancer.status, &balancer.json()["reason"]), (503, &"starting".into()));
        let slow = get("slow", "/");
        assert_eq!((slow.status, slow.text()), (200, "slow page"), "{slow:?}");
        (quick_at, Instant::now())
    });
    println!("a page {:?} before `ready`, {:?} before the slow one", ready_at - quick_at, slow_at - quick_at);
    assert!(quick_at < ready_at);
    assert_eq!(host.get("quick", "/_vitrine/readyz").send().status, 200);
    assert_eq!(get("slow", "/").text(), "slow page");
}

/// Operators see what boots, and go back from what takes too long to.
#[test]
fn a_host_that_starts_answers_operators_and_systemd_before_the_last_live_release_is_up() {
    let host = Host::start();
    host.deploy("shop", "quick page", &["--version", "v1"]);
    let slow = format!("await new Promise((done) => setTimeout(done, 6000));\n{}", hello("slow page"));
    host.deploy_files(
        "shop",
        &[("server/index.js", &slow), ("vitrine.json", MANIFEST)],
        &["--version", "v2"],
    );
    let (addresses, token) = ([host.edge, host.admin], host.token());
    let (folder, clean) = host.stop();
    assert!(clean);
    let told = folder.path().join("systemd");
    let systemd = UnixDatagram::bind(&told).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let call = |method: &str, path: &str| {
        let request = Request::new(addresses[1], method, path).header("host", &addresses[1].to_string());
        request.header("authorization", &format!("Bearer {token}"))
    };
    let live_ready = || call("GET", "/v1/apps?short=true").send().json()[0]["live_ready"].clone();
    std::thread::scope(|scope| {
        let during = scope.spawn(|| {
            let mut text = [0; 256];
            let length = systemd.recv(&mut text).unwrap();
            assert!(text[..length].starts_with(b"READY=1\n"), "{text:?}");
            assert_eq!(live_ready(), false);
            assert_eq!(call("GET", "/readyz").send().status, 503);
            let body = br#"{"to":"v1"}"#;
            let back = call("POST", "/v1/apps/shop/rollback").body(body).send();
            assert_eq!(back.status, 200, "{back:?}");
            let page = Request::new(addresses[0], "GET", "/").header("host", "shop.localhost").send();
            assert_eq!((page.status, page.text()), (200, "quick page"));
            (Instant::now(), live_ready())
        });
        let environment = [("NOTIFY_SOCKET", told.to_str().unwrap())];
        let host = Host::start_at_with(folder, addresses, &PROCESS, &environment);
        let ready = Instant::now();
        let (back, live_ready) = during.join().unwrap();
        assert!(back < ready, "back {:?} after `ready`", back - ready);
        assert_eq!(live_ready, true);
        assert_eq!(host.get("shop", "/").send().text(), "quick page");
    });
}

fn live_apps_are_served_while_the_host_starts(apps: usize) {
    let host = crowd(apps, LIVELY, &[]);
    let addresses = [host.edge, host.admin];
    let (folder, clean) = host.stop();
    assert!(clean);
    let begun = Instant::now();
    let edge = addresses[0];
    let (_host, answers, ready_at) =
        starting(folder, addresses, || ask_at(edge, apps, |app| format!("{}.localhost", name(app))));
    println!("{apps} live apps: ready after {:?}", ready_at - begun);
    assert_all_served(&answers, "live apps while their host starts");
}

#[test]
fn live_apps_are_all_served_while_their_host_starts() {
    live_apps_are_served_while_the_host_starts(SOME / 2);
}

#[test]
#[ignore = "minutes"]
fn two_hundred_live_apps_are_all_served_while_their_host_starts() {
    live_apps_are_served_while_the_host_starts(MANY);
}
