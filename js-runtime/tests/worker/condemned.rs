//! Isolates whose app may have broken them, and what becomes of those that were asked meanwhile.

use crate::support::{Ask, Setup, Worker, run, until};
use std::time::Instant;
use vitrine_wire::{Frame, IsolateState, LogLevel, Outcome, RestartReason};

/// `/break` breaks the app's own globals for good; `/` shows which isolate answers.
const FRAGILE: &str = r#"
    const born = Math.random();
    let warm = 0;
    const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
    const routes = {
      '/born': () => new Response(String(born)),
      '/warm': () => { warm += 1; return new Response('warm'); },
      '/warm-slowly': async () => { warm += 1; await sleep(1500); return new Response('warm'); },
      '/renders': () => new Response(String(warm)),
      '/who': () => new Response(born + (warm > 0 ? ' warm' : ' cold')),
      '/break': () => { globalThis.Response = class {}; return 42; },
      '/hang-all': () => { Object.prototype.then = () => {}; return new Response('never'); },
      '/wrong': () => ({ status: 200, body: 'a lookalike' }),
      '/nothing': () => undefined,
      '/spin': () => { for (;;); },
      '/throw': () => { throw new Error('boom'); },
      '/slow': async () => { await sleep(200); return new Response('slow'); },
      '/abort': (request) => new Promise(() => {
        request.signal.addEventListener('abort', () => { console.error('told: ' + request.signal.reason.message); });
      }),
    };
    export default { fetch(request) {
      const route = routes[new URL(request.url).pathname];
      return route === undefined ? new Response('fine') : route(request);
    } };
"#;

async fn app_error(worker: &Worker, path: &str) {
    assert_eq!(worker.get(path).await.done.outcome, Outcome::AppError, "{path}");
}

#[test]
fn a_result_of_the_wrong_type_condemns_the_isolate() {
    for path in ["/break", "/wrong", "/nothing"] {
        run(async move {
            let worker = Setup::fetch(FRAGILE).boot().await;
            let born = worker.get("/born").await.text();
            app_error(&worker, path).await;
            // The next request waits for the replacement.
            assert_ne!(worker.get("/born").await.text(), born, "{path}");
            assert_eq!(worker.reasons().await, [RestartReason::WrongType], "{path}");
        });
    }
}

#[test]
fn a_replacement_is_warm_before_it_serves_where_another_isolate_serves_meanwhile() {
    run(async {
        let mut setup = Setup::fetch(FRAGILE);
        setup.start.settings.warm = vec!["/warm".to_owned()];
        setup.start.settings.limits.isolates = 2;
        let worker = setup.boot().await;
        app_error(&worker, "/wrong").await;
        let mut seen = std::collections::BTreeSet::new();
        // The one that was not broken, and the replacement.
        for _ in 0..1_000 {
            seen.insert(worker.get("/who").await.text());
            if seen.len() == 2 {
                break;
            }
            // Booting and warming take what they take.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen.iter().all(|who| who.ends_with(" warm")), "{seen:?}");
        assert_eq!(worker.reasons().await, [RestartReason::WrongType]);
    });
}

#[test]
fn a_replacement_that_is_killed_while_it_is_warmed_is_not_the_one_that_serves() {
    run(async {
        let source = "const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
            export default async (request, env) => {
              const path = new URL(request.url).pathname;
              if (path === '/spin' || (path === '/warm' && Date.now() > Number(env.SPOILT_FROM_MS))) for (;;);
              await sleep(5);
              return new Response('fine');
            }";
        // Time to boot and warm the first ones.
        let spoilt_from = std::time::SystemTime::now() + std::time::Duration::from_secs(3);
        let spoilt_from_ms =
            spoilt_from.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
        let mut setup = Setup::fetch(source)
            .env("SPOILT_FROM_MS", &spoilt_from_ms.to_string())
            .limits(|limits| (limits.cpu_ms, limits.isolates) = (50, 2));
        setup.start.settings.warm = vec!["/warm".to_owned()];
        let worker = setup.boot().await;
        while std::time::SystemTime::now() <= spoilt_from {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(worker.get("/spin").await.done.outcome, Outcome::CpuLimit);
        while worker.isolates().await.iter().any(|isolate| isolate.state != IsolateState::Serving) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // More at once than one of them takes.
        let answers = futures_util::future::join_all((0..64).map(|_| worker.get("/"))).await;
        assert!(answers.iter().all(|answer| answer.done.outcome == Outcome::Ok), "{answers:?}");
        assert_eq!(worker.reasons().await, [RestartReason::CpuLimit]);
    });
}

#[test]
fn a_client_that_takes_nothing_does_not_keep_an_isolate_that_was_replaced() {
    run(async {
        let source = "export default (request) => request.url.endsWith('/wrong') ? 42 : new Response(
            new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65536)) }));";
        let worker = Setup::fetch(source).limits(|limits| limits.wall_ms = 300).boot().await;
        let mut answer = worker.start(Ask::get("/")).await;
        while worker.isolates().await[0].in_flight == 0 {
            tokio::task::yield_now().await;
        }
        app_error(&worker, "/wrong").await;
        assert_eq!(worker.get("/wrong").await.done.outcome, Outcome::AppError, "the replacement serves");
        // Longer than `wall_ms` and the time for last words, in which nothing is taken.
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let mut taken = 0;
        while let Some(frame) = answer.next().await {
            match frame {
                Frame::Body(_, data) => taken += data.len(),
                Frame::Done(_, done) => {
                    assert_eq!(done.outcome, Outcome::Draining);
                    assert!(taken < 1 << 20, "{taken}");
                }
                _ => {}
            }
        }
    });
}

