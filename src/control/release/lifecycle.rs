//! The life of one release, without effects: what may happen to it, and what follows.
//!
//! ```text
//! uploaded -> booting -> warming -> healthy -> live -> standby -> draining -> retired
//!    idle: standby -> frozen -> standby;  healthy, standby -> draining -> sleeping -> booting (a request wakes it)
//!    starts that fail again and again: failed, until somebody insists
//! ```
//! A release has a [`Role`] among its app's releases and a [`Worker`] that does one thing at a time. [`State`] is the name of
//! both together. What is live is decided by the route table's record; the place follows it in the same step.

#[cfg(test)]
mod tests;

use vitrine_core::limits::START_FAILURES_MAX;

/// What users have of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It was never live.
    Candidate,
    /// Users get it.
    Live,
    /// It was live.
    Former,
    /// It was removed and finishes its requests.
    Shutdown,
    /// It is gone.
    Retired,
}

/// What its worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worker {
    /// None was ever started.
    Never,
    /// There is none.
    Absent,
    /// It is being started.
    Booting,
    /// It answered, and evaluates and warms the app.
    Warming,
    /// It serves.
    Serving,
    /// It gave its memory back and does nothing until it is thawed.
    Frozen,
    /// It takes nothing new and finishes what it has.
    Draining,
    /// Its starts failed too often: none is tried until somebody insists.
    GivenUp,
}

/// Where a release stands, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Recorded; no worker was started yet.
    Uploaded,
    /// Its worker is being started.
    Booting,
    /// Its worker answered, evaluates the app and renders its warm paths.
    Warming,
    /// It serves under its own name and was never live.
    Healthy,
    /// Users get it, whatever its worker does at the moment.
    Live,
    /// It serves, was live, and is ready to be gone back to.
    Standby,
    /// A standby whose worker gave its memory back.
    Frozen,
    /// Retained without a worker; a request wakes it.
    Sleeping,
    /// Its starts failed; none is tried until somebody insists.
    Failed,
    /// It finishes its requests, to sleep or to be gone.
    Draining,
    /// It is gone.
    Retired,
}

/// What happens to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Its worker is needed; with `insist` it is started again even after failed starts.
    Wanted {
        /// An operator's own word, or a try after the pause.
        insist: bool,
    },
    /// A worker of an earlier host was found at its sockets, and serves.
    Adopted,
    /// The worker that was started is what it should be.
    Answered,
    /// It serves.
    Ready,
    /// The worker that was started does not serve.
    StartFailed,
    /// The worker is gone for good.
    Lost,
    /// The promotion of this release is on the disk.
    Promoted,
    /// The promotion of another release is on the disk.
    Superseded,
    /// On the disk is that a share of the users gets this release beside the live one.
    Shared,
    /// The standby had no request for a while.
    Rested,
    /// The frozen worker serves again.
    Thawed,
    /// It had no request for a while, and nothing needs its worker.
    Idle,
    /// Its removal is on the disk: alone, which a live one can't be, or with its whole app.
    Removed {
        /// Whether the app goes too.
        with_app: bool,
    },
    /// The host ends and takes its workers along.
    HostEnds,
    /// Its requests in flight have ended, or their time is over.
    Drained,
}

/// What follows from an event, for the control plane to carry out in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Start a worker; it gives `Answered`, then `Ready`, or `StartFailed`.
    Start,
    /// Stop its instances, whatever they do, and forget them.
    Stop,
    /// Refuse new requests and wait for those in flight; gives `Drained`.
    Drain,
    /// Let the requests in flight finish, refusing nothing.
    Settle,
    /// Freeze the worker.
    Freeze,
    /// Thaw it; gives `Thawed`, or `Lost`.
    Thaw,
}

/// An event that can't happen to a release where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a release that is {state:?} can't be {event:?}")]
pub(super) struct Illegal {
    /// Where it stands.
    pub state: State,
    /// The event.
    pub event: Event,
}

/// The life of one release so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifecycle {
    role: Role,
    worker: Worker,
    /// Starts in a row that its own app failed.
    failed_starts: u32,
}

impl Lifecycle {
    /// One that was just taken in.
    pub(super) const fn uploaded() -> Self {
        Self { role: Role::Candidate, worker: Worker::Never, failed_starts: 0 }
    }

    /// One that an earlier host recorded. Its worker, if it has one, is yet to be found.
    pub(super) const fn recorded(is_live: bool, was_live: bool) -> Self {
        let role = match (is_live, was_live) {
            (true, _) => Role::Live,
            (false, true) => Role::Former,
            (false, false) => Role::Candidate,
        };
        Self { role, worker: Worker::Absent, failed_starts: 0 }
    }

