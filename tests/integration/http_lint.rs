//! What the linter of HTTP says of each kind of answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use vitrine_test_support::host::Host;

const PATIENCE: Duration = Duration::from_secs(60);
/// From the package index of Python.
const LINTER: &str = "httplint==2026.10.4";

const APP: &str = r#"
const html = { "content-type": "text/html; charset=utf-8" };
const page = `<!doctype html><html lang="en"><title>Page</title><p>${"one of many lines ".repeat(200)}</html>`;
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/page": return new Response(page, { headers: { ...html, etag: '"v1"', "cache-control": "private, no-cache" } });
      case "/public": return new Response(page, { headers: { ...html, etag: '"v1"', "cache-control": "public, max-age=60" } });
      case "/stream": {
        const pieces = page.match(/.{1,1000}/gs).map((piece) => new TextEncoder().encode(piece));
        const pull = (controller) => pieces.length > 0 ? controller.enqueue(pieces.shift()) : controller.close();
        return new Response(new ReadableStream({ pull }), { headers: { ...html, "cache-control": "private, no-cache" } });
      }
      case "/fails": throw new Error("it fails");
      default: return new Response("nothing here", { status: 404, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } });
    }
  },
};
"#;
const ASSET: &str = "/assets/app-1a2b3c4d.js";

/// A path, headers of a request for it, and the status that comes.
type Kind<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

/// Kinds of answers.
const KINDS: [Kind<'_>; 16] = [
    ("/page", &[], 200),
    ("/page", &[("accept-encoding", "gzip")], 200),
    ("/page", &[("accept-encoding", "br")], 200),
    ("/page", &[("if-none-match", "*")], 304),
    ("/public", &[("accept-encoding", "gzip")], 200),
    ("/stream", &[], 200),
    ("/stream", &[("accept-encoding", "gzip")], 200),
    ("/missing", &[], 404),
    ("/fails", &[("accept", "text/html")], 500),
    ("/fails", &[("accept", "application/json")], 500),
    (ASSET, &[], 200),
    (ASSET, &[("accept-encoding", "br")], 200),
    (ASSET, &[("if-none-match", "*")], 304),
    (ASSET, &[("range", "bytes=0-9")], 206),
    (ASSET, &[("range", "bytes=90000-")], 416),
    ("/robots.txt", &[], 200),
];

/// What it warns of, and why it stays.
const LISTED: [(&str, &str); 2] = [
    (
        "public is probably not necessary",
        "by this word an app says that a page is for all, and some CDNs ask for it",
    ),
    (
        "doesn't have a validator",
        "the app gives none, and of what is streamed the host can make none before its end",
    ),
];

/// An answer as it comes.
fn raw(host: &Host, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host.edge).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n{more}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Where the linter is; installed once. None where no index gives it.
fn linter() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(LINTER.replace("==", "-"));
    if !folder.exists() {
        let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--retries",
            "1",
            LINTER,
            "--target",
        ])
        .arg(fresh.path());
        let installed = pip.stdout(Stdio::null()).output();
        if !installed.is_ok_and(|ran| ran.status.success()) {
            println!("SKIPPED: no package index gives {LINTER}");
            return None;
        }
        // Another test run may have been quicker.
        let _ = std::fs::rename(fresh.path(), &folder);
    }
    Some(folder)
}

fn warnings(linter: &Path, answer: &[u8]) -> Vec<String> {
    let mut python = Command::new("python3");
    python.args(["-c", "from httplint.cli import main; main()", "--now"]).env("PYTHONPATH", linter);
    let mut ran = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    ran.stdin.take().unwrap().write_all(answer).unwrap();
    let output = ran.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(answer));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("* ["), "it says nothing: {text}");
    let notes = text.lines().map(|line| line.trim_start_matches([' ', '*']));
    notes
        .filter(|note| note.starts_with("[WARN]") || note.starts_with("[BAD]"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn the_linter_of_http_warns_of_nothing_but_what_is_listed() {
    let Some(linter) = linter() else { return };
    let host = Host::start();
    let script = "// a line of a script\n".repeat(200);
    let files = [
        ("server/index.js", APP),
        (&format!("client{ASSET}")[..], &script),
        ("client/robots.txt", "User-agent: *\n"),
    ];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    let mut all = Vec::new();
    for (path, headers, status) in KINDS {
        let answer = raw(&host, path, headers);
        assert!(
            answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let warned = warnings(&linter, &answer).into_iter();
        all.extend(warned.map(|warning| format!("{path} {headers:?}: {warning}")));
    }
    for (text, reason) in LISTED {
        assert!(all.iter().any(|warning| warning.contains(text)), "no longer: {text} ({reason})");
        all.retain(|warning| !warning.contains(text));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}
