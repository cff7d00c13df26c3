//! `node:http`: servers that listen answer the app's requests, and its client calls through the host.

use crate::egress::broker;
use crate::support::{Ask, Setup, run};
use bytes::Bytes;

const SERVER: &str = r#"
import http from "node:http";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
const pages = {
  "/head": (req, res) => res.writeHead(201, "Made", { "x-a": "1", "set-cookie": ["a=1", "b=2"] }).end("made"),
  "/asked": (req, res) => res.end(JSON.stringify([req.method, req.url, req.headers.host, req.headers["x-b"], req.socket.encrypted, req.httpVersion])),
  "/echo": async (req, res) => {
    const pieces = [];
    for await (const piece of req) pieces.push(piece);
    res.setHeader("content-type", "text/plain").end(Buffer.concat(pieces));
  },
  "/stream": (req, res) => {
    res.write("one,");
    setTimeout(() => res.end("two"), 5);
  },
  "/piped": (req, res) => pipeline(Readable.from(["a", "b", "c"]), res),
  "/nothing": (req, res) => { res.statusCode = 204; res.end(); },
  "/late-headers": (req, res) => {
    res.end("x");
    try { res.setHeader("a", "b"); } catch (error) { console.log(error.code, res.headersSent, res.writableEnded); }
  },
  "/bad-header": (req, res) => {
    const codes = [];
    for (const [name, value] of [["a b", "c"], ["a", "b\nc"], ["a", undefined]]) {
      try { res.setHeader(name, value); } catch (error) { codes.push(error.code); }
    }
    res.end(JSON.stringify(codes));
  },
  "/events": (req, res) => {
    const seen = [];
    res.on("finish", () => seen.push("finish")).on("close", () => console.log([...seen, "close"].join()));
    res.end("events", () => seen.push("callback"));
  },
  "/throws": () => { throw new Error("no page"); },
  "/destroyed": (req, res) => res.destroy(new Error("gave up")),
};
const server = http.createServer((req, res) => (pages[req.url.split("?")[0]] ?? ((_, res) => { res.statusCode = 404; res.end("nothing here"); }))(req, res));
"#;

async fn asked(listen: &str, ask: Ask) -> crate::support::Answer {
    Setup::fetch(&format!("{SERVER}{listen}")).boot().await.ask(ask).await
}

const LISTEN: &str = "server.listen(process.env.PORT || 3000, () => console.log(server.address().port));";

