//! Log lines that were dropped, counted by app and reason.

use prometheus::{IntCounterVec, Opts};

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

impl DropReason {
    const ALL: [Self; 3] = [Self::Rate, Self::SlowReader, Self::NotKept];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::SlowReader => "slow_reader",
            Self::NotKept => "not_kept",
        }
    }
}

/// The counts. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub struct LogDrops(IntCounterVec);

impl Default for LogDrops {
    fn default() -> Self {
        let options = Opts::new("log_lines_dropped_total", "Log lines dropped, by reason");
        Self(IntCounterVec::new(options, &["app", "reason"]).expect("its name and labels are valid"))
    }
}

impl LogDrops {
    /// Exports the counts of an app, before its first dropped line.
    pub(super) fn begin(&self, app: &str) {
        DropReason::ALL.into_iter().for_each(|reason| self.count(app, reason, 0));
    }

    /// Exports the count of the host's own lines, which have no rate and are not kept.
    pub(super) fn begin_host(&self) {
        self.count("", DropReason::SlowReader, 0);
    }

    /// Counts lines; an app without a name is the host itself, and requests that reached none.
    pub fn count(&self, app: &str, reason: DropReason, lines: u64) {
        self.0.with_label_values(&[app, reason.as_str()]).inc_by(lines);
    }

    /// Forgets an app.
    pub fn forget(&self, app: &str) {
        for reason in DropReason::ALL {
            // One that was never counted is not there.
            let _ = self.0.remove_label_values(&[app, reason.as_str()]);
        }
    }

    pub(super) fn family(&self) -> IntCounterVec {
        self.0.clone()
    }

    /// How many so far.
    #[must_use]
    pub fn of(&self, app: &str, reason: DropReason) -> u64 {
        self.0.with_label_values(&[app, reason.as_str()]).get()
    }
}
