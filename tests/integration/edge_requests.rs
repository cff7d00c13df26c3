//! What the edge says about a request, and what it lets through.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use vitrine_test_support::archive::fixture;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn with_echo(toml: &str) -> Host {
    let host = Host::start_in(Host::configured(toml), &["--isolation", "process"]);
    host.deploy_folder("shop", &fixture("echo"), &["--version", "v1"]);
    host
}

fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.get("shop", path), |request, (name, value)| request.header(name, value)).send()
}

/// A header as the app saw it.
fn seen(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer.json()["headers"].as_array().unwrap().clone();
    let named = headers.iter().filter(|pair| pair[0] == name);
    named.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

/// The access line of a request.
fn logged(host: &Host, request_id: &str) -> serde_json::Value {
    wait_until("the access line", Duration::from_secs(10), || {
        let log = host.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.into_iter().find(|line| line["request_id"] == request_id && !line["status"].is_null())
    })
}

#[test]
fn a_host_says_that_it_is_up_before_it_has_an_app() {
    let host = Host::start();
    for path in ["/_vitrine/healthz", "/_vitrine/readyz"] {
        for name in ["localhost", "x.localhost", "10.0.0.1", "elsewhere.example"] {
            assert_eq!(
                Request::new(host.edge, "GET", path).header("host", name).send().status,
                200,
                "{path}"
            );
        }
    }
    let nothing = Request::new(host.edge, "GET", "/_vitrine/x").header("host", "localhost").send();
    assert_eq!(nothing.status, 404);
    let posted = Request::new(host.edge, "POST", "/_vitrine/readyz").header("host", "localhost").send();
    assert_eq!(posted.status, 405);
    let unknown = host.get("shop", "/").header("accept", "text/html").send();
    let id = unknown.header("x-request-id").unwrap();
    assert_eq!((unknown.status, unknown.header("x-vitrine-outcome")), (404, Some("no_route")));
    assert!(unknown.header("content-type").unwrap().starts_with("text/html") && unknown.text().contains(id));
    let problem = host.get("shop", "/").header("accept", "application/json").send();
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!((&problem.json()["status"], &problem.json()["outcome"]), (&404.into(), &"no_route".into()));
    assert_eq!(logged(&host, id)["outcome"], "no_route");
    let mut client = TcpStream::connect(host.edge).unwrap();
    client.write_all(b"NO REQUEST\r\n\r\n").unwrap();
    let mut refused = String::new();
    client.read_to_string(&mut refused).unwrap();
    let id = refused.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    let line = logged(&host, id);
    assert_eq!(["method", "outcome"].map(|name| line[name].as_str().unwrap()), ["-", "bad_request"]);
    assert_eq!(line["status"], 400);
}

#[test]
fn each_answer_can_be_found_in_the_log_and_timed() {
    let host = with_echo("");
    let answers: Vec<Answer> = (0..3).map(|n| get(&host, &format!("/page?n={n}"), &[])).collect();
    let ids: BTreeSet<&str> = answers.iter().filter_map(|answer| answer.header("x-request-id")).collect();
    assert_eq!(ids.len(), 3);
    let answer = get(&host, "/traced?q=1", &[("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"))]);
    let timing = answer.header("server-timing").unwrap();
    for part in ["edge;dur=", "queue;dur=", "render;dur=", "cache;desc="] {
        assert!(timing.contains(part), "no {part} in {timing}");
    }
    assert_eq!(answer.header("x-vitrine-release"), Some("shop@v1"));
    assert!(answer.header("x-vitrine-epoch").unwrap().parse::<u64>().unwrap() > 0);
    assert!(seen(&answer, "traceparent")[0].starts_with(&format!("00-{TRACE}-")), "{answer:?}");
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(seen(&answer, "x-request-id"), [id]);
    let line = logged(&host, id);
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        ["method", "path", "app", "outcome", "trace_id"].map(text),
        ["GET", "/traced", "shop", "ok", TRACE]
    );
    assert_eq!(line["status"], 200);
    assert!(
        line["duration_ms"].as_f64().unwrap() > 0.0 && line["render_ms"].as_f64().unwrap() > 0.0,
        "{line}"
    );
}

