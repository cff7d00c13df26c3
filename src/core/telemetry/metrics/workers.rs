//! What is told of each release's workers and isolates.

use super::labels::{ISOLATE_STATES, WORKER_STATES};
use super::series::Series;
use super::{Metrics, Restarts};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use vitrine_wire::IsolateStatus;

impl Metrics {
    /// Says whether a release is asked for pages although none of its workers is healthy.
    pub fn fail_open(&self, series: &Series, open: bool) {
        if !series.is_gone() {
            series.has_worker.store(true, Ordering::Relaxed);
            self.fail_open.with_label_values(&series.labels()).set(i64::from(open));
        }
    }

    /// Says in which states (`booting`, `ready`, `draining`, `hung`, `lost`, `failed`) a release's workers are. Memory of all in bytes,
    /// when the engine knows it.
    pub fn workers(&self, series: &Series, states: &[&str], memory_bytes: Option<u64>) {
        if series.is_gone() {
            return;
        }
        series.has_worker.store(true, Ordering::Relaxed);
        for name in WORKER_STATES {
            let value = states.iter().filter(|state| **state == name).count() as i64;
            self.workers.with_label_values(&series.labels_and(name)).set(value);
        }
        if let Some(bytes) = memory_bytes {
            self.worker_memory
                .with_label_values(&series.labels())
                .set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// Takes the figures of the isolates of a release's workers over.
    pub fn isolates(&self, series: &Series, isolates: &[IsolateStatus]) {
        if series.is_gone() {
            return;
        }
        series.has_worker.store(true, Ordering::Relaxed);
        for (state, name) in ISOLATE_STATES {
            let count = isolates.iter().filter(|isolate| isolate.state == state).count();
            self.isolates
                .with_label_values(&series.labels_and(name))
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        // A worker may say what it likes.
        let heap = isolates.iter().fold(0_u64, |sum, isolate| sum.saturating_add(isolate.heap_bytes));
        self.isolate_heap.with_label_values(&series.labels()).set(i64::try_from(heap).unwrap_or(i64::MAX));
        self.restarts(series, isolates);
    }

    /// Counts the restarts since the last look. A worker whose render process was started again begins anew.
    fn restarts(&self, series: &Series, isolates: &[IsolateStatus]) {
        let mut now = Restarts::new();
        for (reason, count) in isolates.iter().flat_map(|isolate| &isolate.restarts) {
            *now.entry(*reason).or_default() += u64::from(*count);
        }
        let mut told = series.restarts.lock().unwrap_or_else(PoisonError::into_inner);
        for (reason, count) in &now {
            let known = told.get(reason).copied().filter(|known| known <= count).unwrap_or_default();
            self.isolate_restarts.with_label_values(&[reason.as_str()]).inc_by(count - known);
        }
        *told = now;
    }

    /// A release has no worker: removes the series about one.
    pub fn no_worker(&self, series: &Series) {
        if !series.loses_worker() {
            return;
        }
        series.restarts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // What was never told is not there.
        let labels = series.labels();
        let _ = self.worker_memory.remove_label_values(&labels);
        let _ = self.fail_open.remove_label_values(&labels);
        let _ = self.isolate_heap.remove_label_values(&labels);
        for name in WORKER_STATES {
            let _ = self.workers.remove_label_values(&series.labels_and(name));
        }
        for (_, name) in ISOLATE_STATES {
            let _ = self.isolates.remove_label_values(&series.labels_and(name));
        }
    }
}
