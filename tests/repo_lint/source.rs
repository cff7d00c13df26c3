//! The files of the repository, and what of a Rust file is code.

use std::fs;
use std::path::Path;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 12] = [
    "target",
    "node_modules",
    "dist",
    "build",
    ".output",
    ".astro",
    ".react-router",
    ".svelte-kit",
    ".nuxt",
    ".git",
    "polyfills",
    "vitrine-data",
];

/// One file.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The text with comments, and what is between quotes, blanked out; every line and column stays where it is.
    pub code: String,
    /// For each line whether it belongs to tests.
    pub test: Vec<bool>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { blanked(text) } else { text.to_owned() };
        let test = test_lines(path, &code);
        Self { path: path.into(), text: text.into(), code, test }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Lines of the code that no test owns, numbered from 1.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(number, _)| !self.test[number - 1])
    }

    /// Lines of the code, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Every text file of the repository, in the order of their paths.
pub fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    walk(root, root, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let declared: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let stem = source.path.trim_end_matches(".rs");
        if declared.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/"))) {
            source.test.fill(true);
        }
    }
    sources
}

fn walk(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if FOREIGN.contains(&name) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, sources);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).expect("it lies below the root").to_string_lossy();
            sources.push(Source::new(&path, &text));
        }
    }
}

/// Whether an attribute leaves an item to tests, of this crate or of others.
fn is_for_tests(line: &str) -> bool {
    line.trim() == "#[cfg(test)]" || line.trim().starts_with("#[cfg(any(test, ")
}

/// Paths, without `.rs`, of the modules that a file declares for tests only and that lie in files of their own.
fn test_modules(source: &Source) -> Vec<String> {
    let own = ["/lib.rs", "/main.rs", ".rs"].iter().find_map(|end| source.path.strip_suffix(end));
    let lines: Vec<&str> = source.code.lines().collect();
    let declared = lines.windows(2).filter(|pair| is_for_tests(pair[0]));
    let name = |line: &str| {
        line.split_once("mod ").and_then(|(_, rest)| rest.trim().strip_suffix(';')).map(str::to_owned)
    };
    declared.filter_map(|pair| Some(format!("{}/{}", own?, name(pair[1])?))).collect()
}

fn test_lines(path: &str, code: &str) -> Vec<bool> {
    let lines: Vec<&str> = code.lines().collect();
    if path.starts_with("tests/") || path.contains("/tests/") {
        return vec![true; lines.len()];
    }
    let mut test = vec![false; lines.len()];
    for (index, line) in lines.iter().enumerate() {
        if is_for_tests(line) {
            let end = item_end(&lines, index + 1);
            test[index..=end].fill(true);
        }
    }
    test
}

/// Index of the line on which the item that begins on line `start` ends.
pub fn item_end(lines: &[&str], start: usize) -> usize {
    let mut depth = 0_usize;
    for (index, line) in lines.iter().enumerate().skip(start) {
        for byte in line.bytes() {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                return index;
            }
        }
    }
    lines.len() - 1
}

/// See [`Source::code`].
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let (from, to) = if rest.starts_with(b"//") {
            (0, position(rest, b"\n").unwrap_or(rest.len()))
        } else if rest.starts_with(b"/*") {
            (0, block_comment(rest))
        } else if let Some(raw) = (!word).then(|| raw_string(rest)).flatten() {
            raw
        } else if rest[0] == b'"' {
            (1, quoted(rest, b'"'))
        } else if let Some(end) = character(rest) {
            (1, end)
        } else {
            at += 1;
            continue;
        };
        for byte in &mut code[at + from..at + to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += to.max(1);
    }
    String::from_utf8(code).expect("whole characters are blanked")
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Where the contents of a raw string begin, and where the whole ends.
fn raw_string(rest: &[u8]) -> Option<(usize, usize)> {
    let prefix = [&b"r"[..], b"br", b"cr"].iter().find(|prefix| rest.starts_with(prefix))?.len();
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes;
    (rest.get(open) == Some(&b'"')).then(|| {
        let close = [&b"\""[..], &vec![b'#'; hashes]].concat();
        let end = position(&rest[open + 1..], &close).map_or(rest.len(), |end| open + 1 + end + close.len());
        (open, end)
    })
}

/// Where a literal ends that begins with a quote.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Where a character literal ends; nothing if the quote begins a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    let [b'\'', first, ..] = rest else { return None };
    if *first == b'\\' {
        return Some(quoted(rest, b'\''));
    }
    let width = std::str::from_utf8(&rest[1..rest.len().min(5)])
        .map_or_else(|error| error.valid_up_to(), str::len)
        .min(4);
    let text = std::str::from_utf8(&rest[1..=width]).ok()?;
    let length = text.chars().next()?.len_utf8();
    (rest.get(1 + length) == Some(&b'\'')).then_some(length + 2)
}

#[test]
fn strings_and_comments_are_no_code() {
    let source = Source::new(
        "src/a.rs",
        "let a = \"fn { \\\" x\"; // fn {\nlet b = r#\"} \" \"#; /* { /* } */ */ let c = '{';\nfn d<'a>(x: &'a str) {}\nlet e = 'é'; let f = b\"{\";",
    );
    assert_eq!(source.code.matches(['{', '}']).count(), 2, "{}", source.code);
    assert_eq!(source.code.matches("let").count(), 5);
    assert_eq!(source.code.lines().count(), 4);
    assert!(source.code.contains("fn d<'a>(x: &'a str) {}"));
}

#[test]
fn tests_are_told_from_the_rest() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(Source::new("src/a.rs", text).test, [false, true, true, true, true, false]);
    assert!(Source::new("js-runtime/tests/x.rs", "fn a() {}").test[0]);
    let parent = Source::new("src/edge.rs", "mod body;\n#[cfg(test)]\nmod fixture;\n");
    assert_eq!(test_modules(&parent), ["src/edge/fixture"]);
    let shared = Source::new("src/a/b.rs", "#[cfg(any(test, feature = \"fixture\"))]\npub mod fixture;\n");
    assert_eq!(test_modules(&shared), ["src/a/b/fixture"]);
    assert_eq!(test_modules(&Source::new("src/lib.rs", "#[cfg(test)]\nmod x;")), ["src/x"]);
}
