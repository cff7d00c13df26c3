//! WebSockets whose other side takes nothing, and what their messages may use.

use crate::egress::broker;
use crate::support::{Ask, Setup, Worker, run, until};
use vitrine_wire::limits::WINDOW_BYTES;
use vitrine_wire::message::message_header;
use vitrine_wire::{Frame, MessageKind, Outcome, ResponseHead};
use vitrine_worker::request::LocalAnswer;

// Nothing here accepts its end, so none hears that its visitor says nothing.
const APP: &str = r#"
const sockets = [];
const told = [];
const message = (kib) => new Uint8Array(kib << 10);
const open = (early) => {
  const [client, server] = Object.values(new WebSocketPair());
  for (const kib of early) server.send(message(kib));
  server.addEventListener("error", ({ message }) => { told.push(message); server.send("too"); });
  server.addEventListener("close", ({ code }) => told.push(code));
  sockets.push(server);
  return new Response(null, { status: 101, webSocket: client });
};
const routes = {
  "/open": () => open([]),
  "/early": () => open([1024]),
  "/flood": () => open(Array(6).fill(1024)),
  "/long": () => open([1025]),
  "/send": (params) => {
    for (const socket of sockets) for (let i = 0; i < params.get("times"); i++) socket.send(message(params.get("kib")));
  },
  "/close": (params) => { try { sockets[0].close(Number(params.get("code"))); } catch (error) { return new Response(error.name); } },
  "/waiting": () => Response.json(sockets.map((socket) => socket.bufferedAmount)),
  "/open_ones": () => Response.json(sockets.filter(({ readyState }) => readyState === 1).length),
  "/told": () => Response.json(told),
};
export default { fetch: (request) => {
  const { pathname, searchParams } = new URL(request.url);
  return routes[pathname](searchParams) ?? new Response("done");
} };
"#;

const MIB: usize = 1 << 20;

async fn app() -> Worker {
    Setup::fetch(APP).boot().await
}

/// A socket of a visitor who reads the head of the answer, and no more.
async fn open(worker: &Worker, path: &str) -> LocalAnswer {
    let mut answer = worker.start(Ask::socket(path)).await;
    let first = answer.next().await;
    assert!(matches!(&first, Some(Frame::Response(_, head)) if head.status == 101), "{first:?}");
    answer
}

#[test]
fn what_is_being_sent_waits_too_and_is_dropped_with_a_socket_that_takes_nothing() {
    run(async {
        let worker = app().await;
        let socket = open(&worker, "/open").await;
        worker.get("/send?times=1&kib=1024").await;
        // Its carrier has it now.
        let waiting = format!("[{}]", MIB + 5);
        assert_eq!(worker.get("/waiting").await.text(), waiting);
        worker.get("/send?times=3&kib=1024").await;
        assert_eq!(worker.get("/told").await.text(), "[]");
        worker.get("/send?times=2&kib=1024").await;
        assert_eq!(
            worker.get("/told").await.text(),
            r#"["WebSocket: the other side takes no messages",1006]"#
        );
        assert_eq!(worker.get("/waiting").await.text(), "[0]");
        let (_, body, done) = socket.collect().await;
        assert_eq!(done.outcome, Outcome::Cancelled);
        assert!(body.len() <= WINDOW_BYTES as usize, "{} bytes were kept for it", body.len());
    });
}

#[test]
fn what_is_taken_waits_no_more() {
    run(async {
        let worker = app().await;
        let mut socket = open(&worker, "/early").await;
        let mut taken = 0;
        while taken < MIB + 5 {
            let Some(Frame::Body(_, data)) = socket.next().await else { panic!("the message breaks off") };
            taken += data.len();
        }
        until(&worker, "/waiting", "[0]").await;
    });
}

