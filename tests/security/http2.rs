//! Floods of HTTP/2 and TLS, frame by frame: the host ends the connection or bounds what it costs, and others do not notice.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::hosts_of;
use vitrine_test_support::wait::wait_until;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// How long others may wait while an attack lasts: far above what a page takes in a debug build on a busy machine.
const PROMPT: Duration = Duration::from_secs(3);
/// What all attacks together may leave in the host's memory, in kB.
const GROWTH_KB: u64 = 60_000;

/// Pages: a small one, and one that takes a minute.
const SERVER: &str = "export default { fetch: (request) => new URL(request.url).pathname === '/slow'
    ? new Promise((done) => setTimeout(() => done(new Response('late')), 60_000)) : new Response('page') };";

/// A connection that says what it likes.
struct Attacker(TcpStream);

/// One frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header block: GET or POST of a path of the app.
fn block(post: bool, path: &str) -> Vec<u8> {
    // Indexed `:method` and `:scheme`; `:authority` and `:path` are literals with indexed names.
    let mut block = vec![if post { 0x83 } else { 0x82 }, 0x86];
    for (index, value) in [(1, "shop.localhost"), (4, path)] {
        block.extend_from_slice(&[index, u8::try_from(value.len()).unwrap()]);
        block.extend_from_slice(value.as_bytes());
    }
    block
}

impl Attacker {
    fn new(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut attacker = Self(stream);
        attacker.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        attacker.send(&frame(SETTINGS, 0, 0, &[]));
        attacker
    }

    /// Whether the host still takes it.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends until the host takes no more, or so many pieces.
    fn flood(&mut self, pieces: u32, piece: impl Fn(u32) -> Vec<u8>) {
        let _ = (0..pieces).all(|n| self.send(&piece(n)));
    }

    /// The reason of the host's last GOAWAY, if there was one, and whether the connection has ended.
    fn end(mut self) -> (Option<u32>, bool) {
        let mut said = Vec::new();
        let mut buffer = [0; 16 << 10];
        let ended = loop {
            match self.0.read(&mut buffer) {
                Ok(0) => break true,
                Ok(bytes) => said.extend_from_slice(&buffer[..bytes]),
                Err(error) => break error.kind() == ErrorKind::ConnectionReset,
            }
        };
        let (mut rest, mut reason) = (&said[..], None);
        while rest.len() >= 9 {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            let Some(payload) = rest.get(9..9 + length) else { break };
            if rest[3] == GOAWAY {
                reason = payload.get(4..8).map(|code| u32::from_be_bytes(code.try_into().unwrap()));
            }
            rest = &rest[9 + length..];
        }
        (reason, ended)
    }
}

/// A number of a stream that a client opens.
const fn stream(n: u32) -> u32 {
    2 * n + 1
}

fn rapid_resets(attacker: &mut Attacker) {
    attacker.flood(2_000, |n| {
        let head = frame(HEADERS, END_STREAM | END_HEADERS, stream(n), &block(false, "/slow"));
        [head, frame(RST_STREAM, 0, stream(n), &8_u32.to_be_bytes())].concat()
    });
}

/// Each reset comes after its request has reached the app.
fn slower_resets(attacker: &mut Attacker) {
    attacker.flood(1_000, |n| {
        // The pace is the attack.
        std::thread::sleep(Duration::from_millis(2));
        let reset = frame(RST_STREAM, 0, stream(n.saturating_sub(1)), &8_u32.to_be_bytes());
        let head = frame(HEADERS, END_STREAM | END_HEADERS, stream(n), &block(false, "/slow"));
        if n == 0 { head } else { [reset, head].concat() }
    });
}

/// Each reset is followed by a request that the host answers by itself.
fn resets_beside_checks(attacker: &mut Attacker) {
    attacker.flood(1_000, |n| {
        // The pace is the attack: each request has reached the app.
        std::thread::sleep(Duration::from_millis(2));
        let check = block(false, "/_vitrine/healthz");
        let check = frame(HEADERS, END_STREAM | END_HEADERS, stream(2 * n), &check);
        let head = frame(HEADERS, END_STREAM | END_HEADERS, stream(2 * n + 1), &block(false, "/slow"));
        let reset = |n: u32| frame(RST_STREAM, 0, stream(2 * n + 1), &8_u32.to_be_bytes());
        let before = n.checked_sub(1).map(reset).unwrap_or_default();
        [before, check, head].concat()
    });
}

