//! Questions to a person at the terminal.

use crate::cli::{Failure, print, visible};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write as _};

/// Whether a person can be asked: stdin and stderr are a terminal, and the output is not JSON for a program.
pub(super) fn is_attended() -> bool {
    !print::is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks, and gives the line that is typed.
///
/// # Errors
/// The terminal can't be read.
pub(super) fn line(question: &str) -> Result<String, Failure> {
    asked(question, &mut io::stdin().lock())
}

fn asked(question: &str, reader: &mut impl BufRead) -> Result<String, Failure> {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{} ", visible::text(question)).and_then(|()| stderr.flush());
    let mut typed = String::new();
    reader.read_line(&mut typed).map_err(Failure::local("reading the terminal"))?;
    Ok(typed.trim().to_owned())
}

/// As [`line`], also while stdin is a pipe or a file; none where no person would see the question.
///
/// # Errors
/// The terminal can't be read.
pub(super) fn at_terminal(question: &str) -> Result<Option<String>, Failure> {
    if print::is_json() || print::is_hushed() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = File::open("/dev/tty") else { return Ok(None) };
    asked(question, &mut BufReader::new(terminal)).map(Some)
}

/// Says what would happen and asks whether to go on. Without a terminal `--yes` is needed instead.
///
/// # Errors
/// [`Failure::Usage`] without a terminal, [`Failure::Refused`] for any answer but yes.
pub(super) fn consent(consequence: &str) -> Result<(), Failure> {
    if !is_attended() {
        return Err(Failure::Usage(format!("{consequence}; --yes goes on without asking")));
    }
    if is_yes(&line(&format!("{consequence}. Go on? [y/N]"))?) {
        return Ok(());
    }
    Err(Failure::refused("nothing was changed"))
}

/// Whether a typed answer is yes.
pub(super) fn is_yes(typed: &str) -> bool {
    matches!(typed.to_ascii_lowercase().as_str(), "y" | "yes")
}
