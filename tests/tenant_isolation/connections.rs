//! Connections in great numbers: silent ones of as many clients, and idle ones to an app's own servers.

use crate::loads::{APP, COMPARED, SMOKE, Size, disturbed_at};
use crate::rig::{BAD, CALM};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use tokio::net::TcpSocket;
use vitrine_test_support::host::Host;

/// More than the edge has places.
const SILENT: u32 = 4_300;
/// Files that those need in this process, and the host for its other end.
const FILES: u64 = 10_000;
/// Calls of one request, all at once.
const CALLS: usize = 200;
/// Servers of the greedy app: with so many calls to each it has more connections than the host has places for.
const SERVERS: usize = 8;

/// An app that calls a server as often as it is told, all at once, and says `calm`.
const CALLER: &str = "export default { fetch: async (request) => {
      const query = new URL(request.url).searchParams;
      const calls = Array.from({ length: Number(query.get('n')) }, () => fetch(query.get('u')).then((r) => r.text()));
      await Promise.all(calls);
      return new Response('calm');
    } };
";

/// Whether this process and the host may have enough files open.
fn files() -> bool {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < FILES {
        println!("SKIPPED: the hard limit of open files is {hard}, and a flood needs {FILES}");
        return false;
    }
    // All that there are: what several tests of this process leave to the kernel to close adds up.
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    true
}

/// Connections of as many clients, none of which says anything.
fn silent_connections(to: SocketAddr) -> Vec<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connect = |number: u32| async move {
        let socket = TcpSocket::new_v4().unwrap();
        let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    };
    (0..SILENT).map(|number| runtime.block_on(connect(number))).collect()
}

/// What was wrong for others beside them.
fn silent(host: &Host, size: &Size) -> Vec<String> {
    host.deploy_files(BAD, &[("server/index.js", APP)], &["--version", "v1"]);
    host.deploy(CALM, "calm", &["--version", "v1"]);
    let asked = [BAD, CALM].map(|app| (app, host.get(app, "/"))).into();
    disturbed_at(
        asked,
        size,
        "silent connections",
        || {},
        |begins| {
            let held = silent_connections(host.edge);
            begins();
            // Pause: they say nothing for this long.
            std::thread::sleep(size.loaded);
            drop(held);
        },
    )
}

/// A server that answers each request once `at_once` of them are there, and keeps its connections if it is told to.
fn server(at_once: usize, keeps: bool) -> (SocketAddr, Arc<Mutex<Vec<TcpStream>>>) {
    let held = Arc::<Mutex<Vec<TcpStream>>>::default();
    let all = Arc::clone(&held);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let wave = Arc::new(Barrier::new(at_once));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            all.lock().unwrap().push(stream.try_clone().unwrap());
            let wave = Arc::clone(&wave);
            std::thread::spawn(move || answer(&stream, &wave, keeps));
        }
    });
    (address, held)
}

fn answer(stream: &TcpStream, wave: &Barrier, keeps: bool) -> std::io::Result<()> {
    let (mut lines, mut out) = (BufReader::new(stream), stream);
    loop {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        wave.wait();
        let close = if keeps { "" } else { "connection: close\r\n" };
        out.write_all(format!("HTTP/1.1 200 OK\r\n{close}content-length: 4\r\n\r\nfine").as_bytes())?;
        if !keeps {
            return Ok(());
        }
    }
}

fn deploy_caller(host: &Host, app: &str, servers: &[SocketAddr]) {
    let origins: Vec<String> = servers.iter().map(|server| format!("http://{server}")).collect();
    let limits = serde_json::json!({"subrequests": CALLS, "wall_ms": 60_000, "cpu_ms": 5_000});
    let manifest = serde_json::json!({"egress": origins, "limits": limits}).to_string();
    host.deploy_files(app, &[("server/index.js", CALLER), ("vitrine.json", &manifest)], &["--version", "v1"]);
}

/// What was wrong for an app that calls its server with every request, beside one that keeps as many connections as it gets.
fn upstream(failpoints: &str, size: &Size) -> Vec<String> {
    let (greedy, kept): (Vec<SocketAddr>, Vec<_>) = (0..SERVERS).map(|_| server(CALLS, true)).unzip();
    let (own, _) = server(1, false);
    let opened: Vec<String> = greedy.iter().chain([&own]).map(SocketAddr::to_string).collect();
    let config = Host::configured(&format!("[egress]\nallow_private = {opened:?}\n"));
    let host = Host::start_broken(config, &["--isolation", "process"], failpoints);
    deploy_caller(&host, BAD, &greedy);
    deploy_caller(&host, CALM, &[own]);
    let visited = vec![(CALM, host.get(CALM, &format!("/?n=1&u=http://{own}/")))];
    disturbed_at(
        visited,
        size,
        "upstream connections",
        || {},
        |begins| {
            for server in &greedy {
                // Where nothing bounds it, its last calls have no connection.
                let _ = host.get(BAD, &format!("/?n={CALLS}&u=http://{server}/")).try_send();
            }
            begins();
            // Pause: they are idle for this long, and not yet closed for it.
            std::thread::sleep(size.loaded);
            for stream in kept.iter().flat_map(|kept| std::mem::take(&mut *kept.lock().unwrap())) {
                // Those that the host has closed are no more.
                let _ = stream.shutdown(Shutdown::Both);
            }
        },
    )
}

#[test]
fn silent_connections_disturb_nobody() {
    if files() {
        let wrong = silent(&Host::start(), &SMOKE);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_silent_connections_that_keep_their_places_are_noticed() {
    if files() {
        let flags = ["--isolation", "process"];
        let host = Host::start_broken(Host::folder_anew(), &flags, "places.evict=return(skip)");
        assert!(!silent(&host, &COMPARED).is_empty());
    }
}

#[test]
fn upstream_connections_of_one_app_disturb_no_other() {
    let wrong = upstream("", &SMOKE);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "compares waits, which other tests beside it change"]
fn control_upstream_connections_without_a_share_are_noticed() {
    assert!(!upstream("egress.share=return(skip)", &COMPARED).is_empty());
}

#[test]
#[ignore = "a minute"]
fn both_for_longer_disturb_nobody() {
    let long =
        Size { alone: Duration::from_secs(5), loaded: Duration::from_secs(10), apps: 0, compares: true };
    if files() {
        let wrong = silent(&Host::start(), &long);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    let wrong = upstream("", &long);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
