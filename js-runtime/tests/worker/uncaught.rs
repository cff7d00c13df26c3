//! What an app throws where no caller of its own can catch it: it is logged, and no request ends by it.

use crate::support::{Answer, Setup, Worker, run};
use futures_util::future::join_all;
use std::time::Duration;
use vitrine_wire::{LogLevel, LogLine, Outcome};

/// Each path answers `fine`, or waits for what its error has kept from happening.
const APP: &str = r"
import { Readable, Writable, PassThrough, Transform, finished } from 'node:stream';
import { EventEmitter } from 'node:events';
import { randomBytes } from 'node:crypto';
import { callbackify } from 'node:util';
import fs from 'node:fs';
import timers from 'node:timers';
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const boom = (what) => { throw new Error(what); };
const listeners = [];
const listen = (type, listener) => {
  listeners.push([type, listener]);
  addEventListener(type, listener);
};
const routes = {
  '/microtask': () => queueMicrotask(() => boom('microtask')),
  '/microtask-late': async () => { await sleep(1); queueMicrotask(() => boom('microtask-late')); },
  '/many-microtasks': () => { for (let i = 0; i < 5; i++) queueMicrotask(() => boom('many-microtasks')); },
  '/next-tick': () => process.nextTick(() => boom('next-tick')),
  '/timer': () => setTimeout(() => boom('timer'), 1),
  '/immediate': () => timers.setImmediate(() => boom('immediate')),
  '/rejection': () => { Promise.reject(new Error('rejection')); },
  '/generator': () => { (async function* () { yield 1; boom('generator'); })().return(Promise.reject(new Error('generator'))); },
  '/emitter': () => queueMicrotask(() => new EventEmitter().emit('error', new Error('emitter'))),
  '/stream-error': () => { new Readable({ read() { this.destroy(new Error('stream-error')); } }).resume(); },
  '/stream-write': () => {
    const sink = new Writable({ write() { boom('stream-write'); } });
    Readable.from(['a', 'b']).pipe(new PassThrough()).pipe(sink);
  },
  '/stream-transform': () => { Readable.from(['a']).pipe(new Transform({ transform() { boom('stream-transform'); } })).resume(); },
  '/stream-data': () => { Readable.from(['a']).on('data', () => boom('stream-data')); },
  '/stream-finished': () => {
    const sink = new PassThrough();
    finished(sink, () => boom('stream-finished'));
    sink.destroy();
  },
  '/random-bytes': () => randomBytes(4, () => boom('random-bytes')),
  '/fs-exists': () => fs.exists('/x', () => boom('fs-exists')),
  '/fs-read': () => fs.readFile('/x', () => boom('fs-read')),
  '/callbackify': () => callbackify(async () => 1)(() => boom('callbackify')),
  '/enqueue': () => new ReadableStream({ start(c) { c.close(); queueMicrotask(() => c.enqueue(1)); } }),
  '/message-port': () => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => { port2.close(); boom('message-port'); };
    port1.postMessage(1);
  },
  '/event-target': () => {
    const target = new EventTarget();
    target.addEventListener('x', () => boom('event-target'));
    target.dispatchEvent(new Event('x'));
  },
  '/abort-signal': () => {
    const abort = new AbortController();
    abort.signal.addEventListener('abort', () => boom('abort-signal'));
    abort.abort();
  },
  '/abort-timeout': () => { AbortSignal.timeout(1).addEventListener('abort', () => boom('abort-timeout')); },
  '/report-error': () => reportError(new Error('report-error')),
  '/message-getter': () => queueMicrotask(() => { throw { get message() { throw 1; }, get stack() { throw 2; }, toString: () => boom(3) }; }),
  '/proxy': () => queueMicrotask(() => { throw new Proxy(new Error('proxy'), { get: () => boom(4), getPrototypeOf: () => boom(5) }); }),
  '/listener-throws': () => {
    listen('error', ({ error }) => { if (error.message === 'listener-throws') boom('of a listener'); });
    queueMicrotask(() => boom('listener-throws'));
  },
  '/listener-dispatches': () => {
    const inner = new EventTarget();
    inner.addEventListener('x', () => boom('of an inner listener'));
    listen('error', ({ error }) => { if (error.message === 'listener-dispatches') inner.dispatchEvent(new Event('x')); });
    queueMicrotask(() => boom('listener-dispatches'));
  },
  '/rejection-listener-throws': () => {
    listen('unhandledrejection', () => boom('of a rejection listener'));
    Promise.reject(new Error('rejection-listener-throws'));
  },
  '/rejection-listener-rejects': () => {
    listen('unhandledrejection', async () => boom('again'));
    Promise.reject(new Error('rejection-listener-rejects'));
  },
  '/import-throws': () => { import('./throws.js'); },
  '/import-again': () => { import('./throws.js'); },
  '/import-syntax': () => { import('./syntax.js'); },
  '/import-missing': () => { import('./missing.js'); },
  '/import-export': () => { import('./export.js'); },
  '/finalizer': async () => {
    const registry = new FinalizationRegistry(() => boom('finalizer'));
    for (let i = 0; i < 10; i++) registry.register({}, i);
    const garbage = [];
    for (let i = 0; i < 300; i++) { garbage.push(new Array(10000).fill(i)); await sleep(0); if (garbage.length > 20) garbage.length = 0; }
    await sleep(100);
  },
  '/prepare-stack': () => {
    Error.prepareStackTrace = () => boom('prepare-stack');
    queueMicrotask(() => boom('thrown'));
    setTimeout(() => delete Error.prepareStackTrace, 5);
  },
};
export default { async fetch(request) {
  const path = new URL(request.url).pathname;
  if (path === '/slow') { await sleep(40); return new Response('slow'); }
  if (path === '/spin') for (;;);
  if (path === '/forget') {
    for (const [type, listener] of listeners.splice(0)) removeEventListener(type, listener);
    return new Response('forgotten');
  }
  await routes[path]();
  await sleep(10);
  return new Response('fine');
} };
";

