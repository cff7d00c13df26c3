//! Apps that are removed: asked for twice, kept for a day, brought back as they were, dropped for good.

use crate::deployments::{THROWS, ask, deploy, deployment, live};
use serde_json::{Value, json};
use std::time::Duration;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(30);

/// A host with an app that has a history: v1, then v2 live, a preview, and a value.
fn with_shop() -> Host {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("shop", "seen before", &["--version", "p1", "--preview", "pr-7"]);
    host.cli(&["env", "set", "shop", "KEY"]).stdin("kept").ok();
    host
}

fn status_of(host: &Host, label: &str) -> u16 {
    host.get(label, "/").send().status
}

fn text(host: &Host, label: &str) -> String {
    host.get(label, "/").send().text().to_owned()
}

fn removed(host: &Host) -> Vec<Value> {
    host.call("GET", "/v1/apps?removed=true").send().json().as_array().unwrap().clone()
}

fn bundles(host: &Host) -> usize {
    std::fs::read_dir(host.data().join("bundles")).unwrap().count()
}

#[test]
fn an_app_is_removed_by_nobody_who_does_not_say_so_twice() {
    let host = with_shop();
    for flags in [&[][..], &["--yes"], &["--now"]] {
        host.cli(&[&["remove", "shpo"], flags].concat()).fails(4, &["shpo"]);
    }
    let asked = host.cli_at_terminal(&["remove", "shpo"]).stdin("shpo\n").run();
    assert!(asked.code == 4 && !asked.stdout.contains("Type the app's name"), "{asked:?}");
    let told = host.cli(&["remove", "shop"]).fails(2, &["--yes", "shop"]).stderr;
    assert!(!told.contains("removed shop"), "{told}");
    for typed in ["", "y\n", "shop@v1\n"] {
        let ran = host.cli_at_terminal(&["remove", "shop"]).stdin(typed).run();
        assert!(ran.code == 1 && ran.stdout.contains("nothing was removed"), "{ran:?}");
        assert!(ran.stdout.contains("v2, live at http://shop.localhost"), "{ran:?}");
    }
    assert_eq!(text(&host, "shop"), "two");
    let ran = host.cli_at_terminal(&["remove", "shop"]).stdin("shop\n").run();
    assert!(ran.code == 0 && ran.stdout.contains("vitrine restore shop"), "{ran:?}");
    assert_eq!(status_of(&host, "shop"), 404);
}

#[test]
fn a_removed_app_comes_back_as_it_was_also_after_a_crash() {
    let host = with_shop();
    let gone = host.cli(&["remove", "shop", "--yes", "--json"]).ok().json();
    assert_eq!((&gone["removed"], gone["restorable_until_ms"].is_u64()), (&json!("shop"), true), "{gone}");
    for label in ["shop", "shop-v1", "shop-pr-7"] {
        assert_eq!(status_of(&host, label), 404, "{label}");
    }
    assert_eq!(host.cli(&["status", "--json"]).ok().json(), json!([]));
    let told = host.cli(&["status"]).ok().stderr;
    assert!(told.contains("vitrine restore APP") && told.contains("shop until "), "{told}");
    for args in [&["status", "shop"][..], &["rollback", "shop"], &["remove", "shop", "--yes"]] {
        host.cli(args).fails(4, &["`shop` was removed", "vitrine restore shop"]);
    }
    // Nothing takes its place, and what it had with it.
    let bundle = bundle_dir(&[("server/index.js", &hello("another"))]);
    let deploy = ["deploy", "shop", bundle.path().to_str().unwrap(), "--version", "v9"];
    host.cli(&deploy).fails(1, &["vitrine restore shop", "vitrine remove shop --now"]);
    host.cli(&["env", "set", "shop", "KEY"]).stdin("other").fails(1, &["vitrine restore shop"]);

    let host = Host::start_in(host.kill(), &PROCESS);
    let kept = removed(&host);
    assert_eq!(
        (kept.len(), &kept[0]["live"], &kept[0]["releases"]),
        (1, &json!("v2"), &json!(3)),
        "{kept:?}"
    );
    assert_eq!(host.workers().len(), 0);
    let url = host.cli(&["restore", "shop"]).ok().stdout;
    assert!(url.starts_with("http://shop.localhost"), "{url}");
    assert_eq!((text(&host, "shop"), text(&host, "shop-pr-7")), ("two".into(), "seen before".into()));
    let values = host.cli(&["env", "list", "shop", "--json"]).ok().json();
    assert_eq!((&values[0]["name"], &values[0]["value"]), (&json!("KEY"), &json!("kept")));
    assert_eq!(removed(&host), Vec::<Value>::new());
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(text(&host, "shop"), "one");
    host.cli(&["restore", "shop"]).fails(1, &["not removed"]);
    host.cli(&["restore", "nowhere"]).fails(4, &["nowhere"]);
    // It is an app like any other, over the next start as well.
    let host = Host::start_in(host.kill(), &PROCESS);
    assert_eq!(text(&host, "shop"), "one");
    host.deploy("shop", "three", &["--version", "v3"]);
    let log = host.cli(&["audit", "list"]).ok().stdout;
    assert!(log.contains("remove") && log.contains("restore"), "{log}");
    host.cli(&["audit", "verify"]).ok();
}

