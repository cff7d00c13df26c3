//! A real `vitrine serve` on free ports with a data folder of its own.

use super::archive::{bundle_dir, hello};
use super::cli::Cli;
use super::http::Request;
use super::processes::{WorkerProcess, hosts_of, terminate, workers_of};
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
    /// What `ready` warns of; empty, if nothing.
    pub warning: String,
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
        Self::start_in(Self::folder_anew(), flags)
    }

    /// A folder for [`Host::start_in`] with nothing in it.
    pub fn folder_anew() -> TempDir {
        // Short: a Unix socket's path has at most 107 bytes.
        TempDir::with_prefix_in("vt-", "/tmp").unwrap()
    }

    /// Starts one on the data of an earlier one (see [`Host::stop`]).
    pub fn start_in(folder: TempDir, flags: &[&str]) -> Self {
        Self::start_with_environment(folder, flags, &[])
    }

    /// As [`Host::start_in`], at these addresses.
    pub fn start_at(folder: TempDir, addresses: [SocketAddr; 2], flags: &[&str]) -> Self {
        Self::start_at_with(folder, addresses, flags, &[])
    }

    /// As [`Host::start_at`], with these environment variables.
    pub fn start_at_with(
        folder: TempDir,
        addresses: [SocketAddr; 2],
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::launch(folder, addresses, flags, environment)
            .unwrap_or_else(|folder| panic!("no `ready`; its log:\n{}", log_of(folder.path())))
    }

    /// As [`Host::start_in`], on a machine whose Docker does not answer.
    pub fn start_without_docker(folder: TempDir, flags: &[&str]) -> Self {
        let nowhere = format!("unix://{}/no-docker.sock", folder.path().display());
        Self::start_with_environment(folder, flags, &[("DOCKER_HOST", &nowhere)])
    }

    /// Starts one that `FAILPOINTS` breaks on purpose.
    pub fn start_broken(folder: TempDir, flags: &[&str], failpoints: &str) -> Self {
        Self::start_with_environment(folder, flags, &[("FAILPOINTS", failpoints)])
    }

    /// Starts it with these variables in its environment.
    pub fn start_with_environment(folder: TempDir, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::try_start(folder, flags, environment)
            .unwrap_or_else(|folder| panic!("no `ready`; its log:\n{}", log_of(folder.path())))
    }

    /// Starts one that may end before it is ready; its folder then.
    pub fn try_start(folder: TempDir, flags: &[&str], environment: &[(&str, &str)]) -> Result<Self, TempDir> {
        Self::launch(folder, [SocketAddr::from(([127, 0, 0, 1], 0)); 2], flags, environment)
    }

    /// As [`Host::try_start`], at these addresses.
    pub fn try_start_at(
        folder: TempDir,
        addresses: [SocketAddr; 2],
        flags: &[&str],
    ) -> Result<Self, TempDir> {
        Self::launch(folder, addresses, flags, &[])
    }

    fn launch(
        folder: TempDir,
        [listen, admin]: [SocketAddr; 2],
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self, TempDir> {
        let log = File::options().create(true).append(true).open(folder.path().join("host.log")).unwrap();
        let mut child = Command::new(crate::program())
            .args(["serve", "--listen", &listen.to_string(), "--admin", &admin.to_string(), "--data"])
            .arg(folder.path().join("data"))
            .args(flags)
            .current_dir(folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("VITRINE_DATA")
            .envs(environment.iter().copied())
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
        let Ok(line) = ready.recv_timeout(READY) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(folder);
        };
        let find = |name: &str| line.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let part = |name| find(name).unwrap_or_else(|| panic!("`{line}` has no {name}")).to_owned();
        assert!(line.starts_with("ready "), "{line}");
        let address = |name| part(name).split_once("://").unwrap().1.parse().unwrap();
        Ok(Self {
            edge: address("edge"),
            admin: address("admin"),
            isolation: part("isolation"),
            warning: find("warning").unwrap_or_default().to_owned(),
            child,
            folder: Some(folder),
        })
    }

    /// The command line, as the user who started the host has it.
    pub fn cli(&self, args: &[&str]) -> Cli {
        Cli::new(args).env("XDG_RUNTIME_DIR", self.folder().to_str().unwrap())
    }

    /// As [`Host::cli`], at a terminal.
    pub fn cli_at_terminal(&self, args: &[&str]) -> Cli {
        Cli::at_terminal(args).env("XDG_RUNTIME_DIR", self.folder().to_str().unwrap())
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

    /// A folder for [`Host::start_in`] with this configuration in it.
    pub fn configured(toml: &str) -> TempDir {
        let folder = Self::folder_anew();
        std::fs::write(folder.path().join("vitrine.toml"), toml).unwrap();
        folder
    }

    /// Deploys a page that says `text`, and expects it to work; gives the first line of stdout.
    pub fn deploy(&self, app: &str, text: &str, flags: &[&str]) -> String {
        self.deploy_files(app, &[("server/index.js", &hello(text))], flags)
    }

    /// Deploys these files, and expects it to work; gives the first line of stdout.
    pub fn deploy_files(&self, app: &str, files: &[(&str, &str)], flags: &[&str]) -> String {
        let dir = bundle_dir(files);
        self.deploy_folder(app, dir.path(), flags)
    }

    /// Deploys this folder, and expects it to work; gives the first line of stdout.
    pub fn deploy_folder(&self, app: &str, folder: &Path, flags: &[&str]) -> String {
        let ran = self.cli(&[&["deploy", app, folder.to_str().unwrap()], flags].concat()).ok();
        ran.stdout.lines().next().unwrap_or_default().to_owned()
    }

    /// The retained releases of an app, newest first, as `vitrine releases --json` shows them.
    pub fn releases(&self, app: &str) -> Vec<serde_json::Value> {
        self.cli(&["releases", app, "--json"]).ok().json().as_array().unwrap().clone()
    }

    /// One release, as `vitrine releases --json` shows it.
    pub fn release(&self, app: &str, version: &str) -> serde_json::Value {
        let found = self.releases(app).into_iter().find(|release| release["version"] == version);
        found.unwrap_or_else(|| panic!("{app} has no {version}"))
    }

    /// Its workers in process isolation.
    pub fn workers(&self) -> Vec<WorkerProcess> {
        workers_of(&self.data())
    }

    /// Whether its process has not ended.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `vitrine upgrade`: another process takes over, behind the same addresses.
    pub fn upgrade(&self) -> Cli {
        self.cli(&["upgrade", "--json", "--data", self.data().to_str().unwrap()])
    }

    /// SIGKILL; gives its folder.
    pub fn kill(mut self) -> TempDir {
        // It has ended by itself where another took over.
        let _ = self.child.kill();
        self.child.wait().unwrap();
        hosts_of(&self.data()).into_iter().for_each(super::processes::kill);
        self.folder.take().unwrap()
    }

    /// SIGTERM, and waits; gives its folder and whether it exited with 0.
    pub fn stop(mut self) -> (TempDir, bool) {
        let clean = self.end();
        (self.folder.take().unwrap(), clean)
    }

    /// Where its data folder and its log lie.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Whether it ended in time, with exit 0 as far as that can be seen: a process that took over is no child of this one.
    fn end(&mut self) -> bool {
        let data = self.data();
        let end = Instant::now() + STOP;
        hosts_of(&data).into_iter().for_each(terminate);
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait()
                && hosts_of(&data).is_empty()
            {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        hosts_of(&data).into_iter().for_each(super::processes::kill);
        let _ = self.child.wait();
        false
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.folder.is_some() {
            self.end();
            if std::thread::panicking() {
                // Requests that went well are many, and explain nothing.
                let log = self.log();
                let went_well =
                    |line: &&str| line.contains("\"kind\":\"request\"") && line.contains("\"ok\"");
                let told: Vec<&str> = log.lines().filter(|line| !went_well(line)).collect();
                eprintln!("log of the host:\n{}", told.join("\n"));
            }
        }
    }
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("host.log")).unwrap_or_default()
}
