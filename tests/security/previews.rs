//! Releases that users never got: search engines are told to leave them alone, and a password guards them where the operator wants one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

const PROCESS: [&str; 2] = ["--isolation", "process"];
/// As nothing else on this machine.
const PASSWORD: &str = "pr3vi3ws-Zt5qV8-password";

/// An app that says back what it was sent, with a file.
fn bundle(mark: &str) -> tempfile::TempDir {
    let entry = fs::read_to_string(fixture("echo").join("server/index.js")).unwrap();
    bundle_dir(&[
        ("server/index.js", &format!("{entry}\n// {mark}\n")),
        ("client/assets/app-1a2b3c4d.js", "let a = 1"),
    ])
}

fn deploy(host: &Host, app: &str, mark: &str, flags: &[&str]) -> String {
    let folder = bundle(mark);
    host.cli(&[&["deploy", app, folder.path().to_str().unwrap()], flags].concat()).ok().stderr
}

fn guarded(more: &str) -> Host {
    guarded_in(Host::folder_anew(), more)
}

fn guarded_in(folder: tempfile::TempDir, more: &str) -> Host {
    let toml = format!("[previews]\npassword_file = \"password\"\n{more}");
    fs::write(folder.path().join("vitrine.toml"), toml).unwrap();
    let file = folder.path().join("password");
    fs::write(&file, PASSWORD).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    Host::start_in(folder, &PROCESS)
}

fn basic(password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("anna:{password}")))
}

/// `NAME=VALUE` of the pass that an answer gives.
fn pass_of(answer: &Answer) -> Option<String> {
    let given = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut passes = given.filter(|(_, value)| value.starts_with("__vitrine_pass="));
    let (_, value) = passes.next()?;
    assert!(value.contains("; HttpOnly; SameSite=Lax"), "{value}");
    value.split(';').next().map(String::from)
}

fn saw(answer: &Answer, name: &str) -> Option<serde_json::Value> {
    let json = answer.json();
    let headers = json["headers"].as_array().unwrap().clone();
    headers.into_iter().find(|pair| pair[0] == name).map(|pair| pair[1].clone())
}

#[test]
fn under_its_own_name_no_release_is_for_search_engines() {
    let host = Host::start_with(&PROCESS);
    deploy(&host, "shop", "one", &["--version", "v1"]);
    deploy(&host, "shop", "two", &["--version", "v2", "--no-promote"]);
    deploy(&host, "shop", "three", &["--preview", "pr-1"]);
    let tag = |request: Request| request.send().header("x-robots-tag").map(String::from);
    for label in ["shop-pr-1", "shop-v2", "shop-v1"] {
        for path in ["/", "/?header=x-robots-tag:all", "/assets/app-1a2b3c4d.js", "/assets/none-1a2b3c4d.js"]
        {
            assert_eq!(tag(host.get(label, path)).as_deref(), Some("noindex"), "{label}{path}");
        }
    }
    for path in ["/", "/assets/app-1a2b3c4d.js"] {
        assert_eq!(tag(host.get("shop", path)), None, "{path}");
    }
    assert_eq!(tag(host.get("shop", "/?header=x-robots-tag:nofollow")).as_deref(), Some("nofollow"));
}

#[test]
fn a_guarded_preview_is_seen_with_the_password_or_a_link_and_by_nobody_else() {
    let host = guarded("");
    deploy(&host, "shop", "one", &["--version", "v1"]);
    let said = deploy(&host, "shop", "two", &["--preview", "pr-1"]);
    deploy(&host, "shop", "three", &["--preview", "pr-2"]);
    deploy(&host, "shop", "four", &["--version", "v4", "--no-promote"]);
    for label in ["shop-pr-1", "shop-pr-2", "shop-v4"] {
        for path in ["/", "/assets/app-1a2b3c4d.js", "/?__vitrine_pass=00000000000000000000000000000000"] {
            let refused = host.get(label, path).send();
            assert_eq!(refused.status, 401, "{label}{path}");
            assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "));
            assert!(
                !refused.text().contains("headers") && !refused.text().contains("let a"),
                "{label}{path}"
            );
            assert_eq!(pass_of(&refused), None);
        }
        let wrong = host.get(label, "/").header("authorization", &basic("another password")).send();
        assert_eq!(wrong.status, 401);
    }
    // The password, as a tool shows it, goes no further; its client gets a pass.
    let shown = host.get("shop-pr-1", "/").header("authorization", &basic(PASSWORD)).send();
    assert_eq!((shown.status, saw(&shown, "authorization")), (200, None));
    let pass = pass_of(&shown).unwrap();
    let with =
        |label: &str, path: &str| host.get(label, path).header("cookie", &format!("a=b; {pass}")).send();
    let page = with("shop-pr-1", "/?header=cache-control:public,%20max-age=60");
    assert_eq!((page.status, page.header("cache-control")), (200, Some("private, max-age=60")));
    assert_eq!(saw(&page, "cookie"), Some("a=b".into()));
    assert_eq!(pass_of(&page), None, "it has one");
    let file = with("shop-pr-1", "/assets/app-1a2b3c4d.js");
    assert_eq!(
        (file.text(), file.header("cache-control")),
        ("let a = 1", Some("private, max-age=31536000, immutable"))
    );
    assert_eq!(with("shop-pr-2", "/").status, 401, "each has passes of its own");
    // The app's own use of the header is the app's.
    let own = host
        .get("shop-pr-1", "/")
        .header("cookie", &pass)
        .header("authorization", "Bearer of-the-app")
        .send();
    assert_eq!(saw(&own, "authorization"), Some("Bearer of-the-app".into()));
    // The link that the deploy printed, as a browser follows it.
    let link = said.split_whitespace().find(|word| word.contains("__vitrine_pass=")).unwrap();
    let token = link.split_once("__vitrine_pass=").unwrap().1;
    let followed = host.get("shop-pr-1", &format!("/page?a=1&__vitrine_pass={token}")).send();
    assert_eq!((followed.status, followed.header("location")), (303, Some("/page?a=1")));
    assert_eq!(pass_of(&followed), Some(pass.clone()));
    assert_eq!(with("shop-pr-1", "/page?a=1").status, 200);
    let log = host.log();
    for text in [PASSWORD, token, &basic(PASSWORD)] {
        assert!(!log.contains(text), "the log holds {text}");
    }
}