#[test]
fn what_is_dropped_for_good_leaves_nothing_and_its_name_can_be_deployed_again() {
    let host = with_shop();
    let stored = bundles(&host);
    host.cli(&["remove", "shop", "--yes"]).ok();
    assert_eq!(bundles(&host), stored, "it has its bundles while it can be restored");
    host.cli(&["remove", "shop"]).fails(4, &["vitrine restore shop"]);
    host.cli(&["remove", "shop", "--now"]).fails(2, &["removed before", "--yes"]);
    host.cli(&["remove", "shop", "--now", "--yes"]).ok();
    assert_eq!((bundles(&host), removed(&host)), (0, Vec::new()));
    host.cli(&["remove", "shop", "--free-name"]).fails(2, &["its name", "--yes"]);
    host.cli(&["restore", "shop"]).fails(4, &["shop"]);
    host.deploy("shop", "anew", &["--version", "v1"]);
    assert_eq!(text(&host, "shop"), "anew");
    // At once, without a day in between.
    host.cli(&["remove", "shop", "--now", "--yes"]).ok();
    assert_eq!((bundles(&host), removed(&host)), (0, Vec::new()));
    host.cli(&["remove", "shop@v1", "--now"]).fails(2, &["whole app"]);
}

#[test]
fn a_removed_app_is_dropped_when_its_time_is_over() {
    let host = Host::start_broken(Host::folder_anew(), &PROCESS, "removed.kept=return(skip)");
    host.deploy("shop", "one", &["--version", "v1"]);
    host.cli(&["remove", "shop", "--yes"]).ok();
    wait_until("it is dropped", PATIENCE, || {
        (removed(&host).is_empty() && bundles(&host) == 0).then_some(())
    });
    host.deploy("shop", "anew", &["--version", "v1"]);
    let log = host.cli(&["audit", "list"]).ok().stdout;
    assert!(log.contains("host  purge"), "{log}");
}

/// Killed at any write of it, a removal, a restoration or a purge is done or not begun; what was acknowledged is done.
#[test]
fn a_kill_leaves_an_app_whole_or_removed_whole() {
    for (step, args) in [
        ("remove the app", &["remove", "shop", "--yes"][..]),
        ("restore the app", &["restore", "shop"]),
        ("drop the removed app", &["remove", "shop", "--now", "--yes"]),
    ] {
        for moment in ["begin", "commit", "done"] {
            let what = format!("{step}.{moment}");
            let folder = Host::folder_anew();
            let wish = folder.path().join("wish");
            let environment = [("FAILPOINT_FILE", wish.to_str().unwrap())];
            let mut host = Host::try_start(folder, &PROCESS, &environment).unwrap();
            host.deploy("shop", "one", &["--version", "v1"]);
            let is_removed = step != "remove the app";
            if is_removed {
                host.cli(&["remove", "shop", "--yes"]).ok();
            }
            std::fs::write(&wish, format!("{what} 1")).unwrap();
            host.cli(args).run();
            wait_until(&what, PATIENCE, || (!host.is_alive()).then_some(()));
            let host = Host::start_in(host.kill(), &PROCESS);
            let done = moment == "done";
            match (step, done) {
                ("remove the app", true) | ("restore the app" | "drop the removed app", false) => {
                    assert_eq!(
                        (removed(&host).len(), status_of(&host, "shop"), bundles(&host)),
                        (1, 404, 1),
                        "{what}"
                    );
                    host.cli(&["restore", "shop"]).ok();
                    assert_eq!(text(&host, "shop"), "one", "{what}");
                }
                ("drop the removed app", _) => {
                    assert_eq!(
                        (removed(&host).len(), status_of(&host, "shop"), bundles(&host)),
                        (0, 404, 0),
                        "{what}"
                    );
                }
                _ => assert_eq!((removed(&host).len(), text(&host, "shop").as_str()), (0, "one"), "{what}"),
            }
        }
    }
}

