//! 200 flips under load: no failed request, no body of two releases, and no answer from a release that was not live.

use crate::harness::archive::bundle_dir;
use crate::harness::host::Host;
use crate::harness::storm::{Flip, Seen, Wish, allowed, insist};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const FLIPS: usize = 200;
const KEEP_ALIVE_CLIENTS: usize = 32;
const STREAM_CLIENTS: usize = 6;
const POST_CLIENTS: usize = 4;

/// A page whose every line names the release that wrote it; `/stream` takes its time.
fn server(version: &str) -> String {
    format!(
        r#"const line = "storm@{version}\n";
const later = (ms) => new Promise((done) => setTimeout(done, ms));
export default {{
  async fetch(request) {{
    const path = new URL(request.url).pathname;
    if (request.method === "POST") return new Response(line + (await request.text()) + "\n" + line);
    if (path !== "/stream") return new Response(line.repeat(40));
    let left = 12;
    return new Response(new ReadableStream({{
      async pull(controller) {{
        if (left-- === 0) return controller.close();
        await later(15);
        controller.enqueue(new TextEncoder().encode(line));
      }},
    }}));
  }},
}};
"#
    )
}

fn promote(host: &Host, version: &str) -> Flip {
    let asked = Instant::now();
    let answer = host
        .call("POST", "/v1/apps/storm/promote")
        .header("content-type", "application/json")
        .body(format!(r#"{{"version":"{version}"}}"#))
        .send();
    assert_eq!(answer.status, 200, "{answer:?}");
    Flip { asked, acknowledged: Instant::now(), release: format!("storm@{version}") }
}

fn wishes(host: &Host) -> Vec<Wish> {
    let name = format!("storm.localhost:{}", host.edge.port());
    let wish = |method, path, body| Wish { method, path, host: name.clone(), body };
    let mut wishes = vec![wish("GET", "/", ""); KEEP_ALIVE_CLIENTS];
    wishes.extend(vec![wish("GET", "/stream", ""); STREAM_CLIENTS]);
    wishes.extend(vec![wish("POST", "/", "sent by the client"); POST_CLIENTS]);
    wishes
}

/// What is wrong with an answer, if anything is.
fn fault(flips: &[Flip], seen: &Seen) -> Option<String> {
    let releases: std::collections::BTreeSet<&str> =
        seen.body.lines().filter(|line| line.starts_with("storm@")).collect();
    let whole = matches!(seen.body.lines().count(), 40 | 12 | 3);
    if seen.status != 200 || !whole {
        return Some(format!("{} with {} lines: {}", seen.status, seen.body.lines().count(), seen.body));
    }
    if releases.into_iter().ne([seen.release.as_str()]) {
        return Some(format!("the head says {}, the body says {}", seen.release, seen.body));
    }
    (!allowed(flips, seen)).then(|| format!("{} was not live then", seen.release))
}

fn storm(host: &Host) -> (Vec<Flip>, Vec<Seen>, Vec<String>) {
    let mut flips = vec![promote(host, "v1")];
    let stop = AtomicBool::new(false);
    let wishes = wishes(host);
    let (seen, failed) = std::thread::scope(|scope| {
        let clients: Vec<_> =
            wishes.iter().map(|wish| scope.spawn(|| insist(host.edge, wish, &stop))).collect();
        for turn in 0..FLIPS {
            flips.push(promote(host, if turn % 2 == 0 { "v2" } else { "v1" }));
            // Not a wait for something to become true: some flips far apart, some back to back.
            std::thread::sleep(Duration::from_millis((turn % 5) as u64 * 10));
        }
        stop.store(true, Ordering::Relaxed);
        let all: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        let (seen, failed): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        (seen.concat(), failed.concat())
    });
    (flips, seen, failed)
}

fn flips_lose_nothing(flags: &[&str]) {
    let host = Host::start_with(flags);
    for version in ["v1", "v2"] {
        let dir = bundle_dir(&[("server/index.js", &server(version))]);
        let path = dir.path().to_str().unwrap().to_owned();
        host.cli(&["deploy", "storm", &path, "--version", version, "--no-promote"]).ok();
    }
    let (flips, seen, failed) = storm(&host);
    assert_eq!(failed, Vec::<String>::new(), "of {} requests", seen.len() + failed.len());
    let faults: Vec<String> = seen.iter().filter_map(|seen| fault(&flips, seen)).collect();
    assert_eq!(faults, Vec::<String>::new(), "of {} answers", seen.len());
    // A storm that hardly rained proves nothing.
    let streams = seen.iter().filter(|seen| seen.body.lines().count() == 12).count();
    let both = ["storm@v1", "storm@v2"].map(|release| seen.iter().filter(|s| s.release == release).count());
    assert!(seen.len() > 2 * FLIPS && streams > STREAM_CLIENTS && both.iter().all(|n| *n > FLIPS / 2));
    println!("{FLIPS} flips, {} answers, {streams} of them streams, none lost, none mixed", seen.len());
}

#[test]
fn two_hundred_flips_lose_no_request() {
    flips_lose_nothing(&["--isolation", "process"]);
}

/// The checker itself: it must see an answer of a release whose successor was acknowledged before the request began.
#[test]
fn the_checker_sees_a_stale_answer() {
    let begin = Instant::now();
    let at = |ms| begin + Duration::from_millis(ms);
    let flip = |asked, acknowledged, release: &str| Flip {
        asked: at(asked),
        acknowledged: at(acknowledged),
        release: release.into(),
    };
    let flips = [flip(0, 1, "a@1"), flip(10, 20, "a@2"), flip(50, 60, "a@1")];
    let seen = |asked, answered, release: &str| Seen {
        asked: at(asked),
        answered: at(answered),
        status: 200,
        release: release.into(),
        body: String::new(),
    };
    for (asked, answered, release, legal) in [
        (2, 5, "a@1", true),
        (2, 5, "a@2", false),
        (15, 16, "a@1", true),
        (15, 16, "a@2", true),
        (21, 22, "a@1", false),
        (19, 30, "a@1", true),
        (30, 55, "a@1", true),
        (61, 62, "a@2", false),
        (61, 62, "a@3", false),
    ] {
        assert_eq!(allowed(&flips, &seen(asked, answered, release)), legal, "{asked} {answered} {release}");
    }
}
