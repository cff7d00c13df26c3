//! What a deploy sends, checked before it is sent.

use super::detect::{self, Build, Client, Detected};
use super::lay_out::{self, LaidOut};
use super::trial::{self, Trial};
use crate::cli::{Failure, print};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vitrine_bundle::{self as bundle, BundleDir, BundleError, Inspected};
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::PAGES_SHOWN_MAX;
use vitrine_core::visible;

/// What there is to say about a folder: names and values, in the order that people read them.
type Facts = Vec<(&'static str, Value)>;

/// A checked bundle as an archive.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Name of the release.
    pub version: Version,
    /// Size of the archive, in bytes.
    pub archive_bytes: u64,
    bundle: Inspected,
    archive: PathBuf,
    checked: BundleDir,
    found: Facts,
    // Held for what it removes when it is dropped.
    _scratch: TempDir,
}

impl Prepared {
    /// Packs a folder, or takes an archive as it is; either is checked as the host will check it.
    pub(super) fn new(source: &Path, version: Option<Version>) -> Result<Self, Failure> {
        let scratch = private_folder("vitrine-deploy-", &std::env::temp_dir())
            .map_err(Failure::local("making a scratch folder"))?;
        let checked = BundleDir(scratch.path().join("checked"));
        let (bundle, mut found) = if source.is_dir() {
            let (folder, found) = lay_out(source, scratch.path())?;
            (pack_and_inspect(source, &folder, &checked)?, found)
        } else {
            let file = File::open(source)
                .map_err(|error| Failure::refused(format!("{}: {error}", source.display())))?;
            let bundle = bundle::inspect(file, &checked.0).map_err(|error| refused(source, error))?;
            (bundle, vec![("found", json!("archive"))])
        };
        found.extend(client_of(&bundle, &checked, &found));
        // What was checked is what is sent: a pipe can't be read again, and a file may be another one by now.
        let archive = checked.archive();
        let archive_bytes = archive.metadata().map_err(Failure::local("reading the archive's size"))?.len();
        let version = match version {
            Some(version) => version,
            None => bundle.digest.short().parse().expect("12 hexadecimal digits are a version"),
        };
        Ok(Self { version, archive_bytes, bundle, archive, checked, found, _scratch: scratch })
    }

    /// The archive, to be read from its start.
    pub(super) async fn open(&self) -> Result<tokio::fs::File, Failure> {
        tokio::fs::File::open(&self.archive).await.map_err(Failure::local("reading the archive"))
    }

    /// What the host is asked about before the archive is sent.
    pub(super) fn check(&self, preview: Option<&Version>) -> Value {
        json!({ "digest": self.bundle.digest, "bytes": self.bundle.bytes, "preview": preview })
    }

    /// Evaluates the bundle on this machine, with the values of these variables of its `env`.
    pub(super) async fn evaluate(&self, app: &AppName, names: &[String]) -> Result<Trial, Failure> {
        let env = names.iter().map(|name| self.value(name)).collect::<Result<_, _>>()?;
        let release = ReleaseId::new(app.clone(), self.version.clone());
        trial::evaluate(&release, &self.bundle, &self.checked, env).await
    }

    fn value(&self, name: &str) -> Result<(String, String), Failure> {
        let usage = |why: &str| Failure::Usage(format!("--env {name}: {why}"));
        if !self.bundle.manifest.env.iter().any(|known| known == name) {
            return Err(usage("`env` in the bundle's vitrine.json does not name it"));
        }
        let value = std::env::var(name).map_err(|_| usage("this command's environment has no such value"))?;
        Ok((name.to_owned(), value))
    }

