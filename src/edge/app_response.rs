//! Answers with what the app gave (head re-encoded, body streamed), or with the shell.

use super::app_head::{self, is_html, re_encode};
use super::asset_cache::{AssetCache, Content};
use super::body::{Declared, Source, Streaming};
use super::compression::{self, StreamEncoder};
use super::conditional;
use super::context::RequestContext;
use super::own_cookie::PIN;
use super::release_tag::ReleaseTag;
use super::render::{Rendered, may_get_shell};
use super::response::{self, Failure, Reply, Timing, whole};
use super::routed::Routed;
use super::select::Selection;
use super::shared_caches::{Kept, keep_private};
use super::static_files::{Plan, plan};
use super::version_pin::{VARIES, VARIES_FOR_ALL};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, SET_COOKIE, VARY};
use http::{HeaderValue, Method, StatusCode};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use vitrine_core::limits::GATHERED_BYTES_MAX;
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::worker::{AnswerBody, Piece};
use vitrine_wire::{Done, Headers, Outcome};

/// What an adapter says of a page that was made at build time: the rules of `_headers` hold for it as for any file. It is not passed on.
const FILE_MARK: &str = "x-vitrine-file";

/// Answers with what the app gave. Answers that are streamed are compressed if there is a place for it among `encoders`.
///
/// # Errors
/// The render turns out to have failed before a byte left.
pub(crate) fn answer(
    context: &mut RequestContext,
    selection: &Selection,
    shared_domain: Option<&str>,
    encoders: Option<&Arc<AppPlaces>>,
    rendered: Rendered,
) -> Result<Reply, Failure> {
    let Rendered { answer, claim, waited, head_after, silence_timeout, uplink: _ } = rendered;
    let Some(status) = app_head::status(&answer.head) else {
        return Err(Failure::of(Outcome::AppError));
    };
    let mut body = answer.body;
    let (first, end) = gather(&mut body);
    let timing = timing(end.as_ref(), waited, head_after);
    let ended = end.as_ref().map(|done| done.outcome);
    context.done = end;
    if let Some(outcome) = ended.filter(|outcome| *outcome != Outcome::Ok) {
        return Err(Failure::of(outcome));
    }
    let declared = app_head::declared_bytes(&answer.head.headers);
    let mut headers = head(context, selection, shared_domain, status, answer.head.headers);
    context.edited_by_rule = true;
    context.outcome = Outcome::Ok;
    let has_none =
        matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    let is_head = context.info.method == Method::HEAD;
    // Of an answer that is at hand its own length is told.
    if let Some(bytes) = declared.filter(|_| !has_none && (is_head || ended.is_none())) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    // An app that calls itself would only unpack it again.
    let may_compress = selection.target.bundle.manifest.compression && context.info.own_call.is_none();
    let encoders = encoders.filter(|_| may_compress);
    let at_hand = ended.filter(|_| !is_head).map(|_| joined(&first));
    if let Some(data) = at_hand.as_ref().filter(|_| selection.target.bundle.manifest.auto_etag) {
        conditional::tag_by_content(&context.info.method, status, &mut headers, data);
    }
    let bytes = at_hand.as_ref().map_or(declared, |data| Some(data.len() as u64));
    let coding = encoders.and_then(|_| compression::negotiate(&context.headers, status, &mut headers, bytes));
    let is_known = conditional::is_not_modified(&context.info.method, &context.headers, status, &headers);
    if is_known || status == StatusCode::NOT_MODIFIED {
        // What the app would have answered in full, it did not say.
        if coding.is_some() || (encoders.is_some() && !is_known) {
            compression::declare_unmodified(&mut headers);
        }
        return Ok(not_modified(headers, timing));
    }
    if has_none || is_head {
        coding.into_iter().for_each(|coding| compression::declare(coding, &mut headers));
        return Ok(Reply { status, headers, source: Source::Empty, timing });
    }
    if let Some(mut data) = at_hand {
        if let Some(coding) = coding {
            compression::declare(coding, &mut headers);
            data = compression::whole(coding, &data).map_err(not_compressed)?;
        }
        return Ok(whole(context, status, headers, data, timing));
    }
    let app = &selection.target.release.app;
    let place = coding.zip(encoders).and_then(|(coding, encoders)| Some((coding, encoders.take(app)?)));
    let encoder = place.map(|(coding, place)| {
        compression::declare(coding, &mut headers);
        StreamEncoder::begin(coding, place).map(Box::new)
    });
    let encoder = encoder.transpose().map_err(not_compressed)?;
    context.begun = Some(context.elapsed());
    let declared = declared.map(Declared::of);
    let streaming = Streaming { first, body, claim, silence_timeout, timer: None, declared, encoder };
    Ok(Reply { status, headers, source: Source::Worker(Box::new(streaming)), timing })
}

