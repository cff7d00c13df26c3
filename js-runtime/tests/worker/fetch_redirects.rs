//! Redirects of `fetch`: which calls follow, with what, and what the app is told.

use crate::egress::broker;
use crate::support::{Ask, Setup, Worker, run};

/// An app that makes the call of its request's body, and tells of its answer.
const APP: &str = "
const text = (value) => new Blob([value], { type: 'text/plain' });
const form = () => { const form = new FormData(); form.append('a', 'b'); return form; };
export default async (request) => {
  const call = calls[new URL(request.url).pathname.slice(1)];
  try {
    const answer = await call();
    return new Response([answer.status, answer.statusText, answer.redirected, answer.url, await answer.text()].join());
  } catch (error) {
    return new Response(`${error.name}: ${error.message}`);
  }
};
const post = (init) => fetch('https://a.example/start', { method: 'POST', duplex: 'half', ...init });
const calls = {
  get: () => fetch('https://a.example/start#there', { headers: { authorization: 'secret', cookie: 'a=b', 'x-a': 'b' } }),
  string: () => post({ body: 'once' }),
  bytes: () => post({ body: new Uint8Array([111, 110, 99, 101]) }),
  blob: () => post({ body: text('once') }),
  search: () => post({ body: new URLSearchParams({ a: 'once' }) }),
  form: () => post({ body: form() }),
  stream: () => post({ body: text('once').stream() }),
  head: () => fetch('https://a.example/start', { method: 'HEAD' }),
  put: () => post({ method: 'PUT', body: 'once' }),
  coded: () => post({ body: 'once', headers: { 'content-encoding': 'br', 'content-language': 'en', 'content-type': 'a/b', 'x-a': 'b' } }),
  manual: () => fetch('https://a.example/start', { redirect: 'manual' }),
  error: () => fetch('https://a.example/start', { redirect: 'error' }),
};";

/// What the broker was asked for, in one line: method, URL, the named headers, body.
async fn calls(
    worker: &Worker,
    path: &str,
    named: &[&str],
    answers: &[(u16, &str)],
) -> (Vec<String>, String) {
    let mut broker = broker(worker);
    let (answer, asked) = tokio::join!(worker.ask(Ask::get(path)), async {
        let mut asked = Vec::new();
        for (status, location) in answers {
            let (stream, head) = broker.call().await;
            let body = if head.has_body { broker.body().await } else { Vec::new() };
            let headers = head.headers.iter().filter(|(name, _)| named.contains(&name.as_str()));
            let headers: Vec<String> =
                headers.map(|(name, value)| format!(" {name}={}", String::from_utf8_lossy(value))).collect();
            asked.push(format!(
                "{} {}{} {}",
                head.method,
                head.url,
                headers.concat(),
                String::from_utf8_lossy(&body)
            ));
            let location = [("location", *location)];
            let headers = if location[0].1.is_empty() { &[][..] } else { &location };
            broker.answer(stream, *status, headers, &[b"body"]).await;
        }
        asked
    });
    (asked, answer.text())
}

#[test]
fn an_answer_tells_where_it_came_from() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let named = ["authorization", "cookie", "x-a"];
        let answers = [(302, "/next?x=1#frag"), (301, "https://b.example/last"), (200, "")];
        let (asked, told) = calls(&worker, "/get", &named, &answers).await;
        let secrets = "authorization=secret cookie=a=b x-a=b";
        assert_eq!(
            asked,
            [
                format!("GET https://a.example/start {secrets} "),
                format!("GET https://a.example/next?x=1 {secrets} "),
                "GET https://b.example/last x-a=b ".to_owned(),
            ]
        );
        assert_eq!(told, "200,OK,true,https://b.example/last,body");
        let (_, told) = calls(&worker, "/get", &[], &[(200, "")]).await;
        assert_eq!(told, "200,OK,false,https://a.example/start,body");
        // Addresses are written in UTF-8, whatever stands for bytes in a header.
        let (asked, _) = calls(&worker, "/get", &[], &[(302, "/caf\u{e9}?\u{2603}%E2"), (200, "")]).await;
        assert_eq!(asked[1], "GET https://a.example/caf%C3%A9?%E2%98%83%E2 ");
        // One without a location is an answer like any other.
        let (_, told) = calls(&worker, "/get", &[], &[(302, "")]).await;
        assert_eq!(told, "302,Found,false,https://a.example/start,body");
        let (_, told) = calls(&worker, "/manual", &[], &[(307, "/next")]).await;
        assert_eq!(told, "307,Temporary Redirect,false,https://a.example/start,body");
    });
}

