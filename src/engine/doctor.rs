//! What an operator should know about this machine before trusting it with workers.
//!
//! Bad is what makes a promise false: a worker that can't be locked down or bounded, a host that can't start, a disk without room.
//! Everything else that is not as it should be is a warning.

mod machine;
mod versions;

use super::docker::{connect, within};
use super::failure::Failure;
use super::options::{docker_socket, worker_binary};
use bollard::models::{SystemInfo, SystemVersion};
use serde::Serialize;
use std::path::{Path, PathBuf};
use vitrine_core::limits::ENGINE_READ_TIMEOUT_MS;

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works, and something is lost.
    Warning,
    /// It does not work, or not safely.
    Bad,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How good it is.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// What to do, unless it is good.
    pub advice: Option<&'static str>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, grade: Grade::Good, found: found.into(), advice: None }
    }

    fn of(name: &'static str, found: impl Into<String>, grade: Grade, advice: &'static str) -> Self {
        Self { name, grade, found: found.into(), advice: Some(advice) }
    }

    fn unless(
        good: bool,
        name: &'static str,
        found: impl Into<String>,
        grade: Grade,
        advice: &'static str,
    ) -> Self {
        if good { Self::good(name, found) } else { Self::of(name, found, grade, advice) }
    }
}

/// Looks at Docker behind this socket (else where the environment says), at the worker binary, at the kernel and at the disk of
/// the data folder. Changes nothing.
pub async fn doctor(socket: Option<PathBuf>, data: &Path) -> Vec<Check> {
    let finding = |grade, found, advice| vec![Check::of("docker", found, grade, advice)];
    let mut checks = match socket.map_or_else(docker_socket, Ok) {
        Err(err) => finding(Grade::Bad, err.to_string(), "a host does not start with this DOCKER_HOST"),
        Ok(socket) => match docker(&socket).await {
            Ok((version, info)) => docker_checks(&version, &info),
            Err(err) => {
                finding(Grade::Warning, err.chain(), "workers run as locked-down processes without it")
            }
        },
    };
    checks.extend(std::env::current_exe().ok().map(|program| worker_check(&worker_binary(&program))));
    checks.extend(machine::checks(data));
    checks
}

fn worker_check(worker: &Path) -> Check {
    let found = worker.display().to_string();
    let advice = "this is no file: put vitrine-worker beside vitrine, or name it with VITRINE_WORKER";
    Check::unless(worker.is_file(), "vitrine-worker", found, Grade::Bad, advice)
}

async fn docker(socket: &Path) -> Result<(SystemVersion, SystemInfo), Failure> {
    let client = connect(socket).await?;
    let version = within("tell its version", ENGINE_READ_TIMEOUT_MS, client.version()).await?;
    let info = within("describe itself", ENGINE_READ_TIMEOUT_MS, client.info()).await?;
    Ok((version, info))
}

fn docker_checks(version: &SystemVersion, info: &SystemInfo) -> Vec<Check> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let live_restore = info.live_restore_enabled == Some(true);
    let options = info.security_options.clone().unwrap_or_default();
    let seccomp = options.iter().any(|option| option.contains("seccomp"));
    let bounds = [("memory", info.memory_limit), ("pids", info.pids_limit), ("cpu", info.cpu_cfs_quota)]
        .map(|(name, kept)| (name, kept == Some(true)));
    let told = bounds.map(|(name, kept)| if kept { name.to_owned() } else { format!("no {name}") });
    let component = |name: &str| {
        let found = version.components.iter().flatten().find(|component| component.name == name);
        found.map_or_else(|| "unknown".into(), |component| component.version.clone())
    };
    vec![
        versions::docker(&text(&version.version), &text(&version.api_version)),
        versions::containerd(&component("containerd")),
        versions::runc(&component("runc")),
        Check::unless(
            live_restore,
            "live-restore",
            if live_restore { "on" } else { "off" },
            Grade::Warning,
            "set \"live-restore\": true in /etc/docker/daemon.json: without it a restart of Docker ends every worker",
        ),
        Check::unless(
            bounds.iter().all(|(_, kept)| *kept),
            "worker bounds",
            told.join(", "),
            Grade::Bad,
            "mount the memory, pids and cpu controllers: without them a worker's limits are not kept",
        ),
        Check::unless(
            seccomp,
            "docker seccomp",
            options.join(", "),
            Grade::Bad,
            "use a Docker with seccomp: workers are started with a list of system calls",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_docker_is_a_finding_and_no_failure() {
        let checks = doctor(Some("/nonexistent/docker.sock".into()), Path::new("data")).await;
        assert_eq!((checks[0].name, checks[0].grade), ("docker", Grade::Warning));
        assert!(checks[0].found.contains("/nonexistent/docker.sock"), "{checks:?}");
        assert!(checks.iter().any(|check| check.name == "landlock"));
        assert!(checks.iter().all(|check| (check.grade == Grade::Good) == check.advice.is_none()));
    }

    #[test]
    fn what_a_docker_lacks_is_told() {
        let info: SystemInfo = serde_json::from_value(serde_json::json!({
            "LiveRestoreEnabled": false, "MemoryLimit": true, "PidsLimit": false, "CpuCfsQuota": true,
            "CgroupVersion": "1", "SecurityOptions": ["name=seccomp,profile=default"],
        }))
        .unwrap();
        let version: SystemVersion = serde_json::from_value(serde_json::json!({
            "Version": "28.2.2", "ApiVersion": "1.50",
            "Components": [{"Name": "runc", "Version": "1.3.3"}, {"Name": "containerd", "Version": "v2.1.5"}],
        }))
        .unwrap();
        let checks = docker_checks(&version, &info);
        let told: Vec<_> =
            checks.iter().filter(|check| check.grade != Grade::Good).map(|check| check.name).collect();
        assert_eq!(told, ["live-restore", "worker bounds"]);
        let bounds = checks.iter().find(|check| check.name == "worker bounds").unwrap();
        assert_eq!((bounds.grade, bounds.found.as_str()), (Grade::Bad, "memory, no pids, cpu"));
    }
}
