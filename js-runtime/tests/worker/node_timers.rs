//! Timers and ticks as Node.js has them.

use crate::support::{Setup, evaluate, run};

#[test]
fn timers_and_ticks_do_what_node_does() {
    run(async {
        for (imports, body, expected) in CASES {
            assert_eq!(evaluate(imports, body).await, *expected, "{imports} {body}");
        }
    });
}

#[test]
fn a_tick_that_throws_keeps_no_other_from_running() {
    run(async {
        let source =
            "let ran = 0; addEventListener('error', (event) => { event.preventDefault(); ran += 10; });
            export default (request) => {
              if (request.url.endsWith('/told')) return new Response(String(ran));
              process.nextTick(() => { throw new Error('a tick'); });
              process.nextTick(() => { ran += 1; });
              return new Response('sent');
            };";
        let worker = Setup::fetch(source).boot().await;
        assert_eq!(worker.get("/").await.text(), "sent");
        assert_eq!(worker.get("/told").await.text(), "11");
    });
}

#[test]
fn tasks_that_are_queued_in_a_loop_are_bounded() {
    run(async {
        let source = "export default () => {
              let count = 0;
              try {
                for (;;) { setImmediate(() => {}); count += 1; }
              } catch (error) {
                return new Response(`${count} ${error.message}`);
              }
            };";
        let worker = Setup::fetch(source).limits(|limits| limits.cpu_ms = 20_000).boot().await;
        let text = worker.get("/").await.text();
        assert!(text.starts_with("50000 Too many tasks are queued"), "{text}");
        // Those that have run make room again.
        let text = worker.get("/").await.text();
        assert!(text.contains("Too many tasks") && !text.starts_with("0 "), "{text}");
    });
}

#[test]
fn tasks_of_one_request_leave_others_room() {
    run(async {
        let source = "let over = false;
            const forever = () => { if (!over) setImmediate(forever); };
            export default (request) => new Promise((done) => {
              if (request.url.endsWith('/one')) {
                setTimeout(() => { over = true; done(new Response('in time')); }, 0);
                return;
              }
              try {
                for (;;) setImmediate(forever);
              } catch {
                const wait = () => (over ? done(new Response('refused')) : setTimeout(wait, 5));
                wait();
              }
            });";
        let worker = Setup::fetch(source)
            .limits(|limits| (limits.cpu_ms, limits.wall_ms) = (20_000, 60_000))
            .boot()
            .await;
        let (many, one) = tokio::join!(worker.get("/many"), worker.get("/one"));
        assert_eq!((one.text().as_str(), many.text().as_str()), ("in time", "refused"));
    });
}

#[test]
fn timers_of_one_request_leave_others_room() {
    run(async {
        let source = "export default (request) => new Promise((done) => {
              if (request.url.endsWith('/one')) return setTimeout(() => done(new Response('in time')), 5);
              try {
                for (;;) setTimeout(() => {}, 60_000);
              } catch (error) {
                done(new Response(error.message));
              }
            });";
        let worker = Setup::fetch(source).limits(|limits| limits.cpu_ms = 20_000).boot().await;
        let refused = worker.get("/many").await.text();
        assert!(refused.starts_with("Too many timers"), "{refused}");
        assert_eq!(worker.get("/one").await.text(), "in time");
    });
}

/// Imports, the body of a function, and what Node.js 22 gives for it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "import timers from 'node:timers';",
        r#"const sleep = (ms) => new Promise((done) => setTimeout(done, ms)); let fired = 0; const fire = () => fired++;
         const timer = setTimeout(fire, 1); const out = [typeof timer, timer.constructor.name, timer.hasRef(), timer.unref().hasRef(), timer.ref() === timer, typeof timer[Symbol.toPrimitive](), timers.setTimeout === setTimeout];
         clearTimeout(timer); clearTimeout(Number(setTimeout(fire, 1))); clearTimeout(String(+setTimeout(fire, 1))); clearInterval(setInterval(fire, 1)); setTimeout(fire, 1).close(); setInterval(fire, 1)[Symbol.dispose]();
         const immediate = setImmediate(fire); clearImmediate(immediate); setImmediate(fire)[Symbol.dispose](); clearTimeout(setTimeout(fire)); out.push(immediate.constructor.name, immediate.hasRef(), typeof immediate.refresh);
         for (const nothing of [undefined, null, NaN, {}, 'x', 0]) clearTimeout(nothing);
         await sleep(20); out.push(fired);
         const again = setTimeout(fire, 1); await sleep(20); again.refresh(); await sleep(20); out.push(fired); clearTimeout(again); again.refresh(); await sleep(20); out.push(fired);
         const now = () => performance.now(); const begun = now(); let late;
         const waited = new Promise((done) => { late = setTimeout(() => { fire(); done(now() - begun >= 89); }, 60); });
         while (now() - begun < 30); late.refresh(); out.push(await waited, fired);
         await new Promise((done) => { const often = setInterval(() => { if (++fired === 6) { clearInterval(often); done(); } }, 1); }); await sleep(20); out.push(fired);
         return out"#,
        r#"["object","Timeout",true,false,true,"number",true,"Immediate",false,"undefined",0,2,2,true,3,6]"#,
    ),
    (
        "import { nextTick } from 'node:process';",
        r#"const order = []; const note = (what) => () => order.push(what);
         await new Promise((done) => setTimeout(() => {
         Promise.resolve().then(note('promise')).then(note('its promise')); queueMicrotask(note('microtask'));
         nextTick(() => { order.push('tick'); nextTick(note('tick of a tick')); Promise.resolve().then(note('promise of a tick')); }); nextTick((...what) => order.push(...what), 'second', 'tick');
         order.push('sync'); setImmediate(() => { nextTick(note('last tick')); Promise.resolve().then(done); });
         }, 1));
         return order"#,
        r#"["sync","tick","second","tick","tick of a tick","promise","microtask","promise of a tick","its promise","last tick"]"#,
    ),
];
