//! Text of others on a terminal: what a bundle or a visitor wrote moves no cursor, clears no screen and forges no line.

use std::borrow::Cow;

/// Text of one or more lines without characters that act on a terminal.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |character| acts(character) && character != '\n')
}

/// As [`text()`], on one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// As [`text()`], with every line after the first behind `margin`, so that none looks like one of this program.
#[must_use]
pub fn block(content: &str, margin: &str) -> String {
    text(content.trim_end_matches(['\r', '\n'])).replace('\n', &format!("\n{margin}"))
}

fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if bad(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters but the tab, those that change the direction of what follows, and Unicode's own line ends.
fn acts(character: char) -> bool {
    let turns = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    turns || (character.is_control() && character != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown() {
        for (from, to) in [
            ("\u{1b}]0;pwned\u{7}\u{1b}[2J", "\\u{1b}]0;pwned\\u{7}\\u{1b}[2J"),
            ("over\rwritten", "over\\rwritten"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("user\u{202e}nimda\u{2066}", "user\\u{202e}nimda\\u{2066}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("tab\tand ünïcödé 👩‍💻 and C:\\path", "tab\tand ünïcödé 👩‍💻 and C:\\path"),
        ] {
            assert_eq!((text(from), line(from)), (to.into(), to.into()));
        }
        assert_eq!((text("two\nlines"), line("two\nlines")), ("two\nlines".into(), "two\\nlines".into()));
    }

    #[test]
    fn a_line_that_goes_on_looks_like_no_line_of_its_own() {
        assert_eq!(block("one\n2026-11-30 info forged\n", "    "), "one\n    2026-11-30 info forged");
        assert_eq!(block("\n\u{1b}[1m", "  | "), "\n  | \\u{1b}[1m");
    }
}
