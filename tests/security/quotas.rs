//! What one app may have beside what its users get, and what nobody can take from a live release.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use vitrine_test_support::archive::Archive;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::processes::{freeze, thaw};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

fn configured(toml: &str) -> Host {
    Host::start_in(Host::configured(toml), &["--isolation", "process"])
}

fn deployer(host: &Host, app: &str) -> String {
    let name = format!("{app}-ci");
    host.cli(&["token", "create", &name, "--app", app, "--verb", "deploy"]).ok().stdout.trim().to_owned()
}

fn put(host: &Host, token: &str, path: &str, archive: Vec<u8>) -> Answer {
    Request::new(host.admin, "PUT", &format!("/v1/apps/{path}"))
        .header("host", &host.admin.to_string())
        .header("authorization", &format!("Bearer {token}"))
        .body(archive)
        .send()
}

fn preview(host: &Host, token: &str, app: &str, name: &str, version: &str) -> Answer {
    let path = format!("{app}/releases/{version}?preview={name}");
    put(host, token, &path, Archive::good(version).zst())
}

fn assert_quota(answer: &Answer, setting: &str) {
    let told = answer.json();
    assert_eq!((answer.status, &told["type"]), (409, &"urn:vitrine:problem:quota".into()), "{told}");
    assert!(told["detail"].as_str().unwrap().contains(setting), "{told}");
}

#[test]
fn previews_and_candidates_of_an_app_are_bounded_also_after_a_restart() {
    let host = configured("[quota]\npreviews = 2\n");
    let token = deployer(&host, "shop");
    assert_eq!(preview(&host, &token, "shop", "pr-1", "p1").status, 201);
    assert_eq!(preview(&host, &token, "shop", "pr-2", "p2").status, 201);
    assert_quota(&preview(&host, &token, "shop", "pr-3", "p3"), "quota.previews");
    // A pull request's next push takes the place of the one before.
    assert_eq!(preview(&host, &token, "shop", "pr-2", "p2b").status, 201);
    for version in ["c1", "c2"] {
        let path = format!("shop/releases/{version}");
        assert_eq!(put(&host, &token, &path, Archive::good(version).zst()).status, 201);
    }
    let third = put(&host, &token, "shop/releases/c3", Archive::good("c3").zst());
    assert_quota(&third, "quota.previews");
    // Another app has its own.
    assert_eq!(preview(&host, &deployer(&host, "blog"), "blog", "pr-1", "p1").status, 201);
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_quota(&preview(&host, &token, "shop", "pr-3", "p3"), "quota.previews");
    host.cli(&["remove", "shop@p1"]).ok();
    assert_eq!(preview(&host, &token, "shop", "pr-3", "p3").status, 201);
}

#[test]
fn bundles_of_previews_are_bounded_by_their_bytes() {
    let host = configured("[quota]\npreview_mb = 3\n");
    let token = deployer(&host, "shop");
    let large = |name: &str| Archive::good(name).file("client/data.bin", &vec![b'x'; 2 << 20]).zst();
    assert_eq!(put(&host, &token, "shop/releases/p1?preview=pr-1", large("one")).status, 201);
    let second = put(&host, &token, "shop/releases/p2?preview=pr-2", large("two"));
    assert_quota(&second, "quota.preview_mb");
    // The same bundle again takes no more room.
    assert_eq!(put(&host, &token, "shop/releases/p3?preview=pr-3", large("one")).status, 201);
}

#[test]
fn bundles_that_were_never_live_are_bounded_by_their_bytes() {
    let host = configured("[quota]\ncandidate_mb = 3\n");
    let token = deployer(&host, "shop");
    let upload = |version: &str| {
        let archive = Archive::good(version).file("client/data.bin", &vec![b'x'; 2 << 20]).zst();
        put(&host, &token, &format!("shop/releases/{version}"), archive)
    };
    assert_eq!(upload("c1").status, 201);
    assert_quota(&upload("c2"), "quota.candidate_mb");
    // What users have counts no longer.
    host.cli(&["promote", "shop", "c1"]).ok();
    assert_eq!(upload("c2").status, 201);
    assert_quota(&upload("c3"), "quota.candidate_mb");
}

