//! Builds for Cloudflare: what `wrangler deploy` would upload for Workers, and what Pages takes.

use super::site::{Site, json};
use super::wrangler::{self, Assets, Bindings, HtmlHandling, NotFound, WorkerFirst, Wrangler};
use super::{Build, Client, DetectError};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// Where Vite's plugin and frameworks say which file wrangler reads in the place of the project's own.
const REDIRECT: &str = ".wrangler/deploy/config.json";
/// Folders besides those of builds that hold a worker which a tool made.
const MADE: [&str; 5] = [".open-next", ".svelte-kit", ".output", "build", "dist"];
/// A project of Pages has its worker here, among the files for the browser.
const PAGES_WORKERS: [&str; 2] = ["_worker.js", "_worker.js/index.js"];
/// What Next.js' own tools make for Cloudflare, with the files for the browser.
const OPEN_NEXT: (&str, &str) = ("worker.js", "assets");

/// What a build for Cloudflare has around its script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worker {
    /// What it finds in `env`.
    pub bindings: Bindings,
    /// Name of its files in `env`.
    pub assets_binding: Option<String>,
    /// Under which addresses pages are.
    pub html_handling: HtmlHandling,
    /// What answers an address without a file.
    pub not_found: NotFound,
    /// Which requests it gets before files are looked at.
    pub first: WorkerFirst,
    /// Whether it is of Pages: what it does not get first, it never gets.
    pub is_of_pages: bool,
}

/// A worker that a build made.
pub(super) fn built(site: &Site) -> Result<Option<Build>, DetectError> {
    for wrangler in [redirected(site)?, of_outputs(site)?, of_project(site)?].into_iter().flatten() {
        let is_made = wrangler.path.parent() != Some(site.project_folder());
        if let Some(main) = main_of(&wrangler).filter(|main| main.is_file())
            && (is_made || is_output(site, &main))
        {
            return Ok(Some(of_workers(site, wrangler, main)));
        }
    }
    if let Some(build) = open_next(site)? {
        return Ok(Some(build));
    }
    pages(site)
}

/// A worker that is a source: wrangler would bundle it as it is.
pub(super) fn source(site: &Site) -> Result<Option<Build>, DetectError> {
    let Some(wrangler) = of_project(site)?.filter(|_| site.is_project()) else { return Ok(None) };
    let Some(main) = main_of(&wrangler) else { return Ok(None) };
    // Where Vite's plugin makes the worker, its source imports what only the plugin knows.
    if !main.is_file() || site.depends_on("@cloudflare/vite-plugin") {
        let command = site.build_command();
        return Err(DetectError::WorkerNotBuilt { config: wrangler.path, main, command });
    }
    Ok(Some(of_workers(site, wrangler, main)))
}

/// A project of Pages whose functions were not compiled: its site alone would lack them without a word.
pub(super) fn refuse_functions(site: &Site) -> Result<(), DetectError> {
    let folder = of_project(site)?.and_then(|wrangler| wrangler.pages_folder);
    match folder {
        Some(folder) if site.folder.join("functions").is_dir() => {
            Err(DetectError::PagesFunctions { project: site.folder.clone(), folder })
        }
        _ => Ok(()),
    }
}

fn refused((path, message): (PathBuf, String)) -> DetectError {
    DetectError::Wrangler { path, message }
}

/// The file that a build's own tool wants to be read.
fn redirected(site: &Site) -> Result<Option<Wrangler>, DetectError> {
    let redirect = site.project_folder().join(REDIRECT);
    let Some(named) = json(&redirect).and_then(|facts| facts["configPath"].as_str().map(str::to_owned))
    else {
        return Ok(None);
    };
    let path = below(redirect.parent().unwrap_or(&redirect), &named);
    let is_inside = site.folder == *site.project_folder() || path.starts_with(&site.folder);
    if !path.is_file() || !is_inside {
        return Ok(None);
    }
    wrangler::read(&path).map(Some).map_err(refused)
}

/// A file that a tool wrote beside a worker that it made.
fn of_outputs(site: &Site) -> Result<Option<Wrangler>, DetectError> {
    let outputs = site.outputs().into_iter().filter(|output| output != site.project_folder());
    for folder in outputs.flat_map(|output| [output.join("server"), output]) {
        if let Some(wrangler) = wrangler::in_folder(&folder).map_err(refused)? {
            return Ok(Some(wrangler));
        }
    }
    Ok(None)
}

fn of_project(site: &Site) -> Result<Option<Wrangler>, DetectError> {
    wrangler::in_folder(site.project_folder()).map_err(refused)
}

fn main_of(wrangler: &Wrangler) -> Option<PathBuf> {
    let folder = wrangler.path.parent()?;
    Some(below(folder, wrangler.main.as_deref()?))
}

