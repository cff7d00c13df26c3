//! One of two instances that dies or stands still under load: every request that may be asked again is answered by the other.

use crate::harness::docker;
use crate::harness::host::Host;
use crate::harness::processes::{self, WorkerProcess};
use crate::harness::storm::{Wish, insist};
use crate::harness::wait::wait_until;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
const PATIENCE: Duration = Duration::from_secs(45);
const CLIENTS: usize = 6;
/// Pages that must have come before and after the fault.
const PAGES: usize = 50;

const PAGE: &str = "export default { async fetch() { await new Promise((done) => setTimeout(done, 15));\n\
                    return new Response('whole page'); } };\n";

fn instances(host: &Host) -> BTreeSet<String> {
    let app = host.call("GET", "/v1/apps/shop").send().json();
    let ready = app["instances"].as_array().unwrap().iter().filter(|one| one["state"] == "ready");
    ready.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn two_instances(host: &Host) {
    host.deploy_files(
        "shop",
        &[("server/index.js", PAGE), ("vitrine.json", r#"{"scale": {"min": 2, "max": 2}}"#)],
        &["--version", "v1"],
    );
    wait_until("two instances", PATIENCE, || (instances(host).len() == 2).then_some(()));
}

/// Asks while one of two instances is hit, until another took its place. Gives how many pages came and all that went wrong.
fn strike(host: &Host, hit: impl FnOnce(&str)) -> (usize, Vec<String>) {
    let (stop, pages) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let wish =
        &Wish { method: "GET", path: "/", host: format!("shop.localhost:{}", host.edge.port()), body: "" };
    let asking = || {
        let mut failed = Vec::new();
        let mut connection = None;
        while !stop.load(Ordering::Relaxed) {
            match crate::harness::storm::ask(host.edge, wish, &mut connection) {
                Ok(seen) if seen.status == 200 && seen.body == "whole page" => {
                    pages.fetch_add(1, Ordering::Relaxed);
                }
                Ok(seen) => failed.push(format!("{}: {}", seen.status, seen.body)),
                Err(error) => {
                    connection = None;
                    failed.push(error.to_string());
                }
            }
        }
        failed
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(asking)).collect();
        let during = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let more_pages = || {
                let before = pages.load(Ordering::Relaxed);
                wait_until("pages come", PATIENCE, || {
                    (pages.load(Ordering::Relaxed) >= before + PAGES).then_some(())
                });
            };
            more_pages();
            let before = instances(host);
            let struck = before.first().unwrap();
            hit(struck);
            wait_until("another instance in its place", PATIENCE, || {
                let now = instances(host);
                (now.len() == 2 && !now.contains(struck)).then_some(())
            });
            more_pages();
        }));
        stop.store(true, Ordering::Relaxed);
        let failed = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        if let Err(panic) = during {
            std::panic::resume_unwind(panic);
        }
        (pages.load(Ordering::Relaxed), failed)
    })
}

fn process(host: &Host, instance: &str) -> WorkerProcess {
    wait_until("the struck instance", PATIENCE, || {
        host.workers().into_iter().find(|worker| worker.instance == instance && worker.render.is_some())
    })
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success(), "process {pid} is gone");
}

#[track_caller]
fn hold(what: &str, (pages, failed): (usize, Vec<String>)) {
    assert_eq!(failed, Vec::<String>::new(), "{what}, of {pages} requests");
    println!("{what}: {pages} requests, 0 failed");
}

#[test]
fn a_killed_instance_of_two_fails_no_request() {
    let host = Host::start();
    two_instances(&host);
    hold(
        "kill -9",
        strike(&host, |instance| {
            let worker = process(&host, instance);
            processes::kill(worker.supervisor);
        }),
    );
}

#[test]
fn an_instance_of_two_that_stands_still_fails_no_request() {
    let host = Host::start();
    two_instances(&host);
    hold(
        "SIGSTOP",
        strike(&host, |instance| {
            let worker = process(&host, instance);
            signal("STOP", worker.supervisor);
            signal("STOP", worker.render.unwrap());
        }),
    );
}

#[test]
fn a_container_of_two_that_is_killed_paused_or_out_of_memory_fails_no_request() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&CONTAINER);
    two_instances(&host);
    for what in ["docker kill", "docker pause", "out of memory"] {
        let mut eater = None;
        let seen = strike(&host, |instance| {
            let containers = docker::containers_of(&host.data());
            let hit =
                containers.iter().find(|one| one["Name"].as_str().unwrap().ends_with(instance)).unwrap();
            let id = hit["Id"].as_str().unwrap();
            match what.strip_prefix("docker ") {
                Some(verb) => {
                    let done =
                        Command::new("docker").args([verb, id]).stdout(Stdio::null()).status().unwrap();
                    assert!(done.success());
                }
                // What another process takes in the group is the group's: the worker is ended for it.
                None => eater = Some(eat_memory(id)),
            }
        });
        if let Some(mut eater) = eater {
            let _ = eater.kill();
            let _ = eater.wait();
        }
        hold(what, seen);
    }
}

fn eat_memory(container: &str) -> std::process::Child {
    let groups = [
        format!("/sys/fs/cgroup/memory/docker/{container}"),
        format!("/sys/fs/cgroup/system.slice/docker-{container}.scope"),
    ];
    let group = groups
        .iter()
        .find(|group| std::path::Path::new(group).exists())
        .expect("the container's memory group");
    let script =
        format!("echo -1000 >/proc/self/oom_score_adj; echo $$ >{group}/cgroup.procs; exec tail /dev/zero");
    Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).spawn().unwrap()
}

/// Without the second instance the same fault is seen: the storm can fail.
#[test]
fn the_only_instance_that_stands_still_is_missed() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", PAGE)], &["--version", "v1"]);
    let stop = &AtomicBool::new(false);
    let wish =
        &Wish { method: "POST", path: "/", host: format!("shop.localhost:{}", host.edge.port()), body: "x" };
    let seen = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| insist(host.edge, wish, stop))).collect();
        let before = instances(&host);
        let worker = process(&host, before.first().unwrap());
        processes::kill(worker.supervisor);
        wait_until("another instance", PATIENCE, || (instances(&host) != before).then_some(()));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap().0).collect::<Vec<_>>()
    });
    assert!(
        seen.iter().any(|answer| answer.status != 200),
        "no request noticed that the only instance was killed"
    );
}
