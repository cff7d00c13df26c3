//! WebSockets of visitors, from their handshake to their close.

use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::kill;
use vitrine_test_support::wait::wait_until;
use vitrine_test_support::web_socket::{self, PROOF, Socket, handshake};

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(60);

const SERVER: &str = r#"
import { AsyncLocalStorage } from "node:async_hooks";
const visits = new AsyncLocalStorage();
const commands = {
  loop: () => { while (true); },
  long: (server) => { try { server.send("x".repeat((1 << 20) + 1)); } catch (error) { server.send(error.message); } },
  bye: (server) => server.close(4001, "bye"),
  where: (server) => server.send(visits.getStore()),
};
function serve(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("page");
  const pair = new WebSocketPair();
  const [client, server] = Object.values(pair);
  server.accept();
  server.send("hello VERSION");
  server.addEventListener("message", ({ data }) => {
    const command = commands[data];
    if (command === undefined) server.send(data);
    else command(server);
  });
  server.addEventListener("close", ({ code, reason, wasClean }) => console.log(`closed ${pathname} ${code} ${reason} ${wasClean}`));
  return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "chat", "set-cookie": "a=1" } });
}
export default { fetch: (request) => visits.run(new URL(request.url).pathname, () => serve(request)) };
"#;

fn deploy(host: &Host, version: &str, json: &str) {
    deploy_with(host, version, json, &[]);
}

fn deploy_with(host: &Host, version: &str, json: &str, flags: &[&str]) {
    let server = SERVER.replace("VERSION", version);
    let files = [("server/index.js", server.as_str()), ("vitrine.json", json)];
    host.deploy_files("shop", &files, &[&["--version", version], flags].concat());
}

fn with_shop(json: &str) -> Host {
    let host = Host::start_in(Host::configured(""), &PROCESS);
    deploy(&host, "v1", json);
    host
}

fn open(host: &Host, path: &str) -> Socket {
    Socket::open(host.edge, "shop.localhost", path)
}

fn metrics(host: &Host) -> String {
    host.call("GET", "/metrics").send().text().to_owned()
}

/// The line about the request for a path.
fn logged(host: &Host, path: &str) -> Value {
    wait_until("the access line", PATIENCE, || {
        let log = host.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["path"] == path && !line["status"].is_null())
    })
}

fn said(host: &Host, words: &str) {
    wait_until(words, PATIENCE, || host.cli(&["logs", "shop"]).ok().stdout.contains(words).then_some(()));
}

#[test]
fn messages_go_both_ways_until_one_side_closes() {
    let host = with_shop("{}");
    let mut socket = open(&host, "/one");
    for line in [
        &format!("sec-websocket-accept: {PROOF}\r\n"),
        "upgrade: websocket\r\n",
        "sec-websocket-protocol: chat\r\n",
        "set-cookie: a=1\r\n",
        "x-vitrine-release: shop@v1\r\n",
    ] {
        assert!(socket.head.contains(line), "{line} is not in {}", socket.head);
    }
    assert_eq!(socket.text(), "hello v1");
    socket.send("h\u{e9}llo");
    assert_eq!(socket.text(), "h\u{e9}llo");
    for length in [0, 1, 5_000, 70_000, 1 << 20] {
        let data: Vec<u8> = (0..length).map(|n| n as u8).collect();
        socket.send(data.clone());
        assert_eq!(socket.receive(), Message::Binary(data.into()), "{length} bytes");
    }
    socket.send("where");
    assert_eq!(socket.text(), "/one", "a message runs in the context of its request");
    assert_eq!(host.release("shop", "v1")["in_flight"], 1);
    assert!(metrics(&host).contains("vitrine_web_sockets{app=\"shop\",release=\"v1\"} 1"));
    assert_eq!(socket.close(4000, "enough"), (4000, "enough".to_owned()));
    said(&host, "closed /one 4000 enough true");
    let line = logged(&host, "/one");
    assert_eq!(
        (&line["status"], &line["outcome"], &line["close_code"]),
        (&101.into(), &"ok".into(), &4000.into())
    );
    assert_eq!(line["messages"], serde_json::json!([7, 8]));
    assert!(metrics(&host).contains("vitrine_web_sockets{app=\"shop\",release=\"v1\"} 0"));

    let mut other = open(&host, "/two");
    other.send("bye");
    assert_eq!(other.text(), "hello v1");
    assert_eq!(other.closed(), (4001, "bye".to_owned()));
    said(&host, "closed /two 4001 bye true");

    // One that is gone without a word.
    drop(open(&host, "/three"));
    said(&host, "closed /three 1006  false");
    let line = logged(&host, "/three");
    assert_eq!((&line["outcome"], &line["close_code"]), (&"cancelled".into(), &1006.into()));
    wait_until("nothing in flight", PATIENCE, || {
        (host.release("shop", "v1")["in_flight"] == 0).then_some(())
    });
}

