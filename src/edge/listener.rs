//! Serves a listener, and drains its connections at the end.

#[cfg(test)]
mod tests;

use super::connection::{self, ConnectionConfig, Handler};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vitrine_core::limits::KEEPALIVE_IDLE_MS;
use vitrine_proxy::connections::accept::{all_ended, until_leaving};
use vitrine_proxy::connections::places::Places;
use vitrine_proxy::connections::shutdown::Shutdown;

/// Serves a listener until `leaving` says otherwise, then closes it, lets connections finish within `drain`, and cuts the rest.
/// After a hand-over idle connections have as long as ever before that.
pub(crate) async fn run<H: Handler>(
    listener: TcpListener,
    terms: Arc<ConnectionConfig<H>>,
    places: Arc<Places>,
    drain: Duration,
    leaving: Shutdown,
) {
    let mut connections = JoinSet::new();
    let serve = |stream, address, place| {
        connection::serve(stream, address, place, Arc::clone(&terms), leaving.clone())
    };
    until_leaving(&listener, &places, &leaving, &mut connections, serve).await;
    drop(listener);
    if leaving.handed_over.is_cancelled() {
        tokio::select! {
            () = all_ended(&mut connections) => return,
            () = leaving.stop.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(KEEPALIVE_IDLE_MS)) => {}
        }
    }
    if tokio::time::timeout(drain, all_ended(&mut connections)).await.is_err() {
        tracing::warn!(left = connections.len(), "connections did not finish in time and are cut");
        connections.shutdown().await;
    }
}
