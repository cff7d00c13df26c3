//! Answers with what the app gave (head re-encoded, body streamed), or with the shell.

use super::app_head::{self, said};
use super::asset_cache::{AssetCache, Content};
use super::body::{ComingBody, Declared, Source, Streaming};
use super::cache::{Coming, Fill, Filled, Stored, StoredBody, encoded, pump};
use super::compression;
use super::conditional;
use super::context::RequestContext;
use super::ranges;
use super::render::{Rendered, may_get_shell};
use super::response::{self, Failure, Reply, Timing, whole};
use super::select::Selection;
use super::sent::{Sent, pin_to_set};
use super::static_files::{Plan, plan};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use vitrine_core::limits::GATHERED_BYTES_MAX;
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::worker::{AnswerBody, Piece};
use vitrine_wire::{Done, Outcome};

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
    fill: Option<Box<Fill>>,
) -> Result<Reply, Failure> {
    let Rendered { answer, claim, waited, head_after, silence_timeout, uplink: _ } = rendered;
    let Some(status) = app_head::status(&answer.head) else {
        return Err(Failure::of(Outcome::AppError));
    };
    let mut body = answer.body;
    let (first, end) = gather(&mut body);
    let timing = timing(context, end.as_ref(), waited, head_after);
    let ended = end.as_ref().map(|done| done.outcome);
    if let Some(outcome) = ended.filter(|outcome| *outcome != Outcome::Ok) {
        context.done = end;
        return Err(Failure::of(outcome));
    }
    let declared = app_head::declared_bytes(&answer.head.headers);
    let bundle = &selection.target.bundle;
    let mut said =
        said(bundle, &context.address.host, context.app_path(), shared_domain, answer.head.headers);
    let is_head = context.info.method == Method::HEAD;
    let at_hand = end.as_ref().filter(|_| !is_head).map(|_| joined(&first));
    if let Some(data) = at_hand.as_ref().filter(|_| bundle.manifest.auto_etag) {
        conditional::tag_by_content(&context.info.method, status, &mut said, data);
    }
    let filled = match fill {
        Some(fill) if status == StatusCode::NOT_MODIFIED && context.asks_by_what_is_kept() => {
            context.done = end;
            let confirmed = fill.confirmed_for(context, &said).ok_or(Failure::of(Outcome::AppError))?;
            return stored(context, selection, encoders, confirmed);
        }
        fill => fill.and_then(|fill| fill.head(context, status, &said, &selection.target)),
    };
    let filled = match (filled, at_hand.clone().zip(end.as_ref())) {
        (Some(filled), Some((data, done))) => {
            filled.end(context, data, done);
            None
        }
        (filled, _) => filled,
    };
    context.done = end;
    let mut sent = Sent::begin(context, selection, encoders, status, said, timing);
    // Of an answer that is at hand its own length is told.
    if let Some(bytes) = declared.filter(|_| !sent.has_none && (is_head || ended.is_none())) {
        sent.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    let bytes = at_hand.as_ref().map_or(declared, |data| Some(data.len() as u64));
    if let Some(reply) = sent.without_body(context, bytes) {
        return Ok(reply);
    }
    if let Some(data) = at_hand {
        return sent.whole(context, |coding| match coding {
            Some(coding) => compression::whole(coding, &data),
            None => Ok(data),
        });
    }
    let encoder = sent.encoder(selection)?;
    context.begun = Some(context.elapsed());
    let declared = declared.map(Declared::of);
    let streaming = Streaming { first, body, claim, silence_timeout, timer: None, declared, encoder };
    Ok(Reply { status, headers: sent.headers, source: source(context, filled, streaming), timing })
}

/// Where the body of an answer that is streamed comes from: its worker, or the task that keeps it meanwhile.
fn source(context: &RequestContext, filled: Option<Filled>, streaming: Streaming) -> Source {
    let Some(filled) = filled else { return Source::Worker(Box::new(streaming)) };
    let Streaming { first, body, claim, silence_timeout, encoder, .. } = streaming;
    let asked = filled.frozen(context);
    let coming = pump(filled, asked, first, body, claim, silence_timeout);
    Source::Coming(Box::new(ComingBody { coming, encoder }))
}

/// Answers with what is kept, or with what another request's render gives.
///
/// # Errors
/// It can't be compressed.
pub(crate) fn stored(
    context: &mut RequestContext,
    selection: &Selection,
    encoders: Option<&Arc<AppPlaces>>,
    stored: Stored,
) -> Result<Reply, Failure> {
    let Stored { status, headers, body } = stored;
    let timing = Timing { cache: context.cached.came, ..Timing::default() };
    let mut sent = Sent::begin(context, selection, encoders, status, headers, timing);
    match body {
        StoredBody::Whole(cache, entry) => {
            if let Some(reply) = ranges::part(context, &sent.headers, &entry, timing) {
                return Ok(reply);
            }
            if let Some(reply) = sent.without_body(context, Some(entry.body.len() as u64)) {
                return Ok(reply);
            }
            sent.whole(context, |coding| match coding {
                Some(coding) => encoded(&cache, &entry, coding, |data| compression::whole(coding, data)),
                None => Ok(entry.body.clone()),
            })
        }
        StoredBody::Coming(following) => {
            if let Some(reply) = sent.without_body(context, None) {
                return Ok(reply);
            }
            let encoder = sent.encoder(selection)?;
            context.begun = Some(context.elapsed());
            let coming = Coming::of_follower(following);
            let source = Source::Coming(Box::new(ComingBody { coming, encoder }));
            Ok(Reply { status, headers: sent.headers, source, timing })
        }
    }
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

/// The worker's own figures when the answer is complete, else what the edge saw.
fn timing(context: &RequestContext, end: Option<&Done>, waited: Duration, head_after: Duration) -> Timing {
    let own = Timing::uncached(end);
    let render = if end.is_some() { own.render } else { head_after };
    Timing { queue: own.queue + waited, render, cache: context.cached.came }
}
