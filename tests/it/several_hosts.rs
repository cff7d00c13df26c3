//! Several hosts of one user on one machine.

use crate::harness::host::Host;
use serde_json::json;
use std::fs::File;
use std::time::SystemTime;

#[test]
fn the_newest_host_is_meant_and_named_and_notes_of_dead_ones_go() {
    let host = Host::start();
    let folder = host.data().parent().unwrap().join("vitrine");
    let leave = |port: u16, pid: u32| {
        let path = folder.join(format!("host-{port}.json"));
        let note = json!({"admin": format!("127.0.0.1:{port}"), "token_file": "/nowhere", "pid": pid});
        std::fs::write(&path, note.to_string()).unwrap();
        File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        path
    };
    assert_eq!(host.cli(&["status"]).ok().stderr, "");
    // No process has this id: it is above the kernel's largest.
    let dead = leave(1, 1 << 23);
    assert_eq!(host.cli(&["status"]).ok().stderr, "");
    assert!(!dead.exists());
    // This test is a process that lives.
    leave(2, std::process::id());
    let told = host.cli(&["status"]).ok().stderr;
    assert!(told.contains("2 hosts run here") && told.contains(&format!("http://{}", host.admin)), "{told}");
    let named = host.cli(&["status"]).env("VITRINE_ADMIN", &format!("http://{}", host.admin));
    assert_eq!(named.ok().stderr, "");
    host.cli(&["upgrade"]).ok();
    host.upgrade().ok();
    let edge = host.cli(&["status"]).env("VITRINE_ADMIN", &format!("http://{}", host.edge));
    edge.fails(1, &["admin side", "`admin=`"]);
}
