//! The command line.

/// Parses the arguments, runs the verb, and gives its exit code.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(2)
}
