//! Workers that die under load: what was asked is answered, what is gone comes back, nobody else notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::storm::{Seen, Wish, insist};
use vitrine_test_support::wait::wait_until;

const CLIENTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// A page that takes some milliseconds, so that some are under way at any time.
const PAGE: &str = "export default { async fetch() { await new Promise((done) => setTimeout(done, 20));\n\
                    return new Response('whole page'); } };\n";

/// What clients of `shop` and of `blog` saw while `during` ran, and what broke.
struct Load {
    shop: Vec<Seen>,
    blog: Vec<Seen>,
    broken: Vec<String>,
}

fn under_load(host: &Host, during: impl FnOnce()) -> Load {
    let wish = |app: &str| {
        let name = format!("{app}.localhost:{}", host.edge.port());
        Wish { method: "GET", path: "/", host: name, body: "" }
    };
    let (shop, blog, stop, edge) = (wish("shop"), wish("blog"), AtomicBool::new(false), host.edge);
    let stop = &stop;
    std::thread::scope(|scope| {
        let ask = |wish| scope.spawn(move || insist(edge, wish, stop));
        let shops: Vec<_> = (0..CLIENTS).map(|_| ask(&shop)).collect();
        let blogs = ask(&blog);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        stop.store(true, Ordering::Relaxed);
        let (shop, mut broken): (Vec<_>, Vec<_>) = shops.into_iter().map(|one| one.join().unwrap()).unzip();
        let (blog, of_blog) = blogs.join().unwrap();
        broken.push(of_blog);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Load { shop: shop.concat(), blog, broken: broken.concat() }
    })
}

impl Load {
    /// Every request got its page: what was under way when the worker died was asked again.
    fn assert_whole(&self) {
        assert_eq!(self.broken, Vec::<String>::new());
        for (app, seen, fewest) in [("shop", &self.shop, 5 * CLIENTS), ("blog", &self.blog, 5)] {
            let is_page = |seen: &&Seen| seen.status == 200 && seen.body == "whole page";
            let failed: Vec<_> = seen.iter().filter(|seen| !is_page(seen)).collect();
            assert!(failed.is_empty() && seen.len() > fewest, "{app}, of {}: {failed:?}", seen.len());
        }
    }
}

fn worker(host: &Host, release: &str) -> processes::WorkerProcess {
    let found = host.workers().into_iter().find(|worker| worker.release == release);
    found.unwrap_or_else(|| panic!("no worker of {release} in {:?}", host.workers()))
}

fn deploy_both(host: &Host) {
    for app in ["shop", "blog"] {
        host.deploy_files(app, &[("server/index.js", PAGE)], &["--version", "v1"]);
    }
}

/// Waits until pages come again, some in a row.
fn until_served(host: &Host) -> Duration {
    let begun = Instant::now();
    let mut in_a_row = 0;
    wait_until("pages come again", PATIENCE, || {
        let served = host.get("shop", "/").try_send().is_ok_and(|answer| answer.status == 200);
        in_a_row = if served { in_a_row + 1 } else { 0 };
        (in_a_row == 5).then_some(())
    });
    begun.elapsed()
}

#[test]
fn a_render_process_that_dies_comes_back_behind_the_same_sockets() {
    let host = Host::start();
    deploy_both(&host);
    let before = worker(&host, "shop@v1");
    let mut back = Duration::ZERO;
    let load = under_load(&host, || {
        until_served(&host);
        processes::kill(before.render.unwrap());
        back = until_served(&host);
    });
    load.assert_whole();
    let after = worker(&host, "shop@v1");
    assert_eq!((after.supervisor, &after.instance), (before.supervisor, &before.instance));
    assert_ne!(after.render, before.render);
    assert_eq!(host.release("shop", "v1")["instance"], before.instance);
    println!("served again after {back:?}, {} answers meanwhile", load.shop.len());
}

#[test]
fn an_app_whose_process_dies_again_and_again_comes_back_and_affects_no_other() {
    let host = Host::start();
    deploy_both(&host);
    let before = [worker(&host, "shop@v1"), worker(&host, "blog@v1")];
    let mut back = Vec::new();
    let load = under_load(&host, || {
        for _ in 0..5 {
            let render = wait_until("a render process", PATIENCE, || worker(&host, "shop@v1").render);
            processes::kill(render);
            back.push(until_served(&host));
        }
    });
    assert_eq!(load.broken, Vec::<String>::new());
    let is_page = |seen: &&Seen| seen.status == 200 && seen.body == "whole page";
    let failed: Vec<_> = load.blog.iter().filter(|seen| !is_page(seen)).collect();
    assert!(failed.is_empty() && load.blog.len() > 25, "blog, of {}: {failed:?}", load.blog.len());
    let after = [worker(&host, "shop@v1"), worker(&host, "blog@v1")];
    assert_eq!(after[0].supervisor, before[0].supervisor, "its supervisor lives on");
    assert_eq!(after[1].render, before[1].render, "the other app's process lives on");
    println!("served again after {back:?}");
}

#[test]
fn a_worker_that_is_gone_is_replaced() {
    let host = Host::start();
    deploy_both(&host);
    let before = worker(&host, "shop@v1");
    let load = under_load(&host, || {
        until_served(&host);
        processes::kill(before.supervisor);
        until_served(&host);
    });
    load.assert_whole();
    let after = worker(&host, "shop@v1");
    assert_ne!(after.instance, before.instance);
    wait_until("the new worker is recorded", PATIENCE, || {
        (host.release("shop", "v1")["instance"] == after.instance).then_some(())
    });
    let left = host.data().join("run").join(&before.instance);
    wait_until("the old one's folder is gone", PATIENCE, || (!left.exists()).then_some(()));
}

#[test]
fn a_container_that_is_killed_is_replaced() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    deploy_both(&host);
    let instance = host.release("shop", "v1")["instance"].as_str().unwrap().to_owned();
    let containers = docker::containers_of(&host.data());
    let of_shop = containers.iter().find(|one| one["Name"].as_str().unwrap().ends_with(&instance)).unwrap();
    let load = under_load(&host, || {
        until_served(&host);
        docker::kill(of_shop);
        until_served(&host);
    });
    load.assert_whole();
    assert_ne!(host.release("shop", "v1")["instance"], instance);
    wait_until("the old container is removed", PATIENCE, || {
        let left = docker::containers_of(&host.data());
        (left.len() == 2 && left.iter().all(|one| one["Id"] != of_shop["Id"])).then_some(())
    });
}
