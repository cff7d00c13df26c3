//! What a worker's container gives away: nothing.

use crate::rig::{Kind, Rig, docker, inspect, ours, run};
use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptions,
};
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::future::Future;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;
use vitrine_core::id::InstanceId;
use vitrine_engine::{Engine, worker_uid};
use vitrine_test_support::metadata::{Metadata, accepted};

pub fn inspected() {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(Kind::Container);
        let (one, two) = (rig.spec(), rig.spec());
        engine.start(one.clone()).await.unwrap();
        engine.start(two.clone()).await.unwrap();
        assert_ne!(worker_uid(&one.instance), worker_uid(&two.instance));
        let docker = docker().await;
        for container in ours(&docker, &rig.host_id).await {
            let details = inspect(&docker, &container).await;
            let host = &details["HostConfig"];
            assert_eq!(host["NetworkMode"], "none");
            assert_eq!(host["IpcMode"], "none");
            assert_eq!(host["PidMode"], "");
            assert_eq!(host["UTSMode"], "");
            assert_eq!(host["Privileged"], false);
            assert_eq!(host["ReadonlyRootfs"], true);
            assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
            assert_eq!(host["RestartPolicy"]["Name"], "no");
            assert_eq!(host["Memory"], 256 << 20);
            assert_eq!(host["MemorySwap"], 256 << 20);
            assert_eq!(host["PidsLimit"], 64);
            assert_eq!(host["LogConfig"]["Config"]["max-size"], (2 << 20).to_string());
            let pid = details["State"]["Pid"].as_i64().unwrap();
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            for line in
                ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
            {
                assert!(status.contains(line), "{line} in\n{status}");
            }
            let uid: u32 = field(&status, "Uid:").parse().unwrap();
            assert!(uid == worker_uid(&one.instance) || uid == worker_uid(&two.instance), "{uid}");
            for file in ["resolv.conf", "hosts", "hostname"] {
                let inside = std::fs::read(format!("/proc/{pid}/root/etc/{file}")).unwrap();
                assert!(inside.is_empty(), "{file}");
            }
            assert!(!std::path::Path::new(&format!("/proc/{pid}/root/bin/sh")).exists());
        }
        engine.stop(&one.instance, 0).await.unwrap();
        engine.stop(&two.instance, 0).await.unwrap();
    });
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap()
}

/// What the hostile program must not reach, and whether it did.
struct Outside {
    _abstract: UnixListener,
    port: TcpListener,
    metadata: Option<Metadata>,
}

impl Outside {
    fn open() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        port.set_nonblocking(true).unwrap();
        let name = crate::attempts::abstract_name(port.local_addr().unwrap().port());
        Self { _abstract: abstract_listener(&name), port, metadata: Metadata::open() }
    }

    fn app(&self) -> String {
        format!("{}{}@v1", crate::hostile::APP_PREFIX, self.port.local_addr().unwrap().port())
    }

    /// Connections to this machine's port, and to the metadata service.
    fn connections(&self) -> (usize, usize) {
        (accepted(&self.port), self.metadata.as_ref().map_or(0, Metadata::connections))
    }
}

/// This program in place of the worker, under the very same policy: one that ends at once, then one that attacks.
pub fn hostile() {
    run(async {
        let outside = Outside::open();
        let rig = Rig::new();
        let mut options = rig.options(Kind::Container);
        options.worker = std::env::current_exe().unwrap();
        let engine = Engine::spawn(options).unwrap();
        fails(&rig, &engine).await;
        let mut spec = rig.spec();
        spec.release = outside.app().parse().unwrap();
        engine.start(spec.clone()).await.unwrap();
        let docker = docker().await;
        let container = ours(&docker, &rig.host_id).await.remove(0);
        let image = inspect(&docker, &container).await["Image"].as_str().unwrap().to_owned();
        let lines = attempts(|| engine.logs(&spec.instance, 200)).await;
        let uid = worker_uid(&spec.instance);
        assert!(processes_of(uid) >= 2, "the program and the child that it left");
        engine.stop(&spec.instance, 0).await.unwrap();
        assert_eq!(processes_of(uid), 0, "what it left behind ended with it");
        assert!(!rig.sockets(&spec.instance).exists());
        docker.remove_image(&image, None::<RemoveImageOptions>, None).await.unwrap();
        let allowed: Vec<_> = lines.iter().filter(|line| line.starts_with("ALLOWED")).collect();
        assert!(allowed.is_empty(), "{allowed:#?}");
        let denied = lines.iter().filter(|line| line.starts_with("denied")).count();
        println!("{denied} attempts, all denied; connections outside: {:?}", outside.connections());
        assert_eq!(denied, crate::attempts::all().count(), "{lines:#?}");
        assert_eq!(outside.connections(), (0, 0));
    });
}

