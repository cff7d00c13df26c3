//! A release from deploy to removal: names, previews, promotion, rollback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// What a host label shows: status, release, text.
fn shown(host: &Host, label: &str) -> (u16, String, String) {
    let answer = host.get(label, "/").send();
    let release = answer.header("x-vitrine-release").unwrap_or_default().to_owned();
    (answer.status, release, answer.text().to_owned())
}

fn assert_shows(host: &Host, label: &str, release: &str, text: &str) {
    assert_eq!(shown(host, label), (200, release.into(), text.into()), "{label}");
}

fn url(host: &Host, label: &str) -> String {
    format!("http://{label}.localhost:{}", host.edge.port())
}

fn epoch(host: &Host) -> u64 {
    host.get("shop", "/").send().header("x-vitrine-epoch").unwrap().parse().unwrap()
}

#[test]
fn each_release_has_a_name_and_the_newest_is_live_unless_told_otherwise() {
    let host = Host::start();
    assert_eq!(host.deploy("shop", "one", &["--version", "v1"]), url(&host, "shop-v1"));
    assert_shows(&host, "shop", "shop@v1", "one");
    let first = epoch(&host);

    assert_eq!(host.deploy("shop", "two", &["--version", "V2.0"]), url(&host, "shop-v2-0"));
    assert_shows(&host, "shop", "shop@V2.0", "two");
    assert_shows(&host, "shop-v2-0", "shop@V2.0", "two");
    assert_shows(&host, "shop-v1", "shop@v1", "one");
    assert!(epoch(&host) > first, "each change counts");

    host.deploy("shop", "three", &["--version", "v3", "--no-promote"]);
    assert_shows(&host, "shop", "shop@V2.0", "two");
    assert_shows(&host, "shop-v3", "shop@v3", "three");
    // With one app, the bare domain and addresses lead to it; another name never does.
    for name in ["localhost", "127.0.0.1"] {
        let answer = host.get("", "/").with_host(&format!("{name}:{}", host.edge.port())).send();
        assert_eq!((answer.status, answer.text()), (200, "two"), "{name}");
    }
    assert_eq!(shown(&host, "other").0, 404);

    let dir = bundle_dir(&[("server/index.js", &hello("four"))]);
    let path = dir.path().to_str().unwrap();
    let dry = host.cli(&["deploy", "shop", path, "--dry-run", "--json"]).ok().json();
    let deployed = host.cli(&["deploy", "shop", path, "--json"]).ok().json();
    let version = deployed["release"]["version"].as_str().unwrap();
    assert_eq!((version, version.len()), (&dry["digest"].as_str().unwrap()[..12], 12));
    assert_eq!(deployed["created"], true, "{deployed}");
    assert_eq!(deployed["switched"]["previous"], "V2.0", "{deployed}");
    let before = epoch(&host);
    let again = host.cli(&["deploy", "shop", path, "--json"]).ok().json();
    assert_eq!((&again["created"], &again["release"]["url"]), (&false.into(), &deployed["release"]["url"]));
    assert_eq!(epoch(&host), before, "nothing changed");
}

#[test]
fn rollbacks_go_further_back_and_never_to_a_broken_release() {
    let host = Host::start();
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    let rolled = host.cli(&["rollback", "shop", "--from", "v3", "--json"]).ok().json();
    assert_eq!(
        (&rolled["app"], &rolled["version"], &rolled["previous"], &rolled["url"]),
        (&"shop".into(), &"v2".into(), &"v3".into(), &url(&host, "shop").into())
    );
    assert_eq!(rolled["epoch"], epoch(&host));
    assert_shows(&host, "shop", "shop@v2", "v2");
    assert_eq!(host.release("shop", "v3")["rolled_back"], true);

    // The second operator, who has not seen the first one's rollback.
    host.cli(&["rollback", "shop", "--from", "v3"]).fails(1, &["v3", "v2"]);
    assert_shows(&host, "shop", "shop@v2", "v2");

    assert_eq!(host.cli(&["rollback", "shop"]).ok().stdout, "shop@v1\n");
    host.cli(&["rollback", "shop"]).fails(1, &["no earlier live release"]);
    assert_shows(&host, "shop", "shop@v1", "v1");

    // v3 is good again once somebody promotes it; v2 is still what was rolled back from.
    assert_eq!(host.cli(&["promote", "shop", "v3"]).ok().stdout, "shop@v3\n");
    assert_eq!(host.release("shop", "v3")["rolled_back"], false);
    assert_eq!(host.cli(&["rollback", "shop"]).ok().stdout, "shop@v1\n");
    // Who names a version gets it, and who names the live one is told so.
    assert_eq!(host.cli(&["rollback", "shop", "--to", "v2"]).ok().stdout, "shop@v2\n");
    host.cli(&["rollback", "shop", "--to", "v2"]).fails(1, &["v2", "live already"]);
    host.cli(&["rollback", "shop", "--to", "v9"]).fails(4, &["shop@v9"]);
    host.cli(&["promote", "shop", "v9"]).fails(4, &["shop@v9"]);
    let promoted = host.cli(&["promote", "shop", "v1", "--json"]).ok().json();
    assert_eq!((&promoted["version"], &promoted["previous"]), (&"v1".into(), &"v2".into()));
    assert_shows(&host, "shop", "shop@v1", "v1");
}

