//! Exit codes of `vitrine-worker`.

/// Done: the render process drained after SIGTERM, or the host is gone where that ends the worker.
pub const DONE: u8 = 0;
/// It can't start: the sockets can't be bound, the bundle can't be read, the lockdown can't be had.
pub const FAILED: u8 = 1;
/// Wrong usage.
pub const USAGE: u8 = 2;
/// SIGTERM came, and the render process did not end in time and was killed.
pub const KILLED: u8 = 3;
/// Of the render process only: the host is gone, and the supervisor ends too.
pub const HOST_GONE: u8 = 10;

/// The codes of `supervise`, for `--help`.
pub const HELP: &str = "Exit codes:
  0  SIGTERM came and what was in flight is finished, or the host is gone (with --end-with-control)
  1  can't start: sockets, bundle or lockdown; the last line on stderr says what
  2  wrong usage
  3  SIGTERM came, and the render process had to be killed";
