//! One render that no visitor waits for.

use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::limits::CACHE_ENTRY_BYTES_MAX;
use vitrine_proxy::route::Target;
use vitrine_proxy::worker::Piece;
use vitrine_wire::{Done, Outcome, RequestHead, ResponseHead};

/// Asks the app, and waits for all of its answer; none that is larger than what is kept.
///
/// # Errors
/// How the render ended.
pub(super) async fn ask(
    target: &Arc<Target>,
    head: RequestHead,
) -> Result<Option<(ResponseHead, Bytes, Done)>, Outcome> {
    let claim = target.pool.claim().map_err(|_| Outcome::NoRelease)?;
    let connection = claim.worker().connected().await.map_err(|done| done.outcome)?;
    let head_timeout = Duration::from_millis(target.head_timeout_ms);
    let asked = tokio::time::timeout(head_timeout, connection.request(head, None)).await;
    let mut answer = asked.map_err(|_| Outcome::WallLimit)?.map_err(|done| done.outcome)?;
    let silence_timeout = Duration::from_millis(target.stream_timeout_ms);
    let mut whole = BytesMut::new();
    loop {
        let piece = tokio::time::timeout(silence_timeout, answer.body.next()).await;
        match piece.map_err(|_| Outcome::StreamIdle)?.ok_or(Outcome::UpstreamGone)? {
            Piece::Data(data) if whole.len() + data.len() > CACHE_ENTRY_BYTES_MAX => return Ok(None),
            Piece::Data(data) => whole.extend_from_slice(&data),
            Piece::End(done) => return Ok(Some((answer.head, whole.freeze(), *done))),
        }
    }
}
