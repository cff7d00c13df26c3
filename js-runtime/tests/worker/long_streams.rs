//! Answers that have begun: what bounds them, and whose place they take.

use crate::streaming::piece;
use crate::support::{Ask, Setup, Worker, run, until};
use futures_util::future::join_all;
use std::time::Duration;
use vitrine_wire::{Done, Frame, Outcome, RestartReason};
use vitrine_worker::request::LocalAnswer;

const APP: &str = r"
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
const text = new TextEncoder();
let told = 'nothing';
const stream = (give) => new Response(new ReadableStream({ async start(controller) {
  await give((piece) => controller.enqueue(text.encode(piece)));
  controller.close();
} }), { headers: { 'content-type': 'text/event-stream' } });
const page = 'x'.repeat(5 << 20);
const chunk = new Uint8Array(64 << 10);
const routes = {
  '/': () => new Response('page'),
  '/told': () => new Response(told),
  '/ticks': () => stream(async (give) => { for (let i = 0; i < 20; i++) { give('tick'); await sleep(50); } }),
  '/works': () => stream(async (give) => { for (let i = 0; i < 25; i++) { spin(20); give('work'); await sleep(80); } }),
  '/spins': () => stream(async (give) => { give('begun'); await sleep(50); for (;;); }),
  '/silent': (request) => {
    request.signal.addEventListener('abort', () => told = request.signal.reason.message);
    return stream(async (give) => { give('begun'); await new Promise(() => {}); });
  },
  '/live': () => stream(async (give) => { for (;;) { give('live'); await sleep(20); } }),
  '/string': () => new Response(page),
  '/huge': () => new Response(page.repeat(4)),
  '/pulled': () => { let sent = 0; return new Response(new ReadableStream({ pull(controller) {
    controller.enqueue(chunk.slice());
    if (++sent === 80) controller.close();
  } })); },
  '/pushed': () => new Response(new ReadableStream({ start(controller) {
    for (let i = 0; i < 80; i++) controller.enqueue(chunk.slice());
    controller.close();
  } })),
  '/spin': () => { for (;;); },
  '/throw': () => { throw new Error('thrown'); },
};
export default { fetch: (request) => routes[new URL(request.url).pathname](request) };
";

/// For what takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

fn app() -> Setup {
    Setup::fetch(APP).limits(|limits| (limits.wall_ms, limits.queue_ms) = (300, 2_000))
}

/// The answer's first frame is its head: it has begun.
async fn begin(worker: &Worker, path: &str) -> LocalAnswer {
    let mut answer = worker.start(Ask::get(path)).await;
    let first = answer.next().await;
    assert!(matches!(first, Some(Frame::Response(..))), "{path}: {first:?}");
    answer
}

/// What is left of an answer: bytes, and how it ends.
async fn rest(answer: LocalAnswer) -> (usize, Done) {
    let (_, body, done) = answer.collect().await;
    (body.len(), done)
}

#[test]
fn a_stream_lives_for_as_long_as_its_app_gives_something() {
    run(async {
        let worker = app().boot().await;
        let ticks = worker.get("/ticks").await;
        assert_eq!(ticks.text(), "tick".repeat(20));
        assert!(ticks.done.render_us > 900_000, "three times wall_ms: {:?}", ticks.done);
    });
}

#[test]
fn a_stream_that_falls_silent_ends_and_is_no_failure_of_its_app() {
    run(async {
        let worker = app().limits(|limits| limits.stream_idle_ms = 100).boot().await;
        // More of them than errors in a row that condemn an isolate.
        let silent = join_all((0..5).map(|_| worker.get("/silent"))).await;
        for answer in silent {
            assert_eq!((answer.body.as_ref(), answer.done.outcome), (&b"begun"[..], Outcome::StreamIdle));
        }
        until(&worker, "/told", "The answer got nothing for stream_idle_ms").await;
        assert_eq!(worker.restarts().await, 0);
    });
}

