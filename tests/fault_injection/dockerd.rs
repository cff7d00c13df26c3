//! Docker that is killed, started again, or hangs: what runs goes on, what needs Docker is refused soon, and all is as it should
//! be once Docker is back.

use std::time::{Duration, Instant};
use vitrine_test_support::archive::Archive;
use vitrine_test_support::docker;
use vitrine_test_support::docker_proxy::DockerProxy;
use vitrine_test_support::figures::Figures;
use vitrine_test_support::flips::clients::server;
use vitrine_test_support::flips::{Flip, Load, promote, storm, switch, upload};
use vitrine_test_support::host::Host;
use vitrine_test_support::private_docker::{PrivateDocker, can_run};
use vitrine_test_support::processes::freeze;
use vitrine_test_support::wait::wait_until;

const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
/// What needs Docker says within this that it can't be had.
const REFUSED: Duration = Duration::from_secs(5);
/// From a daemon that answers again to pages again, where it has killed every worker at its start.
const BACK: Duration = Duration::from_secs(15);
/// Time for what comes by itself once Docker is back.
const PATIENCE: Duration = Duration::from_secs(60);
const LOAD: Load = Load { flips: 8, keep_alive: 4, anew: 2, streams: 2, posts: 2, h2: 1 };

/// A host over a daemon of its own, with two releases of `storm`.
fn host(address: &str, environment: &[(&str, &str)]) -> Host {
    // A worker that is stopped has answered before: a second is enough for one that has nothing to do.
    let folder = Host::configured("[switching]\nstop_timeout_ms = 1000\n");
    let environment = [&[("DOCKER_HOST", address)], environment].concat();
    let host = Host::try_start(folder, &CONTAINER, &environment).unwrap();
    for version in ["v1", "v2"] {
        upload(&host, version, &server(version));
    }
    host
}

/// Flips that need nothing of Docker.
fn flip(host: &Host, flips: &mut Vec<Flip>, turns: usize) {
    for _ in 0..turns {
        flips.push(promote(host, "v2"));
        flips.push(switch(host, "rollback", "{}", true));
    }
}

/// What needs Docker and was not refused, or not soon; how long each took otherwise.
fn refused_soon(host: &Host) -> Result<Figures, String> {
    let before = recorded(host);
    let mut took = Vec::new();
    let calls = [
        host.call("DELETE", "/v1/apps/storm/releases/v2"),
        host.call("PUT", "/v1/apps/storm/releases/v9").body(Archive::good("v9").gz()),
        host.call("PUT", "/v1/apps/other/releases/v1").body(Archive::good("v1").gz()),
    ];
    for call in calls {
        let begun = Instant::now();
        let answer = call.send();
        let elapsed = begun.elapsed();
        if answer.status != 503 || elapsed > REFUSED {
            return Err(format!("{} after {elapsed:?}: {call:?}", answer.status));
        }
        took.push(elapsed);
    }
    if recorded(host) == before {
        Ok(Figures::of(took))
    } else {
        Err("what was refused has changed something".into())
    }
}

/// What of the releases is not a figure of the moment.
fn recorded(host: &Host) -> Vec<[String; 3]> {
    let told =
        |release: &serde_json::Value| ["version", "instance", "phase"].map(|name| release[name].to_string());
    host.releases("storm").iter().map(told).collect()
}

fn assert_refused_soon(host: &Host) -> Figures {
    refused_soon(host).unwrap_or_else(|found| panic!("{found}"))
}

fn deployable(host: &Host, version: &str) {
    wait_until("deploys work again", PATIENCE, || {
        let call = host.call("PUT", &format!("/v1/apps/storm/releases/{version}"));
        (call.body(Archive::good(version).gz()).send().status == 201).then_some(())
    });
    let gone = host.call("DELETE", &format!("/v1/apps/storm/releases/{version}")).send();
    assert_eq!(gone.status, 204, "{gone:?}");
}

