//! Several instances of a release: asked for by the bundle, by an operator, kept over switches and restarts.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::storm::{Wish, ask, insist};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(45);
const PAGE: &str = "let count = 0;\n\
    export default { async fetch() { count += 1; await new Promise((done) => setTimeout(done, 10));\n\
    return new Response('whole page'); } };\n";
const TWO: &str = r#"{"scale": {"min": 2, "max": 2}}"#;

fn deploy(host: &Host, manifest: &str, flags: &[&str]) {
    host.deploy_files("shop", &[("server/index.js", PAGE), ("vitrine.json", manifest)], flags);
}

/// Instances of a version, by id.
fn instances(host: &Host, version: &str) -> BTreeSet<String> {
    let app = host.call("GET", "/v1/apps/shop").send().json();
    let of = app["instances"].as_array().unwrap().iter().filter(|one| one["version"] == version);
    of.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn has(host: &Host, version: &str, count: usize) -> BTreeSet<String> {
    let found = instances(host, version);
    assert_eq!(found.len(), count, "{found:?}");
    found
}

#[test]
fn users_get_as_many_instances_as_the_bundle_asks_for_before_it_is_live() {
    let host = Host::start();
    deploy(&host, TWO, &["--version", "v1"]);
    let first = has(&host, "v1", 2);
    deploy(&host, TWO, &["--version", "v2", "--no-promote"]);
    has(&host, "v2", 1);
    host.cli(&["promote", "shop", "v2"]).ok();
    has(&host, "v2", 2);
    assert_eq!(has(&host, "v1", 2), first, "a rollback finds all of it");
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(has(&host, "v1", 2), first);
    let listed = host.cli(&["status", "shop"]).ok().stdout;
    assert!(first.iter().all(|id| listed.contains(id)), "{listed}");
}

#[test]
fn an_operators_number_counts_more_than_the_bundles_until_it_is_reset() {
    let host = Host::start();
    deploy(&host, TWO, &["--version", "v1"]);
    let before = has(&host, "v1", 2);
    let scaled = host.cli(&["scale", "shop", "3"]).ok();
    assert!(scaled.stderr.contains("shop: 3 instances, as set by `vitrine scale`"), "{scaled:?}");
    assert!(has(&host, "v1", 3).is_superset(&before), "those that serve stay");
    deploy(&host, TWO, &["--version", "v2"]);
    has(&host, "v2", 3);
    host.cli(&["scale", "shop", "1"]).ok();
    has(&host, "v2", 1);
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    let shown = host.cli(&["scale", "shop", "--json"]).ok().json();
    assert_eq!((&shown["scale"]["min"], &shown["scale_is_set"]), (&1.into(), &true.into()));
    host.cli(&["scale", "shop", "--reset"]).ok();
    has(&host, "v2", 2);
    let audit = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert!(audit.contains("3 to 3 instances") && audit.contains("as its bundles ask for"), "{audit}");
}

#[test]
fn numbers_that_can_not_be_are_refused_and_change_nothing() {
    let host = Host::start();
    deploy(&host, "{}", &["--version", "v1"]);
    host.cli(&["scale", "shop", "5"]).fails(1, &["worker.instances_max", "4"]);
    host.cli(&["scale", "shop", "0"]).fails(2, &["min"]);
    host.cli(&["scale", "shop", "--min", "3", "--max", "2"]).fails(2, &["max"]);
    host.cli(&["scale", "shop", "2", "--reset"]).fails(2, &["--reset"]);
    host.cli(&["scale", "shpo", "2"]).fails(4, &["shop"]);
    let answer = host.call("PUT", "/v1/apps/shop/scale").body(r#"{"min":2,"max":1}"#).send();
    assert_eq!(answer.status, 400, "{}", answer.text());
    has(&host, "v1", 1);
    let shown = host.cli(&["scale", "shop"]).ok();
    assert!(shown.stderr.contains("shop: 1 instance, as its vitrine.json asks for"), "{shown:?}");
}

#[test]
fn scaling_from_one_to_four_to_one_under_load_fails_no_request() {
    let host = Host::start();
    deploy(&host, "{}", &["--version", "v1"]);
    let stop = &AtomicBool::new(false);
    let wish =
        &Wish { method: "GET", path: "/", host: format!("shop.localhost:{}", host.edge.port()), body: "" };
    let (seen, failed) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..6).map(|_| scope.spawn(|| insist(host.edge, wish, stop))).collect();
        let during = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            host.cli(&["scale", "shop", "4"]).ok();
            has(&host, "v1", 4);
            let busy = || {
                let app = host.call("GET", "/v1/apps/shop").send().json();
                let in_flight: Vec<u64> = app["instances"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|one| one["in_flight"].as_u64())
                    .collect();
                (in_flight.iter().filter(|count| **count > 0).count() > 1).then_some(())
            };
            wait_until("requests at several instances", PATIENCE, busy);
            host.cli(&["scale", "shop", "1"]).ok();
            has(&host, "v1", 1);
            wait_until("one process", PATIENCE, || (host.workers().len() == 1).then_some(()));
        }));
        stop.store(true, Ordering::Relaxed);
        let answers: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        if let Err(panic) = during {
            std::panic::resume_unwind(panic);
        }
        let (seen, failed): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        (seen.concat(), failed.concat())
    });
    assert_eq!(failed, Vec::<String>::new(), "of {} requests", seen.len());
    let wrong: Vec<_> =
        seen.iter().filter(|answer| answer.status != 200 || answer.body != "whole page").collect();
    assert!(wrong.is_empty() && seen.len() > 100, "{wrong:?} of {}", seen.len());
}

