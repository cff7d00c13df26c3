//! Parts of the kernel that escapes began with.

use super::{Attempt, answer};
use std::io;
use std::ptr::null_mut;

/// A system call with these arguments, all of which are numbers or pointers to what lives on.
macro_rules! call {
    ($number:ident $(, $argument:expr)* $(,)?) => {
        // SAFETY: pointers lead to constants or to variables of the attempt, with the size that the call expects.
        answer(unsafe { libc::syscall(libc::$number $(, $argument)*) })
    };
}

/// Refused by the filter, for a call that has no harmless arguments: with these it fails in another way where it is let
/// through.
fn filtered(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if !matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS)) => Ok(()),
        other => other,
    }
}

/// In a child that ends at once, so that what it gains is gone with it.
pub fn in_child(attempt: impl Fn() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: the child makes system calls and ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let code = attempt().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EPERM));
            // SAFETY: ends the child.
            unsafe { libc::_exit(code) }
        }
        child => {
            let mut status = 0;
            // SAFETY: a child of this process, and a number for its status.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            match (libc::WIFEXITED(status), libc::WEXITSTATUS(status)) {
                (true, 0) => Ok(()),
                (true, code) => Err(io::Error::from_raw_os_error(code)),
                // Ended by a signal: by the kernel, for want of memory or because of a filter.
                (false, _) => Err(io::ErrorKind::OutOfMemory.into()),
            }
        }
    }
}

const ROOT: *const libc::c_char = c"/".as_ptr();
const NAME: *const libc::c_char = c"vitrine-probe".as_ptr();

fn io_uring() -> io::Result<()> {
    let mut parameters = [0_u8; 120];
    call!(SYS_io_uring_setup, 4, parameters.as_mut_ptr())
}

fn set_clock() -> io::Result<()> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    call!(SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now)?;
    call!(SYS_clock_settime, libc::CLOCK_REALTIME, &raw const now)
}

fn handles() -> io::Result<()> {
    let mut handle = [0_u32; 34];
    handle[0] = 128;
    let mut mount = 0;
    call!(SYS_name_to_handle_at, libc::AT_FDCWD, ROOT, handle.as_mut_ptr(), &raw mut mount, 0)?;
    call!(SYS_open_by_handle_at, libc::AT_FDCWD, handle.as_ptr(), libc::O_RDONLY)
}

fn terminal() -> io::Result<()> {
    let letter = b'x';
    match call!(SYS_ioctl, 0, libc::TIOCSTI, &raw const letter) {
        // There is no terminal to write to, and the filter let the request pass.
        Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => Ok(()),
        other => other,
    }
}

fn memory_file() -> io::Result<()> {
    call!(SYS_memfd_create, NAME, 0)
}

fn execute_from_memory() -> io::Result<()> {
    // SAFETY: a name that ends with a zero.
    let file = unsafe { libc::syscall(libc::SYS_memfd_create, NAME, 0) };
    answer(file)?;
    // A program may be there now: that it is empty is the only reason why it does not run.
    filtered(call!(SYS_execveat, file, c"".as_ptr(), null_mut::<u8>(), null_mut::<u8>(), libc::AT_EMPTY_PATH))
}

