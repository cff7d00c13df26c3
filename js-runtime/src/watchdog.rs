//! One thread that ends JavaScript which runs too long.
//!
//! It looks at the CPU clock of each isolate's thread when a slice could reach a limit, and every few milliseconds at the memory of the
//! process; without slices it sleeps. A slice wakes it only if it could reach a limit before the next look: the first one after a rest, and
//! one with little of its limit left. So a busy worker pays for a few looks a second, and an idle one for none. When work is over, the
//! memory that it left is given back.

pub mod resident;

use crate::allocator;
use crate::limits::isolate::{
    KILL_GRACE_CPU_MS, KILL_GRACE_WALL_MS, LAST_FLUSH_MS, TRIM_CPU_MS, TRIM_PAUSE_MS, TRIM_QUIET_MS,
    WATCHDOG_LOOK_MS, WATCHDOG_TICK_MS,
};
use crate::request::AnswerEnd;
use deno_core::v8;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use vitrine_wire::{Done, Outcome};

/// What a slice may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// CPU time.
    pub cpu: Duration,
    /// Wall time, for JavaScript that waits without using the CPU.
    pub wall: Duration,
}

/// Watches one isolate.
pub struct Guard {
    clock: libc::clockid_t,
    watched: Mutex<Watched>,
}

struct Watched {
    handle: Option<v8::IsolateHandle>,
    /// CPU clock of the thread at which the running slice is ended; `None` while none runs.
    cpu_end: Option<Duration>,
    wall_end: Option<Instant>,
    /// Collections of the running slice that left the heap nearly full.
    crowded: u32,
    /// When the running slice began, on the CPU clock and on the wall's.
    begun: (Duration, Instant),
    /// The end of the answer that it works on.
    end: Option<AnswerEnd>,
    killed: Option<Killed>,
    /// The least time that a slice which began since the last look has to its limit.
    begun_since: Option<Duration>,
    /// CPU time of the slices that ended since the last look.
    used_since: Duration,
}

/// That the isolate was ended, as first said.
#[derive(Clone, Copy)]
struct Killed {
    reason: Outcome,
    at: Instant,
    /// CPU clock of the isolate's thread.
    cpu: Duration,
}

impl Guard {
    /// A guard of the isolates of the calling thread.
    pub fn of_this_thread() -> Arc<Self> {
        let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: the calling thread exists, and `clock` is a place for one clock id. Should it fail, `clock` keeps a
        // value that makes the watchdog read its own time, and only the wall limit ends slices.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
        let watched = Watched {
            handle: None,
            cpu_end: None,
            wall_end: None,
            crowded: 0,
            begun: (Duration::ZERO, Instant::now()),
            end: None,
            killed: None,
            begun_since: None,
            used_since: Duration::ZERO,
        };
        let guard = Arc::new(Self { clock, watched: Mutex::new(watched) });
        WATCHDOG.lock().push(Arc::downgrade(&guard));
        guard
    }

    /// Names the isolate to end.
    pub fn attach(&self, handle: v8::IsolateHandle) {
        self.lock().handle = Some(handle);
    }

    /// A slice begins, which works on the answer that `end` ends. Returns the thread's CPU time so far.
    pub fn begin(&self, budget: Budget, end: Option<AnswerEnd>) -> Duration {
        let cpu = cpu_time(libc::CLOCK_THREAD_CPUTIME_ID);
        let mut watched = self.lock();
        watched.cpu_end = Some(cpu + budget.cpu);
        watched.begun = (cpu, Instant::now());
        watched.wall_end = Some(watched.begun.1 + budget.wall);
        watched.crowded = 0;
        watched.end = end;
        let left = budget.cpu.min(budget.wall).max(TICK);
        watched.begun_since = Some(watched.begun_since.unwrap_or(left).min(left));
        let soonest = watched.begun.1 + left;
        drop(watched);
        WATCHDOG.wake(soonest);
        cpu
    }

