//! The app's `fetch`, with the test as the host's broker.

use crate::support::{Ask, Setup, Worker, run, until};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use vitrine_wire::{Done, EgressFailure, EgressHead, Frame, Headers, Outcome, ResponseHead, StreamId};
use vitrine_worker::request::{EgressStreams, WriteQueue, WriteQueueReader};

/// A broker that hears each call and may answer.
pub struct Broker {
    queue: WriteQueue,
    pub streams: Arc<EgressStreams>,
    calls: mpsc::Receiver<(StreamId, EgressHead)>,
    bodies: mpsc::Receiver<Bytes>,
    pub cancelled: mpsc::Receiver<StreamId>,
}

pub fn broker(worker: &Worker) -> Broker {
    let (queue, mut entries) = WriteQueue::new();
    let streams = EgressStreams::new(queue.clone());
    worker.link.attach(Arc::clone(&streams));
    let (call, calls) = mpsc::channel(64);
    let (body, bodies) = mpsc::channel(64);
    let (cancel, cancelled) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(entry) = entries.recv().await {
            for frame in entry.frames() {
                match frame {
                    Frame::Egress(stream, head) => call.try_send((stream, head)).expect("few calls"),
                    Frame::Body(_, data) => body.try_send(data).expect("few pieces"),
                    Frame::BodyEnd(_) => body.try_send(Bytes::from_static(b"<end>")).expect("few pieces"),
                    Frame::Cancel(stream, _) => cancel.try_send(stream).expect("few calls"),
                    _ => {}
                }
            }
        }
    });
    Broker { queue, streams, calls, bodies, cancelled }
}

/// A broker that hears what is said and takes nothing.
pub fn silent_broker(worker: &Worker) -> WriteQueueReader {
    let (queue, entries) = WriteQueue::new();
    worker.link.attach(EgressStreams::new(queue));
    entries
}

impl Broker {
    /// Begins an answer.
    pub fn begin(&self, stream: StreamId) {
        self.streams.response(stream, ResponseHead::new(200, Vec::new())).expect("one head");
    }

    /// Ends an answer.
    pub fn end(&self, stream: StreamId, done: Done) {
        self.streams.done(stream, done);
    }

    pub async fn call(&mut self) -> (StreamId, EgressHead) {
        tokio::time::timeout(Duration::from_secs(5), self.calls.recv())
            .await
            .expect("in time")
            .expect("a call")
    }

    /// The next call that is given up.
    async fn given_up(&mut self) -> StreamId {
        tokio::time::timeout(Duration::from_secs(5), self.cancelled.recv())
            .await
            .expect("in time")
            .expect("a call")
    }

    /// The body of a call, to its end.
    pub async fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let piece = self.bodies.recv().await.expect("a piece");
            if piece == "<end>" {
                return body;
            }
            body.extend(piece);
        }
    }

    /// Places of the write queue that nobody holds.
    fn free_places(&self) -> usize {
        let places: Vec<_> = std::iter::from_fn(|| self.queue.slot()).collect();
        places.len()
    }

    /// Answers in pieces of a kilobyte, as far as they are wanted.
    pub async fn answer_slowly(
        &self,
        stream: StreamId,
        status: u16,
        headers: &[(&str, &str)],
        mut body: Bytes,
    ) {
        self.streams.response(stream, ResponseHead::new(status, listed(headers))).expect("one head");
        while !body.is_empty() {
            let piece = body.split_to(body.len().min(1 << 10));
            self.streams.body(stream, piece).await.expect("room");
        }
        self.streams.done(stream, Done::of(Outcome::Ok));
    }

    pub async fn answer(
        &self,
        stream: StreamId,
        status: u16,
        headers: &[(&str, &str)],
        body: &[&'static [u8]],
    ) {
        self.streams.response(stream, ResponseHead::new(status, listed(headers))).expect("one head");
        for piece in body {
            self.streams.body(stream, Bytes::from_static(piece)).await.expect("room");
        }
        self.streams.done(stream, Done::of(Outcome::Ok));
    }
}

fn listed(headers: &[(&str, &str)]) -> Headers {
    headers.iter().map(|(name, value)| ((*name).to_owned(), Bytes::from((*value).to_owned()))).collect()
}

