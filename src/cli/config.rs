//! `vitrine config`.

use crate::cli::{Failure, print};
use crate::config::{Config, FIELD_HELP};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Print and check the configuration of a host, vitrine.toml
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print a file with every field, its default and what it means: a start for one's own
    Print {},
    /// Read a file as `serve` does, and say what can't be used in it and where
    Check {
        /// Configuration file to read
        file: PathBuf,
    },
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Print {} if print::is_json() => print::json(&Config::default()),
        Verb::Print {} => print::raw(FIELD_HELP.trim_end()),
        Verb::Check { file } => {
            read(Some(&file))?;
            let told = format!("{} can be used; `vitrine serve --config` takes it", file.display());
            print::done(&json!({ "file": file, "usable": true }), &told)
        }
    }
}

/// Reads a file, or takes the defaults where there is none.
///
/// # Errors
/// File, line, column and what would be right.
pub fn read(file: Option<&Path>) -> Result<Config, Failure> {
    Config::load(file).map_err(Failure::local("reading the configuration"))
}

/// The names of all fields, a table a line.
pub fn fields() -> String {
    let mut text = String::new();
    for line in FIELD_HELP.lines() {
        let field = line.trim_start_matches("# ");
        if field.starts_with('[') && field.ends_with(']') && !field.contains(' ') {
            text.push_str(&format!("\n  {field}"));
        } else if let Some((name, _)) = field.split_once(" = ").filter(|(name, _)| is_name(name)) {
            let separator = if text.is_empty() { "  " } else { " " };
            text.push_str(&format!("{separator}{name}"));
        }
    }
    text
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_fields_has_those_of_tables_that_are_off() {
        let fields = fields();
        assert!(fields.starts_with("  listen admin data "), "{fields}");
        for line in ["\n  [tls] listen certificate key", "\n  [metrics] allow\n", "\n  [[routes]] host app\n"]
        {
            assert!(fields.contains(line), "{line:?} in {fields}");
        }
    }
}
