//! Completions in bash, which splits words where releases have their `@`.
//!
//! It hands over its line as it is, and what its own splitting leaves of the last word is taken off what it gets back.

use clap_complete::engine;
use clap_complete::env::EnvCompleter;
use std::ffi::OsString;
use std::io;
use std::path::Path;

/// Characters where this bash splits words.
const BREAKS: &str = "VITRINE_WORDBREAKS";

/// See the module.
#[derive(Debug)]
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        write!(
            buf,
            r#"_{bin}() {{
    local IFS=$'\n'
    COMPREPLY=($({var}=bash {BREAKS}="$COMP_WORDBREAKS" {completer} -- "${{COMP_LINE:0:COMP_POINT}}" 2>/dev/null))
    [[ ${{COMPREPLY-}} =~ [=@/]$ ]] && compopt -o nospace 2>/dev/null
    return 0
}}
complete -F _{bin} {bin}
"#
        )
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        let line = args.into_iter().next().unwrap_or_default().into_string().unwrap_or_default();
        let words = words(&line);
        let last = words.last().cloned().unwrap_or_default();
        let index = words.len().saturating_sub(1);
        let breaks = std::env::var(BREAKS).unwrap_or_default();
        let kept = replaced_from(&last, &breaks);
        let words = words.into_iter().map(OsString::from).collect();
        for candidate in engine::complete(cmd, words, index, current_dir)? {
            let value = candidate.get_value().to_string_lossy();
            // There are many flags: they are offered once a `-` is typed.
            if value.starts_with('-') && !last.starts_with('-') {
                continue;
            }
            writeln!(buf, "{}", value.get(kept..).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// The words of a line; the last is the one that is being written, and may be empty.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
    if line.ends_with(char::is_whitespace) {
        words.push(String::new());
    }
    words
}

/// Where in the last word the part begins that this bash replaces.
fn replaced_from(last: &str, breaks: &str) -> usize {
    last.rfind(|character| breaks.contains(character)).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_one_that_is_written() {
        assert_eq!(words("vitrine logs sh"), ["vitrine", "logs", "sh"]);
        assert_eq!(words("vitrine logs "), ["vitrine", "logs", ""]);
    }

    #[test]
    fn only_what_bash_replaces_is_given_back() {
        let breaks = " \t\n\"'@><=;|&(:";
        assert_eq!(replaced_from("shop@v", breaks), 5);
        assert_eq!(replaced_from("shop@", breaks), 5);
        assert_eq!(replaced_from("--to=v", breaks), 5);
        assert_eq!(replaced_from("shop", breaks), 0);
        assert_eq!(replaced_from("shop@v", "="), 0);
    }
}