/// What the log must say of each path, and whether it must name a place of the app.
const KINDS: [(&str, &str, bool); 42] = [
    ("/microtask", "Uncaught Error: microtask", true),
    ("/microtask-late", "Uncaught Error: microtask-late", true),
    ("/many-microtasks", "Uncaught Error: many-microtasks", true),
    ("/next-tick", "Uncaught Error: next-tick", true),
    ("/timer", "Uncaught Error: timer", true),
    ("/immediate", "Uncaught Error: immediate", true),
    ("/rejection", "Uncaught (in promise) Error: rejection", true),
    ("/generator", "Uncaught (in promise) Error: generator", true),
    ("/emitter", "Uncaught Error: emitter", true),
    ("/stream-error", "Uncaught Error: stream-error", true),
    ("/stream-write", "Error: stream-write", true),
    ("/stream-transform", "Error: stream-transform", true),
    ("/stream-data", "Error: stream-data", true),
    ("/stream-finished", "Uncaught Error: stream-finished", true),
    ("/random-bytes", "Uncaught Error: random-bytes", true),
    ("/fs-exists", "Uncaught Error: fs-exists", true),
    ("/fs-read", "Error: fs-read", true),
    ("/callbackify", "Uncaught Error: callbackify", true),
    ("/enqueue", "Uncaught TypeError: ", true),
    ("/message-port", "Uncaught Error: message-port", true),
    ("/event-target", "Uncaught Error: event-target", true),
    ("/abort-signal", "Uncaught Error: abort-signal", true),
    ("/abort-timeout", "Uncaught Error: abort-timeout", true),
    ("/report-error", "Uncaught Error: report-error", true),
    ("/message-getter", "Uncaught ", false),
    ("/proxy", "Uncaught ", false),
    ("/listener-throws", "Uncaught Error: of a listener", true),
    ("/forget", "", false),
    ("/listener-dispatches", "Uncaught Error: of an inner listener", true),
    ("/forget", "", false),
    ("/rejection-listener-throws", "Uncaught Error: of a rejection listener", true),
    ("/forget", "", false),
    ("/rejection-listener-rejects", "Uncaught (in promise) Error: again", true),
    ("/forget", "", false),
    ("/import-throws", "Uncaught (in promise) Error: of a module", true),
    ("/import-again", "Uncaught (in promise) Error: of a module", true),
    ("/import-syntax", "Uncaught (in promise) SyntaxError", false),
    ("/import-missing", "Uncaught (in promise) ", false),
    ("/import-export", "Uncaught (in promise) SyntaxError", false),
    ("/prepare-stack", "Uncaught ", false),
    ("/microtask", "Uncaught Error: microtask", true),
    ("/finalizer", "Uncaught Error: finalizer", true),
];

/// What V8's collector and the clock of `deno_core` call, they call for no request.
const WITHOUT_REQUEST: [&str; 2] = ["/abort-timeout", "/finalizer"];

async fn boot() -> Worker {
    Setup::fetch(APP)
        .limits(|limits| limits.cpu_ms = 100)
        .file("server/throws.js", "throw new Error('of a module')")
        .file("server/syntax.js", "const = 1")
        .file("server/export.js", "import { nothing } from './empty.js'; nothing()")
        .file("server/empty.js", "export {}")
        .boot()
        .await
}

