//! Isolates that are condemned one after the other leave nothing behind.

use std::fs;
use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// Condemned isolates before the first look: the allocator and V8's code have their size then.
const WARM_UP: usize = 30;
const FEW: usize = 100;
const MANY: usize = 1_000;

/// Time for the thread of the last condemned isolate to end, and for the spare one to be warm.
const SETTLED: Duration = Duration::from_secs(20);
/// A process that uses no CPU time for so long is at rest: beyond what its watchdog takes to fall asleep.
const QUIET: Duration = Duration::from_millis(500);

/// Ended by its CPU time, and by its heap.
const SHORT_LIVED: &str = "
    const kept = [];
    const paths = {
      '/spin': () => { for (;;); },
      '/fill': () => { for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); },
    };
    export default { fetch: (request) => (paths[new URL(request.url).pathname] ?? (() => new Response('fine')))() };
";

/// What a process has.
#[derive(Debug, Clone, Copy)]
struct Figures {
    resident_kb: usize,
    threads: usize,
    descriptors: usize,
    sockets: usize,
}

impl Figures {
    /// Once the process is at rest: then it has one isolate that serves, and one that waits to replace it.
    fn at_rest(pid: u32) -> Self {
        wait_until("the process is at rest", SETTLED, || {
            let before = cpu_ticks(pid);
            // It is the time without work that is looked for.
            std::thread::sleep(QUIET);
            (cpu_ticks(pid) == before).then(|| Self::of(pid))
        })
    }

    fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        let descriptors: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten().collect();
        let is_socket = |fd: &&fs::DirEntry| {
            fs::read_link(fd.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
        };
        Self {
            resident_kb: number("VmRSS:"),
            threads: number("Threads:"),
            descriptors: descriptors.len(),
            sockets: descriptors.iter().filter(is_socket).count(),
        }
    }
}

/// CPU time of a process so far.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind its name, which may hold blanks.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn condemn(host: &Host, isolates: usize) {
    for count in 0..isolates {
        let path = ["/spin", "/fill"][count % 2];
        assert_eq!(host.get("shop", path).send().status, 503, "{path}");
        assert_eq!(host.get("shop", "/").send().status, 200, "after {path}");
    }
}

fn turn_over(isolates: usize) {
    let host = Host::start();
    let limits = r#"{"limits":{"cpu_ms":30,"heap_mb":32,"isolates":1,"queue_ms":10000}}"#;
    host.deploy_files("shop", &[("server/index.js", SHORT_LIVED), ("vitrine.json", limits)], &[]);
    let pid = host.workers()[0].render.unwrap();
    condemn(&host, WARM_UP);
    let before = Figures::at_rest(pid);
    let begun = Instant::now();
    condemn(&host, isolates);
    let after = Figures::at_rest(pid);
    println!("{isolates} isolates condemned in {:.0?}: {before:?}, then {after:?}", begun.elapsed());
    assert_eq!(host.workers()[0].render, Some(pid), "one process all the while");
    assert!(after.threads <= before.threads, "a condemned isolate's thread is left");
    assert!(after.descriptors <= before.descriptors && after.sockets <= before.sockets);
    let change = after.resident_kb as f64 / before.resident_kb as f64;
    assert!((0.9..=1.1).contains(&change), "its memory is {change:.2} times what it was");
}

#[test]
fn a_hundred_condemned_isolates_leave_nothing_behind() {
    turn_over(FEW);
}

#[test]
#[ignore = "takes minutes"]
fn a_thousand_condemned_isolates_leave_nothing_behind() {
    turn_over(MANY);
}
