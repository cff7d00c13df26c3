//! What a visitor or a bundle writes reaches an operator's terminal as text, and as nothing that acts on it.

use vitrine_test_support::host::Host;

const LOGS_WHAT_IT_IS_ASKED: &str = "
    export default { fetch: (request) => {
      console.log(new URL(request.url).searchParams.get('q'));
      return new Response('logged');
    } };
";
const THROWS_WHAT_ACTS: &str = r"
    throw new Error('\u001b]0;pwned\u0007\u001b[2J\r\nerror: forged\u202e');
";

/// Text in which nothing acts on a terminal.
fn assert_plain(text: &str) {
    let acts = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(acts), "{text:?}");
}

#[test]
fn a_visitors_escapes_and_lines_are_text_in_the_log() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", LOGS_WHAT_IT_IS_ASKED)], &["--version", "v1"]);
    let sent = "%1b]0;pwned%07%1b[2J%0d%0a2026-11-30T00:00:00.000Z%20error%20v1%20forged%e2%80%ae";
    assert_eq!(host.get("shop", &format!("/?q={sent}")).send().text(), "logged");
    let shown = host.cli(&["logs", "shop"]).ok().stdout;
    assert_plain(&shown);
    assert!(shown.contains("\\u{1b}]0;pwned\\u{7}\\u{1b}[2J\\r\n    2026-11-30"), "{shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("2026-11-30T00:00:00.000Z")), "{shown:?}");
    // Programs get what was written.
    let json = host.cli(&["logs", "shop", "--json"]).ok().stdout;
    let line = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let written = |text| line(text)["message"].as_str().unwrap().starts_with("\u{1b}]0;pwned\u{7}");
    assert!(json.lines().any(written), "{json}");
}

#[test]
fn a_bundles_escapes_are_text_where_its_deploy_fails() {
    let host = Host::start();
    let bundle = vitrine_test_support::archive::bundle_dir(&[("server/index.js", THROWS_WHAT_ACTS)]);
    let ran = host.cli(&["deploy", "shop", bundle.path().to_str().unwrap()]).fails(1, &["pwned"]);
    assert_plain(&ran.stderr);
    let errors = ran.stderr.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(errors, 1, "{}", ran.stderr);
}