#[test]
fn only_a_trusted_proxy_says_who_asks() {
    let forged = [
        ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.localhost"),
        ("forwarded", "for=6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("x-vitrine-epoch", "77"),
        ("x-request-id", "from-the-proxy"),
    ];
    let host = with_echo("");
    let name = format!("shop.localhost:{}", host.edge.port());
    let stranger = get(&host, "/a?b=c", &forged);
    assert_eq!(stranger.json()["url"], format!("http://{name}/a?b=c"));
    assert_eq!(seen(&stranger, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen(&stranger, "x-forwarded-proto"), ["http"]);
    for absent in ["forwarded", "x-real-ip", "x-vitrine-epoch"] {
        assert_eq!(seen(&stranger, absent), Vec::<String>::new(), "{absent}");
    }
    assert_ne!(stranger.header("x-request-id"), Some("from-the-proxy"));
    drop(host);

    let host = with_echo("trusted_proxies = [\"127.0.0.0/8\"]\n");
    let inner =
        forged.iter().fold(host.get("shop", "/a?b=c").with_host("10.1.2.3"), |request, (name, value)| {
            request.header(name, value)
        });
    let proxied = inner.send();
    assert_eq!(proxied.status, 200, "{}", proxied.text());
    assert_eq!(proxied.json()["url"], "https://shop.localhost/a?b=c");
    assert_eq!(seen(&proxied, "x-forwarded-for"), ["203.0.113.9"]);
    assert_eq!(proxied.header("x-request-id"), Some("from-the-proxy"));
    assert_eq!(logged(&host, "from-the-proxy")["client"], "203.0.113.9");
}

#[test]
fn what_the_app_answers_is_passed_on_and_what_is_the_edges_is_not() {
    let host = with_echo("");
    let path = "/?header=set-cookie:a=1&header=set-cookie:b=2;%20Secure&header=x-own:yes&header=connection:close\
                &header=content-length:9999&header=x-vitrine-release:forged@v9";
    let answer = get(&host, path, &[("cookie", "a=1; b=2")]);
    assert!(answer.complete, "{answer:?}");
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2; Secure"]);
    assert_eq!((answer.header("x-own"), answer.header("x-vitrine-release")), (Some("yes"), Some("shop@v1")));
    assert_eq!(answer.json()["cookies"], serde_json::json!({"a": "1", "b": "2"}));
    let redirect = get(&host, "/?status=302&header=location:/there", &[]);
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("/there")));
    for (status, length) in [("204", None), ("404", Some(()))] {
        let answer = get(&host, &format!("/?status={status}"), &[]);
        assert_eq!(answer.status.to_string(), status);
        assert_eq!(answer.header("content-length").map(drop), length, "{answer:?}");
    }
    let head = Request::new(host.edge, "HEAD", "/x").header("host", "shop.localhost").send();
    assert_eq!(
        (head.status, head.body.len(), head.header("content-type")),
        (200, 0, Some("application/json"))
    );
    let put = Request::new(host.edge, "PUT", "/x").header("host", "shop.localhost").body("a body").send();
    assert_eq!((&put.json()["method"], &put.json()["body"]), (&"PUT".into(), &"a body".into()));
}

#[test]
fn an_app_sees_the_length_that_a_client_declared_and_that_frames_its_body() {
    let host = with_echo("");
    let post = || Request::new(host.edge, "POST", "/").with_host("shop.localhost");
    let told = post().body("ten bytes!").send();
    assert_eq!(
        (seen(&told, "content-length"), &told.json()["body"]),
        (vec!["10".into()], &"ten bytes!".into())
    );
    assert_eq!(seen(&post().body("").send(), "content-length"), ["0"]);
    assert_eq!(seen(&get(&host, "/", &[]), "content-length"), [""; 0]);
    let chunked = || post().header("transfer-encoding", "chunked").raw_body("3\r\nabc\r\n0\r\n\r\n");
    let told = chunked().send();
    assert_eq!((seen(&told, "content-length"), &told.json()["body"]), (vec![], &"abc".into()));
    // A length that frames nothing is a lie, and what came as a header stays one.
    let lied = chunked().header("content-length", "30").send();
    assert!(lied.status == 400 || seen(&lied, "content-length").is_empty(), "{lied:?}");
    let plus = post().header("content-length", "+3").raw_body("abc").send();
    assert_eq!(plus.status, 400, "{plus:?}");
}

