//! A deployment from hook to bake: what refuses it, what rolls it back, what waits for a person.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

/// Flags of a host with workers as processes.
pub const PROCESS: [&str; 2] = ["--isolation", "process"];
/// Time for a verdict on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Answers 500 to every page, but not while it is warmed.
pub const THROWS: &str = "let asked = 0;\nexport default { fetch: (request) => { if (new URL(request.url).pathname === '/page') \
                      throw new Error('no price'); return new Response('warm'); } };\n";
/// A short bake of few renders.
pub const BAKE: &str = "[deploy]\nbake_time_ms = 2000\nmin_requests = 20\n";

/// The live version, as `status` shows it.
pub fn live(host: &Host) -> Value {
    host.cli(&["status", "shop", "--json"]).ok().json()["live"].clone()
}

/// The newest deployment of a version, as `status` shows it.
pub fn deployment(host: &Host, version: &str) -> Value {
    let status = host.cli(&["status", "shop", "--json"]).ok().json();
    let all = status["deployments"].as_array().unwrap().clone();
    all.into_iter()
        .find(|one| one["version"] == version)
        .unwrap_or_else(|| panic!("none of {version}: {status}"))
}

fn until(host: &Host, version: &str, status: &str) -> Value {
    wait_until(&format!("{version} is {status}"), PATIENCE, || {
        let one = deployment(host, version);
        (one["status"] == status).then_some(one)
    })
}

/// Asks for a page, this many times.
pub fn ask(host: &Host, times: usize) {
    for _ in 0..times {
        host.get("shop", "/page").send();
    }
}

/// Deploys with a path that the bundle is not asked for while it is warmed.
pub fn deploy(host: &Host, version: &str, server: &str) {
    host.deploy_files("shop", &[("server/index.js", server)], &["--version", version]);
}

#[test]
fn a_command_before_traffic_decides_whether_users_get_a_release() {
    let script = r#"echo "$VITRINE_APP@$VITRINE_VERSION after $VITRINE_PREVIOUS, $VITRINE_STAGE" >> told
test -e hang && sleep 60
test ! -e refuse || { echo "the smoke test saw no shelf" >&2; exit 3; }"#;
    let toml = format!(
        "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\ntimeout_ms = 1500\n"
    );
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    let host = Host::start_in(folder, &PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    let refused = |words: &[&str]| {
        host.cli(&["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"]).fails(1, words);
        assert_eq!(host.get("shop", "/").send().text(), "one");
        assert_eq!(host.releases("shop").len(), 1, "the name is free again");
    };
    std::fs::write(path.join("refuse"), "").unwrap();
    refused(&["before_traffic", "no shelf"]);
    std::fs::remove_file(path.join("refuse")).unwrap();
    std::fs::write(path.join("hang"), "").unwrap();
    refused(&["before_traffic", "1500 ms"]);
    assert_eq!(deployment(&host, "v2")["status"], "STOPPED");
    assert_eq!(deployment(&host, "v2")["stage"], "POST_TEST_TRAFFIC_SHIFT");
    std::fs::remove_file(path.join("hang")).unwrap();
    host.cli(&["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "two");
    let told = std::fs::read_to_string(path.join("told")).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "shop@v1 after , before_traffic");
    assert!(lines[1..].iter().all(|line| *line == "shop@v2 after v1, before_traffic"), "{told}");
    assert_eq!(lines.len(), 4, "{told}");
    // Going back waits for no hook.
    std::fs::write(path.join("refuse"), "").unwrap();
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "one");
}

#[test]
fn a_hook_sees_nothing_of_the_hosts_environment_but_what_it_names_also_after_an_upgrade() {
    let script = "env > seen";
    let toml = format!(
        "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\nenv = [\"FOR_HOOKS\"]\n"
    );
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    let environment = [("FOR_HOOKS", "passed"), ("CLOUD_KEY", "s3cr3t-of-the-host")];
    let host = Host::try_start(folder, &PROCESS, &environment).unwrap();
    host.upgrade().ok();
    host.deploy("shop", "one", &["--version", "v1"]);
    let seen = std::fs::read_to_string(path.join("seen")).unwrap();
    assert!(seen.contains("FOR_HOOKS=passed\n") && seen.contains("VITRINE_APP=shop\n"), "{seen}");
    assert!(seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("CLOUD_KEY") && !seen.contains("s3cr3t-of-the-host"), "{seen}");
    assert!(!seen.contains("VITRINE_HANDOVER"), "{seen}");
}

#[test]
fn control_a_host_that_runs_no_hook_is_noticed() {
    let toml = "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/false\"]\n";
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy = |host: &Host| host.cli(&["deploy", "shop", two.path().to_str().unwrap()]).run().code;
    assert_eq!(deploy(&Host::start_in(Host::configured(toml), &PROCESS)), 1);
    assert_eq!(deploy(&Host::start_broken(Host::configured(toml), &PROCESS, "hooks.run=return(skip)")), 0);
}

/// A server that notes what is posted and answers with the status it is told to.
fn listener() -> (String, Arc<AtomicU16>, Arc<Mutex<Vec<Value>>>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", socket.local_addr().unwrap());
    let (status, posted) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
    let (answers, noted) = (Arc::clone(&status), Arc::clone(&posted));
    std::thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            noted.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            let status = answers.load(Ordering::SeqCst);
            // Whoever asked may have stopped waiting.
            let _ = write!(
                reader.get_mut(),
                "HTTP/1.1 {status} so\r\ncontent-length: 4\r\nconnection: close\r\n\r\nseen"
            );
        }
    });
    (url, status, posted)
}