    /// Prints what would be sent, and what is known about it.
    pub(super) fn show(&self, app: &AppName, trial: &Trial) -> Result<(), Failure> {
        let Inspected { digest, manifest, files, client_files: _, bytes, templates: _ } = &self.bundle;
        let mut lines = vec![("app", json!(app))];
        lines.extend(self.found.iter().cloned());
        lines.extend([
            ("version", json!(self.version)),
            ("digest", json!(digest)),
            ("files", json!(files)),
            ("bytes", json!(bytes)),
            ("archive_bytes", json!(self.archive_bytes)),
            ("entry", json!(manifest.entry)),
            ("contract", json!(manifest.contract)),
            ("env", json!(manifest.env)),
            ("egress", json!(manifest.egress)),
        ]);
        let mut not_checked = vec![PAGES_NOT_CHECKED, HOST_NOT_CHECKED];
        let evaluated = match trial {
            Trial::Passed => "yes".to_owned(),
            Trial::Skipped(why) => {
                not_checked.insert(0, IMPORTS_NOT_CHECKED);
                print::talk(&format!("warning: the bundle was not evaluated: {why}"));
                format!("no: {why}")
            }
        };
        lines.extend([("evaluated", json!(evaluated)), ("not_checked", json!(not_checked))]);
        if print::is_json() {
            return print::json(&lines.into_iter().collect::<BTreeMap<_, _>>());
        }
        lines.iter().try_for_each(|(name, value)| {
            let text = match value {
                Value::Array(pages) if *name == "pages" && pages.len() > PAGES_SHOWN_MAX => {
                    let shown = plain(&json!(pages[..PAGES_SHOWN_MAX]));
                    format!("{shown} and {} more", pages.len() - PAGES_SHOWN_MAX)
                }
                Value::Array(origins) if *name == "egress" && origins.is_empty() => NO_EGRESS.to_owned(),
                Value::Array(names) if *name == "env" && names.is_empty() => NO_ENV.to_owned(),
                value => plain(value),
            };
            print::data(&format!("{:<13} {text}", name.replace('_', " ")))
        })
    }
}

/// A scratch folder that other users can't look into.
pub(super) fn private_folder(prefix: &str, within: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(within)
}

/// What nothing in a list means.
const NO_EGRESS: &str = "none: calls to other origins are denied";
const NO_ENV: &str = "none: the server sees no variable of the host";
/// What a dry run says nothing about.
const PAGES_NOT_CHECKED: &str = "pages (warm paths and the health check need the host's values and services)";
const HOST_NOT_CHECKED: &str = "the host (version, host name, quota, limits, signature)";
const IMPORTS_NOT_CHECKED: &str = "the server's imports and evaluation";

/// A value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The folder that is the bundle: this one, or what is made of the build in it below `scratch`.
///
/// # Errors
/// What is wrong with the build.
pub(crate) fn bundle_of(source: &Path, scratch: &Path) -> Result<PathBuf, Failure> {
    lay_out(source, scratch).map(|(folder, _)| folder)
}

/// The folder that is the bundle, and what was found out on the way to it.
fn lay_out(source: &Path, scratch: &Path) -> Result<(PathBuf, Facts), Failure> {
    let detected = detect::detect(source).map_err(|error| Failure::refused(error.to_string()))?;
    if let Some(stale) = detect::stale(&detected) {
        print::talk(&format!("warning: {stale}"));
    }
    match detected {
        Detected::Bundle { folder, because } => {
            Ok((folder, vec![("found", json!("bundle")), ("because", json!(because))]))
        }
        Detected::Build(build) => {
            let laid_out = lay_out::lay_out(&build, scratch).map_err(build_refused)?;
            let found = found(&build, &laid_out);
            print::talk(&format!(
                "found {}: {}; its server is {}",
                build.framework.name(),
                build.because,
                laid_out.server
            ));
            if let Client::None { because } = &build.client {
                print::talk(&match build.sends_its_files() {
                    true => format!("no folder of files for the browser alone: {because}"),
                    false => {
                        format!("warning: no files for the browser are sent; client {}", laid_out.client)
                    }
                });
            }
            for binding in &laid_out.bindings {
                print::talk(&format!("warning: {}", visible::line(binding)));
            }
            for left_out in &laid_out.left_out {
                print::talk(&format!("left out: {}", visible::line(left_out)));
            }
            let not_sent = build.not_sent();
            if !not_sent.is_empty() {
                print::talk(&format!("not sent: {}", visible::line(&not_sent.join(", "))));
            }
            Ok((laid_out.folder, found))
        }
    }
}

