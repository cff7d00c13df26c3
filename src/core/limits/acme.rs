//! Certificates by ACME. Authorities have bounds of their own, and an account that exceeds them waits for hours: those of Let's Encrypt are 300
//! orders of an account in three hours, and five failures of a name in one.

/// Orders in flight at once: each holds one connection to the authority, which looks at a name within seconds.
pub const ACME_ORDERS_AT_ONCE: usize = 4;
/// Orders that are begun in an hour.
pub const ACME_ORDERS_PER_HOUR_MAX: usize = 90;
/// See [`ACME_ORDERS_PER_HOUR_MAX`].
pub const ACME_HOUR_MS: u64 = 3_600_000;
/// Waits after failures of one name, in seconds: three in the first hour, then fewer, once a day at last. Up to a quarter is added at random.
pub const ACME_RETRY_S: [i64; 6] = [60, 600, 3_600, 14_400, 43_200, 86_400];
/// Wait after an authority said that it was asked too often, in seconds, if that is more.
pub const ACME_LIMITED_S: i64 = 3_600;
/// One call of an authority.
pub const ACME_CALL_MS: u64 = 30_000;
/// An order from its first call to the certificate: authorities look from several places, and may queue.
pub const ACME_ORDER_MS: u64 = 180_000;
/// How long an authority may take for one step of an order, or to open an account.
pub const ACME_STEP_MS: u64 = 75_000;
/// First pause between two looks at a step; later ones are longer by half.
pub const ACME_POLL_MS: u64 = 500;
/// An answer of an authority: a chain of certificates has some 5 kB.
pub const ACME_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Time between two looks whether the route table has changed: a deployed app has a certificate within seconds.
pub const ACME_CHECK_MS: u64 = 2_000;
/// Time between two looks for what is due under a route table that did not change: ten thousand names take milliseconds.
pub const ACME_LOOK_MS: u64 = 30_000;
/// Names that clients asked for and that wait to be looked at. A client whose name finds no place asks again.
pub const ACME_ASKED_MAX: usize = 64;
/// Part of a certificate's lifetime that is left when it is renewed: a third, which is 30 days of 90.
pub const ACME_RENEWAL_SHARE: i64 = 3;
/// Part of the lifetime over which renewals are spread, so that those of one day are not all due at once again.
pub const ACME_JITTER_SHARE: i64 = 30;
