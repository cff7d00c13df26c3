//! The worked example of `docs/migrate.md`: its files and commands, with services that stand for its API and its Redis.

use super::{Nginx, block, file, is_there};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

const PAGE: &str = "docs/migrate.md";
/// Where the documented services are.
const API: &str = "127.0.0.1:9900";
/// See [`API`].
const REDIS: &str = "127.0.0.1:7379";

/// A service that answers the target of each request with JSON.
fn service(answer: impl Fn(&str) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test's process; it holds nothing but its port.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that breaks off is none of this test's.
            let _ = told(stream, &answer);
        }
    });
    address
}

/// One request a connection. `None` when it is broken off.
fn told(stream: TcpStream, answer: impl Fn(&str) -> String) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let text = answer(head.split(' ').nth(1)?);
    let bytes = text.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    write!(reader.get_mut(), "{head}\r\ncontent-length: {bytes}\r\n\r\n{text}").ok()
}

/// An HTTP interface of a Redis, as Webdis has it.
fn webdis() -> SocketAddr {
    let values = Arc::new(Mutex::new(HashMap::<String, String>::new()));
    service(move |target| {
        let words: Vec<&str> = target.trim_start_matches('/').split('/').collect();
        let mut values = values.lock().unwrap();
        match words[..] {
            ["SET", key, value] => {
                values.insert(key.to_owned(), value.to_owned());
                serde_json::json!({ "SET": [true, "OK"] }).to_string()
            }
            ["GET", key] => serde_json::json!({ "GET": values.get(key) }).to_string(),
            _ => panic!("{target}"),
        }
    })
}

/// A part of the page with the services that this test has.
fn documented(begin: &str, [api, redis]: [SocketAddr; 2]) -> String {
    block(PAGE, begin).replace(API, &api.to_string()).replace(REDIS, &redis.to_string())
}

/// The project of the page, with the packages of the tests of frameworks.
fn project(packages: &Path, services: [SocketAddr; 2]) -> TempDir {
    let style = "body { margin: 0 }\n".repeat(100);
    let project = bundle_dir(&[
        ("package.json", r#"{ "type": "module", "scripts": { "start": "node server.js" } }"#),
        ("server.js", &documented("// server.js", services)),
        ("vitrine.json", &documented("{\n  \"env\"", services)),
        ("public/static/shop.css", &style),
        (".env", "COOKIE_SECRET=a long secret of the tests\n"),
    ]);
    std::os::unix::fs::symlink(packages, project.path().join("node_modules")).unwrap();
    project
}

fn ask(host: &Host, method: &str, path: &str, cookie: &str) -> Answer {
    let asked = Request::new(host.edge, method, path).header("host", "shop.example.com");
    let request = asked.header("cookie", cookie);
    match method {
        "POST" => request.body("id=tea").header("content-type", "application/x-www-form-urlencoded").send(),
        _ => request.send(),
    }
}

#[test]
fn the_worked_example_of_a_migration_runs_as_it_is_written() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frameworks/node_modules");
    if !is_there("node") {
        return;
    }
    if !packages.join("express").is_dir() || !packages.join("rolldown").is_dir() {
        println!("SKIPPED: no packages in tests/frameworks/node_modules (make frameworks)");
        return;
    }
    let api = service(|target| {
        assert_eq!(target, "/products");
        r#"[{ "id": "tea", "name": "Tea & cups" }]"#.into()
    });
    let services = [api, webdis()];
    let project = project(&packages, services);
    let folder = Host::configured(&documented("# vitrine.toml", services));
    let toml = folder.path().join("vitrine.toml").display().to_string();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    let cli = |args: &[&str]| host.cli(args).within(project.path());
    let tried = cli(&["deploy", "shop", ".", "--dry-run"]).ok();
    assert!(tried.stdout.contains("server.js listens"), "{tried:?}");

    // Steps 5 and 6, but for the host, which runs.
    cli(&["config", "check", &toml]).ok();
    for (name, address) in ["API_URL", "REDIS_URL"].into_iter().zip(services) {
        cli(&["env", "set", "shop", name]).stdin(format!("http://{address}")).ok();
    }
    cli(&["env", "import", "shop", ".env", "--secret"]).ok();
    cli(&["deploy", "shop", "."]).ok();
    let home = ask(&host, "GET", "/", "");
    assert_eq!(home.status, 200, "{home:?}");
    for part in ["Tea &#38; cups", "Cart: empty", "http://shop.example.com for 127.0.0.1"] {
        assert!(home.text().contains(part), "{part} is not in {}", home.text());
    }
    let bought = ask(&host, "POST", "/cart", "");
    assert_eq!((bought.status, bought.header("location")), (303, Some("/")));
    let cookie = bought.header("set-cookie").unwrap().split(';').next().unwrap();
    assert!(ask(&host, "GET", "/", cookie).text().contains("Cart: tea"));
    let moved = ask(&host, "GET", "/old-products/7", "");
    assert_eq!((moved.status, moved.header("location")), (301, Some("/products/7")));
    assert_eq!(ask(&host, "GET", "/healthz", "").text(), "ok");
    let by_express = ask(&host, "GET", "/static/shop.css", "");
    assert_eq!((by_express.status, by_express.header("x-powered-by")), (200, Some("Express")));

    // Step 4.
    let mut copying = Command::new("sh");
    copying.args(["-ec", &block(PAGE, "mkdir -p dist")]).current_dir(project.path());
    assert!(copying.status().unwrap().success());
    cli(&["deploy", "shop", "."]).ok();
    let by_host = ask(&host, "GET", "/static/shop.css", "");
    assert_eq!((by_host.status, by_host.header("x-powered-by")), (200, None));
    assert!(by_host.header("etag").is_some() && by_host.body == by_express.body);
    through_nginx(&host, services);
}

/// Step 7.
fn through_nginx(host: &Host, services: [SocketAddr; 2]) {
    if !is_there("nginx") {
        return;
    }
    let nginx = Nginx::start(host.edge, &documented("upstream vitrine", services), &[]);
    let page = nginx.ask("/", &[], None);
    assert_eq!((page.status, page.header("content-encoding")), (200, "gzip"));
    let page = page.text();
    assert!(page.contains("https://shop.example.com for 127.0.0.2"), "{page}");
    assert_eq!(nginx.ask("/api/products", &[], None).status, 200);
}

#[test]
fn the_page_of_migration_names_services_where_this_test_looks_for_them() {
    let text = file(PAGE);
    assert!([API, REDIS].iter().all(|address| text.matches(address).count() > 2), "{PAGE}");
}
