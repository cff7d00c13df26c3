//! Version skew: a page that is open keeps its release, a new one gets what is live.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

fn deploy(host: &Host, version: &str, flags: &[&str]) {
    let page = format!(
        "export default (request) => new Response('page of {version}', {{ headers: {{ 'content-type': \
         new URL(request.url).pathname === '/api' ? 'application/json' : 'text/html; charset=utf-8' }} }});\n"
    );
    let files = [("server/index.js", page.as_str()), ("client/app.js", version)];
    host.deploy_files("shop", &files, &[&["--version", version], flags].concat());
}

/// v1 was live, v2 is, v3 was rolled back from, v4 never was.
fn with_four() -> Host {
    let host = Host::start();
    for version in ["v1", "v2", "v3"] {
        deploy(&host, version, &[]);
    }
    host.cli(&["rollback", "shop"]).ok();
    deploy(&host, "v4", &["--no-promote"]);
    host
}

fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.get("shop", path), |request, (name, value)| request.header(name, value)).send()
}

fn assert_from(answer: &Answer, version: &str, missed: bool, what: &str) {
    let release = format!("shop@{version}");
    assert_eq!((answer.status, answer.header("x-vitrine-release")), (200, Some(&*release)), "{what}");
    assert_eq!(answer.text(), format!("page of {version}"), "{what}");
    assert_eq!(answer.header("x-vitrine-pin"), missed.then_some("missed"), "{what}");
}

#[test]
fn a_pin_reaches_what_was_live_and_nothing_else() {
    let host = with_four();
    assert_from(&get(&host, "/", &[]), "v2", false, "no pin");
    for (pin, version, missed) in [
        ("v1", "v1", false),
        ("shop@v1", "v1", false),
        ("v2", "v2", false),
        ("v3", "v2", true),
        ("v4", "v2", true),
        ("v9", "v2", true),
        ("blog@v1", "v2", true),
        ("nonsense \u{e9}", "v2", true),
        ("", "v2", true),
    ] {
        assert_from(&get(&host, "/", &[("x-vitrine-release", pin)]), version, missed, pin);
    }
    // One that was rolled back from gives its files, never its pages.
    let file = |pin: &str| get(&host, "/app.js", &[("x-vitrine-release", pin)]).text().to_owned();
    assert_eq!(["v1", "v2", "v3", "v4"].map(file), ["v1", "v2", "v3", "v2"]);
    // By its own host name each answers, whatever the pin.
    let own = host.get("shop-v4", "/").header("x-vitrine-release", "v1").send();
    assert_from(&own, "v4", false, "own host name");
}

#[test]
fn a_page_keeps_its_sub_requests_at_its_release() {
    let host = with_four();
    let navigate = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
    let document = get(&host, "/", &navigate);
    let cookie = document.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__vitrine_release=v2; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    let known = ("cookie", "theme=dark; __vitrine_release=v2");
    assert_eq!(get(&host, "/", &[navigate[0], navigate[1], known]).header("set-cookie"), None);
    assert_eq!(get(&host, "/api", &[("sec-fetch-mode", "cors")]).header("set-cookie"), None);

    let old = ("cookie", "__vitrine_release=v1");
    for mode in ["cors", "same-origin", "no-cors"] {
        assert_from(&get(&host, "/api", &[old, ("sec-fetch-mode", mode)]), "v1", false, mode);
    }
    let file = get(&host, "/app.js", &[old, ("sec-fetch-mode", "no-cors")]);
    assert_eq!(file.text(), "v1");
    let reloaded = get(&host, "/", &[old, navigate[0], navigate[1]]);
    assert_from(&reloaded, "v2", false, "a reload gets what is live");
    assert!(reloaded.header("set-cookie").unwrap().contains("__vitrine_release=v2"));
    let both = [old, ("x-vitrine-release", "v2"), ("sec-fetch-mode", "cors")];
    assert_from(&get(&host, "/api", &both), "v2", false, "the header wins");
    let gone = [("cookie", "__vitrine_release=v9"), ("sec-fetch-mode", "cors")];
    assert_from(&get(&host, "/api", &gone), "v2", true, "a release that is not retained");
}
