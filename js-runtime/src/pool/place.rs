//! One isolate's place in the pool: a thread, and the isolate that lives on it.

use super::queue::Queue;
use crate::bundle::Bundle;
use crate::exchange::{HostLink, PoolRequest};
use crate::isolate::boot::boot;
use crate::isolate::driver::{Driver, TurnError};
use crate::isolate::shared::Shared;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use vitrine_wire::{BootFailure, BootStage, Start};

/// What every isolate of a pool is made from.
#[derive(Debug)]
pub struct Plan {
    /// Settings and environment.
    pub start: Start,
    /// The app.
    pub bundle: Bundle,
    /// The way to the host.
    pub link: HostLink,
    /// Requests for any isolate.
    pub queue: Queue,
}

impl Plan {
    /// Isolates that the pool has.
    pub fn isolates(&self) -> u32 {
        self.start.settings.limits.isolates.max(1)
    }
}

/// An isolate's place.
#[derive(Debug)]
pub struct Place {
    thread: std::thread::JoinHandle<()>,
}

impl Place {
    /// Boots and warms an isolate on a thread of its own.
    ///
    /// # Errors
    /// What failed, with the app's error.
    pub async fn boot(plan: Arc<Plan>) -> Result<Self, BootFailure> {
        let (booted, outcome) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("isolate".to_owned())
            .spawn(move || run(&plan, booted))
            .map_err(|error| defect(format!("A thread for an isolate can't be had: {error}")))?;
        outcome
            .await
            .unwrap_or_else(|_| Err(defect("The isolate's thread ended while it booted".to_owned())))?;
        Ok(Self { thread })
    }
}

fn defect(message: String) -> BootFailure {
    BootFailure { stage: BootStage::Load, message, error: None }
}

/// The whole life of an isolate's thread.
fn run(plan: &Plan, booted: oneshot::Sender<Result<(), BootFailure>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = booted.send(Err(defect(format!("The isolate's clock can't be had: {error}"))));
            return;
        }
    };
    runtime.block_on(async {
        let shared = Rc::new(Shared::new(plan.start.settings.limits.clone(), plan.link.clone()));
        match boot(shared, &plan.start, &plan.bundle).await {
            Err(failure) => {
                let _ = booted.send(Err(failure));
            }
            Ok(mut driver) => {
                if booted.send(Ok(())).is_ok() {
                    let _ = serve(plan, &mut driver).await;
                }
            }
        }
    });
}

/// Serves until the isolate is condemned.
async fn serve(plan: &Plan, driver: &mut Driver) -> Result<(), TurnError> {
    let concurrency = plan.start.settings.limits.concurrency.max(1) as usize;
    loop {
        let may_take = driver.in_flight() < concurrency;
        tokio::select! {
            biased;
            waited = driver.wait() => waited?,
            exchange = plan.queue.pop(), if may_take => driver.begin(exchange)?,
        }
        if driver.run_ready()? {
            tokio::task::yield_now().await;
        }
    }
}

/// Answers the control socket and replaces what is condemned, for as long as the pool lives.
pub async fn oversee(plan: Arc<Plan>, places: Vec<Place>, mut requests: mpsc::Receiver<PoolRequest>) {
    loop {
        tokio::select! {
            () = plan.queue.expire() => {}
            request = requests.recv() => if request.is_none() { return },
        }
        drop(places.iter().map(|place| place.thread.is_finished()));
    }
}
