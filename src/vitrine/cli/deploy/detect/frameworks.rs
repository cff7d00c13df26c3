//! How each framework's build is known.

use super::node_server;
use super::site::Site;
use super::{Build, DetectError, Framework};
use crate::cli::deploy::imports::exports;
use crate::cli::deploy::source_file;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Nitro writes down what it built.
pub(super) fn nitro(site: &Site) -> Result<Option<Build>, DetectError> {
    let Some(output) = site.outputs().into_iter().find(|output| output.join("nitro.json").is_file()) else {
        return Ok(None);
    };
    let path = output.join("nitro.json");
    let unreadable = |reason: String| DetectError::Unreadable { path: path.clone(), reason };
    let text = source_file::read(&path).map_err(|error| unreadable(error.to_string()))?;
    let facts: Value = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    let preset = facts["preset"].as_str().unwrap_or("unknown");
    let entry = output.join(facts["serverEntry"].as_str().unwrap_or("server/index.mjs"));
    if !entry.is_file() {
        return Err(unreadable(format!("its server entry {} is not there", entry.display())));
    }
    let client = site.client_at(output.join(facts["publicDir"].as_str().unwrap_or("public")));
    let made_by = facts["framework"]["name"].as_str().unwrap_or("nitro");
    let because = format!("{} says framework {made_by}, preset {preset}", site.shown(&path));
    // Those for Node.js listen or export a handler for those who do; of all others what the server exports tells.
    let framework = match preset {
        preset if preset.starts_with("node") => Framework::NodeServer,
        "standard" => Framework::Nitro,
        _ if exports_of(&entry).contains("default") => Framework::Nitro,
        _ => return Err(DetectError::NitroPreset { preset: preset.to_owned(), path }),
    };
    Ok(Some(site.build(framework, because, entry, client)))
}

/// React Router's server is a description of the app and not a handler.
pub(super) fn react_router(site: &Site) -> Result<Option<Build>, DetectError> {
    for output in site.outputs() {
        let entry = output.join("server/index.js");
        let found = exports_of(&entry);
        if ["entry", "routes", "assets", "assetsBuildDirectory"].iter().all(|name| found.contains(*name)) {
            let because = format!("{} exports routes and assetsBuildDirectory", site.shown(&entry));
            let client = site.client_at(output.join("client"));
            return Ok(Some(site.build(Framework::ReactRouter, because, entry, client)));
        }
    }
    Ok(None)
}

/// Astro's server is what its adapter makes of it. Other tools call their entry so too: without a project to tell, it is Astro's.
pub(super) fn astro(site: &Site) -> Result<Option<Build>, DetectError> {
    if !site.depends_on("astro") && !site.is_without_project() {
        return Ok(None);
    }
    let entries = site.outputs().into_iter().map(|output| output.join("server/entry.mjs"));
    let Some(entry) = entries.into_iter().find(|entry| entry.is_file()) else { return Ok(None) };
    let found = exports_of(&entry);
    let framework = if found.contains("handler") {
        Framework::Astro
    } else if found.contains("default") {
        Framework::FetchHandler
    } else {
        let exports = found.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DetectError::AstroAdapter { entry, exports });
    };
    let export = if framework == Framework::Astro { "handler" } else { "default" };
    let because = format!("{} exports {export}", site.shown(&entry));
    let client = site.client_beside(entry.parent().unwrap_or(&entry));
    Ok(Some(site.build(framework, because, entry, client)))
}

