//! The standby at rest: it gives its memory back, uses no CPU, and is there again when it is needed.

use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(40);
/// Looks at its CPU time: the first may see the end of what it gives back.
const LOOKS: usize = 2;
const RESTS_SOON: &str = "[switching]\nstandby_freeze_ms = 300\n[deploy]\nbake_time_ms = 0\n";
const NEVER_RESTS: &str = "[deploy]\nbake_time_ms = 0\n";
/// An app with some megabytes of garbage, and a timer that never stops.
const LITTERS: &str = "globalThis.ticks = 0;\nexport default { fetch: (request) => {\n\
    if (new URL(request.url).pathname === '/litter') { globalThis.tick ??= setInterval(() => { ticks += 1; }, 5);\n\
    return new Response(String(Array.from({ length: 400_000 }, (_, index) => ({ index })).length)); }\n\
    return new Response('still here'); } };\n";

/// Resident bytes and CPU ticks of the process that runs a release's code.
fn used(host: &Host, release: &str) -> (u64, u64) {
    let worker = host.workers().into_iter().find(|one| one.release == release).unwrap();
    let pid = worker.render.unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<u64> =
        stat.rsplit_once(')').unwrap().1.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    // After the name: state is the first field, user and system time the 12th and 13th, resident pages the 22nd.
    (fields[21] * 4096, fields[11] + fields[12])
}

fn until_frozen(host: &Host, version: &str) {
    wait_until(&format!("{version} is frozen"), PATIENCE, || {
        (host.release("shop", version)["phase"] == "frozen").then_some(())
    });
}

/// Makes v1 a standby with litter in it, waits until it is frozen, and gives the memory that it had and has, and whether it comes to use
/// no CPU time.
fn at_rest(host: &Host) -> (u64, u64, bool) {
    host.deploy_files("shop", &[("server/index.js", LITTERS)], &["--version", "v1"]);
    for _ in 0..10 {
        assert_eq!(host.get("shop", "/litter").send().text(), "400000");
    }
    let (busy, _) = used(host, "shop@v1");
    host.deploy("shop", "two", &["--version", "v2"]);
    until_frozen(host, "v1");
    let (frozen, mut cpu) = used(host, "shop@v1");
    for _ in 0..LOOKS {
        let before = cpu;
        // That it does nothing while time passes is the subject.
        std::thread::sleep(Duration::from_secs(2));
        cpu = used(host, "shop@v1").1;
        if cpu == before {
            return (busy, frozen, true);
        }
    }
    (busy, frozen, false)
}

#[test]
fn a_frozen_standby_has_given_memory_back_and_a_request_thaws_it() {
    let host = Host::start_in(Host::configured(RESTS_SOON), &["--isolation", "process"]);
    let (busy, frozen, is_still) = at_rest(&host);
    println!("resident: {} MiB busy, {} MiB frozen", busy >> 20, frozen >> 20);
    assert!(frozen + (8 << 20) < busy, "{frozen} of {busy} bytes are left");
    assert!(is_still, "its timer or its pings go on");
    let instance = host.release("shop", "v1")["instance"].clone();
    // By its own name, and by a pin.
    assert_eq!(host.get("shop-v1", "/").send().text(), "still here");
    until_frozen(&host, "v1");
    let pinned = host.get("shop", "/").header("x-vitrine-release", "v1").send();
    assert_eq!((pinned.status, pinned.text()), (200, "still here"));
    until_frozen(&host, "v1");
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "still here");
    assert_eq!(host.release("shop", "v1")["instance"], instance, "the same worker all the time");
}

#[test]
fn control_a_host_that_only_says_that_it_froze_is_noticed() {
    let folder = Host::configured(RESTS_SOON);
    let host = Host::start_broken(folder, &["--isolation", "process"], "freeze.send=return(skip)");
    let (.., is_still) = at_rest(&host);
    assert!(!is_still, "its timer goes on");
}

#[test]
fn a_frozen_container_serves_a_host_that_starts_again() {
    if !vitrine_test_support::docker::is_there() {
        return;
    }
    let flags = ["--isolation", "container"];
    let host = Host::start_in(Host::configured(RESTS_SOON), &flags);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    until_frozen(&host, "v1");
    let folder = host.kill();
    let host = Host::start_in(folder, &["--isolation", "container", "--stop-workers-on-exit"]);
    assert_eq!(host.get("shop-v1", "/").send().text(), "one");
}

/// Rolls back to v1 so many times; the times from before the call to after its answer, sorted.
fn rollbacks(host: &Host, times: usize, frozen: bool) -> Vec<Duration> {
    let call = |verb: &str, body: &str| {
        let begun = Instant::now();
        let answer = host.call("POST", &format!("/v1/apps/shop/{verb}")).body(body).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        begun.elapsed()
    };
    let mut took = Vec::new();
    for _ in 0..times {
        if frozen {
            until_frozen(host, "v1");
        }
        took.push(call("rollback", r#"{"to":"v1"}"#));
        let answer = host.get("shop", "/").send();
        assert_eq!((answer.text(), answer.header("x-vitrine-release")), ("one", Some("shop@v1")));
        call("promote", r#"{"version":"v2"}"#);
    }
    took.sort();
    took
}

fn measure(times: usize) -> (Vec<Duration>, Vec<Duration>) {
    let [warm, frozen] = [(NEVER_RESTS, false), (RESTS_SOON, true)].map(|(toml, frozen)| {
        let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
        host.deploy("shop", "one", &["--version", "v1"]);
        host.deploy("shop", "two", &["--version", "v2"]);
        let took = rollbacks(&host, times, frozen);
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        let what = if frozen { "frozen" } else { "warm" };
        println!("{times} rollbacks to a {what} standby: median {:?}, p99 {:?}", at(50), at(99));
        took
    });
    (warm, frozen)
}

#[test]
fn a_rollback_to_the_standby_takes_milliseconds_warm_or_frozen() {
    let (warm, frozen) = measure(7);
    let median = |took: &[Duration]| took[took.len() / 2];
    assert!(median(&warm) < Duration::from_millis(50), "{warm:?}");
    assert!(median(&frozen) < Duration::from_millis(500), "{frozen:?}");
}

#[test]
#[ignore = "minutes"]
fn hundreds_of_rollbacks_take_milliseconds_warm_or_frozen() {
    let (warm, frozen) = measure(200);
    let p99 = |took: &[Duration]| took[took.len() * 99 / 100];
    assert!(p99(&warm) < Duration::from_millis(50), "p99 {:?}", p99(&warm));
    assert!(p99(&frozen) < Duration::from_millis(500), "p99 {:?}", p99(&frozen));
}
