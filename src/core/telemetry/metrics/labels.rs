//! Names of labels' values, and the order in which labels are written.

use prometheus::proto::MetricFamily;
use vitrine_wire::IsolateState;

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
/// Names of the caches in `vitrine_cache_requests_total`: of pages, and of what apps fetch.
pub(super) const CACHES: [&str; 2] = ["page", "data"];
/// Names of the results there: a fresh answer, a stale one, none, and a request that no answer is kept for.
pub(super) const CACHE_RESULTS: [&str; 4] = ["hit", "stale", "miss", "bypass"];
/// Names of the directions in `vitrine_web_socket_messages_total`.
pub(super) const DIRECTIONS: [&str; 2] = ["received", "sent"];

/// Labels of what is counted for each release.
pub(super) const RELEASE: &[&str] = &["app", "release"];
/// Labels of the states of a release's workers and isolates.
pub(super) const RELEASE_STATE: &[&str] = &["app", "release", "state"];

/// The library sorts labels by name; people look for the app and the release first, and for the code behind the outcome.
pub(super) fn put_in_order(families: &mut [MetricFamily]) {
    let rank = |name: &str| match name {
        "side" | "app" => 0,
        "release" => 1,
        "code" => 3,
        _ => 2,
    };
    for metric in families.iter_mut().flat_map(MetricFamily::mut_metric) {
        metric.mut_label().sort_by_key(|label| rank(label.name()));
    }
}
