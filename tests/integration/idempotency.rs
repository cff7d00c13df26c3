//! A request with an `Idempotency-Key` is carried out once, also when the host is killed between its change and its answer.

use std::time::Duration;
use vitrine_test_support::archive::Archive;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
/// The host ends when it is about to record an answer: its change is on the disk.
const KILL: &str = "record the answer to the idempotency key.begin=return(kill)";

fn three_releases() -> Host {
    let host = Host::start_with(&PROCESS);
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    host
}

fn live(host: &Host) -> String {
    host.get("shop", "/").send().text().to_owned()
}

#[test]
fn a_rollback_is_made_once_when_the_host_is_killed_before_it_answers() {
    let broken = Host::start_broken(three_releases().kill(), &PROCESS, KILL);
    let rollback = |host: &Host, token: &str| {
        Request::new(host.admin, "POST", "/v1/apps/shop/rollback")
            .header("authorization", &format!("Bearer {token}"))
            .header("idempotency-key", "once")
            .body("{}")
            .try_send()
    };
    let token = broken.token();
    let cut = rollback(&broken, &token);
    assert!(cut.is_err() || cut.is_ok_and(|answer| !answer.complete), "the host is gone before it answers");
    let host = Host::start_in(broken.kill(), &PROCESS);
    assert_eq!(live(&host), "v2");
    let made = host.cli(&["token", "create", "ci", "--app", "shop", "--verb", "rollback"]).ok();
    let told: Vec<_> = (0..2).map(|_| rollback(&host, &token).unwrap()).collect();
    for answer in &told {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!((&answer.json()["version"], &answer.json()["previous"]), (&"v2".into(), &"v3".into()));
    }
    assert_eq!(told[0].text(), told[1].text());
    assert_eq!(live(&host), "v2", "not one further back");
    // The key is the token's own: another's request with it is another request.
    let other = rollback(&host, made.stdout.trim()).unwrap();
    assert_eq!((other.status, &other.json()["version"]), (200, &"v1".into()), "{}", other.text());
}

#[test]
fn a_deploy_is_made_once_when_the_host_is_killed_before_it_answers() {
    let broken = Host::start_broken(three_releases().kill(), &PROCESS, KILL);
    let archive = Archive::good("v4").gz();
    let deploy = |host: &Host| {
        host.call("POST", "/v1/apps/shop/deployments?version=v4")
            .header("idempotency-key", "once")
            .body(archive.clone())
            .try_send()
    };
    let cut = deploy(&broken);
    assert!(cut.is_err() || cut.is_ok_and(|answer| !answer.text().contains("result")), "no answer");
    let host = Host::start_in(broken.kill(), &PROCESS);
    assert_eq!(live(&host), "v4");
    let epoch = |host: &Host| host.get("shop", "/").send().header("x-vitrine-epoch").map(str::to_owned);
    let before = epoch(&host);
    let answer = deploy(&host).unwrap();
    let last = answer.text().lines().last().unwrap_or_default().to_owned();
    assert!(last.contains(r#""result":"live""#) && last.contains(r#""release":"shop@v4""#), "{last}");
    assert_eq!(epoch(&host), before, "nothing was switched again");
}

/// The switch is on the disk, and the disk has no place for the answer.
#[test]
fn a_key_whose_answer_can_not_be_kept_is_answered_from_what_was_changed() {
    let full = "record the answer to the idempotency key.commit=1*return(error)->off";
    let host = Host::start_broken(three_releases().kill(), &PROCESS, full);
    let rollback = || {
        let call = host.call("POST", "/v1/apps/shop/rollback").header("idempotency-key", "once");
        call.body("{}").send()
    };
    let first = rollback();
    assert_eq!((first.status, live(&host)), (200, "v2".into()), "{}", first.text());
    let again = wait_until("the key is abandoned", Duration::from_secs(30), || {
        let again = rollback();
        // 409: the request seems to run.
        (again.status != 409).then_some(again)
    });
    assert_eq!((again.status, again.text()), (200, first.text()));
    assert_eq!(live(&host), "v2", "not one further back");
}
