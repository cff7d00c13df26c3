//! Why a configuration can't be used.

use std::io;
use std::path::PathBuf;

/// Why a configuration can't be used. `Display` shows the line with a caret below the place.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The file is no TOML, or has a field that is not known or of another type.
    #[error("{}:{line}:{column}: {detail}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// Message, the line and a caret.
        detail: String,
    },
    /// A value that can't be used, without a file (flags) to point into.
    #[error("`{field}` {message}")]
    Value {
        /// Which, such as `limits.cpu_ms`.
        field: String,
        /// What is wrong and what would be right.
        message: String,
    },
}
