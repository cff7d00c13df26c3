//! Which release answers under an app's name, tried with a token that may only deploy and by clients that send pins.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vitrine_core::limits::WAKES_BY_CLIENT_MAX;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A server that says its version and the path.
fn server(version: &str) -> String {
    format!(
        "export default (request) => new Response('{version} renders ' + new URL(request.url).pathname, \
         {{ headers: {{ 'content-type': 'text/html' }} }});\n"
    )
}

/// Vite's list of these files.
fn listing(files: &[&str]) -> String {
    let chunks = files.iter().map(|file| ((*file).to_owned(), serde_json::json!({ "file": file })));
    let chunks: serde_json::Map<String, serde_json::Value> = chunks.collect();
    serde_json::Value::Object(chunks).to_string()
}

fn get(host: &Host, app: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.get(app, path), |request, (name, value)| request.header(name, value)).send()
}

fn varies_with_pins(answer: &Answer) -> bool {
    let mut lines = answer.headers.iter().filter(|(name, _)| name == "vary");
    lines.any(|(_, value)| value == "x-vitrine-release, cookie")
}

#[test]
fn what_a_token_without_promote_deploys_answers_under_its_own_name_alone() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", &server("v1"))], &["--version", "v1"]);
    let token = host.cli(&["token", "create", "ci", "--app", "shop", "--verb", "deploy"]).ok().stdout;
    let ci = |args: &[&str]| host.cli(args).env("VITRINE_TOKEN", token.trim());
    ci(&["promote", "shop", "v1"]).fails(1, &["`promote` on `shop`"]);

    let paths = [
        "account/login.html",
        "sw.js",
        "api.json",
        ".well-known/assetlinks.json",
        "index.html",
        "assets/login.html",
        "assets/login-deadbee1.html",
        "assets/login-deadbee1.xhtml",
        "assets/app-deadbee1.js",
        "_app/immutable/chunks/BXm3k2Qz.js",
    ];
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| (format!("client/{path}"), format!("attack {path}")))
        .chain([
            ("client/.vite/manifest.json".into(), listing(&paths)),
            ("server/index.js".into(), server("attack")),
        ])
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = bundle_dir(&files);
    let folder = folder.path().to_str().unwrap();
    ci(&["deploy", "shop", folder, "--version", "pr7", "--preview", "pr-7"]).ok();
    ci(&["deploy", "shop", folder, "--version", "v2", "--no-promote"]).ok();

    for pin in [None, Some("pr7"), Some("shop@v2")] {
        let headers: Vec<_> = pin.map(|pin| ("x-vitrine-release", pin)).into_iter().collect();
        let cookie = pin.map(|pin| format!("__vitrine_release={pin}")).unwrap_or_default();
        for headers in [headers, vec![("cookie", &*cookie), ("sec-fetch-mode", "cors")]] {
            for path in paths {
                let answer = get(&host, "shop", &format!("/{path}"), &headers);
                assert!(!answer.text().contains("attack"), "{path} {headers:?}: {answer:?}");
                assert_eq!(answer.header("x-vitrine-release"), Some("shop@v1"), "{path} {headers:?}");
                let hashed_folder = path.starts_with("assets/") || path.starts_with("_app/");
                let expected = if hashed_folder { 404 } else { 200 };
                assert_eq!(answer.status, expected, "{path} {headers:?}: {answer:?}");
            }
        }
    }
    // The rig tells: under names of their own these files are there.
    for label in ["shop-pr-7", "shop-v2"] {
        for path in paths {
            assert_eq!(get(&host, label, &format!("/{path}"), &[]).text(), format!("attack {path}"));
        }
    }
    // What was live is another matter: pages that are open load its scripts, and no page of it.
    host.cli(&["promote", "shop", "v2"]).ok();
    host.cli(&["promote", "shop", "v1"]).ok();
    assert_eq!(get(&host, "shop", "/assets/app-deadbee1.js", &[]).text(), "attack assets/app-deadbee1.js");
    for path in ["/assets/login-deadbee1.html", "/assets/login-deadbee1.xhtml", "/assets/login.html"] {
        assert_eq!(get(&host, "shop", path, &[]).status, 404, "{path}");
    }
    for path in ["/account/login.html", "/sw.js", "/.well-known/assetlinks.json"] {
        assert_eq!(get(&host, "shop", path, &[]).text(), format!("v1 renders {path}"));
    }
}