/// Waits for a line with this text. What is logged besides is of no interest.
async fn logged(worker: &mut Worker, text: &str) -> LogLine {
    let search = async {
        loop {
            let lines = worker.logs.batch().await.expect("a log");
            if let Some(line) = lines.into_iter().find(|line| line.message.contains(text)) {
                return line;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(10), search).await;
    found.unwrap_or_else(|_| panic!("{text} is never logged"))
}

#[test]
fn what_is_thrown_outside_of_a_call_is_logged_and_ends_no_request() {
    run(async {
        let mut worker = boot().await;
        for (path, message, has_place) in KINDS {
            let neighbours = join_all((0..8).map(|_| worker.get("/slow")));
            let (answer, neighbours) = tokio::join!(worker.get(path), neighbours);
            assert_eq!(answer.done.outcome, Outcome::Ok, "{path}: {answer:?}");
            for Answer { done, .. } in neighbours {
                assert_eq!(done.outcome, Outcome::Ok, "a neighbour of {path}: {done:?}");
            }
            assert_eq!(worker.restarts().await, 0, "{path}");
            if message.is_empty() {
                continue;
            }
            let line = logged(&mut worker, message).await;
            assert_eq!(line.level, LogLevel::Error, "{path}");
            if !WITHOUT_REQUEST.contains(&path) {
                assert_eq!(line.request_id, Some(format!("id{path}")), "{line:?}");
            }
            let stack = line.stack.expect("a stack");
            assert!(!has_place || stack.contains("server/"), "{path}: {stack}");
        }
    });
}

/// How many of the visitors of a second fail while one of them asks for `path` every half second.
async fn failed_beside(worker: &Worker, path: &str) -> usize {
    let visitors = async {
        let mut failed = 0;
        for _ in 0..25 {
            let answers = join_all((0..4).map(|_| worker.get("/slow"))).await;
            failed += answers.iter().filter(|answer| answer.done.outcome != Outcome::Ok).count();
        }
        failed
    };
    let thrower = async {
        loop {
            // Two requests a second, as an attacker would send them.
            tokio::time::sleep(Duration::from_millis(500)).await;
            worker.get(path).await;
        }
    };
    tokio::select! {
        failed = visitors => failed,
        () = thrower => unreachable!("it has no end"),
    }
}

#[test]
fn two_throwing_requests_a_second_fail_no_other_visitor() {
    run(async {
        let worker = boot().await;
        assert_eq!(failed_beside(&worker, "/microtask").await, 0);
        assert_eq!(failed_beside(&worker, "/next-tick").await, 0);
        assert_eq!(worker.restarts().await, 0);
        // What does end the isolate is felt by whoever shares it: the visitors would notice.
        assert!(failed_beside(&worker, "/spin").await > 0);
    });
}

#[test]
fn a_listener_takes_an_error_of_a_microtask_in_the_context_of_its_request() {
    run(async {
        let source = "
            import { AsyncLocalStorage } from 'node:async_hooks';
            const store = new AsyncLocalStorage();
            const seen = [];
            addEventListener('error', (event) => { event.preventDefault(); seen.push(`${event.error.message} ${store.getStore()}`); });
            addEventListener('unhandledrejection', (event) => { event.preventDefault(); seen.push(`${event.reason} ${store.getStore()}`); });
            export default { async fetch(request) {
              const path = new URL(request.url).pathname;
              if (path === '/seen') return new Response(seen.join(', '));
              return store.run(path, async () => {
                queueMicrotask(() => { throw new Error('microtask'); });
                process.nextTick(() => { throw new Error('tick'); });
                Promise.reject('reason');
                await new Promise((done) => setTimeout(done, 5));
                return new Response('fine');
              });
            } };";
        let mut worker = Setup::fetch(source).boot().await;
        assert_eq!(worker.get("/page").await.text(), "fine");
        assert_eq!(worker.get("/seen").await.text(), "microtask /page, tick /page, reason /page");
        worker.link.log(LogLine {
            time_ms: 0,
            level: LogLevel::Info,
            request_id: None,
            message: "the end".to_owned(),
            stack: None,
        });
        assert_eq!(worker.logs.batch().await.expect("a log")[0].message, "the end");
    });
}

#[test]
fn an_error_after_the_answer_is_logged_with_the_id_of_its_request() {
    run(async {
        let source = "export default (request) => {
            if (request.url.endsWith('/late')) setTimeout(() => queueMicrotask(() => { throw new Error('late'); }), 20);
            return new Response('fine');
        }";
        let mut worker = Setup::fetch(source).boot().await;
        assert_eq!(worker.get("/late").await.text(), "fine");
        assert_eq!(worker.get("/other").await.text(), "fine");
        assert_eq!(logged(&mut worker, "Uncaught Error: late").await.request_id.as_deref(), Some("id/late"));
    });
}

#[test]
fn what_the_evaluation_leaves_ends_no_request() {
    run(async {
        for source in [
            "Promise.reject(new Error('left')); export default () => new Response('fine');",
            "Promise.reject(new Error('left')); module.exports = () => new Response('fine');",
            "queueMicrotask(() => { throw new Error('left'); }); module.exports = () => new Response('fine');",
            "queueMicrotask(() => { throw new Error('left'); }); export default () => new Response('fine');",
        ] {
            let mut worker = Setup::fetch(source).boot().await;
            for _ in 0..3 {
                assert_eq!(worker.get("/").await.text(), "fine", "{source}");
            }
            assert_eq!(worker.restarts().await, 0, "{source}");
            logged(&mut worker, "Error: left").await;
        }
    });
}