#[test]
fn a_url_after_traffic_that_refuses_brings_the_release_before_back_and_marks_this_one_as_bad() {
    let (url, status, posted) = listener();
    let toml = format!("[deploy]\nbake_time_ms = 0\n[[hook]]\nstage = \"after_traffic\"\nurl = \"{url}\"\n");
    let host = Host::start_in(Host::configured(&toml), &PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    until(&host, "v1", "SUCCESSFUL");
    status.store(500, Ordering::SeqCst);
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy = || host.cli(&["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"]);
    deploy().ok();
    let over = until(&host, "v2", "ROLLBACK_SUCCESSFUL");
    let reason = over["reason"].as_str().unwrap();
    assert!(reason.contains("500") && !reason.contains("/hook"), "{over}");
    assert_eq!((live(&host), host.get("shop", "/").send().text()), (json!("v1"), "one"));
    let release = host.release("shop", "v2");
    assert_eq!(release["rolled_back"], true);
    assert!(release["bad"].as_str().unwrap().contains("after_traffic"), "{release}");
    assert!(host.log().contains("a bad release was rolled back"));
    let told = posted.lock().unwrap().last().unwrap().clone();
    let url = format!("http://shop-v2.localhost:{}", host.edge.port());
    assert_eq!(
        told,
        json!({"app": "shop", "version": "v2", "previous": "v1", "stage": "after_traffic", "url": url})
    );
    // The same once more from a pipeline is refused; an operator's own word is not, and takes the mark off.
    deploy().fails(1, &["shop@v2", "bad", "vitrine promote shop v2"]);
    assert_eq!(live(&host), "v1");
    status.store(204, Ordering::SeqCst);
    host.cli(&["promote", "shop", "v2"]).fails(2, &["after_traffic", "--yes"]);
    let asked = host.cli_at_terminal(&["promote", "shop", "v2"]).stdin("n\n").run();
    assert!(asked.code == 1 && asked.stdout.contains("marked as bad"), "{asked:?}");
    assert_eq!(live(&host), "v1");
    host.cli(&["promote", "shop", "v2", "--yes"]).ok();
    until(&host, "v2", "SUCCESSFUL");
    let release = host.release("shop", "v2");
    assert_eq!(release["bad"], Value::Null);
    assert!(release["was_bad"]["reason"].as_str().unwrap().contains("after_traffic"), "{release}");
    assert_eq!(release["was_bad"]["promoted_by"], "root");
    let told = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(told.contains("v2: was marked as bad") && told.contains("promoted again by root"), "{told}");
    let log = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert!(log.contains("unmark_bad") && log.contains("promoted again; it was marked"), "{log}");
    assert_eq!(live(&host), "v2");
    // The first release has nothing to go back to.
    status.store(500, Ordering::SeqCst);
    host.deploy("blog", "one", &["--version", "b1"]);
    wait_until("the hook has failed", PATIENCE, || {
        let status = host.cli(&["status", "blog", "--json"]).ok().json();
        (status["deployments"][0]["status"] == "ROLLBACK_FAILED").then_some(())
    });
    assert_eq!(host.get("blog", "/").send().text(), "one");
}

/// Killed at any write on its way back, a host leaves the rest of the way to the next one.
#[test]
fn a_way_back_that_a_kill_cuts_short_is_gone_by_the_next_host() {
    let (url, status, _) = listener();
    let toml = format!("[deploy]\nbake_time_ms = 0\n[[hook]]\nstage = \"after_traffic\"\nurl = \"{url}\"\n");
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    // The deploy itself makes the first switch. Once that is recorded, so is that there are hooks to come.
    let all = ["begin", "commit", "done"].as_slice();
    let steps = [
        ("record the switch", 1, ["done"].as_slice()),
        ("record whether the release is bad", 1, all),
        ("record the deployment", 1, all),
        ("record the switch", 2, all),
        ("record the deployment", 2, all),
    ];
    for (step, time, moments) in steps {
        for moment in moments {
            let folder = Host::configured(&toml);
            let wish = folder.path().join("wish");
            let environment = [("FAILPOINT_FILE", wish.to_str().unwrap())];
            status.store(200, Ordering::SeqCst);
            let mut host = Host::try_start(folder, &PROCESS, &environment).unwrap();
            host.deploy("shop", "one", &["--version", "v1"]);
            until(&host, "v1", "SUCCESSFUL");
            status.store(500, Ordering::SeqCst);
            std::fs::write(&wish, format!("{step}.{moment} {time}")).unwrap();
            // The host may be gone before it says that it is done.
            host.cli(&["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"]).run();
            let what = format!("{step}.{moment} is passed");
            wait_until(&what, PATIENCE, || (!host.is_alive()).then_some(()));
            let host = Host::start_in(host.kill(), &PROCESS);
            wait_until("the host is back at v1", PATIENCE, || (live(&host) == "v1").then_some(()));
            assert_eq!(host.get("shop", "/").send().text(), "one");
            let bad = host.release("shop", "v2")["bad"].clone();
            assert!(bad.as_str().unwrap().contains("after_traffic"), "{what}: {bad}");
        }
    }
}

/// Deploys a good release and one whose pages fail, under requests; whether users are back at the good one in time.
fn bad_release_is_rolled_back(host: &Host, patience: Duration) -> bool {
    deploy(host, "v1", &hello("good"));
    ask(host, 40);
    deploy(host, "v2", THROWS);
    let end = std::time::Instant::now() + patience;
    while std::time::Instant::now() < end {
        ask(host, 5);
        if live(host) == "v1" {
            return true;
        }
    }
    false
}

#[test]
fn a_release_whose_pages_fail_is_rolled_back_within_its_bake() {
    let host = Host::start_in(Host::configured(BAKE), &PROCESS);
    assert!(bad_release_is_rolled_back(&host, PATIENCE));
    let over = until(&host, "v2", "ROLLBACK_SUCCESSFUL");
    assert_eq!((&over["stage"], &over["previous"]), (&json!("BAKE_TIME"), &json!("v1")));
    assert!(over["reason"].as_str().unwrap().contains("renders failed"), "{over}");
    assert!(host.release("shop", "v2")["bad"].is_string());
    assert_eq!(host.get("shop", "/page").send().text(), "good");
    // The mark outlives the host.
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    assert!(host.release("shop", "v2")["bad"].is_string());
    assert_eq!(deployment(&host, "v2")["status"], "ROLLBACK_SUCCESSFUL");
    let two = bundle_dir(&[("server/index.js", THROWS)]);
    host.cli(&["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"]).fails(1, &["bad"]);
}

/// Whoever may set values may not decide what users get: it is judged, and gone back from, as if no value had been set.
#[test]
fn a_value_that_is_set_during_a_bake_does_not_end_it() {
    let host =
        Host::start_in(Host::configured("[deploy]\nbake_time_ms = 60000\nmin_requests = 20\n"), &PROCESS);
    let manifest = r#"{"env":["NAME"]}"#;
    let deploy = |version: &str, server: &str| {
        let files = [("server/index.js", server), ("vitrine.json", manifest)];
        host.deploy_files("shop", &files, &["--version", version]);
    };
    deploy("v1", &hello("good"));
    ask(&host, 40);
    deploy("v2", THROWS);
    let token =
        host.cli(&["token", "create", "values", "--app", "shop", "--verb", "env", "--json"]).ok().json();
    let token = token["token"].as_str().unwrap();
    let set = host.cli(&["env", "set", "shop", "NAME"]).env("VITRINE_TOKEN", token).stdin("x").ok().stderr;
    assert!(set.contains("if v2.r1 is worse than v1, v1 is made live again"), "{set}");
    assert_eq!((live(&host), &deployment(&host, "v2.r1")["previous"]), (json!("v2.r1"), &json!("v1")));
    let ended = deployment(&host, "v2");
    assert_eq!(ended["status"], "STOPPED");
    assert!(ended["reason"].as_str().unwrap().contains("goes on with the bake"), "{ended}");
    ask(&host, 30);
    until(&host, "v2.r1", "ROLLBACK_SUCCESSFUL");
    assert_eq!(live(&host), "v1");
    for bad in ["v2", "v2.r1"] {
        assert!(host.release("shop", bad)["bad"].is_string(), "{bad}");
    }
    host.cli(&["rollback", "shop"]).fails(1, &["no earlier live release"]);

    // The host that finds the bake on its disk knows what to go back to, too.
    deploy("v3", THROWS);
    host.cli(&["env", "set", "shop", "NAME"]).stdin("y").ok();
    let host = Host::start_in(host.kill(), &PROCESS);
    ask(&host, 30);
    until(&host, "v3.r2", "ROLLBACK_SUCCESSFUL");
    assert_eq!(live(&host), "v1");
}

#[test]
fn control_a_host_that_does_not_judge_is_noticed() {
    let host = Host::start_broken(Host::configured(BAKE), &PROCESS, "bake.judge=return(skip)");
    assert!(!bad_release_is_rolled_back(&host, Duration::from_secs(15)));
    assert_eq!(live(&host), "v2");
}

#[test]
fn a_good_release_passes_and_one_that_nobody_asks_waits_for_a_person() {
    let host = Host::start_in(Host::configured(BAKE), &PROCESS);
    deploy(&host, "v1", &hello("one"));
    until(&host, "v1", "SUCCESSFUL");
    ask(&host, 40);
    deploy(&host, "v2", &hello("two"));
    assert_eq!(deployment(&host, "v2")["status"], "IN_PROGRESS");
    ask(&host, 40);
    until(&host, "v2", "SUCCESSFUL");
    assert_eq!(deployment(&host, "v2")["stage"], "CLEAN_UP");

    deploy(&host, "v3", &hello("three"));
    let waits = wait_until("it waits", PATIENCE, || {
        let one = deployment(&host, "v3");
        (one["waits"] == true).then_some(one)
    });
    assert_eq!((&waits["status"], &waits["stage"]), (&json!("IN_PROGRESS"), &json!("BAKE_TIME")));
    assert!(waits["reason"].as_str().unwrap().contains("vitrine promote shop v3"), "{waits}");
    let table = host.cli(&["status", "shop"]).ok().stdout;
    assert!(table.contains("IN_PROGRESS at BAKE_TIME: inconclusive"), "{table}");
    assert_eq!(live(&host), "v3", "nothing is done");
    host.cli(&["promote", "shop", "v3"]).ok();
    until(&host, "v3", "SUCCESSFUL");
    let records = host.cli(&["audit", "list", "--json"]).ok().json();
    let last = records.as_array().unwrap().iter().rfind(|one| one["what"] == "promote").unwrap();
    assert_eq!((&last["who"], &last["detail"]), (&json!("root"), &json!("its bake waited for this")));
    // An operator who goes back ends the bake, and no other begins.
    deploy(&host, "v4", &hello("four"));
    host.cli(&["rollback", "shop"]).ok();
    until(&host, "v4", "ROLLBACK_SUCCESSFUL");
    assert_eq!(host.release("shop", "v4")["bad"], Value::Null, "nobody said that it is bad");
    assert_eq!(live(&host), "v3");
}

#[test]
fn a_young_release_whose_process_dies_again_and_again_is_rolled_back() {
    let host = Host::start_in(Host::configured("[deploy]\nbake_time_ms = 60000\n"), &PROCESS);
    deploy(&host, "v1", &hello("one"));
    deploy(&host, "v2", &hello("two"));
    let mut last = None;
    wait_until("it is rolled back", PATIENCE, || {
        let render =
            host.workers().into_iter().find(|one| one.release == "shop@v2").and_then(|one| one.render);
        if let Some(pid) = render.filter(|pid| Some(*pid) != last)
            && host.get("shop-v2", "/").send().status == 200
        {
            processes::kill(pid);
            last = Some(pid);
        }
        (live(&host) == "v1").then_some(())
    });
    let over = until(&host, "v2", "ROLLBACK_SUCCESSFUL");
    assert!(over["reason"].as_str().unwrap().contains("died 5 times"), "{over}");
}

#[test]
fn a_deployment_that_was_rolled_back_is_shown_so() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let states = || {
        let listed = host.cli(&["deployments", "shop", "--json"]).ok().json();
        let state = |one: &Value| format!("{} {}", one["version"], one["result"]).replace('"', "");
        listed.as_array().unwrap().iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["v2 live", "v1 live"]);
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(states(), ["v2 rolled_back", "v1 live"]);
    assert!(host.cli(&["deployments", "shop"]).ok().stdout.contains("rolled back"));
    host.cli(&["promote", "shop", "v2", "--yes"]).ok();
    assert_eq!(states(), ["v2 live", "v1 live"]);
}