    /// Where it stands.
    pub(super) const fn state(&self) -> State {
        match (self.role, self.worker) {
            (Role::Retired, _) => State::Retired,
            (Role::Shutdown, _) => State::Draining,
            (Role::Live, _) => State::Live,
            (_, Worker::Never) => State::Uploaded,
            (_, Worker::Absent) => State::Sleeping,
            (_, Worker::Booting) => State::Booting,
            (_, Worker::Warming) => State::Warming,
            (Role::Candidate, Worker::Serving) => State::Healthy,
            (Role::Former, Worker::Serving) => State::Standby,
            (_, Worker::Frozen) => State::Frozen,
            (_, Worker::Draining) => State::Draining,
            (_, Worker::GivenUp) => State::Failed,
        }
    }

    /// Starts in a row that its own app failed.
    pub(super) const fn failed_starts(&self) -> u32 {
        self.failed_starts
    }

    /// Whether no start of it is tried any more, live or not.
    pub(super) const fn is_given_up(&self) -> bool {
        matches!(self.worker, Worker::GivenUp)
    }

    /// What it becomes by an event, and what is to be done then.
    ///
    /// # Errors
    /// [`Illegal`]; nothing is to be done then.
    pub(super) fn after(self, event: Event) -> Result<(Self, &'static [Effect]), Illegal> {
        use {Effect as Do, Event as On, Role as P, Worker as W};
        let with = |worker| Self { worker, ..self };
        let placed = |role, worker| Self { role, worker, ..self };
        let stays = Ok((self, &[] as &'static [Effect]));
        match (event, self.role, self.worker) {
            (_, P::Retired, _) => Err(self.refuse(event)),
            // A worker that is lost while it drains, or for the second time, changes nothing.
            (On::Lost, P::Shutdown, _) | (On::Lost, _, W::Draining | W::Absent | W::GivenUp) => stays,
            (On::Drained, P::Shutdown, _) => Ok((placed(P::Retired, W::Absent), &[Do::Stop])),
            (On::Drained, _, W::Draining) => Ok((with(W::Absent), &[Do::Stop])),
            // Whatever else comes to one that leaves comes too late.
            (_, P::Shutdown, _) => Err(self.refuse(event)),

            (On::Wanted { .. }, _, W::Serving) => stays,
            (On::Wanted { .. }, _, W::Frozen) => Ok((self, &[Do::Thaw])),
            (On::Wanted { .. }, _, W::Never | W::Absent) => Ok((with(W::Booting), &[Do::Start])),
            (On::Wanted { insist: true }, _, W::GivenUp) => Ok((with(W::Booting), &[Do::Start])),
            (On::Adopted, _, W::Absent) => Ok((with(W::Serving), &[])),
            (On::Answered, _, W::Booting) => Ok((with(W::Warming), &[])),
            (On::Ready, _, W::Warming) => Ok((Self { worker: W::Serving, failed_starts: 0, ..self }, &[])),
            // Whatever runs workers is to blame for one that never answered: that is no reason to give the release up.
            (On::StartFailed, _, W::Booting) => Ok((with(W::Absent), &[Do::Stop])),
            (On::StartFailed, _, W::Warming) => Ok((self.failed_once_more(), &[Do::Stop])),
            (On::Lost, _, W::Serving | W::Frozen) => Ok((with(W::Absent), &[Do::Stop])),

            (On::Promoted, P::Candidate | P::Former, W::Serving | W::Absent) => {
                Ok((placed(P::Live, self.worker), &[]))
            }
            (On::Superseded, P::Live, _) => Ok((placed(P::Former, self.worker), &[Do::Settle])),
            (On::Shared, P::Candidate | P::Former, W::Serving) => Ok((placed(P::Former, self.worker), &[])),
            (On::Rested, P::Former, W::Serving) => Ok((with(W::Frozen), &[Do::Freeze])),
            (On::Thawed, _, W::Frozen) => Ok((with(W::Serving), &[])),
            (On::Idle, P::Candidate | P::Former, W::Serving | W::Frozen)
            | (On::HostEnds, _, W::Serving | W::Frozen) => Ok((with(W::Draining), &[Do::Drain])),
            (On::HostEnds, _, W::Never | W::Absent | W::GivenUp) => stays,
            (On::Removed { with_app: false }, P::Live, _) => Err(self.refuse(event)),
            (On::Removed { .. }, _, W::Never | W::Absent | W::GivenUp) => {
                Ok((placed(P::Retired, W::Absent), &[Do::Stop]))
            }
            (On::Removed { .. }, _, W::Serving | W::Frozen) => {
                Ok((placed(P::Shutdown, W::Draining), &[Do::Drain]))
            }
            _ => Err(self.refuse(event)),
        }
    }

    const fn failed_once_more(self) -> Self {
        let failed_starts = self.failed_starts.saturating_add(1);
        let worker = if failed_starts < START_FAILURES_MAX { Worker::Absent } else { Worker::GivenUp };
        Self { worker, failed_starts, ..self }
    }

    const fn refuse(self, event: Event) -> Illegal {
        Illegal { state: self.state(), event }
    }
}
