//! The end of a host, however it comes, and the start of the next one on the same data.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(30);

fn live(host: &Host) -> (Option<String>, String) {
    let answer = host.get("shop", "/").send();
    (answer.header("x-vitrine-release").map(str::to_owned), answer.text().to_owned())
}

fn assert_live(host: &Host, version: &str) {
    assert_eq!(live(host), (Some(format!("shop@{version}")), version.to_owned()));
}

fn deploy_two(host: &Host) {
    for version in ["v1", "v2"] {
        host.deploy("shop", version, &["--version", version]);
    }
}

#[test]
fn sigterm_lets_a_stream_end_and_exits_with_0() {
    let host = Host::start();
    host.deploy_folder("shop", &vitrine_test_support::archive::fixture("slow-stream"), &[]);
    let mut stream = BufReader::new(TcpStream::connect(host.edge).unwrap());
    stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream.get_mut(), "GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut line = String::new();
    while !line.contains("chunk 0") {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "no first chunk");
    }
    let edge = host.edge;
    let (_folder, clean) = host.stop();
    assert!(clean, "SIGTERM ends with exit 0");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("chunk 19") && rest.ends_with("0\r\n\r\n"), "{rest}");
    assert!(TcpStream::connect(edge).is_err(), "the port is free");
}

#[test]
fn after_a_kill_what_was_acknowledged_is_live() {
    let mut host = Host::start();
    deploy_two(&host);
    let token = host.token();
    for version in ["v1", "v2"] {
        host.cli(&["promote", "shop", version]).ok();
        let data = host.data();
        let folder = host.kill();
        wait_until("process workers end with their host", PATIENCE, || {
            vitrine_test_support::processes::workers_of(&data).is_empty().then_some(())
        });
        host = Host::start_in(folder, &PROCESS);
        assert_eq!(host.token(), token);
        // The first request after `ready` needs no boot: the worker is there.
        let worker = host.release("shop", version)["instance"].clone();
        assert!(worker.is_string(), "{version} is live without a worker");
        assert_live(&host, version);
        assert_eq!(host.release("shop", version)["instance"], worker);
    }
    // The release to go back to is warm soon after.
    wait_until("the standby is warm", PATIENCE, || {
        (host.release("shop", "v1")["phase"] == "standby").then_some(())
    });
    assert_eq!(host.cli(&["rollback", "shop"]).ok().stdout, "shop@v1\n");
    assert_live(&host, "v1");
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &PROCESS);
    assert_live(&host, "v1");
    host.cli(&["rollback", "shop"]).fails(1, &["no earlier"]);
}

#[test]
fn a_second_host_on_the_same_data_is_refused() {
    let host = Host::start();
    host.deploy("shop", "v1", &["--version", "v1"]);
    let data = host.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--isolation", "process"];
    let second = [&args[..], &["--data", data.to_str().unwrap()]].concat();
    Cli::new(&second).fails(1, &[data.to_str().unwrap()]);
    assert_live(&host, "v1");
    host.deploy("shop", "v2", &["--version", "v2"]);
    assert_live(&host, "v2");
}

#[test]
fn containers_outlive_the_host_and_are_adopted() {
    if !docker::is_there() {
        return;
    }
    let flags = ["--isolation", "container"];
    let host = Host::start_with(&flags);
    assert_eq!(host.isolation, "container");
    deploy_two(&host);
    let before = instances(&host);
    let started = started(&host.data());
    assert_eq!(started.len(), 2);
    // Adopted after a proper end, and after none.
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &[]);
    assert_eq!((host.isolation.as_str(), instances(&host)), ("container", before.clone()));
    assert_live(&host, "v2");
    host.cli(&["rollback", "shop"]).ok();
    let host = Host::start_in(host.kill(), &[]);
    assert_live(&host, "v1");
    assert_eq!((instances(&host), self::started(&host.data())), (before.clone(), started.clone()));

    never_weakened(host, &before, &started);
}

