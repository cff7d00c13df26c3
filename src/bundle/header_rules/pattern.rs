//! The paths of a rule, `/a/:name/*` with or without a host before it, and values that repeat what its gaps stand for.

use serde::{Deserialize, Serialize};
use vitrine_core::limits::{HEADER_GAPS_MAX, HEADER_VALUE_BYTES_MAX};

/// Stands for the text of `*`.
const SPLAT: &str = "splat";

/// A host and a path with gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pattern {
    /// Gaps of a host end at its dots. Without a host every one is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    host: Vec<Part>,
    path: Vec<Part>,
}

/// A value whose gaps are filled for each answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Template(Vec<Part>);

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
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (host, path) = match text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            Some(rest) => {
                let at = rest.find('/').ok_or("the address has no path")?;
                (pattern_parts(&rest[..at].to_ascii_lowercase())?, &rest[at..])
            }
            None => (Vec::new(), text),
        };
        if !path.starts_with('/') || path.contains(char::is_whitespace) {
            return Err("a line that is not indented is a path: it begins with `/` and has no blank".into());
        }
        Ok(Self { host, path: pattern_parts(path)? })
    }

    /// What its gaps stand for in this host and path, if they are the pattern's.
    pub(super) fn find<'a>(&'a self, host: &'a str, path: &'a str) -> Option<Found<'a>> {
        let mut found = Found::default();
        let is_found = (self.host.is_empty() || fit(&self.host, host, '.', &mut found))
            && fit(&self.path, path, '/', &mut found);
        is_found.then_some(found)
    }

    /// A value in which the names of the pattern's gaps are gaps, and all else is text.
    pub(super) fn template(&self, value: &str) -> Template {
        let is_ours = |name: &str| {
            self.host.iter().chain(&self.path).any(|part| matches!(part, Part::Gap(gap) if gap == name))
        };
        let mut parts = Vec::new();
        let (mut text, mut rest) = (String::new(), value);
        while let Some(at) = rest.find(':') {
            let (name, after) = name_of(&rest[at + 1..]);
            if is_ours(name) {
                text.push_str(&rest[..at]);
                parts.push(Part::Text(std::mem::take(&mut text)));
                parts.push(Part::Gap(name.to_owned()));
            } else {
                text.push_str(&rest[..at + 1 + name.len()]);
            }
            rest = after;
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        Template(parts)
    }
}

impl Template {
    /// The value with its gaps filled; `None` where it would be longer than a header may be.
    pub(super) fn fill(&self, found: &Found<'_>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            let text = match part {
                Part::Text(text) => text,
                Part::Gap(name) => found.0.iter().find(|(gap, _)| gap == name).map_or("", |(_, text)| text),
            };
            if filled.len() + text.len() > HEADER_VALUE_BYTES_MAX {
                return None;
            }
            filled.push_str(text);
        }
        Some(filled)
    }
}

/// The name that a text begins with, and what follows it.
fn name_of(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at(end)
}

fn pattern_parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', ':']) {
        let is_splat = rest[at..].starts_with('*');
        if parts.iter().any(|part| matches!(part, Part::Gap(name) if name == SPLAT)) {
            return Err("after a `*` there is neither another one nor a `:name`".into());
        }
        if parts.len() == 2 * HEADER_GAPS_MAX {
            return Err(format!("it has more than {HEADER_GAPS_MAX} of `:name` and `*`"));
        }
        parts.push(Part::Text(rest[..at].to_owned()));
        let (name, after) = if is_splat { (SPLAT, &rest[at + 1..]) } else { name_of(&rest[at + 1..]) };
        if name.is_empty() {
            return Err("`:` is followed by no name".into());
        }
        parts.push(Part::Gap(name.to_owned()));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

/// Fits the parts to all of a text, in one pass: text alone may follow a `*`.
fn fit<'a>(parts: &'a [Part], mut text: &'a str, end: char, found: &mut Found<'a>) -> bool {
    for (at, part) in parts.iter().enumerate() {
        let taken = match part {
            Part::Text(known) if text.starts_with(known.as_str()) => known.len(),
            Part::Gap(name) if name == SPLAT => match parts.get(at + 1) {
                Some(Part::Text(known)) if text.ends_with(known.as_str()) => text.len() - known.len(),
                _ => return false,
            },
            Part::Gap(_) => text.find(end).unwrap_or(text.len()),
            Part::Text(_) => return false,
        };
        if let Part::Gap(name) = part {
            if taken == 0 && name != SPLAT {
                return false;
            }
            found.0.push((name, &text[..taken]));
        }
        text = &text[taken..];
    }
    text.is_empty()
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
            ("/*.js", "/a/b.css", None),
            ("/a*/a", "/a/a", Some("[(\"splat\", \"\")]")),
            ("/a*/a", "/a", None),
            ("/:a/:b", "/x/y", Some("[(\"a\", \"x\"), (\"b\", \"y\")]")),
            ("/:a", "/", None),
            ("/:a/z", "/x/y/z", None),
            ("https://:app.test/*", "/b", Some("[(\"app\", \"shop\"), (\"splat\", \"b\")]")),
            ("https://other.test/*", "/b", None),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            let found = parsed.find("shop.test", path).map(|found| format!("{:?}", found.0));
            assert_eq!(found.as_deref(), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn values_repeat_what_the_gaps_stand_for() {
        let pattern = Pattern::parse("/:lang/*").unwrap();
        let filled = |value: &str, path: &str| pattern.template(value).fill(&pattern.find("", path).unwrap());
        for (value, expected) in [
            ("</:lang/:splat>; rel=canonical", "</de/a/b>; rel=canonical"),
            ("https://x.test:8080/:language :lang:lang :", "https://x.test:8080/:language dede :"),
        ] {
            assert_eq!(filled(value, "/de/a/b").as_deref(), Some(expected));
        }
        // What a visitor writes is text, whatever it looks like.
        assert_eq!(filled(":lang", "/:splat/x").as_deref(), Some(":splat"));
        let long = "x".repeat(HEADER_VALUE_BYTES_MAX / 2);
        assert!(filled(":splat:splat", &format!("/de/{long}")).is_some());
        assert_eq!(filled(":splat:splat ", &format!("/de/{long}")), None);
    }

    #[test]
    fn patterns_that_would_be_tried_again_and_again_are_refused() {
        for text in ["/a/*/*", "/*/:name", "/:", &"/:a".repeat(HEADER_GAPS_MAX + 1)] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        assert!(Pattern::parse(&"/:a".repeat(HEADER_GAPS_MAX)).is_ok());
    }
}
