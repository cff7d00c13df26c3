//! What the cache makes of a request that the app is asked for: its answer may become a page of many.

use super::sight::Sight;
use super::url;
use bytes::Bytes;
use http::header::{ETAG, HeaderValue, LAST_MODIFIED};
use std::borrow::Cow;
use vitrine_bundle::CacheWish;
use vitrine_cache::Entry;
use vitrine_wire::RequestHead;

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the render sees.
    pub sight: Sight,
    /// Whether the render is to make a whole page, whatever the client has already.
    pub whole: bool,
    /// What the page that is kept and stale is checked by: the app may say that it is good still.
    pub checks: Vec<(&'static str, HeaderValue)>,
}

/// Headers by which a client asks for less than a whole page.
const CONDITIONS: [&str; 6] =
    ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"];

/// What a page that is kept is checked by.
pub(super) fn checks(entry: &Entry) -> Vec<(&'static str, HeaderValue)> {
    let of = |name, condition| Some((condition, entry.headers.get(name)?.clone()));
    [of(ETAG, "if-none-match"), of(LAST_MODIFIED, "if-modified-since")].into_iter().flatten().collect()
}

impl Shared {
    /// Makes the request that a worker gets.
    pub(crate) fn edit(&self, wish: &CacheWish, head: &mut RequestHead) {
        head.ledger = true;
        if let Some((path, query)) = head.url.split_once('?')
            && let Cow::Owned(kept) = url::query(wish, query).unwrap_or(Cow::Owned(String::new()))
        {
            head.url = if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
        }
        self.sight.apply(wish, &mut head.headers);
        if self.whole {
            head.headers.retain(|(name, _)| !CONDITIONS.contains(&name.as_str()));
        }
        let checks = self.checks.iter();
        head.headers.extend(
            checks.map(|(name, value)| ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes()))),
        );
    }
}