#[test]
fn no_pin_decides_what_a_shared_cache_gives_to_others() {
    let host = Host::start();
    let names = [
        "assets/main.js",
        "main.js",
        "assets/same-1a2b3c4d.js",
        "assets/differs-1a2b3c4d.js",
        "far/x-1a2b3c4d.js",
    ];
    for version in ["v1", "v2"] {
        let (listed, page) = (listing(&names), server(version));
        let mut files =
            vec![("server/index.js", page.as_str()), ("client/.vite/manifest.json", listed.as_str())];
        files.extend([
            ("client/assets/main.js", version),
            ("client/main.js", version),
            ("client/plain.txt", version),
            ("client/assets/same-1a2b3c4d.js", "same"),
            ("client/assets/differs-1a2b3c4d.js", version),
            ("client/far/x-1a2b3c4d.js", version),
        ]);
        host.deploy_files("shop", &files, &["--version", version]);
    }
    let pin = [("x-vitrine-release", "v1")];
    let cookie = [("cookie", "__vitrine_release=v1"), ("sec-fetch-mode", "no-cors")];
    for headers in [&[][..], &pin, &cookie] {
        let version = if headers.is_empty() { "v2" } else { "v1" };
        for path in
            ["/assets/main.js", "/main.js", "/plain.txt", "/assets/differs-1a2b3c4d.js", "/far/x-1a2b3c4d.js"]
        {
            let answer = get(&host, "shop", path, headers);
            assert_eq!(answer.text(), version, "{path} {headers:?}");
            let kept_by = if headers.is_empty() { "public" } else { "private" };
            let control = format!("{kept_by}, max-age=0, must-revalidate");
            assert_eq!(answer.header("cache-control"), Some(control.as_str()), "{path} {headers:?}");
            assert!(varies_with_pins(&answer), "{path} {headers:?}: {answer:?}");
            let known = answer.header("etag").unwrap();
            let same = get(&host, "shop", path, &[headers, &[("if-none-match", known)]].concat());
            assert_eq!((same.status, varies_with_pins(&same)), (304, true), "{path}");
        }
        let same = get(&host, "shop", "/assets/same-1a2b3c4d.js", headers);
        assert_eq!((same.text(), same.header("cache-control")), ("same", Some(FOR_EVER)));
        assert!(!varies_with_pins(&same), "{same:?}");
    }
    let page =
        |headers: &[(&str, &str)]| get(&host, "shop", "/", headers).header("cache-control").map(String::from);
    assert_eq!((page(&[]), page(&[("x-vitrine-release", "v2")])), (None, None));
    assert_eq!((page(&pin), page(&cookie)), (Some("private".into()), Some("private".into())));
    // A host name of one release alone has nothing to be mixed up with; the name without a hash is kept by no one.
    let own = get(&host, "shop-v1", "/assets/differs-1a2b3c4d.js", &pin);
    assert_eq!((own.header("cache-control"), varies_with_pins(&own)), (Some(FOR_EVER), false));
    let own = get(&host, "shop-v1", "/assets/main.js", &[]);
    assert_eq!(own.header("cache-control"), Some("public, max-age=0, must-revalidate"));
}

/// A host whose releases are marked as bad when the file `refuse` is there as they have gone live.
fn judging(more: &str) -> (Host, std::path::PathBuf) {
    let toml = format!(
        "[deploy]\nbake_time_ms = 0\n[[hook]]\nstage = \"after_traffic\"\ncommand = [\"/bin/sh\", \"-c\", \"test ! -e refuse\"]\n{more}"
    );
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    (Host::start_in(folder, &["--isolation", "process", "--config", "vitrine.toml"]), path)
}

