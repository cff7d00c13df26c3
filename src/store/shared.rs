//! One of each content of all bundles. A bundle's folders link to it, so a deploy costs the disk what it changes.
//!
//! ```text
//! DIR/files/SHA256              a file as shipped
//! DIR/files/SHA256.br, .zst, …  its precompressed variants, and SHA256.json, the record of them
//! DIR/files/SHA256.kept         the form in which it is kept (`bundle::write_large`)
//! ```
//!
//! The number of its links says whether a file is in use: what has no other name belongs to no bundle. So nothing is counted, and
//! the next start removes the leftovers of a crash. Names may come and go at any time: a bundle that finds none makes its own file.
//! A file is used only after its content was compared.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use vitrine_bundle::same_bytes;
use vitrine_core::failpoint;

/// The folder of shared contents. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Shared(PathBuf);

impl Shared {
    pub(super) const fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Where the content of a name lies, if it is there.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes a bundle's file one with the content of its name; what differs from it there was damaged and is replaced. A file
    /// that can't be linked, such as one of another file system or with too many links, stays a file of its own. `scratch` is a
    /// free name beside it. Blocking.
    pub(super) fn share(&self, name: &str, file: &Path, scratch: &Path) {
        let place = self.place(name);
        let Ok(own) = fs::metadata(file) else { return };
        match fs::metadata(&place) {
            Ok(there) if (there.dev(), there.ino()) == (own.dev(), own.ino()) => return,
            Ok(there) if there.len() == own.len() && is_same(&place, file) => {
                if fs::hard_link(&place, scratch).is_ok() {
                    failpoint::at("shared.link");
                    if fs::rename(scratch, file).is_err() {
                        let _ = fs::remove_file(scratch);
                    }
                    return;
                }
            }
            Ok(_) => drop(fs::remove_file(&place)),
            Err(_) => {}
        }
        failpoint::at("shared.add");
        // Another upload may have been quicker: then this file is its own until the next deploy.
        let _ = fs::hard_link(file, &place);
    }

    /// Removes the contents of these names that no bundle has any more. Blocking.
    pub(super) fn release<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            remove_if_unused(&self.place(name));
        }
    }

    /// Removes every content that no bundle has. Blocking.
    pub(super) fn sweep(&self) {
        let entries = fs::read_dir(&self.0).into_iter().flatten();
        entries.flatten().for_each(|entry| remove_if_unused(&entry.path()));
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let compare = || -> io::Result<bool> { same_bytes(File::open(one)?, File::open(other)?) };
    compare().unwrap_or(false)
}

fn remove_if_unused(path: &Path) {
    // A bundle that links to it between these two steps keeps the content under its own name.
    if fs::metadata(path).is_ok_and(|found| found.nlink() == 1)
        && let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a file that no bundle has can't be removed");
    }
}
