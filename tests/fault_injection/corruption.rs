//! State that is torn or damaged, and a disk that fails to write: said aloud, nothing acknowledged that is not there after a start,
//! and what ran before runs on. (A disk that is full: `security`, `full_disk`; damaged bundles: `security`, `stored`.)

mod damage;
mod refused;
mod syncs;

use tempfile::TempDir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

const PROCESS: [&str; 2] = ["--isolation", "process"];

/// A folder with two releases, the second one live, of a host that was stopped: all state is in the database itself.
fn two_releases() -> TempDir {
    let host = Host::start_with(&PROCESS);
    for version in ["v1", "v2"] {
        host.deploy("shop", version, &["--version", version]);
    }
    let (folder, clean) = host.stop();
    assert!(clean);
    folder
}

/// What users get.
fn page(host: &Host) -> String {
    let answer = host.get("shop", "/").send();
    format!("{} {}", answer.status, answer.text())
}

fn promote(host: &Host, version: &str) -> Answer {
    let call = host.call("POST", "/v1/apps/shop/promote").header("content-type", "application/json");
    call.body(format!(r#"{{"version":"{version}"}}"#)).send()
}

fn reason(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.text())
}

/// Why an answer is not the refusal of a change that could not be recorded, if it is not.
fn not_refused(what: &str, answer: &Answer) -> Option<String> {
    let text = answer.text();
    let clear = answer.status == 503
        && text.contains("urn:vitrine:problem:store_unavailable")
        && text.contains("vitrine.db");
    (!clear).then(|| format!("{what} was answered with {}", reason(answer)))
}
