//! Connections that are opened and left silent: other clients, the load balancer's check and operators do not notice.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::processes::hosts_of;
use vitrine_test_support::wait::wait_until;

/// More than the edge has places.
const FLOOD: u32 = 4_300;
/// Files that a flood needs in this process, and the host for its other end.
const FILES: u64 = 10_000;
/// How long anybody else may wait: far above what a request takes in a debug build on a busy machine, far below the 9.4 s and 73 s that
/// a host takes whose places are held.
const PROMPT: Duration = Duration::from_secs(3);

/// How often the host gives back what it does not need.
const GIVEN_BACK: Duration = Duration::from_secs(10);

/// Whether this process and the host may have enough files open.
fn files() -> bool {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < FILES {
        println!("SKIPPED: the hard limit of open files is {hard}, and a flood needs {FILES}");
        return false;
    }
    setrlimit(Resource::RLIMIT_NOFILE, FILES, hard).unwrap();
    true
}

/// Opens connections from these addresses and says the same on each. One that asks for something waits for the answer.
fn flood(to: SocketAddr, from: impl Iterator<Item = Ipv4Addr>, said: &[u8]) -> Vec<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connect = |from: Ipv4Addr| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    };
    let open = |from| {
        let mut stream = runtime.block_on(connect(from));
        stream.set_nonblocking(false).unwrap();
        // The host may have closed it by now.
        let _ = stream.write_all(said);
        if said.ends_with(b"\r\n\r\n") {
            let _ = stream.read(&mut [0; 4096]);
        }
        stream
    };
    from.map(open).collect()
}

/// Runs an attack while somebody else asks for a page and a balancer for its check, and gives the longest wait of the two.
fn while_others_ask<T>(host: &Host, attack: impl FnOnce() -> T) -> (T, Duration) {
    let over = AtomicBool::new(false);
    let page = host.get("shop", "/");
    let check = Request::new(host.edge, "GET", "/_vitrine/readyz").header("host", "localhost");
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut longest, mut rounds) = (Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) || rounds < 10 {
                for request in [&page, &check] {
                    let started = Instant::now();
                    assert_eq!(request.send().status, 200);
                    longest = longest.max(started.elapsed());
                }
                rounds += 1;
            }
            longest
        });
        let held = attack();
        over.store(true, Ordering::Relaxed);
        (held, asking.join().unwrap())
    })
}

fn metric(host: &Host, line: &str) -> u32 {
    let text = host.call("GET", "/metrics").send();
    let value = text.text().lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

/// Whether the other end has closed it.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn silent_connections_of_one_client_delay_nobody() {
    if !files() {
        return;
    }
    let host = Host::start();
    host.deploy("shop", "page", &["--version", "v1"]);
    let attacker = Ipv4Addr::new(127, 0, 0, 2);
    for said in ["", "GET /_vitrine/healthz HTTP/1.1\r\nhost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: "] {
        let attack = || flood(host.edge, (0..FLOOD).map(|_| attacker), said.as_bytes());
        let (mut held, longest) = while_others_ask(&host, attack);
        println!("{FLOOD} connections that say {said:?}: others waited {longest:?} at most");
        assert!(longest < PROMPT, "{said:?}: {longest:?}");
        wait_until("the client keeps what it may have", PROMPT, || {
            let open = held.iter_mut().filter_map(|stream| (!is_closed(stream)).then_some(())).count();
            (256..=512).contains(&open).then_some(())
        });
    }
    assert!(metric(&host, "vitrine_connections_evicted_total{side=\"edge\",reason=\"client\"}") > FLOOD);
}

#[test]
fn silent_connections_of_many_clients_delay_nobody() {
    if !files() {
        return;
    }
    let host = Host::start();
    host.deploy("shop", "page", &["--version", "v1"]);
    let addresses = (0..FLOOD).map(|n| Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + n));
    let (held, longest) = while_others_ask(&host, || flood(host.edge, addresses, b""));
    println!("{FLOOD} silent connections of as many clients: others waited {longest:?} at most");
    assert!(longest < PROMPT, "{longest:?}");
    // Others ask on while all of it is held.
    assert!(while_others_ask(&host, || ()).1 < PROMPT);
    assert!(metric(&host, "vitrine_connections_evicted_total{side=\"edge\",reason=\"all\"}") > 0);
    assert!(metric(&host, "vitrine_connections{side=\"edge\",state=\"open\"}") > 3_500);
    drop(held);
}

/// How often threads of a process have given up a processor.
fn switches(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let told = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
    told.map(|text| -> u64 {
        let counts = text.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum()
    })
    .sum()
}

