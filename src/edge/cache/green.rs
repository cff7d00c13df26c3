//! Renders pages of a release that users don't get yet: see [`vitrine_control::release::RendersGreen`].

use super::Pages;
use super::background::ask;
use super::fill::{Fill, Frozen};
use super::learned::Learned;
use super::question::Question;
use super::sight::{NARROWED, Sight};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use http::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use vitrine_bundle::CacheMode;
use vitrine_cache::{Entry, Filling, Key, Scope};
use vitrine_control::release::{GreenPages, RendersGreen};
use vitrine_core::limits::{CACHE_GREEN_AT_ONCE, CACHE_GREEN_MS, CACHE_GREEN_PAGES_MAX};
use vitrine_proxy::route::Target;
use vitrine_wire::{Outcome, RequestHead};

/// What became of one page.
enum Page {
    Kept,
    NotKept,
    /// What is worse.
    Worse(String),
}

/// As [`RendersGreen`] wants it: a handle that others share.
#[derive(Debug)]
pub(crate) struct Green(pub Arc<Pages>);

impl RendersGreen for Green {
    fn render(&self, blue: &Target, green: Arc<Target>) -> BoxFuture<'static, GreenPages> {
        let pages = Arc::clone(&self.0);
        let scope = Scope::Release(Arc::clone(&blue.pages));
        let app = blue.release.app.clone();
        let is_meant = |key: &Key| {
            key.app == app && key.scope == scope && key.scope != Scope::Release(Arc::clone(&green.pages))
        };
        let hot = pages.cache.top(is_meant, CACHE_GREEN_PAGES_MAX);
        Box::pin(async move {
            let mut came = GreenPages::default();
            let until = tokio::time::Instant::now() + Duration::from_millis(CACHE_GREEN_MS);
            let renders =
                stream::iter(hot).map(|entry| render(Arc::clone(&pages), Arc::clone(&green), entry));
            let mut renders = std::pin::pin!(renders.buffer_unordered(CACHE_GREEN_AT_ONCE));
            // What is not rendered in time is rendered when it is asked for.
            while let Ok(Some(page)) = tokio::time::timeout_at(until, renders.next()).await {
                came.rendered += 1;
                match page {
                    Page::Kept => came.kept += 1,
                    Page::NotKept => {}
                    Page::Worse(what) => came.worse.push(what),
                }
            }
            came
        })
    }
}

/// Renders one page for those for whom it was kept.
async fn render(pages: Arc<Pages>, target: Arc<Target>, blue: Arc<Entry>) -> Page {
    let Some((question, head)) = question(&target, &blue) else { return Page::NotKept };
    let asked = Frozen::of_headers(&head.headers);
    let host = authority(&head.url).split(':').next().unwrap_or_default().to_owned();
    let (birth, depends) = (pages.cache.birth(), pages.cache.render(&head.request_id));
    let (head, body, done) = match ask(&target, head).await {
        Ok(Some(answer)) => answer,
        Ok(None) => return Page::NotKept,
        Err(outcome) => return Page::Worse(format!("{}: its render ended as {outcome}", blue.url())),
    };
    if let Some(what) = worse(&blue, head.status, &body, done.outcome) {
        return Page::Worse(format!("{}: {what}", blue.url()));
    }
    let fill = Fill {
        pages,
        question,
        filling: Filling::alone(),
        birth,
        depends,
        stale: None,
        stand_in: None,
        release: target,
    };
    if fill.renewed(&asked, &host, head, body, &done) { Page::Kept } else { Page::NotKept }
}

/// What is worse about an answer than about the page that users have.
fn worse(blue: &Entry, status: u16, body: &[u8], outcome: Outcome) -> Option<String> {
    if outcome != Outcome::Ok {
        return Some(format!("its render ended as {outcome}"));
    }
    let was = blue.status.as_u16();
    if was < 400 && status >= 400 {
        return Some(format!("{status} instead of {was}"));
    }
    let (before, now) = (elements(&blue.body), elements(body));
    (was == status && before >= 10 && now * 2 < before).then(|| format!("{now} elements instead of {before}"))
}

/// Opening tags, roughly: enough to see that half of a page is missing.
fn elements(body: &[u8]) -> usize {
    body.windows(2).filter(|pair| pair[0] == b'<' && pair[1].is_ascii_alphabetic()).count()
}

/// The same page of the other release, and the request of somebody for whom it was kept. None where that is not known.
pub(super) fn question(target: &Target, blue: &Entry) -> Option<(Question, RequestHead)> {
    let url = blue.url();
    let (scheme, rest) = url.split_once("://")?;
    let page = rest.find('/').map_or("/", |at| &rest[at..]);
    let path = page.split('?').next().unwrap_or(page);
    let mode = target.bundle.manifest.cache.mode_of(path);
    if mode == CacheMode::Off {
        return None;
    }
    let host = authority(url);
    let mut headers: Vec<(String, Vec<u8>)> = vec![
        ("host".into(), host.into()),
        ("x-forwarded-host".into(), host.into()),
        ("x-forwarded-proto".into(), scheme.into()),
    ];
    headers.extend(blue.request_headers());
    // Lines of a narrowed render's key; without a colon it is experiments or cookies, whose visitors ask by themselves.
    let narrowed = blue.variant().strip_prefix(NARROWED);
    for line in
        narrowed.unwrap_or(blue.variant()).split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        headers.push((name.as_str().to_owned(), line[at + 1..].to_vec()));
    }
    let sight = if narrowed.is_none() { Sight::Full } else { Sight::Narrowed(Arc::default()) };
    let key = Key {
        app: target.release.app.clone(),
        scope: Scope::Release(Arc::clone(&target.pages)),
        url: url.into(),
        variant: blue.variant().into(),
    };
    let question = Question {
        key: Some(key),
        route: format!("{} {} {path}", target.release.app, target.pages).into(),
        page: page.into(),
        mode,
        sight,
        learned: Learned::Nothing,
        is_get: true,
        is_of_somebody: false,
        wants_fresh: false,
    };
    let head = RequestHead {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name, value.into())).collect(),
        has_body: false,
        upgrade: false,
        request_id: format!("green:{}", uuid::Uuid::now_v7()),
        ledger: true,
    };
    Some((question, head))
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_by_their_beginnings() {
        assert_eq!(elements(b"<!doctype html><p>a < b</p><br><A>"), 3);
    }

    #[test]
    fn the_authority_of_an_address_has_its_port() {
        assert_eq!(authority("http://shop.localhost:8080/a//b"), "shop.localhost:8080");
    }
}
