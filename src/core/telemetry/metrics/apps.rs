//! What is counted for each app.

use super::Metrics;
use super::labels::{EGRESS_OUTCOMES, FLIP_KINDS, REPLACEMENTS};
use crate::id::AppName;
use crate::limits::EGRESS_HOSTS_MAX;
use std::collections::{BTreeSet, HashMap};
use std::sync::{MutexGuard, PoisonError};
use vitrine_wire::EgressFailure;

/// Stands for the hosts beyond [`EGRESS_HOSTS_MAX`].
const OTHER_HOSTS: &str = "other";

/// Why the live release changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlipKind {
    /// `promote`, or a deploy that promotes.
    Promote,
    /// `rollback`.
    Rollback,
}

/// Why a worker is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Its container or process ended, or did not come back.
    Gone,
    /// It answered no ping.
    Hung,
    /// It failed the checks that the operator configured.
    Unhealthy,
}

impl Metrics {
    pub(super) fn apps(&self) -> MutexGuard<'_, HashMap<AppName, BTreeSet<String>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is such an app: its counters are exported from now on.
    pub fn add_app(&self, app: &AppName) {
        // Held meanwhile: a removal takes all of them away.
        let mut apps = self.apps();
        apps.entry(app.clone()).or_default();
        for kind in FLIP_KINDS {
            self.flips.with_label_values(&[app.as_str(), kind]);
        }
        for reason in REPLACEMENTS {
            self.replacements.with_label_values(&[app.as_str(), reason]);
        }
        self.warm_failures.with_label_values(&[app.as_str()]);
        self.log_drops.begin(app.as_str());
    }

    /// An app may call these hosts: its calls to them are exported from now on.
    pub fn egress_hosts<'a>(&self, app: &AppName, hosts: impl IntoIterator<Item = &'a str>) {
        let mut apps = self.apps();
        let Some(known) = apps.get_mut(app) else { return };
        for host in hosts {
            if known.len() >= EGRESS_HOSTS_MAX || !known.insert(host.to_owned()) {
                continue;
            }
            for outcome in EGRESS_OUTCOMES {
                self.egress.with_label_values(&[app.as_str(), host, outcome]);
            }
        }
    }

    /// Counts a switch of the live release.
    pub fn flip(&self, app: &AppName, kind: FlipKind) {
        let [promote, rollback] = FLIP_KINDS;
        let kind = match kind {
            FlipKind::Promote => promote,
            FlipKind::Rollback => rollback,
        };
        if self.apps().contains_key(app) {
            self.flips.with_label_values(&[app.as_str(), kind]).inc();
        }
    }

    /// Counts a start of an accepted release whose warm or health path failed.
    pub fn warm_failure(&self, app: &AppName) {
        if self.apps().contains_key(app) {
            self.warm_failures.with_label_values(&[app.as_str()]).inc();
        }
    }

    /// Counts a worker that is replaced.
    pub fn replacement(&self, app: &AppName, reason: Replacement) {
        let [gone, hung, unhealthy] = REPLACEMENTS;
        let reason = match reason {
            Replacement::Gone => gone,
            Replacement::Hung => hung,
            Replacement::Unhealthy => unhealthy,
        };
        if self.apps().contains_key(app) {
            self.replacements.with_label_values(&[app.as_str(), reason]).inc();
        }
    }

    /// Counts a call of an app to a host outside, by how it ended.
    pub fn egress(&self, app: &AppName, host: &str, result: Result<(), &EgressFailure>) {
        let [ok, denied, unreachable, timed_out, limit] = EGRESS_OUTCOMES;
        let outcome = match result {
            Ok(()) => ok,
            Err(EgressFailure::Denied(_)) => denied,
            Err(EgressFailure::Unreachable(_)) => unreachable,
            Err(EgressFailure::TimedOut(_)) => timed_out,
            Err(EgressFailure::Limit(_)) => limit,
        };
        let mut apps = self.apps();
        let Some(hosts) = apps.get_mut(app) else { return };
        // An app may ask for any name, also for those that it is denied.
        let host = if hosts.contains(host) || hosts.len() < EGRESS_HOSTS_MAX { host } else { OTHER_HOSTS };
        if !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
        self.egress.with_label_values(&[app.as_str(), host, outcome]).inc();
    }

    /// Forgets every series of an app that is gone.
    pub fn forget_app(&self, app: &AppName) {
        let mut apps = self.apps();
        let hosts = apps.remove(app).unwrap_or_default();
        self.log_drops.forget(app.as_str());
        self.forget_caches(app);
        // What was never counted is not there.
        let _ = self.warm_failures.remove_label_values(&[app.as_str()]);
        for kind in FLIP_KINDS {
            let _ = self.flips.remove_label_values(&[app.as_str(), kind]);
        }
        for reason in REPLACEMENTS {
            let _ = self.replacements.remove_label_values(&[app.as_str(), reason]);
        }
        for host in hosts {
            for outcome in EGRESS_OUTCOMES {
                let _ = self.egress.remove_label_values(&[app.as_str(), &host, outcome]);
            }
        }
    }
}
