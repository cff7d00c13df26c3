//! Uploads whose sender goes away.

use std::process::{Command, Stdio};
use std::time::Duration;
use vitrine_test_support::archive::{Archive, bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// A bundle that takes two seconds to boot.
fn slow(text: &str) -> Vec<u8> {
    let entry = format!("await new Promise((done) => setTimeout(done, 2000));\n{}", hello(text));
    Archive::empty().file("server/index.js", entry.as_bytes()).gz()
}

fn staged(host: &Host) -> usize {
    std::fs::read_dir(host.data().join("staging")).unwrap().count()
}

#[test]
fn an_upload_whose_sender_leaves_is_undone_at_every_stage() {
    let host = Host::start();
    let archive = slow("slow");
    let put = || host.call("PUT", "/v1/apps/shop/releases/v1").body(archive.clone());
    let gone = |stage: &str| {
        wait_until(stage, Duration::from_secs(30), || {
            let answer = host.call("GET", "/v1/apps/shop/releases").send();
            let none = answer.status == 404 || answer.json().as_array().is_some_and(Vec::is_empty);
            (none && staged(&host) == 0).then_some(())
        });
    };
    put().abandon(archive.len() / 2, Duration::from_millis(300));
    gone("half a body");
    put().abandon(archive.len(), Duration::from_millis(700));
    // It is booting now; it is to be there for a moment at most, and not for good.
    wait_until("the end of a boot that nobody waits for", Duration::from_secs(60), || {
        host.log().contains("removed a release whose uploader disconnected").then_some(())
    });
    gone("a boot that nobody waits for");
    let answer = put().send();
    assert_eq!(answer.status, 201, "the version name is free: {}", answer.text());
}

#[test]
fn an_upload_with_a_key_outlives_its_sender_and_answers_the_next_time() {
    let host = Host::start();
    let archive = slow("slow");
    let put = || {
        host.call("PUT", "/v1/apps/shop/releases/v1").header("idempotency-key", "once").body(archive.clone())
    };
    put().abandon(archive.len(), Duration::from_millis(700));
    let answer = wait_until("the first request's answer", Duration::from_secs(30), || {
        let answer = put().send();
        // 409: it still runs.
        (answer.status != 409).then_some(answer)
    });
    assert_eq!((answer.status, answer.json()["created"].as_bool()), (201, Some(true)), "{}", answer.text());
}

#[test]
fn an_archive_may_come_through_a_pipe() {
    let host = Host::start_with(&["--isolation", "process"]);
    let deploy = |more: &[&str]| {
        host.cli(&[&["deploy", "shop", "/dev/stdin", "--json"], more].concat())
            .stdin(Archive::good("piped").gz())
            .ok()
            .json()
    };
    assert_eq!(deploy(&["--dry-run"])["found"], "archive");
    deploy(&[]);
    assert_eq!(host.get("shop", "/").send().text(), "piped");
}

/// What follows ends with its reader, like any other program of a pipeline.
#[test]
fn logs_end_when_nobody_reads_them_any_more() {
    let host = Host::start_with(&["--isolation", "process"]);
    let server = "export default { fetch: () => { console.log('asked'); return new Response('hi'); } };\n";
    host.deploy_files("shop", &[("server/index.js", server)], &[]);
    let pipeline = format!("{} logs shop --follow | head -n 1", env!("CARGO_BIN_EXE_vitrine"));
    let mut shell = Command::new("/bin/sh")
        .args(["-c", &pipeline])
        .env("VITRINE_ADMIN", format!("http://{}", host.admin))
        .env("VITRINE_TOKEN", host.token())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the pipeline ends", Duration::from_secs(30), || {
        host.get("shop", "/").send();
        shell.try_wait().unwrap()
    });
}

#[test]
fn a_name_that_can_not_be_used_is_refused_before_the_upload() {
    let toml = "[[routes]]\nhost = \"shop-route.localhost\"\napp = \"other\"\n[quota]\npreviews = 1\n";
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "one", &["--preview", "pr-1", "--version", "p1"]);
    let other = host.cli(&["token", "create", "ci", "--app", "blog", "--verb", "deploy"]).ok().stdout;
    let sent = || host.log().matches(r#""path":"/v1/apps/shop/deployments""#).count();
    let before = sent();
    assert!(before > 0);
    let dir = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy =
        |more: &[&str]| host.cli(&[&["deploy", "shop", dir.path().to_str().unwrap()], more].concat());
    deploy(&["--version", "v1"]).fails(1, &["`shop@v1` exists with other content"]);
    deploy(&["--version", "V1"]).fails(1, &["the host name label `shop-v1` is taken"]);
    deploy(&["--version", "pr-1"]).fails(1, &["`shop-pr-1` is taken by preview pr-1"]);
    deploy(&["--version", "route"]).fails(1, &["`shop-route` is taken by a route to other in vitrine.toml"]);
    deploy(&["--version", "v9", "--preview", "pr-2"]).fails(1, &["quota"]);
    let call = deploy(&["--version", "v9"]);
    let call =
        call.env("VITRINE_ADMIN", &format!("http://{}", host.admin)).env("VITRINE_TOKEN", other.trim());
    call.fails(1, &["does not allow `deploy` on `shop`"]);
    deploy(&["--version", "a/b"]).fails(2, &["--version"]);
    assert_eq!(sent(), before, "no bundle was sent");
    // What is refused is in the audit log, as an upload that is refused is.
    let audit = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert!(
        audit.contains("other_content") && audit.contains("label_taken") && audit.contains("quota"),
        "{audit}"
    );
    // The same again is fine, and so is the name once it is free.
    host.deploy("shop", "one", &["--version", "v1"]);
    deploy(&["--version", "v9"]).ok();
}

#[test]
fn a_deploy_that_could_not_go_live_is_refused_before_it_is_uploaded() {
    let host = Host::start();
    let token = {
        let args = ["token", "create", "ci", "--app", "shop", "--verb", "deploy"];
        host.cli(&args).ok().stdout.trim().to_owned()
    };
    let bundle = bundle_dir(&[("server/index.js", &hello("one"))]);
    let deploy = |flags: &[&str]| {
        let args = [&["deploy", "shop", bundle.path().to_str().unwrap(), "--version", "v1"], flags].concat();
        host.cli(&args).env("VITRINE_TOKEN", &token)
    };
    let told =
        deploy(&[]).fails(1, &["does not allow `promote` on `shop`", "--no-promote", "nothing was uploaded"]);
    assert!(!told.stderr.contains("is uploaded"), "{told:?}");
    host.cli(&["releases", "shop"]).fails(4, &[]);
    deploy(&["--no-promote"]).ok();
    assert_eq!(host.releases("shop").len(), 1);
}
