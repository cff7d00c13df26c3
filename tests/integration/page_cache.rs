//! Pages from the cache: what is kept for whom, until when, and who says that it is to go.

use std::thread;
use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

/// Every answer has the number of its render, so that one from the cache is known by an old number.
const APP: &str = r#"
let renders = 0;
let spares = 0;
const shared = { "cache-control": "public, s-maxage=60", "content-type": "text/html" };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const encode = (text) => new TextEncoder().encode(text);
export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const number = ++renders;
    const page = (text, headers = {}) => new Response(`${text} #${number}`, { headers: { ...shared, ...headers } });
    switch (pathname) {
      case "/plain": return page("plain");
      case "/query": return page(`query ${[...searchParams]}`);
      case "/sorted": return page("sorted", { "no-vary-search": 'key-order, params=("from")' });
      case "/language": return page(`language ${request.headers.get("accept-language")}`);
      case "/cookie": return page(`cookie ${request.headers.get("cookie")}`);
      case "/theme": return page(`theme ${ctx.cookies.get("theme")}`);
      case "/user": return page(`user ${request.headers.get("authorization")}`);
      case "/copied": return page(`copied ${JSON.stringify([...request.headers])}`);
      case "/needs": return page(`needs ${Object.fromEntries(request.headers)["user-agent"].length}`);
      case "/mine": {
        const { cookie } = Object.fromEntries(request.headers);
        return page(`mine ${cookie}`, cookie === undefined ? {} : { "cache-control": "private" });
      }
      case "/cloned": return page(`cloned ${new Request(request).headers.get("accept-language")}`);
      case "/random": return page(crypto.randomUUID());
      case "/math": return page(`${Math.random()}`);
      case "/sets": return page("sets", { "set-cookie": "a=b" });
      case "/nonce": return page("nonce", { "content-security-policy": "script-src 'nonce-abc'" });
      case "/failed": return page("<!--$!--><template></template>fallback<!--/$-->");
      case "/private": return page("private", { "cache-control": "private, max-age=60" });
      case "/unsaid": return new Response(`unsaid #${number}`);
      case "/tagged": return page("tagged", { "cache-tag": "one, two" });
      case "/tagged/also": return page("also", { "surrogate-key": "two three" });
      case "/short": return page("short", { "cache-control": "s-maxage=1, stale-while-revalidate=60" });
      case "/spare": {
        if (searchParams.has("fail") && ++spares > 1) throw new Error("no more");
        return page("spare", { "cache-control": "s-maxage=1, stale-if-error=60" });
      }
      case "/checked": {
        const said = searchParams.has("alone") && renders > 1 ? { "cache-control": "private" } : { "cache-control": "s-maxage=1" };
        if (request.headers.get("if-none-match") === '"c"') return new Response(null, { status: 304, headers: { etag: '"c"', ...said } });
        return page("checked", { etag: '"c"', "cache-control": "s-maxage=1" });
      }
      case "/slow": await wait(300); return page("slow");
      case "/stream": return new Response(new ReadableStream({
        async start(controller) {
          for (const piece of ["one ", "two ", "three "]) {
            controller.enqueue(encode(piece));
            await wait(100);
          }
          controller.enqueue(encode(`#${number}`));
          controller.close();
        },
      }), { headers: shared });
      case "/range": return new Response("0123456789", { headers: { ...shared, "content-type": "text/plain", etag: '"r"' } });
      case "/large": return page("large ".repeat(1000), { etag: '"large"' });
      case "/purge": await ctx.cache.purge({ tags: ["two"] }); return new Response("purged");
      case "/invalidate": await ctx.cache.invalidate({ pathPrefixes: ["/tagged"] }); return new Response("invalidated");
      case "/wrong": {
        const errors = [];
        for (const what of [{}, { tags: "x" }, { tags: [""] }, { pathPrefixes: [1] }]) {
          await ctx.cache.purge(what).catch((error) => errors.push(`${error.name}: ${error.message}`));
        }
        return Response.json(errors);
      }
      default: return new Response(null, { status: request.method === "POST" ? 204 : 404 });
    }
  },
};
"#;

