//! `_headers` among the client's files: headers of static answers by path, as Netlify and Cloudflare write them.
//!
//! A line that begins with a path says whom the indented lines below it are for: `Name: value` gives a header, `! Name` takes one away.

mod pattern;

use super::tree::Tree;
use super::unpack::io_error;
use super::{BundleDir, BundleError, Manifest};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use http::{HeaderName, HeaderValue};
use pattern::{Pattern, Template};
use serde::{Deserialize, Serialize};
use std::fs;
use vitrine_core::limits::{
    HEADER_CHANGES_MAX, HEADER_RULE_BYTES_MAX, HEADER_RULES_BYTES_MAX, HEADER_RULES_MAX,
    HEADERS_GIVEN_BYTES_MAX,
};

/// Name of the file, below the client's folder.
pub const HEADERS_FILE: &str = "_headers";

/// Headers that are about one connection or one representation, or that the edge makes itself.
const OWN: [&str; 20] = [
    "accept-ranges",
    "age",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "proxy-authenticate",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "www-authenticate",
    "x-request-id",
];
/// Beginnings of headers that speak for this host, or that are orders to a proxy in front of it: to send a file of its own
/// (`x-accel-redirect`, `x-sendfile`), to empty its cache (`x-litespeed-purge`), to ask this host no more
/// (`x-envoy-immediate-health-check-fail`). An app must not give them for everybody behind that proxy.
pub const HOST_ORDERS: [&str; 7] =
    ["x-accel-", "x-envoy-", "x-lighttpd-", "x-litespeed-", "x-reproxy-", "x-sendfile", "x-vitrine-"];

/// The rules of a bundle, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeaderRules(Vec<Rule>);

/// What answers get whose path is the pattern's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    pattern: Pattern,
    changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Give(String, Template),
    Take(String),
}

/// A line that can't be kept.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    line: usize,
    message: String,
}

