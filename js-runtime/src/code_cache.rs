//! What V8 compiled of an app's modules and of our own scripts, for the next isolate of this process. One that comes from a snapshot
//! needs none of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Compiled code by specifier. It is V8's own form, good for the same source in the same process.
#[derive(Debug, Default)]
pub struct CodeCache {
    codes: Mutex<HashMap<String, Vec<u8>>>,
}

impl CodeCache {
    /// The code of a module, if an isolate compiled it before.
    #[must_use]
    pub fn get(&self, specifier: &str) -> Option<Vec<u8>> {
        self.lock().get(specifier).cloned()
    }

    /// Keeps the code of a module. Modules are files of the bundle or of this build, so they are bounded as those are.
    pub fn put(&self, specifier: &str, code: &[u8]) {
        self.lock().insert(specifier.to_owned(), code.to_vec());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        // Nothing that runs under the lock can panic, so it is never poisoned.
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
