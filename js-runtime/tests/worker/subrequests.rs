//! How many calls an app may make.

use crate::egress::{APP, broker};
use crate::support::{Setup, run, until};

#[test]
fn calls_of_one_request_are_bounded() {
    run(async {
        let worker = Setup::fetch(APP).limits(|limits| limits.subrequests = 2).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/many"), async {
            for _ in 0..2 {
                let (stream, _) = broker.call().await;
                broker.answer(stream, 200, &[], &[]).await;
            }
        });
        let refused = "fetch failed: a request may make 2 calls (subrequests)";
        assert_eq!(answer.text(), format!("200,200,{refused},{refused}"));
    });
}

#[test]
fn calls_of_no_request_are_bounded() {
    run(async {
        let source = "const found = []; let wanted = false;
            const call = () => fetch('https://api.example.com/').then((answer) => answer.status, (error) => error.message);
            setInterval(async () => {
              if (!wanted) return;
              wanted = false;
              for (let n = 0; n < 3; n += 1) found.push(await call());
            }, 5);
            export default (request) => { wanted ||= request.url.endsWith('/call'); return new Response(found.join()); }";
        let worker = Setup::fetch(source).limits(|limits| limits.subrequests = 2).boot().await;
        let mut broker = broker(&worker);
        worker.get("/call").await;
        for _ in 0..2 {
            let (stream, _) = broker.call().await;
            broker.answer(stream, 200, &[], &[]).await;
        }
        until(&worker, "/", "200,200,fetch failed: a request may make 2 calls (subrequests)").await;
    });
}

#[test]
fn a_call_that_is_refused_wants_nothing_of_its_body() {
    run(async {
        let source = "export default async () => { let done; const cancelled = new Promise((r) => done = r); \
                      const body = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9)), cancel: () => done('cancelled') }); \
                      const refused = await fetch('https://api.example.com/', { method: 'POST', body, duplex: 'half' }).catch(() => 'refused'); \
                      return new Response(`${refused}, ${await cancelled}`); }";
        let worker = Setup::fetch(source).limits(|limits| limits.subrequests = 0).boot().await;
        let _broker = broker(&worker);
        assert_eq!(worker.get("/").await.text(), "refused, cancelled");
    });
}
