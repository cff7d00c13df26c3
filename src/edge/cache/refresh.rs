//! Renders that no visitor waits for: of pages that are stale, and of one hit in many, to compare.

use super::super::context::RequestContext;
use super::super::forward::background_head;
use super::super::release_tag::ReleaseTag;
use super::super::select::Selection;
use super::Pages;
use super::background::ask;
use super::fill::{self, Fill, Frozen};
use super::green;
use super::learned::Learned;
use super::question::Question;
use super::shared::{Shared, checks};
use super::visible::Visible;
use bytes::Bytes;
use http::HeaderValue;
use std::sync::Arc;
use vitrine_cache::{Birth, Entry, Filling};
use vitrine_core::failpoint;
use vitrine_core::limits::CACHE_PARITY_ONE_IN;
use vitrine_proxy::app_places::AppPlace;
use vitrine_proxy::route::Target;
use vitrine_wire::{Outcome, RequestHead};

/// A render to be made.
pub(super) struct Refresh {
    pages: Arc<Pages>,
    question: Question,
    target: Arc<Target>,
    head: RequestHead,
    asked: Frozen,
    host: String,
    birth: Birth,
    place: AppPlace,
}

/// Whether this hit is one of those that are compared.
pub(super) fn is_due() -> bool {
    failpoint::at("cache.compare").is_some() || rand::random_range(0..CACHE_PARITY_ONE_IN) == 0
}

impl Refresh {
    pub(super) fn of(
        pages: &Arc<Pages>,
        context: &RequestContext,
        selection: &Selection,
        question: Question,
        place: AppPlace,
    ) -> Self {
        let target = Arc::clone(&selection.target);
        let shared = Shared { sight: question.sight.clone(), whole: true, checks: Vec::new() };
        let release = ReleaseTag::of(target.bundle.digest);
        let mut head = background_head(context, &pages.trusted_headers, release, &shared, &target);
        head.request_id = format!("refresh:{}", head.request_id);
        let asked = Frozen::of(&Visible::of(context, &pages.trusted_headers));
        let host = context.address.host.clone();
        let birth = pages.cache.birth();
        Self { pages: Arc::clone(pages), question, target, head, asked, host, birth, place }
    }

    /// Puts a new page in the place of a stale one.
    pub(super) fn renew(mut self, filling: Filling, stale: Arc<Entry>) {
        self.question.is_get = true;
        self.head.method = "GET".to_owned();
        let checks = checks(&stale).into_iter();
        let owned =
            |(name, value): (&str, HeaderValue)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()));
        self.head.headers.extend(checks.map(owned));
        tokio::spawn(async move {
            let Self { pages, question, target, head, asked, host, birth, place } = self;
            let depends = pages.cache.render(&head.request_id);
            let answered = ask(&target, head).await;
            let fill = Fill {
                depends,
                pages,
                question,
                filling,
                birth,
                stale: Some(stale),
                stand_in: None,
                release: Arc::clone(&target),
            };
            if let Ok(Some((head, body, done))) = answered {
                fill.renewed(&asked, &host, head, body, &done);
            }
            drop(place);
        });
    }

    /// Compares a page with what its render gives now, for this visitor. Where it differs, the app is asked once more for this visitor, and
    /// once for anybody: a page that changes by itself, or has changed for all, says nothing of visitors.
    pub(super) fn compare(self, entry: Arc<Entry>) {
        tokio::spawn(async move {
            let Self { pages, question, target, head, place: _place, .. } = self;
            let body = async |head: RequestHead| match ask(&target, head).await {
                Ok(Some((head, body, done))) if done.outcome == Outcome::Ok => Some((head.status, body)),
                _ => None,
            };
            let Some(own) = body(head.clone()).await else { return };
            if own == (entry.status.as_u16(), entry.body.clone()) {
                return;
            }
            let Some((_, anybody)) = green::question(&target, &entry) else { return };
            let (again, others) = (body(head).await, body(anybody).await);
            if again.as_ref() != Some(&own) || others.is_none_or(|others| others == own) {
                return;
            }
            let release = &target.release;
            tracing::warn!(%release, url = entry.url(),
                "a page that is kept for everybody depends on its visitor, though its render did not say so; it is dropped, and `vitrine cache why` shows it");
            pages.cache.drop_entry(&entry);
            pages.learn(&question, Learned::Private);
            fill::note_difference(&pages, &question, &target);
        });
    }
}
