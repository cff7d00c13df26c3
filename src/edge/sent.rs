//! An answer of an app on its way to its client: in the words for this client, in the coding that it reads, or known to it already.

use super::app_head::is_html;
use super::body::Source;
use super::compression::{self, StreamEncoder};
use super::conditional;
use super::context::RequestContext;
use super::own_cookie::PIN;
use super::release_tag::ReleaseTag;
use super::response::{Failure, Reply, Timing, whole};
use super::routed::Routed;
use super::select::Selection;
use super::shared_caches::{Kept, keep_private};
use super::version_pin::{VARIES, VARIES_FOR_ALL};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, SET_COOKIE, VARY};
use http::{HeaderValue, Method, StatusCode};
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use vitrine_bundle::Encoding;
use vitrine_proxy::app_places::AppPlaces;
use vitrine_wire::Outcome;

/// An answer on its way to its client.
pub(crate) struct Sent<'a> {
    status: StatusCode,
    pub headers: HeaderMap,
    timing: Timing,
    /// Places for encoders, if it may be compressed.
    encoders: Option<&'a Arc<AppPlaces>>,
    coding: Option<Encoding>,
    /// Whether answers with this status have no body.
    pub has_none: bool,
}

impl<'a> Sent<'a> {
    pub(crate) fn begin(
        context: &mut RequestContext,
        selection: &Selection,
        encoders: Option<&'a Arc<AppPlaces>>,
        status: StatusCode,
        said: HeaderMap,
        timing: Timing,
    ) -> Self {
        let headers = dressed(context, selection, status, said);
        context.edited_by_rule = true;
        context.outcome = Outcome::Ok;
        // An app that calls itself would only unpack it again.
        let may_compress = selection.target.bundle.manifest.compression && context.info.own_call.is_none();
        let has_none =
            matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
        Self { status, headers, timing, encoders: encoders.filter(|_| may_compress), coding: None, has_none }
    }

    /// Chooses the coding of an answer of so many bytes. Gives the answer, if it has no body.
    pub(crate) fn without_body(&mut self, context: &RequestContext, bytes: Option<u64>) -> Option<Reply> {
        let (method, asked, status) = (&context.info.method, &context.headers, self.status);
        self.coding =
            self.encoders.and_then(|_| compression::negotiate(asked, status, &mut self.headers, bytes));
        let is_known = conditional::is_not_modified(method, asked, status, &self.headers);
        if is_known || status == StatusCode::NOT_MODIFIED {
            // What the app would have answered in full, it did not say.
            if self.coding.is_some() || (self.encoders.is_some() && !is_known) {
                compression::declare_unmodified(&mut self.headers);
            }
            return Some(not_modified(std::mem::take(&mut self.headers), self.timing));
        }
        if self.has_none || method == Method::HEAD {
            if let Some(bytes) = bytes.filter(|_| self.coding.is_none() && !self.has_none) {
                self.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(bytes));
            }
            self.coding.into_iter().for_each(|coding| compression::declare(coding, &mut self.headers));
            let headers = std::mem::take(&mut self.headers);
            return Some(Reply { status, headers, source: Source::Empty, timing: self.timing });
        }
        None
    }

    /// The answer with a body that is all there, in the coding that was chosen.
    pub(crate) fn whole(
        mut self,
        context: &RequestContext,
        body: impl FnOnce(Option<Encoding>) -> io::Result<Bytes>,
    ) -> Result<Reply, Failure> {
        self.coding.into_iter().for_each(|coding| compression::declare(coding, &mut self.headers));
        let data = body(self.coding).map_err(not_compressed)?;
        Ok(whole(context, self.status, self.headers, data, self.timing))
    }

    /// Compresses a body that is streamed, if there is a place for it.
    pub(crate) fn encoder(&mut self, selection: &Selection) -> Result<Option<Box<StreamEncoder>>, Failure> {
        let app = &selection.target.release.app;
        let place =
            self.coding.zip(self.encoders).and_then(|(coding, encoders)| Some((coding, encoders.take(app)?)));
        let encoder = place.map(|(coding, place)| {
            compression::declare(coding, &mut self.headers);
            StreamEncoder::begin(coding, place).map(Box::new)
        });
        encoder.transpose().map_err(not_compressed)
    }
}

/// The head of an answer for this client, with what it says to caches, and the cookie that keeps a page's sub-requests at its release.
fn dressed(
    context: &RequestContext,
    selection: &Selection,
    status: StatusCode,
    mut headers: HeaderMap,
) -> HeaderMap {
    if let Some(routed) = &context.routed {
        // What caches are told from here on follows from what leaves.
        routed.edit_headers(&mut headers, &context.address.host, context.info.uri.path());
    }
    ReleaseTag::of(selection.target.bundle.digest).put_on(&context.headers, status, &mut headers);
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
pub(crate) fn pin_to_set(
    headers: &HeaderMap,
    context: &RequestContext,
    selection: &Selection,
) -> Option<HeaderValue> {
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

#[cfg(test)]
mod tests {
    use super::super::app_head::re_encode;
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
