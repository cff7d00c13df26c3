//! What apps fetch, from the cache: as HTTP has it, and as the app says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Fetches what its query says, and answers with the text, `age` and `cache-status`.
const APP: &str = r#"
export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/purge") {
      await ctx.cache.purge({ tags: searchParams.getAll("tag") });
      return new Response("purged");
    }
    const options = JSON.parse(searchParams.get("options") ?? "{}");
    try {
      const answer = await fetch(`ORIGIN${searchParams.get("of")}`, options);
      const text = await answer.text();
      if (pathname === "/page") return new Response(text, { headers: { "cache-control": "s-maxage=60" } });
      return Response.json({ text, status: answer.status, age: answer.headers.get("age"), cache: answer.headers.get("cache-status") });
    } catch (error) {
      return Response.json({ error: error.message });
    }
  },
};
"#;

/// An origin that counts what it is asked, and answers as the path says.
struct Origin {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    fails: Arc<AtomicUsize>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin =
            Self { address: listener.local_addr().unwrap(), asked: Arc::default(), fails: Arc::default() };
        let (asked, fails) = (Arc::clone(&origin.asked), Arc::clone(&origin.fails));
        // Ends with the test's process; it holds nothing but its port.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, fails) = (Arc::clone(&asked), Arc::clone(&fails));
                thread::spawn(move || answer(stream, &asked, &fails));
            }
        });
        origin
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

fn answer(stream: TcpStream, asked: &Mutex<Vec<String>>, fails: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(path.clone());
        asked.len()
    };
    let says = match path.split(['?', '/']).nth(1)? {
        "fresh" => "cache-control: max-age=60\r\n",
        "public" => "cache-control: public, max-age=60\r\n",
        "tagged" => "cache-control: max-age=60\r\ncache-tag: upstream\r\n",
        "language" => "cache-control: max-age=60\r\nvary: accept-language\r\n",
        "short" => "cache-control: max-age=1, stale-while-revalidate=60\r\n",
        "spare" => "cache-control: max-age=1, stale-if-error=60\r\n",
        "slow" => {
            // How long it takes is its subject.
            thread::sleep(Duration::from_millis(300));
            "cache-control: max-age=60\r\n"
        }
        "never" => "cache-control: no-store\r\n",
        _ => "",
    };
    let status = if fails.load(Ordering::SeqCst) > 0 { "503 Unavailable" } else { "200 OK" };
    let text = format!("#{number}");
    let length = text.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\n{says}content-length: {length}\r\nconnection: close\r\n\r\n{text}"
    )
    .ok()
}

fn start(origin: &Origin) -> Host {
    let host = Host::start_in(
        Host::configured(&format!("[egress]\nallow_private = [\"{}\"]\n", origin.address)),
        &["--isolation", "process"],
    );
    deploy(&host, origin, "v1");
    host
}

fn deploy(host: &Host, origin: &Origin, version: &str) {
    let url = format!("http://127.0.0.1:{}", origin.address.port());
    let manifest =
        serde_json::json!({"egress": [url], "health": {"path": "/health"}, "warm": []}).to_string();
    let app = APP.replace("ORIGIN", &url);
    let files = [("server/index.js", app.as_str()), ("vitrine.json", manifest.as_str())];
    host.deploy_files("shop", &files, &["--version", version]);
}

fn get(host: &Host, path: &str) -> Answer {
    host.get("shop", path).send()
}

fn fetched(host: &Host, of: &str, options: &str) -> serde_json::Value {
    let escaped = options.replace('"', "%22").replace('{', "%7b").replace('}', "%7d").replace(' ', "%20");
    get(host, &format!("/call?of={of}&options={escaped}")).json()
}

/// How often the origin is asked by two calls.
fn asked_by_two(host: &Host, origin: &Origin, path: &str, options: &str) -> usize {
    let before = origin.asked(path);
    let first = fetched(host, path, options);
    let second = fetched(host, path, options);
    let asked = origin.asked(path) - before;
    assert_eq!(asked < 2, first["text"] == second["text"], "{path} {options}: {first} {second}");
    asked
}

