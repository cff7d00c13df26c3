//! The data folder: what others may write is not believed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use vitrine_test_support::host::Host;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Why a host does not start on this folder; gives the folder back.
fn refusal(folder: tempfile::TempDir) -> (tempfile::TempDir, String) {
    let folder = Host::try_start(folder, &["--isolation", "process"], &[]).map(|_| "it started").unwrap_err();
    let log = fs::read_to_string(folder.path().join("host.log")).unwrap();
    fs::remove_file(folder.path().join("host.log")).unwrap();
    (folder, log)
}

#[test]
fn a_folder_or_token_that_is_not_the_hosts_alone_is_refused_and_says_why() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let (folder, clean) = host.stop();
    assert!(clean);
    let data = folder.path().join("data");
    for inner in ["blobs", "bundles", "staging", "run"] {
        assert_eq!(fs::metadata(data.join(inner)).unwrap().permissions().mode() & 0o777, 0o700, "{inner}");
    }
    set_mode(&data, 0o777);
    let (folder, log) = refusal(folder);
    assert!(log.contains("can be written by other users") && log.contains("chmod 700"), "{log}");
    set_mode(&data, 0o700);
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can give a file away");
        return;
    }
    chown(&data, Some(65_534), None).unwrap();
    let (folder, log) = refusal(folder);
    assert!(log.contains("belongs to user 65534"), "{log}");
    chown(&data, Some(0), None).unwrap();
    chown(data.join("admin.token"), Some(65_534), None).unwrap();
    let (folder, log) = refusal(folder);
    assert!(log.contains("belongs to user 65534") && log.contains("admin.token"), "{log}");
    chown(data.join("admin.token"), Some(0), None).unwrap();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(host.get("shop", "/").send().text(), "one");
}
