//! What a worker's container gives away: nothing.

use crate::rig::{Kind, Rig, docker, inspect, ours, run};
use bollard::query_parameters::RemoveImageOptions;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;
use vitrine::container::{Engine, worker_uid};
use vitrine::id::InstanceId;

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

/// This program in place of the worker, under the very same policy: one that ends at once, then one that attacks.
pub fn hostile() {
    run(async {
        let _listener = abstract_listener();
        let rig = Rig::new();
        let mut options = rig.options(Kind::Container);
        options.worker = std::env::current_exe().unwrap();
        let engine = Engine::spawn(options).unwrap();
        fails(&rig, &engine).await;
        let spec = rig.spec();
        engine.start(spec.clone()).await.unwrap();
        let docker = docker().await;
        let container = ours(&docker, &rig.host_id).await.remove(0);
        let image = inspect(&docker, &container).await["Image"].as_str().unwrap().to_owned();
        let lines = attempts(&engine, &spec.instance).await;
        engine.stop(&spec.instance, 0).await.unwrap();
        docker.remove_image(&image, None::<RemoveImageOptions>, None).await.unwrap();
        let allowed: Vec<_> = lines.iter().filter(|line| line.starts_with("ALLOWED")).collect();
        assert!(allowed.is_empty(), "{allowed:#?}");
        let denied = lines.iter().filter(|line| line.starts_with("denied")).count();
        eprintln!("{denied} attempts, all denied");
        assert!(denied >= 60, "{denied}: {lines:#?}");
    });
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
async fn attempts(engine: &Engine, instance: &InstanceId) -> Vec<String> {
    for _ in 0..100 {
        let lines = engine.logs(instance, 200).await.unwrap();
        if lines.iter().any(|line| line == "end") {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the hostile program did not come to its end: {:#?}", engine.logs(instance, 200).await);
}

/// A service of this machine that has no place in the file system.
fn abstract_listener() -> UnixListener {
    let address = SocketAddr::from_abstract_name(crate::hostile::ABSTRACT_NAME).unwrap();
    UnixListener::bind_addr(&address).unwrap()
}
