//! The cache of pages at its bounds: memory that is full, purges during a render, and what an app says when it is asked by what is kept.

use std::thread;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const PAGES: usize = 60;

/// Streams go on once `/go` was asked for; `/begun` tells how many there are.
const APP: &str = r#"
let begun = 0, go = false, renders = 0;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const encode = (text) => new TextEncoder().encode(text);
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const number = ++renders;
    const headers = { "cache-control": "s-maxage=60", "content-type": "text/html" };
    if (pathname === "/begun") return new Response(`${begun}`);
    if (pathname === "/go") go = true;
    if (pathname.startsWith("/large/")) return new Response(`${"x".repeat(50_000)} #${number}`, { headers });
    if (pathname.startsWith("/checked/")) {
      const etag = '"same"';
      if (request.headers.get("if-none-match") !== etag) {
        return new Response("checked", { headers: { etag, "cache-control": "s-maxage=1" } });
      }
      const confirmed = new Headers({ etag });
      for (const line of pathname.slice(9).split("+")) confirmed.append("cache-control", line);
      return new Response(null, { status: 304, headers: confirmed });
    }
    if (pathname.startsWith("/stream/")) {
      begun++;
      if (pathname !== "/stream/all") headers.vary = "accept-language";
      const language = request.headers.get("accept-language");
      return new Response(new ReadableStream({
        async start(controller) {
          controller.enqueue(encode(`for ${language}: `));
          while (!go) await wait(10);
          controller.enqueue(encode(`#${number}`));
          controller.close();
        },
      }), { headers });
    }
    return new Response("nothing");
  },
};
"#;

fn start(config: &str, mode: &str) -> Host {
    let host = Host::start_in(Host::configured(config), &["--isolation", "process"]);
    let manifest = format!("{{\"cache\": {{\"mode\": \"{mode}\"}}, \"limits\": {{\"isolates\": 1}}}}");
    let files = [("server/index.js", APP), ("vitrine.json", manifest.as_str())];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    host
}

fn get(host: &Host, path: &str, language: &str) -> Answer {
    host.get("shop", path).header("accept-language", language).send()
}

fn status(answer: &Answer) -> &str {
    answer.header("cache-status").unwrap_or_default()
}

fn streams_begun(host: &Host, count: usize) {
    wait_until("a render begins", PATIENCE, || {
        (get(host, "/begun", "en").text() == count.to_string()).then_some(())
    });
}

fn misses(host: &Host) -> u64 {
    host.cli(&["cache", "stats", "shop", "--json"]).ok().json()["shop"]["requests"]["miss"].as_u64().unwrap()
}

#[test]
fn an_app_that_has_its_share_keeps_new_pages_in_the_place_of_old_ones() {
    let host = start("[cache]\nmemory_mb = 2\n", "observed");
    for number in 0..PAGES {
        let path = format!("/large/{number}");
        let text = get(&host, &path, "en").text().to_owned();
        assert_eq!(get(&host, &path, "en").text(), text, "{path} is kept");
    }
    let stats = host.cli(&["cache", "stats", "shop", "--json"]).ok().json();
    assert_eq!(stats["shop"]["stored"], PAGES, "{stats}");
    assert!(stats["shop"]["bytes"].as_u64().unwrap() <= 1 << 20, "{stats}");
}

#[test]
fn who_asks_after_a_purge_gets_no_part_of_a_render_from_before() {
    let host = start("", "declared");
    thread::scope(|scope| {
        let before = scope.spawn(|| get(&host, "/stream/all", "en").text().to_owned());
        streams_begun(&host, 1);
        host.cli(&["purge", "shop", "--all"]).ok();
        let after = scope.spawn(|| get(&host, "/stream/all", "en").text().to_owned());
        streams_begun(&host, 2);
        get(&host, "/go", "en");
        assert_ne!(before.join().unwrap(), after.join().unwrap());
    });
}

#[test]
fn nobody_follows_a_page_that_varies_for_somebody_else() {
    let host = start("", "declared");
    thread::scope(|scope| {
        let german = scope.spawn(|| get(&host, "/stream/vary", "de").text().to_owned());
        streams_begun(&host, 1);
        let before = misses(&host);
        // It waits for the end of the first one; what it waits for is not for it.
        let french = scope.spawn(|| get(&host, "/stream/vary", "fr").text().to_owned());
        wait_until("both are under way", PATIENCE, || (misses(&host) > before).then_some(()));
        get(&host, "/go", "en");
        assert!(german.join().unwrap().starts_with("for de"));
        assert!(french.join().unwrap().starts_with("for fr"));
    });
}

#[test]
fn what_an_app_confirms_is_answered_whether_or_not_it_is_kept_on() {
    let host = start("", "declared");
    for (confirmed, is_kept) in [("s-maxage=60", true), ("no-store", false), ("private+s-maxage=60", false)] {
        let path = format!("/checked/{confirmed}");
        assert_eq!(get(&host, &path, "en").text(), "checked");
        let answer = wait_until("the page is stale", PATIENCE, || {
            let answer = get(&host, &path, "en");
            status(&answer).contains("fwd=stale").then_some(answer)
        });
        assert_eq!((answer.status, answer.text()), (200, "checked"), "{confirmed}: {answer:?}");
        assert_eq!(status(&get(&host, &path, "en")).starts_with("vitrine; hit"), is_kept, "{confirmed}");
    }
}
