//! Archives that are refused: by the command line before they are sent, and by the host from whoever sends them.

use tar::EntryType;
use vitrine_test_support::archive::{Archive, bomb, fixture};
use vitrine_test_support::host::Host;

fn evil() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = || Archive::good("evil");
    let many = (0..20_000).fold(good(), |archive, n| archive.file(&format!("client/{n}.txt"), b"x"));
    let mut cut = good().file("client/a.js", &[7; 9000]).gz();
    cut.truncate(cut.len() / 2);
    vec![
        ("parent", good().file("client/../../up.js", b"x").zst(), "client/../../up.js"),
        ("absolute", good().file("/etc/vitrine-evil", b"x").gz(), "/etc/vitrine-evil"),
        ("symlink", good().link(EntryType::Symlink, "client/pw", "/etc/passwd").zst(), "client/pw"),
        ("hard link", good().link(EntryType::Link, "client/hard", "server/index.js").gz(), "client/hard"),
        ("device", good().link(EntryType::Char, "client/null", "").zst(), "client/null"),
        ("fifo", good().link(EntryType::Fifo, "client/pipe", "").zst(), "client/pipe"),
        ("duplicate", good().file("./server/index.js", b"x").zst(), "server/index.js"),
        ("file as folder", good().file("server/index.js/x", b"x").zst(), "server/index.js"),
        ("20,000 files", many.zst(), "10000"),
        ("bomb", bomb(300 << 20), "client/zeros.bin"),
        ("cut off", cut, "damaged or cut off"),
        ("no archive", b"PK\x03\x04 is a zip".to_vec(), "no .tar.gz"),
        ("empty", Vec::new(), ""),
    ]
}

#[test]
fn an_evil_archive_is_refused_by_both_sides_and_leaves_nothing_behind() {
    let host = Host::start();
    let live = fixture("fetch-hello");
    host.cli(&["deploy", "shop", live.to_str().unwrap(), "--version", "live"]).ok();
    let page = host.get("shop", "/").send();
    assert_eq!((page.status, page.header("x-vitrine-release")), (200, Some("shop@live")));
    let folder = tempfile::tempdir().unwrap();
    let started = std::time::Instant::now();
    for (name, archive, word) in evil() {
        eprintln!("{name}, {} bytes, {:?}", archive.len(), started.elapsed());
        let file = folder.path().join("evil.tar");
        std::fs::write(&file, &archive).unwrap();
        host.cli(&["deploy", "shop", file.to_str().unwrap(), "--version", "evil"]).fails(1, &[word]);

        let answer = host.call("PUT", "/v1/apps/shop/releases/evil").body(archive).send();
        let problem = answer.json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(answer.status == 422 && detail.contains(word), "{name}: {} {detail}", answer.status);
        assert_eq!(problem["type"], "urn:vitrine:problem:bundle_refused", "{name}");

        let releases = host.cli(&["releases", "shop", "--json"]).ok().json();
        assert_eq!(releases.as_array().unwrap().len(), 1, "{name}: {releases}");
        let after = host.get("shop", "/").send();
        assert_eq!(
            (after.header("x-vitrine-release"), &after.body),
            (Some("shop@live"), &page.body),
            "{name}"
        );
        let staged = std::fs::read_dir(host.data().join("staging")).unwrap().count();
        assert_eq!(staged, 0, "{name}: something is left in the staging folder");
    }
    assert!(!std::path::Path::new("/etc/vitrine-evil").exists());
    // The name is free: a good bundle can have it.
    let answer = host.call("PUT", "/v1/apps/shop/releases/evil").body(Archive::good("good now").gz()).send();
    assert_eq!(answer.status, 201, "{}", answer.text());
}
