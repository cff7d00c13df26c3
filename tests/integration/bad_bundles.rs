//! Bundles that unpack well and can't be served.

use std::time::{Duration, Instant};
use vitrine_test_support::archive::{Archive, bundle_dir, fixture, hello};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// Fixture, and the words that its refusal must have.
const REFUSED: [(&str, &[&str]); 13] = [
    ("missing-entry", &["server/main.js"]),
    ("unknown-field", &["vitrine.json", "memory"]),
    ("unknown-limit", &["vitrine.json", "gpu_ms"]),
    ("bad-json", &["vitrine.json", "line"]),
    ("syntax-error", &["SyntaxError", ":4"]),
    ("throws-at-import", &["settings.currency is missing", ":5"]),
    ("import-missing", &["node:sqlite"]),
    ("wrong-shape", &["default"]),
    ("no-default", &["default"]),
    ("missing-render", &["render"]),
    ("hangs-at-import", &["shop@bad"]),
    ("spins-at-import", &["shop@bad"]),
    // The last one once more: a worker that had to be killed leaves nothing that disturbs the next.
    ("throws-at-import", &["settings.currency is missing"]),
];

#[test]
fn a_bundle_that_can_not_be_served_changes_nothing_and_says_why() {
    let host = Host::start();
    host.cli(&["deploy", "shop", fixture("fetch-hello").to_str().unwrap(), "--version", "live"]).ok();
    let page = host.get("shop", "/").send();
    for (name, words) in REFUSED {
        let bundle = fixture(name);
        let started = Instant::now();
        eprintln!("{name}");
        host.cli(&["deploy", "shop", bundle.to_str().unwrap(), "--version", "bad", "--wait", "5"])
            .fails(1, words);
        assert!(started.elapsed() < Duration::from_secs(30), "{name}: {:?}", started.elapsed());
        let releases = host.cli(&["releases", "shop", "--json"]).ok().json();
        assert_eq!(releases.as_array().unwrap().len(), 1, "{name}: {releases}");
        let after = host.get("shop", "/").send();
        assert_eq!(
            (after.header("x-vitrine-release"), &after.body),
            (Some("shop@live"), &page.body),
            "{name}"
        );
    }
    let good = fixture("fetch-function");
    host.cli(&["deploy", "shop", good.to_str().unwrap(), "--version", "bad"]).ok();
    assert_eq!(host.get("shop", "/").send().header("x-vitrine-release"), Some("shop@bad"));
}

#[test]
fn the_same_version_with_other_bytes_is_refused_and_with_the_same_bytes_is_not() {
    let host = Host::start();
    let put =
        |text: &str| host.call("PUT", "/v1/apps/shop/releases/v1").body(Archive::good(text).zst()).send();
    assert_eq!(put("one").status, 201);
    let again = put("one");
    assert_eq!((again.status, again.json()["created"].as_bool()), (200, Some(false)));
    let other = put("two");
    assert_eq!(other.status, 409, "{}", other.text());
    assert_eq!(other.json()["type"], "urn:vitrine:problem:other_content");
    // gzip instead of zstd: the same bundle.
    let packed = host.call("PUT", "/v1/apps/shop/releases/v1").body(Archive::good("one").gz()).send();
    assert_eq!(packed.status, 200, "{}", packed.text());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.tar.gz");
    std::fs::write(&file, Archive::good("two").gz()).unwrap();
    host.cli(&["deploy", "shop", file.to_str().unwrap(), "--version", "v1"]).fails(1, &["shop@v1"]);
    // The label is looked up whole, so another version may not claim the same one.
    let label = host.call("PUT", "/v1/apps/shop/releases/V1").body(Archive::good("three").zst()).send();
    assert_eq!(label.status, 409, "{}", label.text());
    assert!(label.json()["detail"].as_str().unwrap().contains("shop-v1"), "{}", label.text());
}

#[test]
fn a_render_that_throws_is_the_apps_error_with_a_mapped_stack_and_the_isolate_serves_on() {
    let host = Host::start();
    host.cli(&["deploy", "shop", fixture("throws-on-render").to_str().unwrap()]).ok();
    let good = host.get("shop", "/").send();
    assert_eq!(good.status, 200, "{}", good.text());
    let bad = host.get("shop", "/boom").header("accept", "text/html").send();
    assert_eq!(bad.status, 500, "{}", bad.text());
    let id = bad.header("x-request-id").unwrap();
    assert!(bad.text().contains(id) && !bad.text().contains("price.ts"), "{}", bad.text());
    let api = host.get("shop", "/boom").header("accept", "application/json").send();
    assert_eq!((api.status, api.header("content-type")), (500, Some("application/problem+json")));
    wait_until("the mapped stack in the app's log", Duration::from_secs(10), || {
        let lines = host.cli(&["logs", "shop", "--json"]).ok().stdout;
        lines.lines().any(|line| line.contains("price.ts:11")).then_some(())
    });
    let shown = host.cli(&["logs", "shop", "--since", "10m"]).ok().stdout;
    assert!(shown.contains("error") && shown.contains("price.ts:11"), "{shown}");
    assert_eq!(host.get("shop", "/").send().body, good.body);
}

