//! Folders and names of workers on this host.

use nix::unistd::{getgid, getuid};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use vitrine_core::id::{Digest, InstanceId};
use vitrine_core::limits::SOCKET_PATH_BYTES_MAX;

/// File name of the socket for requests.
pub(crate) const REQUESTS_SOCKET: &str = "requests.sock";
/// File name of the control socket.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";

/// First user id of workers: above every range that distributions hand out to people and services.
const WORKER_UID_FIRST: u64 = 100_000;
/// How many ids workers share. Docker takes ids up to 2^31 - 1.
const WORKER_UID_COUNT: u64 = (1 << 31) - 1 - WORKER_UID_FIRST;

/// Why a worker's folder can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    /// The data folder is not there.
    #[error("the data folder {path} can't be resolved")]
    Data {
        /// Folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// A Unix socket's path has a fixed room in the kernel.
    #[error(
        "the socket path {path} has more than {SOCKET_PATH_BYTES_MAX} bytes; use a data folder with a shorter path"
    )]
    TooLong {
        /// Path of the longer socket.
        path: PathBuf,
    },
    /// The bundle is not in the data folder.
    #[error("the bundle is not at {path}")]
    NoBundle {
        /// Folder.
        path: PathBuf,
    },
    /// The snapshot is not in the data folder.
    #[error("the snapshot is not at {path}")]
    NoSnapshot {
        /// File.
        path: PathBuf,
    },
    /// The folder of the sockets could not be made.
    #[error("the socket folder {path} can't be made")]
    Make {
        /// Folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The folder of the sockets could not be removed.
    #[error("the socket folder {path} can't be removed")]
    Remove {
        /// Folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

/// User id (and group id) of a worker's container: derived from the instance, so that no two running workers share one
/// and a host that was restarted knows it again.
#[must_use]
pub fn worker_uid(instance: &InstanceId) -> u32 {
    let number = u64::from_str_radix(instance.as_str(), 16).expect("an instance id is 16 hexadecimal digits");
    u32::try_from(WORKER_UID_FIRST + number % WORKER_UID_COUNT).expect("the range ends below 2^31")
}

/// The part of the data folder that workers see.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    data: PathBuf,
}

impl Layout {
    /// Resolves the data folder.
    ///
    /// # Errors
    /// [`LayoutError::Data`] when it does not exist, [`LayoutError::TooLong`] when no socket would fit below it.
    pub(crate) fn new(data: &Path) -> Result<Self, LayoutError> {
        let data = data.canonicalize().map_err(|source| LayoutError::Data { path: data.into(), source })?;
        let layout = Self { data };
        let longest = layout.sockets(&InstanceId::random()).join(REQUESTS_SOCKET);
        if longest.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(LayoutError::TooLong { path: longest });
        }
        Ok(layout)
    }

    /// Folder of a worker's sockets.
    #[must_use]
    pub(crate) fn sockets(&self, instance: &InstanceId) -> PathBuf {
        self.data.join("run").join(instance.as_str())
    }

    /// Folder of a bundle's files.
    ///
    /// # Errors
    /// [`LayoutError::NoBundle`] when it is not there.
    pub(crate) fn bundle(&self, digest: &Digest) -> Result<PathBuf, LayoutError> {
        let path = self.data.join("bundles").join(digest.to_string()).join("files");
        if path.is_dir() { Ok(path) } else { Err(LayoutError::NoBundle { path }) }
    }

    /// File of a bundle's snapshot.
    ///
    /// # Errors
    /// [`LayoutError::NoSnapshot`] when it is not there.
    pub(crate) fn snapshot(&self, bundle: &Digest, sha256: &Digest) -> Result<PathBuf, LayoutError> {
        let folder = self.data.join("bundles").join(bundle.to_string()).join("snapshots");
        let path = folder.join(sha256.to_string());
        if path.is_file() { Ok(path) } else { Err(LayoutError::NoSnapshot { path }) }
    }

    /// Makes an empty folder for a worker's sockets, which only this host and user `uid` can use.
    ///
    /// The parent is closed to other users. As root the folder itself belongs to the worker; otherwise it can't be given
    /// away, so it is open below the closed parent: a worker's container sees it without the parent.
    ///
    /// # Errors
    /// [`LayoutError::Make`], [`LayoutError::Remove`].
    pub(crate) fn make_sockets(&self, instance: &InstanceId, uid: u32) -> Result<PathBuf, LayoutError> {
        self.remove_sockets(instance)?;
        let path = self.sockets(instance);
        let make = || {
            let run = self.data.join("run");
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&run)?;
            std::fs::set_permissions(&run, PermissionsExt::from_mode(0o700))?;
            std::fs::create_dir(&path)?;
            let given = chown(&path, Some(uid), Some(uid)).is_ok();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(if given { 0o700 } else { 0o777 }))
        };
        match make() {
            Ok(()) => Ok(path),
            Err(source) => Err(LayoutError::Make { path, source }),
        }
    }

    /// Closes a worker's socket folder once its sockets are there: no further name, which would be room on the host's disk,
    /// can be made by who serves on them.
    ///
    /// # Errors
    /// [`LayoutError::Make`].
    pub(crate) fn seal_sockets(&self, instance: &InstanceId) -> Result<(), LayoutError> {
        let path = self.sockets(instance);
        let seal = || {
            // It was given away where that could be done; this host's user keeps it otherwise.
            chown(&path, Some(getuid().as_raw()), Some(getgid().as_raw()))?;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))
        };
        seal().map_err(|source| LayoutError::Make { path, source })
    }

    /// Removes a worker's socket folder. None is no error.
    ///
    /// # Errors
    /// [`LayoutError::Remove`].
    pub(crate) fn remove_sockets(&self, instance: &InstanceId) -> Result<(), LayoutError> {
        let path = self.sockets(instance);
        match std::fs::remove_dir_all(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(LayoutError::Remove { path, source }),
            _ => Ok(()),
        }
    }
}

