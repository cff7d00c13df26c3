//! What an app throws, and what becomes of it.

use crate::support::{Ask, Setup, Worker, run};
use vitrine_wire::{LogLevel, LogLine, Outcome};

const THROWS: &str = "
function price(course) {
  if (course.price === null) throw new TypeError(`${course.title} has no price`);
}
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const routes = {
  '/sync': () => price({ title: 'Drawing', price: null }),
  '/async': async () => { await sleep(1); price({ title: 'Late', price: null }); },
  '/string': () => { throw 'just text'; },
  '/nothing': () => Promise.reject(undefined),
  '/stream': () => new Response(new ReadableStream({ async pull(c) {
    if (!this.begun) { this.begun = true; c.enqueue(new Uint8Array([104])); return; }
    await sleep(30); throw new Error('half way'); } })),
  '/direct': () => new Response(new ReadableStream({ type: 'direct', pull(c) {
    c.write('half'); c.flush(); setTimeout(() => c.error(new Error('direct half way')), 30); } })),
  '/unhandled': () => { Promise.reject(new Error('nobody cares')); return new Response('fine'); },
  '/handled-late': () => { const p = Promise.reject(new Error('x')); Promise.resolve().then(() => p.catch(() => {})); return new Response('fine'); },
  '/timer': () => { setTimeout(() => { throw new Error('in a timer'); }, 0); return new Response('fine'); },
  '/listener': () => { const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('in a listener'); }); t.dispatchEvent(new Event('x')); return new Response('fine'); },
  '/report': () => { reportError(new Error('reported')); return new Response('fine'); },
  '/wait': (ctx) => { ctx.waitUntil(Promise.reject(new Error('after all'))); return new Response('fine'); },
  '/exit': () => process.exit(3),
};
export default { fetch: (request, env, ctx) => routes[new URL(request.url).pathname](ctx) };
";

/// Lines of the log until one of this severity or above.
async fn line(worker: &mut Worker, level: LogLevel) -> LogLine {
    loop {
        let lines = worker.logs.batch().await.expect("a log");
        if let Some(line) = lines.into_iter().find(|line| line.level >= level) {
            return line;
        }
    }
}

#[test]
fn a_throwing_handler_is_an_app_error_with_its_stack_in_answer_and_log() {
    run(async {
        let mut worker = Setup::fetch(THROWS).boot().await;
        for (path, message, place) in [
            ("/sync", "TypeError: Drawing has no price", "at price (server/index.js:3:"),
            ("/async", "TypeError: Late has no price", "at price (server/index.js:3:"),
            ("/string", "just text", ""),
            ("/nothing", "undefined", ""),
            ("/exit", "Error: process.exit(3) was called", "server/index.js:"),
        ] {
            let done = worker.get(path).await.done;
            assert_eq!(done.outcome, Outcome::AppError, "{path}");
            let error = done.error.expect("the app's error");
            assert!(error.message.starts_with(message), "{path}: {error:?}");
            assert!(error.stack.contains(place), "{path}: {error:?}");
            assert!(!error.stack.contains("ext:"), "{path}: {error:?}");
            let line = line(&mut worker, LogLevel::Error).await;
            assert_eq!(line.request_id, Some(format!("id{path}")));
            assert!(line.message.starts_with(message), "{path}: {line:?}");
        }
    });
}

#[test]
fn an_error_after_the_head_breaks_the_answer_off() {
    run(async {
        let worker = Setup::fetch(THROWS).boot().await;
        for (path, body, message) in
            [("/stream", "h", "Error: half way"), ("/direct", "half", "Error: direct half way")]
        {
            let answer = worker.get(path).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.body, body, "{path}");
            assert_eq!(answer.done.outcome, Outcome::AppError, "{path}");
            assert_eq!(answer.done.error.expect("an error").message, message);
        }
    });
}

#[test]
fn a_streamed_answer_with_too_many_headers_ends_at_once() {
    run(async {
        let source = "export default () => {
            const headers = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`x-${n}`, '1']));
            return new Response(new ReadableStream({ start: (c) => c.enqueue(new TextEncoder().encode('begun')) }), { headers });
        }";
        let worker = Setup::fetch(source).boot().await;
        let done = worker.get("/").await.done;
        assert_eq!(done.outcome, Outcome::AppError);
        assert!(done.render_us < 2_500_000, "it took half of wall_ms: {done:?}");
        assert_eq!(
            done.error.expect("a reason").message,
            "the response has 129 headers, at most 128 are allowed"
        );
    });
}

#[test]
fn what_nobody_catches_is_logged_and_the_answer_stands() {
    run(async {
        let mut worker = Setup::fetch(THROWS).boot().await;
        for (path, message) in [
            ("/unhandled", "Uncaught (in promise) Error: nobody cares"),
            ("/timer", "Uncaught Error: in a timer"),
            ("/listener", "Uncaught Error: in a listener"),
            ("/report", "Uncaught Error: reported"),
            ("/wait", "Uncaught Error: after all"),
        ] {
            assert_eq!(worker.get(path).await.text(), "fine", "{path}");
            let line = line(&mut worker, LogLevel::Error).await;
            assert_eq!(line.message, message);
            assert!(line.stack.expect("a stack").contains("server/index.js:"), "{path}");
        }
        assert_eq!(worker.get("/handled-late").await.text(), "fine");
        assert_eq!(worker.get("/report").await.text(), "fine");
        assert_eq!(line(&mut worker, LogLevel::Error).await.message, "Uncaught Error: reported");
    });
}

