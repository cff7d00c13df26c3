//! Files of `NAME=VALUE` lines, as `.env` files are written.
//!
//! A value is the text after the `=`, without spaces around it; ` #` begins a comment. In single quotes it is taken literally, in
//! double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are replaced; both may go on over lines. Nothing is filled in for `$NAME`.

use std::collections::BTreeMap;
use vitrine_control::admin::env::check_name;

/// Why a file can't be read. The text holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(super) struct DotenvError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Reads a file.
///
/// # Errors
/// The first line that is no assignment, or sets what was set before.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut values, mut lines) = (Vec::new(), BTreeMap::new());
    let line_of = |rest: &str| text[..text.len() - rest.len()].matches('\n').count() + 1;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(values);
        }
        let line = line_of(rest);
        let at = |problem: String| DotenvError { line, problem };
        if rest.starts_with('#') {
            rest = behind_line(rest);
            continue;
        }
        let (name, behind) = name(rest).map_err(at)?;
        let (value, behind) = value(behind).map_err(at)?;
        if let Some(before) = lines.insert(name.to_owned(), line) {
            return Err(at(format!("{name} is set on line {before} already")));
        }
        values.push((name.to_owned(), value));
        rest = behind;
    }
}

fn behind_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, behind)| behind)
}

/// The name, and the text after its `=`.
fn name(text: &str) -> Result<(&str, &str), String> {
    let line = text.lines().next().unwrap_or_default();
    let Some((name, _)) = line.split_once('=') else {
        return Err("has no `=`; a line is NAME=VALUE, a comment begins with #".into());
    };
    let behind = &text[name.len() + 1..];
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    check_name(name).map_err(|_| {
        // What is no name may be a part of a value, which is not to be shown.
        "the text before the `=` is not a name: a letter or _, then letters, digits and _".to_owned()
    })?;
    Ok((name, behind))
}

/// The value, and the lines behind its own.
fn value(text: &str) -> Result<(String, &str), String> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        let line = text.lines().next().unwrap_or_default();
        let comment = if line.starts_with('#') { Some(0) } else { line.find(" #").or(line.find("\t#")) };
        return Ok((line[..comment.unwrap_or(line.len())].trim().to_owned(), behind_line(text)));
    };
    let (value, behind) = quoted(&text[1..], quote)?;
    let left = behind.lines().next().unwrap_or_default().trim();
    if !left.is_empty() && !left.starts_with('#') {
        return Err(format!("there is text after the closing {quote}"));
    }
    Ok((value, behind_line(behind)))
}

/// The text up to the closing quote, and the text after it.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((value, &text[at + 1..])),
            '\\' if quote == '"' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, same @ ('"' | '\\' | '$'))) => value.push(same),
                _ => return Err(r#"a \ in double quotes stands before n, r, t, ", \ or $"#.into()),
            },
            _ => value.push(character),
        }
    }
    Err(format!("the closing {quote} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        let text = "\u{feff}# first\r\nPLAIN= a b # comment\r\nexport HASH=a#b\nEMPTY=\nCOMMENT=#none\nURL=https://h/?a=b&c=$d\n\
                    SINGLE='a \\n $b' # comment\nDOUBLE=\"a\\n\\\"b\\\" \\$c \\\\\"\nKEY=\"-----\nline\n-----\"\n\n  _LAST = z";
        let read = parse(text).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            read,
            [
                ("PLAIN", "a b"),
                ("HASH", "a#b"),
                ("EMPTY", ""),
                ("COMMENT", ""),
                ("URL", "https://h/?a=b&c=$d"),
                ("SINGLE", "a \\n $b"),
                ("DOUBLE", "a\n\"b\" $c \\"),
                ("KEY", "-----\nline\n-----"),
                ("_LAST", "z"),
            ]
        );
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn what_is_no_assignment_is_refused_with_its_line_and_without_its_text() {
        for (text, line, words) in [
            ("A=1\n\ns3cret", 3, "has no `=`"),
            ("A=1\ns3cret x=2", 2, "not a name"),
            ("1A=s3cret", 1, "not a name"),
            ("=s3cret", 1, "not a name"),
            ("A=\"x\ny\"\nB='s3cret\nC=1", 3, "closing '"),
            ("A=\"s3cret", 1, "closing \""),
            ("A='s3cret'x", 1, "after the closing '"),
            ("A=\"s3cret\\x\"", 1, "a \\ in double quotes"),
            ("A=1\nB=2\nA=s3cret", 3, "A is set on line 1 already"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(
                error.problem.contains(words) && !error.to_string().contains("s3cret"),
                "{text:?}: {error}"
            );
        }
    }
}
