//! The control plane at rest while another host takes over.
//!
//! What changes releases by itself (replacing, waking, going round) takes a turn for each step. A pause waits until no turn is
//! taken and gives none; after a hand-over there are none for ever.

use super::lock_order::{Rank, check};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio_util::sync::CancellationToken;

/// See the module. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub(super) struct ChangeGate {
    gate: Arc<RwLock<()>>,
    over: CancellationToken,
}

/// A change that is under way: the control plane does not rest before this is dropped.
#[derive(Debug)]
pub struct ChangePermit(#[expect(dead_code, reason = "it counts by being there")] OwnedRwLockReadGuard<()>);

/// The control plane rests until this is dropped.
#[derive(Debug)]
pub struct Quiesced {
    over: CancellationToken,
    _gate: OwnedRwLockWriteGuard<()>,
}

impl Quiesced {
    /// Another host has taken over: there is no turn any more.
    pub fn hand_over(&self) {
        self.over.cancel();
    }
}

impl ChangeGate {
    /// A turn; none when another host has taken over, or this one ends. A caller that has one must not ask for another.
    pub(super) async fn take(&self) -> Option<OwnedRwLockReadGuard<()>> {
        check(Rank::Change);
        tokio::select! {
            biased;
            () = self.over.cancelled() => None,
            turn = Arc::clone(&self.gate).read_owned() => Some(turn),
        }
    }

    /// Waits until no turn is taken, and gives none until the result is dropped; nothing if that takes longer than `patience`.
    pub(super) async fn pause(&self, patience: Duration) -> Option<Quiesced> {
        let gate = Arc::clone(&self.gate).write_owned();
        let over = self.over.clone();
        tokio::time::timeout(patience, gate).await.ok().map(|_gate| Quiesced { over, _gate })
    }

    /// A turn for a change that is asked for; none when another host has taken over.
    pub(super) async fn permit(&self) -> Option<ChangePermit> {
        self.take().await.map(ChangePermit)
    }

    /// Gives no turn any more.
    pub(super) fn close(&self) {
        self.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused(turns: &ChangeGate, gate: OwnedRwLockWriteGuard<()>) -> Quiesced {
        Quiesced { over: turns.over.clone(), _gate: gate }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_waits_for_the_end_of_a_pause_and_never_comes_after_a_hand_over() {
        let turns = ChangeGate::default();
        let turn = turns.take().await;
        assert!(turn.is_some());
        assert!(Arc::clone(&turns.gate).try_write_owned().is_err(), "a turn holds up the pause");
        drop(turn);
        let pause = paused(&turns, Arc::clone(&turns.gate).write_owned().await);
        let mut waiting = Box::pin(turns.take());
        assert!(tokio::time::timeout(Duration::from_secs(9), &mut waiting).await.is_err());
        drop(pause);
        assert!(waiting.await.is_some());
        let pause = paused(&turns, Arc::clone(&turns.gate).write_owned().await);
        pause.hand_over();
        assert!(turns.take().await.is_none());
        drop(pause);
        assert!(turns.take().await.is_none());
    }
}