#[test]
fn a_body_that_can_be_sent_again_is() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let named = ["content-length", "content-type"];
        for (path, body) in [
            ("/string", "content-type=text/plain;charset=UTF-8 content-length=4 once"),
            ("/bytes", "content-length=4 once"),
            ("/blob", "content-type=text/plain content-length=4 once"),
            (
                "/search",
                "content-type=application/x-www-form-urlencoded;charset=UTF-8 content-length=6 a=once",
            ),
        ] {
            for status in [307, 308] {
                let (asked, told) = calls(&worker, path, &named, &[(status, "/next"), (200, "")]).await;
                let both = ["start", "next"].map(|to| format!("POST https://a.example/{to} {body}"));
                assert_eq!(asked, both);
                assert_eq!(told, "200,OK,true,https://a.example/next,body");
            }
        }
        let (asked, _) = calls(&worker, "/form", &["content-length"], &[(307, "/next"), (200, "")]).await;
        let sent = |asked: &str| asked.split_once(" content-length=").unwrap().1.to_owned();
        assert!(sent(&asked[0]).contains("name=\"a\"\r\n\r\nb\r\n"), "{asked:?}");
        assert_eq!(sent(&asked[0]), sent(&asked[1]));
        let (_, told) = calls(&worker, "/stream", &[], &[(307, "/next")]).await;
        let refused = "TypeError: fetch failed: https://a.example/start redirects, and a body that is a stream can't be sent again";
        assert_eq!(told, refused);
    });
}

#[test]
fn a_post_becomes_a_get_as_the_standard_has_it() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let named = ["content-encoding", "content-language", "content-type", "content-length", "x-a"];
        for (path, status, method) in [
            ("/coded", 301, "GET"),
            ("/coded", 302, "GET"),
            ("/coded", 303, "GET"),
            ("/put", 303, "GET"),
            ("/head", 303, "HEAD"),
            ("/stream", 303, "GET"),
        ] {
            let (asked, _) = calls(&worker, path, &named, &[(status, "/next"), (200, "")]).await;
            let kept = if path == "/coded" { " x-a=b" } else { "" };
            assert_eq!(asked[1], format!("{method} https://a.example/next{kept} "), "{path} {status}");
        }
        let (asked, _) = calls(&worker, "/put", &[], &[(302, "/next"), (200, "")]).await;
        assert_eq!(asked[1], "PUT https://a.example/next once");
    });
}

#[test]
fn redirects_end() {
    run(async {
        let worker = Setup::fetch(APP).limits(|limits| limits.subrequests = 1).boot().await;
        let loops = vec![(302, "/start"); 21];
        let (asked, told) = calls(&worker, "/get", &[], &loops).await;
        assert_eq!(asked.len(), 21);
        assert_eq!(
            told,
            "TypeError: fetch failed: https://a.example/start#there redirects more than 20 times"
        );
        for (path, location, message) in [
            (
                "/get",
                "data:,x",
                "https://a.example/start redirects to data:,x, which is not an http or https URL",
            ),
            ("/get", "http://[", "https://a.example/start redirects to something that is no URL"),
            ("/error", "/next", "https://a.example/start redirects, and the redirect mode is \"error\""),
        ] {
            let (_, told) = calls(&worker, path, &[], &[(302, location)]).await;
            assert_eq!(told, format!("TypeError: fetch failed: {message}"));
        }
    });
}
