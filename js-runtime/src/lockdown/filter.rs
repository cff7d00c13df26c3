//! The system calls that the seccomp filter allows.

use super::LockdownError;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Calls that remain whatever their arguments: they work on what the process already has.
const ALLOWED: &[i64] = &[
    // What is open: the host's connections and the runtime's own descriptors.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_close,
    libc::SYS_shutdown,
    libc::SYS_accept4,
    libc::SYS_getsockopt,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    // Memory, executable pages included: V8 compiles.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_pkey_mprotect,
    // Threads and signals within the process.
    libc::SYS_futex,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Time, figures, randomness.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    // V8 looks for features of the kernel by its version, and gives up when it is not told.
    libc::SYS_uname,
    libc::SYS_getrandom,
    // Allowed here, and answered with ENOSYS by the filter below: see `no_clone3`.
    libc::SYS_clone3,
];

/// Older names of calls above, which only this architecture has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[i64] = &[libc::SYS_epoll_wait, libc::SYS_poll, libc::SYS_time, libc::SYS_getcpu];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[i64] = &[];

const THREAD: u64 = libc::CLONE_THREAD as u64;
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

/// Label that the allocator puts on its pages.
const PR_SET_VMA: u64 = 0x5356_4d41;

/// Applies the filters to every thread of this process, and gives up new privileges. What is not allowed fails with
/// EPERM: a library that tries a call for a better answer goes on with the answer that it gets.
pub(super) fn apply() -> Result<(), LockdownError> {
    // In this order: the allow-list knows no call that applies filters.
    apply_filter_all_threads(&no_clone3()?)?;
    apply_filter_all_threads(&allow_list()?)?;
    Ok(())
}

/// The arguments of `clone3` lie in memory, where a filter can't look. The C library makes threads through `clone`
/// when told that the newer call does not exist, and only then; of several filters the stricter answer counts.
fn no_clone3() -> Result<BpfProgram, BackendError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, absent, arch()?)?.try_into()
}

fn allow_list() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in ALLOWED.iter().chain(ALLOWED_HERE) {
        rules.insert(*call, Vec::new());
    }
    let pid = u64::from(std::process::id());
    // Threads, not processes and not namespaces.
    allow(&mut rules, libc::SYS_clone, &[&[(0, Op::MaskedEq(THREAD | NAMESPACES), THREAD)]])?;
    // Signals to the own threads: abort, and V8's sampling of a profile.
    allow(&mut rules, libc::SYS_tgkill, &[&[(0, Op::Eq, pid)]])?;
    // Answers on a connection, not datagrams to an address.
    allow(&mut rules, libc::SYS_sendto, &[&[(4, Op::Eq, 0)]])?;
    // The runtime wakes itself through a pair of sockets when a signal comes.
    allow(&mut rules, libc::SYS_socketpair, &[&[(0, Op::Eq, libc::AF_UNIX as u64)]])?;
    // A thread may say of itself that it is work in the background, as those of isolates do, and nothing else.
    allow(
        &mut rules,
        libc::SYS_sched_setscheduler,
        &[&[(0, Op::Eq, 0), (1, Op::Eq, libc::SCHED_BATCH as u64)]],
    )?;
    // Own limits may be read.
    allow(&mut rules, libc::SYS_prlimit64, &[&[(0, Op::Eq, 0), (2, Op::Eq, 0)]])?;
    allow(
        &mut rules,
        libc::SYS_prctl,
        &[&[(0, Op::Eq, libc::PR_SET_NAME as u64)], &[(0, Op::Eq, PR_SET_VMA)]],
    )?;
    allow(&mut rules, libc::SYS_ioctl, &[&[(1, Op::Eq, libc::FIONBIO)]])?;
    let commands = [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL];
    for command in commands {
        allow(&mut rules, libc::SYS_fcntl, &[&[(1, Op::Eq, command as u64)]])?;
    }
    let deny = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, deny, SeccompAction::Allow, arch()?)?.try_into()
}

/// Allows `call` if the conditions of one of the `alternatives` hold: number of the argument, comparison, value.
fn allow(
    rules: &mut BTreeMap<i64, Vec<SeccompRule>>,
    call: i64,
    alternatives: &[&[(u8, Op, u64)]],
) -> Result<(), BackendError> {
    for conditions in alternatives {
        let conditions = conditions
            .iter()
            .map(|(argument, compare, value)| {
                SeccompCondition::new(*argument, Len::Qword, compare.clone(), *value)
            })
            .collect::<Result<_, _>>()?;
        rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
    }
    Ok(())
}

fn arch() -> Result<TargetArch, BackendError> {
    std::env::consts::ARCH.try_into()
}
