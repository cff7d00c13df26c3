//! What a folder is: a bundle, or what a framework's own build left behind.
//!
//! One function a framework, asked in order; the first that knows the folder wins, and says what it knew it by.

pub(crate) mod cloudflare;
mod frameworks;
mod leftovers;
mod node_server;
mod site;
mod stale;
mod start_script;
mod static_site;
pub(crate) mod wrangler;

use crate::cli::deploy::imports;
pub(super) use cloudflare::Worker;
use serde::Serialize;
use site::Site;
pub(super) use stale::stale;
use std::path::{Path, PathBuf};

/// What a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detected {
    /// Laid out as a bundle: this folder is packed as it is.
    Bundle {
        /// Folder.
        folder: PathBuf,
        /// What it was known by.
        because: String,
    },
    /// A framework's build, to be laid out.
    Build(Build),
}

/// What a framework's build left behind. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Build {
    /// Which.
    pub framework: Framework,
    /// What it was known by.
    pub because: String,
    /// Where packages are looked up: the project's folder, else the build's.
    pub project: PathBuf,
    /// Folder of the server's files.
    pub server: PathBuf,
    /// The server's first file, below `server`.
    pub entry: PathBuf,
    /// Folder of the client's files. It may be `server` too.
    pub client: Client,
    /// `vitrine.json` with what the project wants besides entry and assets.
    pub settings: Option<PathBuf>,
    /// Folders below the project that the server reads files from.
    pub data: Vec<PathBuf>,
    /// Variables that the server gets unless the environment has them.
    pub environment: &'static [(&'static str, &'static str)],
    /// What a build for Cloudflare has around its script.
    pub worker: Option<Box<Worker>>,
}

/// Where a build has its client's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Client {
    /// Here.
    Folder {
        /// Folder.
        path: PathBuf,
        /// Folders that look like one too and are not taken, for people.
        passed_over: Vec<String>,
    },
    /// Nowhere.
    None {
        /// What was looked for, for people.
        because: String,
    },
}

impl Client {
    /// The folder, if there is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder { path, .. } => Some(path),
            Self::None { .. } => None,
        }
    }
}

/// Whose build it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Framework {
    /// `@hono/vite-build`.
    Hono,
    /// Nitro with the preset `standard`.
    Nitro,
    /// React Router in framework mode.
    ReactRouter,
    /// TanStack Start.
    TanstackStart,
    /// Astro with `@astrojs/node`.
    Astro,
    /// A worker for Cloudflare: of any framework that builds one.
    Cloudflare,
    /// Any other whose server's default export is a fetch handler.
    FetchHandler,
    /// A server that listens with `node:http`.
    NodeServer,
    /// Files without a server.
    Static,
}

impl Framework {
    /// Whether its builds may have the home page made at build time. Elsewhere an `index.html` among the client's files is what
    /// Vite made of the page that the server renders into.
    pub(super) const fn prerenders_home(self) -> bool {
        !matches!(self, Self::Hono | Self::FetchHandler | Self::NodeServer)
    }

    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hono => "Hono",
            Self::Nitro => "Nitro",
            Self::ReactRouter => "React Router (framework mode)",
            Self::TanstackStart => "TanStack Start",
            Self::Astro => "Astro",
            Self::Cloudflare => "Cloudflare worker",
            Self::FetchHandler => "fetch handler",
            Self::NodeServer => "Node.js server",
            Self::Static => "site without a server",
        }
    }
}