#[test]
fn a_worker_in_a_container_has_them_too() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    deploy(&host, "v1", "{}");
    let mut socket = open(&host, "/contained");
    assert_eq!(socket.text(), "hello v1");
    for length in [1, 70_000, 1 << 20] {
        socket.send(vec![7; length]);
        assert_eq!(socket.receive(), Message::Binary(vec![7; length].into()));
    }
    deploy(&host, "v2", "{}");
    assert_eq!(socket.closed(), (1012, "Service restart".to_owned()));
    assert_eq!(open(&host, "/next").close(4000, "enough"), (4000, "enough".to_owned()));
}

#[test]
fn a_release_that_leaves_sends_its_sockets_to_the_next_one() {
    let host = with_shop("{}");
    let mut sockets: Vec<Socket> = (0..3).map(|n| open(&host, &format!("/{n}"))).collect();
    deploy(&host, "v2", "{}");
    for socket in &mut sockets {
        assert_eq!(socket.closed(), (1012, "Service restart".to_owned()));
    }
    said(&host, "closed /0 1012 Service restart true");
    // The page's cookie still names the release that it came from.
    let mut socket =
        Socket::open_with(host.edge, "shop.localhost", "/again", "cookie: __vitrine_release=v1\r\n");
    assert_eq!(socket.text(), "hello v2");
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(socket.closed().0, 1012);
    assert_eq!(open(&host, "/some").text(), "hello v1");
    assert_eq!(logged(&host, "/again")["outcome"], "ok");
}

#[test]
fn a_share_of_the_users_that_sinks_or_ends_takes_its_sockets_along() {
    let host = with_shop("{}");
    deploy_with(&host, "v2", "{}", &["--no-promote"]);
    host.cli(&["promote", "shop", "v2", "--weight", "60"]).ok();
    let find = |version: &str| {
        let is_of = |socket: &Socket| socket.head.contains(&format!("x-vitrine-release: shop@{version}\r\n"));
        (0..200).map(|_| open(&host, "/shared")).find(is_of).unwrap()
    };
    let (mut of_live, mut of_share) = (find("v1"), find("v2"));
    host.cli(&["promote", "shop", "v2", "--weight", "30"]).ok();
    assert_eq!(of_share.closed(), (1012, "Service restart".to_owned()));
    let mut of_share = find("v2");
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(of_share.closed(), (1012, "Service restart".to_owned()));
    of_live.send("still there");
    assert_eq!((of_live.text(), of_live.text()), ("hello v1".into(), "still there".into()));
}

#[test]
fn a_preview_that_has_only_sockets_makes_room() {
    let host = Host::start_in(Host::configured("[quota]\nworkers = 1\n"), &PROCESS);
    deploy(&host, "v1", "{}");
    deploy_with(&host, "w1", "{}", &["--preview", "one"]);
    let mut socket = Socket::open(host.edge, "shop-one.localhost", "/held");
    assert_eq!(socket.text(), "hello w1");
    let waiting = std::thread::spawn(move || socket.closed());
    deploy_with(&host, "w2", "{}", &["--preview", "two"]);
    assert_eq!(waiting.join().unwrap(), (1012, "Service restart".to_owned()));
    assert!(host.release("shop", "w1")["instance"].is_null(), "it sleeps");
    assert_eq!(Socket::open(host.edge, "shop-two.localhost", "/held").text(), "hello w2");
}

#[test]
fn the_end_of_a_host_ends_its_sockets() {
    let host = with_shop("{}");
    let mut socket = open(&host, "/some");
    assert_eq!(socket.text(), "hello v1");
    let waiting = std::thread::spawn(move || socket.closed());
    host.stop();
    assert_eq!(waiting.join().unwrap(), (1012, "Service restart".to_owned()));
}

