//! What is known of routes by their last answers: whether their pages are shared, and what their renders have to see for it.

use super::sight::{Sight, has_keyed_cookies_alone};
use super::visible::Visible;
use http::HeaderName;
use http::header::AUTHORIZATION;
use moka::sync::Cache as Memory;
use std::sync::Arc;
use std::time::Duration;
use vitrine_bundle::{CacheMode, CacheWish};
use vitrine_cache::{Asked as _, NoVarySearch};
use vitrine_core::limits::{CACHE_ROUTE_S, CACHE_ROUTES_MAX};

/// What is known of a route: one path of one release.
#[derive(Debug, Clone, Default)]
pub(crate) enum Learned {
    /// Nothing.
    #[default]
    Nothing,
    /// Its answers are for nobody else.
    Private,
    /// Its answers are shared.
    Shared(Arc<Shares>),
}

/// How the answers of a route are shared.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    /// Whether the renders look at all headers, so that only narrowed ones can be shared.
    pub narrowed: bool,
    /// Headers by which the answers say that they vary.
    pub vary: Arc<[HeaderName]>,
    /// Parameters of the query that make no difference, as the answers say.
    pub no_vary_search: Option<NoVarySearch>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Routes(Memory<Box<str>, Learned>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(
            Memory::builder()
                .max_capacity(CACHE_ROUTES_MAX)
                .time_to_live(Duration::from_secs(CACHE_ROUTE_S))
                .build(),
        )
    }

    pub(super) fn of(&self, route: &str) -> Learned {
        self.0.get(route).unwrap_or_default()
    }

    pub(super) fn learn(&self, route: &str, learned: Learned) {
        self.0.insert(route.into(), learned);
    }
}

impl Learned {
    pub(super) fn no_vary_search(&self) -> Option<&NoVarySearch> {
        match self {
            Self::Shared(shares) => shares.no_vary_search.as_ref(),
            _ => None,
        }
    }

    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// The sight of a render for this request, if it is not the full one.
    pub(super) fn sight(&self, mode: CacheMode, wish: &CacheWish, visible: &Visible<'_>) -> Option<Sight> {
        match (mode, self) {
            (CacheMode::Narrowed, Self::Nothing) => Some(Sight::Narrowed(Arc::default())),
            (CacheMode::Narrowed, Self::Shared(shares)) => Some(Sight::Narrowed(Arc::clone(&shares.vary))),
            // Whoever is somebody gets a render that sees all of them.
            (CacheMode::Observed, Self::Shared(shares))
                if shares.narrowed
                    && has_keyed_cookies_alone(wish, visible.cookies())
                    && visible.header(&AUTHORIZATION).is_none() =>
            {
                Some(Sight::Narrowed(Arc::clone(&shares.vary)))
            }
            _ => None,
        }
    }
}
