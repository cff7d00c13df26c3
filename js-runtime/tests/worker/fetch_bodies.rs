//! What `fetch` sends beside what the app says, and bodies on their way up.

use crate::egress::broker;
use crate::support::{Ask, Setup, run};
use std::time::Duration;
use vitrine_wire::{Done, Frame, Outcome, ResponseHead};

const APP: &str = "
const call = (init) => fetch('https://a.example/', { duplex: 'half', ...init });
const stream = (...pieces) => new ReadableStream({ start(c) { pieces.forEach((piece) => c.enqueue(new Uint8Array(piece))); c.close(); } });
const calls = {
  get: () => call({}),
  own: () => call({ headers: { accept: 'a/b', 'accept-encoding': 'identity', 'accept-language': 'de', 'user-agent': 'me' } }),
  range: () => call({ headers: { range: 'bytes=0-1' } }),
  'empty-post': () => call({ method: 'POST' }),
  'empty-put': () => call({ method: 'put' }),
  'empty-delete': () => call({ method: 'DELETE', headers: { 'content-length': '7' } }),
  blob: () => call({ method: 'POST', body: new Blob(['a', 'bc']) }),
  stream: () => call({ method: 'POST', body: stream(2, 3) }),
  told: () => call({ method: 'POST', body: stream(2, 3), headers: { 'content-length': '5' } }),
  short: () => call({ method: 'POST', body: stream(2), headers: { 'content-length': '5' } }),
  long: () => call({ method: 'POST', body: stream(2, 4), headers: { 'content-length': '5' } }),
  'no-number': () => call({ method: 'POST', body: stream(2), headers: { 'content-length': '5x' } }),
  'no-bytes': () => call({ method: 'POST', body: new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } }) }),
};
export default async (request) => {
  const answer = await calls[new URL(request.url).pathname.slice(1)]().then((answer) => answer.text(), (error) => [error.name, error.message, error.cause?.message].join('|'));
  return new Response(answer);
};";

/// Headers of the call that a path makes, and its body.
async fn sent(path: &str) -> (String, Vec<u8>) {
    let worker = Setup::fetch(APP).boot().await;
    let mut broker = broker(&worker);
    let (_, sent) = tokio::join!(worker.get(path), async {
        let (stream, head) = broker.call().await;
        let body = if head.has_body { broker.body().await } else { Vec::new() };
        broker.answer(stream, 200, &[], &[]).await;
        let mut headers: Vec<String> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        headers.sort();
        (headers.join("; "), body)
    });
    sent
}

const DEFAULTS: &str =
    "accept-encoding: gzip, deflate, br; accept-language: *; accept: */*; user-agent: Vitrine";

#[test]
fn a_call_says_who_asks_and_what_it_takes() {
    run(async {
        assert_eq!(sent("/get").await.0, DEFAULTS);
        let own = "accept-encoding: identity; accept-language: de; accept: a/b; user-agent: me";
        assert_eq!(sent("/own").await.0, own);
        let range = "accept-encoding: identity; accept-language: *; accept: */*; range: bytes=0-1; user-agent: Vitrine";
        assert_eq!(sent("/range").await.0, range);
    });
}

#[test]
fn a_body_goes_out_with_the_length_that_is_known() {
    run(async {
        for (path, length, body) in [
            ("/empty-post", Some("0"), 0),
            ("/empty-put", Some("0"), 0),
            ("/empty-delete", None, 0),
            ("/blob", Some("3"), 3),
            ("/stream", None, 5),
            ("/told", Some("5"), 5),
        ] {
            let (headers, sent) = sent(path).await;
            let told = headers.split("; ").find_map(|header| header.strip_prefix("content-length: "));
            assert_eq!((told, sent.len()), (length, body), "{path}: {headers}");
        }
    });
}

#[test]
fn a_body_that_is_not_what_was_said_gives_its_call_up() {
    run(async {
        let broken = "TypeError|fetch failed: egress failed: the body of the call broke off";
        for (path, told) in [
            ("/short", format!("{broken}|The body is shorter than its content-length, 5")),
            ("/long", format!("{broken}|The body is longer than its content-length, 5")),
            ("/no-bytes", format!("{broken}|The body's stream must give Uint8Array chunks")),
            ("/no-number", "TypeError|fetch failed: the content-length 5x is no number|".to_owned()),
        ] {
            let worker = Setup::fetch(APP).boot().await;
            let _broker = broker(&worker);
            assert_eq!(worker.get(path).await.text(), told, "{path}");
        }
    });
}

