//! Words that users of wrangler, vercel, fly, kamal and docker type, and what they are here.

/// After which verb (none: first), the words, and what to do instead.
const WORDS: &[(Option<&str>, &[&str], &str)] = &[
    (None, &["login", "auth"], "`vitrine token create` makes a token; VITRINE_TOKEN holds it"),
    (None, &["logout"], "unset VITRINE_TOKEN; `vitrine token revoke` ends a token for good"),
    (None, &["secret", "secrets"], "printf %s VALUE | vitrine env set APP NAME --secret"),
    (None, &["vars", "variables", "environment"], "printf %s VALUE | vitrine env set APP NAME"),
    (None, &["tail", "log"], "vitrine logs APP --follow"),
    (None, &["list", "ls", "ps", "apps", "info", "show"], "vitrine status, or vitrine releases APP"),
    (None, &["versions", "history"], "vitrine releases APP"),
    (None, &["publish", "push", "launch", "release", "redeploy", "setup"], "vitrine deploy APP DIR"),
    (
        None,
        &["up", "start", "run", "server"],
        "`vitrine serve` runs a host, `vitrine deploy APP DIR` brings an app",
    ),
    (None, &["down", "stop"], "`vitrine remove APP` removes an app; a host ends with Ctrl-C or SIGTERM"),
    (None, &["delete", "destroy", "rm", "undeploy"], "vitrine remove APP, or APP@VERSION for one release"),
    (None, &["revert", "undo"], "vitrine rollback APP"),
    (
        None,
        &["dev", "develop", "preview"],
        "`vite dev` while you write; `vitrine deploy APP DIR --preview NAME` to show it",
    ),
    (None, &["health", "ping"], "vitrine healthcheck"),
    (None, &["check", "diagnose"], "vitrine doctor"),
    (Some("env"), &["add", "put", "push"], "printf %s VALUE | vitrine env set APP NAME"),
    (Some("env"), &["rm", "remove", "delete"], "vitrine env unset APP NAME"),
    (Some("env"), &["ls", "show", "get"], "vitrine env list APP"),
    (Some("token"), &["new", "add", "make"], "vitrine token create NAME"),
    (Some("token"), &["rm", "remove", "delete"], "vitrine token revoke NAME"),
    (Some("token"), &["ls", "show"], "vitrine token list"),
    (Some("audit"), &["ls", "show", "log"], "vitrine audit list"),
    (Some("audit"), &["check"], "vitrine audit verify"),
];

/// What to do instead of `word` after the verb `parent`.
pub(super) fn tip(parent: Option<&str>, word: &str) -> Option<&'static str> {
    let found = WORDS.iter().find(|(after, words, _)| *after == parent && words.contains(&word));
    found.map(|(_, _, tip)| *tip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn no_foreign_word_is_a_verb_and_each_tip_names_one() {
        let root = crate::cli::Cli::command();
        for (parent, words, tip) in WORDS {
            let command = parent.map_or(Some(&root), |verb| root.find_subcommand(verb)).unwrap();
            for word in *words {
                assert!(command.find_subcommand(word).is_none(), "`{word}` is a verb");
            }
            let named = tip.split("vitrine ").nth(1);
            let verb = named.and_then(|rest| rest.split([' ', '`', ',']).next());
            let known = verb.is_some_and(|verb| root.find_subcommand(verb).is_some());
            assert!(known || tip.contains("VITRINE_TOKEN"), "{tip}");
        }
    }
}
