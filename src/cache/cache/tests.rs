use super::*;
use crate::freshness::Freshness;
use crate::key::{Scope, path_tag};
use http::{HeaderName, Method, StatusCode};
use std::borrow::Cow;
use std::time::Duration;

/// A request with these headers.
struct Request(&'static [(&'static str, &'static str)]);

impl Asked for Request {
    fn method(&self) -> &Method {
        &Method::GET
    }

    fn header(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| Cow::Borrowed(value.as_bytes()))
    }

    fn cookie(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }
}

const ANY: Request = Request(&[]);

fn shop() -> AppName {
    "shop".parse().unwrap()
}

fn key(path: &str) -> Key {
    let url = format!("http://shop.localhost{path}").into();
    Key { app: shop(), scope: Scope::Release("v1".into()), url, variant: Box::default() }
}

fn page(path: &str, body: &'static str, tags: &[&str]) -> NewEntry {
    let freshness = Freshness {
        lifetime: Duration::from_secs(60),
        age: Duration::ZERO,
        stale_while_revalidate: Duration::from_secs(10),
        stale_if_error: Duration::from_secs(20),
        let_credentials_be_shared: false,
    };
    let tags = std::iter::once(path_tag(path)).chain(tags.iter().map(|tag| (*tag).to_owned())).collect();
    NewEntry {
        status: StatusCode::OK,
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
        freshness,
        tags,
        cpu_us: 1000,
    }
}

fn put(cache: &Cache, path: &str, tags: &[&str]) {
    cache.put(key(path), ToldApart::default(), &ANY, page(path, "page", tags), cache.birth()).unwrap();
}

/// What there is: `fresh`, `stale` with what it may be used for, or nothing.
fn looked(cache: &Cache, path: &str, after_s: u64) -> String {
    match cache.look(&key(path), &ANY, Instant::now() + Duration::from_secs(after_s)) {
        Looked::Fresh(_) => "fresh".into(),
        Looked::Stale(_, staleness) => {
            format!("stale {} {}", staleness.while_revalidating, staleness.if_error)
        }
        Looked::Nothing => "nothing".into(),
    }
}

fn purge(tags: &[&str], hard: bool) -> Purge {
    Purge { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), hard, ..Purge::default() }
}

#[test]
fn an_entry_is_fresh_then_stale_then_of_no_use() {
    let cache = Cache::new(1 << 20);
    put(&cache, "/a", &[]);
    for (after_s, expected) in [
        (0, "fresh"),
        (59, "fresh"),
        (65, "stale true true"),
        (75, "stale false true"),
        (99, "stale false false"),
    ] {
        assert_eq!(looked(&cache, "/a", after_s), expected, "{after_s}");
    }
    assert_eq!(looked(&cache, "/b", 0), "nothing");
}

#[test]
fn a_purge_is_seen_by_the_next_look_and_by_renders_that_are_under_way() {
    let cache = Cache::new(1 << 20);
    put(&cache, "/a", &["x"]);
    put(&cache, "/b", &["y"]);
    let before = cache.birth();
    cache.purge(&shop(), &purge(&["x"], false));
    assert_eq!(looked(&cache, "/a", 0), "stale false true", "nobody gets it but where no other can be made");
    assert_eq!(looked(&cache, "/b", 0), "fresh");
    let late = cache.put(key("/a"), ToldApart::default(), &ANY, page("/a", "old", &["x"]), before);
    assert_eq!(late.unwrap_err(), NoRoom::Purged);
    cache.purge(&shop(), &purge(&["y"], true));
    assert_eq!(looked(&cache, "/b", 0), "nothing");
    cache.purge(&"blog".parse().unwrap(), &Purge { everything: true, hard: true, ..Purge::default() });
    put(&cache, "/a", &["x"]);
    assert_eq!(looked(&cache, "/a", 0), "fresh", "another app's purge");
    cache.purge(&shop(), &purge(&[&path_tag("/a")], true));
    assert_eq!(looked(&cache, "/a", 0), "nothing");
}

#[test]
fn entries_of_one_key_are_told_apart_by_what_they_were_made_for() {
    const GERMAN: Request = Request(&[("accept-language", "de , en")]);
    const SPACED: Request = Request(&[("accept-language", "de,en")]);
    const FRENCH: Request = Request(&[("accept-language", "fr")]);
    let cache = Cache::new(1 << 20);
    let apart = || ToldApart { headers: vec![http::header::ACCEPT_LANGUAGE], cookies: Vec::new() };
    cache.put(key("/"), apart(), &GERMAN, page("/", "de", &[]), cache.birth()).unwrap();
    cache.put(key("/"), apart(), &FRENCH, page("/", "fr", &[]), cache.birth()).unwrap();
    let body = |request: &Request| match cache.look(&key("/"), request, Instant::now()) {
        Looked::Fresh(entry) => String::from_utf8(entry.body.to_vec()).unwrap(),
        _ => String::new(),
    };
    assert_eq!((body(&SPACED).as_str(), body(&FRENCH).as_str(), body(&ANY).as_str()), ("de", "fr", ""));
    cache.put(key("/"), apart(), &SPACED, page("/", "neu", &[]), cache.birth()).unwrap();
    assert_eq!(body(&GERMAN), "neu");
    assert_eq!(cache.stats(&shop()).entries, 2);
}

