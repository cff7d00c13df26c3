//! Calls that the cache answers: what an app fetches is kept for all of its isolates, workers and releases, as long as HTTP, or the app,
//! lets it.
//!
//! A call is kept apart from others by all that its app chose: its address, credentials, and every header that is not the same in every
//! call. An answer to a call with a credential is kept only if it says that others may have it, or the app says for how long.

use super::Egress;
use super::answer::AnswerSink;
use bytes::{Bytes, BytesMut};
use http::header::{AGE, AUTHORIZATION, COOKIE, HeaderMap, HeaderName, SET_COOKIE};
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;
use url::Url;
use vitrine_cache::{
    Begun, Birth, Cache, End, Entry, Filling, Freshness, Key, Looked, NewEntry, Scope, ToldApart, Turn,
    freshness, url_tag,
};
use vitrine_core::limits::{CACHE_ENTRY_BYTES_MAX, CACHE_FIRST_WAIT_MS, CACHE_WAIT_MS};
use vitrine_wire::{CacheMode, EgressCache, EgressFailure, EgressHead};

/// Headers that say nothing about what is asked for, or that `vary` names where they do.
const PASSING: [&str; 12] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "baggage",
    "cache-control",
    "content-length",
    "pragma",
    "priority",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-request-id",
];
/// Headers by which an app asks for a part, or checks what it has itself.
const CONDITIONS: [&str; 6] =
    ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"];
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Headers by which servers name tags, and how those are parted.
const TAGS: [(&str, char); 3] = [("cache-tag", ','), ("surrogate-key", ' '), ("cache-groups", ',')];
/// Renders that end while another one fetches what they wait for are asked again at most so often.
const TURNS_MAX: usize = 2;

/// A call as the cache sees it.
pub(super) struct Question {
    key: Key,
    url: String,
    headers: HeaderMap,
    wish: EgressCache,
    has_credential: bool,
    request_id: Option<String>,
}

/// What the cache makes of a call.
pub(super) enum Found {
    /// It is answered.
    Entry(Arc<Entry>),
    /// It is answered by what is stale, and made once more for those who come later.
    Stale(Arc<Entry>, Option<Box<Keep>>),
    /// It is made, and may be kept.
    Fetch(Box<Keep>),
}

/// An answer that may be kept.
pub(super) struct Keep {
    question: Question,
    cache: Arc<Cache>,
    filling: Filling,
    birth: Birth,
    /// Stands in where the call fails.
    pub stand_in: Option<Arc<Entry>>,
}

impl vitrine_cache::Asked for Question {
    fn method(&self) -> &Method {
        &Method::GET
    }

    fn header(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        self.headers.get(name).map(|value| Cow::Borrowed(value.as_bytes()))
    }

    fn cookie(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }
}

