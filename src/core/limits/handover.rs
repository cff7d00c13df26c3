//! Handing over to a successor.

/// Bytes of one line between a host and its successor: a reason is a sentence or two.
pub const HANDOVER_LINE_BYTES_MAX: u64 = 64 << 10;
/// Time for a new process to read its configuration: a program start on a busy machine.
pub const HANDOVER_PREPARE_MS: u64 = 30_000;
/// Time for what changes releases to come to rest before the data folder is lent: a deploy that takes longer is not cut short, the
/// hand-over is refused.
pub const HANDOVER_REST_MS: u64 = 30_000;
/// Time that a successor waits for the data folder: what the other side may take to come to rest, twice, and a copy of the state.
pub const HANDOVER_DATA_MS: u64 = 3 * HANDOVER_REST_MS;
/// Time from the data folder to ready: containers are adopted in a moment, processes are booted, each within its own bound.
pub const HANDOVER_READY_MS: u64 = 180_000;
/// Time that connections of the host before have to end by themselves, once its successor wants to change something: a client
/// that sends another request within it is told that this answer is the last. Closing an idle connection could race a request.
pub const SETTLE_GRACE_MS: u64 = 4_000;
/// Time for the host before to stop taking requests: beyond the grace it only tells its connections.
pub const SETTLE_MS: u64 = SETTLE_GRACE_MS + 3_000;
/// Time after which a predecessor is taken for gone: its idle connections and its drain end long before.
pub const PREDECESSOR_LIFE_MS: u64 = 600_000;
/// Time that `vitrine upgrade` waits for the outcome: all of the bounds of a hand-over.
pub const UPGRADE_CALL_MS: u64 = HANDOVER_PREPARE_MS + HANDOVER_DATA_MS + HANDOVER_READY_MS + 30_000;
