//! The bundle of a build for Cloudflare: files that the edge serves, files that the worker reads, and the worker in its adapter.

use super::{
    CLIENT, ENTRY, LaidOut, LayOutError, REDIRECTS, client_files, copy, io_error, is_server_file, page_path,
    read_settings, take_header_rules, write_manifest,
};
use crate::cli::deploy::bundler;
use crate::cli::deploy::detect::cloudflare::matches;
use crate::cli::deploy::detect::wrangler::Bindings;
use crate::cli::deploy::detect::{Build, Client, Worker};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use vitrine_bundle::{content_type, is_page};
use vitrine_core::id::Digest;
use vitrine_core::limits::{WORKER_FILE_BYTES_MAX, WORKER_FILES_BYTES_MAX};

const ADAPTER: &str = "cloudflare.js";
/// Where the worker reads its files from.
const FILES: &str = "server/assets";
/// Names among the files that are for Cloudflare, and not for the browser.
const ROUTES: &str = "_routes.json";
const IGNORED: &str = ".assetsignore";
const PAGES_WORKER: &str = "_worker.js";

/// The files of a build for the browser, by their name.
type Files = BTreeMap<String, PathBuf>;

/// What was placed where.
#[derive(Default)]
struct Placed {
    /// Media type and validator of each file that the worker reads, by path.
    read: Map<String, Value>,
    served: usize,
    pages: Vec<String>,
    left_out: Vec<String>,
}

pub(super) fn lay_out(build: &Build, worker: &Worker, scratch: &Path) -> Result<LaidOut, LayOutError> {
    let folder = scratch.join("bundle");
    let settings = read_settings(build)?;
    let (mut files, mut left_out) = client_files(build)?;
    let has_rules = take_header_rules(&mut files, &folder)?;
    let redirects = take_text(&mut files, REDIRECTS)?;
    let ignored = take_text(&mut files, IGNORED)?;
    let shares_folder = build.client.folder().is_some_and(|client| build.entry.starts_with(client));
    let reached = if shares_folder { build.reach().files } else { Default::default() };
    files.retain(|name, path| {
        let is_workers = name == ROUTES || name.split('/').next() == Some(PAGES_WORKER);
        !is_workers && !is_server_file(path, &reached) && !is_ignored(&ignored, name)
    });
    let shell = settings.get("shell").and_then(Value::as_str);
    let placed = place(&files, worker, shell, &folder)?;
    let facts = json!({
        "vars": worker.bindings.vars, "own": worker.bindings.own, "missing": worker.bindings.missing,
        "assetsBinding": worker.assets_binding, "html": worker.html_handling, "notFound": worker.not_found,
        "first": worker.first, "isOfPages": worker.is_of_pages, "files": placed.read,
    });
    let facts = BTreeMap::from([("cloudflare_build.js", facts), ("redirect_rules.js", json!(redirects))]);
    let bundled = bundler::bundle(build, ADAPTER, &facts, scratch, &folder.join(ENTRY))?;
    write_manifest(settings, &folder, ENTRY, has_rules || placed.served > 0)?;
    let server =
        format!("bundled by {}, which ran here, because its server needs an adapter", bundled.bundler);
    let client = match &build.client {
        Client::Folder { path, .. } => {
            let behind = files.len() - placed.served - placed.pages.len();
            let (path, served, pages) = (path.display(), placed.served, placed.pages.len());
            format!(
                "{path}: {served} files, {pages} pages, and {behind} files that the worker is asked for first"
            )
        }
        Client::None { because } => format!("none: {because}"),
    };
    left_out.extend(placed.left_out);
    let bindings = for_people(&worker.bindings);
    Ok(LaidOut { folder, server, bundled: Some(bundled), client, pages: placed.pages, bindings, left_out })
}

/// Copies files to where they are served or read: pages, and what the worker is asked for first, are for the worker alone.
fn place(files: &Files, worker: &Worker, shell: Option<&str>, folder: &Path) -> Result<Placed, LayOutError> {
    let mut placed = Placed::default();
    let mut read_bytes = 0;
    for (name, path) in files {
        let is_page = is_page(name) && Some(name.as_str()) != shell;
        let is_served = !is_page && !worker.first.takes(&format!("/{name}"));
        if is_served {
            copy(path, &folder.join(CLIENT).join(name))?;
            placed.served += 1;
        }
        if is_page {
            placed.pages.push(page_path(name));
        }
        let content = fs::read(path).map_err(io_error("read", path))?;
        let bytes = content.len() as u64;
        if is_served && (bytes > WORKER_FILE_BYTES_MAX || read_bytes + bytes > WORKER_FILES_BYTES_MAX) {
            placed.left_out.push(format!("{name} (served, but too large for the worker to read)"));
            continue;
        }
        read_bytes += bytes;
        copy(path, &folder.join(FILES).join(name))?;
        placed.read.insert(
            format!("/{name}"),
            json!([content_type(name), format!("\"{}\"", Digest::of(&content).short())]),
        );
    }
    Ok(placed)
}

fn take_text(files: &mut Files, name: &str) -> Result<String, LayOutError> {
    let Some(path) = files.remove(name) else { return Ok(String::new()) };
    fs::read_to_string(&path).map_err(io_error("read", &path))
}

/// Whether one of these lines, as Git reads them, leaves a file out.
fn is_ignored(lines: &str, name: &str) -> bool {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut is_ignored = false;
    for line in lines {
        let (pattern, ignores) = line.strip_prefix('!').map_or((line, true), |pattern| (pattern, false));
        if leaves_out(pattern, name) {
            is_ignored = ignores;
        }
    }
    is_ignored
}

/// Whether a pattern is of the file or of a folder that it lies in: anywhere, or from the top if it has a slash before its end.
fn leaves_out(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    let from_top = pattern.contains('/');
    let pattern = pattern.trim_start_matches('/');
    let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
    ends.into_iter().any(|end| {
        let part = &name[..end];
        let part = if from_top { part } else { part.rsplit('/').next().unwrap_or(part) };
        matches(pattern, part)
    })
}

/// What is told of bindings that do nothing.
fn for_people(bindings: &Bindings) -> Vec<String> {
    let missing = bindings.missing.iter().map(|binding| {
        format!(
            "{} is {}, which Vitrine does not have: it throws when it is used",
            binding.name, binding.kind
        )
    });
    missing.chain(bindings.not_done.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_assetsignore_leave_files_out() {
        let lines = "# ours\n_worker.js\n*.map\nprivate/\n/top.txt\ndocs/*.md\n!keep.map\n";
        for (name, expected) in [
            ("_worker.js", true),
            ("a/_worker.js/index.js", true),
            ("a/b.js.map", true),
            ("keep.map", false),
            ("private/a.txt", true),
            ("top.txt", true),
            ("a/top.txt", false),
            ("docs/a.md", true),
            ("a.txt", false),
        ] {
            assert_eq!(is_ignored(lines, name), expected, "{name}");
        }
    }
}