#[test]
fn answers_are_kept_as_http_and_the_app_say() {
    let origin = Origin::start();
    let host = start(&origin);
    for (path, options, asked) in [
        ("/fresh/1", "{}", 1),
        ("/never/1", "{}", 2),
        ("/unsaid/1", "{}", 2),
        ("/fresh/2", r#"{"cache":"no-store"}"#, 2),
        ("/fresh/3", r#"{"cache":"reload"}"#, 2),
        ("/unsaid/2", r#"{"cache":"force-cache"}"#, 1),
        ("/unsaid/3", r#"{"next":{"revalidate":60}}"#, 1),
        ("/never/2", r#"{"next":{"revalidate":60}}"#, 1),
        ("/fresh/4", r#"{"next":{"revalidate":0}}"#, 2),
        ("/unsaid/4", r#"{"cf":{"cacheTtl":60}}"#, 1),
        ("/fresh/5", r#"{"headers":{"authorization":"Bearer a"}}"#, 2),
        ("/fresh/6", r#"{"headers":{"cookie":"a=b"}}"#, 2),
        ("/public/1", r#"{"headers":{"authorization":"Bearer a"}}"#, 1),
        ("/fresh/7", r#"{"headers":{"range":"bytes=0-1"}}"#, 2),
        ("/fresh/8", r#"{"method":"POST"}"#, 2),
    ] {
        assert_eq!(asked_by_two(&host, &origin, path, options), asked, "{path} {options}");
    }
    let kept = fetched(&host, "/fresh/1", "{}");
    assert!(kept["age"].is_string() && kept["cache"].as_str().unwrap().starts_with("vitrine; hit"), "{kept}");
}

#[test]
fn answers_to_different_calls_are_kept_apart() {
    let origin = Origin::start();
    let host = start(&origin);
    let text = |path: &str, options: &str| fetched(&host, path, options)["text"].as_str().unwrap().to_owned();
    let with = |name: &str, value: &str| format!(r#"{{"headers":{{"{name}":"{value}"}}}}"#);
    for (path, name) in
        [("/public/2", "authorization"), ("/fresh/9", "x-user"), ("/language/1", "accept-language")]
    {
        assert_ne!(text(path, &with(name, "a")), text(path, &with(name, "b")), "{name}");
        assert_eq!(text(path, &with(name, "a")), text(path, &with(name, "a")), "{name}");
    }
    assert_eq!(
        text("/fresh/10", &with("accept-language", "a")),
        text("/fresh/10", &with("accept-language", "b"))
    );
}

#[test]
fn a_flip_keeps_what_was_fetched_and_equal_calls_are_one() {
    let origin = Origin::start();
    let host = start(&origin);
    let before = fetched(&host, "/fresh/1", "{}");
    deploy(&host, &origin, "v2");
    assert_eq!(fetched(&host, "/fresh/1", "{}")["text"], before["text"]);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| fetched(&host, "/slow/1", "{}"));
        }
    });
    assert_eq!(origin.asked("/slow/1"), 1);
}

#[test]
fn stale_answers_are_used_as_they_allow() {
    let origin = Origin::start();
    let host = start(&origin);
    let until = |path: &str, holds: &dyn Fn(&serde_json::Value) -> bool| {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds(&fetched(&host, path, "{}")) {
            assert!(Instant::now() < end, "{path}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    let first = fetched(&host, "/short/1", "{}");
    until("/short/1", &|answer| answer["text"] != first["text"]);
    let spare = fetched(&host, "/spare/1", "{}");
    origin.fails.store(1, Ordering::SeqCst);
    until("/spare/1", &|_| origin.asked("/spare/1") > 1);
    let kept = fetched(&host, "/spare/1", "{}");
    assert_eq!((&kept["text"], &kept["status"]), (&spare["text"], &200.into()), "{kept}");
}

#[test]
fn a_purge_of_an_address_reaches_the_pages_that_were_made_of_it() {
    let origin = Origin::start();
    let host = start(&origin);
    let page = |of: &str| get(&host, &format!("/page?of={of}")).text().to_owned();
    let url = |of: &str| format!("url:http://127.0.0.1:{}{of}", origin.address.port());
    let (one, two, three) = (page("/fresh/1"), page("/fresh/2"), page("/tagged/3"));
    assert_eq!(page("/fresh/1"), one);
    host.cli(&["purge", "shop", "--tag", &url("/fresh/1")]).ok();
    assert_ne!(page("/fresh/1"), one);
    assert_eq!((page("/fresh/2"), page("/tagged/3")), (two.clone(), three.clone()));
    assert_eq!(get(&host, "/purge?tag=upstream").text(), "purged");
    assert_ne!(page("/tagged/3"), three, "by the upstream's own tag");
    // A page of what is kept is purged with it, too.
    assert_eq!(fetched(&host, "/fresh/2", "{}")["text"], two);
    let body = serde_json::json!({"tags": [url("/fresh/2")]}).to_string();
    let purged =
        host.call("POST", "/v1/apps/shop/purge").header("content-type", "application/json").body(body).send();
    assert_eq!(purged.status, 200, "{purged:?}");
    assert_ne!(page("/fresh/2"), two);
}

#[test]
fn what_the_rules_of_a_release_forbid_is_not_given_from_the_cache() {
    let origin = Origin::start();
    let host = start(&origin);
    fetched(&host, "/fresh/1", "{}");
    let app = APP.replace("ORIGIN", &format!("http://127.0.0.1:{}", origin.address.port()));
    let files = [
        ("server/index.js", app.as_str()),
        ("vitrine.json", r#"{"health": {"path": "/health"}, "warm": []}"#),
    ];
    host.deploy_files("shop", &files, &["--version", "v2"]);
    let denied = fetched(&host, "/fresh/1", "{}");
    assert!(denied["error"].as_str().unwrap().contains("egress denied"), "{denied}");
}
