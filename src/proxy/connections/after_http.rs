//! The future that takes over a connection after an upgrade.

use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Holds what the task of the connection goes on with, from the answer that says so until HTTP is over.
#[derive(Default)]
pub struct AfterHttp(Mutex<Option<BoxFuture<'static, ()>>>);

impl AfterHttp {
    /// The connection goes on with this.
    pub fn set(&self, next: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(next));
    }

    /// What it goes on with, if there is something.
    pub fn take(&self) -> Option<BoxFuture<'static, ()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for AfterHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterHttp").finish_non_exhaustive()
    }
}
