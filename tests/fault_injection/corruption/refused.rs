//! Changes whose commit fails.

use super::{PROCESS, not_refused, page, promote, two_releases};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use vitrine_test_support::archive::Archive;
use vitrine_test_support::host::Host;

/// Every commit of these fails.
const FAIL: &str = "record the release.commit=return(error);record the switch.commit=return(error);\
                    record the environment.commit=return(error);forget the release.commit=return(error)";

/// Asks for changes that can't be committed, while users look at pages; gives what was wrong with it, and pages seen.
fn faults_of(failpoints: &str) -> (Vec<String>, usize) {
    let host = Host::start_broken(two_releases(), &PROCESS, failpoints);
    let mut faults = Vec::new();
    let (over, pages, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let well = page(&host) == "200 v2";
                if well { &pages } else { &failed }.fetch_add(1, Ordering::Relaxed);
            }
        });
        let json = |method, path: &str, body: &str| {
            host.call(method, path).header("content-type", "application/json").body(body).send()
        };
        faults.extend(not_refused("promote", &promote(&host, "v1")));
        faults.extend(not_refused("rollback", &json("POST", "/v1/apps/shop/rollback", "{}")));
        let upload = host.call("PUT", "/v1/apps/shop/releases/v3").body(Archive::good("v3").gz());
        faults.extend(not_refused("deploy", &upload.send()));
        faults.extend(not_refused("remove", &host.call("DELETE", "/v1/apps/shop/releases/v1").send()));
        over.store(true, Ordering::Relaxed);
    });
    if failed.load(Ordering::Relaxed) > 0 {
        faults.push(format!("{} pages were none, or another release's", failed.load(Ordering::Relaxed)));
    }
    let host = Host::start_in(host.kill(), &PROCESS);
    let versions: Vec<_> =
        host.releases("shop").iter().map(|release| release["version"].to_string()).collect();
    if page(&host) != "200 v2" || versions != ["\"v2\"", "\"v1\""] {
        faults.push(format!("after a start users get {}, of {versions:?}", page(&host)));
    }
    host.cli(&["audit", "verify"]).ok();
    (faults, pages.into_inner())
}

#[test]
fn a_change_that_can_not_be_committed_is_refused_and_leaves_nothing() {
    let (faults, pages) = faults_of(FAIL);
    println!("4 changes refused at their commit, {pages} pages meanwhile");
    assert!(faults.is_empty() && pages > 0, "{pages} pages; {faults:#?}");
}

#[test]
fn control_a_host_that_swallows_the_error_of_a_commit_is_noticed() {
    let (faults, _) = faults_of(&FAIL.replace("switch.commit=return(error)", "switch.commit=return(skip)"));
    assert!(faults.iter().any(|fault| fault.starts_with("promote was answered with 200")), "{faults:#?}");
}
