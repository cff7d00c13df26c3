//! Values as they are given: on stdin, at the terminal, in a file.

use super::dotenv;
use crate::cli::{Failure, ask};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;
use vitrine_control::admin::env::check_name;
use vitrine_core::limits::ADMIN_JSON_BYTES_MAX;

/// How a value is given.
const FROM_STDIN: &str =
    "a value is never an argument, it is read from stdin: printf %s VALUE | vitrine env set APP NAME";

/// Checks a name from the command line. A value there would be seen by other processes and kept by the shell, so it is refused and
/// not shown.
///
/// # Errors
/// [`Failure::Usage`]: what a name looks like, or how a value is given.
pub(super) fn name(text: &str, rest: &[String]) -> Result<String, Failure> {
    if let Some((name, _)) = text.split_once('=') {
        let named = check_name(name).map(|name| format!("{name}=…: ")).unwrap_or_default();
        return Err(Failure::Usage(format!("{named}{FROM_STDIN}")));
    }
    let name = check_name(text).map_err(Failure::Usage)?;
    if rest.is_empty() { Ok(name) } else { Err(Failure::Usage(format!("{name}: {FROM_STDIN}"))) }
}

/// A value, asked for at a terminal, else read from stdin. What is typed for a secret is not shown.
///
/// # Errors
/// There is none.
pub(super) fn value(name: &str, secret: bool, allow_empty: bool) -> Result<String, Failure> {
    let value = read_value(name, secret)?;
    if value.is_empty() && !allow_empty {
        let text = format!("stdin held no value for {name}; --allow-empty sets an empty one");
        return Err(Failure::Usage(text));
    }
    Ok(value)
}

/// Names and values of a file; `-` is stdin.
///
/// # Errors
/// It can't be read, or a line of it is no assignment.
pub(super) fn file(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let shown = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    let text = if path == Path::new("-") {
        bounded(io::stdin().lock()).map_err(Failure::local("reading stdin"))?
    } else {
        let read = File::open(path).and_then(bounded);
        read.map_err(|error| Failure::refused(format!("{shown}: {error}")))?
    };
    if text.len() > ADMIN_JSON_BYTES_MAX {
        return Err(Failure::refused(format!("{shown}: is larger than {ADMIN_JSON_BYTES_MAX} bytes")));
    }
    let values = dotenv::parse(&text)
        .map_err(|error| Failure::refused(format!("{shown}: {error}; nothing was set")))?;
    if values.is_empty() {
        return Err(Failure::refused(format!("{shown}: holds no value")));
    }
    Ok(values)
}

fn bounded(reader: impl Read) -> io::Result<String> {
    let mut text = String::new();
    reader.take(ADMIN_JSON_BYTES_MAX as u64 + 1).read_to_string(&mut text).map(|_| text)
}

fn read_value(name: &str, secret: bool) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        if !secret {
            return ask::line(&format!("value of {name}:"));
        }
        let asked = rpassword::prompt_password(format!("value of {name} (not shown): "));
        return asked.map_err(Failure::local("reading the terminal"));
    }
    let value = bounded(io::stdin().lock()).map_err(Failure::local("reading stdin"))?;
    if value.len() > ADMIN_JSON_BYTES_MAX {
        return Err(Failure::refused(format!("the value is larger than {ADMIN_JSON_BYTES_MAX} bytes")));
    }
    Ok(without_newline(value))
}

/// `echo` and editors add one line end that is not part of the value.
fn without_newline(mut value: String) -> String {
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_taken_off_and_no_more() {
        for (given, kept) in
            [("a\n", "a"), ("a\n\n", "a\n"), ("a\r\n", "a"), ("a", "a"), ("\n", ""), ("", "")]
        {
            assert_eq!(without_newline(given.into()), kept);
        }
    }
}
