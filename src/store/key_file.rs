//! The file that holds the keys: one a line, 64 hexadecimal digits each, the one that seals first. It lies outside of the database,
//! so that a copy of the database alone tells no value.

use super::keyring::{KEY_BYTES, Keyring, key_id};
use super::{Layout, StoreError};
use nix::unistd::geteuid;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use vitrine_core::files::Replace;

/// Where the keys of a data folder are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeySource {
    /// `DIR/vitrine.key`, which the first start makes.
    #[default]
    DataFolder,
    /// A file of the operator's choice, which the first start makes.
    File(PathBuf),
    /// A file that the system gives to this process, and that the host can't change.
    Credential(PathBuf),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Values need a key, and the file does not hold it.
    #[error(
        "{} has values under key {id}, which {} does not hold{}; put that key there, or give the values up with `vitrine key forget`",
        database.display(), path.display(), if path.exists() { "" } else { " (there is no such file)" }
    )]
    Lacking {
        /// Database.
        database: PathBuf,
        /// Identity of the key.
        id: String,
        /// File of the keys.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} holds something other than keys in line {line}; a key is 64 hexadecimal digits, one a line", path.display())]
    Malformed {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// Others know what is in the file.
    #[error("{} {advice}", path.display())]
    Exposed {
        /// File.
        path: PathBuf,
        /// What is wrong, and what to do.
        advice: String,
    },
    /// The file is the system's.
    #[error("{} is given to the host by the system; put a new key in front of the old one in its source, restart the host, then remove the old one", .0.display())]
    NotOurs(PathBuf),
    /// The disk.
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

type Keys = Vec<[u8; KEY_BYTES]>;

impl KeySource {
    /// What the operator names, else `vitrine.key` among the credentials that systemd gave this process, else the data folder's own.
    #[must_use]
    pub fn choose(key_file: Option<&Path>) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let credential = credentials.map(|folder| folder.join("vitrine.key")).filter(|path| path.exists());
        match (key_file, credential) {
            (Some(path), _) => Self::File(path.to_owned()),
            (None, Some(path)) => Self::Credential(path),
            (None, None) => Self::DataFolder,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self, layout: &Layout) -> PathBuf {
        match self {
            Self::DataFolder => layout.key(),
            Self::File(path) | Self::Credential(path) => path.clone(),
        }
    }

    /// The keys of the file; none where there is no file.
    pub(super) fn read(&self, layout: &Layout) -> Result<Keys, KeyError> {
        let path = self.path(layout);
        let failed = |source| KeyError::Io { operation: "read", path: path.clone(), source };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Keys::new()),
            read => read.map_err(failed)?,
        };
        // The system guards what it gives.
        if !matches!(self, Self::Credential(_)) {
            let found = fs::metadata(&path).map_err(failed)?;
            refuse_exposed(&path, found.uid(), found.mode() & 0o777)?;
        }
        parse(&text).map_err(|line| KeyError::Malformed { path: path.clone(), line })
    }

    /// Whether the file, if there is one, can be used: its owner, its mode and its lines.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn check(&self, layout: &Layout) -> Result<(), KeyError> {
        self.read(layout).map(drop)
    }

    /// The keys of the file, which has to hold these.
    pub(super) fn read_all(&self, layout: &Layout, used: &[String]) -> Result<Keys, KeyError> {
        let (path, keys) = (self.path(layout), self.read(layout)?);
        match used.iter().find(|id| !keys.iter().any(|key| key_id(key) == **id)) {
            Some(id) => Err(KeyError::Lacking { database: layout.database(), id: id.clone(), path }),
            None => Ok(keys),
        }
    }

    /// The ring of the file's keys. `used` are those that values lie under: a file that lacks one of them is an error, and one that
    /// is not there is made where there is none.
    pub(super) fn load(&self, layout: &Layout, used: &[String]) -> Result<Keyring, KeyError> {
        let mut keys = self.read_all(layout, used)?;
        if keys.is_empty() {
            if let Self::Credential(path) = self {
                return Err(KeyError::Malformed { path: path.clone(), line: 1 });
            }
            keys.push(new_key());
            write(&self.path(layout), &keys)?;
        }
        Ok(Keyring::new(&keys))
    }

    /// Replaces the file's content.
    pub(super) fn write(&self, layout: &Layout, keys: &[[u8; KEY_BYTES]]) -> Result<(), KeyError> {
        match self {
            Self::Credential(path) => Err(KeyError::NotOurs(path.clone())),
            _ => write(&self.path(layout), keys),
        }
    }
}

/// A new random key.
pub(super) fn new_key() -> [u8; KEY_BYTES] {
    rand::random()
}

fn refuse_exposed(path: &Path, owner: u32, mode: u32) -> Result<(), KeyError> {
    let advice = if owner != geteuid().as_raw() && owner != 0 {
        format!("belongs to user {owner}; `chown` it to the user that the host runs as")
    } else if mode & 0o077 != 0 {
        format!("can be read by other users (mode {mode:03o}); run `chmod 600 {}`", path.display())
    } else {
        return Ok(());
    };
    Err(KeyError::Exposed { path: path.to_owned(), advice })
}

/// The keys of a text, or the first line that is none. A text without a key is wrong in its first line.
fn parse(text: &str) -> Result<Keys, usize> {
    let mut keys = Keys::new();
    for (index, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(line, &mut key).map_err(|_| index + 1)?;
        keys.push(key);
    }
    if keys.is_empty() { Err(1) } else { Ok(keys) }
}

fn write(path: &Path, keys: &[[u8; KEY_BYTES]]) -> Result<(), KeyError> {
    let lines: String = keys.iter().map(|key| hex::encode(key) + "\n").collect();
    Replace::private(path, "key").put(path, lines.as_bytes()).map_err(|source| KeyError::Io {
        operation: "write",
        path: path.to_owned(),
        source,
    })
}

/// What it means to the caller of the store.
pub(super) fn store_error(error: KeyError) -> StoreError {
    match error {
        KeyError::Io { operation, path, source } if source.kind() == ErrorKind::StorageFull => {
            StoreError::DiskFull { operation, path, source: Box::new(source) }
        }
        error => StoreError::Key(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_keys_is_read_line_by_line() {
        let (one, two) = ("01".repeat(32), "ab".repeat(32));
        assert_eq!(parse(&one).unwrap(), [[1; KEY_BYTES]]);
        assert_eq!(parse(&format!("{two}\n\n {one}\n")).unwrap(), [[0xab; KEY_BYTES], [1; KEY_BYTES]]);
        for (text, line) in [("", 1), ("\n", 1), (&one[1..], 1), (&format!("{one}\nx"), 2)] {
            assert_eq!(parse(text), Err(line), "{text:?}");
        }
    }
}
