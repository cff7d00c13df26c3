//! Tokens: what each kind opens, on which app, for how long.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};
use vitrine_test_support::archive::{Archive, bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::wait::wait_until;

const VERBS: [&str; 10] =
    ["read", "deploy", "promote", "rollback", "remove", "remove-preview", "env", "purge", "logs", "audit"];
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a token and gives its text.
fn create(host: &Host, name: &str, apps: &str, verbs: &str, more: &[&str]) -> String {
    let args = [&["token", "create", name, "--app", apps, "--verb", verbs], more].concat();
    host.cli(&args).ok().stdout.trim().to_owned()
}

fn call(host: &Host, method: &str, path: &str, token: Option<&str>) -> Request {
    let request = Request::new(host.admin, method, path).header("host", &host.admin.to_string());
    match token {
        Some(token) => request.header("authorization", &format!("Bearer {token}")),
        None => request,
    }
}

/// The status of an answer, and no more of it: some answers have no end.
fn status(host: &Host, method: &str, path: &str, token: Option<&str>) -> u16 {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect(host.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}content-length: 0\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap_or_else(|| panic!("{method} {path}: {line}")).parse().unwrap()
}

/// One operation of the description, its `{name}`s filled in.
struct Operation {
    method: String,
    path: String,
    /// App that the path names.
    app: Option<&'static str>,
    /// None where no token is asked for.
    role: Option<String>,
}

/// Every operation that the host describes, once for each app. A new one without a role stops the test.
fn operations(host: &Host) -> Vec<Operation> {
    let described = host.call("GET", "/v1/openapi.json").send().json();
    let mut operations = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let open = operation["security"] == serde_json::json!([{}]);
            let role = operation.pointer("/security/0/token/0").and_then(Value::as_str);
            assert!(open || role.is_some(), "{method} {path} names no role");
            // The machine's own processes, as this one, ask without a token how the host does.
            let role = role.filter(|_| !["/healthz", "/readyz"].contains(&path.as_str()));
            let of_app = path.contains("{app}");
            for app in if of_app { &["shop", "blog"][..] } else { &["none"] } {
                // Nothing of these names is there, so nothing is done where the door lets a call pass.
                let filled = path.replace("{app}", app).replace("{version}", "v1");
                let filled = filled.replace("{name}", "nobody").replace("{id}", "1");
                assert!(!filled.contains('{'), "{path} has a part that this test does not fill");
                operations.push(Operation {
                    method: method.to_ascii_uppercase(),
                    path: filled,
                    app: of_app.then_some(*app),
                    role: role.map(String::from),
                });
            }
        }
    }
    operations
}

/// A kind of caller: what it shows, and what it may do.
struct Kind {
    what: String,
    token: Option<String>,
    /// None: its token is not good. Else apps and verbs, `*` for all; root has `root` as a verb.
    scope: Option<(&'static str, &'static str)>,
}

fn expected(kind: &Kind, operation: &Operation) -> u16 {
    let Some(role) = &operation.role else { return 200 };
    let Some((apps, verbs)) = kind.scope else { return 401 };
    let app_ok = apps == "*" || operation.app == Some(apps);
    let by_more = (verbs, role.as_str()) == ("remove", "remove-preview");
    let verb_ok = verbs == "*" || role == verbs || role == "read" || by_more;
    match role.as_str() {
        _ if verbs == "root" => 200,
        "any" => 200,
        "root" => 403,
        _ if app_ok && verb_ok => 200,
        _ => 403,
    }
}