fn pings(attacker: &mut Attacker) {
    let many = frame(PING, 0, 0, &[7; 8]).repeat(1_000);
    attacker.flood(200, |_| many.clone());
}

fn settings(attacker: &mut Attacker) {
    let many = frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(1_000);
    attacker.flood(100, |_| many.clone());
}

fn priorities(attacker: &mut Attacker) {
    attacker.flood(100, |n| frame(PRIORITY, 0, stream(n), &[0, 0, 0, 0, 16]).repeat(1_000));
}

fn continuations(attacker: &mut Attacker) {
    attacker.send(&frame(HEADERS, END_STREAM, 1, &block(false, "/")));
    // A literal header without an index, over and over.
    let header = [&[0, 1, b'x', 100][..], &[b'v'; 100]].concat().repeat(100);
    attacker.flood(2_000, |_| frame(CONTINUATION, 0, 1, &header));
}

fn empty_continuations(attacker: &mut Attacker) {
    attacker.send(&frame(HEADERS, END_STREAM, 1, &block(false, "/")));
    let many = frame(CONTINUATION, 0, 1, &[]).repeat(100);
    attacker.flood(1_000, |_| many.clone());
}

fn empty_data(attacker: &mut Attacker) {
    attacker.send(&frame(HEADERS, END_HEADERS, 1, &block(true, "/slow")));
    let many = frame(DATA, 0, 1, &[]).repeat(1_000);
    attacker.flood(200, |_| many.clone());
}

fn small_data(attacker: &mut Attacker) {
    attacker.send(&frame(HEADERS, END_HEADERS, 1, &block(true, "/slow")));
    let many = frame(DATA, 0, 1, b"x").repeat(1_000);
    attacker.flood(200, |_| many.clone());
}

fn window_overflow(attacker: &mut Attacker) {
    attacker.flood(4, |_| frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()));
}

fn window_updates(attacker: &mut Attacker) {
    let many = frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()).repeat(1_000);
    attacker.flood(200, |_| many.clone());
}

/// One large header in the table of names, which a request of 16 kB then means 16,000 times.
fn header_bomb(attacker: &mut Attacker) {
    let value = [b'v'; 120];
    for n in 0..20 {
        let mut bomb = block(false, "/");
        bomb.extend_from_slice(&[0x40, 1, b'x', 120]);
        bomb.extend_from_slice(&value);
        bomb.extend_from_slice(&[0xbe; 16_000]);
        attacker.send(&frame(HEADERS, END_STREAM | END_HEADERS, stream(n), &bomb));
    }
}

fn more_streams_than_may_be(attacker: &mut Attacker) {
    attacker.flood(5_000, |n| frame(HEADERS, END_HEADERS, stream(n), &block(true, "/slow")));
}

const ENHANCE_YOUR_CALM: u32 = 11;

/// What it is, how it is done, and whether the host ends the connection for it; the others cost what they send.
type Attack = (&'static str, fn(&mut Attacker), bool);

const ATTACKS: [Attack; 14] = [
    ("rapid resets", rapid_resets, true),
    ("resets after each request has reached the app", slower_resets, true),
    ("resets beside answers that cost nothing", resets_beside_checks, true),
    ("pings", pings, false),
    ("settings", settings, false),
    ("priorities", priorities, false),
    ("continuations", continuations, true),
    ("empty continuations", empty_continuations, true),
    ("empty data", empty_data, false),
    ("data byte by byte", small_data, true),
    ("a window that overflows", window_overflow, true),
    ("window updates", window_updates, false),
    ("a header bomb", header_bomb, true),
    ("more streams than there may be", more_streams_than_may_be, true),
];

fn memory_kb(host: &Host) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", hosts_of(&host.data())[0])).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs an attack while somebody else asks for the page; their longest wait, and how often they asked.
fn while_others_ask<T>(host: &Host, attack: impl FnOnce() -> T) -> (T, Duration, u32) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut longest, mut asked) = (Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) || asked < 3 {
                let started = Instant::now();
                let answer = host.get("shop", "/").send();
                assert_eq!((answer.status, answer.text()), (200, "page"));
                longest = longest.max(started.elapsed());
                asked += 1;
            }
            (longest, asked)
        });
        let result = attack();
        over.store(true, Ordering::Relaxed);
        let (longest, asked) = asking.join().unwrap();
        (result, longest, asked)
    })
}

