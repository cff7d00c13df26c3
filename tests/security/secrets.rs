//! Values of the environment: code that nobody who may promote has vouched for sees none of production's.

use serde_json::{Value, json};
use std::time::Duration;
use vitrine_test_support::archive::fixture;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);

const SECRET: &str = "s3cr3t-of-production";

fn set(host: &Host, value: &str, flags: &[&str]) {
    host.cli(&[&["env", "set", "shop", "SECRET", "--secret"], flags].concat()).stdin(value).ok();
}

/// What the release at this label sees of its environment.
fn seen(host: &Host, label: &str) -> Value {
    host.get(label, "/").send().json()["env"].clone()
}

fn token(host: &Host, name: &str, verbs: &str) -> String {
    host.cli(&["token", "create", name, "--app", "shop", "--verb", verbs]).ok().stdout.trim().to_owned()
}

/// Deploys the bundle that shows its environment, as the holder of a token.
fn deploy(host: &Host, token: &str, flags: &[&str]) {
    let folder = fixture("env-echo");
    let args = [&["deploy", "shop", folder.to_str().unwrap()], flags].concat();
    host.cli(&args).env("VITRINE_TOKEN", token).ok();
}

#[test]
fn a_preview_sees_the_values_of_previews_and_none_of_productions() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    set(&host, SECRET, &[]);
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    // Also when it is the host's own token that deploys it.
    deploy(&host, &host.token(), &["--preview", "pr-1", "--version", "p1"]);
    assert_eq!(seen(&host, "shop-pr-1"), json!({}));
    set(&host, "of previews", &["--preview"]);
    deploy(&host, &token(&host, "ci", "deploy"), &["--preview", "pr-2", "--version", "p2"]);
    assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
    // Neither starts the live release anew, nor shows up as its value.
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    let listed = |flags: &[&str]| host.cli(&[&["env", "list", "shop", "--json"], flags].concat()).ok().json();
    let (production, preview) = (listed(&[]), listed(&["--preview"]));
    assert_eq!((&production[0]["live"], &preview[0]["live"]), (&json!("same"), &json!("unread")));
    assert_eq!(host.release("shop", "p2")["env_scope"], "preview");
    // A restart starts each with its own again.
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    host.cli(&["env", "unset", "shop", "SECRET", "--preview"]).ok();
    let previews = host.cli(&["env", "list", "shop", "--preview", "--json"]).ok().json();
    assert!(previews.as_array().unwrap().iter().all(|value| value["unset"] == true), "{previews}");
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    // One that is promoted is a preview no longer.
    host.cli(&["promote", "shop", "p2"]).ok();
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
}

#[test]
fn a_token_that_may_deploy_and_not_promote_gets_no_value_of_production() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    set(&host, SECRET, &[]);
    set(&host, "of previews", &["--preview"]);
    let ci = token(&host, "ci", "deploy");
    deploy(&host, &ci, &["--version", "v2", "--no-promote"]);
    assert_eq!(seen(&host, "shop-v2"), json!({"SECRET": "of previews"}));
    // Whoever may promote it gives it production's values, also for a share of the users, and it keeps its name.
    host.cli(&["promote", "shop", "v2", "--weight", "10"]).ok();
    assert_eq!(seen(&host, "shop-v2"), json!({"SECRET": SECRET}));
    assert_eq!(host.release("shop", "v2")["env_scope"], "production");
    deploy(&host, &ci, &["--version", "v3", "--no-promote"]);
    host.cli(&["promote", "shop", "v2"]).ok();
    host.cli(&["promote", "shop", "v3"]).ok();
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(host.get("shop", "/").send().header("x-vitrine-release"), Some("shop@v2"));
    // A token for both gets them at once.
    deploy(&host, &token(&host, "both", "deploy,promote"), &["--version", "v4", "--no-promote"]);
    assert_eq!(seen(&host, "shop-v4"), json!({"SECRET": SECRET}));
}

