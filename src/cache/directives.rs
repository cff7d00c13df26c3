//! The directives of `cache-control` and of fields like it.

use http::header::{HeaderMap, HeaderName};

/// The directives of a field, in their order.
#[derive(Debug, Default)]
pub struct Directives<'a>(Vec<Directive<'a>>);

/// One of them.
#[derive(Debug)]
pub struct Directive<'a> {
    /// As it stands there.
    pub text: &'a str,
    /// In lower case.
    pub name: String,
    /// Without quotes.
    pub value: &'a str,
}

impl<'a> Directives<'a> {
    /// Those of all lines; of a line that is no text there are none.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        let texts = lines.flat_map(|line| {
            let mut quoted = false;
            line.split(move |character| {
                quoted ^= character == '"';
                character == ',' && !quoted
            })
        });
        let texts = texts.map(str::trim).filter(|text| !text.is_empty());
        Self(texts.map(Directive::of).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Directive<'a>> {
        self.0.iter()
    }

    /// Whether one has this name.
    #[must_use]
    pub fn say(&self, name: &str) -> bool {
        self.0.iter().any(|directive| directive.name == name)
    }

    /// The shortest time that is said, in seconds; one that can't be read is none at all.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<u64> {
        let said = self.0.iter().filter(|directive| directive.name == name);
        said.map(|directive| seconds(directive.value).unwrap_or(0)).min()
    }
}

impl<'a> Directive<'a> {
    fn of(text: &'a str) -> Self {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Self { text, name: name.trim_end().to_ascii_lowercase(), value: value.trim().trim_matches('"') }
    }
}

/// RFC 9111, 1.2.2: a number of seconds; one that is too large is the largest.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX).min(1 << 31))
}
