//! With `--json` every verb prints JSON and nothing else, whether it works or not. A verb that is not listed here fails the test.

use serde_json::Value;
use vitrine_test_support::archive::fixture;
use vitrine_test_support::cli::{Cli, Ran};
use vitrine_test_support::host::Host;

/// What `vitrine WORDS --help` lists as verbs.
fn verbs_below(words: &[String]) -> Vec<Vec<String>> {
    let args: Vec<&str> = words.iter().map(String::as_str).chain(["-h"]).collect();
    let help = Cli::new(&args).ok().stdout;
    let Some((_, commands)) = help.split_once("Commands:\n") else { return vec![words.to_vec()] };
    let listed = commands.lines().take_while(|line| !line.is_empty());
    // A line that goes on is indented further.
    let names =
        listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()));
    let below = |name: &str| verbs_below(&[words, &[name.to_owned()]].concat());
    names.filter(|name| *name != "help").flat_map(below).collect()
}

fn verbs() -> Vec<String> {
    verbs_below(&[]).into_iter().map(|words| words.join(" ")).collect()
}

/// Every line of both streams, which are JSON; the last one of stderr, if it is an error.
fn checked(verb: &str, ran: &Ran) -> Option<Value> {
    let parsed = |text: &str| -> Vec<Value> {
        let parse =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{verb}: {error}: {line}"));
        text.lines().map(parse).collect()
    };
    parsed(&ran.stdout);
    let mut told = parsed(&ran.stderr);
    let error = told.pop_if(|line| line.get("error").is_some());
    // The log of `serve` and `solo` has its own fields.
    let is_note = |line: &Value| line["note"].is_string() || line["level"].is_string();
    assert!(told.iter().all(is_note), "{verb}: {ran:?}");
    if let Some(error) = &error {
        let error = &error["error"];
        assert_eq!(error["exit"], ran.code, "{verb}: {ran:?}");
        assert!(
            error["code"].is_string() && !error["message"].as_str().unwrap().is_empty(),
            "{verb}: {ran:?}"
        );
    }
    error.map(|error| error["error"].clone())
}

#[test]
fn wrong_usage_of_every_verb_is_one_object() {
    let verbs = verbs();
    assert!(verbs.len() > 20 && verbs.contains(&"token revoke".to_owned()), "{verbs:?}");
    for verb in verbs.iter().map(String::as_str).chain([""]) {
        let args: Vec<&str> =
            verb.split(' ').filter(|word| !word.is_empty()).chain(["--json", "--so-not"]).collect();
        // Docker knows no other failure of a health command.
        let exit = if verb == "healthcheck" { 1 } else { 2 };
        let ran = Cli::new(&args).fails(exit, &[]);
        let error = checked(verb, &ran).unwrap();
        assert_eq!(error["code"], "usage", "{verb}: {error}");
        assert!(error["message"].as_str().unwrap().contains("--so-not"), "{verb}: {error}");
    }
    let error = checked("", &Cli::new(&["promote", "shop", "--json"]).fails(2, &[])).unwrap();
    assert!(error["message"].as_str().unwrap().contains("<VERSION>"), "{error}");
}

