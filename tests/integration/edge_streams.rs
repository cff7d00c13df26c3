//! Answers that take their time: they arrive in pieces, and end when nobody reads them any more.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use vitrine_test_support::archive::fixture;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// Between two pieces: far above the slowest machine's pause.
const PATIENCE: Duration = Duration::from_secs(30);

fn open(host: &Host, head: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(host.edge).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    write!(stream, "{head}\r\nhost: shop.localhost\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the connection ended");
    line.trim_end().to_owned()
}

/// Reads lines up to one that holds this.
fn until(stream: &mut BufReader<TcpStream>, words: &str) -> Instant {
    while !line(stream).contains(words) {}
    Instant::now()
}

fn with_slow_stream() -> Host {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("slow-stream"), &["--version", "v1"]);
    host
}

fn logs(host: &Host) -> String {
    host.cli(&["logs", "shop"]).ok().stdout
}

#[test]
fn a_stream_arrives_as_it_is_made() {
    let host = with_slow_stream();
    let mut stream = open(&host, "GET /all HTTP/1.1");
    let first = until(&mut stream, "chunk 0");
    let middle = until(&mut stream, "chunk 10");
    let last = until(&mut stream, "chunk 19");
    // 20 pieces, 100 ms apart: timers never fire early, and a slow machine only makes the pauses longer.
    for (from, to) in [(first, middle), (middle, last)] {
        let pause = to - from;
        assert!(pause > Duration::from_millis(400), "held back: {pause:?} for half of it");
    }
    until(&mut stream, "0");
    // The connection goes on, with another request.
    write!(stream.get_mut(), "GET /_vitrine/healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    until(&mut stream, "HTTP/1.1 200");
    wait_until("the app's line", PATIENCE, || {
        logs(&host).contains("slow-stream finished: /all").then_some(())
    });
}

#[test]
fn a_client_that_leaves_ends_its_render() {
    let host = with_slow_stream();
    let mut stream = open(&host, "GET /left HTTP/1.1");
    until(&mut stream, "chunk 1");
    drop(stream);
    wait_until("the app hears of it", PATIENCE, || {
        let logs = logs(&host);
        (logs.contains("aborted: /left") || logs.contains("cancelled: /left")).then_some(())
    });
    let line = wait_until("the access line", PATIENCE, || {
        let log = host.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.into_iter().find(|line| line["path"] == "/left" && !line["status"].is_null())
    });
    // The head was out with its status when the client left.
    assert_eq!((&line["outcome"], &line["status"]), (&"cancelled".into(), &200.into()));
    assert_eq!(host.release("shop", "v1")["in_flight"], 0);
    assert!(!logs(&host).contains("finished: /left"), "{}", logs(&host));
    // Others are not disturbed by it.
    let whole = host.get("shop", "/next").send();
    assert!(whole.complete && whole.text().ends_with("chunk 19\n"), "{whole:?}");
}

#[test]
fn a_body_is_streamed_both_ways() {
    let host = Host::start();
    host.deploy_folder("shop", &fixture("echo-stream"), &["--version", "v1"]);
    let mut stream = open(&host, "POST / HTTP/1.1\r\ntransfer-encoding: chunked");
    for word in ["first", "second", "third"] {
        // The next piece is sent only when this one is back: nothing waits for the end of the request.
        write!(stream.get_mut(), "{:x}\r\n{word}\n\r\n", word.len() + 1).unwrap();
        until(&mut stream, word);
    }
    write!(stream.get_mut(), "0\r\n\r\n").unwrap();
    until(&mut stream, "0");
    let mut end = [0; 2];
    stream.read_exact(&mut end).unwrap();
    assert_eq!(&end, b"\r\n");
}
