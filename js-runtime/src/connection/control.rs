//! Reads a control connection, and sends what the worker reports unasked.

use super::ConnectionError;
use super::instance::Instance;
use crate::limits::{CONTROL_TASKS_MAX, SNAPSHOT_PIECE_BYTES};
use crate::request::{EgressStreams, LogReader, WriteEntry, WriteQueue};
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{Channel, Codec, Frame, SnapshotPiece, SnapshotRequest};

/// Reads until the host closes the connection. Work that a message starts ends with the connection.
///
/// # Errors
/// What the host said that the protocol does not allow, or the failure of the socket.
pub async fn read(
    frames: &mut FramedRead<OwnedReadHalf, Codec>,
    instance: &Arc<Instance>,
    streams: &EgressStreams,
    queue: &WriteQueue,
) -> Result<(), ConnectionError> {
    let mut tasks = JoinSet::new();
    while let Some(frame) = frames.next().await {
        match frame? {
            Frame::Response(stream, head) => streams.response(stream, head)?,
            Frame::Body(stream, data) => streams.body(stream, data).await?,
            // An egress answer's body ends with `Done`.
            Frame::BodyEnd(_) => {}
            Frame::Done(stream, done) => streams.done(stream, done),
            Frame::Credit(stream, bytes) => streams.credit(stream, bytes)?,
            Frame::Cancel(stream, _) => streams.cancel(stream),
            Frame::Start(start) => {
                instance.start(start);
                let mut end = instance.boot_end();
                let queue = queue.clone();
                tasks.spawn(async move {
                    let end = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
                    if let Some(end) = end {
                        let frame = end.map_or_else(Frame::BootFailed, Frame::Ready);
                        queue.send(WriteEntry::Frame(frame)).await;
                    }
                });
            }
            Frame::TakeSnapshot(request) => {
                tasks.spawn(send_snapshot(request, Arc::clone(instance), queue.clone()));
            }
            frame @ (Frame::Ping(_) | Frame::Freeze | Frame::Thaw | Frame::Drain(_)) => {
                tasks.spawn(answer(frame, Arc::clone(instance), queue.clone()));
            }
            frame => return Err(ConnectionError::unexpected(Channel::Control, &frame)),
        }
        while tasks.try_join_next().is_some() {}
        while tasks.len() >= CONTROL_TASKS_MAX {
            tasks.join_next().await;
        }
    }
    Ok(())
}

/// Carries one message of the host out and says how it ended.
async fn answer(frame: Frame, instance: Arc<Instance>, queue: WriteQueue) {
    let answer = match frame {
        Frame::Ping(nonce) => instance.status(nonce).await.map(Frame::Pong),
        Frame::Freeze => instance.freeze(true).await.map(Frame::Frozen),
        Frame::Thaw => instance.freeze(false).await.map(Frame::Frozen),
        Frame::Drain(timeout_ms) => instance.drain(timeout_ms).await.then_some(Frame::Drained),
        _ => None,
    };
    if let Some(answer) = answer {
        queue.send(WriteEntry::Frame(answer)).await;
    }
}

/// Makes a snapshot and sends it, piece by piece.
async fn send_snapshot(request: SnapshotRequest, instance: Arc<Instance>, queue: WriteQueue) {
    let taken = instance.take_snapshot(request).await;
    let send = async |piece, last| {
        queue.send(WriteEntry::Frame(Frame::SnapshotPiece(SnapshotPiece { piece, last }))).await
    };
    match taken {
        Ok(file) => {
            let mut pieces = file.chunks(SNAPSHOT_PIECE_BYTES).peekable();
            while let Some(piece) = pieces.next() {
                if !send(Ok(piece.to_vec()), pieces.peek().is_none()).await {
                    return;
                }
            }
        }
        Err(reason) => drop(send(Err(reason), true).await),
    }
}

/// When a control connection has the log queue: while it is the newest one that is open.
#[derive(Debug)]
pub struct LogTurn {
    /// Its number.
    pub number: u64,
    /// Those that are open, oldest first.
    pub controls: watch::Receiver<Vec<u64>>,
}

impl LogTurn {
    /// Waits until it begins. `false` when it never will.
    async fn begins(&mut self) -> bool {
        let Self { number, controls } = self;
        controls.wait_for(|open| open.last() == Some(number)).await.is_ok()
    }

    /// Waits until it is over.
    async fn ends(&mut self) {
        let Self { number, controls } = self;
        let _ = controls.wait_for(|open| open.last() != Some(number)).await;
    }
}

/// Sends log lines as they come, in this connection's turns. The lines of a time without any connection wait in the queue.
pub async fn send_logs(
    logs: Arc<Mutex<LogReader>>,
    queue: WriteQueue,
    mut turn: LogTurn,
    closing: CancellationToken,
) {
    while turn.begins().await {
        // The connection before this one lets go of it at once.
        let mut logs = logs.lock().await;
        loop {
            // The place comes first, so that no line is taken for a connection that can't carry it.
            let Some(place) = queue.place().await else { return };
            let lines = tokio::select! {
                biased;
                () = turn.ends() => break,
                lines = logs.batch() => lines,
                // A place that is held keeps the queue from ending.
                () = closing.cancelled() => return,
            };
            let Some(lines) = lines else { return };
            place.send(WriteEntry::Frame(Frame::Log(lines)));
        }
    }
}
