//! What asks a verb to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and what a pipeline that is cancelled or a terminal that is closed sends. While it is there, none of them ends the process.
pub(super) struct Stop([Signal; 3]);

impl Stop {
    /// From here on they are heard.
    pub(super) fn listen() -> std::io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    /// Waits for one of them.
    pub(super) async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
