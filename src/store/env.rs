//! Environment values. Each change makes a revision; a release keeps the one that it was made with.

use super::{Store, StoreError};
use crate::id::AppName;

/// One value of an app's environment. Values lie in the database as they are (mode 0600).
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Whether it may never be shown.
    pub secret: bool,
    /// When it was set, in milliseconds since the Unix epoch.
    pub updated_ms: u64,
}

impl std::fmt::Debug for EnvValue {
    // The value is left out: it may be a secret, and this text may reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvValue")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Sets a value; gives the new revision.
    ///
    /// # Errors
    /// [`StoreError::EnvTooLarge`]; see [`StoreError`].
    pub fn set_env(&self, _app: &AppName, _value: &EnvValue) -> Result<u64, StoreError> {
        todo!()
    }

    /// Takes a value away; gives the new revision, or none when there was no such value.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn unset_env(&self, _app: &AppName, _name: &str) -> Result<Option<u64>, StoreError> {
        todo!()
    }

    /// The values of a revision, by name. Revision 0 is empty.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn env(&self, _app: &AppName, _revision: u64) -> Result<Vec<EnvValue>, StoreError> {
        todo!()
    }

    /// The newest revision; 0 while nothing was set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn latest_revision(&self, _app: &AppName) -> Result<u64, StoreError> {
        todo!()
    }
}
