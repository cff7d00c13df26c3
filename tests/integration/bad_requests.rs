//! Names, tokens, headers and bodies that are refused.

use vitrine_test_support::archive::{Archive, fixture};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;

fn with_live() -> Host {
    let host = Host::start();
    host.cli(&["deploy", "shop", fixture("fetch-hello").to_str().unwrap(), "--version", "live"]).ok();
    host
}

fn assert_live(host: &Host) {
    assert_eq!(host.get("shop", "/").send().header("x-vitrine-release"), Some("shop@live"));
}

#[test]
fn what_is_not_there_is_exit_4_and_404() {
    let host = with_live();
    let missing: [(&[&str], &str); 9] = [
        (&["status", "nowhere"], "nowhere"),
        (&["releases", "nowhere"], "nowhere"),
        (&["rollback", "nowhere"], "nowhere"),
        (&["logs", "nowhere"], "nowhere"),
        (&["env", "list", "nowhere"], "nowhere"),
        (&["promote", "shop", "v9"], "shop@v9"),
        (&["rollback", "shop", "--to", "v9"], "shop@v9"),
        (&["remove", "shop@v9"], "shop@v9"),
        (&["logs", "shop@v9"], "shop@v9"),
    ];
    for (args, word) in missing {
        host.cli(args).fails(4, &[word]);
    }
    for path in ["/v1/apps/nowhere", "/v1/apps/shop/releases/v9", "/v1/nothing", "/nothing"] {
        let answer = host.call("GET", path).send();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/problem+json")),
            "{path}"
        );
    }
    let edge = host.get("nowhere", "/").header("accept", "application/json").send();
    assert_eq!((edge.status, edge.header("content-type")), (404, Some("application/problem+json")));
    assert_live(&host);
}

#[test]
fn what_the_state_does_not_allow_is_refused_and_changes_nothing() {
    let host = with_live();
    host.cli(&["rollback", "shop"]).fails(1, &["shop"]);
    host.cli(&["rollback", "shop", "--from", "v9"]).fails(1, &["v9"]);
    host.cli(&["remove", "shop@live"]).fails(1, &["shop@live"]);
    let weight = host.call("POST", "/v1/apps/shop/promote").body(r#"{"version":"live","weight":101}"#).send();
    assert_eq!(weight.status, 422);
    assert!(weight.json()["detail"].as_str().unwrap().contains("`weight`"), "{}", weight.text());
    let query =
        host.call("PUT", "/v1/apps/shop/releases/v2?colour=red").body(Archive::good("x").zst()).send();
    assert_eq!(query.status, 400);
    assert!(query.json()["detail"].as_str().unwrap().contains("colour"), "{}", query.text());
    assert_live(&host);
}

#[test]
fn a_wrong_token_opens_nothing() {
    let host = with_live();
    let admin = |method: &str, path: &str| Request::new(host.admin, method, path).header("host", "x");
    let closed = [
        ("GET", "/v1/apps"),
        ("GET", "/v1/openapi.json"),
        ("PUT", "/v1/apps/shop/releases/v2"),
        ("POST", "/v1/apps/shop/rollback"),
        ("DELETE", "/v1/apps/shop"),
    ];
    for (method, path) in closed {
        for header in [
            "",
            "Bearer",
            "Bearer vt_0",
            &format!("Basic {}", host.token()),
            &format!("Bearer {}x", host.token()),
        ] {
            let answer = admin(method, path).header("authorization", header).body("{}").send();
            assert_eq!(answer.status, 401, "{method} {path} {header}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{method} {path}");
            assert!(!answer.text().contains(&host.token()));
        }
    }
    for open in ["/healthz", "/readyz"] {
        assert_eq!(admin("GET", open).send().status, 200, "{open}");
    }
    assert_eq!(admin("GET", "/metrics").send().status, 401);
    host.cli(&["status"]).env("VITRINE_TOKEN", "vt_wrong").fails(1, &["token"]);
    host.cli(&["deploy", "shop", fixture("fetch-function").to_str().unwrap()])
        .env("VITRINE_TOKEN", "vt_wrong")
        .fails(1, &["token"]);
    // With no environment but the address, the user of the host needs neither.
    host.cli(&["status"]).env("VITRINE_ADMIN", &format!("http://{}", host.admin)).ok();
    assert_live(&host);
}

#[test]
fn oversized_heads_and_bodies_are_refused() {
    let host = with_live();
    let long = host.get("shop", "/").header("x-long", &"y".repeat(64 << 10)).send();
    assert_eq!(long.status, 431);
    let many =
        (0..300).fold(host.get("shop", "/"), |request, n| request.header(&format!("x-{n}"), "y")).send();
    assert_eq!(many.status, 431);
    let target = host.get("shop", &format!("/{}", "y".repeat(20 << 10))).send();
    assert!(matches!(target.status, 414 | 431), "{}", target.status);
    // 10 MiB is the default of `request_mb`.
    let body = Request::new(host.edge, "POST", "/")
        .header("host", &format!("shop.localhost:{}", host.edge.port()))
        .body(vec![b'x'; 11 << 20])
        .send();
    assert_eq!(body.status, 413);
    let declared =
        host.call("PUT", "/v1/apps/shop/releases/v2").header("content-length", "999999999999").send();
    assert_eq!(declared.status, 413);
    let json = format!(r#"{{"value":"{}"}}"#, "y".repeat(512 << 10));
    assert_eq!(host.call("PUT", "/v1/apps/shop/env/KEY").body(json).send().status, 413);
    let head = host.call("GET", "/v1/apps").header("x-long", &"y".repeat(64 << 10)).send();
    assert_eq!(head.status, 431);
    assert_live(&host);
}

#[test]
fn a_key_makes_a_change_happen_once() {
    let host = with_live();
    host.cli(&["deploy", "shop", fixture("fetch-function").to_str().unwrap(), "--version", "v2"]).ok();
    let rollback = |key: &str, body: &str| {
        host.call("POST", "/v1/apps/shop/rollback").header("idempotency-key", key).body(body).send()
    };
    let first = rollback("a", "{}");
    assert_eq!((first.status, first.json()["version"].as_str()), (200, Some("live")), "{}", first.text());
    let again = rollback("a", "{}");
    assert_eq!((again.status, &again.body), (200, &first.body));
    let other = rollback("a", r#"{"to":"v2"}"#);
    assert_eq!((other.status, other.json()["type"].as_str()), (422, Some("urn:vitrine:problem:key_reused")));
    assert_eq!(rollback("", "{}").status, 400);
    assert_live(&host);
}
