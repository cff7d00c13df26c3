//! Parts of an answer that is kept: RFC 9110, 14. Pure.

use super::body::Source;
use super::context::RequestContext;
use super::response::{Reply, Timing};
use super::static_files::{Asked, part_of};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE};
use http::{HeaderValue, Method, StatusCode};
use vitrine_cache::Entry;

/// The part that a client asks for, if it asks for one that there is.
pub(crate) fn part(
    context: &RequestContext,
    headers: &HeaderMap,
    entry: &Entry,
    timing: Timing,
) -> Option<Reply> {
    let range = context.headers.get(RANGE)?;
    if context.info.method != Method::GET
        || entry.status != StatusCode::OK
        || !resumes(&context.headers, headers)
    {
        return None;
    }
    let bytes = entry.body.len() as u64;
    let mut headers = headers.clone();
    let value = |text: String| HeaderValue::try_from(text).expect("numbers are ASCII");
    match part_of(range, bytes) {
        Asked::Whole => None,
        Asked::Nothing => {
            headers.insert(CONTENT_RANGE, value(format!("bytes */{bytes}")));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            Some(Reply { status: StatusCode::RANGE_NOT_SATISFIABLE, headers, source: Source::Empty, timing })
        }
        Asked::Part(part) => {
            let (first, last) = (*part.start(), *part.end());
            headers.insert(CONTENT_RANGE, value(format!("bytes {first}-{last}/{bytes}")));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(last - first + 1));
            let data = entry.body.slice(usize::try_from(first).ok()?..=usize::try_from(last).ok()?);
            Some(Reply { status: StatusCode::PARTIAL_CONTENT, headers, source: Source::Memory(data), timing })
        }
    }
}

/// Whether the client has the beginning of this very answer: it says no validator, or the answer's strong one.
fn resumes(asked: &HeaderMap, headers: &HeaderMap) -> bool {
    let Some(known) = asked.get(IF_RANGE) else { return true };
    let is_strong = !known.as_bytes().starts_with(b"W/");
    (is_strong && headers.get(ETAG) == Some(known)) || headers.get(LAST_MODIFIED) == Some(known)
}
