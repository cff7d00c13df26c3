//! Whether an answer may be kept for others, and by what it is told apart. Pure.

use super::sight::{Sight, cookies, has_keyed_cookies_alone};
use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, COOKIE, HeaderMap, SET_COOKIE};
use http::{HeaderName, StatusCode};
use memchr::memmem;
use percent_encoding::percent_decode;
use std::borrow::Cow;
use vitrine_bundle::{CacheMode, CacheWish};
use vitrine_cache::{Asked, ToldApart};
use vitrine_core::limits::CACHED_SECRET_BYTES_MIN;
use vitrine_wire::{Outcome, Reads};

/// Headers that differ from request to request: a page that depends on one is of use to nobody else.
const OF_ONE_REQUEST: [&str; 6] =
    ["traceparent", "tracestate", "x-forwarded-for", "x-real-ip", "x-request-id", "x-vitrine-own-call"];
/// Headers that say the same as the URL, or as the variants of experiments, which are in every key.
const IN_THE_KEY: [&str; 5] =
    ["host", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-proto", "x-vitrine-experiments"];
/// React's mark of a boundary that failed on the server.
const FAILED_BOUNDARY: &[u8] = b"<!--$!-->";

/// Why an answer is not kept. Its text is the detail of `cache-status`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It gives its visitor a cookie.
    #[error("set-cookie")]
    SetsCookie,
    /// It has a nonce, which is for one use.
    #[error("nonce in content-security-policy")]
    HasNonce,
    /// It is a part of something.
    #[error("partial")]
    IsPart,
    /// It varies by everything, or by what no key can have.
    #[error("vary {0}")]
    Varies(String),
    /// The render read a header that differs from request to request.
    #[error("read {0}")]
    ReadHeader(String),
    /// It copied or went through all headers.
    #[error("read all headers")]
    ReadAllHeaders,
    /// It read a cookie by which pages are not kept apart.
    #[error("read cookie {0}")]
    ReadCookie(String),
    /// It took random numbers.
    #[error("read randomness")]
    ReadRandomness,
    /// The request carries a credential, and the answer does not say that others may have it.
    #[error("authorization")]
    Credential,
    /// The worker did not say what was read.
    #[error("no ledger")]
    NoLedger,
    /// Its render fetched from too many addresses.
    #[error("fetched too much")]
    DependsOnTooMuch,
    /// It did not end well.
    #[error("outcome {0}")]
    Failed(Outcome),
    /// A part of the page failed.
    #[error("failed boundary")]
    FailedBoundary,
    /// The value of one of the visitor's own cookies, or of the credential, is in the page.
    #[error("holds {0}")]
    HoldsSecret(String),
}

/// What decides, besides the answer.
pub(crate) struct Judge<'a> {
    pub wish: &'a CacheWish,
    pub mode: CacheMode,
    pub sight: &'a Sight,
}

