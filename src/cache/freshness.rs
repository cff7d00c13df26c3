//! How long an answer is fresh, and what may be done with it afterwards: RFC 9111 (4.2), 5861 and 9213. Pure.
//!
//! An answer is kept only if it says how long it is fresh: no heuristics.

use crate::directives::{Directives, seconds};
use http::header::{AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED, VARY};
use http::{HeaderValue, StatusCode};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::time::{Duration, SystemTime};

/// Speaks to this host alone.
pub const TO_THIS_HOST: HeaderName = HeaderName::from_static("vitrine-cdn-cache-control");
/// Speaks to every CDN.
pub const TO_CDNS: HeaderName = HeaderName::from_static("cdn-cache-control");

/// What may be done with an answer for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// How long it is fresh, from when it was made.
    pub lifetime: Duration,
    /// How old it was when it came.
    pub age: Duration,
    /// How long after that it may be used while another one is fetched.
    pub stale_while_revalidate: Duration,
    /// How long after that it may be used where none can be fetched.
    pub stale_if_error: Duration,
    /// Whether a shared cache may give an answer to a request with a credential to others.
    pub let_credentials_be_shared: bool,
}

/// Why an answer is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It says so.
    #[error("no-store")]
    NoStore,
    /// It is for one client.
    #[error("private")]
    Private,
    /// It is to be asked for each time.
    #[error("no-cache")]
    NoCache,
    /// It does not say how long it is fresh.
    #[error("no explicit freshness")]
    NoFreshness,
    /// It is stale when it comes.
    #[error("stale on arrival")]
    Stale,
    /// It depends on what no cache can know.
    #[error("vary *")]
    VariesByAll,
    /// It is a part, or no final answer.
    #[error("status")]
    Status,
}

/// What one field, or the field in its place, says.
#[derive(Debug, Default)]
struct Rules {
    no_store: bool,
    private: bool,
    no_cache: bool,
    public: bool,
    must_revalidate: bool,
    must_understand: bool,
    max_age: Option<u64>,
    s_maxage: Option<u64>,
    stale_while_revalidate: Option<u64>,
    stale_if_error: Option<u64>,
    /// Whether it is for CDNs alone: `expires` does not count beside it.
    is_targeted: bool,
}

impl Freshness {
    /// Of an answer that has just come.
    ///
    /// # Errors
    /// Why it is not kept.
    pub fn of(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Result<Self, NotKept> {
        let code = status.as_u16();
        if !(200..=599).contains(&code) || matches!(code, 206 | 304) {
            return Err(NotKept::Status);
        }
        let rules = Rules::of(headers);
        // RFC 9111, 5.2.2.3: with `must-understand`, `no-store` is for caches that don't know the status.
        let is_understood = status.canonical_reason().is_some();
        if rules.must_understand && !is_understood {
            return Err(NotKept::Status);
        }
        if rules.no_store && !(rules.must_understand && is_understood) {
            return Err(NotKept::NoStore);
        }
        if rules.private {
            return Err(NotKept::Private);
        }
        if varies_by_all(headers) {
            return Err(NotKept::VariesByAll);
        }
        if rules.no_cache {
            return Err(NotKept::NoCache);
        }
        let lifetime = rules.lifetime(headers, now).ok_or(NotKept::NoFreshness)?;
        let allowed =
            |said: Option<u64>| Duration::from_secs(said.filter(|_| !rules.must_revalidate).unwrap_or(0));
        let freshness = Self {
            lifetime,
            age: arrival_age(headers, now),
            stale_while_revalidate: allowed(rules.stale_while_revalidate),
            stale_if_error: allowed(rules.stale_if_error),
            let_credentials_be_shared: rules.public || rules.s_maxage.is_some() || rules.must_revalidate,
        };
        if freshness.is_of_no_use() { Err(NotKept::Stale) } else { Ok(freshness) }
    }

    /// Of an answer that says that it is to be checked with its app each time, and has something to check it by.
    #[must_use]
    pub fn to_be_checked(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let has_validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
        let none = Duration::ZERO;
        has_validator.then(|| Self {
            lifetime: none,
            age: arrival_age(headers, now),
            stale_while_revalidate: none,
            stale_if_error: none,
            let_credentials_be_shared: Rules::of(headers).public,
        })
    }

    /// Whether it is stale already and may not be used stale.
    fn is_of_no_use(&self) -> bool {
        let usable = self.lifetime + self.stale_while_revalidate.max(self.stale_if_error);
        self.age >= usable
    }
}

impl Rules {
    /// The most specific field that is there and can be read counts, and no other.
    fn of(headers: &HeaderMap) -> Self {
        [TO_THIS_HOST, TO_CDNS]
            .iter()
            .find_map(|name| Self::targeted(headers, name))
            .unwrap_or_else(|| Self::of_cache_control(headers))
    }