/// The app is removed while a release with a new value boots: that one is neither live nor in the way.
#[test]
fn a_value_that_is_set_while_its_app_is_removed_leaves_nothing_behind() {
    let host = Host::start_with(&PROCESS);
    // Long enough for a removal in between.
    let entry = "export default { async fetch(_request, env) {\n\
                 if (env.MODE === 'slow') await new Promise((done) => setTimeout(done, 4000));\n\
                 return new Response('shop'); } };\n";
    let files = [("server/index.js", entry), ("vitrine.json", r#"{"env": ["MODE"], "warm": ["/"]}"#)];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    std::thread::scope(|scope| {
        let set = scope.spawn(|| host.cli(&["env", "set", "shop", "MODE"]).stdin("slow").run());
        wait_until("the new release boots", PATIENCE, || {
            host.cli(&["audit", "list"]).ok().stdout.contains("v1.r").then_some(())
        });
        host.cli(&["remove", "shop", "--yes"]).ok();
        let ran = set.join().unwrap();
        assert!(ran.code == 4 && ran.stderr.contains("vitrine restore shop"), "{ran:?}");
    });
    assert_eq!(host.cli(&["status", "--json"]).ok().json(), json!([]));
    assert_eq!(removed(&host).len(), 1);
    host.cli(&["restore", "shop"]).ok();
    assert_eq!((text(&host, "shop"), host.releases("shop").len()), ("shop".into(), 1));
    host.cli(&["remove", "shop", "--yes"]).ok();
    host.cli(&["remove", "shop", "--now", "--yes"]).ok();
    assert_eq!((bundles(&host), removed(&host), host.workers().len()), (0, Vec::new(), 0));
}

/// A host that is killed right after it dropped an app has not removed the app's log yet.
#[test]
fn the_next_app_of_a_name_has_no_line_of_the_one_before() {
    let says = |what: &str| {
        format!("export default {{ fetch: () => (console.log('{what}'), new Response('{what}')) }};\n")
    };
    for (step, removals) in [
        ("remove the app", &[&["remove", "shop", "--now", "--yes"][..]][..]),
        ("drop the removed app", &[&["remove", "shop", "--yes"][..], &["remove", "shop", "--now", "--yes"]]),
    ] {
        let folder = Host::folder_anew();
        let wish = folder.path().join("wish");
        let mut host =
            Host::try_start(folder, &PROCESS, &[("FAILPOINT_FILE", wish.to_str().unwrap())]).unwrap();
        host.deploy_files("shop", &[("server/index.js", &says("first"))], &["--version", "v1"]);
        host.deploy_files("blog", &[("server/index.js", &says("of the blog"))], &["--version", "b1"]);
        assert_eq!(text(&host, "shop"), "first");
        let logs = |host: &Host| host.cli(&["logs", "shop", "--all"]).ok().stdout;
        wait_until("its line is kept", PATIENCE, || logs(&host).contains("first").then_some(()));
        for (at, args) in removals.iter().enumerate() {
            if at + 1 == removals.len() {
                std::fs::write(&wish, format!("{step}.done 1")).unwrap();
            }
            host.cli(args).run();
        }
        wait_until(step, PATIENCE, || (!host.is_alive()).then_some(()));
        let host = Host::start_in(host.kill(), &PROCESS);
        host.deploy_files("shop", &[("server/index.js", &says("second"))], &["--version", "v1"]);
        assert_eq!(text(&host, "shop"), "second");
        let said = wait_until("the new line is there", PATIENCE, || {
            let said = logs(&host);
            said.contains("second").then_some(said)
        });
        assert!(!said.contains("first"), "{step}: {said}");
        let kept = host.cli(&["logs", "blog", "--all"]).ok();
        assert!(kept.stdout.contains("of the blog"), "other apps keep theirs: {kept:?}");
    }
}

/// Who may remove and nothing else, does not decide what users get: a bad release is rolled back all the same.
#[test]
fn a_bake_goes_on_when_its_app_is_restored_and_keeps_what_it_goes_back_to() {
    let toml = "[deploy]\nbake_time_ms = 60000\nmin_requests = 20\n";
    let host = Host::start_in(Host::configured(toml), &PROCESS);
    deploy(&host, "v1", &hello("one"));
    deploy(&host, "v2", THROWS);
    let create = ["token", "create", "remover", "--app", "shop", "--verb", "remove"];
    let token = host.cli(&create).ok().stdout.trim().to_owned();
    let by = |host: &Host, args: &[&str]| -> Cli { host.cli(args).env("VITRINE_TOKEN", &token) };
    by(&host, &["remove", "shop@v1"]).fails(1, &["shop@v1", "until the bake"]);
    by(&host, &["remove", "shop", "--yes"]).ok();
    let host = Host::start_in(host.kill(), &PROCESS);
    by(&host, &["restore", "shop"]).ok();
    by(&host, &["remove", "shop", "--yes"]).ok();
    by(&host, &["restore", "shop"]).ok();
    assert_eq!((live(&host), &deployment(&host, "v2")["status"]), (json!("v2"), &json!("IN_PROGRESS")));
    by(&host, &["remove", "shop@v1"]).fails(1, &["until the bake"]);
    wait_until("the bad release is rolled back", PATIENCE, || {
        ask(&host, 20);
        (deployment(&host, "v2")["status"] == "ROLLBACK_SUCCESSFUL").then_some(())
    });
    assert_eq!(live(&host), "v1");
    by(&host, &["remove", "shop@v2"]).ok();
}

