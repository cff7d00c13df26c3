//! Values of an app's environment: part of a release's identity, and nowhere to be read but in the app.

use std::path::Path;
use std::time::Duration;
use vitrine_test_support::archive::fixture;
use vitrine_test_support::cli::Ran;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::everything_said;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);

/// No other text on this machine holds these.
const SECRET: &str = "s3cr3t-Qm7xW2-first";
const SECRET_AGAIN: &str = "s3cr3t-Qm7xW2-second";
/// What both begin with.
const MARK: &[u8] = b"s3cr3t-Qm7xW2";

fn set(host: &Host, name: &str, value: &str, flags: &[&str]) -> serde_json::Value {
    host.cli(&[&["env", "set", "shop", name, "--json"], flags].concat()).stdin(value).ok().json()
}

/// The release that is live, and what it sees.
fn seen(host: &Host) -> (String, serde_json::Value) {
    let answer = host.get("shop", "/").send();
    let release = answer.header("x-vitrine-release").unwrap_or_default().to_owned();
    (release, answer.json()["env"].clone())
}

/// Files below a folder that hold the mark.
fn files_with_a_secret(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let text = path.display().to_string();
        if kind.is_dir() {
            found.extend(files_with_a_secret(&path));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(MARK.len()).any(|part| part == MARK) {
                found.push(text);
            }
        }
    }
    found
}

fn assert_hidden(host: &Host) {
    assert_eq!(files_with_a_secret(&host.data()), Vec::<String>::new());
    let mark = std::str::from_utf8(MARK).unwrap();
    assert!(!host.log().contains(mark), "a secret is in the host's log");
    assert!(!everything_said().contains(mark), "a secret is in a process's arguments or environment");
    let logged = host.cli(&["logs", "shop", "--json"]).ok().stdout;
    assert!(!logged.contains(mark), "{logged}");
}

#[test]
fn a_value_makes_a_new_release_and_a_rollback_brings_the_old_one_back() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    assert_eq!(seen(&host), ("shop@v1".into(), serde_json::json!({})));

    let changed = set(&host, "GREETING", "hello\n", &[]);
    let live = changed["switched"]["version"].as_str().unwrap().to_owned();
    assert!(live.starts_with("v1.r"), "{changed}");
    assert_eq!(seen(&host), (format!("shop@{live}"), serde_json::json!({"GREETING": "hello"})));
    let changed = set(&host, "SECRET", SECRET, &["--secret"]);
    let with_secret = changed["switched"]["version"].as_str().unwrap().to_owned();
    assert!(with_secret.starts_with("v1.r") && with_secret != live, "{changed}");
    assert!(!changed.to_string().contains(SECRET));
    set(&host, "SECRET", SECRET_AGAIN, &["--secret"]);
    assert_eq!(seen(&host).1, serde_json::json!({"GREETING": "hello", "SECRET": SECRET_AGAIN}));

    let listed = host.cli(&["env", "list", "shop", "--json"]).ok().json();
    let listed: Vec<_> =
        listed.as_array().unwrap().iter().map(|one| (&one["name"], &one["secret"], &one["value"])).collect();
    let null = serde_json::Value::Null;
    assert_eq!(
        listed,
        [
            (&"GREETING".into(), &false.into(), &"hello".into()),
            (&"SECRET".into(), &true.into(), &null),
            // The bundle names it, and it has no value.
            (&"API_URL".into(), &false.into(), &null),
        ]
    );
    let table = host.cli(&["env", "list", "shop"]).ok().stdout;
    assert!(table.contains("(secret)") && !table.contains(SECRET_AGAIN), "{table}");

    let back = host.cli(&["rollback", "shop"]).ok();
    assert_eq!(back.stdout, format!("shop@{with_secret}\n"));
    assert!(back.stderr.contains("other values than the next deploy gets"), "{}", back.stderr);
    assert_eq!(seen(&host).1, serde_json::json!({"GREETING": "hello", "SECRET": SECRET}));
    // Each release keeps its values, by its own host name too.
    let label = format!("shop-{}", live.replace('.', "-"));
    assert_eq!(host.get(&label, "/").send().json()["env"], serde_json::json!({"GREETING": "hello"}));
    assert_hidden(&host);

    // The list is what the next deploy gets; it says where the live release differs.
    let listed = host.cli(&["env", "list", "shop"]).ok();
    assert!(
        listed.stderr.contains("runs with other values") && listed.stderr.contains(": SECRET\n"),
        "{listed:?}"
    );
    let lives = |host: &Host| {
        let listed = host.cli(&["env", "list", "shop", "--json"]).ok().json();
        let set = listed.as_array().unwrap().iter().filter(|one| one["unset"] == false);
        let pairs = set.map(|one| (one["name"].to_string(), one["live"].to_string()));
        pairs.collect::<Vec<_>>()
    };
    let pair = |name: &str, live: &str| (format!("\"{name}\""), format!("\"{live}\""));
    assert_eq!(lives(&host), [pair("GREETING", "same"), pair("SECRET", "other")]);

    let unset = host.cli(&["env", "unset", "shop", "GREETING", "--json"]).ok().json();
    assert!(unset["switched"]["version"].is_string(), "{unset}");
    assert!(seen(&host).1.get("GREETING").is_none());
    assert_eq!(lives(&host), [pair("SECRET", "same")]);
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(lives(&host), [pair("SECRET", "other"), pair("GREETING", "only")]);
    // A restart boots with the values that each release was recorded with.
    let (release, values) = seen(&host);
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(seen(&host), (release, values));
    assert_hidden(&host);
}

