//! One thread that ends JavaScript which runs too long.
//!
//! It looks at the CPU clock of each isolate's thread while that isolate runs a slice, and sleeps when none does. Before it sleeps it gives
//! memory back that nobody uses.

pub mod resident;

use crate::isolate::memory;
use crate::limits::isolate::{
    KILL_GRACE_CPU_MS, KILL_GRACE_WALL_MS, LAST_FLUSH_MS, RESIDENT_LOOKS, TRIM_PAUSE_MS, WATCHDOG_IDLE_LOOKS,
    WATCHDOG_TICK_MS,
};
use crate::request::AnswerEnd;
use deno_core::v8;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
        drop(watched);
        WATCHDOG.busy();
        cpu
    }

    /// The slice that began at `cpu` is over. Returns its CPU time.
    pub fn end(&self, cpu: Duration) -> Duration {
        WATCHDOG.running.fetch_sub(1, Ordering::Release);
        let mut watched = self.lock();
        watched.cpu_end = None;
        watched.wall_end = None;
        watched.end = None;
        drop(watched);
        cpu_time(libc::CLOCK_THREAD_CPUTIME_ID).saturating_sub(cpu)
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

    fn look(&self) {
        let mut watched = self.lock();
        let Some(cpu_end) = watched.cpu_end else { return };
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
        if watched.wall_end.is_some_and(|end| Instant::now() >= end) {
            watched.kill(Outcome::WallLimit, self.clock);
        } else if cpu >= cpu_end {
            watched.kill(Outcome::CpuLimit, self.clock);
        }
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
/// blame is told so, for whoever asks it again would be in the same place, and the process ends; its supervisor starts a
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
    Watchdog { guards: Mutex::default(), running: AtomicU32::new(0), parked: AtomicBool::new(false), thread }
});

struct Watchdog {
    guards: Mutex<Vec<Weak<Guard>>>,
    /// Slices that run.
    running: AtomicU32,
    parked: AtomicBool,
    thread: std::thread::Thread,
}

impl Watchdog {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Guard>>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst) && self.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }

    fn watch(&self) {
        let mut idle_looks = 0;
        let mut looks: u32 = 0;
        let mut trimmed = Instant::now();
        let mut excess = resident::Excess::default();
        loop {
            std::thread::sleep(Duration::from_millis(WATCHDOG_TICK_MS));
            if self.running.load(Ordering::SeqCst) > 0 {
                idle_looks = 0;
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(RESIDENT_LOOKS) && excess.begins() {
                    let guards = self.lock();
                    guards
                        .iter()
                        .filter_map(Weak::upgrade)
                        .for_each(|guard| guard.kill_running(Outcome::HeapLimit));
                }
                self.lock().retain(|guard| guard.upgrade().inspect(|guard| guard.look()).is_some());
                continue;
            }
            idle_looks += 1;
            if idle_looks >= WATCHDOG_IDLE_LOOKS {
                if trimmed.elapsed() >= Duration::from_millis(TRIM_PAUSE_MS) {
                    memory::trim();
                    trimmed = Instant::now();
                }
                self.park();
                idle_looks = 0;
            }
        }
    }

    /// Sleeps until a slice begins.
    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        while self.parked.load(Ordering::SeqCst) {
            // A slice that began before `parked` was set did not wake this thread.
            if self.running.load(Ordering::SeqCst) > 0 {
                self.parked.store(false, Ordering::SeqCst);
                return;
            }
            std::thread::park();
        }
    }
}

/// Time on a CPU clock.
fn cpu_time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place for one timespec. A clock of a thread that has ended fails and leaves zero.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}
