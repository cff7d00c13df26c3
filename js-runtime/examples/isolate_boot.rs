//! How long isolates of a bundle take to boot and to give their first pages: `isolate_boot DIR [PATH] [ISOLATES]`. One line of JSON for
//! each way to boot, medians in milliseconds, over isolates that are made one after another in one process.
//!
//! V8 makes a snapshot, and uses one, only in a process that does nothing else: this program runs itself for each way.

#[path = "load/app.rs"]
mod load;

use load::app;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};
use vitrine_wire::{SnapshotRequest, Start};
use vitrine_worker::bundle::Bundle;
use vitrine_worker::isolate::boot::boot;
use vitrine_worker::isolate::log::Log;
use vitrine_worker::isolate::platform;
use vitrine_worker::isolate::state::RuntimeState;
use vitrine_worker::isolate::warm::render;
use vitrine_worker::request::HostClient;
use vitrine_worker::snapshot;

/// Pages after which an isolate is called steady, and those that are taken for it.
const STEADY_AFTER: usize = 300;
const STEADY_PAGES: usize = 100;
/// Pages of an isolate that is looked at only for its boot and its first pages.
const FIRST_PAGES: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument =
        |index: usize, otherwise: &str| arguments.get(index).map_or(otherwise, String::as_str).to_owned();
    let (folder, path, isolates) = (argument(0, "."), argument(1, "/"), argument(2, "15"));
    let (start, bundle) = app(Path::new(&folder), &path, 1);
    let file = argument(4, "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let task = async {
        let (link, _logs) = HostClient::new(tokio::runtime::Handle::current());
        match argument(3, "").as_str() {
            "take" => take(start, bundle, link, &file).await,
            "boot" => measure(&start, &bundle, &link, isolates.parse().expect("a number"), &file).await,
            _ => run_each([&folder, &path, &isolates]),
        }
    };
    runtime.block_on(task);
}

fn run_each(common: [&String; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("snapshot").display().to_string();
    for (task, file) in [("boot", ""), ("take", &*file), ("boot", &*file)] {
        let program = std::env::current_exe().expect("this program");
        let status = Command::new(program).args(common).args([task, file]).status().expect("this program");
        assert!(status.success(), "{task}: {status}");
    }
}

async fn take(start: Start, bundle: Bundle, link: HostClient, file: &str) {
    let begun = Instant::now();
    let request = SnapshotRequest { settings: start.settings, env_names: Vec::new(), harmless: Vec::new() };
    match snapshot::take(request, bundle, link).await {
        Ok(snapshot) => {
            println!("{}", json!({"taken_ms": ms(begun.elapsed()), "bytes": snapshot.len()}));
            std::fs::write(file, snapshot).expect("a file");
        }
        Err(reason) => println!("{}", json!({"refused": reason})),
    }
}

async fn measure(start: &Start, bundle: &Bundle, link: &HostClient, isolates: usize, file: &str) {
    platform::init();
    let snapshot = (!file.is_empty()).then(|| mapped(file)).flatten();
    if !file.is_empty() && snapshot.is_none() {
        return;
    }
    let mut boots = Vec::new();
    let mut pages: Vec<Vec<Duration>> = Vec::new();
    for number in 0..isolates {
        let log = Log::new(link.clone(), 100);
        let shared = Rc::new(RuntimeState::new(start.settings.limits.clone(), link.clone(), log));
        let begun = Instant::now();
        let mut driver = boot(shared, start, bundle, snapshot).await.expect("an app that boots");
        boots.push(begun.elapsed());
        let count = if number + 1 == isolates { STEADY_AFTER + STEADY_PAGES } else { FIRST_PAGES };
        let mut times = Vec::new();
        for _ in 0..count {
            let path = start.settings.warm[0].as_str();
            times.push(render(&mut driver, &start.settings, &[path]).await.expect("a page")[0].time);
        }
        pages.push(times);
    }
    let from = if snapshot.is_some() { "snapshot" } else { "evaluation" };
    let nth = |index: usize| median(pages.iter().map(|times| times[index]));
    let steady = median(pages[isolates - 1][STEADY_AFTER..].iter().copied());
    let figures: Value = json!({
        "from": from, "isolates": isolates, "first_boot_ms": ms(boots[0]), "boot_ms": median(boots.iter().skip(1).copied()),
        "page_1_ms": nth(0), "page_2_ms": nth(1), "page_4_ms": nth(3), "page_10_ms": nth(9), "steady_page_ms": steady,
    });
    println!("{figures}");
}

fn mapped(file: &str) -> Option<&'static [u8]> {
    let content = std::fs::read(file).ok()?;
    let digest = snapshot::digest(&content);
    Some(snapshot::map(Path::new(file), &digest).expect("the snapshot that was just taken"))
}

fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| ms(*time))
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
