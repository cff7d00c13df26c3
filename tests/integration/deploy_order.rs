//! Deploys of one app at once: the one that began last wins.

use crate::deployments::{PROCESS, deploy, live};
use serde_json::{Value, json};
use vitrine_test_support::archive::{Archive, hello};
use vitrine_test_support::host::Host;

/// Begins the deploys of v2 and v3 in this order and promotes them in the other; what the first one's promotion gave.
fn late_promotion(host: &Host) -> (u16, Value) {
    deploy(host, "v1", &hello("one"));
    let upload = |version: &str| {
        let path = format!("/v1/apps/shop/releases/{version}");
        let answer = host.call("PUT", &path).body(Archive::good(version).gz()).send();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["deploy"].as_u64().unwrap()
    };
    let promote = |version: &str, deploy: u64| {
        let body = json!({"version": version, "deploy": deploy}).to_string();
        let answer = host.call("POST", "/v1/apps/shop/promote").body(body).send();
        (answer.status, answer.json())
    };
    let (earlier, later) = (upload("v2"), upload("v3"));
    assert!(earlier < later);
    assert_eq!(promote("v3", later).0, 200);
    promote("v2", earlier)
}

#[test]
fn of_two_deploys_at_once_the_one_begun_last_wins() {
    let host = Host::start();
    let (status, problem) = late_promotion(&host);
    assert_eq!(status, 409, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("shop@v2") && detail.contains("superseded") && detail.contains("`v3`"),
        "{detail}"
    );
    assert_eq!(live(&host), "v3");
    // The order outlives the host.
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    let answer = host.call("POST", "/v1/apps/shop/promote").body(r#"{"version":"v2","deploy":1}"#).send();
    assert_eq!(answer.status, 409, "{answer:?}");
    // An operator's own word is not bound by it.
    host.cli(&["promote", "shop", "v2"]).ok();
    assert_eq!(live(&host), "v2");
    // A deploy that begins now is later than all of them.
    deploy(&host, "v4", &hello("four"));
    assert_eq!(live(&host), "v4");
}

#[test]
fn a_share_is_refused_to_a_deploy_that_began_before_what_is_live() {
    let host = Host::start_with(&PROCESS);
    late_promotion(&host);
    let share = |deploy: Value| {
        let body = json!({"version": "v2", "weight": 10, "deploy": deploy}).to_string();
        host.call("POST", "/v1/apps/shop/promote").body(body).send()
    };
    let late = share(json!(1));
    assert_eq!(late.status, 409, "{late:?}");
    assert!(late.json()["detail"].as_str().unwrap().contains("superseded"), "{late:?}");
    assert_eq!(share(Value::Null).status, 200, "an operator's own word");
}

#[test]
fn control_a_host_without_an_order_of_deploys_is_noticed() {
    let host = Host::start_broken(Host::folder_anew(), &PROCESS, "deploy.order=return(skip)");
    assert_eq!(late_promotion(&host).0, 200);
}

#[test]
fn a_deploy_of_what_is_live_already_is_later_than_one_that_began_before_it() {
    let host = Host::start_with(&PROCESS);
    deploy(&host, "v1", &hello("one"));
    let upload = |version: &str, text: &str| {
        let path = format!("/v1/apps/shop/releases/{version}");
        let bundle = Archive::empty().file("server/index.js", hello(text).as_bytes());
        host.call("PUT", &path).body(bundle.gz()).send().json()["deploy"].as_u64().unwrap()
    };
    let promote = |version: &str, deploy: u64| {
        let body = json!({"version": version, "deploy": deploy}).to_string();
        host.call("POST", "/v1/apps/shop/promote").body(body).send().status
    };
    let (earlier, later) = (upload("v2", "two"), upload("v1", "one"));
    assert_eq!((promote("v1", later), promote("v2", earlier)), (200, 409));
    assert_eq!(live(&host), "v1");
}
