//! Signals and children, waited for in one place: no handler runs, nothing is interrupted.

use std::io::Error;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Why signals can't be waited for.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// They can't be blocked.
    #[error("can't block signals")]
    Block(#[source] Error),
    /// Waiting failed.
    #[error("can't wait for signals")]
    Wait(#[source] Error),
    /// A child can't be reaped.
    #[error("can't reap a child")]
    Reap(#[source] Error),
}

/// What a supervisor waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// SIGTERM or SIGINT.
    Terminate,
    /// A child may have ended.
    Child,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// The signals that are waited for, blocked for everything else. Blocked signals reach PID 1 too, which is otherwise
/// spared those that it has no handler for.
pub(super) struct Signals {
    set: libc::sigset_t,
}

impl Signals {
    pub(super) fn block() -> Result<Self, SignalError> {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset initializes the set, and the calls after it only change it.
        let set = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD] {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            set.assume_init()
        };
        // SAFETY: the set is initialized, and the old one is not asked for.
        if unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) } != 0 {
            return Err(SignalError::Block(Error::last_os_error()));
        }
        Ok(Self { set })
    }

    /// Waits for one, at most as long as given. `None` when the time is over, or for nothing in particular.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<Option<Event>, SignalError> {
        let time = timeout.map(|timeout| libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the set is initialized, the time is valid or null, and details are not asked for.
        match unsafe { libc::sigtimedwait(&raw const self.set, std::ptr::null_mut(), time) } {
            libc::SIGTERM | libc::SIGINT => Ok(Some(Event::Terminate)),
            libc::SIGCHLD => Ok(Some(Event::Child)),
            _ => match Error::last_os_error() {
                error if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => Ok(None),
                error => Err(SignalError::Wait(error)),
            },
        }
    }
}

/// A child that ended, if there is one.
pub(super) fn reap() -> Result<Option<(i32, Ended)>, SignalError> {
    let mut status = 0;
    // SAFETY: the status is a valid place to write to.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    if pid > 0 {
        let ended = if libc::WIFEXITED(status) {
            Ended::Code(libc::WEXITSTATUS(status))
        } else {
            Ended::Signal(libc::WTERMSIG(status))
        };
        return Ok(Some((pid, ended)));
    }
    match Error::last_os_error() {
        error if pid < 0 && error.raw_os_error() != Some(libc::ECHILD) => Err(SignalError::Reap(error)),
        _ => Ok(None),
    }
}

/// Makes a forked child fit to become a render process: signals reach it, and it dies with the supervisor `parent`.
pub(super) fn prepare_child(parent: u32) -> std::io::Result<()> {
    let mut none = MaybeUninit::uninit();
    // SAFETY: sigemptyset initializes the set before it is used; the other calls take numbers only.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        if libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) != 0
            || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0
        {
            return Err(Error::last_os_error());
        }
        // A supervisor that ended before the line above can't send that signal any more.
        if libc::getppid() as u32 != parent {
            return Err(Error::from_raw_os_error(libc::ESRCH));
        }
    }
    Ok(())
}

/// Name of a signal by which V8 or the kernel usually ends a render process.
pub(super) fn name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGILL => "SIGILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        libc::SIGSYS => "SIGSYS",
        _ => "other",
    }
}
