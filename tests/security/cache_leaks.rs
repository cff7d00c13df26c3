//! Pages that depend on their visitor and say that everybody may have them: forty ways to write one, two visitors with canaries, and no
//! page that shows one visitor what is the other's. A cache that believes what pages say shows it, so the rig sees what it looks for.

use std::collections::BTreeSet;
use std::thread;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Each way is a path. What it gives back of a request are the canaries that the request carries.
const APP: &str = r#"
import { createServer } from "node:http";
import { AsyncLocalStorage } from "node:async_hooks";
const SHARED = { "cache-control": "public, s-maxage=600", "content-type": "text/html" };
const store = new AsyncLocalStorage();
const tick = () => new Promise((resolve) => setTimeout(resolve, 1));
const cookie = (request) => request.headers.get("cookie");
const parse = (line) => Object.fromEntries((line ?? "").split(/; */).filter(Boolean).map((pair) => pair.split("=")));
const page = (text, headers = {}) => new Response(`<p>${text}</p>`, { headers: { ...SHARED, ...headers } });
const stream = (...parts) => new ReadableStream({
  async start(controller) {
    for (const part of parts) {
      controller.enqueue(new TextEncoder().encode(await part()));
      await tick();
    }
    controller.close();
  },
});
let last = "";
const WAYS = {
  cookie: (r) => page(cookie(r)),
  "cookie-parsed": (r) => page(parse(cookie(r)).session),
  "cookie-short": (r) => page(parse(cookie(r)).session.slice(-4)),
  "cookie-reversed": (r) => page([...parse(cookie(r)).session].reverse().join("")),
  "cookie-base64": (r) => page(btoa(parse(cookie(r)).session)),
  "cookie-by-name": (r, ctx) => page(ctx.cookies.get("session")),
  "cookie-has": (r, ctx) => page(ctx.cookies.has("session") ? ctx.cookies.get("session") : "none"),
  "headers-object": (r) => page(JSON.stringify(Object.fromEntries(r.headers))),
  "headers-spread": (r) => page(JSON.stringify([...r.headers])),
  "headers-for-each": (r) => { let text = ""; r.headers.forEach((value, name) => text += `${name}=${value} `); return page(text); },
  "headers-entries": (r) => page([...r.headers.entries()].join()),
  "headers-keys": (r) => page([...r.headers.keys()].map((name) => r.headers.get(name)).join()),
  "headers-values": (r) => page([...r.headers.values()].join()),
  "headers-copied": (r) => page(new Headers(r.headers).get("cookie")),
  "headers-copied-twice": (r) => page(new Headers(new Headers(r.headers)).get("x-user")),
  "headers-init": (r) => page(new Request("http://x/", { headers: r.headers }).headers.get("cookie")),
  "request-cloned": (r) => page(r.clone().headers.get("cookie")),
  "request-made-anew": (r) => page(new Request(r).headers.get("cookie")),
  "request-made-elsewhere": (r) => page(new Request("http://other/", r).headers.get("x-user")),
  authorization: (r) => page(r.headers.get("authorization")),
  "authorization-decoded": (r) => page(atob(r.headers.get("authorization").split(" ")[1])),
  "custom-header": (r) => page(r.headers.get("x-user")),
  "any-case": (r) => page(r.headers.get("COOKIE")),
  has: (r) => page(r.headers.has("x-user") ? r.headers.get("x-user") : "nobody"),
  "forwarded-for": (r) => page(r.headers.get("x-forwarded-for") + cookie(r)),
  "request-id": (r) => page(r.headers.get("x-request-id") + r.headers.get("x-user")),
  "set-cookie": (r) => page("hello", { "set-cookie": `seen=${parse(cookie(r)).session}` }),
  "header-of-answer": (r) => page("hello", { "x-session": parse(cookie(r)).session }),
  "vary-something-else": (r) => page(cookie(r), { vary: "accept-language" }),
  "private-to-cdns": (r) => page(cookie(r), { "cache-control": "private", "cdn-cache-control": "max-age=600" }),
  "to-this-host": (r) => page(cookie(r), { "cache-control": "no-store", "vitrine-cdn-cache-control": "max-age=600" }),
  late: async (r) => { await tick(); await tick(); return page(cookie(r)); },
  streamed: (r) => new Response(stream(() => "<p>", () => cookie(r), () => "</p>"), { headers: SHARED }),
  "streamed-late": (r) => new Response(stream(() => "<p>head</p>", async () => { await tick(); return r.headers.get("x-user"); }), { headers: SHARED }),
  "async-context": (r) => store.run({ r }, async () => { await tick(); return page(cookie(store.getStore().r)); }),
  "csrf-uuid": (r) => page(`<input value="${crypto.randomUUID()}">${r.headers.get("x-user")}`),
  "csrf-math": () => page(`token-${Math.random().toString(36)}`),
  "csrf-bytes": () => page(`token-${[...crypto.getRandomValues(new Uint8Array(8))].join("")}`),
  "failed-boundary": (r) => page(`<!--$!--><template data-msg="${r.headers.get("x-user")}"></template>`),
  "error-page": (r) => new Response(cookie(r), { status: 404, headers: SHARED }),
  redirect: (r) => new Response(null, { status: 302, headers: { ...SHARED, location: `/to/${parse(cookie(r)).session}` } }),
  "handled-by-node": (r) => node(r),
};
const server = createServer((request, response) => {
  response.writeHead(200, SHARED);
  response.end(`<p>${request.headers.cookie} ${JSON.stringify(request.rawHeaders)}</p>`);
});
async function node(r) {
  return server[Symbol.for("vitrine.fetch")](r);
}
export default {
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const way = WAYS[pathname.slice(1)];
    if (pathname === "/ways") return Response.json(Object.keys(WAYS));
    return way === undefined ? new Response(null, { status: 404 }) : way(request, ctx);
  },
};
"#;

