//! Every place where a host can be killed, read from its source: what is written there can't be forgotten here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Around each transaction: before it, before its commit, after it.
const TRANSACTION: [&str; 3] = ["begin", "commit", "done"];
/// Around each call of Docker's API.
const DOCKER: [&str; 2] = ["called", "answered"];
/// Around each action of the engine, on the host's side and on its own.
const ACTION: [&str; 4] = ["asked", "begun", "finished", "answered"];

/// Names of all failpoints in `src/`.
pub fn all() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, code| {
        found.extend(texts(code, "failpoint::at(").map(String::from));
        for call in ["self.write(", "self.audited(", "self.set_column("] {
            found.extend(texts(code, call).flat_map(|step| of(step, &TRANSACTION)));
        }
        if path.ends_with("engine/docker.rs") {
            found.extend(texts(code, "within(").flat_map(|step| of(step, &DOCKER)));
        }
        if path.ends_with("src/engine/lib.rs") {
            let arms =
                code.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once("=> \""));
            let names = arms.filter_map(|(_, rest)| rest.strip_suffix("\","));
            found.extend(names.flat_map(|name| of(name, &ACTION)));
        }
    });
    found
}

fn of(step: &str, moments: &[&str]) -> Vec<String> {
    moments.iter().map(|moment| format!("{step}.{moment}")).collect()
}

/// The text that each of these calls begins with, if it begins with one.
fn texts<'a>(code: &'a str, call: &'a str) -> impl Iterator<Item = &'a str> {
    code.split(call).skip(1).filter_map(|rest| {
        let text = rest.trim_start().strip_prefix('"')?;
        text.split_once('"').map(|(text, _)| text)
    })
}

fn read(folder: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let path = entry.path();
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            read(&path, each);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            each(&path, code);
        }
    }
}

/// What reaches the disk has a failpoint beside it.
#[test]
fn every_durable_write_can_be_killed_at() {
    let writes = [".sync_all()", "fs::rename(", ".put_multipart(", ".commit()"];
    // A note for the command line; the next start writes it anew. And what a command makes under another name, which no host reads.
    // And lines of apps: none is acknowledged to anybody, and a start removes what was half packed.
    // And deltas of files: made of what is there, named by their own digest, and waited for by nobody.
    let exempt = [
        "bundle/delta.rs",
        "admin/discovery.rs",
        "cli/backup.rs",
        "store/backup/read.rs",
        "telemetry/log_store/segment.rs",
    ];
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, code| {
        let durable = writes.iter().any(|write| code.contains(write));
        let named = code.contains("failpoint::") || exempt.iter().any(|exempt| path.ends_with(exempt));
        assert!(!durable || named, "{} writes what lasts, and has no failpoint", path.display());
    });
    let all = all();
    for known in ["record the switch.commit", "blob.complete", "start.begun", "create a container.called"] {
        assert!(all.contains(known), "{known} is not among {all:?}");
    }
}
