//! Places where a rig breaks the host on purpose: before and after what is durable, around what asks Docker, where an order matters.
//!
//! Built in with the feature `failpoints` only, which no release build has. `FAILPOINTS="name=return(kill)"` ends the process there as
//! `kill -9` does, `3*off->return(kill)` at the fourth time; `return(error)` and `return(skip)` are for the caller. `sleep(MS)`
//! and the other words of the crate `fail` work as it describes them.
//!
//! A rig that makes up its mind while the host runs names a file in `FAILPOINT_FILE`. `NAME N` in it ends the process that comes to
//! that place for the Nth time since the file said so, `NAME hold` holds all who come there until the file says something else, and
//! every place that is passed is appended to `FILE.passed`.

/// What is to go wrong at a failpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step fails.
    Error,
    /// The step is left out: a deliberately broken host, for a rig that must notice.
    Skip,
}

/// What a rig asks for at this place; nothing in a build without failpoints. Does not return from a kill.
///
/// # Panics
/// On a word that is neither `kill`, `error` nor `skip`: the rig is wrong.
#[cfg(feature = "failpoints")]
pub fn at(name: &str) -> Option<Fault> {
    file::look(name);
    fail::eval(name, |word| match word.as_deref() {
        Some("kill") => kill(),
        Some("error") => Fault::Error,
        Some("skip") => Fault::Skip,
        other => panic!("no such fault: {other:?}"),
    })
}

/// As [`at`], at a moment of a step that has a name already: `STEP.MOMENT`.
#[cfg(feature = "failpoints")]
pub fn of(step: &str, moment: &str) -> Option<Fault> {
    at(&format!("{step}.{moment}"))
}

#[cfg(feature = "failpoints")]
fn kill() -> ! {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    // The signal ends this thread while it waits.
    loop {
        std::thread::park();
    }
}

#[cfg(feature = "failpoints")]
mod file {
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::time::Duration;

    const HOLD_POLL: Duration = Duration::from_millis(5);

    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("FAILPOINT_FILE").map(Into::into));
    /// What the file said last, and how often that place was passed since.
    static WISH: Mutex<(String, u32)> = Mutex::new((String::new(), 0));

    pub(super) fn look(name: &str) {
        let Some(path) = &*FILE else { return };
        let passed = std::fs::File::options().create(true).append(true).open(path.with_extension("passed"));
        // The folder is gone with the rig: the hit need not be recorded.
        let _ = passed.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        let read = || std::fs::read_to_string(path).unwrap_or_default();
        let said = read();
        if said.trim().strip_suffix(" hold") == Some(name) {
            while read() == said {
                std::thread::sleep(HOLD_POLL);
            }
            return;
        }
        let mut wish = WISH.lock().unwrap_or_else(PoisonError::into_inner);
        if wish.0 != said {
            *wish = (said, 0);
        }
        let Some((wanted, time)) = wish.0.trim().rsplit_once(' ') else { return };
        if wanted == name {
            let (time, passed) = (time.parse(), wish.1 + 1);
            wish.1 = passed;
            if time == Ok(passed) {
                super::kill();
            }
        }
    }
}

/// Nothing goes wrong on purpose in a build without failpoints.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn at(_name: &str) -> Option<Fault> {
    None
}

/// As [`at`].
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn of(_step: &str, _moment: &str) -> Option<Fault> {
    None
}

/// Takes the faults from `FAILPOINTS`; they end with what this gives.
#[cfg(feature = "failpoints")]
pub fn scenario() -> impl Drop {
    fail::FailScenario::setup()
}
