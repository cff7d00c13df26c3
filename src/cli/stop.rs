//! What asks a verb to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and what a pipeline that is cancelled or a terminal that is closed sends. While it is there, none of them ends the process.
pub struct Stop {
    /// Ctrl-C alone.
    pub ctrl_c: Signal,
    others: [Signal; 2],
}

impl Stop {
    /// From here on they are heard.
    pub fn listen() -> std::io::Result<Self> {
        let others = [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Self { ctrl_c: signal(SignalKind::interrupt())?, others })
    }

    /// Waits for one of them.
    pub async fn asked(&mut self) {
        let [terminate, hangup] = &mut self.others;
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
