//! Answers of apps on their way to clients that can read a coding, and to those who have them already.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

const PATIENCE: Duration = Duration::from_secs(30);
const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

/// `/page` is at hand, `/stream` waits for `/go` after its first piece; the others are not to be compressed.
const APP: &str = r#"
const page = "<li>one of many lines of a page</li>\n".repeat(1000);
const html = { "content-type": "text/html; charset=utf-8" };
const data = { "content-type": "application/json", etag: '"v1"' };
let go;
const gone = new Promise((done) => (go = done));
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/page": return new Response(page, { headers: { ...html, etag: '"v1"', "cache-control": "no-cache" } });
      case "/tagged": return new Response(page, { headers: data });
      case "/go": go(); return new Response("gone");
      case "/stream": {
        const encoder = new TextEncoder();
        let step = 0;
        return new Response(new ReadableStream({
          async pull(controller) {
            if (step++ === 0) return controller.enqueue(encoder.encode("<p>shell</p>"));
            await gone;
            controller.enqueue(encoder.encode("<p>late</p>"));
            controller.close();
          },
        }), { headers: html });
      }
      case "/slow-data": {
        return new Response(new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("[1")),
          pull: () => new Promise(() => {}),
        }), { headers: data });
      }
      case "/long-data": return new Response(page.repeat(10), { headers: data });
      case "/itself": return new Response(null, { status: 304, headers: { etag: '"v1"' } });
      case "/small": return new Response("small", { headers: html });
      case "/events": return new Response("data: 1\n\n".repeat(500), { headers: { "content-type": "text/event-stream" } });
      case "/image": return new Response(page, { headers: { "content-type": "image/png" } });
      case "/kept": return new Response(page, { headers: { ...html, "cache-control": "no-transform" } });
      case "/encoded": return new Response(page, { headers: { ...html, "content-encoding": "identity" } });
      case "/part": return new Response(page, { status: 206, headers: { ...html, "content-range": "bytes 0-1/2" } });
      case "/data": return Response.json({ page });
      default: return new Response(null, { status: 404 });
    }
  },
};
"#;

fn host(manifest: &str) -> Host {
    let host = Host::start();
    let files = [("server/index.js", APP), ("vitrine.json", manifest)];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    host
}

fn ask(host: &Host, path: &str, accepts: &str) -> Answer {
    host.get("shop", path).header("accept-encoding", accepts).send()
}

fn reader<'a>(coding: &str, data: impl Read + 'a) -> Box<dyn Read + 'a> {
    match coding {
        "br" => Box::new(brotli::Decompressor::new(data, 4096)),
        "gzip" => Box::new(flate2::read::MultiGzDecoder::new(data)),
        "zstd" => Box::new(zstd::stream::read::Decoder::new(data).unwrap()),
        other => panic!("{other}"),
    }
}

fn decoded(coding: &str, data: &[u8]) -> String {
    let mut text = String::new();
    reader(coding, data).read_to_string(&mut text).unwrap();
    text
}

/// Whether caches are told that the coding depends on the client.
fn varies(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, value)| name == "vary" && value.contains("accept-encoding"))
}

#[test]
fn a_page_is_sent_in_the_coding_that_its_client_prefers() {
    let host = host("{}");
    let plain = host.get("shop", "/tagged").send();
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), (None, Some("\"v1\"")));
    assert!(varies(&plain), "{plain:?}");
    for coding in CODINGS {
        let answer = ask(&host, "/tagged", &format!("identity;q=0.5, {coding}"));
        assert_eq!((answer.status, answer.header("content-encoding")), (200, Some(coding)));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.header("etag"), Some("W/\"v1\""), "other bytes than the plain ones");
        assert!(answer.body.len() * 10 < plain.body.len(), "{coding}: {} bytes", answer.body.len());
        assert_eq!(decoded(coding, &answer.body), plain.text(), "{coding}");
    }
    assert_eq!(ask(&host, "/page", "gzip, deflate, br, zstd").header("content-encoding"), Some("zstd"));
    assert_eq!(decoded("br", &ask(&host, "/data", "br").body), host.get("shop", "/data").send().text());
    let head = vitrine_test_support::http::Request::new(host.edge, "HEAD", "/page")
        .header("host", "shop.localhost")
        .header("accept-encoding", "br")
        .send();
    assert_eq!((head.header("content-encoding"), head.header("content-length")), (Some("br"), None));
    for path in ["/small", "/events", "/image", "/kept", "/encoded", "/part"] {
        let (answer, plain) = (ask(&host, path, "zstd, br, gzip"), host.get("shop", path).send());
        assert_eq!(
            (&answer.body, answer.header("content-encoding")),
            (&plain.body, plain.header("content-encoding")),
            "{path}"
        );
    }
}

