//! A deploy that fails over an app that is live: nothing changes, and the reason is told.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::{kill, workers_of};
use vitrine_test_support::storm::{Seen, Wish, insist};
use vitrine_test_support::wait::wait_until;

/// Time for an app to be evaluated on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A module that never finishes its evaluation, and says how far it came.
const HANGS: &str = "console.log('connecting to the stock list');\nawait new Promise(() => {});\n\
                     export default { fetch: () => new Response('never') };\n";
const THROWS: &str = "console.log('reading the price list');\nconst prices = undefined;\n\
                      export default { fetch: () => new Response(String(prices.all)) };\nprices.load();\n";
/// Evaluates, and can't render.
const ANSWERS_500: &str = "export default { fetch: () => { console.warn('no shelf'); return new Response('', { status: 500 }); } };\n";

/// What lies in the data folder and is no database, log or socket: bundles, archives, staging.
fn stored(host: &Host) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![host.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
            let path = entry.path();
            let file_name = entry.file_name().into_string().unwrap();
            // What belongs to the host that runs, and comes and goes with it; and what apps wrote, also before they failed.
            if ["run", "upgrade.sock", "logs"].contains(&&*file_name) || file_name.contains(".db") {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Keeps asking while `during` runs, and gives everything that was seen.
fn asked_during(host: &Host, during: impl FnOnce()) -> Vec<Seen> {
    let name = format!("shop.localhost:{}", host.edge.port());
    let wish = Wish { method: "GET", path: "/", host: name, body: "" };
    let stop = AtomicBool::new(false);
    let (seen, failed) = std::thread::scope(|scope| {
        let client = scope.spawn(|| insist(host.edge, &wish, &stop));
        // Released also when `during` panics: the scope would wait for the client for ever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        stop.store(true, Ordering::Relaxed);
        let client = client.join().unwrap();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        client
    });
    assert_eq!(failed, Vec::<String>::new());
    seen
}

#[test]
fn what_is_live_does_not_notice_a_deploy_that_fails() {
    let host = Host::start();
    host.deploy("shop", "good", &["--version", "v1"]);
    let (before, releases) = (stored(&host), host.releases("shop"));
    let epoch = host.get("shop", "/").send().header("x-vitrine-epoch").unwrap().to_owned();
    let fails = |server: &str, wait: &str, words: &[&str]| {
        let dir = bundle_dir(&[("server/index.js", server), ("vitrine.json", r#"{"warm":["/"]}"#)]);
        let path = dir.path().to_str().unwrap();
        host.cli(&["deploy", "shop", path, "--version", "v2", "--wait", wait]).fails(1, words)
    };
    let seen = asked_during(&host, || {
        let thrown = fails(
            THROWS,
            "30",
            &["shop@v2", "last lines of the worker", "reading the price list", "index.js:4"],
        );
        let tail = thrown.stderr.split_once("last lines of the worker").unwrap().1;
        assert_eq!(tail.matches("Cannot read properties").count(), 1, "{tail}");
        fails(ANSWERS_500, "30", &["shop@v2", "500", "no shelf"]);
        let begun = Instant::now();
        fails(HANGS, "2", &["shop@v2", "connecting to the stock list", "top-level `await`"]);
        assert!(begun.elapsed() < Duration::from_secs(20), "undone in {:?}", begun.elapsed());
    });
    let wrong: Vec<&Seen> = seen
        .iter()
        .filter(|seen| (seen.status, seen.release.as_str(), seen.body.as_str()) != (200, "shop@v1", "good"))
        .collect();
    assert!(wrong.is_empty() && seen.len() > 20, "of {}: {wrong:?}", seen.len());
    assert_eq!(host.releases("shop").len(), releases.len());
    assert_eq!(host.release("shop", "v1")["instance"], releases[0]["instance"]);
    assert_eq!(host.get("shop", "/").send().header("x-vitrine-epoch"), Some(epoch.as_str()));
    assert_eq!(host.get("shop-v2", "/").send().status, 404);
    assert_eq!(stored(&host), before);
    let workers = host.workers();
    assert!(workers.iter().all(|worker| worker.release == "shop@v1"), "{workers:?}");
    // The name is free, for other content.
    host.deploy("shop", "better", &["--version", "v2", "--wait", "30"]);
    assert_eq!(host.get("shop", "/").send().text(), "better");
}

#[test]
fn a_deploy_whose_command_is_interrupted_goes_on_and_is_undone_where_it_fails() {
    let host = Host::start();
    host.deploy("shop", "good", &["--version", "v1"]);
    let dir = bundle_dir(&[("server/index.js", HANGS)]);
    let deploy = ["deploy", "shop", dir.path().to_str().unwrap(), "--version", "v2", "--wait", "3"];
    let patience = Duration::from_secs(20);
    let booting = || host.workers().iter().any(|worker| worker.release == "shop@v2");
    let ran =
        host.cli(&deploy).interrupted_when(|| wait_until("the boot", patience, || booting().then_some(())));
    assert_eq!(ran.code, 130, "{ran:?}");
    for words in
        ["goes on with the deployment of shop@v2", "`vitrine deployments shop ", "`vitrine status shop`"]
    {
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
    wait_until("the host undoes it", patience, || (!booting()).then_some(()));
    assert_eq!(host.releases("shop").len(), 1);
    assert_eq!(host.get("shop", "/").send().text(), "good");
}

#[test]
fn a_first_deploy_that_fails_leaves_no_app() {
    let host = Host::start();
    let before = stored(&host);
    let dir = bundle_dir(&[("server/index.js", THROWS)]);
    host.cli(&["deploy", "shop", dir.path().to_str().unwrap()]).fails(1, &["reading the price list"]);
    assert_eq!(host.cli(&["status", "--json"]).ok().json(), serde_json::json!([]));
    host.cli(&["releases", "shop"]).fails(4, &["shop"]);
    assert_eq!(host.get("shop", "/").send().status, 404);
    assert_eq!((stored(&host), host.workers().len()), (before, 0));
}

/// Evaluates, and in a worker that is to serve it says so and never ends.
const HANGS_IN_SERVICE: &str = "const { MODE } = process.env;\nif (MODE) {\n  console.log(`evaluated to ${MODE}`);\n  \
                                await new Promise(() => {});\n}\n\
                                export default { fetch: () => new Response('never') };\n";

#[test]
fn a_worker_that_is_lost_while_it_boots_is_not_waited_for() {
    let host = Host::start();
    host.deploy("shop", "good", &["--version", "v1"]);
    host.cli(&["env", "set", "shop", "MODE"]).stdin("serve").ok();
    let files = [("server/index.js", HANGS_IN_SERVICE), ("vitrine.json", r#"{"env":["MODE"]}"#)];
    let dir = bundle_dir(&files);
    let path = dir.path().to_str().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the app's line", PATIENCE, || {
                host.log().contains("evaluated to serve").then_some(())
            });
            let booting = workers_of(&host.data()).into_iter().find(|worker| worker.release == "shop@v2");
            kill(booting.unwrap().supervisor);
        });
        let deploy = ["deploy", "shop", path, "--version", "v2", "--wait", "300"];
        host.cli(&deploy).fails(1, &["shop@v2", "was lost", "evaluated to serve"]);
    });
    assert_eq!(host.get("shop", "/").send().text(), "good");
}
