//! Host names: which app each belongs to, whatever other tenants call their releases, and whoever is first.

use std::time::Duration;
use vitrine_test_support::archive::{Archive, bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);

/// A token that may deploy this app, and no more.
fn deployer(host: &Host, app: &str) -> String {
    host.cli(&["token", "create", app, "--app", app, "--verb", "deploy"]).ok().stdout.trim().to_owned()
}

/// Uploads a page that says `text`, as the holder of a token; gives status and detail.
fn upload(host: &Host, token: &str, release: &str, preview: Option<&str>, text: &str) -> (u16, String) {
    let (app, version) = release.split_once('@').unwrap();
    let preview = preview.map(|name| format!("?preview={name}")).unwrap_or_default();
    let path = format!("/v1/apps/{app}/releases/{version}{preview}");
    let request = vitrine_test_support::http::Request::new(host.admin, "PUT", &path)
        .header("host", &host.admin.to_string())
        .header("authorization", &format!("Bearer {token}"));
    let answer = request.body(Archive::good(text).zst()).send();
    let told = answer.text().to_owned();
    (answer.status, told)
}

/// A server entry that takes three seconds until it is ready.
fn slow(text: &str) -> String {
    format!("await new Promise(done => setTimeout(done, 3000));\n{}", hello(text))
}

#[test]
fn of_two_uploads_that_want_one_label_the_first_gets_it_while_it_still_boots() {
    let host = Host::start();
    let attacker = deployer(&host, "race");
    let before = host.workers().len();
    let bundle = bundle_dir(&[("server/index.js", &slow("the victim's"))]);
    let folder = bundle.path().to_str().unwrap().to_owned();
    let args = ["deploy", "race-eu", &folder, "--version", "v1", "--preview", "pr-9"];
    std::thread::scope(|scope| {
        let victim = scope.spawn(|| host.cli(&args).ok());
        wait_until("the victim boots", PATIENCE, || (host.workers().len() > before).then_some(()));
        // Also as a preview, also in other spellings, also the name of the app itself.
        for (release, preview) in [
            ("race@eu-pr-9", None),
            ("race@EU_pr.9", None),
            ("race@other", Some("eu-pr-9")),
            ("race@eu", None),
        ] {
            let (status, told) = upload(&host, &attacker, release, preview, "the attacker's");
            assert_eq!(status, 409, "{release}: {told}");
            assert!(told.contains("label_taken"), "{told}");
        }
        victim.join().unwrap();
    });
    assert_eq!(host.get("race-eu-pr-9", "/").send().text(), "the victim's");
    // And for good: what is below the name of an app is its own.
    let (status, told) = upload(&host, &attacker, "race@eu-anything", None, "the attacker's");
    assert!(status == 409 && told.contains("the app race-eu"), "{status} {told}");
    assert_eq!(host.get("race-eu-anything", "/").send().status, 404);
}

#[test]
fn an_apps_name_is_its_own_whatever_a_release_of_another_app_was_called_before() {
    let host = Host::start();
    let squatter = deployer(&host, "shop");
    for (release, preview) in [("shop@checkout", None), ("shop@x", Some("checkout-v1"))] {
        assert_eq!(upload(&host, &squatter, release, preview, "the squatter's").0, 201);
    }
    assert_eq!(host.get("shop-checkout", "/").send().text(), "the squatter's");
    let url = host.deploy("shop-checkout", "the app's", &["--version", "v1"]);
    assert!(url.contains("//shop-checkout-v1."), "{url}");
    for label in ["shop-checkout", "shop-checkout-v1"] {
        assert_eq!(host.get(label, "/").send().text(), "the app's", "{label}");
    }
    // The one that lost its host name says so, and is told no other app's.
    assert_eq!(host.release("shop", "checkout")["url"], serde_json::Value::Null);
    assert!(host.release("shop", "x")["url"].is_null());
    assert_eq!(upload(&host, &squatter, "shop@checkout-v2", None, "the squatter's").0, 409);
    // A restart decides the same.
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(host.get("shop-checkout", "/").send().text(), "the app's");
    assert_eq!(host.get("shop-checkout-v1", "/").send().text(), "the app's");
}

#[test]
fn the_name_of_a_removed_app_is_nobody_elses_until_an_operator_frees_it() {
    let host = Host::start();
    let squatter = deployer(&host, "shop");
    host.deploy("shop-checkout", "the app's", &["--version", "v1"]);
    host.cli(&["remove", "shop-checkout", "--yes"]).ok();
    let (status, told) = upload(&host, &squatter, "shop@checkout", None, "the squatter's");
    assert!(status == 409 && told.contains("--free-name"), "{status} {told}");
    let (folder, clean) = host.stop();
    assert!(clean);
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(upload(&host, &squatter, "shop@checkout-v1", None, "the squatter's").0, 409);
    // The app itself may come back.
    host.cli(&["remove", "shop-checkout", "--now", "--yes"]).ok();
    host.deploy("shop-checkout", "the app's again", &["--version", "v2"]);
    assert_eq!(host.get("shop-checkout", "/").send().text(), "the app's again");
    host.cli(&["remove", "shop-checkout", "--yes"]).ok();
    host.cli(&["remove", "shop-checkout", "--yes"]).fails(4, &["shop-checkout"]);
    host.cli(&["remove", "shop-checkout@v1", "--free-name"]).fails(2, &["whole app"]);
    host.cli(&["remove", "shop-checkout", "--free-name", "--yes"]).ok();
    host.cli(&["remove", "shop-checkout", "--free-name", "--yes"]).fails(4, &["shop-checkout"]);
    assert_eq!(upload(&host, &squatter, "shop@checkout", None, "another one's").0, 201);
    assert_eq!(host.get("shop-checkout", "/").send().text(), "another one's");
}

#[test]
fn a_release_gets_no_label_that_the_operator_has_routed_elsewhere() {
    let folder = Host::configured("[[routes]]\nhost = \"shop-pr-1.localhost\"\napp = \"blog\"\n");
    let config = folder.path().join("vitrine.toml").to_str().unwrap().to_owned();
    let host = Host::start_in(folder, &["--isolation", "process", "--config", &config]);
    host.deploy("blog", "the blog's", &["--version", "v1"]);
    let token = deployer(&host, "shop");
    let (status, told) = upload(&host, &token, "shop@v1", Some("pr-1"), "the shop's");
    assert!(status == 409 && told.contains("route to blog"), "{status} {told}");
    assert_eq!(host.get("shop-pr-1", "/").send().text(), "the blog's");
}
