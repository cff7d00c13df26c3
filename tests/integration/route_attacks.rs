//! Attempts to get around routing rules, and what must not break a host that has some.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

const WWW: &str = "www.example.com";
const APP: &str = "export default (request) => Response.json({ path: new URL(request.url).pathname,
    headers: Object.fromEntries(request.headers) });";
const PATIENCE: Duration = Duration::from_secs(60);

fn deploy(host: &Host, app: &str, flags: &[&str]) {
    host.deploy_files(app, &[("server/index.js", APP)], flags);
}

fn set(host: &Host, toml: &str) {
    let file = host.folder().join("routes.toml");
    std::fs::write(&file, toml).unwrap();
    host.cli(&["routes", "set", file.to_str().unwrap()]).ok();
}

fn ask(host: &Host, name: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::new(host.edge, "GET", path).header("host", name);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// A server that answers with the head of each request.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                head.len()
            );
            let _ = stream.write_all(&head);
        }
    });
    address
}

#[test]
fn no_spelling_of_a_path_gets_around_a_rule() {
    let host = Host::start();
    deploy(&host, "main", &["--version", "v1"]);
    set(
        &host,
        &format!(
            "[[route]]\nhost = \"{WWW}\"\npath = \"/admin/*\"\ndeny = [\"0.0.0.0/0\"]\napp = \"main\"\n\
             [[route]]\nhost = \"{WWW}\"\nheader = {{ x-evil = \"*\" }}\nrespond = {{ status = 403 }}\n\
             [[route]]\nhost = \"{WWW}\"\npath = \"/s/*\"\nstrip_prefix = \"/s\"\napp = \"main\"\n\
             [[route]]\nhost = \"down.example.com\"\npath = \"/*\"\nmaintenance = true\napp = \"main\"\n\
             [[route]]\nhost = \"{WWW}\"\napp = \"main\"\n"
        ),
    );
    for path in [
        "/admin/x",
        "/admin",
        "//admin/x",
        "/%61dmin/x",
        "/x/../admin/x",
        "/x/%2e%2e/admin/x",
        "/admin%2fx",
        "/admin\\x",
        "/admin//../x",
        "/admin//..",
        "/admin/x//..//..",
        "/admin/\\../x",
        "/admin/..%2fx",
        "/admin/..%5cx",
        "/admin/..%2f..%2fs/x",
    ] {
        let status = ask(&host, WWW, path, &[]).status;
        assert!(matches!(status, 400 | 403), "{path}: {status}");
    }
    assert_eq!(ask(&host, WWW, "/x", &[]).status, 200);
    assert_eq!(ask(&host, WWW, "/x", &[("x-evil", "a")]).status, 403);
    let mut raw = TcpStream::connect(host.edge).unwrap();
    raw.write_all(
        format!("GET /x HTTP/1.1\r\nhost: {WWW}\r\nx-evil: \u{e9}\r\nconnection: close\r\n\r\n").as_bytes(),
    )
    .unwrap();
    let mut answer = Vec::new();
    raw.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 403"), "{}", String::from_utf8_lossy(&answer));
    for path in ["/s/x", "/%73/x", "//s/x", "/a/../s/x"] {
        let body = String::from_utf8(ask(&host, WWW, path, &[]).body).unwrap();
        assert!(
            body.contains("\"path\":\"/x\"") && body.contains("\"x-forwarded-prefix\":\"/s\""),
            "{path}: {body}"
        );
    }
    let options = Request::new(host.edge, "OPTIONS", "*").header("host", "down.example.com").send();
    assert_eq!(options.status, 503);
}

#[test]
fn a_trusted_proxys_forwarded_host_leads_around_no_rule() {
    let folder = Host::configured("trusted_proxies = [\"127.0.0.1/32\"]\n");
    let host = Host::start_in(folder, &["--isolation", "process"]);
    deploy(&host, "main", &["--version", "v1"]);
    deploy(&host, "other", &["--version", "v1"]);
    set(
        &host,
        &format!(
            "[[route]]\nhost = \"{WWW}\"\npath = \"/admin/*\"\nrespond = {{ status = 403 }}\n[[route]]\nhost = \"{WWW}\"\napp = \"main\"\n"
        ),
    );
    assert_eq!(ask(&host, WWW, "/admin/x", &[("x-forwarded-host", "main.localhost")]).status, 403);
    assert_eq!(ask(&host, "inner:3000", "/admin/x", &[("x-forwarded-host", WWW)]).status, 403);
    assert_eq!(ask(&host, "inner:3000", "/x", &[("x-forwarded-host", WWW)]).status, 200);
}