impl Question {
    /// Of a call that the cache may answer.
    pub(super) fn of(egress: &Egress, head: &EgressHead, url: &Url) -> Option<Self> {
        let wish = head.cache.as_deref().cloned().unwrap_or_default();
        let is_meant = head.method == "GET"
            && !head.has_body
            && !head.upgrade
            && wish.mode != CacheMode::NoStore
            && !head.headers.iter().any(|(name, _)| CONDITIONS.contains(&name.as_str()));
        if !is_meant {
            return None;
        }
        let headers = super::headers::sent(&head.headers, false)?;
        let mut apart: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        apart.retain(|(name, _)| !PASSING.contains(name));
        apart.sort_by_key(|(name, _)| *name);
        let mut variant = Vec::new();
        for (name, value) in apart {
            variant.extend_from_slice(&[name.as_bytes(), b":", value, b"\n"].concat());
        }
        let key = Key {
            app: egress.app.clone(),
            scope: Scope::Fetched,
            url: url.as_str().into(),
            variant: variant.into(),
        };
        Some(Self {
            key,
            url: url.as_str().to_owned(),
            has_credential: headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE),
            headers,
            wish,
            request_id: head.request_id.clone(),
        })
    }

    /// Looks for an answer; waits for one that another call is about to get.
    pub(super) async fn ask(self, cache: &Arc<Cache>) -> Found {
        let mut alone = false;
        for _ in 0..TURNS_MAX {
            let birth = cache.birth();
            let any_age = matches!(self.wish.mode, CacheMode::ForceCache | CacheMode::OnlyIfCached);
            let asks_anew = matches!(self.wish.mode, CacheMode::Reload | CacheMode::NoCache);
            let looked =
                if asks_anew { Looked::Nothing } else { cache.look(&self.key, &self, Instant::now()) };
            let stale = match looked {
                Looked::Fresh(entry) => return Found::Entry(entry),
                Looked::Stale(entry, _) if any_age => return Found::Entry(entry),
                Looked::Stale(entry, staleness) if staleness.while_revalidating => {
                    let keep = match cache.fly(&self.key) {
                        Turn::Lead(filling) => Some(Box::new(self.keep(cache, filling, birth, None))),
                        Turn::Follow(_) | Turn::Alone => None,
                    };
                    return Found::Stale(entry, keep);
                }
                Looked::Stale(entry, staleness) => staleness.if_error.then_some(entry),
                Looked::Nothing => None,
            };
            // What may not be made does not wait for what is; nor does a call whose answer is known to be for nobody else.
            alone |= self.wish.mode == CacheMode::OnlyIfCached || cache.is_unshared(&self.key);
            let filling = match if alone { Turn::Alone } else { cache.fly(&self.key) } {
                Turn::Lead(filling) => filling,
                Turn::Alone => Filling::alone(),
                Turn::Follow(following) => {
                    // Whoever leads may have another call's patience: what is not kept is fetched by each.
                    let is_known = cache.has(&self.key);
                    let patience = if is_known { CACHE_WAIT_MS } else { CACHE_FIRST_WAIT_MS };
                    let begun = timeout(Duration::from_millis(patience), following.begun()).await;
                    alone = !matches!(begun, Ok(Begun::End(End::Whole)));
                    continue;
                }
            };
            return Found::Fetch(Box::new(self.keep(cache, filling, birth, stale)));
        }
        let birth = cache.birth();
        Found::Fetch(Box::new(self.keep(cache, Filling::alone(), birth, None)))
    }

    fn keep(self, cache: &Arc<Cache>, filling: Filling, birth: Birth, stand_in: Option<Arc<Entry>>) -> Keep {
        Keep { question: self, cache: Arc::clone(cache), filling, birth, stand_in }
    }

    fn freshness(&self, status: StatusCode, headers: &HeaderMap) -> Option<Freshness> {
        // A CDN is told of what is purged; this host is not.
        let mut said = headers.clone();
        said.remove(freshness::TO_CDNS);
        let own = Freshness::of(status, &said, SystemTime::now()).ok();
        match self.wish.ttl_s {
            Some(0) => None,
            // What the app says counts, for an answer that is one.
            Some(seconds) if status.is_success() && status != StatusCode::PARTIAL_CONTENT => {
                Some(Freshness {
                    lifetime: Duration::from_secs(seconds),
                    age: Duration::ZERO,
                    stale_while_revalidate: Duration::ZERO,
                    stale_if_error: own.map_or(Duration::ZERO, |own| own.stale_if_error),
                    let_credentials_be_shared: true,
                })
            }
            _ => own,
        }
    }
}

impl Keep {
    /// Whether the answer with this head is kept, and for how long. A cookie is for one visitor, whatever else is said.
    pub(super) fn head(&self, parts: &Parts) -> Option<Freshness> {
        if parts.headers.contains_key(SET_COOKIE) {
            return None;
        }
        let freshness = self.question.freshness(parts.status, &parts.headers)?;
        (!self.question.has_credential || freshness.let_credentials_be_shared).then_some(freshness)
    }

    /// Notes by what the page that made the call is purged.
    pub(super) fn note(&self, headers: &HeaderMap) {
        note(&self.cache, &self.question, tags(headers, &self.question).iter().map(String::as_str));
    }

    /// Lets those go who wait for the answer; it is kept all the same.
    pub(super) fn let_go(&mut self) {
        self.filling = Filling::alone();
    }

    /// The answer is for nobody else, and those of later calls are taken to be so for a while.
    pub(super) fn note_unshared(self) {
        self.cache.note_unshared(self.question.key.clone());
    }

