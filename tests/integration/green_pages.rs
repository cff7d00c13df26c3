//! A flip keeps the hits of the cache, and pages that are worse than those that users have are seen before users see them.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Fifty pages of some elements; one path is told what is wrong with it.
const APP: &str = r#"
const SHARED = { "cache-control": "public, s-maxage=600", "content-type": "text/html" };
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/copied") return new Response(`<p>VERSION ${JSON.stringify([...request.headers])}</p>`, { headers: SHARED });
    const language = request.headers.get("accept-language");
    const page = `<p>VERSION ${pathname} ${language}</p>${"<b>x</b>".repeat(40)}`;
    if (pathname === "/page/7") {
      const fault = "FAULT";
      if (fault === "throws") throw new Error("broken");
      if (fault === "status") return new Response("gone", { status: 404, headers: SHARED });
      if (fault === "empty") return new Response("<p></p>", { headers: SHARED });
    }
    return new Response(page, { headers: SHARED });
  },
};
"#;

fn app(version: &str, fault: &str) -> String {
    APP.replace("VERSION", version).replace("FAULT", fault)
}

fn deploy(host: &Host, version: &str) {
    host.deploy_files("shop", &[("server/index.js", &app(version, "none"))], &["--version", version]);
}

fn get(host: &Host, path: &str, language: &str) -> Answer {
    host.get("shop", path).header("accept-language", language).header("accept", "text/html").send()
}

/// Asks for every page twice, and gives how many of the second answers come from the cache, of how many.
fn hits(host: &Host, version: &str) -> (usize, usize) {
    let (mut hits, mut asked) = (0, 0);
    for number in 0..50 {
        for language in ["de", "en"] {
            let answer = get(host, &format!("/page/{number}"), language);
            assert!(answer.text().contains(version), "{answer:?}");
            asked += 1;
            hits += usize::from(answer.header("cache-status").unwrap().starts_with("vitrine; hit"));
        }
    }
    (hits, asked)
}

#[test]
fn the_first_requests_after_a_flip_are_hits() {
    let host = Host::start();
    deploy(&host, "v1");
    hits(&host, "v1");
    get(&host, "/copied", "de");
    get(&host, "/copied", "de");
    assert_eq!(hits(&host, "v1"), (100, 100));
    deploy(&host, "v2");
    let copied = get(&host, "/copied", "de");
    assert!(
        copied.header("cache-status").unwrap().starts_with("vitrine; hit") && copied.text().contains("v2"),
        "{copied:?}"
    );
    let (hits, asked) = hits(&host, "v2");
    assert!(hits * 100 >= asked * 95, "{hits} of {asked}");
}

#[test]
fn a_release_whose_pages_are_worse_is_refused_where_the_operator_wants_that() {
    let host = Host::start_in(Host::configured("[deploy]\ncache_gate = true\n"), &["--isolation", "process"]);
    deploy(&host, "v1");
    hits(&host, "v1");
    for (version, fault, says) in [
        ("v2", "throws", "its render ended as app_error"),
        ("v3", "status", "404 instead of 200"),
        ("v4", "empty", "1 elements instead of 41"),
    ] {
        let server = app(version, fault);
        let folder = vitrine_test_support::archive::bundle_dir(&[("server/index.js", server.as_str())]);
        let folder = folder.path().to_str().unwrap();
        let ran = host
            .cli(&["deploy", "shop", folder, "--version", version])
            .fails(1, &["pages are worse", "/page/7", says]);
        assert!(!ran.stderr.contains("/page/8"), "{ran:?}");
        assert!(get(&host, "/page/1", "de").text().contains("v1"));
    }
    deploy(&host, "v5");
}
