//! `isolate_per_request`: no visitor finds anything of another.

use crate::support::{Ask, Setup, run};
use vitrine_wire::Outcome;

/// Leaves what it can behind for the next visitor.
const CANARY: &str = r#"
    let canary = 'none';
    const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
    export default { async fetch(request, env, ctx) {
      const name = new URL(request.url).pathname;
      if (name === '/cpu') for (;;);
      const found = [canary, globalThis.canary ?? 'none', Array.prototype.canary ?? 'none', process.env.CANARY ?? 'none'];
      canary = globalThis.canary = Array.prototype.canary = process.env.CANARY = name;
      if (name === '/late') ctx.waitUntil(sleep(50).then(() => console.log('late')));
      await sleep(5);
      return new Response(found.join(' '));
    } };
"#;

fn setup(isolates: u32) -> Setup {
    Setup::fetch(CANARY).limits(|limits| {
        limits.isolate_per_request = true;
        limits.isolates = isolates;
        limits.cpu_ms = 100;
        limits.queue_ms = 30_000;
    })
}

#[test]
fn no_request_finds_what_another_left() {
    run(async {
        let worker = setup(2).boot().await;
        assert_eq!(worker.isolates().await.len(), 3, "one is booted ahead");
        assert_eq!(worker.pool.isolates(), 2);
        for round in 0..5 {
            let mut answers = Vec::new();
            for visitor in 0..8 {
                answers.push(worker.start(Ask::get(&format!("/{round}-{visitor}"))).await);
            }
            for answer in answers {
                let (_, body, done) = answer.collect().await;
                assert_eq!((done.outcome, &body[..]), (Outcome::Ok, &b"none none none none"[..]));
            }
        }
        assert_eq!(worker.restarts().await, 0, "an isolate that is done is not condemned");
    });
}

#[test]
fn without_the_mode_module_scope_is_shared() {
    run(async {
        let worker = setup(1).limits(|limits| limits.isolate_per_request = false).boot().await;
        assert_eq!(worker.get("/first").await.text(), "none none none none");
        assert_eq!(worker.get("/second").await.text(), "/first /first /first /first");
    });
}

#[test]
fn limits_hold_and_what_outlives_the_answer_is_waited_for() {
    run(async {
        let mut worker = setup(1).boot().await;
        assert_eq!(worker.get("/cpu").await.done.outcome, Outcome::CpuLimit);
        assert_eq!(worker.restarts().await, 1);
        assert_eq!(worker.get("/late").await.text(), "none none none none");
        loop {
            let lines = worker.logs.batch().await.expect("a log");
            if lines.iter().any(|line| line.message == "late") {
                break;
            }
        }
    });
}

#[test]
fn at_most_as_many_requests_as_isolates_are_at_work() {
    run(async {
        let source =
            "export default () => new Promise((done) => setTimeout(() => done(new Response('x')), 100));";
        let limit = |limits: &mut vitrine_wire::WorkerLimits| {
            limits.isolate_per_request = true;
            limits.isolates = 2;
        };
        let worker = Setup::fetch(source).limits(limit).boot().await;
        let answers = [
            worker.start(Ask::get("/1")).await,
            worker.start(Ask::get("/2")).await,
            worker.start(Ask::get("/3")).await,
        ];
        let mut waits_us = Vec::new();
        for answer in answers {
            let (_, _, done) = answer.collect().await;
            assert_eq!(done.outcome, Outcome::Ok);
            waits_us.push(done.queue_us);
        }
        assert!(waits_us[2] >= 90_000, "the third waits for one of the others: {waits_us:?}");
    });
}
