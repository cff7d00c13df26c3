//! What no line may say.

use crate::layers::has_word;
use crate::source::Source;

/// Marks of work that was left, in two halves so that this file does not hold them.
const LEFT_UNDONE: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
];

/// Where the folders of somebody's machine begin, in two halves for the same reason.
const HOMES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/Use", "rs/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Opens the comment that a pause in a test needs.
const PAUSE_REASON: &str = "// Pause:";

/// Code that says it is not finished.
pub fn left_undone(sources: &[Source]) -> Vec<String> {
    find(
        sources,
        |source| !source.path.ends_with(".lock"),
        LEFT_UNDONE,
        |line, mark| match mark.strip_suffix('!') {
            Some(word) => line.contains(mark) && has_word(line, word),
            None => has_word(line, mark),
        },
    )
}

/// Paths that exist on one machine only.
pub fn home_folders(sources: &[Source]) -> Vec<String> {
    find(
        sources,
        |_| true,
        HOMES,
        |line, home| {
            line.match_indices(home).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|before| {
                    before.is_alphanumeric() || matches!(before, '.' | '/' | '-' | '_' | '}' | '$')
                })
            })
        },
    )
}

fn find<const N: usize>(
    sources: &[Source],
    applies: impl Fn(&Source) -> bool,
    wanted: [&str; N],
    has: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| applies(source)) {
        for (index, line) in source.text.lines().enumerate() {
            for word in wanted.iter().filter(|word| has(line, word)) {
                wrong.push(format!("{}:{}: `{word}`", source.path, index + 1));
            }
        }
    }
    wrong
}

/// Rust that silences a lint for ever, and queues without a bound.
pub fn forbidden_code(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        for (number, line) in source.lines() {
            let place = format!("{}:{number}", source.path);
            if line.contains("#[allow(") || line.contains("#![allow(") {
                wrong.push(format!("{place}: `allow` stays when its reason is gone; use `expect`"));
            }
            if line.contains("unbounded_channel") || line.contains("mpsc::unbounded") {
                wrong.push(format!("{place}: a queue without a bound"));
            }
            if !source.test[number - 1] && line.contains("mpsc::channel()") {
                wrong.push(format!("{place}: a queue without a bound; use `sync_channel`"));
            }
        }
    }
    wrong
}

/// Pauses in tests that don't say why: a test waits for something to be so, and time is seldom it. Between two looks of a
/// loop a pause is what it takes.
pub fn pauses(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let text: Vec<&str> = source.text.lines().collect();
        let code: Vec<&str> = source.code.lines().collect();
        for (number, line) in source.lines().filter(|(number, _)| source.test[number - 1]) {
            if !(line.contains("thread::sleep(") || line.contains("time::sleep("))
                || in_loop(&code, number - 1)
            {
                continue;
            }
            let mut above = text[..number - 1].iter().rev().take_while(|line| line.trim().starts_with("//"));
            if !above.any(|line| line.trim().starts_with(PAUSE_REASON)) {
                let what = "a pause in a test; wait for a level";
                wrong.push(format!("{}:{number}: {what}, or say `{PAUSE_REASON} why`", source.path));
            }
        }
    }
    wrong
}

/// Whether a loop of the same function holds a line, judged by how far lines are indented.
fn in_loop(code: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut inside = indent(code[index]);
    for line in code[..=index].iter().rev().filter(|line| !line.trim().is_empty()) {
        let head = line.trim_start();
        let is_loop = ["loop ", "while ", "for "].iter().any(|word| head.starts_with(word))
            || head.contains("= loop {");
        if indent(line) < inside || std::ptr::eq(*line, code[index]) {
            if is_loop {
                return true;
            }
            if head.contains("fn ") {
                return false;
            }
            inside = indent(line);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> [Source; 1] {
        [Source::new(path, text)]
    }

    #[test]
    fn marks_of_work_left_are_found_as_words() {
        for mark in LEFT_UNDONE {
            assert_eq!(left_undone(&one("a.js", &format!("// {mark} later"))).len(), 1, "{mark}");
            assert!(left_undone(&one("a.js", &format!("let a{mark}b;"))).is_empty(), "{mark}");
        }
    }

    #[test]
    fn folders_of_a_machine_are_found_and_others_are_not() {
        for home in HOMES {
            assert_eq!(home_folders(&one("README.md", &format!("cd {home}me/vitrine"))).len(), 1, "{home}");
            assert!(
                home_folders(&one("README.md", &format!("https://example.com{home}x"))).is_empty(),
                "{home}"
            );
        }
    }

    #[test]
    fn lints_are_expected_and_queues_bounded() {
        let wrong = |text: &str| forbidden_code(&one("src/a.rs", text)).len();
        assert_eq!(wrong("#[allow(dead_code)]"), 1);
        assert_eq!(wrong("let (a, b) = tokio::sync::mpsc::unbounded_channel();"), 1);
        assert_eq!(wrong("let (a, b) = mpsc::channel();"), 1);
        assert_eq!(wrong("let (a, b) = mpsc::channel(4); // unbounded_channel\n#[expect(dead_code)]"), 0);
        assert!(forbidden_code(&one("tests/a.rs", "let (a, b) = mpsc::channel();")).is_empty());
    }

    #[test]
    fn a_pause_in_a_test_has_a_reason() {
        let pause = "tokio::time::sleep(x).await;";
        assert_eq!(pauses(&one("tests/a.rs", pause)).len(), 1);
        assert!(pauses(&one("src/a.rs", pause)).is_empty());
        assert_eq!(pauses(&one("src/a.rs", &format!("#[cfg(test)]\nmod t {{\n{pause}\n}}"))).len(), 1);
        assert!(
            pauses(&one(
                "tests/a.rs",
                &format!("{PAUSE_REASON} time is the subject,\n// and nothing else\n{pause}")
            ))
            .is_empty()
        );
        assert_eq!(pauses(&one("tests/a.rs", &format!("// because\n{pause}"))).len(), 1);
        assert!(
            pauses(&one("tests/a.rs", &format!("    while !so() {{\n        {pause}\n    }}"))).is_empty()
        );
        let after = format!("fn a() {{\n    while !so() {{\n    }}\n    {pause}\n}}");
        assert_eq!(pauses(&one("tests/a.rs", &after)).len(), 1);
    }
}
