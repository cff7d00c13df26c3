//! What one connection is doing: enough to tell a client that dawdles from an app that works, and one that rests from both.

use super::after_http::AfterHttp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use vitrine_core::limits::{
    ANSWER_BYTES_PER_S_MIN, ANSWER_GRACE_MS, CONNECTION_CHECK_MS, HEAD_TIMEOUT_MS, KEEPALIVE_IDLE_MS,
    TAKEN_BACK_MAX,
};

/// How long a connection may take for what is the client's turn.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionTimeouts {
    /// Until a head is complete, from accept or from the first byte after a pause.
    pub head: Duration,
    /// Pause between two requests.
    pub idle: Duration,
    /// For its answers in all, before the rate at which it takes them counts.
    pub answer: Duration,
    /// How exact these times are: least time between two looks at the clocks.
    pub check: Duration,
}

impl Default for ConnectionTimeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_millis(HEAD_TIMEOUT_MS),
            idle: Duration::from_millis(KEEPALIVE_IDLE_MS),
            answer: Duration::from_millis(ANSWER_GRACE_MS),
            check: Duration::from_millis(CONNECTION_CHECK_MS),
        }
    }
}

/// Whether so many bytes, taken while their sender waited for so long, are fewer than the least that is allowed.
#[must_use]
pub fn is_trickle(bytes: u64, waited: Duration) -> bool {
    bytes.saturating_mul(1_000) < ANSWER_BYTES_PER_S_MIN.saturating_mul(waited.as_millis() as u64)
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutState {
    /// It goes on.
    Fine,
    /// It had its pause: close it politely.
    Idle,
    /// The client is too slow: cut it.
    Slow,
}

/// Clocks of one connection. Ages in milliseconds since it was opened; 0 is "not running".
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    in_flight: AtomicUsize,
    h2: AtomicBool,
    leaving: AtomicBool,
    end_marks: AtomicBool,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    blocked_since: AtomicU64,
    /// Milliseconds for which answers have waited for the client, and the bytes that it has taken since the first of them.
    blocked_ms: AtomicU64,
    taken_bytes: AtomicU64,
    clients_turns: AtomicUsize,
    last_turn: AtomicU64,
    stall_ms: AtomicU64,
    taken_back: AtomicUsize,
    evicted: Notify,
    /// What the connection goes on with once it is none of HTTP any more.
    pub after_http: AfterHttp,
}

