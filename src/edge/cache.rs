//! The cache of pages: asked before the app is, and filled with what the app answers.
//!
//! A request goes through [`question`] (may the cache answer it, and under which key), [`learned`] (what is known of its route), [`hit`] (an answer
//! that is kept) or [`fill`] (a render that may be kept; [`verdict`] decides). What of a request a render may see is [`sight`]'s, what it did
//! see is in [`visible`]'s terms. [`refresh`] renders for nobody: what is stale, and one hit in many to compare.

mod background;
mod coming;
mod fill;
mod green;
mod hit;
mod learned;
mod question;
mod refresh;
pub(crate) mod shared;
mod sight;
pub(crate) mod told;
mod url;
mod verdict;
mod visible;

pub(crate) use coming::{Coming, Next, pump};
pub(crate) use fill::{Fill, Filled};
pub(crate) use green::Green;
pub(crate) use hit::{Stored, StoredBody, encoded};

use super::context::RequestContext;
use super::select::Selection;
use http::HeaderName;
use http::header::{CONTENT_LOCATION, HeaderMap, LOCATION};
use learned::{Learned, Routes};
use question::Question;
use refresh::Refresh;
use shared::Shared;
use sight::Sight;
use std::sync::Arc;
use std::time::{Duration, Instant};
use told::Told;
use visible::Visible;
use vitrine_bundle::CacheMode;
use vitrine_cache::{Begun, Cache, Came, End, Entry, Filling, Following, Looked, Purge, Turn, path_tag};
use vitrine_core::limits::{CACHE_FIRST_WAIT_MS, CACHE_REFRESHES_MAX, CACHE_REFRESHES_OF_APP_MAX};
use vitrine_proxy::app_places::AppPlaces;
use vitrine_proxy::route::Target;
use vitrine_wire::limits::PURGE_ITEMS_MAX;

/// RFC 9875: groups whose answers an unsafe request has changed.
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// The pages that are kept, and what is known of the others.
#[derive(Debug)]
pub(crate) struct Pages {
    cache: Arc<Cache>,
    routes: Routes,
    refreshes: Arc<AppPlaces>,
    /// Headers that apps get from trusted proxies alone.
    trusted_headers: Vec<HeaderName>,
    /// Domain below which apps have their host names.
    shared_domain: Option<String>,
}

/// What becomes of a request that the cache was asked about.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It is answered with what is kept, or with what another request's render gives.
    Stored(Box<Stored>),
    /// The app is asked. What it answers may be kept.
    Render(Option<Box<Fill>>),
}

impl Pages {
    /// Those that this cache keeps.
    pub(crate) fn new(
        cache: Arc<Cache>,
        trusted_headers: Vec<HeaderName>,
        shared_domain: Option<String>,
    ) -> Self {
        Self {
            cache,
            routes: Routes::new(),
            refreshes: AppPlaces::new(CACHE_REFRESHES_MAX, CACHE_REFRESHES_OF_APP_MAX),
            trusted_headers,
            shared_domain,
        }
    }