#[test]
fn removals_of_one_token_push_out_no_app_of_another() {
    let host = Host::start_with(&["--isolation", "process"]);
    host.deploy("victim", "back again", &["--version", "v1"]);
    host.cli(&["remove", "victim", "--yes"]).ok();
    let own: Vec<String> = (0..40).map(|number| format!("own{number:02}")).collect();
    let flags: Vec<&str> = own.iter().flat_map(|app| ["--app", app.as_str()]).collect();
    let create = [&["token", "create", "many", "--verb", "env,remove"], &flags[..]].concat();
    let token = host.cli(&create).ok().stdout.trim().to_owned();
    let call = |method: &str, path: &str, body: &str| {
        let request = Request::new(host.admin, method, &format!("/v1/apps/{path}"))
            .header("host", &host.admin.to_string())
            .header("authorization", &format!("Bearer {token}"))
            .header("content-type", "application/json");
        if body.is_empty() { request.send() } else { request.body(body).send() }
    };
    for app in &own {
        // An app of values alone is removed and kept as any other.
        assert_eq!(call("PUT", &format!("{app}/env/KEY"), r#"{"value":"x"}"#).status, 200);
        assert_eq!(call("DELETE", app, "").status, 204);
    }
    let kept = |host: &Host| -> Vec<String> {
        let listed = host.call("GET", "/v1/apps?removed=true").send().json();
        listed.as_array().unwrap().iter().map(|one| one["app"].as_str().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = own[9..].iter().cloned().chain(["victim".to_owned()]).collect();
    assert_eq!(kept(&host), expected, "the oldest of those that it removed itself are gone");
    // Who removed what is known after a restart.
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.cli(&["env", "set", "own00", "KEY"]).stdin("x").ok();
    host.cli(&["remove", "own00", "--yes"]).env("VITRINE_TOKEN", &token).ok();
    assert!(kept(&host).contains(&"victim".to_owned()) && kept(&host).len() == 32);
    host.cli(&["restore", "victim"]).ok();
    assert_eq!(host.get("victim", "/").send().text(), "back again");
}

/// The most workers that were seen at once while `during` ran.
fn most_workers(host: &Host, during: impl FnOnce()) -> usize {
    let (over, most) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let running: std::collections::BTreeSet<_> =
                    host.workers().into_iter().map(|worker| worker.instance).collect();
                most.fetch_max(running.len(), Ordering::Relaxed);
                // Looked at often enough to see a worker that lives for half a second.
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        over.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    most.into_inner()
}

#[test]
fn strangers_wake_no_more_workers_than_there_is_room_for() {
    // Room for three on the host, for two of an app.
    let host = configured("[quota]\nworkers = 2\nworkers_mb = 1536\n[worker]\nmemory_mb = 512\n");
    let at_first = schedulable(&host);
    host.deploy("shop", "live", &["--version", "v1"]);
    let names: Vec<String> = (0..5).map(|number| format!("pr-{number}")).collect();
    let most = most_workers(&host, || {
        for (app, token) in [("shop", deployer(&host, "shop")), ("blog", deployer(&host, "blog"))] {
            for name in &names {
                assert_eq!(preview(&host, &token, app, name, name).status, 201);
            }
        }
        for (app, name) in ["shop", "blog"].iter().flat_map(|app| names.iter().map(move |name| (app, name))) {
            // One that was put to sleep for another one is there all the same, once it has room.
            wait_until("it wakes", PATIENCE, || {
                let answer = host.get(&format!("{app}-{name}"), "/").send();
                (answer.status == 200).then(|| assert_eq!(answer.text(), name))
            });
        }
        assert_eq!(host.get("shop", "/").send().text(), "live");
    });
    // Beside them the live one, and one that is just taking a snapshot.
    assert!((3..=5).contains(&most), "{most} workers at once");
    assert!(schedulable(&host) < at_first, "what runs takes no room");
}

fn schedulable(host: &Host) -> u64 {
    let metrics = host.call("GET", "/metrics").send();
    let left = metrics.text().lines().find_map(|line| line.strip_prefix("vitrine_schedulable_workers "));
    left.unwrap().parse().unwrap()
}

/// A page that is never done.
const BUSY: &str = "export default { fetch: request => new URL(request.url).pathname === '/hold'\n\
                    ? new Promise(() => {}) : new Response('here') };\n";

/// A request that is in flight until this is dropped.
fn hold(host: &Host, label: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host.edge).unwrap();
    write!(stream, "GET /hold HTTP/1.1\r\nhost: {label}.localhost\r\n\r\n").unwrap();
    stream
}

/// A page that takes its time, of a release that takes its time to start.
const SLOW: &str = "await new Promise(done => setTimeout(done, 2000));\n\
                    export default { fetch: request => new URL(request.url).pathname === '/hold'\n\
                    ? new Promise(done => setTimeout(() => done(new Response('held')), 3000)) : new Response('here') };\n";

#[test]
fn an_upload_waits_for_room_that_is_about_to_be_free() {
    let host = configured("[quota]\nworkers = 1\n");
    host.deploy("shop", "live", &["--version", "v1"]);
    let token = deployer(&host, "shop");
    let slow = Archive::empty().file("server/index.js", SLOW.as_bytes()).zst();
    assert_eq!(put(&host, &token, "shop/releases/w1?preview=b1", slow).status, 201);
    let _held = hold(&host, "shop-b1");
    wait_until("its request is in flight", PATIENCE, || {
        (host.release("shop", "w1")["in_flight"] == 1).then_some(())
    });
    assert_eq!(preview(&host, &token, "shop", "b2", "w2").status, 201, "it waits for a page of the other");
    assert_eq!(host.get("shop-b2", "/").send().text(), "w2");
}

#[test]
fn room_is_made_for_others_while_a_release_takes_its_time_to_sleep() {
    // Room for two on the host.
    let host = configured(
        "[quota]\nworkers_mb = 1024\n[worker]\nmemory_mb = 512\n[switching]\nstop_timeout_ms = 60000\n",
    );
    for app in ["one", "two"] {
        assert_eq!(preview(&host, &deployer(&host, app), app, "pr", "v1").status, 201);
    }
    // The other one was asked for later.
    assert_eq!(host.get("two-pr", "/").send().text(), "v1");
    let one = host.workers().into_iter().find(|worker| worker.release == "one@v1").unwrap();
    let (third, fourth) = (deployer(&host, "three"), deployer(&host, "four"));
    // It does not hear that it is to end.
    freeze(one.supervisor);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| preview(&host, &third, "three", "pr", "v1").status);
        wait_until("it goes to sleep", PATIENCE, || {
            host.log().contains("a release goes to sleep to make room").then_some(())
        });
        let status = preview(&host, &fourth, "four", "pr", "v1").status;
        let goes_on = host.workers().iter().any(|worker| worker.instance == one.instance);
        thaw(one.supervisor);
        assert_eq!((status, goes_on), (201, true), "it has waited for the end of another");
        assert_eq!(waits.join().unwrap(), 201);
    });
}

