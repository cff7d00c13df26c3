//! Memory that lies outside of every isolate's heap.

use crate::worker::{Worker, start};
use vitrine_wire::Outcome;

/// Twice the heap of one isolate and what a process has besides, in bytes.
const BOUND_BYTES: u64 = (2 * 32 + 512) << 20;

/// Both are kept by the worker and not by V8. A process that only ran out of CPU time would take many times the bound.
const OUTSIDE: &str = r#"
    const kept = [];
    const bytes = new Uint8Array(1 << 20);
    const { port1, port2 } = new MessageChannel();
    const routes = {
      '/blobs': () => { for (;;) kept.push(new Blob([bytes])); },
      '/messages': () => { for (;;) port1.postMessage(bytes); },
    };
    export default { fetch(request) {
      const route = routes[new URL(request.url).pathname];
      return route === undefined ? new Response('fine') : route();
    } };
"#;

/// The most that a process has taken so far.
fn peak_bytes(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[tokio::test]
async fn what_an_app_keeps_outside_of_its_heap_is_bounded() {
    for path in ["/blobs", "/messages"] {
        let worker = Worker::start(OUTSIDE);
        let mut start = start();
        start.settings.limits.heap_mb = 32;
        start.settings.limits.cpu_ms = 20_000;
        let (_control, mut requests) = worker.serving_as(start).await;
        let pid = worker.render_pid().expect("a render process");
        assert_eq!(requests.fetch(1, path).await.done.outcome, Outcome::HeapLimit, "{path}");
        assert_eq!(requests.fetch(2, "/").await.body, b"fine", "{path}");
        let peak = peak_bytes(pid);
        // What is written between two looks on a busy machine comes on top.
        assert!(peak < BOUND_BYTES + (512 << 20), "{path}: {} MiB", peak >> 20);
        assert_eq!(worker.render_pid(), Some(pid), "{path}: the process lives on");
    }
}
