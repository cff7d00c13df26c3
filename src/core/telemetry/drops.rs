//! Log lines that were dropped, counted by app and reason.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use std::fmt::Write as _;

/// Why a line was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Its release wrote more than it may.
    Rate,
    /// The host's stderr is read more slowly than it is written to.
    SlowReader,
    /// The thread that keeps lines, or its disk, had no room for it.
    NotKept,
}

/// The counts. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub struct LogDrops(Family<DropLabels, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct DropLabels {
    app: String,
    reason: DropReason,
}

impl EncodeLabelValue for DropReason {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        encoder.write_str(match self {
            Self::Rate => "rate",
            Self::SlowReader => "slow_reader",
            Self::NotKept => "not_kept",
        })
    }
}

/// Every reason.
const REASONS: [DropReason; 3] = [DropReason::Rate, DropReason::SlowReader, DropReason::NotKept];

impl LogDrops {
    /// Exports the counts of an app, before its first dropped line.
    pub(super) fn begin(&self, app: &str) {
        REASONS.into_iter().for_each(|reason| self.count(app, reason, 0));
    }

    /// Exports the count of the host's own lines, which have no rate and are not kept.
    pub(super) fn begin_host(&self) {
        self.count("", DropReason::SlowReader, 0);
    }

    /// Counts lines; an app without a name is the host itself, and requests that reached none.
    pub fn count(&self, app: &str, reason: DropReason, lines: u64) {
        self.0.get_or_create(&DropLabels { app: app.to_owned(), reason }).inc_by(lines);
    }

    /// Forgets an app.
    pub fn forget(&self, app: &str) {
        for reason in REASONS {
            self.0.remove(&DropLabels { app: app.to_owned(), reason });
        }
    }

    pub(super) fn family(&self) -> Family<DropLabels, Counter> {
        self.0.clone()
    }

    /// How many so far.
    #[must_use]
    pub fn of(&self, app: &str, reason: DropReason) -> u64 {
        self.0.get_or_create(&DropLabels { app: app.to_owned(), reason }).get()
    }
}
