//! A worker that makes a snapshot of its app and ends.

use super::{Identity, WorkerError, WorkerLog, link};
use crate::limits::SNAPSHOT_BYTES_MAX;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
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
    logs: &mpsc::Sender<WorkerLog>,
) -> Result<Vec<u8>, SnapshotError> {
    let mut link = link::connect(identity, Channel::Control).await?;
    if link.send(Frame::TakeSnapshot(request)).await.is_err() {
        return Err(SnapshotError::Ended);
    }
    let mut file = Vec::new();
    loop {
        match link.next().await {
            Some(Ok(Frame::SnapshotPiece(SnapshotPiece { piece, last }))) => {
                let piece = piece.map_err(SnapshotError::Refused)?;
                if file.len() + piece.len() > SNAPSHOT_BYTES_MAX {
                    return Err(SnapshotError::TooLarge);
                }
                file.extend_from_slice(&piece);
                if last {
                    return Ok(file);
                }
            }
            Some(Ok(Frame::Log(lines))) => {
                for line in lines {
                    let (instance, release) = (identity.instance.clone(), identity.release.clone());
                    // A log that nobody takes must not hold the snapshot up.
                    let _ = logs.try_send(WorkerLog { instance, release, line });
                }
            }
            // An app that calls the network has no snapshot, and is told so by its own worker.
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(SnapshotError::Ended),
        }
    }
}
