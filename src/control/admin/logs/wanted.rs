//! Which lines a caller asks for.

use super::LogsQuery;
use super::event::{LogEvent, Mark, Standing, ended_ms};
use crate::admin::problem::{Kind, Problem};
use uuid::Uuid;
use vitrine_core::id::Version;
use vitrine_core::limits::{LOG_ID_PART_MIN, LOG_ID_SPAN_MS};
use vitrine_core::telemetry::{KeptLine, LineKind};
use vitrine_wire::{LogLevel, Outcome};

/// See the module.
#[derive(Debug)]
pub(super) struct Wanted {
    version: Option<Version>,
    since_ms: u64,
    level: Option<LogLevel>,
    requests: bool,
    outcome: Option<Outcome>,
    path: Option<String>,
    id: Option<String>,
    all: bool,
    standing: Standing,
}

/// What becomes of a line.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is shown.
    Shown(Box<LogEvent>),
    /// It would be, if lines of warm-ups and health checks were wanted.
    Hidden,
    /// It is none of those that are wanted, or no line at all.
    Other,
}

impl Wanted {
    /// What a query asks for at this time.
    ///
    /// # Errors
    /// An age that is none.
    pub(super) fn new(query: LogsQuery, now_ms: u64, standing: Standing) -> Result<Self, Problem> {
        let since_ms = since_ms(query.since.as_deref(), now_ms)?;
        let LogsQuery { version, level, requests, outcome, path, id, all, .. } = query;
        let requests = requests || outcome.is_some() || path.is_some();
        Ok(Self { version, since_ms, level, requests, outcome, path, id, all, standing })
    }

    /// Whether such a line may have been written in this time.
    pub(super) fn may_be_in(&self, begun_ms: u64, ended_ms: u64) -> bool {
        let named =
            self.id.as_deref().and_then(|id| Uuid::try_parse(id).ok()).and_then(|id| id.get_timestamp());
        let (from_ms, to_ms) = match named {
            Some(begun) => {
                let (seconds, nanoseconds) = begun.to_unix();
                let begun_ms = seconds * 1000 + u64::from(nanoseconds) / 1_000_000;
                (begun_ms.max(self.since_ms), begun_ms + LOG_ID_SPAN_MS)
            }
            None => (self.since_ms, u64::MAX),
        };
        ended_ms >= from_ms && begun_ms <= to_ms
    }

    /// Looks at a line as it is kept.
    pub(super) fn look(&self, json: &[u8]) -> Verdict {
        if !self.may_want(json) {
            return Verdict::Other;
        }
        let Some(line) = KeptLine::parse(json).filter(|line| self.wants(line)) else { return Verdict::Other };
        let is_hidden =
            !self.all && self.id.is_none() && line.level < LogLevel::Warn && Mark::of(&line).is_some();
        if is_hidden {
            Verdict::Hidden
        } else {
            Verdict::Shown(Box::new(LogEvent::new(line, &self.standing)))
        }
    }

    /// Leaves out, without taking it apart, most of what is not wanted.
    fn may_want(&self, json: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(json) else { return false };
        match &self.id {
            Some(id) => text.contains(id.as_str()),
            // Both are in front, and a quotation mark within a text has a backslash before it.
            None if !self.requests => {
                !(text.starts_with(r#"{"kind":"request""#) && text.contains(r#""level":"info""#))
            }
            None => true,
        }
    }

    fn wants(&self, line: &KeptLine) -> bool {
        let is_request = line.kind == LineKind::Request;
        if let Some(id) = &self.id {
            let is_it =
                |known: &String| known == id || (id.len() >= LOG_ID_PART_MIN && known.ends_with(id.as_str()));
            if !line.request_id.as_ref().is_some_and(is_it) {
                return false;
            }
        } else if is_request && !self.requests && line.level < LogLevel::Warn {
            return false;
        }
        let of_requests = self.outcome.is_none_or(|outcome| line.outcome == Some(outcome))
            && self
                .path
                .as_ref()
                .is_none_or(|path| line.path.as_ref().is_some_and(|known| matches(path, known)));
        of_requests
            && self.level.is_none_or(|level| line.level >= level)
            && ended_ms(line) >= self.since_ms
            && self
                .version
                .as_ref()
                .is_none_or(|version| line.release.as_deref().is_none_or(|known| known == version.as_str()))
    }
}

/// Whether a text is what a pattern says, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

fn since_ms(since: Option<&str>, now_ms: u64) -> Result<u64, Problem> {
    let Some(since) = since else { return Ok(0) };
    let age = humantime::parse_duration(since).map_err(|error| {
        Problem::new(Kind::BadRequest, format!("since: {error}; write 30s, 5m, 2h or 7d"))
    })?;
    Ok(now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_become_times() {
        assert_eq!(since_ms(None, 5), Ok(0));
        assert_eq!(since_ms(Some("1s"), 5_000), Ok(4_000));
        assert_eq!(since_ms(Some("10m"), 5_000), Ok(0));
        assert!(since_ms(Some("yesterday"), 5).unwrap_err().detail.contains("since"));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, is) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab/c", true),
            ("*.js", "/x/y.js", true),
            ("*.js", "/x/y.jsx", false),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c*", "/a/b/cd", true),
            ("/a/*/c", "/a/c", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }
}
