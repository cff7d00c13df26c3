//! Answers that come in pieces.

use crate::support::{Ask, Setup, run, until};
use std::time::Duration;
use vitrine_wire::{Frame, Outcome};
use vitrine_worker::request::LocalAnswer;

/// Text of the next body frame.
pub async fn piece(answer: &mut LocalAnswer) -> String {
    loop {
        match answer.next().await {
            Some(Frame::Body(_, data)) => return String::from_utf8_lossy(&data).into_owned(),
            Some(Frame::Response(..)) => {}
            other => panic!("no body but {other:?}"),
        }
    }
}

#[test]
fn a_stream_is_sent_piece_by_piece_as_it_comes() {
    run(async {
        let worker = Setup::fetch(
            "let release;
             const released = new Promise((done) => release = done);
             export default (request) => {
               if (new URL(request.url).pathname === '/release') { release(); return new Response('released'); }
               return new Response(new ReadableStream({
                 async start(controller) {
                   const encoder = new TextEncoder();
                   controller.enqueue(encoder.encode('shell'));
                   await released;
                   controller.enqueue(encoder.encode(' late'));
                   controller.close();
                 } }), { status: 203 });
             }",
        )
        .boot()
        .await;
        let mut answer = worker.start(Ask::get("/")).await;
        assert_eq!(piece(&mut answer).await, "shell");
        worker.get("/release").await;
        assert_eq!(piece(&mut answer).await, " late");
        let Some(Frame::Done(_, done)) = answer.next().await else { panic!("no end") };
        assert_eq!(done.outcome, Outcome::Ok);
    });
}

#[test]
fn whoever_listens_for_events_is_told_that_it_is_connected() {
    run(async {
        let source =
            "export default () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }),
            { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })";
        let worker = Setup::fetch(source).boot().await;
        let mut answer = worker.start(Ask::get("/")).await;
        let head = tokio::time::timeout(std::time::Duration::from_secs(3), answer.next()).await;
        assert!(matches!(head, Ok(Some(Frame::Response(_, head))) if head.status == 200));
    });
}

#[test]
fn a_direct_stream_is_sent_flush_by_flush() {
    run(async {
        let worker = Setup::fetch(
            "export default () => new Response(new ReadableStream({
               type: 'direct',
               pull(controller) {
                 controller.write('<p>'); controller.write('h\\u00e9'); controller.flush();
                 setTimeout(() => { controller.write('</p>'); controller.write(new Uint8Array([33])); controller.end(); }, 40);
               } }))",
        )
        .boot()
        .await;
        let mut answer = worker.start(Ask::get("/")).await;
        assert_eq!(piece(&mut answer).await, "<p>h\u{e9}");
        assert_eq!(piece(&mut answer).await, "</p>!");
        assert!(matches!(answer.next().await, Some(Frame::Done(_, done)) if done.outcome == Outcome::Ok));
    });
}

#[test]
fn a_direct_page_that_is_complete_at_its_first_flush_is_sent_once() {
    run(async {
        let worker = Setup::fetch(
            "export default () => new Response(new ReadableStream({
               type: 'direct',
               pull(controller) { controller.write('<p>once'); controller.flush(); controller.write('</p>'); controller.end(); } }))",
        )
        .boot()
        .await;
        assert_eq!(worker.get("/").await.text(), "<p>once</p>");
    });
}

#[test]
fn a_direct_stream_can_be_read_as_any_other() {
    run(async {
        let worker = Setup::fetch(
            "const direct = () => new ReadableStream({ type: 'direct', pull(c) { c.write('a'); c.write('\\u00e9'); c.flush(); c.end(); } });
             export default async (request) => {
               const { pathname } = new URL(request.url);
               if (pathname === '/text') return new Response(await new Response(direct()).text());
               if (pathname === '/through') return new Response(direct().pipeThrough(new TransformStream({
                 transform(chunk, controller) { controller.enqueue(chunk); controller.enqueue(new Uint8Array([33])); } })));
               const [one, two] = direct().tee();
               return new Response(await new Response(one).text() + await new Response(two).text());
             }",
        )
        .boot()
        .await;
        assert_eq!(worker.get("/text").await.text(), "a\u{e9}");
        assert_eq!(worker.get("/through").await.text(), "a\u{e9}!");
        assert_eq!(worker.get("/tee").await.text(), "a\u{e9}a\u{e9}");
    });
}

