//! Answers with a client file.

use super::asset_cache::{AssetCache, Content};
use super::body::Source;
use super::caching::{Caching, cache_control, caching};
use super::context::RequestContext;
use super::negotiate::AVAILABLE_DICTIONARY;
use super::response::{Failure, Reply, Timing, whole};
use super::select::{Pin, Selection};
use super::static_files::{Plan, Variant, plan};
use super::version_pin::VARIES;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, StatusCode};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::sync::Arc;
use vitrine_bundle::{Asset, dictionary_pattern};
use vitrine_proxy::route::Target;
use vitrine_proxy::route::speaks::Voice;
use vitrine_wire::Outcome;

/// Says which later files a client may decode against this one (RFC 9842).
const USE_AS_DICTIONARY: HeaderName = HeaderName::from_static("use-as-dictionary");

/// Answers with a file of `target`.
///
/// # Errors
/// It can't be read.
pub(crate) async fn answer(
    files: &AssetCache,
    context: &mut RequestContext,
    selection: &Selection,
    target: &Arc<Target>,
    path: &str,
) -> Result<Reply, Failure> {
    context.answered_by(target);
    if selection.files_only.as_ref().is_some_and(|pinned| Arc::ptr_eq(pinned, target)) {
        context.pin = Pin::Met;
        context.by_pin = true;
    }
    context.outcome = Outcome::Ok;
    // The path came out of this index.
    let asset = &target.bundle.assets[path];
    let caching = caching(selection, path, asset);
    context.by_bucket &= caching != Caching::ForAll;
    context.by_pin &= caching != Caching::ForAll;
    let (plan, delta) = planned(files, context, target, asset).await;
    let variant = plan.variant();
    let (part, status) = part_and_status(&plan);
    let mut headers = describe(caching, selection.pinnable, variant);
    if let Some(pattern) = target.deltas.as_ref().and_then(|_| dictionary_pattern(path, asset)) {
        headers.insert(USE_AS_DICTIONARY, text(format!("match=\"{pattern}\"")));
        headers.append(VARY, HeaderValue::from(AVAILABLE_DICTIONARY));
    }
    match status {
        StatusCode::NOT_MODIFIED => {
            apply_rules(selection, target, &context.address.host, path, &mut headers);
            return Ok(whole(context, status, headers, Bytes::new(), timing("hit")));
        }
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED => {
            return Ok(refused(context, status, headers, variant));
        }
        _ => {}
    }
    let bytes = part.as_ref().map_or(variant.bytes, |part| part.end() - part.start() + 1);
    if let Some(part) = &part {
        headers
            .insert(CONTENT_RANGE, text(format!("bytes {}-{}/{}", part.start(), part.end(), variant.bytes)));
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(CONTENT_TYPE, text(asset.content_type.clone()));
    apply_rules(selection, target, &context.address.host, path, &mut headers);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if context.info.method == Method::HEAD || bytes == 0 {
        return Ok(Reply { status, headers, source: Source::Empty, timing: timing("bypass") });
    }
    if let Some(data) = delta {
        return Ok(Reply { status, headers, source: Source::Memory(data), timing: timing("hit") });
    }
    match files.open(target, path, asset, variant, part).await {
        Ok(Content::Memory(data, hit)) => {
            let timing = timing(if hit { "hit" } else { "miss" });
            Ok(Reply { status, headers, source: Source::Memory(data), timing })
        }
        Ok(Content::Disk(file)) => {
            Ok(Reply { status, headers, source: Source::file(file, bytes), timing: timing("bypass") })
        }
        Err(error) => {
            let release = &target.release;
            let cause = &error as &dyn std::error::Error;
            tracing::warn!(%release, path, error = cause, "a client file can't be read");
            // A release that was removed meanwhile is gone; whatever else it is may be over in a moment.
            let gone = error.kind() == ErrorKind::NotFound;
            Err(Failure::of(if gone { Outcome::NoRelease } else { Outcome::Overloaded }))
        }
    }
}

fn part_and_status(plan: &Plan) -> (Option<RangeInclusive<u64>>, StatusCode) {
    match plan {
        Plan::Whole(_) => (None, StatusCode::OK),
        Plan::Part(_, part) => (Some(part.clone()), StatusCode::PARTIAL_CONTENT),
        Plan::NotModified(_) => (None, StatusCode::NOT_MODIFIED),
        Plan::Failed(_) => (None, StatusCode::PRECONDITION_FAILED),
        Plan::Unsatisfiable(_) => (None, StatusCode::RANGE_NOT_SATISFIABLE),
    }
}

/// How the file is sent, with the delta where that is one. A delta that can't be read is no longer answered with.
async fn planned(
    files: &AssetCache,
    context: &RequestContext,
    target: &Target,
    asset: &Asset,
) -> (Plan, Option<Bytes>) {
    let planned = |deltas| plan(asset, &context.info.method, &context.headers, deltas);
    let Some(deltas) = &target.deltas else { return (planned(None), None) };
    let plan = planned(Some(deltas));
    let Some(delta) = plan.variant().delta else { return (plan, None) };
    match files.delta(target, &delta).await {
        Ok(data) => (plan, Some(data)),
        Err(error) => {
            let release = &target.release;
            tracing::warn!(%release, error = &error as &dyn std::error::Error, "a delta can't be read; the file is sent whole");
            deltas.forget(&delta);
            (planned(None), None)
        }
    }
}

/// Refuses a range outside of the file, or a precondition that does not hold.
fn refused(
    context: &mut RequestContext,
    status: StatusCode,
    mut headers: HeaderMap,
    variant: &Variant,
) -> Reply {
    context.outcome = Outcome::ClientError;
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        headers.insert(CONTENT_RANGE, text(format!("bytes */{}", variant.bytes)));
    }
    // The file may be kept for a year, this refusal may not be kept at all.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    whole(context, status, headers, Bytes::new(), timing("bypass"))
}

/// Applies the bundle's own rules for headers. A release that gives its files alone must not turn them into pages.
fn apply_rules(selection: &Selection, target: &Arc<Target>, host: &str, path: &str, headers: &mut HeaderMap) {
    let rules = &target.bundle.headers;
    if Arc::ptr_eq(target, &selection.target) && selection.voice == Voice::Everything {
        rules.apply(host, path, headers);
    } else {
        rules.apply_to_foreign(host, path, headers);
    }
}

fn describe(caching: Caching, pinnable: bool, variant: &Variant) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(ETAG, variant.etag.clone());
    headers.insert(CACHE_CONTROL, cache_control(caching));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if pinnable && caching != Caching::ForAll {
        headers.append(VARY, VARIES);
    }
    if let Some(coding) = variant.coding() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    headers
}

fn timing(cache: &'static str) -> Timing {
    Timing { cache, ..Timing::default() }
}

/// A media type that is no legal header becomes the one that promises nothing.
fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
