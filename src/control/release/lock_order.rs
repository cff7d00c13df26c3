//! The control plane's asynchronous locks, and the order in which they are taken: that of [`Rank`], lowest first.
//!
//! Debug builds panic when a lock is taken by a task that holds one of the same or a higher rank; release builds check nothing. Futures
//! that one task polls side by side are told apart by [`branch`]. Plain mutexes are not ranked: none is held across an `await`, and they
//! are taken in the order boot queue or rooms, registry, release.

use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Which lock, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The permit to change anything, which an upgrade waits for. Checked when it is taken and not noted: it may move to another task.
    Change,
    /// Values of an app's environment.
    Values,
    /// What is live of an app, and whether the app is there.
    Live,
    /// A removed app that is kept.
    Removed,
    /// Further instances of a release, started beside those that serve.
    Scale,
    /// The first instance of a release: started, stopped, frozen or made live.
    Boot,
    /// The same lock of an idle release that makes room for the one whose lock is held. It was seen free while that was held, so no
    /// two releases wait for each other.
    Guest,
    /// Snapshots that workers map.
    Mapping,
    /// The route table, from the record of a change to the table that shows it.
    Routes,
    /// Bundles on the disk, from the store to the record of their release.
    Bundles,
}

/// A lock of a rank. Clones are the same lock.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    rank: Rank,
    mutex: Arc<Mutex<()>>,
}

impl Lock {
    /// A free one.
    pub(super) fn new(rank: Rank) -> Self {
        Self { rank, mutex: Arc::default() }
    }

    /// Waits until it is free.
    pub(super) async fn lock(&self) -> Guard<OwnedMutexGuard<()>> {
        self.lock_as(self.rank).await
    }

    /// As [`Lock::lock`], in the place that another rank has in the order.
    pub(super) async fn lock_as(&self, rank: Rank) -> Guard<OwnedMutexGuard<()>> {
        check(rank);
        let guard = Arc::clone(&self.mutex).lock_owned().await;
        Guard { _held: Held::note(rank), _guard: guard }
    }

    /// Whether nobody holds it now.
    pub(super) fn is_free(&self) -> bool {
        self.mutex.try_lock().is_ok()
    }

    /// Whether both are the same lock.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.mutex, &other.mutex)
    }
}

/// A lock of a rank that any number of readers or one writer holds. Clones are the same lock.
#[derive(Debug, Clone)]
pub(super) struct SharedLock {
    rank: Rank,
    lock: Arc<RwLock<()>>,
}

impl SharedLock {
    /// A free one.
    pub(super) fn new(rank: Rank) -> Self {
        Self { rank, lock: Arc::default() }
    }

    /// Waits until no writer holds it.
    pub(super) async fn read(&self) -> Guard<OwnedRwLockReadGuard<()>> {
        check(self.rank);
        let guard = Arc::clone(&self.lock).read_owned().await;
        Guard { _held: Held::note(self.rank), _guard: guard }
    }

    /// Waits until nobody holds it.
    pub(super) async fn write(&self) -> Guard<OwnedRwLockWriteGuard<()>> {
        check(self.rank);
        let guard = Arc::clone(&self.lock).write_owned().await;
        Guard { _held: Held::note(self.rank), _guard: guard }
    }

    /// Takes it for writing if nobody holds it now.
    pub(super) fn try_write(&self) -> Option<Guard<OwnedRwLockWriteGuard<()>>> {
        let guard = Arc::clone(&self.lock).try_write_owned().ok()?;
        Some(Guard { _held: Held::note(self.rank), _guard: guard })
    }
}

/// A lock that is held until this is dropped, by the task that took it.
#[derive(Debug)]
pub(super) struct Guard<G> {
    _held: Held,
    _guard: G,
}

/// Panics in a debug build if a lock of this rank must not be taken by this task now.
pub(super) fn check(rank: Rank) {
    #[cfg(debug_assertions)]
    noted::check(rank);
    #[cfg(not(debug_assertions))]
    let _ = rank;
}

/// A future that its task polls beside others: it holds what the task holds now, and what it takes is its own.
pub(super) fn branch<F: Future>(work: F) -> impl Future<Output = F::Output> {
    #[cfg(debug_assertions)]
    return noted::branch(work);
    #[cfg(not(debug_assertions))]
    return work;
}

#[cfg(debug_assertions)]
use noted::Held;

/// Notes nothing.
#[cfg(not(debug_assertions))]
#[derive(Debug)]
struct Held;

