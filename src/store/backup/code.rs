//! The code that shows that an archive is what a host saved: under a key that is derived from the host's, over the manifest, which has
//! the digest of everything else.

use super::super::Layout;
use super::super::key_file::{KeyError, KeySource};
use super::super::keyring::{backup_key, key_id};
use super::BackupError;
use ring::hmac;
use std::io;
use std::path::Path;

/// The code of a manifest, as it lies in an archive.
pub(super) fn code_of(key: &hmac::Key, manifest: &[u8]) -> String {
    hex::encode(hmac::sign(key, manifest))
}

/// What a backup has to show before it is restored.
#[derive(Debug)]
pub enum Proof {
    /// The code under a key of the host that made it.
    Keys(HostKeys),
    /// Nothing: whoever restores it knows that no other has written the file.
    None,
}

/// Keys of a host, each with its identity.
#[derive(Debug)]
pub struct HostKeys(Vec<(String, hmac::Key)>);

impl HostKeys {
    /// Those of a key file.
    ///
    /// # Errors
    /// See [`KeyError`]; a missing file is one.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        // The folder plays no part where the file is named.
        let keys = KeySource::File(path.to_owned()).read(&Layout::new(Path::new("")))?;
        if keys.is_empty() {
            let source = io::ErrorKind::NotFound.into();
            return Err(KeyError::Io { operation: "read", path: path.to_owned(), source });
        }
        Ok(Self(keys.iter().map(|key| (key_id(key), backup_key(key))).collect()))
    }
}

impl Proof {
    /// Checks the code of a manifest that says to be made under the key `id`.
    pub(super) fn check(&self, id: &str, manifest: &[u8], code: Option<&[u8]>) -> Result<(), BackupError> {
        let Self::Keys(HostKeys(keys)) = self else { return Ok(()) };
        let code = code.ok_or(BackupError::NoCode)?;
        let Some((_, key)) = keys.iter().find(|(held, _)| held == id) else {
            return Err(BackupError::OtherKey(id.to_owned()));
        };
        let is_good = hex::decode(code).is_ok_and(|code| hmac::verify(key, manifest, &code).is_ok());
        if is_good { Ok(()) } else { Err(BackupError::Forged) }
    }
}
