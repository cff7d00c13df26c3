//! Which files may be cached for ever: those whose name changes with their content.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Folders in which build tools put files with a hash in their name.
const HASHED_FOLDERS: [&str; 4] = ["assets/", "_astro/", "_app/immutable/", "_build/"];
/// Length of the shortest hash that build tools put into names (Vite's, Rollup's).
const HASH_CHARACTERS_MIN: usize = 8;

/// One chunk of Vite's manifest.
#[derive(Deserialize)]
struct Chunk {
    file: String,
    #[serde(default)]
    css: Vec<String>,
    #[serde(default)]
    assets: Vec<String>,
}

/// Paths below the client's folder that Vite's manifest lists. Something else by the same name (a web app's manifest)
/// lists nothing.
pub(super) fn listed_by_vite(json: &[u8]) -> BTreeSet<String> {
    let chunks: BTreeMap<String, Chunk> = serde_json::from_slice(json).unwrap_or_default();
    chunks
        .into_values()
        .flat_map(|chunk| chunk.css.into_iter().chain(chunk.assets).chain([chunk.file]))
        .collect()
}

/// Whether a path, below the client's folder or as a URL's, lies in one of the folders whose files have a hash in their name: what
/// is missing there is missing, an app has nothing to say.
#[must_use]
pub fn is_in_hashed_folder(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    HASHED_FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// Whether the name carries a hash where build tools put one: a suffix before its extension, behind `-` or `.`. A name that is
/// nothing but a hash counts when its folder is for immutable files alone, or when it is hexadecimal; otherwise `bootstrap5.css`
/// would be one.
#[must_use]
pub fn name_has_hash(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, _)) = name.trim_end_matches(".map").rsplit_once('.') else { return false };
    let (suffix, is_whole_name) = match stem.rfind(['-', '.']) {
        Some(at) => (&stem[at + 1..], false),
        None => (stem, true),
    };
    let is_hash = suffix.len() >= HASH_CHARACTERS_MIN
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && suffix.bytes().any(|byte| byte.is_ascii_digit());
    let is_hexadecimal = || suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && (!is_whole_name || path.starts_with("_app/immutable/") || is_hexadecimal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hashed(path: &str) -> bool {
        let as_url = format!("/{path}");
        assert_eq!(is_in_hashed_folder(path), is_in_hashed_folder(&as_url));
        assert_eq!(name_has_hash(path), name_has_hash(&as_url));
        is_in_hashed_folder(path) && name_has_hash(path)
    }

    #[test]
    fn a_hash_is_told_from_a_word() {
        for path in [
            "assets/app-1a2b3c4d.js",
            "assets/index-DfG3h2_a.css",
            "assets/app-1a2b3c4d.js.map",
            "assets/nested/logo.0a1B2c3D.svg",
            "assets/3f2a9c81d0.js",
            "_astro/page.DfG3h2Xa.css",
            "_app/immutable/chunks/BXm3k2Qz.js",
            "_build/assets/client-00c0ffee.js",
        ] {
            assert!(is_hashed(path), "{path}");
        }
        for path in [
            "app-1a2b3c4d.js",
            "other/app-1a2b3c4d.js",
            "assets/logo.svg",
            "assets/app-abcdefgh.js",
            "assets/app-1a2b3c.js",
            "assets/bootstrap5.css",
            "assets/my_image_2x.png",
            "assets/hero-image-v2.png",
            "assets/app-1a2b3c4d",
            "assets/app-1a2b!c4d.js",
            "_app/version.json",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }

    #[test]
    fn vites_manifest_lists_files_css_and_assets_and_a_web_manifest_nothing() {
        let json = br#"{"src/main.tsx":{"file":"assets/main.js","isEntry":true,"css":["assets/main.css"],
            "imports":["_x"]},"_x":{"file":"assets/x.js","assets":["assets/font.woff2"]}}"#;
        let listed: Vec<_> = listed_by_vite(json).into_iter().collect();
        assert_eq!(listed, ["assets/font.woff2", "assets/main.css", "assets/main.js", "assets/x.js"]);
        assert!(listed_by_vite(br#"{"name":"Shop","icons":[]}"#).is_empty());
        assert!(listed_by_vite(b"no json").is_empty());
    }
}