#[test]
fn connections_at_rest_do_not_wake_the_host() {
    if !files() {
        return;
    }
    let folder = Host::configured("[edge]\nconnections_per_client = 1000\n");
    let host = Host::start_in(folder, &["--isolation", "process", "--config", "vitrine.toml"]);
    let asks = b"GET /_vitrine/healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let held = flood(host.edge, (0..1_000).map(|_| Ipv4Addr::LOCALHOST), asks);
    let pid = hosts_of(&host.data())[0];
    // Pause: the last answers are written.
    std::thread::sleep(Duration::from_millis(300));
    let before = switches(pid);
    // Pause: the time that is measured, four times that in which a connection's clocks are exact.
    std::thread::sleep(Duration::from_secs(2));
    let woken = switches(pid) - before;
    println!("{woken} switches in two seconds of {} connections at rest", held.len());
    assert!(woken < 200, "{woken}");
}

#[test]
fn a_proxy_that_is_trusted_has_any_number_and_each_client_behind_it_its_own() {
    let folder = Host::configured(
        "trusted_proxies = [\"127.0.0.0/8\"]\n[edge]\nconnections_per_client = 2\nrequests_per_client = 2\n",
    );
    let host = Host::start_in(folder, &["--isolation", "process", "--config", "vitrine.toml"]);
    let slow = "export default { fetch: (request) => request.url.endsWith('/slow') ? new Promise(() => {}) : new Response('page') };";
    let patient = r#"{"limits":{"wall_ms":60000}}"#;
    host.deploy_files("shop", &[("server/index.js", slow), ("vitrine.json", patient)], &["--version", "v1"]);
    let slow = |client: &str| {
        let mut stream = TcpStream::connect(host.edge).unwrap();
        let head = format!("GET /slow HTTP/1.1\r\nhost: shop.localhost\r\nx-forwarded-for: {client}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let held: Vec<TcpStream> = ["8.8.8.8", "8.8.8.8", "9.9.9.9"].map(slow).into();
    let page = |client: &str| host.get("shop", "/").header("x-forwarded-for", client).send();
    // Asked before, a page could take the place of one that is to be held.
    wait_until("all of them are in flight", Duration::from_secs(20), || {
        (host.release("shop", "v1")["in_flight"] == 3).then_some(())
    });
    let refused = page("8.8.8.8");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(page("9.9.9.9").status, 200);
    assert_eq!(page("7.7.7.7").status, 200);
    drop(held);
    wait_until("its requests have ended", PROMPT, || (page("8.8.8.8").status == 200).then_some(()));
}

#[test]
fn silent_connections_do_not_close_the_admin_side() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let local = Ipv4Addr::LOCALHOST;
    let half = "POST /v1/apps/shop/rollback HTTP/1.1\r\nhost: a\r\n";
    for (said, live) in [("", "one"), (half, "two")] {
        let mut held = flood(host.admin, (0..300).map(|_| local), said.as_bytes());
        let started = Instant::now();
        assert!(metric(&host, "vitrine_connections{side=\"admin\",state=\"open\"}") > 200);
        let action: &[&str] = if live == "one" { &["rollback", "shop"] } else { &["promote", "shop", "v2"] };
        host.cli(action).ok();
        println!(
            "{:?} for metrics and {action:?} under {} silent connections",
            started.elapsed(),
            held.len()
        );
        assert!(started.elapsed() < PROMPT, "{:?}", started.elapsed());
        assert!(host.get("shop", "/").send().text().contains(live));
        wait_until("the longest silent ones are closed", PROMPT, || {
            (held.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count() > 40).then_some(())
        });
    }
}

/// Bytes of memory that a process has to itself.
fn resident_bytes(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages = |at: usize| text.split(' ').nth(at).unwrap().parse::<u64>().unwrap();
    // Resident, less what is shared with files.
    (pages(1) - pages(2)) * 4096
}

#[test]
fn memory_of_connections_that_are_gone_is_given_back() {
    if !files() {
        return;
    }
    let host = Host::start();
    host.deploy("shop", "page", &["--version", "v1"]);
    assert_eq!(host.get("shop", "/").send().status, 200);
    let pid = hosts_of(&host.data())[0];
    let before = resident_bytes(pid);
    let clients = (2..10).map(|number| Ipv4Addr::new(127, 0, 0, number)).cycle();
    let held = flood(host.edge, clients.take(3_000), b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
    let grown = resident_bytes(pid) - before;
    assert!(grown > 30 << 20, "the wave took {grown} bytes");
    drop(held);
    wait_until("three quarters of it are given back", 3 * GIVEN_BACK, || {
        (resident_bytes(pid) < before + grown / 4).then_some(())
    });
}