#[test]
fn an_upload_waits_for_its_receiver() {
    run(async {
        let source = "let pulled = 0;
            export default async (request) => {
              if (request.url.endsWith('/pulled')) return new Response(String(pulled));
              const body = new ReadableStream({ pull(c) { pulled += 1; c.enqueue(new Uint8Array(64 * 1024)); } }, { highWaterMark: 0 });
              await fetch('https://a.example/', { method: 'POST', body, duplex: 'half' });
            }";
        let worker = Setup::fetch(source).boot().await;
        let mut entries = crate::egress::silent_broker(&worker);
        let _call = worker.start(Ask::get("/")).await;
        let mut bytes = 0;
        // The window is 256 KiB: four pieces, and what waits for it.
        while bytes < 256 << 10 {
            for frame in entries.recv().await.expect("an entry").frames() {
                if let Frame::Body(_, data) = frame {
                    bytes += data.len();
                }
            }
        }
        // Time for what would go on without the receiver.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let pulled: usize = worker.get("/pulled").await.text().parse().expect("a number");
        assert!((5..=9).contains(&pulled), "{pulled}");
    });
}

#[test]
fn a_signal_gives_a_call_up_with_its_reason_wherever_that_is() {
    run(async {
        let source = "
            const said = (error) => error instanceof Error ? `${error.name}: ${error.message}` : String(error);
            const tests = {
              async before() {
                let cancelled;
                const body = new ReadableStream({ cancel: (reason) => { cancelled = reason; } });
                const error = await fetch('https://a.example/', { method: 'POST', body, duplex: 'half', signal: AbortSignal.abort('why') }).catch((error) => error);
                return [error, cancelled];
              },
              async upload() {
                const stop = new AbortController();
                let cancelled;
                const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel: (reason) => { cancelled = reason; } });
                setTimeout(() => stop.abort('why'), 20);
                const error = await fetch('https://a.example/', { method: 'POST', body, duplex: 'half', signal: stop.signal }).catch((error) => error);
                return [error, cancelled];
              },
              async head() {
                const error = await fetch('https://a.example/', { signal: AbortSignal.timeout(20) }).catch((error) => error);
                return [error.name];
              },
              async body() {
                const stop = new AbortController();
                const answer = await fetch('https://a.example/', { signal: stop.signal });
                setTimeout(() => stop.abort(new RangeError('enough')), 20);
                return [said(await answer.text().catch((error) => error)), said(await fetch('https://a.example/', { signal: stop.signal }).catch((error) => error))];
              },
            };
            export default async (request) => Response.json(await tests[new URL(request.url).pathname.slice(1)]());";
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        assert_eq!(worker.get("/before").await.text(), r#"["why","why"]"#);
        assert_eq!(worker.get("/upload").await.text(), r#"["why","why"]"#);
        assert_eq!(worker.get("/head").await.text(), r#"["TimeoutError"]"#);
        broker.call().await;
        broker.call().await;
        let (answer, ()) = tokio::join!(worker.get("/body"), async {
            let (stream, _) = broker.call().await;
            broker.begin(stream);
        });
        assert_eq!(answer.text(), r#"["RangeError: enough","RangeError: enough"]"#);
    });
}

#[test]
fn an_answer_that_breaks_off_is_a_type_error() {
    run(async {
        let source = "export default async () => new Response(String(await (await fetch('https://a.example/')).text().catch((error) => error)));";
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/"), async {
            let (stream, _) = broker.call().await;
            broker.begin(stream);
            broker.end(stream, Done::of(Outcome::UpstreamGone));
        });
        assert_eq!(answer.text(), "TypeError: The answer's body could not be read: the body ended early");
    });
}

/// Whoever asks for `/` is answered once somebody has asked for `/done`.
const UNREAD: &str = "
let answered;
export default async (request) => {
  if (new URL(request.url).pathname === '/done') {
    answered();
    return new Response('done');
  }
  const stop = new AbortController();
  const answer = await fetch('https://a.example/', { signal: stop.signal });
  stop.abort('why');
  await new Promise((resolve) => { answered = resolve; });
  return new Response(await answer.text().catch((error) => `${error}`));
};";

#[test]
fn an_answer_that_nobody_reads_is_given_up_with_its_signal() {
    run(async {
        let worker = Setup::fetch(UNREAD).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/"), async {
            let (stream, _) = broker.call().await;
            broker.streams.response(stream, ResponseHead::new(200, Vec::new())).expect("one head");
            let cancelled = tokio::time::timeout(Duration::from_secs(20), broker.cancelled.recv()).await;
            assert_eq!(cancelled, Ok(Some(stream)));
            assert_eq!(worker.get("/done").await.text(), "done");
        });
        assert_eq!(answer.text(), "why");
    });
}
