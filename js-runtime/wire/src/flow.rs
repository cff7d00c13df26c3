//! Flow control of one body, the same at both ends of the wire.
//!
//! The sender takes each piece's bytes from its [`Window`] and stops when that is empty. The receiver keeps what came in
//! [`Received`], which credits what was taken. What a window can make the receiver keep does not depend on how the
//! sender cuts it into frames: a piece has its own memory, never a share of the buffer that it was read into, and small
//! ones are joined.

use crate::limits::{BODY_FRAME_BYTES_MAX, CREDIT_STEP_BYTES, WINDOW_BYTES};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use tokio::sync::{Semaphore, SemaphorePermit};

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
        self.credit.try_acquire_many(bytes).map(SemaphorePermit::forget).is_ok()
    }

    /// Waits until `bytes` are free and takes them. `false` once nobody reads any more.
    pub async fn take(&self, bytes: u32) -> bool {
        self.credit.acquire_many(bytes).await.map(SemaphorePermit::forget).is_ok()
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

/// The sender sent more than its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more body bytes than were credited")]
pub struct WindowExceeded;

/// What came of a body and was not taken yet.
#[derive(Debug, Default)]
pub struct Received {
    pieces: VecDeque<BytesMut>,
    /// Bytes that came and were not credited.
    uncredited: u32,
    /// Those of them that were taken.
    taken: u32,
}

impl Received {
    /// Adds a piece.
    ///
    /// # Errors
    /// It is more than the window has left. Nothing is added then.
    pub fn push(&mut self, data: &[u8]) -> Result<(), WindowExceeded> {
        let length = u32::try_from(data.len()).map_err(|_| WindowExceeded)?;
        let uncredited = self.uncredited.checked_add(length).ok_or(WindowExceeded)?;
        if uncredited > WINDOW_BYTES {
            return Err(WindowExceeded);
        }
        self.uncredited = uncredited;
        match self.pieces.back_mut() {
            Some(last) if last.len() + data.len() <= BODY_FRAME_BYTES_MAX => last.extend_from_slice(data),
            _ if data.is_empty() => {}
            _ => self.pieces.push_back(BytesMut::from(data)),
        }
        Ok(())
    }

    /// The next piece.
    pub fn take(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        // A piece is at most BODY_FRAME_BYTES_MAX long.
        self.taken += piece.len() as u32;
        Some(piece.freeze())
    }

    /// All pieces as one, when no more come.
    pub fn take_rest(&mut self) -> Bytes {
        match self.pieces.len() {
            0 | 1 => self.take().unwrap_or_default(),
            _ => std::mem::take(&mut self.pieces).iter().flatten().copied().collect(),
        }
    }

    /// Bytes that came and were not taken.
    #[must_use]
    pub const fn held(&self) -> usize {
        (self.uncredited - self.taken) as usize
    }

    /// Whether what was taken is worth a credit: a page below half a window costs none at all.
    #[must_use]
    pub fn credit_is_due(&self) -> bool {
        self.taken >= CREDIT_STEP_BYTES
    }

    /// What was taken and not credited, which is credited with this.
    pub fn credit(&mut self) -> u32 {
        let taken = std::mem::take(&mut self.taken);
        self.uncredited -= taken;
        taken
    }

    /// Throws away what came, as if it was taken: its receiver is gone, and its sender must not wait for ever.
    pub fn discard(&mut self) {
        self.pieces.clear();
        self.taken = self.uncredited;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of memory that are held for the pieces.
    fn held(received: &Received) -> usize {
        received.pieces.iter().map(BytesMut::capacity).sum()
    }

    #[test]
    fn a_window_costs_about_its_bytes_however_it_is_cut() {
        for size in [1, 2, 13, 1_000, BODY_FRAME_BYTES_MAX / 2 + 1, BODY_FRAME_BYTES_MAX] {
            let mut received = Received::default();
            // As a codec gives them: shares of a large buffer.
            let buffer = Bytes::from(vec![b'x'; 1 << 20]);
            let mut sent = 0;
            while received.push(&buffer.slice(..size)).is_ok() {
                sent += size;
            }
            assert!(sent + size > WINDOW_BYTES as usize, "{size}");
            assert!(received.pieces.len() <= 2 * WINDOW_BYTES as usize / BODY_FRAME_BYTES_MAX, "{size}");
            assert!(held(&received) <= 2 * WINDOW_BYTES as usize, "{size}: {}", held(&received));
            let taken: usize = std::iter::from_fn(|| received.take()).map(|piece| piece.len()).sum();
            assert_eq!(taken, sent);
            assert!(received.push(b"x").is_err() || sent < WINDOW_BYTES as usize, "taken is not credited");
            assert_eq!(received.credit() as usize, sent);
            assert_eq!(received.push(&buffer.slice(..BODY_FRAME_BYTES_MAX)), Ok(()));
        }
    }

    #[test]
    fn pieces_without_bytes_cost_nothing() {
        let mut received = Received::default();
        for _ in 0..1_000 {
            received.push(&[]).unwrap();
        }
        assert!(received.pieces.is_empty() && received.take().is_none());
    }

    #[test]
    fn credit_comes_in_steps_and_what_is_discarded_is_credited() {
        let mut received = Received::default();
        let piece = vec![0; BODY_FRAME_BYTES_MAX];
        received.push(&piece).unwrap();
        received.take().unwrap();
        assert!(!received.credit_is_due());
        received.push(&piece).unwrap();
        received.take().unwrap();
        assert!(received.credit_is_due());
        assert_eq!(received.credit(), 2 * BODY_FRAME_BYTES_MAX as u32);
        received.push(b"unread").unwrap();
        received.discard();
        assert_eq!((received.held(), received.credit(), received.take()), (0, 6, None));
    }

    #[test]
    fn what_is_left_comes_in_order() {
        let mut received = Received::default();
        assert_eq!(received.take_rest(), "");
        received.push(&vec![b'a'; BODY_FRAME_BYTES_MAX]).unwrap();
        received.push(b"b").unwrap();
        let rest = received.take_rest();
        assert_eq!((rest.len(), rest[0], rest[rest.len() - 1]), (BODY_FRAME_BYTES_MAX + 1, b'a', b'b'));
    }

    #[test]
    fn a_window_takes_back_what_was_sent_and_no_more() {
        let window = Window::default();
        assert!(!window.credit(1));
        assert!(window.try_take(WINDOW_BYTES) && !window.try_take(1));
        assert!(window.credit(5) && window.try_take(5));
        window.close();
        assert!(window.is_closed() && !window.try_take(0));
    }
}