/// Why a folder can't be deployed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DetectError {
    /// There are sources and no build.
    #[error(
        "{project} is a project without a build: looked for .output/nitro.json, build/server/index.js, dist/server/ and \
         dist/index.js; run its build first (`{command}`)"
    )]
    NotBuilt {
        /// Project.
        project: PathBuf,
        /// What makes the build.
        command: String,
    },
    /// There are sources, no build, and nothing that would make one.
    #[error(
        "{project} is a project without a build, without a script `build` that would make one, and without a server that its \
         package.json starts; deploy the folder that has the server or the files: `vitrine deploy APP DIR`"
    )]
    NothingToBuild {
        /// Project.
        project: PathBuf,
    },
    /// A framework whose build is not there.
    #[error(
        "{project} is a project of {framework} without a build: looked for {output}; run `{command}` first, then deploy again"
    )]
    FrameworkNotBuilt {
        /// Project.
        project: PathBuf,
        /// Which.
        framework: &'static str,
        /// What its build leaves behind.
        output: &'static str,
        /// What makes the build.
        command: String,
    },
    /// The script that starts it leads to no server, and there is another one.
    #[error(
        "{project} is started by `{command}`, and {because}; write \"start\": \"node FILE\" with the server's file into package.json \
         ({other} is a server too: \"start\": \"node {other}\")"
    )]
    NotStarted {
        /// Project.
        project: PathBuf,
        /// Its script.
        command: String,
        /// What is wrong with it.
        because: String,
        /// The server that it doesn't start.
        other: String,
    },
    /// There is a build, and nothing in it is a server that could be run.
    #[error(
        "{project} has a build, and no server in it that Vitrine can run: found {found}; looked for a default export, \
         `{{ fetch(request, env, ctx) }}`, in server.js, index.js or entry.mjs in server/ below .output/, build/ or dist/"
    )]
    NoHandler {
        /// Project.
        project: PathBuf,
        /// What there is, and what it lacks.
        found: String,
    },
    /// Nitro for another runtime.
    #[error(
        "{path} says that Nitro built for the preset `{preset}`; build again with NITRO_PRESET=standard, which gives a fetch handler"
    )]
    NitroPreset {
        /// `nitro.json`.
        path: PathBuf,
        /// Preset.
        preset: String,
    },
    /// Astro for another runtime.
    #[error(
        "{entry} exports neither `handler` nor a default fetch handler (it exports {exports}); use the adapter @astrojs/node in \
         astro.config, then build again"
    )]
    AstroAdapter {
        /// Server's entry.
        entry: PathBuf,
        /// Names.
        exports: String,
    },
    /// A project of Next.js without what OpenNext makes of it.
    #[error(
        "{project} is a project of Next.js, of which Vitrine runs what OpenNext makes; {commands}, then deploy again"
    )]
    NextNotBuilt {
        /// Project.
        project: PathBuf,
        /// What to run.
        commands: &'static str,
    },
    /// A wrangler file names a worker that is not there, or a source that its own tool has to build.
    #[error(
        "{config} names {main}, of which there is no build; run its build first (`{command}`), then deploy again"
    )]
    WorkerNotBuilt {
        /// Wrangler file.
        config: PathBuf,
        /// Script.
        main: PathBuf,
        /// What makes the build.
        command: String,
    },
    /// Functions of Pages that are no worker yet.
    #[error(
        "{project} has functions/ that Pages compiles when it is deployed; run `npx wrangler pages functions build --outdir \
         {folder}/_worker.js` first, then deploy again"
    )]
    PagesFunctions {
        /// Project.
        project: PathBuf,
        /// Its folder of files.
        folder: String,
    },
    /// A wrangler file that can't be understood.
    #[error("{path}: {message}")]
    Wrangler {
        /// File.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The project's `vitrine.json` is no manifest.
    #[error("{path}:{line}:{column}: {message}")]
    Settings {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A file of the build can't be understood.
    #[error("{path} can't be read: {reason}; build the project again")]
    Unreadable {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Knows the builds of one framework.
type Find = fn(&Site) -> Result<Option<Build>, DetectError>;

/// Looks at a folder: a bundle, a build's output, or the project that has one.
///
/// # Errors
/// See [`DetectError`]. A folder that nothing is known about is a bundle: what it lacks is said when it is checked.
pub(super) fn detect(folder: &Path) -> Result<Detected, DetectError> {
    let site = Site::new(folder);
    if site.is_project() {
        site.check_settings()?;
    }
    if let Some(found) = site.bundle() {
        return Ok(found);
    }
    site.check_settings()?;
    let known: [Find; 9] = [
        cloudflare::built,
        frameworks::nitro,
        node_server::sveltekit,
        node_server::angular,
        frameworks::react_router,
        frameworks::astro,
        frameworks::fetch_server,
        frameworks::hono,
        cloudflare::source,
    ];
    for find in known {
        if let Some(build) = find(&site)? {
            return Ok(Detected::Build(build));
        }
    }
    frameworks::refuse_next(&site)?;
    cloudflare::refuse_functions(&site)?;
    if site.is_project() && !frameworks::may_be_bundle(&site) {
        let found = leftovers::describe(&site);
        let server = node_server::project(&site)?;
        if server.is_none()
            && let Some(build) = static_site::find(&site)
        {
            return Ok(Detected::Build(build));
        }
        frameworks::not_built(&site, found.is_some())?;
        if let Some(build) = server {
            return Ok(Detected::Build(build));
        }
        return Err(match found {
            Some(found) => DetectError::NoHandler { project: site.folder, found },
            None if !site.has_build_script() => DetectError::NothingToBuild { project: site.folder },
            None => DetectError::NotBuilt { command: site.build_command(), project: site.folder },
        });
    }
    if !site.folder.join("server").is_dir()
        && let Some(build) = static_site::find(&site)
    {
        return Ok(Detected::Build(build));
    }
    Ok(Detected::Bundle { because: "nothing says that it is something else".into(), folder: site.folder })
}

impl Build {
    /// Takes folders below `root` that are there as data.
    fn take_data(&mut self, root: &Path, names: &[&str]) {
        self.data.extend(names.iter().map(|name| root.join(name)).filter(|folder| folder.is_dir()));
    }

    /// Whether it is a server that sends files to browsers itself.
    pub(super) fn sends_its_files(&self) -> bool {
        self.framework == Framework::NodeServer
    }

    /// Folders of a server's project that are not sent: it reads nothing from them on a host. What it is bundled from is in none of
    /// them.
    pub(super) fn not_sent(&self) -> Vec<String> {
        if !self.sends_its_files() {
            return Vec::new();
        }
        let reached = self.reach().files;
        let is_left = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let takes_part = |other: &Path| other.starts_with(path) || other.starts_with(&real);
            path.is_dir()
                && !name.starts_with('.')
                && name != "node_modules"
                && !reached.iter().any(|file| takes_part(file))
                && !self.data.iter().map(PathBuf::as_path).chain(self.client.folder()).any(takes_part)
        };
        let entries = std::fs::read_dir(&self.project).into_iter().flatten().flatten();
        let mut left: Vec<String> = entries
            .map(|entry| entry.path())
            .filter(is_left)
            .filter_map(|path| Some(format!("{}/", path.file_name()?.to_str()?)))
            .collect();
        left.sort();
        left
    }

    /// What the server reaches from its entry.
    pub(super) fn reach(&self) -> imports::Reached {
        imports::reach(&self.entry)
    }
}

#[cfg(test)]
mod tests;