pub const ATTEMPTS: &[Attempt] = &[
    Attempt { name: "io_uring", run: |_| io_uring() },
    Attempt { name: "bpf", run: |_| filtered(call!(SYS_bpf, 0, null_mut::<u8>(), 0)) },
    Attempt { name: "userfaultfd", run: |_| call!(SYS_userfaultfd, 1) },
    Attempt {
        name: "perf_event_open",
        run: |_| filtered(call!(SYS_perf_event_open, null_mut::<u8>(), 0, -1, -1, 0)),
    },
    Attempt { name: "keyctl", run: |_| call!(SYS_keyctl, 0, -3, 1) },
    Attempt { name: "add_key", run: |_| call!(SYS_add_key, c"user".as_ptr(), NAME, NAME, 4, -3) },
    Attempt {
        name: "request_key",
        run: |_| filtered(call!(SYS_request_key, c"user".as_ptr(), NAME, null_mut::<u8>(), -3)),
    },
    Attempt { name: "ptrace", run: |_| in_child(|| call!(SYS_ptrace, libc::PTRACE_TRACEME, 0, 0, 0)) },
    Attempt {
        name: "process_vm_readv",
        run: |_| call!(SYS_process_vm_readv, 1, null_mut::<u8>(), 0, null_mut::<u8>(), 0, 0),
    },
    Attempt {
        name: "process_vm_writev",
        run: |_| call!(SYS_process_vm_writev, 1, null_mut::<u8>(), 0, null_mut::<u8>(), 0, 0),
    },
    Attempt { name: "pidfd_getfd", run: |_| filtered(call!(SYS_pidfd_getfd, 0, 0, 0)) },
    Attempt { name: "kcmp", run: |_| call!(SYS_kcmp, 1, 1, 0, 0, 0) },
    Attempt {
        name: "mount",
        run: |_| {
            in_child(|| call!(SYS_mount, c"none".as_ptr(), ROOT, c"tmpfs".as_ptr(), 0, null_mut::<u8>()))
        },
    },
    Attempt { name: "umount", run: |_| filtered(call!(SYS_umount2, c"/nowhere".as_ptr(), 0)) },
    Attempt { name: "fsopen", run: |_| call!(SYS_fsopen, c"tmpfs".as_ptr(), 0) },
    Attempt { name: "open_tree", run: |_| filtered(call!(SYS_open_tree, libc::AT_FDCWD, ROOT, 0)) },
    Attempt { name: "move_mount", run: |_| filtered(call!(SYS_move_mount, -1, ROOT, -1, ROOT, 0)) },
    Attempt { name: "pivot_root", run: |_| filtered(call!(SYS_pivot_root, c"/nowhere".as_ptr(), ROOT)) },
    Attempt { name: "chroot", run: |_| in_child(|| call!(SYS_chroot, ROOT)) },
    Attempt {
        name: "unshare, user namespace",
        run: |_| in_child(|| call!(SYS_unshare, libc::CLONE_NEWUSER)),
    },
    Attempt {
        name: "unshare, network namespace",
        run: |_| in_child(|| call!(SYS_unshare, libc::CLONE_NEWNET)),
    },
    Attempt {
        name: "clone, user namespace",
        run: |_| {
            in_child(|| {
                // SAFETY: without a stack of its own the child goes on here, and ends.
                let child = unsafe {
                    libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0)
                };
                if child == 0 {
                    // SAFETY: ends the child.
                    unsafe { libc::_exit(0) }
                }
                answer(child)
            })
        },
    },
    Attempt { name: "setns", run: |_| filtered(call!(SYS_setns, -1, 0)) },
    Attempt { name: "open_by_handle_at", run: |_| handles() },
    Attempt { name: "personality", run: |_| in_child(|| call!(SYS_personality, 0x0004_0000)) },
    Attempt {
        name: "kexec_load",
        run: |_| filtered(call!(SYS_kexec_load, 0, 0, null_mut::<u8>(), 0xffff_ffff_u32)),
    },
    Attempt {
        name: "init_module",
        run: |_| filtered(call!(SYS_init_module, null_mut::<u8>(), 0, c"".as_ptr())),
    },
    Attempt { name: "delete_module", run: |_| filtered(call!(SYS_delete_module, NAME, 0)) },
    Attempt { name: "reboot", run: |_| filtered(call!(SYS_reboot, 0, 0, 0, 0)) },
    Attempt { name: "swapon", run: |_| filtered(call!(SYS_swapon, c"/nowhere".as_ptr(), 0)) },
    Attempt { name: "set the time", run: |_| set_clock() },
    Attempt { name: "set the host name", run: |_| call!(SYS_sethostname, NAME, 13) },
    Attempt { name: "read the kernel's log", run: |_| call!(SYS_syslog, 10, null_mut::<u8>(), 0) },
    Attempt { name: "acct", run: |_| filtered(call!(SYS_acct, c"/nowhere".as_ptr())) },
    Attempt {
        name: "quotactl",
        run: |_| filtered(call!(SYS_quotactl, 0, null_mut::<u8>(), 0, null_mut::<u8>())),
    },
    Attempt { name: "fanotify", run: |_| call!(SYS_fanotify_init, 0, 0) },
    Attempt { name: "inotify", run: |_| call!(SYS_inotify_init1, 0) },
    Attempt { name: "vmsplice", run: |_| filtered(call!(SYS_vmsplice, -1, null_mut::<u8>(), 0, 0)) },
    Attempt { name: "memory protection keys", run: |_| filtered(call!(SYS_pkey_alloc, 0, 0)) },
    Attempt { name: "a file in memory", run: |_| memory_file() },
    Attempt { name: "run a program from memory", run: |_| in_child(execute_from_memory) },
    Attempt {
        name: "shared memory",
        run: |_| call!(SYS_shmget, libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600),
    },
    Attempt {
        name: "a message queue",
        run: |_| call!(SYS_msgget, libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600),
    },
    Attempt { name: "semaphores", run: |_| call!(SYS_semget, libc::IPC_PRIVATE, 1, libc::IPC_CREAT | 0o600) },
    Attempt {
        name: "a POSIX message queue",
        run: |_| filtered(call!(SYS_mq_open, NAME, libc::O_CREAT, 0o600, null_mut::<u8>())),
    },
    Attempt { name: "write to the terminal's input", run: |_| terminal() },
];
