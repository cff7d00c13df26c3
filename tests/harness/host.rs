//! A real `vitrine serve` on free ports with a data folder of its own.

use super::cli::Cli;
use super::http::Request;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time for `ready`: a debug build on a busy machine, with releases to boot.
const READY: Duration = Duration::from_secs(90);
/// Time for SIGTERM to end it: the drain is bounded by 30 s.
const STOP: Duration = Duration::from_secs(45);

/// A running host; ended when dropped.
#[derive(Debug)]
pub struct Host {
    /// Its public side.
    pub edge: SocketAddr,
    /// Its admin side.
    pub admin: SocketAddr,
    /// What `ready` says about isolation.
    pub isolation: String,
    child: Child,
    folder: Option<TempDir>,
}

impl Host {
    /// Starts one in process isolation.
    pub fn start() -> Self {
        Self::start_with(&["--isolation", "process"])
    }

    /// Starts one with these flags.
    pub fn start_with(flags: &[&str]) -> Self {
        // Short: a Unix socket's path has at most 107 bytes.
        Self::start_in(TempDir::with_prefix_in("vt-", "/tmp").unwrap(), flags)
    }

    /// Starts one on the data of an earlier one (see [`Host::stop`]).
    pub fn start_in(folder: TempDir, flags: &[&str]) -> Self {
        let log = File::options().create(true).append(true).open(folder.path().join("host.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_vitrine"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .args(flags)
            .current_dir(folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("VITRINE_DATA")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let (send, ready) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| drop(send.send(line)))
        });
        let line = ready.recv_timeout(READY).unwrap_or_else(|_| {
            let _ = child.kill();
            let _ = child.wait();
            panic!("no `ready`; its log:\n{}", log_of(folder.path()))
        });
        let part = |name: &str| {
            let found = line.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("`{line}` has no {name}")).to_owned()
        };
        assert!(line.starts_with("ready "), "{line}");
        let address = |name| part(name).strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            edge: address("edge"),
            admin: address("admin"),
            isolation: part("isolation"),
            child,
            folder: Some(folder),
        }
    }

    /// The command line, as the user who started the host has it.
    pub fn cli(&self, args: &[&str]) -> Cli {
        Cli::new(args).env("XDG_RUNTIME_DIR", self.folder().to_str().unwrap())
    }

    /// A request to the public side, for this app's live release.
    pub fn get(&self, app: &str, path: &str) -> Request {
        Request::new(self.edge, "GET", path).header("host", &format!("{app}.localhost:{}", self.edge.port()))
    }

    /// A request to the admin side, with the token.
    pub fn call(&self, method: &str, path: &str) -> Request {
        Request::new(self.admin, method, path)
            .header("host", &self.admin.to_string())
            .header("authorization", &format!("Bearer {}", self.token()))
    }

    /// Its admin token.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.data().join("admin.token")).unwrap().trim().to_owned()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// What it wrote to stderr so far.
    pub fn log(&self) -> String {
        log_of(self.folder())
    }

    /// SIGTERM, and waits; gives its folder and whether it exited with 0.
    pub fn stop(mut self) -> (TempDir, bool) {
        let clean = self.end();
        (self.folder.take().unwrap(), clean)
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    fn end(&mut self) -> bool {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let end = Instant::now() + STOP;
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        false
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.folder.is_some() {
            self.end();
            if std::thread::panicking() {
                eprintln!("log of the host:\n{}", self.log());
            }
        }
    }
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("host.log")).unwrap_or_default()
}
