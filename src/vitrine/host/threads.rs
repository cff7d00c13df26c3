//! The threads of a host: those that requests pass through, and the one that everything else is done on.
//!
//! A thread that passes pages on has a queue of them under load, and whatever it is also to do waits its turn among them.
//! The control plane (admin side, releases, engine) is therefore done on a thread of its own: the system gives it a processor
//! as soon as it has something to do, and a rollback to a warm release never waits for the pages
//! that it is to mend. Nothing may block that thread: files, hashes and the store are for `spawn_blocking`.

use super::memory;
use tokio::runtime::{Builder, Handle, Runtime};

/// See the module.
#[derive(Debug)]
pub(crate) struct Threads {
    /// Dropped first: what it waits for among the requests is there until its end.
    control: Runtime,
    requests: Runtime,
}

impl Threads {
    /// As many for requests as there are processors. The control plane has the thread that calls [`Threads::run`].
    ///
    /// # Errors
    /// The system has no more threads or files.
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut requests = Builder::new_multi_thread();
        let mut control = Builder::new_current_thread();
        requests.thread_name("requests").on_thread_park(memory::rest).enable_all();
        control.thread_name("control").on_thread_park(memory::rest).enable_all();
        let (requests, control) = (requests.build()?, control.build()?);
        Ok(Self { control, requests })
    }

    /// Runs a host's control plane until it ends. It is told where requests are served.
    pub(crate) fn run<T>(self, host: impl AsyncFnOnce(Handle) -> T) -> T {
        self.control.block_on(host(self.requests.handle().clone()))
    }
}
