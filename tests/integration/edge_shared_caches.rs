//! Pages that shared caches keep, and pages that clients have already: none of them stays in force beyond its release.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Every release gives the same validators, as apps do that derive them from their data.
const APP: &str = r#"
const html = { "content-type": "text/html" };
const date = "Mon, 02 Nov 2026 08:00:00 GMT";
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    const page = (headers) => new Response("VERSION", { headers: { ...html, ...headers } });
    switch (pathname) {
      case "/public": return page({ "cache-control": "public, max-age=60" });
      case "/tag": return page({ etag: '"same"' });
      case "/date": return page({ "last-modified": date });
      case "/data": return Response.json("VERSION", { headers: { "last-modified": date } });
      case "/bare": return page({});
      case "/targeted": return page({ "cache-control": "private", "cdn-cache-control": "max-age=60", "vitrine-cdn-cache-control": "max-age=5" });
      case "/ours": return page({ "vitrine-cdn-cache-control": "max-age=5" });
      case "/itself": {
        const known = request.headers.get("if-none-match")?.replace("W/", "") === '"same"' || request.headers.has("if-modified-since");
        const headers = { etag: '"same"', "last-modified": date };
        return known ? new Response(null, { status: 304, headers }) : page(headers);
      }
      default: return new Response(null, { status: 404 });
    }
  },
};
"#;
const EARLY: &str = "Mon, 02 Nov 2026 08:00:00 GMT";
const LATE: &str = "Mon, 02 Nov 2026 09:00:00 GMT";

fn deploy(host: &Host, version: &str) {
    let files = [("server/index.js", APP.replace("VERSION", version))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    host.deploy_files("shop", &files, &["--version", version]);
}

fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.get("shop", path), |request, (name, value)| request.header(name, value)).send()
}

#[test]
fn a_whole_answer_has_a_tag_of_its_content_where_its_app_wants_that() {
    let host = Host::start();
    deploy(&host, "v1");
    assert_eq!(get(&host, "/bare", &[]).header("etag"), None);
    let deploy = |version: &str, text: &str| {
        let app = APP.replace("VERSION", text);
        let files = [("server/index.js", app.as_str()), ("vitrine.json", "{\"auto_etag\":true}")];
        host.deploy_files("shop", &files, &["--version", version]);
        get(&host, "/bare", &[]).header("etag").unwrap().to_owned()
    };
    let tag = deploy("v2", "text");
    let known = get(&host, "/bare", &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.header("etag")), (304, Some(tag.as_str())));
    assert_eq!(get(&host, "/bare", &[("if-none-match", &tag), ("accept-encoding", "br")]).status, 304);
    assert!(get(&host, "/tag", &[]).header("etag").unwrap().starts_with("\"same;"), "the app's own is kept");
    assert_ne!(deploy("v3", "other text"), tag);
    assert_eq!(get(&host, "/bare", &[("if-none-match", &tag)]).status, 200);
}

#[test]
fn a_field_for_cdns_goes_on_to_them_and_the_hosts_own_stays_here() {
    let host = Host::start();
    deploy(&host, "v1");
    let targeted = get(&host, "/targeted", &[]);
    let said = ["cache-control", "cdn-cache-control", "vitrine-cdn-cache-control", "set-cookie"];
    assert_eq!(
        said.map(|name| targeted.header(name)),
        [Some("private"), Some("max-age=60"), None, None],
        "{targeted:?}"
    );
    let ours = get(&host, "/ours", &[]);
    assert!(
        ours.header("vitrine-cdn-cache-control").is_none() && ours.header("set-cookie").is_some(),
        "{ours:?}"
    );
}

#[test]
fn a_page_for_all_does_not_leave_a_browser_at_another_release() {
    let host = Host::start();
    deploy(&host, "v1");
    deploy(&host, "v2");
    let navigate = ("sec-fetch-mode", "navigate");
    let said = |headers: &[(&str, &str)]| {
        let answer = get(&host, "/public", headers);
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        (answer.text().to_owned(), header("cache-control"), header("set-cookie"), header("vary"))
    };
    let shared = |version: &str| {
        let vary = "x-vitrine-release".to_owned();
        (version.to_owned(), "public, max-age=60".to_owned(), String::new(), vary)
    };
    let private = |version: &str| {
        let cookie = format!("__vitrine_release={version}; Path=/; HttpOnly; SameSite=Lax");
        (version.to_owned(), "private, max-age=60".to_owned(), cookie, String::new())
    };
    assert_eq!(said(&[navigate]), shared("v2"));
    assert_eq!(said(&[navigate, ("cookie", "__vitrine_release=v2")]), shared("v2"));
    assert_eq!(said(&[navigate, ("cookie", "__vitrine_release=v1")]), private("v2"));
    assert_eq!(said(&[navigate, ("x-vitrine-release", "v1")]), private("v1"));
}

#[test]
fn nobody_is_told_that_the_page_of_another_release_is_still_the_page() {
    let host = Host::start();
    deploy(&host, "v1");
    let tag = |path: &str| get(&host, path, &[]).header("etag").unwrap().to_owned();
    let by_tag = |path: &str, tag: &str| get(&host, path, &[("if-none-match", tag)]);
    let both = |path: &str, tag: &str| {
        get(&host, path, &[("if-none-match", tag), ("if-modified-since", EARLY)]).status
    };
    let by_date = |path: &str, date: &str| get(&host, path, &[("if-modified-since", date)]).status;
    let pages = ["/tag", "/date", "/itself"];
    let first = pages.map(tag);
    for (path, first) in pages.iter().zip(&first) {
        let known = by_tag(path, first);
        let weak = |tag: &str| tag.trim_start_matches("W/").to_owned();
        assert_eq!((known.status, known.header("etag").map(weak)), (304, Some(weak(first))), "{path}");
        assert_eq!((both(path, first), by_tag(path, "\"same\"").status == 304), (304, *path == "/itself"));
    }
    deploy(&host, "v2");
    for (path, first) in pages.iter().zip(&first) {
        assert_ne!(tag(path), *first);
        assert_eq!((by_tag(path, first).status, both(path, first)), (200, 200), "{path}");
        assert_eq!(by_date(path, EARLY), 200, "{path}: the date is that of both releases");
        assert_eq!(by_tag(path, &tag(path)).status, 304, "{path}");
    }
    // What is no page names no files of its release.
    assert_eq!((by_date("/data", EARLY), by_date("/data", LATE)), (304, 200));
    host.cli(&["rollback", "shop"]).ok();
    for (path, first) in pages.iter().zip(&first) {
        assert_eq!(by_tag(path, first).status, 304, "{path}: it is the page again");
    }
}