pub const APP: &str = "
let later = 'not yet';
export default async (request) => {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case '/get': {
      const answer = await fetch('https://api.example.com/items?x=1', { headers: { 'X-Key': 'k' } });
      return new Response(`${answer.status} ${answer.ok} ${answer.headers.get('content-type')} ${await answer.text()} ${answer.url}`);
    }
    case '/post': {
      const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('one')); c.enqueue(new TextEncoder().encode('two')); c.close(); } });
      const answer = await fetch('https://api.example.com/', { method: 'POST', body, duplex: 'half' });
      return new Response(String(answer.status));
    }
    case '/broken': {
      let pulls = 0;
      const body = new ReadableStream({ pull(c) { if (pulls++ > 0) throw new Error('no more'); c.enqueue(new TextEncoder().encode('one')); } }, { highWaterMark: 0 });
      try { await fetch('https://api.example.com/', { method: 'POST', body, duplex: 'half' }); } catch (error) { return new Response(`${error.name}: ${error.message}`); }
      return new Response('sent');
    }
    case '/unread': return new Response(String((await fetch('https://api.example.com/hook')).status));
    case '/read-later': {
      const answer = await fetch('https://api.example.com/');
      answer.text().then((text) => { later = text; }, (error) => { later = error.message; });
      return new Response('later');
    }
    case '/later': return new Response(later);
    case '/json': {
      const answer = await fetch('https://api.example.com/', { method: 'PUT', body: JSON.stringify({ a: 1 }), redirect: 'manual' });
      return new Response(`${answer.status} ${answer.headers.get('location')} ${answer.body}`);
    }
    case '/pass': return fetch('https://api.example.com/page');
    case '/denied': try { await fetch('http://10.0.0.1/'); } catch (error) { return new Response(`${error.name}: ${error.message}`); }
    case '/codes': {
      const told = ({ code, syscall }) => `${code} ${syscall}`;
      const ofFetch = await fetch('http://10.0.0.1/').catch((error) => told(error.cause));
      const { get } = await import('node:http');
      const ofHttp = await new Promise((done) => get('http://10.0.0.1/').on('error', (error) => done(told(error))));
      return new Response(`${ofFetch}, ${ofHttp}`);
    }
    case '/scheme': try { await fetch('file:///etc/passwd'); } catch (error) { return new Response(`${error.name}: ${error.message}`); }
    case '/abort': {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 20);
      try { await fetch('https://api.example.com/', { signal: stop.signal }); } catch (error) { return new Response(error.name); }
    }
    case '/many': {
      const results = await Promise.allSettled([1, 2, 3, 4].map((n) => fetch(`https://api.example.com/${n}`)));
      return new Response(results.map((r) => r.value?.status ?? r.reason.message).join());
    }
  }
};";

#[test]
fn a_call_carries_method_headers_and_request_and_its_answer_streams_back() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/get"), async {
            let (stream, head) = broker.call().await;
            assert_eq!(
                (head.method.as_str(), head.url.as_str()),
                ("GET", "https://api.example.com/items?x=1")
            );
            assert!(!head.has_body);
            assert_eq!(head.request_id.as_deref(), Some("id/get"));
            assert!(head.headers.contains(&("x-key".to_owned(), Bytes::from_static(b"k"))));
            broker.answer(stream, 200, &[("content-type", "text/plain")], &[b"pie", b"ces"]).await;
        });
        assert_eq!(answer.text(), "200 true text/plain pieces https://api.example.com/items?x=1");

        let (answer, ()) = tokio::join!(worker.get("/pass"), async {
            let (stream, _) = broker.call().await;
            broker.answer(stream, 418, &[("x-a", "b")], &[b"passed on"]).await;
        });
        assert_eq!((answer.status(), answer.header("x-a")), (418, vec!["b".to_owned()]));
        assert_eq!(answer.text(), "passed on");
    });
}

/// "unpacked", in gzip.
const PACKED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x08\0\xf7\xffunpacked\x96\x62\x2f\xca\x08\0\0\0";

#[test]
fn an_answer_that_was_decoded_is_not_passed_on_as_coded() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let broker = &mut broker(&worker);
        let length = PACKED.len().to_string();
        let coded = [("content-length", length.as_str()), ("content-encoding", "GZIP"), ("x-a", "b")];
        let (answer, ()) = tokio::join!(worker.get("/pass"), async {
            let (stream, _) = broker.call().await;
            broker.answer(stream, 200, &coded, &[PACKED]).await;
        });
        assert_eq!(answer.text(), "unpacked");
        for (name, left) in [("content-encoding", &[][..]), ("content-length", &[]), ("x-a", &["b"])] {
            assert_eq!(answer.header(name), left, "{name}");
        }
        // What is not decoded goes on as it came.
        let (answer, ()) = tokio::join!(worker.get("/pass"), async {
            let (stream, _) = broker.call().await;
            broker.answer(stream, 200, &[("content-encoding", "zstd")], &[b"coded"]).await;
        });
        assert_eq!(
            (answer.header("content-encoding"), answer.text()),
            (vec!["zstd".to_owned()], "coded".to_owned())
        );
    });
}

