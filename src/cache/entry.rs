//! An answer that is kept.

use crate::asked::{Asked, MadeFor, ToldApart};
use crate::freshness::Freshness;
use crate::key::Key;
use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vitrine_bundle::Encoding;

/// Memory of an entry beside its texts: it, its headers' table, and its places on the shelf.
const OVERHEAD_BYTES: usize = 1 << 10;

/// An answer that is kept.
#[derive(Debug)]
pub struct Entry {
    pub(crate) key: Key,
    pub(crate) made_for: MadeFor,
    /// Status.
    pub status: StatusCode,
    /// Headers, as the app gave them.
    pub headers: HeaderMap,
    /// All of the body.
    pub body: Bytes,
    /// What it may be used for.
    pub freshness: Freshness,
    /// Tags by which it is purged.
    pub tags: Box<[Box<str>]>,
    /// CPU time of the render, in microseconds.
    pub cpu_us: u64,
    pub(crate) came: Instant,
    /// The number of purges when its render began.
    pub(crate) begun: u64,
    /// The number of purges that it was looked at for.
    pub(crate) checked: AtomicU64,
    pub(crate) hits: AtomicU64,
    /// What it was worth when it was used last; see the shelf.
    pub(crate) worth: AtomicU64,
    /// Where it is in its shard.
    pub(crate) place: AtomicUsize,
    encoded: [OnceLock<Bytes>; 3],
    encoded_bytes: AtomicUsize,
    bytes: usize,
}

/// What a new entry is made of.
#[derive(Debug)]
pub struct NewEntry {
    /// Status.
    pub status: StatusCode,
    /// Headers, as the app gave them.
    pub headers: HeaderMap,
    /// All of the body.
    pub body: Bytes,
    /// What it may be used for.
    pub freshness: Freshness,
    /// Tags by which it is purged.
    pub tags: Vec<String>,
    /// CPU time of the render, in microseconds.
    pub cpu_us: u64,
}

impl Entry {
    pub(crate) fn new(key: Key, made_for: MadeFor, new: NewEntry, begun: u64) -> Self {
        Self {
            key,
            made_for,
            status: new.status,
            headers: new.headers,
            body: new.body,
            freshness: new.freshness,
            tags: new.tags.into_iter().map(String::into_boxed_str).collect(),
            cpu_us: new.cpu_us,
            came: Instant::now(),
            begun,
            checked: AtomicU64::new(begun),
            hits: AtomicU64::new(0),
            worth: AtomicU64::new(0),
            place: AtomicUsize::new(0),
            encoded: Default::default(),
            encoded_bytes: AtomicUsize::new(0),
            bytes: 0,
        }
        .measured()
    }

    /// How old it is.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        self.freshness.age + now.saturating_duration_since(self.came)
    }

    /// How long it is fresh still.
    #[must_use]
    pub fn ttl(&self, now: Instant) -> Duration {
        self.freshness.lifetime.saturating_sub(self.age(now))
    }

    /// Whether it can't even be used as a stale one. One that is checked each time always can.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let Freshness { lifetime, stale_while_revalidate, stale_if_error, .. } = self.freshness;
        !lifetime.is_zero() && self.age(now) >= lifetime + stale_while_revalidate.max(stale_if_error)
    }

    /// How often it was used.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.key.url
    }

    /// What told entries of its address apart beforehand.
    #[must_use]
    pub fn variant(&self) -> &[u8] {
        &self.key.variant
    }

    /// Whether it was made for requests like this one, as far as it depends on them.
    #[must_use]
    pub fn fits(&self, asked: &impl Asked) -> bool {
        self.made_for.fits(asked)
    }

    /// The headers of a request for which it was made, as far as it depends on them.
    #[must_use]
    pub fn request_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.made_for.request_headers()
    }

    /// Its body in a coding, if it was compressed before.
    #[must_use]
    pub fn encoded(&self, encoding: Encoding) -> Option<&Bytes> {
        self.encoded[place_of(encoding)].get()
    }

    /// By what it is told apart from others of its key.
    pub(crate) fn told_apart(&self) -> ToldApart {
        self.made_for.names()
    }

    /// Bytes that it takes, without its codings.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn measured(mut self) -> Self {
        let headers =
            self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum::<usize>();
        let tags = self.tags.iter().map(|tag| tag.len() + 16).sum::<usize>();
        self.bytes =
            OVERHEAD_BYTES + self.body.len() + headers + tags + self.key.bytes() * 2 + self.made_for.bytes();
        self
    }

    /// Bytes of its codings.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.encoded_bytes.load(Ordering::Relaxed)
    }

    /// Keeps a coding; whether it was not there.
    pub(crate) fn keep(&self, encoding: Encoding, body: Bytes) -> bool {
        let bytes = body.len();
        let is_new = self.encoded[place_of(encoding)].set(body).is_ok();
        if is_new {
            self.encoded_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        is_new
    }
}

const fn place_of(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Zstd => 0,
        Encoding::Br => 1,
        Encoding::Gzip => 2,
    }
}
