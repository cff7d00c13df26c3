//! Labels of the samples.

use super::super::series::ReleaseLabels;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use std::fmt::Write as _;
use std::sync::Arc;
use vitrine_wire::{IsolateState, Outcome};

/// Names of a worker's states in `vitrine_workers`.
pub(super) const WORKER_STATES: [&str; 6] = ["booting", "ready", "draining", "hung", "lost", "failed"];
/// Names of an isolate's states in `vitrine_isolates`.
pub(super) const ISOLATE_STATES: [(IsolateState, &str); 3] = [
    (IsolateState::Booting, "booting"),
    (IsolateState::Serving, "serving"),
    (IsolateState::Condemned, "condemned"),
];
/// Names of the kinds in `vitrine_flips_total`.
pub(super) const FLIP_KINDS: [&str; 2] = ["promote", "rollback"];
/// Names of the reasons in `vitrine_worker_replacements_total`.
pub(super) const REPLACEMENTS: [&str; 3] = ["gone", "hung", "unhealthy"];
/// Names of the outcomes in `vitrine_egress_requests_total`.
pub(super) const EGRESS_OUTCOMES: [&str; 5] = ["ok", "denied", "unreachable", "timed_out", "limit"];

/// Names of the directions in `vitrine_web_socket_messages_total`.
pub(crate) const DIRECTIONS: [&str; 2] = ["received", "sent"];

/// Labels of one count of a release's messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct MessageLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
    pub direction: &'static str,
}

/// Labels of one count of requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
    pub outcome: OutcomeLabel,
    pub code: u16,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OutcomeLabel(pub Outcome);

impl EncodeLabelValue for OutcomeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.0.as_str())
    }
}

/// Labels of one state of a release's workers or isolates.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StateLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
    pub state: &'static str,
}

/// Label of a count that has an app alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AppLabels {
    pub app: String,
}

/// Labels of one kind of change of the live release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FlipLabels {
    pub app: String,
    pub kind: &'static str,
}

/// Labels of one reason for the replacement of workers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReplacementLabels {
    pub app: String,
    pub reason: &'static str,
}

/// Labels of one reason for restarts of isolates.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RestartLabels {
    pub reason: &'static str,
}

/// Labels of one outcome of an app's calls to a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EgressLabels {
    pub app: String,
    pub host: String,
    pub outcome: &'static str,
}

impl ReleaseLabels {
    /// These labels and a state.
    pub(crate) fn state(&self, state: &'static str) -> StateLabels {
        StateLabels { app: Arc::clone(&self.app), release: Arc::clone(&self.release), state }
    }
}
