//! Which files may be cached for ever: those whose name changes with their content.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the paths of files begin with whose names build tools give a hash. Qwik's folder has the name of a page that an app may have.
const HASHED_FOLDERS: [&str; 7] =
    ["assets/", "_astro/", "_app/immutable/", "_build/", "_nuxt/", "_next/static/", "build/q-"];
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

/// Which of a client's files have a hash of their content in their names. By a name alone that is certain only with a digit in the hash,
/// which one hash in four does not have. Build tools give every file of a folder a hash, or none: so all files of a folder, and all
/// that Vite's manifest lists, have one when each of their names may and one of them certainly does.
pub(super) fn hashed<'a>(paths: &[&'a str], listed: &BTreeSet<String>) -> BTreeSet<&'a str> {
    let in_folder = |folder: &str| paths.iter().copied().filter(|path| path.starts_with(folder)).collect();
    let mut groups: Vec<Vec<&str>> = HASHED_FOLDERS.iter().map(|folder| in_folder(folder)).collect();
    groups.push(paths.iter().copied().filter(|path| listed.contains(*path)).collect());
    let mut hashed = BTreeSet::new();
    for group in groups {
        let is_whole =
            group.iter().all(|path| name_may_have_hash(path)) && group.iter().any(|path| is_certain(path));
        hashed.extend(group.into_iter().filter(|path| is_whole || name_has_hash(path)));
    }
    hashed
}

/// Whether a path, below the client's folder or as a URL's, lies in one of the folders whose files have a hash in their name: what
/// is missing there is missing, an app has nothing to say.
#[must_use]
pub fn is_in_hashed_folder(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    HASHED_FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// Whether the name may carry a hash; its bundle's other files tell, see [`Asset::immutable`](super::Asset::immutable).
#[must_use]
pub fn name_may_have_hash(path: &str) -> bool {
    name_has_hash(path) || hash_of_vite(path).is_some()
}

/// What the name of a file has before and behind its hash: `("/assets/app-", "js")`. `None` when it is nothing but a hash: which of another
/// build's files is the same one, nothing tells.
pub(crate) fn hashed_name(path: &str) -> Option<(&str, &str)> {
    let (stem, extension) = path.rsplit_once('.')?;
    let before = match hash_of_vite(path) {
        Some(hash) => stem.strip_suffix(hash)?,
        None => &stem[..=stem.rfind(['-', '.', '/']).filter(|_| name_has_hash(path))?],
    };
    before.ends_with(['-', '.']).then_some((before, extension))
}

/// The end of a name that may be one of Vite's hashes: eight characters of base64url, so a `-` may be among them. Lower case alone is a
/// word, and with a `-` among it two.
fn hash_of_vite(path: &str) -> Option<&str> {
    let (stem, _) = path.trim_end_matches(".map").rsplit_once('.')?;
    let (before, hash) = stem.split_at_checked(stem.len().checked_sub(HASH_CHARACTERS_MIN)?)?;
    let has = |is: fn(&u8) -> bool| hash.as_bytes().iter().any(is);
    let is_base64 = hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let is_no_word = match has(|byte| *byte == b'-') {
        true => has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase),
        false => has(|byte| !byte.is_ascii_lowercase()),
    };
    (before.ends_with(['-', '.']) && is_base64 && is_no_word).then_some(hash)
}

/// Whether the name certainly carries a hash: it has a digit, or capitals where no name of words has them (`DfGKxQaz`, not `HomePage`
/// or `HTMLView`).
fn is_certain(path: &str) -> bool {
    let alternates = |hash: &str| {
        let upper: Vec<bool> = hash.bytes().map(|byte| byte.is_ascii_uppercase()).collect();
        let is_letters = hash.bytes().all(|byte| byte.is_ascii_alphabetic());
        let has_pair = upper.windows(2).any(|two| two[0] && two[1]);
        is_letters && has_pair && upper.windows(3).any(|three| three[0] != three[1] && three[1] != three[2])
    };
    name_has_hash(path) || hash_of_vite(path).is_some_and(alternates)
}

/// Whether the name carries a hash where build tools put one: a suffix before its extension, behind `-` or `.`. A name that is
/// nothing but a hash counts when its folder is for immutable files alone, or when it is hexadecimal; otherwise `bootstrap5.css`
/// would be one.
#[must_use]
pub(super) fn name_has_hash(path: &str) -> bool {
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

    fn hashed_of<'a>(paths: &[&'a str], listed: &[&str]) -> Vec<&'a str> {
        let listed = listed.iter().map(ToString::to_string).collect();
        hashed(paths, &listed).into_iter().collect()
    }

    #[test]
    fn hashes_without_a_digit_are_told_by_the_files_beside_them() {
        let built = [
            "assets/index-DfGhKxQa.js",
            "assets/index-BD-kQwZp.css",
            "assets/logo-C_dEfGhI.svg",
            "assets/main-B1cdEfgh.js",
            "assets/main-B1cdEfgh.js.map",
        ];
        let sorted = |paths: &[&'static str]| paths.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(hashed(&built, &BTreeSet::new()), sorted(&built));
        // Capitals that no words have are certain too.
        let lettered = ["build/q-DfGKxQaz.js", "build/q-HomePage.js"];
        assert_eq!(hashed(&lettered, &BTreeSet::new()), sorted(&lettered));
        for folder in ["_nuxt", "_next/static", "_astro", "_build", "_app/immutable"] {
            let paths = [format!("{folder}/a-DfGhKxQa.js"), format!("{folder}/b-B1cdEfgh.js")];
            assert_eq!(hashed_of(&[&*paths[0], &*paths[1]], &[]).len(), 2, "{folder}");
        }
        // One file whose name has none takes the doubt to all that need it.
        let mixed = ["assets/index-DfGhKxQa.js", "assets/logo.svg", "assets/main-B1cdEfgh.js"];
        assert_eq!(hashed_of(&mixed, &[]), ["assets/main-B1cdEfgh.js"]);
        // Unless the tool lists what it built.
        let listed = ["assets/index-DfGhKxQa.js", "assets/main-B1cdEfgh.js"];
        assert_eq!(hashed_of(&mixed, &listed), listed);
        assert_eq!(hashed_of(&["static/a-DfGhKxQa.js", "static/b-B1cdEfgh.js"], &[]), [""; 0]);
    }

    #[test]
    fn words_of_eight_letters_are_no_hashes() {
        for name in
            ["view-HomePage", "view-HTMLView", "to-ToDoList", "my-pictures", "hero-image-v2", "a-Image-v2"]
        {
            let path = format!("assets/{name}.js");
            assert_eq!(hashed_of(&[&path], &[]), [""; 0], "{name}");
            assert_eq!(hashed_of(&[&path], &[&path]), [""; 0], "{name} in Vite's manifest");
        }
        assert_eq!(hashed_of(&["assets/hero-image-v2.png", "assets/main-B1cdEfgh.js"], &[]).len(), 1);
        for path in ["assets/é-DfGhKxQ.js", "assets/ééééé.js", "assets/.js", "assets/x", ""] {
            assert!(!name_may_have_hash(path), "{path}");
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