/// Whether a path is in a folder that builds are written to, and in the folder that is deployed.
fn is_output(site: &Site, main: &Path) -> bool {
    let inside = main.strip_prefix(site.project_folder()).ok();
    let first = inside.and_then(|path| path.components().next());
    main.starts_with(&site.folder)
        && first.is_some_and(|first| MADE.iter().any(|made| Component::Normal(made.as_ref()) == first))
}

fn of_workers(site: &Site, wrangler: Wrangler, main: PathBuf) -> Build {
    let because = format!("{} names {}", site.shown(&wrangler.path), site.shown(&main));
    let folder = wrangler.path.parent().unwrap_or(&site.folder);
    let assets = wrangler.assets.unwrap_or_default();
    let client = match &assets.directory {
        Some(directory) => site.client_at(below(folder, directory)),
        None => Client::None { because: "its wrangler file names no folder of assets".into() },
    };
    site.worker(because, main, client, of_assets(wrangler.bindings, assets))
}

fn of_assets(bindings: Bindings, assets: Assets) -> Worker {
    Worker {
        bindings,
        assets_binding: assets.binding,
        html_handling: assets.html_handling,
        not_found: assets.not_found_handling,
        first: assets.run_worker_first,
        is_of_pages: false,
    }
}

/// What OpenNext makes of a build of Next.js, where no wrangler file names it.
fn open_next(site: &Site) -> Result<Option<Build>, DetectError> {
    let folders = [site.folder.join(".open-next"), site.folder.clone()];
    let made = |folder: &PathBuf| folder.ends_with(".open-next") && folder.join(OPEN_NEXT.0).is_file();
    let Some(folder) = folders.into_iter().find(made) else { return Ok(None) };
    let main = folder.join(OPEN_NEXT.0);
    let because = format!("{} is OpenNext's", site.shown(&main));
    let bindings = of_project(site)?.map(|wrangler| wrangler.bindings).unwrap_or_default();
    let assets = Assets { binding: Some("ASSETS".into()), ..Assets::default() };
    let client = site.client_at(folder.join(OPEN_NEXT.1));
    Ok(Some(site.worker(because, main, client, of_assets(bindings, assets))))
}

/// A project of Pages: its worker lies among its files, and `_routes.json` says what it gets.
fn pages(site: &Site) -> Result<Option<Build>, DetectError> {
    let wrangler = of_project(site)?;
    let named = wrangler.as_ref().and_then(|wrangler| wrangler.pages_folder.as_deref());
    let named = named.filter(|_| site.is_project()).map(|folder| below(&site.folder, folder));
    let kit = site.is_project().then(|| site.folder.join(".svelte-kit/cloudflare"));
    let folders = named.into_iter().chain(site.outputs()).chain(kit);
    let found = folders.into_iter().find_map(|folder| {
        let main = PAGES_WORKERS.iter().map(|name| folder.join(name)).find(|main| main.is_file())?;
        Some((folder, main))
    });
    let Some((folder, main)) = found else { return Ok(None) };
    let routes = folder.join("_routes.json");
    let first = match json(&routes) {
        Some(routes) => first_of(&routes),
        None if routes.is_file() => {
            return Err(DetectError::Unreadable { path: routes, reason: "it is no JSON".into() });
        }
        None => WorkerFirst::All(true),
    };
    let has = |name: &str| folder.join(name).is_file();
    let not_found = match (has("404.html"), has("index.html")) {
        (true, _) => NotFound::Page,
        (false, true) => NotFound::SinglePageApplication,
        (false, false) => NotFound::None,
    };
    let worker = Worker {
        bindings: wrangler.map(|wrangler| wrangler.bindings).unwrap_or_default(),
        assets_binding: Some("ASSETS".into()),
        html_handling: HtmlHandling::AutoTrailingSlash,
        not_found,
        first,
        is_of_pages: true,
    };
    let because = format!("{} is a worker of Pages", site.shown(&main));
    Ok(Some(site.worker(because, main, site.client_at(folder), worker)))
}

/// `include` and `exclude` as one list: what is excluded wins.
fn first_of(routes: &Value) -> WorkerFirst {
    let list = |name: &str| {
        let entries = routes[name].as_array().into_iter().flatten();
        entries.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut paths = list("include");
    paths.extend(list("exclude").into_iter().map(|path| format!("!{path}")));
    WorkerFirst::Paths(paths)
}

/// A path as a file in `folder` names it.
fn below(folder: &Path, named: &str) -> PathBuf {
    let mut path = folder.to_owned();
    for part in Path::new(named).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

impl WorkerFirst {
    /// Whether the worker gets the requests for this path (`/a.txt`) first.
    pub(crate) fn takes(&self, path: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Paths(patterns) => {
                let (without, with): (Vec<&str>, Vec<&str>) =
                    patterns.iter().map(String::as_str).partition(|pattern| pattern.starts_with('!'));
                with.iter().any(|pattern| matches(pattern, path))
                    && !without.iter().any(|pattern| matches(&pattern[1..], path))
            }
        }
    }
}

/// Whether a path is one of a pattern's, in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests;
