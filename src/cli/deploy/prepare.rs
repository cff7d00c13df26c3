//! What a deploy sends, checked before it is sent.

use crate::bundle::{self, BundleError, Inspected};
use crate::cli::{Failure, print};
use crate::id::{AppName, Version};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A checked bundle as an archive.
#[derive(Debug)]
pub struct Prepared {
    /// Name of the release.
    pub version: Version,
    /// Size of the archive, in bytes.
    pub archive_bytes: u64,
    bundle: Inspected,
    archive: PathBuf,
    // Held for what it removes when it is dropped.
    _scratch: TempDir,
}

impl Prepared {
    /// Packs a folder, or takes an archive as it is; either is checked as the host will check it.
    pub fn new(source: &Path, version: Option<Version>) -> Result<Self, Failure> {
        let scratch =
            TempDir::with_prefix("vitrine-deploy-").map_err(Failure::local("making a scratch folder"))?;
        let archive = if source.is_dir() {
            let archive = scratch.path().join("bundle.tar.zst");
            pack(source, &archive)?;
            archive
        } else {
            source.to_owned()
        };
        let open = || File::open(&archive);
        let file = open().map_err(|error| Failure::refused(format!("{}: {error}", source.display())))?;
        let archive_bytes = file.metadata().map_err(Failure::local("reading the archive's size"))?.len();
        let bundle =
            bundle::inspect(file, &scratch.path().join("checked")).map_err(|error| refused(source, error))?;
        let version = match version {
            Some(version) => version,
            None => bundle.digest.short().parse().expect("12 hexadecimal digits are a version"),
        };
        Ok(Self { version, archive_bytes, bundle, archive, _scratch: scratch })
    }

    /// The archive, to be read from its start.
    pub async fn open(&self) -> Result<tokio::fs::File, Failure> {
        tokio::fs::File::open(&self.archive).await.map_err(Failure::local("reading the archive"))
    }

    /// Prints what would be sent.
    pub fn show(&self, app: &AppName, as_json: bool) -> Result<(), Failure> {
        let Inspected { digest, manifest, files, bytes } = &self.bundle;
        let contract = json!(manifest.contract);
        if as_json {
            return print::json(&json!({
                "app": app, "version": self.version, "digest": digest, "files": files,
                "bytes": bytes, "archive_bytes": self.archive_bytes, "entry": manifest.entry, "contract": contract,
            }));
        }
        let contract = contract.as_str().unwrap_or_default().to_owned();
        let lines = [
            ("app", app.to_string()),
            ("version", self.version.to_string()),
            ("digest", digest.to_string()),
            ("files", files.to_string()),
            ("bytes", format!("{bytes}, {} as sent", self.archive_bytes)),
            ("entry", manifest.entry.clone()),
            ("contract", contract),
        ];
        lines.iter().try_for_each(|(name, value)| print::data(&format!("{name:<9} {value}")))
    }
}

fn pack(folder: &Path, archive: &Path) -> Result<(), Failure> {
    let file = File::create(archive).map_err(Failure::local("packing the bundle"))?;
    let mut out = BufWriter::new(file);
    bundle::pack(folder, &mut out).map_err(|error| refused(folder, error))?;
    out.flush().map_err(Failure::local("packing the bundle"))
}

fn refused(source: &Path, error: BundleError) -> Failure {
    if error.is_host_fault() {
        return Failure::Local { doing: "checking the bundle", source: error.into() };
    }
    Failure::refused(format!("{}: {error}", source.display()))
}
