//! Requests that try to have the cache keep a page with something of theirs in it, for everybody who asks for the page later.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

/// Reflects what applications reflect: addresses of links, forwarded hosts, headers by name or all of them, bodies, overridden methods.
const APP: &str = r#"
const SHARED = { "cache-control": "public, s-maxage=600", "content-type": "text/html" };
export default {
  async fetch(request) {
    const url = new URL(request.url);
    const [, style] = url.pathname.split("/");
    const { headers } = request;
    const read = (name) => headers.get(name) ?? "";
    const text = {
      // A page with a canonical link, a language and a theme.
      links: () => `<link href="${url.origin}${url.pathname}"> ${read("accept-language")} ${read("x-theme")} ${read("x-forwarded-host")} ${read("x-forwarded-proto")} ${read("x-original-url")} ${read("x-rewrite-url")} ${read("x-http-method-override")} ${read("x-host")} ${read("forwarded")} ${read("x-forwarded-port")} ${read("x-forwarded-prefix")} ${read("x-real-ip")} ${read("true-client-ip")}`,
      // One that copies all that it is given.
      all: () => JSON.stringify(Object.fromEntries(headers)),
      // One that reads a body where none belongs.
      body: async () => `body ${await request.text()}`,
      query: () => `query ${url.search}`,
      path: () => `path ${decodeURIComponent(url.pathname)}`,
      agent: () => `agent ${read("user-agent")} ${read("referer")} ${read("origin")}`,
    }[style];
    if (text === undefined) return new Response(null, { status: 404 });
    const override = read("x-http-method-override") || read("x-method-override");
    if (override && style === "links") return new Response("evil method", { status: 405, headers: SHARED });
    if (read("x-fail")) return new Response("evil failure", { status: 500, headers: SHARED });
    if (read("range")) return new Response("evil", { status: 206, headers: { ...SHARED, "content-range": "bytes 0-3/4" } });
    return new Response(await text(), { headers: SHARED });
  },
};
"#;

