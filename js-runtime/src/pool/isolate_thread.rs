//! One isolate's place in the pool: a thread, and the isolate that lives on it.

mod start;
mod stop;

use super::Plan;
use super::queue::Entry;
use crate::allocator;
use crate::clock::now_ms;
use crate::exception;
use crate::isolate::driver::{Driver, TurnError};
use crate::isolate::engine::{Killed, js_error};
use crate::limits::isolate::{COMMANDS_QUEUED, ERRORS_IN_A_ROW, NO_OP_KEPT_MS};
use crate::request::lock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stop::Stop;
use tokio::sync::{Semaphore, mpsc, oneshot};
use vitrine_wire::{BootFailure, BootStage, LogLevel, LogLine, Outcome, RestartReason};

/// What an isolate's thread is told.
#[derive(Debug)]
pub enum Command {
    /// Run a no-op.
    NoOp(oneshot::Sender<()>),
    /// Finish what is in flight, give memory back, and do nothing until `Thaw`.
    Freeze(oneshot::Sender<()>),
    /// Serve again.
    Thaw(oneshot::Sender<()>),
}

/// An isolate's figures, written by its thread.
#[derive(Debug, Default)]
pub struct IsolateStats {
    /// Requests that have begun and not ended.
    pub in_flight: AtomicU32,
    /// Used heap at the last no-op, in bytes.
    pub heap_bytes: AtomicU64,
    /// When it last ran a no-op, if no request has begun since.
    pub proved: Mutex<Option<Instant>>,
}

impl IsolateStats {
    /// Whether a no-op would tell nothing new: the isolate works on no request, and ran one lately.
    pub fn is_fresh(&self) -> bool {
        let lately = |at: Instant| at.elapsed() < Duration::from_millis(NO_OP_KEPT_MS);
        self.in_flight.load(Ordering::Relaxed) == 0 && lock(&self.proved).is_some_and(lately)
    }
}

/// What an isolate is booted for.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// One of the first: none of the release serves before all do. A warm path that fails keeps it from serving, unless the release
    /// is accepted.
    First,
    /// To serve in the place of another; what its app answers may condemn it from this moment on. It serves even when a warm path
    /// fails: the release was good once, and no isolate at all is worse.
    Replacement(Instant),
    /// To be a replacement once it is thawed; until then it warms itself.
    Spare,
}

/// A booted isolate. Dropping it ends its thread.
#[derive(Debug)]
pub struct IsolateThread {
    /// Tells the thread something.
    pub commands: mpsc::Sender<Command>,
    /// Its figures.
    pub stats: Arc<IsolateStats>,
}

/// Says why an isolate is condemned, or `None` when it has served its only request. It is dropped without a word when the
/// isolate's thread fails.
pub type Condemned = oneshot::Receiver<Option<RestartReason>>;

impl IsolateThread {
    /// Boots an isolate on a thread of its own, and warms it if its role asks for that.
    ///
    /// # Errors
    /// What failed, with the app's error.
    pub async fn boot(plan: Arc<Plan>, role: Role) -> Result<(Self, Condemned), BootFailure> {
        let (booted, outcome) = oneshot::channel();
        let (commands, inbox) = mpsc::channel(COMMANDS_QUEUED);
        let (alive, condemned) = oneshot::channel();
        let stats = Arc::new(IsolateStats::default());
        let thread = Thread { plan, role, commands: inbox, stats: Arc::clone(&stats), alive: Some(alive) };
        std::thread::Builder::new()
            .name("isolate".to_owned())
            .spawn(move || thread.run(booted))
            .map_err(|error| defect(format!("A thread for an isolate can't be had: {error}")))?;
        outcome
            .await
            .unwrap_or_else(|_| Err(defect("The isolate's thread ended while it booted".to_owned())))?;
        Ok((Self { commands, stats }, condemned))
    }
}

fn defect(message: String) -> BootFailure {
    BootFailure { stage: BootStage::Load, message, error: None }
}

/// Sets `SCHED_BATCH` for the calling thread: the same share of CPU, but a woken isolate thread no longer preempts the connection
/// thread, so requests arrive in batches.
fn yield_to_connections() {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameter lives as long as the call. Where the kernel refuses, the thread stays as it is, which is only slower.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const priority) };
}

