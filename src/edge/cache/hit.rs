//! An answer that the app was not asked for.

use bytes::Bytes;
use http::StatusCode;
use http::header::{AGE, HeaderMap};
use std::sync::Arc;
use std::time::Instant;
use vitrine_bundle::Encoding;
use vitrine_cache::{Cache, Entry, Following};

/// See the module.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Status.
    pub status: StatusCode,
    /// Headers as the app gave them, and the age.
    pub headers: HeaderMap,
    /// The body.
    pub body: StoredBody,
}

/// The body of such an answer.
#[derive(Debug)]
pub(crate) enum StoredBody {
    /// All of it, and where its codings are kept.
    Whole(Arc<Cache>, Arc<Entry>),
    /// It comes from the render of another request.
    Coming(Following),
}

impl Stored {
    pub(crate) fn whole(cache: Arc<Cache>, entry: Arc<Entry>) -> Self {
        let mut headers = entry.headers.clone();
        headers.insert(AGE, entry.age(Instant::now()).as_secs().into());
        Self { status: entry.status, headers, body: StoredBody::Whole(cache, entry) }
    }

    /// A page that its app says is good still, with headers that it may not be kept with.
    pub(super) fn as_said(cache: Arc<Cache>, entry: Arc<Entry>, headers: HeaderMap) -> Self {
        Self { status: entry.status, headers, body: StoredBody::Whole(cache, entry) }
    }

    pub(super) const fn coming(status: StatusCode, headers: HeaderMap, following: Following) -> Self {
        Self { status, headers, body: StoredBody::Coming(following) }
    }
}

/// The body of an entry in a coding, which is kept with it.
pub(crate) fn encoded<E>(
    cache: &Cache,
    entry: &Arc<Entry>,
    encoding: Encoding,
    encode: impl FnOnce(&Bytes) -> Result<Bytes, E>,
) -> Result<Bytes, E> {
    if let Some(known) = entry.encoded(encoding) {
        return Ok(known.clone());
    }
    let encoded = encode(&entry.body)?;
    cache.keep_encoded(entry, encoding, encoded.clone());
    Ok(encoded)
}
