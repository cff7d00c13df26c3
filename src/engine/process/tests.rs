use super::*;
use std::os::unix::fs::PermissionsExt;
use vitrine_core::config::WorkerResources;
use vitrine_core::id::Digest;

struct Rig {
    processes: Processes,
    folder: tempfile::TempDir,
}

/// Process workers whose binary is a shell script; `$3` is the folder of the sockets.
fn rig(script: &str) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let worker = folder.path().join("worker");
    std::fs::write(&worker, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&worker, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(folder.path().join("bundles").join(Digest([1; 32]).to_string()).join("files"))
        .unwrap();
    let layout = Layout::new(folder.path()).unwrap();
    Rig { processes: Processes::new(layout, worker), folder }
}

fn spec() -> StartSpec {
    StartSpec {
        instance: InstanceId::random(),
        release: "shop@v1".parse().unwrap(),
        bundle: Digest([1; 32]),
        snapshot: None,
        spec_hash: Digest([2; 32]),
        resources: (&WorkerResources::default()).into(),
    }
}

impl Rig {
    async fn start(&self, spec: &StartSpec) -> Result<(), Failure> {
        loop {
            match self.processes.start(spec.clone()).await {
                // Another test forked while the script was open for writing.
                Err(Failure::Spawn { source, .. }) if source.kind() == io::ErrorKind::ExecutableFileBusy => {}
                started => return started,
            }
        }
    }

    /// The last `lines` lines that a worker printed, once one of them is what is waited for.
    async fn printed(&self, spec: &StartSpec, lines: u32, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        until(|| {
            let printed = self.processes.logs(&spec.instance, lines).unwrap();
            printed.iter().any(|line| wanted(line)).then_some(printed)
        })
        .await
    }
}

/// Looks until there is something, for ten seconds at the most.
async fn until<T>(look: impl Fn() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come about")
}

const SERVE: &str = r#": > "$3/control.sock"; : > "$3/requests.sock"; echo "args $*"; exec /bin/sleep 1000"#;

#[tokio::test]
async fn a_worker_starts_with_its_arguments_and_ends_when_told() {
    let rig = rig(SERVE);
    let spec = spec();
    rig.start(&spec).await.unwrap();
    let list = rig.processes.list();
    assert_eq!((list.len(), list[0].running, list[0].release.to_string()), (1, true, "shop@v1".to_string()));
    let logs = rig.printed(&spec, 10, |_| true).await;
    assert!(logs[0].starts_with("args supervise --sockets "), "{logs:?}");
    assert!(logs[0].ends_with("--end-with-control"), "{logs:?}");
    // A process has no memory while it becomes another program.
    until(|| Some(rig.processes.stats(&spec.instance).unwrap()).filter(|stats| stats.memory_bytes > 0)).await;
    rig.processes.stop(&spec.instance, 5_000).await.unwrap();
    assert!(rig.processes.list().is_empty());
    assert_eq!(std::fs::read_dir(rig.folder.path().join("run")).unwrap().count(), 0);
    rig.processes.stop(&spec.instance, 0).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_ends_at_once_says_why_and_leaves_nothing() {
    let rig = rig("echo cannot; exit 7");
    let spec = spec();
    let err = rig.start(&spec).await.unwrap_err().to_string();
    assert!(err.contains("exit code 7"), "{err}");
    assert!(rig.processes.list().is_empty());
    assert!(!rig.folder.path().join("run").join(spec.instance.as_str()).exists());
}

#[tokio::test]
async fn one_that_ignores_the_signal_is_killed_with_its_children() {
    let rig = rig(
        r#"trap '' TERM; /bin/sleep 1000 & echo $!; : > "$3/control.sock"; : > "$3/requests.sock"; wait; wait"#,
    );
    let spec = spec();
    rig.start(&spec).await.unwrap();
    let child: i32 = rig.printed(&spec, 1, |_| true).await[0].parse().unwrap();
    let begun = std::time::Instant::now();
    rig.processes.stop(&spec.instance, 100).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3));
    // What is killed dies a moment later, and may be a zombie until it is reaped.
    let state = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    until(|| (state().is_empty() || state().contains(") Z ")).then_some(())).await;
}

#[tokio::test]
async fn one_that_died_is_listed_with_its_code_until_it_is_stopped() {
    let rig = rig(r#": > "$3/control.sock"; : > "$3/requests.sock"; /bin/sleep 0.2; kill -9 $$"#);
    let spec = spec();
    rig.start(&spec).await.unwrap();
    let ended = || rig.processes.list().into_iter().find(|info| !info.running);
    let info = until(ended).await;
    assert_eq!((info.running, info.exit_code), (false, Some(137)));
    rig.processes.stop(&spec.instance, 0).await.unwrap();
    assert!(rig.processes.list().is_empty());
}

#[tokio::test]
async fn a_worker_gets_bounds_and_no_environment() {
    let rig = rig(&format!(r#"ulimit -n; ulimit -c; /usr/bin/env; {SERVE}"#));
    let spec = spec();
    rig.start(&spec).await.unwrap();
    let logs = rig.printed(&spec, 20, |line| line.starts_with("args ")).await;
    assert_eq!(logs[..2], [WORKER_FILES_MAX.to_string(), "0".to_string()]);
    // The shell itself sets a few of its own.
    let foreign = logs.iter().filter(|line| line.contains('=')).find(|line| {
        !line.starts_with("PWD=")
            && !line.starts_with("SHLVL=")
            && !line.starts_with("_=")
            && !line.starts_with("OLDPWD=")
    });
    assert_eq!(foreign, None, "{logs:?}");
    rig.processes.end().await;
    assert!(!rig.processes.list()[0].running);
}

#[tokio::test]
async fn what_can_not_be_started_is_named() {
    let rig = rig(SERVE);
    let mut unknown = spec();
    unknown.bundle = Digest([9; 32]);
    assert!(matches!(rig.start(&unknown).await, Err(Failure::Layout(_))));
    assert!(matches!(rig.processes.stats(&unknown.instance), Err(Failure::Unknown(_))));
    let layout = Layout::new(rig.folder.path()).unwrap();
    let missing = Processes::new(layout, "/nonexistent/vitrine-worker".into());
    let err = missing.probe().await.unwrap_err().to_string();
    assert!(err.contains("/nonexistent/vitrine-worker"), "{err}");
}
