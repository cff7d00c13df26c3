//! A deploy that fails says why: what has no value, what was denied, what the page answered, which limits were lowered.

use vitrine_test_support::archive::{Archive, bundle_dir};
use vitrine_test_support::host::Host;

/// Calls a service that nothing opens, and shows what came of it.
const CALLS: &str = "export default { async fetch() {\n\
                       for (const path of ['/a', '/b']) try { await fetch('http://127.0.0.1:9/' + path); } catch (error) { var denied = error; }\n\
                       return new Response(`no backend\\n\u{1b}[2J${denied.message}`, { status: 500 });\n\
                     } };\n";
const WISHES: &str = r#"{"env":["API_URL","API_KEY","SET"],"limits":{"heap_mb":1024}}"#;

fn low() -> Host {
    Host::start_in(Host::configured("[limits]\nheap_mb = 256\nrequest_mb = 3\n"), &["--isolation", "process"])
}

#[test]
fn values_calls_answers_and_limits_are_named_with_what_to_do() {
    let host = low();
    host.cli(&["env", "set", "shop", "SET"]).stdin("yes").ok();
    host.cli(&["env", "set", "shop", "API_UR"]).stdin("mistyped").ok();
    let dir = bundle_dir(&[("server/index.js", CALLS), ("vitrine.json", WISHES)]);
    let path = dir.path().to_str().unwrap();
    let opens = r#"egress denied: http://127.0.0.1:9 needs "egress": ["http://127.0.0.1:9"] in vitrine.json and [egress] allow_private = ["127.0.0.1:9"] in the operator's vitrine.toml"#;
    let ran = host.cli(&["deploy", "shop", path, "--version", "v1"]).fails(
        1,
        &[
            "the answer of / began: no backend\\n\\u{1b}[2J",
            "no value is set for what `env` in vitrine.json lists: API_URL, API_KEY\n",
            "vitrine env set shop API_URL\n",
            "vitrine env set shop API_KEY\n",
            "values that are set and that `env` in vitrine.json does not list, so the code does not see them: API_UR\n",
            opens,
            "limits lowered to the operator's maximum ([limits] in vitrine.toml): heap_mb 1024 to 256",
        ],
    );
    assert!(!ran.stderr.contains("env set shop SET"), "{ran:?}");
    // Both calls of both renders are to one origin: one finding, and one line of the app's log.
    assert_eq!(ran.stderr.matches(opens).count(), 2, "{ran:?}");
    host.cli(&["deploy", "shop", path, "--preview", "pr-1"])
        .fails(1, &["no value is set for previews", "vitrine env set shop SET --preview\n"]);

    let archive =
        Archive::empty().file("vitrine.json", WISHES.as_bytes()).file("server/index.js", CALLS.as_bytes());
    let answer = host.call("PUT", "/v1/apps/shop/releases/v1").body(archive.gz()).send();
    let (status, problem) = (answer.status, answer.json());
    assert_eq!((status, &problem["type"]), (422, &"urn:vitrine:problem:unservable".into()));
    let found = &problem["diagnosis"];
    assert_eq!(found["env_unset"], serde_json::json!(["API_URL", "API_KEY"]));
    assert_eq!(found["env_unlisted"], serde_json::json!(["API_UR"]));
    assert_eq!((&found["answer"]["path"], &found["answer"]["status"]), (&"/".into(), &500.into()));
    assert!(found["answer"]["body"].as_str().unwrap().starts_with("no backend\n"), "{found}");
    assert_eq!(found["egress_denied"][0]["origin"], "http://127.0.0.1:9");
    assert_eq!(found["egress_denied"][0]["needs"][1]["line"], r#"[egress] allow_private = ["127.0.0.1:9"]"#);
    let lowered = serde_json::json!([{"name": "heap_mb", "wanted": 1024, "given": 256}]);
    assert_eq!(found["limits_lowered"][0], lowered[0]);

    // What does not keep a release from coming up is said all the same.
    let good = bundle_dir(&[
        ("server/index.js", "export default () => new Response('good');"),
        ("vitrine.json", WISHES),
    ]);
    let good = ["deploy", "shop", good.path().to_str().unwrap(), "--version", "v1"];
    let told = host.cli(&good).ok().stderr;
    assert!(told.contains("warning: no value is set") && told.contains("warning: limits lowered"), "{told}");
    assert!(!told.contains("request_mb"), "nothing asks for it: {told}");
    let again = host.cli(&[&good[..], &["--json"]].concat()).ok().json();
    assert_eq!((&again["env_unset"][0], &again["limits_lowered"]), (&"API_URL".into(), &lowered));
}

#[test]
fn a_health_path_that_is_not_there_counts_and_is_told() {
    let host = Host::start();
    let server = "export default (request) => new Response('x', { status: new URL(request.url).pathname === '/' ? 200 : 404 });";
    let deploy = |health: &str| {
        let dir = bundle_dir(&[
            ("server/index.js", server),
            ("vitrine.json", &format!(r#"{{"health":{{"path":"{health}"}}}}"#)),
        ]);
        host.cli(&["deploy", "shop", dir.path().to_str().unwrap()]).ok().stderr
    };
    let told = deploy("/helathz");
    assert!(
        told.contains("warning: the health path /helathz answers 404, which counts as healthy"),
        "{told}"
    );
    assert!(!deploy("/").contains("warning"));
}

#[test]
fn a_name_that_resolves_to_a_private_address_is_the_operators_to_see() {
    let host = low();
    let server = CALLS.replace("127.0.0.1", "localhost");
    let dir =
        bundle_dir(&[("server/index.js", &server), ("vitrine.json", r#"{"egress":["http://localhost:9"]}"#)]);
    let path = dir.path().to_str().unwrap();
    let needs = r#"needs [egress] allow_private = ["localhost:9"] in the operator's vitrine.toml"#;
    let ran = host.cli(&["deploy", "shop", path, "--version", "v1"]).fails(1, &[needs]);
    assert!(ran.stderr.contains("egress denied: http://localhost:9 (which is "), "{ran:?}");
    let token = host.cli(&["token", "create", "ci", "--app", "shop", "--verb", "deploy"]).ok().stdout;
    let deploy = host.cli(&["deploy", "shop", path, "--preview", "p"]);
    let deploy =
        deploy.env("VITRINE_ADMIN", &format!("http://{}", host.admin)).env("VITRINE_TOKEN", token.trim());
    let ran = deploy.fails(1, &["egress denied: http://localhost:9 needs", needs]);
    assert!(!ran.stderr.contains("which is"), "{ran:?}");
}

#[test]
fn what_the_health_check_answers_is_shown() {
    let host = low();
    let server = "export default (request) => request.url.endsWith('/healthz')\n\
                  ? new Response('database is away', { status: 503 }) : new Response('page');";
    let files = [("server/index.js", server), ("vitrine.json", r#"{"health":{"path":"/healthz"}}"#)];
    let dir = bundle_dir(&files);
    host.cli(&["deploy", "shop", dir.path().to_str().unwrap()])
        .fails(1, &["its health check `/healthz` failed", "the answer of /healthz began: database is away"]);
}

#[test]
fn what_a_page_throws_is_told_once_with_its_place() {
    let host = low();
    let server = "const missing = undefined;\n\
                  export default { async fetch() {\n\
                  try { return new Response(String({} instanceof missing)); } catch (error) { console.error(error); throw error; }\n\
                  } };";
    let dir = bundle_dir(&[("server/index.js", server)]);
    let ran = host
        .cli(&["deploy", "shop", dir.path().to_str().unwrap()])
        .fails(1, &["Right-hand side of 'instanceof' is not an object at fetch (server/index.js:3:"]);
    let tail = ran.stderr.split_once("last lines of the worker").unwrap().1;
    assert_eq!(tail.matches("instanceof").count(), 1, "{tail}");
    assert!(tail.contains("    at fetch (server/index.js:3:") && !tail.contains("app:///"), "{tail}");
}

#[test]
fn a_limit_that_ends_a_start_is_told_with_its_figure_and_where() {
    let host = low();
    let fails = |server: &str, json: &str, flags: &[&str], words: &[&str]| {
        let dir = bundle_dir(&[("server/index.js", server), ("vitrine.json", json)]);
        host.cli(&[&["deploy", "shop", dir.path().to_str().unwrap()], flags].concat()).fails(1, words)
    };
    let loops = "export default () => { for (;;) {} };";
    let hangs = "export default () => new Promise(() => {});";
    let warm = r#"{"warm":["/"],"limits":{"cpu_ms":200,"wall_ms":900}}"#;
    fails(loops, warm, &[], &["The warm path / used more CPU time than its 200 ms (limits.cpu_ms)"]);
    let ran = fails(hangs, warm, &[], &["The warm path / had no answer within 900 ms (limits.wall_ms)"]);
    assert!(!ran.stderr.contains("`await`"), "{ran:?}");
    let health = r#"{"warm":[],"health":{"path":"/up"},"limits":{"cpu_ms":200,"wall_ms":900}}"#;
    let ran =
        fails(hangs, health, &["--wait", "2"], &["(`--wait`), in which its health path had no good answer"]);
    assert!(!ran.stderr.contains("`await`"), "{ran:?}");
}
