//! What no line may say.

use crate::source::Source;
use crate::walls::has_word;

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

/// Pauses in tests without a comment above them that says why: a test waits for something to be so, and time is seldom it.
/// Between two looks of a loop a pause is what it takes, and on a clock that stands still it takes none.
pub fn pauses(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let text: Vec<&str> = source.text.lines().collect();
        let code: Vec<&str> = source.code.lines().collect();
        for (number, line) in source.lines().filter(|(number, _)| source.test[number - 1]) {
            let pause = line.contains("thread::sleep(") || line.contains("time::sleep(");
            let said = number > 1 && text[number - 2].trim().starts_with("//");
            if pause && !said && !needs_no_reason(&code, number - 1) {
                wrong.push(format!(
                    "{}:{number}: a pause in a test; wait for a level, or say why above it",
                    source.path
                ));
            }
        }
    }
    wrong
}

/// Whether a loop of the same function holds a line, judged by how far lines are indented, or its clock stands still.
fn needs_no_reason(code: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut inside = indent(code[index]);
    for (at, line) in
        code.iter().enumerate().take(index + 1).rev().filter(|(_, line)| !line.trim().is_empty())
    {
        let head = line.trim_start();
        if at != index && indent(line) >= inside {
            continue;
        }
        if ["loop ", "while ", "for "].iter().any(|word| head.starts_with(word)) || head.contains("= loop {")
        {
            return true;
        }
        if head.contains("fn ") {
            let mut attributes =
                code[..at].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
            return attributes.any(|line| line.contains("start_paused = true"));
        }
        inside = indent(line);
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
        let wrong = |text: &str| pauses(&one("tests/a.rs", text)).len();
        assert_eq!(wrong(pause), 1);
        assert!(pauses(&one("src/a.rs", pause)).is_empty());
        assert_eq!(pauses(&one("src/a.rs", &format!("#[cfg(test)]\nmod t {{\n{pause}\n}}"))).len(), 1);
        assert_eq!(wrong(&format!("// Time is the subject.\n{pause}")), 0);
        assert_eq!(wrong(&format!("// Time is the subject.\nlet x = 1;\n{pause}")), 1);
        assert_eq!(wrong(&format!("    while !so() {{\n        {pause}\n    }}")), 0);
        assert_eq!(wrong(&format!("fn a() {{\n    while !so() {{\n    }}\n    {pause}\n}}")), 1);
        assert_eq!(
            wrong(&format!("#[tokio::test(start_paused = true)]\nasync fn a() {{\n    {pause}\n}}")),
            0
        );
    }
}
