//! The sockets that calls of apps go through: so many for the host, and a fair share of them for each app.
//!
//! An open connection holds its place, also while it is idle. Where there is none left, the connection that has been idle for
//! longest makes room: first one of the same app, then one of an app that holds more.

use futures_util::task::AtomicWaker;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::AppName;
use vitrine_core::limits::{EGRESS_APP_SOCKETS_MAX, EGRESS_HANDSHAKE_MS};

/// No place for another connection.
#[derive(Debug, thiserror::Error)]
#[error("this app has {0} connections in use, which is its share")]
pub struct NoPlace(usize);

/// The places of a host.
#[derive(Debug)]
pub struct Sockets {
    most: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    held: HashMap<u64, Held>,
    by_app: HashMap<AppName, usize>,
}

#[derive(Debug)]
struct Held {
    app: AppName,
    /// Calls that it carries, that of its own making included.
    calls: usize,
    /// Until when it counts as in use because its handshake is under way: one that hangs makes room like one that is idle.
    shaking_until: Option<Instant>,
    idle_since: Instant,
    wire: Arc<Wire>,
}

/// How a connection is told to end.
#[derive(Debug, Default)]
struct Wire {
    ended: AtomicBool,
    reader: AtomicWaker,
}

/// A place, from before a connection is made until it is closed.
#[derive(Debug)]
pub struct Place {
    sockets: Arc<Sockets>,
    number: u64,
    wire: Arc<Wire>,
}

/// A connection that carries a call does not make room.
#[derive(Debug)]
pub(super) struct InUse {
    sockets: Arc<Sockets>,
    number: u64,
}

/// Which connection a call goes through, as the client tells it.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    sockets: Arc<Sockets>,
    number: u64,
}

impl Sockets {
    /// So many places.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, table: Mutex::default() })
    }

    /// A place for a connection of this app.
    ///
    /// # Errors
    /// The app has its share of connections, and none of them is idle.
    pub fn place(self: &Arc<Self>, app: &AppName) -> Result<Place, NoPlace> {
        let mut table = self.table();
        while !table.has_room(app, self.most) {
            let Some(number) = table.oldest_idle(app) else {
                return Err(NoPlace(table.of(app)));
            };
            table.end(number);
        }
        table.next += 1;
        let (number, wire) = (table.next, Arc::<Wire>::default());
        let held = Held {
            app: app.clone(),
            calls: 1,
            shaking_until: None,
            idle_since: Instant::now(),
            wire: Arc::clone(&wire),
        };
        table.held.insert(number, held);
        *table.by_app.entry(app.clone()).or_default() += 1;
        Ok(Place { sockets: Arc::clone(self), number, wire })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.table().held.get_mut(&number) {
            change(held);
            held.idle_since = Instant::now();
        }
    }
}

/// Whether places are first come, first served: a deliberately broken host.
fn has_no_share() -> bool {
    failpoint::at("egress.share") == Some(Fault::Skip)
}

impl Table {
    fn of(&self, app: &AppName) -> usize {
        self.by_app.get(app).copied().unwrap_or_default()
    }

    /// An app may hold as much as is still free, so that there is always room for those that hold little.
    fn has_room(&self, app: &AppName, most: usize) -> bool {
        if has_no_share() {
            return self.held.len() < most;
        }
        let free = most.saturating_sub(self.held.len());
        self.of(app) < EGRESS_APP_SOCKETS_MAX.min(free)
    }

    /// The connection that makes room for one of this app.
    fn oldest_idle(&self, app: &AppName) -> Option<u64> {
        let now = Instant::now();
        let shaking = |held: &Held| held.shaking_until.is_some_and(|until| now < until);
        let idle = self.held.iter().filter(|(_, held)| held.calls == 0 && !shaking(held));
        let oldest = |of: &dyn Fn(&Held) -> bool| {
            let mine = idle.clone().filter(|(_, held)| of(held));
            mine.min_by_key(|(_, held)| held.idle_since).map(|(number, _)| *number)
        };
        let own = oldest(&|held| held.app == *app);
        // Those of others help only where the host's places are what is missing.
        let others = self.of(app) < EGRESS_APP_SOCKETS_MAX && !has_no_share();
        own.or_else(|| oldest(&|held| others && self.of(&held.app) > self.of(app)))
    }

    fn end(&mut self, number: u64) {
        let Some(held) = self.held.remove(&number) else { return };
        held.wire.ended.store(true, Ordering::Release);
        held.wire.reader.wake();
        if let Some(count) = self.by_app.get_mut(&held.app) {
            *count -= 1;
            if *count == 0 {
                self.by_app.remove(&held.app);
            }
        }
    }
}

