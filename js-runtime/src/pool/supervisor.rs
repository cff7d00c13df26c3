//! Answers the control socket for a pool, and replaces what is condemned.

use super::Plan;
use super::isolate_thread::{Command, Condemned, IsolateThread, Role};
use crate::clock::now_ms;
use crate::limits::isolate::{
    DOUBT_PAUSE_MS, NO_OP_MS, REBOOT_PAUSE_MS, REBOOT_PAUSE_MS_MAX, SPARE_KEPT_MS, SPARE_PAUSE_MS,
};
use crate::request::PoolRequest;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use vitrine_wire::{IsolateState, IsolateStatus, LogLevel, LogLine, RestartReason};

/// What happens to a place without being asked for.
enum Change {
    /// Its isolate is condemned, or has served its only request.
    Ended(usize, Option<RestartReason>),
    /// Its replacement serves.
    Replaced(usize, IsolateThread, Condemned),
    /// The visitors of an isolate that was lost have had the processors for a moment.
    SpareDue,
    /// A spare waits, or can't be had.
    Spare(Option<(IsolateThread, Condemned)>),
}

/// Supervises the places of a pool.
pub struct PoolSupervisor {
    plan: Arc<Plan>,
    places: Vec<Slot>,
    changes: FuturesUnordered<BoxFuture<'static, Change>>,
    /// Whether the host wants the pool frozen: a replacement that boots meanwhile is frozen too.
    frozen: bool,
    spare: Spare,
}

/// An isolate in waiting, for an app that has lost one lately and may lose the next: its visitors then wait neither for a boot nor, once the
/// spare is warm, for a cold isolate. An app that behaves does without, and without the memory that it takes.
enum Spare {
    None,
    /// In a moment.
    Due,
    Booting,
    Ready(IsolateThread, Condemned, tokio::time::Instant),
}

struct Slot {
    /// `None` while a replacement boots.
    place: Option<IsolateThread>,
    restarts: Vec<(RestartReason, u32)>,
}

impl PoolSupervisor {
    /// A supervisor of `places`.
    pub fn new(plan: Arc<Plan>, places: Vec<(IsolateThread, Condemned)>) -> Self {
        let changes = FuturesUnordered::new();
        let slots = places.into_iter().enumerate().map(|(index, (place, condemned))| {
            changes.push(watch(index, condemned));
            Slot { place: Some(place), restarts: Vec::new() }
        });
        let places = slots.collect();
        Self { plan, places, changes, frozen: false, spare: Spare::None }
    }

    /// Works for as long as the pool lives.
    pub async fn run(mut self, mut requests: mpsc::Receiver<PoolRequest>) {
        let plan = Arc::clone(&self.plan);
        let expire = plan.queue.expire();
        tokio::pin!(expire);
        loop {
            tokio::select! {
                // Changes before requests: a status counts every isolate that was condemned before it was asked for.
                biased;
                () = &mut expire => {}
                Some(change) = self.changes.next() => self.change(change),
                () = self.spare.too_long() => self.spare = Spare::None,
                request = requests.recv() => match request {
                    Some(request) => self.answer(request),
                    None => return,
                },
            }
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Ended(index, reason) => {
                self.places[index].place = None;
                self.places[index].count(reason);
                let doubted = matches!(reason, Some(RestartReason::AppError | RestartReason::WrongType));
                let pause = Duration::from_millis(if doubted { DOUBT_PAUSE_MS } else { 0 });
                match self.spare.take_if(reason.is_some() && !doubted && !self.frozen) {
                    Some((place, condemned)) => self.fill(index, place, condemned),
                    None => {
                        let replacement = replace(Arc::clone(&self.plan), index, Instant::now() + pause);
                        self.changes.push(Box::pin(replacement));
                    }
                }
            }
            Change::Replaced(index, place, condemned) => {
                if self.frozen {
                    // The queue of a new place has room, and the result of this command is not awaited.
                    let _ = place.commands.try_send(Command::Freeze(oneshot::channel().0));
                }
                self.fill(index, place, condemned);
            }
            Change::SpareDue if matches!(self.spare, Spare::Due) => {
                self.spare = Spare::Booting;
                let plan = Arc::clone(&self.plan);
                self.changes.push(Box::pin(async move {
                    // One that does not boot now is tried again at the next loss.
                    Change::Spare(IsolateThread::boot(plan, Role::Spare).await.ok())
                }));
            }
            Change::Spare(spare) if matches!(self.spare, Spare::Booting) => {
                let kept_until = tokio::time::Instant::now() + Duration::from_millis(SPARE_KEPT_MS);
                self.spare = spare
                    .map_or(Spare::None, |(place, condemned)| Spare::Ready(place, condemned, kept_until));
            }
            // It was called off.
            Change::SpareDue | Change::Spare(_) => {}
        }
    }

