//! The route table: immutable, swapped whole. "Live" is a fact of this table and of nothing else. Tables share what they have in common.

pub mod guard;
pub mod speaks;
pub mod split;

use crate::pool::Pool;
use crate::rules::Rules;
use arc_swap::ArcSwap;
use rpds::HashTrieMapSync;
use split::Split;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use vitrine_bundle::{Bundle, Deltas};
use vitrine_core::id::{AppName, ReleaseId, Version};

/// A retained release as the edge needs it.
#[derive(Debug)]
pub struct Target {
    /// Which.
    pub release: ReleaseId,
    /// Its files, limits and manifest.
    pub bundle: Arc<Bundle>,
    /// What its pages are kept under: releases whose pages differ have another.
    pub pages: Arc<str>,
    /// Folder of its unpacked bundle (see [`vitrine_bundle::BundleDir`]).
    pub dir: PathBuf,
    /// Deltas of its files; none where files are always sent whole.
    pub deltas: Option<Arc<Deltas>>,
    /// Its workers; the same pool in every table that names the release.
    pub pool: Arc<Pool>,
    /// Whether it was live at some time.
    pub was_live: bool,
    /// Whether it was rolled back from.
    pub rolled_back: bool,
    /// Whether it is marked as bad.
    pub bad: bool,
    /// Whether hooks look at it, by its own name, before it is promoted: it may be marked as bad until then.
    pub on_trial: bool,
    /// Request body bound in force, in bytes.
    pub request_bytes_max: u64,
    /// How long a client may take no byte of a response, in milliseconds.
    pub client_stall_ms: u64,
    /// How long a worker may take to the head of an answer, in milliseconds; it keeps its own limits before.
    pub head_timeout_ms: u64,
    /// How long it may produce nothing once an answer has begun, in milliseconds; it keeps its own limit before.
    pub stream_timeout_ms: u64,
}

/// One app: its live release and everything retained.
#[derive(Debug, Clone)]
pub struct AppRoute {
    /// Which.
    pub app: AppName,
    /// What a user gets; none while nothing was promoted.
    pub live: Option<Arc<Target>>,
    /// A second release that a share of the users gets instead of the live one.
    pub split: Option<Split>,
    /// Retained releases, newest first, the live one among them.
    pub releases: Vec<Arc<Target>>,
}

impl AppRoute {
    /// A retained release by its version.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<&Arc<Target>> {
        self.releases.iter().find(|target| target.release.version == *version)
    }
}

/// Where a host name leads.
#[derive(Debug, Clone)]
pub enum HostTarget {
    /// To an app's live release (pins and splits apply).
    App(Arc<AppRoute>),
    /// To this release, live or not.
    Release(Arc<AppRoute>, Arc<Target>),
}

/// Host names to releases at one moment.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// Grows by one with each change.
    pub epoch: u64,
    /// Domain below which labels are looked up.
    pub domain: String,
    /// Whether the host has just started, and live releases may still be without a worker.
    pub starting: bool,
    /// Whether every host name leads to the only app (`solo`).
    pub any_host: bool,
    /// First labels below the domain.
    pub labels: HashTrieMapSync<String, HostTarget>,
    /// The labels of each app.
    pub labels_of: HashTrieMapSync<AppName, Arc<[String]>>,
    /// Whole host names that the operator configured.
    pub hosts: HashMap<String, Arc<AppRoute>>,
    /// By name.
    pub apps: HashTrieMapSync<AppName, Arc<AppRoute>>,
    /// Rules that come before host names; nothing where there are none.
    pub rules: Option<Arc<Rules>>,
}

impl HostTarget {
    /// Whether both lead to the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::App(one), Self::App(two)) => one.app == two.app,
            (Self::Release(_, one), Self::Release(_, two)) => one.release == two.release,
            _ => false,
        }
    }
}

impl RouteTable {
    /// Whether a host name is one of an app or a release, not any that leads to the only app.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let label = host.strip_suffix(&self.domain).and_then(|rest| rest.strip_suffix('.'));
        self.hosts.contains_key(host) || label.is_some_and(|label| self.labels.contains_key(label))
    }

    /// Where a host name (lower case, no port) leads. The bare domain, IP hosts and no name at all lead to the only app, if there is
    /// exactly one and no configured host names.
    #[must_use]
    pub fn resolve(&self, host: &str) -> Option<HostTarget> {
        if let Some(app) = self.hosts.get(host) {
            return Some(HostTarget::App(Arc::clone(app)));
        }
        if let Some(label) = host.strip_suffix(&self.domain).and_then(|rest| rest.strip_suffix('.')) {
            let known = self.labels.get(label).cloned();
            if known.is_some() || !self.any_host {
                return known;
            }
        }
        if self.any_host {
            return self.apps.values().next().map(|app| HostTarget::App(Arc::clone(app)));
        }
        let is_ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        // An HTTP/1.0 client may name no host.
        let is_any = host == self.domain || is_ip || host.is_empty();
        let lone = self.apps.size() == 1 && self.hosts.is_empty() && is_any;
        lone.then(|| self.apps.values().next().map(|app| HostTarget::App(Arc::clone(app)))).flatten()
    }
}

/// The table in force. Readers take a snapshot; the control plane publishes the next.
#[derive(Debug, Clone)]
pub struct Routes(Arc<ArcSwap<RouteTable>>);

impl Routes {
    /// An empty table of this domain.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let table = RouteTable { domain: domain.to_owned(), ..RouteTable::default() };
        Self(Arc::new(ArcSwap::from_pointee(table)))
    }

    /// The table in force now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<RouteTable> {
        self.0.load_full()
    }

    /// Replaces the table.
    pub fn publish(&self, table: RouteTable) {
        self.0.store(Arc::new(table));
    }
}