fn start(cache: &str) -> Host {
    let host = Host::start();
    deploy(&host, cache, "v1");
    host
}

fn deploy(host: &Host, cache: &str, version: &str) {
    let manifest = format!("{{\"cache\": {cache}, \"limits\": {{\"isolates\": 1}}, \"env\": [\"A\"]}}");
    let files = [("server/index.js", APP), ("vitrine.json", manifest.as_str())];
    host.deploy_files("shop", &files, &["--version", version]);
}

fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.get("shop", path), |request, (name, value)| request.header(name, value)).send()
}

fn ask(host: &Host, method: &str, path: &str) -> Answer {
    let name = format!("shop.localhost:{}", host.edge.port());
    Request::new(host.edge, method, path).header("host", &name).send()
}

fn status(answer: &Answer) -> &str {
    answer.header("cache-status").unwrap_or_default()
}

/// Whether the second of two requests gets the first one's page.
fn is_shared(host: &Host, path: &str, first: &[(&str, &str)], second: &[(&str, &str)]) -> bool {
    let text = get(host, path, first).text().to_owned();
    let again = get(host, path, second);
    let same = again.text() == text;
    assert_eq!(same, status(&again).starts_with("vitrine; hit"), "{path}: {again:?}");
    same
}

/// Asks until a level is reached.
fn until(host: &Host, path: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = get(host, path, &[]);
        if holds(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{path}: {answer:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_page_is_shared_by_those_who_are_alike_in_what_its_render_read() {
    let host = start("{}");
    let german = [("accept-language", "de")];
    let other = [("accept-language", "fr"), ("user-agent", "other")];
    let session = [("cookie", "session=abcdefgh")];
    assert!(is_shared(&host, "/plain", &session, &other), "it read nothing");
    assert!(!is_shared(&host, "/language", &german, &other));
    assert!(is_shared(&host, "/language", &german, &[("accept-language", "DE"), ("user-agent", "other")]));
    assert!(!is_shared(&host, "/cloned", &german, &other), "a copy is looked at as the original");
    assert!(is_shared(&host, "/cookie", &[], &other), "neither has a cookie");
    assert!(!is_shared(&host, "/cookie", &[], &session));
    assert!(!is_shared(&host, "/cookie", &session, &session), "one who has one is not kept");
    assert!(is_shared(&host, "/theme", &[], &session), "only this cookie was read");
    assert!(!is_shared(&host, "/theme", &[], &[("cookie", "theme=dark")]));
    assert!(is_shared(&host, "/user", &[], &[]));
    assert!(!is_shared(&host, "/user", &[("authorization", "Bearer x")], &[("authorization", "Bearer x")]));
    assert!(is_shared(&host, "/query?a=1", &[], &[]));
    let sorted = get(&host, "/sorted?a=1&b=2&from=x", &[]).text().to_owned();
    assert_eq!(get(&host, "/sorted?b=2&from=y&a=1", &[]).text(), sorted);
    assert_ne!(get(&host, "/sorted?b=2&a=2", &[]).text(), sorted);
}

#[test]
fn it_is_told_for_which_requests_a_page_is_kept() {
    let host = start("{}");
    get(&host, "/language", &[("accept-language", "de")]);
    get(&host, "/theme", &[]);
    let why = |path: &str, header: &str| host.cli(&["cache", "why", "shop", path, "-H", header]).ok().stdout;
    assert!(why("/language", "accept-language: de").contains("for this request: http://shop.localhost"));
    assert!(why("/language", "accept-language: fr").contains("for this request: nothing that is kept"));
    assert!(why("/theme", "cookie: other=1").contains("for this request: http://"));
    assert!(why("/theme", "cookie: theme=dark").contains("for this request: nothing"));
    host.cli(&["cache", "why", "shop", "/theme", "-H", "cookie"]).fails(2, &["`cookie` is no header"]);
}

#[test]
fn what_is_not_kept_says_why() {
    let host = start("{}");
    for (path, why) in [
        ("/random", "read randomness"),
        ("/math", "read randomness"),
        ("/sets", "set-cookie"),
        ("/nonce", "nonce in content-security-policy"),
        ("/failed", "failed boundary"),
        ("/private", "private"),
        ("/unsaid", "no explicit freshness"),
    ] {
        let told = format!("vitrine; fwd=miss; stored=?0; detail=\"{why}\"");
        assert_eq!(
            [status(&get(&host, path, &[])), status(&get(&host, path, &[]))],
            [told.as_str(); 2],
            "{path}"
        );
        let said = host.cli(&["cache", "why", "shop", path]).ok().stdout;
        assert!(said.contains(&format!("not kept: {why}")), "{said}");
    }
    let cookie = get(&host, "/cookie", &[("cookie", "session=abcdefgh")]);
    assert!(status(&cookie).contains("detail=\"read cookie session\""), "{cookie:?}");
    let holds = get(&host, "/query?a=abcdefgh", &[("cookie", "session=abcdefgh")]);
    assert!(status(&holds).contains("detail=\"holds cookie session\""), "{holds:?}");
    let stats = host.cli(&["cache", "stats", "shop", "--json"]).ok().json();
    assert_eq!(stats["shop"]["refused"]["read randomness"], 4, "{stats}");
}

#[test]
fn pages_whose_renders_copy_all_headers_are_shared_by_visitors_without_a_name() {
    let host = start("{}");
    let firefox = [("user-agent", "Firefox"), ("accept", "text/html")];
    let chromium = [("user-agent", "Chromium"), ("accept", "text/html")];
    assert!(status(&get(&host, "/copied", &firefox)).contains("read all headers"));
    assert!(is_shared(&host, "/copied", &firefox, &chromium), "from the second on they see what all have");
    let text = get(&host, "/copied", &chromium).text().to_owned();
    assert!(
        !text.contains("Chromium") && !text.contains("x-forwarded-for") && text.contains("text/html"),
        "{text}"
    );
    assert!(!is_shared(&host, "/copied", &firefox, &[("accept", "application/json")]));
    let known = [("cookie", "session=abcdefgh"), ("user-agent", "Firefox")];
    let own = get(&host, "/copied", &known);
    assert!(
        own.text().contains("abcdefgh") && own.text().contains("Firefox"),
        "a visitor with a name gets a page of their own"
    );
    assert!(!is_shared(&host, "/copied", &known, &known));
}

#[test]
fn a_render_that_fails_for_want_of_what_it_does_not_see_is_made_again() {
    for mode in ["observed", "narrowed"] {
        let host = start(&format!("{{\"mode\": \"{mode}\"}}"));
        for _ in 0..4 {
            let answer = get(&host, "/needs", &[("user-agent", "Firefox")]);
            assert_eq!(
                (answer.status, answer.text().starts_with("needs 7")),
                (200, true),
                "{mode}: {answer:?}"
            );
        }
    }
}

#[test]
fn visitors_with_pages_of_their_own_take_no_hit_from_others() {
    let host = start("{}");
    for _ in 0..3 {
        get(&host, "/mine", &[]);
    }
    for number in 0..3 {
        let cookie = format!("session=of-visitor-{number}");
        let own = get(&host, "/mine", &[("cookie", &cookie)]);
        assert!(own.text().contains(&cookie), "{own:?}");
        assert!(status(&get(&host, "/mine", &[])).starts_with("vitrine; hit"), "after {cookie}");
    }
}

#[test]
fn narrowed_renders_see_what_is_in_the_key_and_declared_ones_believe_vary() {
    let host = start(
        r#"{"mode": "narrowed", "keyed_cookies": ["theme"], "routes": [{"path": "/cookie", "mode": "declared"}, {"path": "/plain", "mode": "off"}]}"#,
    );
    let dark = [("cookie", "session=abcdefgh; theme=dark")];
    let copied = get(&host, "/copied", &dark);
    assert!(copied.text().contains("theme=dark") && !copied.text().contains("abcdefgh"), "{copied:?}");
    assert!(is_shared(&host, "/copied", &dark, &[("cookie", "theme=dark; session=other123")]));
    assert!(!is_shared(&host, "/copied", &dark, &[("cookie", "theme=light")]));
    // What is for nobody else is rendered with the whole request.
    assert!(get(&host, "/private", &dark).text().starts_with("private"));
    assert!(
        is_shared(&host, "/cookie", &[("cookie", "a=first")], &[("cookie", "a=second")]),
        "as the app said"
    );
    assert_eq!(status(&get(&host, "/plain", &[])), "vitrine; fwd=bypass; detail=\"off\"");
}

#[test]
fn a_purge_that_was_acknowledged_is_seen_by_the_next_request() {
    let host = start("{}");
    let text = |path: &str| get(&host, path, &[]).text().to_owned();
    let purges = |purge: &dyn Fn(), path: &str, goes: bool| {
        let before = text(path);
        assert_eq!(text(path), before);
        purge();
        assert_eq!(text(path) != before, goes, "{path}");
    };
    let cli = |args: &'static [&'static str]| {
        let host = &host;
        move || drop(host.cli(&[&["purge", "shop"], args].concat()).ok())
    };
    purges(&cli(&["--tag", "one"]), "/tagged", true);
    purges(&cli(&["--tag", "one"]), "/tagged/also", false);
    purges(&cli(&["--tag", "three", "--hard"]), "/tagged/also", true);
    purges(&cli(&["--path", "/tagged"]), "/tagged", true);
    purges(&cli(&["--path", "/tagged"]), "/tagged/also", false);
    purges(&cli(&["--path", "/tagged/*"]), "/tagged/also", true);
    purges(&cli(&["--all"]), "/plain", true);
    purges(&|| assert_eq!(text("/purge"), "purged"), "/tagged", true);
    purges(&|| assert_eq!(text("/invalidate"), "invalidated"), "/tagged/also", true);
    purges(&|| assert_eq!(ask(&host, "POST", "/plain").status, 200), "/plain", true);
    let wrong = get(&host, "/wrong", &[]).json();
    let wrong: Vec<&str> = wrong.as_array().unwrap().iter().map(|error| error.as_str().unwrap()).collect();
    assert!(
        wrong.len() == 4 && wrong.iter().all(|error| error.starts_with("TypeError: cache: ")),
        "{wrong:?}"
    );
    host.cli(&["purge", "shop", "--path", "a"]).fails(2, &["path `a` can't be purged"]);
    host.cli(&["purge", "nobody", "--all"]).fails(4, &["no app `nobody`"]);
    let audit = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert!(audit.contains("cache_purge") && audit.contains("tag three, hard"), "{audit}");
}

#[test]
fn stale_pages_are_used_as_they_allow() {
    let host = start("{}");
    let first = get(&host, "/short", &[]).text().to_owned();
    let stale = until(&host, "/short", |answer| status(answer).starts_with("vitrine; hit; ttl=0"));
    assert_eq!(stale.text(), first, "nobody waits for the new one");
    until(&host, "/short", |answer| answer.text() != first);
    let spare = get(&host, "/spare?fail", &[]).text().to_owned();
    let kept = until(&host, "/spare?fail", |answer| status(answer).contains("fwd=stale"));
    assert_eq!((kept.status, kept.text()), (200, spare.as_str()));
    assert!(status(&kept).contains("app_error"), "{kept:?}");
}

#[test]
fn a_stale_page_is_checked_with_its_app() {
    let host = start("{}");
    for path in ["/checked", "/checked?alone"] {
        let first = get(&host, path, &[]).text().to_owned();
        let checked = until(&host, path, |answer| status(answer).contains("fwd=stale"));
        assert_eq!((checked.status, checked.text()), (200, first.as_str()), "the app gave no page, {path}");
        let alone = checked.header("cache-control").unwrap().contains("private");
        assert_eq!(alone, path.contains("alone"), "{checked:?}");
    }
    // A HEAD is rendered with the whole request.
    let name = format!("shop.localhost:{}", host.edge.port());
    get(&host, "/copied", &[]);
    let head =
        Request::new(host.edge, "HEAD", "/needs").header("host", &name).header("user-agent", "x").send();
    assert_eq!(head.status, 200, "{head:?}");
}

#[test]
fn a_thousand_clients_at_once_are_one_render() {
    let bounds = "[edge]\nconnections_per_client = 2000\nrequests_per_client = 2000\n";
    let host = Host::start_in(Host::configured(bounds), &["--isolation", "process"]);
    deploy(&host, "{}", "v1");
    let texts: Vec<String> = thread::scope(|scope| {
        let asking: Vec<_> =
            (0..1000).map(|_| scope.spawn(|| get(&host, "/slow", &[]).text().to_owned())).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]), "{:?}", &texts[..3]);
    let stats = host.cli(&["cache", "stats", "shop", "--json"]).ok().json();
    assert_eq!(stats["shop"]["stored"], 1, "{stats}");
}

#[test]
fn a_page_that_is_streamed_is_kept_whole_also_when_its_client_leaves() {
    let host = start("{}");
    host.get("shop", "/stream").abandon(0, Duration::from_millis(120));
    let kept = until(&host, "/stream", |answer| status(answer).starts_with("vitrine; hit"));
    assert!(kept.text().starts_with("one two three #"), "{kept:?}");
}

#[test]
fn parts_heads_codings_and_validators_come_from_what_is_kept() {
    let host = start("{}");
    get(&host, "/range", &[]);
    let part = get(&host, "/range", &[("range", "bytes=2-4")]);
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "234", Some("bytes 2-4/10")));
    assert_eq!(get(&host, "/range", &[("range", "bytes=20-")]).status, 416);
    let head = ask(&host, "HEAD", "/range");
    assert!(
        status(&head).starts_with("vitrine; hit") && head.header("content-length") == Some("10"),
        "{head:?}"
    );
    let whole = get(&host, "/large", &[]);
    let coded = get(&host, "/large", &[("accept-encoding", "gzip")]);
    assert!(status(&coded).starts_with("vitrine; hit") && coded.header("content-encoding") == Some("gzip"));
    assert!(coded.body.len() < whole.body.len() / 10);
    let tag = whole.header("etag").unwrap();
    assert_eq!(get(&host, "/large", &[("if-none-match", tag)]).status, 304);
}

