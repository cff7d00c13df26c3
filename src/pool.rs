//! The workers of one release: claim one, count what is in flight, drain.
//!
//! Claiming a worker and registering the request in flight is one step, so a drain that has begun can't miss one: a
//! claim counts first and looks for the drain second, a drain marks first and looks at the count second. A request that
//! becomes a WebSocket is counted as one of those before it ends as a request, and who counts both looks at the requests first.

use crate::id::ReleaseId;
use crate::telemetry::series::Series;
use crate::worker::Worker;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Why there is no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The release is leaving: look at the route table again.
    #[error("the release is draining")]
    Draining,
    /// The release has no worker that serves now.
    #[error("the release has no worker")]
    NoWorker,
}

/// One release's workers. Shared by every route table that names the release.
#[derive(Debug)]
pub struct Pool {
    release: ReleaseId,
    worker: ArcSwapOption<Worker>,
    requests: AtomicUsize,
    sockets: AtomicUsize,
    draining: AtomicBool,
    frozen: AtomicBool,
    emptied: Notify,
    opened: Notify,
    /// How often the release has left its users so far.
    left: watch::Sender<u64>,
    born: Instant,
    used_ms: AtomicU64,
    series: Arc<Series>,
}

/// A worker for one request, counted as in flight until this is dropped.
#[derive(Debug)]
pub struct Claim {
    worker: Arc<Worker>,
    place: Place,
}

/// One request in flight, or one WebSocket.
#[derive(Debug)]
struct Place {
    pool: Arc<Pool>,
    is_socket: bool,
}

impl Place {
    fn becomes_socket(&mut self) {
        if !std::mem::replace(&mut self.is_socket, true) {
            self.pool.sockets.fetch_add(1, Ordering::SeqCst);
            self.pool.end_request();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_socket {
            self.pool.sockets.fetch_sub(1, Ordering::SeqCst);
        } else {
            self.pool.end_request();
        }
        if self.pool.in_flight() == 0 {
            self.pool.emptied.notify_waiters();
        }
    }
}

impl Claim {
    /// The worker.
    #[must_use]
    pub const fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }

    /// Whose.
    #[must_use]
    pub fn release(&self) -> &ReleaseId {
        &self.place.pool.release
    }

    /// The request has become a WebSocket, which keeps no release awake: it may stay for ever.
    pub fn becomes_socket(&mut self) {
        self.place.becomes_socket();
    }

    /// Changes when the release leaves its users, from now on; has changed if it drains already.
    #[must_use]
    pub fn leaving(&self) -> watch::Receiver<u64> {
        let mut leaving = self.place.pool.left.subscribe();
        // A drain marks first and tells second.
        if self.place.pool.draining.load(Ordering::SeqCst) {
            leaving.mark_changed();
        }
        leaving
    }
}

impl Pool {
    /// A pool without a worker.
    #[must_use]
    pub fn new(release: ReleaseId) -> Arc<Self> {
        Arc::new(Self {
            series: Arc::new(Series::of(&release)),
            release,
            worker: ArcSwapOption::empty(),
            requests: AtomicUsize::new(0),
            sockets: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            emptied: Notify::new(),
            opened: Notify::new(),
            left: watch::Sender::new(0),
            born: Instant::now(),
            used_ms: AtomicU64::new(0),
        })
    }

    /// Whose.
    #[must_use]
    pub const fn release(&self) -> &ReleaseId {
        &self.release
    }

    /// Metrics of its release.
    #[must_use]
    pub const fn series(&self) -> &Arc<Series> {
        &self.series
    }

    /// Takes a worker for one request.
    ///
    /// # Errors
    /// See [`ClaimError`].
    pub fn claim(self: &Arc<Self>) -> Result<Claim, ClaimError> {
        let place = self.enter()?;
        let worker = self.worker.load_full().ok_or(ClaimError::NoWorker)?;
        Ok(Claim { worker, place })
    }

