//! Wrong usage: what is said about arguments that can't be understood.

use crate::cli::exit::ErrorObject;
use crate::cli::foreign;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::process::ExitCode;

/// Exit code of wrong usage.
const WRONG: u8 = 2;
/// As Docker wants it of a health command, to which 2 is reserved.
const UNHEALTHY: u8 = 1;

/// Tells why these words (the program's name first) can't be understood, or the help that they ask for.
#[must_use]
pub(super) fn report(mut error: clap::Error, words: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    tip_for_foreign_word(&mut error, words);
    let exit = if verb(words).as_deref() == Some("healthcheck") { UNHEALTHY } else { WRONG };
    if asks_for_json(words) {
        object(&error, exit).tell();
    } else {
        let _ = error.print();
    }
    ExitCode::from(exit)
}

/// The first of the words that is a verb.
fn verb(words: &[OsString]) -> Option<String> {
    let verbs = crate::cli::command();
    let mut words = words.iter().skip(1).filter_map(|word| word.to_str());
    words.find(|word| verbs.find_subcommand(word).is_some()).map(String::from)
}

/// The words can't be understood, but `--json` among them still says how the error is wanted.
fn asks_for_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

fn tip_for_foreign_word(error: &mut clap::Error, words: &[OsString]) {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    let at = words.iter().position(|given| given.to_str() == Some(word));
    let parent =
        at.and_then(|at| words[1..at].iter().rfind(|given| !given.to_string_lossy().starts_with('-')));
    let Some(tip) = foreign::tip(parent.and_then(|parent| parent.to_str()), word) else { return };
    error.remove(ContextKind::SuggestedSubcommand);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
}

/// Takes the text that people get apart: the message, then tips, then the usage.
fn object(error: &clap::Error, exit: u8) -> ErrorObject {
    let text = error.render().to_string();
    let (said, _) = text.split_once("\nUsage:").unwrap_or((&text, ""));
    let (said, _) = said.split_once("\nFor more information").unwrap_or((said, ""));
    let (message, hint) =
        said.split_once("\n  tip:").map_or((said, None), |(message, tip)| (message, Some(tip)));
    let joined = |text: &str| text.replace("tip:", "").split_whitespace().collect::<Vec<_>>().join(" ");
    let message = match error.kind() {
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a verb is missing; --help lists them".to_owned()
        }
        _ => joined(message.trim_start_matches("error:")),
    };
    ErrorObject {
        code: "usage".into(),
        message,
        hint: hint.map(joined),
        status: None,
        exit,
        causes: Vec::new(),
        log: Vec::new(),
        diagnosis: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    fn told(words: &[&str]) -> ErrorObject {
        let words: Vec<OsString> =
            std::iter::once("vitrine").chain(words.iter().copied()).map(Into::into).collect();
        let mut error = Cli::try_parse_from(&words).unwrap_err();
        tip_for_foreign_word(&mut error, &words);
        object(&error, WRONG)
    }

    #[test]
    fn the_message_is_one_line_and_the_tip_stands_apart() {
        let wrong = told(&["secret", "put"]);
        assert_eq!(wrong.message, "unrecognized subcommand 'secret'");
        assert_eq!(wrong.hint.unwrap(), "printf %s VALUE | vitrine env set APP NAME --secret");
        let wrong = told(&["env", "ls", "shop"]);
        assert_eq!(wrong.hint.unwrap(), "vitrine env list APP");
        assert!(told(&["promot", "shop"]).hint.unwrap().contains("promote"));
        let wrong = told(&["promote", "shop"]);
        assert_eq!(wrong.message, "the following required arguments were not provided: <VERSION>");
        assert!(told(&["deploy", "Shop", "."]).message.contains("`Shop`"));
        for words in [&[][..], &["env"], &["--json"], &["env", "--json"], &["--json", "env"]] {
            assert_eq!(told(words).message, "a verb is missing; --help lists them", "{words:?}");
        }
    }

    #[test]
    fn json_is_asked_for_before_two_dashes_only() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<OsString>>();
        assert!(asks_for_json(&words("vitrine statu --json")));
        assert!(!asks_for_json(&words("vitrine statu -- --json")));
    }
}