fn found(build: &Build, laid_out: &LaidOut) -> Facts {
    let mut found = vec![
        ("found", json!(build.framework)),
        ("because", json!(build.because)),
        ("project", json!(build.project)),
        ("server", json!(laid_out.server)),
    ];
    if let Some(bundled) = laid_out.bundled.as_ref().filter(|bundled| !bundled.stand_ins.is_empty()) {
        found.push(("not_available", json!(bundled.stand_ins)));
    }
    if let Some(why) = laid_out.bundled.as_ref().and_then(|bundled| bundled.strict.as_ref()) {
        found.push(("strict_mode", json!(format!("also for CommonJS files, because {why}"))));
    }
    found.push(("client", json!(laid_out.client)));
    if !laid_out.pages.is_empty() {
        found.push(("pages", json!(laid_out.pages)));
    }
    if !laid_out.bindings.is_empty() {
        found.push(("bindings", json!(laid_out.bindings)));
    }
    if !laid_out.left_out.is_empty() {
        found.push(("left_out", json!(laid_out.left_out)));
    }
    let not_sent = build.not_sent();
    if !not_sent.is_empty() {
        found.push(("not_sent", json!(not_sent)));
    }
    if let Some(settings) = &build.settings {
        found.push(("settings", json!(settings)));
    }
    found
}

/// What there is to say about the client's files of a bundle that was not laid out here.
fn client_of(bundle: &Inspected, checked: &BundleDir, found: &Facts) -> Facts {
    let mut facts = Facts::new();
    if !found.iter().any(|(name, _)| *name == "client") {
        let folder = &bundle.manifest.assets;
        let others = ["browser", "public", "static", "dist"];
        let other = others.iter().find(|name| checked.files().join(name).is_dir());
        let client = match (bundle.client_files, other) {
            (0, Some(other)) => {
                let none = format!(
                    "none: no file below {folder}/, and {other}/ is not served unless `assets` in vitrine.json names it"
                );
                print::talk(&format!("warning: no files for the browser are sent; client {none}"));
                none
            }
            (0, None) => format!("none: no file below {folder}/"),
            (files, _) => format!("{folder}/: {files} files"),
        };
        facts.push(("client", json!(client)));
    }
    if !bundle.templates.is_empty() {
        let told =
            bundle.templates.iter().map(|(path, name)| format!("{path} (a template: it has <!--{name}-->)"));
        let told: Vec<String> = told.collect();
        for template in &told {
            print::talk(&format!("not served: {template}"));
        }
        facts.push(("not_served", json!(told)));
    }
    facts
}

fn build_refused(error: lay_out::LayOutError) -> Failure {
    match error {
        lay_out::LayOutError::Io { .. } => Failure::local("laying out the bundle")(error),
        error => Failure::refused(error.to_string()),
    }
}

/// Packs the folder that was made of `source`, and checks the archive at the same time.
fn pack_and_inspect(source: &Path, folder: &Path, into: &BundleDir) -> Result<Inspected, Failure> {
    let (archive, out) = std::io::pipe().map_err(Failure::local("packing the bundle"))?;
    let (packed, inspected) = std::thread::scope(|scope| {
        let packing = scope.spawn(|| bundle::pack(folder, BufWriter::new(out)));
        let inspected = bundle::inspect(archive, &into.0);
        (packing.join(), inspected)
    });
    let packed = packed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (packed, inspected) {
        // A check that fails reads no further.
        (Err(error), Err(cause)) if is_broken_pipe(&error) => Err(refused(source, cause)),
        (Err(error), _) | (Ok(()), Err(error)) => Err(refused(source, error)),
        (Ok(()), Ok(inspected)) => Ok(inspected),
    }
}

fn is_broken_pipe(error: &BundleError) -> bool {
    matches!(error, BundleError::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}

fn refused(source: &Path, error: BundleError) -> Failure {
    if error.is_host_fault() {
        return Failure::Local { doing: "checking the bundle", source: error.into() };
    }
    Failure::refused(format!("{}: {error}", source.display()))
}
