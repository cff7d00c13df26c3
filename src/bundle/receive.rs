//! From an archive to an unpacked, checked bundle.

use super::free_space::FreeSpace;
use super::template::{is_page, templates};
use super::tree::Tree;
use super::unpack::{io_error, make_folder, unpack};
use super::{Bundle, BundleDir, BundleError, HeaderRules, Kept, Manifest, asset, pack};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use vitrine_core::id::Digest;
use vitrine_core::limits::{MANIFEST_BYTES_MAX, SHELL_BYTES_MAX};

/// Where the manifest lies.
const MANIFEST: &str = "vitrine.json";
/// Names shown when the entry is missing: enough to see the mistake.
const HINT_NAMES_MAX: usize = 10;

/// Unpacks an archive (.tar.gz, .tar.zst or .tar, told apart by their first bytes) into `into`, which must not exist,
/// and checks it. Blocking: reads until the archive ends. Variants that are `kept` are not made again.
///
/// # Errors
/// See [`BundleError`]; `into` is gone then.
pub fn receive(
    archive: impl Read + Send,
    into: &Path,
    kept: &Kept,
) -> Result<(BundleDir, Bundle), BundleError> {
    receive_within(archive, into, kept, &FreeSpace::to_the_last_byte())
}

/// As [`receive`], for what comes from outside: it ends before it leaves too little room on the disk.
///
/// # Errors
/// As [`receive`].
pub fn receive_upload(
    archive: impl Read + Send,
    into: &Path,
    kept: &Kept,
) -> Result<(BundleDir, Bundle), BundleError> {
    receive_within(archive, into, kept, &FreeSpace::of(into.parent().unwrap_or(into).to_owned()))
}

fn receive_within(
    archive: impl Read + Send,
    into: &Path,
    kept: &Kept,
    space: &FreeSpace,
) -> Result<(BundleDir, Bundle), BundleError> {
    fresh(into, |dir| {
        make_folder(&dir.files())?;
        let tree = unpack(archive, dir, false, space)?;
        // What is precompressed and kept has about the size of the files again.
        space.need(tree.bytes())?;
        finish(tree, dir, kept)
    })
}

/// Fills a new folder, or leaves none.
pub(super) fn fresh(
    into: &Path,
    fill: impl FnOnce(&BundleDir) -> Result<Bundle, BundleError>,
) -> Result<(BundleDir, Bundle), BundleError> {
    make_folder(into)?;
    let dir = BundleDir(into.to_owned());
    let result = fill(&dir);
    if result.is_err()
        && let Err(error) = fs::remove_dir_all(into)
    {
        // The refusal is what the caller needs; staging is emptied at the next start.
        tracing::warn!(%error, path = %into.display(), "a refused bundle can't be removed");
    }
    result.map(|bundle| (dir, bundle))
}

/// As [`receive`], from a folder on this machine.
///
/// # Errors
/// See [`BundleError`]; `into` is gone then.
pub fn receive_dir(dir: &Path, into: &Path, kept: &Kept) -> Result<(BundleDir, Bundle), BundleError> {
    let beside = into.parent().unwrap_or(into);
    let mut archive = tempfile::tempfile_in(beside)
        .map_err(|source| io_error("make a temporary file in", beside, source))?;
    pack(dir, &archive)?;
    archive.rewind().map_err(|source| io_error("read the archive of", dir, source))?;
    receive(archive, into, kept)
}

/// What a bundle says before anything is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// See [`Bundle::digest`].
    pub digest: Digest,
    /// See [`Manifest`].
    pub manifest: Manifest,
    /// Files in it.
    pub files: u32,
    /// Files below `assets`.
    pub client_files: u32,
    /// Unpacked size, in bytes.
    pub bytes: u64,
    /// Templates among the client's files, which are not served, each with its placeholder.
    pub templates: BTreeMap<String, &'static str>,
}

/// A tree of files that is a bundle.
struct Checked {
    tree: Tree,
    manifest: Manifest,
    templates: BTreeMap<String, &'static str>,
    headers: HeaderRules,
}

/// Checks an archive as [`receive`] does, without the cost of precompressing its files. Its bytes are kept as
/// [`BundleDir::archive`]. `into` is left for the caller to remove.
///
/// # Errors
/// See [`BundleError`].
pub fn inspect(archive: impl Read, into: &Path) -> Result<Inspected, BundleError> {
    make_folder(into)?;
    let dir = BundleDir(into.to_owned());
    make_folder(&dir.files())?;
    let Checked { tree, manifest, templates, headers: _ } =
        check(unpack(archive, &dir, true, &FreeSpace::to_the_last_byte())?, &dir)?;
    let client_files = asset::client_files(&tree, &manifest).count() as u32;
    let (files, bytes) = (tree.files().len() as u32, tree.bytes());
    Ok(Inspected { digest: tree.digest(), manifest, files, client_files, bytes, templates })
}