#[test]
fn what_is_to_be_live_next_has_a_place_while_a_preview_starts() {
    let host = configured("[quota]\nworkers = 2\n");
    host.deploy("shop", "live", &["--version", "v1"]);
    let token = deployer(&host, "shop");
    let busy = Archive::empty().file("server/index.js", BUSY.as_bytes());
    let busy = busy.file("vitrine.json", br#"{"limits": {"wall_ms": 60000}}"#).zst();
    assert_eq!(put(&host, &token, "shop/releases/w1?preview=b1", busy).status, 201);
    let _held = hold(&host, "shop-b1");
    wait_until("its request is in flight", PATIENCE, || {
        (host.release("shop", "w1")["in_flight"] == 1).then_some(())
    });
    let never =
        Archive::empty().file("server/index.js", b"await new Promise(() => setInterval(() => {}, 1000));");
    std::thread::scope(|scope| {
        let starts =
            scope.spawn(|| put(&host, &token, "shop/releases/w2?preview=b2&wait=15", never.zst()).status);
        wait_until("the preview starts", PATIENCE, || {
            host.workers().iter().any(|worker| worker.release == "shop@w2").then_some(())
        });
        let next = put(&host, &token, "shop/releases/v2", Archive::good("next").zst());
        assert_eq!(next.status, 201, "{next:?}");
        assert!(!starts.is_finished(), "the preview has started or was given up");
        assert_ne!(starts.join().unwrap(), 201);
    });
}

#[test]
fn with_every_quota_used_up_promotions_and_rollbacks_go_on() {
    let host = configured(
        "[quota]\npreviews = 2\nworkers = 2\nworkers_mb = 1024\n[worker]\nmemory_mb = 512\n\
         [switching]\nidle_timeout_ms = 600000\n",
    );
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    let token = deployer(&host, "shop");
    let busy = || {
        let limits = br#"{"limits": {"wall_ms": 60000}}"#;
        Archive::empty().file("server/index.js", BUSY.as_bytes()).file("vitrine.json", limits)
    };
    let mut held = Vec::new();
    for (version, name) in [("w1", "b1"), ("w2", "b2")] {
        let path = format!("shop/releases/{version}?preview={name}");
        assert_eq!(put(&host, &token, &path, busy().zst()).status, 201);
        held.push(hold(&host, &format!("shop-{name}")));
        wait_until("its request is in flight", PATIENCE, || {
            (host.release("shop", version)["in_flight"] == 1).then_some(())
        });
    }
    // Workers: nothing more is started for others, and none of the busy ones is stopped.
    assert_quota(&preview(&host, &token, "shop", "b1", "w3"), "quota.workers");
    assert_eq!(host.get("shop-v1", "/").send().status, 503, "it sleeps, and there is no room to wake it");
    assert_quota(&preview(&host, &token, "shop", "b3", "w4"), "quota.previews");
    // Uploads: every place that tokens can have is taken by bodies that do not come.
    for number in 0..6 {
        let app = format!("slow-{number}");
        let token = deployer(&host, &app);
        let mut stream = TcpStream::connect(host.admin).unwrap();
        write!(
            stream,
            "PUT /v1/apps/{app}/releases/v1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: 1000000\r\n\r\n0123"
        )
        .unwrap();
        held.push(stream);
    }
    let page = || host.get("shop", "/").send().text().to_owned();
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(page(), "v2");
    // Also to one that sleeps.
    host.cli(&["rollback", "shop", "--to", "v1"]).ok();
    assert_eq!(page(), "v1");
    host.cli(&["promote", "shop", "v3"]).ok();
    assert_eq!(page(), "v3");
    // What is to be live next has its place, too, of this app and of others.
    host.deploy("shop", "v4", &["--version", "v4"]);
    assert_eq!(page(), "v4");
    host.deploy("blog", "mine", &["--version", "v1"]);
    // The busy ones were left alone.
    held[0].set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let cut = held[0].read(&mut [0; 64]);
    assert!(cut.is_err(), "it is still being answered: {cut:?}");
}
