//! The series that one release's requests end in, looked up once a request and without a lock.

use super::Metrics;
use super::metrics::{OutcomeLabel, RequestLabels};
use super::tally::Tally;
use crate::id::ReleaseId;
use arc_swap::ArcSwap;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use vitrine_wire::Outcome;

/// Status in logs and metrics of a request whose client went away before there was an answer.
pub const CLIENT_WENT_AWAY: u16 = 499;

/// Labels of everything that is told by release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReleaseLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
}

impl ReleaseLabels {
    pub(super) fn of(release: &ReleaseId) -> Self {
        Self { app: release.app.as_str().into(), release: release.version.as_str().into() }
    }
}

/// Counters of one release, or of the requests that reached none. Histograms appear with their first sample.
#[derive(Debug)]
pub struct Series {
    labels: ReleaseLabels,
    counts: ArcSwap<HashMap<(Outcome, u16), Counter>>,
    in_flight: Gauge,
    duration: OnceLock<Histogram>,
    render_cpu: OnceLock<Histogram>,
    pub(super) tally: Tally,
}

/// One request in flight; ends when dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Series>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

/// A status as a label: the number if it is registered or the host's own, else the first of its class, as which clients treat it
/// (RFC 9110, 15). An app can't make a series of each number.
fn label_of(code: u16) -> u16 {
    let known = StatusCode::from_u16(code).is_ok_and(|status| status.canonical_reason().is_some());
    if known || code == CLIENT_WENT_AWAY { code } else { code / 100 * 100 }
}

impl Series {
    pub(super) fn of(metrics: &Metrics, release: &ReleaseId) -> Self {
        let labels = ReleaseLabels::of(release);
        let in_flight = metrics.in_flight.get_or_create_owned(&labels);
        Self::with(labels, in_flight)
    }

    pub(super) fn nowhere() -> Self {
        Self::with(ReleaseLabels { app: "".into(), release: "".into() }, Gauge::default())
    }

    fn with(labels: ReleaseLabels, in_flight: Gauge) -> Self {
        Self {
            labels,
            counts: ArcSwap::default(),
            in_flight,
            duration: OnceLock::new(),
            render_cpu: OnceLock::new(),
            tally: Tally::default(),
        }
    }

    /// Counts a request as in flight.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.inc();
        InFlight(Arc::clone(self))
    }

    pub(super) fn count(&self, requests: &Family<RequestLabels, Counter>, outcome: Outcome, code: u16) {
        let code = label_of(code);
        if let Some(counter) = self.counts.load().get(&(outcome, code)) {
            counter.inc();
            return;
        }
        let counter = requests.get_or_create_owned(&self.request_labels(outcome, code));
        counter.inc();
        self.counts.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert((outcome, code), counter.clone());
            known
        });
    }

    pub(super) fn forget(&self, requests: &Family<RequestLabels, Counter>) {
        for (outcome, code) in self.counts.load().keys() {
            requests.remove(&self.request_labels(*outcome, *code));
        }
    }

    pub(super) fn duration(&self, metrics: &Metrics) -> &Histogram {
        self.duration.get_or_init(|| metrics.duration.get_or_create_owned(&self.labels))
    }

    pub(super) fn render_cpu(&self, metrics: &Metrics) -> &Histogram {
        self.render_cpu.get_or_init(|| metrics.render_cpu.get_or_create_owned(&self.labels))
    }

    fn request_labels(&self, outcome: Outcome, code: u16) -> RequestLabels {
        RequestLabels {
            app: Arc::clone(&self.labels.app),
            release: Arc::clone(&self.labels.release),
            outcome: OutcomeLabel(outcome),
            code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_nobody_registered_share_a_label() {
        for (code, label) in [(200, 200), (418, 418), (499, 499), (299, 200), (477, 400), (599, 500)] {
            assert_eq!(label_of(code), label);
        }
        let labels: std::collections::BTreeSet<u16> = (200..=599).map(label_of).collect();
        assert!(labels.len() < 80, "{}", labels.len());
    }
}
