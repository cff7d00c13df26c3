//! How late this machine is by itself: on a busy one every thread waits for its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SLEEP: Duration = Duration::from_millis(20);

/// A thread that does nothing but sleep, and tells how late it wakes.
pub struct Noise {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Noise {
    /// Begins.
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut late = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let slept = Instant::now();
                std::thread::sleep(SLEEP);
                late.push((slept.elapsed() - SLEEP).as_secs_f64() * 1_000.0);
            }
            late
        });
        Self { stop, thread }
    }

    /// Ends, and tells how late each sleep was over, in milliseconds.
    pub fn stop(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
