//! Native code in a worker: it says on its two sockets whatever it likes. The host keeps every bound by itself.

mod played;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::hosts_of;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A host whose workers are played by this test program, and where their program lies.
fn hosts_played_workers() -> (Host, TempDir) {
    let program = tempfile::tempdir().unwrap();
    let script = program.path().join("worker");
    let me = std::env::current_exe().unwrap();
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo vitrine-worker 0; exit; }}\n\
         {}=\"$*\" exec {} --ignored --exact hostile::played::worker\n",
        played::ARGUMENTS,
        me.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let environment = [("VITRINE_WORKER", script.to_str().unwrap())];
    let flags = ["--isolation", "process"];
    let host = Host::try_start(Host::folder_anew(), &flags, &environment);
    (host.unwrap_or_else(|_| panic!("no `ready`")), program)
}

fn deploy(host: &Host, app: &str) {
    // A played worker takes no snapshots.
    let manifest = r#"{"snapshot":false,"limits":{"isolates":1}}"#;
    let entry = "export default { fetch: () => new Response('never run') };";
    host.deploy_files(app, &[("server/index.js", entry), ("vitrine.json", manifest)], &["--version", "v1"]);
    assert_eq!(host.get(app, "/").send().text(), "played");
}

fn pid(host: &Host) -> u32 {
    hosts_of(&host.data())[0]
}

fn memory_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// A client that takes little of its answer: its end of the socket holds next to nothing.
fn lazy_client(to: SocketAddr, app: &str, path: &str) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = stream;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {app}.localhost\r\n\r\n").unwrap();
    stream
}

#[test]
fn an_answer_in_the_smallest_frames_costs_the_host_no_more_than_its_window() {
    const CLIENTS: usize = 4;
    let (host, _program) = hosts_played_workers();
    deploy(&host, "shop");
    let before = memory_bytes(pid(&host));
    let mut clients: Vec<TcpStream> =
        (0..CLIENTS).map(|_| lazy_client(host.edge, "shop", "/pieces")).collect();
    for client in &mut clients {
        client.read_exact(&mut [0; 16]).unwrap();
    }
    // The worker has said all that it may when it says so.
    wait_until("every window is used up", PATIENCE, || {
        (host.get("shop", "/sent").send().text() == CLIENTS.to_string()).then_some(())
    });
    let more = memory_bytes(pid(&host)).saturating_sub(before);
    assert!(more < 16 << 20, "{more} bytes more for {CLIENTS} answers");
    assert_eq!(host.get("shop", "/").send().text(), "played");
}

#[test]
fn a_worker_that_is_ready_again_and_again_takes_no_descriptors() {
    let (host, _program) = hosts_played_workers();
    deploy(&host, "shop");
    deploy(&host, "neighbour");
    let before = descriptors(pid(&host));
    let answer = host.get("shop", "/ready").send();
    assert!(matches!(answer.status, 200 | 502 | 503), "{answer:?}");
    wait_until("the host says why the connection ended", PATIENCE, || {
        host.log().contains("a frame `ready` out of turn").then_some(())
    });
    assert!(descriptors(pid(&host)) <= before + 8, "{} after {before}", descriptors(pid(&host)));
    assert_eq!(host.get("neighbour", "/").send().text(), "played");
}

#[test]
fn a_flood_of_log_lines_is_cut_counted_and_told_and_takes_nobody_elses() {
    let (host, _program) = hosts_played_workers();
    deploy(&host, "noisy");
    deploy(&host, "quiet");
    let (log_before, memory_before) = (host.log().len(), memory_bytes(pid(&host)));
    assert_eq!(host.get("noisy", "/log").send().text(), "said");
    for number in 0..40 {
        assert_eq!(host.get("quiet", "/line").send().text(), "said", "{number}");
    }
    for app in ["one", "two", "three"] {
        deploy(&host, app);
    }
    assert_eq!(host.get("noisy", "/error").send().status, 500);
    let metric = "vitrine_log_lines_dropped_total{app=\"noisy\",reason=\"rate\"} ";
    wait_until("the drops are counted", PATIENCE, || {
        let metrics = host.call("GET", "/metrics").send();
        let dropped = metrics.text().lines().find_map(|line| line.strip_prefix(metric)?.parse::<u64>().ok());
        dropped.filter(|lines| *lines > 10_000).map(drop)
    });
    assert!(host.cli(&["logs", "noisy"]).ok().stdout.contains("log lines were dropped"));
    let quiet = host.cli(&["logs", "quiet"]).ok().stdout;
    assert_eq!(quiet.matches("one line").count(), 40, "{quiet}");
    let log = wait_until("the request's line", PATIENCE, || {
        let log = host.log();
        log.contains("\"path\":\"/error\"").then_some(log)
    });
    let lines = || log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let of =
        |kind: &str, app: &str| lines().filter(|line| line["kind"] == kind && line["app"] == app).count();
    assert_eq!(of("app", "quiet"), 40);
    let recorded = host.call("GET", "/v1/audit").send().json()["records"].as_array().unwrap().len();
    assert_eq!(lines().filter(|line| line["target"] == "vitrine::audit").count(), recorded);
    assert!(log.lines().all(|line| line.len() < 64 << 10), "a line is longer than its texts may be");
    assert!(log.len() - log_before < 8 << 20, "{} bytes of log", log.len() - log_before);
    let more = memory_bytes(pid(&host)).saturating_sub(memory_before);
    assert!(more < 32 << 20, "{more} bytes more");
}
