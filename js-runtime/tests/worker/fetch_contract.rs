//! The contract `fetch`.

use crate::support::{Ask, Setup, run};

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
        assert_eq!(answer.pieces.len(), 1);
    });
}