    /// Gives a slot its new place, and has a spare made for the next time.
    fn fill(&mut self, index: usize, place: IsolateThread, condemned: Condemned) {
        let lost_one = self.places[index]
            .restarts
            .iter()
            .any(|(reason, _)| !matches!(reason, RestartReason::AppError | RestartReason::WrongType));
        self.places[index].place = Some(place);
        self.changes.push(watch(index, condemned));
        if lost_one && matches!(self.spare, Spare::None) && !self.frozen && self.plan.turns.is_none() {
            self.spare = Spare::Due;
            self.changes.push(Box::pin(async {
                tokio::time::sleep(Duration::from_millis(SPARE_PAUSE_MS)).await;
                Change::SpareDue
            }));
        }
    }

    /// Starts to answer; the answer comes on its own, so that one slow isolate does not hold up the rest.
    fn answer(&mut self, request: PoolRequest) {
        match request {
            PoolRequest::Status(answer) => {
                let queued = u32::try_from(self.plan.queue.len()).unwrap_or(u32::MAX);
                let places: Vec<_> = self.places.iter().map(Slot::status).collect();
                tokio::spawn(async move {
                    let _ = answer.send((queued, join_all(places).await));
                });
            }
            PoolRequest::Freeze(answer) => {
                self.frozen = true;
                self.spare = Spare::None;
                self.command_all(Command::Freeze, answer);
            }
            PoolRequest::Thaw(answer) => {
                self.frozen = false;
                self.command_all(Command::Thaw, answer);
            }
            PoolRequest::Drain(answer) => {
                let plan = Arc::clone(&self.plan);
                tokio::spawn(async move {
                    plan.in_flight.drain().await;
                    let _ = answer.send(());
                });
            }
        }
    }

    fn command_all(&self, command: fn(oneshot::Sender<()>) -> Command, answer: oneshot::Sender<()>) {
        let commands: Vec<_> = self
            .places
            .iter()
            .filter_map(|slot| slot.place.as_ref().map(|place| place.commands.clone()))
            .collect();
        tokio::spawn(async move {
            join_all(commands.into_iter().map(|commands| tell(commands, command))).await;
            let _ = answer.send(());
        });
    }
}

impl Spare {
    /// Ends when a spare has waited for as long as it may; never without one.
    async fn too_long(&self) {
        match self {
            Self::Ready(_, _, kept_until) => tokio::time::sleep_until(*kept_until).await,
            Self::None | Self::Due | Self::Booting => std::future::pending().await,
        }
    }

    /// The spare, called to serve, if it is wanted and there.
    fn take_if(&mut self, wanted: bool) -> Option<(IsolateThread, Condemned)> {
        if !wanted || !matches!(self, Self::Ready(..)) {
            return None;
        }
        let Self::Ready(place, condemned, _) = std::mem::replace(self, Self::None) else { return None };
        // The result is not awaited; a place whose thread has ended does not take the command.
        place.commands.try_send(Command::Thaw(oneshot::channel().0)).is_ok().then_some((place, condemned))
    }
}

impl Slot {
    fn count(&mut self, reason: Option<RestartReason>) {
        let Some(reason) = reason else { return };
        match self.restarts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.restarts.push((reason, 1)),
        }
    }

    fn status(&self) -> BoxFuture<'static, IsolateStatus> {
        let restarts = self.restarts.clone();
        let Some(place) = &self.place else {
            let state = IsolateState::Booting;
            return Box::pin(async move {
                IsolateStatus { state, in_flight: 0, heap_bytes: 0, restarts, alive: false }
            });
        };
        let (commands, stats) = (place.commands.clone(), Arc::clone(&place.stats));
        Box::pin(async move {
            let alive = stats.is_fresh() || {
                let told = tell(commands, Command::NoOp);
                matches!(tokio::time::timeout(Duration::from_millis(NO_OP_MS), told).await, Ok(true))
            };
            IsolateStatus {
                state: IsolateState::Serving,
                in_flight: stats.in_flight.load(Ordering::Relaxed),
                heap_bytes: stats.heap_bytes.load(Ordering::Relaxed),
                restarts,
                alive,
            }
        })
    }
}

/// Tells a place something. `false` when it ended first.
async fn tell(commands: mpsc::Sender<Command>, command: fn(oneshot::Sender<()>) -> Command) -> bool {
    let (done, told) = oneshot::channel();
    commands.send(command(done)).await.is_ok() && told.await.is_ok()
}

fn watch(index: usize, condemned: Condemned) -> BoxFuture<'static, Change> {
    Box::pin(async move {
        // A thread that ends without a word has failed.
        Change::Ended(index, condemned.await.unwrap_or(Some(RestartReason::Crashed)))
    })
}

async fn replace(plan: Arc<Plan>, index: usize, doubted_from: Instant) -> Change {
    let mut pause_ms = REBOOT_PAUSE_MS;
    loop {
        let failure = match IsolateThread::boot(Arc::clone(&plan), Role::Replacement(doubted_from)).await {
            Ok((place, condemned)) => return Change::Replaced(index, place, condemned),
            Err(failure) => failure,
        };
        plan.link.log(LogLine {
            time_ms: now_ms(),
            level: LogLevel::Error,
            request_id: None,
            message: format!("An isolate's replacement does not boot: {}", failure.message),
            stack: failure.error.map(|error| error.stack),
        });
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(REBOOT_PAUSE_MS_MAX);
    }
}