impl Judge<'_> {
    /// Whether the head of an answer lets it be kept.
    pub(crate) fn head(&self, status: StatusCode, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.contains_key(SET_COOKIE) {
            return Err(Refusal::SetsCookie);
        }
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Refusal::IsPart);
        }
        let mut policies = headers.get_all(CONTENT_SECURITY_POLICY).iter();
        if policies.any(|policy| memmem::find(policy.as_bytes(), b"'nonce-").is_some()) {
            return Err(Refusal::HasNonce);
        }
        Ok(())
    }

    /// By what an answer is told apart that says that it varies by these, and whose render read that.
    pub(crate) fn told_apart(
        &self,
        vary: &[HeaderName],
        reads: Option<&Reads>,
        asked: &impl Asked,
    ) -> Result<ToldApart, Refusal> {
        let mut apart = ToldApart::default();
        for name in vary {
            self.by_header(name, asked, &mut apart).map_err(|refusal| match refusal {
                Refusal::ReadHeader(name) => Refusal::Varies(name),
                other => other,
            })?;
        }
        // What a narrowed render could read is in the key.
        if self.mode != CacheMode::Declared {
            let reads = reads.ok_or(Refusal::NoLedger)?;
            if matches!(self.sight, Sight::Full) {
                self.by_reads(reads, asked, &mut apart)?;
            }
            if reads.random && self.mode == CacheMode::Observed {
                return Err(Refusal::ReadRandomness);
            }
        }
        apart.headers.sort_by(|one, two| one.as_str().cmp(two.as_str()));
        apart.headers.dedup();
        apart.cookies.sort();
        apart.cookies.dedup();
        Ok(apart)
    }

    fn by_reads(&self, reads: &Reads, asked: &impl Asked, apart: &mut ToldApart) -> Result<(), Refusal> {
        if reads.all_headers {
            return Err(Refusal::ReadAllHeaders);
        }
        for name in &reads.headers {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
            self.by_header(&name, asked, apart)?;
        }
        for name in &reads.cookies {
            // One that is not there makes the page of all who have none.
            if asked.cookie(name).is_some() && !self.wish.keyed_cookies.contains(name) {
                return Err(Refusal::ReadCookie(name.clone()));
            }
            apart.cookies.push(name.clone());
        }
        Ok(())
    }

    fn by_header(&self, name: &HeaderName, asked: &impl Asked, apart: &mut ToldApart) -> Result<(), Refusal> {
        if IN_THE_KEY.contains(&name.as_str()) {
            return Ok(());
        }
        if OF_ONE_REQUEST.contains(&name.as_str()) {
            return Err(Refusal::ReadHeader(name.to_string()));
        }
        if self.mode != CacheMode::Declared {
            let value = asked.header(name);
            if name == AUTHORIZATION && value.is_some() {
                return Err(Refusal::ReadHeader(name.to_string()));
            }
            if name == COOKIE && value.is_some_and(|line| !has_keyed_cookies_alone(self.wish, &line)) {
                return Err(Refusal::ReadCookie(self.first_unkeyed(asked)));
            }
        }
        apart.headers.push(name.clone());
        Ok(())
    }

    fn first_unkeyed(&self, asked: &impl Asked) -> String {
        let line = asked.header(&COOKIE).unwrap_or_default();
        let mut names = cookies(&line).map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        names.find(|name| !self.wish.keyed_cookies.contains(name)).unwrap_or_default()
    }

    /// Whether the render could see a credential.
    pub(crate) fn has_credential(&self, asked: &impl Asked) -> bool {
        matches!(self.sight, Sight::Full) && asked.header(&AUTHORIZATION).is_some()
    }

    /// Whether the bytes of an answer let it be kept: none of them may be the visitor's own, however they came there.
    pub(crate) fn body(&self, is_html: bool, body: &[u8], asked: &impl Asked) -> Result<(), Refusal> {
        if self.mode == CacheMode::Declared {
            return Ok(());
        }
        if is_html && memmem::find(body, FAILED_BOUNDARY).is_some() {
            return Err(Refusal::FailedBoundary);
        }
        let holds =
            |value: &[u8]| value.len() >= CACHED_SECRET_BYTES_MIN && memmem::find(body, value).is_some();
        if let Some(credential) = asked.header(&AUTHORIZATION) {
            let token = credential.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
            if holds(token) {
                return Err(Refusal::HoldsSecret(AUTHORIZATION.to_string()));
            }
        }
        let line = asked.header(&COOKIE).unwrap_or_default();
        for (name, whole) in cookies(&line) {
            let value = whole.get(name.len() + 1..).unwrap_or_default().trim_ascii();
            let value =
                value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            let decoded: Cow<'_, [u8]> = percent_decode(value).into();
            let is_keyed = self.wish.keyed_cookies.iter().any(|keyed| keyed.as_bytes() == name);
            if !is_keyed && (holds(value) || holds(&decoded)) {
                return Err(Refusal::HoldsSecret(format!("cookie {}", String::from_utf8_lossy(name))));
            }
        }
        Ok(())
    }
}