#[test]
fn a_rollback_makes_nothing_live_that_never_was() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("shop", "three", &["--version", "v3", "--no-promote"]);
    host.deploy("shop", "four", &["--version", "v4", "--preview", "pr-7"]);
    for version in ["v3", "v4"] {
        let how = format!("vitrine promote shop {version}");
        host.cli(&["rollback", "shop", "--to", version]).fails(1, &["never live", &how]);
    }
    let refused = host.call("POST", "/v1/apps/shop/rollback").body(r#"{"to":"v3"}"#).send();
    assert_eq!(refused.status, 409, "{}", refused.text());
    // A name that was live, and is another release's by now.
    host.cli(&["remove", "shop@v1"]).ok();
    host.deploy("shop", "not the one", &["--version", "v1", "--no-promote"]);
    host.cli(&["rollback", "shop"]).fails(1, &["no earlier live release"]);
    host.cli(&["rollback", "shop", "--to", "v1"]).fails(1, &["never live"]);
    assert_shows(&host, "shop", "shop@v2", "two");
}

#[test]
fn a_preview_is_reached_by_its_name_alone_and_ends() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let shown_at = host.deploy("shop", "new", &["--version", "v2", "--preview", "PR_7", "--ttl", "12s"]);
    assert_eq!(shown_at, url(&host, "shop-pr-7"));
    assert_shows(&host, "shop-pr-7", "shop@v2", "new");
    assert_shows(&host, "shop", "shop@v1", "one");
    let preview = host.release("shop", "v2");
    assert_eq!((&preview["preview"], &preview["promoted_ms"]), (&"PR_7".into(), &serde_json::Value::Null));
    let lives_ms = preview["expires_ms"].as_u64().unwrap() - preview["created_ms"].as_u64().unwrap();
    assert!((11_000..=12_000).contains(&lives_ms), "{lives_ms}");

    // Names that are taken, by a preview and by a release.
    let dir = bundle_dir(&[("server/index.js", &hello("third"))]);
    let path = dir.path().to_str().unwrap();
    let third = |flags: &[&str]| host.cli(&[&["deploy", "shop", path, "--version", "v3"], flags].concat());
    third(&["--preview", "pr-7"]).fails(1, &["shop-pr-7"]);
    third(&["--preview", "v1"]).fails(1, &["shop-v1"]);
    third(&["--preview", "x", "--ttl", "0s"]).fails(1, &["ttl"]);
    assert_eq!(host.releases("shop").len(), 2);

    wait_until("the preview ends", Duration::from_secs(40), || {
        (host.releases("shop").len() == 1).then_some(())
    });
    assert_eq!(shown(&host, "shop-pr-7").0, 404);
    assert_shows(&host, "shop", "shop@v1", "one");
    host.cli(&["promote", "shop", "v2"]).fails(4, &["shop@v2"]);
    third(&["--preview", "pr-7"]).ok();
    assert_shows(&host, "shop-pr-7", "shop@v3", "third");

    // The next push to the same preview takes its name over, and the release before it goes.
    host.deploy("shop", "fourth", &["--version", "v4", "--preview", "pr-7"]);
    assert_shows(&host, "shop-pr-7", "shop@v4", "fourth");
    assert_eq!(shown(&host, "shop-v3").0, 404);
    // Content that is there under another name is not silently taken for the preview.
    let again = host.cli(&["deploy", "shop", path, "--version", "v4", "--preview", "pr-8"]);
    again.fails(1, &["shop@v4", "pr-8", "--version"]);
}

#[test]
fn a_preview_that_was_live_is_a_plain_release() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2", "--preview", "pr-7", "--ttl", "1h"]);
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(table.contains("preview pr-7 until"), "{table}");
    host.cli(&["promote", "shop", "v2"]).ok();
    for verb in ["releases", "status"] {
        let table = host.cli(&[verb, "shop"]).ok().stdout;
        assert!(!table.contains("preview") && !table.contains("until"), "{table}");
    }
    let null = serde_json::Value::Null;
    let release = host.release("shop", "v2");
    assert_eq!((&release["preview"], &release["expires_ms"]), (&null, &null));
    assert_eq!(release["url"], url(&host, "shop-v2"));
    // Who was sent the preview's address still gets it, until another preview takes the name; the release stays.
    assert_shows(&host, "shop-pr-7", "shop@v2", "two");
    for version in ["v3", "v4"] {
        host.deploy("shop", version, &["--version", version]);
    }
    host.deploy("shop", "five", &["--version", "v5", "--preview", "pr-7"]);
    assert_shows(&host, "shop-pr-7", "shop@v5", "five");
    assert_shows(&host, "shop-v2", "shop@v2", "two");
}

