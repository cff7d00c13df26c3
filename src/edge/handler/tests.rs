//! The whole handler over real sockets: a client on one side, a worker that speaks the real protocol on the other.

mod files;
mod guarded;
mod replaced;
mod site;

use super::super::fixture::client;
use serde_json::Value;
use site::{LARGE, SCRIPT, site, site_with};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::worker::WorkerState;
use vitrine_wire::Frame;

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_comes_from_the_woken_app_with_the_hosts_headers_and_one_log_line() {
    let site = site().await;
    let page = site.browse("/page?q=1").header("traceparent", TRACE).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "x-vitrine-release"), "shop@v1");
    assert_eq!(header(&page, "x-vitrine-epoch"), "7");
    assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&page, "set-cookie"), "__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax");
    for part in ["edge;dur=", "queue;dur=", "render;dur=", "cache;desc="] {
        assert!(header(&page, "server-timing").contains(part), "{part}");
    }
    let id = header(&page, "x-request-id").to_owned();
    let text = page.text().await.unwrap();
    assert!(
        text.starts_with(&format!("GET http://shop.localhost:{}/page?q=1\n", site.address.port())),
        "{text}"
    );
    assert!(
        text.contains(&format!("traceparent={TRACE}")) && text.contains(&format!("x-request-id={id}")),
        "{text}"
    );

    let line = site.line("/page").await;
    assert_eq!(
        (&line["status"], &line["outcome"], &line["query"]),
        (&200.into(), &"ok".into(), &"q=1".into())
    );
    assert_eq!((&line["app"], &line["release"], &line["epoch"]), (&"shop".into(), &"v1".into(), &7.into()));
    assert_eq!(line["request_id"], id);
    assert_eq!(line["trace_id"], TRACE[3..35]);
    assert_eq!((&line["queue_ms"], &line["cpu_ms"]), (&1.5.into(), &2.0.into()));
    assert_eq!(line["bytes"], text.len());
    assert_eq!(site.pool.in_flight(), 0);
    let metrics = site.metrics.encode();
    let counted = r#"vitrine_http_requests_total{app="shop",release="v1",outcome="ok",code="200"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_handshake_that_finds_no_place_is_no_failed_render() {
    let site = site().await;
    let asked = site.get("/overloaded").header("connection", "upgrade").header("upgrade", "websocket");
    let asked = asked.header("sec-websocket-version", "13").header("sec-websocket-key", WEBSOCKET_KEY);
    assert_eq!(asked.send().await.unwrap().status(), 503);
    assert_eq!(site.get("/overloaded").send().await.unwrap().status(), 503);
    let both = r#"vitrine_http_requests_total{app="shop",release="v1",outcome="overloaded",code="503"} 2"#;
    while !site.metrics.encode().contains(both) {
        tokio::task::yield_now().await;
    }
    assert_eq!(site.pool.series().sample().figures().requests, 1);
}

const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