/// A visitor, and what nobody else may see.
struct Visitor {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    canaries: Vec<String>,
}

impl Visitor {
    fn new(name: &'static str) -> Self {
        use base64::Engine as _;
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let (session, user, token) =
            (format!("session-of-{name}-4711"), format!("user-of-{name}"), format!("token-of-{name}-0815"));
        let reversed = session.chars().rev().collect();
        let canaries =
            vec![session.clone(), user.clone(), token.clone(), base64(&session), base64(&token), reversed];
        let headers = vec![
            ("cookie", format!("session={session}; lang=en")),
            ("x-user", user),
            ("authorization", format!("Bearer {}", base64(&token))),
        ];
        Self { name, headers, canaries }
    }

    fn get(&self, host: &Host, path: &str) -> Answer {
        let request = host.get("shop", path);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    }

    /// Whether something of this visitor is in an answer.
    fn is_in(&self, answer: &Answer) -> bool {
        let headers: String = answer.headers.iter().map(|(_, value)| format!("{value}\n")).collect();
        let text = format!("{headers}{}", String::from_utf8_lossy(&answer.body));
        self.canaries.iter().any(|canary| text.contains(canary))
    }
}

fn start(mode: &str) -> (Host, Vec<String>) {
    let bounds = "[edge]\nconnections_per_client = 2000\nrequests_per_client = 2000\n";
    let host = Host::start_in(Host::configured(bounds), &["--isolation", "process"]);
    let manifest =
        format!("{{\"cache\": {{\"mode\": \"{mode}\"}}, \"health\": {{\"path\": \"/ways\"}}, \"warm\": []}}");
    let files = [("server/index.js", APP), ("vitrine.json", manifest.as_str())];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    let ways: Vec<String> = serde_json::from_value(host.get("shop", "/ways").send().json()).unwrap();
    assert!(ways.len() >= 40, "{}", ways.len());
    (host, ways)
}

/// The ways by which one visitor saw what is another's, or a token that was made for another. Everybody asks so many times.
fn crossings(host: &Host, ways: &[String], rounds: usize) -> BTreeSet<String> {
    let visitors = [Visitor::new("alice"), Visitor::new("robert")];
    let anybody = Visitor { name: "anybody", headers: Vec::new(), canaries: Vec::new() };
    let mut crossed = BTreeSet::new();
    for way in ways {
        let path = format!("/{way}");
        let mut tokens = BTreeSet::new();
        for _ in 0..rounds {
            for visitor in visitors.iter().chain([&anybody]) {
                let answer = visitor.get(host, &path);
                let others = visitors.iter().filter(|other| other.name != visitor.name);
                let is_foreign = others.into_iter().any(|other| other.is_in(&answer));
                let is_reused = way.starts_with("csrf") && !tokens.insert(answer.body.clone());
                if is_foreign || is_reused {
                    crossed.insert(way.clone());
                }
            }
        }
    }
    crossed
}

#[test]
fn no_visitor_sees_what_is_anothers_whatever_a_page_says_of_itself() {
    for mode in ["observed", "narrowed"] {
        let (host, ways) = start(mode);
        let mut crossed = crossings(&host, &ways, 3);
        if mode == "narrowed" {
            // There the app decides: what it makes at random is the same for all who get the page.
            crossed.retain(|way| !way.starts_with("csrf"));
        }
        assert_eq!(crossed, BTreeSet::new(), "{mode}");
        let stats = host.cli(&["cache", "stats", "shop", "--json"]).ok().json();
        assert!(
            stats["shop"]["stored"].as_u64().unwrap() > 0,
            "{mode}: pages of visitors without a name are kept: {stats}"
        );
    }
}

#[test]
fn a_cache_that_believes_what_pages_say_shows_it() {
    let (host, ways) = start("declared");
    let crossed = crossings(&host, &ways, 3);
    assert!(crossed.len() > 25, "the rig sees too little: {crossed:?}");
}

/// `cargo test --test security -- a_million --ignored --nocapture`
#[test]
#[ignore = "takes an hour: `make test-long`"]
fn a_million_requests_cross_nowhere() {
    let (host, ways) = start("observed");
    let (threads, rounds) = (8, 1_000_000 / (8 * 3 * ways.len()) + 1);
    let crossed: BTreeSet<String> = thread::scope(|scope| {
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(|| crossings(&host, &ways, rounds))).collect();
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    });
    println!("{} requests, {} crossings", threads * rounds * 3 * ways.len(), crossed.len());
    // Tokens are counted for each thread.
    assert_eq!(crossed, BTreeSet::new());
}

#[test]
fn a_page_that_depends_on_its_visitor_unseen_is_found_by_comparing() {
    let manifest = r#"{"cache": {"mode": "declared"}, "health": {"path": "/ways"}, "warm": []}"#;
    let host =
        Host::start_broken(Host::folder_anew(), &["--isolation", "process"], "cache.compare=return(skip)");
    host.deploy_files("shop", &[("server/index.js", APP), ("vitrine.json", manifest)], &["--version", "v1"]);
    let (alice, robert) = (Visitor::new("alice"), Visitor::new("robert"));
    alice.get(&host, "/cookie");
    assert!(alice.is_in(&robert.get(&host, "/cookie")), "declared pages are believed");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !host.cli(&["cache", "why", "shop", "/cookie"]).ok().stdout.contains("differs when rendered again")
    {
        assert!(std::time::Instant::now() < end, "{}", host.log());
        // The command line takes longer than the comparison.
        robert.get(&host, "/cookie");
    }
    assert!(host.log().contains("depends on its visitor"));
}
