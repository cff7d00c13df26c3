//! Bundles on the host's disk: what was taken in is what runs, or nothing runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vitrine_test_support::archive::hello;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const PROCESS: [&str; 2] = ["--isolation", "process"];
/// Releases that nobody asks for sleep at once, so that the next request starts their workers from the disk.
const SLEEPY: &str = "[switching]\nidle_timeout_ms = 1\n";

/// Changes one letter of the page of a stored bundle.
fn flip_page(host: &Host, digest: &str) {
    let page = host.data().join("bundles").join(digest).join("files/server/index.js");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("first", "fIrst")).unwrap();
}

/// Changes one byte in the middle of its archive.
fn flip_archive(host: &Host, digest: &str) {
    let archive = find(&host.data().join("blobs"), digest).unwrap();
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { path.to_str()?.contains(name).then_some(path) }
    })
}

/// A host with three releases, the last live, the first asleep; gives the first one's digest.
fn with_releases(faults: &str) -> (Host, String) {
    let host = Host::start_broken(Host::configured(SLEEPY), &PROCESS, faults);
    for (version, text) in [("v1", "first"), ("v2", "second"), ("v3", "third")] {
        // Without a snapshot, which would be started from in place of the page.
        let files = [("server/index.js", hello(text)), ("vitrine.json", r#"{"snapshot":false}"#.into())];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        host.deploy_files("shop", &files, &["--version", version]);
    }
    wait_until("the first release sleeps", PATIENCE, || {
        (host.workers().iter().all(|worker| worker.release != "shop@v1")).then_some(())
    });
    let digest = host.release("shop", "v1")["digest"].as_str().unwrap().to_owned();
    (host, digest)
}

#[test]
fn a_changed_file_is_unpacked_again_and_a_changed_archive_runs_nothing() {
    let (host, digest) = with_releases("");
    flip_page(&host, &digest);
    host.cli(&["promote", "shop", "v1"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "first");
    assert!(host.log().contains("unpacking the bundle again"), "the log says so");
    host.cli(&["promote", "shop", "v2"]).ok();
    host.cli(&["promote", "shop", "v3"]).ok();
    wait_until("the first release sleeps again", PATIENCE, || {
        (host.workers().iter().all(|worker| worker.release != "shop@v1")).then_some(())
    });
    flip_page(&host, &digest);
    flip_archive(&host, &digest);
    host.cli(&["promote", "shop", "v1"]).fails(1, &["bundle", "archive"]);
    assert_eq!(host.get("shop", "/").send().text(), "third");
    assert!(host.workers().iter().all(|worker| worker.release != "shop@v1"));
    // A start finds it, too, and serves the rest.
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(host.get("shop", "/").send().text(), "third");
    assert!(host.log().contains("a release without its bundle"), "the log says so");
    host.cli(&["promote", "shop", "v1"]).fails(4, &["v1"]);
}

#[test]
fn a_host_that_does_not_look_is_noticed() {
    let (host, digest) = with_releases("boot.check_bundle=return(skip)");
    flip_page(&host, &digest);
    host.cli(&["promote", "shop", "v1"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "fIrst");
}