#[test]
fn what_is_there_is_listed_and_what_is_removed_is_gone() {
    let host = Host::start();
    assert_eq!(host.cli(&["status", "--json"]).ok().json(), serde_json::json!([]));
    for version in ["v1", "v2"] {
        host.deploy("shop", version, &["--version", version]);
    }
    host.deploy("blog", "a blog", &["--version", "b1", "--no-promote"]);

    let status = host.cli(&["status", "--json"]).ok().json();
    let lives: Vec<_> = status.as_array().unwrap().iter().map(|app| (&app["app"], &app["live"])).collect();
    assert_eq!(lives, [(&"blog".into(), &serde_json::Value::Null), (&"shop".into(), &"v2".into())]);
    let releases = host.releases("shop");
    let phases: Vec<_> = releases.iter().map(|one| (&one["version"], &one["phase"])).collect();
    assert_eq!(phases, [(&"v2".into(), &"live".into()), (&"v1".into(), &"standby".into())]);
    for release in &releases {
        assert_eq!(release["digest"].as_str().unwrap().len(), 64, "{release}");
        assert!(release["instance"].is_string() && release["limits"]["wall_ms"] == 5_000, "{release}");
        assert!(release["promoted_ms"].as_u64() >= release["created_ms"].as_u64(), "{release}");
    }
    let table = host.cli(&["status"]).ok().stdout;
    assert!(table.starts_with("APP ") && table.contains(&url(&host, "shop")), "{table}");
    let table = host.cli(&["status", "shop"]).ok().stdout;
    assert!(table.contains("live  v2") && table.contains("standby") && table.contains("wall_ms"), "{table}");
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert_eq!(table.lines().count(), 3, "{table}");
    // An app without a live release is known, and has nothing to show but by the release's own name.
    assert_eq!(shown(&host, "blog").0, 404);
    assert_shows(&host, "blog-b1", "blog@b1", "a blog");

    host.cli(&["remove", "shop@v2"]).fails(1, &["shop@v2", "live"]);
    host.cli(&["remove", "shop@v1"]).ok();
    assert_eq!(shown(&host, "shop-v1").0, 404);
    assert_eq!(host.releases("shop").len(), 1);
    host.cli(&["rollback", "shop"]).fails(1, &["no earlier"]);
    assert_shows(&host, "shop", "shop@v2", "v2");
    host.cli(&["remove", "shop", "--now", "--yes"]).ok();
    assert_eq!(shown(&host, "shop").0, 404);
    for args in [&["releases", "shop"][..], &["remove", "shop", "--yes"], &["status", "shop"]] {
        host.cli(args).fails(4, &["shop"]);
    }
    wait_until("no worker and no bundle is left of it", Duration::from_secs(20), || {
        let workers = host.workers();
        workers.iter().all(|worker| worker.release.starts_with("blog@")).then_some(())
    });
    host.deploy("shop", "again", &["--version", "v1"]);
    assert_shows(&host, "shop", "shop@v1", "again");
}

#[test]
fn a_rollback_waits_for_no_release_that_is_removed() {
    let host = Host::start_with(&["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let endless = "const endless = () => new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) });\n\
                   export default { fetch: (request) => new Response(request.url.endsWith('/feed') ? endless() : 'warm') };\n";
    let preview = ["--version", "p1", "--preview", "pr-7"];
    host.deploy_files("shop", &[("server/index.js", endless)], &preview);
    let mut stream = TcpStream::connect(host.edge).unwrap();
    write!(stream, "GET /feed HTTP/1.1\r\nhost: shop-pr-7.localhost\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1]).unwrap();
    let removing = host.cli(&["remove", "shop@p1"]);
    let removing = std::thread::spawn(move || removing.run());
    wait_until("it is removed for users", Duration::from_secs(10), || {
        (host.releases("shop").len() == 2).then_some(())
    });
    host.cli(&["rollback", "shop"]).ok();
    assert!(!removing.is_finished(), "the stream is under way");
    assert_shows(&host, "shop", "shop@v1", "one");
    drop(stream);
    assert_eq!(removing.join().unwrap().code, 0);
}

#[test]
fn status_shows_no_verdict_beside_a_live_release_that_it_is_not_about() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let status = || host.cli(&["status", "shop"]).ok().stdout;
    assert!(status().contains("deployment of v2  IN_PROGRESS"), "{}", status());
    host.cli(&["rollback", "shop"]).ok();
    assert!(status().contains("deployment of v2  ROLLBACK_SUCCESSFUL"), "{}", status());
    host.cli(&["rollback", "shop", "--to", "v2"]).ok();
    let told = status();
    assert!(told.contains("live  v2") && !told.contains("ROLLBACK_SUCCESSFUL"), "{told}");
    host.cli(&["rollback", "shop", "--to", "v1"]).ok();
    host.cli(&["promote", "shop", "v2"]).ok();
    let told = status();
    assert!(told.contains("live  v2") && !told.contains("ROLLBACK_SUCCESSFUL"), "{told}");
}