    /// RFC 9213, 2.1: a dictionary. One that is none is ignored.
    fn targeted(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return None;
        }
        let dictionary: Dictionary = Parser::new(&lines.join(&b", "[..])).parse().ok()?;
        let mut rules = Self { is_targeted: true, ..Self::default() };
        let mut said = false;
        for (key, entry) in &dictionary {
            let ListEntry::Item(item) = entry else { continue };
            let (on, number) = match &item.bare_item {
                BareItem::Boolean(on) => (*on, None),
                BareItem::Integer(number) => (true, Some(u64::try_from(i64::from(*number)).unwrap_or(0))),
                _ => (false, None),
            };
            said |= rules.set(key.as_str(), on, number);
        }
        said.then_some(rules)
    }

    fn of_cache_control(headers: &HeaderMap) -> Self {
        let directives = Directives::of(headers, &CACHE_CONTROL);
        let mut rules = Self::default();
        for name in [
            "no-store",
            "private",
            "no-cache",
            "public",
            "must-revalidate",
            "proxy-revalidate",
            "must-understand",
        ] {
            rules.set(name, directives.say(name), None);
        }
        for name in ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"] {
            rules.set(name, directives.say(name), directives.seconds(name));
        }
        rules
    }

    /// Takes one in; whether it is known.
    fn set(&mut self, name: &str, on: bool, number: Option<u64>) -> bool {
        let number = number.map(|number| number.min(1 << 31));
        match name {
            "no-store" => self.no_store |= on,
            "private" => self.private |= on,
            "no-cache" => self.no_cache |= on,
            "public" => self.public |= on,
            "must-revalidate" | "proxy-revalidate" => self.must_revalidate |= on,
            "must-understand" => self.must_understand |= on,
            // One that is no number is no time at all.
            "max-age" => self.max_age = number.or(self.max_age),
            "s-maxage" => self.s_maxage = number.or(self.s_maxage),
            "stale-while-revalidate" => self.stale_while_revalidate = number,
            "stale-if-error" => self.stale_if_error = number,
            _ => return false,
        }
        on || number.is_some()
    }

    fn lifetime(&self, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        if let Some(said) = self.s_maxage.or(self.max_age) {
            return Some(Duration::from_secs(said));
        }
        if self.is_targeted {
            return None;
        }
        let mut lines = headers.get_all(EXPIRES).iter();
        let expires = lines.next()?;
        // A date that can't be read is one that has passed.
        let expires = date(expires).filter(|_| lines.next().is_none());
        let from = headers.get(DATE).and_then(date).unwrap_or(now);
        Some(expires.and_then(|expires| expires.duration_since(from).ok()).unwrap_or(Duration::ZERO))
    }
}

/// RFC 9111, 4.2.3: how old an answer is when it comes. An `age` that can't be read says nothing.
fn arrival_age(headers: &HeaderMap, now: SystemTime) -> Duration {
    let text = headers.get(AGE).and_then(|age| age.to_str().ok()).unwrap_or_default();
    let said = text.split(',').next().and_then(|first| seconds(first.trim())).unwrap_or(0);
    let apparent = headers.get(DATE).and_then(date).and_then(|made| now.duration_since(made).ok());
    // Dates have no fraction, so an answer of just now may look almost a second old.
    let apparent = apparent.filter(|apparent| apparent.as_secs() > 1).unwrap_or_default();
    Duration::from_secs(said).max(apparent)
}

/// The header fields that `vary` names.
#[must_use]
pub fn vary(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(VARY).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect()
}

fn varies_by_all(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(VARY).iter().map(HeaderValue::as_bytes);
    lines.into_iter().any(|line| line.split(|byte| *byte == b',').any(|name| name.trim_ascii() == b"*"))
}

/// RFC 9110, 5.6.7. Names of days and months count in whatever case, as other caches read them.
fn date(value: &HeaderValue) -> Option<SystemTime> {
    let text = value.to_str().ok()?;
    httpdate::parse_http_date(text).or_else(|_| httpdate::parse_http_date(&in_usual_case(text))).ok()
}

