//! A share of the users on a second release: sticky, monotone, kept by a restart, ended by a promotion or a rollback.

use std::time::Duration;
use vitrine_proxy::route::split::VisitorId;
use vitrine_store::{ReleaseState, Store};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const VISITORS: usize = 60;
/// A name that tells its content; the same in every version.
const HASHED: &str = "assets/site-B7kQ2xWd.css";

fn deploy(host: &Host, version: &str, flags: &[&str]) {
    let page = format!(
        "export default () => new Response('page of {version}', {{ headers: {{ 'cache-control': \
         'public, max-age=60', 'content-type': 'text/html' }} }});\n"
    );
    let files = [
        ("server/index.js", page.as_str()),
        ("client/app.js", version),
        (&format!("client/{HASHED}"), "a{}"),
    ];
    host.deploy_files("shop", &files, &[&["--version", version], flags].concat());
}

/// A visitor's number, and what they got.
struct Visit {
    id: String,
    release: String,
}

fn get(host: &Host, path: &str, id: Option<&str>) -> Answer {
    let request = host.get("shop", path);
    let request = match id {
        Some(id) => request.header("cookie", &format!("theme=dark; __vitrine_id={id}")),
        None => request,
    };
    request.send()
}

fn release(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("x-vitrine-release").unwrap().to_owned()
}

fn told_id(answer: &Answer) -> Option<String> {
    let mut cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    cookies.find_map(|(_, value)| Some(value.strip_prefix("__vitrine_id=")?.split(';').next()?.to_owned()))
}

fn newcomers(host: &Host) -> Vec<Visit> {
    let visit = |_| {
        let answer = get(host, "/", None);
        assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
        Visit { id: told_id(&answer).unwrap(), release: release(&answer) }
    };
    (0..VISITORS).map(visit).collect()
}

/// Everybody who comes back gets what their bucket says at this weight, and is told no other number.
fn come_back(host: &Host, visits: &mut [Visit], candidate: &str, live: &str, percent: u64) {
    assert_eq!(astray(host, visits, candidate, live, percent), Vec::<String>::new(), "at {percent} %");
}

/// Those who come back and get something else than their bucket says.
fn astray(host: &Host, visits: &mut [Visit], candidate: &str, live: &str, percent: u64) -> Vec<String> {
    let mut astray = Vec::new();
    for visit in visits {
        let taken = VisitorId::parse(&visit.id).unwrap().bucket(candidate) < percent * 100;
        let answer = get(host, "/", Some(&visit.id));
        assert_eq!(told_id(&answer), None);
        visit.release = release(&answer);
        if visit.release != if taken { candidate } else { live } {
            astray.push(visit.id.clone());
        }
    }
    astray
}

fn share(visits: &[Visit], release: &str) -> usize {
    visits.iter().filter(|visit| visit.release == release).count()
}

#[test]
fn a_share_is_sticky_for_both_releases_grows_one_way_and_outlives_the_host() {
    let host = Host::start();
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &["--no-promote"]);
    assert_eq!(told_id(&get(&host, "/", None)), None, "nobody is numbered without need");
    let promoted = host.cli(&["promote", "shop", "v2", "--weight", "30"]).ok();
    assert_eq!(promoted.stdout.trim(), "shop@v2");
    assert!(promoted.stderr.contains("30 %"), "{promoted:?}");

    let mut visits = newcomers(&host);
    let first: Vec<String> = visits.iter().map(|visit| visit.release.clone()).collect();
    assert!(share(&visits, "shop@v2") > 0 && share(&visits, "shop@v1") > 0);
    come_back(&host, &mut visits, "shop@v2", "shop@v1", 30);
    assert!(visits.iter().zip(&first).all(|(visit, first)| visit.release == *first), "decided once");

    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    come_back(&host, &mut visits, "shop@v2", "shop@v1", 30);

    host.cli(&["promote", "shop", "v2", "--weight", "60"]).ok();
    let before: Vec<String> = visits.iter().map(|visit| visit.release.clone()).collect();
    come_back(&host, &mut visits, "shop@v2", "shop@v1", 60);
    let left = visits
        .iter()
        .zip(&before)
        .filter(|(visit, before)| *before == "shop@v2" && visit.release != **before);
    assert_eq!(left.count(), 0, "nobody goes back when the weight grows");

    let host = Host::start_in(host.kill(), &["--isolation", "process"]);
    come_back(&host, &mut visits, "shop@v2", "shop@v1", 60);
    let versions =
        |host: &Host| host.releases("shop").iter().map(|one| one["weight"].clone()).collect::<Vec<_>>();
    assert_eq!(versions(&host), [60, 40]);

    host.cli(&["promote", "shop", "v2"]).ok();
    assert!(newcomers_are_not_numbered(&host, "shop@v2"));
    assert_eq!(versions(&host), [100, 0]);
    println!("{VISITORS} visitors, each asked {} times", 5);
}

