//! Client files as browsers and caches get them.

use std::io::Read as _;
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const SCRIPT: &str = "/assets/app-1a2b3c4d.js";

/// Long enough to be kept compressed.
fn script(version: &str) -> String {
    (0..200).map(|line| format!("export const part{line} = 'part {line} of {version}';\n")).collect()
}

fn page(version: &str) -> String {
    format!(
        "// The source of {version} is nobody's business.\nexport default () => new Response('page of {version}');\n"
    )
}

/// Two releases of `shop`; v2 is live, and only the first one has the files that are asked for most.
fn with_two() -> Host {
    let host = Host::start();
    let (one, two) = (script("v1"), script("v2"));
    let first = [
        ("server/index.js", page("v1")),
        ("client/app.js", one.clone()),
        ("client/assets/app-1a2b3c4d.js", one.clone()),
        ("client/assets/colourful.js", one.clone()),
        ("client/entry.js", one),
        ("client/.vite/manifest.json", r#"{"src/entry.js":{"file":"entry.js","isEntry":true}}"#.into()),
    ];
    let second = [
        ("server/index.js", page("v2")),
        ("client/app.js", two.clone()),
        ("client/index.html", "<!doctype html><title>shell</title>".into()),
        ("client/assets/app-9f8e7d6c.js", two),
        ("client/assets/empty.txt", String::new()),
    ];
    let files = |list: &[(&'static str, String)], version: &str| {
        let list: Vec<(&str, &str)> = list.iter().map(|(name, text)| (*name, text.as_str())).collect();
        host.deploy_files("shop", &list, &["--version", version]);
    };
    files(&first, "v1");
    files(&second, "v2");
    host
}

fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    with(host.get("shop", path), headers).send()
}

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn decoded(answer: &Answer) -> String {
    let bytes = answer.body.as_slice();
    let mut text = String::new();
    match answer.header("content-encoding") {
        Some("br") => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text).unwrap(),
        Some("zstd") => zstd::Decoder::new(bytes).unwrap().read_to_string(&mut text).unwrap(),
        Some("gzip") => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap(),
        Some(other) => panic!("{other}"),
        None => return answer.text().to_owned(),
    };
    text
}

/// Rules for headers, one of them with a line that can't be kept.
const RULES: &str = "/*\n  X-Frame-Options: DENY\n/fonts/:family/*\n  Cache-Control: public, max-age=60\n  X-Family: :family\n/static/*\n  Cache-Control: public, max-age=31536000, immutable\n";

#[test]
fn a_bundles_rules_give_its_files_headers() {
    let host = Host::start();
    let files = |rules| {
        [
            (
                "server/index.js",
                "export default () => new Response('page', { headers: { 'x-vitrine-file': 'yes' } });",
            ),
            ("client/_headers", rules),
            ("client/fonts/sans/a.txt", "font"),
            ("client/static/app-1a2b3c4d.js", "1"),
            ("client/a.txt", "a"),
        ]
    };
    host.deploy_files("shop", &files(RULES), &[]);
    let headers = |path: &str| {
        let answer = get(&host, path, &[]);
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("x-vitrine-file"), None, "{path}");
        (answer.header("cache-control").map(str::to_owned), answer.header("x-family").map(str::to_owned))
    };
    let control = |text: &str| Some(text.to_owned());
    assert_eq!(headers("/fonts/sans/a.txt"), (control("public, max-age=60"), Some("sans".into())));
    assert_eq!(headers("/a.txt"), (control("public, max-age=0, must-revalidate"), None));
    assert_eq!(headers("/static/app-1a2b3c4d.js"), (control(FOR_EVER), None));
    // Pages that an adapter says were made at build time have them too; the file itself is no file.
    assert_eq!(get(&host, "/_headers", &[]).text(), "page");
    headers("/");
    let etag = get(&host, "/fonts/sans/a.txt", &[]).header("etag").unwrap().to_owned();
    let known = get(&host, "/fonts/sans/a.txt", &[("if-none-match", &etag)]);
    assert_eq!((known.status, known.header("cache-control")), (304, Some("public, max-age=60")));

    let bad = bundle_dir(&files("/*\n  X-A: 1\n  Set-Cookie: a=1\n"));
    let words = ["client/_headers, line 3", "`set-cookie` is the host's own to say"];
    host.cli(&["deploy", "shop", bad.path().to_str().unwrap()]).fails(1, &words);
    host.cli(&["deploy", "shop", bad.path().to_str().unwrap(), "--dry-run"]).fails(1, &words);
}

