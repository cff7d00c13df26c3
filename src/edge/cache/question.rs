//! What a request asks the cache for: the key of the page, as far as it is known before the page is there.

use super::super::context::RequestContext;
use super::super::select::Selection;
use super::learned::Learned;
use super::sight::{Sight, has_keyed_cookies_alone};
use super::url;
use super::visible::Visible;
use http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, PRAGMA, RANGE};
use http::{Method, StatusCode};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;
use vitrine_bundle::CacheMode;
use vitrine_cache::directives::Directives;
use vitrine_cache::{Asked as _, Freshness, Key, NotKept, Scope};
use vitrine_core::limits::CACHE_APART_BYTES_MAX;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// None where what tells pages apart is too long to be a key.
    pub key: Option<Key>,
    /// Release and path.
    pub route: Box<str>,
    /// Path and query, for `vitrine cache why`.
    pub page: Box<str>,
    pub mode: CacheMode,
    pub sight: Sight,
    pub learned: Learned,
    /// Whether its answer has a body: that of HEAD is not kept.
    pub is_get: bool,
    /// Whether the request carries a credential, or a cookie that pages are not kept apart by.
    pub is_of_somebody: bool,
    /// Whether the client asks for what is not older than its request.
    pub wants_fresh: bool,
}

/// Why the cache is not asked; none where it is.
pub(super) fn bypass(context: &RequestContext, mode: CacheMode, has_body: bool) -> Option<&'static str> {
    let method = &context.info.method;
    if mode == CacheMode::Off {
        return Some("off");
    }
    if !(method == Method::GET || method == Method::HEAD) {
        return Some("method");
    }
    if has_body {
        return Some("body");
    }
    if context.info.handshake.is_asked() {
        return Some("websocket");
    }
    if context.guarded {
        return Some("guarded");
    }
    // The app is asked as itself: what it may see is its own affair.
    context.info.own_call.as_ref().map(|_| "own call")
}

impl Question {
    pub(super) fn of(
        context: &RequestContext,
        selection: &Selection,
        mode: CacheMode,
        sight: Sight,
        visible: &Visible<'_>,
    ) -> Self {
        let target = &selection.target;
        let wish = &target.bundle.manifest.cache;
        let path = context.app_path();
        let mut page = String::with_capacity(path.len() + 16);
        page.push_str(path);
        if let Some(query) = context.info.uri.query().and_then(|query| url::query(wish, query)) {
            page.push('?');
            page.push_str(&query);
        }
        let scheme = if context.info.https { "https" } else { "http" };
        let mut variant = Vec::new();
        if let Some(variants) = context.routed.as_deref().and_then(|routed| routed.variants()) {
            variant.extend_from_slice(variants.as_bytes());
            variant.push(b'\n');
        }
        if matches!(sight, Sight::Narrowed(_)) {
            variant.extend_from_slice(&sight.told_apart_by(wish, visible.headers(), visible.cookies()));
        }
        let mut route = String::with_capacity(target.pages.len() + path.len() + 32);
        let _ = write!(route, "{} {} {}", target.release.app, target.pages, path);
        let key = (variant.len() <= CACHE_APART_BYTES_MAX).then(|| Key {
            app: target.release.app.clone(),
            scope: Scope::Release(Arc::clone(&target.pages)),
            url: [scheme, "://", &context.address.authority, &page].concat().into(),
            variant: variant.into(),
        });
        let asked = Directives::of(&context.headers, &CACHE_CONTROL);
        let pragma = asked.is_empty() && Directives::of(&context.headers, &PRAGMA).say("no-cache");
        Self {
            key,
            route: route.into(),
            page: page.into(),
            mode,
            sight,
            learned: Learned::Nothing,
            is_get: context.info.method == Method::GET
                && !(mode == CacheMode::Declared && context.headers.contains_key(RANGE)),
            is_of_somebody: visible.header(&AUTHORIZATION).is_some()
                || !has_keyed_cookies_alone(wish, visible.cookies()),
            wants_fresh: pragma
                || asked.say("no-cache")
                || asked.say("no-store")
                || asked.seconds("max-age") == Some(0),
        }
    }

    /// How long an answer to it is fresh.
    pub(super) fn freshness(&self, status: StatusCode, headers: &HeaderMap) -> Result<Freshness, NotKept> {
        let now = SystemTime::now();
        match Freshness::of(status, headers, now) {
            // A page that is made each time costs its app as much as one that is not kept.
            Err(NotKept::NoCache) if self.mode == CacheMode::Declared => {
                Freshness::to_be_checked(headers, now).ok_or(NotKept::NoCache)
            }
            freshness => freshness,
        }
    }

    /// Whether it may wait for the render of another request: only where that is likely to be of use.
    pub(super) const fn may_wait(&self) -> bool {
        let is_likely = match self.learned {
            Learned::Nothing => !self.is_of_somebody,
            Learned::Private => false,
            Learned::Shared(_) => true,
        };
        is_likely && self.is_get
    }

    pub(super) const fn is_narrowed(&self) -> bool {
        matches!(self.sight, Sight::Narrowed(_))
    }
}
