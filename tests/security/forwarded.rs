//! What proxies pass on of a client's own headers: it reaches no other app, and says nothing of who asks.

use vitrine_test_support::host::Host;
use vitrine_test_support::http::Answer;

const ECHO: &str = "export default { fetch: (request) => Response.json({ app: 'NAME', url: request.url, \
    client: request.headers.get('x-forwarded-for'), host: request.headers.get('x-forwarded-host'), forwarded: request.headers.get('forwarded') }) };";

fn with_two_apps(toml: &str) -> Host {
    let host =
        Host::start_in(Host::configured(toml), &["--isolation", "process", "--config", "vitrine.toml"]);
    for app in ["shop", "evil"] {
        let server = ECHO.replace("NAME", app);
        host.deploy_files(app, &[("server/index.js", &server)], &["--version", "v1"]);
    }
    host
}

fn ask(host: &Host, named: &str, headers: &[(&str, &str)]) -> Answer {
    let request = host.get("shop", "/p").with_host(named);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// The ways in which a client's own word comes through a proxy: as it is, or with the proxy's after it.
const SPOOFED: [&[(&str, &str)]; 6] = [
    &[("x-forwarded-host", "evil.localhost")],
    &[("x-forwarded-host", "evil.localhost, shop.localhost")],
    &[("x-forwarded-host", "evil.localhost"), ("x-forwarded-host", "shop.localhost")],
    &[("x-forwarded-host", "evil-v1.localhost")],
    &[("forwarded", "host=evil.localhost")],
    &[("forwarded", "host=evil.localhost, for=8.8.8.8;host=shop.localhost")],
];

#[test]
fn a_proxy_that_passes_a_forwarded_host_on_reaches_no_other_app() {
    let trusting = "trusted_proxies = [\"127.0.0.0/8\"]\n";
    for toml in ["", trusting] {
        let host = with_two_apps(toml);
        for headers in SPOOFED {
            let answer = ask(&host, "shop.localhost", headers);
            assert_eq!(answer.header("x-vitrine-release"), Some("shop@v1"), "{toml}{headers:?}");
            assert_eq!(answer.json()["url"], "http://shop.localhost/p", "{toml}{headers:?}");
            assert_eq!(answer.json()["host"], "shop.localhost", "{toml}{headers:?}");
        }
    }
    // Where the operator says that the proxy overwrites it, it is what the proxy says last.
    let host = with_two_apps(&format!("{trusting}[edge]\ntrust_forwarded_host = true\n"));
    for (headers, release) in SPOOFED.iter().zip(["evil", "shop", "shop", "evil", "evil", "shop"]) {
        let answer = ask(&host, "shop.localhost", headers);
        assert_eq!(answer.header("x-vitrine-release"), Some(&*format!("{release}@v1")), "{headers:?}");
    }
}

#[test]
fn the_client_facing_proxy_says_scheme_and_client() {
    let host = with_two_apps("trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n");
    for (headers, url, client) in [
        (&[("x-forwarded-proto", "https, http")][..], "https://shop.localhost/p", "127.0.0.1"),
        (
            &[("x-forwarded-for", "6.6.6.6, 8.8.8.8, 10.0.0.2"), ("x-forwarded-proto", "http, https, http")],
            "https://shop.localhost/p",
            "8.8.8.8",
        ),
        (
            &[("x-forwarded-for", "6.6.6.6, 8.8.8.8"), ("x-forwarded-proto", "https, http")],
            "http://shop.localhost/p",
            "8.8.8.8",
        ),
        // A port may be the client's own word, as the host may.
        (
            &[("x-forwarded-for", "8.8.8.8"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "8443")],
            "https://shop.localhost/p",
            "8.8.8.8",
        ),
        (
            &[("forwarded", "for=\"[2001:db8::1]:4711\";proto=https")],
            "https://shop.localhost/p",
            "2001:db8::1",
        ),
        (&[("forwarded", "for=6.6.6.6, for=8.8.8.8;proto=https")], "https://shop.localhost/p", "8.8.8.8"),
    ] {
        let seen = ask(&host, "shop.localhost", headers).json();
        assert_eq!((&seen["url"], &seen["client"]), (&url.into(), &client.into()), "{headers:?}");
        assert!(seen["forwarded"].is_null());
    }
}
