//! stdout for data, stderr for talk; both as JSON with `--json`, an object a line.

use crate::cli::{Failure, hints, visible};
use crate::host::ReadyLine;
use serde::Serialize;
use serde_json::json;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_GONE: AtomicBool = AtomicBool::new(false);
static JSON: AtomicBool = AtomicBool::new(false);
static HUSHED: AtomicBool = AtomicBool::new(false);

/// Makes everything that is printed from now on JSON: what `--json` asks for.
pub(super) fn speak_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Whether `--json` was given.
pub(super) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Says nothing on stderr from now on.
pub(super) fn hush() {
    HUSHED.store(true, Ordering::Relaxed);
}

/// Whether nothing is said on stderr.
pub(super) fn is_hushed() -> bool {
    HUSHED.load(Ordering::Relaxed)
}

/// How `serve` and `solo` say that they are ready.
pub(super) fn ready_line() -> ReadyLine {
    if is_json() { ReadyLine::Json } else { ReadyLine::Text }
}

/// Writes a line of data for people, without what would act on their terminal. A reader that has gone away (`| head`) is no failure.
pub(super) fn data(line: &str) -> Result<(), Failure> {
    raw(&visible::text(line))
}

/// As [`data`], for programs and for what is this program's own: as it is.
pub(super) fn raw(line: &str) -> Result<(), Failure> {
    written(writeln!(io::stdout().lock(), "{line}"))
}

/// Writes a line whose styles are this program's own; they are left out where the reader wants none.
pub(super) fn styled(line: &str) -> Result<(), Failure> {
    written(writeln!(anstream::stdout().lock(), "{line}"))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            READER_GONE.store(true, Ordering::Relaxed);
            Ok(())
        }
        Err(error) => Err(Failure::Local { doing: "writing to stdout", source: error.into() }),
        Ok(()) => Ok(()),
    }
}

/// Whether the reader of stdout is gone: a verb that prints until Ctrl-C ends then.
pub(super) fn reader_is_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// Writes a value as JSON, on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    raw(&serde_json::to_string(value).map_err(Failure::local("writing JSON"))?)
}

/// Writes a value as JSON with `--json`; else tells people what was done.
pub(super) fn done(value: &impl Serialize, told: &str) -> Result<(), Failure> {
    if is_json() {
        return json(value);
    }
    talk(told);
    Ok(())
}

/// A number of things, such as `1 release` or `2 releases`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Tells people a line, as [`data`] does; with `--json` it is `{"note": LINE}`. That stderr is closed is no reason to stop.
pub(super) fn talk(line: &str) {
    let line = &*hints::addressed(line);
    let line = if is_json() { json!({ "note": line }).to_string() } else { visible::text(line).into_owned() };
    tell(&line);
}

/// Writes a line to stderr, whose styles are this program's own.
pub(super) fn tell(line: &str) {
    if HUSHED.load(Ordering::Relaxed) {
        return;
    }
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
