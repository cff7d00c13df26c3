//! The instances of one release: claim one, count what is in flight there, let one leave, drain them all.
//!
//! Claiming an instance and registering the request in flight is one step, so a drain that has begun can't miss one: a
//! claim counts first and looks for the drain second, a drain marks first and looks at the count second.

mod choice;
mod in_flight;
mod instance;

use crate::worker::Worker;
use arc_swap::ArcSwap;
pub use in_flight::InFlight;
pub use instance::{Checked, Instance};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use vitrine_core::id::{InstanceId, ReleaseId};
use vitrine_core::telemetry::series::Series;

/// Why there is no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The release is leaving: look at the route table again.
    #[error("the release is draining")]
    Draining,
    /// The release has no instance that serves now.
    #[error("the release has no worker")]
    NoWorker,
}

/// One release's instances. Shared by every route table that names the release.
#[derive(Debug)]
pub struct Pool {
    release: ReleaseId,
    members: ArcSwap<Members>,
    draining: AtomicBool,
    frozen: AtomicBool,
    /// Whether unhealthy instances get requests, because too few are healthy.
    fails_open: AtomicBool,
    opened: Notify,
    born: Instant,
    used_ms: AtomicU64,
    series: Arc<Series>,
}

/// Which instances a pool has.
#[derive(Debug, Clone, Default)]
struct Members {
    /// Those that get requests, the oldest first.
    serving: Vec<Arc<Instance>>,
    /// Those that get none any more, for as long as something is in flight there.
    leaving: Vec<Weak<Instance>>,
}

impl Members {
    fn all(&self) -> impl Iterator<Item = Arc<Instance>> {
        self.serving.iter().cloned().chain(self.leaving.iter().filter_map(Weak::upgrade))
    }

    /// Takes out those of the serving ones that are to leave.
    fn without(&self, leaves: impl Fn(&Instance) -> bool) -> Self {
        let (leave, serving): (Vec<_>, Vec<_>) = self.serving.iter().cloned().partition(|one| leaves(one));
        let left = self.leaving.iter().filter(|one| one.strong_count() > 0).cloned();
        Self { serving, leaving: left.chain(leave.iter().map(Arc::downgrade)).collect() }
    }
}

/// An instance for one request, counted as in flight until this is dropped.
#[derive(Debug)]
pub struct Claim {
    pool: Arc<Pool>,
    instance: Arc<Instance>,
    is_socket: bool,
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_socket {
            self.instance.in_flight().end_socket();
        } else {
            self.pool.end_request(&self.instance);
        }
        self.instance.ended();
    }
}

impl Claim {
    /// The worker.
    #[must_use]
    pub fn worker(&self) -> &Arc<Worker> {
        self.instance.worker()
    }

    /// Whose.
    #[must_use]
    pub fn release(&self) -> &ReleaseId {
        &self.pool.release
    }

    /// The request has become a WebSocket, which keeps no release awake: it may stay for ever.
    pub fn becomes_socket(&mut self) {
        if !std::mem::replace(&mut self.is_socket, true) {
            self.pool.note_use();
            self.instance.in_flight().becomes_socket();
        }
    }

    /// Changes when the release leaves its users, or the instance its release, from now on; has changed if one of both does already.
    #[must_use]
    pub fn leaving(&self) -> watch::Receiver<u64> {
        let mut leaving = self.instance.leavings();
        // Either marks first and tells second.
        if self.pool.draining.load(Ordering::SeqCst) || self.instance.is_leaving() {
            leaving.mark_changed();
        }
        leaving
    }
}

