//! A second release that a share of the users gets instead of the live one.

use super::Target;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use vitrine_core::id::ReleaseId;

/// Buckets that visitors fall into. A percent is a hundred of them.
pub const BUCKETS: u64 = 10_000;

/// Percent of the users that a release gets beside the live one: 1 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u8);

impl Weight {
    /// A share that leaves some to either release.
    #[must_use]
    pub const fn new(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 99 { Some(Self(percent)) } else { None }
    }

    /// Percent of the users.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Whether a bucket is among them: the half-open interval `[0, weight)`, which grows at its end only. Who has the
    /// release keeps it when the weight grows, and a visitor without it keeps the live one when it shrinks.
    #[must_use]
    pub const fn takes(self, bucket: u64) -> bool {
        bucket < self.0 as u64 * (BUCKETS / 100)
    }
}

/// A visitor: 128 bits that the edge has made up, and that come back in a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorId(pub u128);

impl std::fmt::Display for VisitorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl VisitorId {
    /// As it is written: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let legal = text.len() == 32 && text.bytes().all(digit);
        legal.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    /// The bucket of a visitor under a salt: the first eight bytes of SHA-256 over the salt's text and then the id's, as a
    /// big-endian number, modulo [`BUCKETS`].
    #[must_use]
    pub fn bucket(self, salt: &str) -> u64 {
        let digest = Sha256::new().chain_update(salt).chain_update(self.to_string()).finalize();
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) % BUCKETS
    }
}

/// Live release and candidate.
#[derive(Debug, Clone)]
pub struct Split {
    /// What the share of the users gets.
    pub candidate: Arc<Target>,
    /// How large that is.
    pub weight: Weight,
}

impl Split {
    /// Whether a visitor is among them. The candidate's own name is the salt, so the next candidate has other visitors.
    #[must_use]
    pub fn takes(&self, visitor: VisitorId) -> bool {
        self.weight.takes(visitor.bucket(&salt(&self.candidate.release)))
    }
}

/// What is hashed before a visitor's id: `APP@VERSION` of the candidate.
#[must_use]
pub fn salt(candidate: &ReleaseId) -> String {
    candidate.to_string()
}

#[cfg(test)]
mod tests;
