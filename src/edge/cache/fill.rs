//! A render whose answer may be kept.

use super::super::app_head::{is_html, said};
use super::super::context::RequestContext;
use super::learned::{Learned, Shares};
use super::question::Question;
use super::told::Told;
use super::verdict::{Judge, Refusal};
use super::visible::Visible;
use super::{Pages, Stored};
use bytes::Bytes;
use http::header::{AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::Instant;
use vitrine_bundle::CacheMode;
use vitrine_cache::{
    Asked, Birth, Cache, Decision, Dependencies, End, Entry, Filling, Freshness, NewEntry, NoVarySearch,
    ToldApart, freshness, path_tag,
};
use vitrine_core::limits::{CACHE_ENTRY_BYTES_MAX, CACHE_TAGS_MAX};
use vitrine_proxy::route::Target;
use vitrine_wire::{Done, Outcome, ResponseHead};

/// Headers by which an app names tags, and how those are parted.
const TAGS: [(&str, char); 3] = [("cache-tag", ','), ("surrogate-key", ' '), ("cache-groups", ',')];

/// Headers that belong to the body that is kept.
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE];

/// See the module.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(super) pages: Arc<Pages>,
    pub(super) question: Question,
    /// Others may wait for it.
    pub(super) filling: Filling,
    pub(super) birth: Birth,
    /// The entry that is to be replaced.
    pub(super) stale: Option<Arc<Entry>>,
    /// The entry that stands in where the render fails.
    pub(super) stand_in: Option<Arc<Entry>>,
    /// What the render's calls depend on.
    pub(super) depends: Dependencies,
    /// What was asked for: another release may answer in the end.
    pub(super) release: Arc<Target>,
}

/// An entry that stands in for an answer that can't be given.
#[derive(Debug)]
pub(crate) struct StandIn {
    cache: Arc<Cache>,
    entry: Arc<Entry>,
}

impl StandIn {
    /// It in place of an answer that ended so.
    pub(crate) fn in_place_of(self, context: &mut RequestContext, outcome: Outcome) -> Stored {
        context.cached = Told::stood_in(&self.entry, outcome.as_str());
        Stored::whole(self.cache, self.entry)
    }
}

/// What is known of an answer with its head.
#[derive(Debug)]
pub(crate) struct Filled {
    fill: Fill,
    status: StatusCode,
    headers: HeaderMap,
    freshness: Freshness,
    vary: Vec<HeaderName>,
}

/// A request as it was, for what is decided when it is gone.
#[derive(Debug)]
pub(crate) struct Frozen {
    method: http::Method,
    headers: Vec<(HeaderName, Vec<u8>)>,
    cookies: Vec<u8>,
}

impl Frozen {
    /// Of a request that the host makes by itself.
    pub(super) fn of_headers(given: &vitrine_wire::Headers) -> Self {
        let (mut headers, mut cookies) = (Vec::new(), Vec::new());
        for (name, value) in given {
            match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) if name == http::header::COOKIE => cookies = value.to_vec(),
                Ok(name) => headers.push((name, value.to_vec())),
                Err(_) => {}
            }
        }
        Self { method: http::Method::GET, headers, cookies }
    }

    pub(super) fn of(visible: &Visible<'_>) -> Self {
        let headers = visible.headers().map(|(name, value)| (name, value.to_vec())).collect();
        Self { method: visible.method().clone(), headers, cookies: visible.cookies().to_vec() }
    }
}

impl Asked for Frozen {
    fn method(&self) -> &http::Method {
        &self.method
    }

    fn header(&self, name: &HeaderName) -> Option<std::borrow::Cow<'_, [u8]>> {
        if name == http::header::COOKIE {
            return (!self.cookies.is_empty()).then_some(std::borrow::Cow::Borrowed(&self.cookies));
        }
        super::visible::joined(
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| &value[..]),
        )
    }

    fn cookie(&self, name: &str) -> Option<std::borrow::Cow<'_, [u8]>> {
        super::visible::cookie(&self.cookies, name)
    }
}

impl Fill {
    /// Takes the head of the answer; gives the fill back if the answer may be kept as far as that is known.
    pub(crate) fn head(
        self: Box<Self>,
        context: &mut RequestContext,
        status: StatusCode,
        headers: &HeaderMap,
        answered_by: &Arc<Target>,
    ) -> Option<Filled> {
        let decided = self.judged(status, headers, answered_by);
        match decided {
            Ok((freshness, vary)) => {
                let headers = headers.clone();
                Some(Filled { fill: *self, status, headers, freshness, vary })
            }
            Err(reason) => {
                context.cached.refused(reason.clone());
                // An error says nothing of the pages that come after it.
                self.refuse(reason, !status.is_server_error());
                None
            }
        }
    }

