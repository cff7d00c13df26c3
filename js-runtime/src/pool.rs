//! Isolates behind a fair bounded queue.

pub mod in_flight;
mod isolate_thread;
pub mod queue;
mod supervisor;

use crate::allocator;
use crate::bundle::Bundle;
use crate::isolate::log::Log;
use crate::isolate::platform;
use crate::limits::isolate::{POOL_REQUESTS, RESIDENT_BASE_BYTES};
use crate::request::{HostClient, PoolRequest, Request, lock};
use crate::watchdog::resident;
use futures_util::future::try_join_all;
use in_flight::InFlight;
use isolate_thread::{IsolateThread, Role};
use queue::Queue;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use supervisor::PoolSupervisor;
use tokio::sync::{Semaphore, mpsc};
use vitrine_wire::{BootFailure, Outcome, Start};

/// The isolates of a release, each on a thread of its own. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    plan: Arc<Plan>,
    requests: mpsc::Sender<PoolRequest>,
}

/// What every isolate of a pool is made from, and what they share.
#[derive(Debug)]
struct Plan {
    start: Start,
    bundle: Bundle,
    snapshot: Option<&'static [u8]>,
    link: HostClient,
    log: Log,
    queue: Queue,
    in_flight: Arc<InFlight>,
    /// Isolates in rotation.
    serving: AtomicU32,
    /// The first warm path that failed in one of the first isolates, of a release that serves all the same.
    warm_failure: Mutex<Option<BootFailure>>,
    /// With an isolate for each request: how many may be at work at once. The one more that there is waits for its turn.
    turns: Option<Semaphore>,
}

impl Pool {
    /// Boots and warms every isolate, from a snapshot of the app if there is one. Returns when all serve.
    ///
    /// # Errors
    /// The first thing that failed, with the app's error.
    pub async fn boot(
        start: Start,
        bundle: Bundle,
        snapshot: Option<&'static [u8]>,
        link: HostClient,
    ) -> Result<Self, BootFailure> {
        platform::init();
        if let Some((_, zone)) = start.env.iter().find(|(name, _)| name == platform::TIME_ZONE) {
            platform::set_time_zone(zone);
        }
        let limits = &start.settings.limits;
        let queue = Queue::new(limits.queue as usize, Duration::from_millis(limits.queue_ms));
        let log = Log::new(link.clone(), limits.log_lines_per_s);
        let isolates = limits.isolates.max(1);
        let turns = limits.isolate_per_request.then(|| Semaphore::new(isolates as usize));
        let places = isolates + u32::from(turns.is_some());
        // One more for a spare.
        resident::bound(resident_bytes_max(&bundle, places + 1, limits.heap_mb));
        let plan = Arc::new(Plan {
            start,
            bundle,
            snapshot,
            link,
            log,
            queue,
            in_flight: Arc::default(),
            serving: AtomicU32::new(0),
            warm_failure: Mutex::default(),
            turns,
        });
        let places =
            try_join_all((0..places).map(|_| IsolateThread::boot(Arc::clone(&plan), Role::First))).await?;
        allocator::trim();
        let (requests, inbox) = mpsc::channel(POOL_REQUESTS);
        tokio::spawn(PoolSupervisor::new(Arc::clone(&plan), places).run(inbox));
        Ok(Self { plan, requests })
    }

    /// Isolates that are at work at once.
    #[must_use]
    pub fn isolates(&self) -> u32 {
        self.plan.start.settings.limits.isolates.max(1)
    }

    /// The first warm path that failed while the pool booted. Always `None` for a release that is not accepted: that does not boot
    /// then.
    #[must_use]
    pub fn warm_failure(&self) -> Option<BootFailure> {
        lock(&self.plan.warm_failure).clone()
    }

    /// Queues a request. A full queue, or a wait over `queue_ms`, ends the request as `overloaded`; never blocks.
    pub fn submit(&self, request: Request) {
        match self.plan.in_flight.enter() {
            Some(admission) => self.plan.queue.push(request, admission),
            None => queue::refuse(request, Outcome::Draining),
        }
    }

    /// Passes a request of the control socket on.
    pub fn request(&self, request: PoolRequest) {
        // A full channel means that the pool is already busy with as many: dropping the request tells its sender.
        let _ = self.requests.try_send(request);
    }
}

/// What the process of a pool may take.
fn resident_bytes_max(bundle: &Bundle, places: u32, heap_mb: u64) -> u64 {
    let bundle_bytes: u64 = bundle.files.values().map(|content| content.len() as u64).sum();
    RESIDENT_BASE_BYTES + bundle_bytes + u64::from(places) * 2 * (heap_mb << 20)
}