#[test]
fn a_host_that_starts_again_adopts_every_instance() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container"]);
    deploy(&host, TWO, &["--version", "v1"]);
    let before = has(&host, "v1", 2);
    let host = Host::start_in(host.kill(), &["--isolation", "container", "--stop-workers-on-exit"]);
    assert_eq!(has(&host, "v1", 2), before);
    assert_eq!(host.get("shop", "/").send().text(), "whole page");
}

#[test]
fn other_values_come_to_every_instance() {
    let host = Host::start();
    let page = "export default { fetch() { return new Response(process.env.COLOUR ?? 'none'); } };\n";
    let manifest = r#"{"scale": {"min": 2, "max": 2}, "env": ["COLOUR"]}"#;
    host.deploy_files("shop", &[("server/index.js", page), ("vitrine.json", manifest)], &["--version", "v1"]);
    host.cli(&["env", "set", "shop", "COLOUR"]).stdin("green").ok();
    let live = host.call("GET", "/v1/apps/shop").send().json()["live"].as_str().unwrap().to_owned();
    has(&host, &live, 2);
    assert!((0..20).all(|_| host.get("shop", "/").send().text() == "green"));
}

/// The figure of a metric without labels.
fn metric(host: &Host, name: &str) -> String {
    let text = host.call("GET", "/metrics").send();
    let line = text.text().lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
    line.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn what_does_not_fit_is_not_started_and_what_serves_stays() {
    let toml = "[capacity]\nmemory_mb = 450\n[worker]\nmemory_reservation_mb = 100\n\
                [apps.large.worker]\nmemory_reservation_mb = 400\n";
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    deploy(&host, TWO, &["--version", "v1"]);
    assert_eq!(metric(&host, "vitrine_schedulable_workers"), "0", "of the largest");
    let page = [("server/index.js", PAGE)];
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("server")).unwrap();
    page.iter().for_each(|(path, text)| std::fs::write(folder.path().join(path), text).unwrap());
    let bundle = folder.path().to_str().unwrap();
    let words = ["RESOURCE:MEMORY", "400 MiB", "250 of 450 MiB are free"];
    host.cli(&["deploy", "large", bundle]).fails(1, &words);
    host.cli(&["scale", "shop", "4"]).ok();
    has(&host, "v1", 4);
    host.cli(&["deploy", "blog", bundle]).fails(1, &["RESOURCE:MEMORY"]);
    assert_eq!(host.get("shop", "/").send().text(), "whole page");
    host.cli(&["scale", "shop", "1"]).ok();
    // The surplus ones finish their requests first.
    wait_until("room for another app", PATIENCE, || {
        (host.cli(&["deploy", "blog", bundle]).run().code == 0).then_some(())
    });
    has(&host, "v1", 1);
}

