//! The audit log of a real host: complete, in order, and closed against changes.

use rusqlite::Connection;
use serde_json::Value;
use std::time::Duration;
use vitrine_test_support::archive::{Archive, bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const PROCESS: [&str; 2] = ["--isolation", "process"];

fn records(host: &Host) -> Vec<Value> {
    host.cli(&["audit", "list", "--last", "100000", "--json"]).ok().json().as_array().unwrap().clone()
}

/// `WHO WHAT RESULT APP VERSION` of each record, `-` for what it does not have.
fn told(host: &Host) -> Vec<String> {
    let line = |record: &Value| {
        let part = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        ["who", "what", "result", "app", "version"].map(part).join(" ")
    };
    records(host).iter().map(line).collect()
}

fn verify(host: &Host) -> String {
    host.cli(&["audit", "verify"]).ok().stdout.trim().to_owned()
}

/// Changes of every kind, each acknowledged or refused; gives what the log has to say about them.
fn make_changes(host: &Host) -> Vec<&'static str> {
    host.deploy("shop", "one", &["--version", "v1"]);
    let args = ["token", "create", "ci", "--app", "shop", "--verb", "deploy,promote,remove"];
    let token = host.cli(&args).ok().stdout.trim().to_owned();
    let bundle = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy = ["deploy", "shop", bundle.path().to_str().unwrap(), "--version", "v2"];
    host.cli(&deploy).env("VITRINE_TOKEN", &token).ok();
    host.cli(&["rollback", "shop"]).ok();
    host.cli(&["promote", "shop", "v9"]).fails(4, &["v9"]);
    host.cli(&["env", "set", "shop", "KEY", "--secret"]).stdin("hush-hush").ok();
    host.cli(&["env", "unset", "shop", "KEY"]).ok();
    host.cli(&["remove", "shop@v2"]).env("VITRINE_TOKEN", &token).ok();
    let broken = bundle_dir(&[("server/index.js", "throw new Error('no')")]);
    host.cli(&["deploy", "shop", broken.path().to_str().unwrap(), "--version", "v3"]).fails(1, &[]);
    host.cli(&["token", "revoke", "ci"]).ok();
    host.cli(&["remove", "shop", "--yes"]).ok();
    vec![
        "host start done - -",
        "root deploy begun shop v1",
        "root deploy done shop v1",
        "root promote done shop v1",
        "root token_create done - -",
        "token:ci deploy begun shop v2",
        "token:ci deploy done shop v2",
        "token:ci promote done shop v2",
        "root rollback done shop v1",
        "root promote refused shop v9",
        "root env_set done shop -",
        "root env_unset done shop -",
        "token:ci remove done shop v2",
        "root deploy begun shop v3",
        "root deploy undone shop v3",
        "root deploy refused shop v3",
        "root token_revoke done - -",
        "root remove done shop -",
    ]
}

