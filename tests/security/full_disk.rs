//! A disk that is really full: the audit log, and backups.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use vitrine_test_support::archive::Archive;
use vitrine_test_support::host::Host;

/// A file system of its own, of 48 MiB.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let made = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m,mode=700", "none"])
            .arg(path)
            .output()
            .unwrap();
        if made.status.success() {
            return Some(Self(path.into()));
        }
        println!("SKIPPED: no file system can be mounted here: {}", String::from_utf8_lossy(&made.stderr));
        None
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filled")).unwrap();
        for bytes in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; bytes]).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a file of a worker that is about to end may still be open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn on_a_full_disk_deploys_are_refused_and_flips_go_on_with_their_records() {
    let folder = Host::folder_anew();
    let Some(disk) = Disk::mount(&folder.path().join("data")) else { return };
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    disk.fill();
    let refused = host.call("PUT", "/v1/apps/shop/releases/v3").body(Archive::good("three").gz()).send();
    assert_eq!(
        (refused.status, refused.json()["type"].as_str()),
        (507, Some("urn:vitrine:problem:disk_full"))
    );
    let told = host.cli(&["status"]).ok().stderr;
    assert!(told.contains("warning: the disk of the data folder has 0 MiB free"), "{told}");
    for (verb, page) in [("promote", "one"), ("rollback", "two"), ("promote", "one"), ("promote", "two")] {
        let body = match (verb, page) {
            ("rollback", _) => r#"{"to":"v2"}"#,
            (_, "one") => r#"{"version":"v1"}"#,
            _ => r#"{"version":"v2"}"#,
        };
        let done = host.call("POST", &format!("/v1/apps/shop/{verb}")).body(body).send();
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(host.get("shop", "/").send().text(), page);
    }
    let told = host.cli(&["audit", "list", "--last", "4", "--json"]).ok().json();
    let what: Vec<_> =
        told.as_array().unwrap().iter().map(|record| record["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["promote", "rollback", "promote", "promote"], "{told}");
    host.cli(&["audit", "verify"]).ok();
    let (folder, _) = host.stop();
    drop(disk);
    drop(folder);
}

#[test]
fn a_backup_that_finds_no_room_says_so_and_leaves_no_file() {
    let host = Host::start_with(&["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    let scratch = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&scratch.path().join("full")) else { return };
    disk.fill();
    let file = disk.0.join("saved.tar.zst");
    host.cli(&["backup", file.to_str().unwrap()]).fails(1, &["backup", "No space left"]);
    let names: Vec<_> = std::fs::read_dir(&disk.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["filled"]);
    // What there is of a data folder on it is removed, too.
    let good = scratch.path().join("saved.tar.zst");
    host.cli(&["backup", good.to_str().unwrap()]).ok();
    let data = disk.0.join("data");
    let (from, to) = (good.to_str().unwrap(), data.to_str().unwrap());
    let args = ["restore", "--from", from, "--data", to, "--unauthenticated"];
    host.cli(&args).fails(1, &["the disk is full"]);
    let names: Vec<_> = std::fs::read_dir(&disk.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["filled"]);
}