/// Without Docker a host that was recorded with containers serves those that run, says so, and starts nothing else.
fn never_weakened(host: Host, before: &[(String, String)], started: &[String]) {
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_without_docker(folder, &[]);
    assert_eq!(host.isolation, "container");
    assert_live(&host, "v1");
    assert_eq!(instances(&host), before);
    host.cli(&["rollback", "shop", "--to", "v2"]).ok();
    assert_live(&host, "v2");
    let bundle = vitrine_test_support::archive::bundle_dir(&[(
        "server/index.js",
        "export default () => new Response()",
    )]);
    let path = bundle.path().to_str().unwrap();
    host.cli(&["deploy", "shop", path, "--version", "v3", "--wait", "20"]).fails(1, &["Docker"]);
    assert!(host.log().contains("Docker"), "it says nothing about Docker");
    assert_live(&host, "v2");
    assert_eq!(host.workers().len(), 0, "no worker runs as a process");
    let (folder, clean) = host.stop();
    assert!(clean);

    let host = Host::start_in(folder, &["--stop-workers-on-exit"]);
    assert_live(&host, "v2");
    let data = host.data();
    assert_eq!(self::started(&data), started);
    let (_folder, clean) = host.stop();
    assert!(clean);
    assert_eq!(docker::containers_of(&data).len(), 0, "--stop-workers-on-exit");
}

#[test]
fn a_host_that_is_started_with_processes_replaces_its_containers_and_says_so_once() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container"]);
    deploy_two(&host);
    let before = instances(&host);
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(host.isolation, "process");
    assert_live(&host, "v2");
    assert_ne!(instances(&host), before, "a container is none of its workers");
    let data = host.data();
    wait_until("the containers are ended", PATIENCE, || {
        docker::containers_of(&data).is_empty().then_some(())
    });
    host.cli(&["rollback", "shop"]).ok();
    assert_live(&host, "v1");
    assert_eq!(host.workers().len(), 2);
    let of_second = host.log();
    assert_eq!(of_second.matches("weaker than the containers").count(), 1, "{of_second}");
    assert!(
        !of_second.contains("\"level\":\"ERROR\"") && !of_second.contains("an action failed"),
        "{of_second}"
    );

    // The record of the stronger choice stays.
    let host = Host::start_in(host.kill(), &["--stop-workers-on-exit"]);
    assert_eq!(host.isolation, "container");
    assert_live(&host, "v1");
    assert!(!docker::containers_of(&data).is_empty());
    let (_folder, clean) = host.stop();
    assert!(clean);
    assert_eq!(docker::containers_of(&data).len(), 0);
}

/// Each release and its worker.
fn instances(host: &Host) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
    host.releases("shop").iter().map(|one| (text(&one["version"]), text(&one["instance"]))).collect()
}

/// When each container was started: no restart goes unnoticed.
fn started(data: &Path) -> Vec<String> {
    let containers = docker::containers_of(data);
    let mut started: Vec<String> = containers
        .iter()
        .map(|container| format!("{} {}", container["Id"], container["State"]["StartedAt"]))
        .collect();
    started.sort();
    started
}

#[test]
fn a_release_whose_bundle_was_lost_is_deployed_again_under_its_name() {
    let host = Host::start_with(&PROCESS);
    deploy_two(&host);
    let digests =
        ["v1", "v2"].map(|version| host.release("shop", version)["digest"].as_str().unwrap().to_owned());
    let (folder, _) = host.stop();
    let lose = |folder: &Path, digest: &str| {
        std::fs::remove_dir_all(folder.join("data/bundles").join(digest)).unwrap();
        std::fs::remove_file(folder.join("data/blobs").join(digest)).unwrap();
    };
    lose(folder.path(), &digests[0]);
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(host.releases("shop").len(), 1);
    host.deploy("shop", "v1", &["--version", "v1"]);
    assert_live(&host, "v1");
    // Of the live one, the release before it serves, and the name is taken until something else is live.
    let (folder, _) = host.stop();
    lose(folder.path(), &digests[0]);
    let host = Host::start_in(folder, &PROCESS);
    assert_live(&host, "v2");
    host.deploy("shop", "v1", &["--version", "v3"]);
    assert_eq!(live(&host), (Some("shop@v3".into()), "v1".into()));
}
