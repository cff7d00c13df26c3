//! Flow control of one body, seen from its sender.

use tokio::sync::Semaphore;
use vitrine_wire::limits::WINDOW_BYTES;

/// Bytes that the receiver still takes. Shared between the thread that sends and the one that reads credit.
#[derive(Debug)]
pub struct Window {
    credit: Semaphore,
}

impl Default for Window {
    fn default() -> Self {
        Self { credit: Semaphore::new(WINDOW_BYTES as usize) }
    }
}

impl Window {
    /// Takes `bytes` if that many are free now.
    pub fn try_take(&self, bytes: u32) -> bool {
        self.credit.try_acquire_many(bytes).map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// Waits until `bytes` are free and takes them. `false` once nobody reads any more.
    pub async fn take(&self, bytes: u32) -> bool {
        self.credit.acquire_many(bytes).await.map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// Gives `bytes` back. `false` when the receiver credits more than was sent.
    pub fn credit(&self, bytes: u32) -> bool {
        // Only one thread credits, so what is free can only have shrunk since this look.
        let fits = self.credit.available_permits() + bytes as usize <= WINDOW_BYTES as usize;
        if fits {
            self.credit.add_permits(bytes as usize);
        }
        fits
    }

    /// Nobody reads any more: whoever waits stops waiting.
    pub fn close(&self) {
        self.credit.close();
    }

    /// Whether [`Window::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.credit.is_closed()
    }
}