#[test]
fn every_endpoint_opens_to_the_tokens_that_name_it_and_to_no_other() {
    let host = Host::start();
    let mut kinds = vec![
        Kind { what: "no token".into(), token: None, scope: None },
        Kind { what: "a wrong one".into(), token: Some(format!("vit_{}", "0".repeat(64))), scope: None },
        Kind { what: "the host's own".into(), token: Some(host.token()), scope: Some(("*", "root")) },
    ];
    for (apps, prefix) in [("shop", "shop"), ("*", "all")] {
        for verbs in VERBS.into_iter().chain(["*"]) {
            let name = format!("{prefix}-{}", verbs.replace('*', "every"));
            let token = create(&host, &name, apps, verbs, &[]);
            kinds.push(Kind { what: name, token: Some(token), scope: Some((apps, verbs)) });
        }
    }
    let revoked = create(&host, "revoked", "*", "*", &[]);
    host.cli(&["token", "revoke", "revoked"]).ok();
    kinds.push(Kind { what: "a revoked one".into(), token: Some(revoked), scope: None });
    let mut judged = 0;
    let operations = operations(&host);
    for operation in &operations {
        for kind in &kinds {
            // More wrong ones than a host answers at once: what is beyond waits its turn.
            let status = wait_until("an answer to a wrong token", PATIENCE, || {
                let Operation { method, path, .. } = operation;
                Some(status(&host, method, path, kind.token.as_deref())).filter(|status| *status != 429)
            });
            // What is let in may still be told that its arguments lead nowhere.
            let status = if matches!(status, 401 | 403) { status } else { 200 };
            let Operation { method, path, .. } = operation;
            assert_eq!(status, expected(kind, operation), "{method} {path} with {}", kind.what);
            judged += 1;
        }
    }
    println!(
        "{judged} calls judged: {} operations and apps, {} kinds of token",
        operations.len(),
        kinds.len()
    );
    assert!(judged > 400);
}

/// Whoever promotes by a name gives users what they know by it.
#[test]
fn who_may_not_promote_puts_nothing_else_under_a_name_that_users_had() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.cli(&["remove", "shop@v1"]).ok();
    let token = create(&host, "ci", "shop", "deploy,remove", &[]);
    let deploy = |text: &str, flags: &[&str]| {
        let bundle = bundle_dir(&[("server/index.js", &hello(text))]);
        host.cli(&[&["deploy", "shop", bundle.path().to_str().unwrap()], flags].concat())
            .env("VITRINE_TOKEN", &token)
            .run()
    };
    let refused = |flags: &[&str], name: &str| {
        let ran = deploy("something else", flags);
        assert!(ran.code == 1 && ran.stderr.contains(name) && ran.stderr.contains("`promote`"), "{ran:?}");
    };
    refused(&["--version", "v1", "--no-promote"], "users had `shop@v1`");
    refused(&["--version", "x1", "--preview", "v1"], "users had `shop@v1`");
    // The command line asks beforehand; what comes without asking is refused as well.
    let sent =
        call(&host, "PUT", "/v1/apps/shop/releases/v1", Some(&token)).body(Archive::good("v1").zst()).send();
    assert_eq!((sent.status, &sent.json()["type"]), (409, &"urn:vitrine:problem:other_content".into()));
    let same = deploy("one", &["--version", "v1", "--no-promote"]);
    assert_eq!(same.code, 0, "{same:?}");
    // Nor after a removal of the whole app, whose name stays its own.
    host.cli(&["remove", "shop", "--now", "--yes"]).env("VITRINE_TOKEN", &token).ok();
    refused(&["--version", "v2", "--no-promote"], "users had `shop@v2`");
    host.deploy("shop", "by who may promote", &["--version", "v2"]);
    assert_eq!(host.get("shop", "/").send().text(), "by who may promote");
}

#[test]
fn a_pipeline_of_previews_removes_these_and_nothing_else() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("shop", "three", &["--version", "v3", "--no-promote"]);
    for preview in ["pr-7", "pr-8", "pr-9"] {
        host.deploy("shop", preview, &["--preview", preview]);
    }
    let token = create(&host, "ci", "shop", "deploy,remove-preview", &[]);
    let with = |args: &[&str]| host.cli(args).env("VITRINE_TOKEN", &token);
    with(&["remove", "shop@pr-7"]).ok();
    with(&["remove", "shop@pr-7"]).fails(4, &[]);
    // What is promoted is a preview no more.
    host.cli(&["promote", "shop", "pr-8"]).ok();
    host.cli(&["promote", "shop", "v2"]).ok();
    let promoted = host.releases("shop").into_iter().find(|one| one["preview"] == "pr-8");
    assert!(promoted.is_none(), "{promoted:?}");
    for version in ["v1", "v2", "v3"] {
        with(&["remove", &format!("shop@{version}")]).fails(1, &["is no preview"]);
    }
    with(&["remove", "shop", "--yes"]).fails(1, &["does not allow `remove` on `shop`"]);
    with(&["remove", "blog@pr-9"]).fails(1, &["does not allow `remove-preview` on `blog`"]);
    with(&["remove", "shop@pr-9"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "two");
}

