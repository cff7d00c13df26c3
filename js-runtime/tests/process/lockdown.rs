//! What the render process may still do.

use crate::worker::Worker;
use std::process::Command;
use vitrine_wire::Channel;

#[test]
fn a_locked_process_can_do_none_of_the_forbidden_things() {
    let probe = Command::new(env!("CARGO_BIN_EXE_vitrine-worker"))
        .arg("probe-lockdown")
        .output()
        .expect("the probe runs");
    let report: serde_json::Value = serde_json::from_slice(&probe.stdout).expect("a JSON report");
    assert_eq!(report["allowed"], serde_json::json!([]), "{report}");
    assert!(report["denied"].as_array().expect("a list").len() >= 60, "{report}");
    assert!(probe.status.success());
}

#[tokio::test]
async fn the_render_process_that_serves_is_the_locked_one() {
    let worker = Worker::start("export default { fetch: () => new Response('hello') };");
    let (_control, mut requests) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
    let pid = worker.render_pid().expect("a render process");
    for entry in std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads") {
        let status = entry.expect("a thread").path().join("status");
        let status = std::fs::read_to_string(status).expect("the status of a thread");
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.contains(line), "{line} is missing in {status}");
        }
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    assert!(limits.contains("Max core file size        0"), "{limits}");
    let noted = worker.events("locked_down");
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0]["files"], 1);
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("its environment");
    assert_eq!(environment, b"TZ=UTC\0");
    drop(worker.connect(Channel::Control).await);
}
