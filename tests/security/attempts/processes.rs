//! Other processes, other programs, and more than its share.

use super::kernel::in_child;
use super::{Attempt, answer, learned};
use std::ffi::CString;
use std::fs;
use std::io;

fn number(answer_of: libc::c_int) -> io::Result<()> {
    answer(i64::from(answer_of))
}

/// In a child: where it works, the program that is run ends with its own code.
fn run(program: &str) -> io::Result<()> {
    let path = CString::new(program).map_err(io::Error::other)?;
    in_child(|| {
        let arguments = [path.as_ptr(), c"--version".as_ptr(), std::ptr::null()];
        // SAFETY: both lists end with a null; it comes back only when it failed.
        unsafe { libc::execv(path.as_ptr(), arguments.as_ptr()) };
        Err(io::Error::last_os_error())
    })
}

/// Processes that are neither this one nor a child of it.
fn foreign() -> Vec<libc::pid_t> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<libc::pid_t>().ok());
    let own = std::process::id().cast_signed();
    all.filter(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        *pid != own && parent != Some(own)
    })
    .collect()
}

fn become_user(user: libc::uid_t) -> io::Result<()> {
    // SAFETY: plain numbers.
    in_child(|| number(unsafe { libc::setuid(user) }))
}

fn become_group(group: libc::gid_t) -> io::Result<()> {
    // SAFETY: plain numbers.
    in_child(|| number(unsafe { libc::setgid(group) }))
}

fn others() -> io::Result<()> {
    learned(!foreign().is_empty() || std::process::id() != 1)
}

fn kill_others() -> io::Result<()> {
    // SAFETY: signal 0 is sent to nobody; it asks whether one could be.
    learned(foreign().into_iter().any(|pid| unsafe { libc::kill(pid, 0) } == 0))
}

fn raise_own_priority() -> io::Result<()> {
    // SAFETY: plain numbers.
    number(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -10) })
}

fn real_time() -> io::Result<()> {
    in_child(|| {
        let parameter = libc::sched_param { sched_priority: 1 };
        // SAFETY: a parameter that lives on.
        number(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameter) })
    })
}

fn more_files() -> io::Result<()> {
    in_child(|| {
        let limit = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
        // SAFETY: a limit that lives on.
        number(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })
    })
}

/// Forks until it is refused, at most 200 times.
fn fork_bomb() -> io::Result<()> {
    let mut children = Vec::new();
    let refused = (0..200).find_map(|_| {
        // SAFETY: the child only waits to be killed.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: no argument.
                unsafe { libc::pause() };
            },
            -1 => Some(io::Error::last_os_error()),
            child => {
                children.push(child);
                None
            }
        }
    });
    for child in &children {
        // SAFETY: a child of this process.
        unsafe { libc::kill(*child, libc::SIGKILL) };
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(*child, std::ptr::null_mut(), 0) };
    }
    refused.map_or(Ok(()), Err)
}

/// Half a gigabyte, every page of it: twice what its bound is.
fn much_memory() -> io::Result<()> {
    in_child(|| {
        const BYTES: usize = 512 << 20;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new pages of its own.
        let pages = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                BYTES,
                protection,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if pages == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        for at in (0..BYTES).step_by(4096) {
            // SAFETY: within the pages.
            unsafe { pages.cast::<u8>().add(at).write_volatile(1) };
        }
        Ok(())
    })
}

pub const ATTEMPTS: &[Attempt] = &[
    Attempt { name: "run a shell", run: |_| run("/bin/sh") },
    Attempt { name: "run env", run: |_| run("/usr/bin/env") },
    Attempt { name: "run busybox", run: |_| run("/bin/busybox") },
    Attempt { name: "run a shell of the host", run: |_| run("/proc/1/root/bin/sh") },
    Attempt { name: "become root", run: |_| become_user(0) },
    Attempt { name: "become root's group", run: |_| become_group(0) },
    Attempt { name: "become another worker's user", run: |_| become_user(123_456) },
    Attempt { name: "see other processes", run: |_| others() },
    Attempt { name: "signal other processes", run: |_| kill_others() },
    Attempt { name: "raise its own priority", run: |_| raise_own_priority() },
    Attempt { name: "real-time scheduling", run: |_| real_time() },
    Attempt { name: "more open files than its bound", run: |_| more_files() },
    Attempt { name: "more processes than its bound", run: |_| fork_bomb() },
    Attempt { name: "more memory than its bound", run: |_| much_memory() },
];