#[test]
fn a_direct_stream_looks_like_any_other() {
    run(async {
        let worker = Setup::fetch(
            "const direct = () => new ReadableStream({ type: 'direct', pull(c) { c.write('a'); c.end(); }, cancel(why) { given = why; } });
             let given = null;
             class Own extends ReadableStream { constructor() { super({ type: 'direct', pull(c) { c.write('own'); c.end(); } }); } }
             const rejects = (promise) => promise.then(() => 'resolved', (error) => error.name);
             const says = {
               '/kind': async () => [direct() instanceof ReadableStream, String(direct()), direct().constructor === ReadableStream],
               '/locked': async () => {
                 const stream = direct(); const before = stream.locked; const reader = stream.getReader();
                 const during = stream.locked; const { value } = await reader.read(); reader.releaseLock();
                 return [before, during, value.length, stream.locked];
               },
               '/cancel': async () => { await direct().cancel('enough'); return [given]; },
               '/iterate': async () => { let bytes = 0; for await (const chunk of direct()) bytes += chunk.length; return [bytes]; },
               '/sent': async () => {
                 const response = new Response(direct());
                 await response.text();
                 return [response.bodyUsed, response.body.locked, await rejects(response.text()), await rejects(response.body.cancel())];
               },
               '/own': async () => [await new Response(new Own()).text()],
             };
             export default async (request) => new Response((await says[new URL(request.url).pathname]()).join());",
        )
        .boot()
        .await;
        let said = [
            ("/kind", "true,[object ReadableStream],true"),
            ("/locked", "false,true,1,false"),
            ("/cancel", "enough"),
            ("/iterate", "1"),
            ("/sent", "true,true,TypeError,TypeError"),
            ("/own", "own"),
        ];
        for (path, text) in said {
            assert_eq!(worker.get(path).await.text(), text, "{path}");
        }
    });
}

#[test]
fn a_direct_source_is_told_to_wait_and_pulled_again() {
    run(async {
        // 64 times 64 kB: far more than a window and a response buffer hold.
        let worker = Setup::fetch(
            "let waits = 0;
             export default (request) => {
               if (new URL(request.url).pathname === '/waits') return new Response(String(waits));
               let left = 64;
               return new Response(new ReadableStream({ type: 'direct', pull(controller) {
                 while (left > 0) {
                   left -= 1;
                   if (!controller.write('x'.repeat(65536))) { waits += 1; return; }
                 }
                 controller.end();
               } }));
             }",
        )
        .boot()
        .await;
        let mut answer = worker.start(Ask::get("/")).await;
        // A source that is not held back would run on in it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let waits = worker.get("/waits").await.text();
        // Nor does it go on later.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(worker.get("/waits").await.text(), waits, "an unread answer stops its source");
        assert_ne!(waits, "0");
        let mut length = 0;
        loop {
            match answer.next().await {
                Some(Frame::Body(_, data)) => length += data.len(),
                Some(Frame::Done(_, done)) => break assert_eq!(done.outcome, Outcome::Ok),
                Some(_) => {}
                None => panic!("no end"),
            }
        }
        assert_eq!(length, 64 * 65536);
    });
}

#[test]
fn a_source_that_writes_on_while_it_is_told_to_wait_is_pulled_again() {
    run(async {
        let worker = Setup::fetch(
            "export default () => {
               let pulls = 0;
               return new Response(new ReadableStream({ type: 'direct', pull(controller) {
                 pulls += 1;
                 if (pulls > 1) return controller.end();
                 controller.write('x'.repeat(1 << 20));
                 setTimeout(() => { controller.write('y'); controller.flush(); }, 20);
               } }));
             }",
        )
        .limits(|limits| limits.wall_ms = 1_000)
        .boot()
        .await;
        let answer = worker.start(Ask::get("/")).await;
        // The first write waits for its reader while the second comes.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (_, body, done) = answer.collect().await;
        assert_eq!((body.len(), done.outcome), ((1 << 20) + 1, Outcome::Ok));
    });
}

#[test]
fn a_node_stream_that_is_destroyed_midway_is_no_complete_answer() {
    run(async {
        let worker = Setup::fetch(
            "import { Readable } from 'node:stream';
             export default () => {
               const source = new Readable({ read() {} });
               source.push('half');
               setTimeout(() => source.destroy(), 20);
               return new Response(Readable.toWeb(source));
             }",
        )
        .boot()
        .await;
        let answer = worker.get("/").await;
        assert_eq!((&answer.body[..], answer.done.outcome), (&b"half"[..], Outcome::AppError));
    });
}

#[test]
fn a_client_that_goes_away_aborts_the_request() {
    run(async {
        let worker = Setup::fetch(
            "let aborted = 'not';
             export default async (request) => {
               if (new URL(request.url).pathname === '/aborted') return new Response(aborted);
               request.signal.addEventListener('abort', () => { aborted = request.signal.reason.name; });
               await new Promise(() => {});
             }",
        )
        .boot()
        .await;
        let answer = worker.start(Ask::get("/")).await;
        // One isolate takes requests in their order: the first has begun when the second is answered.
        assert_eq!(worker.get("/aborted").await.text(), "not");
        drop(answer);
        until(&worker, "/aborted", "AbortError").await;
    });
}

#[test]
fn requests_interleave_on_one_isolate() {
    run(async {
        // Nobody is answered before all eight have come.
        let worker = Setup::fetch(
            "let missing = 8; let release; const all = new Promise((done) => release = done);
             export default async () => { if (--missing === 0) release(); await all; return new Response('done'); }",
        )
        .boot()
        .await;
        let answers = futures_util::future::join_all((0..8).map(|_| worker.get("/"))).await;
        assert!(answers.iter().all(|answer| answer.text() == "done"));
    });
}