#[test]
fn which_release_a_file_comes_from() {
    let host = with_two();
    let file = |path: &str| {
        let answer = get(&host, path, &[]);
        let release = answer.header("x-vitrine-release").unwrap_or_default().to_owned();
        (answer.status, release, answer.header("cache-control").unwrap_or_default() == FOR_EVER)
    };
    // What has its hash in its name stays there for pages of earlier releases; what has not is the live one's.
    assert_eq!(file("/assets/app-9f8e7d6c.js"), (200, "shop@v2".into(), true));
    assert_eq!(file(SCRIPT), (200, "shop@v1".into(), true));
    assert_eq!(
        file("/entry.js"),
        (200, "shop@v2".into(), false),
        "the app's: a list holds for its own release"
    );
    assert_eq!(file("/app.js"), (200, "shop@v2".into(), false));
    assert_eq!(get(&host, "/app.js", &[]).text(), script("v2"));
    for missing in
        ["/assets/colourful.js", "/assets/app-00000000.js", "/_astro/x.css", "/_app/immutable/a.js"]
    {
        let answer = get(&host, missing, &[]);
        assert_eq!(
            (answer.status, answer.header("x-vitrine-outcome")),
            (404, Some("client_error")),
            "{missing}"
        );
    }
    // The app's own: pages, and other methods under the same path.
    assert_eq!(get(&host, "/", &[]).text(), "page of v2");
    assert_eq!(get(&host, "/no-such-file.js", &[]).text(), "page of v2");
    let posted = Request::new(host.edge, "POST", "/app.js").header("host", "shop.localhost").body("x").send();
    assert_eq!(posted.text(), "page of v2");
    // A release's own host name gives its own files.
    assert_eq!(host.get("shop-v1", "/app.js").send().text(), script("v1"));

    for outside in [
        "/server/index.js",
        "/../server/index.js",
        "/assets/../../server/index.js",
        "/assets/..%2f..%2fserver%2findex.js",
        "/%2e%2e/server/index.js",
        "/..%5cserver%5cindex.js",
        "//server/index.js",
        "/vitrine.json",
    ] {
        let answer = get(&host, outside, &[]);
        assert!(!answer.text().contains("nobody's business"), "{outside}: {answer:?}");
    }
    host.cli(&["remove", "shop@v1"]).ok();
    assert_eq!(file(SCRIPT).0, 404, "what is no longer retained is gone");
}

#[test]
fn codings_validators_and_parts() {
    let host = with_two();
    let text = script("v1");
    let plain = get(&host, SCRIPT, &[]);
    let etag = plain.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.len() >= 66, "strong, and the digest: {etag}");
    assert_eq!((plain.text(), plain.header("content-encoding")), (text.as_str(), None));
    assert!(plain.header("content-type").unwrap().starts_with("text/javascript"), "{plain:?}");

    for (accepts, coding) in [
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip, br;q=0.5, zstd;q=0.1", "gzip"),
        ("br;q=0, *;q=0.1, zstd", "zstd"),
    ] {
        let packed = get(&host, SCRIPT, &[("accept-encoding", accepts)]);
        assert_eq!((packed.status, packed.header("content-encoding")), (200, Some(coding)), "{accepts}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert_ne!(packed.header("etag"), Some(etag), "other bytes, another strong validator");
        assert!(packed.body.len() < text.len() / 4, "{} bytes as {coding}", packed.body.len());
        assert_eq!(decoded(&packed), text, "{coding}");
        let known = packed.header("etag").unwrap();
        let again = get(&host, SCRIPT, &[("accept-encoding", accepts), ("if-none-match", known)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{coding}");
    }
    let listed = format!("\"other\", W/{etag}");
    for known in [etag, listed.as_str(), "*"] {
        let same = get(&host, SCRIPT, &[("if-none-match", known)]);
        assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(etag)), "{known}");
        assert_eq!(same.header("cache-control"), Some(FOR_EVER));
    }
    assert_eq!(get(&host, SCRIPT, &[("if-none-match", "\"other\"")]).status, 200);

    let all = text.len();
    for (range, part) in
        [("bytes=0-9", 0..10), ("bytes=-5", all - 5..all), (&*format!("bytes={}-", all - 7), all - 7..all)]
    {
        let answer = get(&host, SCRIPT, &[("range", range), ("accept-encoding", "br")]);
        assert_eq!((answer.status, answer.text()), (206, &text[part.clone()]), "{range}");
        let of = format!("bytes {}-{}/{all}", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), Some(of.as_str()));
    }
    let beyond = get(&host, SCRIPT, &[("range", "bytes=999999-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some(format!("bytes */{all}").as_str()))
    );
    assert_eq!(beyond.header("cache-control"), Some("no-store"));
    let empty = get(&host, "/assets/empty.txt", &[("range", "bytes=0-")]);
    assert_eq!(
        (empty.status, empty.header("content-length"), empty.header("content-range")),
        (200, Some("0"), None)
    );
    let resumed = get(&host, SCRIPT, &[("range", "bytes=0-9"), ("if-range", etag)]);
    assert_eq!(resumed.status, 206);
    let changed = get(&host, SCRIPT, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]);
    assert_eq!((changed.status, changed.body.len()), (200, all));

    for headers in [&[][..], &[("accept-encoding", "br")]] {
        let head =
            with(Request::new(host.edge, "HEAD", SCRIPT).header("host", "shop.localhost"), headers).send();
        let full = get(&host, SCRIPT, headers);
        assert_eq!((head.status, head.body.len()), (full.status, 0));
        for name in ["etag", "content-type", "cache-control", "content-encoding", "content-range", "vary"] {
            assert_eq!(head.header(name), full.header(name), "{name} with {headers:?}");
        }
        assert_eq!(head.header("content-length"), Some(full.body.len().to_string().as_str()));
    }
    for range in ["bytes=0-9", "bytes=999999-"] {
        let head = Request::new(host.edge, "HEAD", SCRIPT).header("host", "shop.localhost");
        let head = with(head, &[("range", range)]).send();
        let length = all.to_string();
        assert_eq!((head.status, head.header("content-length")), (200, Some(length.as_str())), "{range}");
        assert_eq!(head.header("content-range"), None, "parts are for GET alone");
    }
}