#[test]
fn every_method_is_asked_for_the_password_and_a_link_is_exchanged_where_it_can_be_followed() {
    let host = guarded("");
    let said = deploy(&host, "shop", "one", &["--preview", "pr-1"]);
    let (_, token) = said.split_once("__vitrine_pass=").unwrap();
    let token = token.split_whitespace().next().unwrap();
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"] {
        let has_body = matches!(method, "POST" | "PUT");
        let ask = |path: &str| {
            let request = Request::new(host.edge, method, path).with_host("shop-pr-1.localhost");
            if has_body { request.body("of a form") } else { request }
        };
        // What a browser asks before a call to another origin shows no password, and gets no further than the call itself would.
        let refused = ask("/").header("origin", "https://shop.example").send();
        assert_eq!((refused.status, pass_of(&refused)), (401, None), "{method}");
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "), "{method}");
        assert!(!String::from_utf8_lossy(&refused.body).contains("headers"), "{method}");
        let shown = ask("/").header("authorization", &basic(PASSWORD)).send();
        assert_eq!((shown.status, shown.header("cache-control")), (200, Some("private")), "{method}");
        let pass = pass_of(&shown).unwrap();
        let linked = ask(&format!("/page?a=1&__vitrine_pass={token}")).send();
        assert_eq!(pass_of(&linked), Some(pass.clone()), "{method}");
        let with = ask("/page?a=1").header("cookie", &pass).send();
        assert_eq!(with.status, 200, "{method}");
        if matches!(method, "GET" | "HEAD") {
            assert_eq!((linked.status, linked.header("location")), (303, Some("/page?a=1")), "{method}");
        } else {
            // A redirect would lose its body, or be none that a script follows.
            let url = linked.json()["url"].as_str().unwrap().to_owned();
            assert!(url.ends_with("/page?a=1"), "{method} {url}");
            let body = if has_body { "of a form" } else { "" };
            assert_eq!((&linked.json()["method"], &linked.json()["body"]), (&method.into(), &body.into()));
        }
        if method == "HEAD" {
            assert!([refused, shown, linked, with].iter().all(|answer| answer.body.is_empty()));
        }
    }
}

#[test]
fn over_tls_a_pass_is_a_cookie_that_no_other_host_name_can_give() {
    let folder = Host::folder_anew();
    for name in ["localhost.pem", "localhost.key.pem"] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
        fs::copy(fixture, folder.path().join(name)).unwrap();
    }
    let tls =
        "[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"localhost.pem\"\nkey = \"localhost.key.pem\"\n";
    let host = guarded_in(folder, tls);
    let said = deploy(&host, "shop", "one", &["--preview", "pr-1"]);
    let link = said.split_whitespace().find(|word| word.contains("__vitrine_pass=")).unwrap();
    let url = reqwest::Url::parse(link).unwrap();
    assert_eq!(url.scheme(), "https");
    let address = ([127, 0, 0, 1], url.port().unwrap()).into();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .redirect(reqwest::redirect::Policy::none())
        .resolve(url.host_str().unwrap(), address)
        .build()
        .unwrap();
    let followed = runtime.block_on(client.get(url.clone()).send()).unwrap();
    assert_eq!(followed.status(), 303);
    let cookie = followed.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-__vitrine_pass="), "{cookie}");
    assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let (_, pass) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    let status = |name: &str| {
        let request = client.get(url.join("/").unwrap()).header("cookie", format!("{name}={pass}"));
        runtime.block_on(request.send()).unwrap().status().as_u16()
    };
    assert_eq!(status("__Host-__vitrine_pass"), 200);
    // Another host name of the domain, or plain HTTP, can give a browser this one.
    assert_eq!(status("__vitrine_pass"), 401);
}

