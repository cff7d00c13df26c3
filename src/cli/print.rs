//! stdout for data, stderr for talk.

use crate::cli::{Failure, visible};
use serde::Serialize;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Writes a line of data for people, without what would act on their terminal. A reader that has gone away (`| head`) is no failure.
pub fn data(line: &str) -> Result<(), Failure> {
    raw(&visible::text(line))
}

/// As [`data`], for programs and for what is this program's own: as it is.
pub fn raw(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            READER_GONE.store(true, Ordering::Relaxed);
            Ok(())
        }
        Err(error) => Err(Failure::Local { doing: "writing to stdout", source: error.into() }),
        Ok(()) => Ok(()),
    }
}

/// Whether nobody reads stdout any more: what goes on by itself ends then.
pub fn reader_is_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// Writes a value as JSON, on one line.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    raw(&serde_json::to_string(value).map_err(Failure::local("writing JSON"))?)
}

/// Writes a line for people, as [`data`] does. That stderr is closed is no reason to stop.
pub fn talk(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible::text(line));
}
