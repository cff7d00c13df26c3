//! `vitrine restore --from FILE`: a data folder made of a backup.

use crate::cli::stop::Stop;
use crate::cli::{Failure, print};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vitrine_store::Layout;
use vitrine_store::backup::{self, Proof, Restored};

/// Makes the folder.
///
/// # Errors
/// The backup can't be read, is damaged, or the folder can't be made.
pub(super) async fn run(from: &Path, data: &Path, proof: Proof) -> Result<(), Failure> {
    let authenticated = matches!(proof, Proof::Keys(_));
    let mut stop = Stop::listen().map_err(Failure::local("listening for Ctrl-C"))?;
    let file = File::open(from).map_err(|source| Failure::Local {
        doing: "opening the backup",
        source: format!("{}: {source}", from.display()).into(),
    })?;
    let asked = Arc::new(AtomicBool::new(false));
    let archive = Stoppable { inner: BufReader::new(file), asked: Arc::clone(&asked) };
    let folder = data.to_owned();
    let mut restoring = tokio::task::spawn_blocking(move || backup::restore(archive, &folder, &proof));
    let restored = tokio::select! {
        restored = &mut restoring => restored,
        () = stop.asked() => {
            asked.store(true, Ordering::SeqCst);
            restoring.await
        }
    };
    let restored = restored.map_err(Failure::local("restoring"))?;
    if restored.is_err() && asked.load(Ordering::SeqCst) {
        return Err(Failure::Interrupted(format!("interrupted: {} was not made", data.display())));
    }
    tell(&restored.map_err(Failure::local("restoring the backup"))?, authenticated, data)
}

/// Ends between two pieces when it is asked to, so that what is half made is removed.
struct Stoppable<R> {
    inner: R,
    asked: Arc<AtomicBool>,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.asked.load(Ordering::SeqCst) {
            return Err(io::Error::other("interrupted"));
        }
        self.inner.read(buffer)
    }
}

fn tell(restored: &Restored, authenticated: bool, data: &Path) -> Result<(), Failure> {
    let Restored { manifest, keys } = restored;
    let needed: Vec<&String> = keys.iter().filter(|_| !manifest.with_key).collect();
    if print::is_json() {
        return print::json(&serde_json::json!({
            "data": data, "apps": manifest.apps, "releases": manifest.releases, "made_ms": manifest.made_ms,
            "authenticated": authenticated, "needs_keys": needed, "missing": manifest.missing,
        }));
    }
    print::talk(&match authenticated {
        true => format!("the backup is as a host saved it, under key {}", manifest.key),
        false => "the backup is not authenticated: look at `vitrine token list` and `vitrine audit list` before others use the host".into(),
    });
    for digest in &manifest.missing {
        print::talk(&format!("bundle {} was not in the backup: its releases are left out", digest.short()));
    }
    for key in needed {
        print::talk(&format!(
            "its values need key {key}, which is not in the backup: put the key file at {} (or where `[secrets] key_file` says) before \
             the host starts",
            Layout::new(data).key().display()
        ));
    }
    print::data(&format!(
        "{}: apps {}, releases {}; start it with `vitrine serve --data {}`",
        data.display(),
        manifest.apps,
        manifest.releases,
        data.display()
    ))
}
