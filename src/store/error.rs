//! Errors of the store.

use std::io;
use std::path::PathBuf;
use vitrine_core::id::{AppName, Digest, ReleaseId, TokenName};

/// Why a call of the store failed. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the data folder.
    #[error("{} is in use by another `vitrine serve` ({holder}); stop it or choose another --data (VITRINE_DATA, where it is set, wins over `data` in vitrine.toml)", path.display())]
    Locked {
        /// Data folder.
        path: PathBuf,
        /// The holder, such as `process 4711`.
        holder: String,
    },
    /// Others may write the data folder, or it is another user's.
    #[error("{} {advice}; whoever may write it could take the host over", path.display())]
    Exposed {
        /// Data folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        advice: String,
    },
    /// It was lent before and is not taken back.
    #[error("lend {}: it was lent to an earlier successor and can't be taken back; end whatever else runs on it and ask again, or restart this host", path.display())]
    Lent {
        /// Data folder.
        path: PathBuf,
        /// Why it can't be taken back.
        #[source]
        source: Box<StoreError>,
    },
    /// Written by a later version.
    #[error("{} was written by a newer vitrine (schema {found}, this one knows {known}); install that version", path.display())]
    Newer {
        /// Database.
        path: PathBuf,
        /// Schema of the file.
        found: u32,
        /// Schema of this program.
        known: u32,
    },
    /// The database is damaged.
    #[error("{} is damaged: {detail}; restore it from a backup, or move it away to start empty", path.display())]
    Corrupt {
        /// Database.
        path: PathBuf,
        /// What the check says.
        detail: String,
    },
    /// The keys of values.
    #[error(transparent)]
    Key(super::KeyError),
    /// No room, even after the reserve was freed: 507.
    #[error("{operation}: the disk is full; free space for the data folder {}", path.display())]
    DiskFull {
        /// The operation that failed.
        operation: &'static str,
        /// Data folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk fails to read, write or sync the database.
    #[error("{operation}: the disk fails under the database {}; look into the kernel's log, then ask again", path.display())]
    Disk {
        /// The operation that failed.
        operation: &'static str,
        /// Database.
        path: PathBuf,
        /// Cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The app was removed and is kept.
    #[error("the app `{0}` was removed just now")]
    Removed(AppName),
    /// The version is taken.
    #[error("the release `{0}` exists")]
    Exists(ReleaseId),
    /// There is no such release.
    #[error("there is no release `{0}`")]
    NoRelease(ReleaseId),
    /// The release is live and can't be deleted.
    #[error("the release `{0}` is live")]
    Live(ReleaseId),
    /// Too many values or too many bytes in an app's environment.
    #[error("the environment of `{app}` would be above its bound of {bound}")]
    EnvTooLarge {
        /// Which.
        app: AppName,
        /// Bound, with its unit.
        bound: String,
    },
    /// Production has no value to grant to previews.
    #[error(
        "production has no value `{name}` that previews of `{app}` could be given; set it first: vitrine env set {app} {name}"
    )]
    NothingToGrant {
        /// App.
        app: AppName,
        /// Name of the value.
        name: String,
    },
    /// Previews have another value of that name.
    #[error(
        "previews of `{app}` have a value `{name}` of their own; unset it first: vitrine env unset {app} {name} --preview"
    )]
    OwnValue {
        /// App.
        app: AppName,
        /// Name of the value.
        name: String,
    },
    /// Previews have production's value of that name.
    #[error(
        "previews of `{app}` are granted production's value `{name}`; take that back first: vitrine env grant {app} {name} --revoke"
    )]
    GrantedValue {
        /// App.
        app: AppName,
        /// Name of the value.
        name: String,
    },
    /// There is another token of this name, or the same token under another name.
    #[error("a token `{0}` exists with other content; revoke it first, or choose another name")]
    TokenExists(TokenName),
    /// Too many tokens.
    #[error("there are {0} tokens already, which is the bound; revoke some")]
    TooManyTokens(usize),
    /// There is no archive of this digest.
    #[error("the archive of bundle {} is missing", .0.short())]
    NoBlob(Digest),
    /// An archive that was stored can't be unpacked any more.
    #[error("bundle {} can't be restored from its archive", digest.short())]
    Unpack {
        /// Which.
        digest: Digest,
        /// Cause.
        #[source]
        source: vitrine_bundle::BundleError,
    },
    /// What a bundle is unpacked again from can't be written.
    #[error("keep the files of bundle {} failed", digest.short())]
    Keep {
        /// Which.
        digest: Digest,
        /// Cause.
        #[source]
        source: vitrine_bundle::BundleError,
    },
    /// The archive store.
    #[error("{operation} bundle {} failed", digest.short())]
    Blob {
        /// The operation that failed.
        operation: &'static str,
        /// Which.
        digest: Digest,
        /// Cause.
        #[source]
        source: object_store::Error,
    },
    /// The archive store, asked for everything.
    #[error("list the archives failed")]
    BlobList {
        /// Cause.
        #[source]
        source: object_store::Error,
    },
    /// The process ends, and does not begin this any more.
    #[error("the host is shutting down")]
    ShuttingDown,
    /// The database.
    #[error("{operation} failed in {}", path.display())]
    Sqlite {
        /// The operation that failed.
        operation: &'static str,
        /// Database.
        path: PathBuf,
        /// Cause.
        #[source]
        source: rusqlite::Error,
    },
    /// A file.
    #[error("{operation} {} failed", path.display())]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    pub(super) const fn keeping(digest: Digest) -> impl FnOnce(vitrine_bundle::BundleError) -> Self {
        move |source| Self::Keep { digest, source }
    }

    /// Whether there is no room on the disk: 507 to a client.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::Unpack { source, .. } | Self::Keep { source, .. } => source.is_disk_full(),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}
