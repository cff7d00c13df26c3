//! `vitrine backup`.

use crate::cli::client::Client;
use crate::cli::stop::Stop;
use crate::cli::{Failure, print};
use reqwest::Method;
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;
use vitrine_core::limits::BACKUP_STALL_MS;
use vitrine_store::backup::{self, Manifest};

/// Save a running host in one file, for `vitrine restore --from`
///
/// Saves state, tokens, audit log and the bundles of all releases as of one moment, while the host keeps serving. Values of
/// environments are encrypted, and their key is not included: keep a copy of the key file elsewhere, or use --with-key. FILE is
/// complete and checked, or not written at all. It needs the host's own token.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File to write, such as vitrine-2026-11-30.tar.zst; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Include the key of values: anyone with the file can read all of them
    #[arg(long)]
    with_key: bool,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let mut stop = Stop::listen().map_err(Failure::local("listening for Ctrl-C"))?;
    if args.file.exists() {
        let text = format!("{} exists; choose another name, or remove it first", args.file.display());
        return Err(Failure::refused(text));
    }
    let manifest = tokio::select! {
        made = make(&args) => made?,
        () = stop.asked() => {
            return Err(Failure::Interrupted(format!("interrupted: there is no {}", args.file.display())));
        }
    };
    tell(&manifest, &args)
}

async fn make(args: &Args) -> Result<Manifest, Failure> {
    let writing = "writing the backup";
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::with_prefix_in(".vitrine-backup-", folder)
        .map_err(Failure::local("making a file beside the backup"))?;
    // As for a change: a backup of the wrong host would be noticed only when it is restored.
    let client = Client::changing()?;
    let request = client.request(Method::GET, &["backup"]).query(&[("with_key", args.with_key)]);
    let mut response = client.send(request.timeout(Duration::MAX)).await?;
    let patience = Duration::from_millis(BACKUP_STALL_MS);
    loop {
        let piece = tokio::time::timeout(patience, response.chunk()).await;
        let piece = piece.map_err(Failure::local("reading the backup from the host"))?;
        match piece.map_err(|_| broken_off())? {
            Some(piece) => file.write_all(&piece).map_err(Failure::local(writing))?,
            None => break,
        }
    }
    file.as_file().sync_all().map_err(Failure::local(writing))?;
    // The written file is read again, so that damage is found now and not when it is restored.
    let written = File::open(file.path()).map_err(Failure::local("reading the backup again"))?;
    let manifest = backup::check(BufReader::new(written)).map_err(Failure::local("checking the backup"))?;
    file.persist_noclobber(&args.file).map_err(|error| error.error).map_err(Failure::local(writing))?;
    Ok(manifest)
}

fn broken_off() -> Failure {
    Failure::refused("the host broke the backup off; its log says why")
}

fn tell(manifest: &Manifest, args: &Args) -> Result<(), Failure> {
    if print::is_json() {
        let Manifest { vitrine, made_ms, key, with_key, apps, releases, missing, .. } = manifest;
        return print::json(&serde_json::json!({
            "file": args.file, "vitrine": vitrine, "made_ms": made_ms, "key": key, "with_key": with_key,
            "apps": apps, "releases": releases, "missing": missing,
        }));
    }
    for digest in &manifest.missing {
        print::talk(&format!(
            "bundle {} is damaged on the host and not in the backup: its releases can't be restored",
            digest.short()
        ));
    }
    let bytes = std::fs::metadata(&args.file).map_or(0, |found| found.len());
    let key = if manifest.with_key { "and that key is in it" } else { "which is not in it" };
    let (apps, releases) = (manifest.apps, manifest.releases);
    print::data(&format!(
        "{}: apps {apps}, releases {releases}, {} kB; values are encrypted under key {}, {key}",
        args.file.display(),
        bytes.div_ceil(1000),
        manifest.key
    ))
}
