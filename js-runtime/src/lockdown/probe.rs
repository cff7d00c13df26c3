//! Self-test of the lockdown: does what an attacker in full control of the process would do first.

use super::{Enforced, LockdownError, lock_down};
use serde_json::{Value, json};
use std::ffi::CStr;
use std::io::Error;
use std::sync::atomic::{AtomicI32, Ordering};

/// What the locked process could do.
#[derive(Debug)]
pub struct Report {
    enforced: Enforced,
    denied: Vec<&'static str>,
    /// Forbidden actions that worked, or failed for another reason than the lockdown. None may be.
    pub allowed: Vec<String>,
}

impl Report {
    /// One JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"landlock": self.enforced.landlock, "denied": self.denied, "allowed": self.allowed})
    }
}

/// A forbidden action: its name and what the system says to it.
type Attempt = (&'static str, fn() -> i64);

const FILE: &CStr = c"/etc/passwd";
const NEW_FILE: &CStr = c"/tmp/vitrine-probe";
const SHELL: &CStr = c"/bin/sh";
const ROOT: &CStr = c"/";

/// A system call whose arguments are numbers and pointers to constants.
macro_rules! call {
    ($number:ident $(, $argument:expr)* $(,)?) => {
        // SAFETY: pointers lead to constants or are null; a call that is refused, as each of these is to be, touches
        // nothing, and one that is not is reported.
        unsafe { libc::syscall(libc::$number $(, $argument)*) }
    };
}

const NULL: *const u8 = std::ptr::null();

const ATTEMPTS: &[Attempt] = &[
    ("open a file", || call!(SYS_openat, libc::AT_FDCWD, FILE.as_ptr(), libc::O_RDONLY)),
    ("open a folder", || call!(SYS_openat, libc::AT_FDCWD, ROOT.as_ptr(), libc::O_DIRECTORY)),
    ("open with openat2", || call!(SYS_openat2, libc::AT_FDCWD, FILE.as_ptr(), NULL, 0)),
    ("create a file", || {
        call!(SYS_openat, libc::AT_FDCWD, NEW_FILE.as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600)
    }),
    ("open by handle", || call!(SYS_open_by_handle_at, libc::AT_FDCWD, NULL, 0)),
    ("make a folder", || call!(SYS_mkdirat, libc::AT_FDCWD, NEW_FILE.as_ptr(), 0o700)),
    ("delete a file", || call!(SYS_unlinkat, libc::AT_FDCWD, NEW_FILE.as_ptr(), 0)),
    ("rename a file", || {
        call!(SYS_renameat2, libc::AT_FDCWD, FILE.as_ptr(), libc::AT_FDCWD, NEW_FILE.as_ptr(), 0)
    }),
    ("make a link", || call!(SYS_symlinkat, FILE.as_ptr(), libc::AT_FDCWD, NEW_FILE.as_ptr())),
    ("change a mode", || call!(SYS_fchmodat, libc::AT_FDCWD, NEW_FILE.as_ptr(), 0o777)),
    ("change an owner", || call!(SYS_fchownat, libc::AT_FDCWD, NEW_FILE.as_ptr(), 0, 0, 0)),
    ("truncate a file", || call!(SYS_truncate, NEW_FILE.as_ptr(), 0)),
    ("read a link", || call!(SYS_readlinkat, libc::AT_FDCWD, NEW_FILE.as_ptr(), NULL, 0)),
    ("look at a file", || call!(SYS_statx, libc::AT_FDCWD, FILE.as_ptr(), 0, 0, NULL)),
    ("change folder", || call!(SYS_chdir, ROOT.as_ptr())),
    ("change root", || call!(SYS_chroot, ROOT.as_ptr())),
    ("mount", || call!(SYS_mount, NULL, ROOT.as_ptr(), NULL, libc::MS_REMOUNT, NULL)),
    ("open a mount tree", || call!(SYS_open_tree, libc::AT_FDCWD, ROOT.as_ptr(), 0)),
    ("open a file system", || call!(SYS_fsopen, c"tmpfs".as_ptr(), 0)),
    ("internet socket", || call!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0)),
    ("internet 6 socket", || call!(SYS_socket, libc::AF_INET6, libc::SOCK_DGRAM, 0)),
    ("unix socket", || call!(SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0)),
    ("netlink socket", || call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, 0)),
    ("vsock socket", || call!(SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
    ("kernel crypto socket", || call!(SYS_socket, libc::AF_ALG, libc::SOCK_SEQPACKET, 0)),
    ("packet socket", || call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, 0)),
    ("internet socket pair", || call!(SYS_socketpair, libc::AF_INET, libc::SOCK_STREAM, 0, NULL)),
    ("connect", || call!(SYS_connect, 0, NULL, 0)),
    ("bind", || call!(SYS_bind, 0, NULL, 0)),
    ("listen", || call!(SYS_listen, 0, 1)),
    ("send to an address", || call!(SYS_sendto, 0, NULL, 0, 0, FILE.as_ptr(), 16)),
    ("send descriptors", || call!(SYS_sendmsg, 0, NULL, 0)),
    ("execute", || call!(SYS_execve, SHELL.as_ptr(), NULL, NULL)),
    ("execute by descriptor", || call!(SYS_execveat, 0, c"".as_ptr(), NULL, NULL, libc::AT_EMPTY_PATH)),
    ("file in memory", || call!(SYS_memfd_create, c"probe".as_ptr(), 0)),
    ("secret memory", || call!(SYS_memfd_secret, 0)),
    ("fork by clone", || forked(call!(SYS_clone, libc::SIGCHLD, NULL, NULL, NULL, NULL))),
    ("trace", || call!(SYS_ptrace, libc::PTRACE_TRACEME, 0, NULL, NULL)),
    ("read another process", || call!(SYS_process_vm_readv, parent(), NULL, 0, NULL, 0, 0)),
    ("write another process", || call!(SYS_process_vm_writev, parent(), NULL, 0, NULL, 0, 0)),
    ("handle of a process", || call!(SYS_pidfd_open, parent(), 0)),
    ("compare processes", || call!(SYS_kcmp, parent(), parent(), 0, 0, 0)),
    ("signal another process", || call!(SYS_kill, parent(), 0)),
    ("signal another thread", || call!(SYS_tgkill, parent(), parent(), 0)),
    ("queue a signal", || call!(SYS_rt_sigqueueinfo, parent(), 0, NULL)),
    ("raise a limit", || call!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, FILE.as_ptr(), NULL)),
    ("limits of others", || call!(SYS_prlimit64, parent(), libc::RLIMIT_NOFILE, NULL, NULL)),
    ("io_uring", || call!(SYS_io_uring_setup, 1, NULL)),
    ("kernel programs", || call!(SYS_bpf, 0, NULL, 0)),
    ("page faults", || call!(SYS_userfaultfd, 0)),
    ("performance counters", || call!(SYS_perf_event_open, NULL, 0, -1, -1, 0)),
    ("keys", || call!(SYS_keyctl, 0, 0, 0, 0, 0)),
    ("add a key", || call!(SYS_add_key, c"user".as_ptr(), c"probe".as_ptr(), NULL, 0, 0)),
    ("namespaces", || call!(SYS_unshare, libc::CLONE_NEWUSER)),
    ("enter a namespace", || call!(SYS_setns, 0, 0)),
    ("change user", || call!(SYS_setuid, 0)),
    ("change group", || call!(SYS_setgid, 0)),
    ("capabilities", || call!(SYS_capset, NULL, NULL)),
    ("execution domain", || call!(SYS_personality, 0)),
    ("watch files", || call!(SYS_inotify_init1, 0)),
    ("terminal control", || call!(SYS_ioctl, 0, libc::TIOCSTI, NULL)),
    ("shared memory", || call!(SYS_shmget, libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600)),
    ("message queues", || call!(SYS_msgget, libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600)),
    ("semaphores", || call!(SYS_semget, libc::IPC_PRIVATE, 1, libc::IPC_CREAT | 0o600)),
    ("set the clock", || call!(SYS_clock_settime, libc::CLOCK_REALTIME, NULL)),
    ("load a module", || call!(SYS_init_module, NULL, 0, NULL)),
    ("reboot", || call!(SYS_reboot, 0, 0, 0, NULL)),
    ("dumpable again", || call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0)),
    ("another filter", || call!(SYS_seccomp, 0, 0, NULL)),
];

