//! What a live release costs while nobody asks for it.

use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

/// Times a second that all threads of a worker together may wake.
const WAKES_PER_S_MAX: f64 = 2.0;
/// How long a worker is watched: four pings of an idle one.
const WATCHED: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(30);

/// Times that the threads of a worker have slept so far.
fn sleeps(host: &Host) -> u64 {
    let worker = host.workers().remove(0);
    [Some(worker.supervisor), worker.render].into_iter().flatten().map(processes::sleeps).sum()
}

fn sleeps_per_s(host: &Host, watched: Duration) -> f64 {
    let (begun, before) = (Instant::now(), sleeps(host));
    // Pause: what is counted is what happens by itself.
    std::thread::sleep(watched);
    (sleeps(host) - before) as f64 / begun.elapsed().as_secs_f64()
}

#[test]
fn a_live_worker_that_nobody_asks_for_sleeps_and_one_that_is_asked_is_seen_to_wake() {
    let host = Host::start();
    let page = "export default async (request) => {\n\
                const slow = new URL(request.url).pathname === '/slow';\n\
                await new Promise((done) => setTimeout(done, slow ? 4000 : 0));\n\
                return new Response('page'); };\n";
    host.deploy_files("shop", &[("server/index.js", page)], &["--version", "v1"]);
    assert_eq!(host.get("shop", "/").send().text(), "page");
    // What the boot and the page left to do (compilers, memory to give back, a no-op in each isolate) is done within seconds.
    wait_until("the worker sleeps", PATIENCE, || {
        let per_s = sleeps_per_s(&host, Duration::from_secs(2));
        (per_s <= WAKES_PER_S_MAX).then_some(())
    });
    let idle = sleeps_per_s(&host, WATCHED);
    // The rig itself: while a request waits, pings are frequent and run a no-op in its isolate.
    let request = host.get("shop", "/slow");
    let asked = std::thread::spawn(move || request.send());
    let busy = sleeps_per_s(&host, Duration::from_secs(3));
    assert_eq!(asked.join().unwrap().text(), "page");
    println!("wakes a second: {idle:.2} idle, {busy:.2} while a request waits");
    assert!(idle <= WAKES_PER_S_MAX, "{idle:.2} a second");
    assert!(busy > 2.0 * WAKES_PER_S_MAX, "{busy:.2} a second");
}
