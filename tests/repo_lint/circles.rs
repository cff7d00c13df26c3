//! Which files of a crate import each other in a circle. A module and those below it may know each other; no two others may.

use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Folders of the crates that have no circle. The others are only listed.
const FREE: [&str; 5] = ["src/edge", "src/engine", "src/proxy", "js-runtime/src", "js-runtime/wire/src"];
const OTHERS: [&str; 5] = ["src/core", "src/bundle", "src/store", "src/control", "src/vitrine"];

/// A module by the names from its crate's root to it.
type Path = Vec<String>;
/// What each module imports of its own crate.
type Imports = BTreeMap<Path, BTreeSet<Path>>;

/// Circles in crates that have none, each with its members.
pub fn circles(sources: &[Source]) -> Vec<String> {
    FREE.iter().flat_map(|folder| circles_of(sources, folder)).collect()
}

/// Circles in the other crates.
pub fn known_circles(sources: &[Source]) -> Vec<String> {
    OTHERS.iter().flat_map(|folder| circles_of(sources, folder)).collect()
}

fn circles_of(sources: &[Source], folder: &str) -> Vec<String> {
    let imports = imports(sources, folder);
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        imports.keys().map(|module| (module, reached_from(&imports, module))).collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for module in imports.keys().filter(|module| reached[module].contains(module)) {
        let members: BTreeSet<&Path> =
            reached[module].iter().copied().filter(|other| reached[other].contains(module)).collect();
        if members.iter().all(|member| seen.insert(*member)) {
            let names: Vec<String> = members.iter().map(|member| member.join("::")).collect();
            circles.push(format!("{folder}: {}", names.join(" <-> ")));
        }
    }
    circles
}

fn reached_from<'a>(imports: &'a Imports, module: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Path> = imports[module].iter().collect();
    while let Some(other) = next.pop() {
        if reached.insert(other) {
            next.extend(&imports[other]);
        }
    }
    reached
}

fn imports(sources: &[Source], folder: &str) -> Imports {
    let mut texts: BTreeMap<Path, String> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust() && !source.test.iter().all(|test| *test)) {
        let Some(below) = source.path.strip_prefix(folder).and_then(|path| path.strip_prefix('/')) else {
            continue;
        };
        let names = below.trim_end_matches(".rs").split('/').map(str::to_owned);
        let module: Path = names.filter(|name| name != "lib" && name != "main").collect();
        let text = texts.entry(module).or_default();
        source.shipped().for_each(|(_, line)| {
            text.push_str(line);
            text.push('\n');
        });
    }
    let modules: BTreeSet<Path> = texts.keys().cloned().collect();
    let of = |(module, text): (&Path, &String)| {
        let named = paths(text).into_iter().filter_map(|path| target(&modules, module, &path));
        let apart = |other: &Path| !other.starts_with(module) && !module.starts_with(other);
        (module.clone(), named.filter(apart).collect())
    };
    texts.iter().map(of).collect()
}

/// The module that a path names from within `module`.
fn target(modules: &BTreeSet<Path>, module: &Path, path: &[String]) -> Option<Path> {
    let mut base = if path.first()? == "crate" { Path::new() } else { module.clone() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(base.pop()),
            _ => {
                base.push(name.clone());
                if !modules.contains(&base) {
                    base.pop();
                    break;
                }
            }
        }
    }
    modules.contains(&base).then_some(base)
}

/// Every path that begins with `crate`, `self` or `super`, those in braces one by one.
fn paths(text: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for start in ["crate::", "self::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let is_inner = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if !is_inner {
                expand(&mut Path::new(), &mut text[at..].chars().peekable(), &mut found);
            }
        }
    }
    found
}

/// Reads one path, and for each in its braces that one, up to what ends it.
fn expand(before: &mut Path, rest: &mut std::iter::Peekable<std::str::Chars<'_>>, found: &mut Vec<Path>) {
    let depth = before.len();
    let mut name = String::new();
    while let Some(&c) = rest.peek() {
        match c {
            '{' if name.is_empty() => {
                loop {
                    rest.next();
                    while rest.next_if(|c| c.is_whitespace()).is_some() {}
                    expand(before, rest, found);
                    // An alias, or what else stands before the next name.
                    while rest.next_if(|c| *c != ',' && *c != '}').is_some() {}
                    if rest.peek() != Some(&',') {
                        break;
                    }
                }
                rest.next();
                break;
            }
            ':' => {
                rest.next();
                if rest.peek() != Some(&':') {
                    break;
                }
                before.push(std::mem::take(&mut name));
            }
            c if c.is_alphanumeric() || c == '_' => name.push(c),
            _ => break,
        }
        rest.next();
    }
    if !name.is_empty() {
        before.push(name);
        found.push(before.clone());
    }
    before.truncate(depth);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::new(&format!("src/edge/{path}"), text)).collect();
        circles(&sources)
    }

    #[test]
    fn files_that_import_each_other_are_found() {
        let two = [("a.rs", "use super::b::{self, B};"), ("b.rs", "fn f() { crate::a::f() }")];
        assert_eq!(found(&two), ["src/edge: a <-> b"]);
        let three = [
            ("a.rs", "use super::{\n    c,\n    b::{B as X, d::D},\n};"),
            ("b.rs", "use crate::c::e::E;"),
            ("b/d.rs", ""),
            ("c.rs", "use super::a;"),
        ];
        assert_eq!(found(&three), ["src/edge: a <-> b <-> c"]);
    }

    #[test]
    fn parents_children_tests_and_one_way_are_none() {
        let family = [("a.rs", "mod b;\nuse b::B;"), ("a/b.rs", "use super::A;"), ("lib.rs", "mod a;")];
        assert_eq!(found(&family), [""; 0]);
        let way =
            [("a.rs", "use super::b::B;"), ("b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}")];
        assert_eq!(found(&way), [""; 0]);
        assert_eq!(
            found(&[("a.rs", "// crate::b"), ("b.rs", "use super::a; use other::crate_::a;")]),
            [""; 0]
        );
    }
}
