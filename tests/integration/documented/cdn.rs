//! Proxies in front of a host, as `docs/cdn.md` has them: what they keep, and what the host hears of its clients.

use super::{Nginx, PATIENCE, block, is_there};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

const PAGE: &str = "docs/cdn.md";
const TRUSTING: &str = "trusted_proxies = [\"127.0.0.1/32\"]\n[[routes]]\nhost = \"shop.example.com\"\napp = \"shop\"\n\
     [[routes]]\nhost = \"blog.apps.example.com\"\napp = \"blog\"\n";
const ASSET: &str = "/assets/app-1a2b3c4d.js";

/// Each answer says what the app heard, and has a number of its own.
const APP: &str = r#"
let number = 0;
const times = {
  "/blog/public": { "cache-control": "public, max-age=600" },
  "/blog/private": { "cache-control": "private, max-age=600" },
  "/blog/unstored": { "cache-control": "no-store" },
  "/blog/bound": { "cache-control": "public, max-age=600", "set-cookie": "basket=1" },
  "/blog/released": { "cache-control": "s-maxage=1", etag: '"same"' },
};
export default async (request) => {
  const { pathname } = new URL(request.url);
  const heard = {
    version: "VERSION",
    number: pathname === "/blog/released" ? 0 : ++number,
    url: request.url,
    client: request.headers.get("x-forwarded-for"),
    bytes: (await request.arrayBuffer()).byteLength,
    long: "long ".repeat(1000),
  };
  return new Response(JSON.stringify(heard), { headers: { "content-type": "text/html", ...times[pathname] } });
};"#;

fn deploy(host: &Host, app: &str, version: &str) {
    let server = APP.replace("VERSION", version);
    let files = [("server/index.js", server.as_str()), (&format!("client{ASSET}"), "// a script")];
    host.deploy_files(
        app,
        &[files[0], files[1], ("vitrine.json", "{\"limits\":{\"isolates\":1}}")],
        &["--version", version],
    );
}

fn host() -> Host {
    let host = Host::start_in(Host::configured(TRUSTING), &["--isolation", "process"]);
    deploy(&host, "shop", "v1");
    host
}

/// The documented server, with a cache and a plain listener of its own, before this address.
fn nginx(to: SocketAddr) -> Nginx {
    let places = [("/var/cache/nginx", "FOLDER/cache"), ("listen 80;", "listen unix:FOLDER/plain;")];
    Nginx::start(to, &block(PAGE, "proxy_cache_path"), &places)
}