#[test]
fn what_is_streamed_can_be_read_as_it_comes() {
    for coding in CODINGS {
        let host = host(r#"{"limits":{"isolates":1}}"#);
        let mut stream = TcpStream::connect(host.edge).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /stream HTTP/1.0\r\nhost: shop.localhost\r\naccept-encoding: {coding}\r\n\r\n")
            .unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            lines.read_line(&mut head).unwrap();
        }
        assert!(head.contains(&format!("content-encoding: {coding}")), "{head}");
        let mut body = reader(coding, lines);
        let mut text = vec![0; "<p>shell</p>".len()];
        body.read_exact(&mut text).unwrap();
        assert_eq!(text, b"<p>shell</p>", "{coding}");
        assert_eq!(host.get("shop", "/go").send().text(), "gone");
        let mut late = String::new();
        body.read_to_string(&mut late).unwrap();
        assert_eq!(late, "<p>late</p>", "{coding}");
    }
}

#[test]
fn an_app_and_an_operator_turn_it_off() {
    let off = host(r#"{"compression":false}"#);
    let answer = ask(&off, "/page", "gzip");
    assert_eq!((answer.header("content-encoding"), varies(&answer)), (None, false));
    let off = Host::start_in(Host::configured("[edge]\ncompression = false\n"), &["--isolation", "process"]);
    off.deploy_files("shop", &[("server/index.js", APP)], &["--version", "v1"]);
    assert_eq!(ask(&off, "/page", "gzip").header("content-encoding"), None);
}

#[test]
fn a_client_that_has_the_answer_gets_no_body() {
    let host = host("{}");
    let known = |path: &str, accepts: &str, tag: &str| {
        host.get("shop", path).header("accept-encoding", accepts).header("if-none-match", tag).send()
    };
    for (accepts, tag) in [("identity", "\"v1\""), ("br", "W/\"v1\""), ("br", "\"v1\"")] {
        let answer = known("/tagged", accepts, tag);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{answer:?}");
        assert!(
            answer.header("etag").unwrap().ends_with("\"v1\"") && answer.header("content-type").is_none()
        );
        assert!(varies(&answer));
    }
    let page = ask(&host, "/page", "br");
    let again = known("/page", "br", page.header("etag").unwrap());
    assert_eq!((again.status, again.header("etag")), (304, page.header("etag")));
    assert_eq!(again.header("cache-control"), Some("no-cache"));
    assert_eq!(known("/tagged", "br", "\"v0\"").status, 200);
    // What is known with the head is answered without the rest.
    for path in ["/slow-data", "/long-data"] {
        let answer = known(path, "br", "W/\"v1\"");
        assert_eq!(
            (answer.status, answer.header("etag"), varies(&answer)),
            (304, Some("W/\"v1\""), true),
            "{path}"
        );
        assert_eq!(known(path, "identity", "\"v1\"").header("etag"), Some("\"v1\""), "{path}");
    }
    // An app that compares by itself knows nothing of codings.
    let itself = known("/itself", "br", "W/\"v1\"");
    assert_eq!((itself.status, itself.header("etag"), varies(&itself)), (304, Some("W/\"v1\""), true));
}
