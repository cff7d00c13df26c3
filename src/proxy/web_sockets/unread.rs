//! Memory for messages that are not whole yet, or that their worker has not taken: so much for all sockets, and a share of it for each app.

use super::session::Session;
use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use vitrine_core::id::AppName;
use vitrine_core::limits::{
    SOCKET_UNREAD_ALL_BYTES_MAX, SOCKET_UNREAD_BYTES_FREE, SOCKET_UNREAD_OF_APP_BYTES_MAX,
};

/// What this process holds. It is one process's memory, whichever edge or worker a socket belongs to.
static HELD: Mutex<Option<HashMap<AppName, usize>>> = Mutex::new(None);

/// What one socket holds of it.
#[derive(Debug)]
pub(super) struct Unread {
    app: AppName,
    bytes: Mutex<usize>,
}

impl Unread {
    /// Nothing yet, for a socket of this app.
    pub(super) const fn of(app: AppName) -> Self {
        Self { app, bytes: Mutex::new(0) }
    }

    /// More was read. `false` if that is more than there is room for.
    fn add(&self, read: usize) -> bool {
        let mut bytes = lock(&self.bytes);
        let more = charged(*bytes + read) - charged(*bytes);
        if more > 0 && !take(&self.app, more) {
            return false;
        }
        *bytes += read;
        true
    }

    /// The worker has taken a message, and with it all that was read for it.
    pub(super) fn taken(&self) {
        let mut bytes = lock(&self.bytes);
        give_back(&self.app, charged(*bytes));
        *bytes = 0;
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.taken();
    }
}

/// What counts of so many bytes: short messages are within what a connection may hold anyway.
const fn charged(bytes: usize) -> usize {
    bytes.saturating_sub(SOCKET_UNREAD_BYTES_FREE)
}

fn take(app: &AppName, more: usize) -> bool {
    let mut held = lock(&HELD);
    let held = held.get_or_insert_default();
    let all: usize = held.values().sum();
    let of_app = held.get(app).copied().unwrap_or_default() + more;
    let fits = all + more <= SOCKET_UNREAD_ALL_BYTES_MAX && of_app <= SOCKET_UNREAD_OF_APP_BYTES_MAX;
    if fits {
        held.insert(app.clone(), of_app);
    }
    fits
}

fn give_back(app: &AppName, bytes: usize) {
    if bytes == 0 {
        return;
    }
    let mut held = lock(&HELD);
    let held = held.get_or_insert_default();
    if let Some(of_app) = held.get_mut(app) {
        *of_app -= bytes;
        if *of_app == 0 {
            held.remove(app);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection whose bytes are counted as they come, also those of a message that is not whole.
#[derive(Debug)]
pub(super) struct CountedIo<'a, S> {
    /// The connection.
    pub io: S,
    /// What counts them.
    pub unread: &'a Unread,
    /// What is told that the other side is heard.
    pub session: &'a Session,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedIo<'_, S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        if read > 0 {
            self.session.hear();
        }
        Poll::Ready(match self.unread.add(read) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::QuotaExceeded, "too much is read that no worker has taken")),
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedIo<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_its_share_and_gives_it_back() {
        let [one, two]: [AppName; 2] = ["unread-one", "unread-two"].map(|name| name.parse().unwrap());
        let first = Unread::of(one.clone());
        assert!(first.add(SOCKET_UNREAD_BYTES_FREE) && first.add(SOCKET_UNREAD_OF_APP_BYTES_MAX));
        let second = Unread::of(one.clone());
        assert!(second.add(SOCKET_UNREAD_BYTES_FREE) && !second.add(1));
        assert!(Unread::of(two).add(SOCKET_UNREAD_BYTES_FREE + 1), "another app has a share of its own");
        first.taken();
        assert!(second.add(1));
        drop((first, second));
        assert!(lock(&HELD).as_ref().is_none_or(|held| !held.contains_key(&one)));
    }
}