#[tokio::test]
async fn a_failed_render_is_the_shell_for_a_browser_and_an_error_for_everyone_else() {
    let site = site().await;
    let shell = site.browse("/throws").send().await.unwrap();
    assert_eq!(shell.status(), 500, "a page that could not be made is never a 200");
    assert_eq!(header(&shell, "x-vitrine-outcome"), "app_error");
    assert_eq!(header(&shell, "cache-control"), "no-store");
    assert_eq!(shell.text().await.unwrap(), "<p>shell");
    let line = site.line("/throws").await;
    assert_eq!((&line["outcome"], &line["level"]), (&"app_error".into(), &"error".into()));
    assert_eq!(line["error"]["stack"], "at page.tsx:3:7");

    let problem = site.get("/throws").header("accept", "application/json").send().await.unwrap();
    assert_eq!(problem.status(), 500);
    assert_eq!(header(&problem, "content-type"), "application/problem+json");
    let id = header(&problem, "x-request-id").to_owned();
    let text = problem.text().await.unwrap();
    assert!(!text.contains("boom") && !text.contains("page.tsx"), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["status"], &value["outcome"]), (&500.into(), &"app_error".into()));
    assert_eq!(value["request_id"], id);

    let script =
        site.get("/throws").header("sec-fetch-mode", "cors").header("accept", "text/html").send().await;
    assert_eq!(script.unwrap().status(), 500);
    let form = site.ask(http::Method::POST, "/throws").header("sec-fetch-mode", "navigate");
    let form = form.header("accept", "text/html").send().await.unwrap();
    assert_eq!((form.status().as_u16(), header(&form, "content-type")), (500, "text/html; charset=utf-8"));
    assert!(form.text().await.unwrap().contains("Internal Server Error"));

    let busy = site.browse("/overloaded").send().await.unwrap();
    assert_eq!((busy.status().as_u16(), header(&busy, "retry-after")), (503, "1"));
    assert_eq!(header(&busy, "x-vitrine-outcome"), "overloaded");
    assert_eq!(busy.text().await.unwrap(), "<p>shell");
    let robot = site.get("/overloaded").header("accept", "*/*").send().await.unwrap();
    assert_eq!(robot.status(), 503);
    assert!(robot.text().await.unwrap().contains("The service is busy"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_complete_message() {
    let site = site().await;
    let broken = site.get("/broken").send().await.unwrap();
    assert_eq!(broken.status(), 200);
    assert!(broken.bytes().await.is_err());
    let line = site.line("/broken").await;
    assert_eq!((&line["outcome"], &line["status"]), (&"cpu_limit".into(), &200.into()));

    let forged = site.get("/forged").send().await.unwrap();
    assert_eq!(header(&forged, "x-vitrine-release"), "shop@v1");
    let cookies: Vec<_> = forged.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax"]);
    assert_eq!(forged.text().await.unwrap(), "whole body");
}

#[tokio::test]
async fn a_stream_that_finds_no_place_for_an_encoder_is_sent_as_it_is() {
    for (places, coding) in [(1, "br"), (0, "")] {
        let site = site_with(None, Some(AppPlaces::new(places, places))).await;
        let stream = site.get("/stream").header("accept-encoding", "br").send().await.unwrap();
        assert_eq!(
            (header(&stream, "content-encoding"), header(&stream, "vary")),
            (coding, "accept-encoding")
        );
    }
}

#[tokio::test]
async fn a_length_that_the_app_gave_is_passed_on_and_checked() {
    let site = site().await;
    let told = site.get("/told").send().await.unwrap();
    assert_eq!(header(&told, "content-length"), "7");
    assert_eq!(told.text().await.unwrap(), "one,two");
    let line = site.line("/told").await;
    assert_eq!((&line["outcome"], &line["bytes"], &line["cpu_ms"]), (&"ok".into(), &7.into(), &2.0.into()));

    let head = site.ask(http::Method::HEAD, "/told").send().await.unwrap();
    assert_eq!(header(&head, "content-length"), "7");
    assert_eq!(head.text().await.unwrap(), "");
    for (path, how) in [("/too-short", "shorter"), ("/too-long", "longer")] {
        let wrong = site.get(path).send().await.unwrap();
        assert!(wrong.bytes().await.is_err(), "{path}");
        let line = site.line(path).await;
        assert_eq!(line["outcome"], "app_error", "{line}");
        assert!(line["error"].to_string().contains(&format!("{how} than its content-length")), "{line}");
    }
}

#[tokio::test]
async fn a_client_that_names_no_host_gets_the_only_app() {
    let site = site().await;
    let mut client = tokio::net::TcpStream::connect(site.address).await.unwrap();
    client.write_all(b"OPTIONS / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.0 200 ") && text.contains("OPTIONS http://localhost/\n"), "{text}");
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole_only_when_that_was_closed() {
    let site = site().await;
    let ask = async |path: &str| {
        let mut client = tokio::net::TcpStream::connect(site.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nhost: shop.localhost\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        let ended = client.read_to_string(&mut text).await.map_err(|error| error.kind());
        (ended.map(|_| ()), text)
    };
    let (ended, text) = ask("/stream").await;
    assert_eq!(ended, Ok(()));
    assert!(text.ends_with("\r\n\r\none,two") && !text.contains("content-length"), "{text}");
    let (ended, text) = ask("/broken").await;
    assert_eq!(ended, Err(std::io::ErrorKind::ConnectionReset), "{text}");
}

#[tokio::test]
async fn a_lost_worker_is_asked_again_only_when_nothing_can_happen_twice() {
    let site = site().await;
    let again = site.get("/lost-once").send().await.unwrap();
    assert_eq!(again.status(), 200);
    let asked = |method: &str| {
        let frames = site.seen.lock().unwrap();
        frames
            .iter()
            .filter(|frame| matches!(frame, Frame::Request(_, head) if head.method == method))
            .count()
    };
    assert_eq!(asked("GET"), 2);
    let once = site.ask(http::Method::POST, "/x/../lost-once").send().await.unwrap();
    assert_eq!(once.status(), 200, "the second request of this path is answered");
    assert_eq!(asked("POST"), 1);
}

#[tokio::test]
async fn request_bodies_are_bounded_with_a_length_and_without() {
    let site = site().await;
    let post = |bytes: usize| site.ask(http::Method::POST, "/echo").body("x".repeat(bytes));
    assert_eq!(post(100).send().await.unwrap().text().await.unwrap(), "100");
    assert_eq!(post(101).send().await.unwrap().status(), 413);
    let chunked = |pieces: usize| {
        let pieces: Vec<_> = (0..pieces).map(|_| Ok::<_, std::io::Error>("0123456789")).collect();
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        site.ask(http::Method::POST, "/echo").body(body).send()
    };
    assert_eq!(chunked(10).await.unwrap().text().await.unwrap(), "100");
    let refused = chunked(11).await.unwrap();
    assert_eq!(refused.status(), 413);
    assert_eq!(header(&refused, "x-vitrine-outcome"), "client_error");
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_gets_its_refusal() {
    let site = site().await;
    for (host, status) in [("shop.localhost", "413"), ("nobody.localhost", "404")] {
        let mut client = tokio::net::TcpStream::connect(site.address).await.unwrap();
        let bytes = 8 << 20;
        let head = format!("POST /echo HTTP/1.1\r\nhost: {host}\r\ncontent-length: {bytes}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; bytes]).await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_render() {
    let site = site().await;
    let gone = site.get("/hang").timeout(Duration::from_millis(100)).send().await;
    assert!(gone.unwrap_err().is_timeout());
    let line = site.line("/hang").await;
    assert_eq!((&line["outcome"], &line["status"]), (&"cancelled".into(), &499.into()));
    let mut cancelled = false;
    for _ in 0..50 {
        cancelled |= site.seen.lock().unwrap().iter().any(|frame| matches!(frame, Frame::Cancel(..)));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(cancelled);
    assert_eq!(site.pool.in_flight(), 0);
}

#[tokio::test]
async fn own_paths_and_unknown_hosts_are_answered_without_an_app() {
    let site = site().await;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", site.address.port());
    let plain = client(|builder| builder);
    let health = plain.get(url("/_vitrine/healthz")).header("host", "any.thing").send().await.unwrap();
    assert_eq!(health.status(), 200);
    let ready = plain.get(url("/_vitrine/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["reason"], "no_worker");
    assert_eq!(site.get("/page").send().await.unwrap().status(), 200);
    assert_eq!(plain.get(url("/_vitrine/readyz")).send().await.unwrap().status(), 200);
    assert_eq!(site.get("/_vitrine/other").send().await.unwrap().status(), 404);
    let nowhere = plain.get(url("/")).header("host", "x.localhost").send().await.unwrap();
    assert_eq!((nowhere.status().as_u16(), header(&nowhere, "x-vitrine-outcome")), (404, "no_route"));
    let long = plain.get(url(&format!("/{}", "a".repeat(17 << 10)))).send().await.unwrap();
    assert_eq!(long.status(), 414);
}

#[tokio::test]
async fn a_head_request_reaches_the_app_and_has_no_body() {
    let site = site().await;
    let head = site.ask(http::Method::HEAD, "/page").send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, ""));
    let asked = site
        .seen
        .lock()
        .unwrap()
        .iter()
        .any(|frame| matches!(frame, Frame::Request(_, head) if head.method == "HEAD"));
    assert!(asked);
}

#[test]
fn a_page_of_another_host_is_told_from_one_of_this() {
    let asked = |origin: Option<&'static str>| {
        let origin = origin.map(|origin| (http::header::ORIGIN, http::HeaderValue::from_static(origin)));
        super::is_from_elsewhere("shop--x.test", &origin.into_iter().collect())
    };
    // Programs that are no browser send none.
    assert!(!asked(None) && !asked(Some("https://SHOP--x.test:8443")));
    for origin in ["https://other.test", "https://shop--x.test.evil.example", "null", "shop--x.test"] {
        assert!(asked(Some(origin)), "{origin}");
    }
}
