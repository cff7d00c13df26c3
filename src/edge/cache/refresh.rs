//! Renders that no visitor waits for: of pages that are stale, and of one hit in many, to compare.

use super::super::context::RequestContext;
use super::super::forward::background_head;
use super::super::release_tag::ReleaseTag;
use super::super::select::Selection;
use super::Pages;
use super::fill::{Fill, Frozen};
use super::learned::Learned;
use super::question::Question;
use super::shared::{Shared, checks};
use super::visible::Visible;
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use std::sync::Arc;
use std::time::Duration;
use vitrine_cache::{Birth, Entry, Filling};
use vitrine_core::limits::{CACHE_ENTRY_BYTES_MAX, CACHE_PARITY_ONE_IN};
use vitrine_proxy::app_places::AppPlace;
use vitrine_proxy::route::Target;
use vitrine_proxy::worker::Piece;
use vitrine_wire::{Done, Outcome, RequestHead, ResponseHead};

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
    rand::random_range(0..CACHE_PARITY_ONE_IN) == 0
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
            if let Some((head, body, done)) = answered {
                fill.renewed(&asked, &host, head, body, &done);
            }
            drop(place);
        });
    }

    /// Compares a page with what its render gives now, for this visitor.
    pub(super) fn compare(self, entry: Arc<Entry>) {
        tokio::spawn(async move {
            let Self { pages, question, target, head, place, .. } = self;
            let answered = ask(&target, head).await;
            drop(place);
            let Some((head, body, done)) = answered else { return };
            let same = head.status == entry.status.as_u16() && body == entry.body;
            let differs_by_itself = done.reads.as_deref().is_none_or(super::verdict::may_differ);
            if done.outcome != Outcome::Ok || same || differs_by_itself {
                return;
            }
            let release = &target.release;
            tracing::warn!(%release, url = entry.url(),
                "a page from the cache differs from what its app renders for this visitor now; it is dropped, and its route is not kept for a while");
            pages.cache.drop_entry(&entry);
            pages.learn(&question, Learned::Private);
            super::fill::note_difference(&pages, &question, &target);
        });
    }
}

/// Asks the app, and waits for all of its answer.
async fn ask(target: &Arc<Target>, head: RequestHead) -> Option<(ResponseHead, Bytes, Done)> {
    let claim = target.pool.claim().ok()?;
    let connection = claim.worker().connected().await.ok()?;
    let head_timeout = Duration::from_millis(target.head_timeout_ms);
    let asked = connection.request(head, None);
    let mut answer = tokio::time::timeout(head_timeout, asked).await.ok()?.ok()?;
    let silence_timeout = Duration::from_millis(target.stream_timeout_ms);
    let mut whole = BytesMut::new();
    loop {
        match tokio::time::timeout(silence_timeout, answer.body.next()).await.ok()?? {
            Piece::Data(data) if whole.len() + data.len() > CACHE_ENTRY_BYTES_MAX => return None,
            Piece::Data(data) => whole.extend_from_slice(&data),
            Piece::End(done) => return Some((answer.head, whole.freeze(), *done)),
        }
    }
}
