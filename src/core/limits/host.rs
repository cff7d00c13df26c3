//! The host's process as a whole.

/// Least time between two times that a thread gives memory back: it takes some microseconds where nothing was left, and some milliseconds
/// after a wave of thousands of connections.
pub const MEMORY_PAUSE_MS: u64 = 10_000;