    /// The slice that began at `cpu` is over. Returns its CPU time.
    pub fn end(&self, cpu: Duration) -> Duration {
        let used = cpu_time(libc::CLOCK_THREAD_CPUTIME_ID).saturating_sub(cpu);
        let mut watched = self.lock();
        watched.cpu_end = None;
        watched.wall_end = None;
        watched.end = None;
        watched.used_since += used;
        used
    }

    /// Ends the isolate for `reason`. Only the first reason counts.
    pub fn kill(&self, reason: Outcome) {
        self.lock().kill(reason, self.clock);
    }

    /// Why the isolate was ended, if it was.
    pub fn killed(&self) -> Option<Outcome> {
        self.lock().killed.map(|killed| killed.reason)
    }

    /// A collection left the heap nearly full. Returns how many of this slice did.
    pub fn crowded(&self) -> u32 {
        let mut watched = self.lock();
        watched.crowded += 1;
        watched.crowded
    }

    /// Ends the isolate for `reason` if it runs a slice.
    fn kill_running(&self, reason: Outcome) {
        let mut watched = self.lock();
        if watched.cpu_end.is_some() {
            watched.kill(reason, self.clock);
        }
    }

    /// Ends the slice that runs if it has reached a limit, and tells what it saw.
    fn look(&self) -> Seen {
        let mut watched = self.lock();
        let used = std::mem::take(&mut watched.used_since);
        // What comes next may have as little time left.
        let begun = watched.begun_since.take();
        let (Some(cpu_end), Some(wall_end)) = (watched.cpu_end, watched.wall_end) else {
            return Seen { running: false, next: begun, used };
        };
        let cpu = cpu_time(self.clock);
        if let Some(killed) = watched.killed
            && (killed.at.elapsed() >= Duration::from_millis(KILL_GRACE_WALL_MS)
                || cpu.saturating_sub(killed.cpu) >= Duration::from_millis(KILL_GRACE_CPU_MS))
        {
            let (end, (begun_cpu, begun)) = (watched.end.take(), watched.begun);
            drop(watched);
            let (cpu, render) = (cpu.saturating_sub(begun_cpu), begun.elapsed());
            let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            let done = Done { cpu_us: micros(cpu), render_us: micros(render), ..Done::of(killed.reason) };
            give_up(end, done);
        }
        // CPU time passes no faster than time, so the slice reaches no limit before this has passed.
        let (cpu_left, wall_left) =
            (cpu_end.saturating_sub(cpu), wall_end.saturating_duration_since(Instant::now()));
        if wall_left.is_zero() {
            watched.kill(Outcome::WallLimit, self.clock);
        } else if cpu_left.is_zero() {
            watched.kill(Outcome::CpuLimit, self.clock);
        }
        let next = begun.into_iter().chain([cpu_left, wall_left]).min();
        Seen { running: true, next, used }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Nothing that runs under the lock can panic, so it is never poisoned.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn kill(&mut self, reason: Outcome, clock: libc::clockid_t) {
        self.killed.get_or_insert_with(|| Killed { reason, at: Instant::now(), cpu: cpu_time(clock) });
        if let Some(handle) = &self.handle {
            handle.terminate_execution();
        }
    }
}

/// V8 does not let go of an isolate's thread: some of its loops never look whether they are to end. The request that is to
/// blame is told so, because a retry would end the same way, and the process ends; its supervisor starts a
/// new one at once.
fn give_up(end: Option<AnswerEnd>, done: Done) -> ! {
    eprintln!("an isolate did not stop for long after it was ended ({}): the process ends", done.outcome);
    if let Some(end) = end {
        end.say(done);
        std::thread::sleep(Duration::from_millis(LAST_FLUSH_MS));
    }
    std::process::abort();
}

static WATCHDOG: LazyLock<Watchdog> = LazyLock::new(|| {
    // Without the thread no limit would be enforced, so a process that can't have it must not serve.
    let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(|| WATCHDOG.watch());
    let thread = thread.expect("a process that can't start its first threads can't serve").thread().clone();
    Watchdog { guards: Mutex::default(), born: Instant::now(), next_look: AtomicU64::new(0), thread }
});

/// A look that is not planned.
const NEVER: u64 = u64::MAX;

const TICK: Duration = Duration::from_millis(WATCHDOG_TICK_MS);
const LOOK: Duration = Duration::from_millis(WATCHDOG_LOOK_MS);

/// What a look saw: of one guard, or of all.
#[derive(Default)]
struct Seen {
    /// Whether a slice runs.
    running: bool,
    /// How soon a slice could reach its limit; `None` when no slice runs and none began since the last look.
    next: Option<Duration>,
    /// CPU time of the slices that ended since the last look.
    used: Duration,
}

impl Seen {
    fn and(self, other: Self) -> Self {
        let next = self.next.into_iter().chain(other.next).min();
        Self { running: self.running || other.running, next, used: self.used + other.used }
    }
}

struct Watchdog {
    guards: Mutex<Vec<Weak<Guard>>>,
    born: Instant,
    /// When the next look is planned, in nanoseconds since `born`; [`NEVER`] while one is under way or none is needed, 0 when one has to
    /// come at once.
    next_look: AtomicU64,
    thread: std::thread::Thread,
}

impl Watchdog {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Guard>>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slice has begun, of which its guard knows already, and could reach its limit `soonest`.
    fn wake(&self, soonest: Instant) {
        let soonest = self.nanos(soonest);
        let sooner = |next| (soonest < next).then_some(0);
        if self.next_look.fetch_update(Ordering::AcqRel, Ordering::Acquire, sooner).is_ok() {
            self.thread.unpark();
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_nanos()).unwrap_or(NEVER)
    }