    /// Keeps an answer.
    pub(super) fn keep(self, parts: &Parts, body: Bytes, freshness: Freshness) {
        let Self { question, cache, filling, birth, .. } = self;
        let vary = freshness::vary(&parts.headers);
        let new = NewEntry {
            status: parts.status,
            headers: parts.headers.clone(),
            body,
            freshness,
            tags: tags(&parts.headers, &question),
            cpu_us: 0,
        };
        let kept = cache.put(
            question.key.clone(),
            ToldApart { headers: vary, cookies: Vec::new() },
            &question,
            new,
            birth,
        );
        filling.end(if kept.is_ok() { End::Whole } else { End::NotShared });
    }
}

/// Collects a body that may be kept, as far as an entry may be large.
#[derive(Default)]
pub(super) struct Collected(Option<BytesMut>);

impl Collected {
    pub(super) fn begin() -> Self {
        Self(Some(BytesMut::new()))
    }

    pub(super) fn add(&mut self, data: &[u8]) {
        let Some(whole) = &mut self.0 else { return };
        if whole.len() + data.len() > CACHE_ENTRY_BYTES_MAX {
            self.0 = None;
        } else {
            whole.extend_from_slice(data);
        }
    }

    pub(super) fn whole(self) -> Option<Bytes> {
        self.0.map(BytesMut::freeze)
    }
}

/// Answers a call with an entry.
pub(super) async fn answer(cache: &Cache, request_id: Option<&str>, entry: &Entry, sink: &AnswerSink) {
    if let Some(request_id) = request_id {
        cache.depends(request_id, entry.tags.iter().map(|tag| &**tag));
    }
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = entry.status;
    parts.headers = entry.headers.clone();
    let now = Instant::now();
    parts.headers.insert(AGE, HeaderValue::from(entry.age(now).as_secs()));
    let status = format!("vitrine; hit; ttl={}", entry.ttl(now).as_secs());
    parts.headers.append(CACHE_STATUS, HeaderValue::try_from(status).expect("a number is ASCII"));
    sink.head(&parts).await;
    sink.data(entry.body.clone()).await;
}

/// The mode of a call that is not to be made.
pub(super) fn only_if_cached(head: &EgressHead) -> Option<EgressFailure> {
    let is_meant = head.cache.as_ref().is_some_and(|wish| wish.mode == CacheMode::OnlyIfCached);
    is_meant.then(|| EgressFailure::Denied("nothing is kept, and the call says only-if-cached".to_owned()))
}

/// A call that may have changed what is kept of its address.
pub(super) fn invalidate(cache: &Cache, egress: &Egress, method: &Method, url: &Url) {
    if !method.is_safe() {
        let purge =
            vitrine_cache::Purge { tags: vec![url_tag(url.as_str())], ..vitrine_cache::Purge::default() };
        cache.purge(&egress.app, &purge);
    }
}

/// A call whose answer is not kept is what a page depends on all the same.
pub(super) fn depends(cache: &Cache, head: &EgressHead, url: &Url, headers: &HeaderMap) {
    if let Some(request_id) = &head.request_id {
        let own = std::iter::once(url_tag(url.as_str()));
        let tags: Vec<String> = own.chain(named(headers)).collect();
        cache.depends(request_id, tags.iter().map(String::as_str));
    }
}

fn note<'a>(cache: &Cache, question: &Question, tags: impl Iterator<Item = &'a str>) {
    if let Some(request_id) = &question.request_id {
        cache.depends(request_id, tags);
    }
}

/// The tags of an answer: its address, those that its server names, and those that the app names.
fn tags(headers: &HeaderMap, question: &Question) -> Vec<String> {
    let own = std::iter::once(url_tag(&question.url));
    own.chain(named(headers)).chain(question.wish.tags.iter().cloned()).collect()
}

fn named(headers: &HeaderMap) -> Vec<String> {
    let of = |(name, parted_by): (&str, char)| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        let tags = lines.flat_map(move |line| line.split(parted_by)).map(|tag| tag.trim().trim_matches('"'));
        tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    TAGS.into_iter().flat_map(of).collect()
}