#[test]
fn upstreams_get_no_password_of_the_host_and_no_forged_header() {
    let folder = Host::folder_anew();
    let password = folder.path().join("password");
    std::fs::write(&password, "a long enough password\n").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config =
        format!("[previews]\npassword_file = {password:?}\n[edge]\ntrusted_headers = [\"x-auth-user\"]\n");
    std::fs::write(folder.path().join("vitrine.toml"), config).unwrap();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    let address = upstream();
    let users = host.folder().join("users");
    std::fs::write(&users, "ann:a word\n").unwrap();
    set(
        &host,
        &format!(
            "[[route]]\npath = \"/guarded/*\"\nbasic_auth_file = {users:?}\nupstream = \"http://{address}\"\n\
             set_response_headers = {{ cache-control = \"public, max-age=60\" }}\n\
             [[route]]\nupstream = \"http://{address}\"\n"
        ),
    );
    let answer = ask(
        &host,
        WWW,
        "/a/../b?__vitrine_pass=1234&c=d",
        &[
            ("authorization", "Basic eDphIGxvbmcgZW5vdWdoIHBhc3N3b3Jk"),
            ("cookie", "__vitrine_pass=5678; session=1"),
            ("x-auth-user", "root"),
            ("X_Forwarded_For", "1.1.1.1"),
            ("x-middleware-subrequest", "a"),
            ("x-vitrine-own-call", "3"),
            ("x-vitrine-release", "v1"),
        ],
    );
    let head = String::from_utf8(answer.body).unwrap();
    assert!(head.starts_with("GET /b?c=d HTTP/1.1\r\n"), "{head}");
    for secret in ["authorization", "5678", "x-auth-user", "x_forwarded_for", "x-middleware", "own-call"] {
        assert!(!head.to_ascii_lowercase().contains(secret), "{secret}: {head}");
    }
    assert!(head.contains("cookie: session=1\r\n") && head.contains("x-vitrine-release: v1\r\n"), "{head}");
    let shown = [("authorization", "Basic YW5uOmEgd29yZA==")];
    let guarded = ask(&host, WWW, "/guarded/", &shown);
    assert!(
        guarded.status == 200 && guarded.header("cache-control").unwrap().contains("private"),
        "{guarded:?}"
    );
    let socket = [
        shown[0],
        ("origin", "https://evil.com"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    assert_eq!(ask(&host, WWW, "/guarded/", &socket).status, 403);
}

#[test]
fn a_file_that_is_gone_closes_its_rule_and_keeps_no_host_down() {
    let host = Host::start();
    deploy(&host, "main", &["--version", "v1"]);
    let users = host.folder().join("users");
    let content = "ann:a word\n";
    std::fs::write(&users, content).unwrap();
    set(&host, &format!("[[route]]\nhost = \"{WWW}\"\nbasic_auth_file = {users:?}\napp = \"main\"\n"));
    let shown = [("authorization", "Basic YW5uOmEgd29yZA==")];
    assert_eq!(ask(&host, WWW, "/", &shown).status, 200);
    let host = {
        let folder = host.kill();
        std::fs::remove_file(Path::new(&users)).unwrap();
        Host::start_in(folder, &["--isolation", "process"])
    };
    assert_eq!(host.get("main", "/").send().status, 200);
    assert_eq!(ask(&host, WWW, "/", &shown).status, 401);
    assert!(host.log().contains("stays closed until it can"), "{}", host.log());
    std::fs::write(&users, content).unwrap();
    wait_until("the rule is open again", PATIENCE, || {
        (ask(&host, WWW, "/", &shown).status == 200).then_some(())
    });
}

#[test]
fn a_host_goes_back_to_what_it_still_knows_and_to_nothing_else() {
    let host = Host::start();
    let rules = |text: &str| format!("[[route]]\nrespond = {{ status = 200, body = \"{text}\" }}\n");
    let said = |host: &Host| String::from_utf8(ask(host, WWW, "/", &[]).body).unwrap();
    set(&host, &rules("first"));
    for _ in 0..12 {
        set(&host, &rules("next"));
        host.cli(&["routes", "rollback"]).ok();
        assert_eq!(said(&host), "first", "what is undone takes no place");
    }
    for number in 0..10 {
        set(&host, &rules(&number.to_string()));
    }
    for number in (0..9).rev() {
        host.cli(&["routes", "rollback"]).ok();
        assert_eq!(said(&host), number.to_string());
    }
    host.cli(&["routes", "rollback"]).fails(1, &["not kept any more"]);
    assert_eq!(said(&host), "0");
    host.cli(&["routes", "reset"]).ok();
    assert_eq!(ask(&host, WWW, "/", &[]).status, 404);
    let empty = host.folder().join("empty.toml");
    std::fs::write(&empty, "").unwrap();
    host.cli(&["routes", "set", empty.to_str().unwrap()]).fails(1, &["has no [[route]]"]);
}

#[test]
fn a_rollback_that_is_asked_for_again_under_its_key_goes_back_once() {
    let host = Host::start();
    // Its answer is longer than those that are kept for a request that comes again.
    let long = "# ".to_owned() + &"x".repeat(70 << 10);
    for text in ["one", "two", "three"] {
        set(&host, &format!("{long}\n[[route]]\nrespond = {{ status = 200, body = \"{text}\" }}\n"));
    }
    let rollback =
        || host.call("POST", "/v1/routes/rollback").header("idempotency-key", "again").body("{}").send();
    for _ in 0..3 {
        let answer = rollback();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(ask(&host, WWW, "/", &[]).body, b"two");
    }
}

#[test]
fn apps_that_share_a_host_name_get_no_pin_of_each_other_and_caches_none_at_all() {
    const PAGE: &str =
        "export default (request) => new Response('VERSION', { headers: { 'content-type': 'text/html' } });";
    let host = Host::start();
    let deploy = |app: &str, version: &str| {
        let page = PAGE.replace("VERSION", &format!("{app}@{version}"));
        host.deploy_files(app, &[("server/index.js", &page)], &["--version", version]);
    };
    for (app, version) in [("main", "v5"), ("main", "v7"), ("learn", "v5")] {
        deploy(app, version);
    }
    set(
        &host,
        &format!(
            "[[route]]\nhost = \"{WWW}\"\npath = \"/learn/*\"\napp = \"learn\"\n\
             [[route]]\nhost = \"{WWW}\"\npath = \"/public\"\napp = \"main\"\nset_response_headers = {{ cache-control = \"public, max-age=300\" }}\n\
             [[route]]\nhost = \"{WWW}\"\napp = \"main\"\n"
        ),
    );
    let text = |answer: &Answer| String::from_utf8(answer.body.clone()).unwrap();
    let page = ask(&host, WWW, "/learn/", &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]);
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap();
    assert_eq!((cookie, text(&page).as_str()), ("__vitrine_release=learn@v5", "learn@v5"));
    for pin in [cookie, "__vitrine_release=v5"] {
        let fetched = ask(&host, WWW, "/data", &[("sec-fetch-mode", "cors"), ("cookie", pin)]);
        assert_eq!(text(&fetched), "main@v7", "{pin}");
    }
    let own =
        ask(&host, WWW, "/data", &[("sec-fetch-mode", "cors"), ("cookie", "__vitrine_release=main@v5")]);
    assert_eq!(text(&own), "main@v5");
    let public = ask(&host, WWW, "/public", &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]);
    let pinned = ask(
        &host,
        WWW,
        "/public",
        &[("sec-fetch-mode", "navigate"), ("accept", "text/html"), ("cookie", "__vitrine_release=main@v5")],
    );
    assert!(pinned.header("set-cookie").is_some(), "{pinned:?}");
    assert!(pinned.header("cache-control").unwrap().contains("private"), "{pinned:?}");
    assert_eq!(
        (public.header("cache-control"), public.header("set-cookie")),
        (Some("public, max-age=300"), None)
    );
    assert!(
        public.headers.iter().any(|(name, value)| name == "vary" && value.contains("x-vitrine-release")),
        "{public:?}"
    );
}
