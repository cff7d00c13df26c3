//! Over real sockets, with an answer that only waits: what the listener promises whatever is behind it.

use super::super::connection::{ConnectionConfig, Handler, Peer, protocols};
use super::super::fixture::places;
use super::run;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vitrine_core::limits::{HALF_CLOSED_MS, RESERVE_LIFE_MS};
use vitrine_core::telemetry::Metrics;
use vitrine_proxy::connections::activity::ConnectionTimeouts;
use vitrine_proxy::connections::places::Places;
use vitrine_proxy::connections::shutdown::Shutdown;

/// Waits as many milliseconds as the query says, reads the body and answers with its length, and why it has no place of its own.
struct Waits;

impl Handler for Waits {
    type Body = Full<Bytes>;

    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
        if let Some(excess) = peer.excess {
            return Response::new(Full::from(format!("{excess:?}")));
        }
        let pause_ms = request.uri().query().and_then(|query| query.parse().ok()).unwrap_or(0);
        let version = request.version();
        let bytes = request.into_body().collect().await.map_or(0, |body| body.to_bytes().len());
        // Pause: the slow app that a test asks for.
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        Response::new(Full::from(format!("{version:?} {bytes}")))
    }

    fn refuse(&self, _: &Peer, status: StatusCode) -> Response<Full<Bytes>> {
        Response::builder().status(status).body(Full::from("refused")).unwrap()
    }
}

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn served(all: usize, timeouts_ms: [u64; 2]) -> Served {
    serve(places(all, &Metrics::new()), timeouts_ms, None).await
}

async fn serve(places: Arc<Places>, timeouts_ms: [u64; 2], tls: Option<Arc<rustls::ServerConfig>>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let timeouts = ConnectionTimeouts {
        head: Duration::from_millis(timeouts_ms[0]),
        idle: Duration::from_millis(timeouts_ms[1]),
        answer: Duration::from_secs(60),
        check: Duration::from_millis(10),
    };
    let terms = ConnectionConfig { handler: Arc::new(Waits), protocols: protocols(), timeouts, tls };
    let drain = Duration::from_millis(500);
    let ended = tokio::spawn(run(listener, Arc::new(terms), places, drain, Shutdown::on(shutdown.clone())));
    Served { address, shutdown, ended }
}

async fn said(client: &mut TcpStream, text: &str) -> String {
    client.write_all(text.as_bytes()).await.unwrap();
    heard(client).await
}

/// What comes until the connection rests for a moment or ends.
async fn heard(client: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(bytes @ 1..)) =
        tokio::time::timeout(Duration::from_millis(300), client.read(&mut buffer)).await
    {
        all.extend_from_slice(&buffer[..bytes]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// How long the other side leaves the connection open, in milliseconds; `None` when it is open after two seconds.
async fn closed_after(client: &mut TcpStream) -> Option<u64> {
    let started = Instant::now();
    let mut buffer = [0; 4096];
    let closed = async { while matches!(client.read(&mut buffer).await, Ok(1..)) {} };
    let ended = tokio::time::timeout(Duration::from_secs(2), closed).await;
    ended.is_ok().then(|| started.elapsed().as_millis() as u64)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn a_connection_that_says_nothing_or_half_a_head_is_closed_and_an_idle_one_later() {
    let served = served(8, [150, 600]).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut half = TcpStream::connect(served.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
    let mut preface = TcpStream::connect(served.address).await.unwrap();
    preface.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    for client in [&mut silent, &mut half, &mut preface] {
        assert!(closed_after(client).await.is_some_and(|ms| ms < 450));
    }
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut idle, GET).await.contains("HTTP/1.1 0"));
    // `said` waited 300 ms of the pause: the rest of it is well beyond the time for a head.
    assert!(closed_after(&mut idle).await.is_some_and(|ms| (150..600).contains(&ms)));
    let mut trickle = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut trickle, GET).await.contains("200 OK"));
    trickle.write_all(b"GET ").await.unwrap();
    assert!(closed_after(&mut trickle).await.is_some_and(|ms| ms < 250));
}

