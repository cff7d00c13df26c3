//! The host's compressing threads: a few for all uploads together, which take the files in the order in which they come.

use super::encoders::Encoders;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;
use vitrine_core::limits::{ENCODE_QUEUE_MAX, ENCODE_THREADS_MAX, ENCODERS_KEPT_MS};

/// One file's work.
pub(super) type Job = Box<dyn FnOnce(&mut Encoders) + Send>;

/// Started by the first upload; they last as long as the process.
static QUEUE: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (queue, jobs) = bounded(ENCODE_QUEUE_MAX);
    for number in 0..ENCODE_THREADS_MAX {
        let jobs = jobs.clone();
        let started = thread::Builder::new().name(format!("encode-{number}")).spawn(move || work(&jobs));
        if let Err(error) = started {
            tracing::error!(%error, "a compressing thread can't be started");
        }
    }
    queue
});

/// Runs a job on one of the threads; waits while the queue is full. Without threads the caller's own does it.
pub(super) fn run(job: Job) {
    if let Err(back) = QUEUE.send(job) {
        attempt(back.into_inner(), &mut Encoders::default());
    }
}

fn work(jobs: &Receiver<Job>) {
    let kept = Duration::from_millis(ENCODERS_KEPT_MS);
    while let Ok(job) = jobs.recv() {
        let mut encoders = Encoders::default();
        attempt(job, &mut encoders);
        while let Ok(job) = jobs.recv_timeout(kept) {
            attempt(job, &mut encoders);
        }
        // At rest their memory is the host's again.
    }
}

/// A job that panics is one without a result; the thread goes on.
fn attempt(job: Job, encoders: &mut Encoders) {
    if catch_unwind(AssertUnwindSafe(|| job(encoders))).is_err() {
        *encoders = Encoders::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, mpsc};

    #[test]
    fn all_uploads_have_the_same_few_threads_and_a_panic_ends_none() {
        let (at_work, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // As many as there are threads meet here, so that all of them are seen at work.
        let meeting = Arc::new(Barrier::new(ENCODE_THREADS_MAX));
        let (done, results) = mpsc::sync_channel(64);
        thread::scope(|scope| {
            for _ in 0..4 {
                let (at_work, most) = (Arc::clone(&at_work), Arc::clone(&most));
                let (meeting, done) = (Arc::clone(&meeting), done.clone());
                scope.spawn(move || {
                    for _ in 0..2 * ENCODE_THREADS_MAX {
                        let (at_work, most) = (Arc::clone(&at_work), Arc::clone(&most));
                        let (meeting, done) = (Arc::clone(&meeting), done.clone());
                        run(Box::new(move |_| {
                            let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                            most.fetch_max(now, Ordering::SeqCst);
                            meeting.wait();
                            at_work.fetch_sub(1, Ordering::SeqCst);
                            let _ = done.send(());
                            panic!("a job that fails");
                        }));
                    }
                });
            }
        });
        drop(done);
        assert_eq!(results.iter().count(), 8 * ENCODE_THREADS_MAX);
        assert_eq!(most.load(Ordering::SeqCst), ENCODE_THREADS_MAX);
    }
}