/// Varnish with the documented rules in front of a host; ended when dropped.
struct Varnish {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Varnish {
    fn drop(&mut self) {
        // Its manager ends the process that serves.
        processes::terminate(self.process.id());
        let _ = self.process.wait();
    }
}

impl Varnish {
    fn start(host: &Host) -> Self {
        let folder = Host::folder_anew();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let documented = block(PAGE, "vcl 4.1;");
        let here = documented.replace("\"8080\"", &format!("\"{}\"", host.edge.port()));
        assert_ne!(here, documented);
        let vcl = folder.path().join("default.vcl");
        std::fs::write(&vcl, here).unwrap();
        let mut varnish = Command::new("varnishd");
        varnish.args([
            "-F",
            "-j",
            "none",
            "-s",
            "malloc,16m",
            "-p",
            "thread_pool_min=10",
            "-a",
            &address.to_string(),
        ]);
        varnish.arg("-n").arg(folder.path().join("state")).arg("-f").arg(vcl);
        let process =
            varnish.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let varnish = Self { process, address, _folder: folder };
        wait_until("Varnish listens", PATIENCE, || TcpStream::connect(address).ok());
        varnish
    }
}

/// What a visitor with this cookie sees at a path: which answer it is, whether with a cookie, and what it says.
type Ask<'a> = &'a dyn Fn(&str, &str) -> (String, bool, String);

/// What is for all comes from the proxy, whoever asks; what is not, never does.
fn assert_keeps_what_is_for_all(ask: Ask<'_>) {
    for path in ["/blog/public", ASSET] {
        let (first, with_cookie, text) = ask(path, "");
        assert!(!with_cookie, "{path}");
        for cookie in ["session=1", "__vitrine_release=v1", "__vitrine_release=v0"] {
            assert_eq!(ask(path, cookie), (first.clone(), false, text.clone()), "{path} for {cookie}");
        }
    }
    for path in ["/blog/private", "/blog/unstored", "/blog/bound", "/blog/silent"] {
        let mut seen = Vec::new();
        for cookie in ["", "__vitrine_release=v1", "__vitrine_release=v1", "session=1; __vitrine_release=v1"]
        {
            let (id, _, text) = ask(path, cookie);
            assert!(!seen.contains(&id) && !seen.contains(&text), "{path} for {cookie}: {text}");
            seen.extend([id, text]);
        }
    }
}

/// After a deploy the proxy asks whether what it has is still the page, by a tag that the app gave both.
fn assert_gets_the_new_release(host: &Host, ask: Ask<'_>) {
    let version = || ask("/blog/released", "").2;
    let v1 = version();
    assert!(v1.contains("\"v1\""), "{v1}");
    deploy(host, "shop", "v2");
    wait_until("the new release's page", PATIENCE, || version().contains("\"v2\"").then_some(()));
}

#[test]
fn nginx_keeps_what_is_for_all_and_passes_no_lies_of_its_visitors() {
    if !is_there("nginx") {
        return;
    }
    let host = host();
    let nginx = nginx(host.edge);
    let cart = nginx.ask("/cart", &[], None);
    assert_eq!((cart.status, cart.header("content-encoding")), (200, "gzip"));
    assert_heard(&cart.text(), "https://shop.example.com/cart");
    // As large as a host takes by itself.
    let upload = nginx.ask("/upload", &[], Some(vec![b'x'; 9_000_000]));
    assert!(upload.text().contains("\"bytes\":9000000"), "{}", upload.status);
    let ask = |path: &str, cookie: &str| {
        let seen = nginx.ask(path, &[("cookie", cookie)], None);
        assert_eq!(seen.status, 200, "{path}");
        (seen.header("x-request-id").to_owned(), !seen.header("set-cookie").is_empty(), seen.text())
    };
    assert_keeps_what_is_for_all(&ask);
    deploy(&host, "blog", "b1");
    let blog = nginx.ask("/blog/public", &[("host", "blog.apps.example.com")], None).text();
    assert!(blog.contains("b1"), "each name has pages of its own: {blog}");
    assert_gets_the_new_release(&host, &ask);
}

#[test]
fn varnish_keeps_what_is_for_all_and_asks_whether_it_still_is() {
    if !is_there("varnishd") {
        return;
    }
    let host = host();
    let varnish = Varnish::start(&host);
    let ask = |path: &str, cookie: &str| {
        let request = Request::new(varnish.address, "GET", path).header("host", "shop.example.com");
        let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
        let seen = request.send();
        assert_eq!(seen.status, 200, "{path}");
        let id = seen.header("x-request-id").unwrap().to_owned();
        (id, seen.header("set-cookie").is_some(), seen.text().to_owned())
    };
    assert_keeps_what_is_for_all(&ask);
    assert_gets_the_new_release(&host, &ask);
}

#[test]
fn two_proxies_in_a_row_say_scheme_host_and_client() {
    if !(is_there("nginx") && is_there("varnishd")) {
        return;
    }
    let host = host();
    let varnish = Varnish::start(&host);
    let nginx = nginx(varnish.address);
    for path in ["/cart", "/blog/public"] {
        assert_heard(&nginx.ask(path, &[], None).text(), &format!("https://shop.example.com{path}"));
    }
    // Where the outer one does not keep it, the inner one does.
    let ids = [(); 2].map(|()| nginx.ask("/blog/public", &[], None).header("x-request-id").to_owned());
    assert_eq!(ids[0], ids[1]);
}

/// What the app heard of a visitor who lies.
fn assert_heard(text: &str, url: &str) {
    let heard: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&heard["url"], &heard["client"]), (&url.into(), &"127.0.0.2".into()), "{text}");
}
