//! What a wrangler file says about a worker: its script, its files, what it finds in `env`.

use crate::cli::deploy::source_file;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Names that wrangler's file has, in the order that wrangler looks for them.
const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// A wrangler file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrangler {
    /// File.
    pub path: PathBuf,
    /// Name of the worker.
    pub name: Option<String>,
    /// The worker's script, as the file names it.
    pub main: Option<String>,
    /// Folder of a project of Pages.
    pub pages_folder: Option<String>,
    /// Files for the browser.
    pub assets: Option<Assets>,
    /// What it finds in `env`.
    pub bindings: Bindings,
}

/// `assets` of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Assets {
    /// Folder, as the file names it.
    pub directory: Option<String>,
    /// Name in `env`.
    pub binding: Option<String>,
    /// Under which addresses pages are.
    pub html_handling: HtmlHandling,
    /// What answers an address without a file, where no worker does.
    pub not_found_handling: NotFound,
    /// Which requests the worker gets before files are looked at.
    pub run_worker_first: WorkerFirst,
}

/// Under which addresses pages are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HtmlHandling {
    /// `about.html` at `/about`, `about/index.html` at `/about/`.
    #[default]
    AutoTrailingSlash,
    /// Both at `/about/`.
    ForceTrailingSlash,
    /// Both at `/about`.
    DropTrailingSlash,
    /// As the files are called.
    None,
}

/// What answers an address without a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NotFound {
    /// The worker.
    #[default]
    None,
    /// The nearest `404.html`.
    #[serde(rename = "404-page")]
    Page,
    /// `index.html`.
    SinglePageApplication,
}

/// Which requests the worker gets before files are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum WorkerFirst {
    /// All or none.
    All(bool),
    /// Those of these paths: `*` stands for any text, `!` before one takes it out.
    Paths(Vec<String>),
}

impl Default for WorkerFirst {
    fn default() -> Self {
        Self::All(false)
    }
}

/// What a worker finds in `env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bindings {
    /// Values, those of the file.
    pub vars: Map<String, Value>,
    /// Bindings to this worker itself.
    pub own: Vec<OwnBinding>,
    /// Bindings to services that Vitrine does not have.
    pub missing: Vec<MissingBinding>,
    /// What else the file asks for and is not done, for people.
    pub not_done: Vec<&'static str>,
}

/// A binding to the worker itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OwnBinding {
    /// Name in `env`.
    pub name: String,
    /// Class that it exports and that is meant; its default export without one.
    pub entrypoint: Option<String>,
}

/// A binding to a service that Vitrine does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MissingBinding {
    /// Name in `env`.
    pub name: String,
    /// What it is, with its article.
    pub kind: &'static str,
}

/// Sections of the file whose entries are bindings: the path to them, the field with the name, what such a binding is.
const SECTIONS: [(&str, &str, &str); 20] = [
    ("/kv_namespaces", "binding", "a KV namespace"),
    ("/d1_databases", "binding", "a D1 database"),
    ("/r2_buckets", "binding", "an R2 bucket"),
    ("/queues/producers", "binding", "a queue"),
    ("/durable_objects/bindings", "name", "a Durable Object"),
    ("/workflows", "binding", "a workflow"),
    ("/hyperdrive", "binding", "a Hyperdrive"),
    ("/vectorize", "binding", "a Vectorize index"),
    ("/analytics_engine_datasets", "binding", "an Analytics Engine dataset"),
    ("/mtls_certificates", "binding", "an mTLS certificate"),
    ("/dispatch_namespaces", "binding", "a dispatch namespace"),
    ("/secrets_store_secrets", "binding", "a secret of the secrets store"),
    ("/pipelines", "binding", "a pipeline"),
    ("/send_email", "name", "a sender of e-mail"),
    ("/ratelimits", "name", "a rate limit"),
    ("/unsafe/bindings", "name", "an unsafe binding"),
    ("/ai", "binding", "Workers AI"),
    ("/browser", "binding", "a browser"),
    ("/media", "binding", "Cloudflare Media"),
    ("/version_metadata", "binding", "the metadata of a version"),
];

/// Sections that ask for what a release does not do, for people.
const NOT_DONE: [(&str, &str); 3] = [
    ("/triggers/crons", "triggers.crons: nothing calls `scheduled`"),
    ("/queues/consumers", "queues.consumers: nothing calls `queue`"),
    ("/tail_consumers", "tail_consumers: logs are those of `vitrine logs`"),
];

/// The wrangler file of a folder, if it has one.
///
/// # Errors
/// File and what is wrong with it.
pub(super) fn in_folder(folder: &Path) -> Result<Option<Wrangler>, (PathBuf, String)> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()).map(|path| read(&path)).transpose()
}

/// A wrangler file.
///
/// # Errors
/// File and what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Wrangler, (PathBuf, String)> {
    let wrong = |message: String| (path.to_owned(), message);
    let text = source_file::read_text(path).map_err(|error| wrong(error.to_string()))?;
    let is_toml = path.extension().is_some_and(|ending| ending == "toml");
    let facts = if is_toml { from_toml(&text) } else { from_jsonc(&text) }.map_err(wrong)?;
    let assets = facts.get("assets").map(Assets::deserialize).transpose();
    let assets = assets.map_err(|error| wrong(format!("assets: {error}")))?;
    let text = |name: &str| facts[name].as_str().map(str::to_owned);
    let name = text("name");
    let bindings = bindings(&facts, name.as_deref());
    Ok(Wrangler {
        path: path.to_owned(),
        name,
        main: text("main"),
        pages_folder: text("pages_build_output_dir"),
        assets,
        bindings,
    })
}

