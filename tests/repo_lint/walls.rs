//! What each side of the wall may not know.

use crate::source::Source;

/// Names that one side of the wall may not know, with the folder of that side and the manifest above it.
const WALLS: [(&str, &str, &[&str]); 3] = [
    ("js-runtime/src/", "js-runtime/Cargo.toml", &["docker", "bollard", "axum", "rusqlite"]),
    ("js-runtime/wire/", "js-runtime/wire/Cargo.toml", &["docker", "bollard", "axum", "deno_core", "v8"]),
    ("src/", "Cargo.toml", &["v8", "deno_core", "deno_web"]),
];

/// The host knows no engine of JavaScript, the worker no containers and no HTTP server.
pub fn walls(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (folder, manifest, names) in WALLS {
        for source in sources {
            let depends = source.path == manifest
                || source.path.starts_with(folder) && source.path.ends_with("/Cargo.toml");
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
        assert_eq!(wrong("src/edge/Cargo.toml", "[dev-dependencies]\nv8.workspace = true"), 1);
        assert_eq!(wrong("src/a.rs", "let av8x = 1;"), 0);
    }
}