#[test]
fn what_users_have_or_had_asks_for_no_password() {
    let host = guarded("");
    deploy(&host, "shop", "one", &["--version", "v1"]);
    deploy(&host, "shop", "two", &["--preview", "pr-1", "--version", "v2"]);
    let status = |label: &str| host.get(label, "/").send().status;
    assert_eq!((status("shop"), status("shop-v1"), status("shop-pr-1")), (200, 200, 401));
    host.cli(&["promote", "shop", "v2"]).ok();
    assert_eq!((status("shop"), status("shop-v1"), status("shop-v2")), (200, 200, 200));
    // A browser goes on showing the password to a name that asked for it: the app does not see it, nor a link.
    let shown = |path: &str, values: &[&str]| {
        let request = host.get("shop-v2", path);
        values.iter().fold(request, |request, value| request.header("authorization", value)).send()
    };
    let (password, other) = (basic(PASSWORD), "Bearer of-the-app");
    for values in [&[password.as_str()][..], &[other, &password]] {
        assert_eq!(saw(&shown("/?__vitrine_pass=00", values), "authorization"), None, "{values:?}");
    }
    assert!(!shown("/?__vitrine_pass=00", &[]).text().contains("__vitrine_pass"));
    assert_eq!(saw(&shown("/", &[other]), "authorization"), Some(other.into()));
    let listed = host.cli(&["releases", "shop", "--json"]).ok().json();
    assert!(listed.as_array().unwrap().iter().all(|release| release["link"].is_null()), "{listed}");
}

#[test]
fn no_app_sees_the_password_or_a_pass_under_any_host_name() {
    let host = guarded("apps = [\"blog\"]\n[[routes]]\nhost = \"www.shop.test\"\napp = \"shop\"\n");
    deploy(&host, "blog", "one", &["--version", "v1"]);
    let said = deploy(&host, "blog", "two", &["--preview", "pr-1"]);
    deploy(&host, "shop", "one", &["--version", "v1"]);
    deploy(&host, "shop", "two", &["--preview", "pr-1"]);
    let token = said.split_once("__vitrine_pass=").unwrap().1.split_whitespace().next().unwrap();
    let (password, link) = (basic(PASSWORD), format!("/page?a=1&__vitrine_pass={token}"));
    // An app of users, the same by another host name, a preview that asks for nothing, and the preview itself.
    for name in
        ["blog.localhost", "shop.localhost", "www.shop.test", "shop-pr-1.localhost", "blog-pr-1.localhost"]
    {
        let ask = |path: &str, authorization: &str| {
            let shown = Request::new(host.edge, "POST", path)
                .with_host(name)
                .header("authorization", authorization)
                .header("cookie", &format!("a=b; __vitrine_pass={token}"))
                .header("referer", &format!("http://blog-pr-1.localhost{link}"))
                .body("of a form")
                .send();
            assert_eq!(shown.status, 200, "{name}");
            assert!(!shown.text().contains(token) && !shown.text().contains("__vitrine_pass"), "{name}");
            saw(&shown, "authorization")
        };
        assert_eq!(ask(&link, &password), None, "{name}");
        // What is the app's own goes on, whatever its scheme.
        for own in ["Bearer of-the-app", basic("a password of the app").as_str()] {
            assert_eq!(ask(&link, own), Some(own.into()), "{name}");
        }
    }
    let plain = host.get("blog", "/").header("referer", "http://blog.localhost/page").send();
    assert_eq!(saw(&plain, "referer"), Some("http://blog.localhost/page".into()));
}

#[test]
fn apps_that_are_not_listed_ask_for_no_password() {
    let host = guarded("apps = [\"blog\"]\n");
    for app in ["shop", "blog"] {
        deploy(&host, app, app, &["--preview", "pr-1"]);
    }
    let status = |label: &str| host.get(label, "/").send().status;
    assert_eq!((status("shop-pr-1"), status("blog-pr-1")), (200, 401));
}

#[test]
fn without_its_password_a_host_does_not_start() {
    let folder = Host::configured("[previews]\npassword_file = \"nowhere\"\n");
    let folder = Host::try_start(folder, &PROCESS, &[]).map(|_| "it starts").unwrap_err();
    let log = fs::read_to_string(folder.path().join("host.log")).unwrap();
    assert!(log.contains("nowhere") && log.contains("password"), "{log}");
}