/// The head of an answer, with what it says to caches, and the cookie that keeps a page's sub-requests at its release.
fn head(
    context: &RequestContext,
    selection: &Selection,
    shared_domain: Option<&str>,
    status: StatusCode,
    given: Headers,
) -> HeaderMap {
    let bundle = &selection.target.bundle;
    let is_file = !bundle.headers.is_empty() && given.iter().any(|(name, _)| name == FILE_MARK);
    let mut headers = re_encode(given, &context.address.host, shared_domain);
    if is_file {
        bundle.headers.apply(&context.address.host, context.app_path(), &mut headers);
    }
    if let Some(routed) = &context.routed {
        // What caches are told from here on follows from what leaves.
        routed.edit_headers(&mut headers, &context.address.host, context.info.uri.path());
    }
    ReleaseTag::of(bundle.digest).put_on(&context.headers, status, &mut headers);
    let cookie = pin_to_set(&headers, context, selection);
    let mut kept = Kept::of(&headers);
    // The cookie of another release would lead the page's own requests there, so this client needs an answer of its own.
    if cookie.is_some() && context.pin_cookie().is_some() && kept == Kept::Shared {
        keep_private(&mut headers);
        kept = Kept::Private;
    }
    // Such an answer leaves as a private one.
    let by_rule = context.routed.as_deref().is_some_and(Routed::is_private);
    if context.by_bucket || context.by_pin || context.guarded || by_rule {
        kept = Kept::Private;
    }
    keep_apart(&mut headers, kept, selection);
    // Shared caches would give the cookie to others.
    if let Some(cookie) = cookie.filter(|_| kept != Kept::Shared) {
        headers.append(SET_COOKIE, cookie);
    }
    headers
}

fn not_modified(mut headers: HeaderMap, timing: Timing) -> Reply {
    [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE].iter().for_each(|name| drop(headers.remove(name)));
    Reply { status: StatusCode::NOT_MODIFIED, headers, source: Source::Empty, timing }
}

fn not_compressed(error: io::Error) -> Failure {
    tracing::error!(%error, "an answer can't be compressed");
    Failure::of(Outcome::Overloaded)
}

/// Answers a request whose render failed before its first byte, with the status of what went wrong: with the shell, if the bundle names one
/// and the client is a browser that goes to a page.
///
/// # Errors
/// The failure itself, where no shell stands in.
pub(crate) async fn stand_in(
    files: &AssetCache,
    context: &mut RequestContext,
    selection: &Selection,
    failure: Failure,
) -> Result<Reply, Failure> {
    let shell = if may_get_shell(context, failure) { shell(files, selection).await } else { None };
    let Some((content_type, data)) = shell else { return Err(failure) };
    context.outcome = failure.outcome;
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(CONTENT_TYPE, content_type);
    response::tell_failure(&mut headers, failure);
    if let Some(cookie) = pin_to_set(&headers, context, selection) {
        headers.append(SET_COOKIE, cookie);
    }
    let timing = Timing::uncached(context.done.as_ref());
    Ok(whole(context, failure.status, headers, data, timing))
}

async fn shell(files: &AssetCache, selection: &Selection) -> Option<(HeaderValue, Bytes)> {
    let target = &selection.target;
    let path = format!("/{}", target.bundle.manifest.shell.as_ref()?);
    let asset = target.bundle.assets.get(&path)?;
    let Plan::Whole(variant) = plan(asset, &Method::GET, &HeaderMap::new(), None) else { return None };
    // A shell that can't be read is none: the error is answered.
    let Ok(Content::Memory(data, _)) = files.open(target, &path, asset, &variant, None).await else {
        return None;
    };
    Some((HeaderValue::try_from(&asset.content_type).ok()?, data))
}

