//! What a worker may say on its control socket, and when. Pure: it hears frames and judges them.
//!
//! A worker may be hostile code. What is out of turn ends its connection before anything is done about it.

use std::collections::VecDeque;
use vitrine_core::limits::PINGS_UNANSWERED_MAX;
use vitrine_wire::{Frame, StreamId};

/// How a worker broke the protocol. Its connection ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A frame that is the other side's, another socket's, or that nothing asked for.
    #[error("a frame `{0}` out of turn")]
    OutOfTurn(&'static str),
    /// An answer to a ping that was not sent, or a second one.
    #[error("an answer to ping {0}, which waits for none")]
    Unpinged(u64),
    /// A stream that is open was opened again.
    #[error("stream {0} is open already")]
    Reused(StreamId),
    /// More calls that have not ended than a worker has answers for.
    #[error("more calls than it takes answers")]
    TooManyCalls,
    /// More body bytes than were credited.
    #[error("more body bytes on stream {0} than were credited")]
    Window(StreamId),
    /// More credit than bytes were sent.
    #[error("more credit on stream {0} than bytes were sent")]
    Credit(StreamId),
    /// A second head, or a body before the first.
    #[error("the answer of stream {0} is out of order")]
    Order(StreamId),
}

/// Where a control connection stands, from its `Start` on.
#[derive(Debug, Default)]
pub(super) struct Turn {
    boot: Boot,
    nonce: u64,
    /// Pings that wait for an answer, oldest first.
    unanswered: VecDeque<u64>,
    /// `Freeze` and `Thaw` that wait for an answer.
    freezes: u32,
    wants_frozen: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Boot {
    #[default]
    Started,
    Ready,
    Failed,
}

impl Turn {
    /// The number of a ping that goes out now.
    pub(super) fn ping(&mut self) -> u64 {
        self.nonce += 1;
        if self.unanswered.len() == PINGS_UNANSWERED_MAX {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back(self.nonce);
        self.nonce
    }

    /// The worker is asked to freeze or to thaw.
    pub(super) fn freeze(&mut self, frozen: bool) {
        self.freezes += 1;
        self.wants_frozen = frozen;
    }

    /// Whether it was last asked to freeze: one that says so in answer to something else is not believed.
    pub(super) const fn wants_frozen(&self) -> bool {
        self.wants_frozen
    }

    /// Takes a frame in.
    ///
    /// # Errors
    /// It is out of turn.
    pub(super) fn hear(&mut self, frame: &Frame) -> Result<(), Breach> {
        let out_of_turn = Err(Breach::OutOfTurn(frame.kind()));
        match frame {
            Frame::Ready(_) | Frame::BootFailed(_) if self.boot != Boot::Started => out_of_turn,
            Frame::Ready(_) => {
                self.boot = Boot::Ready;
                Ok(())
            }
            Frame::BootFailed(_) => {
                self.boot = Boot::Failed;
                Ok(())
            }
            Frame::Pong(pong) => self.pong(pong.nonce),
            Frame::Frozen(_) if self.freezes == 0 => out_of_turn,
            Frame::Frozen(_) => {
                self.freezes -= 1;
                Ok(())
            }
            // Lines and calls come at any time; streams are judged by what is open.
            Frame::Log(_)
            | Frame::Egress(..)
            | Frame::Purge(..)
            | Frame::Body(..)
            | Frame::BodyEnd(_)
            | Frame::Credit(..)
            | Frame::Cancel(..) => Ok(()),
            // The host's own, the requests socket's, or an answer to what this host never asks.
            Frame::Hello(_)
            | Frame::Request(..)
            | Frame::Response(..)
            | Frame::Done(..)
            | Frame::Start(_)
            | Frame::Ping(_)
            | Frame::Freeze
            | Frame::Thaw
            | Frame::Drain(_)
            | Frame::Drained
            | Frame::TakeSnapshot(_)
            | Frame::SnapshotPiece(_) => out_of_turn,
        }
    }

    fn pong(&mut self, nonce: u64) -> Result<(), Breach> {
        if let Some(at) = self.unanswered.iter().position(|asked| *asked == nonce) {
            self.unanswered.remove(at);
            return Ok(());
        }
        // One that is answered after a very long time is no longer remembered.
        let forgotten = self.unanswered.len() >= PINGS_UNANSWERED_MAX - 1
            && self.unanswered.front().is_some_and(|oldest| nonce < *oldest);
        if forgotten { Ok(()) } else { Err(Breach::Unpinged(nonce)) }
    }
}

#[cfg(test)]
mod tests;
