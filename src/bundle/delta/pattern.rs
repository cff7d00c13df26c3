//! Which later files a file may be a dictionary of.

use crate::Asset;
use crate::asset::hashed_name;
use vitrine_core::limits::DELTA_SOURCE_BYTES_MAX;

/// What the paths of the same file in other releases look like, as a URL pattern (`/assets/app-*.js`). `None` for what is no dictionary: a
/// file that may change, that is nothing but a hash or is compressed by itself, that is too large, or whose name means something in a
/// pattern.
#[must_use]
pub fn dictionary_pattern(path: &str, asset: &Asset) -> Option<String> {
    if !asset.immutable || asset.encodings.is_empty() || asset.bytes > DELTA_SOURCE_BYTES_MAX {
        return None;
    }
    let (before, extension) = hashed_name(path)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~@".contains(&byte);
    // Browsers read source maps when somebody looks at them.
    let is_fit = path.bytes().all(is_plain) && extension != "map" && extension != "html";
    is_fit.then(|| format!("{before}*.{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoding;
    use std::collections::BTreeMap;
    use vitrine_core::id::Digest;

    fn script() -> Asset {
        Asset {
            digest: Digest::of(b"x"),
            bytes: 2000,
            content_type: "text/javascript".into(),
            immutable: true,
            encodings: BTreeMap::from([(Encoding::Br, 500)]),
        }
    }

    #[test]
    fn a_pattern_is_the_name_with_any_hash() {
        for (path, pattern) in [
            ("/assets/app-1a2b3c4d.js", Some("/assets/app-*.js")),
            ("/assets/index-Df-GhKx_.css", Some("/assets/index-*.css")),
            ("/assets/long-1a2b3c4d5e6f7a8b.js", Some("/assets/long-*.js")),
            ("/_astro/page.DfG3h2Xa.css", Some("/_astro/page.*.css")),
            ("/_app/immutable/entry/start.BXm3k2Qz.js", Some("/_app/immutable/entry/start.*.js")),
            ("/_app/immutable/chunks/BXm3k2Qz.js", None),
            ("/assets/3f2a9c81d0.js", None),
            ("/assets/app.js", None),
            ("/assets/app-1a2b3c4d.js.map", None),
            ("/assets/:id-1a2b3c4d.js", None),
            ("/assets/(a)-1a2b3c4d.js", None),
            ("/assets/a\"-1a2b3c4d.js", None),
            ("/assets/ä-1a2b3c4d.js", None),
        ] {
            assert_eq!(dictionary_pattern(path, &script()).as_deref(), pattern, "{path}");
        }
    }

    #[test]
    fn what_may_change_or_is_not_worth_it_is_no_dictionary() {
        let path = "/assets/app-1a2b3c4d.js";
        assert!(dictionary_pattern(path, &script()).is_some());
        for asset in [
            Asset { immutable: false, ..script() },
            Asset { encodings: BTreeMap::new(), ..script() },
            Asset { bytes: DELTA_SOURCE_BYTES_MAX + 1, ..script() },
        ] {
            assert_eq!(dictionary_pattern(path, &asset), None, "{asset:?}");
        }
    }
}