#[test]
fn instances_with_earlier_limits_serve_until_others_take_their_places() {
    if !docker::is_there() {
        return;
    }
    let flags = ["--isolation", "container", "--stop-workers-on-exit"];
    let host = Host::start_in(Host::configured("[worker]\nmemory_mb = 256\n"), &flags);
    deploy(&host, TWO, &["--version", "v1"]);
    let before = has(&host, "v1", 2);
    let (stop, pages) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let wish =
        &Wish { method: "GET", path: "/", host: format!("shop.localhost:{}", host.edge.port()), body: "" };
    let asking = || {
        let (mut connection, mut failed) = (None, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            match ask(host.edge, wish, &mut connection) {
                Ok(seen) if seen.status == 200 => {
                    pages.fetch_add(1, Ordering::Relaxed);
                }
                other => {
                    connection = None;
                    failed.push(format!("{other:?}"));
                }
            }
        }
        failed
    };
    let failed = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
        let renewed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let more_pages = || {
                let now = pages.load(Ordering::Relaxed);
                wait_until("pages", PATIENCE, || (pages.load(Ordering::Relaxed) > now + 50).then_some(()));
            };
            more_pages();
            std::fs::write(host.folder().join("vitrine.toml"), "[worker]\nmemory_mb = 320\n").unwrap();
            host.upgrade().ok();
            wait_until("two new instances", PATIENCE, || {
                let now = instances(&host, "v1");
                (now.len() == 2 && now.is_disjoint(&before)).then_some(())
            });
            more_pages();
        }));
        stop.store(true, Ordering::Relaxed);
        let failed: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        renewed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        failed
    });
    assert_eq!(failed, Vec::<String>::new(), "of {} requests", pages.load(Ordering::Relaxed));
}

#[test]
fn a_start_that_fails_ends_none_of_those_beside_it_and_leaves_nothing_behind() {
    let toml = "[capacity]\nmemory_mb = 250\n[worker]\nmemory_reservation_mb = 100\n";
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    deploy(&host, "{}", &["--version", "v1"]);
    host.cli(&["scale", "shop", "4"]).fails(1, &["RESOURCE:MEMORY", "100 MiB"]);
    let left = has(&host, "v1", 2);
    let processes: BTreeSet<String> = host.workers().into_iter().map(|worker| worker.instance).collect();
    assert_eq!(processes, left);
}

#[test]
fn more_instances_are_started_while_more_is_asked_than_they_take() {
    let host = Host::start();
    let manifest = r#"{"scale": {"min": 1, "max": 2}, "limits": {"concurrency": 1, "isolates": 1}}"#;
    deploy(&host, manifest, &["--version", "v1"]);
    has(&host, "v1", 1);
    let stop = &AtomicBool::new(false);
    let wish =
        &Wish { method: "GET", path: "/", host: format!("shop.localhost:{}", host.edge.port()), body: "" };
    let answers = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..6).map(|_| scope.spawn(|| insist(host.edge, wish, stop))).collect();
        let grown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until("a second instance", PATIENCE, || (instances(&host, "v1").len() == 2).then_some(()));
            deploy(&host, manifest, &["--version", "v2"]);
            has(&host, "v2", 2);
        }));
        stop.store(true, Ordering::Relaxed);
        let answers: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        grown.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        answers
    });
    assert!(
        answers.iter().all(|(seen, failed)| failed.is_empty() && seen.iter().all(|one| one.status == 200))
    );
}