#[test]
fn a_token_lives_from_create_to_revoke_and_over_a_restart() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("blog", "one", &["--version", "v1"]);
    let token = create(&host, "ci", "shop", "deploy,promote", &["--ttl", "90d"]);
    let digits = token.strip_prefix("vit_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let with = |host: &Host, args: &[&str]| host.cli(args).env("VITRINE_TOKEN", &token);
    let bundle = vitrine_test_support::archive::bundle_dir(&[(
        "server/index.js",
        &vitrine_test_support::archive::hello("two"),
    )]);
    let folder = bundle.path().to_str().unwrap();
    with(&host, &["deploy", "shop", folder, "--version", "v2"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "two");
    with(&host, &["deploy", "blog", folder]).fails(1, &["`deploy` on `blog`"]);
    with(&host, &["rollback", "shop"]).fails(1, &["`rollback` on `shop`"]);
    with(&host, &["token", "list"]).fails(1, &["host's own token"]);
    let apps = with(&host, &["status", "--json"]).ok().json();
    let names: Vec<_> = apps.as_array().unwrap().iter().map(|app| app["app"].as_str().unwrap()).collect();
    assert_eq!(names, ["shop"]);

    let listed = host.cli(&["token", "list", "--json"]).ok().json()[0].clone();
    assert_eq!((&listed["name"], &listed["apps"]), (&"ci".into(), &serde_json::json!(["shop"])));
    assert_eq!(listed["verbs"], serde_json::json!(["deploy", "promote"]));
    let lives_ms = listed["expires_ms"].as_u64().unwrap() - listed["created_ms"].as_u64().unwrap();
    assert!(lives_ms.abs_diff(90 * 24 * 3_600_000) < 60_000, "{listed}");
    host.cli(&["token", "create", "ci", "--app", "*", "--verb", "*"]).fails(1, &["`ci` exists"]);
    let short = create(&host, "short", "*", "read", &["--ttl", "1s"]);
    wait_until("the short one ends", PATIENCE, || {
        (call(&host, "GET", "/v1/apps", Some(&short)).send().status == 401).then_some(())
    });

    let (folder_of_host, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder_of_host, &["--isolation", "process"]);
    with(&host, &["promote", "shop", "v1"]).ok();
    host.cli(&["token", "revoke", "ci"]).ok();
    with(&host, &["status"]).fails(1, &["token", "revoked"]);
    host.cli(&["token", "revoke", "ci"]).fails(4, &["`ci`"]);
    let (folder_of_host, _) = host.stop();
    let host = Host::start_in(folder_of_host, &["--isolation", "process"]);
    with(&host, &["status"]).fails(1, &["token"]);
}

#[test]
fn what_was_begun_with_a_token_ends_when_it_is_revoked() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let token = create(&host, "reader", "shop", "logs", &[]);
    let mut stream = TcpStream::connect(host.admin).unwrap();
    write!(
        stream,
        "GET /v1/apps/shop/logs?follow=true HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // An upload that is half sent when its token goes.
    let deployer = create(&host, "deployer", "shop", "deploy", &[]);
    let archive = vitrine_test_support::archive::Archive::good("two").gz();
    let mut upload = TcpStream::connect(host.admin).unwrap();
    write!(
        upload,
        "PUT /v1/apps/shop/releases/v2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {deployer}\r\ncontent-length: {}\r\n\r\n",
        archive.len()
    )
    .unwrap();
    let (first, rest) = archive.split_at(archive.len() / 2);
    upload.write_all(first).unwrap();

    host.cli(&["token", "revoke", "deployer"]).ok();
    host.cli(&["token", "revoke", "reader"]).ok();
    let revoked = Instant::now();
    let ended = reader.lines().map_while(Result::ok).last();
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?} {ended:?}", revoked.elapsed());
    upload.write_all(rest).unwrap();
    let mut answer = String::new();
    BufReader::new(upload).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(host.releases("shop").len(), 1);
}

