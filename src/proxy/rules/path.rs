//! The path that rules are held against: the one that the app or upstream will understand, in whatever spelling it was sent.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// A path without dot segments (WHATWG URL, 4.4: `%2e` is a dot, a backslash a slash), its other escapes as they were sent. None for one
/// that servers read differently: dot segments beside an escaped slash or backslash, or beside empty segments.
#[must_use]
pub fn resolved(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('/') {
        // `OPTIONS *`
        return Some(Cow::Borrowed("/"));
    }
    let has_dots = |path: &str| path.split(['/', '\\']).any(|segment| dots(segment) > 0);
    if !path.contains(['.', '%', '\\']) {
        return Some(Cow::Borrowed(path));
    }
    let decoded = decode(path).replace('\\', "/");
    let escapes = |escape: &str| path.to_ascii_lowercase().contains(escape);
    let is_unclear = path.contains("//") || path.contains('\\') || escapes("%2f") || escapes("%5c");
    if is_unclear && (has_dots(path) || has_dots(&decoded)) {
        return None;
    }
    if !has_dots(path) {
        return Some(Cow::Borrowed(path));
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/').skip(1) {
        ends_open = true;
        match dots(segment) {
            1 => {}
            2 => drop(kept.pop()),
            _ => {
                kept.push(segment);
                ends_open = false;
            }
        }
    }
    let end = if ends_open && !kept.is_empty() { "/" } else { "" };
    Some(Cow::Owned(format!("/{}{end}", kept.join("/"))))
}

/// A resolved path as rules see it: escapes decoded once, backslashes as slashes, no empty segments.
#[must_use]
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    if !path.contains(['%', '\\']) && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let decoded = decode(path).replace('\\', "/");
    let kept: Vec<&str> = decoded.split('/').filter(|segment| !segment.is_empty()).collect();
    let end = if decoded.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{end}", kept.join("/")))
}

/// What follows a prefix of a resolved path, in whatever spelling that was sent; it begins with a slash or is empty. None for a path that
/// is not below the prefix.
#[must_use]
pub fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    prefix.split('/').skip(1).try_fold(path, |rest, wanted| {
        let mut rest = rest;
        while let Some(after) = after_slash(rest) {
            rest = after;
        }
        let ends = |at: &usize| after_slash(&rest[*at..]).is_some();
        let end = rest.char_indices().map(|(at, _)| at).find(ends).unwrap_or(rest.len());
        (decode(&rest[..end]) == wanted).then_some(&rest[end..])
    })
}

/// What follows a slash in any of its spellings.
fn after_slash(text: &str) -> Option<&str> {
    let escape =
        text.get(..3).filter(|text| text.eq_ignore_ascii_case("%2f") || text.eq_ignore_ascii_case("%5c"));
    text.strip_prefix(['/', '\\']).or_else(|| escape.map(|escape| &text[escape.len()..]))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Dots of a segment that is nothing but one or two of them.
fn dots(segment: &str) -> usize {
    let mut rest = segment;
    let mut count = 0;
    while !rest.is_empty() {
        let dot = rest.strip_prefix('.').or_else(|| {
            let escape = rest.get(..3).filter(|escape| escape.eq_ignore_ascii_case("%2e"))?;
            Some(&rest[escape.len()..])
        });
        let Some(after) = dot else { return 0 };
        (rest, count) = (after, count + 1);
    }
    if count <= 2 { count } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for (sent, sent_on, seen) in [
            ("/", "/", "/"),
            ("*", "/", "/"),
            ("/a/b", "/a/b", "/a/b"),
            ("/a/", "/a/", "/a/"),
            ("//a", "//a", "/a"),
            ("/a//b/", "/a//b/", "/a/b/"),
            ("/%61dmin/", "/%61dmin/", "/admin/"),
            ("/x/../admin", "/admin", "/admin"),
            ("/x/%2e%2E/admin", "/admin", "/admin"),
            ("/x/.%2e", "/", "/"),
            ("/a/.", "/a/", "/a/"),
            ("/a/b/..", "/a/", "/a/"),
            ("/../..", "/", "/"),
            ("/a\\b", "/a\\b", "/a/b"),
            ("/a%2fb", "/a%2fb", "/a/b"),
            ("/.well-known/x", "/.well-known/x", "/.well-known/x"),
            ("/...", "/...", "/..."),
            ("/%ff", "/%ff", "/\u{fffd}"),
            ("/%2561", "/%2561", "/%61"),
        ] {
            let path = resolved(sent).unwrap();
            assert_eq!((&*path, &*normal(&path)), (sent_on, seen), "{sent}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_no_path() {
        for unclear in [
            "/admin//../x",
            "/admin//..",
            "/admin/x//..//..",
            "/admin/\\../x",
            "/admin/..%2fx",
            "/admin/..%5cx",
            "/admin/..%2f..%2fuc/x",
            "/a%2F%2e%2e/x",
            "/a\\..\\b",
        ] {
            assert_eq!(resolved(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn a_prefix_is_found_in_any_spelling() {
        for (path, rest) in [
            ("/learn", Some("")),
            ("/learn/", Some("/")),
            ("/learn/a%20b", Some("/a%20b")),
            ("//learn//a", Some("//a")),
            ("/%6cearn/a", Some("/a")),
            ("/learn%2Fa", Some("%2Fa")),
            ("/learn\\a", Some("\\a")),
            ("/learning", None),
            ("/", None),
        ] {
            assert_eq!(below(path, "/learn"), rest, "{path}");
        }
        assert_eq!(below("/a/b/c", "/a/b"), Some("/c"));
    }
}
