//! Workers that live and do nothing: out of rotation, replaced, and nobody left waiting.

use std::time::{Duration, Instant};
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

/// What is promised from the moment of the stop.
const OUT_OF_ROTATION: Duration = Duration::from_secs(3);
const REPLACED: Duration = Duration::from_secs(10);
/// How long the rig looks for what may never come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A page at once, or one that takes long enough to be under way when its worker stops.
const PAGES: &str = "export default { async fetch(request) {\n\
                     const slow = new URL(request.url).pathname === '/slow';\n\
                     await new Promise((done) => setTimeout(done, slow ? 1500 : 0));\n\
                     return new Response(`page ${(await request.text()).length}`); } };\n";

/// Times since the stop.
struct Seen {
    out: Option<Duration>,
    replaced: Option<Duration>,
}

fn deploy(host: &Host) -> String {
    host.deploy_files("shop", &[("server/index.js", PAGES)], &["--version", "v1"]);
    host.release("shop", "v1")["instance"].as_str().unwrap().to_owned()
}

/// Stops the worker and looks how the host takes it; `asked` is what clients were told who asked just before, and during.
fn stopped(host: &Host, stop: impl FnOnce(), patience: Duration) -> (Seen, Vec<Answer>) {
    let look = || host.call("GET", "/v1/apps/shop/releases/v1").send().json();
    let before = look()["instance"].clone();
    let ask = |method: &'static str, path: &'static str| {
        let request = Request::new(host.edge, method, path).header("host", "shop.localhost");
        let request = if method == "POST" { request.body("four") } else { request };
        std::thread::spawn(move || request.send())
    };
    let under_way = [ask("GET", "/slow"), ask("POST", "/slow")];
    wait_until("two requests under way", PATIENCE, || (look()["in_flight"] == 2).then_some(()));
    let begun = Instant::now();
    stop();
    let during = [ask("GET", "/"), ask("POST", "/")];
    let mut seen = Seen { out: None, replaced: None };
    while begun.elapsed() < patience && seen.replaced.is_none() {
        let release = look();
        if seen.out.is_none() && release["health"]["status"] != "HEALTHY" {
            seen.out = Some(begun.elapsed());
        }
        if release["instance"] != before && release["health"]["status"] == "HEALTHY" {
            seen.replaced = Some(begun.elapsed());
        }
    }
    let answers = if seen.replaced.is_some() {
        under_way.into_iter().chain(during).map(|asked| asked.join().unwrap()).collect()
    } else {
        Vec::new()
    };
    (seen, answers)
}

fn assert_survived(host: &Host, how: &str, stop: impl FnOnce()) {
    let (seen, answers) = stopped(host, stop, PATIENCE);
    let (out, replaced) = (seen.out.unwrap(), seen.replaced.unwrap());
    println!("{how}: out of rotation after {out:?}, replaced after {replaced:?}");
    assert!(out <= OUT_OF_ROTATION && replaced <= REPLACED, "{out:?}, {replaced:?}");
    // What can be asked again is; what can't is told so.
    for (answer, what) in answers.iter().zip(["GET under way", "POST under way", "GET", "POST"]) {
        let status = answer.status;
        let fine =
            if what.starts_with("GET") { status == 200 } else { [200, 502, 503, 504].contains(&status) };
        assert!(fine && answer.complete, "{what}: {answer:?}");
    }
    assert_eq!(host.get("shop", "/").send().text(), "page 0");
    let metrics = host.call("GET", "/metrics").send();
    let counted = "vitrine_worker_replacements_total{app=\"shop\",reason=\"hung\"} 1";
    assert!(metrics.text().contains(counted), "{}", metrics.text());
}

fn render_process(host: &Host) -> u32 {
    host.workers()[0].render.unwrap()
}

#[test]
fn a_worker_that_is_stopped_is_out_of_rotation_and_replaced() {
    let host = Host::start();
    deploy(&host);
    let render = render_process(&host);
    assert_survived(&host, "SIGSTOP", || processes::freeze(render));
}

#[test]
fn a_container_that_is_paused_is_out_of_rotation_and_replaced() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    deploy(&host);
    let container = docker::containers_of(&host.data()).remove(0);
    assert_survived(&host, "docker pause", || docker::pause(&container));
    wait_until("the paused container is removed", PATIENCE, || {
        let left = docker::containers_of(&host.data());
        (left.len() == 1 && left[0]["Id"] != container["Id"]).then_some(())
    });
}

#[test]
fn a_worker_that_is_stopped_for_a_moment_is_kept() {
    let host = Host::start();
    let instance = deploy(&host);
    let render = render_process(&host);
    processes::freeze(render);
    wait_until("it counts as hung", PATIENCE, || {
        (host.release("shop", "v1")["health"]["hung"] == true).then_some(())
    });
    processes::thaw(render);
    wait_until("it counts as healthy", PATIENCE, || {
        (host.release("shop", "v1")["health"]["status"] == "HEALTHY").then_some(())
    });
    assert_eq!(host.release("shop", "v1")["instance"], instance.as_str());
    assert_eq!(host.get("shop", "/").send().status, 200);
}

/// Every isolate busy for seconds, at its limit of CPU time or just below, is no reason to take a worker for hung.
#[test]
fn a_worker_that_is_busy_is_kept() {
    let host = Host::start();
    let spin = "export default (request) => {\n\
                const end = Date.now() + Number(new URL(request.url).searchParams.get('ms'));\n\
                while (Date.now() < end);\n\
                return new Response('done'); };\n";
    host.deploy_files("shop", &[("server/index.js", spin)], &["--version", "v1"]);
    let look = || host.call("GET", "/v1/apps/shop/releases/v1").send().json();
    let instance = look()["instance"].clone();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let host = &host;
        let ask = |client: usize| {
            (0..12).for_each(|round| {
                let path = if (client + round).is_multiple_of(6) { "/?ms=60000" } else { "/?ms=300" };
                host.get("shop", path).send();
            });
        };
        let clients: Vec<_> = (0..6).map(|client| scope.spawn(move || ask(client))).collect();
        while !clients.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let release = look();
            assert_eq!((&release["health"]["hung"], &release["instance"]), (&false.into(), &instance));
        }
    });
    println!("72 renders that keep every isolate busy for {:?}: never taken for hung", begun.elapsed());
}

/// The same rig against a host whose probes are switched off: it must see that nothing is noticed.
#[test]
fn without_probes_the_rig_notices_that_nothing_is_noticed() {
    let host =
        Host::start_broken(Host::folder_anew(), &["--isolation", "process"], "liveness.begin=return(skip)");
    deploy(&host);
    let render = render_process(&host);
    let (seen, _) = stopped(&host, || processes::freeze(render), REPLACED);
    assert!(seen.out.is_none() && seen.replaced.is_none(), "{:?} {:?}", seen.out, seen.replaced);
    processes::kill(render);
}