/// TanStack Start and others whose Vite build has a fetch handler in `server/`.
pub(super) fn fetch_server(site: &Site) -> Result<Option<Build>, DetectError> {
    let is_tanstack =
        ["@tanstack/react-start", "@tanstack/solid-start"].iter().any(|name| site.depends_on(name));
    for output in site.outputs() {
        for name in ["server.js", "index.js", "server.mjs", "index.mjs", "entry.mjs"] {
            // What is laid out as a bundle is one, unless the project says otherwise.
            if name == "index.js" && output == site.folder && !is_tanstack {
                continue;
            }
            let server = output.join("server");
            let entry = server.join(name);
            if exports_of(&entry).contains("default") {
                let framework = if is_tanstack { Framework::TanstackStart } else { Framework::FetchHandler };
                let because = format!(
                    "{} has a default export{}",
                    site.shown(&entry),
                    if is_tanstack { ", and the project depends on TanStack Start" } else { "" }
                );
                return Ok(Some(site.build(framework, because, entry, site.client_beside(&server))));
            }
        }
    }
    Ok(None)
}

/// `@hono/vite-build` writes one file among the client's.
pub(super) fn hono(site: &Site) -> Result<Option<Build>, DetectError> {
    if !site.depends_on("hono") {
        return Ok(None);
    }
    for output in site.outputs().into_iter().filter(|output| !output.join("package.json").is_file()) {
        let entry = output.join("index.js");
        if exports_of(&entry).contains("default") {
            let because =
                format!("{} has a default export, and the project depends on hono", site.shown(&entry));
            return Ok(Some(site.build(Framework::Hono, because, entry, site.client_at(output))));
        }
    }
    Ok(None)
}

/// Next.js' own build is not what is run, unless it exported its pages as files.
pub(super) fn refuse_next(site: &Site) -> Result<(), DetectError> {
    let is_exported = site.folder.join("out/index.html").is_file();
    let is_built = |output: &PathBuf| output.join(".next").is_dir() || output.join("BUILD_ID").is_file();
    match !is_exported && site.outputs().iter().any(is_built) {
        true => Err(next_not_built(site)),
        false => Ok(()),
    }
}

fn next_not_built(site: &Site) -> DetectError {
    let commands = match site.depends_on("@opennextjs/cloudflare") {
        true => "run `npx opennextjs-cloudflare build`",
        false => {
            "run `npm install --save-dev @opennextjs/cloudflare wrangler` once and then `npx opennextjs-cloudflare build`"
        }
    };
    DetectError::NextNotBuilt { project: site.project_folder().to_owned(), commands }
}

/// Frameworks that build a server, with the package that says so and what the build leaves behind.
const BUILT: [(&str, &str, &str); 7] = [
    ("@react-router/dev", "React Router", "build/server/index.js"),
    ("@tanstack/react-start", "TanStack Start", "dist/server/server.js"),
    ("@tanstack/solid-start", "TanStack Start", "dist/server/server.js"),
    ("astro", "Astro", "dist/server/entry.mjs"),
    ("nuxt", "Nuxt", ".output/nitro.json"),
    ("nitro", "Nitro", ".output/nitro.json"),
    ("vite-plugin-vitrine", "Vite with vite-plugin-vitrine", "dist/vitrine.json"),
];
/// Whether a project's own folder may be a bundle: it has a bundle's server, and that does not open a listener.
pub(super) fn may_be_bundle(site: &Site) -> bool {
    let entry = site.folder.join("server/index.js");
    let listens = node_server::PACKAGES.iter().any(|name| site.depends_on(name));
    entry.is_file() && (!listens || exports_of(&entry).contains("default"))
}

/// Projects whose build is missing, or that have none that could be run.
pub(super) fn not_built(site: &Site, has_output: bool) -> Result<(), DetectError> {
    let project = || site.folder.clone();
    if !has_output && let Some((_, framework, output)) = BUILT.iter().find(|(name, ..)| site.depends_on(name))
    {
        let command = site.build_command();
        return Err(DetectError::FrameworkNotBuilt { project: project(), framework, output, command });
    }
    if !has_output && site.depends_on("next") {
        return Err(next_not_built(site));
    }
    Ok(())
}

pub(super) fn exports_of(file: &Path) -> BTreeSet<String> {
    source_file::read_text(file).map(|code| exports(&code)).unwrap_or_default()
}
