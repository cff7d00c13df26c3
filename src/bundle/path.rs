//! Names of files in a bundle: relative, UTF-8, with `/` between the parts, and nothing to resolve.

use super::BundleError;
use vitrine_core::limits::BUNDLE_PATH_BYTES_MAX;

/// The name without `./` and doubled slashes; `None` for the bundle's own folder.
pub(super) fn normalise(raw: &[u8]) -> Result<Option<String>, BundleError> {
    let shown =
        || String::from_utf8_lossy(raw).chars().take(200).collect::<String>().escape_debug().to_string();
    let bad = |reason| BundleError::BadName { path: shown(), reason };
    let text = std::str::from_utf8(raw).map_err(|_| bad("it is not UTF-8"))?;
    if text.starts_with('/') {
        return Err(BundleError::AbsolutePath { path: shown() });
    }
    if text.chars().any(char::is_control) {
        return Err(bad("it has a control character"));
    }
    if text.contains('\\') {
        return Err(bad("it has a backslash; use `/` between folders"));
    }
    if text.len() > BUNDLE_PATH_BYTES_MAX {
        return Err(bad("it is longer than 1024 bytes"));
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(BundleError::ParentPath { path: shown() }),
            part if part.len() > 255 => return Err(bad("a part of it is longer than 255 bytes")),
            part => parts.push(part),
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

const _: () = assert!(BUNDLE_PATH_BYTES_MAX == 1024, "a message above says so");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_means_nothing_and_are_refused_when_they_mean_too_much() {
        let name = |raw: &str| normalise(raw.as_bytes()).unwrap();
        assert_eq!(name("./a//b/./c.js").as_deref(), Some("a/b/c.js"));
        assert_eq!(name("a/...js").as_deref(), Some("a/...js"));
        assert_eq!(name("./"), None);
        assert!(
            matches!(normalise(b"a/../../b"), Err(BundleError::ParentPath { path }) if path == "a/../../b")
        );
        assert!(matches!(normalise(b"/etc/passwd"), Err(BundleError::AbsolutePath { .. })));
        for bad in [&b"a\nb"[..], b"a\\b", b"\xff", b"a\0b", &[b'a'; 256], &[b'/', b'a'].repeat(600)[1..]] {
            assert!(matches!(normalise(bad), Err(BundleError::BadName { .. })), "{bad:?}");
        }
    }
}
