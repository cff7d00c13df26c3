//! A host that works for an hour: pages all the time, a change of what is live every few seconds, releases that come and go. Nothing of
//! it may grow: memory, descriptors, threads.
//!
//! `SOAK_S` is how long it goes on, in seconds.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::archive::hello;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::hosts_of;

/// Short idle times and few retained releases, so that an hour has many lives of them.
const CONFIG: &str =
    "[switching]\nidle_timeout_ms = 10000\nstandby_freeze_ms = 10000\n[retention]\nreleases = 4\n";
const APPS: [&str; 3] = ["shop", "blog", "docs"];
/// From one change of what is live to the next.
const FLIP: Duration = Duration::from_secs(5);
/// Of so many changes one is a deploy of something new.
const DEPLOY_EACH: usize = 4;
/// Between two pages of one client.
const PAUSE: Duration = Duration::from_millis(50);
/// Looks in all: enough for a line through the second half of them.
const LOOKS: u32 = 60;
const HOUR_S: u64 = 3_600;

/// What the host's own processes have: the host and its engine.
#[derive(Debug, Clone, Copy)]
struct Look {
    at_s: f64,
    memory_mb: f64,
    descriptors: f64,
    threads: f64,
}

/// A figure's name, the figure, and how much it may grow.
type Bound = (&'static str, fn(&Look) -> f64, f64);

/// What each may grow by from the middle to the end, as a line through the looks shows it. Allocators keep some megabytes of a deploy, requests
/// under way have a descriptor each, and threads that read files end when they had nothing to do for ten seconds.
const BOUNDS: [Bound; 3] = [
    ("MB of memory", |look| look.memory_mb, 24.0),
    ("descriptors", |look| look.descriptors, 16.0),
    ("threads", |look| look.threads, 8.0),
];

/// Growth along the line of least squares through these points.
fn growth(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = (
        points.iter().map(|(x, _)| x).sum::<f64>() / count,
        points.iter().map(|(_, y)| y).sum::<f64>() / count,
    );
    let spread: f64 = points.iter().map(|(at, _)| (at - x).powi(2)).sum();
    let slope: f64 = points.iter().map(|(at, value)| (at - x) * (value - y)).sum::<f64>() / spread;
    slope * (points[points.len() - 1].0 - points[0].0)
}

/// Everything that grew by more than it may.
fn grown(looks: &[Look]) -> Vec<String> {
    let half = &looks[looks.len() / 2..];
    let of = |(what, value, most): Bound| {
        let grew = growth(&half.iter().map(|look| (look.at_s, value(look))).collect::<Vec<_>>());
        println!(
            "{what}: {:.1} at first, {:.1} at last, {grew:+.1} in the second half",
            value(&looks[0]),
            value(&half[half.len() - 1])
        );
        (grew > most).then(|| format!("{grew:.1} more {what} in the second half"))
    };
    BOUNDS.into_iter().filter_map(of).collect()
}

fn look(pids: &[u32], begun: Instant) -> Look {
    let entries =
        |pid: u32, folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).map_or(0, Iterator::count);
    let kb = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
        line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default()
    };
    Look {
        at_s: begun.elapsed().as_secs_f64(),
        memory_mb: pids.iter().map(|pid| kb(*pid)).sum::<f64>() / 1_024.0,
        descriptors: pids.iter().map(|pid| entries(*pid, "fd")).sum::<usize>() as f64,
        threads: pids.iter().map(|pid| entries(*pid, "task")).sum::<usize>() as f64,
    }
}

/// The host and its engine.
fn own_processes(host: &Host) -> Vec<u32> {
    let of = hosts_of(&host.data())[0];
    let is_engine = |pid: &u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(b"engine")
    };
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap().map_while(Result::ok);
    let children = threads.flat_map(|thread| {
        let text = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
    });
    let engine = children.into_iter().find(is_engine).expect("the host has an engine");
    vec![of, engine]
}

/// Asks for pages until the end; gives how many came and what was none.
fn ask(host: &Host, app: &str, over: &AtomicBool, pages: &AtomicUsize) -> Vec<String> {
    let mut wrong = Vec::new();
    while !over.load(Ordering::Relaxed) {
        match host.get(app, "/").try_send() {
            Ok(answer) if answer.status == 200 && answer.complete => {
                pages.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => wrong.push(format!("{app}: {}", answer.status)),
            Err(error) => wrong.push(format!("{app}: {error}")),
        }
        std::thread::sleep(PAUSE);
    }
    wrong
}

/// Changes what is live, once.
fn flip(host: &Host, number: usize) {
    let app = APPS[number % APPS.len()];
    if number.is_multiple_of(DEPLOY_EACH) {
        host.deploy_files(app, &[("server/index.js", &hello(&format!("page {number}")))], &[]);
        return;
    }
    let answer = host.call("POST", &format!("/v1/apps/{app}/rollback")).body("{}").send();
    if answer.status == 409 {
        // There is nothing older to go back to: forward again.
        let newest = host.releases(app)[0]["version"].as_str().unwrap().to_owned();
        let again = host.call("POST", &format!("/v1/apps/{app}/promote"));
        assert_eq!(again.body(format!("{{\"version\":\"{newest}\"}}")).send().status, 200);
        return;
    }
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
#[ignore = "an hour"]
fn an_hour_of_flips_leaves_nothing_behind() {
    let lasts = std::env::var("SOAK_S").map_or(HOUR_S, |text| text.parse().unwrap());
    let lasts = Duration::from_secs(lasts);
    let host = Host::start_in(Host::configured(CONFIG), &["--isolation", "process"]);
    for app in APPS {
        for text in ["one", "two"] {
            host.deploy_files(app, &[("server/index.js", &hello(text))], &["--version", text]);
        }
    }
    let (over, pages) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let own = own_processes(&host);
    let (looks, flips, wrong) = std::thread::scope(|scope| {
        let host = &host;
        let asking: Vec<_> =
            APPS.iter().map(|app| scope.spawn(move || ask(host, app, over, pages))).collect();
        let begun = Instant::now();
        let (mut looks, mut flips) = (Vec::new(), 0);
        let during = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while begun.elapsed() < lasts {
                if begun.elapsed() >= FLIP * flips {
                    flip(host, flips as usize);
                    flips += 1;
                }
                if begun.elapsed() >= lasts / LOOKS * looks.len() as u32 {
                    looks.push(look(&own, begun));
                }
                std::thread::sleep(PAUSE);
            }
        }));
        over.store(true, Ordering::Relaxed);
        let wrong: Vec<String> = asking.into_iter().flat_map(|one| one.join().unwrap()).collect();
        during.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (looks, flips, wrong)
    });
    println!("{} pages and {flips} changes in {lasts:?}", pages.load(Ordering::Relaxed));
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(grown(&looks), Vec::<String>::new());
    assert!(pages.load(Ordering::Relaxed) > 0 && flips > 1);
}

/// The judge on figures that grow a little with each look, and on some that only move.
#[test]
fn control_what_grows_is_noticed() {
    let looks = |step: f64| -> Vec<Look> {
        let of = |number: u32| {
            let (at, moves) = (f64::from(number), f64::from(number % 5));
            Look {
                at_s: at * 60.0,
                memory_mb: 40.0 + moves + at * step,
                descriptors: 60.0 + moves,
                threads: 20.0 + at * step,
            }
        };
        (0..LOOKS).map(of).collect()
    };
    assert_eq!(grown(&looks(0.0)), Vec::<String>::new());
    assert_eq!(grown(&looks(1.0)).len(), 2, "memory and threads grow by one a minute");
}
