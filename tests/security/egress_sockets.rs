//! Idle connections to an app's own servers: they use up neither the host's descriptors nor what its neighbours may have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::hosts_of;

/// Calls of one request, all at once.
const CALLS: usize = 100;
/// Servers of the greedy app. Each keeps as many connections as are opened.
const SERVERS: usize = 8;
/// Connections that one app may have, idle ones among them.
const SHARE: usize = 512;
/// What the host opens besides: clients, files, a deploy.
const OWN: usize = 64;
// The rig tells: a host without a bound would have more open.
const _: () = assert!(SERVERS * CALLS > SHARE + OWN);

const APP: &str = "
    export default { fetch: async (request) => {
      const query = new URL(request.url).searchParams;
      const calls = Array.from({ length: Number(query.get('n')) }, () => fetch(query.get('u')).then((r) => r.text()));
      return new Response(String((await Promise.all(calls)).length));
    } };
";

/// A server that keeps its connections open, and answers when so many calls are there at once.
struct Upstream {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Upstream {
    async fn start(at_once: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, accepted) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let (counted, wave) = (Arc::clone(&accepted), Arc::new(Barrier::new(at_once)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, Arc::clone(&wave)));
            }
        });
        Self { address, accepted }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn answer(stream: TcpStream, wave: Arc<Barrier>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
        }
        wave.wait().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine").await?;
    }
}

fn descriptors(host: &Host) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", hosts_of(&host.data())[0])).unwrap().count()
}

fn calls(host: &Host, app: &str, upstream: &Upstream, calls: usize) {
    let answer = host.get(app, &format!("/?n={calls}&u=http://{}/", upstream.address)).send();
    assert_eq!((answer.status, answer.text()), (200, calls.to_string().as_str()));
}

fn deploy(host: &Host, app: &str, upstreams: &[Upstream]) {
    let origins: Vec<String> =
        upstreams.iter().map(|upstream| format!("http://{}", upstream.address)).collect();
    let limits = serde_json::json!({"subrequests": CALLS, "wall_ms": 60_000, "cpu_ms": 5_000});
    let manifest = serde_json::json!({"egress": origins, "limits": limits}).to_string();
    host.deploy_files(app, &[("server/index.js", APP), ("vitrine.json", &manifest)], &["--version", "v1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_of_one_app_leave_descriptors_to_the_host_and_calls_to_its_neighbours() {
    let mut greedy = Vec::new();
    for _ in 0..SERVERS {
        greedy.push(Upstream::start(CALLS).await);
    }
    let quiet = [Upstream::start(1).await];
    let opened: Vec<String> =
        greedy.iter().chain(&quiet).map(|upstream| upstream.address.to_string()).collect();
    let host = Host::start_in(
        Host::configured(&format!("[egress]\nallow_private = {opened:?}\n")),
        &["--isolation", "process"],
    );
    deploy(&host, "greedy", &greedy);
    deploy(&host, "quiet", &quiet);
    let before = descriptors(&host);
    for upstream in &greedy {
        calls(&host, "greedy", upstream, CALLS);
    }
    // Without a bound all of these would be open still.
    let made: usize = greedy.iter().map(Upstream::accepted).sum();
    assert!(made >= SERVERS * CALLS, "{made} connections");
    let open = descriptors(&host) - before;
    assert!((SHARE / 2..=SHARE + OWN).contains(&open), "{open} descriptors more");
    // A wave of calls finds the connections of the wave before it.
    let last = greedy.last().unwrap();
    let known = last.accepted();
    calls(&host, "greedy", last, CALLS);
    assert_eq!(last.accepted(), known, "each call shook hands again");
    calls(&host, "quiet", &quiet[0], 1);
    host.deploy("another", "deployed", &[]);
    assert_eq!(host.get("another", "/").send().text(), "deployed");
}
