//! A data folder, an engine over it, and what Docker says about the result.

use bollard::query_parameters::{
    ImportImageOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_core::config::Isolation;
use vitrine_core::id::{Digest, InstanceId};
use vitrine_engine::{Engine, EngineOptions, Resources, StartSpec, docker_socket, worker_binary};

/// Which workers a test is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Container,
    Process,
}

/// Whether Docker is there at all.
pub fn docker_answers() -> Result<(), String> {
    let socket = docker_socket().map_err(|err| err.to_string())?;
    UnixStream::connect(&socket).map(drop).map_err(|err| format!("no Docker at {}: {err}", socket.display()))
}

/// A host of its own: data folder, host id, bundle.
pub struct Rig {
    pub data: TempDir,
    pub host_id: String,
    pub bundle: Digest,
}

impl Rig {
    pub fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let bundle = Digest::of(b"a bundle");
        let files = data.path().join("bundles").join(bundle.to_string()).join("files");
        std::fs::create_dir_all(files.join("server")).unwrap();
        std::fs::write(
            files.join("server/index.js"),
            "export default { fetch: () => new Response('hello') }",
        )
        .unwrap();
        Self { data, host_id: InstanceId::random().to_string(), bundle }
    }

    pub fn options(&self, kind: Kind) -> EngineOptions {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_vitrine"));
        let worker = worker_binary(&program);
        assert!(worker.exists(), "{} is missing: cargo build -p vitrine-worker", worker.display());
        EngineOptions {
            isolation: if kind == Kind::Container { Isolation::Container } else { Isolation::Process },
            data: self.data.path().into(),
            docker: docker_socket().unwrap(),
            worker,
            program,
            runtime: None,
            host_id: self.host_id.clone(),
        }
    }

    pub fn engine(&self, kind: Kind) -> Engine {
        Engine::spawn(self.options(kind)).unwrap()
    }

    pub fn spec(&self) -> StartSpec {
        StartSpec {
            instance: InstanceId::random(),
            release: "shop@v1".parse().unwrap(),
            bundle: self.bundle,
            snapshot: None,
            spec_hash: Digest::of(b"a specification"),
            resources: Resources {
                memory_mb: 256,
                memory_reservation_mb: 32,
                cpus: 1.5,
                cpu_reservation: 0.0,
                pids: 64,
            },
        }
    }

    pub fn sockets(&self, instance: &InstanceId) -> PathBuf {
        self.data.path().join("run").join(instance.as_str())
    }
}

impl Drop for Rig {
    /// Also after a failed assertion nothing stays.
    fn drop(&mut self) {
        if docker_answers().is_err() {
            return;
        }
        let host_id = self.host_id.clone();
        let cleaning = std::thread::spawn(move || {
            run(async {
                let docker = docker().await;
                for container in ours(&docker, &host_id).await {
                    let options = RemoveContainerOptionsBuilder::default().force(true).build();
                    let _ = docker.remove_container(&container, Some(options)).await;
                }
            });
        });
        let _ = cleaning.join();
    }
}

/// Runs a test's future; a test that hangs fails.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(400), test).await };
    runtime.block_on(bounded).expect("the test ends within 400 s")
}

pub async fn docker() -> Docker {
    let path = docker_socket().unwrap().display().to_string();
    Docker::connect_with_unix(&path, 60, API_DEFAULT_VERSION).unwrap().negotiate_version().await.unwrap()
}

/// Gives Docker an image of the year 2000 with nothing but this label, of value `worker`; gives its name.
pub async fn load_empty_image(docker: &Docker, label: &str) -> String {
    let name = format!("vitrine-test:{}", InstanceId::random());
    let layer = tar::Builder::new(Vec::new()).into_inner().unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "created": "2000-01-01T00:00:00Z",
        "config": {"Labels": {(label): "worker", "name": name}},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", Digest::of(&layer))]},
    });
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
    let mut archive = tar::Builder::new(Vec::new());
    let files = [
        ("config.json", config.to_string().into_bytes()),
        ("manifest.json", manifest.to_string().into_bytes()),
        ("layer.tar", layer),
    ];
    for (file, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, file, &content[..]).unwrap();
    }
    let body = bollard::body_full(archive.into_inner().unwrap().into());
    let loading = docker.import_image(ImportImageOptionsBuilder::default().build(), body, None);
    loading.try_collect::<Vec<_>>().await.unwrap();
    name
}

/// Ids of all containers with this host's label.
pub async fn ours(docker: &Docker, host_id: &str) -> Vec<String> {
    let filters = HashMap::from([("label", vec![format!("vitrine.host={host_id}")])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    docker
        .list_containers(Some(options))
        .await
        .unwrap()
        .into_iter()
        .filter_map(|container| container.id)
        .collect()
}

/// Everything that Docker says about a container.
pub async fn inspect(docker: &Docker, container: &str) -> serde_json::Value {
    let details = docker.inspect_container(container, None::<InspectContainerOptions>).await.unwrap();
    serde_json::to_value(details).unwrap()
}

/// Process ids of this test's engine processes.
pub fn engine_pids(data: &Path) -> Vec<i32> {
    let data = data.display().to_string();
    children_matching(|arguments| arguments.iter().any(|word| word == "engine") && arguments.contains(&data))
}

/// Process ids of workers below this folder.
pub fn worker_pids(data: &Path) -> Vec<i32> {
    let data = data.display().to_string();
    children_matching(|arguments| {
        arguments.get(1).is_some_and(|verb| verb == "supervise" || verb == "render")
            && arguments.iter().any(|word| word.starts_with(&data))
    })
}

fn children_matching(wanted: impl Fn(&[String]) -> bool) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").unwrap();
    let pids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<String> =
            line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        wanted(&arguments)
    })
    .collect()
}

/// Waits until it holds; fails with `what` after 15 s.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..300 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 15 s: {what}");
}
