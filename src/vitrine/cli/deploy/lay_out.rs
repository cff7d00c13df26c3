//! From a framework's build to the folders of a bundle, in a scratch folder. Nothing of the project is written to.

mod cloudflare;
mod static_site;

use super::bundler::{self, Bundled};
use super::detect::{Build, Client, Framework};
use super::source_file;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use vitrine_bundle::{self as bundle, HEADERS_FILE};
use vitrine_core::limits::PRERENDERED_BYTES_MAX;
use vitrine_wire::NODE_BUILT_INS;

/// Where a bundled server is.
const ENTRY: &str = "server/index.js";
/// Where the client's files are.
const CLIENT: &str = "client";
/// Rules for addresses, as Netlify and Cloudflare Pages know them; they are not served.
const REDIRECTS: &str = "_redirects";

/// Where the files are that a server reads: what is its project's folder for it.
const DATA: &str = "server";

/// What was made of a build.
#[derive(Debug)]
pub(super) struct LaidOut {
    /// Bundle.
    pub folder: PathBuf,
    /// How the server got there, for people.
    pub server: String,
    /// What the bundler did, if one ran.
    pub bundled: Option<Bundled>,
    /// The client's files, for people.
    pub client: String,
    /// Paths of the pages made at build time that the adapter answers with.
    pub pages: Vec<String>,
    /// Names that the server finds in its `env` and that fail when they are used, each with the reason, for people.
    pub bindings: Vec<String>,
    /// What lies among or beside the client's files and is not in the bundle, each with the reason, for people.
    pub left_out: Vec<String>,
}

/// Why a build can't be laid out.
#[derive(Debug, thiserror::Error)]
pub(super) enum LayOutError {
    /// A file or folder of the build, or of the scratch folder.
    #[error("{operation} {path} failed")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// `vitrine.json` of the project is no object.
    #[error("{path} is no JSON object; write `{{…}}` with the fields of vitrine.json, or take it away")]
    Settings {
        /// File.
        path: PathBuf,
    },
    /// A link that leads out of the build, or to a folder.
    #[error("{path} is a symbolic link to {target}; ship what it leads to itself")]
    Link {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A folder or file of the build that a link has outside of the project.
    #[error(
        "{path} leads to {target}, outside of the project {project}; build into the project, or deploy the folder there"
    )]
    Outside {
        /// Part of the build.
        path: PathBuf,
        /// Where it is.
        target: PathBuf,
        /// Project.
        project: PathBuf,
    },
    /// A name that no path of a URL has.
    #[error("{path} has a name that is not UTF-8; rename it")]
    Name {
        /// File.
        path: PathBuf,
    },
    /// Too many bytes of pages.
    #[error(
        "the pages made at build time have more than {PRERENDERED_BYTES_MAX} bytes together (stopped at {path}), and every isolate \
         would hold them; render some of them on request"
    )]
    PagesTooLarge {
        /// Where it was seen.
        path: PathBuf,
    },
    /// The server could not be bundled.
    #[error(transparent)]
    Bundler(#[from] bundler::BundlerError),
}

/// Lays a build out below `scratch`, which must exist.
///
/// # Errors
/// See [`LayOutError`].
pub(super) fn lay_out(build: &Build, scratch: &Path) -> Result<LaidOut, LayOutError> {
    refuse_outside(build)?;
    if build.framework == Framework::Static {
        return static_site::lay_out(build, scratch);
    }
    if let Some(worker) = &build.worker {
        return cloudflare::lay_out(build, worker, scratch);
    }
    let folder = scratch.join("bundle");
    let settings = read_settings(build)?;
    let reached = build.reach();
    let is_foreign = |name: &&String| !is_built_in(name);
    let foreign = reached.named.iter().find(is_foreign).cloned();
    // A client that lies in the same folder is what the server does not reach.
    let shares_folder = build.client.folder() == Some(&build.server);
    let (mut client, mut left_out) = client_files(build)?;
    if shares_folder {
        client.retain(|_, path| !is_server_file(path, &reached.files));
    }
    if client.remove(REDIRECTS).is_some() {
        left_out.push(format!(
            "{REDIRECTS} (its rules are for sites without a server; this one can redirect by itself)"
        ));
    }
    let shell = settings.get("shell").and_then(Value::as_str);
    let pages = take_pages(&mut client, shell, build.framework.prerenders_home(), &mut left_out)?;
    for (name, path) in &client {
        copy(path, &folder.join(CLIENT).join(name))?;
    }
    if !client.is_empty() && settings.get("assets").is_some_and(|assets| assets != CLIENT) {
        left_out.push("`assets` of vitrine.json (that of the build is taken)".into());
    }
    for data in &build.data {
        let Ok(name) = data.strip_prefix(&build.project) else { continue };
        for (file, path) in files_below(data)? {
            copy(&path, &folder.join(DATA).join(name).join(file))?;
        }
    }
    let adapter = adapter(build.framework);
    let why = why_bundled(adapter, foreign.as_deref(), !pages.is_empty());
    let (entry, server, bundled) = match why {
        Some(why) => {
            let facts = BTreeMap::from([
                ("pages.js", json!(pages)),
                ("environment.js", environment(build)),
                ("entry.js", json!(program(build))),
            ]);
            let bundled = bundler::bundle(build, adapter, &facts, scratch, &folder.join(ENTRY))?;
            let server = format!("bundled by {}, which ran here, because {why}", bundled.bundler);
            (ENTRY.to_owned(), server, Some(bundled))
        }
        None => {
            (copy_server(build, &folder, shares_folder, &reached.files)?, "taken as it is".to_owned(), None)
        }
    };
    write_manifest(settings, &folder, &entry, !client.is_empty())?;
    let client = match &build.client {
        Client::Folder { path, .. } => {
            format!("{}: {} files and {} pages", path.display(), client.len(), pages.len())
        }
        Client::None { because } => format!("none: {because}"),
    };
    let (pages, bindings) = (pages.into_keys().collect(), Vec::new());
    Ok(LaidOut { folder, server, bundled, client, pages, bindings, left_out })
}

