//! A worker process in a folder of its own, ended when the test ends.

use crate::client::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vitrine_wire::{
    CONTROL_SOCKET, Channel, Contract, Frame, REQUESTS_SOCKET, SpecHash, Start, WorkerLimits, WorkerSettings,
};

/// Release that test workers serve.
pub const RELEASE: &str = "probe@v1";
/// Specification that test workers are started with.
pub const SPEC: SpecHash = [0xab; 32];
/// How long a test waits for something that is to happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// A worker process.
pub struct Worker {
    pub folder: TempDir,
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// Ends at the end of stderr, which is when no process of the worker is left.
    reader: JoinHandle<()>,
}

impl Worker {
    /// Starts a worker for a bundle of one script.
    pub fn start(script: &str) -> Self {
        Self::start_with(script, &[])
    }

    /// Starts a worker with further arguments, and waits for its sockets.
    pub fn start_with(script: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir_all(folder.path().join("bundle/server")).expect("a folder for the bundle");
        std::fs::write(folder.path().join("bundle/server/index.js"), script).expect("the bundle's script");
        let worker = Self::spawn(folder, arguments);
        worker.wait_for("both sockets", || worker.socket(Channel::Control).exists());
        worker
    }

    /// Starts a worker in a prepared folder.
    pub fn spawn(folder: TempDir, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vitrine-worker"))
            .arg("supervise")
            .arg("--sockets")
            .arg(folder.path())
            .arg("--bundle")
            .arg(folder.path().join("bundle"))
            .args(["--release", RELEASE, "--spec-hash", &"ab".repeat(32)])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stderr = process.stderr.take().expect("stderr is piped");
        let sink = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.lock().expect("no test panics with the lock").push(line);
            }
        });
        Self { folder, process, lines, reader }
    }

    pub fn socket(&self, channel: Channel) -> PathBuf {
        self.folder.path().join(match channel {
            Channel::Requests => REQUESTS_SOCKET,
            Channel::Control => CONTROL_SOCKET,
        })
    }

    /// Connects and says hello.
    pub async fn connect(&self, channel: Channel) -> Client {
        Client::connect(&self.socket(channel), channel).await
    }

    /// Connects control and requests, and waits until the worker serves.
    pub async fn serving(&self) -> (Client, Client) {
        self.serving_as(start()).await
    }

    /// The same with other settings.
    pub async fn serving_as(&self, start: Start) -> (Client, Client) {
        let mut control = self.connect(Channel::Control).await;
        control.send(Frame::Start(start)).await;
        match control.expect("an answer to Start", |frame| !matches!(frame, Frame::Log(_))).await {
            Frame::Ready(ready) => assert_eq!(ready.isolates, 1),
            frame => panic!("not ready: {frame:?}; {:?}", self.log()),
        }
        (control, self.connect(Channel::Requests).await)
    }

    /// Process id of the supervisor.
    pub fn pid(&self) -> i32 {
        self.process.id() as i32
    }

    /// Process id of the render process, once there is one.
    pub fn render_pid(&self) -> Option<i32> {
        let children = format!("/proc/{0}/task/{0}/children", self.pid());
        std::fs::read_to_string(children).ok()?.split_whitespace().next()?.parse().ok()
    }

    /// Lines on stderr so far.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.lines.lock().expect("no test panics with the lock");
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.as_str().into())).collect()
    }

    /// Lines that tell of `event`.
    pub fn events(&self, event: &str) -> Vec<Value> {
        self.log().into_iter().filter(|line| line["event"] == event).collect()
    }

    pub fn signal(pid: i32, signal: i32) {
        // SAFETY: no memory is involved; the process is a child of this test's worker.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "signal {signal} to {pid}");
    }

    /// Waits for the end of the worker and of its log, and gives the exit code.
    pub fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + SOON;
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("the worker can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "the worker does not end: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        };
        self.wait_for("end of the log", || self.reader.is_finished());
        status.code()
    }

    /// Waits until `condition` holds.
    pub fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + SOON;
        while !condition() {
            assert!(Instant::now() < deadline, "no {what}: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The render process ends with its supervisor. Both calls fail only when it ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Settings of one isolate without a limit that a test would meet by accident on a busy machine.
pub fn start() -> Start {
    let limits = WorkerLimits {
        cpu_ms: 5_000,
        wall_ms: 30_000,
        heap_mb: 128,
        concurrency: 256,
        queue: 1_024,
        queue_ms: 20_000,
        request_mb: 10,
        response_mb: 50,
        client_stall_ms: 30_000,
        stream_idle_ms: 60_000,
        subrequests: 50,
        log_lines_per_s: 1_000,
        isolates: 1,
        isolate_per_request: false,
    };
    let settings = WorkerSettings {
        entry: "server/index.js".to_owned(),
        contract: Contract::Fetch,
        warm: Vec::new(),
        host: "probe.localhost".to_owned(),
        limits,
    };
    Start { settings, env: Vec::new(), is_accepted: false }
}
