//! `AsyncLocalStorage` keeps each request's own store, however the work goes on.

use crate::support::{Ask, Setup, run, until};

/// What carries a store on: each gives the store that it finds when it is done.
const SOURCE: &str = r#"
import { AsyncLocalStorage } from "node:async_hooks";
import { PassThrough, Readable } from "node:stream";
const store = new AsyncLocalStorage();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const find = () => store.getStore();
const text = (stream) => new Response(stream).text();
const ways = {
  await: async () => (await null, find()),
  timer: () => new Promise((done) => setTimeout(() => done(find()), 3)),
  interval: () => new Promise((done) => { const timer = setInterval(() => (clearInterval(timer), done(find())), 1); }),
  immediate: () => new Promise((done) => setImmediate(() => done(find()))),
  microtask: () => new Promise((done) => queueMicrotask(() => done(find()))),
  nextTick: () => new Promise((done) => process.nextTick(() => done(find()))),
  thenable: async () => (await { then: (done) => setTimeout(done, 1) }, find()),
  generator: async () => { for await (const found of (async function* () { await sleep(1); yield find(); })()) return found; },
  start: () => text(new ReadableStream({ async start(controller) { await sleep(2); controller.enqueue(new TextEncoder().encode(find())); controller.close(); } })),
  pull: () => text(new ReadableStream({ async pull(controller) { await sleep(1); controller.enqueue(new TextEncoder().encode(find())); controller.close(); } })),
  transform: () => text(new Blob(["x"]).stream().pipeThrough(new TransformStream({ async transform(chunk, controller) { await sleep(1); controller.enqueue(new TextEncoder().encode(find())); } }))),
  direct: () => text(new ReadableStream({ type: "direct", async pull(controller) { await sleep(1); controller.write(find()); controller.close(); } })),
  compression: async () => (await new Response(new Blob(["x"]).stream().pipeThrough(new CompressionStream("gzip"))).bytes(), find()),
  nodeRead: () => new Promise((done) => { const stream = new Readable({ read() { setTimeout(() => { this.push(find()); this.push(null); }, 1); } }); stream.on("data", (found) => done(String(found))); }),
  nodePipe: () => new Promise((done) => { const through = new PassThrough(); Readable.from(["a"]).pipe(through); through.on("data", () => {}); through.on("end", () => done(find())); }),
  body: async (request) => (await request.text(), find()),
  digest: async () => (await crypto.subtle.digest("SHA-256", new Uint8Array(1)), find()),
  event: () => { const target = new EventTarget(); let found; target.addEventListener("a", () => (found = find())); target.dispatchEvent(new Event("a")); return found; },
  snapshot: async () => { const run = AsyncLocalStorage.snapshot(); return await store.run("other", () => run(find)); },
};
export default (request) => store.run(new URL(request.url).pathname, async () => {
  const wrong = [];
  for (const [name, way] of Object.entries(ways)) {
    const found = await way(request);
    if (found !== find() || found !== new URL(request.url).pathname) wrong.push(`${name}: ${found}`);
  }
  return new Response(wrong.join("; "));
});
"#;

#[test]
fn a_store_is_found_across_await_timers_and_streams() {
    run(async {
        let worker = Setup::fetch(SOURCE).boot().await;
        let paths: Vec<String> = (0..12).map(|number| format!("/{number}")).collect();
        let answers = futures_util::future::join_all(paths.iter().map(|path| worker.get(path))).await;
        for (path, answer) in paths.iter().zip(answers) {
            assert_eq!(answer.text(), "", "{path}");
        }
    });
}

#[test]
fn a_store_that_is_entered_for_good_ends_with_its_request() {
    run(async {
        let worker = Setup::fetch(
            "import { AsyncLocalStorage } from 'node:async_hooks';
             const store = new AsyncLocalStorage();
             let aborted = 'not';
             export default (request) => {
               const { pathname } = new URL(request.url);
               if (pathname === '/aborted') return new Response(aborted);
               const found = store.getStore();
               store.enterWith(pathname);
               if (pathname !== '/wait') return new Response(String(found));
               request.signal.addEventListener('abort', () => { aborted = store.getStore(); });
               return new Promise(() => {});
             }",
        )
        .boot()
        .await;
        let waiting = worker.start(Ask::get("/wait")).await;
        for path in ["/one", "/two"] {
            assert_eq!(worker.get(path).await.text(), "undefined", "{path}");
        }
        drop(waiting);
        until(&worker, "/aborted", "/wait").await;
    });
}
