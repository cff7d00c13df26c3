//! Workers of this process: those that it started or adopted and has not ended, and those that it could not stop.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vitrine_core::id::InstanceId;
use vitrine_core::limits::UNSTOPPED_MAX;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OwnWorkers(Mutex<Instances>);

#[derive(Debug, Default)]
struct Instances {
    /// They are no orphans.
    started: BTreeSet<InstanceId>,
    /// To be stopped again once the engine answers.
    unstopped: BTreeSet<InstanceId>,
}

impl OwnWorkers {
    fn lock(&self) -> MutexGuard<'_, Instances> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a worker that is about to be started.
    pub(super) fn new_instance(&self) -> InstanceId {
        let instance = InstanceId::random();
        self.add(&instance);
        instance
    }

    /// A worker was adopted.
    pub(super) fn add(&self, instance: &InstanceId) {
        self.lock().started.insert(instance.clone());
    }

    /// A worker has ended, or could not be stopped and is kept as such.
    pub(super) fn remove(&self, instance: &InstanceId) {
        self.lock().started.remove(instance);
    }

    /// Those that were started or adopted and have not ended.
    pub(super) fn started(&self) -> BTreeSet<InstanceId> {
        self.lock().started.clone()
    }

    /// A worker could not be stopped. Of more than [`UNSTOPPED_MAX`] the next start of the host removes the rest.
    pub(super) fn add_unstopped(&self, instance: &InstanceId) {
        let mut instances = self.lock();
        if instances.unstopped.len() < UNSTOPPED_MAX {
            instances.unstopped.insert(instance.clone());
        }
    }

    /// Whether there are workers that could not be stopped.
    pub(super) fn has_unstopped(&self) -> bool {
        !self.lock().unstopped.is_empty()
    }

    /// Those that could not be stopped, to be stopped now.
    pub(super) fn take_unstopped(&self) -> BTreeSet<InstanceId> {
        std::mem::take(&mut self.lock().unstopped)
    }
}
