//! Completions in the other shells, with flags offered as in bash: once a `-` is typed. Between names of apps they are noise.

use clap_complete::env::EnvCompleter;
use std::ffi::OsString;
use std::io;
use std::path::Path;

/// Where the word that is being written stands on the line, from 0; zsh says it, and in the others it is the last one.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

/// A shell's own completer, without flags where none is begun.
#[derive(Debug)]
pub(super) struct FlagsOnDash<T>(pub T);

impl<T: EnvCompleter> EnvCompleter for FlagsOnDash<T> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.0.write_registration(var, name, bin, completer, buf)
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        let begins_flag =
            args.get(index(args.len())).is_some_and(|word| word.to_string_lossy().starts_with('-'));
        let mut offered = Vec::new();
        self.0.write_complete(cmd, args, current_dir, &mut offered)?;
        let is_wanted = |line: &&[u8]| begins_flag || !line.starts_with(b"-");
        offered
            .split_inclusive(|byte| *byte == b'\n')
            .filter(is_wanted)
            .try_for_each(|line| buf.write_all(line))
    }
}

/// The index of the word that is being written, on a line of so many words.
pub(super) fn index(words: usize) -> usize {
    let told = std::env::var(INDEX).ok().and_then(|index| index.parse().ok());
    told.unwrap_or(words.saturating_sub(1))
}
