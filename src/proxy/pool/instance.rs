//! One instance of a release: its worker, its requests in flight, its health.

use super::choice::Fitness;
use super::in_flight::InFlight;
use crate::worker::Worker;
use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use vitrine_core::health::target_group::Attributes;
use vitrine_core::health::{HealthStatus, Reason, TargetState, traffic};
use vitrine_core::id::InstanceId;

/// What the checks of an instance say. Nothing where no check runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// By `healthCheck`.
    pub container: Option<HealthStatus>,
    /// By `targetGroup`.
    pub target: Option<(TargetState, Option<Reason>)>,
}

impl Checked {
    fn is_unhealthy(&self) -> bool {
        self.container == Some(HealthStatus::Unhealthy)
            || self.target.is_some_and(|(state, _)| state == TargetState::Unhealthy)
    }
}

/// One instance.
#[derive(Debug)]
pub struct Instance {
    worker: Arc<Worker>,
    in_flight: InFlight,
    emptied: Notify,
    leaving: AtomicBool,
    /// How often its release has left its users so far, or it has left its release.
    left: watch::Sender<u64>,
    checked: Mutex<Checked>,
    is_unhealthy: AtomicBool,
    /// What is held for it until it has ended.
    room: Mutex<Option<Box<dyn Any + Send + Sync>>>,
    /// Instances in a row before it that were replaced because they were unhealthy.
    ill_before: AtomicU32,
    /// Since when it serves, and how long its share of the requests grows: not at all for the first of a release.
    slow_start: Option<(Instant, Attributes)>,
}

impl Instance {
    /// An instance that serves from now on. `slow_start` is for one that comes beside others; `room` is held until [`Instance::leave_room`], or for as long as it is there.
    #[must_use]
    pub fn new(
        worker: Arc<Worker>,
        slow_start: Option<Attributes>,
        room: Option<Box<dyn Any + Send + Sync>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            worker,
            in_flight: InFlight::default(),
            emptied: Notify::new(),
            leaving: AtomicBool::new(false),
            left: watch::Sender::new(0),
            checked: Mutex::default(),
            is_unhealthy: AtomicBool::new(false),
            room: Mutex::new(room),
            ill_before: AtomicU32::new(0),
            slow_start: slow_start.map(|attributes| (Instant::now(), attributes)),
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &InstanceId {
        &self.worker.identity().instance
    }

    /// Its worker.
    #[must_use]
    pub const fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }

    /// Its requests and WebSockets.
    #[must_use]
    pub const fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// What its checks say.
    #[must_use]
    pub fn checked(&self) -> Checked {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes that, and gives the result.
    pub fn set_checked(&self, change: impl FnOnce(&mut Checked)) -> Checked {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut checked);
        self.is_unhealthy.store(checked.is_unhealthy(), Ordering::Relaxed);
        *checked
    }

    /// It has ended: what was held for it is free.
    pub fn leave_room(&self) {
        self.room.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Instances in a row before it that were replaced because they were unhealthy.
    #[must_use]
    pub fn ill_before(&self) -> u32 {
        self.ill_before.load(Ordering::Relaxed)
    }

    /// Sets that; 0 once it counts as healthy.
    pub fn set_ill_before(&self, count: u32) {
        self.ill_before.store(count, Ordering::Relaxed);
    }

    /// Waits until nothing is in flight here or the time is over; gives what is left.
    pub async fn wait_idle(&self, timeout: Duration) -> usize {
        let empty = async {
            loop {
                let mut emptied = std::pin::pin!(self.emptied.notified());
                emptied.as_mut().enable();
                if self.in_flight.all() == 0 {
                    return;
                }
                emptied.await;
            }
        };
        match tokio::time::timeout(timeout, empty).await {
            Ok(()) => 0,
            Err(_) => self.in_flight.all(),
        }
    }

    /// Takes no claim from now on, and tells its WebSockets.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
        self.tell_leaving();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    pub(super) fn tell_leaving(&self) {
        self.left.send_modify(|times| *times += 1);
    }

    pub(super) fn leavings(&self) -> watch::Receiver<u64> {
        self.left.subscribe()
    }

    /// A request or a WebSocket has ended.
    pub(super) fn ended(&self) {
        if self.in_flight.all() == 0 {
            self.emptied.notify_waiters();
        }
    }

    /// How well it can take a request, whatever is in flight there.
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        match self.worker.is_ready() {
            false => Fitness::Away,
            true if self.is_unhealthy.load(Ordering::Relaxed) => Fitness::Unhealthy,
            true => Fitness::Serving,
        }
    }

    /// Its requests, weighed by the share that it may have: in slow start each counts for several.
    pub(super) fn load(&self) -> f64 {
        let share = self
            .slow_start
            .as_ref()
            .map_or(1.0, |(since, attributes)| traffic::slow_start_share(attributes, since.elapsed(), true));
        // The one that comes counts too: an idle instance in slow start is not as good as one that is warm and idle.
        (self.in_flight.requests() + 1) as f64 / share.max(LEAST_SHARE)
    }
}

/// Share of an instance at the very beginning of its slow start.
const LEAST_SHARE: f64 = 0.01;
