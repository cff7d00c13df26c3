//! The folder that a deploy names, and the project around it.

use super::{Build, Client, DetectError, Detected, Framework, Worker};
use crate::cli::deploy::source_file;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use vitrine_bundle::{BundleError, Manifest};

/// Folders that builds are written to, below the project.
const OUTPUTS: [&str; 3] = [".output", "build", "dist"];
/// Folders beside `server/` that builds put the client's files in, the likeliest first.
const CLIENTS: [&str; 4] = ["client", "browser", "public", "static"];
/// Where a bundle's server is unless its manifest says otherwise.
const DEFAULT_ENTRY: &str = "server/index.js";

/// A folder and what is around it.
#[derive(Debug)]
pub(super) struct Site {
    /// What the deploy names, absolute.
    pub folder: PathBuf,
    /// The nearest folder at or above it that has a `package.json`.
    project: Option<PathBuf>,
    package: Value,
}

impl Site {
    pub(super) fn new(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let project =
            folder.ancestors().find(|above| above.join("package.json").is_file()).map(Path::to_owned);
        let package =
            project.as_ref().and_then(|project| json(&project.join("package.json"))).unwrap_or_default();
        Self { folder, project, package }
    }

    /// Whether the folder is a project's own.
    pub(super) fn is_project(&self) -> bool {
        self.project.as_ref() == Some(&self.folder)
    }

    /// The folder that has the `package.json`; without one, the folder itself.
    pub(super) fn project_folder(&self) -> &Path {
        self.project.as_ref().unwrap_or(&self.folder)
    }

    /// Where a build may lie: the folder itself, else the usual places below a project.
    pub(super) fn outputs(&self) -> Vec<PathBuf> {
        let below = OUTPUTS.iter().filter(|_| self.is_project()).map(|name| self.folder.join(name));
        std::iter::once(self.folder.clone()).chain(below).collect()
    }

    /// A path for people: as seen from the folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// Whether there is no project to tell what a build was made with.
    pub(super) const fn is_without_project(&self) -> bool {
        self.project.is_none()
    }

    /// The client's files of a build that has them beside its server.
    pub(super) fn client_beside(&self, server: &Path) -> Client {
        let output = server.parent().unwrap_or(&self.folder);
        let mut folders =
            CLIENTS.iter().map(|name| output.join(name)).filter(|folder| holds_something(folder));
        match folders.next() {
            Some(path) => {
                let taken = self.shown(&path);
                let passed_over =
                    folders.map(|folder| format!("{}/ ({taken}/ is taken)", self.shown(&folder))).collect();
                Client::Folder { path, passed_over }
            }
            None => Client::None { because: format!("no folder {} beside server/", alternatives(&CLIENTS)) },
        }
    }

    /// The client's files of a build whose framework has them in this folder.
    pub(super) fn client_at(&self, path: PathBuf) -> Client {
        match path.is_dir() {
            true => Client::Folder { path, passed_over: Vec::new() },
            false => Client::None { because: format!("no folder {}/", self.shown(&path)) },
        }
    }

    /// What makes the project's build.
    pub(super) fn build_command(&self) -> String {
        let manager = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun")]
            .into_iter()
            .find(|(lock, _)| self.folder.join(lock).is_file())
            .map_or("npm", |(_, manager)| manager);
        format!("{manager} run build")
    }

    /// Whether there is something that makes a build.
    pub(super) fn has_build_script(&self) -> bool {
        self.package["scripts"]["build"].is_string()
    }

    /// Whether the project depends on a package.
    pub(super) fn depends_on(&self, package: &str) -> bool {
        ["dependencies", "devDependencies"].iter().any(|kind| self.package[kind].get(package).is_some())
    }

    /// Refuses a `vitrine.json` beside `package.json` that is no manifest, before it is taken for anything else.
    pub(super) fn check_settings(&self) -> Result<(), DetectError> {
        let Some(path) = self.project.as_ref().map(|project| project.join("vitrine.json")) else {
            return Ok(());
        };
        match source_file::read(&path).map(|text| Manifest::read(&text)) {
            Ok(Err(BundleError::Manifest { line, column, message })) => {
                Err(DetectError::Settings { path, line, column, message })
            }
            // A value that can't be used is told when the bundle is checked: `entry` and `assets` are the build's there.
            _ => Ok(()),
        }
    }

    /// The folder, or a build below the project, if it has the manifest and the entry of a bundle.
    pub(super) fn bundle(&self) -> Option<Detected> {
        self.outputs().into_iter().find_map(|folder| {
            let manifest = json(&folder.join("vitrine.json"));
            if !folder.join("vitrine.json").is_file() {
                return None;
            }
            let named = manifest.as_ref().and_then(|manifest| manifest["entry"].as_str());
            let entry = named.unwrap_or(DEFAULT_ENTRY);
            // A manifest that is no JSON is told when the bundle is checked. One without an entry may be settings alone, and a
            // project's own is, whatever entry it names, unless that is there.
            let may_be_settings =
                manifest.is_some() && (named.is_none() || self.project.as_ref() == Some(&folder));
            if may_be_settings && !folder.join(entry).is_file() {
                return None;
            }
            let manifest = self.shown(&folder.join("vitrine.json"));
            Some(Detected::Bundle { because: format!("{manifest} goes with the entry {entry}"), folder })
        })
    }

    /// A build of `framework` with what all of them share filled in.
    pub(super) fn build(
        &self,
        framework: Framework,
        because: String,
        entry: PathBuf,
        client: Client,
    ) -> Build {
        let server = entry.parent().unwrap_or(&self.folder).to_owned();
        let project = self.project_folder().to_owned();
        let settings = [&self.folder, &project]
            .map(|folder| folder.join("vitrine.json"))
            .into_iter()
            .find(|path| path.is_file());
        let (data, environment, worker) = (Vec::new(), &[][..], None);
        Build { framework, because, project, server, entry, client, settings, data, environment, worker }
    }

    /// A build for Cloudflare.
    pub(super) fn worker(&self, because: String, entry: PathBuf, client: Client, worker: Worker) -> Build {
        let worker = Some(Box::new(worker));
        Build { worker, ..self.build(Framework::Cloudflare, because, entry, client) }
    }
}

/// `a/, b/ or c/`.
fn alternatives(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name}/")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn holds_something(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// A file as JSON, if it is one.
pub(super) fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&source_file::read(path).ok()?).ok()
}
