//! A worker that takes a snapshot of its app and exits.

use super::{Identity, LogSink, WorkerError, handshake};
use futures_util::{SinkExt, StreamExt};
use vitrine_core::limits::SNAPSHOT_BYTES_MAX;
use vitrine_wire::cut::cut;
use vitrine_wire::limits::LOG_BYTES_MAX;
use vitrine_wire::{Channel, Frame, SnapshotPiece, SnapshotRequest};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The worker can't be talked to.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The app can't have one.
    #[error("{0}")]
    Refused(String),
    /// The process that made it ended.
    #[error(
        "the process that made it ended; the app holds what V8 can't write down, such as a WebAssembly function"
    )]
    Ended,
    /// More than [`SNAPSHOT_BYTES_MAX`].
    #[error("it has more than {SNAPSHOT_BYTES_MAX} bytes")]
    TooLarge,
}

/// Has a worker make a snapshot. Returns its file.
///
/// # Errors
/// See [`SnapshotError`].
pub async fn take_snapshot(
    identity: &Identity,
    request: SnapshotRequest,
    logs: &dyn LogSink,
) -> Result<Vec<u8>, SnapshotError> {
    let mut link = handshake::connect(identity, Channel::Control).await?;
    if link.send(Frame::TakeSnapshot(request)).await.is_err() {
        return Err(SnapshotError::Ended);
    }
    let mut file = Vec::new();
    loop {
        match link.next().await {
            Some(Ok(Frame::SnapshotPiece(SnapshotPiece { piece, last }))) => {
                let piece = piece.map_err(|mut reason| {
                    cut(&mut reason, LOG_BYTES_MAX);
                    SnapshotError::Refused(reason)
                })?;
                if file.len() + piece.len() > SNAPSHOT_BYTES_MAX {
                    return Err(SnapshotError::TooLarge);
                }
                file.extend_from_slice(&piece);
                if last {
                    return Ok(file);
                }
            }
            Some(Ok(Frame::Log(lines))) => logs.take(identity, lines),
            // An app that calls the network has no snapshot, and is told so by its own worker.
            Some(Ok(
                Frame::Egress(..)
                | Frame::Body(..)
                | Frame::BodyEnd(_)
                | Frame::Credit(..)
                | Frame::Cancel(..),
            )) => {}
            Some(Ok(_) | Err(_)) | None => return Err(SnapshotError::Ended),
        }
    }
}