#[test]
fn every_verb_that_fails_prints_one_object() {
    let bundle = fixture("fetch-hello");
    let bundle = bundle.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml").display().to_string();
    std::fs::write(&rules, "[[route]]\nmaintenance = true\n").unwrap();
    for verb in verbs() {
        let (more, code): (&[&str], i32) = match verb.as_str() {
            "serve" => (&["--config", "/nope/vitrine.toml"], 1),
            "solo" => (&["--bundle", "/nope", "--listen", "127.0.0.1:0"], 1),
            "deploy" => (&["shop", bundle], 3),
            "promote" => (&["shop", "v1"], 3),
            "rollback" | "scale" | "releases" | "deployments" | "logs" | "env list" => (&["shop"], 3),
            "remove" => (&["shop", "--yes"], 3),
            "env set" | "env unset" | "env grant" => (&["shop", "NAME"], 3),
            "env import" => (&["shop", "-"], 3),
            "token create" => (&["ci", "--app", "*", "--verb", "read"], 3),
            "token revoke" => (&["ci"], 3),
            "status" | "token list" | "audit list" | "audit verify" | "routes get" | "routes rollback"
            | "routes reset" => (&[], 3),
            "purge" => (&["shop", "--all"], 3),
            "cache why" => (&["shop", "/"], 3),
            "cache stats" => (&[], 3),
            "routes set" => (&[&rules], 3),
            "routes explain" => (&["http://a.test/"], 3),
            "routes link" => (&["checkout=b", "--key-file", "/nope/key"], 1),
            "healthcheck" => (&["--url", "http://127.0.0.1:1/"], 1),
            "image" => (&[], 1),
            "doctor" => (&["--docker", "/nope"], 1),
            "upgrade" => (&["--data", "/nope"], 1),
            "key rotate" => (&[], 3),
            "key forget" => (&["--data", "/nope", "--yes"], 1),
            "backup" => (&["/nope/saved"], 1),
            "restore" => (&["--from", "/nope/saved", "--data", "/nope/data", "--unauthenticated"], 1),
            "config check" => (&["/nope/vitrine.toml"], 1),
            // They have nothing that can fail.
            "completions" | "config print" => continue,
            other => panic!("`{other}` is new: say here with which arguments it fails"),
        };
        let args: Vec<&str> = verb.split(' ').chain(more.iter().copied()).chain(["--json"]).collect();
        let ran = Cli::new(&args)
            .env("VITRINE_ADMIN", "http://127.0.0.1:1")
            .env("DOCKER_HOST", "unix:///nope/docker.sock")
            .env("VITRINE_WORKER", "/nope/vitrine-worker")
            .env("TMPDIR", folder.path().to_str().unwrap())
            .stdin("NAME=value")
            .run();
        assert_eq!(ran.code, code, "{verb}: {ran:?}");
        let error = checked(&verb, &ran).unwrap_or_else(|| panic!("{verb} tells no error: {ran:?}"));
        // What `doctor` found is data, also when it is bad.
        assert_eq!(ran.stdout.is_empty(), verb != "doctor", "{verb}: {ran:?}");
        let expected = if code == 3 { "unreachable" } else { "" };
        assert!(error["code"].as_str().unwrap().contains(expected), "{verb}: {error}");
    }
}

