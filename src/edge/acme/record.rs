//! A name's certificate as it is kept, and when the next order is due.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use vitrine_core::limits::{ACME_JITTER_SHARE, ACME_RENEWAL_SHARE, ACME_RETRY_S};
use vitrine_proxy::certificates::{CertificateError, Pair};

/// A name's certificate, and how the last orders went. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Directory of the authority that issued the certificate.
    directory: String,
    certificate: Option<Kept>,
    /// Since the last success.
    failures: usize,
    /// Not before that.
    retry_at_s: i64,
}

/// A certificate as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// PEM.
    chain: String,
    /// PKCS #8 in base64.
    key: String,
    renew_at_s: i64,
    expires_s: i64,
}

impl std::fmt::Debug for Kept {
    // The key is not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("renew_at_s", &self.renew_at_s).finish_non_exhaustive()
    }
}

impl Record {
    /// Whether an order is to be made with this authority now.
    pub(super) fn is_due(&self, directory: &str, now_s: i64) -> bool {
        let renews = self.certificate.as_ref().is_none_or(|kept| kept.renew_at_s <= now_s);
        now_s >= self.retry_at_s && (renews || self.directory != directory)
    }

    /// The certificate, unless its time is over.
    pub(super) fn pair(&self, name: &str, now_s: i64) -> Option<Result<Pair, CertificateError>> {
        let kept = self.certificate.as_ref().filter(|kept| kept.expires_s > now_s)?;
        let key = BASE64_STANDARD.decode(&kept.key).unwrap_or_default();
        Some(Pair::issued(name, kept.chain.as_bytes(), key))
    }

    /// Whether there is nothing left of it: no certificate whose time is not over, and no failure that is to be waited for.
    pub(super) fn is_over(&self, now_s: i64) -> bool {
        self.retry_at_s <= now_s && self.certificate.as_ref().is_none_or(|kept| kept.expires_s <= now_s)
    }

    /// What is ordered first: new names and certificates that end, in the order of their failures.
    pub(super) fn urgency(&self) -> (usize, i64) {
        (self.failures, self.certificate.as_ref().map_or(0, |kept| kept.expires_s))
    }

    /// Failures since the last success.
    pub(super) const fn failures(&self) -> usize {
        self.failures
    }

    /// After a success. `random` is from 0 to 1.
    pub(super) fn succeeded(directory: &str, chain: String, key: &[u8], pair: &Pair, random: f64) -> Self {
        let kept = Kept {
            chain,
            key: BASE64_STANDARD.encode(key),
            renew_at_s: renew_at_s(pair.begins_s, pair.expires_s, random),
            expires_s: pair.expires_s,
        };
        Self { directory: directory.to_owned(), certificate: Some(kept), failures: 0, retry_at_s: 0 }
    }

    /// After a failure that is not to be repeated for so long at least.
    pub(super) fn failed(mut self, least_s: i64, now_s: i64, random: f64) -> Self {
        self.retry_at_s =
            now_s + wait_s(self.failures).max(least_s) + spread(wait_s(self.failures) / 4, random);
        self.failures += 1;
        self
    }

    /// When it is tried again.
    pub(super) const fn retry_at_s(&self) -> i64 {
        self.retry_at_s
    }
}

/// When a third of the lifetime is left, or somewhat earlier.
fn renew_at_s(begins_s: i64, expires_s: i64, random: f64) -> i64 {
    let lifetime_s = (expires_s - begins_s).max(0);
    expires_s - lifetime_s / ACME_RENEWAL_SHARE - spread(lifetime_s / ACME_JITTER_SHARE, random)
}

/// Wait after so many failures before this one.
fn wait_s(failures: usize) -> i64 {
    ACME_RETRY_S[failures.min(ACME_RETRY_S.len() - 1)]
}

fn spread(over_s: i64, random: f64) -> i64 {
    (over_s as f64 * random) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_time_is_left_or_somewhat_before() {
        assert_eq!(renew_at_s(0, 90 * DAY_S, 0.0), 60 * DAY_S);
        assert_eq!(renew_at_s(0, 90 * DAY_S, 1.0), 57 * DAY_S);
        assert_eq!(renew_at_s(0, 6 * DAY_S, 0.0), 4 * DAY_S);
        let kept = Kept { chain: String::new(), key: String::new(), renew_at_s: 100, expires_s: 200 };
        let record = Record { directory: "a".into(), certificate: Some(kept), failures: 0, retry_at_s: 0 };
        assert!(!record.is_due("a", 99) && record.is_due("a", 100));
        assert!(record.is_due("b", 99), "of another authority");
        assert!(record.pair("a.example", 200).is_none(), "its time is over");
        assert!(!record.is_over(199) && record.is_over(200));
    }

    #[test]
    fn failures_are_repeated_ever_more_rarely() {
        let mut record = Record::default();
        let mut now_s = 0;
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(record.is_due("a", now_s));
            record = record.failed(0, now_s, 0.0);
            assert!(!record.is_due("a", record.retry_at_s() - 1));
            waits.push(record.retry_at_s() - now_s);
            now_s = record.retry_at_s();
        }
        assert_eq!(waits, [60, 600, 3_600, 14_400, DAY_S / 2, DAY_S, DAY_S, DAY_S]);
        let (limited, spread) =
            (Record::default().failed(3_600, 0, 0.0), Record::default().failed(0, 0, 1.0));
        assert_eq!((limited.retry_at_s(), spread.retry_at_s()), (3_600, 75));
    }

    #[test]
    fn a_key_is_not_for_logs() {
        let kept = Kept { chain: String::new(), key: "c2VjcmV0".into(), renew_at_s: 1, expires_s: 2 };
        let record = Record { certificate: Some(kept), ..Record::default() };
        assert!(!format!("{record:?}").contains("c2VjcmV0"));
    }
}
