//! The contract `fetch`.

use crate::support::{Ask, Setup, run, until};

#[test]
fn a_handler_answers_with_status_headers_and_body() {
    run(async {
        let worker = Setup::fetch(
            "export default { fetch(request) {
               const url = new URL(request.url);
               return new Response(`<h1>${url.pathname} \u{e9}\u{1F600}</h1>`, { status: 201, headers: { 'content-type': 'text/html', 'x-a': request.headers.get('x-b') } });
             } };",
        )
        .boot()
        .await;
        let answer = worker.ask(Ask::get("/hello").header("x-b", "c")).await;
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.header("content-type"), ["text/html"]);
        assert_eq!(answer.header("x-a"), ["c"]);
        assert_eq!(answer.text(), "<h1>/hello \u{e9}\u{1F600}</h1>");
    });
}

#[test]
fn a_body_can_be_read_in_every_form() {
    run(async {
        let worker = Setup::fetch(
            "export default async (request) => {
               const { pathname } = new URL(request.url);
               if (pathname === '/text') return new Response(await request.text());
               if (pathname === '/json') return Response.json({ got: (await request.json()).a, used: request.bodyUsed });
               if (pathname === '/bytes') return new Response(String((await request.arrayBuffer()).byteLength));
               if (pathname === '/stream') {
                 let length = 0;
                 for await (const piece of request.body) length += piece.length;
                 return new Response(String(length));
               }
               if (pathname === '/echo') return new Response(request.body);
             }",
        )
        .boot()
        .await;
        assert_eq!(worker.ask(Ask::post("/text", b"h\xc3\xa9")).await.text(), "h\u{e9}");
        let json = worker.ask(Ask::post("/json", br#"{"a":1}"#)).await;
        assert_eq!(json.header("content-type"), ["application/json"]);
        assert_eq!(json.text(), r#"{"got":1,"used":true}"#);
        assert_eq!(worker.ask(Ask::post("/bytes", b"12345")).await.text(), "5");
        assert_eq!(worker.ask(Ask::post("/stream", b"123456")).await.text(), "6");
        assert_eq!(worker.ask(Ask::post("/echo", b"back")).await.text(), "back");
    });
}

#[test]
fn a_response_of_a_class_that_only_inherits_is_answered_by_its_members() {
    run(async {
        let worker = Setup::fetch(
            "const Real = Response;
             class Light {
               #init;
               constructor(body, init) { this.#init = [body, init]; }
               get real() { return this.made ??= new Real(...this.#init); }
               get status() { return this.real.status; }
               get headers() { return this.real.headers; }
               get body() { return this.real.body; }
             }
             Object.setPrototypeOf(Light.prototype, Real.prototype);
             globalThis.Response = Light;
             export default (request) => new Response(request.url.endsWith('/none') ? null : 'light', { status: 203, headers: { 'x-a': 'b' } });",
        )
        .boot()
        .await;
        for (path, text) in [("/", "light"), ("/none", "")] {
            let answer = worker.get(path).await;
            assert_eq!((answer.status(), answer.header("x-a")), (203, vec!["b".to_owned()]));
            assert_eq!(answer.text(), text);
        }
    });
}

#[test]
fn cookies_stay_apart_and_a_head_request_has_no_body() {
    run(async {
        let worker = Setup::fetch(
            "export default { fetch: () => {
               const headers = new Headers({ 'X-One': '1' });
               headers.append('set-cookie', 'a=1; Path=/');
               headers.append('Set-Cookie', 'b=2, 3');
               return new Response('page', { headers });
             } }",
        )
        .boot()
        .await;
        let answer = worker.get("/").await;
        assert_eq!(answer.header("set-cookie"), ["a=1; Path=/", "b=2, 3"]);
        assert_eq!(answer.header("x-one"), ["1"]);
        assert_eq!(answer.text(), "page");
        let mut head = Ask::get("/");
        "HEAD".clone_into(&mut head.head.method);
        assert_eq!(worker.ask(head).await.text(), "");
    });
}

#[test]
fn env_is_frozen_and_wait_until_outlives_the_answer() {
    run(async {
        let worker = Setup::fetch(
            "let late = 'nothing';
             export default { fetch(request, env, ctx) {
               const before = late;
               ctx.waitUntil(new Promise((done) => setTimeout(() => { late = 'done'; done(); }, 20)));
               let frozen = false;
               try { 'use strict'; env.NAME = 'x'; } catch { frozen = true; }
               return new Response(`${before} ${env.NAME} ${frozen} ${typeof ctx.passThroughOnException}`);
             } }",
        )
        .env("NAME", "value")
        .boot()
        .await;
        assert_eq!(worker.get("/").await.text(), "nothing value true undefined");
        until(&worker, "/", "done value true undefined").await;
    });
}

#[test]
fn what_an_app_throws_is_told_with_the_lines_of_its_sources() {
    run(async {
        let worker =
            Setup::fetch(include_str!("../../../tests/fixtures/bundles/throws-on-render/server/index.js"))
                .file(
                    "server/index.js.map",
                    include_str!("../../../tests/fixtures/bundles/throws-on-render/server/index.js.map"),
                )
                .boot()
                .await;
        let error = worker.get("/boom").await.done.error.expect("it throws");
        assert!(error.stack.contains("/price.ts:11:"), "{}", error.stack);
        assert!(error.stack.contains("/server.ts:"), "{}", error.stack);
    });
}
