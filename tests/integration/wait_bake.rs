//! `--wait-bake`: a command that ends with the verdict of the bake.

use crate::deployments::{BAKE, PATIENCE, PROCESS, THROWS, ask, deployment, live};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::cli::{Cli, Ran};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// Runs a call under requests, which decide what its verdict is.
fn while_asked(host: &Host, call: Cli) -> Ran {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                ask(host, 5);
            }
        });
        let ran = call.run();
        over.store(true, Ordering::Relaxed);
        ran
    })
}

#[test]
fn a_command_that_waits_for_the_bake_tells_its_verdict() {
    let host = Host::start_in(Host::configured(BAKE), &PROCESS);
    let folder = |server: &str| bundle_dir(&[("server/index.js", server)]);
    let (one, two, bad) = (folder(&hello("one")), folder(&hello("two")), folder(THROWS));
    let deploy = |folder: &TempDir, version: &str, more: &[&str]| {
        let path = folder.path().to_str().unwrap();
        host.cli(&[&["deploy", "shop", path, "--version", version], more].concat())
    };
    let first = deploy(&one, "v1", &["--wait-bake"]).ok();
    assert!(
        first.stderr.contains("shop@v1 passed its bake") && !first.stderr.contains("goes on"),
        "{first:?}"
    );
    ask(&host, 40);

    let failed = while_asked(&host, deploy(&bad, "v2", &["--wait-bake"]));
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.starts_with("http://shop-v2."), "{failed:?}");
    for words in [
        "its bake goes on for 2s: if v2 is worse than v1",
        "error: shop@v2 was rolled back to v1: ",
        "renders failed",
    ] {
        assert!(failed.stderr.contains(words), "{words}: {failed:?}");
    }
    let passed = while_asked(&host, deploy(&two, "v3", &["--wait-bake", "--json"]));
    assert_eq!(
        (passed.code, &passed.json()["deployment"]["status"]),
        (0, &json!("SUCCESSFUL")),
        "{passed:?}"
    );

    // A verdict that can't be given is no pass.
    let unasked = host.cli(&["promote", "shop", "v1", "--wait-bake"]).run();
    assert_eq!(unasked.code, 1, "{unasked:?}");
    assert!(unasked.stderr.contains("shop@v1 is live and has no verdict yet: inconclusive"), "{unasked:?}");
    // Who does not wait is told how to look.
    let told = deploy(&two, "v3", &[]).ok().stderr;
    assert!(
        told.contains("its bake goes on for 2s") && told.contains("`vitrine status shop --watch`"),
        "{told}"
    );
    deploy(&two, "v3", &["--wait-bake", "--no-promote"]).fails(2, &["--no-promote"]);
    host.cli(&["promote", "shop", "v3", "--wait-bake", "--weight", "10"]).fails(2, &["--weight"]);
}

#[test]
fn a_wait_for_the_bake_that_is_interrupted_changes_nothing() {
    let host = Host::start_in(Host::configured("[deploy]\nbake_time_ms = 60000\n"), &PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy = ["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2", "--wait-bake"];
    let ran = host.cli(&deploy).interrupted_when(|| {
        wait_until("v2 is live", PATIENCE, || (live(&host) == "v2").then_some(()));
        // The command line may not know it yet; what is live is not undone then either.
    });
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.stderr.contains("`vitrine status shop` shows what is live"), "{ran:?}");
    assert_eq!(live(&host), "v2");
    assert_eq!(deployment(&host, "v2")["status"], "IN_PROGRESS");
}