#[test]
fn a_stream_may_use_cpu_ms_within_any_wall_ms() {
    run(async {
        let worker = app().limits(|limits| limits.cpu_ms = 150).boot().await;
        let works = worker.get("/works").await;
        assert_eq!(works.text(), "work".repeat(25));
        assert!(works.done.cpu_us > 150_000, "more than cpu_ms: {:?}", works.done);
        let spins = worker.get("/spins").await;
        assert_eq!(spins.body.as_ref(), b"begun");
        // A busy machine may give it less CPU time than that.
        assert!(matches!(spins.done.outcome, Outcome::CpuLimit | Outcome::WallLimit), "{:?}", spins.done);
    });
}

#[test]
fn streams_take_no_place_from_those_who_wait() {
    run(async {
        let worker = app().limits(|limits| limits.concurrency = 2).boot().await;
        let mut streams = Vec::new();
        for _ in 0..20 {
            streams.push(begin(&worker, "/live").await);
        }
        for _ in 0..20 {
            assert_eq!(worker.get("/").await.text(), "page");
        }
        for mut stream in streams {
            assert_eq!(piece(&mut stream).await, "live");
        }
    });
}

#[test]
fn slow_readers_keep_no_other_visitor_waiting() {
    run(async {
        let worker = app()
            .limits(|limits| (limits.concurrency, limits.queue_ms, limits.response_mb) = (2, 2_000, 50))
            .limits(|limits| limits.wall_ms = 5_000)
            .boot()
            .await;
        for path in ["/string", "/pulled", "/pushed"] {
            let mut readers = Vec::new();
            for _ in 0..8 {
                readers.push(begin(&worker, path).await);
            }
            for _ in 0..20 {
                assert_eq!(worker.get("/").await.text(), "page", "beside slow readers of {path}");
            }
            for reader in readers {
                let (bytes, done) = rest(reader).await;
                assert_eq!((bytes, done.outcome), (5 << 20, Outcome::Ok), "{path}");
            }
        }
        // What is too large to wait outside keeps its place: its readers are felt.
        let _readers = [begin(&worker, "/huge").await, begin(&worker, "/huge").await];
        assert_eq!(worker.get("/").await.done.outcome, Outcome::Overloaded);
    });
}

#[test]
fn a_finished_answer_needs_no_isolate() {
    run(async {
        let worker = app().limits(|limits| limits.cpu_ms = 100).boot().await;
        let slow = begin(&worker, "/string").await;
        let in_flight = async || worker.isolates().await.iter().map(|isolate| isolate.in_flight).sum::<u32>();
        tokio::time::timeout(PATIENCE, async {
            while in_flight().await > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the isolate is kept for its reader");
        let live = begin(&worker, "/live").await;
        let fallen = worker.get("/spin").await.done.outcome;
        assert!(matches!(fallen, Outcome::CpuLimit | Outcome::WallLimit), "{fallen}");
        // The next isolate serves before a reader takes more of what the fallen one made.
        assert_eq!(worker.get("/").await.text(), "page");
        assert_eq!(worker.restarts().await, 1);
        let (bytes, done) = rest(slow).await;
        assert_eq!((bytes, done.outcome), (5 << 20, Outcome::Ok));
        // One that is not finished falls with its isolate.
        assert_eq!(rest(live).await.1.outcome, Outcome::Crashed);
    });
}

#[test]
fn a_stream_on_an_isolate_that_is_doubted_is_told_to_come_again() {
    run(async {
        let worker = app().boot().await;
        let live = begin(&worker, "/live").await;
        while !worker.reasons().await.contains(&RestartReason::AppError) {
            worker.get("/throw").await;
        }
        assert_eq!(rest(live).await.1.outcome, Outcome::Draining);
    });
}

#[test]
fn a_path_that_streams_can_be_warm() {
    run(async {
        let mut setup = app();
        setup.start.settings.warm = vec!["/live".to_owned()];
        let worker = tokio::time::timeout(Duration::from_secs(30), setup.boot()).await.expect("it boots");
        assert_eq!(worker.get("/").await.text(), "page");
    });
}
