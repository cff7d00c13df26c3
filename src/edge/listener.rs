//! Serves a listener, and lets its connections finish.

#[cfg(test)]
mod tests;

use super::connection::{self, Answer, Terms};
use crate::connections::accept::{all_ended, until_leaving};
use crate::connections::leaving::Leaving;
use crate::connections::places::Places;
use crate::limits::{FILES_WANTED, KEEPALIVE_IDLE_MS};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
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
/// After a hand-over idle connections have as long as ever before that.
pub async fn run<A: Answer>(
    listener: TcpListener,
    terms: Arc<Terms<A>>,
    places: Arc<Places>,
    drain: Duration,
    leaving: Leaving,
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
