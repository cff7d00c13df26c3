//! What of the host's memory and cores is reserved for workers. A worker that doesn't fit is not started, unless users would lose what
//! they have: those that serve were there first, and a rollback comes before all.

use super::ReleaseError;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use prometheus::IntGauge;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use vitrine_core::config::{Config, WorkerResources};
use vitrine_core::id::InstanceId;

/// Memory in MiB and thousandths of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    memory_mb: u64,
    millicores: u64,
}

impl Size {
    /// What is reserved for a worker.
    pub(super) fn of(resources: &WorkerResources) -> Self {
        Self {
            memory_mb: resources.memory_reservation_mb,
            millicores: (resources.cpu_reservation * 1_000.0).ceil() as u64,
        }
    }

    /// What a worker counts for where it reserves nothing: all that it may use.
    fn at_most(resources: &WorkerResources) -> Self {
        let reserved = Self::of(resources);
        match reserved.memory_mb {
            0 => Self { memory_mb: resources.memory_mb, ..reserved },
            _ => reserved,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { memory_mb: self.memory_mb + other.memory_mb, millicores: self.millicores + other.millicores }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            memory_mb: self.memory_mb.saturating_sub(other.memory_mb),
            millicores: self.millicores.saturating_sub(other.millicores),
        }
    }

    const fn times(self, count: u64) -> Self {
        Self { memory_mb: self.memory_mb * count, millicores: self.millicores * count }
    }

    /// How often this fits into `free`.
    fn times_in(self, free: Self) -> u64 {
        let times = |free: u64, one: u64| free.checked_div(one).unwrap_or(u64::MAX);
        times(free.memory_mb, self.memory_mb).min(times(free.millicores, self.millicores))
    }
}

/// What is missing for a worker, in the words of ECS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Memory.
    #[error(
        "RESOURCE:MEMORY: {needed_mb} MiB are to be reserved for it, and {free_mb} of {all_mb} MiB are free; scale an app down, or change \
         `memory_reservation_mb` or `[capacity]` in vitrine.toml"
    )]
    Memory {
        /// Memory to be reserved for a worker.
        needed_mb: u64,
        /// Memory that is not reserved.
        free_mb: u64,
        /// Memory of the host.
        all_mb: u64,
    },
    /// Cores.
    #[error(
        "RESOURCE:CPU: {} cores are to be reserved for it, and {} of {} are free; scale an app down, or change `cpu_reservation` or \
         `[capacity]` in vitrine.toml",
        cores(*needed), cores(*free), cores(*all)
    )]
    Cpu {
        /// Cores to be reserved for a worker, in thousandths.
        needed: u64,
        /// Cores that are not reserved.
        free: u64,
        /// Cores of the host.
        all: u64,
    },
}

fn cores(millicores: u64) -> f64 {
    millicores as f64 / 1_000.0
}

/// See the module.
#[derive(Debug)]
pub(super) struct Capacity {
    all: Size,
    taken: Mutex<Size>,
    /// The largest worker that is configured.
    largest: Size,
    /// How many more of those fit.
    schedulable: IntGauge,
}

/// Room for one worker, until this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    capacity: Arc<Capacity>,
    size: Size,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.capacity.change(|taken| taken.minus(self.size));
    }
}

impl Capacity {
    /// That of this machine, as far as the operator leaves it to workers.
    pub(super) fn here(config: &Config, schedulable: IntGauge) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory_bytes = nix::sys::sysinfo::sysinfo().map_or(u64::MAX, |info| info.ram_total());
        let of_machine = Size { memory_mb: memory_bytes >> 20, millicores: 1_000 * cores as u64 };
        let set = &config.capacity;
        let all = Size {
            memory_mb: if set.memory_mb == 0 { of_machine.memory_mb } else { set.memory_mb },
            millicores: if set.cpus > 0.0 { (set.cpus * 1_000.0) as u64 } else { of_machine.millicores },
        };
        let sizes = config.all_workers().map(|resources| Size::at_most(&resources));
        let largest = sizes.max_by_key(|size| (size.memory_mb, size.millicores)).unwrap_or_default();
        Self::new(all, largest, schedulable)
    }

    fn new(all: Size, largest: Size, schedulable: IntGauge) -> Arc<Self> {
        let capacity = Arc::new(Self { all, taken: Mutex::default(), largest, schedulable });
        capacity.change(|taken| taken);
        capacity
    }

    fn change(&self, change: impl FnOnce(Size) -> Size) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = change(*taken);
        let more = self.largest.times_in(self.all.minus(*taken));
        self.schedulable.set(i64::try_from(more).unwrap_or(i64::MAX));
    }

    /// Reserves room for a worker, if there is any.
    fn reserve(self: &Arc<Self>, size: Size) -> Result<Reservation, Missing> {
        let mut missing = None;
        self.change(|taken| {
            missing = self.missing(size, self.all.minus(taken));
            if missing.is_some() { taken } else { taken.plus(size) }
        });
        missing.map_or_else(|| Ok(Reservation { capacity: Arc::clone(self), size }), Err)
    }

    /// Reserves room that there may not be.
    pub(super) fn reserve_anyway(self: &Arc<Self>, size: Size) -> Reservation {
        self.change(|taken| taken.plus(size));
        Reservation { capacity: Arc::clone(self), size }
    }

    /// Whether this would fit if so much more were free.
    fn fits_with(&self, size: Size, freed: Size) -> bool {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.missing(size, self.all.plus(freed).minus(taken)).is_none()
    }

    fn missing(&self, size: Size, free: Size) -> Option<Missing> {
        if size.memory_mb > free.memory_mb {
            let (needed_mb, free_mb, all_mb) = (size.memory_mb, free.memory_mb, self.all.memory_mb);
            return Some(Missing::Memory { needed_mb, free_mb, all_mb });
        }
        let (needed, free, all) = (size.millicores, free.millicores, self.all.millicores);
        (needed > free).then_some(Missing::Cpu { needed, free, all })
    }
}

