//! What a worker's container may do: a pure function of its specification.

use super::StartSpec;
use super::layout::worker_uid;
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountBindOptions, MountBindOptionsPropagationEnum, MountType, ResourcesUlimits, RestartPolicy,
    RestartPolicyNameEnum,
};
use std::collections::HashMap;
use std::path::Path;
use vitrine_core::id::InstanceId;
use vitrine_core::limits::{WORKER_FILES_MAX, WORKER_LOG_FILE_BYTES, WORKER_LOG_FILES};

/// System calls that a worker may make.
pub(crate) const SECCOMP: &str = include_str!("../../containers/seccomp.json");

/// Label with the host that started a container: what has another one is never listed, stopped or removed.
pub(crate) const LABEL_HOST: &str = "vitrine.host";
/// Label with the instance.
pub(crate) const LABEL_INSTANCE: &str = "vitrine.instance";
/// Label with the release.
pub(crate) const LABEL_RELEASE: &str = "vitrine.release";
/// Label with the specification's hash.
pub(crate) const LABEL_SPEC: &str = "vitrine.spec";

/// Path of the worker binary in the image.
pub(crate) const WORKER_PATH: &str = "/bin/vitrine-worker";
/// Path of the host binary in the image, for `vitrine solo`.
pub(crate) const HOST_PATH: &str = "/bin/vitrine";
/// Where a worker finds the folder of its sockets.
const SOCKETS_PATH: &str = "/run/vitrine";
/// Where a worker finds its bundle.
const BUNDLE_PATH: &str = "/bundle";
/// Where a worker finds the snapshot of its app.
const SNAPSHOT_PATH: &str = "/snapshot";
/// Docker copies the host's own versions of these into every container, also into one without a network.
const EMPTY_FILES: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"];
/// When the host is out of memory the kernel ends workers before it ends the edge.
const OOM_SCORE: i64 = 500;
/// Workers that reserve no cores weigh the same when cores are short, whatever Docker's default is.
const CPU_SHARES: i64 = 1000;
/// Weight of one core that is reserved, as ECS has it.
const CPU_SHARES_OF_A_CORE: f64 = 1024.0;
/// The least that the kernel takes.
const CPU_SHARES_MIN: i64 = 2;

/// What the container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// The worker.
    Serve,
    /// Print the worker's version and end: proves that this host can run workers.
    Version,
}

/// Where things are on this host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Id of this host.
    pub host: &'a str,
    /// Id of the image.
    pub image: &'a str,
    /// Docker's runtime; its default, if absent.
    pub runtime: Option<&'a str>,
    /// Folder of the sockets.
    pub sockets: &'a Path,
    /// Folder of the bundle's files.
    pub bundle: &'a Path,
    /// File of the app's snapshot.
    pub snapshot: Option<&'a Path>,
}

/// Name of an instance's container.
#[must_use]
pub(crate) fn container_name(host: &str, instance: &InstanceId) -> String {
    let short: String = host.chars().take(8).collect();
    format!("vitrine-{short}-{instance}")
}

/// Arguments of `vitrine-worker` for serving a release.
#[must_use]
pub(crate) fn supervise_arguments(
    spec: &StartSpec,
    sockets: &Path,
    bundle: &Path,
    snapshot: Option<&Path>,
) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    let mut arguments = [
        "supervise",
        "--sockets",
        &text(sockets),
        "--bundle",
        &text(bundle),
        "--release",
        &spec.release.to_string(),
        "--spec-hash",
        &spec.spec_hash.to_string(),
    ]
    .map(String::from)
    .to_vec();
    if let (Some(path), Some(sha256)) = (snapshot, spec.snapshot) {
        arguments
            .extend(["--snapshot", &text(path), "--snapshot-sha256", &sha256.to_string()].map(String::from));
    }
    arguments
}

/// The whole container of a worker.
#[must_use]
pub(crate) fn container(spec: &StartSpec, task: Task, place: &Place<'_>) -> ContainerCreateBody {
    let uid = worker_uid(&spec.instance);
    let arguments = match task {
        Task::Serve => {
            let snapshot = place.snapshot.map(|_| Path::new(SNAPSHOT_PATH));
            supervise_arguments(spec, Path::new(SOCKETS_PATH), Path::new(BUNDLE_PATH), snapshot)
        }
        Task::Version => vec!["--version".into()],
    };
    ContainerCreateBody {
        image: Some(place.image.into()),
        hostname: Some("worker".into()),
        user: Some(format!("{uid}:{uid}")),
        entrypoint: Some(vec![WORKER_PATH.into()]),
        cmd: Some(arguments),
        env: Some(Vec::new()),
        working_dir: Some("/".into()),
        labels: Some(labels(spec, place.host)),
        network_disabled: Some(true),
        stop_signal: Some("SIGTERM".into()),
        // The host asks over the socket: a probe of Docker's is a process in the container each time.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".into()]), ..Default::default() }),
        attach_stdin: Some(false),
        open_stdin: Some(false),
        tty: Some(false),
        host_config: Some(host_config(spec, place)),
        ..Default::default()
    }
}

