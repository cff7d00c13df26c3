//! Where a token must never be: every file, log line, argument, environment and container of a host that was given it.

use std::path::Path;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::processes::everything_said;

/// Files below `folder` that hold the text, as it is or as its bytes in base64 or hexadecimal digits.
fn holding(folder: &Path, texts: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map_while(Result::ok) {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                // It may be gone by now: a log of SQLite, a staging file.
                let bytes = std::fs::read(&path).unwrap_or_default();
                if texts.iter().any(|text| holds(&bytes, text)) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    found
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// A token's text and its 256 bits.
fn forms(token: &str) -> Vec<Vec<u8>> {
    let digits = token.rsplit('_').next().unwrap();
    let bits = (0..32).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
    vec![digits.as_bytes().to_vec(), digits.to_ascii_uppercase().into_bytes(), bits]
}

/// Uses tokens in every way that there is, good and bad.
fn use_tokens(host: &Host) -> Vec<String> {
    let made = host.cli(&["token", "create", "ci", "--app", "*", "--verb", "*", "--json"]).ok().json();
    let token = made["token"].as_str().unwrap().to_owned();
    let gone = host.cli(&["token", "create", "gone", "--app", "shop", "--verb", "deploy"]).ok().stdout;
    let gone = gone.trim().to_owned();
    host.cli(&["token", "revoke", "gone"]).ok();
    let bundle = vitrine_test_support::archive::bundle_dir(&[(
        "server/index.js",
        &vitrine_test_support::archive::hello("one"),
    )]);
    let folder = bundle.path().to_str().unwrap();
    host.cli(&["deploy", "shop", folder, "--version", "v1"]).env("VITRINE_TOKEN", &token).ok();
    host.cli(&["deploy", "shop", folder, "--version", "v2"]).env("VITRINE_TOKEN", &gone).fails(1, &["token"]);
    for token in [&token, &gone] {
        for path in ["/v1/apps", "/v1/apps/shop/releases/v9", "/v1/tokens", "/nowhere", "/v1/apps/shop/logs"]
        {
            Request::new(host.admin, "GET", path)
                .header("host", "x")
                .header("authorization", &format!("Bearer {token}"))
                .header("idempotency-key", "one")
                .send();
        }
        // Where no token belongs, and a careless client puts it.
        Request::new(host.edge, "GET", "/")
            .header("host", "shop.localhost")
            .header("authorization", token)
            .send();
    }
    vec![token, gone]
}

fn search(host: &Host, tokens: &[String]) {
    let own = host.token();
    for (token, own) in tokens.iter().map(|token| (token, false)).chain([(&own, true)]) {
        let forms = forms(token);
        let mut files = holding(&host.data(), &forms);
        // The host's own lies in its file, and nowhere else.
        files.retain(|file| !(own && file.ends_with("/admin.token")));
        assert_eq!(files, Vec::<String>::new());
        let log = host.log();
        let said = everything_said();
        let containers = serde_json::to_string(&docker::containers_of(&host.data())).unwrap();
        for form in &forms {
            assert!(!holds(log.as_bytes(), form), "the log has a token");
            assert!(!holds(said.as_bytes(), form), "a process has a token in its arguments or environment");
            assert!(!holds(containers.as_bytes(), form), "`docker inspect` has a token");
        }
    }
}

#[test]
fn no_token_is_in_the_store_the_logs_or_the_process_table() {
    let host = Host::start();
    let tokens = use_tokens(&host);
    search(&host, &tokens);
    assert!(host.log().contains("token:ci"), "the log says who called");
}

#[test]
fn no_token_is_in_a_container() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    let tokens = use_tokens(&host);
    assert!(!docker::containers_of(&host.data()).is_empty());
    search(&host, &tokens);
}

/// The search itself: it finds what it looks for wherever that is put.
#[test]
fn a_token_that_is_planted_is_found() {
    let host = Host::start();
    let token = format!("vit_{}", "5a".repeat(32));
    for form in forms(&token) {
        let planted = host.data().join("planted");
        std::fs::write(&planted, [b"before", &form[..], b"after"].concat()).unwrap();
        assert_eq!(holding(&host.data(), &forms(&token)), [planted.display().to_string()]);
        std::fs::remove_file(&planted).unwrap();
    }
    let mut child = std::process::Command::new("sleep").arg("60").env("CANARY", &token).spawn().unwrap();
    let said = everything_said();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.contains(&token));
}
