//! Routing rules through the running host: every condition and action, set, explained and undone while it serves.

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

/// Answers with what it was asked, as JSON.
const ECHO: &str = "export default { async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const body = { app: APP, path: url.pathname, query: url.search, headers: Object.fromEntries(request.headers), experiments: ctx.experiments,
        body: await request.text() };
    return Response.json(body, { headers: { 'x-powered-by': 'echo' } });
} };";

fn deploy(host: &Host, app: &str, version: &str, flags: &[&str]) {
    let server = ECHO.replace("APP", &format!("'{app}@{version}'"));
    let files = [("server/index.js", server.as_str()), ("client/assets/app-1a2b3c4d.js", version)];
    host.deploy_files(app, &files, &[&["--version", version], flags].concat());
}

fn set(host: &Host, toml: &str) {
    let file = host.folder().join("routes.toml");
    std::fs::write(&file, toml).unwrap();
    host.cli(&["routes", "set", file.to_str().unwrap()]).ok();
}

fn ask(host: &Host, name: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = host.get("any", path).with_host(name);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

const WWW: &str = "www.example.com";

#[test]
fn apps_are_composed_under_one_host_and_rules_decide_in_their_order() {
    let host = Host::start();
    for (app, version) in [("learn", "v1"), ("shop", "v1"), ("main", "v1")] {
        deploy(&host, app, version, &[]);
    }
    deploy(&host, "learn", "v2", &["--no-promote"]);
    assert_eq!(ask(&host, WWW, "/", &[]).status, 404);
    set(
        &host,
        r#"
        [[route]]
        host = "www.example.com"
        path = "/learn/*"
        header = { x-beta = "1" }
        app = "learn"
        version = "v2"
        strip_prefix = "/learn"
        [[route]]
        host = "www.example.com"
        path = "/learn/*"
        app = "learn"
        strip_prefix = "/learn"
        set_request_headers = { x-section = "{app}" }
        remove_request_headers = ["x-debug"]
        set_response_headers = { x-frame-options = "DENY" }
        remove_response_headers = ["x-powered-by"]
        [[route]]
        host = "*.example.com"
        path = "/shop/*"
        app = "shop"
        rewrite = "/store{path}"
        [[route]]
        host = "www.example.com"
        app = "main"
        "#,
    );
    let learn = ask(&host, WWW, "/learn/a?b=c", &[("x-debug", "1"), ("x-section", "forged")]);
    let seen = body(&learn);
    assert_eq!(
        (&seen["app"], &seen["path"], &seen["query"]),
        (&json!("learn@v1"), &json!("/a"), &json!("?b=c"))
    );
    assert_eq!(
        (&seen["headers"]["x-section"], &seen["headers"]["x-forwarded-prefix"]),
        (&json!("learn"), &json!("/learn"))
    );
    assert!(seen["headers"]["x-debug"].is_null());
    assert_eq!((learn.header("x-frame-options"), learn.header("x-powered-by")), (Some("DENY"), None));
    assert!(learn.headers.iter().any(|(name, value)| name == "vary" && value == "x-beta"), "{learn:?}");
    assert_eq!(body(&ask(&host, WWW, "/learn/", &[("x-beta", "1")]))["app"], "learn@v2");
    assert_eq!(body(&ask(&host, WWW, "/learn", &[]))["path"], "/");
    let shop = body(&ask(&host, WWW, "/shop/a", &[]));
    assert_eq!((&shop["app"], &shop["path"]), (&json!("shop@v1"), &json!("/store/shop/a")));
    assert_eq!(body(&ask(&host, WWW, "/other", &[]))["app"], "main@v1");
    assert_eq!(body(&ask(&host, WWW, "/learn/../other", &[]))["app"], "main@v1");
    let asset = ask(&host, WWW, "/learn/assets/app-1a2b3c4d.js", &[]);
    assert_eq!((asset.status, asset.body.as_slice()), (200, &b"v1"[..]));
    // Host names without a rule lead where they did.
    assert_eq!(body(&host.get("shop", "/shop/a").send())["path"], "/shop/a");

    let explained = host.cli(&["routes", "explain", "https://www.example.com/shop/x", "--json"]).ok().json();
    assert_eq!(explained["matched"], 2);
    assert_eq!(explained["tried"], json!([{"index": 0, "failed": "path"}, {"index": 1, "failed": "path"}]));
    assert_eq!(explained["target"], "app shop");
    let explained = host.cli(&["routes", "explain", "http://shop.localhost/", "--json"]).ok().json();
    assert_eq!((&explained["matched"], &explained["target"]), (&Value::Null, &json!("app shop")));
    let by_header = ["routes", "explain", "http://www.example.com/learn/", "-H", "X-Beta: 1", "--json"];
    assert_eq!(host.cli(&by_header).ok().json()["target"], "release learn@v2");
}

#[test]
fn answers_of_rules_are_their_own() {
    let host = Host::start();
    deploy(&host, "main", "v1", &[]);
    set(
        &host,
        r#"
        [[route]]
        path = "/old/*"
        redirect = "https://www.example.com{path}"
        strip_prefix = "/old"
        [[route]]
        path = "/moved"
        redirect = "/new?fixed=1"
        status = 302
        [[route]]
        host = "open.example.com"
        redirect = "{path}"
        [[route]]
        path = "/gone"
        respond = { status = 410, body = "gone" }
        set_response_headers = { x-a = "{host}" }
        [[route]]
        path = "/down/*"
        maintenance = true
        app = "main"
        [[route]]
        path = "/inside"
        allow = ["10.0.0.0/8"]
        app = "main"
        [[route]]
        path = "/slow"
        rate_limit = "2/h"
        app = "main"
        "#,
    );
    let old = ask(&host, WWW, "/old/a?b=c", &[]);
    assert_eq!((old.status, old.header("location")), (308, Some("https://www.example.com/a?b=c")));
    let moved = ask(&host, WWW, "/moved?b=c", &[]);
    assert_eq!((moved.status, moved.header("location")), (302, Some("/new?fixed=1")));
    for path in ["//evil.test/", "/\\evil.test", "///evil.test"] {
        let answer = ask(&host, "open.example.com", path, &[]);
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/evil.test"), "{path} {location}");
    }
    let gone = ask(&host, WWW, "/gone", &[]);
    assert_eq!((gone.status, gone.body.as_slice(), gone.header("x-a")), (410, &b"gone"[..], Some(WWW)));
    assert_eq!(gone.header("content-type"), Some("text/plain; charset=utf-8"));
    let down = ask(&host, WWW, "/down/x", &[]);
    assert_eq!(
        (down.status, down.header("retry-after"), down.header("cache-control")),
        (503, Some("120"), Some("no-store"))
    );
    assert!(String::from_utf8_lossy(&down.body).contains("maintenance"));
    assert_eq!(ask(&host, WWW, "/inside", &[]).status, 403);
    assert_eq!(ask(&host, WWW, "/%69nside", &[]).status, 403);
    let slow: Vec<_> = (0..3).map(|_| ask(&host, WWW, "/slow", &[])).collect();
    assert_eq!(slow.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert!(slow[2].header("retry-after").is_some());
}

#[test]
fn passwords_guard_a_rule_and_are_not_the_apps() {
    let host = Host::start();
    deploy(&host, "main", "v1", &[]);
    let users = host.folder().join("users");
    std::fs::write(&users, "ann:right word\n").unwrap();
    set(&host, &format!("[[route]]\nhost = \"{WWW}\"\nbasic_auth_file = {users:?}\napp = \"main\"\n"));
    let refused = ask(&host, WWW, "/", &[]);
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic"));
    let shown = [("authorization", "Basic YW5uOnJpZ2h0IHdvcmQ=")];
    let answer = ask(&host, WWW, "/", &shown);
    assert_eq!(answer.status, 200);
    assert!(body(&answer)["headers"]["authorization"].is_null());
    assert!(answer.header("cache-control").unwrap().contains("private"));
}

/// An upstream that answers each request with its head, and says how it was framed.
fn upstream() -> (String, impl Fn() -> usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&served);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let served = std::sync::Arc::clone(&counted);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut held = Vec::new();
                loop {
                    while !held.windows(4).any(|end| end == b"\r\n\r\n") {
                        let mut piece = [0; 4096];
                        match stream.read(&mut piece) {
                            Ok(0) | Err(_) => return,
                            Ok(read) => held.extend_from_slice(&piece[..read]),
                        }
                    }
                    let end = held.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
                    let head = String::from_utf8(held.drain(..end).collect()).unwrap();
                    served.fetch_add(1, Ordering::SeqCst);
                    if head.contains("upgrade: websocket") {
                        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n").unwrap();
                        // What comes goes back.
                        let mut echo = stream.try_clone().unwrap();
                        let _ = std::io::copy(&mut stream, &mut echo);
                        return;
                    }
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: x-hop\r\nx-hop: 1\r\nset-cookie: a=1\r\ncontent-length: {}\r\n\r\n{head}",
                        head.len()
                    );
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    (address.to_string(), move || served.load(Ordering::SeqCst))
}

#[test]
fn requests_are_forwarded_with_a_generated_host() {
    let host = Host::start();
    deploy(&host, "learn", "v7", &[]);
    let (address, served) = upstream();
    set(
        &host,
        &format!(
            "[[route]]\nhost = \"{WWW}\"\npath = \"/dead\"\nupstream = \"http://127.0.0.1:1\"\n\
             [[route]]\nhost = \"{WWW}\"\npath = \"/live\"\napp = \"learn\"\nupstream = \"http://{address}\"\n\
             upstream_host = \"{{app}}-{{version}}.internal\"\n\
             [[route]]\nhost = \"{WWW}\"\napp = \"learn\"\nversion = \"v2\"\nupstream = \"http://{address}\"\n\
             upstream_host = \"{{app}}-{{version}}.internal\"\nstrip_prefix = \"/api\"\nset_request_headers = {{ x-via = \"edge\" }}\n"
        ),
    );
    let answer = ask(
        &host,
        WWW,
        "/api/a?b=c",
        &[
            ("x-forwarded-for", "6.6.6.6"),
            ("connection", "x-secret"),
            ("x-secret", "1"),
            ("x-vitrine-experiments", "a=b"),
            ("cookie", "c=d"),
        ],
    );
    let head = String::from_utf8(answer.body.clone()).unwrap();
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
    for line in [
        "host: learn-v2.internal",
        "x-forwarded-host: www.example.com",
        "x-forwarded-for: 127.0.0.1",
        "x-via: edge",
        "cookie: c=d",
        "x-forwarded-prefix: /api",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}\n{head}");
    }
    for name in ["6.6.6.6", "x-secret", "x-vitrine-experiments"] {
        assert!(!head.contains(name), "{name}\n{head}");
    }
    assert_eq!(
        (answer.status, answer.header("set-cookie"), answer.header("x-hop")),
        (200, Some("a=1"), None)
    );
    assert!(answer.header("x-request-id").is_some());
    let live = String::from_utf8(ask(&host, WWW, "/live", &[]).body).unwrap();
    assert!(live.contains("host: learn-v7.internal\r\n"), "{live}");
    let before = served();
    let head = Request::new(host.edge, "HEAD", "/api/").header("host", WWW).send();
    assert_eq!((head.status, head.body.len(), served()), (200, 0, before + 1));
    let dead = ask(&host, WWW, "/dead", &[]);
    assert_eq!((dead.status, dead.header("x-vitrine-outcome")), (502, Some("upstream_gone")));

    let mut socket = std::net::TcpStream::connect(host.edge).unwrap();
    let ask = format!(
        "GET /api/ws HTTP/1.1\r\nhost: {WWW}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(ask.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(
        head.starts_with("HTTP/1.1 101")
            && head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{head}"
    );
    socket.write_all(b"frames of any kind").unwrap();
    let mut back = [0; 18];
    socket.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"frames of any kind");
}