impl WorkerSupervisor {
    /// Reserves room for a worker of a release; releases that nobody needs go to sleep for it. What users had, and have no worker of
    /// now, always has room.
    ///
    /// # Errors
    /// [`ReleaseError::NoCapacity`].
    pub(super) async fn make_fit(&self, handle: &Arc<ReleaseHandle>) -> Result<Reservation, ReleaseError> {
        let (capacity, size) = (&self.0.capacity, self.size_of(handle));
        if handle.had_users() && !handle.pool.has_instance() {
            return Ok(capacity.reserve_anyway(size));
        }
        let mut asked = BTreeSet::new();
        loop {
            let missing = match capacity.reserve(size) {
                Ok(reservation) => return Ok(reservation),
                Err(missing) => missing,
            };
            let mut guests = self.idle_guests(&handle.id());
            guests.retain(|guest| !asked.contains(&guest.id()));
            let of_guest = |guest: &Arc<ReleaseHandle>| self.size_of(guest).times(guest.pool.size() as u64);
            let freed = guests.iter().map(of_guest).fold(Size::default(), Size::plus);
            let idlest = guests.into_iter().max_by_key(|guest| guest.pool.idle_ms());
            // None goes to sleep for a worker that would not fit all the same.
            let Some(guest) = idlest.filter(|_| capacity.fits_with(size, freed)) else {
                return Err(ReleaseError::NoCapacity { release: handle.id(), missing });
            };
            tracing::info!(release = %guest.id(), room_for = %handle.id(), "a release goes to sleep to make room");
            asked.insert(guest.id());
            // A start may end another release, whose end is no start.
            Box::pin(self.make_way(&guest)).await;
        }
    }

    /// A running worker is adopted: it has room, whether there is any or not.
    pub(super) fn own(&self, handle: &ReleaseHandle, instance: &InstanceId) -> Reservation {
        self.0.own_workers.add(instance);
        self.0.capacity.reserve_anyway(self.size_of(handle))
    }

    /// What is reserved for each instance of a release.
    pub(super) fn size_of(&self, handle: &ReleaseHandle) -> Size {
        Size::of(&self.0.config.worker_of(&handle.pool.release().app))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(memory_mb: u64, millicores: u64) -> Size {
        Size { memory_mb, millicores }
    }

    #[test]
    fn a_worker_that_does_not_fit_is_told_what_is_missing_and_takes_nothing() {
        let schedulable = IntGauge::new("schedulable", "schedulable").unwrap();
        let capacity = Capacity::new(size(1_000, 2_000), size(400, 500), schedulable.clone());
        assert_eq!(schedulable.get(), 2);
        let one = capacity.reserve(size(400, 500)).unwrap();
        let two = capacity.reserve(size(400, 500)).unwrap();
        assert_eq!(schedulable.get(), 0);
        let missing = capacity.reserve(size(400, 500)).unwrap_err();
        assert_eq!(missing, Missing::Memory { needed_mb: 400, free_mb: 200, all_mb: 1_000 });
        assert!(missing.to_string().starts_with("RESOURCE:MEMORY: 400 MiB"), "{missing}");
        let missing = capacity.reserve(size(100, 1_500)).unwrap_err();
        assert_eq!(missing, Missing::Cpu { needed: 1_500, free: 1_000, all: 2_000 });
        assert!(missing.to_string().starts_with("RESOURCE:CPU: 1.5 cores"), "{missing}");
        drop(one);
        let _three = capacity.reserve(size(400, 500)).unwrap();
        let over = capacity.reserve_anyway(size(400, 500));
        assert!(capacity.reserve(size(1, 0)).is_err());
        drop((two, over));
        assert_eq!(schedulable.get(), 1);
    }

    #[test]
    fn what_reserves_nothing_always_fits_and_counts_for_all_that_it_may_use() {
        let schedulable = IntGauge::new("schedulable", "schedulable").unwrap();
        let free = WorkerResources { memory_reservation_mb: 0, ..WorkerResources::default() };
        let capacity = Capacity::new(size(1_024, 1_000), Size::at_most(&free), schedulable.clone());
        let all: Vec<_> = (0..9).map(|_| capacity.reserve(Size::of(&free)).unwrap()).collect();
        assert_eq!((all.len(), schedulable.get()), (9, 2));
    }
}
