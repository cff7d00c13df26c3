//! Servers that listen by themselves: Express, Koa, Fastify, NestJS, a framework's own server for Node.js.

use super::frameworks::exports_of;
use super::site::{Site, json};
use super::start_script::started;
use super::{Build, Client, DetectError, Framework};
use crate::cli::deploy::imports;
use crate::cli::deploy::source_file;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Packages whose servers listen.
pub(super) const PACKAGES: [&str; 7] =
    ["express", "fastify", "koa", "@hapi/hapi", "restify", "@nestjs/core", "@hono/node-server"];
/// Where a project's server is if nothing says so.
const USUAL: [&str; 18] = [
    "server.js",
    "server.mjs",
    "app.js",
    "index.js",
    "server/index.js",
    "src/server.js",
    "src/index.js",
    "dist/server.js",
    "dist/main.js",
    "dist/app.js",
    "dist/index.js",
    "dist/serve-node.js",
    "dist/server/index.mjs",
    "dist/server/index.js",
    "build/server/index.js",
    "build/server.js",
    "build/app.js",
    "build/index.js",
];
/// Folders that a server reads files from, below its project.
const DATA: [&str; 9] = [
    "public",
    "static",
    "views",
    "templates",
    "locales",
    "content",
    "dist/client",
    "dist/public",
    "build/prerendered",
];
/// Where frameworks have the files for the browser if not in `dist/client`, each with the package that says so.
const CLIENTS: [(&str, &str); 2] = [("waku", "dist/public"), ("@builder.io/qwik-city", "dist")];

/// A build of SvelteKit for Node.js: its `index.js` listens.
pub(super) fn sveltekit(site: &Site) -> Result<Option<Build>, DetectError> {
    for output in site.outputs() {
        let (entry, handler) = (output.join("index.js"), output.join("handler.js"));
        if entry.is_file() && exports_of(&handler).contains("handler") {
            let because = format!("{} is of @sveltejs/adapter-node", site.shown(&handler));
            let client = site.client_at(output.join("client"));
            let mut build = site.build(Framework::NodeServer, because, entry, client);
            build.take_data(&output, &["prerendered"]);
            // Without it a form is refused behind TLS that others end, as on Node.js.
            build.environment = &[("PROTOCOL_HEADER", "x-forwarded-proto")];
            return Ok(Some(build));
        }
    }
    Ok(None)
}

/// A build of Angular: its server exports a handler for Node.js, and listens only where it is the program.
pub(super) fn angular(site: &Site) -> Result<Option<Build>, DetectError> {
    let below = |output: PathBuf| {
        let entries = fs::read_dir(&output).into_iter().flatten().flatten().map(|entry| entry.path());
        std::iter::once(output).chain(entries.filter(|path| path.is_dir())).collect::<Vec<_>>()
    };
    for output in site.outputs().into_iter().flat_map(below) {
        let entry = output.join("server/server.mjs");
        if exports_of(&entry).contains("reqHandler") {
            let because = format!("{} exports reqHandler", site.shown(&entry));
            let client = site.client_at(output.join("browser"));
            let mut build = site.build(Framework::NodeServer, because, entry, client);
            // Only host names of the app lead to it, and the edge writes these headers itself.
            build.environment = &[
                ("NG_ALLOWED_HOSTS", "*"),
                ("NG_TRUST_PROXY_HEADERS", "x-forwarded-for,x-forwarded-host,x-forwarded-proto"),
            ];
            return Ok(Some(build));
        }
    }
    Ok(None)
}

/// A project whose server listens: what `npm start` runs, else its main file or one of a usual name.
pub(super) fn project(site: &Site) -> Result<Option<Build>, DetectError> {
    if !site.is_project() {
        return Ok(None);
    }
    let package = json(&site.folder.join("package.json")).unwrap_or_default();
    let scripts = &package["scripts"];
    let depends = PACKAGES.iter().any(|name| site.depends_on(name));
    let named = ["start", "preview", "serve"].iter().filter_map(|name| {
        let path = script(&site.folder, &started(scripts, name)?)?;
        Some((path, format!("`{}` is its script {name}", scripts[*name].as_str()?)))
    });
    let main = package["main"].as_str().and_then(|main| script(&site.folder, main));
    let main = main.map(|path| (path, "package.json names it as main".to_owned()));
    let usual = USUAL.iter().filter_map(|name| script(&site.folder, name));
    let usual = usual.map(|path| (path, "it is where servers usually are".to_owned()));
    let found = match named.clone().find(|(path, _)| starts_server(path, depends)) {
        Some(found) => found,
        None => match main.into_iter().chain(usual).find(|(path, _)| listens(path, depends)) {
            Some((path, _)) if scripts["start"].is_string() => {
                return Err(not_started(site, scripts, &path));
            }
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let (entry, because) = found;
    let because = format!("{} listens, and {because}", site.shown(&entry));
    let own = CLIENTS.iter().filter(|(package, _)| site.depends_on(package)).map(|(_, name)| *name);
    let mut clients = std::iter::once("dist/client")
        .chain(own)
        .map(|name| site.folder.join(name))
        .filter(|path| path.is_dir());
    let client = match clients.next() {
        Some(path) => Client::Folder { path, passed_over: Vec::new() },
        None => Client::None { because: "the server sends its files itself".into() },
    };
    let mut build = site.build(Framework::NodeServer, because, entry, client);
    build.take_data(&site.folder, &DATA);
    Ok(Some(build))
}

/// Refuses a server that the project doesn't start: it may be an old one.
fn not_started(site: &Site, scripts: &Value, other: &Path) -> DetectError {
    let command = scripts["start"].as_str().unwrap_or_default().to_owned();
    let because = match started(scripts, "start") {
        None => "no file of a server is known from it".to_owned(),
        Some(file) if script(&site.folder, &file).is_none() => {
            format!("there is no {file} (if a build makes it, run that first)")
        }
        Some(file) => format!("{file} is no server that listens"),
    };
    DetectError::NotStarted { project: site.folder.clone(), command, because, other: site.shown(other) }
}

/// A script as Node.js finds it.
fn script(project: &Path, name: &str) -> Option<PathBuf> {
    let path = project.join(name);
    let endings = ["js", "mjs", "cjs", "ts", "mts"];
    let with_ending = endings.iter().map(|ending| PathBuf::from(format!("{}.{ending}", path.display())));
    let inside = endings.iter().map(|ending| path.join(format!("index.{ending}")));
    let mut candidates = std::iter::once(path.clone()).chain(with_ending).chain(inside);
    candidates.find(|path| path.is_file()).map(|path| path.canonicalize().unwrap_or(path))
}

/// Whether a file that is started is a server, by itself or by what it imports.
fn starts_server(path: &Path, depends: bool) -> bool {
    listens(path, depends) || imports::reach(path).files.iter().any(|file| listens(file, false))
}

/// Whether a script is a server that listens. One that only starts another file is, where the project depends on such servers.
fn listens(path: &Path, depends: bool) -> bool {
    let code = source_file::read_text(path).unwrap_or_default();
    let is_server = [".listen(", "createServer(", "serve("].iter().any(|call| code.contains(call));
    is_server || depends && !exports_of(path).contains("default")
}