/// Killed and stopped, with containers that live on.
#[test]
#[ignore = "minutes"]
fn with_live_restore_no_request_notices_a_restart_of_docker() {
    if !can_run() {
        return;
    }
    let mut docker = PrivateDocker::start(true);
    let host = host(&docker.address(), &[]);
    let before = docker.containers();
    let mut refused = Vec::new();
    let after = storm(&host, LOAD, |flips| {
        for kill in [true, false] {
            if kill {
                docker.kill()
            } else {
                docker.stop()
            }
            flip(&host, flips, LOAD.flips / 4);
            refused.push(assert_refused_soon(&host).to_string());
            docker.run();
            flip(&host, flips, 1);
            deployable(&host, "v3");
        }
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    assert_eq!(docker.containers(), before, "a container was started again");
    println!(
        "dockerd killed and stopped, live-restore on: {} answers, 0 failed, containers untouched; refused in {refused:?}",
        after.told.len()
    );
    assert!(host.stop().1);
}

/// Without live-restore a daemon ends every container of the daemon before it.
#[test]
#[ignore = "minutes"]
fn without_live_restore_pages_are_back_soon_after_docker() {
    if !can_run() {
        return;
    }
    let mut docker = PrivateDocker::start(false);
    let host = host(&docker.address(), &[]);
    promote(&host, "v1");
    let served = || host.get("storm", "/").try_send().is_ok_and(|answer| answer.status == 200);
    let mut back = Vec::new();
    for kill in [true, false] {
        assert!(served());
        if kill {
            docker.kill()
        } else {
            docker.stop()
        }
        docker.run();
        let answers = Instant::now();
        wait_until("pages are back", PATIENCE, || served().then_some(()));
        back.push(answers.elapsed());
    }
    println!("dockerd killed and stopped, live-restore off: pages back {back:?} after it answers");
    assert!(back.iter().all(|took| *took < BACK), "{back:?}");
    wait_until("the standby is warm", PATIENCE, || {
        let view = host.release("storm", "v2");
        (view["phase"] == "standby" && view["instance"].is_string() || view["phase"] == "sleeping")
            .then_some(())
    });
    wait_until("no container is left over", PATIENCE, || {
        let wanted = host.releases("storm").iter().filter(|one| one["instance"].is_string()).count();
        (docker.containers().len() == wanted).then_some(())
    });
    deployable(&host, "v3");
    assert!(host.stop().1);
}

/// Flips and refusals while Docker stands still, and everything in order once it goes on.
fn survives_a_hang(host: &Host, hangs: Duration, hang: impl Fn(bool)) {
    let mut refused = Vec::new();
    let before = recorded(host);
    let after = storm(host, LOAD, |flips| {
        hang(true);
        let end = Instant::now() + hangs;
        while Instant::now() < end {
            flip(host, flips, 1);
            refused.push(assert_refused_soon(host));
        }
        flip(host, flips, 1);
        hang(false);
        deployable(host, "v3");
        flip(host, flips, 1);
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    let instances = |told: &[[String; 3]]| {
        told.iter().map(|[version, instance, _]| [version.clone(), instance.clone()]).collect::<Vec<_>>()
    };
    assert_eq!(instances(&recorded(host)), instances(&before), "another worker serves");
    println!(
        "Docker hung for {hangs:?}: {} answers, 0 failed, flips went on; refused in {}",
        after.told.len(),
        refused.last().unwrap()
    );
}

#[test]
fn a_docker_that_hangs_stops_no_flip() {
    if docker::is_there() {
        let proxy = DockerProxy::start();
        let host = host(&proxy.address(), &[]);
        survives_a_hang(
            &host,
            Duration::from_secs(1),
            |hangs| if hangs { proxy.hang() } else { proxy.go_on() },
        );
        let told = || host.cli(&["status"]).ok().stderr;
        assert!(!told().contains("Docker"));
        proxy.hang();
        assert!(told().contains("warning: Docker does not answer"));
        proxy.go_on();
        assert!(host.stop().1);
    }
}

#[test]
#[ignore = "minutes"]
fn a_docker_that_hangs_for_a_minute_stops_no_flip() {
    if can_run() {
        let docker = PrivateDocker::start(true);
        let host = host(&docker.address(), &[]);
        let before = docker.containers();
        survives_a_hang(
            &host,
            Duration::from_secs(60),
            |hangs| if hangs { docker.hang() } else { docker.go_on() },
        );
        wait_until("every container is one of before", PATIENCE, || {
            (docker.containers() == before).then_some(())
        });
        assert!(host.stop().1);
    }
}

/// One of a removed release, whose host is stopped before it could be: nobody else would end it.
#[test]
fn a_worker_that_a_hung_docker_kept_ends_with_its_host() {
    if docker::is_there() {
        let proxy = DockerProxy::start();
        let host = host(&proxy.address(), &[("FAILPOINTS", "engine.check=return(skip)")]);
        promote(&host, "v1");
        proxy.hang();
        let removed = host.call("DELETE", "/v1/apps/storm/releases/v2").send();
        assert_eq!(removed.status, 204, "{removed:?}");
        let data = host.data();
        let is_kept = |one: &serde_json::Value| one["Config"]["Labels"]["vitrine.release"] == "storm@v2";
        let kept = docker::containers_of(&data).into_iter().find(is_kept).unwrap();
        // It takes all the time that it gets to end, which is more than the host needs for the other.
        freeze(u32::try_from(kept["State"]["Pid"].as_u64().unwrap()).unwrap());
        proxy.go_on();
        let (_folder, clean) = host.stop();
        assert!(clean);
        assert_eq!(docker::containers_of(&data), Vec::<serde_json::Value>::new());
    }
}

#[test]
fn control_a_host_that_waits_for_a_docker_that_hangs_is_noticed() {
    if docker::is_there() {
        let proxy = DockerProxy::start();
        let host = host(&proxy.address(), &[("FAILPOINTS", "engine.check=return(skip)")]);
        promote(&host, "v1");
        proxy.hang();
        let found = refused_soon(&host).unwrap_err();
        proxy.go_on();
        println!("control: {found}");
    }
}