/// An isolate's thread, from the inside.
struct Thread {
    plan: Arc<Plan>,
    role: Role,
    commands: mpsc::Receiver<Command>,
    stats: Arc<IsolateStats>,
    /// Used when the isolate is condemned.
    alive: Option<oneshot::Sender<Option<RestartReason>>>,
}

impl Thread {
    fn run(mut self, booted: oneshot::Sender<Result<(), BootFailure>>) {
        yield_to_connections();
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                // This fails only when the receiver is gone.
                let _ = booted.send(Err(defect(format!("The isolate's clock can't be had: {error}"))));
                return;
            }
        };
        runtime.block_on(async {
            match self.boot().await {
                Err(failure) => drop(booted.send(Err(failure))),
                Ok(mut driver) => {
                    if booted.send(Ok(())).is_ok() && self.wait_as_spare(&mut driver).await {
                        self.live(&mut driver).await;
                    }
                }
            }
        });
        // What it had may be the whole of `heap_mb`, and this thread's arena of the C library is unused now.
        allocator::trim();
    }

    /// Serves until the end.
    async fn live(&mut self, driver: &mut Driver) {
        let plan = Arc::clone(&self.plan);
        plan.serving.fetch_add(1, Ordering::AcqRel);
        let served = match &plan.turns {
            Some(turns) => self.serve_one(driver, turns).await,
            None => self.serve(driver).await,
        };
        plan.serving.fetch_sub(1, Ordering::AcqRel);
        let stop = match served {
            Ok(never) => match never {},
            Err(stop) => stop,
        };
        // The replacement boots while this isolate says its last words.
        if let Some(alive) = self.alive.take() {
            let _ = alive.send(stop.reason());
        }
        let (killed, others) = match stop {
            Stop::PoolGone | Stop::Used => return,
            Stop::Doubted(reason) => {
                let what = match reason {
                    RestartReason::WrongType => "a request was answered with something that is no response",
                    _ => "several requests in a row failed",
                };
                self.note(LogLevel::Warn, None, format!("{what}: the isolate is replaced"));
                // Streams must not keep ever more isolates that were replaced. Their clients may connect again.
                let bound = Duration::from_millis(plan.start.settings.limits.wall_ms);
                match tokio::time::timeout(bound, self.finish(driver)).await {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => self.fallen(driver, error.into()),
                    Err(_) => (None, Outcome::Draining),
                }
            }
            stop => self.fallen(driver, stop),
        };
        driver.fail_in_flight(killed, others).await;
    }

    /// Says why an isolate can't go on: what ended it, and how its other requests end.
    fn fallen(&self, driver: &Driver, stop: Stop) -> (Option<Killed>, Outcome) {
        let killed = match stop {
            Stop::Broken(killed) => {
                let message = format!("{killed}: the isolate is replaced");
                self.note(LogLevel::Error, driver.state.request_id(killed.request), message);
                Some(killed)
            }
            Stop::Failed(error) => {
                let stack = js_error(&error).map(|error| exception::from_js_error(error).stack);
                let message = format!("the isolate's event loop failed: {error}: the isolate is replaced");
                self.log(LogLevel::Error, None, message, stack);
                None
            }
            Stop::PoolGone | Stop::Used | Stop::Doubted(_) => None,
        };
        (killed, Outcome::Crashed)
    }

    async fn serve(&mut self, driver: &mut Driver) -> Result<std::convert::Infallible, Stop> {
        let concurrency = self.plan.start.settings.limits.concurrency.max(1) as usize;
        let plan = Arc::clone(&self.plan);
        loop {
            // One that waits comes before what those in flight wait for, so that what it waits for itself begins soon; and it is one
            // only, so that no rush of requests keeps others from their end.
            if driver.state.places_taken() < concurrency
                && let Some(entry) = plan.queue.try_pop()
            {
                self.begin(driver, entry)?;
            }
            let may_take = driver.state.places_taken() < concurrency;
            tokio::select! {
                biased;
                command = self.commands.recv() => self.handle_command(driver, command.ok_or(Stop::PoolGone)?).await?,
                waited = driver.wait() => waited?,
                entry = plan.queue.pop(), if may_take => self.begin(driver, entry)?,
            }
            self.run_ready(driver).await?;
            self.check_poisoned(driver)?;
        }
    }

    /// Waits for a turn, serves one request, and is done.
    async fn serve_one(
        &mut self,
        driver: &mut Driver,
        turns: &Semaphore,
    ) -> Result<std::convert::Infallible, Stop> {
        let plan = Arc::clone(&self.plan);
        let mut turn = None;
        loop {
            if turn.is_some() && driver.in_flight() == 0 {
                return Err(Stop::Used);
            }
            let taken = async {
                // Never closed.
                let turn = turns.acquire().await.ok();
                (turn, plan.queue.pop().await)
            };
            tokio::select! {
                biased;
                command = self.commands.recv() => self.handle_command(driver, command.ok_or(Stop::PoolGone)?).await?,
                // Before what the app does by itself, which may be without an end.
                (mine, entry) = taken, if turn.is_none() => {
                    turn = mine;
                    self.begin(driver, entry)?;
                }
                waited = driver.wait() => waited?,
            }
            self.run_ready(driver).await?;
        }
    }

    /// Begins a request, whose first slice may take long.
    fn begin(&self, driver: &mut Driver, (request, admission): Entry) -> Result<(), Killed> {
        self.stats.in_flight.fetch_add(1, Ordering::Relaxed);
        *lock(&self.stats.proved) = None;
        driver.begin(request, admission).map(drop)
    }

    /// Runs what is ready, and tells how many requests are in flight.
    async fn run_ready(&self, driver: &mut Driver) -> Result<(), Stop> {
        if driver.run_ready()? {
            tokio::task::yield_now().await;
        }
        let in_flight = u32::try_from(driver.in_flight()).unwrap_or(u32::MAX);
        self.stats.in_flight.store(in_flight, Ordering::Relaxed);
        Ok(())
    }

    /// Stops an isolate whose app may have broken it.
    fn check_poisoned(&self, driver: &Driver) -> Result<(), Stop> {
        let state = &driver.state;
        let reason = if state.wrong_type.get() {
            RestartReason::WrongType
        } else if state.errors_in_a_row.get() >= ERRORS_IN_A_ROW {
            RestartReason::AppError
        } else {
            return Ok(());
        };
        match self.role {
            Role::Replacement(doubted_from) if Instant::now() < doubted_from => Ok(()),
            _ => Err(Stop::Doubted(reason)),
        }
    }

    /// Takes nothing new and waits for what is in flight.
    async fn finish(&mut self, driver: &mut Driver) -> Result<(), TurnError> {
        while driver.in_flight() > 0 {
            driver.wait().await?;
            if driver.run_ready()? {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn handle_command(&mut self, driver: &mut Driver, command: Command) -> Result<(), Stop> {
        match command {
            Command::NoOp(done) => {
                self.prove(driver)?;
                let _ = done.send(());
                driver.rest();
            }
            Command::Thaw(done) => drop(done.send(())),
            Command::Freeze(done) => {
                self.finish(driver).await?;
                driver.engine.shrink();
                let _ = done.send(());
                self.stay_frozen(driver).await?;
            }
        }
        Ok(())
    }

    /// Runs a no-op.
    fn prove(&self, driver: &mut Driver) -> Result<(), Killed> {
        driver.engine.no_op()?;
        self.stats.heap_bytes.store(driver.engine.heap_bytes(), Ordering::Relaxed);
        *lock(&self.stats.proved) = Some(Instant::now());
        Ok(())
    }

    async fn stay_frozen(&mut self, driver: &mut Driver) -> Result<(), Stop> {
        loop {
            match self.commands.recv().await.ok_or(Stop::PoolGone)? {
                Command::NoOp(done) => {
                    self.prove(driver)?;
                    let _ = done.send(());
                }
                Command::Freeze(done) => drop(done.send(())),
                Command::Thaw(done) => {
                    let _ = done.send(());
                    return Ok(());
                }
            }
        }
    }

    fn note(&self, level: LogLevel, request_id: Option<String>, message: String) {
        self.log(level, request_id, message, None);
    }

    fn log(&self, level: LogLevel, request_id: Option<String>, message: String, stack: Option<String>) {
        self.plan.link.log(LogLine { time_ms: now_ms(), level, request_id, message, stack });
    }
}