#[test]
fn what_saves_little_goes_first_and_all_fits() {
    let cache = Cache::new(200_000);
    let costly = |number: usize| {
        let path = format!("/{number}");
        let mut page = page(&path, "page", &[]);
        page.body = vec![b'x'; 2000].into();
        page.cpu_us = if number < 5 { 1_000_000 } else { 10 };
        cache.put(key(&path), ToldApart::default(), &ANY, page, cache.birth())
    };
    for number in 0..500 {
        costly(number).unwrap();
        assert!(cache.stats(&shop()).bytes <= 100_000, "an app has at most half of all");
    }
    let kept = |range: std::ops::Range<usize>| {
        range.filter(|number| looked(&cache, &format!("/{number}"), 0) == "fresh").count()
    };
    assert!(kept(0..5) >= 4, "{} of what is costly", kept(0..5));
    assert_eq!(kept(499..500), 1, "what is new is kept");
}

#[test]
fn what_is_over_goes_before_what_is_worth_more() {
    let cache = Cache::new(200_000);
    let mut over = page("/over", "page", &[]);
    over.cpu_us = 1_000_000;
    over.freshness.lifetime = Duration::from_nanos(1);
    over.freshness.stale_while_revalidate = Duration::ZERO;
    over.freshness.stale_if_error = Duration::ZERO;
    cache.put(key("/over"), ToldApart::default(), &ANY, over, cache.birth()).unwrap();
    put(&cache, "/cheap", &[]);
    let worst = cache.shelf.take_worst(|_| true).unwrap();
    assert_eq!(worst.url(), "http://shop.localhost/over");
    put(&cache, "/next", &[]);
    let worth = |path: &str| match cache.look(&key(path), &ANY, Instant::now()) {
        Looked::Fresh(entry) => entry.worth.load(Ordering::Relaxed) / 2,
        _ => panic!("it was put"),
    };
    assert_eq!(worth("/next"), worth("/cheap"), "what was over raised no floor");
}

#[test]
fn an_app_that_has_its_share_takes_nothing_from_others() {
    let cache = Cache::new(200_000);
    let of = |app: &str, number: usize, cpu_us: u64| {
        let mut page = page(&format!("/{number}"), "page", &[]);
        page.body = vec![b'x'; 2000].into();
        page.cpu_us = cpu_us;
        let key = Key { app: app.parse().unwrap(), ..key(&format!("/{number}")) };
        cache.put(key, ToldApart::default(), &ANY, page, cache.birth()).unwrap();
    };
    of("blog", 0, 1);
    for number in 0..500 {
        of("shop", number, 1_000_000);
    }
    assert_eq!(cache.stats(&"blog".parse().unwrap()).entries, 1);
    assert!(cache.stats(&shop()).entries > 20);
}

#[test]
fn who_asks_after_a_purge_follows_nothing_that_was_begun_before() {
    let cache = Cache::new(1 << 20);
    let Turn::Lead(_filling) = cache.fly(&key("/a")) else { panic!("the first one leads") };
    cache.purge(&"blog".parse().unwrap(), &Purge { everything: true, ..Purge::default() });
    assert!(matches!(cache.fly(&key("/a")), Turn::Follow(_)), "another app's purge");
    cache.purge(&shop(), &purge(&["x"], false));
    let Turn::Lead(_filling) = cache.fly(&key("/a")) else { panic!("it was purged") };
    assert!(matches!(cache.fly(&key("/a")), Turn::Follow(_)));
}

#[test]
fn codings_count_and_go_with_their_entry() {
    let cache = Cache::new(1 << 20);
    put(&cache, "/a", &[]);
    let Looked::Fresh(entry) = cache.look(&key("/a"), &ANY, Instant::now()) else { panic!("it was put") };
    let before = cache.shelf.bytes();
    cache.keep_encoded(&entry, Encoding::Zstd, Bytes::from_static(b"1234"));
    cache.keep_encoded(&entry, Encoding::Zstd, Bytes::from_static(b"12345678"));
    assert_eq!(cache.shelf.bytes(), before + 4);
    assert_eq!(entry.encoded(Encoding::Zstd).unwrap(), "1234");
    cache.drop_entry(&entry);
    cache.keep_encoded(&entry, Encoding::Br, Bytes::from_static(b"12"));
    assert_eq!(cache.shelf.bytes(), 0);
    assert_eq!(cache.stats(&shop()).entries, 0);
}

/// `cargo test --release -p vitrine-cache -- a_look_is_cheap --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn a_look_is_cheap() {
    let cache = Cache::new(1 << 30);
    for number in 0..100_000 {
        put(&cache, &format!("/{number}"), &["a", "b"]);
    }
    let begun = Instant::now();
    for number in 0..1_000_000 {
        assert!(matches!(cache.look(&key(&format!("/{}", number % 100_000)), &ANY, begun), Looked::Fresh(_)));
    }
    println!("a look, with its key: {:?}", begun.elapsed() / 1_000_000);
}
