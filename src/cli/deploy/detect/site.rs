//! The folder that a deploy names, and the project around it.

use super::{Build, Detected, Framework};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that builds are written to, below the project.
const OUTPUTS: [&str; 3] = [".output", "build", "dist"];
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
    pub fn new(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let project =
            folder.ancestors().find(|above| above.join("package.json").is_file()).map(Path::to_owned);
        let package =
            project.as_ref().and_then(|project| json(&project.join("package.json"))).unwrap_or_default();
        Self { folder, project, package }
    }

    /// Whether the folder is a project's own.
    pub fn is_project(&self) -> bool {
        self.project.as_ref() == Some(&self.folder)
    }

    /// Where a build may lie: the folder itself, else the usual places below a project.
    pub fn outputs(&self) -> Vec<PathBuf> {
        let below = OUTPUTS.iter().filter(|_| self.is_project()).map(|name| self.folder.join(name));
        std::iter::once(self.folder.clone()).chain(below).collect()
    }

    /// A path for people: as seen from the folder.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// Whether the project depends on a package.
    pub fn depends_on(&self, package: &str) -> bool {
        ["dependencies", "devDependencies"].iter().any(|kind| self.package[kind].get(package).is_some())
    }

    /// The folder, or a build below the project, if it has the manifest and the entry of a bundle.
    pub fn bundle(&self) -> Option<Detected> {
        self.outputs().into_iter().find_map(|folder| {
            let manifest = json(&folder.join("vitrine.json"));
            if !folder.join("vitrine.json").is_file() {
                return None;
            }
            let named = manifest.as_ref().and_then(|manifest| manifest["entry"].as_str());
            let entry = named.unwrap_or(DEFAULT_ENTRY);
            // A manifest that is no JSON is told when the bundle is checked; one without an entry may be settings alone.
            if manifest.is_some() && named.is_none() && !folder.join(entry).is_file() {
                return None;
            }
            let manifest = self.shown(&folder.join("vitrine.json"));
            Some(Detected::Bundle { because: format!("{manifest} goes with the entry {entry}"), folder })
        })
    }

    /// A build of `framework` with what all of them share filled in.
    pub fn build(
        &self,
        framework: Framework,
        because: String,
        entry: PathBuf,
        client: Option<PathBuf>,
    ) -> Build {
        let server = entry.parent().unwrap_or(&self.folder).to_owned();
        let project = self.project.clone().unwrap_or_else(|| self.folder.clone());
        let settings = [&self.folder, &project]
            .map(|folder| folder.join("vitrine.json"))
            .into_iter()
            .find(|path| path.is_file());
        Build {
            framework,
            because,
            project,
            server,
            entry,
            client: client.filter(|client| client.is_dir()),
            settings,
        }
    }
}

/// A file as JSON, if it is one.
pub(super) fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