#[test]
fn floods_of_frames_are_bounded_and_others_do_not_notice() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", SERVER)], &["--version", "v1"]);
    while_others_ask(&host, || ());
    let before = memory_kb(&host);
    for (name, attack, ends) in ATTACKS {
        let ((reason, ended), longest, asked) = while_others_ask(&host, || {
            let mut attacker = Attacker::new(host.edge);
            attack(&mut attacker);
            if ends { attacker.end() } else { (None, false) }
        });
        let calm = if reason == Some(ENHANCE_YOUR_CALM) { ", enhance your calm" } else { "" };
        println!(
            "{name}: goes away {reason:?}{calm}; others asked {asked} times, waited {longest:?} at most"
        );
        assert_eq!(ended, ends, "{name}");
        assert!(longest < PROMPT, "{name}: {longest:?}");
    }
    let grown = memory_kb(&host).saturating_sub(before);
    println!("the host grew by {grown} kB");
    assert!(grown < GROWTH_KB, "{grown}");
    // What was cancelled is rendered by nobody any more.
    wait_until("no request is in flight", PROMPT, || {
        let text = host.call("GET", "/metrics").send();
        let line = "vitrine_in_flight{app=\"shop\",release=\"v1\"} 0";
        text.text().lines().any(|found| found == line).then_some(())
    });
}

/// Raw bytes of a client that begins TLS, and the rest of them is up to it.
const HANDSHAKES: [(&str, &[u8]); 4] = [
    ("nothing", b""),
    ("half a record", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
    ("a record that is too large", &[0x16, 0x03, 0x01, 0xff, 0xff]),
    ("no TLS", b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n"),
];

#[test]
fn handshakes_that_do_not_end_stand_in_nobodys_way() {
    let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (certificate, key) = (file("localhost.pem"), file("localhost.key.pem"));
    let toml = format!(
        "[tls]\nlisten = \"127.0.0.1:{port}\"\ncertificate = {certificate:?}\nkey = {key:?}\n[edge]\nconnections_per_client = 64\n"
    );
    let host =
        Host::start_in(Host::configured(&toml), &["--isolation", "process", "--config", "vitrine.toml"]);
    host.deploy_files("shop", &[("server/index.js", SERVER)], &["--version", "v1"]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = || {
        let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        let client = client.resolve("shop.localhost", address).build().unwrap();
        let started = Instant::now();
        let answer = runtime.block_on(async {
            let answer = client.get(format!("https://shop.localhost:{port}/")).send().await.unwrap();
            (answer.version(), answer.text().await.unwrap())
        });
        assert_eq!(answer, (http::Version::HTTP_2, "page".to_owned()));
        started.elapsed()
    };
    for (name, bytes) in HANDSHAKES {
        let open = |_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            stream
        };
        let mut held: Vec<TcpStream> = (0..200).map(open).collect();
        let waited = page();
        println!("200 clients that say {name}: another waited {waited:?}");
        assert!(waited < PROMPT, "{name}: {waited:?}");
        // The oldest was closed for the others, or for what it said.
        held[0].set_read_timeout(Some(PROMPT)).unwrap();
        let end = loop {
            match held[0].read(&mut [0; 64]) {
                Ok(1..) => {}
                end => break end.map_err(|error| error.kind()),
            }
        };
        assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{name}: {end:?}");
    }
}
