//! Files of a new release as what differs from those that a browser has (RFC 9842).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const APP: &str = "export default { fetch: () => new Response('page') };";
/// The shortest of the other codings for such a script.
const WHOLE: &str = "zstd";
const BROWSER: &str = "gzip, deflate, br, zstd, dcb, dcz";

/// A script of some kilobytes that does not compress well, with a line of its release's own.
fn script(version: &str) -> String {
    let lines = (0..300)
        .map(|at: u32| format!("export const v{at}='{}';\n", hex::encode(Sha256::digest(at.to_le_bytes()))));
    format!("{}console.log('{version}');\n", lines.collect::<String>())
}

fn path(version: &str) -> String {
    format!("/assets/app-{version}2c3d4e.js")
}

fn deploy(host: &Host, version: &str, flags: &[&str]) {
    let (path, script) = (format!("client{}", path(version)), script(version));
    let files = [("server/index.js", APP), (&path, &script)];
    host.deploy_files("shop", &files, &[&["--version", version], flags].concat());
}

fn dictionary(version: &str) -> String {
    format!(":{}:", BASE64_STANDARD.encode(Sha256::digest(script(version))))
}

/// Asks for the file of a release as a browser does that has the one of another.
fn asked(host: &Host, file_of: &str, has: &str) -> Request {
    host.get("shop", &path(file_of)).header("accept-encoding", BROWSER).header("available-dictionary", has)
}

fn delta_is_there(host: &Host, file_of: &str, has: &str) -> Answer {
    wait_until("a delta", PATIENCE, || {
        let answer = asked(host, file_of, &dictionary(has)).send();
        (answer.header("content-encoding") == Some("dcz")).then_some(answer)
    })
}

/// What a browser makes of a delta and the file that it has.
fn decoded(answer: &Answer, version: &str) -> String {
    let dictionary = script(version);
    assert_eq!(answer.body[..8], [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0]);
    assert_eq!(answer.body[8..40], *Sha256::digest(&dictionary));
    let mut text = String::new();
    let read = zstd::stream::read::Decoder::with_ref_prefix(&answer.body[40..], dictionary.as_bytes());
    read.unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_browser_with_an_earlier_file_gets_what_changed_and_everybody_else_the_whole() {
    let host = Host::start();
    deploy(&host, "v1", &[]);
    let first = host.get("shop", &path("v1")).header("accept-encoding", BROWSER).send();
    assert_eq!(first.header("content-encoding"), Some(WHOLE));
    assert_eq!(first.header("use-as-dictionary"), Some("match=\"/assets/app-*.js\""));
    deploy(&host, "v2", &[]);

    let delta = delta_is_there(&host, "v2", "v1");
    assert!(delta.body.len() < 300, "{} bytes", delta.body.len());
    assert_eq!(decoded(&delta, "v1"), script("v2"));
    let varies: Vec<&str> =
        delta.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| &**value).collect();
    assert_eq!(varies, ["accept-encoding", "available-dictionary"]);
    assert_eq!(delta.header("use-as-dictionary"), Some("match=\"/assets/app-*.js\""));
    assert_eq!(delta.header("content-type"), Some("text/javascript; charset=utf-8"));
    let etag = delta.header("etag").unwrap();

    let known = dictionary("v1");
    let same = asked(&host, "v2", &known).header("if-none-match", etag).send();
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(etag)));
    let url = path("v2");
    let head = Request::new(host.edge, "HEAD", &url)
        .header("host", "shop.localhost")
        .header("accept-encoding", BROWSER)
        .header("available-dictionary", &known)
        .send();
    assert_eq!(head.header("content-length"), Some(delta.body.len().to_string().as_str()));
    assert_eq!((head.header("content-encoding"), head.header("etag")), (Some("dcz"), Some(etag)));
    let part = asked(&host, "v2", &known).header("range", "bytes=0-9").send();
    assert_eq!((part.status, part.text()), (206, &script("v2")[..10]));

    let unknown = format!(":{}:", BASE64_STANDARD.encode([7; 32]));
    for other in [unknown.as_str(), &known[1..], "", "::", "1", ":AAAA:", &dictionary("v2")] {
        let whole = asked(&host, "v2", other).send();
        assert_eq!((whole.status, whole.header("content-encoding")), (200, Some(WHOLE)), "{other}");
        assert_ne!(whole.header("etag"), Some(etag));
    }
    for accepts in ["gzip, zstd", "zstd, dcz;q=0", "*"] {
        let whole = host
            .get("shop", &path("v2"))
            .header("accept-encoding", accepts)
            .header("available-dictionary", &known);
        assert_eq!(whole.send().header("content-encoding"), Some(WHOLE), "{accepts}");
    }
}

#[test]
fn deltas_are_made_against_the_last_live_releases_and_go_with_their_own() {
    let host = Host::start();
    for version in ["v1", "v2", "v3", "v4"] {
        deploy(&host, version, &[]);
    }
    deploy(&host, "v5", &["--no-promote"]);
    deploy(&host, "v6", &[]);
    for before in ["v4", "v3", "v2"] {
        assert_eq!(decoded(&delta_is_there(&host, "v6", before), before), script("v6"));
    }
    // Four releases ago, and one that users never had.
    for other in ["v1", "v5"] {
        let whole = asked(&host, "v6", &dictionary(other)).send();
        assert_eq!(whole.header("content-encoding"), Some(WHOLE), "{other}");
    }
    // The next host has them, and what is damaged is not sent.
    let (folder, clean) = host.stop();
    assert!(clean);
    let bundles = || std::fs::read_dir(folder.path().join("data/bundles")).unwrap().flatten();
    let deltas = || {
        bundles().filter_map(|entry| std::fs::read_dir(entry.path().join("deltas")).ok()).flatten().flatten()
    };
    let against = |version: &str| hex::encode(Sha256::digest(script(version)));
    let of = |version: &str| hex::encode(Sha256::digest(script(version)));
    let damaged = deltas()
        .find(|entry| {
            entry.file_name().into_string().unwrap().starts_with(&format!("{}.{}", of("v6"), against("v3")))
        })
        .unwrap();
    std::fs::write(damaged.path(), "something else").unwrap();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(asked(&host, "v6", &dictionary("v4")).send().header("content-encoding"), Some("dcz"));
    let whole = asked(&host, "v6", &dictionary("v3")).send();
    assert_eq!((whole.status, whole.header("content-encoding")), (200, Some(WHOLE)));

    host.cli(&["rollback", "shop"]).ok();
    host.cli(&["remove", "shop@v6"]).ok();
    let left = std::fs::read_dir(host.data().join("bundles")).unwrap().flatten();
    let names =
        left.filter_map(|entry| std::fs::read_dir(entry.path().join("deltas")).ok()).flatten().flatten();
    let of_v6 = names.filter(|entry| entry.file_name().into_string().unwrap().starts_with(&of("v6")));
    assert_eq!(of_v6.count(), 0);
}

#[test]
fn a_host_without_deltas_says_nothing_of_dictionaries() {
    let host = Host::start_in(Host::configured("[edge]\ndeltas = false\n"), &["--isolation", "process"]);
    deploy(&host, "v1", &[]);
    deploy(&host, "v2", &[]);
    let answer = asked(&host, "v2", &dictionary("v1")).send();
    assert_eq!(answer.header("content-encoding"), Some(WHOLE));
    assert_eq!((answer.header("use-as-dictionary"), answer.header("vary")), (None, Some("accept-encoding")));
}