/// A hook that looks at a release by its own name each time that it is called, before it answers; and what it saw.
fn looks_at(label: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, looked) = (socket.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&looked);
    std::thread::spawn(move || {
        for mut stream in socket.incoming().map_while(Result::ok) {
            let mut call = Vec::new();
            while !call.ends_with(b"}") {
                let mut piece = [0; 1024];
                let read = stream.read(&mut piece).unwrap();
                call.extend_from_slice(&piece[..read]);
            }
            let call = String::from_utf8(call).unwrap();
            let port = call.split(".localhost:").nth(1).unwrap().split('"').next().unwrap();
            let edge = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
            let own = Request::new(edge, "GET", "/").header("host", &format!("{label}.localhost")).send();
            seen.lock().unwrap().push(own.text().to_owned());
            stream.write_all(b"HTTP/1.1 204 so\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (address, looked)
}

fn until_bad(host: &Host, version: &str) {
    wait_until("it is marked and rolled back", PATIENCE, || {
        let release = host.release("shop", version);
        (release["bad"].is_string() && release["rolled_back"] == true).then_some(())
    });
}

#[test]
fn code_that_is_marked_as_bad_runs_for_nobody_until_it_is_promoted() {
    let (looking, looked) = looks_at("shop-v2");
    let (host, folder) =
        judging(&format!("[[hook]]\nstage = \"before_traffic\"\nurl = \"http://{}\"\n", looking));
    let deploy = |version: &str| {
        let page = server(version);
        let script = format!("client/assets/{version}-1a2b3c4d.js");
        let files = [("server/index.js", page.as_str()), (&script, version), ("client/plain.txt", version)];
        host.deploy_files("shop", &files, &["--version", version]);
    };
    deploy("v1");
    std::fs::write(folder.join("refuse"), "").unwrap();
    deploy("v2");
    until_bad(&host, "v2");
    std::fs::remove_file(folder.join("refuse")).unwrap();
    let own = |path: &str| host.get("shop-v2", path).send();
    let silent = || {
        for path in ["/", "/account", "/plain.txt"] {
            let answer = own(path);
            assert_eq!(
                (answer.status, answer.header("x-vitrine-outcome")),
                (404, Some("no_release")),
                "{path}"
            );
            assert!(answer.text().contains("marked as bad"), "{answer:?}");
        }
        let posted =
            Request::new(host.edge, "POST", "/").header("host", "shop-v2.localhost").body("x").send();
        assert_eq!(posted.status, 404);
        assert_eq!(own("/assets/v2-1a2b3c4d.js").text(), "v2");
    };
    silent();
    // Under the app's name it is not heard at all.
    for path in ["/", "/plain.txt"] {
        let pinned = get(&host, "shop", path, &[("x-vitrine-release", "v2")]);
        assert!(pinned.text().starts_with("v1"), "{pinned:?}");
    }
    assert_eq!(get(&host, "shop", "/assets/v2-1a2b3c4d.js", &[("x-vitrine-release", "v2")]).status, 404);
    assert_eq!(host.get("shop-v1", "/").send().text(), "v1 renders /");
    // Nor after a restart.
    let (data, _) = host.stop();
    let host = Host::start_in(data, &["--isolation", "process", "--config", "vitrine.toml"]);
    assert_eq!(host.get("shop-v2", "/").send().status, 404);
    // Its next promotion's hooks look at it by its own name; from then on it is as any other.
    host.cli(&["promote", "shop", "v2", "--yes"]).ok();
    assert_eq!(looked.lock().unwrap().last().map(String::as_str), Some("v2 renders /"));
    assert_eq!(host.get("shop-v2", "/account").send().text(), "v2 renders /account");
    assert_eq!(host.get("shop", "/").send().text(), "v2 renders /");
}

#[test]
fn a_client_starts_only_so_many_releases_that_users_do_not_have() {
    // What is neither live nor standby sleeps at the next round of the patrol.
    let sleepy = "[switching]\nidle_timeout_ms = 1000\n[retention]\nreleases = 20\n";
    let folder = Host::configured(&format!("trusted_proxies = [\"127.0.0.0/8\"]\n{sleepy}"));
    let host = Host::start_in(folder, &["--isolation", "process", "--config", "vitrine.toml"]);
    let versions: Vec<String> = (0..=WAKES_BY_CLIENT_MAX).map(|number| format!("v{number}")).collect();
    host.deploy("shop", "live", &["--version", "live"]);
    host.deploy("blog", "live", &["--version", "live"]);
    for version in &versions {
        host.deploy("shop", version, &["--version", version, "--no-promote"]);
    }
    wait_until("they sleep", PATIENCE, || {
        let all = host.releases("shop");
        all.iter().all(|one| one["version"] == "live" || one["phase"] == "sleeping").then_some(())
    });
    let ask = |version: &str, client: &str| {
        host.get(&format!("shop-{version}"), "/").header("x-forwarded-for", client).send()
    };
    let refused = || {
        let metrics = host.call("GET", "/metrics").send();
        let line = metrics.text().lines().find_map(|line| line.strip_prefix("vitrine_wakes_refused_total "));
        line.unwrap().parse::<u32>().unwrap()
    };
    std::thread::scope(|scope| {
        for version in &versions {
            scope.spawn(|| ask(version, "192.0.2.1"));
        }
    });
    assert_eq!(refused(), 1, "the one above the quota");
    // Another client has its own.
    for version in &versions[..2] {
        let answer = wait_until("it wakes", PATIENCE, || {
            Some(ask(version, "192.0.2.2")).filter(|answer| answer.status != 503)
        });
        assert_eq!(answer.text(), version);
    }
    assert_eq!(refused(), 1);
    for app in ["shop", "blog"] {
        assert_eq!(host.get(app, "/").send().text(), "live", "what users have is not counted");
    }
}
