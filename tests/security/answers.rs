//! What an app's answer may carry: nothing for a proxy in front of the host, nothing for the app beside it.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

/// Gives the headers and the status that its query names.
const OBEYS: &str = "export default (request) => {
  const query = new URL(request.url).searchParams;
  const headers = new Headers({ 'content-type': 'text/html' });
  for (const [name, value] of query) if (name !== 'status') headers.append(name, value);
  return new Response('as told', { status: Number(query.get('status') ?? 200), headers });
};\n";

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// What the app answers that is told to give this header.
fn told(host: &Host, app: &str, name: &str, value: &str) -> Answer {
    let answer = host.get(app, &format!("/?{}={}", escaped(name), escaped(value))).send();
    assert_eq!((answer.status, answer.text()), (200, "as told"), "{answer:?}");
    answer
}

fn cookies(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    all.map(|(_, value)| value.as_str())
        .filter(|value| !value.starts_with("__vitrine_release=v1; Path=/"))
        .collect()
}

fn with_two_apps(host: &Host) {
    for version in ["v1", "v2"] {
        let page = format!("export default () => new Response('{version} of shop');\n");
        host.deploy_files("shop", &[("server/index.js", &page)], &["--version", version]);
    }
    host.deploy_files("evil", &[("server/index.js", OBEYS)], &["--version", "v1"]);
}

#[test]
fn an_app_gives_no_orders_to_the_proxy_in_front() {
    let host = Host::start();
    with_two_apps(&host);
    for order in [
        "x-accel-redirect",
        "x-accel-limit-rate",
        "X-Sendfile",
        "x-sendfile2",
        "x-lighttpd-send-file",
        "x-lighttpd-sendfile",
        "x-litespeed-location",
        "x-reproxy-url",
        "x-envoy-immediate-health-check-fail",
        "x-vitrine-epoch",
    ] {
        let answer = told(&host, "evil", order, "/internal/secret");
        assert!(!answer.headers.iter().any(|(_, value)| value == "/internal/secret"), "{order}: {answer:?}");
    }
    // The rig tells, and what is about this answer alone passes.
    for own in ["x-frame-options", "x-accel-buffering", "service-worker-allowed"] {
        assert_eq!(told(&host, "evil", own, "no").header(own), Some("no"), "{own}");
    }
}

#[test]
fn cookies_of_one_app_do_not_act_on_another() {
    let host = Host::start();
    with_two_apps(&host);
    for cookie in [
        "__vitrine_release=v1; Domain=localhost; Path=/",
        "__vitrine_release=v9; Path=/",
        "=__vitrine_release=v1; Domain=localhost",
        "__vitrine_id=00000000000000000000000000000007; Domain=localhost",
        "__Host-__vitrine_release=v9; Path=/; Secure",
        "session=mine; Domain=localhost",
        "session=mine; domain=.LocalHost; Path=/",
        "session=mine; Domain=shop.localhost",
    ] {
        let answer = told(&host, "evil", "set-cookie", cookie);
        assert_eq!(cookies(&answer), Vec::<&str>::new(), "{cookie}");
    }
    for own in ["session=mine; Path=/", "session=mine; Domain=evil.localhost"] {
        assert_eq!(cookies(&told(&host, "evil", "set-cookie", own)), [own]);
    }
    // A cookie that another host name planted beside the page's own is not followed: which is whose can't be told.
    let sub_request = |cookie: &str| {
        let request = host.get("shop", "/").header("cookie", cookie).header("sec-fetch-mode", "cors");
        request.send().text().to_owned()
    };
    assert_eq!(sub_request("__vitrine_release=v1"), "v1 of shop", "its own");
    assert_eq!(sub_request("__vitrine_release=v2; __vitrine_release=v1"), "v2 of shop");
    assert_eq!(sub_request("__vitrine_release=v1; __vitrine_release=v2"), "v2 of shop");
}

#[test]
fn over_tls_only_cookies_that_no_other_host_name_can_set_are_believed() {
    // The proxy in front says what the client speaks.
    let host = Host::start_in(
        Host::configured("trusted_proxies = [\"127.0.0.0/8\"]\n"),
        &["--isolation", "process", "--config", "vitrine.toml"],
    );
    let page = |version: &str| {
        format!(
            "export default () => new Response('{version}', {{ headers: {{ 'content-type': 'text/html' }} }});\n"
        )
    };
    for version in ["v1", "v2"] {
        host.deploy_files("shop", &[("server/index.js", &page(version))], &["--version", version]);
    }
    let get = |headers: &[(&str, &str)]| {
        let request = host.get("shop", "/").header("x-forwarded-proto", "https");
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    let document = get(&[("sec-fetch-mode", "navigate"), ("accept", "text/html")]);
    let cookie = document.header("set-cookie").unwrap();
    assert_eq!(cookie, "__Host-__vitrine_release=v2; Path=/; HttpOnly; SameSite=Lax; Secure");
    let sub_request = |cookie: &str| get(&[("cookie", cookie), ("sec-fetch-mode", "cors")]).text().to_owned();
    assert_eq!(sub_request("__Host-__vitrine_release=v1"), "v1");
    assert_eq!(sub_request("__vitrine_release=v1"), "v2", "one that a sibling may have set");
    assert_eq!(sub_request("__vitrine_release=v2; __Host-__vitrine_release=v1"), "v1");
}

#[test]
fn a_status_that_is_none_is_the_apps_error_and_odd_ones_share_a_series() {
    let host = Host::start();
    with_two_apps(&host);
    for status in 520..=599 {
        let answer = host.get("evil", &format!("/?status={status}")).send();
        assert_eq!(answer.status, status);
    }
    let metrics = host.call("GET", "/metrics").send();
    let series = metrics.text().lines().filter(|line| {
        let counted = line.starts_with("vitrine_http_requests_total{app=\"evil\"") && !line.ends_with(" 0");
        counted && line.contains("code=\"5")
    });
    assert_eq!(series.count(), 1, "one for all that nobody registered");
}
