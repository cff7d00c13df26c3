//! Every bound has a reason, and bounds something.

use crate::source::Source;
use std::collections::HashSet;

/// Constants of the `limits` modules that nobody uses or explains.
pub fn idle_bounds(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let used: HashSet<&str> = sources.iter().filter(|source| source.is_rust()).flat_map(uses).collect();
    for source in sources.iter().filter(|source| is_limits(&source.path)) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (number, name) in constants(source) {
            let place = format!("{}:{number}: `{name}`", source.path);
            let mut above = lines[..number - 1].iter().rev().skip_while(|line| line.trim().starts_with("#["));
            if !above.next().is_some_and(|line| line.trim().starts_with("///")) {
                wrong.push(format!("{place} has no reason"));
            }
            if !used.contains(name) {
                wrong.push(format!("{place} bounds nothing"));
            }
        }
    }
    wrong
}

fn is_limits(path: &str) -> bool {
    path.ends_with("/limits.rs") || path.contains("/limits/") && path.ends_with(".rs")
}

fn constants(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.shipped().filter_map(|(number, line)| {
        let rest = line.trim().strip_prefix("pub ")?.trim_start_matches("(crate) ").strip_prefix("const ")?;
        Some((number, rest.split(':').next()?.trim()))
    })
}

/// The words of shipped code; of a `limits` module only those in the values of constants.
fn uses(source: &Source) -> impl Iterator<Item = &str> {
    let limits = is_limits(&source.path);
    let counted = source.shipped().filter_map(move |(_, line)| match line.split_once('=') {
        Some((name, value)) if limits => {
            (name.contains("const ") && !value.contains("assert!")).then_some(value)
        }
        _ => (!limits).then_some(line),
    });
    counted.flat_map(|code| code.split(|c: char| !(c.is_alphanumeric() || c == '_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(limits: &str, code: &str) -> Vec<String> {
        idle_bounds(&[Source::new("src/limits.rs", limits), Source::new("src/edge.rs", code)])
    }

    #[test]
    fn a_bound_is_explained_and_used() {
        let limits = "/// Why.\npub const A_MAX: usize = 1;\n";
        assert!(wrong(limits, "let a = A_MAX;").is_empty());
        assert_eq!(wrong(limits, "let a = BA_MAX;"), ["src/limits.rs:2: `A_MAX` bounds nothing"]);
        assert_eq!(wrong(limits, "#[cfg(test)]\nmod t {\n use A_MAX;\n}").len(), 1);
        assert_eq!(
            wrong("pub const A_MAX: usize = 1;\n", "A_MAX"),
            ["src/limits.rs:1: `A_MAX` has no reason"]
        );
    }

    #[test]
    fn a_bound_that_only_an_assertion_names_bounds_nothing() {
        let limits = "/// Why.\npub const A: u8 = 1;\n/// Why.\npub const B: u8 = A * 2;\nconst _: () = assert!(B > 1);\n";
        assert_eq!(wrong(limits, ""), ["src/limits.rs:4: `B` bounds nothing"]);
    }
}