    fn watch(&self) {
        let mut excess = resident::Excess::default();
        let mut trimmed = self.born;
        let mut unreturned = Duration::ZERO;
        loop {
            // A slice that begins after its guard is looked at has the next look at once.
            self.next_look.store(NEVER, Ordering::Release);
            let seen = self.look();
            unreturned += seen.used;
            if seen.running && excess.begins() {
                self.each(|guard| guard.kill_running(Outcome::HeapLimit));
            }
            if let Some(left) = seen.next {
                self.sleep_until(Instant::now() + left.clamp(TICK, LOOK));
            } else if unreturned < Duration::from_millis(TRIM_CPU_MS) {
                std::thread::park();
            } else {
                let due = trimmed + Duration::from_millis(TRIM_PAUSE_MS);
                let quiet = Instant::now() + Duration::from_millis(TRIM_QUIET_MS);
                std::thread::park_timeout(due.max(quiet).saturating_duration_since(Instant::now()));
                if self.next_look.load(Ordering::Acquire) == NEVER && due <= Instant::now() {
                    allocator::trim();
                    (trimmed, unreturned) = (Instant::now(), Duration::ZERO);
                }
            }
        }
    }

    /// Sleeps until then, or until a slice needs an earlier look.
    fn sleep_until(&self, until: Instant) {
        let next = self.nanos(until);
        let planned = self.next_look.compare_exchange(NEVER, next, Ordering::AcqRel, Ordering::Acquire);
        while planned.is_ok() && self.next_look.load(Ordering::Acquire) != 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    /// Looks at every slice that runs.
    fn look(&self) -> Seen {
        let mut seen = Seen::default();
        self.each(|guard| seen = std::mem::take(&mut seen).and(guard.look()));
        seen
    }

    fn each(&self, mut look: impl FnMut(&Guard)) {
        self.lock().retain(|guard| guard.upgrade().inspect(|guard| look(guard)).is_some());
    }
}

/// Time on a CPU clock.
fn cpu_time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place for one timespec. A clock of a thread that has ended fails and leaves zero.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}
