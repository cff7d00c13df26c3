//! From the text of `vitrine.toml` to a [`Config`], with the place of every mistake.

use super::check::Problem;
use super::{Config, ConfigError};
use serde::de::DeserializeOwned;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

impl Config {
    /// Reads `vitrine.toml`; without a file, the defaults. Flags are laid over the result by the caller, who then calls
    /// [`Config::check`].
    ///
    /// # Errors
    /// See [`ConfigError`]: file, line, column and what would be right.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = file else { return Ok(Self::default()) };
        Self::parse_over(&read(path)?, path, |_| ())
    }

    /// As [`Config::load`], for `solo`: without what is for several apps or releases, for containers, or for an admin side.
    ///
    /// # Errors
    /// As [`Config::load`]; a field that `solo` has no use for is named.
    pub fn load_alone(file: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = file else { return Ok(Self::alone()) };
        let text = read(path)?;
        let fields = DeTable::parse(&text).ok();
        let has_listen = fields.as_ref().is_some_and(|fields| fields.get_ref().contains_key("listen"));
        let parsed = Self::parse_over(&text, path, |config| {
            let alone = Self::alone();
            config.admin = alone.admin;
            if !has_listen {
                config.listen = alone.listen;
            }
        })?;
        let keys = fields.iter().flat_map(|fields| fields.get_ref().keys());
        match keys.into_iter().find(|key| !ALONE.contains(&key.get_ref().as_ref())) {
            None => Ok(parsed),
            Some(key) => {
                let message = format!(
                    "`{}` is for `vitrine serve`; `vitrine solo` runs one release without an admin side, and takes {}",
                    key.get_ref(),
                    ALONE.join(", ")
                );
                Err(located(&text, path, key.span(), &message))
            }
        }
    }

    /// The defaults of `solo`. It has no admin side, so no port is taken by one.
    fn alone() -> Self {
        let anywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        Self { listen: anywhere(8000), admin: anywhere(0), ..Self::default() }
    }

    /// As [`Config::load`], from a text; `path` is for messages.
    #[cfg(test)]
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        Self::parse_over(text, path, |_| ())
    }

    /// From a text. `complete` puts in what is not in the file, before the whole is checked.
    fn parse_over(text: &str, path: &Path, complete: impl FnOnce(&mut Self)) -> Result<Self, ConfigError> {
        parse_checked(text, path, complete, Self::problem)
    }
}

/// From the text of a file. `complete` puts in what is not in it, before `problem` checks the whole.
pub(super) fn parse_checked<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    complete: impl FnOnce(&mut T),
    problem: impl FnOnce(&T) -> Option<Problem>,
) -> Result<T, ConfigError> {
    let mut parsed: T = toml::from_str(text)
        .map_err(|error| located(text, path, error.span().unwrap_or_default(), error.message()))?;
    complete(&mut parsed);
    match problem(&parsed) {
        None => Ok(parsed),
        Some(Problem { field, message }) => {
            let span = DeTable::parse(text).ok().and_then(|table| span_of(&table, &field));
            let message = format!("`{field}` {message}");
            Err(located(text, path, span.unwrap_or_default(), &message))
        }
    }
}

/// Fields and tables of the file that `solo` takes.
const ALONE: [&str; 8] =
    ["listen", "trusted_proxies", "edge", "tls", "limits", "egress", "health", "metrics"];

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// Where a field such as `routes[1].host` stands, or the innermost table around it that is written.
fn span_of(table: &Spanned<DeTable<'_>>, field: &str) -> Option<Range<usize>> {
    let mut steps = field.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let mut value = table.get_ref().get(steps.next()?)?;
    for step in steps {
        let inner = match value.get_ref() {
            DeValue::Table(table) => table.get(step),
            DeValue::Array(array) => step.parse().ok().and_then(|index: usize| array.get(index)),
            _ => None,
        };
        let Some(inner) = inner else { break };
        value = inner;
    }
    Some(value.span())
}

fn located(text: &str, path: &Path, span: Range<usize>, message: &str) -> ConfigError {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_text = text[line_start..].lines().next().unwrap_or_default();
    let line = text[..line_start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let end = span.end.clamp(start, line_start + line_text.len().max(start - line_start));
    let carets = "^".repeat(text[start..text.floor_char_boundary(end)].chars().count().max(1));
    let gutter = " ".repeat(line.to_string().len());
    let indent = " ".repeat(column - 1);
    let detail = format!("{message}\n{gutter} |\n{line} | {line_text}\n{gutter} | {indent}{carets}");
    ConfigError::Parse { path: path.to_owned(), line, column, detail }
}