    fn enter(self: &Arc<Self>) -> Result<Place, ClaimError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let place = Place { pool: Arc::clone(self), is_socket: false };
        if self.draining.load(Ordering::SeqCst) {
            Err(ClaimError::Draining)
        } else if self.frozen.load(Ordering::SeqCst) {
            Err(ClaimError::NoWorker)
        } else {
            Ok(place)
        }
    }

    fn end_request(&self) {
        self.used_ms.store(self.age_ms(), Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::SeqCst);
    }

    /// Gives the pool its worker, or takes it away. Also ends a drain and a freeze.
    pub fn set_worker(&self, worker: Option<Arc<Worker>>) {
        self.used_ms.store(self.age_ms(), Ordering::Relaxed);
        self.worker.store(worker);
        self.frozen.store(false, Ordering::SeqCst);
        self.draining.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Refuses claims, as a pool without a worker does, while nothing is in flight; `false`, and nothing has changed, while
    /// something is.
    pub fn freeze(&self) -> bool {
        self.frozen.store(true, Ordering::SeqCst);
        // As with a drain: a claim counts first and looks second, so one that is not seen here has seen the mark.
        let empty = self.in_flight() == 0;
        if !empty {
            self.frozen.store(false, Ordering::SeqCst);
        }
        empty
    }

    /// Takes claims again.
    pub fn thaw(&self) {
        self.used_ms.store(self.age_ms(), Ordering::Relaxed);
        self.frozen.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Waits until a claim would be given a worker.
    pub async fn open(&self) {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            opened.as_mut().enable();
            let closed = self.draining.load(Ordering::SeqCst) || self.frozen.load(Ordering::SeqCst);
            if !closed && self.worker.load().is_some() {
                return;
            }
            opened.await;
        }
    }

    /// Its worker, if it has one.
    #[must_use]
    pub fn worker(&self) -> Option<Arc<Worker>> {
        self.worker.load_full()
    }

    /// Whether a request would be served now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let out = self.draining.load(Ordering::SeqCst) || self.frozen.load(Ordering::SeqCst);
        !out && self.worker().is_some_and(|worker| worker.is_ready())
    }

    /// Requests in flight and open WebSockets.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.requests() + self.sockets.load(Ordering::SeqCst)
    }

    /// Requests in flight alone.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How long it has had no request, in milliseconds; 0 while one is in flight. WebSockets are none.
    #[must_use]
    pub fn idle_ms(&self) -> u64 {
        match self.requests() {
            0 => self.age_ms().saturating_sub(self.used_ms.load(Ordering::Relaxed)),
            _ => 0,
        }
    }

    /// Another release has its users, or it is going to sleep: what would stay for ever is to end.
    pub fn leave(&self) {
        self.left.send_modify(|times| *times += 1);
    }

    /// Waits until nothing is in flight or the time is over, without refusing anything; gives what is left in flight.
    pub async fn settled(&self, timeout: Duration) -> usize {
        let empty = async {
            loop {
                let emptied = self.emptied.notified();
                tokio::pin!(emptied);
                emptied.as_mut().enable();
                if self.in_flight() == 0 {
                    return;
                }
                emptied.await;
            }
        };
        match tokio::time::timeout(timeout, empty).await {
            Ok(()) => 0,
            Err(_) => self.in_flight(),
        }
    }

    /// Refuses new claims from now on and waits as [`Pool::settled`] does.
    pub async fn drain(&self, timeout: Duration) -> usize {
        self.draining.store(true, Ordering::SeqCst);
        self.leave();
        self.settled(timeout).await
    }

    fn age_ms(&self) -> u64 {
        self.born.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EgressPolicy;
    use crate::worker::fixture::{NoLog, Played, memory, start};
    use crate::worker::{Egress, Sockets};

    fn pool() -> Arc<Pool> {
        Pool::new("catalog@v1".parse().unwrap())
    }

    #[tokio::test]
    async fn a_claim_without_a_worker_leaves_nothing_in_flight() {
        let pool = pool();
        assert_eq!(pool.claim().unwrap_err(), ClaimError::NoWorker);
        assert_eq!(pool.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_waits_for_what_is_in_flight_and_refuses_what_comes() {
        let pool = pool();
        let place = pool.enter().unwrap();
        let draining = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.drain(Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(pool.claim().unwrap_err(), ClaimError::Draining);
        assert!(!draining.is_finished());
        drop(place);
        assert_eq!(draining.await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_at_its_deadline_and_says_what_is_left() {
        let pool = pool();
        let _place = pool.enter().unwrap();
        assert_eq!(pool.drain(Duration::from_secs(1)).await, 1);
        pool.set_worker(None);
        assert!(pool.enter().is_ok(), "a pool that was given a worker, or none, takes claims again");
    }

    #[tokio::test]
    async fn a_pool_freezes_only_while_nothing_is_in_flight_and_takes_claims_once_it_thaws() {
        let pool = pool();
        let place = pool.enter().unwrap();
        assert!(!pool.freeze());
        assert!(pool.enter().is_ok());
        drop(place);
        assert!(pool.freeze());
        assert_eq!(pool.enter().unwrap_err(), ClaimError::NoWorker);
        pool.thaw();
        assert!(pool.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_keeps_no_pool_busy_and_is_waited_for_all_the_same() {
        let pool = pool();
        let mut socket = pool.enter().unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((pool.requests(), pool.in_flight(), pool.idle_ms()), (1, 1, 0));
        socket.becomes_socket();
        socket.becomes_socket();
        assert_eq!((pool.requests(), pool.in_flight(), pool.idle_ms()), (0, 1, 0));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pool.idle_ms(), 1_000);
        assert!(!pool.freeze());
        assert_eq!(pool.settled(Duration::from_secs(1)).await, 1);
        let (left, ()) = tokio::join!(pool.drain(Duration::from_secs(60)), async { drop(socket) });
        assert_eq!(left, 0);
        assert_eq!(pool.idle_ms(), 2_000, "its end is no request");
    }

    #[tokio::test]
    async fn who_waits_for_a_pool_goes_on_once_a_claim_would_be_given_a_worker() {
        let pool = pool();
        let opens = |pool: &Arc<Pool>| {
            let pool = Arc::clone(pool);
            tokio::spawn(async move { tokio::time::timeout(Duration::from_secs(5), pool.open()).await })
        };
        let waiting = opens(&pool);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let played = Played::listen(pool.release());
        let (app, none) = (&pool.release().app, EgressPolicy::default());
        let egress = Egress::new(app, &[], &none, Arc::default(), Sockets::new(8));
        let connecting = Worker::connect(played.identity.clone(), start(), egress, Arc::new(NoLog), memory());
        let (worker, _control) = tokio::join!(connecting, played.control());
        pool.set_worker(Some(worker.unwrap()));
        waiting.await.unwrap().unwrap();
        assert!(pool.freeze());
        let waiting = opens(&pool);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        pool.thaw();
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_claim_slips_past_a_drain() {
        for _ in 0..200 {
            let pool = pool();
            let claims: Vec<_> = (0..8)
                .map(|_| {
                    let pool = Arc::clone(&pool);
                    tokio::spawn(async move { pool.enter().is_ok() })
                })
                .collect();
            let left = pool.drain(Duration::from_secs(5)).await;
            assert_eq!(left, 0);
            for claim in claims {
                claim.await.unwrap();
            }
            assert_eq!(pool.enter().unwrap_err(), ClaimError::Draining);
        }
    }
}
