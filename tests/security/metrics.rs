//! Who reads the metrics: they name every app and how it does.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;

fn status(host: &Host, token: Option<&str>, name: &str) -> u16 {
    let request = Request::new(host.admin, "GET", "/metrics").header("host", name);
    let request = match token {
        Some(token) => request.header("authorization", &format!("Bearer {token}")),
        None => request,
    };
    request.send().status
}

fn create(host: &Host, name: &str, apps: &str, verb: &str) -> String {
    host.cli(&["token", "create", name, "--app", apps, "--verb", verb]).ok().stdout.trim().to_owned()
}

#[test]
fn metrics_want_a_token_that_may_read_every_app() {
    let host = Host::start();
    assert_eq!(status(&host, None, "localhost"), 401, "being on the machine is not enough");
    let (one, all) = (create(&host, "one", "shop", "*"), create(&host, "prometheus", "*", "read"));
    assert_eq!(status(&host, Some(&one), "localhost"), 403);
    assert_eq!(status(&host, Some(&all), "any.example.com"), 200);
    assert_eq!(status(&host, Some(&host.token()), "localhost"), 200);
    assert_eq!(status(&host, Some("vit_0"), "localhost"), 401);
}

#[test]
fn a_listed_network_reads_them_without_one_and_no_page_of_a_browser_does() {
    let folder = Host::configured("[metrics]\nallow = [\"127.0.0.0/8\"]\n");
    let host = Host::start_in(folder, &["--isolation", "process"]);
    for name in ["localhost", "127.0.0.1:9", "vitrine:8081"] {
        assert_eq!(status(&host, None, name), 200, "{name}");
    }
    // A name that an attacker's DNS leads to this machine.
    assert_eq!(status(&host, None, "rebound.attacker.example:8081"), 401);
    // The list is for the metrics alone.
    let listed = Request::new(host.admin, "GET", "/v1/apps").header("host", "localhost").send();
    assert_eq!(listed.status, 401);
    let folder = Host::configured("[metrics]\nallow = [\"10.0.0.0/8\"]\n");
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(status(&host, None, "localhost"), 401);
}
