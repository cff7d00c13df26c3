//! Accepts connections, as many at once as are allowed, and lets them finish.

#[cfg(test)]
mod tests;

use super::connection::{self, Answer, Terms};
use super::leaving::Leaving;
use crate::limits::{ACCEPT_RETRY_MS, FILES_WANTED, KEEPALIVE_IDLE_MS};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Lets the process open as many files as its connections need, as far as the system allows: the usual soft limit of
/// 1024 would make `accept` fail long before the places are taken.
pub fn raise_file_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = FILES_WANTED.min(hard);
        if soft < wanted { setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) } else { Ok(()) }
    });
    if let Err(error) = raised {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "the limit of open files can't be raised; fewer connections are served at once"
        );
    }
}

/// Serves a listener until `leaving` says otherwise, then closes it, lets connections finish within `drain`, and cuts the rest.
/// After a hand-over idle connections have as long as ever before that. When all `places` are taken, connections wait in the
/// kernel's backlog.
pub async fn run<A: Answer>(
    listener: TcpListener,
    terms: Arc<Terms<A>>,
    places: Arc<Semaphore>,
    drain: Duration,
    leaving: Leaving,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = leaving.stop.cancelled() => break,
            () = leaving.handed_over.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, address, place)) => {
                let serving = connection::serve(stream, address, Arc::clone(&terms), leaving.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the edge can't accept a connection"
                );
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
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

async fn all_ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(tokio::net::TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, place))
}
