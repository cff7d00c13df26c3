//! Private services that the operator opens by a name, by a network, and to one app.

use crate::egress::Upstream;
use serde_json::{Value, json};
use vitrine_test_support::archive::fixture;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

/// Deploys the app that fetches what it is asked for, and may name all of these.
fn deploy(host: &Host, app: &str, upstreams: &[&Upstream], flags: &[&str]) {
    let hosts = ["127.0.0.1", "127.0.0.2", "localhost", "[::ffff:7f00:1]"];
    let ports = upstreams.iter().map(|upstream| upstream.address.port());
    let origins: Vec<String> = ports
        .flat_map(|port| hosts.map(|host| format!("http://{host}:{port}")))
        .chain(["http://169.254.169.254".to_owned()])
        .collect();
    let server = std::fs::read_to_string(fixture("egress").join("server/index.js")).unwrap();
    let manifest = json!({ "egress": origins }).to_string();
    host.deploy_files(app, &[("server/index.js", &server), ("vitrine.json", &manifest)], flags);
}

/// What came of a call: the body of the answer, or why there is none.
fn call(host: &Host, label: &str, url: &str) -> Result<String, String> {
    let told = host.get(label, &format!("/?u={url}")).send().json();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    match text(&told["results"][0]["body"]) {
        Some(body) => Ok(body),
        None => Err(text(&told["error"]["message"]).unwrap_or_else(|| told.to_string())),
    }
}

fn denied(host: &Host, label: &str, url: &str) {
    let answered = call(host, label, url);
    assert!(
        matches!(&answered, Err(why) if why.contains("egress.allow_private")),
        "{label} {url}: {answered:?}"
    );
}

#[test]
fn a_name_opens_calls_to_that_name_and_a_network_calls_to_its_addresses() {
    let (named, networked, closed) = (Upstream::start(), Upstream::start(), Upstream::start());
    let [name_port, network_port, closed_port] = [&named, &networked, &closed].map(|one| one.address.port());
    let rules = json!([format!("localhost:{name_port}"), format!("127.0.0.0/31:{network_port}")]);
    let folder = Host::configured(&format!("[egress]\nallow_private = {rules}\n"));
    let host = Host::start_in(folder, &["--isolation", "process"]);
    deploy(&host, "shop", &[&named, &networked, &closed], &[]);

    let by_name = format!("http://localhost:{name_port}");
    let by_network = format!("http://127.0.0.1:{network_port}");
    assert_eq!(call(&host, "shop", &format!("{by_name}/a")).unwrap(), "GET /a ");
    assert_eq!(call(&host, "shop", &format!("{by_network}/b")).unwrap(), "GET /b ");
    assert_eq!(call(&host, "shop", &format!("{by_name}/to/{by_network}/c")).unwrap(), "GET /c ");
    // The address behind the name is not opened, nor is what lies beside the network or spells it as IPv6.
    denied(&host, "shop", &format!("http://127.0.0.1:{name_port}/x"));
    denied(&host, "shop", &format!("http://127.0.0.2:{network_port}/x"));
    denied(&host, "shop", &format!("http://[::ffff:127.0.0.1]:{network_port}/x"));
    // Nor is anything by a redirect.
    for to in [
        format!("http://127.0.0.1:{name_port}/x"),
        format!("http://127.0.0.1:{closed_port}/x"),
        format!("http://localhost:{closed_port}/x"),
        "http://169.254.169.254/x".to_owned(),
    ] {
        denied(&host, "shop", &format!("{by_name}/to/{to}"));
    }
    assert_eq!(closed.asked(), Vec::<String>::new());
    assert!(!named.asked().iter().chain(&networked.asked()).any(|asked| asked.ends_with(" /x")));
}

#[test]
fn what_one_app_may_call_neither_another_app_nor_its_own_previews_may() {
    let (shared, own) = (Upstream::start(), Upstream::start());
    let (shared_port, own_port) = (shared.address.port(), own.address.port());
    let toml = format!(
        "[egress]\nallow_private = [\"127.0.0.1:{shared_port}\"]\n[apps.shop.egress]\nallow_private = [\"localhost:{own_port}\"]\n"
    );
    let host = Host::start_in(Host::configured(&toml), &["--isolation", "process"]);
    deploy(&host, "shop", &[&shared, &own], &["--version", "v1"]);
    deploy(&host, "blog", &[&shared, &own], &[]);
    deploy(&host, "shop", &[&shared, &own], &["--version", "v2", "--preview", "pr-7"]);
    let (to_all, to_one) =
        (format!("http://127.0.0.1:{shared_port}/a"), format!("http://localhost:{own_port}/b"));
    for label in ["shop", "blog", "shop-pr-7"] {
        assert_eq!(call(&host, label, &to_all).unwrap(), "GET /a ", "{label}");
    }
    assert_eq!(call(&host, "shop", &to_one).unwrap(), "GET /b ");
    denied(&host, "blog", &to_one);
    denied(&host, "shop-pr-7", &to_one);
    assert_eq!(own.asked(), ["GET /b"]);
    let told = host.cli(&["logs", "shop", "--json"]).ok().stdout;
    assert!(
        told.contains("needs [apps.shop.egress] previews = true in the operator's vitrine.toml"),
        "{told}"
    );
    // Promoted, its code is what somebody vouched for.
    host.cli(&["promote", "shop", "v2"]).ok();
    assert_eq!(call(&host, "shop", &to_one).unwrap(), "GET /b ");
}

#[test]
fn an_entry_that_opens_nothing_is_refused_with_its_place_and_examples() {
    let folder = Host::configured("[egress]\nallow_private = [\"localhost\"]\n");
    let config = folder.path().join("vitrine.toml");
    Cli::new(&["serve", "--config", config.to_str().unwrap()])
        .fails(1, &["vitrine.toml:2:18: `localhost` has no port", "db.internal:5432", "10.0.0.0/8:443"]);
}
