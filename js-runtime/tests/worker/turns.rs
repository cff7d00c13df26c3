//! Whose turn it is on an isolate: nobody waits for what another does without an end.

use crate::support::{Ask, Setup, Worker, run};
use std::time::Duration;
use vitrine_wire::RestartReason;

async fn until_begun(worker: &Worker) {
    while worker.isolates().await[0].in_flight == 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_request_that_always_has_a_task_holds_up_no_other() {
    run(async {
        let worker = Setup::fetch(
            "let stop = false;
             export default async (request) => {
               if (request.url.endsWith('/stop')) { stop = true; return new Response('told'); }
               while (!stop) await new Promise((done) => setTimeout(done, 0));
               return new Response('stopped');
             }",
        )
        .boot()
        .await;
        let busy = worker.start(Ask::get("/")).await;
        until_begun(&worker).await;
        assert_eq!(worker.get("/stop").await.text(), "told");
        assert_eq!(busy.collect().await.1, "stopped");
    });
}

#[test]
fn tasks_of_module_scope_keep_no_request_from_its_own_isolate() {
    run(async {
        let source =
            "const again = () => setTimeout(again, 0); again(); export default () => new Response('fine');";
        let worker = Setup::fetch(source)
            .limits(|limits| {
                limits.isolate_per_request = true;
                limits.cpu_ms = 60_000;
            })
            .boot()
            .await;
        assert_eq!(worker.get("/").await.text(), "fine");
    });
}

#[test]
fn a_module_that_awaits_a_timer_keeps_only_those_waiting_who_import_it() {
    run(async {
        let worker = Setup::fetch(
            "export default async (request) => {
               if (request.url.endsWith('/lazy')) return new Response((await import('./lazy.js')).text);
               await new Promise((done) => setTimeout(done, 100));
               return new Response('fine');
             }",
        )
        .file(
            "server/lazy.js",
            "await new Promise((done) => setTimeout(done, 50)); export const text = 'late';",
        )
        .boot()
        .await;
        let (lazy, other) = tokio::join!(worker.get("/lazy"), worker.get("/"));
        assert_eq!((lazy.text(), other.text()), ("late".to_owned(), "fine".to_owned()));
        assert_eq!(worker.reasons().await, []);
    });
}

#[test]
fn work_of_no_request_is_bounded_while_requests_run() {
    run(async {
        let worker = Setup::fetch(
            "let asked = false;
             const busy = () => { const end = Date.now() + 60; while (asked && Date.now() < end); };
             setInterval(busy, 1);
             export default () => { asked = true; return new Promise(() => {}); };",
        )
        .limits(|limits| (limits.cpu_ms, limits.wall_ms) = (200, 60_000))
        .boot()
        .await;
        let _waiting = worker.start(Ask::get("/")).await;
        for _ in 0..200 {
            if worker.reasons().await.contains(&RestartReason::CpuLimit) {
                return;
            }
            // Its CPU time is what is waited for.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is charged to nobody");
    });
}

#[test]
fn timers_run_from_when_they_are_set() {
    run(async {
        let worker = Setup::fetch(
            "export default async () => {
               const order = [];
               const set = (name, ms) => new Promise((done) => setTimeout(() => { order.push(name); done(); }, ms));
               const first = set('first', 100);
               const end = Date.now() + 80; while (Date.now() < end);
               await Promise.all([first, set('second', 60)]);
               return new Response(order.join());
             }",
        )
        .boot()
        .await;
        assert_eq!(worker.get("/").await.text(), "first,second");
    });
}