#[test]
fn every_change_is_there_with_who_made_it_in_order_and_without_values() {
    let host = Host::start();
    let expected = make_changes(&host);
    assert_eq!(told(&host), expected);
    let all = records(&host);
    let numbers: Vec<u64> = all.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=expected.len() as u64).collect::<Vec<_>>());
    assert!(!serde_json::to_string(&all).unwrap().contains("hush-hush"));
    let end = verify(&host);
    assert!(end.starts_with(&format!("{}:", expected.len())), "{end}");
    // The host's own log has each hash: a copy that nobody changes with the store.
    for record in &all {
        assert!(host.log().contains(record["hash"].as_str().unwrap()), "{record}");
    }
    // Over a stop and a crash.
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &PROCESS);
    host.cli(&["audit", "verify", "--noted", &end]).ok();
    let folder = host.kill();
    let host = Host::start_in(folder, &PROCESS);
    let tail: Vec<String> = records(&host)[expected.len()..]
        .iter()
        .map(|record| {
            format!("{} {}", record["what"].as_str().unwrap(), record["detail"].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(tail.len(), 3, "{tail:?}");
    assert!(tail[0].starts_with("stop") && tail[1].ends_with("after a stop"), "{tail:?}");
    assert!(tail[2].ends_with("after a crash"), "{tail:?}");
    host.cli(&["audit", "verify", "--noted", &format!("2:{}", "0".repeat(64))]).fails(1, &["record 2"]);
    let list = host.cli(&["audit", "list", "--last", "2", "--wide"]).ok().stdout;
    assert!(list.lines().count() == 3 && list.contains("after a crash"), "{list}");
}

/// A value that the live app reads takes effect with the release that has it: both are in the log, in this order.
#[test]
fn a_value_of_a_live_app_is_recorded_when_it_takes_effect() {
    let host = Host::start();
    let files = [("server/index.js", &*hello("one")), ("vitrine.json", r#"{"env":["KEY"]}"#)];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    let before = told(&host).len();
    host.cli(&["env", "set", "shop", "KEY"]).stdin("x").ok();
    host.cli(&["env", "unset", "shop", "KEY"]).ok();
    let what: Vec<String> = told(&host)[before..]
        .iter()
        .map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" "))
        .collect();
    let of = |value: &'static str| ["root deploy begun", "root deploy done", value, "root promote done"];
    assert_eq!(what, [of("root env_set done"), of("root env_unset done")].concat());
    verify(&host);
}

#[test]
fn a_host_that_can_not_be_asked_has_not_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = ["127.0.0.1:0".parse().unwrap(), taken.local_addr().unwrap()];
    let folder =
        Host::try_start_at(Host::folder_anew(), addresses, &PROCESS).map(|_| "it starts").unwrap_err();
    let host = Host::start_in(folder, &PROCESS);
    let all = records(&host);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0]["detail"].as_str().unwrap().ends_with("the first start"), "{all:?}");
}

/// What the host does by itself is the host's, not somebody's.
#[test]
fn what_expires_and_what_a_crash_left_are_recorded_as_the_hosts() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2", "--preview", "pr", "--ttl", "1s"]);
    let expired = "host remove done shop v2".to_owned();
    wait_until("the preview's end is recorded", PATIENCE, || told(&host).contains(&expired).then_some(()));
    // A deploy that dies with its host.
    let upload = host.call("PUT", "/v1/apps/shop/releases/v3").body(Archive::good("three").gz());
    let folder = std::thread::scope(|scope| {
        scope.spawn(move || drop(upload.try_send()));
        wait_until("the deploy is recorded", PATIENCE, || {
            told(&host).contains(&"root deploy begun shop v3".to_owned()).then_some(())
        });
        host.kill()
    });
    let host = Host::start_in(folder, &PROCESS);
    let after = told(&host);
    let undone = "host deploy undone shop v3".to_owned();
    let done = "root deploy done shop v3".to_owned();
    assert!(after.contains(&undone) != after.contains(&done), "{after:?}");
    verify(&host);
}