#[test]
fn an_upload_that_meets_the_removal_of_its_app_says_so() {
    let host = Host::start_with(&PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    // Long enough for a removal in between.
    let entry = "export default { async fetch() { await new Promise((done) => setTimeout(done, 4000)); \
                 return new Response('shop'); } };\n";
    let slow = bundle_dir(&[("server/index.js", entry), ("vitrine.json", r#"{"warm": ["/"]}"#)]);
    let meets = |version: &str, flags: &[&str]| {
        let args = ["deploy", "shop", slow.path().to_str().unwrap(), "--version", version];
        std::thread::scope(|scope| {
            let deploy = scope.spawn(|| host.cli(&args).run());
            wait_until("the new release boots", PATIENCE, || {
                host.cli(&["audit", "list"]).ok().stdout.contains(version).then_some(())
            });
            host.cli(&[&["remove", "shop", "--yes"], flags].concat()).ok();
            deploy.join().unwrap()
        })
    };
    let kept = meets("v2", &[]);
    assert!(kept.code == 4 && kept.stderr.contains("vitrine restore shop"), "{kept:?}");
    host.cli(&["restore", "shop"]).ok();
    let gone = meets("v3", &["--now"]);
    assert!(gone.code == 1 && gone.stderr.contains("`shop` was removed while `shop@v3`"), "{gone:?}");
    assert_eq!((bundles(&host), host.workers().len()), (0, 0));
}

/// Two restorations wait for the last request of a removed app. The first one brings it back, and it is removed again.
#[test]
fn a_restoration_brings_back_no_later_removal() {
    let host = Host::start_with(&PROCESS);
    let slow = "const later = (ms) => new Promise((done) => setTimeout(done, ms));\nawait later(2000);\n\
                export default { fetch: async (request) => {\n\
                if (request.url.endsWith('/slow')) await later(4000);\n\
                return new Response('page'); } };\n";
    host.deploy_files("shop", &[("server/index.js", slow)], &["--version", "v1"]);
    let call = |method: &str, path: &str| host.call(method, path).body("{}").send();
    let restore = || call("POST", "/v1/apps/shop/restore").status;
    std::thread::scope(|scope| {
        scope.spawn(|| host.get("shop", "/slow").send());
        wait_until("the request is under way", PATIENCE, || {
            (host.release("shop", "v1")["in_flight"] == 1).then_some(())
        });
        scope.spawn(|| call("DELETE", "/v1/apps/shop"));
        wait_until("it is removed", PATIENCE, || (!removed(&host).is_empty()).then_some(()));
        let restored = [scope.spawn(restore), scope.spawn(restore)];
        wait_until("it is back", PATIENCE, || (call("GET", "/v1/apps/shop").status == 200).then_some(()));
        assert_eq!(call("DELETE", "/v1/apps/shop").status, 204);
        let mut restored = restored.map(|one| one.join().unwrap());
        restored.sort_unstable();
        assert_eq!(restored, [200, 409]);
    });
    assert_eq!((removed(&host).len(), call("GET", "/v1/apps/shop").status), (1, 404));
}

#[test]
fn who_may_not_remove_may_not_restore() {
    let host = with_shop();
    let token = |verbs: &str, name: &str| {
        let ran = host.cli(&["token", "create", name, "--app", "shop", "--verb", verbs]).ok();
        ran.stdout.trim().to_owned()
    };
    let (reader, remover) = (token("deploy,promote,env", "one"), token("remove", "two"));
    let by = |token: &str, args: &[&str]| -> Cli { host.cli(args).env("VITRINE_TOKEN", token) };
    by(&reader, &["remove", "shop", "--yes"]).fails(1, &["`remove` on `shop`"]);
    by(&remover, &["remove", "shop", "--yes"]).ok();
    by(&reader, &["restore", "shop"]).fails(1, &["`remove` on `shop`"]);
    by(&remover, &["restore", "shop"]).ok();
    assert_eq!(text(&host, "shop"), "two");
    // The list of what can be restored has no app that a token may not see.
    host.deploy("blog", "a blog", &["--version", "b1"]);
    host.cli(&["remove", "blog", "--yes"]).ok();
    assert!(!by(&remover, &["status"]).ok().stderr.contains("blog"));
}