fn in_usual_case(text: &str) -> String {
    let mut after_letter = false;
    let usual = |character: char| {
        let begins = !std::mem::replace(&mut after_letter, character.is_ascii_alphabetic());
        if begins { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() }
    };
    text.chars().map(usual).collect::<String>().replace("Gmt", "GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE_TEXT: &str = "Mon, 30 Nov 2026 12:00:00 GMT";

    fn of(status: u16, lines: &[(&'static str, &str)]) -> Result<Freshness, NotKept> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let now = httpdate::parse_http_date(DATE_TEXT).unwrap();
        Freshness::of(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    fn fresh_s(lines: &[(&'static str, &str)]) -> Result<u64, NotKept> {
        of(200, lines).map(|freshness| freshness.lifetime.as_secs())
    }

    #[test]
    fn the_most_specific_field_says_how_long() {
        const CONTROL: (&str, &str) = ("cache-control", "max-age=10");
        assert_eq!(fresh_s(&[CONTROL]), Ok(10));
        assert_eq!(fresh_s(&[CONTROL, ("cdn-cache-control", "max-age=20")]), Ok(20));
        assert_eq!(
            fresh_s(&[("vitrine-cdn-cache-control", "max-age=30"), ("cdn-cache-control", "no-store")]),
            Ok(30)
        );
        assert_eq!(fresh_s(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=20")]), Ok(20));
        assert_eq!(fresh_s(&[CONTROL, ("cdn-cache-control", "private")]), Err(NotKept::Private));
        // One that can't be read is not there.
        assert_eq!(fresh_s(&[CONTROL, ("cdn-cache-control", "max-age=20;;")]), Ok(10));
        assert_eq!(fresh_s(&[CONTROL, ("cdn-cache-control", "&&")]), Ok(10));
        assert_eq!(fresh_s(&[("cache-control", "s-maxage=5, max-age=10")]), Ok(5));
    }

    #[test]
    fn what_says_no_time_is_not_kept() {
        for lines in
            [&[][..], &[("cache-control", "public")], &[("last-modified", DATE_TEXT)], &[("etag", "\"a\"")]]
        {
            assert_eq!(fresh_s(lines), Err(NotKept::NoFreshness), "{lines:?}");
        }
        for (control, why) in [
            ("max-age=10, No-Store", NotKept::NoStore),
            ("max-age=10, private", NotKept::Private),
            ("max-age=10, private=\"a\"", NotKept::Private),
            ("max-age=10, no-cache", NotKept::NoCache),
            ("max-age=0", NotKept::Stale),
            ("max-age=-1", NotKept::Stale),
            ("max-age=soon", NotKept::Stale),
        ] {
            assert_eq!(fresh_s(&[("cache-control", control)]), Err(why), "{control}");
        }
        assert_eq!(
            fresh_s(&[("cache-control", "max-age=9"), ("vary", "accept, *")]),
            Err(NotKept::VariesByAll)
        );
        assert_eq!(of(206, &[("cache-control", "max-age=9")]), Err(NotKept::Status));
        assert_eq!(
            of(599, &[("cache-control", "max-age=9, no-store, must-understand")]),
            Err(NotKept::Status)
        );
        assert!(of(200, &[("cache-control", "max-age=9, no-store, must-understand")]).is_ok());
    }

    #[test]
    fn a_date_of_expiry_counts_where_no_time_is_said() {
        let later = ("expires", "Mon, 30 Nov 2026 12:00:10 GMT");
        assert_eq!(fresh_s(&[later]), Ok(10));
        assert_eq!(fresh_s(&[later, ("date", "Mon, 30 Nov 2026 12:00:05 GMT")]), Ok(5));
        assert_eq!(fresh_s(&[later, ("cache-control", "max-age=3")]), Ok(3));
        assert_eq!(fresh_s(&[("expires", "0")]), Err(NotKept::Stale));
        assert_eq!(fresh_s(&[later, ("expires", DATE_TEXT)]), Err(NotKept::Stale));
    }

    #[test]
    fn an_age_that_can_be_read_counts() {
        let age =
            |age: &str| of(200, &[("cache-control", "max-age=100"), ("age", age)]).map(|f| f.age.as_secs());
        assert_eq!(age("7"), Ok(7));
        assert_eq!(age("100"), Err(NotKept::Stale));
        assert_eq!(age("99999999999999999999999"), Err(NotKept::Stale));
        for unread in ["abc", "-7200", "7200.0", "7200s", ""] {
            assert_eq!(age(unread), Ok(0), "{unread}");
        }
    }

    #[test]
    fn stale_answers_are_used_as_they_allow() {
        let of = |control: &str| of(200, &[("cache-control", control)]).unwrap();
        let stale = of("max-age=1, stale-while-revalidate=2, stale-if-error=3");
        assert_eq!((stale.stale_while_revalidate.as_secs(), stale.stale_if_error.as_secs()), (2, 3));
        let strict = of("max-age=1, stale-while-revalidate=2, stale-if-error=3, must-revalidate");
        assert_eq!((strict.stale_while_revalidate, strict.stale_if_error), (Duration::ZERO, Duration::ZERO));
    }
}