const RECORDED: &str = "record the share of the release";

#[test]
fn a_kill_while_a_share_is_recorded_leaves_it_whole_or_not_at_all() {
    for (moment, share) in [("begin", None), ("commit", None), ("done", Some(30))] {
        let folder = Host::folder_anew();
        let host = Host::start_broken(
            folder,
            &["--isolation", "process"],
            &format!("{RECORDED}.{moment}=return(kill)"),
        );
        deploy(&host, "v1", &[]);
        deploy(&host, "v2", &["--no-promote"]);
        assert_ne!(host.cli(&["promote", "shop", "v2", "--weight", "30"]).run().code, 0);
        let host = Host::start_in(host.kill(), &["--isolation", "process"]);
        let weight = host.release("shop", "v2")["weight"].as_u64().unwrap();
        assert_eq!(weight, share.unwrap_or(0), "{moment}");
        assert_eq!(host.release("shop", "v1")["weight"], 100 - weight, "{moment}");
    }
}

/// The same rig against a host that forgets the share at its start.
#[test]
fn a_host_that_forgets_the_share_is_noticed() {
    let host = Host::start();
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &["--no-promote"]);
    host.cli(&["promote", "shop", "v2", "--weight", "50"]).ok();
    let mut visits = newcomers(&host);
    let host = Host::start_broken(host.kill(), &["--isolation", "process"], "split.restore=return(skip)");
    let astray = astray(&host, &mut visits, "shop@v2", "shop@v1", 50);
    assert!(astray.len() > VISITORS / 4, "{astray:?}");
}

/// As a host before this one could leave it.
#[test]
fn a_share_of_a_release_that_is_not_taken_in_keeps_no_host_from_starting() {
    let host = Host::start();
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &["--no-promote"]);
    host.cli(&["promote", "shop", "v2", "--weight", "30"]).ok();
    let folder = host.kill();
    let store = Store::open(&folder.path().join("data")).unwrap();
    store.set_state(&"shop@v2".parse().unwrap(), ReleaseState::Pending).unwrap();
    drop(store);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert!(newcomers_are_not_numbered(&host, "shop@v1"));
    assert!(host.log().contains("failed to delete an incomplete release; skipping it"));
    host.cli(&["rollback", "shop"]).ok();
}

fn newcomers_are_not_numbered(host: &Host, expected: &str) -> bool {
    (0..20).all(|_| {
        let answer = get(host, "/", None);
        told_id(&answer).is_none() && release(&answer) == expected
    })
}

#[test]
fn both_releases_are_shown_and_neither_can_be_lost() {
    let folder = Host::configured("[switching]\nidle_timeout_ms = 300\n[retention]\nreleases = 2\n");
    let flags = ["--isolation", "process", "--config", "vitrine.toml"];
    // A release that nobody has promoted yet would have a quarter of an hour.
    let host = Host::start_broken(folder, &flags, "retention.grace=return(skip)");
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &["--no-promote"]);
    host.cli(&["promote", "shop", "v2", "--weight", "50"]).ok();
    deploy(&host, "v3", &["--no-promote"]);
    wait_until("what nobody needs is gone", PATIENCE, || {
        let left = host.releases("shop");
        left.iter().all(|one| one["version"] != "v3").then_some(())
    });
    let candidate = host.release("shop", "v2");
    assert_eq!((&candidate["phase"], &candidate["weight"]), (&"shared".into(), &50.into()));
    assert!(candidate["instance"].is_string());

    let status = host.cli(&["status", "shop"]).ok().stdout;
    assert!(
        status.contains("v2 for 50 % of the users") && status.contains("shared, 50 % of users"),
        "{status}"
    );
    newcomers(&host);
    let metrics = host.call("GET", "/metrics").send();
    for version in ["v1", "v2"] {
        let line = format!("vitrine_http_requests_total{{app=\"shop\",release=\"{version}\",outcome=\"ok\"");
        assert!(metrics.text().contains(&line), "{version}");
        let removed = host.cli(&["remove", &format!("shop@{version}")]);
        removed.fails(1, &[if version == "v1" { "is live" } else { "share of the users" }]);
        assert!(host.log().contains(&format!("\"release\":\"{version}\"")));
    }

    host.cli(&["rollback", "shop"]).ok();
    assert!(newcomers_are_not_numbered(&host, "shop@v1"));
    let back = host.release("shop", "v2");
    assert_eq!((&back["rolled_back"], &back["weight"]), (&true.into(), &0.into()));
}