    fn judged(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        answered_by: &Arc<Target>,
    ) -> Result<(Freshness, Vec<HeaderName>), String> {
        if !Arc::ptr_eq(answered_by, &self.release) && answered_by.pages != self.release.pages {
            return Err("release changed".into());
        }
        if !self.question.is_get {
            return Err("head".into());
        }
        let freshness = self.question.freshness(status, headers).map_err(|why| why.to_string())?;
        self.judge().head(status, headers).map_err(|refusal| refusal.to_string())?;
        Ok((freshness, freshness::vary(headers)))
    }

    /// The app says that the page that is kept is good still. Gives it as it is from now on, whether or not it is kept on, and why not.
    fn confirmed(self, asked: &impl Asked, headers: &HeaderMap) -> Option<(Stored, Result<u64, String>)> {
        let Self { pages, question, filling, birth, stale, .. } = self;
        let stale = stale?;
        let headers = renewed(&stale.headers, headers);
        let kept = match question.freshness(stale.status, &headers) {
            Err(why) => {
                pages.cache.drop_entry(&stale);
                Err(why.to_string())
            }
            Ok(freshness) => {
                let new = NewEntry {
                    status: stale.status,
                    headers: headers.clone(),
                    body: stale.body.clone(),
                    freshness,
                    tags: stale.tags.iter().map(ToString::to_string).collect(),
                    cpu_us: stale.cpu_us,
                };
                pages.cache.renew(&stale, asked, new, birth).map_err(|why| why.to_string())
            }
        };
        filling.end(if kept.is_ok() { End::Whole } else { End::NotShared });
        let cache = Arc::clone(&pages.cache);
        Some(match kept {
            Ok(entry) => {
                let ttl_s = entry.ttl(Instant::now()).as_secs();
                (Stored::whole(cache, entry), Ok(ttl_s))
            }
            Err(why) => (Stored::as_said(cache, stale, headers), Err(why)),
        })
    }

    /// The same, as an answer to the request that asked.
    pub(crate) fn confirmed_for(
        self: Box<Self>,
        context: &mut RequestContext,
        headers: &HeaderMap,
    ) -> Option<Stored> {
        let asked = self.frozen(context);
        let (stored, kept) = self.confirmed(&asked, headers)?;
        match kept {
            Ok(ttl_s) => context.cached.kept(ttl_s),
            Err(why) => context.cached.refused(why),
        }
        Some(stored)
    }

    /// The answer to a render in the background; whether it is kept.
    pub(super) fn renewed(
        self,
        asked: &Frozen,
        host: &str,
        head: ResponseHead,
        body: Bytes,
        done: &Done,
    ) -> bool {
        let Ok(status) = StatusCode::from_u16(head.status) else { return false };
        let path = self.question.page.split('?').next().unwrap_or_default();
        let headers =
            said(&self.release.bundle, host, path, self.pages.shared_domain.as_deref(), head.headers);
        if status == StatusCode::NOT_MODIFIED {
            return self.confirmed(asked, &headers).is_some_and(|(_, kept)| kept.is_ok());
        }
        match self.judged(status, &headers, &self.release) {
            Err(reason) => {
                self.refuse(reason, !status.is_server_error());
                false
            }
            Ok((freshness, vary)) => {
                Filled { fill: self, status, headers, freshness, vary }.keep(asked, body, done).is_ok()
            }
        }
    }

    /// The request as it is now: it may be gone when the answer ends.
    pub(crate) fn frozen(&self, context: &RequestContext) -> Frozen {
        Frozen::of(&Visible::of(context, &self.pages.trusted_headers))
    }

    /// Where entries are.
    pub(crate) fn cache(&self) -> Arc<Cache> {
        Arc::clone(&self.pages.cache)
    }

    /// What stands in for an answer that can't be given.
    pub(crate) fn stand_in(&self) -> Option<StandIn> {
        let entry = self.stand_in.clone()?;
        Some(StandIn { cache: self.cache(), entry })
    }