#[test]
fn experiments_are_sticky_and_reach_the_app() {
    let host = Host::start();
    deploy(&host, "main", "v1", &[]);
    set(
        &host,
        "[[experiment]]\nname = \"checkout\"\nvariants = { a = 50, b = 50 }\n\
         [[experiment]]\nname = \"banner\"\nvariants = { on = 1 }\nunit = \"cookie:user\"\n\
         [[route]]\npath = \"/only-b\"\nexperiment = { checkout = \"b\" }\nrespond = { status = 200, body = \"b\" }\n",
    );
    let mut seen = [0; 2];
    for _ in 0..40 {
        let first = host
            .get("main", "/")
            .header("x-vitrine-experiments", "checkout=zzz")
            .header("cookie", "user=7")
            .send();
        assert!(first.header("cache-control").unwrap().contains("private"));
        let cookie = first
            .headers
            .iter()
            .find(|(name, value)| name == "set-cookie" && value.starts_with("__vitrine_id="));
        let cookie = cookie.unwrap().1.split(';').next().unwrap();
        let told = body(&first);
        let variant = told["experiments"]["checkout"].as_str().unwrap().to_owned();
        assert_eq!(told["experiments"]["banner"], "on");
        assert_eq!(told["headers"]["x-vitrine-experiments"], format!("checkout={variant}, banner=on"));
        for _ in 0..3 {
            assert_eq!(
                body(&host.get("main", "/").header("cookie", cookie).send())["experiments"]["checkout"],
                variant
            );
        }
        let only = host.get("main", "/only-b").header("cookie", cookie).send();
        assert_eq!(only.body == b"b", variant == "b");
        seen[usize::from(variant == "b")] += 1;
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}

#[test]
fn a_file_with_a_mistake_changes_nothing_and_rollback_undoes() {
    let configured = Host::configured(
        "[[route]]\nhost = \"www.example.com\"\nrespond = { status = 200, body = \"file\" }\n",
    );
    let host = Host::start_in(configured, &["--isolation", "process"]);
    deploy(&host, "main", "v1", &[]);
    let said = |host: &Host| String::from_utf8(ask(host, WWW, "/", &[]).body).unwrap();
    assert_eq!(said(&host), "file");
    host.cli(&["routes", "rollback"]).fails(1, &["no routing rules were set"]);
    set(&host, "[[route]]\nrespond = { status = 200, body = \"one\" }\n");
    set(&host, "[[route]]\nrespond = { status = 200, body = \"two\" }\n");
    let file = host.folder().join("bad.toml");
    std::fs::write(&file, "[[route]]\nhost = \"x.test\"\napp = \"main\"\n[[route]]\ncolour = 1\n").unwrap();
    host.cli(&["routes", "set", file.to_str().unwrap()])
        .fails(1, &["bad.toml:5:1", "unknown field `colour`"]);
    let sent = host.call("PUT", "/v1/routes").header("authorization", &format!("Bearer {}", host.token()));
    let refused = sent.body("[[route]]\nhost = \"A\"\napp = \"a\"").send();
    assert_eq!(refused.status, 422);
    assert!(body(&refused)["detail"].as_str().unwrap().contains("2:8"), "{refused:?}");
    assert_eq!(said(&host), "two");
    let got = host.cli(&["routes", "get", "--json"]).ok().json();
    assert_eq!((&got["revision"], &got["rules"], &got["by"]), (&json!(2), &json!(1), &json!("root")));
    // What was set outlives the host.
    let host = Host::start_in(host.kill(), &["--isolation", "process"]);
    assert_eq!(said(&host), "two");
    for expected in ["one", "file"] {
        host.cli(&["routes", "rollback"]).ok();
        assert_eq!(said(&host), expected);
    }
    let log = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert_eq!(
        (log.matches("\"routes_set\"").count(), log.matches("\"routes_rollback\"").count()),
        (3, 3),
        "{log}"
    );
}

#[test]
fn only_the_hosts_own_token_may_see_and_change_rules() {
    let host = Host::start();
    deploy(&host, "main", "v1", &[]);
    let token = host.cli(&["token", "create", "ci", "--app", "*", "--verb", "*", "--json"]).ok().json();
    let token = format!("Bearer {}", token["token"].as_str().unwrap());
    for (method, path) in [
        ("GET", "/v1/routes"),
        ("PUT", "/v1/routes"),
        ("POST", "/v1/routes/rollback"),
        ("POST", "/v1/routes/explain"),
    ] {
        let answer = Request::new(host.admin, method, path)
            .header("host", "a")
            .header("authorization", &token)
            .body("")
            .send();
        assert_eq!(answer.status, 403, "{method} {path}");
    }
}

#[test]
fn operators_change_rules_under_load_and_each_change_is_seen_whole() {
    let host = Host::start();
    deploy(&host, "main", "v1", &[]);
    let rules = |round: usize| {
        let one = |path: &str| {
            format!(
                "[[route]]\nhost = \"{WWW}\"\npath = \"{path}\"\nrespond = {{ status = 200, body = \"{round}\" }}\n"
            )
        };
        format!("{}{}", one("/a"), one("/b"))
    };
    set(&host, &rules(0));
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let answers = ["/a", "/b"].map(|path| ask(&host, WWW, path, &[]));
                    assert!(
                        answers.iter().all(|answer| answer.status == 200 && !answer.body.is_empty()),
                        "{answers:?}"
                    );
                    // The app is reached as before, whatever is changed.
                    assert_eq!(host.get("main", "/").send().status, 200);
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let operators: Vec<_> = (1..=32)
            .map(|round| {
                let (host, rules) = (&host, rules(round));
                scope.spawn(move || {
                    let call = host
                        .call("PUT", "/v1/routes")
                        .header("authorization", &format!("Bearer {}", host.token()));
                    assert_eq!(call.body(rules).send().status, 200);
                })
            })
            .collect();
        operators.into_iter().for_each(|operator| operator.join().unwrap());
        let answers = ["/a", "/b"].map(|path| ask(&host, WWW, path, &[]).body);
        assert_eq!(answers[0], answers[1], "both rules are of the same change");
        stop.store(true, Ordering::SeqCst);
    });
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_rule_opens_no_guarded_preview_and_forged_pins_reach_none() {
    let folder = Host::folder_anew();
    let password = folder.path().join("password");
    std::fs::write(&password, "a long enough password\n").unwrap();
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(folder.path().join("vitrine.toml"), format!("[previews]\npassword_file = {password:?}\n"))
        .unwrap();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    for app in ["shop", "blog"] {
        deploy(&host, app, "v1", &[]);
    }
    deploy(&host, "blog", "secret", &["--preview", "pr-1"]);
    set(
        &host,
        "[[route]]\nhost = \"shop.localhost\"\npath = \"/blog/*\"\napp = \"blog\"\nversion = \"secret\"\n\
         [[route]]\nhost = \"shop.localhost\"\npath = \"/live/*\"\napp = \"blog\"\n",
    );
    let ask = |path: &str, headers: &[(&str, &str)]| ask(&host, "shop.localhost", path, headers);
    assert_eq!(ask("/blog/", &[]).status, 401);
    assert_eq!(ask("/blog/", &[("cookie", "__vitrine_pass=00000000000000000000000000000000")]).status, 401);
    let open = ask("/blog/", &[("authorization", "Basic eDphIGxvbmcgZW5vdWdoIHBhc3N3b3Jk")]);
    assert_eq!(body(&open)["app"], "blog@secret");
    assert!(open.header("cache-control").unwrap().contains("private"), "{open:?}");
    for pin in ["secret", "blog@secret", "shop@v1"] {
        let answer = ask("/live/", &[("x-vitrine-release", pin)]);
        assert_eq!(
            (&body(&answer)["app"], answer.header("x-vitrine-pin")),
            (&json!("blog@v1"), Some("missed")),
            "{pin}"
        );
    }
}