#[test]
fn a_value_is_refused_while_its_release_would_take_anothers_host_name() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    host.cli(&["env", "set", "shop", "GREETING"]).stdin("\n").fails(2, &["GREETING", "--allow-empty"]);
    let set = || host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello");
    for (taken, words) in [
        ("v1-r1", ["shop-v1-r1", "release shop@v1-r1"]),
        ("v1.r1", ["`shop@v1.r1`", "under another version"]),
    ] {
        host.deploy("shop", "another", &["--version", taken, "--no-promote"]);
        set().fails(1, &words);
        assert_eq!(seen(&host), ("shop@v1".into(), serde_json::json!({})));
        assert_eq!(host.get("shop-v1-r1", "/").send().text(), "another");
        host.cli(&["remove", &format!("shop@{taken}")]).ok();
    }
    set().ok();
    assert_eq!(seen(&host), ("shop@v1.r1".into(), serde_json::json!({"GREETING": "hello"})));
}

#[test]
fn a_value_that_no_bundle_names_starts_nothing() {
    let host = Host::start();
    let told = host.cli(&["env", "set", "shop", "GREETING"]).stdin("early").ok();
    assert!(told.stderr.contains("`shop` has no release yet"), "{told:?}");
    // Values make no app: it is there when its first release is.
    assert_eq!(host.cli(&["status", "--json"]).ok().json(), serde_json::json!([]));
    for args in [["status", "shop"], ["releases", "shop"]] {
        host.cli(&args).fails(4, &["`shop` has no release", "vitrine deploy shop DIR"]);
    }
    assert!(host.cli(&["env", "list", "shop"]).ok().stdout.contains("early"));
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    assert_eq!(seen(&host), ("shop@v1".into(), serde_json::json!({"GREETING": "early"})));
    let changed = set(&host, "UNNAMED", "x", &[]);
    assert!(changed["switched"].is_null(), "{changed}");
    assert_eq!(changed["unlisted"], serde_json::json!(["UNNAMED"]));
    let told = host.cli(&["env", "set", "shop", "GREETNIG"]).stdin("x").ok().stderr;
    assert!(
        told.contains("no release of `shop` lists GREETNIG") && told.contains("did you mean `GREETING`?"),
        "{told}"
    );
    assert_eq!(seen(&host).0, "shop@v1");
    for (name, word) in [("1-BAD", "`1-BAD`"), ("", "``"), ("KEY=x", "read from stdin")] {
        host.cli(&["env", "set", "shop", name]).stdin("x").fails(2, &[word]);
    }
    for args in [
        &["env", "set", "shop", "KEY=s3cr3t"][..],
        &["env", "set", "shop", "KEY", "s3cr3t"],
        &["env", "unset", "shop", "KEY=s3cr3t"],
        &["env", "set", "shop", "K EY=s3cr3t", "--secret"],
    ] {
        let told = host.cli(args).stdin("x").fails(2, &["read from stdin"]).stderr;
        assert!(!told.contains("s3cr3t"), "{told}");
    }
    host.cli(&["env", "unset", "nowhere", "X"]).fails(4, &["nowhere"]);
    host.cli(&["env", "list", "nowhere"]).fails(4, &["nowhere"]);
    // An app that never had a release goes with its values.
    host.cli(&["env", "set", "shpo", "X"]).stdin("x").ok();
    host.cli(&["remove", "shpo"]).fails(2, &["values and no release", "--yes"]);
    host.cli(&["remove", "shpo", "--yes"]).ok();
    host.cli(&["env", "list", "shpo"]).fails(4, &["shpo"]);
}

