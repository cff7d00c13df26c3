//! Texts with `{app}`, `{version}`, `{path}` and `{host}` in them.

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Box<[Part]>);

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As it stands.
    Text(Box<str>),
    /// A value of the request.
    Value(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    App,
    Version,
    Path,
    Host,
}

/// What the placeholders of one request stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// App that was chosen; empty where there is none.
    pub app: &'a str,
    /// Version that was chosen.
    pub version: &'a str,
    /// Path as the client sent it, without a prefix that the rule strips.
    pub path: &'a str,
    /// Host name without a port.
    pub host: &'a str,
}

/// A brace that is no placeholder.
#[derive(Debug, thiserror::Error)]
#[error(
    "has `{0}` in it; `{{app}}`, `{{version}}`, `{{path}}` and `{{host}}` are filled in, and no other brace is written"
)]
pub struct TemplateError(String);

impl Template {
    /// From a text.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, braced) = rest.split_at(at);
            let end = braced.find('}').map_or(braced.len(), |end| end + 1);
            let value = match &braced[..end] {
                "{app}" => Placeholder::App,
                "{version}" => Placeholder::Version,
                "{path}" => Placeholder::Path,
                "{host}" => Placeholder::Host,
                other => return Err(TemplateError(other.to_owned())),
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            parts.push(Part::Value(value));
            rest = &braced[end..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self(parts.into()))
    }

    /// With these values.
    #[must_use]
    pub fn fill(&self, values: Values<'_>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            text.push_str(match part {
                Part::Text(text) => text,
                Part::Value(Placeholder::App) => values.app,
                Part::Value(Placeholder::Version) => values.version,
                Part::Value(Placeholder::Path) => values.path,
                Part::Value(Placeholder::Host) => values.host,
            });
        }
        text
    }

    /// The text, if nothing is filled in.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_other_braces_refused() {
        let values = Values { app: "learn", version: "v2", path: "/a", host: "www.example.com" };
        for (text, filled) in [
            ("{app}-{version}.internal", "learn-v2.internal"),
            ("https://{host}{path}", "https://www.example.com/a"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(Template::parse(text).unwrap().fill(values), filled);
        }
        for wrong in ["{query}", "{", "a}b", "{app", "{}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
