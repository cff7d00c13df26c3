//! Builds that are files alone: documents, a Storybook, what a framework made of all its pages, an app for the browser.

use super::site::Site;
use super::{Build, Client, Framework};
use std::path::PathBuf;

/// Folders that tools write sites to, besides those of builds.
const FOLDERS: [&str; 5] = ["storybook-static", "out", "_site", ".output/public", "build/client"];

/// A folder of files with a page for `/` and no server.
pub(super) fn find(site: &Site) -> Option<Build> {
    let below = FOLDERS.iter().filter(|_| site.is_project()).map(|name| site.folder.join(name));
    let outputs = site.outputs().into_iter().flat_map(|output| [output.join("client"), output]);
    let mut folders: Vec<PathBuf> = outputs.chain(below).collect();
    // An `index.html` in a project's own folder is what its tool builds from.
    folders.retain(|folder| {
        let is_site = folder.join("index.html").is_file() && !folder.join("package.json").is_file();
        let beside = if folder.ends_with("client") { folder.parent() } else { Some(folder.as_path()) };
        is_site && !beside.is_some_and(|folder| folder.join("server").is_dir())
    });
    let folder = folders.into_iter().next()?;
    let page = folder.join("index.html");
    let because = format!("{} is there, and no server beside it", site.shown(&page));
    let client = Client::Folder { path: folder, passed_over: Vec::new() };
    Some(site.build(Framework::Static, because, page, client))
}