impl Place {
    /// The connection that was made for it. Once the client says that it is connected, TLS included, it is idle until a call is seen
    /// to use it.
    pub fn with(self, io: TokioIo<TcpStream>) -> Socket {
        let until = Instant::now() + Duration::from_millis(EGRESS_HANDSHAKE_MS);
        self.sockets.change(self.number, |held| {
            held.calls -= 1;
            held.shaking_until = Some(until);
        });
        Socket { io, place: self }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sockets.table().end(self.number);
    }
}

impl Mark {
    /// A call uses the connection.
    pub(super) fn in_use(&self) -> InUse {
        self.sockets.change(self.number, |held| {
            held.calls += 1;
            held.shaking_until = None;
        });
        InUse { sockets: Arc::clone(&self.sockets), number: self.number }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.sockets.change(self.number, |held| held.calls -= 1);
    }
}

/// A connection that holds a place.
#[derive(Debug)]
pub struct Socket {
    io: TokioIo<TcpStream>,
    place: Place,
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        let mark = Mark { sockets: Arc::clone(&self.place.sockets), number: self.place.number };
        self.io.connected().extra(mark)
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.place.wire.reader.register(cx.waker());
        if self.place.wire.ended.load(Ordering::Acquire) {
            // As if the other side had closed it: an idle connection is given up then.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> AppName {
        name.parse().unwrap()
    }

    /// A place whose connection is made and idle.
    fn idle(sockets: &Arc<Sockets>, app: &AppName) -> Option<Place> {
        let place = sockets.place(app).ok()?;
        sockets.change(place.number, |held| held.calls -= 1);
        Some(place)
    }

    fn ended(place: &Place) -> bool {
        place.wire.ended.load(Ordering::Acquire)
    }

    #[test]
    fn an_app_has_a_share_and_leaves_room_for_others() {
        let sockets = Sockets::new(64);
        let busy = |name: &str| std::iter::from_fn(|| sockets.place(&app(name)).ok()).collect::<Vec<Place>>();
        let (first, second, third) = (busy("first"), busy("second"), busy("third"));
        assert_eq!((first.len(), second.len(), third.len()), (32, 16, 8));
        drop(first);
        assert_eq!(busy("fourth").len(), 20);
        drop((second, third));
        let table = sockets.table();
        assert!(table.held.is_empty() && table.by_app.is_empty());
    }

    #[test]
    fn the_one_that_is_idle_for_longest_makes_room_and_one_in_use_never_does() {
        let sockets = Sockets::new(8);
        let shop = app("shop");
        let busy = sockets.place(&shop).unwrap();
        let places: Vec<Place> = (0..3).map(|_| idle(&sockets, &shop).unwrap()).collect();
        assert!(!places.iter().any(ended));
        let mark = Mark { sockets: Arc::clone(&sockets), number: places[0].number };
        let call = mark.in_use();
        let more = idle(&sockets, &shop).unwrap();
        assert_eq!(places.iter().map(ended).collect::<Vec<_>>(), [false, true, false]);
        drop(call);
        // The call has just ended: its connection is the youngest of the idle ones.
        let _more_still = idle(&sockets, &shop).unwrap();
        assert_eq!(places.iter().map(ended).collect::<Vec<_>>(), [false, true, true]);
        assert!(!ended(&busy) && !ended(&more));
        assert_eq!(sockets.table().held.len(), 4);
    }

    #[tokio::test]
    async fn one_whose_handshake_is_under_way_makes_no_room_unless_it_hangs() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = Sockets::new(4);
        let shop = app("shop");
        let place = sockets.place(&shop).unwrap();
        let socket =
            place.with(TokioIo::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap()));
        let _other = sockets.place(&shop).unwrap();
        assert!(sockets.place(&shop).is_err() && !ended(&socket.place));
        sockets.change(socket.place.number, |held| held.shaking_until = Some(Instant::now()));
        assert!(sockets.place(&shop).is_ok() && ended(&socket.place), "it hangs");

        let place = sockets.place(&shop).unwrap();
        let socket =
            place.with(TokioIo::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap()));
        socket.connected();
        assert!(sockets.place(&shop).is_err() && !ended(&socket.place), "its first call is about to use it");
        drop(Mark { sockets: Arc::clone(&sockets), number: socket.place.number }.in_use());
        assert!(sockets.place(&shop).is_ok() && ended(&socket.place), "it is idle");
    }

    #[test]
    fn idle_ones_of_who_holds_more_make_room_for_who_holds_less() {
        let sockets = Sockets::new(8);
        let (noisy, quiet) = (app("noisy"), app("quiet"));
        let flood: Vec<Place> = (0..100).filter_map(|_| idle(&sockets, &noisy)).collect();
        assert_eq!(flood.iter().filter(|place| !ended(place)).count(), 4);
        let neighbour: Vec<Place> = (0..3).map(|_| sockets.place(&quiet).unwrap()).collect();
        assert!(sockets.table().of(&noisy) >= 1 && !neighbour.iter().any(ended));
        assert!(sockets.place(&noisy).is_err() || sockets.table().held.len() <= 8);
    }
}