impl Pool {
    /// A pool without an instance.
    #[must_use]
    pub fn new(release: ReleaseId) -> Arc<Self> {
        Arc::new(Self {
            series: Arc::new(Series::of(&release)),
            release,
            members: ArcSwap::default(),
            draining: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            fails_open: AtomicBool::new(false),
            opened: Notify::new(),
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

    /// Takes an instance for one request.
    ///
    /// # Errors
    /// See [`ClaimError`].
    pub fn claim(self: &Arc<Self>) -> Result<Claim, ClaimError> {
        loop {
            let members = self.members.load();
            let serving = &members.serving;
            let fails_open = self.fails_open();
            let fitness = |one: &Instance| match one.fitness() {
                fitness if fails_open => fitness.failing_open(),
                fitness => fitness,
            };
            let look = |at: usize| (fitness(&serving[at]), serving[at].load());
            let Some(at) = choice::choose(serving.len(), rand::random, look) else {
                return Err(self.closed().unwrap_or(ClaimError::NoWorker));
            };
            let claim = self.enter(&serving[at]);
            if let Some(error) = self.closed() {
                return Err(error);
            }
            if !claim.instance.is_leaving() {
                return Ok(claim);
            }
            // The list has changed since it was read.
        }
    }

    fn enter(self: &Arc<Self>, instance: &Arc<Instance>) -> Claim {
        instance.in_flight().begin_request();
        Claim { pool: Arc::clone(self), instance: Arc::clone(instance), is_socket: false }
    }

    fn closed(&self) -> Option<ClaimError> {
        if self.draining.load(Ordering::SeqCst) {
            Some(ClaimError::Draining)
        } else {
            self.frozen.load(Ordering::SeqCst).then_some(ClaimError::NoWorker)
        }
    }

    /// Whether unhealthy instances get requests.
    #[must_use]
    pub fn fails_open(&self) -> bool {
        self.fails_open.load(Ordering::Relaxed)
    }

    /// Gives requests to unhealthy instances too, or to healthy ones alone.
    pub fn set_fails_open(&self, open: bool) {
        self.fails_open.store(open, Ordering::Relaxed);
    }

    fn end_request(&self, instance: &Instance) {
        self.note_use();
        instance.in_flight().end_request();
    }

    fn note_use(&self) {
        self.used_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// Gives requests to one more instance. Also ends a drain and a freeze.
    pub fn add(&self, instance: Arc<Instance>) {
        self.members.rcu(|members| {
            let mut members = members.without(|_| false);
            members.serving.push(Arc::clone(&instance));
            members
        });
        self.reopen();
    }

    /// Takes one of several instances out: it gets no request from now on, and its WebSockets are told. The caller waits for what is in
    /// flight there. `None`, and nothing has changed, for an unknown one and for the last.
    pub fn remove(&self, id: &InstanceId) -> Option<Arc<Instance>> {
        let before = self.members.rcu(|members| match members.serving.len() {
            0 | 1 => (**members).clone(),
            _ => members.without(|one| one.id() == id),
        });
        let instance =
            before.serving.iter().find(|one| one.id() == id).filter(|_| before.serving.len() > 1)?;
        instance.leave();
        Some(Arc::clone(instance))
    }

    /// Gives all requests to one instance, and takes the others out as [`Pool::remove`] does.
    pub fn replace(&self, instance: Arc<Instance>) -> Vec<Arc<Instance>> {
        let before = self.members.rcu(|members| {
            let mut members = members.without(|_| true);
            members.serving.push(Arc::clone(&instance));
            members
        });
        before.serving.iter().for_each(|one| one.leave());
        self.reopen();
        before.serving.clone()
    }

    /// Takes all instances out. Also ends a drain and a freeze.
    pub fn take(&self) -> Vec<Arc<Instance>> {
        let before = self.members.rcu(|members| members.without(|_| true));
        before.serving.iter().for_each(|one| one.leave());
        self.reopen();
        before.serving.clone()
    }

    fn reopen(&self) {
        self.note_use();
        self.frozen.store(false, Ordering::SeqCst);
        self.draining.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Refuses claims, as a pool without an instance does, while nothing is in flight; `false`, and nothing has changed, while
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
        self.note_use();
        self.frozen.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Whether it has an instance and takes claims.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed().is_none() && self.has_instance()
    }

    /// Waits until a claim would be given an instance.
    pub async fn open(&self) {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            opened.as_mut().enable();
            if self.is_open() {
                return;
            }
            opened.await;
        }
    }

    /// Its instances that get requests, the oldest first.
    #[must_use]
    pub fn instances(&self) -> Vec<Arc<Instance>> {
        self.members.load().serving.clone()
    }

    /// One of them.
    #[must_use]
    pub fn instance(&self, id: &InstanceId) -> Option<Arc<Instance>> {
        self.members.load().serving.iter().find(|one| one.id() == id).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.load().serving.len()
    }

    /// Whether there is one.
    #[must_use]
    pub fn has_instance(&self) -> bool {
        self.size() > 0
    }

    /// Whether a request would be served now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.closed().is_none() && self.members.load().serving.iter().any(|one| one.worker().is_ready())
    }

    /// Waits until one of its instances serves; `false` when none does in time.
    pub async fn one_ready(&self, timeout: Duration) -> bool {
        let instances = self.instances();
        let each = instances.iter().map(|instance| Box::pin(instance.worker().ready(timeout)));
        !instances.is_empty() && futures_util::future::select_ok(each).await.is_ok()
    }

    /// Requests in flight and open WebSockets.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.members.load().all().map(|one| one.in_flight().all()).sum()
    }

    /// Requests in flight alone.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.members.load().all().map(|one| one.in_flight().requests()).sum()
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
        self.members.load().all().for_each(|one| one.tell_leaving());
    }

    /// Waits until nothing is in flight or the time is over, without refusing anything; gives what is left in flight.
    pub async fn wait_idle(&self, timeout: Duration) -> usize {
        let settled = async {
            while let Some(busy) = self.members.load().all().find(|one| one.in_flight().all() > 0) {
                busy.wait_idle(timeout).await;
            }
        };
        match tokio::time::timeout(timeout, settled).await {
            Ok(()) => 0,
            Err(_) => self.in_flight(),
        }
    }

    /// Refuses new claims from now on and waits as [`Pool::settled`] does.
    pub async fn drain(&self, timeout: Duration) -> usize {
        self.draining.store(true, Ordering::SeqCst);
        self.leave();
        self.wait_idle(timeout).await
    }

    fn age_ms(&self) -> u64 {
        self.born.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests;
