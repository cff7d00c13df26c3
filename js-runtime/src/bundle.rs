//! The bundle in memory: everything is read before the process locks itself down.

use crate::code_cache::CodeCache;
use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_DEPTH_MAX, BUNDLE_FILES_MAX};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// Folder of a bundle that holds what the server runs.
const SERVER_FOLDER: &str = "server";
/// Manifest of a bundle.
const MANIFEST: &str = "vitrine.json";

/// Files of a bundle by path (`server/index.js`), client files left out.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Contents by path.
    pub files: Arc<HashMap<String, Arc<[u8]>>>,
    /// What V8 compiled of them.
    pub codes: Arc<CodeCache>,
    /// When they were read, in milliseconds since the Unix epoch.
    pub read_ms: u64,
    /// What [`Bundle::names_deno`] found.
    pub deno: Arc<OnceLock<bool>>,
}

/// Why a bundle can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A folder can't be listed.
    #[error("can't list the bundle's folder {path}")]
    List {
        /// Folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A file can't be read.
    #[error("can't read the bundle's file {path}")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A link, a device, or a name that is not UTF-8.
    #[error("{path} is neither a regular file nor a folder with a UTF-8 name; bundles hold nothing else")]
    Kind {
        /// Entry.
        path: PathBuf,
    },
    /// Over [`BUNDLE_FILES_MAX`], [`BUNDLE_BYTES_MAX`] or [`BUNDLE_DEPTH_MAX`].
    #[error(
        "the server part of the bundle exceeds {BUNDLE_FILES_MAX} files, {BUNDLE_BYTES_MAX} bytes \
         or {BUNDLE_DEPTH_MAX} folders in one another, at {path}"
    )]
    TooLarge {
        /// Where the bound was passed.
        path: PathBuf,
    },
}

impl Bundle {
    /// Whether a file names `Deno.upgradeWebSocket`.
    pub fn names_deno(&self) -> bool {
        let names = |content: &Arc<[u8]>| {
            let text = std::str::from_utf8(content).unwrap_or_default();
            text.contains("upgradeWebSocket") && text.contains("Deno")
        };
        *self.deno.get_or_init(|| self.files.values().any(names))
    }

    /// Reads `server/**` and `vitrine.json` of the bundle in `folder`.
    ///
    /// # Errors
    /// The first entry that can't be taken. A missing entry file is no error here: the boot names it.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let mut reading = Reading { files: HashMap::new(), bytes: 0 };
        let manifest = folder.join(MANIFEST);
        if manifest.exists() {
            reading.file(&manifest, MANIFEST.to_owned())?;
        }
        reading.folder(&folder.join(SERVER_FOLDER), SERVER_FOLDER, 1)?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let read_ms = u64::try_from(since_epoch.as_millis()).unwrap_or_default();
        Ok(Self { files: Arc::new(reading.files), read_ms, ..Self::default() })
    }
}

struct Reading {
    files: HashMap<String, Arc<[u8]>>,
    bytes: u64,
}

impl Reading {
    fn folder(&mut self, folder: &Path, name: &str, depth: usize) -> Result<(), BundleError> {
        if depth > BUNDLE_DEPTH_MAX {
            return Err(BundleError::TooLarge { path: folder.to_owned() });
        }
        let list = |source| BundleError::List { path: folder.to_owned(), source };
        for entry in std::fs::read_dir(folder).map_err(list)? {
            let entry = entry.map_err(list)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(list)?;
            let Some(file_name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(BundleError::Kind { path });
            };
            let name = format!("{name}/{file_name}");
            if kind.is_dir() {
                self.folder(&path, &name, depth + 1)?;
            } else if kind.is_file() {
                self.file(&path, name)?;
            } else {
                return Err(BundleError::Kind { path });
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), BundleError> {
        let read = |source| BundleError::Read { path: path.to_owned(), source };
        let room = BUNDLE_BYTES_MAX - self.bytes;
        let mut content = Vec::new();
        // One byte more than there is room for tells a file that grows while it is read.
        File::open(path).map_err(read)?.take(room + 1).read_to_end(&mut content).map_err(read)?;
        if content.len() as u64 > room || self.files.len() >= BUNDLE_FILES_MAX {
            return Err(BundleError::TooLarge { path: path.to_owned() });
        }
        self.bytes += content.len() as u64;
        self.files.insert(name, content.into());
        Ok(())
    }
}
