//! What a render process gives up before it runs an app.
//!
//! Two walls, each enough for files: Landlock denies every path and every TCP port, and a seccomp allow-list knows no
//! call that opens, connects, executes, forks or looks at another process. Both hold for every thread that is started
//! afterwards and can't be taken back. Seccomp is a condition: without it nothing runs. Landlock is enforced as far as
//! the kernel has it, in a container and outside, since kernels without it are still in use under schedulers; what was
//! had is on the first log line, and its absence is a warning.

mod filter;
pub mod probe;

use crate::limits::DESCRIPTORS_MAX;
use crate::log::{Severity, note};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};
use serde_json::json;
use std::io::Error;
use std::os::fd::RawFd;

/// Newest Landlock that is asked for; an older kernel enforces what it knows of it.
const LANDLOCK_ABI: ABI = ABI::V7;

/// Why a process can't be locked down.
#[derive(Debug, thiserror::Error)]
pub enum LockdownError {
    /// Inherited descriptors can't be closed.
    #[error("can't close inherited descriptors; Linux 5.9 or newer is needed")]
    Descriptors(#[source] Error),
    /// A resource limit can't be set.
    #[error("can't set the resource limit {name}")]
    Resource {
        /// Limit.
        name: &'static str,
        /// Cause.
        #[source]
        source: Error,
    },
    /// Landlock is there and refused.
    #[error("can't deny paths with Landlock")]
    Landlock(#[from] RulesetError),
    /// The filter can't be built for this machine.
    #[error("can't build the system call filter")]
    Filter(#[from] seccompiler::BackendError),
    /// The kernel refused the filter.
    #[error("can't apply the system call filter")]
    Seccomp(#[from] seccompiler::Error),
}

/// What was enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enforced {
    /// `full`, `partial` (an older kernel) or `none`.
    pub landlock: &'static str,
}

/// Locks this process down: keeps stdin, stdout, stderr and the descriptors in `keep`, and gives everything else up. To be
/// called before any thread is started.
///
/// # Errors
/// The first step that failed; the process must not run an app then.
pub fn lock_down(keep: &[RawFd]) -> Result<Enforced, LockdownError> {
    close_others(keep)?;
    limit("RLIMIT_CORE", libc::RLIMIT_CORE, 0)?;
    limit("RLIMIT_NOFILE", libc::RLIMIT_NOFILE, DESCRIPTORS_MAX)?;
    limit("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK, 0)?;
    limit("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE, 0)?;
    let landlock = deny_paths()?;
    if landlock != "full" {
        note(Severity::Warn, "landlock_incomplete", json!({"landlock": landlock}));
    }
    filter::apply()?;
    Ok(Enforced { landlock })
}

fn close_others(keep: &[RawFd]) -> Result<(), LockdownError> {
    let mut kept: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).collect();
    kept.sort_unstable();
    let mut first = libc::STDERR_FILENO.unsigned_abs() + 1;
    for last in kept.into_iter().map(Some).chain([None]) {
        let end = last.map_or(u32::MAX, |fd| fd.saturating_sub(1));
        if first <= end {
            // SAFETY: nothing in this process uses a descriptor that is not kept: no thread runs, no runtime exists.
            let closed = unsafe { libc::syscall(libc::SYS_close_range, first, end, 0) };
            if closed != 0 {
                return Err(LockdownError::Descriptors(Error::last_os_error()));
            }
        }
        first = last.map_or(u32::MAX, |fd| fd.max(first - 1) + 1);
    }
    Ok(())
}

fn limit(name: &'static str, resource: libc::__rlimit_resource_t, value: u64) -> Result<(), LockdownError> {
    let mut current = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the place to write to is valid.
    let known = unsafe { libc::getrlimit(resource, &raw mut current) } == 0;
    // What is lower already stays: a limit can't be raised again.
    let value = if known { value.min(current.rlim_max) } else { value };
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: the limit is a valid value that is only read.
    if unsafe { libc::setrlimit(resource, &raw const limit) } == 0 {
        Ok(())
    } else {
        Err(LockdownError::Resource { name, source: Error::last_os_error() })
    }
}

/// Denies every path, TCP port, abstract socket and signal to others, and new privileges.
fn deny_paths() -> Result<&'static str, LockdownError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK_ABI))?
        .handle_access(AccessNet::from_all(LANDLOCK_ABI))?
        .scope(Scope::from_all(LANDLOCK_ABI))?
        .create()?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "full",
        RulesetStatus::PartiallyEnforced => "partial",
        RulesetStatus::NotEnforced => "none",
    })
}