/// Whether both sockets of a worker are there.
#[must_use]
pub(crate) fn has_sockets(sockets: &Path) -> bool {
    sockets.join(CONTROL_SOCKET).exists() && sockets.join(REQUESTS_SOCKET).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_high_legal_and_apart() {
        let ids: Vec<u32> = (0..1000).map(|_| worker_uid(&InstanceId::random())).collect();
        assert!(ids.iter().all(|uid| (100_000..i32::MAX as u32).contains(uid)));
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert!(distinct.len() >= 999, "{} of 1000", distinct.len());
        let edge: InstanceId = "ffffffffffffffff".parse().unwrap();
        assert_eq!(worker_uid(&edge), worker_uid(&edge.clone()));
    }

    #[test]
    fn socket_folders_are_closed_and_start_empty() {
        let data = tempfile::tempdir().unwrap();
        let layout = Layout::new(data.path()).unwrap();
        let instance = InstanceId::random();
        let path = layout.make_sockets(&instance, worker_uid(&instance)).unwrap();
        assert!(!has_sockets(&path));
        std::fs::write(path.join(CONTROL_SOCKET), "").unwrap();
        std::fs::write(path.join(REQUESTS_SOCKET), "").unwrap();
        assert!(has_sockets(&path));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        layout.seal_sockets(&instance).unwrap();
        assert_eq!(mode(&path), 0o755);
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap()), getuid().as_raw());
        let again = layout.make_sockets(&instance, worker_uid(&instance)).unwrap();
        assert!(!has_sockets(&again));
        layout.remove_sockets(&instance).unwrap();
        layout.remove_sockets(&instance).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_data_folder_with_a_long_path_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let deep = data.path().join("d".repeat(80));
        std::fs::create_dir(&deep).unwrap();
        assert!(matches!(Layout::new(&deep), Err(LayoutError::TooLong { .. })));
        assert!(matches!(Layout::new(&data.path().join("none")), Err(LayoutError::Data { .. })));
    }
}
