//! A request as its app sees it, header by header: what a page may depend on.

use super::super::context::RequestContext;
use super::super::forward::{passes, visible_headers};
use http::header::COOKIE;
use http::{HeaderName, Method};
use std::borrow::Cow;
use vitrine_cache::Asked;
use vitrine_wire::Headers;

/// See the module. What the host itself says to each request anew (`x-request-id` and the like) is not seen here: no page depends on it.
pub(crate) struct Visible<'a> {
    context: &'a RequestContext,
    trusted_headers: &'a [HeaderName],
    /// As the app gets them, where a routing rule has changed them.
    edited: Option<Headers>,
    cookies: Cow<'a, [u8]>,
}

impl<'a> Visible<'a> {
    pub(crate) fn of(context: &'a RequestContext, trusted_headers: &'a [HeaderName]) -> Self {
        let edited = context.routed.is_some().then(|| visible_headers(context, trusted_headers));
        Self { context, trusted_headers, edited, cookies: context.cookies().visible(&context.headers) }
    }

    /// All cookies in one line.
    pub(crate) fn cookies(&self) -> &[u8] {
        &self.cookies
    }

    /// All headers but cookies.
    pub(crate) fn headers(&self) -> Box<dyn Iterator<Item = (HeaderName, &[u8])> + '_> {
        match &self.edited {
            Some(edited) => Box::new(edited.iter().filter(|(name, _)| name != COOKIE.as_str()).filter_map(
                |(name, value)| Some((HeaderName::from_bytes(name.as_bytes()).ok()?, &value[..])),
            )),
            None => {
                let passing = self.context.headers.iter().filter(|(name, _)| self.passes(name));
                Box::new(passing.map(|(name, value)| (name.clone(), value.as_bytes())))
            }
        }
    }

    fn passes(&self, name: &HeaderName) -> bool {
        passes(name, &self.context.info, &self.context.headers, self.trusted_headers)
    }
}

impl Asked for Visible<'_> {
    fn method(&self) -> &Method {
        &self.context.info.method
    }

    fn header(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        if name == COOKIE {
            return (!self.cookies.is_empty()).then_some(Cow::Borrowed(&self.cookies));
        }
        if let Some(edited) = &self.edited {
            return joined(
                edited.iter().filter(|(known, _)| known == name.as_str()).map(|(_, value)| &value[..]),
            );
        }
        let lines = self.context.headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        joined(lines).filter(|_| self.passes(name))
    }

    fn cookie(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        cookie(&self.cookies, name)
    }
}

/// A cookie of a line, as it stands there.
pub(super) fn cookie<'a>(line: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    joined(super::sight::cookies(line).filter(|(known, _)| *known == name.as_bytes()).map(|(_, whole)| whole))
}

/// The lines of one header as one.
pub(super) fn joined<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Option<Cow<'a, [u8]>> {
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
    let mut all = [first, b", ", second].concat();
    for line in lines {
        all.extend_from_slice(b", ");
        all.extend_from_slice(line);
    }
    Some(Cow::Owned(all))
}