#[test]
fn a_containers_values_are_not_in_its_description() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    set(&host, "SECRET", SECRET, &["--secret"]);
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    assert_eq!(seen(&host).1, serde_json::json!({"SECRET": SECRET}));
    let described = docker::containers_of(&host.data());
    assert_eq!(described.len(), 1, "{described:?}");
    assert!(!serde_json::to_string(&described).unwrap().contains(SECRET), "a secret is in docker inspect");
    assert_hidden(&host);
    let data = host.data();
    let (_folder, clean) = host.stop();
    assert!(clean);
    assert_eq!(docker::containers_of(&data).len(), 0, "--stop-workers-on-exit left a container");
}

/// Fails the first time that it is asked about a reconfigured release, once it is told to.
const HOOK: &str = r#"case "$VITRINE_VERSION" in v1.r*) mkdir asked || exit 0; until test -e go; do sleep 0.02; done; exit 1;; esac"#;

/// A host with a change of a value whose hook is being asked: tells the release that is made of it, and fails once it is let go.
fn change_under_way() -> (Host, String, impl FnOnce() -> Ran) {
    let toml = format!("[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", {HOOK:?}]\n");
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    let setting = host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello");
    let setting = std::thread::spawn(move || setting.run());
    let made = wait_until("the hook is asked", PATIENCE, || {
        path.join("asked").exists().then_some(())?;
        let releases = host.releases("shop");
        let version = |release: &serde_json::Value| release["version"].as_str().map(String::from);
        releases.iter().filter_map(version).find(|version| version != "v1")
    });
    let let_go = move || {
        std::fs::write(path.join("go"), "").unwrap();
        setting.join().unwrap()
    };
    (host, made, let_go)
}

#[test]
fn a_change_that_fails_leaves_alone_what_an_operator_made_live_meanwhile() {
    let (host, made, let_go) = change_under_way();
    host.cli(&["promote", "shop", &made]).ok();
    assert_eq!(let_go().code, 1);
    assert_eq!(seen(&host), (format!("shop@{made}"), serde_json::json!({"GREETING": "hello"})));
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(seen(&host), ("shop@v1".into(), serde_json::json!({})));
}

#[test]
fn a_change_that_fails_leaves_alone_what_an_operator_gave_a_share_meanwhile() {
    let (host, made, let_go) = change_under_way();
    host.cli(&["promote", "shop", &made, "--weight", "50"]).ok();
    assert_eq!(let_go().code, 1);
    assert_eq!(host.release("shop", &made)["weight"], 50);
    let host = Host::start_in(host.kill(), &["--isolation", "process"]);
    assert_eq!(host.release("shop", &made)["weight"], 50, "also for the next start");
    host.cli(&["promote", "shop", &made]).ok();
    assert_eq!(seen(&host), (format!("shop@{made}"), serde_json::json!({"GREETING": "hello"})));
}

const DOTENV: &str =
    "# of production\nMODE=\"first # line\nsecond\" # told\nexport API_URL = https://api.example.com/?a=b\n";

#[test]
fn a_file_of_values_is_set_together_or_not_at_all() {
    let host = Host::start();
    let manifest = r#"{"env":["MODE","API_URL"]}"#;
    let server =
        "export default (request, env) => Response.json({ env: { MODE: env.MODE, API_URL: env.API_URL } });";
    host.deploy_files(
        "shop",
        &[("server/index.js", server), ("vitrine.json", manifest)],
        &["--version", "v1"],
    );
    let file = host.data().join("values.env");
    let import =
        |flags: &[&str]| host.cli(&[&["env", "import", "shop", file.to_str().unwrap()], flags].concat());
    std::fs::write(&file, format!("{DOTENV}broken {SECRET}\n")).unwrap();
    let refused = import(&[]).fails(1, &["values.env: line 5: ", "nothing was set"]);
    assert!(!refused.stderr.contains(SECRET), "{refused:?}");
    let listed = host.cli(&["env", "list", "shop", "--json"]).ok().json();
    assert!(listed.as_array().unwrap().iter().all(|value| value["unset"] == true), "{listed}");
    assert_eq!(seen(&host).0, "shop@v1");

    std::fs::write(&file, DOTENV).unwrap();
    let told = import(&["--secret", "--json"]).ok().json();
    assert_eq!(told["names"], serde_json::json!(["MODE", "API_URL"]));
    let (release, env) = seen(&host);
    assert_eq!(release, "shop@v1.r1", "one revision, one release");
    assert_eq!(
        (&env["MODE"], &env["API_URL"]),
        (&"first # line\nsecond".into(), &"https://api.example.com/?a=b".into())
    );
    assert_eq!(host.releases("shop").len(), 2);
    let listed = host.cli(&["env", "list", "shop", "--json"]).ok().json();
    assert!(listed.as_array().unwrap().iter().all(|value| value["secret"] == true), "{listed}");

    // What a file does not name stays, and stdin is a file.
    host.cli(&["env", "import", "shop", "-"]).stdin("MODE=two\nOTHER=x=y\n").ok();
    let (release, env) = seen(&host);
    assert_eq!((release.as_str(), &env["MODE"]), ("shop@v1.r2", &"two".into()));
    assert_eq!(env["API_URL"], "https://api.example.com/?a=b");

    // Those of previews are apart.
    host.cli(&["env", "import", "shop", "-", "--preview"]).stdin("MODE=preview\n").ok();
    let previews = host.cli(&["env", "list", "shop", "--preview", "--json"]).ok().json();
    let previews = previews.as_array().unwrap();
    assert_eq!((&previews[0]["value"], &previews[0]["unset"]), (&"preview".into(), &false.into()));
    assert!(previews[1..].iter().all(|value| value["unset"] == true), "{previews:?}");
    assert_eq!(seen(&host).0, "shop@v1.r2");
    // One that is too much leaves all as they were.
    let large = format!("MODE=three\nLARGE={}\n", "x".repeat(200_000));
    host.cli(&["env", "import", "shop", "-"]).stdin(large).fails(1, &["bytes"]);
    assert_eq!(seen(&host).1["MODE"], "two");
}

