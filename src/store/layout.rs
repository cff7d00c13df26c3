//! Paths of the data folder, in one place.

use std::path::{Path, PathBuf};
use vitrine_bundle::BundleDir;
use vitrine_core::id::{Digest, InstanceId};

/// Paths of the data folder.
///
/// ```text
/// DIR/vitrine.db        state; values of environments are encrypted in it
/// DIR/vitrine.key       the keys of those values, mode 0600, if `[secrets] key_file` names no other place
/// DIR/lock              held by the running host
/// DIR/upgrade.sock      where the running host is asked to hand over to its successor
/// DIR/before-upgrade.db the state as it was handed over, while that is under way
/// DIR/reserve           one megabyte to give back when the disk is full
/// DIR/admin.token       mode 0600
/// DIR/blobs/            what bundles are unpacked again from, by digest
/// DIR/kept/DIGEST/      the larger files of it
/// DIR/bundles/DIGEST/   unpacked bundles, with what is made of them
/// DIR/files/            one of each content of all bundles
/// DIR/staging/          uploads that are not checked yet; emptied at start
/// DIR/run/INSTANCE/     a worker's sockets
/// DIR/logs/APP/         lines of apps and of their requests
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout of this folder. Nothing is made.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("vitrine.db")
    }

    /// The keys of values, where no other place is named.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("vitrine.key")
    }

    /// The file whose lock makes the folder one host's own.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Where the running host is asked to hand over.
    #[must_use]
    pub fn upgrade_socket(&self) -> PathBuf {
        self.0.join("upgrade.sock")
    }

    /// The state as it was handed over.
    #[must_use]
    pub fn before_upgrade(&self) -> PathBuf {
        self.0.join("before-upgrade.db")
    }

    /// The same on its way back.
    #[must_use]
    pub fn taken_back(&self) -> PathBuf {
        self.0.join("taken-back.db")
    }

    /// The reserved megabyte.
    #[must_use]
    pub fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }

    /// The admin token.
    #[must_use]
    pub fn admin_token(&self) -> PathBuf {
        self.0.join("admin.token")
    }

    /// What bundles are unpacked again from, by digest.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// The larger files of what bundles are unpacked again from.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.0.join("kept")
    }

    /// Those of one bundle.
    #[must_use]
    pub fn kept_dir(&self, digest: Digest) -> PathBuf {
        self.kept().join(digest.to_string())
    }

    /// One of each content of all bundles.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// Unpacked bundles.
    #[must_use]
    pub fn bundles(&self) -> PathBuf {
        self.0.join("bundles")
    }

    /// One unpacked bundle.
    #[must_use]
    pub fn bundle_dir(&self, digest: Digest) -> BundleDir {
        BundleDir(self.bundles().join(digest.to_string()))
    }

    /// Uploads on their way in.
    #[must_use]
    pub fn staging(&self) -> PathBuf {
        self.0.join("staging")
    }

    /// A fresh path below [`Layout::staging`], for [`vitrine_bundle::receive`].
    #[must_use]
    pub fn stage(&self) -> PathBuf {
        self.staging().join(hex::encode(rand::random::<[u8; 8]>()))
    }

    /// Sockets of every worker.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// Sockets of one worker.
    #[must_use]
    pub fn run_dir(&self, instance: &InstanceId) -> PathBuf {
        self.run().join(instance.as_str())
    }

    /// Lines of apps and of their requests.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }
}
