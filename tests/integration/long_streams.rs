//! Answers that go on: neither a failure of their release nor in anybody's way.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(60);

const STREAMS: &str = r"
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const events = (give) => new Response(new ReadableStream({ async start(controller) {
  await give((text) => controller.enqueue(new TextEncoder().encode(`data: ${text}\n\n`)));
  controller.close();
} }), { headers: { 'content-type': 'text/event-stream' } });
const routes = {
  '/silent': () => events(async (give) => { give('begun'); await new Promise(() => {}); }),
  '/late': () => events(async (give) => { give('begun'); await sleep(3000); give('late'); }),
  '/ticks': () => events(async (give) => { for (let i = 0; i < 30; i++) { give(i); await sleep(100); } }),
  '/never': () => new Promise(() => {}),
};
export default { fetch: (request) => routes[new URL(request.url).pathname]?.() ?? new Response('page') };
";

fn open(host: &Host, path: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(host.edge).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n").unwrap();
    BufReader::new(stream)
}

/// Reads lines up to one that holds this.
fn until(stream: &mut BufReader<TcpStream>, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the connection ended before {words}");
    }
}

/// The lines about requests for a path, once there are as many.
fn logged(host: &Host, path: &str, count: usize) -> Vec<Value> {
    wait_until(&format!("{count} access lines of {path}"), PATIENCE, || {
        let log = host.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<_> = lines.filter(|line| line["path"] == path && !line["status"].is_null()).collect();
        (lines.len() >= count).then_some(lines)
    })
}

#[test]
fn a_stream_outlives_wall_ms_and_ends_when_it_falls_silent() {
    let host = Host::start_in(Host::configured(""), &PROCESS);
    // What the host waits for a head is less than what the second event takes.
    let limits = r#"{"limits":{"wall_ms":100,"queue_ms":100,"stream_idle_ms":4000}}"#;
    host.deploy_files(
        "shop",
        &[("server/index.js", STREAMS), ("vitrine.json", limits)],
        &["--version", "v1"],
    );
    let mut silent = open(&host, "/silent");
    until(&mut silent, "data: begun");
    let mut late = open(&host, "/late");
    until(&mut late, "data: begun");
    until(&mut late, "data: late");
    assert_eq!(host.get("shop", "/never").send().status, 504, "before its first byte an answer has wall_ms");
    // It is broken off, which is no proper end.
    silent.read_to_end(&mut Vec::new()).unwrap();
    let line = &logged(&host, "/silent", 1)[0];
    assert_eq!((&line["outcome"], &line["status"]), (&"stream_idle".into(), &200.into()));
    assert_eq!(line["level"], "info", "{line}");
    assert_eq!(logged(&host, "/late", 1)[0]["outcome"], "ok");
}

#[test]
fn a_release_that_adds_streams_passes_its_bake() {
    // The whole of a stream takes longer than sixty times a page; its beginning does not, however busy the machine is.
    let toml = "[deploy]\nbake_time_ms = 5000\nmin_requests = 20\np95_factor = 60\n";
    let host = Host::start_in(Host::configured(toml), &PROCESS);
    let page = "export default async () => { await new Promise((done) => setTimeout(done, 20)); return new Response('page'); };";
    host.deploy_files("shop", &[("server/index.js", page)], &["--version", "v1"]);
    for _ in 0..40 {
        assert_eq!(host.get("shop", "/").send().text(), "page");
    }
    let limits = r#"{"limits":{"wall_ms":2500,"stream_idle_ms":2000}}"#;
    host.deploy_files(
        "shop",
        &[("server/index.js", STREAMS), ("vitrine.json", limits)],
        &["--version", "v2"],
    );
    std::thread::scope(|scope| {
        for n in 0..30 {
            let host = &host;
            // Streams that fall silent, streams whose client leaves, and streams that end well, later than wall_ms.
            scope.spawn(move || match n % 3 {
                0 => drop(host.get("shop", "/silent").try_send()),
                1 => until(&mut open(host, "/ticks"), "data: 1"),
                _ => assert!(host.get("shop", "/ticks").send().complete),
            });
        }
    });
    for _ in 0..20 {
        assert_eq!(host.get("shop", "/").send().text(), "page");
    }
    assert!(logged(&host, "/silent", 10).iter().all(|line| line["outcome"] == "stream_idle"));
    let status = wait_until("the verdict", PATIENCE, || {
        let status = host.cli(&["status", "shop", "--json"]).ok().json();
        let of_v2 =
            status["deployments"].as_array().unwrap().iter().find(|one| one["version"] == "v2").cloned();
        of_v2.filter(|one| one["status"] != "IN_PROGRESS")
    });
    assert_eq!(status["status"], "SUCCESSFUL", "{status}");
    assert_eq!(host.cli(&["status", "shop", "--json"]).ok().json()["live"], "v2");
}

/// A client that takes the head of its answer, and no more. Its window is small: the kernel takes little of the rest.
fn slow_reader(host: &Host, path: &str) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(host.edge).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// How many of some visitors are not answered beside slow readers of a path.
fn failed_beside(host: &Host, readers: usize, path: &str) -> usize {
    let slow: Vec<TcpStream> = (0..readers).map(|_| slow_reader(host, path)).collect();
    let failed = (0..30).filter(|_| host.get("shop", "/").send().status != 200).count();
    drop(slow);
    failed
}

#[test]
fn slow_readers_of_a_large_page_stop_nobody() {
    let host = Host::start_in(Host::configured(""), &PROCESS);
    let large = r"
const page = 'x'.repeat(5 << 20);
const chunk = new Uint8Array(64 << 10);
const routes = {
  '/string': () => new Response(page),
  '/huge': () => new Response(page.repeat(4)),
  '/pulled': () => { let sent = 0; return new Response(new ReadableStream({ pull(controller) {
    controller.enqueue(chunk.slice());
    if (++sent === 80) controller.close();
  } })); },
};
export default { fetch: (request) => routes[new URL(request.url).pathname]?.() ?? new Response('page') };
";
    let deploy = |version: &str, limits: &str| {
        let manifest = format!(r#"{{"limits":{limits}}}"#);
        let files = [("server/index.js", large), ("vitrine.json", manifest.as_str())];
        host.deploy_files("shop", &files, &["--version", version]);
    };
    // As many places as readers.
    deploy("v1", r#"{"isolates":2,"concurrency":32,"queue_ms":1000}"#);
    assert_eq!(failed_beside(&host, 64, "/string"), 0);
    assert_eq!(failed_beside(&host, 64, "/pulled"), 0);
    // What is too large to wait outside of its isolate keeps its place there: then the visitors notice.
    deploy("v2", r#"{"isolates":1,"concurrency":4,"queue_ms":50}"#);
    assert!(failed_beside(&host, 4, "/huge") > 0);
}