/// Looked up before the lockdown, which does not leave the call for it.
static PARENT: AtomicI32 = AtomicI32::new(0);

fn parent() -> i32 {
    PARENT.load(Ordering::Relaxed)
}

/// The child of a fork that worked ends at once.
fn forked(pid: i64) -> i64 {
    if pid == 0 {
        // SAFETY: ends the process without running anything of it.
        unsafe { libc::_exit(0) }
    }
    pid
}

/// Locks this process down and tries everything that must not work.
///
/// # Errors
/// The lockdown itself failed.
pub fn run() -> Result<Report, LockdownError> {
    PARENT.store(std::os::unix::process::parent_id().cast_signed(), Ordering::Relaxed);
    let enforced = lock_down(&[])?;
    let mut report = Report { enforced, denied: Vec::new(), allowed: Vec::new() };
    for (name, attempt) in ATTEMPTS {
        let outcome = attempt();
        let error = Error::last_os_error();
        // A refusal by anything else than the filter (no such file, bad address) means that the kernel carried the
        // call out up to that point.
        if outcome < 0 && error.raw_os_error() == Some(libc::EPERM) {
            report.denied.push(name);
        } else if outcome < 0 {
            report.allowed.push(format!("{name}: {error}"));
        } else {
            report.allowed.push(format!("{name}: it worked"));
        }
    }
    if let Err(error) = std::thread::Builder::new().spawn(|| ()).map(std::thread::JoinHandle::join) {
        report.allowed.push(format!("start a thread, which must work: {error}"));
    }
    Ok(report)
}
