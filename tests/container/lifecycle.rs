//! Start, list, stop; what survives whose death.

use crate::rig::{Kind, Rig, docker, engine_pids, eventually, load_empty_image, ours, run, worker_pids};
use bollard::query_parameters::RemoveImageOptions;
use std::os::unix::net::UnixStream;
use std::time::Instant;
use vitrine_core::id::{Digest, InstanceId};
use vitrine_engine::{Engine, EngineError};

pub fn probe() {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(Kind::Container);
        let begun = Instant::now();
        engine.probe().await.unwrap();
        let first = begun.elapsed();
        let begun = Instant::now();
        engine.probe().await.unwrap();
        eprintln!("first probe {first:?} (makes the image if it is missing), second {:?}", begun.elapsed());
        let docker = docker().await;
        assert_eq!(ours(&docker, &rig.host_id).await, Vec::<String>::new());
        assert_eq!(std::fs::read_dir(rig.data.path().join("run")).unwrap().count(), 0);
    });
}

pub fn life(kind: Kind) {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(kind);
        let spec = rig.spec();
        engine.start(spec.clone()).await.unwrap();
        for socket in ["requests.sock", "control.sock"] {
            UnixStream::connect(rig.sockets(&spec.instance).join(socket)).unwrap();
        }
        let list = engine.list().await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!((&list[0].instance, &list[0].release), (&spec.instance, &spec.release));
        assert_eq!((list[0].spec_hash, list[0].running), (spec.spec_hash, true));
        let stats = engine.stats(&spec.instance).await.unwrap();
        assert!(stats.memory_bytes > 1 << 18 && stats.memory_bytes < 256 << 20, "{stats:?}");
        engine.logs(&spec.instance, 10).await.unwrap();
        engine.stop(&spec.instance, 5_000).await.unwrap();
        assert!(engine.list().await.unwrap().is_empty());
        assert!(!rig.sockets(&spec.instance).exists());
        // A second stop, and one of a worker that never was, are no errors.
        engine.stop(&spec.instance, 5_000).await.unwrap();
        engine.stop(&InstanceId::random(), 0).await.unwrap();
        assert!(matches!(
            engine.stats(&spec.instance).await,
            Err(EngineError::Failed { action: "stats", .. })
        ));
    });
}

pub fn outlives() {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(Kind::Container);
        let spec = rig.spec();
        engine.start(spec.clone()).await.unwrap();
        let pids = engine_pids(rig.data.path());
        assert_eq!(pids.len(), 1, "{pids:?}");
        // SAFETY: the process is this test's own engine.
        unsafe { libc::kill(pids[0], libc::SIGKILL) };
        eventually("the engine process is another one", || {
            engine_pids(rig.data.path()).first().is_some_and(|pid| *pid != pids[0])
        })
        .await;
        assert!(engine.list().await.unwrap()[0].running);
        drop(engine);
        eventually("the engine process ends with its host", || engine_pids(rig.data.path()).is_empty()).await;
        UnixStream::connect(rig.sockets(&spec.instance).join("control.sock")).unwrap();
        let next = rig.engine(Kind::Container);
        let adopted = next.list().await.unwrap();
        assert_eq!((adopted.len(), adopted[0].running), (1, true));
        next.stop(&spec.instance, 5_000).await.unwrap();
        assert!(next.list().await.unwrap().is_empty());
    });
}

pub fn foreign() {
    run(async {
        let (rig, other) = (Rig::new(), Rig::new());
        let engine = rig.engine(Kind::Container);
        let spec = rig.spec();
        engine.start(spec.clone()).await.unwrap();
        let stranger = other.engine(Kind::Container);
        assert!(stranger.list().await.unwrap().is_empty());
        stranger.stop(&spec.instance, 0).await.unwrap();
        assert!(matches!(stranger.logs(&spec.instance, 1).await, Err(EngineError::Failed { .. })));
        assert!(engine.list().await.unwrap()[0].running);
        engine.stop(&spec.instance, 0).await.unwrap();
    });
}

pub fn prune() {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(Kind::Container);
        let spec = rig.spec();
        // Brings the present image into Docker, and has it in a container.
        engine.start(spec.clone()).await.unwrap();
        let docker = docker().await;
        let (old, strange) =
            (load_empty_image(&docker, "vitrine.image").await, load_empty_image(&docker, "x").await);
        engine.prune().await.unwrap();
        let there = async |image: &str| docker.inspect_image(image).await.is_ok();
        assert!(!there(&old).await, "an old image of ours is still there");
        assert!(there(&strange).await, "an image without our label is gone");
        docker.remove_image(&strange, None::<RemoveImageOptions>, None).await.unwrap();
        engine.stop(&spec.instance, 0).await.unwrap();
        engine.prune().await.unwrap();
        // The present one needs no container to stay.
        let begun = Instant::now();
        engine.start(spec.clone()).await.unwrap();
        eprintln!("a start after the prune took {:?}", begun.elapsed());
        engine.stop(&spec.instance, 0).await.unwrap();
    });
}

pub fn unknown_bundle() {
    run(async {
        let rig = Rig::new();
        let engine = rig.engine(Kind::Container);
        let mut unknown = rig.spec();
        unknown.bundle = Digest::of(b"another");
        let err = engine.start(unknown).await.unwrap_err().to_string();
        assert!(err.contains("the bundle is not at"), "{err}");
    });
}

pub fn ends_with_engine() {
    run(async {
        let rig = Rig::new();
        for kill in [true, false] {
            let engine = rig.engine(Kind::Process);
            engine.start(rig.spec()).await.unwrap();
            assert!(!worker_pids(rig.data.path()).is_empty());
            if kill {
                // SAFETY: the process is this test's own engine.
                unsafe { libc::kill(engine_pids(rig.data.path())[0], libc::SIGKILL) };
            } else {
                drop(engine);
            }
            eventually("its workers are gone", || worker_pids(rig.data.path()).is_empty()).await;
        }
    });
}

pub fn no_docker() {
    run(async {
        let rig = Rig::new();
        let mut options = rig.options(Kind::Container);
        options.docker = "/nonexistent/docker.sock".into();
        let err = Engine::spawn(options).unwrap().probe().await.unwrap_err().to_string();
        assert!(err.contains("/nonexistent/docker.sock") && err.contains("start it"), "{err}");
    });
}

pub fn unknown_runtime() {
    run(async {
        let rig = Rig::new();
        let mut options = rig.options(Kind::Container);
        options.runtime = Some("nowhere".into());
        let err = Engine::spawn(options).unwrap().probe().await.unwrap_err().to_string();
        assert!(
            err.contains("no runtime `nowhere`") && err.contains("runc") && err.contains("daemon.json"),
            "{err}"
        );
        assert!(ours(&docker().await, &rig.host_id).await.is_empty());
        // One that it has is passed on.
        let mut options = rig.options(Kind::Container);
        options.runtime = Some("runc".into());
        let engine = Engine::spawn(options).unwrap();
        let spec = rig.spec();
        engine.start(spec.clone()).await.unwrap();
        let docker = docker().await;
        let container = ours(&docker, &rig.host_id).await.remove(0);
        assert_eq!(crate::rig::inspect(&docker, &container).await["HostConfig"]["Runtime"], "runc");
        engine.stop(&spec.instance, 0).await.unwrap();
    });
}