#[test]
fn a_promotion_whose_worker_does_not_come_up_with_productions_values_leaves_all_as_it_was() {
    let host = Host::start();
    host.deploy("shop", "v1", &["--version", "v1"]);
    let entry = "export default { fetch(_request, env) {\n\
                 if (env.SECRET === 'bad') throw new Error('not with this one');\n\
                 return new Response(String(env.SECRET)); } };\n";
    host.cli(&["env", "set", "shop", "SECRET"]).stdin("bad").ok();
    let bundle = vitrine_test_support::archive::bundle_dir(&[
        ("server/index.js", entry),
        ("vitrine.json", r#"{"env": ["SECRET"], "warm": ["/"]}"#),
    ]);
    let args = ["deploy", "shop", bundle.path().to_str().unwrap(), "--version", "v2", "--no-promote"];
    host.cli(&args).env("VITRINE_TOKEN", &token(&host, "ci", "deploy")).ok();
    host.cli(&["promote", "shop", "v2"]).fails(1, &["v2"]);
    assert_eq!(host.get("shop", "/").send().text(), "v1");
    assert_eq!(host.get("shop-v2", "/").send().text(), "undefined");
    assert_eq!(host.release("shop", "v2")["env_scope"], "preview");
}

#[test]
fn a_release_whose_promotion_a_hook_refuses_loses_productions_values() {
    let toml = "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", \"test $VITRINE_VERSION != p2\"]\n";
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    set(&host, SECRET, &[]);
    set(&host, "of previews", &["--preview"]);
    deploy(&host, &token(&host, "ci", "deploy"), &["--preview", "pr-2", "--version", "p2"]);
    assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
    // Awake, then asleep.
    for _ in 0..2 {
        host.cli(&["promote", "shop", "p2"]).fails(1, &["before_traffic"]);
        assert_eq!(host.release("shop", "p2")["env_scope"], "preview");
        assert_eq!(host.release("shop", "p2")["phase"], "sleeping");
    }
    assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
}

/// Of two promotions at once the first one gives the release production's values, and takes them back when it fails: the second one
/// would give users a release with the values of previews.
#[test]
fn a_promotion_beside_one_that_fails_gives_users_no_release_with_the_values_of_previews() {
    // The first one fails once it is told to, the second one passes once it is told to.
    let script = "test $VITRINE_VERSION = p2 || exit 0\n\
                  if mkdir first; then until test -e fail; do sleep 0.05; done; exit 3; fi\n\
                  touch second; until test -e pass; do sleep 0.05; done";
    let toml = format!(
        "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\ntimeout_ms = 60000\n"
    );
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    set(&host, SECRET, &[]);
    set(&host, "of previews", &["--preview"]);
    deploy(&host, &token(&host, "ci", "deploy"), &["--preview", "pr-2", "--version", "p2"]);
    let until = |what: &str| {
        wait_until(what, PATIENCE, || path.join(what).exists().then_some(()));
    };
    let tell = |what: &str| std::fs::write(path.join(what), "").unwrap();
    std::thread::scope(|scope| {
        let promote = || host.cli(&["promote", "shop", "p2"]).run();
        let first = scope.spawn(promote);
        until("first");
        let second = scope.spawn(promote);
        until("second");
        tell("fail");
        assert_eq!(first.join().unwrap().code, 1);
        assert_eq!(host.release("shop", "p2")["env_scope"], "preview");
        // A request starts it with the values of previews.
        assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
        tell("pass");
        let second = second.join().unwrap();
        assert!(second.code == 1 && second.stderr.contains("try again"), "{second:?}");
    });
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
    assert_eq!(seen(&host, "shop-pr-2"), json!({"SECRET": "of previews"}));
    // Trying again helps.
    host.cli(&["promote", "shop", "p2"]).ok();
    assert_eq!(seen(&host, "shop"), json!({"SECRET": SECRET}));
}

#[test]
fn two_apps_with_the_same_bundle_share_no_random_number() {
    let host = Host::start();
    let bundle = vitrine_test_support::archive::bundle_dir(&[
        (
            "server/index.js",
            "const key = crypto.randomUUID();\nexport default { fetch: () => new Response(key) };\n",
        ),
        ("vitrine.json", r#"{"snapshot": {"harmless": ["randomness"]}}"#),
    ]);
    let folder = bundle.path();
    host.deploy_folder("shop", folder, &["--version", "v1"]);
    host.deploy_folder("evil", folder, &["--version", "v1"]);
    let key = |app: &str| host.get(app, "/").send().text().to_owned();
    assert_eq!(host.release("shop", "v1")["digest"], host.release("evil", "v1")["digest"]);
    assert_eq!(host.release("evil", "v1")["snapshot"]["state"], "taken");
    let (ours, theirs) = (key("shop"), key("evil"));
    assert_ne!(ours, theirs);
    // Nor with what is started later.
    host.deploy_folder("evil", folder, &["--version", "v2"]);
    assert_ne!(key("evil"), ours);
}
