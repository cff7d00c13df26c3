//! The host's side of a worker: its sockets, its health, what it calls.

/// Time to connect a worker's socket: the listener is on this machine and its backlog is nearly always empty.
pub const CONNECT_TIMEOUT_MS: u64 = 2_000;
/// Pause between two attempts to reach a worker whose render process died; the supervisor's first restart is immediate.
pub const RECONNECT_PAUSE_MS: u64 = 20;
/// How long a request waits for a worker whose render process died: a boot with warm paths takes well below it.
pub const RECONNECT_WAIT_MS: u64 = 3_000;
/// Frames that wait for one connection's writer. Bodies are bounded by their windows, so these are mostly heads.
pub const FRAMES_QUEUED_MAX: usize = 1_024;
/// Bytes of bodies among them, for all streams of a connection: a worker reads as fast as it is written to, and one that does not
/// holds up its own streams only.
pub const LINK_BODIES_BYTES_MAX: usize = 4 << 20;
/// Bytes of bodies from all workers that the host holds for slow clients and slow origins: some thousand windows.
pub const BODIES_BYTES_MAX: usize = 512 << 20;
/// Those of one worker: a window for each of 512 slow clients. Beyond it the answer that nothing was taken of for longest is broken off.
pub const WORKER_BODIES_BYTES_MAX: usize = 128 << 20;
/// Time between two pings that ask whether a worker lives, while a request waits for its answer or a ping does. With the two below a worker
/// that hangs is out of rotation within 3 s of a request that it does not answer.
pub const LIVENESS_INTERVAL_MS: u64 = 500;
/// The same while nothing waits: a worker that hangs unasked is replaced within ten seconds all the same, and 200 idle ones take a fiftieth
/// of a core together.
pub const LIVENESS_IDLE_MS: u64 = 3_000;
/// Pings of workers of which nothing is wanted go out at multiples of this time, so that the host wakes for several of them at once.
pub const LIVENESS_TURN_MS: u64 = 100;
/// Time for the answer to such a ping. A worker answers within a second also when every isolate is busy.
pub const LIVENESS_TIMEOUT_MS: u64 = 1_500;
/// Pings without an answer in a row that take a worker out of rotation: one may be lost to a busy machine.
pub const LIVENESS_RETRIES: u32 = 2;
/// Least time between two pings, however many requests fail meanwhile.
pub const LIVENESS_HASTE_MS: u64 = 100;
/// Pings of one worker that may wait for an answer: eight minutes of those that ask whether it lives. What is older is not held against it.
pub const PINGS_UNANSWERED_MAX: usize = 1_024;
/// Pause before a worker that broke the protocol is connected again: time for it to be noticed as lost, and no flood of log lines.
pub const BREACH_PAUSE_MS: u64 = 1_000;
/// Server errors in a row after which a worker's checks are due at once.
pub const FAILURES_SUSPECT: u32 = 5;
/// Commands (ping, freeze) that wait for one worker's control socket.
pub const WORKER_COMMANDS_MAX: usize = 16;
/// Egress calls at once for one worker: six a request, as browsers and Cloudflare have it, for a few dozen requests.
pub const EGRESS_CALLS_MAX: usize = 256;
/// Names that one release has resolved at once. Each keeps a thread of the 512 that also read files for everybody, for as long as the
/// system's resolver takes, which may be longer than a call waits.
pub const EGRESS_LOOKUPS_MAX: usize = 16;
/// Egress calls of one control connection that have not ended, those among them that are refused or given up: four times
/// what a worker has open at once. One that has more doesn't take its answers and only makes the host remember.
pub const EGRESS_CALLS_UNENDED_MAX: usize = 4_096;
/// Calls of an app to its own origin on the way to one answer. Pages call an API of theirs, which may call another; Cloudflare's workers
/// may call each other 16 times.
pub const OWN_CALLS_DEPTH_MAX: u8 = 8;
/// Bytes between the two ends of such a call: a socket's buffer.
pub const OWN_CALL_BUFFER_BYTES: usize = 64 << 10;
/// Denials of one worker's calls that the host's log tells at once, and then a second: what is denied stays so, and the metrics count all.
pub const EGRESS_DENIALS_BURST_MAX: f64 = 10.0;
/// See [`EGRESS_DENIALS_BURST_MAX`].
pub const EGRESS_DENIALS_PER_S_MAX: f64 = 0.1;
/// Origins of denied calls that are remembered for one worker: an app that can't start names a few.
pub const DENIALS_KEPT_MAX: usize = 16;
/// Time between two lines of an app's log about calls to one origin that is denied.
pub const DENIAL_TOLD_MS: u64 = 60_000;
/// Bytes of one egress response's body: what an isolate of the default heap could hold at all.
pub const EGRESS_BYTES_MAX: u64 = 100 << 20;
/// Time between two pieces of an egress response's body, and for what was sent upstream to be acknowledged.
pub const EGRESS_STALL_MS: u64 = 30_000;
/// Time in which a connection that agrees on TLS makes no room for another: two round trips around the world, with packets that are lost.
pub const EGRESS_HANDSHAKE_MS: u64 = 10_000;
/// Idle upstream connections kept for one origin: as many as there may be calls at once, or each wave of calls would be followed by
/// as many handshakes. All of an app's together are bounded by [`EGRESS_APP_SOCKETS_MAX`](super::EGRESS_APP_SOCKETS_MAX), and
/// make room for others.
pub const EGRESS_IDLE_PER_HOST_MAX: usize = EGRESS_CALLS_MAX;
/// How long an upstream connection is kept idle: some renders' worth, and below what most servers and balancers keep theirs.
pub const EGRESS_IDLE_MS: u64 = 30_000;
/// How long an upstream connection is silent before TCP asks whether the other side is still there, and asks again: within what
/// firewalls and balancers forget a connection after, and Go's default.
pub const EGRESS_KEEPALIVE_MS: u64 = 15_000;
/// Times that TCP asks in vain before the connection is given up.
pub const EGRESS_KEEPALIVE_PROBES_MAX: u32 = 3;

/// Bytes of a snapshot's file. One of a large app (2 MB of script) has 8 MB, and it passes through the host's memory once.
pub const SNAPSHOT_BYTES_MAX: usize = 64 << 20;
