//! Places where a rig breaks the host on purpose: before and after what is durable, around what asks Docker, where an order matters.
//!
//! Built in with the feature `failpoints` only, which no release build has. `FAILPOINTS="name=return(kill)"` ends the process there as
//! `kill -9` does, `3*off->return(kill)` at the fourth time; `return(error)` and `return(skip)` are for the caller. `sleep(MS)`
//! and the other words of the crate `fail` work as it describes them.

/// What is to go wrong at a failpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step fails.
    Error,
    /// The step is left out: a deliberately broken host, for a rig that must notice.
    Skip,
}

/// What `FAILPOINTS` asks for at this place; nothing in a build without them. Does not return from a kill.
///
/// # Panics
/// On a word that is neither `kill`, `error` nor `skip`: the rig is wrong.
#[cfg(feature = "failpoints")]
pub fn at(name: &'static str) -> Option<Fault> {
    fn parse(word: Option<String>) -> Option<Fault> {
        match word.as_deref() {
            Some("kill") => {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
                // The signal ends this thread while it waits.
                loop {
                    std::thread::park();
                }
            }
            Some("error") => Some(Fault::Error),
            Some("skip") => Some(Fault::Skip),
            other => panic!("no such fault: {other:?}"),
        }
    }
    fail::fail_point!(name, parse);
    None
}

/// Nothing goes wrong on purpose in a build without failpoints.
#[cfg(not(feature = "failpoints"))]
#[inline]
#[must_use]
pub const fn at(_name: &'static str) -> Option<Fault> {
    None
}

/// Takes the faults from `FAILPOINTS`; they end with what this gives.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn scenario() -> impl Drop {
    fail::FailScenario::setup()
}