/// Path that a server's first file has in the isolate.
fn program(build: &Build) -> String {
    let entry = build.entry.strip_prefix(&build.project).unwrap_or(&build.entry);
    format!("{}/{}", bundler::FILES_PLACE, entry.display())
}

/// Variables that the server gets.
fn environment(build: &Build) -> Value {
    let variables = build.environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    Value::Object(variables.collect())
}

/// The client's files by their name in its folder, and what is passed over.
fn client_files(build: &Build) -> Result<(BTreeMap<String, PathBuf>, Vec<String>), LayOutError> {
    match &build.client {
        Client::Folder { path, passed_over } => {
            let mut left_out = passed_over.clone();
            if path.join("node_modules").is_dir() && *path != build.server {
                left_out.push("node_modules/ among the client's files".into());
            }
            Ok((files_below(path)?, left_out))
        }
        Client::None { .. } => Ok((BTreeMap::new(), Vec::new())),
    }
}

/// The adapter that a framework's build is bundled with.
const fn adapter(framework: Framework) -> &'static str {
    match framework {
        Framework::ReactRouter => "react_router.js",
        Framework::Astro => "astro.js",
        Framework::NodeServer => "node_server.js",
        Framework::Cloudflare => "cloudflare.js",
        Framework::Hono
        | Framework::Nitro
        | Framework::TanstackStart
        | Framework::FetchHandler
        | Framework::Static => "fetch_handler.js",
    }
}

fn why_bundled(adapter: &str, foreign: Option<&str>, has_pages: bool) -> Option<String> {
    if adapter != "fetch_handler.js" {
        return Some("its server needs an adapter".into());
    }
    match foreign {
        Some(name) => Some(format!("its server imports {name}")),
        None => has_pages.then(|| "it has pages made at build time".into()),
    }
}

fn is_built_in(name: &str) -> bool {
    // `test` alone is a package.
    NODE_BUILT_INS
        .iter()
        .any(|known| *known == name || name != "test" && known.strip_prefix("node:") == Some(name))
}

/// Whether the server has the file, or it is the source map of such a file.
fn is_server_file(path: &Path, reached: &BTreeSet<PathBuf>) -> bool {
    let of_map = path.to_str().and_then(|path| path.strip_suffix(".map")).map(Path::new);
    reached.contains(path) || of_map.is_some_and(|file| reached.contains(file))
}

/// Copies the server as it is; gives the path of its entry in the bundle.
fn copy_server(
    build: &Build,
    folder: &Path,
    shares_folder: bool,
    reached: &BTreeSet<PathBuf>,
) -> Result<String, LayOutError> {
    for (name, path) in files_below(&build.server)? {
        if !shares_folder || is_server_file(&path, reached) {
            copy(&path, &folder.join("server").join(name))?;
        }
    }
    let entry = build.entry.strip_prefix(&build.server).unwrap_or(&build.entry);
    Ok(format!("server/{}", entry.display()))
}