fn check(tree: Tree, dir: &BundleDir) -> Result<Checked, BundleError> {
    if tree.files().is_empty() {
        return Err(BundleError::Empty);
    }
    let manifest = read_manifest(&tree, dir)?;
    if !tree.files().contains_key(&manifest.entry) {
        let hint = entry_hint(&tree, &manifest.entry);
        return Err(BundleError::NoEntry { entry: manifest.entry, hint });
    }
    let has_folder = |folder: &str| {
        tree.files().keys().any(|path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    };
    if manifest.assets != Manifest::default().assets && !has_folder(&manifest.assets) {
        let message = format!(
            "names the folder `{}`, and the bundle has no file in it; name the one with the client's files",
            manifest.assets
        );
        return Err(BundleError::ManifestValue { field: "assets".into(), message });
    }
    let templates = templates(&tree, &manifest, dir)?;
    if let Some(shell) = &manifest.shell {
        check_shell(shell, &tree, &manifest, &templates)?;
    }
    let headers = HeaderRules::of(&tree, &manifest, dir)?;
    Ok(Checked { tree, manifest, templates, headers })
}

/// The shell must be a page that can be served when nothing else can.
fn check_shell(
    shell: &str,
    tree: &Tree,
    manifest: &Manifest,
    templates: &BTreeMap<String, &'static str>,
) -> Result<(), BundleError> {
    let refused = |message| Err(BundleError::ManifestValue { field: "shell".into(), message });
    let path = format!("{}/{shell}", manifest.assets);
    let Some(facts) = tree.files().get(&path) else {
        return refused(format!(
            "names `{path}`, which is not in the bundle; name a page below `{}/`",
            manifest.assets
        ));
    };
    if let Some(placeholder) = templates.get(&path) {
        return refused(format!(
            "names `{path}`, which is a template (it has `<!--{placeholder}-->`); name a page that shows something by itself, or leave the field out"
        ));
    }
    if !is_page(&path) || !asset::is_public(shell) {
        return refused(format!("names `{path}`, which is no page; name an HTML file that is served"));
    }
    if facts.bytes > SHELL_BYTES_MAX {
        return refused(format!(
            "names `{path}`, which has more than {SHELL_BYTES_MAX} bytes; name a smaller page"
        ));
    }
    Ok(())
}

/// Makes a bundle of unpacked files.
pub(super) fn finish(tree: Tree, dir: &BundleDir, kept: &Kept) -> Result<Bundle, BundleError> {
    let Checked { tree, manifest, templates, headers } = check(tree, dir)?;
    make_folder(&dir.encoded())?;
    let (mut assets, variants) = asset::index(&tree, &manifest, &templates, dir, kept)?;
    asset::mark_immutable(&mut assets, &headers);
    let bundle = Bundle {
        digest: tree.digest(),
        manifest,
        assets,
        headers,
        files: tree.files().len() as u32,
        bytes: tree.bytes(),
        contents: tree.files().iter().map(|(path, facts)| (path.clone(), facts.digest)).collect(),
        variants,
    };
    bundle.save(dir)?;
    Ok(bundle)
}

fn read_manifest(tree: &Tree, dir: &BundleDir) -> Result<Manifest, BundleError> {
    let Some(facts) = tree.files().get(MANIFEST) else { return Ok(Manifest::default()) };
    if facts.bytes > MANIFEST_BYTES_MAX {
        let message = format!("is larger than {MANIFEST_BYTES_MAX} bytes");
        return Err(BundleError::ManifestValue { field: MANIFEST.into(), message });
    }
    let path = dir.files().join(MANIFEST);
    let json = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
    Manifest::read(&json)
}

/// What lies where the entry should be: its folder, or the top when there is no such folder.
fn entry_hint(tree: &Tree, entry: &str) -> String {
    let folder = entry.rfind('/').map_or("", |end| &entry[..=end]);
    let names_in = |folder: &str| {
        let mut names: Vec<String> = tree
            .files()
            .keys()
            .filter_map(|path| path.strip_prefix(folder))
            .map(|rest| rest.find('/').map_or(rest, |end| &rest[..=end]))
            .map(|name| format!("`{name}`"))
            .collect();
        names.dedup();
        if names.len() > HINT_NAMES_MAX {
            let more = names.len() - HINT_NAMES_MAX;
            names.truncate(HINT_NAMES_MAX);
            names.push(format!("{more} more"));
        }
        names.join(", ")
    };
    let inside = names_in(folder);
    if !folder.is_empty() && !inside.is_empty() {
        return format!("`{folder}` holds {inside}; name the entry in vitrine.json (`entry`)");
    }
    let top = names_in("");
    format!(
        "the bundle's top level holds {top}; pack the folder that has the entry in it, or name it in vitrine.json"
    )
}
