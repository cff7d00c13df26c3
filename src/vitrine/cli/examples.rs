//! An example or two for the help of each verb.

use clap::Command;

/// Verbs, as they are typed, and how they are used.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("serve", &["vitrine serve", "vitrine serve --config /etc/vitrine/vitrine.toml --listen 0.0.0.0:80"]),
    ("solo", &["vitrine solo --bundle dist --listen 0.0.0.0:8000"]),
    (
        "deploy",
        &["vitrine deploy shop dist --version v42", "vitrine deploy shop dist --preview pr-7 --ttl 72h"],
    ),
    ("deployments", &["vitrine deployments shop"]),
    ("promote", &["vitrine promote shop v42", "vitrine promote shop v42 --weight 10"]),
    ("rollback", &["vitrine rollback shop", "vitrine rollback shop --to v40"]),
    ("scale", &["vitrine scale shop 2", "vitrine scale shop --reset"]),
    ("releases", &["vitrine releases shop", "vitrine releases shop --wide --utc"]),
    ("status", &["vitrine status", "vitrine status shop --watch"]),
    ("remove", &["vitrine remove shop@v40", "vitrine remove shop"]),
    ("env set", &["printf %s https://api.example.com | vitrine env set shop API_URL"]),
    ("env import", &["vitrine env import shop .env.production --secret"]),
    ("env unset", &["vitrine env unset shop API_URL"]),
    ("env grant", &["vitrine env grant shop API_URL", "vitrine env grant shop API_URL --revoke"]),
    ("env list", &["vitrine env list shop"]),
    ("logs", &["vitrine logs shop --follow", "vitrine logs shop@v42 --since 10m"]),
    ("routes get", &["vitrine routes get > routes.toml"]),
    ("routes set", &["vitrine routes set routes.toml"]),
    (
        "routes explain",
        &[
            "vitrine routes explain https://www.example.com/learn/a",
            "vitrine routes explain https://www.example.com/ -H x-beta:1 --json",
        ],
    ),
    ("routes rollback", &["vitrine routes rollback"]),
    ("routes reset", &["vitrine routes reset"]),
    ("routes link", &["vitrine routes link checkout=b --key-file /etc/vitrine/experiments.key"]),
    (
        "purge",
        &[
            "vitrine purge shop --tag product-7",
            "vitrine purge shop --path /blog/*",
            "vitrine purge shop --all --hard",
        ],
    ),
    ("cache why", &["vitrine cache why shop /blog/a", "vitrine cache why shop /search?q=shoes --json"]),
    ("cache stats", &["vitrine cache stats", "vitrine cache stats shop"]),
    ("token create", &["vitrine token create ci --app shop --verb deploy,promote --ttl 90d"]),
    ("token list", &["vitrine token list"]),
    ("token revoke", &["vitrine token revoke ci"]),
    ("audit list", &["vitrine audit list --last 20"]),
    ("audit verify", &["vitrine audit verify"]),
    ("key rotate", &["vitrine key rotate"]),
    ("key forget", &["vitrine key forget --data /var/lib/vitrine --yes"]),
    ("backup", &["vitrine backup vitrine-2026-11-30.tar.zst"]),
    (
        "restore",
        &[
            "vitrine restore shop",
            "vitrine restore --from vitrine-2026-11-30.tar.zst --data restored --key-file copy-of-vitrine.key",
        ],
    ),
    (
        "healthcheck",
        &["vitrine healthcheck", "vitrine healthcheck --url http://127.0.0.1:8080/_vitrine/readyz"],
    ),
    ("image", &["vitrine image"]),
    ("doctor", &["vitrine doctor --data /var/lib/vitrine"]),
    ("upgrade", &["vitrine upgrade --data /var/lib/vitrine"]),
    ("config print", &["vitrine config print > vitrine.toml"]),
    ("config check", &["vitrine config check vitrine.toml"]),
    ("completions", &["source <(vitrine completions bash)"]),
];

/// The command with its examples, at the end of each verb's help.
pub(super) fn attach(command: Command) -> Command {
    below("", command)
}

fn below(parent: &str, command: Command) -> Command {
    command.mut_subcommands(|verb| {
        let path = format!("{parent}{}", verb.get_name());
        let verb = below(&format!("{path} "), verb);
        match EXAMPLES.iter().find(|(of, _)| *of == path) {
            Some((_, lines)) => with_lines(verb, lines),
            None => verb,
        }
    })
}

fn with_lines(verb: Command, lines: &[&str]) -> Command {
    let heading = if lines.len() == 1 { "Example" } else { "Examples" };
    let text = format!("{heading}:\n  {}", lines.join("\n  "));
    let long = verb.get_after_long_help().map(|long| format!("{text}\n\n{long}"));
    let verb = verb.after_help(text);
    match long {
        Some(long) => verb.after_long_help(long),
        None => verb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, CommandFactory as _};

    /// Every verb that has none below it, with its path.
    fn leaves(parent: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let path = format!("{parent}{}", verb.get_name());
            if verb.has_subcommands() {
                leaves(&format!("{path} "), verb, found);
            } else {
                found.push((path, verb.clone()));
            }
        }
    }

    fn verbs() -> Vec<(String, Command)> {
        let mut command = attach(crate::cli::Cli::command());
        command.build();
        let mut found = Vec::new();
        leaves("", &command, &mut found);
        found
    }

    #[test]
    fn every_verb_has_an_example_that_can_be_typed() {
        for (path, verb) in verbs() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
            assert!(!lines.is_empty(), "`vitrine {path}` has no example: add one to EXAMPLES");
            for line in lines {
                let call = &line[line.find("vitrine ").expect("it calls vitrine")..];
                let words =
                    call.split([' ', ')']).take_while(|word| *word != ">").filter(|word| !word.is_empty());
                let parsed = crate::cli::Cli::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
                assert!(call.starts_with(&format!("vitrine {path}")), "{line} is no example of {path}");
            }
        }
    }

    /// Letters only, so that `App`, `<APP>` and `--app` are the same.
    fn letters(text: &str) -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    #[test]
    fn the_help_of_an_argument_says_more_than_its_name() {
        let says_nothing = |arg: &&Arg| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let value_names = arg.get_value_names().into_iter().flatten().map(ToString::to_string);
            let mut names = value_names.chain([arg.get_id().to_string()]).map(|name| letters(&name));
            help.split_whitespace().count() < 2 || names.any(|name| name == letters(&help))
        };
        let empty: Vec<String> = verbs()
            .iter()
            .flat_map(|(path, verb)| {
                let args = verb.get_arguments().filter(says_nothing);
                args.map(|arg| format!("{path}: {}", arg.get_id())).collect::<Vec<_>>()
            })
            .collect();
        assert!(empty.is_empty(), "their help says nothing: {empty:?}");
    }
}