#[test]
fn a_storm_of_wrong_tokens_is_refused_and_slows_nobody() {
    let host = Host::start();
    let token = host.token();
    let good = || {
        let begun = Instant::now();
        assert_eq!(call(&host, "GET", "/v1/apps", Some(&token)).send().status, 200);
        begun.elapsed()
    };
    let (stop, wrong, too_many) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    // It ends too where the test fails.
    let end = Instant::now() + 2 * PATIENCE;
    std::thread::scope(|scope| {
        let storm = |number: usize| {
            let (host, stop, wrong, too_many) = (&host, &stop, &wrong, &too_many);
            move || {
                while !stop.load(Relaxed) && Instant::now() < end {
                    let guess = format!("vit_{number:064x}");
                    match status(host, "GET", "/v1/apps", Some(&guess)) {
                        401 => wrong.fetch_add(1, Relaxed),
                        429 => too_many.fetch_add(1, Relaxed),
                        other => panic!("a wrong token got {other}"),
                    };
                }
            }
        };
        (0..2).for_each(|number| drop(scope.spawn(storm(number))));
        let mut times: Vec<_> = (0..100).map(|_| good()).collect();
        times.sort_unstable();
        let is_bounded = || (wrong.load(Relaxed) >= 100 && too_many.load(Relaxed) > 0).then_some(());
        wait_until("the allowance of wrong tokens is used up", PATIENCE, is_bounded);
        stop.store(true, Relaxed);
        println!("good calls during a storm of wrong tokens: p50 {:?}, p99 {:?}", times[50], times[98]);
        // None of them waited for the allowance of wrong ones, which is 100 ms each.
        assert!(times[50] < Duration::from_millis(100), "{:?}", times[50]);
    });
}

#[test]
fn an_idempotency_key_is_its_tokens_own() {
    let host = Host::start();
    let token = create(&host, "mem", "mem", "env", &[]);
    let set = |app: &str, token: &str| {
        call(&host, "PUT", &format!("/v1/apps/{app}/env/NAME"), Some(token))
            .header("idempotency-key", "job-42")
            .body(r#"{"value":"x"}"#)
            .send()
    };
    assert_eq!(set("mem", &token).status, 200);
    let own = set("shop", &host.token());
    assert_eq!(own.status, 200, "{}", own.text());
    // Its own answer comes again, and its own other request is refused.
    assert_eq!(set("mem", &token).status, 200);
    assert_eq!(set("blog", &host.token()).status, 422);
}

#[test]
fn a_promotion_is_refused_if_its_name_was_given_to_other_content() {
    let host = Host::start();
    let files = |text: &str| {
        vec![(
            "server/index.js".to_owned(),
            format!("export default {{ fetch: () => new Response('{text}') }};"),
        )]
    };
    for (version, more) in [("v1", &[][..]), ("v2", &["--no-promote"])] {
        let files = files(version);
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        host.deploy_files("shop", &files, &[&["--version", version], more].concat());
    }
    let releases = host.cli(&["releases", "shop", "--json"]).ok().json();
    let digest = |version: &str| {
        let of = releases.as_array().unwrap().iter().find(|release| release["version"] == version).unwrap();
        of["digest"].as_str().unwrap().to_owned()
    };
    let other = digest("v1");
    for more in [&[][..], &["--weight", "10"]] {
        let args = [&["promote", "shop", "v2", "--yes", "--digest", &other], more].concat();
        host.cli(&args).fails(1, &["has other content"]);
    }
    assert_eq!(host.cli(&["releases", "shop", "--json"]).ok().json(), releases);
    host.cli(&["promote", "shop", "v2", "--digest", &digest("v2")]).ok();
}