#[tokio::test]
async fn both_protocols_are_spoken_on_one_port() {
    let served = served(8, [5_000, 5_000]).await;
    let url = format!("http://{}/", served.address);
    let client = super::super::fixture::client(|builder| builder.http2_prior_knowledge());
    let answer = client.post(&url).body("12345").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "HTTP/2.0 5");
    let client = super::super::fixture::client(|builder| builder.http1_only());
    let answer = client.post(&url).body("1234").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "HTTP/1.1 4");
}

#[tokio::test]
async fn tls_offers_both_protocols_and_a_handshake_that_stalls_is_closed() {
    let tls = Some(super::super::fixture::tls());
    let served = serve(places(8, &Metrics::new()), [200, 5_000], tls).await;
    let url = format!("https://localhost:{}/", served.address.port());
    let resolved = |builder: reqwest::ClientBuilder| builder.resolve("localhost", served.address);
    let client = super::super::fixture::client(resolved);
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "HTTP/2.0 0");
    let client = super::super::fixture::client(|builder| resolved(builder).http1_only());
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "HTTP/1.1 0");
    let mut stalled = TcpStream::connect(served.address).await.unwrap();
    stalled.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    assert!(closed_after(&mut stalled).await.is_some_and(|ms| ms < 500));
}

#[tokio::test]
async fn heads_beyond_every_bound_are_refused_by_status() {
    let served = served(8, [5_000, 5_000]).await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    for head in [
        format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "v".repeat(200_000)),
    ] {
        let mut client = TcpStream::connect(served.address).await.unwrap();
        // The edge may answer and close before it has taken all of it.
        let _ = client.write_all(head.as_bytes()).await;
        assert!(heard(&mut client).await.starts_with("HTTP/1.1 431"));
    }
}

#[tokio::test]
async fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let served = served(8, [5_000, 5_000]).await;
    for head in [
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
    ] {
        let mut client = TcpStream::connect(served.address).await.unwrap();
        let answer = said(&mut client, head).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?} gave {answer:?}");
        assert!(closed_after(&mut client).await.is_some(), "{head:?} left the connection open");
    }
}

#[tokio::test]
async fn who_says_no_more_is_answered_and_given_up_after_a_moment() {
    let served = served(8, [5_000, 5_000]).await;
    let mut client = TcpStream::connect(served.address).await.unwrap();
    client.write_all(b"GET /?200 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("HTTP/1.1 0"), "{answer}");
    let mut gone = TcpStream::connect(served.address).await.unwrap();
    gone.write_all(b"GET /?60000 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    gone.shutdown().await.unwrap();
    assert!(closed_after(&mut gone).await.is_some_and(|ms| ms >= HALF_CLOSED_MS / 2));
}

#[tokio::test]
async fn what_is_no_request_gets_an_answer_with_a_text() {
    let served = served(8, [5_000, 5_000]).await;
    let mut client = TcpStream::connect(served.address).await.unwrap();
    let answer = said(&mut client, "BAD\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.ends_with("\r\n\r\nrefused"),
        "{answer}"
    );
    assert!(answer.contains("connection: close\r\n") && answer.contains("date: "), "{answer}");
    assert!(closed_after(&mut client).await.is_some());
    let mut client = TcpStream::connect(served.address).await.unwrap();
    let answer = said(&mut client, &format!("{GET}BAD\r\n\r\n")).await;
    let (first, second) = answer.split_once("HTTP/1.1 0").unwrap();
    assert!(first.starts_with("HTTP/1.1 200") && second.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(closed_after(&mut client).await.is_some());
}

#[tokio::test]
async fn the_longest_idle_connection_ends_for_a_new_one() {
    let served = served(2, [5_000, 5_000]).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut rests = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut rests, GET).await.contains("200 OK"));
    let mut three = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut three, GET).await.contains("HTTP/1.1 0"));
    assert!(closed_after(&mut silent).await.is_some_and(|ms| ms < 500));
    let mut four = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut four, GET).await.contains("HTTP/1.1 0"));
    assert!(closed_after(&mut rests).await.is_some_and(|ms| ms < 500));
    assert!(said(&mut three, GET).await.contains("HTTP/1.1 0"));
}