#[test]
fn an_app_that_lost_an_isolate_has_a_warm_one_for_the_next_time() {
    run(async {
        let mut setup = Setup::fetch(FRAGILE).limits(|limits| limits.cpu_ms = 50);
        setup.start.settings.warm = vec!["/warm".to_owned()];
        let worker = setup.boot().await;
        for loss in 0..100 {
            assert_eq!(worker.get("/spin").await.done.outcome, Outcome::CpuLimit);
            let is_warm = worker.get("/who").await.text().ends_with(" warm");
            assert!(loss > 0 || !is_warm, "nobody is in waiting for an app that behaves");
            if is_warm {
                return;
            }
        }
        panic!("the replacement is cold each time");
    });
}

#[test]
fn a_spare_that_is_needed_before_it_is_warm_serves_as_it_is() {
    run(async {
        let mut setup = Setup::fetch(FRAGILE).limits(|limits| limits.cpu_ms = 50);
        // Three renders, and four seconds and a half, make an isolate warm.
        setup.start.settings.warm = vec!["/warm-slowly".to_owned()];
        let worker = setup.boot().await;
        for _ in 0..100 {
            assert_eq!(worker.get("/spin").await.done.outcome, Outcome::CpuLimit);
            let renders: u32 = worker.get("/renders").await.text().parse().expect("a number");
            assert!(renders < 3, "it was waited for until it was warm");
            if renders > 0 {
                return;
            }
        }
        panic!("another was booted each time");
    });
}

#[test]
fn a_render_of_the_wrong_type_condemns_the_isolate() {
    run(async {
        let source = "export const render = (request) => request.url.endsWith('/wrong') ? 42 : 'fine';";
        let worker = Setup::render(source).boot().await;
        app_error(&worker, "/wrong").await;
        assert_eq!(worker.get("/").await.text(), "fine");
        assert_eq!(worker.reasons().await, [RestartReason::WrongType]);
    });
}

#[test]
fn three_errors_in_a_row_condemn_the_isolate_and_what_is_in_flight_ends_well() {
    run(async {
        let worker = Setup::fetch(FRAGILE).boot().await;
        let born = worker.get("/born").await.text();
        app_error(&worker, "/throw").await;
        app_error(&worker, "/throw").await;
        assert_eq!(worker.get("/born").await.text(), born, "a good answer in between");
        app_error(&worker, "/throw").await;
        app_error(&worker, "/throw").await;
        let slow = worker.start(Ask::get("/slow")).await;
        app_error(&worker, "/throw").await;
        assert_ne!(worker.get("/born").await.text(), born, "three in a row");
        let (_, body, done) = slow.collect().await;
        assert_eq!((done.outcome, &body[..]), (Outcome::Ok, &b"slow"[..]));
        assert_eq!(worker.reasons().await, [RestartReason::AppError]);
    });
}

#[test]
fn an_app_whose_promises_all_hang_is_given_another_isolate() {
    run(async {
        let worker = Setup::fetch(FRAGILE).limits(|limits| limits.wall_ms = 100).boot().await;
        assert_eq!(worker.get("/hang-all").await.done.outcome, Outcome::WallLimit);
        assert_eq!(worker.get("/").await.done.outcome, Outcome::WallLimit);
        assert_eq!(worker.get("/").await.done.outcome, Outcome::WallLimit);
        assert_eq!(worker.get("/").await.text(), "fine");
        assert_eq!(worker.reasons().await, [RestartReason::AppError]);
    });
}

#[test]
fn an_app_that_always_fails_is_not_booted_again_and_again() {
    run(async {
        let worker = Setup::fetch(FRAGILE).boot().await;
        let begun = Instant::now();
        for _ in 0..12 {
            app_error(&worker, "/throw").await;
            app_error(&worker, "/nothing").await;
        }
        // One at once, then one a second.
        let restarts = worker.restarts().await as u64;
        assert!((1..=1 + begun.elapsed().as_secs()).contains(&restarts), "{restarts}");
    });
}

#[test]
fn what_an_abort_handler_logs_belongs_to_its_request() {
    run(async {
        let mut worker = Setup::fetch(FRAGILE).limits(|limits| limits.wall_ms = 100).boot().await;
        assert_eq!(worker.get("/abort").await.done.outcome, Outcome::WallLimit);
        until(&worker, "/", "fine").await;
        let told = loop {
            let lines = worker.logs.batch().await.expect("a log");
            if let Some(line) = lines.into_iter().find(|line| line.level == LogLevel::Error) {
                break line;
            }
        };
        assert_eq!(told.message, "told: The request took longer than wall_ms");
        assert_eq!(told.request_id.as_deref(), Some("id/abort"));
    });
}
