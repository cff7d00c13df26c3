//! Which module uses which.

use crate::source::Source;
use std::collections::BTreeMap;

/// Names that one side of the wall may not know, with the folder and manifest of that side.
const WALLS: [(&str, &str, &[&str]); 3] = [
    ("js-runtime/src/", "js-runtime/Cargo.toml", &["docker", "bollard", "axum", "rusqlite"]),
    ("js-runtime/wire/", "js-runtime/wire/Cargo.toml", &["docker", "bollard", "axum", "deno_core", "v8"]),
    ("src/", "Cargo.toml", &["v8", "deno_core", "deno_web"]),
];

/// Layer of each public module of the crate: modules that stand together in `lib.rs`, without an empty line between
/// them, share one.
pub fn layers(lib: &Source) -> BTreeMap<String, usize> {
    let mut layer = 0;
    let mut found = BTreeMap::new();
    for (_, line) in lib.lines() {
        match line.trim().strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            Some(name) => drop(found.insert(name.to_owned(), layer)),
            None if line.trim().is_empty() => layer += 1,
            None => {}
        }
    }
    found
}

/// The modules of the crate that code names: `crate::x` and the members of `crate::{…}`.
fn named(code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            names.extend(members(group).into_iter().map(|name| (line, name)));
        } else {
            names.push((line, identifier(rest)));
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First names of the members of a group of imports whose brace has just been opened.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut wanted, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => wanted = true,
            c if wanted && !c.is_whitespace() => {
                names.push(identifier(&group[at..]));
                wanted = false;
            }
            _ => {}
        }
    }
    names
}

/// A module uses only earlier layers, and its own layer in one direction.
pub fn order(sources: &[Source]) -> Vec<String> {
    let Some(lib) = sources.iter().find(|source| source.path == "src/lib.rs") else {
        return vec!["src/lib.rs is missing".into()];
    };
    let layers = layers(lib);
    let mut wrong = Vec::new();
    let mut beside: BTreeMap<(String, String), String> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/") && source.is_rust()) {
        let own = identifier(&source.path["src/".len()..]);
        let Some(layer) = layers.get(&own) else { continue };
        for (line, name) in named(&source.code) {
            let Some(used) = layers.get(&name).filter(|_| name != own && !source.test[line - 1]) else {
                continue;
            };
            let place = format!("{}:{line}", source.path);
            if used > layer {
                wrong.push(format!("{place}: `{own}` uses `{name}`, which comes after it in src/lib.rs"));
            } else if used == layer {
                beside.insert((own.clone(), name), place);
            }
        }
    }
    for ((own, name), place) in &beside {
        if beside.contains_key(&(name.clone(), own.clone())) {
            wrong.push(format!("{place}: `{own}` uses `{name}`, which uses it too"));
        }
    }
    wrong
}

/// The host knows no engine of JavaScript, the worker no containers and no HTTP server.
pub fn walls(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (folder, manifest, names) in WALLS {
        for source in sources {
            let depends = source.path == manifest;
            if !(depends || source.path.starts_with(folder) && source.is_rust()) {
                continue;
            }
            let code = if depends { dependencies(&source.text) } else { source.code.clone() };
            for (line, text) in code.lines().enumerate().map(|(index, line)| (index + 1, line.to_lowercase()))
            {
                for name in names.iter().filter(|name| has_word(&text, name)) {
                    wrong.push(format!("{}:{line}: `{name}` has no place in {folder}", source.path));
                }
            }
        }
    }
    wrong
}

/// The lines of a manifest that name the package's own dependencies; the others blank.
fn dependencies(manifest: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]") && !line.starts_with("[workspace");
        } else if inside {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

/// Whether `text` has `word`, not as a part of another one.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "pub mod limits;\n\npub mod clock;\npub mod id;\n\npub mod edge;\n";

    fn tree(files: &[(&str, &str)]) -> Vec<Source> {
        let mut sources = vec![Source::new("src/lib.rs", LIB)];
        sources.extend(files.iter().map(|(path, text)| Source::new(path, text)));
        sources
    }

    #[test]
    fn a_later_layer_is_found_in_every_form() {
        for code in
            ["use crate::edge::Edge;", "fn a() -> crate::edge::E {}", "use crate::{limits::A, edge::{B, C}};"]
        {
            let wrong = order(&tree(&[("src/clock/wall.rs", code)]));
            assert_eq!(
                wrong,
                ["src/clock/wall.rs:1: `clock` uses `edge`, which comes after it in src/lib.rs"]
            );
        }
    }

    #[test]
    fn earlier_layers_own_children_strings_and_tests_are_fine() {
        let fine = "use crate::{clock::A, limits::B};\n// crate::edge\n#[cfg(test)]\nmod tests {\n use crate::edge::X;\n}";
        assert!(order(&tree(&[("src/clock.rs", fine), ("src/edge.rs", "use crate::id::X;")])).is_empty());
    }

    #[test]
    fn one_layer_has_no_circles() {
        let one = ("src/clock.rs", "use crate::id::A;");
        assert!(order(&tree(&[one])).is_empty());
        assert_eq!(order(&tree(&[one, ("src/id.rs", "use crate::clock::B;")])).len(), 2);
    }

    #[test]
    fn each_side_of_the_wall_is_watched() {
        let wrong = |path: &str, text: &str| walls(&[Source::new(path, text)]).len();
        assert_eq!(wrong("src/edge.rs", "use deno_core::v8;"), 2);
        assert_eq!(wrong("js-runtime/src/pool.rs", "fn a() { Docker::connect() }"), 1);
        assert_eq!(wrong("js-runtime/src/pool.rs", "// Docker knows\nlet a = \"axum\";"), 0);
        assert_eq!(
            wrong("Cargo.toml", "[workspace.dependencies]\ndeno_core = \"1\"\n[dependencies]\nserde = \"1\""),
            0
        );
        assert_eq!(wrong("Cargo.toml", "[dependencies]\ndeno_core.workspace = true"), 1);
        assert_eq!(wrong("src/a.rs", "let av8x = 1;"), 0);
    }
}
