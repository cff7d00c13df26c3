//! Section 5 of the CIS Docker Benchmark, over `docker inspect` of every container that a host starts.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;

/// A recommendation: number, what it asks for, whether a container has it.
type Check = (&'static str, &'static str, fn(&Value) -> bool);

fn text<'a>(container: &'a Value, pointer: &str) -> &'a str {
    container.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(container: &Value, pointer: &str) -> i64 {
    container.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

fn is_empty(container: &Value, pointer: &str) -> bool {
    match container.pointer(pointer) {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

fn options(container: &Value) -> Vec<&str> {
    let list = container.pointer("/HostConfig/SecurityOpt").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn mounts(container: &Value) -> impl Iterator<Item = &Value> {
    container["Mounts"].as_array().into_iter().flatten()
}

/// Folders of the host that no container should see; `/dev/null` over a file hides one.
fn sensitive(mount: &Value) -> bool {
    let source = mount["Source"].as_str().unwrap_or_default();
    let folders = ["/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr"];
    source == "/"
        || (source != "/dev/null" && folders.iter().any(|folder| Path::new(source).starts_with(folder)))
}

const CHECKS: &[Check] = &[
    ("5.1", "swarm mode is not on for it", |it| is_empty(it, "/Config/Labels/com.docker.swarm.service.id")),
    ("5.2", "an AppArmor profile", |it| !matches!(text(it, "/AppArmorProfile"), "" | "unconfined")),
    ("5.3", "SELinux options", |it| options(it).iter().any(|option| option.starts_with("label"))),
    ("5.4", "no capabilities beyond those needed", |it| {
        is_empty(it, "/HostConfig/CapAdd")
            && it.pointer("/HostConfig/CapDrop") == Some(&serde_json::json!(["ALL"]))
    }),
    ("5.5", "not privileged", |it| it.pointer("/HostConfig/Privileged") == Some(&Value::Bool(false))),
    ("5.6", "no sensitive folder of the host", |it| !mounts(it).any(sensitive)),
    ("5.7", "no sshd", |it| text(it, "/Path") == "/bin/vitrine-worker"),
    ("5.8", "no privileged port", |it| is_empty(it, "/HostConfig/PortBindings")),
    ("5.9", "no port that is not needed", |it| {
        is_empty(it, "/Config/ExposedPorts") && is_empty(it, "/NetworkSettings/Ports")
    }),
    ("5.10", "not the host's network", |it| text(it, "/HostConfig/NetworkMode") != "host"),
    ("5.11", "a memory limit", |it| number(it, "/HostConfig/Memory") > 0),
    ("5.12", "a CPU priority", |it| number(it, "/HostConfig/CpuShares") > 0),
    ("5.13", "a read-only root", |it| it.pointer("/HostConfig/ReadonlyRootfs") == Some(&Value::Bool(true))),
    ("5.14", "no traffic on every interface", |it| is_empty(it, "/HostConfig/PortBindings")),
    ("5.15", "restarts bounded", |it| match text(it, "/HostConfig/RestartPolicy/Name") {
        "no" => true,
        "on-failure" => (1..=5).contains(&number(it, "/HostConfig/RestartPolicy/MaximumRetryCount")),
        _ => false,
    }),
    ("5.16", "not the host's processes", |it| text(it, "/HostConfig/PidMode") != "host"),
    ("5.17", "not the host's IPC", |it| text(it, "/HostConfig/IpcMode") == "none"),
    ("5.18", "no device of the host", |it| {
        is_empty(it, "/HostConfig/Devices") && is_empty(it, "/HostConfig/DeviceCgroupRules")
    }),
    ("5.19", "ulimits of its own", |it| !is_empty(it, "/HostConfig/Ulimits")),
    ("5.20", "no shared mount", |it| {
        !mounts(it).any(|mount| mount["Propagation"].as_str().is_some_and(|kind| kind.contains("shared")))
    }),
    ("5.21", "not the host's UTS namespace", |it| text(it, "/HostConfig/UTSMode") != "host"),
    ("5.22", "a seccomp profile", |it| {
        options(it).iter().any(|option| option.starts_with("seccomp=") && *option != "seccomp=unconfined")
    }),
    ("5.23", "no privileged exec", |it| is_empty(it, "/ExecIDs")),
    ("5.24", "no exec as root", |it| {
        is_empty(it, "/ExecIDs") && !matches!(text(it, "/Config/User"), "" | "0" | "root" | "0:0")
    }),
    ("5.25", "the engine's own cgroup", |it| is_empty(it, "/HostConfig/CgroupParent")),
    ("5.26", "no new privileges", |it| {
        options(it).iter().any(|option| option.starts_with("no-new-privileges"))
    }),
    ("5.27", "a health check", |it| !is_empty(it, "/Config/Healthcheck/Test")),
    ("5.28", "the present image, by its id", |it| text(it, "/Config/Image") == text(it, "/Image")),
    ("5.29", "a bound of processes", |it| number(it, "/HostConfig/PidsLimit") > 0),
    ("5.30", "not the default bridge", |it| text(it, "/HostConfig/NetworkMode") == "none"),
    ("5.31", "not the host's user namespace", |it| text(it, "/HostConfig/UsernsMode") != "host"),
    ("5.32", "no Docker socket", |it| !mounts(it).any(|mount| mount.to_string().contains("docker.sock"))),
];

/// What can't be had, with its reason.
fn excused() -> BTreeMap<&'static str, &'static str> {
    let mut excused = BTreeMap::new();
    let says_yes = |path: &str| std::fs::read_to_string(path).is_ok_and(|text| text.starts_with('Y'));
    if !says_yes("/sys/module/apparmor/parameters/enabled") {
        excused.insert("5.2", "this kernel has no AppArmor");
    }
    if !Path::new("/sys/fs/selinux/enforce").exists() {
        excused.insert("5.3", "this kernel has no SELinux");
    }
    excused.insert(
        "5.27",
        "the host asks each worker itself, over its socket; an exec by Docker would need a program more",
    );
    excused
}

fn failed(container: &Value) -> Vec<&'static str> {
    CHECKS.iter().filter(|(_, _, holds)| !holds(container)).map(|(number, ..)| *number).collect()
}

#[test]
fn no_container_fails_a_check_of_section_5() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    let data = host.data();
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        // Throw-away containers, too: looked for all the time that the deploys take.
        let looking = scope.spawn(|| {
            let mut seen = BTreeMap::new();
            loop {
                // Those that the deploys have left are looked at once, however long a look takes.
                let is_last = done.load(Ordering::Relaxed);
                seen.extend(docker::containers_of(&data).into_iter().map(|one| (one["Id"].to_string(), one)));
                if is_last {
                    return seen;
                }
            }
        });
        host.deploy("shop", "one", &["--version", "v1"]);
        host.deploy("blog", "one", &["--version", "v1"]);
        host.deploy("shop", "two", &["--version", "v2"]);
        done.store(true, Ordering::Relaxed);
        looking.join().unwrap()
    });
    assert!(seen.len() >= 3, "{}", seen.len());
    let excused = excused();
    for container in seen.values() {
        let mut failed = failed(container);
        failed.retain(|number| !excused.contains_key(number));
        let what: Vec<_> = CHECKS
            .iter()
            .filter(|(number, ..)| failed.contains(number))
            .map(|(number, what, _)| (number, what))
            .collect();
        assert!(what.is_empty(), "{what:?} in {container}");
    }
    println!("{} containers, {} checks each, 0 failed; not counted: {excused:?}", seen.len(), CHECKS.len());
}

/// Creates a container that is never started, and gives `docker inspect` of it.
fn created(name: &str, arguments: &[&str]) -> Value {
    docker_says(&[&["create", "--name", name], arguments].concat());
    serde_json::from_str::<Value>(&docker_says(&["inspect", name])).unwrap()[0].clone()
}

fn docker_says(arguments: &[&str]) -> String {
    let done = std::process::Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

/// The checks tell: a container as `docker run` makes it by default fails in numbers.
#[test]
fn a_container_of_dockers_defaults_fails_many() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    let image = docker::containers_of(&host.data())[0]["Image"].as_str().unwrap().to_owned();
    let name = format!("vitrine-test-{}", std::process::id());
    let container = created(&name, &["--network", "host", "--pid", "host", &image]);
    let failed = failed(&container);
    docker_says(&["rm", "--force", &name]);
    for number in ["5.4", "5.10", "5.11", "5.12", "5.13", "5.16", "5.22", "5.26", "5.29"] {
        assert!(failed.contains(&number), "{number} is not among {failed:?}");
    }
}