#[test]
fn the_shell_stands_in_for_a_page_and_for_nothing_else() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("client-shell"), &["--version", "v1"]);
    assert!(get(&host, "/", &[]).text().contains("Rendered"), "never index.html");
    let html = ("accept", "text/html,application/xhtml+xml");
    let shell = get(&host, "/broken", &[html, ("sec-fetch-mode", "navigate")]);
    assert_eq!((shell.status, shell.header("cache-control")), (500, Some("no-store")));
    assert_eq!(shell.header("x-vitrine-outcome"), Some("app_error"));
    assert!(shell.text().contains("without the server's help"), "{}", shell.text());
    assert!(shell.header("content-type").unwrap().starts_with("text/html"));
    let plain = get(&host, "/broken", &[html]);
    assert_eq!((plain.status, &plain.body), (500, &shell.body), "browsers without fetch metadata");

    let json = get(&host, "/broken", &[("accept", "application/json")]);
    assert_eq!((json.status, json.header("content-type")), (500, Some("application/problem+json")));
    assert_eq!(json.json()["outcome"], "app_error");
    assert_eq!(json.json()["request_id"].as_str(), json.header("x-request-id"));
    let script = get(&host, "/broken", &[html, ("sec-fetch-mode", "cors")]);
    assert_eq!(script.status, 500);
    assert_eq!(get(&host, "/broken", &[("accept", "*/*")]).status, 500);
    let form = Request::new(host.edge, "POST", "/broken").header("host", "shop.localhost");
    assert_eq!(with(form, &[html, ("sec-fetch-mode", "navigate")]).body("a=b").send().status, 500);
    assert!(!json.text().contains("no page today"), "{}", json.text());
    assert_eq!(get(&host, "/", &[]).status, 200, "the isolate serves on");
}

#[test]
fn no_file_stands_in_for_a_page_because_of_its_name_and_a_template_is_never_served() {
    let host = Host::start();
    let app = r#"export default { fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/broken") throw new Error("no page today");
        return new Response(`rendered ${pathname}`, { headers: { "content-type": "text/html" } });
    } };"#;
    let navigation = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    for (version, page, at_its_path) in [
        ("v1", "<!doctype html><title>a page</title>", "<!doctype html><title>a page</title>"),
        ("v2", "<div id=app><!--app-html--></div>", "rendered /index.html"),
    ] {
        host.deploy_files(
            "shop",
            &[("server/index.js", app), ("client/index.html", page)],
            &["--version", version],
        );
        let error = get(&host, "/broken", &navigation);
        assert_eq!((error.status, error.header("x-vitrine-outcome")), (500, Some("app_error")));
        assert!(error.text().contains("This page could not be loaded"), "{}", error.text());
        assert_eq!(get(&host, "/", &navigation).text(), "rendered /");
        assert_eq!(get(&host, "/index.html", &navigation).text(), at_its_path, "{version}");
    }
}

#[test]
fn a_hash_without_a_digit_is_one_where_the_files_beside_it_say_so() {
    let host = Host::start();
    let server = ("server/index.js", "export default { fetch: () => new Response('page') };\n");
    let names = |script: &str, style: &str| {
        [format!("client/assets/index-{script}.js"), format!("client/assets/index-{style}.css")]
    };
    for (version, script, style) in [("v1", "DfGhKxQa", "B1cdEfgh"), ("v2", "KxQ-DfGh", "B2cdEfgh")] {
        let [script, style] = names(script, style);
        let listed = serde_json::json!({ "main": { "file": script["client/".len()..], "css": [style["client/".len()..]] } });
        let files = [
            server,
            (script.as_str(), "let a = 1;"),
            (style.as_str(), "a{}"),
            // Beside them one that the build copies: Vite's list tells which it made.
            ("client/assets/view-HomePage.js", "let b = 2;"),
            ("client/assets/logo.svg", "<svg/>"),
            ("client/.vite/manifest.json", &listed.to_string()),
        ];
        host.deploy_files("shop", &files, &["--version", version]);
    }
    // The old release's are served without its cookie.
    for path in ["index-DfGhKxQa.js", "index-B1cdEfgh.css", "index-KxQ-DfGh.js", "index-B2cdEfgh.css"] {
        let answer = get(&host, &format!("/assets/{path}"), &[]);
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some(FOR_EVER)), "{path}");
    }
    let words = get(&host, "/assets/view-HomePage.js", &[]);
    assert_eq!(
        (words.status, words.header("cache-control")),
        (200, Some("public, max-age=0, must-revalidate"))
    );
}