/// A header that a client may send, each with a value by which it is known again.
const HEADERS: [(&str, &str); 44] = [
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-proto", "evil"),
    ("x-forwarded-scheme", "evil"),
    ("x-forwarded-port", "6666"),
    ("x-forwarded-prefix", "/evil"),
    ("x-forwarded-for", "6.6.6.6"),
    ("x-forwarded-server", "evil.test"),
    ("forwarded", "host=evil.test;for=6.6.6.6"),
    ("x-host", "evil.test"),
    ("x-original-host", "evil.test"),
    ("x-original-url", "/evil"),
    ("x-rewrite-url", "/evil"),
    ("x-real-ip", "6.6.6.6"),
    ("true-client-ip", "6.6.6.6"),
    ("cf-connecting-ip", "6.6.6.6"),
    ("x-theme", "evil"),
    ("accept-language", "evil"),
    ("accept", "evil/evil"),
    ("accept-encoding", "evil"),
    ("accept-charset", "evil"),
    ("user-agent", "evil"),
    ("referer", "http://evil.test/"),
    ("origin", "http://evil.test"),
    ("cookie", "theme=evil-evil-evil"),
    ("authorization", "Bearer evil-evil-evil"),
    ("x-http-method-override", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x-http-method", "DELETE"),
    ("x-fail", "evil"),
    ("range", "bytes=0-3"),
    ("if-none-match", "\"evil\""),
    ("if-modified-since", "evil"),
    ("if-match", "\"evil\""),
    ("x-middleware-subrequest", "evil"),
    ("x-middleware-prefetch", "evil"),
    ("x-nextjs-data", "evil"),
    ("rsc", "evil"),
    ("next-router-state-tree", "evil"),
    ("x-vitrine-release", "evil"),
    ("x-vitrine-experiments", "checkout=evil"),
    ("x-request-id", "evil-evil-evil"),
    ("traceparent", "00-evil"),
    ("via", "1.1 evil"),
    ("sec-ch-ua", "evil"),
];

/// Lines of requests whose spelling, query or method is another than the page's.
const LINES: [(&str, &str, &str); 20] = [
    ("GET", "/query/N?a=1&a=evil", "/query/N?a=1"),
    ("GET", "/query/N?a=1;utm_source=evil", "/query/N?a=1"),
    ("GET", "/query/N?a=1&utm_source=evil", "/query/N?a=1"),
    ("GET", "/query/N?utm_source=x;a=evil", "/query/N"),
    ("GET", "/query/N?a=1%26utm_source=evil", "/query/N?a=1"),
    ("GET", "/query/N?A=evil", "/query/N?a=evil2"),
    ("GET", "/query/N?", "/query/N"),
    ("GET", "/query/N?%61=evil", "/query/N?a=1"),
    ("GET", "/query/N?a=1%00evil", "/query/N?a=1"),
    ("GET", "/path/N/..%2fevil", "/path/N"),
    ("GET", "/path/N/%2e%2e/evil", "/path/N"),
    ("GET", "/path/N;evil=1", "/path/N"),
    ("GET", "/path/N%23evil", "/path/N"),
    ("GET", "/path/N%3fevil", "/path/N"),
    ("GET", "//path/N", "/path/N"),
    ("GET", "/path//N", "/path/N"),
    ("GET", "/path/N/", "/path/N"),
    ("POST", "/path/N", "/path/N"),
    ("HEAD", "/path/N", "/path/N"),
    ("OPTIONS", "/path/N", "/path/N"),
];

fn start(mode: &str) -> Host {
    let host = Host::start();
    let manifest = format!(
        "{{\"cache\": {{\"mode\": \"{mode}\", \"ignored_query\": [\"utm_*\"]}}, \"health\": {{\"path\": \"/path/health\"}}, \"warm\": []}}"
    );
    let files = [("server/index.js", APP), ("vitrine.json", manifest.as_str())];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    host
}

fn ask(host: &Host, method: &str, path: &str) -> Request {
    Request::new(host.edge, method, path).header("host", &format!("shop.localhost:{}", host.edge.port()))
}

/// Whether a visitor who asks for a page gets what they would get if nobody had asked before.
fn is_poisoned(host: &Host, path: &str) -> bool {
    let answers: Vec<Answer> = (0..3).map(|_| ask(host, "GET", path).send()).collect();
    answers.iter().any(|answer| {
        let headers: String = answer.headers.iter().map(|(_, value)| format!("{value} ")).collect();
        let text = format!("{headers}{}", answer.text());
        answer.status != 200
            || answer.body.is_empty()
            || (text.contains("evil") && !path.contains("evil"))
            || text.contains("6.6.6.6")
    })
}

/// The attacks that succeed.
fn successes(host: &Host) -> Vec<String> {
    let mut successes = Vec::new();
    let mut number = 0;
    for style in ["links", "all", "agent"] {
        for (name, value) in HEADERS {
            number += 1;
            let path = format!("/{style}/{number}");
            for _ in 0..3 {
                ask(host, "GET", &path).header(name, value).send();
            }
            if is_poisoned(host, &path) {
                successes.push(format!("{style} {name}"));
            }
        }
    }
    for (method, attack, path) in LINES {
        number += 1;
        let (attack, path) =
            (attack.replace('N', &number.to_string()), path.replace('N', &number.to_string()));
        for _ in 0..3 {
            ask(host, method, &attack).send();
        }
        if is_poisoned(host, &path) {
            successes.push(format!("{method} {attack}"));
        }
    }
    for (what, send) in [
        ("fat GET", ask(host, "GET", "/body/fat").body("evil")),
        ("fat HEAD", ask(host, "HEAD", "/body/head").body("evil")),
        ("large header", ask(host, "GET", "/links/large").header("x-theme", &"evil".repeat(10_000))),
        (
            "many headers",
            (0..120).fold(ask(host, "GET", "/links/many"), |ask, n| ask.header(&format!("x-{n}"), "evil")),
        ),
        ("two of one", ask(host, "GET", "/links/two").header("x-theme", "a").header("x-theme", "evil")),
        ("another host", ask(host, "GET", "/links/host").with_host("evil.test")),
        ("another port", ask(host, "GET", "/links/port").with_host("shop.localhost:6666")),
        (
            "connection-listed",
            ask(host, "GET", "/links/listed").header("connection", "x-theme").header("x-theme", "evil"),
        ),
    ] {
        for _ in 0..3 {
            // Some are refused before their answer can be read.
            let _ = send.try_send();
        }
        let path = [
            "/body/fat",
            "/body/head",
            "/links/large",
            "/links/many",
            "/links/two",
            "/links/host",
            "/links/port",
            "/links/listed",
        ];
        if path.iter().any(|path| is_poisoned(host, path)) {
            successes.push(what.to_owned());
        }
    }
    successes
}

#[test]
fn nothing_of_one_request_is_in_a_page_that_others_get() {
    for mode in ["observed", "narrowed"] {
        let host = start(mode);
        assert_eq!(successes(&host), Vec::<String>::new(), "{mode}");
        let stats = host.cli(&["cache", "stats", "shop", "--json"]).ok().json();
        assert!(stats["shop"]["requests"]["hit"].as_u64().unwrap() > 100, "{mode}: {stats}");
    }
}

#[test]
fn a_cache_that_believes_what_pages_say_is_poisoned() {
    let successes = successes(&start("declared"));
    assert!(successes.len() > 20, "the corpus finds too little: {successes:?}");
}