#[test]
fn each_release_has_pages_of_its_own_and_gets_them_back() {
    let host = start("{}");
    let by = |answer: &Answer| answer.header("x-vitrine-release").unwrap().to_owned();
    let first = get(&host, "/plain", &[]).text().to_owned();
    deploy(&host, r#"{"keyed_cookies": ["a"]}"#, "v2");
    assert_eq!(by(&get(&host, "/plain", &[])), "shop@v2");
    host.cli(&["rollback", "shop"]).ok();
    let back = get(&host, "/plain", &[]);
    assert_eq!((back.text(), by(&back).as_str()), (first.as_str(), "shop@v1"));
    assert!(status(&get(&host, "/plain", &[("x-vitrine-release", "v1")])).starts_with("vitrine; hit"));
    // Its pages are rendered anew: values may be in them.
    host.cli(&["env", "set", "shop", "A"]).stdin("b").ok();
    assert_eq!(by(&get(&host, "/plain", &[])), "shop@v1.r1");
}

#[test]
fn without_a_cache_nothing_is_kept_or_said() {
    let host = Host::start_in(Host::configured("[cache]\nenabled = false\n"), &["--isolation", "process"]);
    deploy(&host, "{}", "v1");
    let (first, second) = (get(&host, "/plain", &[]), get(&host, "/plain", &[]));
    assert!(first.text() != second.text() && second.header("cache-status").is_none(), "{second:?}");
}