#[test]
fn every_verb_that_works_prints_json() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let bundle = fixture("fetch-hello");
    let (bundle, edge) = (bundle.to_str().unwrap(), format!("http://{}/_vitrine/readyz", host.edge));
    let data = host.data();
    let data = data.to_str().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/vitrine.toml");
    let scratch = tempfile::tempdir().unwrap();
    let [saved, restored] = ["saved", "restored"].map(|name| scratch.path().join(name).display().to_string());
    let [rules, key] = ["rules.toml", "key"].map(|name| scratch.path().join(name).display().to_string());
    std::fs::write(&rules, "[[route]]\npath = \"/gone\"\nrespond = { status = 410 }\n").unwrap();
    std::fs::write(&key, "0123456789abcdef").unwrap();
    let mut seen = Vec::new();
    let calls: &[(&str, &[&str])] = &[
        ("deploy", &["shop", bundle, "--version", "v2"]),
        ("deployments", &["shop"]),
        ("promote", &["shop", "v1"]),
        ("rollback", &["shop"]),
        ("scale", &["shop"]),
        ("releases", &["shop"]),
        ("status", &["shop"]),
        ("status", &[]),
        ("env set", &["shop", "NAME"]),
        ("env import", &["shop", "-"]),
        ("env grant", &["shop", "NAME"]),
        ("env list", &["shop"]),
        ("env unset", &["shop", "NAME"]),
        ("purge", &["shop", "--all"]),
        ("cache why", &["shop", "/"]),
        ("cache stats", &[]),
        ("routes set", &[&rules]),
        ("routes get", &[]),
        ("routes explain", &["http://shop.localhost/gone"]),
        ("routes rollback", &[]),
        ("routes reset", &[]),
        ("routes link", &["checkout=b", "--key-file", &key]),
        ("token create", &["ci", "--app", "*", "--verb", "read"]),
        ("token list", &[]),
        ("token revoke", &["ci"]),
        ("audit list", &[]),
        ("audit verify", &[]),
        ("healthcheck", &["--url", &edge]),
        ("doctor", &["--data", data]),
        ("completions", &["bash"]),
        ("config print", &[]),
        ("config check", &[shipped]),
        ("key rotate", &[]),
        ("backup", &[&saved]),
        ("restore", &["--from", &saved, "--data", &restored, "--unauthenticated"]),
        ("key forget", &["--data", &restored, "--yes"]),
        ("upgrade", &["--data", data]),
        ("remove", &["shop@v1"]),
        ("remove", &["shop", "--yes"]),
        ("restore", &["shop"]),
    ];
    for (verb, more) in calls {
        let args: Vec<&str> = verb.split(' ').chain(more.iter().copied()).chain(["--json"]).collect();
        let ran = host.cli(&args).stdin("NAME=value").run();
        let error = checked(verb, &ran);
        // A machine may have something to be put right.
        assert!(error.is_none() || *verb == "doctor", "{verb}: {ran:?}");
        assert!(!ran.stdout.is_empty(), "{verb} prints nothing: {ran:?}");
        seen.push(*verb);
    }
    // `logs` has no line of an app that wrote none, `image` takes a minute, and the other two are told of below.
    let elsewhere = ["logs", "image", "serve", "solo"];
    let missing: Vec<String> = verbs()
        .into_iter()
        .filter(|verb| !seen.contains(&verb.as_str()) && !elsewhere.contains(&verb.as_str()))
        .collect();
    assert!(missing.is_empty(), "new verbs, of which nothing is shown here: {missing:?}");
}

#[test]
fn what_a_change_of_a_value_led_to_is_told() {
    let host = Host::start();
    let set = |app: &str| host.cli(&["env", "set", app, "NAME", "--json"]).stdin("value").ok().json();
    assert_eq!(set("shop")["effect"], "first_release");
    host.deploy("shop", "one", &["--version", "v1"]);
    assert_eq!((&set("shop")["effect"], &set("shop")["switched"]), (&"not_named".into(), &Value::Null));
    host.deploy_files(
        "shop",
        &[
            ("server/index.js", "export default () => new Response('hi');"),
            ("vitrine.json", r#"{"env":["NAME"]}"#),
        ],
        &["--version", "v2"],
    );
    let told = host.cli(&["env", "set", "shop", "NAME", "--json"]).stdin("other").ok().json();
    assert_eq!((&told["effect"], &told["name"]), (&"live".into(), &"NAME".into()), "{told}");
    assert!(told["switched"]["version"].is_string(), "{told}");
    let told = host.cli(&["env", "set", "shop", "NAME", "--preview", "--json"]).stdin("x").ok().json();
    assert_eq!((&told["effect"], &told["preview"]), (&"next_previews".into(), &true.into()));
}

#[test]
fn an_error_of_the_host_has_its_own_code_and_status() {
    let host = Host::start();
    let error = checked("", &host.cli(&["rollback", "shop", "--json"]).fails(4, &[])).unwrap();
    assert_eq!((&error["code"], &error["status"]), (&"missing".into(), &404.into()), "{error}");
    let wrong = host.cli(&["status", "--json"]).env("VITRINE_TOKEN", "vit_wrong").fails(1, &[]);
    let error = checked("", &wrong).unwrap();
    assert_eq!((&error["code"], &error["status"]), (&"unauthorized".into(), &401.into()), "{error}");
    assert!(error["message"].as_str().unwrap().contains("set VITRINE_TOKEN to a valid one"), "{error}");
}
