//! Writes a connection: many queue entries in few system calls.

use crate::limits::{WRITE_BATCH_ENTRIES, WRITE_BUFFER_BYTES, WRITE_STALL_MS};
use crate::request::{WriteEntry, WriteQueueReader};
use futures_util::SinkExt;
use std::time::Duration;
use tokio::net::unix::OwnedWriteHalf;
use tokio_util::codec::FramedWrite;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{Codec, DecodeError};

/// Why writing ended early.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The socket failed, or a frame can't be sent.
    #[error("can't write to the host")]
    Write(#[from] DecodeError),
    /// Nothing was taken for [`WRITE_STALL_MS`].
    #[error("the host took nothing for {WRITE_STALL_MS} ms")]
    Stalled,
}

/// Writes what is queued until the queue ends. Once `closing` is cancelled nothing new is taken, and the rest is written.
pub async fn write(
    mut frames: FramedWrite<OwnedWriteHalf, Codec>,
    mut entries: WriteQueueReader,
    closing: CancellationToken,
) -> Result<(), WriteError> {
    frames.set_backpressure_boundary(WRITE_BUFFER_BYTES);
    let mut batch = Vec::with_capacity(WRITE_BATCH_ENTRIES);
    let mut open = true;
    loop {
        let received = tokio::select! {
            biased;
            received = entries.recv_many(&mut batch, WRITE_BATCH_ENTRIES) => received,
            () = closing.cancelled(), if open => {
                entries.close();
                open = false;
                continue;
            }
        };
        if received == 0 {
            return Ok(());
        }
        let flush = entries.is_empty();
        tokio::time::timeout(Duration::from_millis(WRITE_STALL_MS), send(&mut frames, &mut batch, flush))
            .await
            .map_err(|_| WriteError::Stalled)??;
    }
}

async fn send(
    frames: &mut FramedWrite<OwnedWriteHalf, Codec>,
    batch: &mut Vec<WriteEntry>,
    flush: bool,
) -> Result<(), DecodeError> {
    for entry in batch.drain(..) {
        for frame in entry.frames() {
            frames.feed(frame).await?;
        }
    }
    if flush { frames.flush().await } else { Ok(()) }
}