#[test]
fn what_a_message_does_is_bounded_as_a_request_is() {
    let host = with_shop(r#"{"limits":{"cpu_ms":300,"isolates":1}}"#);
    let (mut quiet, mut looping) = (open(&host, "/quiet"), open(&host, "/looping"));
    assert_eq!((quiet.text(), looping.text()), ("hello v1".into(), "hello v1".into()));
    looping.send("long");
    assert_eq!(looping.text(), "WebSocket: a message may have 1 MiB");
    // Each message has all of it.
    for n in 0..200 {
        looping.send(format!("{n}"));
        assert_eq!(looping.text(), format!("{n}"));
    }
    looping.send("loop");
    assert_eq!(looping.closed().0, 1011);
    assert_eq!(logged(&host, "/looping")["outcome"], "cpu_limit");
    assert_eq!(quiet.closed().0, 1011, "its isolate is gone");
    assert_eq!(open(&host, "/some").text(), "hello v1");
    let metrics = metrics(&host);
    let counts: Vec<&str> = metrics.lines().filter(|line| line.contains("code=\"101\"")).collect();
    let three = "vitrine_http_requests_total{app=\"shop\",release=\"v1\",outcome=\"ok\",code=\"101\"} 3";
    assert_eq!(counts, [three], "a socket is counted with its handshake, whatever becomes of it");
}

#[test]
fn a_worker_that_dies_closes_its_sockets() {
    let host = with_shop("{}");
    let mut socket = open(&host, "/some");
    assert_eq!(socket.text(), "hello v1");
    for worker in host.workers() {
        kill(worker.render.unwrap());
    }
    assert_eq!(socket.closed().0, 1011);
}

#[test]
fn a_client_that_breaks_the_rules_is_told_which() {
    let host = with_shop("{}");
    let mut long = open(&host, "/long");
    long.send(vec![0; (1 << 20) + 1]);
    assert_eq!(long.closed().0, 1009);
    // Far more than the kernels hold: it must not be reset while it sends.
    let mut longer = open(&host, "/longer");
    longer.send(vec![0; 32 << 20]);
    assert_eq!(longer.closed().0, 1009);
    let mut raw = open(&host, "/raw");
    // Text, masked with nothing, that is not UTF-8.
    std::io::Write::write_all(raw.stream(), &[0x81, 0x81, 0, 0, 0, 0, 0xff]).unwrap();
    assert_eq!(raw.closed().0, 1007);
    let mut unmasked = open(&host, "/unmasked");
    std::io::Write::write_all(unmasked.stream(), &[0x81, 0x01, b'x']).unwrap();
    assert_eq!(unmasked.closed().0, 1002);
    for (lines, status) in [
        ("sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426),
        ("sec-websocket-version: 13\r\nsec-websocket-key: short\r\n", 400),
    ] {
        let (head, _) = handshake(host.edge, "shop.localhost", "/bad", lines);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    let (head, _) = handshake(host.edge, "shop.localhost", "/", "");
    assert!(head.starts_with("HTTP/1.1 200 "), "an app may answer as it likes: {head}");
    assert_eq!(host.get("shop", "/unasked").send().status, 500, "nobody asked for a socket");
}

#[test]
fn with_an_isolate_for_each_request_there_are_none() {
    let host = with_shop(r#"{"limits":{"isolate_per_request":true}}"#);
    let (head, _) = handshake(host.edge, "shop.localhost", "/some", "");
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    said(&host, "With limits.isolate_per_request there are no WebSockets");
}

#[test]
fn a_socket_takes_no_place_from_pages_and_may_be_silent() {
    let host = with_shop(r#"{"limits":{"concurrency":2,"isolates":1,"wall_ms":500,"stream_idle_ms":500}}"#);
    let mut sockets: Vec<Socket> = (0..8).map(|_| open(&host, "/held")).collect();
    assert_eq!(host.get("shop", "/").send().text(), "page");
    // Silence is the subject: longer than a stream may be silent.
    std::thread::sleep(Duration::from_millis(1_500));
    for socket in &mut sockets {
        socket.send("still there");
        assert_eq!((socket.text(), socket.text()), ("hello v1".into(), "still there".into()));
    }
}

const CLIENT: &str = r#"
const told = (url, protocols, first) => new Promise((resolve) => {
  const events = [];
  const socket = new WebSocket(url, protocols);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { events.push(`open ${socket.protocol}`); for (const message of first) socket.send(message); };
  socket.onmessage = ({ data }) => {
    events.push(typeof data === "string" ? data : `${new Uint8Array(data)}`);
    if (events.length === first.length + 1) socket.send("bye");
  };
  socket.onerror = ({ message }) => events.push(`error ${message}`);
  socket.onclose = ({ code, reason, wasClean }) => { events.push(`close ${code} ${reason} ${wasClean}`); resolve(events); };
});
export default {
  async fetch(request) {
    const { pathname, searchParams, host } = new URL(request.url);
    if (pathname === "/own") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", ({ data }) => data === "bye" ? server.close(4003, "own") : server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname === "/ask") return Response.json(await told(searchParams.get("to") ?? `ws://${host}/own`, ["one", "two"].slice(0, Number(searchParams.get("protocols"))), ["text", new Uint8Array([1, 2]), new Blob(["blob"])]));
    return new Response("page");
  },
};
"#;

#[test]
fn an_app_opens_sockets_where_it_may_fetch() {
    let (server, closed) = (web_socket::serve(), web_socket::serve());
    let toml = format!("[egress]\nallow_private = [\"{server}\"]\n");
    let host = Host::start_in(Host::configured(&toml), &PROCESS);
    let json = format!(r#"{{"egress":["http://{server}","http://{closed}"]}}"#);
    host.deploy_files("shop", &[("server/index.js", CLIENT), ("vitrine.json", &json)], &["--version", "v1"]);
    let asked = |query: &str| -> Vec<String> {
        let told: Value = host.get("shop", &format!("/ask?{query}")).send().json();
        told.as_array().unwrap().iter().map(|event| event.as_str().unwrap().to_owned()).collect()
    };
    let echoes = ["text", "1,2", "98,108,111,98"];
    let opened = |first: &'static str, last: &'static str| [&[first], &echoes[..], &[last]].concat();
    assert_eq!(
        asked(&format!("protocols=2&to=ws://{server}/")),
        opened("open one", "close 4002 as you say true")
    );
    assert_eq!(
        asked(&format!("protocols=0&to=ws://{server}/")),
        opened("open ", "close 4002 as you say true")
    );
    assert_eq!(asked("protocols=0"), opened("open ", "close 4003 own true"), "its own origin");
    let refused = asked(&format!("to=ws://{server}/refused"));
    assert_eq!(refused, ["error WebSocket: it answered 403", "close 1006  false"]);
    for (to, reason) in [
        (format!("ws://{closed}/"), "no public address"),
        ("wss://example.com/".into(), "is not in the bundle's"),
    ] {
        let told = asked(&format!("to={to}"));
        assert!(told[0].contains(reason) || told[0].contains("egress denied"), "{told:?}");
        assert_eq!(told[1], "close 1006  false");
    }
}

const FORMS: &str = r#"
const seen = [];
export default {
  async fetch(request) {
    const { pathname, searchParams, host } = new URL(request.url);
    if (pathname === "/deno") {
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "chat" });
      const before = socket.readyState;
      socket.onopen = () => socket.send(`${before} ${socket.readyState} ${socket.protocol} ${response.status}`);
      socket.onmessage = ({ data }) => data === "bye" ? socket.close(4005, "deno") : socket.send(data);
      socket.onclose = ({ code }) => console.log(`deno closed ${code}`);
      return response;
    }
    const to = `http://${searchParams.get("to") ?? host}`;
    if (pathname === "/through") return fetch(to, request);
    if (pathname === "/fetched") {
      const response = await fetch(to, { headers: { Upgrade: "websocket" } });
      const { webSocket } = response;
      if (webSocket === null) return new Response(`${response.status} ${await response.text()}`);
      webSocket.accept();
      const told = [];
      const closed = new Promise((resolve) => webSocket.addEventListener("close", resolve));
      webSocket.addEventListener("message", ({ data }) => { told.push(data); if (told.length === 1) webSocket.send("bye"); });
      webSocket.send("first");
      const { code, reason } = await closed;
      return Response.json([response.status, ...told, code, reason]);
    }
    if (pathname === "/plain") try { Deno.upgradeWebSocket(request); } catch (error) { return new Response(error.message); }
    return new Response(`none of ${seen.length}`);
  },
};
"#;

#[test]
fn sockets_of_denos_and_cloudflares_forms() {
    let server = web_socket::serve();
    let host =
        Host::start_in(Host::configured(&format!("[egress]\nallow_private = [\"{server}\"]\n")), &PROCESS);
    let json = format!(r#"{{"egress":["http://{server}"]}}"#);
    host.deploy_files("shop", &[("server/index.js", FORMS), ("vitrine.json", &json)], &["--version", "v1"]);
    let text = |path: &str| host.get("shop", path).send().text().to_owned();

    let mut deno = open(&host, "/deno");
    assert!(deno.head.contains("sec-websocket-protocol: chat\r\n"), "{}", deno.head);
    assert_eq!(deno.text(), "0 1 chat 101");
    deno.send("echo");
    assert_eq!(deno.text(), "echo");
    deno.send("bye");
    assert_eq!(deno.closed(), (4005, "deno".to_owned()));
    said(&host, "deno closed 4005");
    assert_eq!(text("/plain"), "Invalid Header: 'upgrade' header must contain 'websocket'");

    assert_eq!(text(&format!("/fetched?to={server}/")), r#"[101,"first",4002,"as you say"]"#);
    assert_eq!(text(&format!("/fetched?to={server}/refused")), "403 no");
    assert_eq!(text("/fetched"), "200 none of 0", "its own origin answers without one");

    let mut through = open(&host, &format!("/through?to={server}/"));
    through.send("there and back");
    assert_eq!(through.text(), "there and back");
    through.send("bye");
    assert_eq!(through.closed(), (4002, "as you say".to_owned()));
    let (head, _) = handshake(host.edge, "shop.localhost", &format!("/through?to={server}/refused"), "");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}