#[test]
fn stacks_are_mapped_to_the_sources() {
    run(async {
        // One line of output; the map leads its second statement to line 2, column 4 of `src/price.ts`.
        let source = "export default () => { boom(); };\nfunction boom(){throw new Error('mapped')}\n//# sourceMappingURL=index.js.map";
        let map =
            r#"{"version":3,"file":"index.js","sources":["../src/price.ts"],"names":[],"mappings":";AACI"}"#;
        let worker = Setup::fetch(source).file("server/index.js.map", map).boot().await;
        let error = worker.ask(Ask::get("/")).await.done.error.expect("an error");
        assert!(error.stack.contains("at boom (src/price.ts:2:5)"), "{error:?}");

        let inline = "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbInNyYy9pbmxpbmUudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IjtBQUNJIn0=";
        let source = source.replace("index.js.map", &format!("data:application/json;base64,{inline}"));
        let worker = Setup::fetch(&source).boot().await;
        let error = worker.get("/").await.done.error.expect("an error");
        assert!(error.stack.contains("src/inline.ts:2:5"), "{error:?}");
    });
}

#[test]
fn the_console_is_the_apps_log() {
    run(async {
        let mut worker = Setup::fetch(
            "console.log('at import');
             export default async () => {
               console.log('%s is %d', 'answer', 42, { deep: { list: [1] } });
               await new Promise((done) => setTimeout(done, 1));
               console.warn('careful');
               console.error(new Error('seen'));
               return new Response('fine');
             }",
        )
        .boot()
        .await;
        worker.get("/page").await;
        let mut lines = Vec::new();
        while lines.len() < 4 {
            lines.extend(worker.logs.batch().await.expect("a log"));
        }
        assert_eq!((lines[0].message.as_str(), lines[0].request_id.as_deref()), ("at import", None));
        assert_eq!(lines[1].message, "answer is 42 { deep: { list: [ 1 ] } }");
        assert_eq!(lines[1].request_id.as_deref(), Some("id/page"));
        assert_eq!((lines[2].level, lines[2].request_id.as_deref()), (LogLevel::Warn, Some("id/page")));
        assert!(lines[3].message.starts_with("Error: seen\n    at "), "{:?}", lines[3]);
    });
}

#[test]
fn an_error_that_the_app_logs_is_logged_once_in_each_request() {
    run(async {
        let mut worker = Setup::fetch(
            "const kept = new TypeError('kept');
             export default (request) => {
               const path = new URL(request.url).pathname;
               if (path === '/logs') console.error('it failed:', kept);
               if (path === '/fetches') return fetch('nowhere:').catch((error) => { console.error(error); throw error; });
               if (path === '/end') { console.log('the end'); return new Response('fine'); }
               throw kept;
             }",
        )
        .boot()
        .await;
        for path in ["/logs", "/silent", "/fetches"] {
            assert_eq!(worker.get(path).await.done.outcome, Outcome::AppError);
        }
        worker.get("/end").await;
        let mut lines: Vec<LogLine> = Vec::new();
        while lines.last().is_none_or(|line| line.message != "the end") {
            lines.extend(worker.logs.batch().await.expect("a log"));
        }
        // The worker itself tells that the isolate is replaced.
        let told: Vec<_> = lines.iter().filter_map(|line| line.request_id.as_deref()).collect();
        assert_eq!(told, ["id/logs", "id/silent", "id/fetches", "id/end"], "{lines:?}");
        assert!(
            lines[0].message.starts_with("it failed: TypeError: kept\n    at server/index.js:1:"),
            "{lines:?}"
        );
        let text = format!("{lines:?}");
        assert!(!text.contains("ext:") && !text.contains("app:///"), "{text}");
    });
}

#[test]
fn a_flood_of_lines_is_counted_not_sent() {
    run(async {
        let mut worker = Setup::fetch(
            "export default () => { for (let i = 0; i < 50; i++) console.log('flood'); return new Response('fine'); }",
        )
        .limits(|limits| limits.log_lines_per_s = 10)
        .boot()
        .await;
        worker.get("/").await;
        let mut lines = Vec::new();
        while lines.len() < 11 {
            lines.extend(worker.logs.batch().await.expect("a log"));
        }
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[10].message, "40 more log lines were dropped: log_lines_per_s is 10");
    });
}

#[test]
fn what_is_attached_to_an_error_is_logged_by_its_name_alone() {
    run(async {
        let source = "export default () => {
            const config = { headers: { authorization: 'Bearer secret' } };
            const error = Object.assign(new Error('no page', { cause: new Error('refused') }), { code: 'ECONNREFUSED', config, request: { config } });
            console.error('it failed:', { a: { b: { c: 1 } } }, error);
            return new Response('told');
        };";
        let mut worker = Setup::fetch(source).boot().await;
        assert_eq!(worker.get("/").await.text(), "told");
        let message = worker.logs.batch().await.expect("a log").remove(0).message;
        for told in [
            "it failed: { a: { b: { c: 1 } } } Error: no page",
            "ECONNREFUSED",
            "Error: refused",
            "config: [Object]",
        ] {
            assert!(message.contains(told), "{told}: {message}");
        }
        assert!(!message.contains("secret"), "{message}");
    });
}
