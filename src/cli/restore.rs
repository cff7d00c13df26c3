//! `vitrine restore`.

use crate::cli::stop::Stop;
use crate::cli::{Failure, print};
use crate::store::Layout;
use crate::store::backup::{self, Restored};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Make a data folder from a backup, for `vitrine serve --data DIR`
///
/// Every file is compared with its digest, and the database is checked, before the folder gets its name. Running hosts are not
/// touched. The host makes a new token of its own at its first start; tokens made with `vitrine token` stay valid.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What `vitrine backup` wrote
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Folder to make; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut stop = Stop::listen().map_err(Failure::local("listening for Ctrl-C"))?;
    let file = File::open(&args.from).map_err(|source| Failure::Local {
        doing: "opening the backup",
        source: format!("{}: {source}", args.from.display()).into(),
    })?;
    let asked = Arc::new(AtomicBool::new(false));
    let archive = Stoppable { inner: BufReader::new(file), asked: Arc::clone(&asked) };
    let data = args.data.clone();
    let mut restoring = tokio::task::spawn_blocking(move || backup::restore(archive, &data));
    let restored = tokio::select! {
        restored = &mut restoring => restored,
        () = stop.asked() => {
            asked.store(true, Ordering::SeqCst);
            restoring.await
        }
    };
    let restored = restored.map_err(Failure::local("restoring"))?;
    if restored.is_err() && asked.load(Ordering::SeqCst) {
        return Err(Failure::Interrupted(format!("interrupted: {} was not made", args.data.display())));
    }
    tell(&restored.map_err(Failure::local("restoring the backup"))?, &args)
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

fn tell(restored: &Restored, args: &Args) -> Result<(), Failure> {
    let Restored { manifest, keys } = restored;
    let needed: Vec<&String> = keys.iter().filter(|_| !manifest.with_key).collect();
    if print::is_json() {
        return print::json(&serde_json::json!({
            "data": args.data, "apps": manifest.apps, "releases": manifest.releases, "made_ms": manifest.made_ms,
            "needs_keys": needed, "missing": manifest.missing,
        }));
    }
    for digest in &manifest.missing {
        print::talk(&format!("bundle {} was not in the backup: its releases are left out", digest.short()));
    }
    for key in needed {
        print::talk(&format!(
            "its values need key {key}, which is not in the backup: put the key file at {} (or where `[secrets] key_file` says) before \
             the host starts",
            Layout::new(&args.data).key().display()
        ));
    }
    print::data(&format!(
        "{}: apps {}, releases {}; start it with `vitrine serve --data {}`",
        args.data.display(),
        manifest.apps,
        manifest.releases,
        args.data.display()
    ))
}