#[test]
fn a_server_that_listens_answers() {
    run(async {
        let made = asked(LISTEN, Ask::get("/head")).await;
        assert_eq!((made.status(), made.text()), (201, "made".into()));
        assert_eq!(
            (made.header("x-a"), made.header("set-cookie")),
            (vec!["1".into()], vec!["a=1".into(), "b=2".into()])
        );
        let told = asked(LISTEN, Ask::get("/asked?q=1").header("x-b", "c")).await.text();
        assert_eq!(told, r#"["GET","/asked?q=1","app.localhost","c",true,"1.1"]"#);
        assert_eq!(asked(LISTEN, Ask::post("/echo", b"sent")).await.text(), "sent");
        assert_eq!(asked(LISTEN, Ask::get("/stream")).await.text(), "one,two");
        assert_eq!(asked(LISTEN, Ask::get("/piped")).await.text(), "abc");
        let nothing = asked(LISTEN, Ask::get("/nothing")).await;
        assert_eq!((nothing.status(), nothing.text()), (204, String::new()));
        assert_eq!(asked(LISTEN, Ask::get("/none")).await.status(), 404);
    });
}

#[test]
fn headers_are_checked_as_node_checks_them() {
    run(async {
        let codes = asked(LISTEN, Ask::get("/bad-header")).await.text();
        assert_eq!(codes, r#"["ERR_INVALID_HTTP_TOKEN","ERR_INVALID_CHAR","ERR_HTTP_INVALID_HEADER_VALUE"]"#);
        let mut worker = Setup::fetch(&format!("{SERVER}{LISTEN}")).boot().await;
        assert_eq!(worker.get("/late-headers").await.text(), "x");
        assert_eq!(worker.get("/events").await.text(), "events");
        let mut lines = Vec::new();
        while lines.len() < 3 {
            lines.extend(worker.logs.batch().await.expect("a log"));
        }
        let mut told: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["3000", "ERR_HTTP_HEADERS_SENT true true", "finish,callback,close"]);
    });
}

#[test]
fn what_a_listener_throws_fails_its_request() {
    run(async {
        for path in ["/throws", "/destroyed"] {
            let failed = asked(LISTEN, Ask::get(path)).await;
            assert_eq!(failed.done.outcome, vitrine_wire::Outcome::AppError, "{path}: {failed:?}");
        }
    });
}

#[test]
fn a_server_may_begin_to_listen_later_and_a_default_export_that_fetches_goes_first() {
    run(async {
        let later = "setTimeout(() => server.listen(), 20);";
        assert_eq!(asked(later, Ask::get("/head")).await.status(), 201);
        let own = "server.listen(); export default { fetch: () => new Response('own') };";
        assert_eq!(asked(own, Ask::get("/head")).await.text(), "own");
        let express = "server.listen(); export default (req, res) => server.emit('request', req, res);";
        assert_eq!(asked(express, Ask::get("/head")).await.text(), "made");
    });
}

const CLIENT: &str = r#"
import http from "node:http";
import https from "node:https";
import { gunzipSync } from "node:zlib";
const code = (make) => new Promise((done) => make().on("error", (error) => done([error.code, typeof error.message])).end());
const text = async (message) => (await message.toArray()).join("");
const tests = {
  posts: () => new Promise((done, fail) => {
    const call = http.request("http://upstream.example:81/a?b=c", { method: "POST", auth: "u:p", headers: { "X-Key": "k", "Content-Length": 6 } });
    call.on("response", async (answer) => done([answer.statusCode, answer.headers["x-a"], answer.headers["set-cookie"], await text(answer)])).on("error", fail);
    call.write("one");
    call.end("two");
  }),
  coded: () => new Promise((done) => http.get("http://upstream.example/", async (answer) => {
    const packed = Buffer.concat(await answer.toArray());
    done([answer.statusMessage, answer.headers, gunzipSync(packed).toString()]);
  })),
  aborted: () => code(() => { const call = https.get({ host: "upstream.example", path: "/a" }); call.destroy(); return call; }),
  paths: async () => {
    const asked = (options) => new Promise((done, fail) => http.get(options, async (answer) => done(await text(answer))).on("error", fail));
    const told = [];
    for (const path of ["//other.example:82/a", "/\\other.example/a", "http://other.example/", "@other.example/", "a", "?b"]) {
      told.push(await asked({ host: "upstream.example", port: 81, path }));
    }
    for (const host of ["upstream.example/@other.example", "a@other.example", "other.example#", "a b"]) {
      try { http.get({ host, path: "/" }); told.push("asked"); } catch (error) { told.push(error.name); }
    }
    return told;
  },
  shape: () => [http.METHODS.includes("GET"), http.STATUS_CODES[404], http.globalAgent instanceof http.Agent, new https.Agent({ keepAlive: true }).keepAlive,
    http.maxHeaderSize, typeof http.ClientRequest, http.Server === https.Server],
};
export default async (request) => Response.json(await tests[new URL(request.url).pathname.slice(1)]());
"#;

#[test]
fn calls_go_through_the_host_and_fail_with_an_error_event() {
    run(async {
        let worker = Setup::fetch(CLIENT).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/posts"), async {
            let (stream, head) = broker.call().await;
            assert_eq!(
                (head.method.as_str(), head.url.as_str()),
                ("POST", "http://upstream.example:81/a?b=c")
            );
            assert!(head.has_body);
            for (name, value) in [("x-key", "k"), ("authorization", "Basic dTpw"), ("content-length", "6")] {
                assert!(
                    head.headers.contains(&(name.to_owned(), Bytes::from(value))),
                    "{name}: {:?}",
                    head.headers
                );
            }
            broker.answer(stream, 302, &[("x-a", "b"), ("set-cookie", "c=d")], &[b"pie", b"ces"]).await;
        });
        assert_eq!(answer.text(), r#"[302,"b",["c=d"],"pieces"]"#);
        assert_eq!(worker.get("/aborted").await.text(), r#"["ECONNRESET","string"]"#);
        let shape = worker.get("/shape").await.text();
        assert_eq!(shape, r#"[true,"Not Found",true,true,16384,"function",true]"#);
    });
}

#[test]
fn the_path_of_a_call_never_becomes_its_host() {
    run(async {
        let worker = Setup::fetch(CLIENT).boot().await;
        let mut broker = broker(&worker);
        let paths = [
            "//other.example:82/a",
            "//other.example/a",
            "/http://other.example/",
            "/@other.example/",
            "/a",
            "/?b",
        ];
        let (answer, ()) = tokio::join!(worker.get("/paths"), async {
            for path in paths {
                let (stream, head) = broker.call().await;
                assert_eq!(head.url, format!("http://upstream.example:81{path}"));
                broker.answer(stream, 200, &[], &[b"ok"]).await;
            }
        });
        assert_eq!(
            answer.text(),
            r#"["ok","ok","ok","ok","ok","ok","TypeError","TypeError","TypeError","TypeError"]"#
        );
    });
}

/// "unpacked", in gzip.
const PACKED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x08\0\xf7\xffunpacked\x96\x62\x2f\xca\x08\0\0\0";

#[test]
fn a_call_sends_what_it_is_told_and_its_answer_comes_as_it_is() {
    run(async {
        let worker = Setup::fetch(CLIENT).boot().await;
        let mut broker = broker(&worker);
        let (answer, ()) = tokio::join!(worker.get("/coded"), async {
            let (stream, head) = broker.call().await;
            assert_eq!(head.headers, Vec::new());
            broker.answer(stream, 200, &[("content-encoding", "gzip")], &[PACKED]).await;
        });
        assert_eq!(answer.text(), r#"["OK",{"content-encoding":"gzip"},"unpacked"]"#);
    });
}

#[test]
fn a_head_request_is_told_the_length_that_is_known() {
    run(async {
        for (path, length) in [("/head", Some("4")), ("/stream", None), ("/nothing", None)] {
            let mut ask = Ask::get(path);
            "HEAD".clone_into(&mut ask.head.method);
            let answer = asked(LISTEN, ask).await;
            assert_eq!(answer.header("content-length").first().map(String::as_str), length, "{path}");
            assert_eq!(answer.text(), "");
        }
        let fetch = "export default () => new Response('\u{20ac}uro');";
        let mut ask = Ask::get("/");
        "HEAD".clone_into(&mut ask.head.method);
        assert_eq!(Setup::fetch(fetch).boot().await.ask(ask).await.header("content-length"), ["6"]);
    });
}

const CLOSED: &str = r#"
import http from "node:http";
const told = (req, res, seen, done) => {
  for (const [name, from] of [["req", req], ["res", res], ["socket", req.socket]]) {
    for (const event of ["aborted", "end", "finish", "close"]) from.on(event, () => {
      seen.push(`${name} ${event}`);
      if (`${name} ${event}` === "req close") done();
    });
  }
};
http.createServer((req, res) => {
  const seen = [];
  told(req, res, seen, () => console.log(`${req.url}: ${seen.join()}; ${req.destroyed} ${res.writableFinished}`));
  if (req.url === "/events") res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  else if (req.url === "/hangs") console.log("hangs");
  else if (req.url === "/read") req.resume().on("end", () => res.end());
  else if (req.url === "/gone") req.destroy();
  else res.end("page");
}).listen();
"#;

async fn line(worker: &mut crate::support::Worker) -> String {
    let mut lines = worker.logs.batch().await.expect("a log");
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0).message
}

#[test]
fn requests_close_after_their_answers_as_in_node() {
    run(async {
        let mut worker = Setup::fetch(CLOSED).boot().await;
        let unread = "res finish,res close,req end,req close; true true";
        let asks = [(Ask::get("/page"), unread), (Ask::post("/upload", b"not read"), unread)];
        for (ask, expected) in asks {
            let path = ask.head.url.rsplit('/').next().unwrap().to_owned();
            assert_eq!(worker.ask(ask).await.text(), "page");
            assert_eq!(line(&mut worker).await, format!("/{path}: {expected}"));
        }
        assert_eq!(worker.ask(Ask::post("/read", b"read")).await.text(), "");
        assert_eq!(line(&mut worker).await, "/read: req end,res finish,res close,req close; true true");
    });
}

#[test]
fn requests_close_when_their_client_leaves_as_in_node() {
    run(async {
        let mut worker = Setup::fetch(CLOSED).boot().await;
        let lost = "req aborted,res close,socket close,req close; true false";
        let mut events = worker.start(Ask::get("/events")).await;
        assert!(matches!(events.next().await, Some(vitrine_wire::Frame::Response(..))));
        drop(events);
        assert_eq!(line(&mut worker).await, format!("/events: {lost}"));
        let hangs = worker.start(Ask::get("/hangs")).await;
        assert_eq!(line(&mut worker).await, "hangs");
        drop(hangs);
        assert_eq!(line(&mut worker).await, format!("/hangs: {lost}"));
        let failed = worker.get("/gone").await;
        assert_eq!(failed.done.outcome, vitrine_wire::Outcome::AppError, "{failed:?}");
        let gone = worker.logs.batch().await.expect("a log").remove(0).message;
        assert!(gone.starts_with("/gone: req aborted"), "{gone}");
    });
}