    /// Whether the render sees a part of the request only.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.question.is_narrowed()
    }

    /// Whether the app is to be asked again, with all of the request: it saw a part of it, and its answer is for nobody else.
    pub(crate) fn saw_too_little(&self, context: &RequestContext, head: &ResponseHead) -> bool {
        if !self.is_narrowed() || head.status == StatusCode::NOT_MODIFIED.as_u16() {
            return false;
        }
        let Ok(status) = StatusCode::from_u16(head.status) else { return true };
        let host = &context.address.host;
        let domain = self.pages.shared_domain.as_deref();
        let headers = said(&self.release.bundle, host, context.app_path(), domain, head.headers.clone());
        // Nobody's own values are missing in it.
        let is_anybodys = self.judged(status, &headers, &self.release).is_ok();
        !is_anybodys && self.question.is_get
    }

    /// The answer of a narrowed render is for nobody.
    pub(crate) fn give_up(self: Box<Self>, context: &mut RequestContext) {
        let reason = "not shared, and rendered again with the whole request";
        context.cached.refused(reason.to_owned());
        context.shared = None;
        self.refuse(reason.to_owned(), true);
    }

    fn judge(&self) -> Judge<'_> {
        let Question { mode, sight, .. } = &self.question;
        Judge { wish: &self.release.bundle.manifest.cache, mode: *mode, sight }
    }

    /// The answer is not kept. `learns`: neither are others of its route.
    fn refuse(self, reason: String, learns: bool) {
        let Self { pages, question, filling, release, .. } = self;
        if matches!(question.learned, Learned::Private) {
            // Most pages of most apps: what is known of the route already is not told again.
            pages.cache.refused(&release.release.app, &reason);
        } else {
            if question.is_get && learns {
                pages.learn(&question, Learned::Private);
            }
            note(&pages, &question, &release, Some(reason), None, &ToldApart::default(), &[]);
        }
        filling.end(End::NotShared);
    }
}

impl Filled {
    /// Whether others may have the answer before its end: it depends on nothing of the request that those who follow don't have in common.
    pub(crate) fn is_known(&self, asked: &impl Asked) -> bool {
        let is_for_all = self.vary.is_empty()
            && (self.freshness.let_credentials_be_shared || !self.fill.judge().has_credential(asked));
        self.fill.question.is_narrowed() || (self.fill.question.mode == CacheMode::Declared && is_for_all)
    }

    /// The leader's end of the flight, for an answer that others get while it comes.
    pub(super) const fn filling(&self) -> &Filling {
        &self.fill.filling
    }