fn labels(spec: &StartSpec, host: &str) -> HashMap<String, String> {
    HashMap::from([
        (LABEL_HOST.into(), host.into()),
        (LABEL_INSTANCE.into(), spec.instance.to_string()),
        (LABEL_RELEASE.into(), spec.release.to_string()),
        (LABEL_SPEC.into(), spec.spec_hash.to_string()),
    ])
}

fn cpu_shares(cpu_reservation: f64) -> i64 {
    if cpu_reservation > 0.0 {
        ((cpu_reservation * CPU_SHARES_OF_A_CORE) as i64).max(CPU_SHARES_MIN)
    } else {
        CPU_SHARES
    }
}

fn host_config(spec: &StartSpec, place: &Place<'_>) -> HostConfig {
    let bytes = |mb: u64| i64::try_from(mb << 20).unwrap_or(i64::MAX);
    let (resources, memory) = (&spec.resources, bytes(spec.resources.memory_mb));
    HostConfig {
        runtime: place.runtime.map(String::from),
        network_mode: Some("none".into()),
        ipc_mode: Some("none".into()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        readonly_rootfs: Some(true),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".into()]),
        cap_add: Some(Vec::new()),
        security_opt: Some(vec!["no-new-privileges".into(), format!("seccomp={SECCOMP}")]),
        devices: Some(Vec::new()),
        device_cgroup_rules: Some(Vec::new()),
        mounts: Some(mounts(place)),
        memory: Some(memory),
        memory_swap: Some(memory),
        memory_reservation: Some(bytes(resources.memory_reservation_mb.min(resources.memory_mb))),
        nano_cpus: Some(if resources.cpus > 0.0 { (resources.cpus * 1e9) as i64 } else { 0 }),
        pids_limit: Some(resources.pids),
        oom_score_adj: Some(OOM_SCORE),
        ulimits: Some(ulimits(place.runtime)),
        cpu_shares: Some(cpu_shares(resources.cpu_reservation)),
        // A worker's own supervisor is PID 1 and reaps; Docker must never bring an old release back by itself.
        init: Some(false),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        auto_remove: Some(false),
        log_config: Some(log_config()),
        ..Default::default()
    }
}

fn ulimits(runtime: Option<&str>) -> Vec<ResourcesUlimits> {
    let mut ulimits = vec![ulimit("nofile", WORKER_FILES_MAX), ulimit("core", 0), ulimit("msgqueue", 0)];
    // No byte into any file: the folder of its sockets is the only one that a worker could write to, and it is the host's
    // disk. Kernels of other runtimes take the pipe of its output for a file, too.
    if runtime.is_none() {
        ulimits.push(ulimit("fsize", 0));
    }
    ulimits
}

fn ulimit(name: &str, bound: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.into()), soft: Some(bound), hard: Some(bound) }
}

/// Non-blocking, so that a Docker that hangs can't hold up a worker that writes.
fn log_config() -> HostConfigLogConfig {
    let options = [
        ("max-size", WORKER_LOG_FILE_BYTES.to_string()),
        ("max-file", WORKER_LOG_FILES.to_string()),
        ("mode", "non-blocking".into()),
    ];
    HostConfigLogConfig {
        typ: Some("json-file".into()),
        config: Some(options.into_iter().map(|(name, value)| (name.into(), value)).collect()),
    }
}

fn mounts(place: &Place<'_>) -> Vec<Mount> {
    let bind = |source: &Path, target: &str, read_only| Mount {
        typ: Some(MountType::BIND),
        source: Some(source.display().to_string()),
        target: Some(target.into()),
        read_only: Some(read_only),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::RPRIVATE),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut mounts = vec![bind(place.sockets, SOCKETS_PATH, false), bind(place.bundle, BUNDLE_PATH, true)];
    mounts.extend(place.snapshot.map(|snapshot| bind(snapshot, SNAPSHOT_PATH, true)));
    mounts.extend(EMPTY_FILES.map(|file| bind(Path::new("/dev/null"), file, true)));
    mounts
}

#[cfg(test)]
mod tests;
