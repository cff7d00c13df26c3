//! A backup, sent while it is made.

use crate::admin::access::Caller;
use crate::admin::extract::Params;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::AdminState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vitrine_core::limits::{BACKUP_PIECE_BYTES, BACKUP_PIECES_MAX, BACKUP_STALL_MS};
use vitrine_core::telemetry::error_chain;

/// What is to be in the backup.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BackupQuery {
    /// Also the key of the values of environments.
    with_key: bool,
}

/// Everything durable of the host as one archive: state, bundles, and, where it is asked for, the key of values. An answer that ends
/// early is broken off, not ended.
#[utoipa::path(
    get,
    path = "/v1/backup",
    params(BackupQuery),
    responses(
        (status = 200, description = "A zstd-compressed tar for `vitrine restore --from`", content_type = "application/zstd"),
        (status = 503, description = "Another backup is being made", body = ProblemBody),
        (status = 507, description = "No room for a second copy of the database", body = ProblemBody),
    )
)]
pub(super) async fn backup(
    State(state): State<AdminState>,
    caller: Caller,
    Params(BackupQuery { with_key }): Params<BackupQuery>,
) -> Result<Response, Problem> {
    let behalf = state.of(&caller);
    let busy = || Problem::new(Kind::Busy, "another backup is being made; ask again once it is done");
    let place = Arc::clone(&state.backups).try_acquire_owned().map_err(|_| busy())?;
    // The place goes along: a client that leaves ends neither the copy nor its place.
    let (picture, place) = behalf.stored(move |store| Ok((store.picture(with_key)?, place))).await?;
    let (pieces, sent) = mpsc::channel(BACKUP_PIECES_MAX);
    let (now_ms, stop) = (state.clock.now_ms(), state.shutdown.clone());
    let store = behalf.store;
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let pipe = Pipe { pieces: pieces.clone(), stop, runtime: Handle::current() };
        if let Err(error) = picture.write(BufWriter::with_capacity(BACKUP_PIECE_BYTES, pipe), now_ms) {
            tracing::warn!(error = %error_chain(&error), "a backup was broken off");
            return;
        }
        if pieces.is_closed() {
            tracing::warn!("a backup was broken off: its reader has gone");
            return;
        }
        // Before the end of the answer: a reader that has it all finds the record.
        match store.record_sent(&picture) {
            // A reader that has gone is no longer there to be told.
            Ok(()) => drop(pieces.blocking_send(Piece::End)),
            Err(error) => tracing::warn!(error = %error_chain(&error), "a backup was broken off"),
        }
    });
    let body = stream::unfold(Some(sent), async |sent| {
        let mut sent = sent?;
        match sent.recv().await {
            Some(Piece::Data(data)) => Some((Ok(data), Some(sent))),
            Some(Piece::End) => None,
            None => {
                // The connection sends its head first: a body that fails at once would close it without one.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None))
            }
        }
    });
    let kind = HeaderValue::from_static("application/zstd");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(body)).into_response())
}

enum Piece {
    Data(Bytes),
    /// The archive is whole. Without it the answer is broken off.
    End,
}

/// From the thread that reads the disk to the connection.
struct Pipe {
    pieces: mpsc::Sender<Piece>,
    stop: CancellationToken,
    runtime: Handle,
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let sending = self.pieces.send(Piece::Data(Bytes::copy_from_slice(data)));
        let sent = self.runtime.block_on(async {
            tokio::select! {
                sent = tokio::time::timeout(Duration::from_millis(BACKUP_STALL_MS), sending) => sent,
                () = self.stop.cancelled() => Ok(Err(mpsc::error::SendError(Piece::End))),
            }
        });
        match sent {
            Ok(Ok(())) => Ok(data.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
