//! From the text of `vitrine.toml` to a [`Config`], with the place of every mistake.

use super::check::Problem;
use super::{Config, ConfigError};
use std::fs;
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
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// As [`Config::load`], from a text; `path` is for messages.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|error| located(text, path, error.span().unwrap_or_default(), error.message()))?;
        match config.problem() {
            None => Ok(config),
            Some(Problem { field, message }) => {
                let span = DeTable::parse(text).ok().and_then(|table| span_of(&table, &field));
                let message = format!("`{field}` {message}");
                Err(located(text, path, span.unwrap_or_default(), &message))
            }
        }
    }
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