/// The file is opened beside the host: what it then says is what a reader finds.
fn beside(host: &Host) -> Connection {
    let connection = Connection::open(host.data().join("vitrine.db")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

#[test]
fn any_changed_field_any_gap_any_other_order_and_a_missing_end_are_found() {
    let host = Host::start();
    make_changes(&host);
    let end = verify(&host);
    let database = beside(&host);
    let count: i64 = database.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
    let mut found = 0;
    let mut broken = |what: &str, change: &str, record: Option<i64>, back: &str| {
        database.execute_batch(change).unwrap_or_else(|error| panic!("{change}: {error}"));
        let names = record.map(|record| format!("record {record} "));
        host.cli(&["audit", "verify"]).fails(1, &[names.as_deref().unwrap_or("record ")]);
        database.execute_batch(back).unwrap_or_else(|error| panic!("{what}: {error}"));
        found += 1;
    };
    database.execute_batch("CREATE TABLE kept AS SELECT * FROM audit").unwrap();
    let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept";
    for column in ["at_ms", "who", "what", "app", "version", "detail", "result", "hash"] {
        for seq in [1, count / 2, count] {
            let to = if column == "at_ms" { "at_ms + 1" } else { &format!("coalesce({column}, '') || 'x'") };
            let change = format!("UPDATE audit SET {column} = {to} WHERE seq = {seq}");
            broken(column, &change, Some(seq), restore);
        }
    }
    for seq in [1, count / 2, count] {
        let change = format!("DELETE FROM audit WHERE seq = {seq}");
        broken("a record is gone", &change, Some(seq), restore);
        // The others put in its place.
        let change = format!(
            "DELETE FROM audit WHERE seq = {seq}; UPDATE audit SET seq = -seq WHERE seq > {seq};
                     UPDATE audit SET seq = -seq - 1 WHERE seq < 0"
        );
        broken("a record is gone and the gap closed", &change, Some(seq), restore);
    }
    let change =
        "UPDATE audit SET seq = -seq WHERE seq IN (4, 5); UPDATE audit SET seq = 9 + seq WHERE seq < 0";
    broken("two are in another order", change, Some(4), restore);
    let change = "INSERT INTO audit SELECT max(seq) + 1, at_ms, who, what, app, version, detail, result, hash FROM audit";
    broken("one is added", change, None, restore);
    let change =
        "UPDATE meta SET value = '3:' || (SELECT hash FROM audit WHERE seq = 3) WHERE key = 'audit_head'";
    let back = format!("UPDATE meta SET value = '{end}' WHERE key = 'audit_head'");
    broken("the end is another one", change, None, &back);
    broken("all is gone", "DELETE FROM audit", Some(1), restore);
    database.execute_batch("DROP TABLE kept").unwrap();
    println!("{found} changes of the log, all found and named");
    assert_eq!(verify(&host), end);
    assert!(found >= 30, "{found}");
}

/// Acknowledged changes against records: what every run of this rig judges.
fn unrecorded(host: &Host) -> Vec<&'static str> {
    let expected = make_changes(host);
    let told = told(host);
    expected.into_iter().filter(|record| !told.iter().any(|told| told == record)).collect()
}

#[test]
fn a_host_that_leaves_records_out_is_noticed() {
    let faults = "audit.append=3*off->1*return(skip)->off";
    let host = Host::start_broken(Host::folder_anew(), &PROCESS, faults);
    assert_eq!(unrecorded(&host), ["root promote done shop v1"]);
}

#[test]
fn a_change_that_can_not_be_recorded_is_refused_and_serving_goes_on() {
    let folder = Host::folder_anew();
    let host = Host::start_in(folder, &PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let (folder, _) = host.stop();
    let faults = "audit.append=1*off->return(error)";
    let host = Host::start_broken(folder, &PROCESS, faults);
    let before = told(&host);
    let refused = [
        host.call("POST", "/v1/apps/shop/promote").body(r#"{"version":"v1"}"#),
        host.call("POST", "/v1/apps/shop/rollback").body("{}"),
        host.call("PUT", "/v1/apps/shop/env/KEY").body(r#"{"value":"x"}"#),
        host.call("PUT", "/v1/apps/shop/releases/v3").body(Archive::good("three").gz()),
        host.call("DELETE", "/v1/apps/shop/releases/v1"),
        host.call("DELETE", "/v1/apps/shop"),
        host.call("PUT", "/v1/tokens/ci")
            .body(format!(r#"{{"sha256":"{}","apps":["*"],"verbs":["*"]}}"#, "0".repeat(64))),
    ];
    for request in refused {
        let answer = request.send();
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (507, Some("urn:vitrine:problem:disk_full"))
        );
        assert_eq!(host.get("shop", "/").send().text(), "two");
    }
    assert_eq!(told(&host), before);
    assert_eq!(host.releases("shop").len(), 2);
    assert_eq!(host.cli(&["token", "list", "--json"]).ok().json(), serde_json::json!([]));
    assert_eq!(host.cli(&["env", "list", "shop", "--json"]).ok().json(), serde_json::json!([]));
    verify(&host);
}
