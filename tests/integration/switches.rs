//! What an operator can turn off at the edge, and what a host says that nobody asked to be weaker.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;

fn with_two_releases(toml: &str) -> Host {
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host
}

#[test]
fn without_skew_protection_everybody_gets_the_live_release() {
    let host = with_two_releases("[edge]\nskew_protection = false\n");
    let page = host.get("shop", "/").header("accept", "text/html").send();
    assert_eq!((page.text(), page.header("set-cookie"), page.header("vary")), ("two", None, None));
    assert_eq!(page.header("x-robots-tag"), None, "the app's own host name is for search engines");
    assert_eq!(host.get("shop-v1", "/").send().header("x-robots-tag"), Some("noindex"));
    for (name, value) in [("x-vitrine-release", "v1"), ("cookie", "__vitrine_release=v1")] {
        let pinned = host.get("shop", "/").header(name, value).send();
        assert_eq!((pinned.text(), pinned.header("x-vitrine-pin")), ("two", None), "{name}");
    }
    let on = with_two_releases("");
    assert_eq!(on.get("shop", "/").header("x-vitrine-release", "v1").send().text(), "one");
}

#[test]
fn without_diagnostic_headers_answers_tell_nothing_of_the_inside() {
    const TELLING: [&str; 4] = ["x-vitrine-release", "x-vitrine-epoch", "x-vitrine-outcome", "server-timing"];
    let host = with_two_releases("[edge]\ndiagnostic_headers = false\n");
    let page = host.get("shop", "/").send();
    let nowhere = Request::new(host.edge, "GET", "/").header("host", "nowhere.localhost").send();
    assert_eq!((page.status, nowhere.status), (200, 404));
    for answer in [&page, &nowhere] {
        assert!(answer.header("x-request-id").is_some());
        for name in TELLING {
            assert_eq!(answer.header(name), None, "{name}");
        }
    }
    let on = with_two_releases("");
    let page = on.get("shop", "/").send();
    assert!(TELLING.iter().filter(|name| page.header(name).is_some()).count() == 3, "{page:?}");
}

#[test]
fn a_host_whose_workers_are_not_in_containers_though_nobody_chose_that_says_so() {
    let host = Host::start_without_docker(Host::folder_anew(), &[]);
    assert_eq!((&*host.isolation, &*host.warning), ("process", "no-containers"));
    let told = host.cli(&["status"]).ok();
    assert!(told.stderr.contains("not in containers") && told.stderr.contains("vitrine doctor"), "{told:?}");
    assert!(told.stdout.lines().all(|line| !line.contains("containers")), "{told:?}");
    // Also at later starts, whose isolation is on record.
    let (folder, _) = host.stop();
    let host = Host::start_without_docker(folder, &[]);
    assert_eq!(host.warning, "no-containers");
    let chosen = Host::start();
    assert_eq!(chosen.warning, "");
    assert!(!chosen.cli(&["status"]).ok().stderr.contains("containers"));
}
