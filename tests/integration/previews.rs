//! Previews, and how they are named.

use std::time::Duration;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

fn text(host: &Host, label: &str) -> String {
    host.get(label, "/").send().text().to_owned()
}

#[test]
fn a_preview_is_named_by_its_name_and_two_may_have_one_content() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let bundle = bundle_dir(&[("server/index.js", &hello("both"))]);
    let preview = |name: &str| {
        let ran = host.cli(&["deploy", "shop", bundle.path().to_str().unwrap(), "--preview", name]).ok();
        ran.stdout
    };
    let (seven, nine) = (preview("pr-7"), preview("pr-9"));
    assert_ne!(seven, nine);
    // Once more is the same one.
    assert_eq!(preview("pr-9"), nine);
    assert_eq!((text(&host, "shop-pr-7"), text(&host, "shop-pr-9")), ("both".into(), "both".into()));
    assert_eq!(host.releases("shop").len(), 3);
    host.cli(&["logs", "shop@pr-9"]).ok();
    host.cli(&["remove", "shop@pr-7"]).ok();
    assert_eq!((host.get("shop-pr-7", "/").send().status, text(&host, "shop-pr-9")), (404, "both".into()));
    let live = host.cli(&["promote", "shop", "pr-9"]).ok().stdout;
    assert!(live.starts_with("shop@") && !live.contains("shop@pr-9"), "{live}");
    assert_eq!(text(&host, "shop"), "both");
    host.cli(&["remove", "shop@pr-1"]).fails(4, &["shop@pr-1"]);
}