#[test]
fn pins_host_names_and_files_keep_their_rules() {
    let host = Host::start();
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &["--no-promote"]);
    host.cli(&["promote", "shop", "v2", "--weight", "50"]).ok();
    for version in ["v1", "v2"] {
        let expected = format!("shop@{version}");
        for _ in 0..8 {
            let pinned = host.get("shop", "/").header("x-vitrine-release", version).send();
            assert_eq!((release(&pinned), told_id(&pinned)), (expected.clone(), None));
            let own = host.get(&format!("shop-{version}"), "/").send();
            assert_eq!((release(&own), told_id(&own)), (expected.clone(), None));
        }
    }
    let file = get(&host, "/app.js", None);
    assert_eq!(file.header("cache-control"), Some("private, max-age=0, must-revalidate"));
    let id = told_id(&file).unwrap();
    let of_page = release(&get(&host, "/", Some(&id)));
    assert_eq!(of_page, release(&file), "a page and its files come from one release");
    let hashed = get(&host, &format!("/{HASHED}"), None);
    assert_eq!(hashed.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(told_id(&hashed), None, "what every cache may keep holds nobody's number");
}

#[test]
fn a_value_that_is_set_leaves_a_share_as_it_is() {
    let host = Host::start();
    let page = |version: &str| {
        format!(
            "export default (request, env) => new Response(`{version} ${{env.NAME ?? 'unset'}}`, {{ headers: {{ 'content-type': 'text/html' }} }});"
        )
    };
    for (version, flags) in [("v1", &[][..]), ("v2", &["--no-promote"])] {
        let files = [("server/index.js", page(version)), ("vitrine.json", r#"{"env":["NAME"]}"#.to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        host.deploy_files("shop", &files, &[&["--version", version], flags].concat());
    }
    host.cli(&["promote", "shop", "v2", "--weight", "50"]).ok();
    let mut visits: Vec<Visit> = (0..VISITORS)
        .map(|_| {
            let answer = get(&host, "/", None);
            Visit { id: told_id(&answer).unwrap(), release: release(&answer) }
        })
        .collect();
    let told = host.cli(&["env", "set", "shop", "NAME"]).stdin("new").ok().stderr;
    assert!(told.contains("v2 keeps its 50 % of the users"), "{told}");
    come_back(&host, &mut visits, "shop@v2", "shop@v1.r1", 50);
    let text = |release: &str| {
        let visit = visits.iter().find(|visit| visit.release == release).unwrap();
        get(&host, "/", Some(&visit.id)).text().to_owned()
    };
    assert_eq!((text("shop@v1.r1"), text("shop@v2")), ("v1 new".into(), "v2 unset".into()));

    let host = Host::start_in(host.kill(), &["--isolation", "process"]);
    come_back(&host, &mut visits, "shop@v2", "shop@v1.r1", 50);
    let told = host.cli(&["promote", "shop", "v2"]).ok().stderr;
    assert!(told.contains("runs with other values than the next deploy gets: NAME"), "{told}");
    assert!(newcomers_are_not_numbered(&host, "shop@v2"));
}

#[test]
fn weights_that_are_none_are_refused() {
    let host = Host::start();
    deploy(&host, "v1", &["--no-promote"]);
    host.cli(&["promote", "shop", "v1", "--weight", "10"]).fails(1, &["no live release", "without a weight"]);
    for weight in ["0", "101", "-1", "half"] {
        host.cli(&["promote", "shop", "v1", &format!("--weight={weight}")]).fails(2, &["weight"]);
    }
    for weight in ["0", "101", "\"10\"", "1.5"] {
        let body = format!("{{\"version\":\"v1\",\"weight\":{weight}}}");
        let answer =
            host.call("POST", "/v1/apps/shop/promote").header("content-type", "application/json").body(body);
        let answer = answer.send();
        assert!((400..500).contains(&answer.status), "{weight}: {answer:?}");
    }
    host.cli(&["promote", "shop", "v1", "--weight", "100"]).ok();
    assert_eq!(host.release("shop", "v1")["phase"], "live");
    for version in ["v2", "v3"] {
        deploy(&host, version, &["--no-promote"]);
    }
    host.cli(&["promote", "shop", "v2", "--weight", "50"]).ok();
    host.cli(&["promote", "shop", "v3", "--weight", "5"]).fails(1, &["`v2` has 50 % of the users"]);
    host.cli(&["promote", "shop", "v1", "--weight", "5"]).fails(1, &["`shop@v1` is live"]);
}