    /// Status and headers as the app gave them.
    pub(crate) const fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status, &self.headers)
    }

    /// The answer is larger than an entry may be; the client for whom it was asked gets the rest of it.
    pub(super) fn too_large(self) {
        let Self { fill, .. } = self;
        let Fill { pages, question, filling, release, .. } = fill;
        let reason = format!("larger than {CACHE_ENTRY_BYTES_MAX} bytes");
        note(&pages, &question, &release, Some(reason), None, &ToldApart::default(), &[]);
        pages.learn(&question, Learned::Private);
        filling.end(End::TooLarge);
    }

    /// See [`Fill::frozen`].
    pub(crate) fn frozen(&self, context: &RequestContext) -> Frozen {
        self.fill.frozen(context)
    }

    /// The whole answer is there: keeps it, or says why not.
    pub(crate) fn end(self, context: &mut RequestContext, body: Bytes, done: &Done) {
        let pages = Arc::clone(&self.fill.pages);
        let ttl_s = self.freshness.lifetime.saturating_sub(self.freshness.age).as_secs();
        let kept = self.keep(&Visible::of(context, &pages.trusted_headers), body, done);
        match kept {
            Ok(()) => context.cached.kept(ttl_s),
            Err(reason) => context.cached.refused(reason),
        }
    }

    /// Keeps the answer.
    ///
    /// # Errors
    /// Why it is not kept.
    pub(crate) fn keep(self, asked: &impl Asked, body: Bytes, done: &Done) -> Result<(), String> {
        let mut tags = tags(&self.headers, &self.fill.question);
        let depends = self.fill.depends.tags();
        let decided = self.decide(asked, &body, done).and_then(|apart| match depends {
            Some(depends) => {
                tags.extend(depends.into_iter().map(String::from));
                Ok(apart)
            }
            None => Err(Refusal::DependsOnTooMuch),
        });
        let Self { fill, status, headers, freshness, vary } = self;
        let Fill { pages, question, filling, birth, release, .. } = fill;
        let no_vary_search = NoVarySearch::of(&headers);
        let (kept, apart) = match decided {
            Err(refusal) => (Err(refusal.to_string()), ToldApart::default()),
            Ok(apart) => {
                let new =
                    NewEntry { status, headers, body, freshness, tags: tags.clone(), cpu_us: done.cpu_us };
                let key = question.key.clone().map(|key| match &no_vary_search {
                    Some(said) => key.as_far_as(said),
                    None => key,
                });
                let key = key.ok_or_else(|| "key too long".to_owned());
                let put = key.and_then(|key| {
                    pages.cache.put(key, apart.clone(), asked, new, birth).map_err(|why| why.to_string())
                });
                (put.map(drop), apart)
            }
        };
        let wants_narrow = done.reads.as_ref().is_some_and(|reads| reads.all_headers);
        pages.learn(
            &question,
            match &kept {
                Ok(()) => Learned::Shared(Arc::new(Shares {
                    narrowed: question.is_narrowed(),
                    vary: vary.into(),
                    no_vary_search,
                })),
                Err(_) if wants_narrow && !question.is_narrowed() => {
                    Learned::Shared(Arc::new(Shares { narrowed: true, vary: vary.into(), no_vary_search }))
                }
                Err(_) => Learned::Private,
            },
        );
        let ttl_s = freshness.lifetime.saturating_sub(freshness.age).as_secs();
        note(&pages, &question, &release, kept.as_ref().err().cloned(), Some(ttl_s), &apart, &tags);
        // Who follows the pieces gets the end of them, whether or not they are kept.
        filling.end(if done.outcome != Outcome::Ok {
            End::Failed
        } else if kept.is_ok() {
            End::Whole
        } else {
            End::NotShared
        });
        kept
    }

    fn decide(&self, asked: &impl Asked, body: &[u8], done: &Done) -> Result<ToldApart, Refusal> {
        if done.outcome != Outcome::Ok {
            return Err(Refusal::Failed(done.outcome));
        }
        let judge = self.fill.judge();
        let apart = judge.told_apart(&self.vary, done.reads.as_deref(), asked)?;
        if judge.has_credential(asked) && !self.freshness.let_credentials_be_shared {
            return Err(Refusal::Credential);
        }
        judge.body(is_html(&self.headers), body, asked)?;
        Ok(apart)
    }
}

fn note(
    pages: &Pages,
    question: &Question,
    release: &Target,
    reason: Option<String>,
    ttl_s: Option<u64>,
    apart: &ToldApart,
    tags: &[String],
) {
    let cookies = apart.cookies.iter().map(|name| format!("cookie {name}"));
    let decision = Decision {
        release: release.release.to_string(),
        at: jiff::Timestamp::now(),
        url: question.key.as_ref().map_or_else(|| question.page.to_string(), |key| key.url.to_string()),
        ttl_s: ttl_s.filter(|_| reason.is_none()),
        reason,
        told_apart_by: apart.headers.iter().map(HeaderName::to_string).chain(cookies).collect(),
        tags: tags.iter().take(16).cloned().collect(),
    };
    pages.cache.decided(&release.release.app, &question.page, decision);
}

/// A page turned out to differ from what its render gives.
pub(super) fn note_difference(pages: &Pages, question: &Question, release: &Target) {
    note(
        pages,
        question,
        release,
        Some("differs when rendered again".into()),
        None,
        &ToldApart::default(),
        &[],
    );
}

/// The headers of a page that is kept, with what a later answer says of it in their place.
fn renewed(kept: &HeaderMap, later: &HeaderMap) -> HeaderMap {
    let mut renewed = kept.clone();
    renewed.remove(AGE);
    let said = || later.iter().filter(|(name, _)| !OF_THE_BODY.contains(name) && **name != SET_COOKIE);
    for (name, _) in said() {
        renewed.remove(name);
    }
    for (name, value) in said() {
        renewed.append(name, value.clone());
    }
    renewed
}

/// The tags of an answer: those that it names, and its path.
fn tags(headers: &HeaderMap, question: &Question) -> Vec<String> {
    let mut tags = vec![path_tag(question.page.split('?').next().unwrap_or_default())];
    for (name, parted_by) in TAGS {
        let lines = headers.get_all(name).iter().filter_map(|line: &HeaderValue| line.to_str().ok());
        let named = lines.flat_map(|line| line.split(parted_by)).map(|tag| tag.trim().trim_matches('"'));
        tags.extend(named.filter(|tag| !tag.is_empty()).take(CACHE_TAGS_MAX + 1).map(str::to_owned));
    }
    tags
}