impl Activity {
    /// Of a connection that was accepted now: its first head is awaited.
    #[must_use]
    pub fn start() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            in_flight: AtomicUsize::new(0),
            h2: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            end_marks: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(1),
            blocked_since: AtomicU64::new(0),
            blocked_ms: AtomicU64::new(0),
            taken_bytes: AtomicU64::new(0),
            clients_turns: AtomicUsize::new(0),
            last_turn: AtomicU64::new(0),
            stall_ms: AtomicU64::new(KEEPALIVE_IDLE_MS),
            taken_back: AtomicUsize::new(0),
            evicted: Notify::new(),
            after_http: AfterHttp::default(),
        })
    }

    /// When the connection was opened.
    #[must_use]
    pub const fn opened(&self) -> Instant {
        self.opened
    }

    /// Its place is for another connection: it ends unless a request is in flight.
    pub fn evict(&self) {
        self.evicted.notify_one();
    }

    /// Waits for [`Activity::evict`], also if that came first.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// An app answered a request: its client may take one back. What the host answers by itself costs too little to make up for that.
    pub fn on_rendered(&self) {
        let one_less = |taken_back: usize| taken_back.checked_sub(1);
        // None is to be made up for where this fails.
        let _ = self.taken_back.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }

    /// A client took a request back before it was answered. One that goes on so has work done that it never looks at, and more of it at once
    /// than it may have in flight: its connection is cut.
    pub fn on_taken_back(&self) {
        if self.taken_back.fetch_add(1, Ordering::Relaxed) == TAKEN_BACK_MAX {
            self.evict();
        }
    }

    /// Whether it is to be cut, with the requests in flight.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.taken_back.load(Ordering::Relaxed) > TAKEN_BACK_MAX
    }

    /// How long no request has been in flight, in milliseconds; `None` while one is, or while the client still has to take the end of an
    /// answer.
    #[must_use]
    pub fn idle_ms(&self) -> Option<u64> {
        let blocked = self.blocked_since.load(Ordering::Relaxed) != 0;
        let idle = !blocked && self.in_flight.load(Ordering::Relaxed) == 0;
        idle.then(|| self.age_ms().saturating_sub(self.idle_since.load(Ordering::Relaxed)))
    }

    /// From now on an HTTP/1.1 answer is the connection's last.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether [`Activity::leave`] was called.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// From now on the connection's end may be what marks the end of an answer: HTTP/1.0 knows no other for a stream.
    pub fn mark_ends(&self) {
        self.end_marks.store(true, Ordering::Relaxed);
    }

    /// Whether [`Activity::mark_ends`] was called.
    #[must_use]
    pub fn marks_ends(&self) -> bool {
        self.end_marks.load(Ordering::Relaxed)
    }

    /// Whether its newest request came over HTTP/2.
    #[must_use]
    pub fn is_h2(&self) -> bool {
        self.h2.load(Ordering::Relaxed)
    }

    /// Whether a request of HTTP/1.1 is being answered.
    #[must_use]
    pub fn answers_h1(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 && !self.is_h2()
    }

    /// A request came in; it is in flight until the guard is dropped.
    #[must_use]
    pub fn begin(self: &Arc<Self>, h2: bool) -> Busy {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.h2.store(h2, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// How long the client may take no byte while the current request is answered, in milliseconds.
    pub fn set_stall_ms(&self, stall_ms: u64) {
        self.stall_ms.store(stall_ms, Ordering::Relaxed);
    }

    /// How long the client may take no byte.
    #[must_use]
    pub fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms.load(Ordering::Relaxed))
    }

    /// Bytes came from the client.
    pub fn on_read(&self) {
        let waiting = self.in_flight.load(Ordering::Relaxed) == 0 && !self.h2.load(Ordering::Relaxed);
        if waiting && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.age_ms(), Ordering::Relaxed);
        }
    }

    /// The client took bytes.
    pub fn on_written(&self, bytes: usize) {
        let since = self.blocked_since.load(Ordering::Relaxed);
        if since != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
            self.blocked_ms.fetch_add(self.age_ms().saturating_sub(since), Ordering::Relaxed);
        }
        if self.blocked_ms.load(Ordering::Relaxed) != 0 {
            self.taken_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// The client takes no bytes now.
    pub fn on_blocked(&self) {
        if self.blocked_since.load(Ordering::Relaxed) == 0 {
            self.blocked_since.store(self.age_ms(), Ordering::Relaxed);
        }
    }

    /// An answer of this HTTP/2 connection goes on when its client takes more of it. On HTTP/1.1 a client that takes nothing blocks
    /// the connection itself.
    #[must_use]
    pub fn begin_turn(self: &Arc<Self>) -> WriteStall {
        self.clients_turns.fetch_add(1, Ordering::Relaxed);
        self.last_turn.store(self.age_ms(), Ordering::Relaxed);
        WriteStall(Arc::clone(self))
    }

    /// What the clocks say.
    #[must_use]
    pub fn verdict(&self, timeouts: &ConnectionTimeouts) -> TimeoutState {
        let now = self.age_ms();
        let over = |since: &AtomicU64, limit_ms: u64| {
            let since = since.load(Ordering::Relaxed);
            since != 0 && now.saturating_sub(since) >= limit_ms
        };
        let stall_ms = self.stall_ms.load(Ordering::Relaxed);
        if over(&self.blocked_since, stall_ms) || self.trickles(now, timeouts.answer) {
            return TimeoutState::Slow;
        }
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        if in_flight > 0 {
            let all_wait = self.clients_turns.load(Ordering::Relaxed) == in_flight;
            return if all_wait && over(&self.last_turn, stall_ms) {
                TimeoutState::Slow
            } else {
                TimeoutState::Fine
            };
        }
        if over(&self.head_since, timeouts.head.as_millis() as u64) {
            return TimeoutState::Slow;
        }
        let blocked = self.blocked_since.load(Ordering::Relaxed) != 0;
        let idle = !blocked && over(&self.idle_since, timeouts.idle.as_millis() as u64);
        if idle { TimeoutState::Idle } else { TimeoutState::Fine }
    }

    /// Whether the client takes its answers more slowly than the slowest that is allowed.
    fn trickles(&self, now: u64, grace: Duration) -> bool {
        let since = self.blocked_since.load(Ordering::Relaxed);
        let going_on = if since == 0 { 0 } else { now.saturating_sub(since) };
        let blocked_ms = self.blocked_ms.load(Ordering::Relaxed) + going_on;
        blocked_ms >= grace.as_millis() as u64
            && is_trickle(self.taken_bytes.load(Ordering::Relaxed), Duration::from_millis(blocked_ms))
    }

    /// The age at which a clock that runs now reaches its end, in milliseconds; `None` is none that runs.
    #[must_use]
    pub fn due_ms(&self, timeouts: &ConnectionTimeouts) -> Option<u64> {
        let end = |since: &AtomicU64, limit_ms: u64| {
            let since = since.load(Ordering::Relaxed);
            (since != 0).then(|| since.saturating_add(limit_ms))
        };
        let stall_ms = self.stall_ms.load(Ordering::Relaxed);
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        let turn = if in_flight > 0 {
            let all_wait = self.clients_turns.load(Ordering::Relaxed) == in_flight;
            all_wait.then(|| end(&self.last_turn, stall_ms)).flatten()
        } else {
            let head = end(&self.head_since, timeouts.head.as_millis() as u64);
            let idle = end(&self.idle_since, timeouts.idle.as_millis() as u64);
            head.into_iter().chain(idle).min()
        };
        let rate = end(&self.blocked_since, self.until_trickle_ms(timeouts.answer));
        end(&self.blocked_since, stall_ms).into_iter().chain(rate).chain(turn).min()
    }

    /// How long the client may block now until it has taken its answers too slowly, in milliseconds.
    fn until_trickle_ms(&self, grace: Duration) -> u64 {
        let earned =
            self.taken_bytes.load(Ordering::Relaxed).saturating_mul(1_000) / ANSWER_BYTES_PER_S_MIN + 1;
        earned.max(grace.as_millis() as u64).saturating_sub(self.blocked_ms.load(Ordering::Relaxed))
    }

    /// Time since the connection was opened, in milliseconds.
    #[must_use]
    pub fn age_ms(&self) -> u64 {
        (self.opened.elapsed().as_millis() as u64).max(1)
    }
}

/// A request in flight on a connection.
#[derive(Debug)]
pub struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.age_ms(), Ordering::Relaxed);
        if self.0.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.blocked_ms.store(0, Ordering::Relaxed);
            self.0.taken_bytes.store(0, Ordering::Relaxed);
        }
    }
}

/// An answer whose client is waited for.
#[derive(Debug)]
pub struct WriteStall(Arc<Activity>);

impl Drop for WriteStall {
    fn drop(&mut self) {
        self.0.clients_turns.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
