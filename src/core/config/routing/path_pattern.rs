//! The path of a rule: exact, a prefix (`/learn/*`), or with segments that may be anything (`/users/*/posts`).

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A pattern of paths. `*` stands for one whole segment; as the last segment, for everything below what stands before it, and that path
/// itself: `/learn/*` holds for `/learn`, `/learn/` and `/learn/a/b`, not for `/learning`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    text: String,
    kind: Kind,
}

/// What a pattern is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// This path alone.
    Exact,
    /// This path and everything below it; the text without `/*`.
    Prefix,
    /// Segments, some of which may be anything.
    Segments,
}

/// The text is no pattern.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no path; write \"/exact\", \"/below/*\" or \"/a/*/b\": `*` stands for a whole segment, and percent signs, `?`, `//`, `.` and `..` are not written"
)]
pub struct PathPatternError(String);

impl PathPattern {
    /// The path that it holds for, and for none else.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (self.kind == Kind::Exact).then_some(self.text.as_str())
    }

    /// The path that it holds for, and all below it; empty for every path.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        (self.kind == Kind::Prefix).then(|| &self.text[..self.text.len() - 2])
    }

    /// Whether it holds for a path, which is decoded and has no dot segments.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        match self.kind {
            Kind::Exact => path == self.text,
            Kind::Prefix => {
                let prefix = &self.text[..self.text.len() - 2];
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Kind::Segments => {
                let below = self.text.strip_suffix("/*");
                let mut given = path.split('/');
                let same = below.unwrap_or(&self.text).split('/').all(|wanted| {
                    given.next().is_some_and(|given| wanted == given || (wanted == "*" && !given.is_empty()))
                });
                same && (below.is_some() || given.next().is_none())
            }
        }
    }
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, PathPatternError> {
        let inner = text.strip_suffix("/*").unwrap_or(text);
        let legal = |byte: u8| byte > b' ' && byte != 0x7f && !matches!(byte, b'%' | b'?' | b'#' | b'\\');
        let segment_ok =
            |segment: &str| !matches!(segment, "." | "..") && (segment == "*" || !segment.contains('*'));
        let fits = text.starts_with('/')
            && text.bytes().all(legal)
            && !text.contains("//")
            && text.split('/').all(segment_ok);
        if !fits {
            return Err(PathPatternError(text.to_owned()));
        }
        let kind = match (inner.contains('*'), inner.len() < text.len()) {
            (true, _) => Kind::Segments,
            (false, true) => Kind::Prefix,
            (false, false) => Kind::Exact,
        };
        Ok(Self { text: text.to_owned(), kind })
    }
}

impl TryFrom<String> for PathPattern {
    type Error = PathPatternError;

    fn try_from(text: String) -> Result<Self, PathPatternError> {
        text.parse()
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.text
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_for_whole_segments() {
        for (pattern, holds, other) in [
            ("/a", &["/a"][..], &["/a/", "/ab", "/", "/A"][..]),
            ("/a/*", &["/a", "/a/", "/a/b", "/a/b/c"], &["/ab", "/", "/b/a"]),
            ("/*", &["/", "/a", "/a/b"], &[]),
            ("/u/*/posts", &["/u/1/posts"], &["/u//posts", "/u/1/posts/2", "/u/1", "/u/1/2/posts"]),
            ("/u/*/posts/*", &["/u/1/posts", "/u/1/posts/2"], &["/u/1/post"]),
        ] {
            let parsed: PathPattern = pattern.parse().unwrap();
            for path in holds {
                assert!(parsed.holds(path), "{pattern} {path}");
            }
            for path in other {
                assert!(!parsed.holds(path), "{pattern} {path}");
            }
        }
        for wrong in ["", "a", "/a*", "/a/**", "/a//b", "/a/../b", "/%61", "/a?b", "/a b", "/a\\b"] {
            assert!(wrong.parse::<PathPattern>().is_err(), "{wrong}");
        }
    }
}
