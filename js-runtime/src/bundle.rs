//! The bundle in memory: everything is read before the process locks itself down.

use std::collections::HashMap;
use std::sync::Arc;

/// Files of a bundle by path (`server/index.js`), client files left out.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Contents by path.
    pub files: Arc<HashMap<String, Arc<[u8]>>>,
}
