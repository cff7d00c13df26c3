//! The app and the commands of `docs/caching.md`, in their order: each prints what is written.

use super::file;
use std::collections::HashSet;
use vitrine_test_support::host::Host;

const PAGE: &str = "docs/caching.md";

/// A document's blocks of code: their language and text.
fn blocks(document: &str) -> Vec<(String, String)> {
    let text = file(document);
    let fenced = text.split("\n```").skip(1).step_by(2);
    let blocks = fenced.filter_map(|block| block.split_once('\n'));
    blocks.map(|(language, code)| (language.to_owned(), code.to_owned())).collect()
}

/// The words of a command line, quoted ones whole.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect()
}

/// The header `cache-status` of what `curl` would get.
fn asked(host: &Host, words: &[&str]) -> String {
    let path = words[1].strip_prefix("http://shop.localhost:8080").unwrap();
    let header =
        words.iter().position(|word| *word == "-H").map(|at| words[at + 1].split_once(": ").unwrap());
    let request = host.get("shop", path);
    let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    format!("cache-status: {}", request.send().header("cache-status").unwrap_or_default())
}

#[test]
fn documented_caching_does_what_is_written() {
    let host = Host::start();
    let (mut manifests, mut ran) = (0, HashSet::new());
    for (language, code) in blocks(PAGE) {
        match language.as_str() {
            "js" if code.starts_with("// server/index.js") => {
                host.deploy_files("shop", &[("server/index.js", code.as_str())], &["--version", "v1"]);
            }
            "json" => {
                let files = [
                    ("server/index.js", "export default () => new Response('a page')"),
                    ("vitrine.json", code.as_str()),
                ];
                host.deploy_files("other", &files, &["--version", "v1"]);
                manifests += 1;
            }
            "console" => {
                for command in code.split("$ ").skip(1) {
                    let (line, written) = command.split_once('\n').unwrap();
                    let words = words(line);
                    let printed = match words[0] {
                        "curl" => asked(&host, &words[1..]),
                        "vitrine" => {
                            let ran = host.cli(&words[1..]).ok();
                            let port = host.edge.port().to_string();
                            let out = if ran.stdout.is_empty() { ran.stderr } else { ran.stdout };
                            let lines = out.lines().filter(|line| !line.starts_with("host "));
                            let timed = |line: &str| match line.split_once("Z  ") {
                                Some((_, rest)) => format!("TIME  {rest}"),
                                None => line.to_owned(),
                            };
                            lines.map(timed).collect::<Vec<_>>().join("\n").replace(&port, "8080")
                        }
                        other => panic!("{other}"),
                    };
                    assert_eq!(printed.trim(), written.trim(), "{line}");
                    ran.insert(line.to_owned());
                }
            }
            _ => {}
        }
    }
    assert_eq!((manifests, ran.len()), (1, 9));
}
