//! The codes that a target group takes for a success.

use super::HealthError;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Codes that a check over HTTP may expect.
const HTTP_CODES: RangeInclusive<u16> = 200..=499;
/// Codes that a check over gRPC may expect.
const GRPC_CODES: RangeInclusive<u16> = 0..=99;

/// `Matcher`: codes and ranges of codes, as in `200,202` or `200-299`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    text: String,
    codes: Vec<RangeInclusive<u16>>,
}

impl Matcher {
    /// `HttpCode`.
    ///
    /// # Errors
    /// [`HealthError::Matcher`].
    pub fn http(text: &str) -> Result<Self, HealthError> {
        Self::parse(text, HTTP_CODES)
    }

    /// `GrpcCode`.
    ///
    /// # Errors
    /// [`HealthError::Matcher`].
    pub fn grpc(text: &str) -> Result<Self, HealthError> {
        Self::parse(text, GRPC_CODES)
    }

    fn parse(text: &str, allowed: RangeInclusive<u16>) -> Result<Self, HealthError> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits.then(|| text.parse::<u16>().ok()).flatten()
            };
            let range = number(first.trim())?..=number(last.trim())?;
            let fits = !range.is_empty() && allowed.contains(range.start()) && allowed.contains(range.end());
            fits.then_some(range)
        };
        let codes = text.split(',').map(range).collect::<Option<Vec<_>>>();
        let refused =
            || HealthError::Matcher { found: text.to_owned(), least: *allowed.start(), most: *allowed.end() };
        Ok(Self { text: text.to_owned(), codes: codes.ok_or_else(refused)? })
    }

    /// Whether this code is a success.
    #[must_use]
    pub fn matches(&self, code: u16) -> bool {
        self.codes.iter().any(|range| range.contains(&code))
    }
}

impl Default for Matcher {
    fn default() -> Self {
        Self { text: "200".into(), codes: vec![200..=200] }
    }
}

impl TryFrom<String> for Matcher {
    type Error = HealthError;

    fn try_from(text: String) -> Result<Self, HealthError> {
        Self::http(&text)
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> Self {
        matcher.text
    }
}