#[test]
fn the_text_of_an_answer_is_utf_8_without_its_first_byte_order_mark() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let cases: [(&[&'static [u8]], &str); 6] = [
            (&[], ""),
            (&[b"plain", b" text"], "plain text"),
            (&["\u{e9}\u{20ac}\u{1f600}".as_bytes()], "\u{e9}\u{20ac}\u{1f600}"),
            (&[b"\xe2\x82", b"\xac"], "\u{20ac}"),
            (&[b"\xef\xbb\xbf\xef\xbb\xbfmarked"], "\u{feff}marked"),
            (&[b"half \xe2\x82, none \xff"], "half \u{fffd}, none \u{fffd}"),
        ];
        for (pieces, text) in cases {
            let request = worker.start(Ask::get("/get")).await;
            let (stream, _) = broker.call().await;
            broker.answer(stream, 200, &[], pieces).await;
            let (_, body, done) = request.collect().await;
            assert_eq!(done.outcome, Outcome::Ok, "{done:?}");
            let told = format!("200 true null {text} https://api.example.com/items?x=1");
            assert_eq!(String::from_utf8_lossy(&body), told);
        }
    });
}

#[test]
fn what_is_known_as_a_whole_has_its_own_length() {
    run(async {
        let source = "export default async () => {
            const post = (body, headers) => fetch('https://api.example.com/', { method: 'POST', body, headers, duplex: 'half' });
            const stream = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(2)); c.close(); } });
            for (const body of ['\u{20ac}', new Uint8Array(5)]) await post(body, { 'content-length': '99' });
            await post(stream, {});
            return new Response();
        }";
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        let (_, lengths) = tokio::join!(worker.get("/"), async {
            let mut lengths = Vec::new();
            for _ in 0..3 {
                let (stream, head) = broker.call().await;
                let length = head.headers.iter().find(|(name, _)| name == "content-length");
                lengths.push(length.map(|(_, value)| String::from_utf8_lossy(value).into_owned()));
                broker.answer(stream, 200, &[], &[]).await;
            }
            lengths
        });
        assert_eq!(lengths, [Some("3".to_owned()), Some("5".to_owned()), None]);
    });
}

#[test]
fn bodies_are_sent_as_streams_and_as_text() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/post"), async {
            let (stream, head) = broker.call().await;
            assert!(head.has_body);
            let mut sent = Vec::new();
            while sent.last().is_none_or(|piece| piece != "<end>") {
                sent.push(broker.bodies.recv().await.expect("a piece"));
            }
            assert_eq!(sent.concat(), b"onetwo<end>");
            broker.answer(stream, 201, &[], &[]).await;
        });
        assert_eq!(answer.text(), "201");

        let (answer, ()) = tokio::join!(worker.get("/json"), async {
            let (stream, head) = broker.call().await;
            let content_type = ("content-type".to_owned(), Bytes::from_static(b"text/plain;charset=UTF-8"));
            assert!(head.headers.contains(&content_type));
            assert_eq!(broker.bodies.recv().await.expect("a piece"), r#"{"a":1}"#);
            broker.answer(stream, 304, &[("location", "/x")], &[]).await;
        });
        assert_eq!(answer.text(), "304 /x null");
    });
}

#[test]
fn a_body_that_breaks_off_gives_its_call_up() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/broken"), async {
            let (stream, _) = broker.call().await;
            assert_eq!(broker.given_up().await, stream);
            assert_eq!(broker.bodies.try_recv().expect("a piece"), "one");
            assert!(broker.bodies.try_recv().is_err(), "a body that broke off has no end");
        });
        assert_eq!(answer.text(), "TypeError: fetch failed: egress failed: the body of the call broke off");
    });
}

#[test]
fn answers_that_are_not_read_are_not_kept_longer_than_their_request() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let free = broker.free_places();
        for _ in 0..300 {
            let (answer, stream) = tokio::join!(worker.get("/unread"), async {
                let (stream, _) = broker.call().await;
                broker.streams.response(stream, ResponseHead::new(500, Vec::new())).expect("one head");
                stream
            });
            assert_eq!(answer.text(), "500");
            assert_eq!(broker.given_up().await, stream, "nobody can read the rest");
        }
        assert_eq!(broker.free_places(), free);
    });
}