#[tokio::test]
async fn where_every_place_is_busy_new_connections_are_told_so_at_once_and_the_reserve_is_never_held() {
    let served = served(2, [5_000, 5_000]).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(served.address).await.unwrap();
        client.write_all(b"GET /?1500 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        busy.push(client);
    }
    // Pause: the requests' heads reach the other side.
    tokio::time::sleep(Duration::from_millis(50)).await;
    // As many as the reserve has, and more.
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(served.address).await.unwrap());
    }
    let mut told = TcpStream::connect(served.address).await.unwrap();
    let answer = said(&mut told, GET).await.to_lowercase();
    assert!(answer.contains("client") && answer.contains("connection: close"), "{answer}");
    assert!(closed_after(&mut silent[0]).await.is_some_and(|ms| ms < 500));
    for client in &mut busy {
        let mut answer = String::new();
        while !answer.contains("HTTP/1.1 0") {
            answer.push_str(&heard(client).await);
        }
    }
    let mut again = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut again, GET).await.contains("HTTP/1.1 0"));
}

/// Frames of HTTP/2: a client whose window is zero asks for `/`.
const TAKES_NOTHING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0\
    \0\0\x08\x01\x05\0\0\0\x01\x82\x86\x84\x01\x03a.b";

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_does_not_keep_its_place_in_the_reserve() {
    let served = served(1, [60_000, 60_000]).await;
    let mut busy = TcpStream::connect(served.address).await.unwrap();
    busy.write_all(b"GET /?60000 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // Pause: the request's head reaches the other side.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut stalls = TcpStream::connect(served.address).await.unwrap();
    stalls.write_all(TAKES_NOTHING).await.unwrap();
    let started = Instant::now();
    while closed_after(&mut stalls).await.is_none() {
        assert!(started.elapsed() < Duration::from_millis(2 * RESERVE_LIFE_MS), "it has its place still");
    }
    assert!(started.elapsed() > Duration::from_millis(RESERVE_LIFE_MS / 2), "it was answered or refused");
}

#[tokio::test]
async fn an_evicted_connection_of_http2_is_told_and_one_in_a_handshake_is_closed() {
    let metrics = Metrics::new();
    let served = serve(places(1, &metrics), [5_000, 5_000], Some(super::super::fixture::tls())).await;
    let url = format!("https://localhost:{}/", served.address.port());
    let client = super::super::fixture::client(|builder| builder.resolve("localhost", served.address));
    let mut stalled = TcpStream::connect(served.address).await.unwrap();
    stalled.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "HTTP/2.0 0");
    assert!(closed_after(&mut stalled).await.is_some_and(|ms| ms < 500));
    // The client's connection goes for this one, and it asks again over another one.
    let _third = TcpStream::connect(served.address).await.unwrap();
    let gone = "vitrine_connections_evicted_total{side=\"edge\",reason=\"client\"} 2";
    for _ in 0..200 {
        if metrics.encode().contains(gone) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Pause: the client hears that its connection is closed.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "HTTP/2.0 0");
}

#[tokio::test]
async fn a_drain_lets_requests_finish_and_closes_idle_connections_at_once() {
    let served = served(8, [5_000, 5_000]).await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    assert!(said(&mut idle, GET).await.contains("200 OK"));
    let mut busy = TcpStream::connect(served.address).await.unwrap();
    busy.write_all(b"GET /?200 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // Pause: the request's head reaches the other side.
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.shutdown.cancel();
    assert!(closed_after(&mut idle).await.is_some_and(|ms| ms < 100));
    let answer = heard(&mut busy).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 200") && answer.contains("connection: close"), "{answer}");
    served.ended.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_drain_ends_although_a_request_does_not() {
    let served = served(8, [5_000, 5_000]).await;
    let mut stuck = TcpStream::connect(served.address).await.unwrap();
    stuck.write_all(b"GET /?60000 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // Pause: the request's head reaches the other side.
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.shutdown.cancel();
    let started = Instant::now();
    served.ended.await.unwrap();
    let took = started.elapsed().as_millis();
    assert!((400..2_000).contains(&took), "{took}");
    assert!(closed_after(&mut stuck).await.is_some());
}
