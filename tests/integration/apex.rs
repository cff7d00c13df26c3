//! The bare domain: to the only app, and to none of several.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;

#[test]
fn the_second_app_is_told_that_the_bare_domain_leads_nowhere_from_now_on() {
    let host = Host::start();
    let apex = || Request::new(host.edge, "GET", "/").header("host", "localhost").send();
    let deploy = |app: &str, version: &str| {
        let dir = vitrine_test_support::archive::bundle_dir(&[(
            "server/index.js",
            &vitrine_test_support::archive::hello(&format!("{app} {version}")),
        )]);
        host.cli(&["deploy", app, dir.path().to_str().unwrap(), "--version", version]).ok().stderr
    };
    let quiet = deploy("shop", "v1");
    assert!(!quiet.contains("warning"), "{quiet}");
    assert_eq!(apex().text(), "shop v1");
    let told = deploy("blog", "v1");
    for words in ["`localhost`", "led to `shop`", "lead nowhere", "[[routes]]", "host = \"localhost\""] {
        assert!(told.contains(words), "no {words}: {told}");
    }
    assert_eq!(apex().status, 404);
    let again = deploy("blog", "v1");
    assert!(!again.contains("lead nowhere"), "the same bundle again takes nothing from anyone: {again}");
    for (app, version) in [("blog", "v2"), ("third", "v1")] {
        let quiet = deploy(app, version);
        assert!(!quiet.contains("lead nowhere"), "{quiet}");
    }
}

#[test]
fn a_route_names_who_has_the_bare_domain() {
    let folder = Host::configured("[[routes]]\nhost = \"localhost\"\napp = \"shop\"\n");
    let host = Host::start_in(folder, &["--isolation", "process"]);
    for app in ["shop", "blog"] {
        let dir = vitrine_test_support::archive::bundle_dir(&[(
            "server/index.js",
            &vitrine_test_support::archive::hello(app),
        )]);
        let told = host.cli(&["deploy", app, dir.path().to_str().unwrap()]).ok().stderr;
        assert!(!told.contains("lead nowhere"), "{told}");
    }
    assert_eq!(Request::new(host.edge, "GET", "/").header("host", "localhost").send().text(), "shop");
}

#[test]
fn a_token_for_the_second_app_is_not_told_the_name_of_the_first_one() {
    let host = Host::start();
    host.deploy("secret-shop", "one", &["--version", "v1"]);
    let create = ["token", "create", "ci", "--app", "blog", "--verb", "read,deploy,promote"];
    let token = host.cli(&create).ok().stdout;
    let dir = vitrine_test_support::archive::bundle_dir(&[(
        "server/index.js",
        &vitrine_test_support::archive::hello("blog"),
    )]);
    let deploy = ["deploy", "blog", dir.path().to_str().unwrap(), "--version", "v1"];
    let told = host.cli(&deploy).env("VITRINE_TOKEN", token.trim()).ok().stderr;
    assert!(told.contains("lead nowhere") && !told.contains("secret-shop"), "{told}");
}

#[test]
fn an_app_that_takes_host_names_of_anothers_previews_is_told_which() {
    let host = Host::start();
    host.deploy("race", "short", &["--version", "v1"]);
    host.deploy("race", "preview", &["--preview", "eu-pr-9"]);
    assert_eq!(host.get("race-eu-pr-9", "/").send().text(), "preview");
    let dir = vitrine_test_support::archive::bundle_dir(&[(
        "server/index.js",
        &vitrine_test_support::archive::hello("long"),
    )]);
    let deploy = |version: &str| {
        host.cli(&["deploy", "race-eu", dir.path().to_str().unwrap(), "--version", version]).ok().stderr
    };
    let told = deploy("v1");
    for words in ["begin with `race-eu`", "race-eu-pr-9 (preview eu-pr-9 of race)"] {
        assert!(told.contains(words), "no {words}: {told}");
    }
    assert_eq!(host.get("race-eu-pr-9", "/").send().status, 404);
    assert!(!deploy("v2").contains("race-eu-pr-9"), "it is told once");
}