#[test]
fn a_deploy_of_what_a_preview_shows_leaves_the_preview_alone() {
    let host = Host::start();
    let app = "export default { fetch: (request, env) => new Response(env.MODE) };";
    let bundle = bundle_dir(&[("server/index.js", app), ("vitrine.json", r#"{"env":["MODE"]}"#)]);
    let deploy = ["deploy", "shop", bundle.path().to_str().unwrap()];
    host.cli(&["env", "set", "shop", "MODE"]).stdin("live").ok();
    host.cli(&["env", "set", "shop", "MODE", "--preview"]).stdin("preview").ok();
    let preview = host.cli(&[&deploy[..], &["--preview", "pr-1"]].concat()).ok().stdout;
    let live = host.cli(&deploy).ok();
    assert!(live.stdout != preview && live.stderr.contains("is uploaded, booted and warm"), "{live:?}");
    assert_eq!((text(&host, "shop"), text(&host, "shop-pr-1")), ("live".into(), "preview".into()));
    host.cli(&["remove", "shop@pr-1"]).ok();
    assert_eq!((text(&host, "shop"), host.get("shop-pr-1", "/").send().status), ("live".into(), 404));
}

#[test]
fn a_promotion_that_fails_leaves_a_preview_no_worker_with_values_of_production() {
    let host = Host::start();
    let app = "export default { fetch: (request, env) => new Response(env.MODE) };";
    let bundle = bundle_dir(&[("server/index.js", app), ("vitrine.json", r#"{"env":["MODE"]}"#)]);
    let deploy = ["deploy", "shop", bundle.path().to_str().unwrap()];
    host.cli(&["env", "set", "shop", "MODE"]).stdin("live").ok();
    host.cli(&["env", "set", "shop", "MODE", "--preview"]).stdin("preview").ok();
    host.cli(&deploy).ok();
    host.cli(&[&deploy[..], &["--preview", "pr-1"]].concat()).ok();
    // The preview sleeps from here on; the first instance is the live release's, and the second one is slow and fails.
    let broken = "record an instance of the release.begin=1*off->1*sleep(3000)->off;record an instance of the release.commit=1*off->1*return(error)->off";
    let host = Host::start_broken(host.kill(), &["--isolation", "process"], broken);
    std::thread::scope(|scope| {
        scope.spawn(|| host.cli(&["promote", "shop", "pr-1"]).fails(1, &["recording an instance"]));
        wait_until("the promotion starts a worker", Duration::from_secs(30), || {
            let preview = host.releases("shop").into_iter().find(|one| one["preview"] == "pr-1").unwrap();
            (preview["phase"] == "booting").then_some(())
        });
        // It waits until that start has failed.
        assert_eq!(text(&host, "shop-pr-1"), "preview");
    });
    assert_eq!((text(&host, "shop"), text(&host, "shop-pr-1")), ("live".into(), "preview".into()));
}

#[test]
fn a_preview_gets_changed_values_with_its_next_deploy_of_the_same_content() {
    let host = Host::start();
    let app = "export default { fetch: (request, env) => new Response(env.NAME ?? \"none\") };";
    let bundle = bundle_dir(&[("server/index.js", app), ("vitrine.json", r#"{"env":["NAME"]}"#)]);
    let deploy = |name: &str| {
        let args = ["deploy", "shop", bundle.path().to_str().unwrap(), "--preview", name];
        host.cli(&args).ok().stderr
    };
    let set = |value: &str| host.cli(&["env", "set", "shop", "NAME", "--preview"]).stdin(value).ok().stderr;
    assert!(deploy("pr-7").contains("no value is set for previews"));
    assert_eq!(text(&host, "shop-pr-7"), "none");
    assert!(set("one").contains("with its next deploy, also of the same content"));
    assert_eq!(text(&host, "shop-pr-7"), "none", "until it is deployed again");
    let told = deploy("pr-7");
    assert!(
        told.contains("restarted with the changed values") && !told.contains("no value is set"),
        "{told}"
    );
    assert_eq!(text(&host, "shop-pr-7"), "one");
    let told = deploy("pr-7");
    assert!(told.contains("was there already") && !told.contains("restarted"), "{told}");
    set("two");
    let told =
        host.cli(&["deploy", "shop", bundle.path().to_str().unwrap(), "--preview", "pr-7", "--json"]).ok();
    assert_eq!((&told.json()["created"], &told.json()["values_renewed"]), (&false.into(), &true.into()));
    assert_eq!(text(&host, "shop-pr-7"), "two");
    let log = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert_eq!(log.matches("changed values of previews").count(), 2, "{log}");
    // A host that starts again has them, too.
    let folder = host.kill();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(text(&host, "shop-pr-7"), "two");
    assert_eq!(host.releases("shop").len(), 1);
}

#[test]
fn a_preview_sees_a_value_of_production_that_is_granted_to_it() {
    let host = Host::start();
    let app = "export default { fetch: (request, env) => new Response(env.KEY ?? \"none\") };";
    let bundle = bundle_dir(&[("server/index.js", app), ("vitrine.json", r#"{"env":["KEY"]}"#)]);
    let path = bundle.path().to_str().unwrap().to_owned();
    let preview = || host.cli(&["deploy", "shop", &path, "--preview", "pr-7"]).ok().stderr;
    let set = |value: &str| host.cli(&["env", "set", "shop", "KEY", "--secret"]).stdin(value).ok();
    let grant = |more: &[&str]| host.cli(&[&["env", "grant", "shop", "KEY"], more].concat());
    grant(&[]).fails(4, &["shop"]);
    host.cli(&["deploy", "shop", &path]).ok();
    grant(&[]).fails(1, &["production has no value `KEY`", "vitrine env set shop KEY"]);
    set("hush-one");
    assert!(preview().contains("no value is set for previews"));
    assert_eq!(text(&host, "shop-pr-7"), "none");

    // What gives production's secrets away asks for what gives a release to users.
    let token = |verb: &str| {
        let made = host.cli(&["token", "create", verb, "--app", "shop", "--verb", verb, "--json"]).ok();
        made.json()["token"].as_str().unwrap().to_owned()
    };
    grant(&[]).env("VITRINE_TOKEN", &token("env")).fails(1, &["promote"]);
    let told = grant(&[]).env("VITRINE_TOKEN", &token("promote")).ok();
    assert!(told.stderr.contains("with its next deploy") && !told.stderr.contains("hush"), "{told:?}");
    assert_eq!(text(&host, "shop-pr-7"), "none", "until it is deployed again");
    assert!(!preview().contains("no value is set"));
    assert_eq!(text(&host, "shop-pr-7"), "hush-one");
    for more in [&[][..], &["--preview"]] {
        let listed = host.cli(&[&["env", "list", "shop"], more].concat()).ok().stdout;
        assert!(listed.contains("PREVIEWS") && listed.contains("granted"), "{listed}");
        assert!(listed.contains("(secret)") && !listed.contains("hush"), "{listed}");
        let values = host.cli(&[&["env", "list", "shop", "--json"], more].concat()).ok().json();
        assert_eq!(values[0]["granted"], true, "{values}");
    }
    set("hush-two");
    preview();
    assert_eq!(text(&host, "shop-pr-7"), "hush-two");

    let told = set("hush-two").stderr;
    assert!(told.contains("previews are granted KEY"), "{told}");
    for (verb, name) in [("set", "KEY"), ("unset", "KEY")] {
        let args = ["env", verb, "shop", name, "--preview"];
        host.cli(&args)
            .stdin("own")
            .fails(1, &["granted production's value `KEY`", "env grant shop KEY --revoke"]);
    }
    let told = grant(&["--revoke"]).ok();
    assert!(told.stderr.contains("until its next deploy"), "{told:?}");
    preview();
    assert_eq!(text(&host, "shop-pr-7"), "none");
    assert_eq!(text(&host, "shop"), "hush-two");
    grant(&["--revoke"]).fails(4, &["not granted `KEY`"]);
    assert!(!host.cli(&["env", "list", "shop"]).ok().stdout.contains("PREVIEWS"));
    host.cli(&["env", "set", "shop", "KEY", "--preview"]).stdin("own").ok();
    let listed = host.cli(&["env", "list", "shop"]).ok().stderr;
    assert!(listed.contains("previews have values of their own: KEY"), "{listed}");
    grant(&[]).fails(1, &["of their own", "vitrine env unset shop KEY --preview"]);
    let records = host.cli(&["audit", "list", "--json"]).ok().json();
    let records: Vec<String> = records
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| {
            record["what"].as_str().unwrap().starts_with("env_g") || record["what"] == "env_revoke"
        })
        .map(|record| {
            format!("{} {} {} {}", record["who"], record["what"], record["result"], record["detail"])
        })
        .collect();
    let records = records.join("\n").replace('"', "");
    for line in [
        "root env_grant refused KEY",
        "token:promote env_grant done KEY to previews, ",
        "root env_revoke done KEY from previews, ",
    ] {
        assert!(records.contains(line), "{line} is not in\n{records}");
    }
}