#[cfg(not(debug_assertions))]
impl Held {
    const fn note(_: Rank) -> Self {
        Self
    }
}

/// Which ranks each task holds.
#[cfg(debug_assertions)]
mod noted {
    use super::Rank;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread::ThreadId;

    /// Who holds a lock.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Holder {
        Task(tokio::task::Id),
        /// The future that a runtime was started with.
        Thread(ThreadId),
        Branch(u64),
    }

    static HELD: Mutex<Vec<(Holder, Rank)>> = Mutex::new(Vec::new());
    static BRANCHES: AtomicU64 = AtomicU64::new(0);

    tokio::task_local! {
        static BRANCH: u64;
    }

    fn held() -> MutexGuard<'static, Vec<(Holder, Rank)>> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Holder {
        fn current() -> Self {
            let task = || {
                tokio::task::try_id().map_or_else(|| Self::Thread(std::thread::current().id()), Self::Task)
            };
            BRANCH.try_with(|branch| Self::Branch(*branch)).unwrap_or_else(|_| task())
        }
    }

    pub(super) fn check(rank: Rank) {
        let holder = Holder::current();
        let highest = held().iter().filter(|(one, _)| *one == holder).map(|(_, rank)| *rank).max();
        if let Some(highest) = highest.filter(|highest| *highest >= rank) {
            panic!("the lock {rank:?} is taken while {highest:?} is held");
        }
    }

    /// A lock that is noted as held until this is dropped.
    #[derive(Debug)]
    pub(super) struct Held(Holder, Rank);

    impl Held {
        pub(super) fn note(rank: Rank) -> Self {
            let holder = Holder::current();
            held().push((holder, rank));
            Self(holder, rank)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let mut held = held();
            if let Some(at) = held.iter().position(|one| *one == (self.0, self.1)) {
                held.swap_remove(at);
            }
        }
    }

    pub(super) fn branch<F: Future>(work: F) -> impl Future<Output = F::Output> {
        let (parent, number) = (Holder::current(), BRANCHES.fetch_add(1, Ordering::Relaxed));
        let ranks: Vec<Rank> =
            held().iter().filter(|(one, _)| *one == parent).map(|(_, rank)| *rank).collect();
        BRANCH.scope(number, async move {
            let _inherited: Vec<Held> = ranks.into_iter().map(Held::note).collect();
            work.await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it panics to take these locks one after the other, in a task of its own.
    async fn panics(ranks: &'static [Rank]) -> bool {
        let taking = async move {
            let mut guards = Vec::new();
            for rank in ranks {
                guards.push(Lock::new(*rank).lock().await);
            }
        };
        tokio::spawn(taking).await.is_err()
    }

    #[tokio::test]
    async fn a_lock_of_a_lower_rank_than_one_that_is_held_is_never_taken() {
        assert!(!panics(&[Rank::Values, Rank::Live, Rank::Boot, Rank::Routes]).await);
        assert!(panics(&[Rank::Boot, Rank::Live]).await);
        assert!(panics(&[Rank::Live, Rank::Routes, Rank::Boot]).await);
        assert!(panics(&[Rank::Boot, Rank::Boot]).await, "two releases could wait for each other");
        assert!(!panics(&[Rank::Boot, Rank::Guest]).await);
    }

    #[tokio::test]
    async fn a_lock_that_was_given_back_counts_no_more() {
        let boot = Lock::new(Rank::Boot);
        for _ in 0..2 {
            let held = boot.lock().await;
            assert!(!boot.is_free());
            drop(held);
        }
        let _live = Lock::new(Rank::Live).lock().await;
        let shared = SharedLock::new(Rank::Mapping);
        drop(boot.lock().await);
        drop(shared.read().await);
        assert!(shared.try_write().is_some());
    }

    #[tokio::test]
    async fn branches_hold_what_their_task_holds_and_nothing_of_each_other() {
        let (scale, boot) = (Lock::new(Rank::Scale), Lock::new(Rank::Boot));
        let _scale = scale.lock().await;
        let take = |lock: &Lock| {
            let lock = lock.clone();
            branch(async move {
                let _held = lock.lock().await;
                tokio::task::yield_now().await;
            })
        };
        tokio::join!(take(&boot), take(&Lock::new(Rank::Routes)), take(&boot));
        let too_low = tokio::spawn(async {
            let _boot = Lock::new(Rank::Boot).lock().await;
            branch(async { drop(Lock::new(Rank::Scale).lock().await) }).await;
        });
        assert!(too_low.await.is_err());
    }
}
