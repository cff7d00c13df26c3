//! What a JavaScript file imports and exports, found without parsing it.
//!
//! Text that only looks like an import, inside a string or a comment, is taken for one if a module could have that name. That is
//! the safe side: a build that seems to import a package is bundled once more, and nothing is missed.

use super::source_file;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Specifiers of `import "x"`, `import … from "x"`, `export … from "x"`, `import("x")` and `require("x")`.
pub(super) fn specifiers(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for keyword in ["from", "import", "require"] {
        for (at, _) in code.match_indices(keyword) {
            if code[..at].ends_with(is_name_part) {
                continue;
            }
            let rest = code[at + keyword.len()..].trim_start();
            let rest =
                if keyword == "from" { rest } else { rest.strip_prefix('(').unwrap_or(rest).trim_start() };
            found.extend(quoted(rest).filter(|text| can_be_module(text)).map(str::to_owned));
        }
    }
    found
}

/// The text between the quotes that `rest` begins with.
fn quoted(rest: &str) -> Option<&str> {
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
    let inner = &rest[1..];
    let text = &inner[..inner.find(quote)?];
    (!text.is_empty() && !text.contains(['\n', '$', '\\'])).then_some(text)
}

/// Whether text can name a module: a path from the file, a package or a file in one, `#internal`, `scheme:name`.
fn can_be_module(text: &str) -> bool {
    let is_relative = text.starts_with("./") || text.starts_with("../");
    let begins_well =
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '#' | '_' | '/'));
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "@#_/:.~+-".contains(c));
    is_relative || begins_well && is_plain
}

/// Names that an ES module exports: those of `export { a as b }`, `export default` and `export const a`.
pub(super) fn exports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, keyword) in code.match_indices("export") {
        let rest = &code[at + keyword.len()..];
        if code[..at].ends_with(is_name_part) || rest.starts_with(is_name_part) {
            continue;
        }
        let rest = rest.trim_start();
        if let Some(list) = rest.strip_prefix('{') {
            let list = &list[..list.find('}').unwrap_or(0)];
            let last = |item: &str| item.split_whitespace().next_back().map(str::to_owned);
            found.extend(list.split(',').filter_map(last));
        } else {
            let mut words =
                rest.split(|c| !is_name_part(c)).filter(|word| !word.is_empty() && *word != "async");
            match words.next() {
                Some("default") => drop(found.insert("default".to_owned())),
                Some("const" | "let" | "var" | "function" | "class") => {
                    found.extend(words.next().map(str::to_owned))
                }
                _ => {}
            }
        }
    }
    found
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A file, those that it reaches by relative imports, and every other specifier on the way.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Files, the first one included.
    pub files: BTreeSet<PathBuf>,
    /// What is imported by name: packages and built-ins.
    pub named: BTreeSet<String>,
}

/// Follows the relative imports of `entry`. Files that can't be read are left out: the bundler or the worker will name them.
pub(super) fn reach(entry: &Path) -> Reached {
    let mut reached = Reached::default();
    let mut waiting = vec![entry.to_owned()];
    while let Some(file) = waiting.pop() {
        let Ok(code) = source_file::read_text(&file) else { continue };
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        if !reached.files.insert(file) {
            continue;
        }
        for specifier in specifiers(&code) {
            if specifier.starts_with("./") || specifier.starts_with("../") {
                waiting.push(joined(&folder, &specifier));
            } else {
                reached.named.insert(specifier);
            }
        }
    }
    reached
}

fn joined(folder: &Path, relative: &str) -> PathBuf {
    let mut path = folder.to_owned();
    for part in Path::new(relative).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn imports_are_found_however_they_are_written() {
        let code = r#"import a from "a";import"./b.js";import{c}from'c/d';export * from "e";
            const f = () => import("./f.js"), g = require(`g`);
            import {
              h,
            } from "node:h";
            throw new Error("failed to import 'PostCSS could generate wrong maps'; from ', RSC_ALIAS = ' or from '-'");
            const reimport = "no", fromage = from; import.meta.url; import(name); import(`./x-${name}.js`);"#;
        let expected = ["./b.js", "./f.js", "a", "c/d", "e", "g", "node:h"];
        assert_eq!(specifiers(code).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn exports_are_found_however_they_are_written() {
        let code = "export { x as default, y, z as routes };\nexport const a = 1; export async function b() {} exports.c = 1;";
        let expected = ["a", "b", "default", "routes", "y"];
        assert_eq!(exports(code).into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(exports("var a={};export{a as default};").len(), 1);
        assert!(exports("export default{fetch(){}}").contains("default"));
    }

    #[test]
    fn relative_imports_are_followed_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, code: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, code).unwrap();
            path
        };
        let entry = write("index.js", "import './chunks/a.js'; import 'react';");
        let a = write(
            "chunks/a.js",
            "import '../index.js'; const b = () => import('./b.js'); import './gone.js';",
        );
        let b = write("chunks/b.js", "import 'node:path';");
        let reached = reach(&entry);
        assert_eq!(reached.files, BTreeSet::from([entry, a, b]));
        assert_eq!(reached.named, BTreeSet::from(["react".to_owned(), "node:path".to_owned()]));
    }
}