/// The rig can tell: under Docker's defaults, as root and on the host's network, the same attempts work in numbers.
pub fn uncontained() {
    run(async {
        let outside = Outside::open();
        let rig = Rig::new();
        let mut options = rig.options(Kind::Container);
        options.worker = std::env::current_exe().unwrap();
        let engine = Engine::spawn(options).unwrap();
        let mut spec = rig.spec();
        spec.release = outside.app().parse().unwrap();
        engine.start(spec.clone()).await.unwrap();
        let docker = docker().await;
        let contained = ours(&docker, &rig.host_id).await.remove(0);
        let image = inspect(&docker, &contained).await["Image"].as_str().unwrap().to_owned();
        engine.stop(&spec.instance, 0).await.unwrap();
        let app = outside.app();
        let arguments = ["supervise", "--sockets", "/tmp", "--release", &app];
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            entrypoint: Some(vec!["/bin/vitrine-worker".into()]),
            cmd: Some(arguments.map(String::from).to_vec()),
            user: Some("0:0".into()),
            labels: Some(HashMap::from([("vitrine.host".into(), rig.host_id.clone())])),
            host_config: Some(HostConfig { network_mode: Some("host".into()), ..Default::default() }),
            ..Default::default()
        };
        let name = format!("vitrine-test-{}", InstanceId::random());
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        docker.create_container(Some(options), body).await.unwrap();
        docker.start_container(&name, None).await.unwrap();
        let lines = attempts(|| output(&docker, &name)).await;
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        docker.remove_container(&name, Some(options)).await.unwrap();
        docker.remove_image(&image, None::<RemoveImageOptions>, None).await.unwrap();
        let allowed: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("ALLOWED ")).collect();
        let (port, metadata) = outside.connections();
        println!("without the policy {} attempts work: {allowed:?}", allowed.len());
        for expected in [
            "ptrace",
            "chroot",
            "a file in memory",
            "shared memory",
            "AF_INET",
            "AF_NETLINK",
            "a port of this machine",
            "the abstract socket of another program",
            "write to /etc",
            "a device, made",
            "bytes into the sockets' folder",
            "more files in the sockets' folder",
            "more processes than its bound",
            "more memory than its bound",
        ] {
            assert!(allowed.contains(&expected), "`{expected}` is denied without the policy too: {lines:#?}");
        }
        assert!(allowed.len() >= 40, "{allowed:?}");
        assert_eq!(port, 1);
        assert!(outside.metadata.is_none() || metadata > 0, "{metadata}");
    });
}

/// Processes of this user.
fn processes_of(uid: u32) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let statuses = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    statuses.filter(|status| status.contains(&format!("Uid:\t{uid}\t"))).count()
}

async fn output(docker: &Docker, container: &str) -> Result<Vec<String>, bollard::errors::Error> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
    let pieces: Vec<_> = docker.logs(container, Some(options)).try_collect().await?;
    let text: String =
        pieces.into_iter().map(|piece| String::from_utf8_lossy(&piece.into_bytes()).into_owned()).collect();
    Ok(text.lines().map(String::from).collect())
}

async fn fails(rig: &Rig, engine: &Engine) {
    let mut spec = rig.spec();
    spec.release = format!("{}@v1", crate::hostile::FAILING_APP).parse().unwrap();
    let err = engine.start(spec.clone()).await.unwrap_err().to_string();
    assert!(err.contains("exit code 9") && err.contains("no use"), "{err}");
    assert!(engine.list().await.unwrap().is_empty());
    assert!(!rig.sockets(&spec.instance).exists());
}

/// Each line is one attempt; the last one says that it was the last.
async fn attempts<F, E>(mut output: impl FnMut() -> F) -> Vec<String>
where
    F: Future<Output = Result<Vec<String>, E>>,
    E: std::fmt::Debug,
{
    for _ in 0..600 {
        let lines = output().await.unwrap();
        if lines.iter().any(|line| line == "end") {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the hostile program did not come to its end: {:#?}", output().await);
}

/// A service of this machine that has no place in the file system.
fn abstract_listener(name: &str) -> UnixListener {
    let address = SocketAddr::from_abstract_name(name).unwrap();
    UnixListener::bind_addr(&address).unwrap()
}