impl HeaderRules {
    /// The rules of a bundle; none where it has no such file.
    pub(super) fn of(tree: &Tree, manifest: &Manifest, dir: &BundleDir) -> Result<Self, BundleError> {
        let path = format!("{}/{HEADERS_FILE}", manifest.assets);
        let Some(facts) = tree.files().get(&path) else { return Ok(Self::default()) };
        let refused = |line, message| BundleError::HeaderRule { path: path.clone(), line, message };
        if facts.bytes > HEADER_RULES_BYTES_MAX {
            return Err(refused(1, format!("the file has more than {HEADER_RULES_BYTES_MAX} bytes")));
        }
        let file = dir.files().join(&path);
        let text = fs::read(&file).map_err(|source| io_error("read", &file, source))?;
        Self::parse(&String::from_utf8_lossy(&text)).map_err(|wrong| refused(wrong.line, wrong.message))
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut changes = 0;
        for (at, line) in text.lines().enumerate() {
            let wrong = |message: String| Wrong { line: at + 1, message };
            let is_indented = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.len() > HEADER_RULE_BYTES_MAX {
                return Err(wrong(format!("the line has more than {HEADER_RULE_BYTES_MAX} bytes")));
            }
            if is_indented {
                let rule = rules.last_mut().ok_or_else(|| wrong("a header before the first path".into()))?;
                changes += 1;
                if changes > HEADER_CHANGES_MAX {
                    return Err(wrong(format!("there are more than {HEADER_CHANGES_MAX} headers")));
                }
                rule.changes.push(change(line, &rule.pattern).map_err(wrong)?);
            } else {
                if rules.len() == HEADER_RULES_MAX {
                    return Err(wrong(format!("there are more than {HEADER_RULES_MAX} paths")));
                }
                let pattern = Pattern::parse(line).map_err(wrong)?;
                rules.push(Rule { pattern, changes: Vec::new() });
            }
        }
        Ok(Self(rules))
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Changes the headers of a static answer to this host and path. What several rules give under one name is joined.
    pub fn apply(&self, host: &str, path: &str, headers: &mut HeaderMap) {
        self.apply_where(host, path, headers, |_| true);
    }

    /// The same for a file that is given under the name of another release: what makes a browser run it as a page or as a service
    /// worker is not its own to say.
    pub fn apply_to_foreign(&self, host: &str, path: &str, headers: &mut HeaderMap) {
        self.apply_where(host, path, headers, |name| {
            name != CONTENT_TYPE && name != "service-worker-allowed"
        });
    }

    fn apply_where(&self, host: &str, path: &str, headers: &mut HeaderMap, is_meant: impl Fn(&str) -> bool) {
        let mut given = HeaderMap::new();
        let mut bytes = 0;
        for rule in &self.0 {
            let Some(found) = rule.pattern.find(host, path) else { continue };
            for change in &rule.changes {
                match change {
                    Change::Give(name, value) if is_meant(name) => {
                        // A placeholder may stand for what no header can hold.
                        let name = HeaderName::from_bytes(name.as_bytes()).ok();
                        let value = value.fill(&found).and_then(|value| HeaderValue::try_from(value).ok());
                        let Some((name, value)) = name.zip(value) else { continue };
                        bytes += name.as_str().len() + value.len();
                        if bytes > HEADERS_GIVEN_BYTES_MAX {
                            return join(&given, headers);
                        }
                        given.append(name, value);
                    }
                    Change::Take(name) if is_meant(name) => {
                        given.remove(name);
                        headers.remove(name);
                    }
                    Change::Give(..) | Change::Take(_) => {}
                }
            }
        }
        join(&given, headers);
    }

    /// Whether the rules say of a file that it never changes.
    pub(super) fn say_immutable(&self, path: &str) -> bool {
        let mut headers = HeaderMap::new();
        self.apply_where("", path, &mut headers, |name| name == CACHE_CONTROL);
        let control = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
        control.split(',').any(|part| part.trim().eq_ignore_ascii_case("immutable"))
    }
}

/// Puts what was given in the place of the headers of the same names.
fn join(given: &HeaderMap, headers: &mut HeaderMap) {
    for name in given.keys() {
        let values: Vec<&[u8]> = given.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b", "[..])) {
            headers.insert(name.clone(), value);
        }
    }
}

