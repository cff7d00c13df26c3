//! From the client's folder to what the edge serves.

use super::encode::{self, Candidate};
use super::{Asset, AssetIndex, Kept, immutable};
use crate::tree::{FileFacts, Tree};
use crate::unpack::io_error;
use crate::{BundleDir, BundleError, HEADERS_FILE, HeaderRules, Manifest};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use vitrine_core::id::Digest;
use vitrine_core::limits::{ENCODE_BYTES_MAX, ENCODE_BYTES_MIN, VITE_MANIFEST_BYTES_MAX};

/// The index, and every variant's name with its digest.
pub(crate) type Indexed = (AssetIndex, BTreeMap<String, Digest>);

/// Looks at the client's files and puts their precompressed variants beside them. `templates` are not served.
pub(crate) fn index(
    tree: &Tree,
    manifest: &Manifest,
    templates: &BTreeMap<String, &'static str>,
    dir: &BundleDir,
    kept: &Kept,
) -> Result<Indexed, BundleError> {
    let listed = listed_by_vite(tree, manifest, dir)?;
    let paths: Vec<&str> = client_files(tree, manifest).map(|(path, _)| path).collect();
    let hashed = immutable::hashed(&paths, &listed);
    let mut index = AssetIndex::new();
    for (path, facts) in client_files(tree, manifest) {
        if !is_public(path) || templates.contains_key(&format!("{}/{path}", manifest.assets)) {
            continue;
        }
        let asset = Asset {
            digest: facts.digest,
            bytes: facts.bytes,
            content_type: content_type(path),
            immutable: hashed.contains(path),
            encodings: BTreeMap::new(),
        };
        index.insert(format!("/{path}"), asset);
    }
    let mut candidates: Vec<Candidate> = index
        .iter()
        .filter(|(_, asset)| (ENCODE_BYTES_MIN..=ENCODE_BYTES_MAX).contains(&asset.bytes))
        .filter(|(_, asset)| is_compressible(&asset.content_type))
        .map(|(path, asset)| Candidate {
            digest: asset.digest,
            path: dir.asset(manifest, path),
            bytes: asset.bytes,
        })
        .collect();
    // Largest first, so that the threads end at about the same time; each content once.
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.bytes), candidate.digest));
    candidates.dedup_by_key(|candidate| candidate.digest);
    let encoded = encode::encode(candidates, dir, kept)?;
    for asset in index.values_mut() {
        if let Some(made) = encoded.get(&asset.digest) {
            let lengths = made.variants.iter().map(|(encoding, (bytes, _))| (*encoding, *bytes));
            asset.encodings = lengths.collect();
        }
    }
    let variants = encoded.iter().flat_map(|(digest, made)| made.files(*digest));
    Ok((index, variants.collect()))
}

/// Marks files of which the bundle's rules say that they never change: those whose name may have a hash, so that another content is
/// another file.
pub(crate) fn mark_immutable(index: &mut AssetIndex, rules: &HeaderRules) {
    if rules.is_empty() {
        return;
    }
    for (path, asset) in index {
        asset.immutable |= immutable::name_may_have_hash(path) && rules.say_immutable(path);
    }
}

/// Files below the client's folder, by their path there.
pub(crate) fn client_files<'a>(
    tree: &'a Tree,
    manifest: &'a Manifest,
) -> impl Iterator<Item = (&'a str, &'a FileFacts)> {
    tree.files()
        .iter()
        .filter_map(|(path, facts)| Some((path.strip_prefix(&manifest.assets)?.strip_prefix('/')?, facts)))
}

/// Files that are read by hosts and not by browsers.
const RULES: [&str; 2] = [HEADERS_FILE, "_redirects"];

/// Files that begin with a dot are the tools' own; `.well-known` is the one folder of that kind that is for the web.
pub(crate) fn is_public(path: &str) -> bool {
    if RULES.contains(&path) {
        return false;
    }
    let rest = path.strip_prefix(".well-known/").unwrap_or(path);
    !rest.split('/').any(|part| part.starts_with('.'))
}

fn listed_by_vite(
    tree: &Tree,
    manifest: &Manifest,
    dir: &BundleDir,
) -> Result<BTreeSet<String>, BundleError> {
    let mut listed = BTreeSet::new();
    for name in [".vite/manifest.json", "manifest.json"] {
        let path = format!("{}/{name}", manifest.assets);
        if tree.files().get(&path).is_some_and(|facts| facts.bytes <= VITE_MANIFEST_BYTES_MAX) {
            let path = dir.files().join(path);
            let json = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
            listed.append(&mut immutable::listed_by_vite(&json));
        }
    }
    Ok(listed)
}

/// Files without an extension that are JSON: those who ask for them refuse another type.
const JSON_FILES: [&str; 4] = [
    "apple-app-site-association",
    "oauth-authorization-server",
    "oauth-protected-resource",
    "openid-configuration",
];

/// Media type of a file by its name, with its charset where it is text.
#[must_use]
pub fn content_type(path: &str) -> String {
    if path.rsplit('/').next().is_some_and(|name| JSON_FILES.contains(&name)) {
        return "application/json; charset=utf-8".to_owned();
    }
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = match guess.essence_str() {
        // The one type that is left for scripts (RFC 9239), whatever the extension.
        "application/javascript" => "text/javascript",
        text => text,
    };
    let is_text = text.starts_with("text/")
        || text.ends_with("+xml")
        || text.ends_with("json")
        || text == "application/xml";
    if is_text { format!("{text}; charset=utf-8") } else { text.into() }
}

fn is_compressible(content_type: &str) -> bool {
    let plain_fonts = ["application/wasm", "font/ttf", "font/otf", "image/x-icon", "image/bmp"];
    content_type.ends_with("; charset=utf-8") || plain_fonts.contains(&content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_their_charset_and_what_is_compressed_already_stays() {
        for (path, expected, compressible) in [
            ("app.js", "text/javascript; charset=utf-8", true),
            ("app.mjs", "text/javascript; charset=utf-8", true),
            ("a.css", "text/css; charset=utf-8", true),
            ("a.svg", "image/svg+xml; charset=utf-8", true),
            ("a.json", "application/json; charset=utf-8", true),
            ("site.webmanifest", "application/manifest+json; charset=utf-8", true),
            ("a.wasm", "application/wasm", true),
            ("a.woff2", "font/woff2", false),
            ("a.png", "image/png", false),
            ("LICENSE", "application/octet-stream", false),
            (".well-known/apple-app-site-association", "application/json; charset=utf-8", true),
            ("apple-app-site-association", "application/json; charset=utf-8", true),
            (".well-known/openid-configuration", "application/json; charset=utf-8", true),
        ] {
            let found = content_type(path);
            assert_eq!(found, expected, "{path}");
            assert_eq!(is_compressible(&found), compressible, "{path}");
        }
    }

    #[test]
    fn dot_files_are_private_except_the_well_known() {
        assert!(is_public("a/b.js") && is_public(".well-known/security.txt") && is_public("a/_headers"));
        for path in [
            ".vite/manifest.json",
            "a/.DS_Store",
            ".env",
            ".well-known/.git/config",
            "_headers",
            "_redirects",
        ] {
            assert!(!is_public(path), "{path}");
        }
    }
}
