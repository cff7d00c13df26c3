//! How many requests a rule lets through: `"100/s by client"`, `"5000/min by app"`.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::str::FromStr;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateBy {
    /// Requests of one client: an address of IPv4, a /64 of IPv6.
    Client,
    /// All requests that the rule takes.
    All,
}

/// A rate. Bursts as large as one period's requests pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RateLimit {
    /// Requests in a period.
    pub requests: NonZeroU32,
    /// The period, in seconds: 1, 60 or 3600.
    pub period_s: u32,
    /// See [`RateBy`].
    pub by: RateBy,
}

/// The text is no rate.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no rate; write \"100/s\", \"100/min by client\" or \"5000/h by all\"")]
pub struct RateError(String);

impl FromStr for RateLimit {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let read = || {
            let (rate, by) = text.split_once(" by ").unwrap_or((text, "client"));
            let (requests, period) = rate.split_once('/')?;
            let period_s = match period {
                "s" => 1,
                "min" => 60,
                "h" => 3600,
                _ => return None,
            };
            let by = match by {
                "client" => RateBy::Client,
                "all" => RateBy::All,
                _ => return None,
            };
            Some(Self { requests: requests.parse().ok()?, period_s, by })
        };
        read().ok_or_else(|| RateError(text.to_owned()))
    }
}

impl TryFrom<String> for RateLimit {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, RateError> {
        text.parse()
    }
}

impl From<RateLimit> for String {
    fn from(limit: RateLimit) -> Self {
        limit.to_string()
    }
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let period = match self.period_s {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        let by = match self.by {
            RateBy::Client => "client",
            RateBy::All => "all",
        };
        write!(f, "{}/{period} by {by}", self.requests)
    }
}