/// Takes the pages that were made at build time out of the client's files: the adapter answers with them, under the paths that
/// people know them by. The shell stays a file, templates are left out, and `/` is a page only where the framework makes it one.
fn take_pages(
    client: &mut BTreeMap<String, PathBuf>,
    shell: Option<&str>,
    prerenders_home: bool,
    left_out: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, LayOutError> {
    let is_taken = |name: &&String| name.ends_with(".html") && Some(name.as_str()) != shell;
    let names: Vec<String> = client.keys().filter(is_taken).cloned().collect();
    let mut pages = BTreeMap::new();
    let mut bytes = 0;
    for name in names {
        let Some(path) = client.remove(&name) else { continue };
        let page = fs::read(&path).map_err(io_error("read", &path))?;
        if let Some(placeholder) = bundle::placeholder(&page) {
            left_out.push(format!("{name} (a template: it has <!--{placeholder}-->)"));
            continue;
        }
        if !prerenders_home && page_path(&name) == "/" {
            client.insert(name, path);
            continue;
        }
        bytes += page.len() as u64;
        if bytes > PRERENDERED_BYTES_MAX {
            return Err(LayOutError::PagesTooLarge { path });
        }
        pages.insert(page_path(&name), String::from_utf8_lossy(&page).into_owned());
    }
    Ok(pages)
}

/// `/about` for `about.html` and `about/index.html`.
fn page_path(name: &str) -> String {
    let stem = name.strip_suffix(".html").unwrap_or(name);
    let path =
        stem.strip_suffix("index").filter(|path| path.is_empty() || path.ends_with('/')).unwrap_or(stem);
    format!("/{}", path.trim_end_matches('/'))
}

/// Files below a folder by their name there, without what is installed there and what is no file.
fn files_below(folder: &Path) -> Result<BTreeMap<String, PathBuf>, LayOutError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(io_error("list", &next))? {
            let path = entry.map_err(io_error("list", &next))?.path();
            if path.ends_with("node_modules") {
                continue;
            }
            refuse_link(folder, &path)?;
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).ok().and_then(Path::to_str).map(str::to_owned);
                let Some(name) = name else { return Err(LayOutError::Name { path }) };
                found.insert(name, path);
            }
        }
    }
    Ok(found)
}

/// A link to a file of the build stands for that file. Any other one may lead to private files, or in a circle.
fn refuse_link(folder: &Path, path: &Path) -> Result<(), LayOutError> {
    if !path.is_symlink() {
        return Ok(());
    }
    let target = fs::canonicalize(path).map_err(io_error("follow", path))?;
    let folder = fs::canonicalize(folder).map_err(io_error("follow", folder))?;
    match target.is_file() && target.starts_with(folder) {
        true => Ok(()),
        false => Err(LayOutError::Link { path: path.to_owned(), target }),
    }
}

/// A repository that was cloned may link a folder of its build to private files of this user.
fn refuse_outside(build: &Build) -> Result<(), LayOutError> {
    let real = |path: &Path| fs::canonicalize(path).map_err(io_error("follow", path));
    let project = real(&build.project)?;
    let named = [Some(build.server.as_path()), Some(&build.entry), build.client.folder()];
    for path in named.into_iter().flatten().chain(build.data.iter().map(PathBuf::as_path)) {
        let target = real(path)?;
        if !target.starts_with(&project) {
            return Err(LayOutError::Outside { path: path.to_owned(), target, project });
        }
    }
    Ok(())
}

/// Takes the rules for headers out of a build's files, and puts them where the edge looks for them. Whether there are any.
fn take_header_rules(files: &mut BTreeMap<String, PathBuf>, folder: &Path) -> Result<bool, LayOutError> {
    let Some(path) = files.remove(HEADERS_FILE) else { return Ok(false) };
    copy(&path, &folder.join(CLIENT).join(HEADERS_FILE))?;
    Ok(true)
}

fn copy(from: &Path, to: &Path) -> Result<(), LayOutError> {
    make_parent(to)?;
    fs::copy(from, to).map(drop).map_err(io_error("copy", from))
}

fn make_parent(path: &Path) -> Result<(), LayOutError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(io_error("make the folder", parent))
}

/// What the project's `vitrine.json` says.
fn read_settings(build: &Build) -> Result<Map<String, Value>, LayOutError> {
    let Some(path) = &build.settings else { return Ok(Map::new()) };
    let text = source_file::read(path).map_err(io_error("read", path))?;
    let settings: Option<Map<String, Value>> = serde_json::from_slice(&text).ok();
    settings.ok_or_else(|| LayOutError::Settings { path: path.clone() })
}

/// Writes `vitrine.json`: what the project wants, with entry and assets.
fn write_manifest(
    mut fields: Map<String, Value>,
    folder: &Path,
    entry: &str,
    has_client: bool,
) -> Result<(), LayOutError> {
    fields.insert("entry".into(), json!(entry));
    if has_client {
        fields.insert("assets".into(), json!(CLIENT));
    }
    let path = folder.join("vitrine.json");
    make_parent(&path)?;
    fs::write(&path, Value::Object(fields).to_string()).map_err(io_error("write", &path))
}

fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LayOutError {
    let path = path.to_owned();
    move |source| LayOutError::Io { operation, path, source }
}

#[cfg(test)]
mod tests;
