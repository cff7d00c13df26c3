//! Calls of an app to its own origin, which it answers itself without `egress`.

use serde_json::Value;
use vitrine_test_support::host::Host;

/// `/ask` calls what its parameters name and tells what came of it.
const SERVER: &str = r#"
const told = async (url, init) => {
  try {
    const response = await fetch(url, init);
    return [response.status, await response.text()];
  } catch (error) {
    return [0, error.message];
  }
};
export default {
  async fetch(request) {
    const url = new URL(request.url);
    const asked = (name) => url.searchParams.get(name);
    if (url.pathname === "/ask") {
      const to = new URL(asked("to"), url);
      if (asked("host") !== null) to.hostname = asked("host");
      if (asked("port") !== null) to.port = asked("port");
      const body = asked("body");
      const headers = { "x-forwarded-host": `blog.localhost:${url.port}`, host: `blog.localhost:${url.port}`, "x-forwarded-for": "6.6.6.6" };
      return Response.json(await told(to, body === null ? { headers } : { headers, method: "POST", body }));
    }
    if (url.pathname === "/moved") return new Response(null, { status: 302, headers: { location: "/api" } });
    if (url.pathname === "/away") return new Response(null, { status: 302, headers: { location: `http://blog.localhost:${url.port}/` } });
    if (url.pathname === "/loop") return new Response((await told(url, { headers: { "x-vitrine-own-call": "0" } }))[1]);
    const seen = ["x-forwarded-for", "x-vitrine-own-call"].map((name) => request.headers.get(name)).join(" ");
    return new Response(`APP ${request.method} ${url.pathname} ${await request.text()} ${seen}`);
  },
};
"#;

fn deploy(host: &Host, app: &str, version: &str, name: &str) {
    let server = SERVER.replace("APP", name);
    let files = [("server/index.js", server.as_str()), ("client/file.txt", "a file")];
    host.deploy_files(app, &files, &["--version", version]);
}

/// Status and text that `/ask` was told.
fn asked(host: &Host, query: &str, pin: Option<&str>) -> (u64, String) {
    let request = host.get("shop", &format!("/ask?{query}"));
    let request = match pin {
        Some(version) => request.header("x-vitrine-release", version),
        None => request,
    };
    let answer = request.send();
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let told: Value = answer.json();
    (told[0].as_u64().unwrap(), told[1].as_str().unwrap().to_owned())
}

/// A host that believes every proxy on this machine, with the apps `shop` and `blog`.
fn with_two() -> Host {
    let toml = "trusted_proxies = [\"127.0.0.0/8\"]\n[edge]\ntrust_forwarded_host = true\n";
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    deploy(&host, "shop", "v1", "one");
    deploy(&host, "blog", "v1", "blog");
    host
}

#[test]
fn an_app_answers_its_own_calls_and_no_other_app_does() {
    let host = with_two();
    let ok = |text: &str| (200, text.to_owned());
    assert_eq!(asked(&host, "to=/api", None), ok("one GET /api  127.0.0.1 1"));
    assert_eq!(asked(&host, "to=/api&body=b", None), ok("one POST /api b 127.0.0.1 1"));
    assert_eq!(asked(&host, "to=/file.txt", None), ok("a file"));
    // A redirect is followed there as anywhere.
    assert_eq!(asked(&host, "to=/moved", None), ok("one GET /api  127.0.0.1 1"));
    for elsewhere in ["to=/&host=blog.localhost", "to=/&port=1", "to=/away", "to=/&host=127.0.0.1"] {
        let (status, told) = asked(&host, elsewhere, None);
        assert!(status == 0 && told.contains("egress denied"), "{elsewhere}: {told}");
    }
}

#[test]
fn a_release_that_calls_itself_reaches_itself() {
    let host = with_two();
    deploy(&host, "shop", "v2", "two");
    assert_eq!(asked(&host, "to=/api", None).1, "two GET /api  127.0.0.1 1");
    assert_eq!(asked(&host, "to=/api", Some("v1")).1, "one GET /api  127.0.0.1 1");
}

#[test]
fn an_app_that_calls_itself_for_ever_is_stopped() {
    let host = with_two();
    let told = host.get("shop", "/loop").send();
    assert_eq!(told.status, 200);
    assert!(told.text().contains("the app called itself 8 times on the way to"), "{}", told.text());
    // The mark is the host's to give and to read: a visitor's is not believed.
    let forged = host.get("shop", "/api").header("x-vitrine-own-call", "7").send();
    assert_eq!(forged.text(), "one GET /api  127.0.0.1 ");
}
