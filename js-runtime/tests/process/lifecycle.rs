//! How a worker starts, survives and ends.

use crate::client::Client;
use crate::worker::{RELEASE, SOON, Worker, start};
use bytes::Bytes;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use vitrine_wire::{BootStage, Channel, Frame, Outcome};

const HELLO: &str = "export default { fetch: () => new Response('hello') };";
/// An answer that waits for the end of the request's body, so that a test decides how long it is in flight.
const ECHO: &str = "export default { fetch: async (request) => new Response(await request.text()) };";

/// Opens stream 1 and waits until the worker has it.
async fn in_flight(requests: &mut Client) {
    requests.request(1, "/", true).await;
    assert_eq!(requests.fetch(2, "/").await.done.outcome, Outcome::Ok);
}

/// Asks until a request is refused, from stream 3 on.
async fn until_draining(requests: &mut Client) {
    for stream in 3..1_000 {
        if requests.fetch(stream, "/").await.done.outcome == Outcome::Draining {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it takes new requests for ever");
}

/// Lets stream 1 end and checks that its answer is whole.
async fn finish(requests: &mut Client) {
    requests.send(Frame::Body(1, Bytes::from_static(b"slow"))).await;
    requests.send(Frame::BodyEnd(1)).await;
    let answer = requests.answer(1).await;
    assert_eq!((answer.body.as_slice(), answer.done.outcome), (b"slow".as_slice(), Outcome::Ok));
}

#[tokio::test]
async fn the_sockets_outlive_a_killed_render_process() {
    let worker = Worker::start(HELLO);
    for round in 1..=3 {
        let (mut control, mut requests) = worker.serving().await;
        assert_eq!(requests.fetch(1, "/").await.body, b"hello");
        let pid = worker.render_pid().expect("a render process");
        Worker::signal(pid, libc::SIGKILL);
        assert_eq!(requests.next().await, None);
        while control.next().await.is_some() {}
        // Connected before the next process runs: the backlog holds it.
        let _waits = worker.connect(Channel::Requests).await;
        worker.wait_for("another render process", || worker.render_pid().is_some_and(|new| new != pid));
        assert_eq!(worker.events("render_died").len(), round);
    }
    let pauses: Vec<_> =
        worker.events("render_died").iter().map(|line| line["restart_in_ms"].clone()).collect();
    assert_eq!(pauses, [0, 100, 200]);
    assert_eq!(worker.events("render_died")[0]["signal_name"], "SIGKILL");
    assert_eq!(worker.events("render_died")[0]["release"], RELEASE);
    let (_control, mut requests) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
}

#[tokio::test]
async fn sigterm_lets_in_flight_requests_finish_and_takes_no_new_one() {
    let mut worker = Worker::start(ECHO);
    let (_control, mut requests) = worker.serving().await;
    in_flight(&mut requests).await;
    Worker::signal(worker.pid(), libc::SIGTERM);
    until_draining(&mut requests).await;
    finish(&mut requests).await;
    assert_eq!(requests.next().await, None);
    assert_eq!(worker.end(), Some(0));
    assert!(!worker.socket(Channel::Requests).exists() && !worker.socket(Channel::Control).exists());
}

#[tokio::test]
async fn a_worker_that_was_never_used_ends_at_once() {
    // At whatever point of its start the signal finds it.
    for delay_ms in [0, 1, 2, 5, 10, 20, 50, 200] {
        let mut worker = Worker::start(HELLO);
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        let began = Instant::now();
        Worker::signal(worker.pid(), libc::SIGTERM);
        assert_eq!(worker.end(), Some(0), "after {delay_ms} ms: {:?}", worker.log());
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn drain_on_the_control_socket_answers_when_nothing_is_in_flight() {
    let worker = Worker::start(ECHO);
    let (mut control, mut requests) = worker.serving().await;
    in_flight(&mut requests).await;
    control.send(Frame::Drain(10_000)).await;
    until_draining(&mut requests).await;
    let early = tokio::time::timeout(Duration::from_millis(100), control.next()).await;
    assert!(early.is_err(), "drained with a request in flight: {early:?}");
    finish(&mut requests).await;
    control.expect("the end of the drain", |frame| *frame == Frame::Drained).await;
}

/// Has the app log until its line comes to this connection.
async fn logs_come_to(control: &mut Client, requests: &mut Client, stream: &mut u32) {
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        *stream += 1;
        requests.fetch(*stream, "/").await;
        let said = format!("request {}", *stream);
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(20), control.next()).await {
            if matches!(&frame, Frame::Log(lines) if lines.iter().any(|line| line.message == said)) {
                return;
            }
        }
    }
    panic!("no line came");
}

#[tokio::test]
async fn the_newest_control_connection_has_the_log_and_after_it_the_one_before() {
    let worker = Worker::start(
        "let count = 0; export default { fetch: () => (console.log(`request ${++count}`), new Response()) };",
    );
    let (mut first, mut requests) = worker.serving().await;
    let mut stream = 0;
    logs_come_to(&mut first, &mut requests, &mut stream).await;
    let mut second = worker.connect(Channel::Control).await;
    logs_come_to(&mut second, &mut requests, &mut stream).await;
    let mut third = worker.connect(Channel::Control).await;
    logs_come_to(&mut third, &mut requests, &mut stream).await;
    drop(third);
    logs_come_to(&mut second, &mut requests, &mut stream).await;
    drop(second);
    logs_come_to(&mut first, &mut requests, &mut stream).await;
}

#[tokio::test]
async fn a_process_worker_ends_with_its_host() {
    let mut worker = Worker::start_with(HELLO, &["--end-with-control"]);
    let (control, _requests) = worker.serving().await;
    drop(control);
    // The same host again, within the bound.
    let (control, _requests) = worker.serving().await;
    // Longer than a host may be gone.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(worker.render_pid().is_some(), "it ended although the host came back");
    drop(control);
    assert_eq!(worker.end(), Some(0));
    assert_eq!(worker.events("host_gone").len(), 1);
}

#[tokio::test]
async fn a_container_worker_outlives_its_host() {
    let worker = Worker::start(HELLO);
    let (control, _requests) = worker.serving().await;
    drop(control);
    // Longer than a host may be gone.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let (_control, mut requests) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
}

#[tokio::test]
async fn the_render_process_dies_with_a_killed_supervisor() {
    let mut worker = Worker::start(HELLO);
    let (_control, _requests) = worker.serving().await;
    let render = worker.render_pid().expect("a render process");
    Worker::signal(worker.pid(), libc::SIGKILL);
    assert_eq!(worker.end(), None);
    worker.wait_for("end of the render process", || is_gone(render));
}

/// Nobody may reap it here, so that it stays as a zombie.
fn is_gone(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.is_empty() || status.contains(") Z ")
}

#[tokio::test]
async fn a_bundle_that_does_not_boot_leaves_a_worker_that_answers() {
    let worker = Worker::start("throw new Error('no way');");
    let mut control = worker.connect(Channel::Control).await;
    control.send(Frame::Start(start())).await;
    let failed = control.expect("the failure", |frame| matches!(frame, Frame::BootFailed(_))).await;
    assert!(
        matches!(&failed, Frame::BootFailed(failure) if failure.stage == BootStage::Evaluate),
        "{failed:?}"
    );
    assert!(format!("{failed:?}").contains("no way"), "{failed:?}");
    control.send(Frame::Ping(1)).await;
    control.expect("a pong", |frame| matches!(frame, Frame::Pong(_))).await;
    let mut requests = worker.connect(Channel::Requests).await;
    assert_eq!(requests.fetch(1, "/").await.done.outcome, Outcome::NoRelease);
}

#[tokio::test]
async fn requests_before_start_wait_for_it() {
    let worker = Worker::start(HELLO);
    let mut requests = worker.connect(Channel::Requests).await;
    requests.get(1, "/").await;
    let (_control, _more) = worker.serving().await;
    assert_eq!(requests.answer(1).await.body, b"hello");
}

/// Runs a worker that can't start and gives its exit code and stderr.
fn refused(sockets: &Path, bundle: &Path) -> (Option<i32>, String) {
    let output = Command::new("timeout")
        .args(["20", env!("CARGO_BIN_EXE_vitrine-worker"), "supervise", "--sockets"])
        .arg(sockets)
        .arg("--bundle")
        .arg(bundle)
        .args(["--release", RELEASE, "--spec-hash", &"ab".repeat(32)])
        .output()
        .expect("the worker runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_can_not_start_says_why_and_exits_with_1() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = folder.path().join("bundle");
    let (code, said) = refused(folder.path(), &bundle);
    assert_eq!(code, Some(1));
    assert!(said.contains("can't list the bundle's folder"), "{said}");

    std::fs::create_dir_all(bundle.join("server")).expect("a folder");
    let deep = folder.path().join("d".repeat(100));
    std::fs::create_dir(&deep).expect("a folder");
    let (code, said) = refused(&deep, &bundle);
    assert_eq!(code, Some(1));
    assert!(said.contains("at most 107 are possible"), "{said}");

    std::os::unix::fs::symlink("/etc/passwd", bundle.join("server/link")).expect("a link");
    let (code, said) = refused(folder.path(), &bundle);
    assert_eq!(code, Some(1));
    assert!(said.contains("server/link is neither"), "{said}");

    let taken = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(taken.path().join("requests.sock"), "precious").expect("a file");
    let (code, said) = refused(taken.path(), &bundle);
    assert_eq!(code, Some(1));
    assert!(said.contains("is not a socket"), "{said}");
    assert_eq!(std::fs::read(taken.path().join("requests.sock")).expect("it is still there"), b"precious");
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("bundle/server")).expect("a folder");
    let path = folder.path().join("requests.sock");
    let living = UnixListener::bind(&path).expect("a socket");
    let (code, said) = refused(folder.path(), &folder.path().join("bundle"));
    assert_eq!(code, Some(1));
    assert!(said.contains("another worker answers"), "{said}");
    drop(living);
    let worker = Worker::spawn(folder, &[]);
    let deadline = Instant::now() + SOON;
    while std::os::unix::net::UnixStream::connect(worker.socket(Channel::Requests)).is_err() {
        assert!(Instant::now() < deadline, "{:?}", worker.log());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_malformed_command_line_is_wrong_usage() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_vitrine-worker")).args(arguments).output();
        output.expect("the worker runs")
    };
    for arguments in [
        &["supervise"][..],
        &["supervise", "--sockets", "x", "--bundle", "x", "--release", "a@b", "--spec-hash", "12"],
        &["unknown"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(String::from_utf8_lossy(&version.stdout).lines().count(), 1);
}