#[test]
fn a_dry_run_says_what_a_host_would_say_of_a_bundle_and_what_it_does_not_know() {
    let dry_run =
        |name: &str| Cli::new(&["deploy", "shop", fixture(name).to_str().unwrap(), "--dry-run", "--json"]);
    for (name, words) in REFUSED.iter().filter(|(name, _)| !name.ends_with("s-at-import")) {
        let ran = dry_run(name).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{name}: {ran:?}");
        assert!(words.iter().all(|word| *word == "shop@bad" || ran.stderr.contains(word)), "{name}: {ran:?}");
    }
    let thrown = dry_run("throws-at-import")
        .fails(1, &["no host would take this bundle", "settings.currency is missing"]);
    assert!(thrown.stderr.contains("server/index.js:5"), "{thrown:?}");

    let told = dry_run("fetch-hello").ok().json();
    assert_eq!(told["evaluated"], "yes");
    let unknown = told["not_checked"].to_string();
    assert!(
        unknown.contains("pages (") && unknown.contains("the host (") && !unknown.contains("imports"),
        "{unknown}"
    );
    // Values come from the environment, and are asked for where they may be what is missing.
    let folder = fixture("env-at-import");
    let at_import = |more: &[&str]| {
        Cli::new(&[&["deploy", "shop", folder.to_str().unwrap(), "--dry-run"], more].concat())
    };
    at_import(&["--env", "GREETING"]).env("GREETING", "hello").ok();
    at_import(&["--env", "GREETING"]).fails(2, &["GREETING", "environment has no"]);
    at_import(&["--env", "HOME"]).fails(2, &["HOME", "vitrine.json"]);
    at_import(&["--env", "VITRINE_TOKEN"]).env("VITRINE_TOKEN", "vt_x").fails(2, &["VITRINE_TOKEN"]);

    // Where no worker can be run, that is said.
    let skipped = dry_run("import-missing").env("VITRINE_WORKER", "/nowhere/vitrine-worker").ok();
    assert!(
        skipped.stderr.contains("was not evaluated") && skipped.stderr.contains("/nowhere/vitrine-worker"),
        "{skipped:?}"
    );
    let told = skipped.json();
    assert!(told["evaluated"].as_str().unwrap().starts_with("no: "), "{told}");
    assert!(told["not_checked"][0].as_str().unwrap().contains("imports"), "{told}");
}

#[test]
fn a_deploy_without_a_folder_is_of_this_one() {
    let host = Host::start();
    let bundle = bundle_dir(&[("server/index.js", &hello("from here"))]);
    host.cli(&["deploy", "shop"]).within(bundle.path()).ok();
    assert_eq!(host.get("shop", "/").send().text(), "from here");
    let express = bundle_dir(&[
        ("package.json", r#"{"dependencies":{"express":"5"}}"#),
        ("server/index.js", "import express from 'express'; express().listen(3000);"),
    ]);
    // A server that listens is bundled; without a bundler and a way to get one that is said.
    let cache = tempfile::tempdir().unwrap();
    let words = ["server/index.js", "no bundler was found", "npm ci"];
    host.cli(&["deploy", "shop"])
        .within(express.path())
        .env("XDG_CACHE_HOME", cache.path().to_str().unwrap())
        .env("npm_config_registry", "http://127.0.0.1:1/")
        .fails(1, &words);
}

/// A project that was cloned may link what would be served to private files of whoever deploys it.
#[test]
fn a_build_with_a_link_out_of_its_project_is_not_deployed() {
    let host = Host::start();
    let private = bundle_dir(&[("id_ed25519", "PRIVATE-KEY")]);
    let project = bundle_dir(&[("package.json", "{}"), ("dist/server/index.js", &hello("one"))]);
    let client = project.path().join("dist/client");
    let refused = || {
        for folder in [project.path().to_owned(), project.path().join("dist")] {
            let ran = host.cli(&["deploy", "shop", folder.to_str().unwrap(), "--version", "v1"]).run();
            assert!(ran.code == 1 && ran.stderr.contains("client"), "{ran:?}");
        }
        assert_eq!(host.cli(&["status", "--json"]).ok().json(), serde_json::json!([]));
    };
    std::os::unix::fs::symlink(private.path(), &client).unwrap();
    refused();
    std::fs::remove_file(&client).unwrap();
    std::fs::create_dir(&client).unwrap();
    std::os::unix::fs::symlink(private.path().join("id_ed25519"), client.join("app.js")).unwrap();
    refused();
    std::fs::remove_file(client.join("app.js")).unwrap();
    std::fs::write(client.join("app.js"), "let a = 1").unwrap();
    host.cli(&["deploy", "shop", project.path().to_str().unwrap(), "--version", "v1"]).ok();
}
