//! The bundle that an example runs, read from a folder.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use vitrine_wire::{Contract, Start, WorkerLimits, WorkerSettings};
use vitrine_worker::bundle::Bundle;

/// What a worker is told and given for the bundle in `folder`, whose page at `path` is rendered.
pub fn app(folder: &Path, path: &str, isolates: u32) -> (Start, Bundle) {
    let mut files = HashMap::new();
    read(folder, "", &mut files);
    let manifest = files.get("vitrine.json").map(|text| String::from_utf8_lossy(text).into_owned());
    let is_render = manifest.is_some_and(|text| text.contains("\"render\""));
    let settings = WorkerSettings {
        entry: "server/index.js".to_owned(),
        contract: if is_render { Contract::Render } else { Contract::Fetch },
        warm: vec![path.to_owned()],
        host: "bench.localhost".to_owned(),
        limits: limits(isolates),
    };
    (
        Start { settings, env: Vec::new(), is_accepted: false },
        Bundle { files: Arc::new(files), ..Bundle::default() },
    )
}

fn limits(isolates: u32) -> WorkerLimits {
    WorkerLimits {
        cpu_ms: 5_000,
        wall_ms: 10_000,
        heap_mb: 128,
        concurrency: 32,
        queue: 1_024,
        queue_ms: 10_000,
        request_mb: 10,
        response_mb: 50,
        client_stall_ms: 30_000,
        stream_idle_ms: 60_000,
        subrequests: 50,
        log_lines_per_s: 100,
        isolates,
        isolate_per_request: false,
    }
}

fn read(folder: &Path, prefix: &str, files: &mut HashMap<String, Arc<[u8]>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(entry.path()).expect("a file").into());
        }
    }
}
