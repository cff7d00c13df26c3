//! Docker, as an operator's command line shows it.

use serde_json::Value;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Whether containers can be had; says that a test is skipped if not.
pub fn is_there() -> bool {
    let info = Command::new("docker").arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = info.is_ok_and(|status| status.success());
    if !there {
        println!("SKIPPED: no Docker answers");
    }
    there
}

/// `docker inspect` of every container, running or not, that has a folder of this data folder mounted.
pub fn containers_of(data: &Path) -> Vec<Value> {
    let ids = output(&["ps", "--all", "--quiet", "--no-trunc", "--filter", "name=vitrine-"]);
    let of_data = |container: &Value| {
        let mounts = container["Mounts"].as_array()?;
        let below =
            |mount: &Value| mount["Source"].as_str().is_some_and(|path| Path::new(path).starts_with(data));
        mounts.iter().any(below).then(|| container.clone())
    };
    // Other tests' containers come and go: each is asked for by itself, and may be gone.
    let inspected =
        ids.lines().filter_map(|id| serde_json::from_str::<Value>(&output(&["inspect", id])).ok());
    inspected.filter_map(|found| of_data(found.get(0)?)).collect()
}

/// A container with these labels that was not started, of any image that is there; none without an image.
pub fn create(labels: &[&str]) -> Option<Value> {
    let image = output(&["images", "--quiet", "--no-trunc"]).lines().next()?.to_owned();
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    let args: Vec<&str> =
        ["create", "--network", "none"].into_iter().chain(labels).chain([image.as_str(), "-"]).collect();
    inspect(output(&args).trim())
}

/// `docker inspect` of one container, if it is there.
pub fn inspect(id: &str) -> Option<Value> {
    serde_json::from_str::<Value>(&output(&["inspect", id])).ok()?.get(0).cloned()
}

/// Removes a container.
pub fn remove(container: &Value) {
    output(&["rm", "--force", container["Id"].as_str().unwrap()]);
}

/// Ends a container at once.
pub fn kill(container: &Value) {
    output(&["kill", container["Id"].as_str().unwrap()]);
}

/// Freezes every process of a container.
pub fn pause(container: &Value) {
    output(&["pause", container["Id"].as_str().unwrap()]);
}

fn output(args: &[&str]) -> String {
    let done = Command::new("docker").args(args).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

/// Fills the memory group of a container with processes that are smaller than what runs there, so that the kernel ends the largest of
/// what runs there. `None` where the group can't be found.
pub fn eat_memory(container: &str) -> Option<MemoryEater> {
    let groups = [
        format!("/sys/fs/cgroup/memory/docker/{container}"),
        format!("/sys/fs/cgroup/docker/{container}"),
        format!("/sys/fs/cgroup/system.slice/docker-{container}.scope"),
    ];
    let group = groups.iter().find(|group| Path::new(group).exists())?;
    // `tail` keeps what it may have to print until its input ends.
    let script = format!(
        "echo $$ >{group}/cgroup.procs || exit; for one in $(seq {EATERS}); do \
         (head -c {EATER_BYTES} /dev/zero; exec sleep 60) | tail -c {EATER_BYTES} >/dev/null & done; wait"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).process_group(0);
    Some(MemoryEater(command.spawn().unwrap()))
}

/// Together more than any test's container may have, each less than a render process.
const EATERS: usize = 60;
const EATER_BYTES: usize = 16 << 20;

/// Ends what eats when dropped.
pub struct MemoryEater(Child);

impl Drop for MemoryEater {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}
