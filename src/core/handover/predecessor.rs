//! The host before this one, while it finishes its requests.

use super::{Message, recv, send};
use crate::limits::{PREDECESSOR_LIFE_MS, SETTLE_MS};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serves,
    Settled,
    Gone,
}

/// Handle to the previous host process. Cheap to clone; the default value behaves as a process that has exited.
#[derive(Debug, Clone, Default)]
pub struct Predecessor(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    stage: watch::Sender<Stage>,
    settle: Notify,
}

impl Predecessor {
    /// One that is about to hand over.
    pub(super) fn expected() -> Self {
        Self(Some(Arc::new(Shared { stage: watch::Sender::new(Stage::Serves), settle: Notify::new() })))
    }

    /// Whether this host took over from another.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Listens to it until it ends.
    pub(super) fn follow(self, mut status: BufReader<UnixStream>) {
        let Some(shared) = self.0 else { return };
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = shared.settle.notified() => {
                        if send(&mut status, &Message::Settle).await.is_err() {
                            break;
                        }
                    }
                    // Only its end can come before it was asked something.
                    heard = recv(&mut status, PREDECESSOR_LIFE_MS) => match heard {
                        Ok(Some(Message::Settled)) => drop(shared.stage.send_replace(Stage::Settled)),
                        _ => break,
                    },
                }
            }
            shared.stage.send_replace(Stage::Gone);
        });
    }

    /// Has it take no further request, and waits until it doesn't: what is changed after this is seen by every request that
    /// begins after it. One that does not answer has stopped serving, too.
    pub async fn settled(&self) {
        let Some(shared) = &self.0 else { return };
        if *shared.stage.borrow() >= Stage::Settled {
            return;
        }
        shared.settle.notify_one();
        if !reaches(shared, Stage::Settled, SETTLE_MS).await {
            tracing::warn!(waited_ms = SETTLE_MS, "the host before this one does not answer");
        }
    }

    /// Waits until it has ended.
    pub async fn gone(&self) {
        let Some(shared) = &self.0 else { return };
        if !reaches(shared, Stage::Gone, PREDECESSOR_LIFE_MS).await {
            tracing::warn!(waited_ms = PREDECESSOR_LIFE_MS, "the host before this one does not end");
        }
    }
}

async fn reaches(shared: &Shared, stage: Stage, patience_ms: u64) -> bool {
    let mut watched = shared.stage.subscribe();
    let reached = watched.wait_for(|now| *now >= stage);
    tokio::time::timeout(Duration::from_millis(patience_ms), reached).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_asked_once_and_its_end_is_noticed() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let predecessor = Predecessor::expected();
        predecessor.clone().follow(BufReader::new(ours));
        let answering = tokio::spawn(async move {
            let mut theirs = BufReader::new(theirs);
            assert_eq!(recv(&mut theirs, 5_000).await.unwrap(), Some(Message::Settle));
            send(&mut theirs, &Message::Settled).await.unwrap();
        });
        predecessor.settled().await;
        answering.await.unwrap();
        predecessor.settled().await;
        predecessor.gone().await;
        Predecessor::default().settled().await;
        Predecessor::default().gone().await;
    }
}