#[test]
fn http_2_without_tls_is_spoken_too() {
    let host = with_echo("");
    // The library wants to know about TLS before it is asked for any.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .http2_prior_knowledge()
            .no_proxy()
            .resolve("shop.localhost", host.edge)
            .build()
            .unwrap();
        let url = format!("http://shop.localhost:{}/h2", host.edge.port());
        let asked = (0..20).map(|n| client.post(&url).body(format!("body {n}")).send());
        for (n, answer) in futures_util::future::join_all(asked).await.into_iter().enumerate() {
            let answer = answer.unwrap();
            assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 200));
            assert_eq!(answer.headers()["x-vitrine-release"], "shop@v1");
            let told: serde_json::Value = answer.json().await.unwrap();
            assert_eq!((&told["body"], &told["url"]), (&format!("body {n}").into(), &url.as_str().into()));
            let length = told["headers"].as_array().unwrap().iter().find(|pair| pair[0] == "content-length");
            assert_eq!(length.unwrap()[1], format!("body {n}").len().to_string());
        }
        let large = client.get(&url).header("x-long", "y".repeat(40 << 10)).send().await;
        // The protocol lets a server end the stream instead of answering 431.
        assert!(large.is_err() || large.unwrap().status() == 431);
        // More than a worker takes would end the connection that everybody's requests share.
        let many = (0..130).fold(client.get(&url), |request, n| request.header(format!("x-{n}"), "1"));
        assert_eq!(many.send().await.unwrap().status(), 431);
        let cookies =
            (0..130).fold(client.get(&url), |request, n| request.header("cookie", format!("c{n}=1")));
        assert_eq!(cookies.send().await.unwrap().status(), 200);
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    });
}

#[test]
fn what_is_too_large_is_named() {
    let host = Host::start();
    let files = [
        (
            "server/index.js",
            "export default async (request) => new Response(String((await request.text()).length));\n",
        ),
        ("vitrine.json", r#"{"limits":{"request_mb":1}}"#),
    ];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    assert_eq!(get(&host, &format!("/{}", "y".repeat(17 << 10)), &[]).status, 414);
    assert_eq!(get(&host, "/", &[("x-long", &"y".repeat(33 << 10))]).status, 431);
    let post = || Request::new(host.edge, "POST", "/").header("host", "shop.localhost");
    assert_eq!(post().body(vec![b'x'; 1 << 20]).send().text(), (1 << 20).to_string());
    assert_eq!(post().body(vec![b'x'; (1 << 20) + 1]).send().status, 413);
    // Without a declared length it is found out on the way.
    let piece = format!("{:x}\r\n{}\r\n", 256 << 10, "x".repeat(256 << 10));
    let chunked =
        post().header("transfer-encoding", "chunked").raw_body(format!("{}0\r\n\r\n", piece.repeat(5)));
    assert_eq!(chunked.send().status, 413);
    assert_eq!(post().body("abc").send().text(), "3");
}

/// A client that sends all before it reads must come to its answer.
#[test]
fn an_answer_before_the_end_of_a_body_arrives() {
    let host = Host::start();
    let server = "export default () => new Response('who are you?', { status: 401 });\n";
    host.deploy_files("shop", &[("server/index.js", server)], &["--version", "v1"]);
    let length = 9 << 20;
    let mut client = TcpStream::connect(host.edge).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&vec![b'x'; length]).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("who are you?"), "{answer}");
}

/// Time that a client takes to send is not the app's.
#[test]
fn a_slow_upload_is_no_slow_app() {
    let host = Host::start_with(&["--isolation", "process"]);
    let server = "export default { fetch: async (request) => new Response(await request.text()) };\n";
    let manifest = r#"{"limits":{"wall_ms":500}}"#;
    host.deploy_files("shop", &[("server/index.js", server), ("vitrine.json", manifest)], &[]);
    let mut client = TcpStream::connect(host.edge).unwrap();
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 8\r\nconnection: close\r\n\r\n";
    write!(client, "{head}slow").unwrap();
    // The speed of the client is the subject.
    std::thread::sleep(Duration::from_millis(2_000));
    write!(client, "poke").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("slowpoke"), "{answer}");
}
