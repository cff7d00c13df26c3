//! How late this machine is by itself: on a busy one every thread waits for its turn, and every write for the disk.

use std::io::{Seek as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SLEEP: Duration = Duration::from_millis(20);
/// What a small change of a database writes at once.
const PAGE: [u8; 4_096] = [7; 4_096];

/// A thread that measures the same small thing again and again.
pub struct Noise {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Noise {
    /// How late a sleep is over.
    pub fn start() -> Self {
        Self::of(|| {
            let slept = Instant::now();
            // How late it ends is what is measured.
            std::thread::sleep(SLEEP);
            slept.elapsed() - SLEEP
        })
    }

    /// How long a page takes to the disk that temporary files are on.
    pub fn of_disk() -> Self {
        let mut file = tempfile::tempfile().unwrap();
        Self::of(move || {
            // The pace of the measurement: a disk that is always written to is another one.
            std::thread::sleep(SLEEP);
            let begun = Instant::now();
            file.rewind().unwrap();
            file.write_all(&PAGE).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
    }

    fn of(mut measure: impl FnMut() -> Duration + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut measured = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                measured.push(measure().as_secs_f64() * 1_000.0);
            }
            measured
        });
        Self { stop, thread }
    }

    /// Ends, and tells what was measured, in milliseconds.
    pub fn stop(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