#[test]
fn a_value_for_no_app_is_told_and_one_that_is_not_there_is_missing() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    let told = host.cli(&["env", "set", "shpo", "GREETING"]).stdin("x").ok().stderr;
    assert!(told.contains("`shpo` does not exist yet") && told.contains("did you mean `shop`?"), "{told}");
    assert_eq!(told.matches("does not exist").count(), 1, "{told}");
    let again = host.cli(&["env", "set", "shpo", "OTHER"]).stdin("x").ok().stderr;
    assert!(!again.contains("does not exist"), "{again}");
    let told = host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello").ok().stderr;
    assert!(told.contains("v1 with newer values (revision 1)"), "{told}");
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(table.contains("v1.r1: v1 with newer values (revision 1)"), "{table}");
    host.cli(&["env", "unset", "shop", "NOPE"]).fails(4, &["`NOPE`", "it has GREETING"]);
    host.cli(&["env", "unset", "shop", "GREETING", "--preview"]).fails(4, &["for previews", "it has none"]);
    let told = host.cli(&["env", "unset", "shop", "GREETING"]).ok().stderr;
    assert!(told.contains("lists GREETING in `env`, which has no value now"), "{told}");
    host.cli(&["env", "unset", "shop", "GREETING"]).fails(4, &["it has none"]);
}

#[test]
fn names_without_a_value_are_listed_as_unset() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    let list = |flags: &[&str]| host.cli(&[&["env", "list", "shop"], flags].concat()).ok();
    let unset = |flags: &[&str]| {
        let listed = list(&[flags, &["--json"]].concat()).json();
        let values = listed.as_array().unwrap().iter().filter(|value| value["unset"] == true);
        values.map(|value| value["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = unset(&[]);
    assert!(all.contains(&"GREETING".to_owned()), "{all:?}");
    assert_eq!(unset(&["--preview"]), all);
    assert_eq!(list(&[]).stdout.matches("(unset)").count(), all.len());
    set(&host, "GREETING", "hello", &[]);
    assert!(!unset(&[]).contains(&"GREETING".to_owned()));
    assert!(unset(&["--preview"]).contains(&"GREETING".to_owned()));
}

#[test]
fn at_a_terminal_a_value_is_asked_for() {
    let host = Host::start();
    let set = ["env", "set", "shop", "GREETING"];
    let asked = host.cli_at_terminal(&set).stdin("hello there\ny\n").run();
    assert!(asked.code == 0 && asked.stdout.contains("value of GREETING:"), "{asked:?}");
    let listed = host.cli(&["env", "list", "shop", "--json"]).ok().stdout;
    assert!(listed.contains("GREETING") && listed.contains("hello there"), "{listed}");
    let refused = host.cli_at_terminal(&set).stdin("\n").run();
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn a_value_that_the_live_release_needs_is_not_unset_and_that_is_told() {
    let host = Host::start();
    host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello").ok();
    let server = "const { GREETING } = process.env;\nif (GREETING === undefined) throw new Error('no greeting');\n\
                  export default () => new Response(GREETING);";
    host.deploy_files(
        "shop",
        &[("server/index.js", server), ("vitrine.json", r#"{"env":["GREETING"]}"#)],
        &["--version", "v1"],
    );
    let told = host.cli(&["env", "unset", "shop", "GREETING"]).fails(
        1,
        &[
            "no greeting",
            "shop@v1 needs GREETING, which keeps its value",
            "deploy a release that does without it",
        ],
    );
    assert!(!told.stderr.contains("env set shop GREETING"), "{told:?}");
    assert_eq!(host.get("shop", "/").send().text(), "hello");
}