/// `Name: value` or `! Name`.
fn change(line: &str, pattern: &Pattern) -> Result<Change, String> {
    let (name, value) = match line.strip_prefix('!') {
        Some(name) => (name, None),
        None => line
            .split_once(':')
            .map(|(name, value)| (name, Some(value.trim())))
            .ok_or("it is neither `Name: value` nor `! Name`")?,
    };
    let name = name.trim().to_ascii_lowercase();
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(format!("`{name}` is no name of a header"));
    }
    if OWN.contains(&name.as_str()) || HOST_ORDERS.iter().any(|order| name.starts_with(order)) {
        return Err(format!("`{name}` is the host's own to say; leave the line out"));
    }
    // It keeps browsers from taking a file for a script, and the edge says so of every file.
    if name == "x-content-type-options" && value != Some("nosniff") {
        return Err(format!("`{name}` is `nosniff` on every file; leave the line out"));
    }
    match value {
        None => Ok(Change::Take(name)),
        Some(value) if HeaderValue::from_str(value).is_ok() => {
            Ok(Change::Give(name, pattern.template(value)))
        }
        Some(_) => Err(format!("`{name}` has a value that no header can have")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, path: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
        HeaderRules::parse(text).unwrap().apply("shop.test", path, &mut headers);
        let shown =
            |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        headers.iter().map(shown).collect()
    }

    const RULES: &str = "# comment\n/*\n  X-Frame-Options: DENY\n\tx-note: one\n\n/fonts/*\n  Cache-Control: public, max-age=60\n  X-Note: two\n\
        /fonts/:family/open.txt\n  X-Family: :family\n  ! X-Frame-Options\nhttps://shop.test/here\n  X-Host: yes\nhttps://other.test/*\n  X-Host: no\n\
        /plain\n  ! Cache-Control\n";

    #[test]
    fn rules_are_applied_in_their_order() {
        let frame = "x-frame-options: DENY";
        for (path, expected) in [
            ("/", &["cache-control: max-age=0", frame, "x-note: one"][..]),
            ("/fonts/a/b.woff2", &["cache-control: public, max-age=60", frame, "x-note: one, two"]),
            (
                "/fonts/sans/open.txt",
                &["cache-control: public, max-age=60", "x-note: one, two", "x-family: sans"],
            ),
            ("/here", &["cache-control: max-age=0", frame, "x-note: one", "x-host: yes"]),
            ("/plain", &[frame, "x-note: one"]),
        ] {
            let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            let mut found = applied(RULES, path);
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn what_can_not_be_kept_is_named_with_its_line() {
        let wrong = |text: &str| HeaderRules::parse(text).unwrap_err();
        for name in [
            "Content-Length",
            "Transfer-Encoding",
            "Set-Cookie",
            "Vary",
            "X-Vitrine-Release",
            "X-Accel-Redirect",
            "ETag",
        ] {
            for line in [format!("{name}: 1"), format!("! {name}")] {
                let told = wrong(&format!("/*\n  x-a: 1\n  {line}"));
                assert_eq!(told.line, 3, "{line}");
                assert!(told.message.contains("the host's own"), "{}", told.message);
            }
        }
        for (text, line) in [
            ("  x-a: 1", 1),
            ("/*\n  no header", 2),
            ("/*\n  bad name: 1", 2),
            ("/*\n  x-a: \u{7f}", 2),
            ("no path\n", 1),
            ("/a/*/*\n", 1),
            ("/*/:name\n", 1),
            ("/*\n  ! X-Content-Type-Options", 2),
        ] {
            assert_eq!(wrong(text).line, line, "{text}");
        }
        let many = "/a\n".repeat(HEADER_RULES_MAX);
        assert!(HeaderRules::parse(&many).is_ok());
        assert_eq!(wrong(&format!("{many}/b\n")).line, HEADER_RULES_MAX + 1);
        assert_eq!(wrong(&format!("/{}\n", "a".repeat(HEADER_RULE_BYTES_MAX))).line, 1);
        let changes = "  x-a: 1\n".repeat(HEADER_CHANGES_MAX);
        assert!(HeaderRules::parse(&format!("/a\n{changes}")).is_ok());
        assert_eq!(wrong(&format!("/a\n{changes}/b\n  x-a: 1\n")).line, HEADER_CHANGES_MAX + 3);
    }

    #[test]
    fn what_is_given_is_bounded_whatever_a_visitor_asks_for() {
        let value = ":a".repeat(200);
        let rules = format!("/:a/*\n{}", format!("  x-note: {value}\n").repeat(HEADER_CHANGES_MAX));
        let found = applied(&rules, &format!("/{}/x", "long".repeat(10)));
        let bytes: usize = found.iter().map(String::len).sum();
        assert!(bytes > HEADERS_GIVEN_BYTES_MAX / 2 && bytes < 2 * HEADERS_GIVEN_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn a_file_under_the_name_of_another_release_does_not_say_what_it_is() {
        let rules =
            HeaderRules::parse("/*\n  content-type: text/html\n  service-worker-allowed: /\n  x-a: 1\n")
                .unwrap();
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/javascript"))]);
        rules.apply_to_foreign("", "/a.js", &mut headers);
        assert_eq!(
            (&headers[CONTENT_TYPE], &headers["x-a"], headers.len()),
            (&"text/javascript".parse().unwrap(), &"1".parse().unwrap(), 2)
        );
    }

    #[test]
    fn what_never_changes_is_told() {
        let rules = HeaderRules::parse("/static/*\n  cache-control: public, Immutable, max-age=9\n").unwrap();
        assert!(rules.say_immutable("/static/a-1a2b3c4d.js") && !rules.say_immutable("/a.js"));
    }
}
