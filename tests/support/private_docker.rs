//! A Docker daemon of a rig's own: it may be killed, stopped and started again, and nobody else notices.

use super::wait::wait_until;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time for the daemon to answer after a start, or to end after a signal.
const PATIENCE: Duration = Duration::from_secs(90);

/// The daemon; it ends, with its containers, when this is dropped.
pub struct PrivateDocker {
    folder: TempDir,
    live_restore: bool,
    daemon: Option<Child>,
}

/// Whether such a daemon can run here; says that a test is skipped if not.
pub fn can_run() -> bool {
    let there = Command::new("dockerd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let can = there.is_ok_and(|status| status.success()) && nix::unistd::geteuid().is_root();
    if !can {
        println!("SKIPPED: a Docker daemon of its own needs root and dockerd");
    }
    can
}

impl PrivateDocker {
    /// Starts one.
    pub fn start(live_restore: bool) -> Self {
        let folder = TempDir::with_prefix_in("vd-", "/tmp").unwrap();
        let mut docker = Self { folder, live_restore, daemon: None };
        docker.run();
        docker
    }

    /// What `DOCKER_HOST` is to say.
    pub fn address(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// Starts the daemon again; gives the time until it answers.
    pub fn run(&mut self) -> Duration {
        let begun = Instant::now();
        // A daemon that was killed leaves both behind, and the next one takes them for those of a living one.
        for left in ["docker.pid", "exec/containerd/containerd.pid"] {
            let _ = fs::remove_file(self.path(left));
        }
        let log = File::options().create(true).append(true).open(self.path("dockerd.log")).unwrap();
        let path = |name: &str| self.path(name).display().to_string();
        let mut command = Command::new("dockerd");
        command.args(["--data-root", &path("data"), "--exec-root", &path("exec")]);
        command.args(["--pidfile", &path("docker.pid"), "--host", &self.address()]);
        command.args(["--bridge=none", "--iptables=false"]);
        if self.live_restore {
            command.arg("--live-restore");
        }
        let daemon =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.daemon = Some(daemon);
        wait_until("the daemon answers", PATIENCE, || self.docker(&["info"]).is_some().then_some(()));
        begun.elapsed()
    }

    /// Ends the daemon at once.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Asks the daemon to end, and waits until it has.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut daemon) = self.daemon.take() else { return };
        send(signal, daemon.id());
        let end = Instant::now() + PATIENCE;
        while daemon.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                let _ = daemon.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets the daemon stand still until [`PrivateDocker::go_on`].
    pub fn hang(&self) {
        send("STOP", self.daemon.as_ref().unwrap().id());
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        send("CONT", self.daemon.as_ref().unwrap().id());
    }

    /// Every container's id, state and start.
    pub fn containers(&self) -> Vec<String> {
        let ids = self.docker(&["ps", "--all", "--quiet", "--no-trunc"]).unwrap_or_default();
        let told = |id: &str| {
            self.docker(&[
                "inspect",
                "--format",
                "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.Name}}",
                id,
            ])
        };
        let mut told: Vec<String> = ids.lines().filter_map(told).map(|line| line.trim().to_owned()).collect();
        told.sort();
        told
    }

    /// A call of the command line; none if it fails.
    pub fn docker(&self, arguments: &[&str]) -> Option<String> {
        let ran = Command::new("timeout")
            .args(["20", "docker", "--host", &self.address()])
            .args(arguments)
            .stderr(Stdio::null())
            .output()
            .unwrap();
        ran.status.success().then(|| String::from_utf8(ran.stdout).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whatever runs on behalf of this daemon: containerd, shims.
    fn helpers(&self) -> Vec<u32> {
        let own = self.folder.path().display().to_string();
        let pids = fs::read_dir("/proc").unwrap().map_while(Result::ok);
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let names = |pid: &u32| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let text = String::from_utf8_lossy(&arguments).into_owned();
            text.contains(&own) && ["containerd", "dockerd"].iter().any(|name| text.contains(name))
        };
        pids.filter(names).collect()
    }
}

impl Drop for PrivateDocker {
    fn drop(&mut self) {
        if self.daemon.is_some() {
            self.go_on();
            let left = self.docker(&["ps", "--all", "--quiet"]).unwrap_or_default();
            for id in left.lines() {
                self.docker(&["rm", "--force", id]);
            }
        }
        self.stop();
        for pid in self.helpers() {
            send("KILL", pid);
        }
        // Mounts of what was killed keep their folders from being removed.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let below = |line: &str| {
            let place = line.split(' ').nth(1)?.to_owned();
            Path::new(&place).starts_with(self.folder.path()).then_some(place)
        };
        for place in mounts.lines().filter_map(below).collect::<Vec<_>>().into_iter().rev() {
            let _ = Command::new("umount").args(["--lazy", &place]).status();
        }
    }
}

/// A process that has ended can't be signalled, which is as good.
fn send(signal: &str, pid: u32) {
    let _ = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
}
