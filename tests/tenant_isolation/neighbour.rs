//! Someone who uses the app next door all the time.

use crate::rig::CALM;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::wait::wait_until;

/// Between two requests: the neighbour is to measure, not to load the machine.
const PAUSE: Duration = Duration::from_millis(5);

/// Time for any one request.
const PATIENCE: Duration = Duration::from_secs(90);

/// See the module.
pub struct Neighbour {
    beside: Arc<Mutex<&'static str>>,
    asked: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What the neighbour saw.
#[derive(Default)]
pub struct Seen {
    /// What ran next door all the while, and how long the answer took, in milliseconds.
    answers: Vec<(&'static str, f64)>,
    /// What was no answer, or not the right one.
    pub failed: Vec<String>,
}

impl Neighbour {
    /// Begins to ask the calm app.
    pub fn start(host: &Host) -> Self {
        Self::asking(host.get(CALM, "/"))
    }

    /// Begins to ask for a page that says `calm`.
    pub fn asking(request: Request) -> Self {
        let (beside, stop) = (Arc::new(Mutex::new("")), Arc::new(AtomicBool::new(false)));
        let asked = Arc::new(AtomicUsize::new(0));
        let (name, count, ended) = (Arc::clone(&beside), Arc::clone(&asked), Arc::clone(&stop));
        let thread = std::thread::spawn(move || ask(&request, &name, &count, &ended));
        Self { beside, asked, stop, thread }
    }

    /// Says what runs next door from now on.
    pub fn beside(&self, what: &'static str) {
        *self.beside.lock().unwrap() = what;
    }

    /// Waits until the request that began beside the last one is answered: it counts as one beside that.
    pub fn settle(&self) {
        self.beside("");
        let asked = self.asked.load(Ordering::SeqCst);
        wait_until("a request is answered", PATIENCE, || {
            (self.asked.load(Ordering::SeqCst) > asked).then_some(())
        });
    }

    /// Ends, and tells.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl Seen {
    /// How many answers there were.
    pub fn answered(&self) -> usize {
        self.answers.len()
    }

    /// How long answers took beside what is asked for.
    pub fn beside(&self, wanted: impl Fn(&str) -> bool) -> Vec<f64> {
        self.answers.iter().filter(|(what, _)| wanted(what)).map(|(_, took)| *took).collect()
    }
}

fn ask(request: &Request, beside: &Mutex<&'static str>, count: &AtomicUsize, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let before = *beside.lock().unwrap();
        let asked = Instant::now();
        let answer = request.try_send();
        let took = asked.elapsed().as_secs_f64() * 1_000.0;
        let after = *beside.lock().unwrap();
        match answer {
            Ok(answer) if answer.status == 200 && answer.text() == "calm" => {
                // What spans two of them says nothing about either. Nothing comes after one of them.
                if before == after || after.is_empty() {
                    seen.answers.push((before, took));
                }
            }
            Ok(answer) => seen.failed.push(format!("beside {before}: {answer:?}")),
            Err(error) => seen.failed.push(format!("beside {before}: {error}")),
        }
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(PAUSE);
    }
    seen
}
