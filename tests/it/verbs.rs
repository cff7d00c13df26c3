//! A release's life through the command line, and the host's around it.

use crate::harness::archive::{Archive, fixture};
use crate::harness::cli::Cli;
use crate::harness::host::Host;
use crate::harness::http::Request;

fn bundle(folder: &tempfile::TempDir, text: &str) -> String {
    let file = folder.path().join(format!("{text}.tar.gz"));
    std::fs::write(&file, Archive::good(text).gz()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn page(host: &Host) -> (String, String) {
    let answer = host.get("shop", "/").send();
    (answer.header("x-vitrine-release").unwrap_or("none").to_owned(), answer.text().to_owned())
}

#[test]
fn deploy_promote_rollback_remove() {
    let (host, folder) = (Host::start(), tempfile::tempdir().unwrap());
    assert_eq!(host.isolation, "process");
    assert_eq!(host.cli(&["status", "--json"]).ok().stdout, "[]\n");
    let first = host.cli(&["deploy", "shop", &bundle(&folder, "one"), "--version", "v1"]).ok();
    let url = format!("http://shop-v1.localhost:{}", host.edge.port());
    assert_eq!(first.stdout.lines().collect::<Vec<_>>(), [url]);
    let second =
        host.cli(&["deploy", "shop", &bundle(&folder, "two"), "--version", "v2", "--json"]).ok().json();
    assert_eq!((&second["created"], &second["switched"]["previous"]), (&true.into(), &"v1".into()));
    assert_eq!(page(&host), ("shop@v2".into(), "two".into()));
    let quiet =
        host.cli(&["deploy", "shop", &bundle(&folder, "three"), "--version", "v3", "--no-promote"]).ok();
    assert!(quiet.stdout.contains("shop-v3"), "{quiet:?}");
    assert_eq!(page(&host).1, "two");

    assert_eq!(host.cli(&["rollback", "shop", "--from", "v2"]).ok().stdout, "shop@v1\n");
    assert_eq!(page(&host), ("shop@v1".into(), "one".into()));
    host.cli(&["rollback", "shop", "--from", "v2"]).fails(1, &["v2"]);
    assert_eq!(host.cli(&["promote", "shop", "v3"]).ok().stdout, "shop@v3\n");
    assert_eq!(page(&host), ("shop@v3".into(), "three".into()));

    let releases = host.cli(&["releases", "shop", "--json"]).ok().json();
    let versions: Vec<&str> =
        releases.as_array().unwrap().iter().map(|r| r["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["v3", "v2", "v1"]);
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(
        table.starts_with("VERSION") && table.contains("rolled back") && table.contains("live"),
        "{table}"
    );
    let status = host.cli(&["status", "shop"]).ok().stdout;
    assert!(status.contains("live  v3") && status.contains("wall_ms"), "{status}");
    host.cli(&["remove", "shop@v2"]).ok();
    host.cli(&["promote", "shop", "v2"]).fails(4, &["shop@v2"]);
    host.cli(&["remove", "shop"]).ok();
    host.cli(&["status", "shop"]).fails(4, &["shop"]);
    assert_eq!(host.get("shop", "/").send().status, 404);
}

#[test]
fn a_preview_has_its_own_name_and_is_never_live() {
    let (host, folder) = (Host::start(), tempfile::tempdir().unwrap());
    host.cli(&["deploy", "shop", &bundle(&folder, "one"), "--version", "v1"]).ok();
    let two = bundle(&folder, "two");
    let url = host.cli(&["deploy", "shop", &two, "--preview", "pr-7", "--ttl", "2h"]).ok().stdout;
    assert!(url.contains("shop-pr-7.localhost"), "{url}");
    assert_eq!(page(&host).1, "one");
    let preview = Request::new(host.edge, "GET", "/").header("host", "shop-pr-7.localhost").send();
    assert_eq!(preview.text(), "two");
    let releases = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(releases.contains("preview pr-7 until"), "{releases}");
}

#[test]
fn values_reach_the_app_and_secrets_are_never_shown() {
    let host = Host::start();
    let bundle = fixture("env-echo");
    let manifest = std::fs::read_to_string(bundle.join("vitrine.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let name = manifest["env"][0].as_str().unwrap();
    host.cli(&["env", "set", "shop", name, "--secret"]).stdin("s3cr3t-one\n").ok();
    host.cli(&["deploy", "shop", bundle.to_str().unwrap()]).ok();
    assert!(page(&host).1.contains("s3cr3t-one"), "{}", page(&host).1);
    let before = page(&host).0;
    let changed = host.cli(&["env", "set", "shop", name, "--secret", "--json"]).stdin("s3cr3t-two").ok();
    assert!(!changed.stdout.contains("s3cr3t"), "{changed:?}");
    assert!(page(&host).1.contains("s3cr3t-two") && page(&host).0 != before, "{:?}", page(&host));
    let listed = host.cli(&["env", "list", "shop"]).ok().stdout;
    assert!(listed.contains(name) && listed.contains("(secret)") && !listed.contains("s3cr3t"), "{listed}");
    assert!(!host.log().contains("s3cr3t"), "a secret is in the host's log");
    host.cli(&["rollback", "shop"]).ok();
    assert!(page(&host).1.contains("s3cr3t-one"), "rollback restores the old values: {}", page(&host).1);
    host.cli(&["env", "unset", "shop", name]).ok();
    assert!(!page(&host).1.contains("s3cr3t"), "{}", page(&host).1);
    host.cli(&["env", "set", "shop", "1-BAD"]).stdin("x").fails(1, &["1-BAD"]);
}

#[test]
fn a_host_ends_with_0_and_the_next_one_has_its_releases_before_ready() {
    let (host, folder) = (Host::start(), tempfile::tempdir().unwrap());
    let health = format!("http://{}/_vitrine/readyz", host.edge);
    Cli::new(&["healthcheck"]).env("VITRINE_HEALTHCHECK_URL", &health).ok();
    host.cli(&["deploy", "shop", &bundle(&folder, "one"), "--version", "v1"]).ok();
    host.cli(&["deploy", "shop", &bundle(&folder, "two"), "--version", "v2"]).ok();
    let token = host.token();
    let (data, clean) = host.stop();
    assert!(clean, "SIGTERM ends with exit 0");
    let host = Host::start_in(data, &["--isolation", "process"]);
    assert_eq!((host.isolation.as_str(), host.token()), ("process", token));
    assert_eq!(page(&host), ("shop@v2".into(), "two".into()));
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(page(&host).1, "one");
}