#[test]
fn an_answer_that_comes_after_its_request_is_kept_for_nobody_but_who_reads_it() {
    run(async {
        let source = "let shared, text = 'not yet';
            export default (request) => {
              if (request.url.endsWith('/text')) return new Response(text);
              if (request.url.endsWith('/shared')) shared ??= fetch('https://api.example.com/').then((answer) => answer.text()).then((found) => { text = found; });
              else return fetch('https://api.example.com/');
              return new Promise(() => {});
            }";
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        for path in ["/", "/shared"] {
            let left = worker.start(Ask::get(path)).await;
            let (stream, _) = broker.call().await;
            drop(left);
            while worker.isolates().await[0].in_flight > 0 {
                tokio::task::yield_now().await;
            }
            broker.streams.response(stream, ResponseHead::new(200, Vec::new())).expect("one head");
            if path == "/" {
                assert_eq!(broker.given_up().await, stream);
            } else {
                broker.streams.body(stream, Bytes::from_static(b"shared")).await.expect("room");
                broker.streams.done(stream, Done::of(Outcome::Ok));
                until(&worker, "/text", "shared").await;
            }
        }
    });
}

#[test]
fn a_call_that_is_over_holds_no_place_in_the_write_queue() {
    run(async {
        let source = "let kept; kept = []; export default async () => { kept.push(await fetch('https://api.example.com/')); await new Promise(() => {}); }";
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        let free = broker.free_places();
        let _waiting = worker.start(Ask::get("/")).await;
        let (stream, _) = broker.call().await;
        assert_eq!(broker.free_places(), free - 1);
        broker.answer(stream, 200, &[], &[b"unread"]).await;
        assert_eq!(broker.free_places(), free);
    });
}

#[test]
fn a_read_that_goes_on_after_its_request_comes_to_its_end() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let mut broker = broker(&worker);
        let (answer, stream) = tokio::join!(worker.get("/read-later"), async {
            let (stream, _) = broker.call().await;
            broker.streams.response(stream, ResponseHead::new(200, Vec::new())).expect("one head");
            stream
        });
        assert_eq!(answer.text(), "later");
        assert_eq!(worker.get("/later").await.text(), "not yet");
        for piece in ["one ", "two"] {
            broker.streams.body(stream, Bytes::from_static(piece.as_bytes())).await.expect("room");
            // Each piece is read by itself.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        broker.streams.done(stream, Done::of(Outcome::Ok));
        until(&worker, "/later", "one two").await;
    });
}

#[test]
fn failures_are_type_errors_and_calls_can_be_given_up() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        assert_eq!(
            worker.get("/denied").await.text(),
            "TypeError: fetch failed: egress failed: the host is not connected"
        );
        assert!(worker.get("/scheme").await.text().contains("is not an http or https URL"));
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/denied"), async {
            let (stream, _) = broker.call().await;
            let denied = EgressFailure::Denied("private address".to_owned());
            broker.streams.done(stream, Done { egress: Some(denied), ..Done::of(Outcome::Ok) });
        });
        assert_eq!(answer.text(), "TypeError: fetch failed: egress denied: private address");
        for (failure, code) in [
            (EgressFailure::Denied("a".to_owned()), "ERR_EGRESS_DENIED undefined"),
            (EgressFailure::Limit("a".to_owned()), "ERR_EGRESS_LIMIT undefined"),
            (EgressFailure::TimedOut("a".to_owned()), "ETIMEDOUT undefined"),
            (
                EgressFailure::Unreachable("connect ECONNREFUSED http://a: refused".to_owned()),
                "ECONNREFUSED connect",
            ),
            (
                EgressFailure::Unreachable("getaddrinfo ENOTFOUND http://a: none".to_owned()),
                "ENOTFOUND getaddrinfo",
            ),
            (EgressFailure::Unreachable("the host".to_owned()), "ECONNRESET undefined"),
        ] {
            let (answer, ()) = tokio::join!(worker.get("/codes"), async {
                for _ in 0..2 {
                    let (stream, _) = broker.call().await;
                    let egress = Some(failure.clone());
                    broker.streams.done(stream, Done { egress, ..Done::of(Outcome::Ok) });
                }
            });
            assert_eq!(answer.text(), format!("{code}, {code}"));
        }

        let (answer, ()) = tokio::join!(worker.get("/abort"), async {
            let (stream, _) = broker.call().await;
            assert_eq!(broker.cancelled.recv().await, Some(stream));
        });
        assert_eq!(answer.text(), "AbortError");
    });
}
