//! Bounds of isolates and their pool.

/// Body bytes that an answer may collect before the app is told to wait. A page of 80 kB is complete without waiting, and
/// a stalled client holds this much and one window of the wire.
pub const OUTBOX_BYTES: usize = 256 << 10;

/// How long the evaluation of a bundle may take, in milliseconds. A bundle of several megabytes evaluates in well under a
/// second; what takes longer hangs.
pub const EVALUATE_TIMEOUT_MS: u64 = 10_000;

/// Requests of the control socket that may wait for the pool. The host asks one thing at a time.
pub const POOL_REQUESTS: usize = 16;