fn from_toml(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// JSON that may have comments and commas before a closing bracket.
fn from_jsonc(text: &str) -> Result<Value, String> {
    let facts = jsonc_parser::parse_to_serde_value::<Value>(text, &jsonc_parser::ParseOptions::default());
    facts.map_err(|error| error.to_string())
}

fn bindings(facts: &Value, worker: Option<&str>) -> Bindings {
    let vars = facts["vars"].as_object().cloned().unwrap_or_default();
    let mut bindings = Bindings { vars, ..Bindings::default() };
    for (path, field, kind) in SECTIONS {
        for name in entries(facts, path).filter_map(|entry| entry[field].as_str()) {
            bindings.missing.push(MissingBinding { name: name.to_owned(), kind });
        }
    }
    for service in entries(facts, "/services") {
        let Some(name) = service["binding"].as_str().map(str::to_owned) else { continue };
        if worker.is_some() && service["service"].as_str() == worker {
            let entrypoint = service["entrypoint"].as_str().map(str::to_owned);
            bindings.own.push(OwnBinding { name, entrypoint });
        } else {
            bindings.missing.push(MissingBinding { name, kind: "another worker" });
        }
    }
    bindings.not_done = NOT_DONE
        .iter()
        .filter(|(path, _)| entries(facts, path).next().is_some())
        .map(|(_, what)| *what)
        .collect();
    if facts.get("images").is_some() {
        bindings.not_done.push("images: the binding is not there, so images are sent as they are");
    }
    bindings
}

/// The entries of a section, which may be a single one.
fn entries<'a>(facts: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    match facts.pointer(path) {
        Some(Value::Array(list)) => list.iter().collect::<Vec<_>>(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written(name: &str, text: &str) -> Result<Wrangler, String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), text).unwrap();
        in_folder(dir.path()).map(Option::unwrap).map_err(|(_, message)| message)
    }

    #[test]
    fn a_file_may_be_toml_or_json_with_comments() {
        let json = written(
            "wrangler.jsonc",
            r#"{ // the worker
                "name": "shop", "main": "dist/worker.js", /* a block */
                "assets": { "directory": "dist/client", "binding": "FILES", "run_worker_first": ["/api/*", "!/api/docs"], },
                "vars": { "URL": "https://a.test//b", "LIMITS": { "a": 1 } },
            }"#,
        );
        let toml = written(
            "wrangler.toml",
            "name = \"shop\"\nmain = \"dist/worker.js\"\n[assets]\ndirectory = \"dist/client\"\nbinding = \"FILES\"\n\
             run_worker_first = [\"/api/*\", \"!/api/docs\"]\n[vars]\nURL = \"https://a.test//b\"\nLIMITS = { a = 1 }\n",
        );
        let (json, toml) = (json.unwrap(), toml.unwrap());
        assert_eq!(Wrangler { path: toml.path.clone(), ..json.clone() }, toml);
        let assets = json.assets.unwrap();
        assert_eq!(assets.binding.as_deref(), Some("FILES"));
        assert_eq!(assets.run_worker_first, WorkerFirst::Paths(vec!["/api/*".into(), "!/api/docs".into()]));
        assert_eq!(json.bindings.vars["LIMITS"]["a"], 1);
    }

    #[test]
    fn bindings_are_the_workers_own_or_missing() {
        let wrangler = written(
            "wrangler.json",
            r#"{ "name": "shop", "kv_namespaces": [{ "binding": "KV", "id": "1" }], "ai": { "binding": "AI" },
                "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] },
                "services": [{ "binding": "SELF", "service": "shop" }, { "binding": "OTHER", "service": "mail" },
                    { "binding": "ADMIN", "service": "shop", "entrypoint": "Admin" }],
                "queues": { "producers": [{ "binding": "JOBS", "queue": "jobs" }] }, "triggers": { "crons": ["* * * * *"] } }"#,
        );
        let Bindings { own, missing, not_done, .. } = wrangler.unwrap().bindings;
        let own: Vec<_> =
            own.iter().map(|binding| (binding.name.as_str(), binding.entrypoint.as_deref())).collect();
        assert_eq!(own, [("SELF", None), ("ADMIN", Some("Admin"))]);
        let missing: Vec<_> = missing.iter().map(|binding| (binding.name.as_str(), binding.kind)).collect();
        let expected = [
            ("KV", "a KV namespace"),
            ("JOBS", "a queue"),
            ("ROOM", "a Durable Object"),
            ("AI", "Workers AI"),
            ("OTHER", "another worker"),
        ];
        assert_eq!(missing, expected);
        assert_eq!(not_done, ["triggers.crons: nothing calls `scheduled`"]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let bad = written("wrangler.json", r#"{ "assets": { "not_found_handling": "404" } }"#).unwrap_err();
        assert!(
            bad.starts_with("assets: unknown variant `404`, expected one of `none`, `404-page`"),
            "{bad}"
        );
        assert!(written("wrangler.json", "{").is_err());
        assert!(written("wrangler.toml", "main = ").is_err());
    }
}
