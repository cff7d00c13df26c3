//! URLs of apps and releases, as users reach them.

use super::Parts;
use std::sync::{Arc, OnceLock};
use vitrine_core::config::Config;
use vitrine_core::id::AppName;
use vitrine_proxy::route::guard::{Guard, PASS_PARAMETER};

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    config: Arc<Config>,
    guard: Option<Arc<Guard>>,
    /// Scheme and port that users reach the edge at, once it is bound.
    public: Arc<OnceLock<(&'static str, u16)>>,
}

impl Urls {
    /// Those of a host whose edge is not bound yet.
    pub(super) fn new(parts: &Parts) -> Self {
        Self { config: Arc::clone(&parts.config), guard: parts.guard.clone(), public: Arc::default() }
    }

    /// Tells where users reach the edge.
    pub(super) fn set_public(&self, public: (&'static str, u16)) {
        // Bound once a process: a second call has nothing new to say.
        let _ = self.public.set(public);
    }

    /// The password of releases that users never got.
    pub(super) fn guard(&self) -> Option<Arc<Guard>> {
        self.guard.clone()
    }

    /// URL of a host label below the domain.
    pub(super) fn url(&self, label: &str) -> String {
        let domain = &self.config.domain;
        match self.public.get() {
            Some((scheme @ "https", 443) | (scheme @ "http", 80)) => format!("{scheme}://{label}.{domain}"),
            Some((scheme, port)) => format!("{scheme}://{label}.{domain}:{port}"),
            None => format!("http://{label}.{domain}"),
        }
    }

    /// The URL of a label with a pass in it, for what can't be seen without one.
    pub(super) fn link(&self, app: &AppName, label: &str) -> Option<String> {
        let guard = self.guard.as_ref().filter(|guard| guard.watches(app))?;
        let pass = guard.pass(&format!("{label}.{}", self.config.domain));
        Some(format!("{}/?{PASS_PARAMETER}={pass}", self.url(label)))
    }
}
