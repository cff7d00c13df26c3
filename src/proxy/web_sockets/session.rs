//! State that both directions of a WebSocket share.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use vitrine_core::limits::SOCKET_CLOSE_MS;
use vitrine_wire::message::CLOSE_WITHOUT_CODE;

/// What a socket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Code of the first close that either side sent; 1006 if none did.
    pub close_code: u16,
    /// Messages from the other side.
    pub received: u64,
    /// Messages to it.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
}

/// Code of a socket that ended without a close.
pub const CLOSED_WITHOUT_A_WORD: u16 = 1006;

/// See the module.
#[derive(Debug, Default)]
pub struct Session {
    received: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    /// Code of the first close; 0 is none yet.
    close_code: AtomicU16,
    /// Code for a fault of the other side; 0 is none.
    fault: AtomicU16,
    faulty: Notify,
    ending: Notify,
    /// The other side says nothing more.
    heard_all: Notify,
    /// Whether the other side was heard since the last look.
    heard: AtomicBool,
    /// Whether it was asked whether it is there.
    asked: AtomicBool,
    /// Whether what it sent waits for the worker.
    blocked: AtomicBool,
}

impl Session {
    /// A message came.
    pub fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// A message goes out.
    pub fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes of messages go out.
    pub fn count_bytes(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// One side closes.
    pub fn closes(&self, code: u16) {
        let code = if code == 0 { CLOSE_WITHOUT_CODE } else { code };
        // Only the first counts.
        let _ = self.close_code.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
        self.begin_end();
    }

    /// The other side is gone. After a close of one of them that is as it should be.
    pub fn is_gone(&self) {
        self.closes(CLOSED_WITHOUT_A_WORD);
    }

    /// What the other side sent is wrong.
    pub fn fails(&self, code: u16) {
        self.fault.store(code, Ordering::Relaxed);
        self.faulty.notify_one();
    }

    /// Waits for a fault; gives its code.
    pub async fn failed(&self) -> u16 {
        self.faulty.notified().await;
        self.fault.load(Ordering::Relaxed)
    }

    /// The other side says nothing more: what it is answered is all that it still gets.
    pub fn has_heard_all(&self) {
        self.begin_end();
        self.heard_all.notify_one();
    }

    /// Waits for that.
    pub async fn all_heard(&self) {
        self.heard_all.notified().await;
    }

    /// From now on the end is awaited.
    pub fn begin_end(&self) {
        self.ending.notify_one();
    }

    /// Waits until the end is overdue.
    pub async fn overdue(&self) {
        self.ending.notified().await;
        tokio::time::sleep(Duration::from_millis(SOCKET_CLOSE_MS)).await;
    }

    /// The other side was heard.
    pub fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
        self.asked.store(false, Ordering::Relaxed);
    }

    /// What it sent waits for the worker, or does not any more.
    pub fn blocks(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// Whether it did not answer the question.
    pub fn is_silent(&self) -> bool {
        self.asked.load(Ordering::Relaxed) && !self.blocked.load(Ordering::Relaxed)
    }

    /// Whether it said nothing since the last look, and is to be asked now.
    pub fn is_quiet(&self) -> bool {
        let quiet = !self.heard.swap(false, Ordering::Relaxed) && !self.blocked.load(Ordering::Relaxed);
        if quiet {
            self.asked.store(true, Ordering::Relaxed);
        }
        quiet
    }

    /// What it came to.
    pub fn summary(&self) -> Summary {
        let close_code = self.close_code.load(Ordering::Relaxed);
        Summary {
            close_code: if close_code == 0 { CLOSED_WITHOUT_A_WORD } else { close_code },
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
        }
    }
}