/// Takes what is at hand without waiting: the pieces, and the end if it came with them.
fn gather(body: &mut AnswerBody) -> (VecDeque<Bytes>, Option<Done>) {
    let mut pieces = VecDeque::new();
    let mut bytes = 0;
    let mut now = Context::from_waker(Waker::noop());
    while bytes <= GATHERED_BYTES_MAX {
        match body.poll_next(&mut now) {
            Poll::Ready(Some(Piece::Data(data))) => {
                bytes += data.len();
                pieces.push_back(data);
            }
            Poll::Ready(Some(Piece::End(done))) => return (pieces, Some(*done)),
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    (pieces, None)
}

/// One piece is passed on as it is; several are copied together, which costs less than several writes.
fn joined(pieces: &VecDeque<Bytes>) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.front().cloned().unwrap_or_default();
    }
    let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        whole.extend_from_slice(piece);
    }
    whole.freeze()
}

/// What caches may keep must not be given to clients with another pin.
fn keep_apart(headers: &mut HeaderMap, kept: Kept, selection: &Selection) {
    let varies = match kept {
        _ if !selection.pinnable => return,
        Kept::Private => return,
        Kept::Perhaps => VARIES,
        Kept::Shared => VARIES_FOR_ALL,
    };
    headers.append(VARY, varies);
}

/// The cookie that keeps a page's sub-requests at its release, unless the browser has it.
fn pin_to_set(headers: &HeaderMap, context: &RequestContext, selection: &Selection) -> Option<HeaderValue> {
    let release = &selection.target.release;
    let pin = match context.routed.as_deref().and_then(Routed::chosen) {
        // Several apps may share the host name.
        Some(_) => Cow::Owned(release.to_string()),
        None => Cow::Borrowed(release.version.as_str()),
    };
    let reads = context.info.reads;
    let document = is_html(headers) && (reads.navigation || !reads.fetches) && selection.pinnable;
    (document && context.pin_cookie() != Some(&*pin)).then(|| PIN.set(&pin, context.info.https, None))
}

/// The worker's own figures when the answer is complete, else what the edge saw.
fn timing(end: Option<&Done>, waited: Duration, head_after: Duration) -> Timing {
    let own = Timing::uncached(end);
    let render = if end.is_some() { own.render } else { head_after };
    Timing { queue: own.queue + waited, render, ..own }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{app, table, target};
    use super::super::select::select;
    use super::*;
    use vitrine_proxy::route::split::VisitorId;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        re_encode(owned.collect(), "shop.localhost", None)
    }

    #[test]
    fn what_caches_keep_varies_with_the_pin() {
        let table = table(&[app("shop", "v1", vec![target("shop", "v1", &[])])]);
        let by = |host: &str| select(&table, host, None, VisitorId(7)).unwrap();
        let (live, own) = (by("shop.localhost"), by("shop-v1.localhost"));
        let varies = |headers: &[(&str, &str)], selection: &Selection| {
            let mut headers = map(headers);
            let kept = Kept::of(&headers);
            keep_apart(&mut headers, kept, selection);
            let last = headers.get_all(VARY).iter().next_back().map(|vary| vary.to_str().unwrap().to_owned());
            last.filter(|vary| vary.contains("x-vitrine-release"))
        };
        let by = |vary: &str| Some(vary.to_owned());
        let (all, each) = (by("x-vitrine-release"), by("x-vitrine-release, cookie"));
        assert_eq!(varies(&[("cache-control", "public, max-age=60")], &live), all);
        assert_eq!(varies(&[("cache-control", "s-maxage=60"), ("vary", "accept")], &live), all);
        assert_eq!(varies(&[("cache-control", "max-age=60")], &live), each);
        assert_eq!(varies(&[("last-modified", "Fri, 20 Nov 2026 23:36:12 GMT")], &live), each);
        assert_eq!(varies(&[("cache-control", "private, max-age=60")], &live), None);
        assert_eq!(varies(&[("cache-control", "No-Store")], &live), None);
        assert_eq!(varies(&[], &live), None);
        for control in ["private, max-age=60", "no-store"] {
            assert_eq!(
                varies(&[("cache-control", control), ("CDN-Cache-Control", "max-age=60")], &live),
                all
            );
        }
        assert_eq!(varies(&[("netlify-cdn-cache-control", "max-age=60")], &live), all);
        assert_eq!(varies(&[("cache-control", "public, max-age=60")], &own), None);
    }
}
