//! Commands that a text tells the reader to run: they go to the host that `--host` named, as the command did that prints them.

use std::borrow::Cow;
use std::sync::OnceLock;

/// What each command begins with. One in a text stands in backquotes, on a line of its own, or behind a pipe or a colon.
const PROGRAM: &str = "vitrine ";

static HOST: OnceLock<String> = OnceLock::new();

/// Notes the host that `--host` named.
pub(super) fn name_host(host: &str) {
    // It is given once a process.
    let _ = HOST.set(host.to_owned());
}

/// A text with `--host` in each command of it.
pub(super) fn addressed(text: &str) -> Cow<'_, str> {
    match HOST.get() {
        Some(host) => Cow::Owned(with_host(text, host)),
        None => Cow::Borrowed(text),
    }
}

fn with_host(text: &str, host: &str) -> String {
    let is_command = |at: usize| {
        let before = text[..at].trim_end_matches(' ');
        let verb = text[at + PROGRAM.len()..].split(|c: char| !c.is_ascii_lowercase()).next();
        verb.is_some_and(super::talks_to_a_host)
            && (before.is_empty() || before.ends_with(['`', '\n', '|', ':']))
    };
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = 0;
    for (at, _) in text.match_indices(PROGRAM) {
        if is_command(at) {
            out.push_str(&text[rest..at + PROGRAM.len()]);
            out.push_str("--host ");
            out.push_str(host);
            out.push(' ');
            rest = at + PROGRAM.len();
        }
    }
    out.push_str(&text[rest..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_host_and_prose_stays() {
        let given = |text| with_host(text, "18091");
        assert_eq!(given("`vitrine status shop` shows it"), "`vitrine --host 18091 status shop` shows it");
        assert_eq!(
            given("no value:\n  vitrine env set shop A"),
            "no value:\n  vitrine --host 18091 env set shop A"
        );
        assert_eq!(given("printf x | vitrine env set a B"), "printf x | vitrine --host 18091 env set a B");
        assert_eq!(
            given("set it first: vitrine env set a B"),
            "set it first: vitrine --host 18091 env set a B"
        );
        for prose in [
            "is vitrine serve running there?",
            "`vitrine serve`",
            "vitrine is here",
            "no vitrine status",
            "`vitrine-worker`",
        ] {
            assert_eq!(given(prose), prose);
        }
    }
}