    /// Asks the cache. What it says is noted in the context.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        context: &mut RequestContext,
        selection: &Selection,
        has_body: bool,
    ) -> Asked {
        let wish = &selection.target.bundle.manifest.cache;
        let mode = wish.mode_of(context.app_path());
        let app = &selection.target.release.app;
        if let Some(reason) = question::bypass(context, mode, has_body) {
            self.cache.came(app, Came::Bypass, None);
            context.cached = Told::bypassed(reason);
            return Asked::Render(None);
        }
        let visible = Visible::of(context, &self.trusted_headers);
        let mut question = Question::of(context, selection, mode, Sight::Full, &visible);
        let found = self.look(&question, &visible, mode);
        // What is answered from the key of the full sight needs no look at the route.
        let (question, found) = match found {
            Looked::Nothing => {
                let learned = self.routes.of(&question.route);
                if let Some(sight) = learned.sight(mode, wish, &visible) {
                    question = Question::of(context, selection, mode, sight, &visible);
                }
                let no_vary_search = learned.no_vary_search();
                if let Some(said) = no_vary_search {
                    question.key = question.key.map(|key| key.as_far_as(said));
                }
                let is_another = question.is_narrowed() || no_vary_search.is_some();
                let found = if is_another { self.look(&question, &visible, mode) } else { Looked::Nothing };
                question.learned = learned;
                (question, found)
            }
            found => (question, found),
        };
        self.answer(context, selection, question, found).await
    }

    fn look(&self, question: &Question, visible: &Visible<'_>, mode: CacheMode) -> Looked {
        if question.wants_fresh && mode == CacheMode::Declared {
            return Looked::Nothing;
        }
        match &question.key {
            Some(key) => self.cache.look(key, visible, Instant::now()),
            None => Looked::Nothing,
        }
    }

    async fn answer(
        self: &Arc<Self>,
        context: &mut RequestContext,
        selection: &Selection,
        question: Question,
        found: Looked,
    ) -> Asked {
        let app = &selection.target.release.app;
        let stale = match found {
            Looked::Fresh(entry) => {
                self.cache.came(app, Came::Hit, Some(&entry));
                self.compare_sometimes(context, selection, &question, &entry);
                context.cached = Told::hit(&entry, Came::Hit);
                return Asked::Stored(Box::new(Stored::whole(Arc::clone(&self.cache), entry)));
            }
            Looked::Stale(entry, staleness) if staleness.while_revalidating => {
                self.cache.came(app, Came::Stale, Some(&entry));
                self.renew(context, selection, question, &entry);
                context.cached = Told::hit(&entry, Came::Stale);
                return Asked::Stored(Box::new(Stored::whole(Arc::clone(&self.cache), entry)));
            }
            Looked::Stale(entry, staleness) => Some((entry, staleness.if_error)),
            Looked::Nothing => None,
        };
        self.cache.came(app, Came::Miss, None);
        self.fly(context, selection, question, stale).await
    }

    /// Leads a render, or waits for one that is under way.
    async fn fly(
        self: &Arc<Self>,
        context: &mut RequestContext,
        selection: &Selection,
        question: Question,
        stale: Option<(Arc<Entry>, bool)>,
    ) -> Asked {
        let birth = self.cache.birth();
        let filling = match question.key.as_ref().filter(|_| question.may_wait()) {
            None => Filling::alone(),
            Some(key) => match self.cache.fly(key) {
                Turn::Lead(filling) => filling,
                Turn::Alone => Filling::alone(),
                Turn::Follow(following) => match begun(&following, &question, &selection.target).await {
                    Begun::Head(status, headers) => {
                        context.cached = Told::followed();
                        return Asked::Stored(Box::new(Stored::coming(status, headers, following)));
                    }
                    Begun::End(End::Whole) => {
                        let visible = Visible::of(context, &self.trusted_headers);
                        if let Some(key) = &question.key
                            && let Looked::Fresh(entry) = self.cache.look(key, &visible, Instant::now())
                        {
                            context.cached = Told::followed();
                            return Asked::Stored(Box::new(Stored::whole(Arc::clone(&self.cache), entry)));
                        }
                        Filling::alone()
                    }
                    Begun::End(_) => Filling::alone(),
                },
            },
        };
        let checks = stale.as_ref().filter(|_| question.is_get);
        let checks = checks.map(|(entry, _)| shared::checks(entry)).unwrap_or_default();
        let whole = question.is_narrowed() || question.learned.is_shared() || !checks.is_empty();
        // The answer to a HEAD is for its client alone.
        let sight = if question.is_get { question.sight.clone() } else { Sight::Full };
        context.shared = Some(Box::new(Shared { sight, whole: whole && question.is_get, checks }));
        context.cached = Told::missed(stale.is_some());
        let stand_in = stale.as_ref().filter(|(_, if_error)| *if_error).map(|(entry, _)| Arc::clone(entry));
        Asked::Render(Some(Box::new(Fill {
            pages: Arc::clone(self),
            question,
            filling,
            birth,
            stale: stale.map(|(entry, _)| entry),
            stand_in,
            depends: self.cache.render(context.info.request_id()),
            release: Arc::clone(&selection.target),
        })))
    }

    /// Renders a stale page anew, in the background.
    fn renew(
        self: &Arc<Self>,
        context: &RequestContext,
        selection: &Selection,
        question: Question,
        stale: &Arc<Entry>,
    ) {
        let Some(place) = self.refreshes.take(&selection.target.release.app) else { return };
        let Some(key) = &question.key else { return };
        let Turn::Lead(filling) = self.cache.fly(key) else { return };
        let refresh = Refresh::of(self, context, selection, question, place);
        refresh.renew(filling, Arc::clone(stale));
    }

    /// Renders one hit in many again, and compares.
    fn compare_sometimes(
        self: &Arc<Self>,
        context: &RequestContext,
        selection: &Selection,
        question: &Question,
        entry: &Arc<Entry>,
    ) {
        if !question.is_get || !refresh::is_due() {
            return;
        }
        if let Some(place) = self.refreshes.take(&selection.target.release.app) {
            Refresh::of(self, context, selection, question.clone(), place).compare(Arc::clone(entry));
        }
    }

    /// Takes out what an unsafe request may have changed: its own address, and those that its answer names.
    pub(super) fn invalidate(&self, context: &RequestContext, selection: &Selection, answer: &HeaderMap) {
        let mut purge = Purge { tags: vec![path_tag(context.app_path())], ..Purge::default() };
        for name in [LOCATION, CONTENT_LOCATION] {
            let named = answer.get(name).and_then(|value| value.to_str().ok());
            // Another origin is none of this app's affair.
            let path = named
                .map(|named| named.strip_prefix(&context.origin()).unwrap_or(named))
                .filter(|path| path.starts_with('/'));
            purge.tags.extend(path.map(|path| path_tag(path.split(['?', '#']).next().unwrap_or(path))));
        }
        let groups = answer.get_all(CACHE_GROUP_INVALIDATION).iter().filter_map(|value| value.to_str().ok());
        let groups =
            groups.flat_map(|line| line.split(',')).map(|group| group.trim().trim_matches('"').to_owned());
        purge.tags.extend(groups.filter(|group| !group.is_empty()).take(PURGE_ITEMS_MAX - 3));
        self.cache.purge(&selection.target.release.app, &purge);
    }

    fn learn(&self, question: &Question, learned: Learned) {
        // The page of somebody says little of those of everybody.
        let is_known = || !matches!(self.routes.of(&question.route), Learned::Nothing);
        if question.is_of_somebody && matches!(learned, Learned::Private) && is_known() {
            return;
        }
        self.routes.learn(&question.route, learned);
    }
}

/// Waits for the answer that another request gets: no longer than the app may take for one, and where it is not known that it is shared,
/// no longer than most pages take.
async fn begun(following: &Following, question: &Question, target: &Target) -> Begun {
    let is_likely = question.learned.is_shared();
    let patience =
        Duration::from_millis(if is_likely { target.head_timeout_ms } else { CACHE_FIRST_WAIT_MS });
    tokio::time::timeout(patience, following.begun()).await.unwrap_or(Begun::End(End::Failed))
}