#[test]
fn all_sockets_of_an_isolate_hold_no_more_than_fits() {
    run(async {
        let worker = app().await;
        let mut sockets = Vec::new();
        for _ in 0..10 {
            sockets.push(open(&worker, "/open").await);
        }
        worker.get("/send?times=3&kib=1024").await;
        // Each alone is below its bound.
        assert_eq!(worker.get("/open_ones").await.text(), "5");
        // A socket that nothing waits for has its share.
        let _other = open(&worker, "/open").await;
        assert_eq!(worker.get("/open_ones").await.text(), "6");
        drop(sockets);
        until(&worker, "/open_ones", "1").await;
        worker.get("/send?times=3&kib=1024").await;
        assert_eq!(worker.get("/open_ones").await.text(), "1", "what they held counts no more");
    });
}

#[test]
fn what_is_sent_before_the_answer_is_bounded_as_well() {
    run(async {
        let worker = app().await;
        let flood = worker.ask(Ask::socket("/flood")).await;
        assert_eq!((flood.head.is_none(), flood.done.outcome), (true, Outcome::Overloaded));
        assert_eq!(
            worker.get("/told").await.text(),
            r#"["WebSocket: the other side takes no messages",1006]"#
        );
        let long = worker.ask(Ask::socket("/long")).await;
        assert_eq!(long.done.outcome, Outcome::AppError);
        assert!(long.done.error.is_some_and(|error| error.message.contains("a message may have 1 MiB")));
    });
}

#[test]
fn a_server_closes_with_the_codes_that_the_host_sends() {
    run(async {
        let worker = app().await;
        let _socket = open(&worker, "/open").await;
        for code in [1004, 1005, 1006, 1014, 1015, 2999, 5000] {
            let answer = worker.get(&format!("/close?code={code}")).await;
            assert_eq!(answer.text(), "InvalidAccessError", "{code}");
        }
        assert_eq!(worker.get("/close?code=1013").await.text(), "done");
    });
}

#[test]
fn messages_give_a_page_that_has_not_answered_nothing_more() {
    run(async {
        let source = r#"
            export default () => new Promise(() => {
              const socket = new WebSocket("ws://other.example/");
              socket.onmessage = () => { const end = performance.now() + 50; while (performance.now() < end); };
            });
        "#;
        let setup = Setup::fetch(source).limits(|limits| (limits.cpu_ms, limits.wall_ms) = (300, 60_000));
        let worker = setup.boot().await;
        let mut broker = broker(&worker);
        let mut answer = worker.start(Ask::get("/")).await;
        let (stream, _) = broker.call().await;
        broker.streams.response(stream, ResponseHead::new(101, Vec::new())).expect("one head");
        let message = [&message_header(MessageKind::Text, 1)[..], b"x"].concat();
        for _ in 0..100 {
            // Its isolate may be gone.
            let _ = broker.streams.body(stream, message.clone().into()).await;
        }
        let Some(Frame::Done(_, done)) = answer.next().await else { panic!("it has answered") };
        assert_eq!(done.outcome, Outcome::CpuLimit);
    });
}

#[test]
fn an_app_gives_up_a_server_that_takes_nothing() {
    run(async {
        let source = r#"
            const told = [];
            let socket;
            const routes = {
              "/open": () => {
                socket = new WebSocket("ws://other.example/");
                for (const type of ["open", "error", "close"]) socket.addEventListener(type, () => told.push(type));
              },
              "/send": () => { for (let i = 0; i < 6; i++) socket.send(new Uint8Array(1 << 20)); },
              "/told": () => Response.json([told, socket.bufferedAmount]),
            };
            export default ({ url }) => routes[new URL(url).pathname]() ?? new Response("done");
        "#;
        let worker = Setup::fetch(source).boot().await;
        let mut broker = broker(&worker);
        worker.get("/open").await;
        let (stream, _) = broker.call().await;
        broker.streams.response(stream, ResponseHead::new(101, Vec::new())).expect("one head");
        until(&worker, "/told", r#"[["open"],0]"#).await;
        worker.get("/send").await;
        until(&worker, "/told", r#"[["open","error","close"],0]"#).await;
    });
}
