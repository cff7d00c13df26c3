//! `heap_mb` bounds every kind of memory that an app can have.

use crate::support::{Setup, Worker, run};
use vitrine_wire::{Outcome, RestartReason};

/// Ways to more memory than V8's own heap has. Each holds on to what it got.
const BOMBS: &str = r#"
    const kept = [];
    const page = 65536;
    // (memory N) as a module: magic, version, one memory section.
    const grows = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, 0]);
    const routes = {
      '/arrays': () => { for (;;) kept.push(new Array(1e5).fill(1.5)); },
      '/strings': () => { let text = 'x'; for (let i = 0; ; i++) { kept.push(text + i, (text + i).repeat(1000).slice(1).trim()); } },
      '/closures': () => { for (let i = 0; ; i++) kept.push(() => i); },
      '/map': () => { const map = new Map(); for (let i = 0; ; i++) map.set(i, { i }); },
      '/typed-arrays': () => { for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); },
      '/resizable': () => { const buffer = new ArrayBuffer(1, { maxByteLength: 2 ** 31 }); for (let size = 1; ; size += 1 << 20) { buffer.resize(size); new Uint8Array(buffer).fill(1); } },
      '/resizable-at-once': () => { kept.push(new ArrayBuffer(2 ** 36, { maxByteLength: 2 ** 36 })); for (;;); },
      '/wasm': () => { for (;;) { const memory = new WebAssembly.Memory({ initial: 16 }); new Uint8Array(memory.buffer).fill(1); kept.push(memory); console.log(kept.length); } },
      '/wasm-at-once': () => { kept.push(new WebAssembly.Memory({ initial: 65536 })); for (;;); },
      '/wasm-grows': () => { const memory = new WebAssembly.Memory({ initial: 1 }); for (;;) { memory.grow(16); new Uint8Array(memory.buffer).fill(1); } },
      '/wasm-module': () => { const { m } = new WebAssembly.Instance(new WebAssembly.Module(grows)).exports; for (;;) { m.grow(16); new Uint8Array(m.buffer).fill(1); } },
      '/wasm-shared': () => { const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }); for (;;) { memory.grow(16); new Uint8Array(memory.buffer).fill(1); } },
      '/shared': () => { for (;;) kept.push(new SharedArrayBuffer(1 << 20)); },
      '/shared-grows': () => { const Shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer.constructor; return new Shared(1, { maxByteLength: 2 ** 31 }); },
      '/shared-fixed': () => new Response(`${new SharedArrayBuffer(8).byteLength} ${new SharedArrayBuffer(8) instanceof SharedArrayBuffer}`),
      '/garbage': () => { let sum = 0; for (let i = 0; i < 500; i++) sum += new Uint8Array(1 << 20).length + new WebAssembly.Memory({ initial: 16 }).buffer.byteLength; return new Response(String(sum)); },
    };
    export default { fetch(request) {
      const route = routes[new URL(request.url).pathname];
      return route === undefined ? new Response('fine') : route();
    } };
"#;

async fn bombs() -> Worker {
    // So much CPU time that memory comes first.
    Setup::fetch(BOMBS)
        .limits(|limits| {
            limits.heap_mb = 32;
            limits.cpu_ms = 20_000;
            limits.wall_ms = 60_000;
        })
        .boot()
        .await
}

#[test]
fn whatever_an_app_fills_ends_at_its_heap_limit() {
    run(async {
        let worker = bombs().await;
        for path in [
            "/arrays",
            "/strings",
            "/closures",
            "/map",
            "/typed-arrays",
            "/resizable",
            "/resizable-at-once",
            "/wasm",
            "/wasm-at-once",
            "/wasm-grows",
            "/wasm-module",
            "/wasm-shared",
            "/shared",
        ] {
            let done = worker.get(path).await.done;
            assert_eq!(done.outcome, Outcome::HeapLimit, "{path}: {done:?}");
            assert_eq!(worker.get("/").await.text(), "fine", "{path}");
        }
        let reasons = worker.reasons().await;
        assert_eq!((reasons.len(), reasons[0]), (13, RestartReason::HeapLimit), "{reasons:?}");
    });
}

#[test]
fn the_limit_is_where_it_says() {
    run(async {
        let mut worker = bombs().await;
        assert_eq!(worker.get("/wasm").await.done.outcome, Outcome::HeapLimit);
        let mut mebibytes = 0;
        loop {
            let lines = worker.logs.batch().await.expect("a log");
            let told = |line: &vitrine_wire::LogLine| line.message.parse::<u32>().ok();
            mebibytes = lines.iter().filter_map(told).max().unwrap_or(0).max(mebibytes);
            if lines.iter().any(|line| line.message.contains("heap_limit")) {
                break;
            }
        }
        assert!((20..=33).contains(&mebibytes), "{mebibytes} MiB of 32");
    });
}

#[test]
fn shared_buffers_do_not_grow() {
    run(async {
        let worker = bombs().await;
        let error = worker.get("/shared-grows").await.done.error.expect("an error");
        assert!(error.message.contains("SharedArrayBuffer that grows"), "{error:?}");
        assert_eq!(worker.get("/shared-fixed").await.text(), "8 true");
    });
}

#[test]
fn memory_that_is_garbage_counts_against_nobody() {
    run(async {
        let worker = bombs().await;
        assert_eq!(worker.get("/garbage").await.text(), (500 * (2 << 20)).to_string());
        assert_eq!(worker.restarts().await, 0);
    });
}
