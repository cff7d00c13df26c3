//! Names and lengths of files and functions.

use crate::source::{Source, item_end};

/// A file that is longer is split.
pub const FILE_LINES_MAX: usize = 500;
/// A file that is longer will need it soon.
pub const FILE_LINES_ADVISED: usize = 400;
/// A function that is longer does more than one thing.
const FUNCTION_LINES_MAX: usize = 70;

/// Endings of files that people read as code.
const CODE: [&str; 9] = [".rs", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".py", ".css", ".sh"];

/// Names that tell nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "common", "helpers", "helper", "misc", "manager"];

/// Files here are named after the modules of Node.js that they stand for.
const NAMED_BY_NODE: &str = "js-runtime/js/node/";

/// Code files of more than `lines_max` lines.
pub fn long_files(sources: &[Source], lines_max: usize) -> Vec<String> {
    let code = sources.iter().filter(|source| CODE.iter().any(|end| source.path.ends_with(end)));
    code.map(|source| (source.text.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > lines_max)
        .map(|(lines, path)| format!("{path}: {lines} lines, {lines_max} at most"))
        .collect()
}

/// Functions of shipped Rust code that are too long.
pub fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let lines: Vec<&str> = source.code.lines().collect();
        for (number, line) in source.shipped() {
            let Some(name) = declared_function(line) else { continue };
            let length = item_end(&lines, number - 1) + 2 - number;
            if length > FUNCTION_LINES_MAX {
                let path = &source.path;
                wrong.push(format!(
                    "{path}:{number}: `{name}` has {length} lines, {FUNCTION_LINES_MAX} at most"
                ));
            }
        }
    }
    wrong
}

/// The name of the function that a line declares.
fn declared_function(line: &str) -> Option<&str> {
    let at = if line.trim_start().starts_with("fn ") { line.find("fn ")? } else { line.find(" fn ")? + 1 };
    let before = &line[..at];
    let qualifier = |word: &str| {
        word.starts_with("pub")
            || matches!(word, "async" | "const" | "unsafe" | "extern" | "\"C\"" | "crate)" | "super)")
    };
    let rest = &line[at + 3..];
    let end = rest.find(['(', '<'])?;
    before.split_whitespace().all(|word| qualifier(word) || word.starts_with('"')).then(|| rest[..end].trim())
}

/// Files and folders whose name tells nothing, and `mod.rs`.
pub fn empty_names(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| !source.path.starts_with(NAMED_BY_NODE)) {
        for part in source.path.split('/') {
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            if EMPTY_NAMES.contains(&stem.as_str()) || part == "mod.rs" {
                wrong.push(format!("{}: `{part}` tells nothing; name it after what it holds", source.path));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named_and_data_is_none() {
        let text = "x\n".repeat(11);
        let files = [Source::new("src/a.rs", &text), Source::new("data.json", &text)];
        assert_eq!(long_files(&files, 10), ["src/a.rs: 11 lines, 10 at most"]);
        assert!(long_files(&files, 11).is_empty());
    }

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        for head in ["fn a(", "    pub async fn a<T>(", "pub(crate) const unsafe fn a("] {
            let text = |lines: usize| format!("{head}\n) {{\n{}}}\n", "    b();\n".repeat(lines - 3));
            assert!(long_functions(&[Source::new("src/a.rs", &text(70))]).is_empty());
            let wrong = long_functions(&[Source::new("src/a.rs", &text(71))]);
            assert_eq!(wrong, ["src/a.rs:1: `a` has 71 lines, 70 at most"]);
            assert!(long_functions(&[Source::new("tests/a.rs", &text(71))]).is_empty());
        }
        assert_eq!(declared_function("    run: fn (u8) -> u8,"), None);
        assert_eq!(declared_function("type A = unsafe extern fn(u8);"), None);
    }

    #[test]
    fn names_that_tell_nothing() {
        for path in [
            "src/utils.rs",
            "src/edge/common/x.rs",
            "tests/Helpers.js",
            "src/edge/mod.rs",
            "src/manager/a.rs",
        ] {
            assert_eq!(empty_names(&[Source::new(path, "")]).len(), 1, "{path}");
        }
        for path in ["src/commonplace.rs", "js-runtime/js/node/util.js"] {
            assert!(empty_names(&[Source::new(path, "")]).is_empty(), "{path}");
        }
    }
}
