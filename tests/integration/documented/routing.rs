//! The rules and commands of `docs/routing.md`, in their order: each file is set, and each command prints what is written.

use super::file;
use std::path::Path;
use vitrine_test_support::host::Host;

const PAGE: &str = "docs/routing.md";
const APP: &str = "export default () => new Response('an app')";

/// A document's blocks of code: their language and text.
fn blocks(document: &str) -> Vec<(String, String)> {
    let text = file(document);
    let fenced = text.split("\n```").skip(1).step_by(2);
    let blocks = fenced.filter_map(|block| block.split_once('\n'));
    blocks.map(|(language, code)| (language.to_owned(), code.to_owned())).collect()
}

#[test]
fn documented_rules_are_set_and_explained() {
    let host = Host::start();
    for app in ["learn", "catalog", "main"] {
        host.deploy_files(app, &[("server/index.js", APP)], &["--version", "v1"]);
    }
    let folder = host.folder();
    std::fs::write(folder.join("users"), "ann:a word\n").unwrap();
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/jwt/rsa.pem");
    let (users, rules) = (folder.join("users").display().to_string(), folder.join("routes.toml"));
    let (mut files, mut commands) = (0, 0);
    for (language, code) in blocks(PAGE) {
        match language.as_str() {
            "toml" => {
                let code = code.replace("/etc/vitrine/users", &users);
                std::fs::write(&rules, code.replace("/etc/vitrine/jwt.pem", &key.display().to_string()))
                    .unwrap();
                host.cli(&["routes", "set", rules.to_str().unwrap()]).ok();
                files += 1;
            }
            "console" => {
                for command in code.split("$ vitrine ").skip(1) {
                    let (line, printed) = command.split_once('\n').unwrap();
                    let mut words: Vec<&str> = Vec::new();
                    for (index, quoted) in line.split('"').enumerate() {
                        if index % 2 == 1 {
                            words.push(quoted)
                        } else {
                            words.extend(quoted.split_whitespace())
                        }
                    }
                    let ran = host.cli(&words).ok();
                    assert_eq!(ran.stdout.trim(), printed.trim(), "{line}");
                    commands += 1;
                }
            }
            _ => {}
        }
    }
    assert_eq!((files, commands), (6, 7));
}
