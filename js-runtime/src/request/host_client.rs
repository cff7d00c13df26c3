//! What isolates ask of the host besides answers: egress calls and log lines.

use super::egress::{EgressAnswer, EgressStreams};
use super::log_queue::{self, LogReader, LogSender};
use super::{UploadReader, lock};
use std::sync::{Arc, Mutex};
use tokio::runtime::Handle;
use vitrine_wire::limits::{HEAD_BYTES_MAX, HEADERS_MAX, PURGE_ITEMS_MAX, PURGE_TEXT_BYTES_MAX};
use vitrine_wire::{EgressFailure, EgressHead, LogLine, Purge};

/// The isolates' way to the host beyond answers. Cheap to clone; a handle of a lost connection fails each call at once
/// and works again when the host is back.
#[derive(Debug, Clone)]
pub struct HostClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The newest is last and has the calls; the ones before it finish theirs.
    open: Mutex<Vec<Arc<EgressStreams>>>,
    logs: LogSender,
    runtime: Handle,
}

impl HostClient {
    /// A link without a connection, and the end of its log queue. `runtime` sends the bodies of egress calls, and finished answers.
    #[must_use]
    pub fn new(runtime: Handle) -> (Self, LogReader) {
        let (logs, reader) = log_queue::log_queue();
        (Self { shared: Arc::new(Shared { open: Mutex::default(), logs, runtime }) }, reader)
    }

    /// Makes `streams` the connection that calls go to, until it is detached: then they go to the one before it.
    pub fn attach(&self, streams: Arc<EgressStreams>) {
        lock(&self.shared.open).push(streams);
    }

    /// Forgets `streams`.
    pub fn detach(&self, streams: &Arc<EgressStreams>) {
        lock(&self.shared.open).retain(|open| !Arc::ptr_eq(open, streams));
    }

    /// Makes a call through the host's broker. `body` is sent while the answer is waited for; `head.has_body` follows
    /// from it. Dropping the future, or the answer's body, cancels the call.
    ///
    /// # Errors
    /// Why the broker did not make it.
    pub async fn egress(
        &self,
        head: EgressHead,
        body: Option<UploadReader>,
    ) -> Result<EgressAnswer, EgressFailure> {
        let bytes: usize = head.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if head.headers.len() > HEADERS_MAX || head.url.len() + bytes > HEAD_BYTES_MAX {
            return Err(EgressFailure::Limit(format!(
                "the call's URL and headers exceed {HEADERS_MAX} headers or {HEAD_BYTES_MAX} bytes"
            )));
        }
        let current = lock(&self.shared.open).last().cloned();
        let streams =
            current.ok_or_else(|| EgressFailure::Unreachable("the host is not connected".to_owned()))?;
        streams.call(head, body, &self.shared.runtime).await
    }

    /// Has the host purge what its cache holds of the app.
    ///
    /// # Errors
    /// It was not purged.
    pub async fn purge(&self, purge: Purge) -> Result<(), EgressFailure> {
        if !purge.fits() {
            let message = format!(
                "more than {PURGE_ITEMS_MAX} tags and paths, or one longer than {PURGE_TEXT_BYTES_MAX} bytes"
            );
            return Err(EgressFailure::Limit(message));
        }
        let current = lock(&self.shared.open).last().cloned();
        let streams =
            current.ok_or_else(|| EgressFailure::Unreachable("the host is not connected".to_owned()))?;
        streams.purge(purge).await
    }

    /// Runs a future where the sockets are served, whatever becomes of the isolate that asks for it.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.shared.runtime.spawn(future);
    }

    /// Queues a log line; dropped and counted when the queue is full (the app logs faster than the host reads).
    pub fn log(&self, line: LogLine) {
        self.shared.logs.push(line);
    }
}
