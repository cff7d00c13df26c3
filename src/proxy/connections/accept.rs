//! Accepts connections, each at once, whether or not there is a place for it.

use super::places::{Place, Places};
use super::shutdown::Shutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vitrine_core::limits::ACCEPT_RETRY_MS;

/// Has each connection served by a task among `connections` until `leaving` says otherwise.
pub async fn until_leaving<S>(
    listener: &TcpListener,
    places: &Arc<Places>,
    leaving: &Shutdown,
    connections: &mut JoinSet<()>,
    serve: impl Fn(TcpStream, SocketAddr, Place) -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = leaving.stop.cancelled() => return,
            () = leaving.handed_over.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // One that finds no place at all is closed.
            Ok((stream, address)) => {
                if let Some(place) = places.take(address.ip()) {
                    connections.spawn(serve(stream, address, place));
                }
                // Lets evicted connections end before the next is accepted. Only then: a task that yields waits for its thread, however
                // long another task occupies it.
                if places.has_evicted() {
                    tokio::task::yield_now().await;
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection can't be accepted; idle ones are closed"
                );
                places.make_room();
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
}

/// Waits until all of them have ended.
pub async fn all_ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}
