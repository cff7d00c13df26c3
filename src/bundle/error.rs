//! Why a bundle is refused.

use std::io;
use std::path::PathBuf;

/// Why a bundle is refused or can't be read. `path` is the name in the archive, unless it is a [`PathBuf`].
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Neither tar, tar.gz nor tar.zst.
    #[error("this is no .tar.gz, .tar.zst or .tar archive; pack the bundle's folder with one of these")]
    NotAnArchive,
    /// Truncated or corrupt.
    #[error("the archive is damaged or cut off; pack and send it again")]
    BrokenArchive(#[source] io::Error),
    /// Bytes after the archive's end.
    #[error("the archive goes on after its end marker; pack it again")]
    TrailingData,
    /// `..` in a path.
    #[error("`{path}` leaves the bundle with `..`")]
    ParentPath {
        /// Which.
        path: String,
    },
    /// A path from the root.
    #[error("`{path}` is an absolute path; names must be relative to the bundle")]
    AbsolutePath {
        /// Which.
        path: String,
    },
    /// Empty, not UTF-8, too long, control characters or backslashes.
    #[error("`{path}` can't be a file name in a bundle: {reason}")]
    BadName {
        /// Which, with what can't be shown replaced.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A symbolic link.
    #[error("`{path}` is a symbolic link; ship the file itself")]
    Symlink {
        /// Which.
        path: String,
    },
    /// A hard link.
    #[error("`{path}` is a hard link; ship the file itself (GNU tar: --hard-dereference)")]
    HardLink {
        /// Which.
        path: String,
    },
    /// A device, FIFO, socket or anything else that is no file.
    #[error("`{path}` is {kind}; a bundle holds files only")]
    Special {
        /// Which.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// The same path twice.
    #[error("`{path}` is in the archive twice")]
    Duplicate {
        /// Which.
        path: String,
    },
    /// A file where another file needs a folder.
    #[error("`{path}` is both a file and a folder")]
    FileAndFolder {
        /// Which.
        path: String,
    },
    /// Above the bound on files.
    #[error("the bundle has more than {max} files or folders; is `node_modules` in it?")]
    TooManyFiles {
        /// Bound.
        max: usize,
    },
    /// Above the bound on unpacked bytes.
    #[error(
        "the bundle unpacks to more than {max_bytes} bytes (stopped at `{path}`); leave out what the app does not serve"
    )]
    TooLarge {
        /// Where it was seen.
        path: String,
        /// Bound, in bytes.
        max_bytes: u64,
    },
    /// Above the bound on the archive itself.
    #[error("the archive is larger than {max_bytes} bytes")]
    ArchiveTooLarge {
        /// Bound, in bytes.
        max_bytes: u64,
    },
    /// No file in it.
    #[error("the bundle is empty")]
    Empty,
    /// `vitrine.json` is no JSON of the right shape.
    #[error("vitrine.json, line {line}, column {column}: {message}")]
    Manifest {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A value of `vitrine.json` can't be used.
    #[error("vitrine.json: `{field}` {message}")]
    ManifestValue {
        /// Which, such as `limits.cpu_ms`.
        field: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A line of `_headers` that can't be kept.
    #[error("{path}, line {line}: {message}")]
    HeaderRule {
        /// File in the bundle.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The server entry is not there.
    #[error("the server entry `{entry}` is not in the bundle; {hint}")]
    NoEntry {
        /// Where it should be.
        entry: String,
        /// What is there instead.
        hint: String,
    },
    /// An unpacked bundle is not what was received.
    #[error("the unpacked bundle is damaged: `{path}` {reason}")]
    Damaged {
        /// Which file.
        path: String,
        /// How.
        reason: &'static str,
    },
    /// The disk.
    #[error("{operation} {path} failed")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl BundleError {
    /// Whether there is no room on the disk: 507 to a client.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }

    /// Whether the host is at fault (disk full, I/O) and not the bundle.
    #[must_use]
    pub const fn is_host_fault(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Damaged { .. })
    }
}
