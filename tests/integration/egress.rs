//! What an app may fetch: the bundle's list and the operator's policy, both.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use vitrine_test_support::archive::fixture;
use vitrine_test_support::host::Host;

/// A service on this machine that remembers what it was asked.
pub struct Upstream {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Answers `/to/URL` with a redirect to it, `/again/URL` with one that asks for the same once more, and anything else with what it was
    /// sent.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        // Ends with the test's process; it holds nothing but its port.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let told = Arc::clone(&told);
                std::thread::spawn(move || answer(stream, &told));
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection. `None` when it is broken off.
fn answer(stream: TcpStream, told: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let from = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if let Some(text) = head[from..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
    }
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    while chunked && !body.ends_with(b"0\r\n\r\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte).ok()?;
        body.extend(byte);
    }
    let target = head.split(' ').nth(1)?.to_owned();
    let method = head.split(' ').next()?.to_owned();
    told.lock().unwrap().push(format!("{method} {target}"));
    let text = format!("{method} {target} {}", String::from_utf8_lossy(&body));
    let to = |prefix: &str| target.strip_prefix(prefix).map(|to| format!("location: {to}\r\n"));
    let (status, location) = match (to("/to/"), to("/again/")) {
        (Some(location), _) => ("302 Found", location),
        (_, Some(location)) => ("307 Temporary Redirect", location),
        _ => ("200 Very Well", String::new()),
    };
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\n{location}content-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
    .ok()
}

/// A host whose operator opens `opened`, and an app that may name it, `closed` and a cloud's metadata service.
fn with_app(opened: &Upstream, closed: &Upstream) -> Host {
    let toml = format!("[egress]\nallow_private = [\"{}\"]\n", opened.address);
    let host = Host::start_in(Host::configured(&toml), &["--isolation", "process"]);
    let origins: Vec<String> = [opened, closed]
        .iter()
        .flat_map(|one| {
            ["127.0.0.1", "localhost"].map(|name| format!("http://{name}:{}", one.address.port()))
        })
        .chain(["http://169.254.169.254".to_owned()])
        .collect();
    deploy(&host, &serde_json::json!({"egress": origins, "limits": {"subrequests": 3}}));
    host
}

/// Deploys the app that fetches what it is asked for, as `shop`.
pub fn deploy(host: &Host, manifest: &Value) {
    let server = std::fs::read_to_string(fixture("egress").join("server/index.js")).unwrap();
    let files = [("server/index.js", &*server), ("vitrine.json", &manifest.to_string())];
    host.deploy_files("shop", &files, &["--version", "v1"]);
}

/// What the app reports about its call.
fn call(host: &Host, query: &str) -> (u16, Value) {
    let answer = host.get("shop", &format!("/?{query}")).send();
    (answer.status, answer.json())
}

fn denied(host: &Host, query: &str, words: &str) {
    let (status, told) = call(host, query);
    let message = told["error"]["message"].as_str().unwrap_or_default();
    assert!(status == 502 && message.contains(words), "{query}: {status} {told}");
}

#[test]
fn what_the_operator_opened_is_reached_and_nothing_else() {
    let (opened, closed) = (Upstream::start(), Upstream::start());
    let host = with_app(&opened, &closed);
    let (open_port, closed_port) = (opened.address.port(), closed.address.port());
    let (status, told) = call(&host, &format!("u=http://127.0.0.1:{open_port}/hello"));
    assert_eq!((status, &told["results"][0]["status"]), (200, &200.into()), "{told}");
    assert_eq!(told["results"][0]["body"], "GET /hello ");
    let (_, told) = call(&host, &format!("u=http://127.0.0.1:{open_port}/post&method=POST&body=some+text"));
    // With its length, not in chunks, which some servers refuse.
    assert_eq!(told["results"][0]["body"], "POST /post some text");
    // A name is judged by the address that it has.
    let (status, told) = call(&host, &format!("u=http://localhost:{open_port}/by-name"));
    assert_eq!((status, &told["results"][0]["body"]), (200, &"GET /by-name ".into()), "{told}");

    denied(&host, &format!("u=http://127.0.0.1:{closed_port}/x"), "egress.allow_private");
    denied(&host, &format!("u=http://localhost:{closed_port}/x"), "egress.allow_private");
    denied(&host, "u=http://169.254.169.254/latest/meta-data", "egress.allow_private");
    denied(&host, "u=http://10.0.0.1/", "bundle's `egress` list");
    denied(&host, "u=https://elsewhere.example/", "bundle's `egress` list");
    denied(&host, "u=file:///etc/passwd", "");
    assert_eq!(closed.asked(), Vec::<String>::new());
    assert_eq!(opened.asked(), ["GET /hello", "POST /post", "GET /by-name"]);

    let told = host.call("GET", "/metrics").send();
    let counted = |host: &str, outcome: &str| {
        let name =
            format!("vitrine_egress_requests_total{{app=\"shop\",host=\"{host}\",outcome=\"{outcome}\"}} ");
        told.text().lines().find_map(|line| line.strip_prefix(&name)?.parse::<u32>().ok()).unwrap_or(0)
    };
    assert_eq!((counted("127.0.0.1", "ok"), counted("localhost", "ok")), (2, 1), "{}", told.text());
    assert_eq!((counted("127.0.0.1", "denied"), counted("169.254.169.254", "denied")), (1, 1));
    // Names that the bundle does not list share one line.
    assert!(counted("unlisted", "denied") >= 2 && !told.text().contains("elsewhere.example"));
}

#[test]
fn each_hop_of_a_redirect_is_judged() {
    let (opened, closed) = (Upstream::start(), Upstream::start());
    let host = with_app(&opened, &closed);
    let (open, shut) = (format!("http://{}", opened.address), format!("http://{}", closed.address));
    let (status, told) = call(&host, &format!("u={open}/to/{open}/there"));
    assert_eq!((status, &told["results"][0]["body"]), (200, &"GET /there ".into()), "{told}");
    let result = &told["results"][0];
    assert_eq!((&result["url"], &result["redirected"]), (&format!("{open}/there").into(), &true.into()));
    assert_eq!(result["statusText"], "Very Well");
    let (status, told) = call(&host, &format!("u={open}/to/{open}/there&method=POST&body=once"));
    assert_eq!((status, &told["results"][0]["body"]), (200, &"GET /there ".into()), "{told}");
    let (status, told) = call(&host, &format!("u={open}/again/{open}/there&method=POST&body=twice"));
    assert_eq!((status, &told["results"][0]["body"]), (200, &"POST /there twice".into()), "{told}");
    denied(&host, &format!("u={open}/to/{shut}/x"), "egress.allow_private");
    denied(&host, &format!("u={open}/to/http://169.254.169.254/x"), "egress.allow_private");
    denied(&host, &format!("u={open}/to/http://10.0.0.1/x"), "bundle's `egress` list");
    denied(
        &host,
        &format!("u={open}/to/http://user:secret@{}/x", opened.address),
        "a user name or a password",
    );
    assert_eq!(closed.asked(), Vec::<String>::new());
}

#[test]
fn a_request_has_a_number_of_calls() {
    let (opened, closed) = (Upstream::start(), Upstream::start());
    let host = with_app(&opened, &closed);
    let (status, told) = call(&host, &format!("u=http://{}/n&n=3", opened.address));
    assert_eq!((status, told["results"].as_array().unwrap().len()), (200, 3), "{told}");
    let (status, told) = call(&host, &format!("u=http://{}/n&n=5", opened.address));
    assert_eq!((status, told["results"].as_array().unwrap().len()), (502, 3), "{told}");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains('3') && message.contains("subrequests"), "{message}");
    assert_eq!(opened.asked().len(), 6);
    // The next request has its own.
    assert_eq!(call(&host, &format!("u=http://{}/n&n=3", opened.address)).0, 200);
}
