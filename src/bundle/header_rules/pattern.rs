//! The paths of a rule: `/a/:name/*`, with or without a host before it.

use serde::{Deserialize, Serialize};

/// Stands for the rest of a path, once.
const SPLAT: &str = "splat";

/// A host and a path with gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pattern {
    /// Gaps of a host end at its dots. Without a host every one is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    host: Vec<Part>,
    path: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Text(String),
    /// `:name`, up to the next `/` or `.` of its kind; `*` is any text.
    Gap(String),
}

/// What the gaps stand for.
#[derive(Debug, Default)]
pub(super) struct Found<'a>(Vec<(&'a str, &'a str)>);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (host, path) = match text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            Some(rest) => {
                let at = rest.find('/').ok_or("the address has no path")?;
                (parts(&rest[..at].to_ascii_lowercase())?, &rest[at..])
            }
            None => (Vec::new(), text),
        };
        if !path.starts_with('/') || path.contains(char::is_whitespace) {
            return Err("a line that is not indented is a path: it begins with `/` and has no blank");
        }
        Ok(Self { host, path: parts(path)? })
    }

    /// What its gaps stand for in this host and path, if they are the pattern's.
    pub(super) fn find<'a>(&'a self, host: &'a str, path: &'a str) -> Option<Found<'a>> {
        let mut found = Found::default();
        let is_found = (self.host.is_empty() || fit(&self.host, host, '.', &mut found))
            && fit(&self.path, path, '/', &mut found);
        is_found.then_some(found)
    }
}

impl Found<'_> {
    /// A value with its gaps filled.
    pub(super) fn fill(&self, value: &str) -> String {
        let mut filled = value.to_owned();
        let mut gaps = self.0.clone();
        // The longest first: one name may begin with another.
        gaps.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, text) in gaps {
            filled = filled.replace(&format!(":{name}"), text);
        }
        filled
    }
}

fn parts(text: &str) -> Result<Vec<Part>, &'static str> {
    if text.matches('*').count() > 1 {
        return Err("a path has one `*` at most");
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', ':']) {
        parts.push(Part::Text(rest[..at].to_owned()));
        let after = &rest[at + 1..];
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        if rest[at..].starts_with('*') {
            parts.push(Part::Gap(SPLAT.to_owned()));
            rest = after;
        } else if end == 0 {
            return Err("`:` is followed by no name");
        } else {
            parts.push(Part::Gap(after[..end].to_owned()));
            rest = &after[end..];
        }
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

/// Fits the parts to all of a text. There is one `*` at most, so it is tried at each length, longest first, and nothing else is.
fn fit<'a>(parts: &'a [Part], text: &'a str, end: char, found: &mut Found<'a>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Text(known) => {
            text.strip_prefix(known.as_str()).is_some_and(|text| fit(rest, text, end, found))
        }
        Part::Gap(name) if name == SPLAT => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.rev().any(|at| fit_gap(name, rest, text, at, end, found))
        }
        Part::Gap(name) => {
            let at = text.find(end).unwrap_or(text.len());
            at > 0 && fit_gap(name, rest, text, at, end, found)
        }
    }
}

/// Fits a gap of `at` bytes and what follows it.
fn fit_gap<'a>(
    name: &'a str,
    rest: &'a [Part],
    text: &'a str,
    at: usize,
    end: char,
    found: &mut Found<'a>,
) -> bool {
    let before = found.0.len();
    found.0.push((name, &text[..at]));
    let fits = fit(rest, &text[at..], end, found);
    if !fits {
        found.0.truncate(before);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stand_for_text() {
        for (pattern, path, expected) in [
            ("/a", "/a", Some("[]")),
            ("/a", "/a/", None),
            ("/*", "/", Some("[(\"splat\", \"\")]")),
            ("/a/*", "/a/b/c", Some("[(\"splat\", \"b/c\")]")),
            ("/*.js", "/a/b.js", Some("[(\"splat\", \"a/b\")]")),
            ("/:a/:b", "/x/y", Some("[(\"a\", \"x\"), (\"b\", \"y\")]")),
            ("/:a", "/", None),
            ("/:a/z", "/x/y/z", None),
            ("/*/:name.js", "/a/b/c.js", None),
            ("https://:app.test/*", "/b", Some("[(\"app\", \"shop\"), (\"splat\", \"b\")]")),
            ("https://other.test/*", "/b", None),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            let found = parsed.find("shop.test", path).map(|found| format!("{:?}", found.0));
            assert_eq!(found.as_deref(), expected, "{pattern} {path}");
        }
        let pattern = Pattern::parse("/:lang/*").unwrap();
        let found = pattern.find("", "/de/a/b").unwrap();
        assert_eq!(found.fill("</:lang/:splat>; rel=canonical"), "</de/a/b>; rel=canonical");
    }
}
