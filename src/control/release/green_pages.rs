//! Pages of a release before users get it: those that are asked for most are rendered and kept, so that a switch keeps the hits of the
//! cache; and they are compared with those that users have now.

use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::{Arc, OnceLock};
use vitrine_proxy::route::Target;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GreenPages {
    /// Pages that are kept.
    pub kept: usize,
    /// Pages that were rendered.
    pub rendered: usize,
    /// Pages that are worse than those that users have, with what is: the address first.
    pub worse: Vec<String>,
}

/// Renders pages of a release that users don't get yet.
pub trait RendersGreen: Send + Sync {
    /// Renders those that `blue` has in the cache, the most valuable first, as far as time goes.
    fn render(&self, blue: &Target, green: Arc<Target>) -> BoxFuture<'static, GreenPages>;
}

/// What renders them, once there is an edge with a cache.
#[derive(Clone, Default)]
pub(super) struct GreenRenderer(Arc<OnceLock<Arc<dyn RendersGreen>>>);

impl GreenRenderer {
    /// Names it; the first one stays.
    pub(super) fn set(&self, renderer: Arc<dyn RendersGreen>) {
        // There is one edge a process: a second call has nothing new to say.
        let _ = self.0.set(renderer);
    }

    pub(super) async fn render(&self, blue: &Target, green: Arc<Target>) -> GreenPages {
        match self.0.get() {
            Some(renderer) => renderer.render(blue, green).await,
            None => GreenPages::default(),
        }
    }
}

impl fmt::Debug for GreenRenderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GreenRenderer").field(&self.0.get().is_some()).finish()
    }
}
