//! The path that rules are held against: the one that the app's server would understand, in whatever spelling it was sent.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Escapes decoded once, backslashes as slashes, no empty and no dot segments. A rule that guards `/admin/*` also guards
/// `/%61dmin/`, `//admin` and `/x/../admin`.
#[must_use]
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    let is_plain = !path.contains(['%', '\\']) && !path.contains("//") && !path.contains("/.");
    if is_plain {
        return Cow::Borrowed(path);
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let mut kept: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let ends_open = decoded.ends_with('/') || decoded.ends_with("/.") || decoded.ends_with("/..");
    let end = if ends_open && !kept.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{end}", kept.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for (sent, normal_form) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("//a", "/a"),
            ("/a//b/", "/a/b/"),
            ("/%61dmin/", "/admin/"),
            ("/x/../admin", "/admin"),
            ("/x/%2e%2e/admin", "/admin"),
            ("/x%2F..%2Fadmin", "/admin"),
            ("/a/.", "/a/"),
            ("/../..", "/"),
            ("/a\\b", "/a/b"),
            ("/.well-known/x", "/.well-known/x"),
            ("/%ff", "/\u{fffd}"),
            ("/%2561", "/%61"),
        ] {
            assert_eq!(normal(sent), normal_form, "{sent}");
        }
    }
}
