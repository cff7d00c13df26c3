//! The bundle of a site without a server: its files for the browser, and a small server that answers with its pages.

use super::{
    CLIENT, LaidOut, LayOutError, REDIRECTS, copy, files_below, io_error, make_parent, read_settings,
    take_header_rules, write_manifest,
};
use crate::cli::deploy::detect::{Build, Client};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Ours; it reads `site.js` and the pages.
const SERVER: &str = include_str!("../../../../../packages/adapters/static.js");
const REDIRECTING: &str = include_str!("../../../../../packages/adapters/redirects.js");
const ENTRY: &str = "server/index.js";
const PAGES: &str = "server/pages";
/// What sites for the browser alone call the page that answers every address.
const FALLBACK: &str = "200.html";

pub(super) fn lay_out(build: &Build, scratch: &Path) -> Result<LaidOut, LayOutError> {
    let folder = scratch.join("bundle");
    let mut settings = read_settings(build)?;
    let Client::Folder { path: root, .. } = &build.client else { unreachable!("a site is a folder") };
    let mut files = files_below(root)?;
    let has_rules = take_header_rules(&mut files, &folder)?;
    let redirects = files.remove(REDIRECTS);
    let redirects =
        redirects.map(|path| fs::read_to_string(&path).map_err(io_error("read", &path))).transpose()?;
    let mut pages = Vec::new();
    for (name, path) in &files {
        let to = if name.ends_with(".html") { PAGES } else { CLIENT };
        copy(path, &folder.join(to).join(name))?;
        if to == PAGES {
            pages.push(name.clone());
        }
    }
    // The page that the client renders any address from: here it is one of the server's pages.
    let asked = settings.remove("shell").and_then(|name| name.as_str().map(str::to_owned));
    let fallback = asked.or_else(|| Some(FALLBACK.to_owned())).filter(|name| pages.contains(name));
    let module = |facts: Value| format!("export default {facts};\n");
    let scripts = [
        (ENTRY, SERVER.to_owned()),
        ("server/redirects.js", REDIRECTING.to_owned()),
        ("server/redirect_rules.js", module(json!(redirects.unwrap_or_default()))),
        ("server/site.js", module(json!({ "pages": pages, "fallback": fallback }))),
    ];
    for (name, text) in scripts {
        let path = folder.join(name);
        make_parent(&path)?;
        fs::write(&path, text).map_err(io_error("write", &path))?;
    }
    let client = format!("{}: {} files and {} pages", root.display(), files.len() - pages.len(), pages.len());
    write_manifest(settings, &folder, ENTRY, has_rules || files.len() > pages.len())?;
    let server = "one of Vitrine's that answers with its pages".to_owned();
    let pages = pages.iter().map(|name| super::page_path(name)).collect();
    Ok(LaidOut { folder, server, bundled: None, client, pages, bindings: Vec::new(), left_out: Vec::new() })
}
