//! What an answer says about the cache: `cache-status` (RFC 9211) and the word in `server-timing`.

use http::HeaderValue;
use std::fmt::Write as _;
use std::time::Instant;
use vitrine_cache::{Came, Entry};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// `hit`, `miss`, `stale` or `bypass`.
    pub came: &'static str,
    /// Why the cache was not asked.
    fwd: &'static str,
    ttl_s: Option<i64>,
    collapsed: bool,
    stored: Option<bool>,
    detail: Option<String>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            came: Came::Bypass.as_str(),
            fwd: "",
            ttl_s: None,
            collapsed: false,
            stored: None,
            detail: None,
        }
    }
}

impl Told {
    pub(super) fn hit(entry: &Entry, came: Came) -> Self {
        let now = Instant::now();
        let ttl = entry.freshness.lifetime.as_secs().cast_signed() - entry.age(now).as_secs().cast_signed();
        Self { came: came.as_str(), ttl_s: Some(ttl), ..Self::default() }
    }

    pub(super) fn bypassed(reason: &'static str) -> Self {
        match reason {
            "method" => Self { fwd: "method", ..Self::default() },
            reason => Self { fwd: "bypass", detail: Some(reason.to_owned()), ..Self::default() },
        }
    }

    pub(super) fn missed(is_stale: bool) -> Self {
        let (came, fwd) = (Came::Miss.as_str(), if is_stale { "stale" } else { "miss" });
        Self { came, fwd, ..Self::default() }
    }

    pub(super) fn followed() -> Self {
        Self { came: Came::Miss.as_str(), fwd: "miss", collapsed: true, ..Self::default() }
    }

    /// The answer was kept for so many seconds.
    pub(crate) fn kept(&mut self, ttl_s: u64) {
        (self.stored, self.ttl_s) = (Some(true), Some(ttl_s.cast_signed()));
    }

    /// It was not.
    pub(super) fn refused(&mut self, reason: String) {
        (self.stored, self.detail) = (Some(false), Some(reason));
    }

    /// What is kept stands in for an answer that failed.
    pub(super) fn stood_in(entry: &Entry, outcome: &str) -> Self {
        Self { detail: Some(outcome.to_owned()), fwd: "stale", ..Self::hit(entry, Came::Stale) }
    }

    /// Value of `cache-status`; none where there is no cache.
    pub(crate) fn status(&self) -> Option<HeaderValue> {
        let Self { fwd, ttl_s, collapsed, stored, detail, .. } = self;
        if fwd.is_empty() && ttl_s.is_none() {
            return None;
        }
        let mut text = String::with_capacity(64);
        text.push_str("vitrine");
        if fwd.is_empty() {
            text.push_str("; hit");
        } else {
            let _ = write!(text, "; fwd={fwd}");
        }
        if let Some(ttl) = ttl_s {
            let _ = write!(text, "; ttl={ttl}");
        }
        if *collapsed {
            text.push_str("; collapsed");
        }
        if let Some(stored) = stored {
            let _ = write!(text, "; stored=?{}", u8::from(*stored));
        }
        if let Some(detail) = detail {
            // A structured string has visible ASCII alone.
            let visible = detail
                .chars()
                .filter(|character| (' '..='~').contains(character) && !"\"\\".contains(*character));
            let _ = write!(text, "; detail=\"{}\"", visible.collect::<String>());
        }
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_came_of_the_request_and_of_its_answer() {
        let text = |told: &Told| told.status().map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(text(&Told::default()), None);
        assert_eq!(text(&Told::bypassed("method")).as_deref(), Some("vitrine; fwd=method"));
        assert_eq!(text(&Told::bypassed("off")).as_deref(), Some("vitrine; fwd=bypass; detail=\"off\""));
        assert_eq!(text(&Told::followed()).as_deref(), Some("vitrine; fwd=miss; collapsed"));
        let mut told = Told::missed(false);
        told.kept(60);
        assert_eq!(text(&told).as_deref(), Some("vitrine; fwd=miss; ttl=60; stored=?1"));
        let mut told = Told::missed(true);
        told.refused("read cookie \"a\u{7}\u{e9}".into());
        assert_eq!(text(&told).as_deref(), Some("vitrine; fwd=stale; stored=?0; detail=\"read cookie a\""));
    }
}
